"""Tests of SyntheticSource."""
import numpy as np
import pytest

from siamattn_mm.datasets import SyntheticSource

PHOTO_COLORS = ((200, 120, 40), (30, 160, 90))


def make_source(root, **changes):
    """Objects are red, photographs are not."""
    arguments = dict(data_root=str(root), cutouts=('one', 'two'),
                     canvas_size=(160, 120), target_size=(20, 60),
                     max_distractors=0, occluder_prob=0)
    arguments.update(changes)
    return SyntheticSource(**arguments)


def is_red(img):
    """Where the picture shows an object."""
    return (img[..., 2] > 120) & (img[..., 1] < 60)


def tight(mask):
    """x, y, w, h around a mask."""
    rows, columns = np.nonzero(mask)
    return [columns.min(), rows.min(),
            np.ptp(columns) + 1, np.ptp(rows) + 1]


def test_box_and_mask_are_what_is_seen(synthetic_root):
    source = make_source(synthetic_root)
    assert len(source) == source.pairs_per_epoch == 4
    for i in range(30):
        for frame in source.draw_positive(np.random.default_rng(i)):
            assert frame.img.shape == (120, 160, 3)
            assert frame.bbox.tolist() == tight(frame.mask)
            inside, seen = frame.mask.astype(bool), is_red(frame.img)
            # The soft edge is about a pixel wide at each side.
            assert (inside & seen).sum() / (inside | seen).sum() > 0.6


def test_one_generator_one_pair(synthetic_root):
    source = make_source(synthetic_root, max_distractors=3, occluder_prob=1)
    other = make_source(synthetic_root, max_distractors=3, occluder_prob=1)
    other.draw_positive(np.random.default_rng(99))
    for draw in ('draw_positive', 'draw_negative'):
        pair = getattr(source, draw)(np.random.default_rng(5))
        again = getattr(other, draw)(np.random.default_rng(5))
        for a, b in zip(pair, again):
            assert np.array_equal(a.img, b.img)
            assert np.array_equal(a.mask, b.mask)
            assert np.array_equal(a.bbox, b.bbox)


def test_template_and_search_differ(synthetic_root):
    source = make_source(synthetic_root)
    boxes = [[frame.bbox for frame in source.draw_positive(
        np.random.default_rng(i))] for i in range(20)]
    assert all(not np.allclose(a, b) for a, b in boxes)


def test_occluders_hide_a_part_but_not_too_much(synthetic_root):
    source = make_source(synthetic_root, occluder_prob=1)
    plain = make_source(synthetic_root)
    hidden = []
    for i in range(40):
        _, search = source.draw_positive(np.random.default_rng(i))
        _, whole = plain.draw_positive(np.random.default_rng(i))
        # The same pair, but for what lies above the target.
        assert np.array_equal(search.bbox, whole.bbox)
        assert not (search.mask & ~whole.mask).any()
        hidden.append(1 - search.mask.sum() / whole.mask.sum())
    assert 0 < np.mean(hidden) and max(hidden) <= 0.5


def test_distractors_lie_below_the_target(synthetic_root):
    source = make_source(synthetic_root, max_distractors=3)
    others = 0
    for i in range(20):
        frame = source.draw_single(np.random.default_rng(i))
        inside = frame.mask.astype(bool)
        others += (is_red(frame.img) & ~inside).sum()
        assert (inside & ~is_red(frame.img)).sum() < 0.3 * inside.sum()
    assert others > 2000


def test_negative_pairs_are_two_objects(synthetic_root):
    source = make_source(synthetic_root)
    for i in range(30):
        template, search = source.draw_negative(np.random.default_rng(i))
        assert template.img_path.split(' on ')[0] != \
            search.img_path.split(' on ')[0]


def test_missing_data(tmp_path, synthetic_root):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        make_source(synthetic_root, photos='nowhere')
    with pytest.raises(FileNotFoundError, match='three'):
        make_source(synthetic_root, cutouts=('three', ))
    (synthetic_root / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty has no photographs'):
        make_source(synthetic_root, photos='empty')


def test_blur_softens_the_target(synthetic_root):
    sharp = make_source(synthetic_root)
    blurred = make_source(synthetic_root, blur_prob=1)

    def half_tones(source):
        """Share of the canvas that is neither object nor background."""
        frames = [source.draw_single(np.random.default_rng(i))
                  for i in range(20)]
        for frame in frames:
            assert frame.bbox.tolist() == tight(frame.mask)
        reds = np.stack([frame.img[..., 2] for frame in frames]).astype(int)
        return ((reds > 110) & (reds < 170)).mean()

    assert half_tones(blurred) > 1.5 * half_tones(sharp)
