"""The boundary measure, by its definition and against trackeval."""
import math

import numpy as np
import pytest

from siamattn_mm.evaluation.functional.boundary import (
    boundary_measure,
    outline,
)


def blob(seed, shape=(60, 80), shift=(0, 0)):
    """A mask of three ellipses, one of them beyond the edge."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, bool)
    for _ in range(3):
        centre = rng.uniform(0, 1, 2) * shape + shift
        size = rng.uniform(5, 20, 2)
        mask |= (((rows - centre[0]) / size[0])**2 +
                 ((columns - centre[1]) / size[1])**2) < 1
    return mask


def by_definition(pred, truth):
    """Every pair of pixels of the two outlines."""

    def pixels(mask):
        found = []
        for i in range(mask.shape[0]):
            for j in range(mask.shape[1]):
                window = mask[i:i + 2, j:j + 2]
                if window.any() and not window.all():
                    # A pixel is on the outline if right, below or right
                    # below of it is something else.
                    found.append((i, j))
        return np.array(found).reshape(-1, 2)

    radius = math.ceil(0.008 * math.hypot(*pred.shape))
    one, two = pixels(pred), pixels(truth)
    near = ((one[:, None] - two)**2).sum(axis=-1) <= radius**2
    precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
    return 2 * precision * recall / (precision + recall)


@pytest.mark.parametrize('seed', range(5))
def test_definition(seed):
    pred, truth = blob(seed), blob(seed, shift=(1.5, 2))
    assert boundary_measure(pred, truth) == pytest.approx(
        by_definition(pred, truth), abs=1e-12)
    assert boundary_measure(truth, truth) == 1


def test_outline_is_one_pixel_wide():
    mask = np.zeros((6, 7), bool)
    mask[2:4, 2:5] = True
    drawn = [
        ''.join('.#'[value] for value in row)
        for row in outline(mask).tolist()
    ]
    assert drawn == [
        '.......', '.####..', '.#..#..', '.####..', '.......', '.......'
    ]
    assert not outline(np.ones((4, 4), bool)).any()


def test_empty_masks():
    empty, full = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    full[5:9, 5:9] = True
    assert boundary_measure(empty, empty) == 1
    assert boundary_measure(full, empty) == 0
    assert boundary_measure(empty, full) == 0
    far = np.zeros((20, 20), bool)
    far[15:, 15:] = True
    assert boundary_measure(full, far) == 0


def test_sizes_must_be_equal():
    with pytest.raises(ValueError, match=r'\(4, 5\), but .* \(5, 4\)'):
        boundary_measure(np.ones((4, 5)), np.ones((5, 4)))


def test_against_trackeval(capsys):
    metrics = pytest.importorskip('trackeval.metrics')
    mask_utils = pytest.importorskip('pycocotools.mask')
    shapes = [(60, 80), (97, 131), (240, 320)]
    pairs = [(blob(i, shapes[i % 3]), blob(i, shapes[i % 3], (2, 1.5)))
             for i in range(30)]
    pairs.append((np.zeros((60, 80), bool), blob(0)))

    def encode(mask):
        return mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))

    theirs = np.array([
        metrics.JAndF._compute_f([[encode(truth)]], [[encode(pred)]], 0, 0,
                                 0.008)[0] for pred, truth in pairs
    ])
    ours = np.array([boundary_measure(*pair) for pair in pairs])
    assert np.ptp(theirs[:30]) > .2
    difference = np.abs(ours - theirs).max()
    with capsys.disabled():
        print(f'\nboundary measure F, trackeval: largest difference '
              f'{difference:.1e} over {len(pairs)} masks')
    assert difference < 1e-6, f'largest difference {difference}'
