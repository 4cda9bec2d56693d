"""Tests of RegionSource."""
import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmtrack.registry import DATASETS

from siamattn_mm.datasets import RegionSource


@pytest.fixture
def photos(tmp_path):
    """Noise on the left half, one grey on the right, in two photographs."""
    rng = np.random.default_rng(0)
    for i in range(2):
        img = np.full((150, 300, 3), 128, np.uint8)
        img[:, :150] = rng.integers(0, 255, (150, 150, 3))
        cv2.imwrite(str(tmp_path / f'{i}.png'), img)
    return tmp_path


def make_source(photos, **changes):
    return RegionSource(str(photos), **dict(dict(size=(16, 60)), **changes))


def test_boxes_are_inside_and_within_the_limits(photos):
    source = make_source(photos, max_aspect=2.)
    assert len(source) == source.pairs_per_epoch == 2
    for i in range(50):
        frame = source.draw_single(np.random.default_rng(i))
        x, y, w, h = frame.bbox
        assert 0 <= x and x + w <= 300 and 0 <= y and y + h <= 150
        assert 15 <= np.sqrt(w * h) <= 61
        assert 1 / 2.2 <= w / h <= 2.2
        assert frame.mask is None and frame.bbox.dtype == np.float32


def test_flat_regions_are_drawn_again(photos):
    def share_of_noise(**changes):
        source = make_source(photos, **changes)
        frames = [source.draw_single(np.random.default_rng(i))
                  for i in range(40)]
        return np.mean([f.bbox[0] < 150 for f in frames])

    assert share_of_noise(min_contrast=0) < 0.8
    assert share_of_noise() > 0.95


def test_positive_is_one_region_and_negative_two_photos(photos):
    source = make_source(photos, pairs_per_epoch=7)
    assert source.pairs_per_epoch == 7 and source.has_negatives
    for i in range(10):
        first, second = source.draw_positive(np.random.default_rng(i))
        assert first.img_path == second.img_path
        assert np.array_equal(first.bbox, second.bbox)
        first, second = source.draw_negative(np.random.default_rng(i))
        assert first.img_path != second.img_path
        again = source.draw_negative(np.random.default_rng(i))[0]
        assert np.array_equal(first.bbox, again.bbox)


def test_a_region_is_no_larger_than_its_photo(photos):
    frame = make_source(photos, size=(1000, 1000)).draw_single(
        np.random.default_rng(0))
    assert frame.bbox.tolist() == [0, 0, 300, 150]


def test_what_is_wrong_is_named(photos, tmp_path):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        RegionSource(str(tmp_path / 'nowhere'))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match='empty has no photographs'):
        RegionSource(str(tmp_path / 'empty'))
    with pytest.raises(ValueError, match='size must be'):
        make_source(photos, size=(60, 16))
    with pytest.raises(ValueError, match='max_aspect must be'):
        make_source(photos, max_aspect=.5)


def test_it_is_built_from_its_config(photos, repository):
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets/regions.py'))
    with DefaultScope.overwrite_default_scope('mmtrack'):
        source = DATASETS.build(
            dict(config.regions_source, data_root=str(photos)))
    assert isinstance(source, RegionSource) and len(source) == 2
