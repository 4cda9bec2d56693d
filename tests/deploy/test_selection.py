"""The proposal that the graph selects is the tracker's."""
import numpy as np
import pytest
import torch

from siamattn_mm.deploy.selection import select_proposal


@pytest.mark.parametrize('seed', range(5))
@pytest.mark.parametrize('vote_iou', [None, 0.5])
@pytest.mark.parametrize('target_size', [(60., 40.), (3., 200.)])
@pytest.mark.parametrize('influence', [None, 0.6])
@pytest.mark.parametrize('avoids', [False, True])
def test_it_is_the_one_of_the_rpn_head(make_variant, seed, target_size,
                                     vote_iou, influence, avoids):
    head = make_variant('siamrpn').tracker().model.head
    head.test_cfg.vote_iou = vote_iou
    generator = torch.Generator().manual_seed(seed)
    cls_score = 3 * torch.randn(1, 10, 25, 25, generator=generator)
    bbox_pred = torch.randn(1, 20, 25, 25, generator=generator)
    head.test_cfg.filter_influence = influence
    response = torch.rand(25, 25, generator=generator).double()
    bias = np.array([0.2, -0.1, 0.3, -0.3])
    if influence is None:
        response = bias = None
    expected = head.select_proposal(
        cls_score, bbox_pred, target_size,
        response if response is None else response.numpy(), bias)
    avoid = None
    if avoids:
        # What was best, and nothing at all.
        before = expected
        avoid = np.stack([before.boxes[:, before.best], np.zeros(4)], 1)
        expected = head.select_proposal(
            cls_score, bbox_pred, target_size,
            response if response is None else response.numpy(), bias, avoid)
        assert expected.best != before.best
        avoid = torch.from_numpy(avoid.T).float()
    cfg = head.test_cfg
    found = select_proposal(
        head, cls_score, bbox_pred, torch.tensor(target_size),
        torch.tensor(cfg.penalty_k), torch.tensor(cfg.window_influence),
        response if response is None else response.float(), influence,
        bias if bias is None else torch.tensor(bias), avoid)
    np.testing.assert_allclose(found.bbox, expected.bbox, rtol=1e-5, atol=1e-4)
    assert found.score.item() == pytest.approx(expected.score, rel=1e-5)
    assert found.best.item() == expected.best
    np.testing.assert_allclose(
        found.boxes, expected.boxes, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.ranked, expected.ranked, atol=1e-5)
    assert found.penalty.item() == pytest.approx(expected.penalty, rel=1e-4)
