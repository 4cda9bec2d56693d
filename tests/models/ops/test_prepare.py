"""One door to the fast paths."""
import copy
import pickle

import pytest
import torch
from mmcv.cnn import ConvModule
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.ops import DeformConvPack
from siamattn_mm.models.ops.folding import FoldedConvModule
from siamattn_mm.models.ops.paths import Paths
from siamattn_mm.models.ops.prepare import prepare_for_inference
from siamattn_mm.torch_compat import is_compiled


def make():
    return nn.Sequential(
        ConvModule(3, 4, 3, norm_cfg=dict(type='BN')),
        DeformConvPack(4, 4, 3, padding=1)).eval()


def takes(model, fast, folded):
    return model[1].paths == Paths(fast, folded) and type(model[0]) is (
        FoldedConvModule if folded else ConvModule)


@pytest.mark.parametrize('copied', [
    lambda model: model, copy.deepcopy,
    lambda model: pickle.loads(pickle.dumps(model))
])
@torch.no_grad()
def test_the_fast_paths_and_the_plain_ones_agree(copied):
    """And each follows the other, in a copy too."""
    model, x = make(), torch.rand(1, 3, 9, 9)
    prepare_for_inference(model, fast=False)
    assert takes(model, False, False)
    expected, names = model(x), list(model.state_dict())
    prepare_for_inference(model)
    model = copied(model)
    assert takes(model, True, True)
    assert_close(model(x), expected)
    assert list(model.state_dict()) == names
    prepare_for_inference(model, fast=False)
    assert takes(model, False, False)
    assert torch.equal(model(x), expected)


def test_norms_may_stay_apart():
    model = make()
    prepare_for_inference(model)
    prepare_for_inference(model, fold=False)
    assert takes(model, True, False)


@pytest.mark.parametrize('fold', [False, True])
def test_changed_weights_are_seen(fold):
    """Even those that were written to behind PyTorch's back."""
    model, x = make(), torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        prepare_for_inference(model, fold=fold)
        before = model(x)
        model[0].conv.weight.data.mul_(3.)
        model[1].weight.data.mul_(2.)
        prepare_for_inference(model, fold=fold)
        after = model(x)
    plain = make()
    prepare_for_inference(plain, fast=False)
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert_close(after, plain(x))
    assert not torch.equal(before, after)


@pytest.mark.skipif(
    not hasattr(nn.Module, 'compile'), reason='PyTorch 2.2 has it')
def test_a_copy_of_a_compiled_model_is_compiled_anew():
    """PyTorch compiles nothing yet: it does so when it is called."""
    model = nn.Sequential()
    model.backbone, model.head = make(), make()
    prepare_for_inference(model, compile=True)
    copied = copy.deepcopy(model)
    assert is_compiled(model.backbone) and not is_compiled(copied.backbone)
    prepare_for_inference(copied, compile=True)
    assert is_compiled(copied.backbone) and is_compiled(copied.head)
    assert takes(copied.backbone, False, False)
