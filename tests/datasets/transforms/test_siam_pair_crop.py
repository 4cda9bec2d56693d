"""Tests of SiamPairCrop: image, box and mask stay together."""
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import SiamPairCrop

BOX = (100, 60, 50, 34)


def make_pair(seed=0, box=BOX, with_mask=True):
    """A red rectangle, blue on its left, on grey; the same twice."""
    img = np.full((200, 300, 3), 90, np.uint8)
    mask = np.zeros((200, 300), np.uint8)
    x, y, w, h = box
    img[y:y + h, x:x + w] = (0, 0, 255)
    img[y:y + h, x:x + w // 3] = (255, 0, 0)
    mask[y:y + h, x:x + w] = 1
    return dict(
        rng=np.random.default_rng(seed),
        img=[img, img.copy()],
        gt_bboxes=[np.array([box], np.float32) for _ in range(2)],
        gt_masks=[mask if with_mask else None] * 2)


def drawn(img):
    """Where the crop shows the rectangle."""
    return np.abs(img.astype(int) - 90).max(axis=2) > 82


@pytest.mark.parametrize('seed', range(12))
@pytest.mark.parametrize('flip_prob', [0, 1])
def test_a_mask_pixel_stays_on_its_image_pixel(seed, flip_prob):
    results = SiamPairCrop(flip_prob=flip_prob).transform(make_pair(seed))
    for img, bbox, mask, size in zip(results['img'], results['gt_bboxes'],
                                     results['gt_masks'], (127, 255)):
        assert img.shape == (size, size, 3) and img.dtype == np.uint8
        assert mask.shape == (size, size) and mask.dtype == np.uint8
        seen, mask = drawn(img), mask.astype(bool)
        assert (seen & mask).sum() / (seen | mask).sum() > 0.97
        rows, columns = np.nonzero(mask)
        assert bbox.shape == (1, 4) and bbox.dtype == np.float32
        edges = [columns.min() - 0.5, rows.min() - 0.5,
                 columns.max() + 0.5, rows.max() + 0.5]
        assert bbox[0] == pytest.approx(edges, abs=1)
        # The blue third is on the left, or on the right if mirrored.
        blue = np.nonzero((img[..., 0] > 200) & (img[..., 2] < 60))[1].mean()
        assert (blue < columns.mean()) != bool(flip_prob)


@pytest.mark.parametrize('seed', range(6))
def test_turned_masks_stay_too(seed):
    results = SiamPairCrop(rotation=(20, 20)).transform(make_pair(seed))
    for img, mask in zip(results['img'], results['gt_masks']):
        seen, mask = drawn(img), mask.astype(bool)
        assert (seen & mask).sum() / (seen | mask).sum() > 0.96


@pytest.mark.parametrize('seed', range(8))
@pytest.mark.parametrize('box', [BOX, (100, 60, 21, 70)])
def test_a_turned_box_encloses_its_mask(seed, box):
    crop = SiamPairCrop(rotation=(40, 40), flip_prob=.5)
    results = crop.transform(make_pair(seed, box))
    for bbox, mask in zip(results['gt_bboxes'], results['gt_masks']):
        rows, columns = np.nonzero(mask)
        assert bbox.shape == (1, 4) and bbox.dtype == np.float32
        assert bbox[0].tolist() == [columns.min() - .5, rows.min() - .5,
                                    columns.max() + .5, rows.max() + .5]


def test_a_turned_round_object_keeps_its_size():
    """Whose box alone would have grown."""
    def sizes(with_mask):
        pair = make_pair(5, (100, 60, 50, 50), with_mask)
        for mask in pair['gt_masks'] if with_mask else ():
            rows, columns = np.indices(mask.shape)
            mask[(rows - 84.5)**2 + (columns - 124.5)**2 > 25**2] = 0
        crop = SiamPairCrop(
            rotation=(45, 45), scale=(0, 0), shift=(0, 0))
        boxes = np.concatenate(crop.transform(pair)['gt_bboxes'])
        return boxes[:, 2:] - boxes[:, :2]

    assert sizes(True) == pytest.approx(63.5, abs=2)
    assert sizes(False).min() > 66


def test_a_turned_mask_that_is_not_seen_leaves_the_box():
    pair, empty = make_pair(2), make_pair(2)
    for mask in empty['gt_masks']:
        mask[:] = 0
    crop = SiamPairCrop(rotation=(20, 20))
    expected = SiamPairCrop(rotation=(20, 20)).transform(
        dict(pair, gt_masks=[None, None]))['gt_bboxes']
    for found, wanted in zip(crop.transform(empty)['gt_bboxes'], expected):
        assert np.array_equal(found, wanted)


def test_objects_without_a_mask_need_not_turn():
    crop = SiamPairCrop(rotation=(30, 30), rotate_boxes=False)
    upright = SiamPairCrop()
    for with_mask in (False, True):
        turned = crop.transform(make_pair(4, with_mask=with_mask))
        plain = upright.transform(make_pair(4, with_mask=with_mask))
        for key in ('img', 'gt_bboxes'):
            for found, other in zip(turned[key], plain[key]):
                assert np.array_equal(found, other) != with_mask


def test_without_a_mask():
    with_mask = SiamPairCrop().transform(make_pair(3))
    without = SiamPairCrop().transform(make_pair(3, with_mask=False))
    assert without['gt_masks'] == [None, None]
    for key in ('img', 'gt_bboxes'):
        for a, b in zip(with_mask[key], without[key]):
            assert np.array_equal(a, b)


def test_shift_and_scale_have_the_asked_for_range():
    crop = SiamPairCrop(shift=(4, 64), scale=(0.05, 0.18))
    box = (100, 60, 40, 40)
    boxes = np.stack([
        np.concatenate(crop.transform(make_pair(i, box))['gt_bboxes'])
        for i in range(300)
    ])
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2 - [[63, 63], [127, 127]]
    size = (boxes[..., 2:] - boxes[..., :2]) / 63.5
    for branch, shift, scale in ((0, 4, 0.05), (1, 64, 0.18)):
        assert 0.9 * shift < np.abs(centre[:, branch]).max() <= shift + 1e-3
        assert size[:, branch].min() >= 1 / (1 + scale) - 1e-3
        assert size[:, branch].max() <= 1 / (1 - scale) + 1e-3
        assert size[:, branch].max() > 1 + 0.8 * scale
        assert np.abs(centre[:, branch].mean(axis=0)).max() < 0.2 * shift


def test_zoom_has_the_asked_for_range_and_keeps_the_aspect():
    crop = SiamPairCrop(shift=(0, 0), scale=(0, 0), zoom=(1.1, 2))
    box = (100, 60, 40, 40)
    boxes = np.stack([
        np.concatenate(crop.transform(make_pair(i, box))['gt_bboxes'])
        for i in range(200)
    ])
    size = (boxes[..., 2:] - boxes[..., :2]) / 63.5
    np.testing.assert_allclose(size[..., 0], size[..., 1], rtol=1e-4)
    for branch, zoom in enumerate((1.1, 2)):
        found = size[:, branch, 0]
        assert 1 / zoom - 1e-4 <= found.min() < 1 / zoom**.9
        assert zoom**.9 < found.max() <= zoom + 1e-4
        # Small and large ones are equally likely.
        assert .4 < (found > 1).mean() < .6


def test_zoom_comes_on_top_of_scale():
    crop = SiamPairCrop(scale=(.05, .2), zoom=(1.2, 1.5), shift=(0, 0))
    boxes = np.stack([
        np.concatenate(
            crop.transform(make_pair(i, (100, 60, 40, 40)))['gt_bboxes'])
        for i in range(200)
    ])
    size = (boxes[..., 2:] - boxes[..., :2]) / 63.5
    for branch, (scale, zoom) in enumerate(((.05, 1.2), (.2, 1.5))):
        assert size[:, branch].min() >= 1 / (zoom * (1 + scale)) - 1e-3
        assert size[:, branch].max() <= zoom / (1 - scale) + 1e-3
        assert size[:, branch].max() > zoom


def test_without_zoom_nothing_is_drawn_for_it():
    """Older configs train on the same pairs as before."""
    one, other = make_pair(7), make_pair(7)
    SiamPairCrop().transform(one)
    SiamPairCrop(zoom=(1, 1.5)).transform(other)
    # The template's crop comes first, and does not zoom.
    assert np.array_equal(one['img'][0], other['img'][0])
    assert not np.array_equal(one['img'][1], other['img'][1])


def test_flip_is_one_coin_for_both():
    crop = SiamPairCrop(flip_prob=0.5)
    flips = [crop.transform(make_pair(i))['flip'] for i in range(40)]
    assert 8 < sum(flips) < 32


def test_the_generator_decides_everything():
    crop = SiamPairCrop(flip_prob=0.5, rotation=(5, 5), zoom=(1.1, 1.4))
    a, b = (crop.transform(make_pair(7)) for _ in range(2))
    assert all(np.array_equal(x, y) for x, y in zip(a['img'], b['img']))


@pytest.mark.parametrize('change', [
    dict(shift=(1, 2, 3)), dict(scale=(0.1, 1)), dict(flip_prob=2),
    dict(zoom=(1, .8)), dict(zoom=(2, )), dict(rotation=10 * [1]),
])
def test_bad_arguments(change):
    with pytest.raises(ValueError, match=list(change)[0]):
        SiamPairCrop(**change)


def test_registered():
    crop = TRANSFORMS.build(
        dict(type='SiamPairCrop', shift=(1, 2), zoom=(1, 3)))
    assert 'shift=(1, 2)' in repr(crop) and 'zoom=(1, 3)' in repr(crop)
