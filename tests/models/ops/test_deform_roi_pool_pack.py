"""The two-pass modules of both kernels."""
import pytest
import torch
from mmengine.utils import digit_version
from mmtrack.registry import MODELS

from siamattn_mm.models.ops import (
    DeformPSRoIPooling,
    DeformRoIPooling,
    deform_psroi_pool,
    deform_roi_pool,
)

SCALE = 12 / 64


@pytest.fixture(params=['DeformRoIPooling', 'DeformPSRoIPooling'])
def kind(request):
    """Registered name of a module."""
    return request.param


def build(kind, **kwargs):
    """A small module, through the registry."""
    cfg = dict(
        type=kind,
        output_size=4,
        spatial_scale=SCALE,
        in_channels=3,
        fc_channels=16)
    cfg.update(kwargs)
    return MODELS.build(cfg)


def pool(kind, input, rois, offset, bins=4):
    """The function behind the module of that name."""
    function = dict(
        DeformRoIPooling=deform_roi_pool,
        DeformPSRoIPooling=deform_psroi_pool)[kind]
    return function(input, rois, offset, bins, SCALE)


@pytest.fixture
def batch():
    """Feature maps of two images, and RoIs in them."""
    rois = torch.tensor([[0, 10., 8., 40., 44.], [1, 20., 15., 70., 50.],
                         [1, -5., 3., 31., 29.]])
    return torch.randn(2, 3, 12, 12), rois


def test_registered():
    """Both are in mmtrack's registry, under their own names."""
    assert MODELS.get('DeformRoIPooling') is DeformRoIPooling
    assert MODELS.get('DeformPSRoIPooling') is DeformPSRoIPooling


def test_parameters_are_the_checkpoints(kind):
    """Names and shapes are those of the released checkpoint."""
    shapes = {
        name: tuple(value.shape)
        for name, value in build(kind).state_dict().items()
    }
    assert shapes == {
        'offset_fc.0.weight': (16, 48),
        'offset_fc.0.bias': (16, ),
        'offset_fc.2.weight': (16, 16),
        'offset_fc.2.bias': (16, ),
        'offset_fc.4.weight': (32, 16),
        'offset_fc.4.bias': (32, ),
    }


@pytest.mark.parametrize('initialised', [False, True])
def test_starts_as_plain_pooling(kind, batch, initialised):
    """Offsets are zero at first, whatever happened to the weights."""
    module = build(kind)
    if initialised:
        torch.nn.init.ones_(module.offset_fc[-1].weight)
        module.init_weights()
    output = module(*batch)
    assert output.shape == (3, 3, 4, 4)
    assert (output == pool(kind, *batch, None)).all()
    assert module.offset_fc[0].weight.abs().sum() > 0


def test_init_cfg_cannot_undo_zero_offsets(kind, batch):
    """An ``init_cfg`` reaches the other layers only."""
    module = build(
        kind, init_cfg=dict(type='Constant', layer='Linear', val=2.0))
    module.init_weights()
    assert (module.offset_fc[0].weight == 2).all()
    assert (module(*batch) == pool(kind, *batch, None)).all()


def test_pretrained_offsets_are_kept(kind, tmp_path):
    """Weights from a file are not set back to zero."""
    source = build(kind)
    torch.nn.init.ones_(source.offset_fc[-1].weight)
    path = str(tmp_path / 'pooling.pth')
    torch.save(source.state_dict(), path)
    module = build(kind, init_cfg=dict(type='Pretrained', checkpoint=path))
    module.init_weights()
    assert (module.offset_fc[-1].weight == 1).all()


def test_offsets_come_from_the_first_pass(kind, batch):
    """Bins move as the layers say, x first, from what was pooled before."""
    module = build(kind, output_size=(2, 3))
    torch.nn.init.normal_(module.offset_fc[-1].weight)
    input, rois = batch
    first = pool(kind, input, rois, None, (2, 3))
    offset = module.offset_fc(first.reshape(3, -1)).reshape(3, 2, 2, 3)
    expected = pool(kind, input, rois, offset, (2, 3))
    torch.testing.assert_close(module(input, rois), expected)
    assert (expected - first).abs().max() > 1e-3


def test_gradients_reach_every_layer(kind, batch):
    """One step moves the last layer; then all layers get gradients."""
    module = build(kind)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    module(*batch).square().sum().backward()
    grads = [p.grad.abs().sum() for p in module.offset_fc[-1].parameters()]
    assert all(grad > 0 for grad in grads)
    optimizer.step()
    optimizer.zero_grad()
    input = batch[0].clone().requires_grad_()
    output = module(input, batch[1])
    assert (output != pool(kind, *batch, None)).any()
    output.square().sum().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad.abs().sum() > 0, name
    assert input.grad.abs().sum() > 0


def test_not_deformable(kind, batch):
    """The ablation is plain pooling, without parameters."""
    module = build(kind, deformable=False)
    module.init_weights()
    assert not list(module.parameters())
    assert (module(*batch) == pool(kind, *batch, None)).all()


@pytest.mark.parametrize('deformable', [True, False])
def test_no_rois(kind, batch, deformable):
    """No RoIs are no features, also in training."""
    module = build(kind, deformable=deformable)
    input = batch[0].requires_grad_()
    output = module(input, torch.zeros(0, 5))
    assert output.shape == (0, 3, 4, 4)
    output.sum().backward()
    assert (input.grad == 0).all()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('as_autocast_gives_it', [True, False])
def test_autocast(kind, batch, dtype, as_autocast_gives_it):
    """Mixed precision trains, close to single precision."""
    if (dtype == torch.float16
            and digit_version(torch.__version__) < digit_version('2.2.0')):
        pytest.skip('this PyTorch has no float16 autocast on CPUs')
    input, rois = batch
    module = build(kind)
    torch.nn.init.normal_(module.offset_fc[-1].weight, std=0.1)
    expected = module(input, rois)
    if as_autocast_gives_it:
        input = input.to(dtype)
    input = input.detach().requires_grad_()
    with torch.autocast('cpu', dtype=dtype):
        output = module(input, rois)
    assert output.dtype == input.dtype
    torch.testing.assert_close(output.float(), expected, rtol=0, atol=0.05)
    output.float().square().sum().backward()
    assert input.grad.isfinite().all()
    grad = module.offset_fc[0].weight.grad
    assert grad.isfinite().all() and grad.abs().sum() > 0


@pytest.mark.parametrize('kind, kwargs, message', [
    ('DeformRoIPooling', dict(output_size=0), 'output_size'),
    ('DeformRoIPooling', dict(in_channels=0), 'in_channels.* 0'),
    ('DeformRoIPooling', dict(spatial_scale=0.0), 'spatial_scale'),
    ('DeformRoIPooling', dict(fc_channels=-1), 'fc_channels.*-1'),
    ('DeformRoIPooling', dict(sampling_ratio=-1), 'sampling_ratio'),
    ('DeformPSRoIPooling', dict(samples_per_bin=0), 'samples_per_bin'),
])
def test_bad_arguments(kind, kwargs, message):
    """Wrong arguments are named at construction."""
    with pytest.raises(ValueError, match=message):
        build(kind, **kwargs)


def test_bad_channels(kind, batch):
    """Maps of another width are named."""
    with pytest.raises(ValueError, match=r'3 channels.*\(2, 5, 12, 12\)'):
        build(kind)(torch.zeros(2, 5, 12, 12), batch[1])


def test_bad_shapes(kind, batch):
    """What the function refuses, the module refuses."""
    with pytest.raises(ValueError, match=r'\(N, C, H, W\)'):
        build(kind)(batch[0][0], batch[1])
    with pytest.raises(ValueError, match=r'\(R, 5\)'):
        build(kind)(batch[0], batch[1][:, 1:])


@pytest.mark.parametrize('module, expected', [
    (DeformRoIPooling(4, 0.5, 8, sampling_ratio=2),
     'DeformRoIPooling(output_size=(4, 4), spatial_scale=0.5, in_channels=8, '
     'sampling_ratio=2, gamma=0.1, fc_channels=1024, deformable=True)'),
    (DeformPSRoIPooling((2, 3), 0.5, 8, deformable=False),
     'DeformPSRoIPooling(output_size=(2, 3), spatial_scale=0.5, '
     'in_channels=8, samples_per_bin=4, trans_std=0.1, fc_channels=1024, '
     'deformable=False)'),
])
def test_repr(module, expected):
    """A printed model says what its pooling is."""
    assert repr(module) == expected
