"""Regions and requests of TraX; the toolkit itself is in tests/tools."""
import warnings
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from siamattn_mm.apis import init_tracker
from siamattn_mm.apis.tracker import Result

pytest.importorskip('trax', reason='vot-trax is not installed')

from siamattn_mm.toolkits import vot_trax  # noqa: E402

trax = vot_trax.import_trax()
region = trax.region


def test_targets_of_all_kinds():
    assert vot_trax.to_bbox(region.Rectangle.create(1.5, 2, 3, 4)) == (1.5, 2,
                                                                       3, 4)
    corners = [(1., 2.), (5., 1.), (6., 4.), (2., 5.)]
    assert vot_trax.to_bbox(region.Polygon.create(corners)) == (1, 2, 5, 1, 6,
                                                                4, 2, 5)
    assert vot_trax.to_bbox(region.Polygon.create(corners[:3])) == (1, 1, 5,
                                                                    3)
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 3:7] = 1
    assert vot_trax.to_bbox(region.Mask.create(mask, 10, 20)) == (13, 22, 4,
                                                                  2)
    with pytest.raises(ValueError, match='mask is empty'):
        vot_trax.to_bbox(region.Mask.create(np.zeros((2, 2), np.uint8)))
    with pytest.raises(ValueError, match="got the region 'special'"):
        vot_trax.to_bbox(region.Special.create(1))


def test_answers_of_all_kinds():
    mask = np.zeros((6, 8), bool)
    mask[2:4, 3:7] = True
    corners = np.array([(1., 2.), (5., 1.), (6., 4.), (2., 5.)])
    result = Result(np.array([1., 2., 3., 4.]), .75, mask, corners)
    box, properties = vot_trax.to_region(result, 'box')
    assert box.bounds() == (1, 2, 3, 4) and properties == dict(confidence=.75)
    polygon, _ = vot_trax.to_region(result, 'polygon')
    assert np.array_equal(list(polygon), corners)
    given, _ = vot_trax.to_region(result, 'mask')
    assert np.array_equal(given.array(), mask)


@pytest.fixture()
def tracker(small_config):
    """The untrained small model."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return init_tracker(small_config)


def test_region_must_be_known(tracker, small_config):
    for kind in vot_trax.REGIONS:
        vot_trax.check_region(tracker, kind)
    with pytest.raises(ValueError, match='one of box, polygon, mask'):
        vot_trax.check_region(tracker, 'ellipse')
    small_config.model.pop('refine_head')
    with pytest.warns(UserWarning):
        plain = init_tracker(small_config)
    vot_trax.check_region(plain, 'box')
    with pytest.raises(ValueError, match='no mask head, so it gives no mask'):
        vot_trax.check_region(plain, 'mask')


class FakeServer:
    """A client's requests, in order; keeps the answers."""

    def __init__(self, requests):
        self.requests = [
            SimpleNamespace(
                type=kind,
                image=dict(color=SimpleNamespace(path=lambda p=path: p)),
                objects=objects) for kind, path, objects in requests
        ]
        self.answers = []

    def wait(self):
        return self.requests.pop(0)

    def status(self, objects):
        self.answers.append(objects)


@pytest.fixture()
def frames(tmp_path):
    """Paths of three frames."""
    rng = np.random.default_rng(0)
    paths = [str(tmp_path / f'{i}.png') for i in range(3)]
    for path in paths:
        cv2.imwrite(path, rng.integers(0, 255, (60, 80, 3), np.uint8))
    return paths


def test_serve_restarts_as_it_is_told(tracker, frames):
    box = [(region.Rectangle.create(20, 20, 20, 20), {})]
    status = trax.TraxStatus
    server = FakeServer([
        (status.INITIALIZE, frames[0], box), (status.FRAME, frames[1], None),
        (status.FRAME, frames[2], None), (status.INITIALIZE, frames[0], box),
        (status.FRAME, frames[1], None), (status.QUIT, frames[0], None)
    ])
    assert vot_trax.serve(server, tracker, 'box') == 5
    boxes = [answer[0][0].bounds() for answer in server.answers]
    assert boxes[0] == boxes[3] == (20, 20, 20, 20)
    assert boxes[1] == boxes[4] and len({*boxes[:3]}) == 3
    tracker.init(cv2.imread(frames[0]), (20, 20, 20, 20))
    assert boxes[1] == pytest.approx(
        tracker.update(cv2.imread(frames[1])).bbox, abs=1e-3)


def test_frames_of_16_bits_have_one_stretch(tmp_path):
    values, seen = np.linspace(7000, 8275, 48 * 64).reshape(48, 64), []
    paths = [str(tmp_path / f'{index}.png') for index in range(2)]
    for index, path in enumerate(paths):
        cv2.imwrite(path, (values + 100 * index).astype(np.uint16))
    stretch = vot_trax.ValueStretch()
    for path in paths:
        seen.append(vot_trax._read(path, stretch).astype(int))
    assert seen[0].shape == (48, 64, 3) and len(np.unique(seen[0])) > 150
    assert 15 <= (seen[1] - seen[0])[seen[0] < 220].min()


def test_unreadable_frame_is_named(tracker, tmp_path):
    (tmp_path / 'bad.jpg').write_bytes(b'x')
    server = FakeServer([(trax.TraxStatus.INITIALIZE,
                          str(tmp_path / 'bad.jpg'), [])])
    with pytest.raises(ValueError, match='bad.jpg: cannot be read'):
        vot_trax.serve(server, tracker, 'box')
