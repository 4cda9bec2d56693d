"""Random numbers of an image that do not depend on who computes it."""
import contextlib
from typing import Iterator, List

import torch
from mmengine.dist import get_dist_info


def image_seeds(num_images: int) -> List[int]:
    """Draw one seed for each image of this process's batch.

    ``PairSampler`` deals one batch out to N processes image by image, and
    so are the seeds: an image gets the same one in N processes as in one
    that has the whole batch, as long as ``torch``'s random numbers are at
    the same place in all processes (``IterSeedHook`` sees to that) and all
    of them call this function, with as many images.

    Args:
        num_images (int): Images of this process's batch.

    Returns:
        list[int]: Seeds, 0 to 2**31 - 1.
    """
    rank, world_size = get_dist_info()
    # Always on the CPU: a GPU's numbers would be others.
    seeds = torch.randint(2**31, (num_images * world_size, ))
    return seeds[rank::world_size].tolist()


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Let ``torch`` draw from a seed for a while, then go on as before.

    Args:
        seed (int): The seed.
        device (torch.device): Where random numbers will be drawn.
    """
    devices = [device] if device.type == 'cuda' else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
