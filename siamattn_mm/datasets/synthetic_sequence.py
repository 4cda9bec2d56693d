"""Synthetic videos of which every frame can be made by itself."""
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from .reading.image_reader import ImageReader, UnreadableFrameError
from .sources.cutout import blur_placed, paste, place_cutout, tight_bbox
from .sources.cutout_library import CutoutLibrary

# Share of the target's pixels below which it counts as not visible.
MIN_VISIBLE = 0.05
# Share of the target that is seen in the first frame.
_FIRST_VISIBLE = 0.7
_MAX_ATTEMPTS = 50
# Largest enlargement of a cut-out: more looks like nothing real.
_MAX_ZOOM = 1.5
# Share of the time between two frames that the shutter is open.
_EXPOSURE = 0.6

# An object as it appears, and its top left pixel, see place_cutout.
_Placed = Tuple[np.ndarray, Tuple[int, int]]


class SyntheticFrame(NamedTuple):
    """A frame and the truth about it.

    Attributes:
        img (ndarray, optional): (H, W, 3) uint8, BGR.
        bbox (ndarray): (4,) float32 x, y, w, h in pixels of the whole target
            inside the frame, hidden parts included; nan where it is not
            visible.
        mask (ndarray): (H, W) uint8, 1 where the target is seen.
    """
    img: Optional[np.ndarray]
    bbox: np.ndarray
    mask: np.ndarray


class SyntheticSequence:
    """An object that is moved over a photograph.

    Position, size, turn, shape and light change smoothly, and so do the view
    of the photograph and the light of the scene; what moves fast is blurred.
    Objects of the target's kind move around it, and others cross its path in
    front of it. Everything is a function of the seed and the time.

    Args:
        library (CutoutLibrary): Objects and photographs.
        reader (ImageReader): Reads the photograph.
        seed (Sequence[int]): Numbers that the video is drawn from.
        length (int): Number of frames N.
        canvas_size (tuple[int, int]): Width and height of the frames.
        target_size (tuple[float, float]): Smallest and largest mean size of
            the target, square root of width times height, in pixels.
        max_distractors (int): Most objects of the target's kind beside it.
        max_occluders (int): Most objects that cross its path.

    Raises:
        UnreadableFrameError: If no readable photograph and objects are found.
    """

    def __init__(self, library: CutoutLibrary, reader: ImageReader,
                 seed: Sequence[int], length: int,
                 canvas_size: Tuple[int, int],
                 target_size: Tuple[float, float], max_distractors: int,
                 max_occluders: int) -> None:
        self.library = library
        self.reader = reader
        self.length = length
        self.canvas_size = tuple(canvas_size)
        for attempt in range(_MAX_ATTEMPTS):
            rng = np.random.default_rng(tuple(seed) + (attempt, ))
            self._draw(rng, target_size, max_distractors, max_occluders)
            try:
                self.reader.image(self._photo_path)
                target, seen = self._masks([
                    self._place(layer, 0)
                    for layer in self._layers[self._depth:]])
            except UnreadableFrameError as error:
                last_error = error
                continue
            if seen.sum() >= max(_FIRST_VISIBLE * target.sum(), 64):
                return
            last_error = UnreadableFrameError(
                self._photo_path, 'the target is hidden in the first frame')
        raise last_error

    def __len__(self) -> int:
        """Number of frames N."""
        return self.length

    def frame(self, time: int) -> SyntheticFrame:
        """Make a frame.

        Args:
            time (int): From 0 to N - 1.

        Returns:
            SyntheticFrame: The same one whenever it is made.

        Raises:
            UnreadableFrameError: If a file cannot be read.
        """
        placed = [self._place(layer, time) for layer in self._layers]
        canvas = self._background(time)
        for object_and_corner in placed:
            paste(canvas, *object_and_corner)
        levels = np.arange(256) * np.exp(self._light(time))
        canvas = cv2.LUT(canvas, levels.round().clip(0, 255).astype(np.uint8))
        return self._frame(canvas, placed[self._depth:])

    def truth(self, time: int) -> SyntheticFrame:
        """Box and mask of a frame, without its image.

        Args:
            time (int): From 0 to N - 1.

        Returns:
            SyntheticFrame: With ``img`` None.
        """
        return self._frame(None, [
            self._place(layer, time) for layer in self._layers[self._depth:]])

    def _frame(self, img: Optional[np.ndarray],
               placed: List[_Placed]) -> SyntheticFrame:
        """The truth; ``placed`` is the target and what lies above it."""
        target, seen = self._masks(placed)
        bbox = np.full(4, np.nan, dtype=np.float32)
        # False as well for a target that has left the frame.
        if seen.sum() > MIN_VISIBLE * target.sum():
            bbox = tight_bbox(target)
        else:
            seen[:] = 0
        return SyntheticFrame(img, bbox, seen)

    def _draw(self, rng: np.random.Generator,
              target_size: Tuple[float, float], max_distractors: int,
              max_occluders: int) -> None:
        library = self.library
        self._photo_path = library.photo_path(
            int(rng.integers(len(library.photos))))
        self._view = [_smooth(rng, 0.5) for _ in range(2)]
        self._light = _smooth(rng, rng.uniform(0, 0.35))
        index = int(rng.integers(len(library)))
        size = np.exp(rng.uniform(*np.log(target_size)))
        target = _Layer.draw(rng, index, size, self.canvas_size)
        below, above = [], []
        for _ in range(int(rng.integers(max_distractors + 1))):
            other = _Layer.draw(
                rng, library.draw_other(rng, index),
                size * np.exp(rng.uniform(-0.3, 0.3)), self.canvas_size)
            (below if rng.random() < 0.7 else above).append(other)
        for _ in range(int(rng.integers(max_occluders + 1))):
            other = _Layer.draw(rng, int(rng.integers(len(library))),
                                size * rng.uniform(0.8, 1.7),
                                self.canvas_size)
            above.append(other.crossing(
                rng, target, rng.uniform(0.25, 0.9) * self.length))
        # From the lowest to the uppermost; the target's place among them.
        self._layers = below + [target] + above
        self._depth = len(below)

    def _background(self, time: int) -> np.ndarray:
        """A window of the photograph that moves over it."""
        img = self.reader.image(self._photo_path)
        size = np.array(self.canvas_size)
        photo = np.array(img.shape[1::-1])
        zoom = 1.25 * (size / photo).max()
        free = photo - size / zoom
        # 0..1: where the window is in what is free around it.
        place = np.array([0.5 + view(time) for view in self._view])
        corner = free * place.clip(0, 1)
        matrix = np.array([[zoom, 0, -zoom * corner[0]],
                           [0, zoom, -zoom * corner[1]]])
        matrix[:, 2] += zoom / 2 - 0.5
        return cv2.warpAffine(img, matrix, self.canvas_size,
                              borderMode=cv2.BORDER_REPLICATE)

    def _place(self, layer: '_Layer',
               time: float) -> _Placed:
        cutout, _ = self.library.cut_out(layer.index)
        height, width = cutout.shape[:2]
        size = min(layer.size(time), _MAX_ZOOM * np.sqrt(width * height))
        placed, corner = place_cutout(
            cutout,
            centre=layer.centre(time),
            size=size,
            canvas_size=self.canvas_size,
            angle=layer.angle(time),
            stretch=np.exp(layer.stretch(time)),
            flip=layer.flip,
            wave=(layer.bend, layer.waves, time * layer.bend_speed),
            gain=np.exp(layer.light(time)))
        half = _EXPOSURE / 2
        move = layer.centre(time + half) - layer.centre(time - half)
        # Were it longer, no pixel might be covered for half of the time.
        move *= min(1, 0.4 * size / max(np.abs(move).max(), 1e-6))
        if np.abs(move).max() < 1.5:
            return placed, corner
        return blur_placed(placed, corner, tuple(move), self.canvas_size)

    def _masks(self, placed: List[_Placed]) -> Tuple[np.ndarray, np.ndarray]:
        """(H, W) uint8 the whole target in the frame, what is seen of it."""
        target = np.zeros(self.canvas_size[::-1], np.uint8)
        for i, (pixels, (x, y)) in enumerate(placed):
            height, width = pixels.shape[:2]
            inside = pixels[..., 3] > 127
            if i == 0:
                target[y:y + height, x:x + width] = inside
                seen = target.copy()
            else:
                seen[y:y + height, x:x + width] *= ~inside
        return target, seen


class _Layer:
    """One object and its way through the video."""

    def __init__(self, index: int, centre: Callable[[float], np.ndarray],
                 size: Callable[[float], float],
                 angle: Callable[[float], float],
                 stretch: Callable[[float], float],
                 light: Callable[[float], float], flip: bool, bend: float,
                 waves: float, bend_speed: float) -> None:
        self.index = index
        self.centre = centre
        self.size = size
        self.angle = angle
        self.stretch = stretch
        self.light = light
        self.flip = flip
        self.bend = bend
        self.waves = waves
        self.bend_speed = bend_speed

    @classmethod
    def draw(cls, rng: np.random.Generator, index: int, size: float,
             canvas_size: Tuple[int, int]) -> '_Layer':
        x, y = (_smooth(rng, 0.38) for _ in range(2))
        scale, turn = _smooth(rng, 0.4), _smooth(rng, 30.)
        start = rng.normal(0, 12)
        bent = rng.random() < 0.5
        return cls(
            index,
            centre=lambda t: np.array([0.5 + x(t), 0.5 + y(t)]) * canvas_size,
            size=lambda t: size * np.exp(scale(t)),
            angle=lambda t: start + turn(t),
            stretch=_smooth(rng, 0.2),
            light=_smooth(rng, 0.25),
            flip=bool(rng.random() < 0.5),
            bend=rng.uniform(0.01, 0.06) * bent,
            waves=rng.uniform(0.3, 1.2),
            bend_speed=rng.uniform(0.01, 0.05))

    def crossing(self, rng: np.random.Generator, target: '_Layer',
                 moment: float) -> '_Layer':
        """Change its way to one across another object's."""
        turn = rng.uniform(0, 2 * np.pi)
        # It is over its own size in 8 to 24 frames.
        speed = target.size(moment) / rng.uniform(8, 24)
        step = speed * np.array([np.cos(turn), np.sin(turn)])
        self.centre = lambda t: target.centre(moment) + (t - moment) * step
        return self


def _smooth(rng: np.random.Generator,
            amplitude: float) -> Callable[[float], float]:
    """A random function of time within plus and minus ``amplitude``."""
    weights = rng.uniform(0.2, 1, 3)
    weights *= amplitude / weights.sum()
    # Periods in frames.
    speeds = 2 * np.pi / np.exp(rng.uniform(np.log(40), np.log(200), 3))
    phases = rng.uniform(0, 2 * np.pi, 3)
    return lambda t: float(np.sum(weights * np.sin(speeds * t + phases)))
