"""Results of several targets, each in a colour of its own."""
from typing import Mapping, Optional, Tuple

import numpy as np

from siamattn_mm.apis.tracker import Result

from .overlay import BOX_COLOR, MASK_COLOR, draw_result

# BGR, in pairs for box and mask; the first is that of a single target. Light
# enough for dark text.
COLORS = ((BOX_COLOR, MASK_COLOR), ((90, 230, 90), (60, 170, 0)),
          ((255, 190, 90), (230, 110, 0)), ((190, 130, 255), (120, 20, 240)),
          ((240, 240, 110), (200, 190, 0)), ((120, 160, 255), (0, 80, 255)),
          ((230, 170, 230), (190, 60, 140)), ((190, 215, 190), (90, 140, 110)))


def colors_of(target: int) -> Tuple[Tuple[int, ...], Tuple[int, ...]]:
    """What a target is drawn in.

    Args:
        target (int): Its id, from 1.

    Returns:
        tuple[tuple[int], tuple[int]]: BGR of box and mask; the ninth target
        has those of the first.
    """
    return COLORS[(target - 1) % len(COLORS)]


def draw_targets(frame: np.ndarray,
                 results: Mapping[int, Result],
                 label: Optional[str] = None) -> np.ndarray:
    """Draw the results of all targets.

    Args:
        frame (np.ndarray): (H, W, 3) uint8, BGR; left as it is.
        results (Mapping[int, Result]): By id.
        label (str, optional): Text at the boxes. Defaults to None: the score.
            Where there are several targets, their ids are before it.

    Returns:
        np.ndarray: (H, W, 3) uint8, a new image.
    """
    canvas = frame
    for target, result in results.items():
        text = f'{result.score:.2f}' if label is None else label
        if len(results) > 1:
            text = f'{target}: {text}'
        box_color, mask_color = colors_of(target)
        canvas = draw_result(canvas, result, text, box_color, mask_color)
    return np.array(canvas) if canvas is frame else canvas
