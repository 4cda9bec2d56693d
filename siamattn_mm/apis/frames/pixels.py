"""From what a decoder gives to (H, W, 3) BGR."""
import av
import cv2
import numpy as np

from siamattn_mm.datasets.reading.value_stretch import ValueStretch

from .orientation import display_matrix, upright

_PYAV = int(av.__version__.split('.')[0])


def frame_values(frame: av.VideoFrame) -> np.ndarray:
    """The picture of a frame, upright, in its own values where they matter.

    Args:
        frame (av.VideoFrame): Decoded.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR; of grey of more than 8 bits (H, W)
        uint16, and of 16-bit RGB (H, W, 3) uint16, BGR: there it depends on
        the camera which part of the range means anything. YUV of 10 or 12
        bits is made for screens, and is just rounded.
    """
    name, components = frame.format.name, frame.format.components
    bits = max(component.bits for component in components)
    if name.startswith('gray') and 8 < bits <= 16:
        image = _grey(frame, '>u2' if name.endswith('be') else '<u2')
    elif frame.format.is_rgb and bits == 16:
        image = _converted(frame, 'rgb48le')[..., ::-1]
    else:
        image = _converted(frame, 'bgr24')
    return upright(image, display_matrix(frame))


def to_bgr(values: np.ndarray, stretch: ValueStretch) -> np.ndarray:
    """Make the values of :func:`frame_values` (H, W, 3) uint8, BGR.

    Args:
        values (np.ndarray): (H, W) or (H, W, 3).
        stretch (ValueStretch): The clip's.

    Returns:
        np.ndarray: (H, W, 3) uint8, BGR.
    """
    image = np.ascontiguousarray(stretch(values))
    return image if image.ndim == 3 else cv2.cvtColor(image,
                                                      cv2.COLOR_GRAY2BGR)


def _converted(frame: av.VideoFrame, pixels: str) -> np.ndarray:
    # On one thread: for one picture, waking others takes longer than it
    # saves, several times longer where they have something else to do.
    # PyAV before 17 has no others.
    threads = dict(threads=1) if _PYAV >= 17 else {}
    return frame.to_ndarray(format=pixels, **threads)


def _grey(frame: av.VideoFrame, dtype: str) -> np.ndarray:
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    rows = rows[:frame.height, :2 * frame.width]
    # A copy: the decoder uses the memory again.
    return np.ascontiguousarray(rows).view(dtype).astype(np.uint16)
