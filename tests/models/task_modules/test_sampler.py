"""Positives and negatives, each up to a number of their own."""
import pytest
import torch
from mmdet.models.task_modules import AssignResult
from mmengine.structures import InstanceData
from mmtrack.registry import TASK_UTILS

NUM_PRIORS = 1000


def sample(num_positives, **kwargs):
    cfg = dict(
        type='SiamAttnSampler',
        num=64,
        pos_fraction=0.25,
        add_gt_as_proposals=False)
    cfg.update(kwargs)
    assigned = torch.zeros(NUM_PRIORS, dtype=torch.long)
    assigned[:num_positives] = 1
    assigned[num_positives:num_positives + 10] = -1  # neither
    result = AssignResult(1, assigned, torch.zeros(NUM_PRIORS),
                          torch.zeros(NUM_PRIORS, dtype=torch.long))
    return TASK_UTILS.build(cfg).sample(
        result, InstanceData(priors=torch.zeros(NUM_PRIORS, 4)),
        InstanceData(bboxes=torch.zeros(1, 4), labels=torch.ones(1).long()))


@pytest.mark.parametrize('available, positives', [(0, 0), (5, 5), (100, 16)])
def test_at_most_16_positives_and_48_negatives(available, positives):
    sampled = sample(available)
    assert len(sampled.pos_inds) == positives
    assert len(sampled.neg_inds) == 48
    assert (sampled.pos_inds < available).all()
    assert (sampled.neg_inds >= available + 10).all()


def test_mmdets_own_fills_up_with_negatives():
    """Why this class exists."""
    assert len(sample(5, type='mmdet.RandomSampler').neg_inds) == 59


def test_fewer_negatives_than_wanted():
    assert len(sample(NUM_PRIORS - 30).neg_inds) == 20
