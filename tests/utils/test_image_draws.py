"""Random numbers of images, alike in one process and in several."""
from unittest.mock import patch

import numpy as np
import torch

from siamattn_mm.utils.image_draws import (
    draw_order,
    first_candidates,
    image_keys,
)


def drawn_by(rank, world_size, num_images):
    torch.manual_seed(4)
    with patch('siamattn_mm.utils.image_draws.get_dist_info',
               return_value=(rank, world_size)):
        return draw_order(num_images, 50), int(torch.randint(1000, ()))


def test_one_batch_is_dealt_out_to_the_processes():
    whole, then = drawn_by(0, 1, 6)
    parts = [drawn_by(rank, 3, 2) for rank in range(3)]
    assert sorted(whole.order.tolist()) == list(range(50))
    assert len(whole.starts.unique()) > 3
    dealt = torch.stack([part[0].starts for part in parts], 1).flatten()
    assert torch.equal(dealt, whole.starts)
    for part, after in parts:
        assert torch.equal(part.order, whole.order)
        # And all go on alike.
        assert after == then


def test_each_call_draws_others():
    assert not torch.equal(image_keys(3), image_keys(3))
    assert not torch.equal(draw_order(3, 9).order, draw_order(3, 9).order)


def test_the_first_candidates_are_drawn_and_then_again():
    candidates = torch.tensor([[True, False, True, True],
                               [False, False, True, False],
                               [False, False, False, False]])
    place, good = first_candidates(candidates, torch.tensor([1, 3, 0]), 2)
    assert place[:2].tolist() == [[2, 3], [2, 2]]
    assert good.tolist() == [[True, True], [True, False], [False, False]]
    place, good = first_candidates(candidates, torch.tensor([3, 2, 3]), 4)
    assert place[0].tolist() == [3, 0, 2, 3]
    assert good[0].tolist() == [True, True, True, False]
    assert (place < 4).all()


def test_each_candidate_is_drawn_as_often_and_each_pair_of_them():
    """3 of 6 candidates among 9 places: each subset as often as any other."""
    torch.manual_seed(0)
    candidates = torch.zeros(20, 9, dtype=torch.bool)
    candidates[:, :6] = True
    both = np.zeros((9, 9))
    for _ in range(300):
        order, starts = draw_order(20, 9)
        place, good = first_candidates(candidates[:, order], starts, 3)
        assert good.all()
        for row in order[place].numpy():
            both[np.ix_(row, row)] += 1
    assert not both[6:].any()
    np.testing.assert_allclose(both.diagonal()[:6] / 6000, .5, atol=.04)
    pairs = both[:6, :6][~np.eye(6, dtype=bool)] / 6000
    np.testing.assert_allclose(pairs, .2, atol=.04)
