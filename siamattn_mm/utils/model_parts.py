"""What a model has, whichever kind it is."""
from typing import Any


def makes_masks(model: Any) -> bool:
    """Whether a model gives masks.

    Args:
        model (nn.Module): A tracker's; one that says so itself
            (``makes_masks``), as exported ones do, or with a refinement head.

    Returns:
        bool: False if it has no mask head.
    """
    head = getattr(model, 'refine_head', None)
    return getattr(model, 'makes_masks', getattr(head, 'with_mask', False))
