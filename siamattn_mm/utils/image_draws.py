"""Random numbers of an image that do not depend on who computes it."""
import contextlib
from typing import Iterator, NamedTuple, Tuple

import torch
from mmengine.dist import get_dist_info
from torch import Tensor


class DrawOrder(NamedTuple):
    """In which order each of N images looks at the same K places.

    Attributes:
        order (Tensor): (K,) int64, all places in a random order.
        starts (Tensor): (N,) int64, where in that order each image begins;
            behind the last place it goes on with the first.
    """
    order: Tensor
    starts: Tensor


def image_keys(num_images: int) -> Tensor:
    """Draw a number for each image of this process's batch.

    ``PairSampler`` deals one batch out to N processes image by image, and
    so are the numbers of one draw: an image gets the same one in N processes
    as in one that has the whole batch, as long as ``torch``'s random numbers
    are at the same place in all processes (``IterSeedHook`` sees to that) and
    all of them call this function, with as many images.

    Args:
        num_images (int): N, images of this process's batch.

    Returns:
        Tensor: (N,) float64 on the CPU, 0 to 1: a GPU's numbers would be
        others.
    """
    rank, world_size = get_dist_info()
    return torch.rand(
        num_images * world_size, dtype=torch.float64)[rank::world_size]


@contextlib.contextmanager
def own_numbers(key: float, device: torch.device) -> Iterator[None]:
    """Let an image draw from numbers that are its own.

    Args:
        key (float): Of :func:`image_keys`.
        device (torch.device): Where else than on the CPU it draws.
    """
    devices = [device] if device.type == 'cuda' else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(key * 2**53))
        yield


def draw_order(num_images: int, num_places: int) -> DrawOrder:
    """Draw the order in which the images look at the same places.

    Each image begins anywhere in one random order of all places. So what it
    finds first is any subset with the same probability, and that of another
    image is independent of it but for the rare neighbours that both meet;
    an order for each image would cost a number for each place of each image,
    and a sort.

    Args:
        num_images (int): N, images of this process's batch.
        num_places (int): K.

    Returns:
        DrawOrder: On the CPU; for processes what :func:`image_keys` says.
    """
    order = torch.randperm(num_places)
    return DrawOrder(order, (image_keys(num_images) * num_places).long())


def first_candidates(candidates: Tensor, starts: Tensor,
                     num: int) -> Tuple[Tensor, Tensor]:
    """The first candidates of each row, from where the row begins.

    Nothing here waits for the device.

    Args:
        candidates (Tensor): (N, K) bool, in the order of a
            :class:`DrawOrder`.
        starts (Tensor): (N,) int64, of that order.
        num (int): S, so many of each row.

    Returns:
        tuple[Tensor, Tensor]: Places in that order, (N, S) int64, which
        begin again at the first candidate where there are fewer, and are any
        where there is none; and whether each is there for the first time,
        (N, S) bool.
    """
    # Small numbers: fresh memory for larger ones takes longer than the sums.
    small = candidates.shape[1] < torch.iinfo(torch.int16).max
    kind = torch.int16 if small else torch.int32
    so_far = candidates.cumsum(1, dtype=kind)
    total, start = so_far[:, -1:], starts[:, None]
    passed = so_far.gather(1, start) - candidates.gather(1, start).to(kind)
    rank = torch.arange(num, dtype=kind, device=so_far.device)
    wanted = (passed + rank) % total.clamp(min=1) + 1
    place = torch.searchsorted(so_far, wanted)
    return place.clamp(max=candidates.shape[1] - 1), rank < total
