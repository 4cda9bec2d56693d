"""NanoTrack as a tracker, with a network that sees a bright rectangle."""
import numpy as np
import pytest

from siamattn_mm.benchmark.nanotrack import NanoTrack

SIZE = np.array([40., 30.])


class Seer:
    """Gives the bright rectangle's box in every cell near it."""

    def features(self, crop):
        assert crop.shape == (127, 127, 3)
        # Centred, with as much context again.
        rows, columns = np.nonzero(crop[..., 0] > 128)
        assert abs(rows.mean() - 63) < 3 and abs(columns.mean() - 63) < 3
        return 'template'

    def __call__(self, template, search):
        assert template == 'template' and search.shape == (255, 255, 3)
        rows, columns = np.nonzero(search[..., 0] > 128)
        scores = np.full((15, 15), .01, np.float32)
        boxes = np.zeros((15, 15, 4), np.float32) + [0, 0, 9, 9]
        if len(rows):
            box = (columns.min() - .5, rows.min() - .5, columns.max() + .5,
                   rows.max() + .5)
            x, y = (np.array(box[:2]) + box[2:]) / 2
            cell = np.clip(np.round((np.array([y, x]) - 127) / 16) + 7, 0, 14)
            scores[tuple(cell.astype(int))] = .99
            boxes[tuple(cell.astype(int))] = box
        return scores, boxes


def frame_of(x, y, width=40, height=30):
    frame = np.zeros((180, 240, 3), np.uint8)
    frame[y:y + height, x:x + width] = 255
    return frame


def test_it_follows_and_smooths_sizes():
    tracker = NanoTrack(Seer())
    tracker.init(frame_of(60, 50), (60, 50, *SIZE))
    for x, y in ((66, 52), (75, 49), (80, 60)):
        result = tracker.update(frame_of(x, y))
        np.testing.assert_allclose(result.bbox[:2], (x, y), atol=1.5)
        np.testing.assert_allclose(result.bbox[2:], SIZE, atol=1.5)
        assert result.score == pytest.approx(.99, abs=1e-3)
        assert result.mask is None and not result.lost
    # Half as large again at once: a third of the way, less the penalty.
    grown = tracker.update(frame_of(80, 60, 60, 45)).bbox[2:]
    assert (grown > SIZE * 1.05).all() and (grown < SIZE * 1.25).all()


def test_a_polygons_box():
    tracker, other = NanoTrack(Seer()), NanoTrack(Seer())
    tracker.init(frame_of(60, 50), (60, 50, 100, 50, 100, 80, 60, 80))
    other.init(frame_of(60, 50), (60, 50, *SIZE))
    np.testing.assert_array_equal(
        tracker.update(frame_of(64, 50)).bbox,
        other.update(frame_of(64, 50)).bbox)


def test_it_stays_in_the_image():
    tracker = NanoTrack(Seer())
    tracker.init(frame_of(200, 140), (200, 140, *SIZE))
    for _ in range(3):
        box = tracker.update(np.zeros((180, 240, 3), np.uint8)).bbox
        assert np.isfinite(box).all() and (box[2:] >= 10).all()
        centre = box[:2] + box[2:] / 2
        assert (centre >= 0).all() and (centre <= (239, 179)).all()
