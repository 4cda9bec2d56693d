"""Random numbers of images, alike in one process and in several."""
from unittest.mock import patch

import torch

from siamattn_mm.utils.image_keys import draw, image_keys


def keys_of(rank, world_size, num_images):
    torch.manual_seed(4)
    with patch('siamattn_mm.utils.image_keys.get_dist_info',
               return_value=(rank, world_size)):
        return image_keys(num_images, 5), int(torch.randint(1000, ()))


def test_one_batch_is_dealt_out_to_the_processes():
    whole, then = keys_of(0, 1, 6)
    parts = [keys_of(rank, 3, 2) for rank in range(3)]
    assert len(whole.unique()) == 30
    dealt = torch.stack([part[0] for part in parts], 1).flatten(0, 1)
    assert torch.equal(dealt, whole)
    # And all go on alike.
    assert {part[1] for part in parts} == {then}


def test_each_call_draws_others():
    assert not torch.equal(image_keys(3, 4), image_keys(3, 4))


def test_the_smallest_keys_are_drawn_from_the_candidates():
    candidates = torch.tensor([[True, False, True, True],
                               [False, False, True, False]])
    keys = torch.tensor([[.3, .1, .2, .9], [.1, .2, .3, .4]])
    index, good = draw(candidates, keys, 2)
    assert index[0].tolist() == [2, 0] and good[0].tolist() == [True, True]
    assert index[1, 0] == 2 and good[1].tolist() == [True, False]
