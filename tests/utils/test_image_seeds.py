"""Seeds of images, alike in one process and in several."""
from unittest.mock import patch

import torch

from siamattn_mm.utils.image_seeds import image_seeds, seeded


def seeds_of(rank, world_size, num_images):
    torch.manual_seed(4)
    with patch('siamattn_mm.utils.image_seeds.get_dist_info',
               return_value=(rank, world_size)):
        return image_seeds(num_images), int(torch.randint(1000, ()))


def test_one_batch_is_dealt_out_to_the_processes():
    whole, then = seeds_of(0, 1, 6)
    parts = [seeds_of(rank, 3, 2) for rank in range(3)]
    assert len(set(whole)) == 6
    assert [seed for image in zip(*(p[0] for p in parts))
            for seed in image] == whole
    # And all go on alike.
    assert {p[1] for p in parts} == {then}


def test_each_call_draws_others():
    assert image_seeds(3) != image_seeds(3)


def test_seeded_leaves_the_numbers_behind_it_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    with seeded(7, torch.device('cpu')):
        first = torch.rand(2)
    assert torch.equal(torch.rand(3), expected)
    with seeded(7, torch.device('cpu')):
        assert torch.equal(torch.rand(2), first)
