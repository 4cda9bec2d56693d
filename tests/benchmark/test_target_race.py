"""The loops over images give what a whole batch gives, but for the draw."""
import pytest
import torch
from mmtrack.registry import MODELS

from siamattn_mm.benchmark import BenchmarkError
from siamattn_mm.benchmark.target_race import TargetRace, race

NUM = 10


@pytest.fixture
def model(small_config):
    return MODELS.build(small_config.model)


@pytest.fixture
def both(model):
    return TargetRace(model, NUM)


def test_as_many_anchors_of_the_same_weight(both):
    loop = both.anchors_by_loop()
    batch = both.anchors_at_once().dense(loop[0].shape[1])
    for one, two in zip(loop, batch):
        assert one.shape == two.shape
    assert loop[0].sum() > 0
    # Labels and weights of each image; which of many anchors they fall on is
    # drawn.
    assert torch.equal(loop[0].sum(1), batch[0].sum(1))
    for index in (1, 3):
        torch.testing.assert_close(
            loop[index].flatten(1).sum(1), batch[index].flatten(1).sum(1))
        assert torch.equal((loop[index] > 0).flatten(1).sum(1),
                           (batch[index] > 0).flatten(1).sum(1))
    # What both have drawn is to learn the same.
    common = (loop[0] > 0) & (batch[0] > 0)
    assert common.any()
    torch.testing.assert_close(loop[2][common], batch[2][common])


def test_rois_of_the_same_images(both):
    loop, batch = both.rois_by_loop(), both.rois_at_once()
    assert loop.images == batch.images and len(loop.images) == 8
    assert torch.equal(loop.rois[:, 0], batch.rois[:, 0])
    assert torch.equal(loop.gt_bboxes, batch.gt_bboxes)
    # No RoI of either is one that the other could not have drawn.
    for sampled in (loop, batch):
        x1, y1, x2, y2 = sampled.rois[:, 1:].t()
        a1, b1, a2, b2 = sampled.gt_bboxes.t()
        inner = ((torch.min(x2, a2) - torch.max(x1, a1)).clamp(0) *
                 (torch.min(y2, b2) - torch.max(y1, b1)).clamp(0))
        union = (x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - inner
        assert (inner / union).min() > .4999


def test_equal_masks_of_equal_rois(both):
    sampled = both.rois_at_once()
    loop, batch = both.masks_by_loop(sampled), both.masks_at_once(sampled)
    assert torch.equal(loop, batch) and 0 < loop.mean() < 1
    # The loss itself is as before.
    assert 'predict_mask' not in vars(both.refine)


def test_one_thread_for_both(model, monkeypatch):
    threads = torch.get_num_threads()
    seen = []
    original = TargetRace.anchors_at_once

    def anchors(self):
        seen.append(torch.get_num_threads())
        return original(self)

    monkeypatch.setattr(TargetRace, 'anchors_at_once', anchors)
    done = []
    found = race(model, 3, num_runs=1, advance=lambda: done.append(1))
    assert set(seen) == {1} and len(done) == 2
    assert torch.get_num_threads() == threads
    assert found['pairs'] == 3
    assert [row['name'] for row in found['rows']] == [
        'anchors', 'RoIs', 'masks', 'anchors, RoIs', 'together'
    ]
    loops = [row['loop']['median'] for row in found['rows']]
    assert loops[3] == pytest.approx(sum(loops[:2]))
    assert loops[4] == pytest.approx(sum(loops[:3]))
    row = found['rows'][0]
    assert row['ratio']['median'] == pytest.approx(
        row['loop']['median'] / row['batch']['median'])


def test_without_refinement_there_are_anchors_alone(small_config):
    small_config.model.refine_head = None
    found = race(MODELS.build(small_config.model), 3, num_runs=1)
    assert [row['name'] for row in found['rows']] == ['anchors', 'together']


def test_another_head(model):
    model.head = torch.nn.Identity()
    with pytest.raises(BenchmarkError, match='SiamAttnRPNHead does'):
        TargetRace(model, 2)
