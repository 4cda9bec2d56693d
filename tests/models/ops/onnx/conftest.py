"""These operators are for exports, which take a newer PyTorch than 2.0."""
import pytest

from siamattn_mm.models.ops.onnx.lowering import OPSET
from siamattn_mm.torch_compat import newest_onnx_opset


@pytest.fixture(autouse=True)
def _exports():
    if newest_onnx_opset() < OPSET:
        pytest.skip('this PyTorch exports no such operators')
