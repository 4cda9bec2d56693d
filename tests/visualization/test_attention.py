"""Attention and score maps, against what the model computes."""
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

from siamattn_mm.models.necks.attention import SpatialSelfAttention
from siamattn_mm.structures.search_window import crop_image
from siamattn_mm.visualization.attention import AttentionProbe, brightness
from siamattn_mm.visualization.attention_panel import AttentionPanel

BOX = (100., 80., 40., 30.)


@pytest.fixture(scope='module')
def frames():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, 240, 320, 3), np.uint8)


@pytest.fixture
def model(small_config):
    init_default_scope('mmtrack')
    torch.manual_seed(0)
    # The crop must be undone: normalise, and swap channels.
    small_config.model.data_preprocessor.update(
        mean=[120., 110., 100.], std=[58., 57., 56.], bgr_to_rgb=True)
    return MODELS.build(small_config.model).eval()


def started(model, frames):
    session = model.new_session()
    session.start(frames[0], BOX)
    return session


def window_of(session):
    return session.frame_step.window(session.state)


def track(model, frames):
    session = started(model, frames)
    with AttentionProbe(model) as probe:
        window = window_of(session)
        box = session.step(frames[1]).bbox
        return box, probe.maps(window, box)


def test_the_crop_is_what_the_network_saw(model, frames):
    _, maps = track(model, frames)
    side = round(np.sqrt((40 + 35) * (30 + 35)) * 255 / 127)
    expected = crop_image(frames[1], (119.5, 94.5), side, 255,
                          frames[0].mean((0, 1)))
    assert np.abs(maps.crop.astype(int) - expected).max() <= 1


def test_scores(model, frames):
    outs = {}
    handle = model.head.register_forward_hook(
        lambda module, args, out: outs.update(cls=out[0]))
    _, maps = track(model, frames)
    handle.remove()
    background, foreground = outs['cls'][0, :5], outs['cls'][0, 5:]
    expected = torch.sigmoid(foreground - background).amax(0)
    assert np.abs(maps.fused_score.values - expected.numpy()).max() < 1e-5
    # 26 cells of 8 pixels; number 13 is at the centre of 255.
    assert maps.fused_score.values.shape == (26, 26)
    assert maps.fused_score.corner == (127.5 - 13.5 * 8, ) * 2
    assert sum(maps.level_weights) == pytest.approx(1)
    assert len(maps.scores) == 3


@pytest.mark.parametrize('sub_sample', [False, True])
@torch.no_grad()
def test_attention(model, frames, sub_sample):
    for level in model.siamese_neck.levels:
        level.spatial.sub_sample = sub_sample
    seen = {}

    def keep(module, args, out):
        seen['x'], seen['out'] = args[0], out

    spatial = model.siamese_neck.levels[1].spatial
    spatial.alpha.data.fill_(1.)
    handle = spatial.register_forward_hook(keep)
    box, maps = track(model, frames)
    handle.remove()
    size = 16 if sub_sample else 32
    for heat in maps.from_target + maps.received:
        assert heat.values.shape == (size, size)
        assert heat.cell == (16 if sub_sample else 8)
        assert heat.corner == (127.5 - 16.5 * 8, ) * 2
    assert all(heat.values.sum() == pytest.approx(1, abs=1e-4)
               for heat in maps.from_target)
    assert all(heat.values.mean() == pytest.approx(1, abs=1e-4)
               for heat in maps.received)
    # The neck's own result at the target's cell is the values' mean, weighted
    # by the map.
    assert isinstance(spatial, SpatialSelfAttention)
    x = seen['x']
    source = torch.nn.functional.max_pool2d(x, 2) if sub_sample else x
    value = spatial.value_conv(source)[0].flatten(1)
    weights = torch.from_numpy(maps.from_target[1].values).flatten()
    column, row = (min(max(int((place + 4.5) / 8), 0), 31)
                   for place in maps.target)
    expected = value @ weights + x[0, :, row, column]
    out = seen['out'].reshape(1, -1, x.shape[1]) if (
        seen['out'].dim() == 3) else seen['out'].flatten(2).transpose(1, 2)
    found = out[0, row * 32 + column]
    assert (found - expected).abs().max() < 1e-4


def test_target_is_in_the_crop_where_the_box_is(model, frames):
    session = started(model, frames)
    window = window_of(session)
    with AttentionProbe(model) as probe:
        session.step(frames[1])
        # Results count half a pixel less than what is given.
        still = (BOX[0] - .5, BOX[1] - .5, *BOX[2:])
        assert probe.maps(window, still).target == pytest.approx(
            (127.5, 127.5))
        moved = (still[0] + 10, still[1] - 4, 60, 10)
        scale = 127 / np.sqrt(75 * 65)
        assert probe.maps(window, moved).target == pytest.approx(
            (127.5 + 20 * scale, 127.5 - 14 * scale))


@pytest.mark.parametrize('exact', [False, True])
def test_while_it_is_lost_the_larger_crop_counts(
        small_config, exact):
    """The target shines: the crop itself says where it is."""
    init_default_scope('mmtrack')
    small_config.model.test_cfg.exact_crop = exact
    # Nothing scores enough: it is lost from the second frame on.
    small_config.model.online = [
        dict(
            type='TargetPresence',
            hold_score=1.,
            lost_after=1,
            max_zoom=3.,
            zoom_frames=1)
    ]
    model = MODELS.build(small_config.model).eval()
    frame = np.zeros((240, 320, 3), np.uint8)
    frame[150:170, 180:210] = 255  # of centre 195, 160, by its edges
    session = model.new_session()
    session.start(frame, BOX)
    assert session.step(frame).lost
    with AttentionProbe(model) as probe:
        window = window_of(session)
        session.step(frame)
        shift = .5 * (not exact)
        maps = probe.maps(window, (180 - shift, 150 - shift, 30, 20))
    y, x = np.argwhere(maps.crop[..., 0] > 127).mean(0) + .5
    assert maps.target == pytest.approx((x, y), abs=1.)
    side = 3 * np.sqrt(75 * 65)
    if exact:  # such windows lie on a grid
        side = round(side * 64) / 64
    assert window.scale == pytest.approx(127 / side)


def test_closed_it_leaves_nothing_behind(model, frames):
    before = started(model, frames).step(frames[1]).bbox
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks)
             for m in model.modules()]
    session = started(model, frames)
    with AttentionProbe(model) as probe:
        with pytest.raises(RuntimeError, match='no frame was tracked'):
            probe.maps(window_of(session), BOX)
        assert (session.step(frames[1]).bbox == before).all()
    assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks)
                     for m in model.modules()]


def test_a_neck_without_attention(small_config, frames):
    init_default_scope('mmtrack')
    small_config.model.siamese_neck = dict(type='IdentitySiameseNeck')
    model = MODELS.build(small_config.model).eval()
    assert not AttentionProbe(model).has_attention
    _, maps = track(model, frames)
    assert maps.from_target == maps.received == []
    panel = AttentionPanel(240, with_attention=False)
    assert panel.draw(maps).shape == (*panel.size[::-1], 3)


@pytest.mark.parametrize('height', [60, 480, 2000])
def test_panel(model, frames, height):
    _, maps = track(model, frames)
    # A single bright cell, the last one of the first row.
    values = np.zeros((32, 32), np.float32)
    values[0, 31] = 1
    heats = [maps.received[0]._replace(values=values, corner=(0, 0))] * 3
    panel = AttentionPanel(height)
    picture = panel.draw(maps._replace(received=heats))
    assert picture.shape == (*panel.size[::-1], 3)
    tile = panel.tile
    top = 6 + (tile + 24) + 18
    received = picture[top:top + tile, 6:6 + tile].astype(int)
    color = received.max(2) - received.min(2)
    y, x = np.unravel_index(color.argmax(), color.shape)
    assert y < tile * 0.06 and x > tile * 0.92
    frame = np.full((height, 90, 3), 200, np.uint8)
    beside = panel.beside(frame, None)
    assert beside.shape[1::-1] == panel.size_beside((90, height))
    assert beside.shape[0] % 2 == beside.shape[1] % 2 == 0
    top = (beside.shape[0] - height) // 2
    assert (beside[top:top + height, :90] == 200).all()


def test_brightness():
    values = np.array([[0., 2.], [1., 4.]])
    assert brightness(values, None).tolist() == [[0, .5], [.25, 1]]
    assert brightness(values, 2).tolist() == [[0, 1], [.5, 1]]
    assert brightness(np.zeros((2, 2)), None).max() == 0


def test_other_models_are_refused():
    with pytest.raises(TypeError, match='SiamAttn model.*Linear'):
        AttentionProbe(torch.nn.Linear(1, 1))
