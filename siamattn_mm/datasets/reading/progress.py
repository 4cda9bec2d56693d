"""A progress bar for reading annotations."""
from typing import Iterable, Optional

from mmengine.dist import get_rank
from tqdm import tqdm


def progress(items: Iterable, name: str, total: Optional[int] = None
             ) -> Iterable:
    """Show on a terminal how far the reading of a data set is.

    Args:
        items (Iterable): What is read.
        name (str): What it is called.
        total (int, optional): Number of items, if they have no length.
            Defaults to None.

    Returns:
        Iterable: The same items. Short lists, files and all processes but
        the first show nothing.
    """
    # disable=None: only on a terminal. The delay is for what is read at once.
    return tqdm(items, desc=f'reading {name}', total=total, delay=1,
                leave=False, disable=True if get_rank() else None)
