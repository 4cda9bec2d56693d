"""What a tracker takes, what it gives, and what it refuses."""
import io
import multiprocessing
import pickle
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from siamattn_mm.apis import Result, Tracker, init_tracker
from siamattn_mm.models.ops.folding import FoldedConvModule
from siamattn_mm.utils import CheckpointError

BOX = (50, 40, 30, 24)


def untrained(config):
    with warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'init_tracker was called without')
        return init_tracker(config)


@pytest.fixture(scope='module')
def tracker(small_config_path):
    torch.manual_seed(0)
    return untrained(str(small_config_path))


@pytest.fixture(autouse=True)
def fresh(tracker):
    """Each test starts with a tracker that knows no target."""
    tracker._forget()


def frames_of(height, width, count=3):
    """Frames of noise in which nothing is to be found."""
    rng = np.random.default_rng(0)
    return list(
        rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8))


@pytest.fixture
def frames():
    return frames_of(120, 160)


def check_contract(result, height, width):
    assert isinstance(result, Result)
    assert result.bbox.shape == (4, ) and result.bbox.dtype == np.float64
    assert np.isfinite(result.bbox).all() and (result.bbox[2:] > 0).all()
    # The centre stays in the frame, the size does not exceed it.
    centre = result.bbox[:2] + result.bbox[2:] / 2
    assert (centre >= 0).all()
    assert (centre <= (width - 1, height - 1)).all()
    assert (result.bbox[2:] <= (width - 1, height - 1)).all()
    assert type(result.score) is float and 0 <= result.score <= 1
    assert result.mask.shape == (height, width) and result.mask.dtype == bool
    assert result.polygon.shape == (4, 2)
    assert result.polygon.dtype == np.float64
    assert np.isfinite(result.polygon).all()


# -- what works -----------------------------------------------------------


def test_results_keep_the_contract(tracker, frames):
    assert tracker.init(frames[0], BOX) is None
    for frame in frames[1:]:
        before = frame.copy()
        check_contract(tracker.update(frame), 120, 160)
        assert (frame == before).all()


def test_two_runs_give_the_same_numbers(tracker, frames):
    runs = []
    for _ in range(2):
        tracker.init(frames[0], BOX)
        runs.append([tracker.update(frame) for frame in frames[1:]])
    for first, second in zip(*runs):
        assert (first.bbox == second.bbox).all()
        assert first.score == second.score
        assert (first.mask == second.mask).all()
        assert (first.polygon == second.polygon).all()
    # It does look at the frames.
    assert (runs[0][0].bbox != runs[0][1].bbox).any()


@pytest.mark.parametrize('height, width, box', [
    (120, 160, (-12, -9, 30, 24)),
    (120, 160, (145, 105, 40, 40)),
    (120, 160, (0, 0, 160, 120)),
    (120, 160, (130, 96, 30, 24)),
    (120, 160, (159.5, 50, 30, 30)),
    (120, 160, (50, 50, 1, 1)),
    (120, 160, (80, 0, 0.5, 120)),
    (40, 30, (5, 6, 12, 10)),
    (30, 40, (-30, -35, 100, 100)),
    (2, 2, (0, 0, 1, 1)),
    (5, 200, (90, 0, 20, 5)),
], ids=[
    'partly outside', 'partly outside behind the end', 'whole frame',
    'at the border', 'half a pixel inside', 'one pixel', 'sliver',
    'small frame', 'larger than the frame', 'smallest frame', 'flat frame'
])
def test_unusual_targets(tracker, height, width, box):
    frames = frames_of(height, width)
    tracker.init(frames[0], box)
    for frame in frames[1:]:
        check_contract(tracker.update(frame), height, width)


def test_polygon_starts_from_its_box(tracker, frames):
    # A polygon of 30x24 pixels, counted between the corners' centres.
    x, y, w, h = BOX
    right, bottom = x + w - 1, y + h - 1
    polygon = [x, y, right, y, right, bottom, x, bottom]
    results = []
    for target in (BOX, polygon, np.array(polygon).reshape(4, 2)):
        tracker.init(frames[0], target)
        results.append(tracker.update(frames[1]))
    for result in results[1:]:
        assert np.abs(result.bbox - results[0].bbox).max() < 1e-6
        assert abs(result.score - results[0].score) < 1e-6


@pytest.mark.parametrize('view', [
    lambda frame: frame[:, ::-1], lambda frame: frame[::-1],
    lambda frame: frame[..., ::-1], lambda frame: frame[::2, ::2]
], ids=['mirrored', 'upside down', 'RGB', 'every other pixel'])
def test_frames_that_are_views(tracker, frames, view):
    results = []
    for copied in (False, True):
        seen = [view(frame) for frame in frames]
        assert not seen[0].flags.c_contiguous
        if copied:
            seen = [np.ascontiguousarray(frame) for frame in seen]
        tracker.init(seen[0], (20, 15, 30, 24))
        results.append([tracker.update(frame) for frame in seen[1:]])
    for first, second in zip(*results):
        assert (first.bbox == second.bbox).all()
        assert (first.mask == second.mask).all()


def test_read_only_frames(tracker, frames):
    for frame in frames:
        frame.setflags(write=False)
    tracker.init(frames[0], BOX)
    check_contract(tracker.update(frames[1]), 120, 160)


def test_bbox_of_other_types(tracker, frames):
    for box in (list(BOX), np.array(BOX, np.float32), torch.tensor(BOX)):
        tracker.init(frames[0], box)
        check_contract(tracker.update(frames[1]), 120, 160)


def test_init_again_forgets_the_first_target(tracker, frames):
    tracker.init(frames[0], BOX)
    expected = tracker.update(frames[1])
    other = frames_of(60, 50)
    tracker.init(other[0], (10, 10, 20, 20))
    check_contract(tracker.update(other[1]), 60, 50)
    tracker.init(frames[0], BOX)
    assert (tracker.update(frames[1]).bbox == expected.bbox).all()


def test_model_in_train_mode_is_put_into_eval_mode(small_config):
    model = untrained(small_config).model.train()
    assert not Tracker(model).model.training


def test_without_masks(small_config, frames):
    small_config.model.refine_head.mask_fusion = None
    small_config.model.refine_head.mask_head = None
    tracker = untrained(small_config)
    tracker.init(frames[0], BOX)
    result = tracker.update(frames[1])
    assert result.mask is None and result.polygon is None
    assert np.isfinite(result.bbox).all()


# -- boxes that are refused -----------------------------------------------


@pytest.mark.parametrize('box, message', [
    ((170, 40, 30, 24), 'outside the frame of 160x120'),
    ((160, 40, 30, 24), 'outside the frame of 160x120'),
    ((50, 120, 30, 24), 'outside the frame of 160x120'),
    ((-30, 40, 30, 24), 'outside the frame of 160x120'),
    ((50, -30, 30, 24), 'outside the frame of 160x120'),
    ((250, 50, 280, 60, 270, 90, 240, 80), 'outside the frame of 160x120'),
    ((50, 40, 0, 24), 'no area'),
    ((50, 40, 30, 0), 'no area'),
    ((50, 40, -30, 24), 'no area'),
    ((50, 40) * 4, 'no area'),
    ((50, 50, 60, 60, 70, 70, 80, 80), 'no area'),
    ((50, 40, 641, 24), '4 times as large as the frame of 160x120'),
    ((50, float('nan'), 30, 24), 'finite numbers'),
    ((50, 40, float('inf'), 24), 'finite numbers'),
    ((50, 40, 30), 'finite numbers'),
    ((50, 40, 30, 24, 1), 'finite numbers'),
    ((), 'finite numbers'),
    (None, 'finite numbers'),
    ('abcd', 'must be numbers'),
    ((50, 40, 30, 'wide'), 'must be numbers'),
])
def test_bad_boxes(tracker, frames, box, message):
    with pytest.raises(ValueError, match=message) as caught:
        tracker.init(frames[0], box)
    assert 'bbox' in str(caught.value) and repr(box) in str(caught.value)
    # Nothing is tracked then.
    with pytest.raises(RuntimeError, match='before init'):
        tracker.update(frames[1])


# -- frames that are refused ----------------------------------------------

BAD_FRAMES = [
    (np.zeros((120, 160), np.uint8), ValueError, r'\(120, 160\): turn grey'),
    (np.zeros((120, 160, 1), np.uint8), ValueError,
     r'\(120, 160, 1\): turn grey'),
    (np.zeros((120, 160, 4), np.uint8), ValueError,
     r'\(120, 160, 4\): drop the alpha'),
    (np.zeros((3, 120, 160), np.uint8), ValueError, r'\(3, 120, 160\)'),
    (np.zeros((1, 120, 160, 3), np.uint8), ValueError, r'\(1, 120, 160, 3\)'),
    (np.zeros((0, 160, 3), np.uint8), ValueError, '160x0'),
    (np.zeros((1, 160, 3), np.uint8), ValueError, 'at least 2x2.*160x1'),
    (np.zeros((120, 160, 3), np.float32), TypeError, 'uint8, but got float32'),
    (np.zeros((120, 160, 3), np.int64), TypeError, 'uint8, but got int64'),
    (np.zeros((120, 160, 3), bool), TypeError, 'uint8, but got bool'),
    (torch.zeros(120, 160, 3, dtype=torch.uint8), TypeError, 'Tensor'),
    ([[[0, 0, 0]]], TypeError, 'list'),
    (None, TypeError, 'NoneType'),
]


@pytest.mark.parametrize('frame, error, message', BAD_FRAMES)
def test_bad_first_frames(tracker, frame, error, message):
    with pytest.raises(error, match=message):
        tracker.init(frame, (0, 0, 1, 1))


@pytest.mark.parametrize('frame, error, message', BAD_FRAMES)
def test_bad_next_frames_leave_the_tracker_alone(tracker, frames, frame,
                                                 error, message):
    tracker.init(frames[0], BOX)
    expected = tracker.update(frames[1])
    tracker.init(frames[0], BOX)
    with pytest.raises(error, match=message):
        tracker.update(frame)
    assert (tracker.update(frames[1]).bbox == expected.bbox).all()


def test_changed_size(tracker, frames):
    tracker.init(frames[0], BOX)
    with pytest.raises(ValueError, match='is 160x119.* was 160x120.* init'):
        tracker.update(frames[1][:119])


def test_update_before_init(tracker, frames):
    with pytest.raises(RuntimeError, match=r'update\(\) was called before'):
        tracker.update(frames[0])


# -- configs, checkpoints, devices ----------------------------------------


@pytest.fixture(scope='module')
def checkpoint(tracker, tmp_path_factory):
    path = tmp_path_factory.mktemp('weights') / 'small.pth'
    torch.save(dict(state_dict=tracker.model.state_dict()), str(path))
    return str(path)


def test_checkpoint_is_loaded(tracker, checkpoint, small_config, frames):
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # it is not untrained
        loaded = init_tracker(small_config, checkpoint)
    results = []
    for each in (tracker, loaded, untrained(small_config)):
        each.init(frames[0], BOX)
        results.append(each.update(frames[1]).bbox)
    assert (results[0] == results[1]).all()
    assert (results[0] != results[2]).any()


def test_path_objects(small_config_path, checkpoint, tmp_path):
    init_tracker(Path(small_config_path), Path(checkpoint))
    with pytest.raises(CheckpointError, match="exported model '.*/no.onnx'"):
        init_tracker(Path(small_config_path), tmp_path / 'no.onnx')


def test_no_checkpoint_is_warned_of(small_config):
    with pytest.warns(UserWarning, match='untrained'):
        init_tracker(small_config)


def test_missing_checkpoint(small_config):
    with pytest.raises(CheckpointError, match="'no.pth' does not exist"):
        init_tracker(small_config, 'no.pth')


@pytest.mark.parametrize('content', [b'', b'no checkpoint\n' * 9])
def test_file_that_is_no_checkpoint(small_config, tmp_path, content):
    path = tmp_path / 'notes.pth'
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match='notes.pth.* not a checkpoint'):
        init_tracker(small_config, str(path))


def test_truncated_checkpoint(small_config, checkpoint, tmp_path):
    path = tmp_path / 'cut.pth'
    content = Path(checkpoint).read_bytes()
    path.write_bytes(content[:len(content) // 2])
    with pytest.raises(CheckpointError, match='cut.pth.* is damaged'):
        init_tracker(small_config, str(path))


def test_checkpoint_of_something_else(small_config, tmp_path):
    path = tmp_path / 'list.pth'
    torch.save([1, 2], str(path))
    with pytest.raises(CheckpointError, match='list.pth.* holds a list'):
        init_tracker(small_config, str(path))
    torch.save(dict(epoch=3), str(path))
    with pytest.raises(CheckpointError, match='list.pth.* no weights'):
        init_tracker(small_config, str(path))


def test_checkpoint_of_another_config(small_config, checkpoint):
    small_config.model.siamese_neck = dict(type='IdentitySiameseNeck')
    small_config.model.refine_head.box_head.fc_channels = 16
    with pytest.raises(CheckpointError) as caught:
        init_tracker(small_config, checkpoint)
    message = str(caught.value)
    assert checkpoint in message and 'another config' in message
    # 'no place for' what is too much, both shapes of what is of another size.
    assert 'no place for: siamese_neck.levels.0.gamma (1,)' in message
    assert ('shape of refine_head.box_head.fc_reg.weight: (4, 32), but the '
            'model has (4, 16)') in message


def test_checkpoint_that_lacks_weights(small_config, checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    del content['state_dict']['neck.convs.1.conv.weight']
    path = tmp_path / 'part.pth'
    torch.save(content, str(path))
    with pytest.raises(CheckpointError, match='1 names differ') as caught:
        init_tracker(small_config, str(path))
    assert 'missing: neck.convs.1.conv.weight (32, ' in str(caught.value)


def test_missing_config():
    with pytest.raises(FileNotFoundError, match="'no.py' does not exist"):
        init_tracker('no.py')


def test_config_that_is_something_else(small_config, checkpoint):
    with pytest.raises(ValueError, match='small.pth.* is not a config file'):
        init_tracker(checkpoint)
    with pytest.raises(TypeError, match='but got int'):
        init_tracker(3)
    with pytest.raises(ValueError, match='describes no model'):
        init_tracker(Config(dict(data=1)))


def test_config_as_path_object(small_config_path, checkpoint):
    assert init_tracker(small_config_path, checkpoint).model is not None


def test_config_of_another_tracker():
    with pytest.raises(TypeError, match='builds a SOTDataPreprocessor'):
        init_tracker(Config(dict(model=dict(type='SOTDataPreprocessor'))))


@pytest.mark.parametrize('device', ['no-device', 'meta:x', 'cuda:77'])
def test_device_that_cannot_be_used(small_config, device):
    with pytest.raises(ValueError, match=f"device '{device}' cannot be used"):
        init_tracker(small_config, device=device)


# -- the package's own weights -------------------------------------------


def test_shipped_weights_are_loaded_without_a_checkpoint(repository):
    config = repository / 'configs/siamattn/siamattn_mobilenetv2.py'
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        first, second = (init_tracker(str(config)) for _ in range(2))
    for one, other in zip(first.model.parameters(),
                          second.model.parameters()):
        assert torch.equal(one, other)


def test_shipped_weights_of_another_model_are_left_out(small_config):
    small_config.package_weights = 'siamattn_mobilenetv2.pth'
    with pytest.warns(UserWarning, match='shipped weights .* not loaded'):
        init_tracker(small_config)


@pytest.mark.parametrize('box', [
    (0.43, 0.01, 0.13, 0.16),
    (0, 0, 1, 1),
    (50, 40, .01, .01),
    (.2, 0, .3, 1),
    (.1, .1, .5, .1, .5, .5, .1, .5),
    (0, 0, 1, 0, 1, 1, 0, 1),
    (50, 40, 50.5, 40, 50.5, 40.5, 50, 40.5),
])
def test_a_box_that_is_a_share_of_the_frame(tracker, frames, box):
    with pytest.raises(ValueError) as error:
        tracker.init(frames[0], box)
    message = str(error.value)
    assert 'smaller than a pixel' in message and 'in pixels' in message
    assert '160x120' in message and '\n' not in message


def test_a_box_of_few_pixels_is_a_target(tracker, frames):
    for box in ((50, 40, 1, 2), (3, 0, 1, 1)):
        tracker.init(frames[0], box)
        check_contract(tracker.update(frames[1]), 120, 160)


# -- copies ---------------------------------------------------------------


def _copies(tracker):
    whole = io.BytesIO()
    torch.save(tracker, whole)
    whole.seek(0)
    return [
        pickle.loads(pickle.dumps(tracker)),
        deepcopy(tracker),
        torch.load(whole, weights_only=False)
    ]


@pytest.mark.parametrize('learns', [False, True])
def test_copies_go_on_where_the_tracker_was(small_config, frames, learns):
    if learns:
        small_config.model.online = [
            dict(type='BoxCalibration'),
            dict(type='CorrelationFilter'),
            dict(type='RidgeBoxRegressor'),
            dict(type='DistractorAssociation'),
            dict(type='TargetPresence')
        ]
    tracker = untrained(small_config)
    tracker.init(frames[0], BOX)
    tracker.update(frames[1])
    copies = _copies(tracker)
    expected = tracker.update(frames[2])
    for other in copies:
        # Its own parameters, and none of the original's.
        assert other.model is not tracker.model
        result = other.update(frames[2])
        assert (result.bbox == expected.bbox).all()
        assert result.score == expected.score
        assert (result.mask == expected.mask).all()
        # It starts anew, too: norms still fold.
        other.init(frames[0], BOX)
        assert isinstance(other.model.backbone.conv1, FoldedConvModule)


def test_a_tracker_in_a_spawned_process(tracker, frames):
    tracker.init(frames[0], BOX)
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        found = pool.apply_async(tracker.update, [frames[1]]).get(100)
    expected = tracker.update(frames[1])
    assert (found.bbox == expected.bbox).all()
    assert found.score == expected.score


# -- several targets ------------------------------------------------------

OTHERS = [BOX, (20, 60, 40, 30), (100, 20, 25, 50)]


def alone(tracker, frames, box):
    tracker.init(frames[0], box)
    return [tracker.update(frame) for frame in frames[1:]]


def test_several_targets_are_each_as_if_alone(tracker):
    frames = frames_of(120, 160, 5)
    expected = [alone(tracker, frames, box) for box in OTHERS]
    ids = [tracker.add(frames[0], box) for box in OTHERS]
    assert ids == [1, 2, 3]
    for index, frame in enumerate(frames[1:]):
        results = tracker.update(frame)
        assert list(results) == ids
        for result, of_one in zip(results.values(), expected):
            check_contract(result, 120, 160)
            assert np.abs(result.bbox - of_one[index].bbox).max() < 1e-4
            assert abs(result.score - of_one[index].score) < 1e-5


def test_targets_come_and_go(tracker):
    frames = frames_of(120, 160, 5)
    expected = alone(tracker, frames[1:], OTHERS[1])
    first = tracker.add(frames[0], OTHERS[0])
    assert list(tracker.update(frames[1])) == [first]
    second = tracker.add(frames[1], OTHERS[1])
    assert list(tracker.update(frames[2])) == [first, second]
    tracker.remove(first)
    found = tracker.update(frames[3])
    assert list(found) == [second]
    assert np.abs(found[second].bbox - expected[1].bbox).max() < 1e-4
    with pytest.raises(ValueError, match=r'no target 1; .* are \[2\]'):
        tracker.remove(first)
    tracker.remove(second)
    assert tracker.update(frames[4]) == {}
    # Ids are not given again; without a target any frame will do.
    assert tracker.add(frames_of(60, 80)[0], (10, 10, 20, 20)) == 3


def test_one_target_and_several_do_not_mix(tracker, frames):
    tracker.init(frames[0], BOX)
    target = tracker.add(frames[0], OTHERS[1])
    assert list(tracker.update(frames[1])) == [target]
    tracker.init(frames[0], BOX)
    check_contract(tracker.update(frames[1]), 120, 160)
    assert tracker.add(frames[0], BOX) == 1


def test_what_cannot_be_added_changes_nothing(tracker, frames):
    tracker.add(frames[0], BOX)
    with pytest.raises(ValueError, match='no area'):
        tracker.add(frames[0], (1, 1, 0, 0))
    with pytest.raises(ValueError, match='80x60, but the first one was 160x'):
        tracker.add(frames_of(60, 80)[0], (10, 10, 20, 20))
    assert list(tracker.update(frames[1])) == [1]


def test_a_path_is_a_checkpoint_too(small_config, tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save(untrained(small_config).model.state_dict(), path)
    assert isinstance(init_tracker(small_config, path), Tracker)
