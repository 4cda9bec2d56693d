"""One door to the fast paths."""
import torch
from mmcv.cnn import ConvModule
from torch import nn
from torch.testing import assert_close

from siamattn_mm.models.ops import DeformConvPack
from siamattn_mm.models.ops.prepare import prepare_for_inference


def make():
    return nn.Sequential(
        ConvModule(3, 4, 3, norm_cfg=dict(type='BN')),
        DeformConvPack(4, 4, 3, padding=1)).eval()


def folds(model):
    return 'forward' in vars(model[0])


def test_the_fast_paths_and_the_plain_ones_agree():
    model, x = make(), torch.rand(1, 3, 9, 9)
    prepare_for_inference(model, optimize=False)
    assert not folds(model) and not model[1].optimize
    with torch.no_grad():
        expected = model(x)
        prepare_for_inference(model)
        assert folds(model) and model[1].optimize
        assert_close(model(x), expected)


def test_norms_may_stay_apart():
    model = make()
    prepare_for_inference(model, fold=False)
    assert not folds(model) and model[1].optimize


def test_changed_weights_are_seen():
    """Even those that were written to behind PyTorch's back."""
    model, x = make(), torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        prepare_for_inference(model)
        before = model(x)
        model[0].conv.weight.data.mul_(3.)
        prepare_for_inference(model)
        after = model(x)
    plain = make()
    prepare_for_inference(plain, optimize=False)
    plain.load_state_dict(model.state_dict())
    with torch.no_grad():
        assert_close(after, plain(x))
    assert not torch.equal(before, after)
