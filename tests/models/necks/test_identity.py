"""The siamese neck that does nothing."""
import torch
from mmtrack.registry import MODELS


def test_features_pass_through_untouched():
    neck = MODELS.build(dict(type='IdentitySiameseNeck'))
    zs, xs = (torch.randn(1, 4, 7, 7), ), (torch.randn(1, 4, 31, 31), )
    state = neck.init_template(zs)
    for out_z, out_x in (neck(zs, xs), neck(zs, xs, state)):
        assert out_z[0] is zs[0] and out_x[0] is xs[0]
    assert not list(neck.parameters())
