"""Random numbers of an image that do not depend on who computes it."""
import torch
from mmengine.dist import get_dist_info
from torch import Tensor


def image_keys(num_images: int, num: int) -> Tensor:
    """Draw numbers for each image of this process's batch.

    ``PairSampler`` deals one batch out to N processes image by image, and
    so are these rows of one draw: an image gets the same ones in N processes
    as in one that has the whole batch, as long as ``torch``'s random numbers
    are at the same place in all processes (``IterSeedHook`` sees to that) and
    all of them call this function, with as many images.

    Args:
        num_images (int): N, images of this process's batch.
        num (int): K, numbers of each.

    Returns:
        Tensor: (N, K) float64 on the CPU, 0 to 1: a GPU's numbers would be
        others. Doubles, so that no two are equal.
    """
    rank, world_size = get_dist_info()
    keys = torch.rand(num_images * world_size, num, dtype=torch.float64)
    return keys[rank::world_size]


def draw(candidates: Tensor, keys: Tensor, num: int) -> tuple:
    """Draw from the candidates of each row: those of the smallest keys.

    Args:
        candidates (Tensor): (N, K) bool.
        keys (Tensor): (N, K), 0 to 1, on the same device.
        num (int): So many of each row, at most.

    Returns:
        tuple[Tensor, Tensor]: Places in the rows, (N, S) with S at most
        ``num``, in the order of their keys and without repetition; and
        whether each is a candidate, (N, S): false behind the last one of a
        row that has less.
    """
    keys = keys.masked_fill(~candidates, 2.)
    smallest, index = keys.topk(
        min(num, keys.shape[1]), dim=1, largest=False, sorted=True)
    return index, smallest < 2.
