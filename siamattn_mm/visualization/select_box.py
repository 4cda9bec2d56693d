"""Drawing the target's box with the mouse."""
from typing import Tuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.widgets import RectangleSelector

# Backends of matplotlib that only write files.
_WITHOUT_WINDOW = ('agg', 'cairo', 'pdf', 'pgf', 'ps', 'svg', 'template')


def select_box(frame: np.ndarray) -> Tuple[float, float, float, float]:
    """Let the user draw a box around the target.

    Not ``cv2.selectROI``: the headless build of OpenCV has no windows.

    Args:
        frame (np.ndarray): (H, W, 3) uint8, BGR.

    Returns:
        tuple[float, float, float, float]: x, y, w, h in pixels.

    Raises:
        ValueError: If no window can be opened, or no box was drawn.
    """
    if plt.get_backend().lower() in _WITHOUT_WINDOW:
        raise ValueError(
            'no window can be opened to draw the box in: there is no display, '
            'or Python has neither Tk nor Qt')
    figure, axes = plt.subplots()
    try:
        axes.imshow(frame[..., ::-1])
        axes.set_axis_off()
        axes.set_title('Draw a box around the target, then press Enter')
        selector = RectangleSelector(
            axes, lambda *events: None, interactive=True)
        figure.canvas.mpl_connect(
            'key_press_event',
            lambda event: plt.close(figure) if event.key == 'enter' else None)
        plt.show()
        left, right, top, bottom = selector.extents
    finally:
        plt.close(figure)
    if right <= left or bottom <= top:
        raise ValueError('no box was drawn')
    # The picture's first pixel reaches from -0.5 to 0.5.
    return left + 0.5, top + 0.5, right - left, bottom - top
