"""Small heads, built from the small model's config."""
import cv2
import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS
from mmtrack.structures import TrackDataSample


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmtrack')


@pytest.fixture
def rpn_head(small_config):
    """RPN head of two levels with 8 channels."""
    model = small_config.model
    cfg = model.head.copy()
    cfg.update(
        in_channels=[8, 8],
        train_cfg=model.train_cfg.rpn,
        test_cfg=model.test_cfg.rpn)
    return MODELS.build(cfg)


@pytest.fixture
def make_sample():
    """Data sample of a pair: ``make_sample(bbox, positive, mask=None)``."""

    def make(bbox, positive, mask=None):
        instances = InstanceData(
            bboxes=torch.tensor([bbox], dtype=torch.float32),
            labels=torch.tensor([int(positive)]))
        if mask is not None:
            instances.masks = BitmapMasks(mask[None], *mask.shape)
        sample = TrackDataSample()
        sample.search_gt_instances = instances
        return sample

    return make


@pytest.fixture
def drawn_mask():
    """(255, 255), asymmetric, so that a swap or a flip shows."""
    mask = np.zeros((255, 255), np.uint8)
    cv2.ellipse(mask, (100, 140), (60, 25), 30, 0, 360, 1, -1)
    cv2.rectangle(mask, (110, 60), (130, 120), 1, -1)
    return mask
