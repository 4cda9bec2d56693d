"""Tests of SearchOccluder: what is hidden, and what stays as it was."""
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import SearchOccluder

BOX = (100, 90, 160, 170)  # xyxy, whole pixels


@pytest.fixture
def make_pair(crops):
    """A red target with a mask in each crop, of noise else."""

    def make(seed=0, label=1, box=BOX, with_mask=True):
        pair = crops(seed)
        masks, boxes = [], []
        for img in pair['img']:
            x1, y1, x2, y2 = (int(v * len(img) / 255) for v in box)
            img[y1:y2, x1:x2] = (0, 0, 255)
            mask = np.zeros(img.shape[:2], np.uint8)
            mask[max(0, y1):y2, max(0, x1):x2] = 1
            masks.append(mask if with_mask else None)
            # Edges, counted at pixels' centres.
            boxes.append(
                np.array([[x1 - .5, y1 - .5, x2 - .5, y2 - .5]], np.float32))
        return dict(
            pair,
            gt_bboxes=boxes,
            gt_bboxes_labels=[np.array([label]) for _ in range(2)],
            gt_masks=masks)

    return make


def copied(pair):
    """Its arrays."""
    return {
        key: [None if value is None else value.copy() for value in pair[key]]
        for key in pair if key != 'rng'
    }


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second))


@pytest.mark.parametrize('seed', range(10))
def test_the_search_crop_alone_changes(make_pair, seed):
    pair = make_pair(seed)
    before = copied(pair)
    after = SearchOccluder(prob=1).transform(pair)
    assert np.array_equal(after['img'][0], before['img'][0])
    assert np.array_equal(after['gt_masks'][0], before['gt_masks'][0])
    assert not np.array_equal(after['img'][1], before['img'][1])
    assert after['img'][1].shape == (255, 255, 3)
    assert after['img'][1].dtype == np.uint8
    # The box is the whole target's.
    assert same(after['gt_bboxes'], before['gt_bboxes'])


@pytest.mark.parametrize('seed', range(10))
def test_the_mask_loses_what_is_hidden(make_pair, seed):
    pair = make_pair(seed)
    before = copied(pair)
    after = SearchOccluder(prob=1).transform(pair)
    old, new = before['gt_masks'][1] > 0, after['gt_masks'][1] > 0
    assert after['gt_masks'][1].dtype == np.uint8
    differs = (after['img'][1] != before['img'][1]).any(axis=2)
    # Nothing but what is hidden, and all of it that looks different.
    assert not (new & ~old).any()
    assert not (differs & new).any()
    hidden = old & ~new
    assert 0 < hidden.sum() < old.sum()
    # It lies around the target: with sides of 0.6 of it at most.
    rows, columns = np.nonzero(differs)
    assert columns.min() >= 100 - .6 * 60 and columns.max() < 160 + .6 * 60
    assert rows.min() >= 90 - .6 * 80 and rows.max() < 170 + .6 * 80


def test_what_it_was_given_is_not_written_to(make_pair):
    pair = make_pair()
    img, mask = pair['img'][1], pair['gt_masks'][1]
    before = img.copy(), mask.copy()
    SearchOccluder(prob=1).transform(pair)
    assert same((img, mask), before)


def test_negative_pairs_stay(make_pair):
    for seed in range(5):
        pair = make_pair(seed, label=0)
        before = copied(pair)
        after = SearchOccluder(prob=1).transform(pair)
        for key, values in before.items():
            assert same(after[key], values)


def test_some_pairs(make_pair):
    plain = make_pair()['img'][1]
    hidden = [
        not np.array_equal(
            SearchOccluder(prob=.4).transform(make_pair(seed))['img'][1],
            plain) for seed in range(40)
    ]
    assert 8 < sum(hidden) < 26


def test_the_generator_decides_everything(make_pair):
    one, other, third = (
        SearchOccluder(prob=1).transform(make_pair(seed))
        for seed in (7, 7, 8))
    for key in ('img', 'gt_masks'):
        assert same(one[key], other[key])
    assert not np.array_equal(one['img'][1], third['img'][1])


def test_size_is_in_sides_of_the_target(make_pair):
    occluder = SearchOccluder(prob=1, size=(.5, .5))
    areas = []
    for seed in range(30):
        pair = make_pair(seed)
        pair['img'][1][:] = np.random.default_rng(seed).integers(
            0, 256, (255, 255, 3))
        before = pair['img'][1]
        differs = (occluder.transform(pair)['img'][1] != before).any(axis=2)
        rows, columns = np.nonzero(differs)
        assert np.ptp(columns) + 1 in (30, 31) and np.ptp(rows) + 1 in (40, 41)
        areas.append(differs.sum() / 1200)
    # Rectangles, and ellipses.
    assert min(areas) < .85 and max(areas) > .98


@pytest.mark.parametrize('box', [(-60, -40, 30, 30), (230, 200, 290, 300),
                                 (0, 0, 255, 255), (120, 120, 121, 121)])
def test_targets_at_the_limits(make_pair, box):
    for seed in range(10):
        pair = make_pair(seed, box=box)
        pair['gt_bboxes'] = [b.clip(-.5, 254.5) for b in pair['gt_bboxes']]
        after = SearchOccluder(prob=1, size=(.2, 1.5)).transform(pair)
        assert after['img'][1].shape == (255, 255, 3)


def test_without_a_mask(make_pair):
    with_mask, without = (
        SearchOccluder(prob=1).transform(make_pair(3, with_mask=has))
        for has in (True, False))
    assert without['gt_masks'] == [None, None]
    assert same(with_mask['img'], without['img'])


def test_bad_arguments():
    with pytest.raises(ValueError, match='size needs two values'):
        SearchOccluder(size=(.2, .3, .4))


def test_registered():
    occluder = TRANSFORMS.build(dict(type='SearchOccluder', prob=.2))
    assert 'prob=0.2' in repr(occluder)
