"""H.264 through the ffmpeg that the package imageio-ffmpeg brings."""
from typing import Tuple

import numpy as np

try:
    import imageio_ffmpeg
except ImportError:  # an optional requirement
    imageio_ffmpeg = None


class FfmpegWriter:
    """Writes a video that browsers play; as ``cv2.VideoWriter`` is used.

    Args:
        path (str): The file, ``.mp4``.
        size (tuple[int, int]): Width and height of the frames. A last odd row
            or column is lost: the codec wants even sides.
        fps (float): Frames a second.
    """

    def __init__(self, path: str, size: Tuple[int, int], fps: float) -> None:
        self._size = (size[0] // 2 * 2, size[1] // 2 * 2)
        self._process = None
        if not self.is_available() or not all(self._size):
            return
        self._process = imageio_ffmpeg.write_frames(
            path,
            self._size,
            pix_fmt_in='bgr24',
            fps=fps,
            codec='libx264',
            quality=None,
            macro_block_size=2,
            ffmpeg_log_level='error',
            # The index in front: a browser plays before it has all.
            output_params=[
                '-crf', '20', '-preset', 'veryfast', '-movflags', '+faststart'
            ])
        self._process.send(None)

    @staticmethod
    def is_available() -> bool:
        """Whether imageio-ffmpeg is installed, with its ffmpeg."""
        if imageio_ffmpeg is None:
            return False
        try:
            imageio_ffmpeg.get_ffmpeg_exe()
        except RuntimeError:
            return False
        return True

    def isOpened(self) -> bool:
        """Whether frames can be written."""
        return self._process is not None

    def write(self, frame: np.ndarray) -> None:
        """Write a frame.

        Args:
            frame (np.ndarray): (H, W, 3) uint8, BGR.
        """
        width, height = self._size
        self._process.send(np.ascontiguousarray(frame[:height, :width]))

    def release(self) -> None:
        """Write the file's end."""
        if self._process is not None:
            self._process.close()
