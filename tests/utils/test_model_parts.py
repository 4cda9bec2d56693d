"""Whether a model gives masks, whichever kind it is."""
from types import SimpleNamespace

import pytest

from siamattn_mm.utils.model_parts import makes_masks


@pytest.mark.parametrize('model, expected', [
    (SimpleNamespace(), False),
    (SimpleNamespace(refine_head=None), False),
    (SimpleNamespace(refine_head=SimpleNamespace(with_mask=False)), False),
    (SimpleNamespace(refine_head=SimpleNamespace(with_mask=True)), True),
    # An exported one has no head, but says so.
    (SimpleNamespace(makes_masks=True), True),
    (SimpleNamespace(makes_masks=False), False),
])
def test_makes_masks(model, expected):
    assert makes_masks(model) is expected
