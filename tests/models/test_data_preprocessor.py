"""Crops are normalised, frames are not."""
import pytest
import torch
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample
from torch.testing import assert_close

IMAGENET = dict(
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bgr_to_rgb=True)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmtrack')


def build(**kwargs):
    return MODELS.build(dict(type='SOTDataPreprocessor', **kwargs))


def test_normalize_turns_bgr_into_the_backbones_input():
    crops = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    found = build(**IMAGENET).normalize(crops)
    rgb = crops.float().flip(1)
    for c in range(3):
        assert_close(
            found[:, c],
            (rgb[:, c] - IMAGENET['mean'][c]) / IMAGENET['std'][c])


def test_released_models_take_the_pixels_as_they_are():
    crops = torch.randint(0, 256, (1, 3, 8, 8), dtype=torch.uint8)
    found = build().normalize(crops)
    assert found.dtype == torch.float32
    assert_close(found, crops.float())


def test_test_frames_stay_as_they_are():
    frame = torch.randint(0, 256, (1, 3, 20, 30), dtype=torch.uint8)
    sample = TrackDataSample()
    found = build(**IMAGENET)(
        dict(inputs=dict(img=[frame]), data_samples=[sample]))
    assert found['inputs']['img'].dtype == torch.uint8
    assert torch.equal(found['inputs']['img'], frame[None])
    assert found['data_samples'][0] is sample


def test_training_and_tracking_normalise_alike():
    preprocessor = build(**IMAGENET)
    crops = {
        key: torch.randint(0, 256, (2, 1, 3, size, size), dtype=torch.uint8)
        for key, size in (('img', 127), ('search_img', 255))
    }
    found = preprocessor(
        dict(
            inputs={key: list(value) for key, value in crops.items()},
            data_samples=[TrackDataSample(), TrackDataSample()]), True)
    for key, value in crops.items():
        assert found['inputs'][key].shape == value.shape
        assert_close(found['inputs'][key][:, 0],
                     preprocessor.normalize(value[:, 0]))
