"""Pairs made of cut-outs pasted over photographs."""
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np
from mmtrack.registry import DATASETS

from ..reading.image_reader import UnreadableFrameError
from .base import Frame, PairSource
from .cutout import blur_placed, paste, place_cutout, tight_bbox
from .cutout_library import CutoutLibrary


@DATASETS.register_module()
class SyntheticSource(PairSource):
    """Objects cut out of annotated images, moved over photographs.

    Position, size, turn, shape and light of the object change from template
    to search frame, and so does the view of the background. Other objects lie
    around it, of its kind where there are such, and may hide a part of it in
    the search frame. The mask is exactly what is seen of it; the box is that
    of the whole object inside the frame.

    Args:
        data_root (str): Folder that the other paths are relative to.
        cutouts (Sequence[str]): COCO-format data sets whose objects with
            masks are cut out, as :class:`CocoSource` reads them. Defaults to
            ``('coco128', 'caltech101_cutouts')``.
        photos (str): Folder of photographs. Defaults to ``'photos'``.
        canvas_size (Sequence[int]): Width and height of the frames. Defaults
            to (360, 270).
        min_cutout_size (float): Objects with a side below this many pixels
            are not cut out. Defaults to 32.
        target_size (Sequence[float]): Smallest and largest size of the target
            in the frame, square root of width times height. Defaults
            to (20, 110).
        max_distractors (int): Most other objects in a frame. Defaults to 3.
        occluder_prob (float): Probability that something hides a part of the
            target in the search frame. Defaults to 0.25.
        blur_prob (float): Probability that the target is blurred by its own
            motion, in each frame. Defaults to 0; the pipeline blurs whole
            crops.
        cache_mb (float): Cut-outs that each worker keeps, in MB. Defaults
            to 128.
        pairs_per_epoch (int, optional): See :class:`PairSource`.

    Raises:
        FileNotFoundError: If a folder or an annotation file is not there.
        ValueError: If there are no photographs, or no objects with masks.
    """

    # Largest enlargement of a cut-out: more looks like nothing real.
    max_zoom = 1.5
    # Share of the target that is seen at least, if something hides it.
    min_visible = 0.5
    # Probability that both frames have the same background.
    same_photo_prob = 0.75

    def __init__(self,
                 data_root: str,
                 cutouts: Sequence[str] = ('coco128', 'caltech101_cutouts'),
                 photos: str = 'photos',
                 canvas_size: Sequence[int] = (360, 270),
                 min_cutout_size: float = 32,
                 target_size: Sequence[float] = (20, 110),
                 max_distractors: int = 3,
                 occluder_prob: float = 0.25,
                 blur_prob: float = 0.,
                 cache_mb: float = 128,
                 pairs_per_epoch: Optional[int] = None) -> None:
        super().__init__(pairs_per_epoch)
        self.canvas_size = tuple(canvas_size)
        self.target_size = tuple(target_size)
        self.max_distractors = max_distractors
        self.occluder_prob = occluder_prob
        self.blur_prob = blur_prob
        self.library = CutoutLibrary(
            data_root, cutouts, photos, min_size=min_cutout_size,
            max_size=1.4 * self.target_size[1], cache_mb=cache_mb)

    def __len__(self) -> int:
        return len(self.library)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(objects={len(self)}, '
                f'photos={len(self.library.photos)}, '
                f'pairs_per_epoch={self.pairs_per_epoch})')

    def draw_single(self, rng: np.random.Generator) -> Frame:
        """Frame: A random object, pasted on a random photo."""
        return self._draw_frame(rng, int(rng.integers(len(self))))

    def draw_positive(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """tuple[Frame, Frame]: One object, twice."""
        index = int(rng.integers(len(self)))
        return self._draw_pair(rng, index, index)

    def draw_negative(self, rng: np.random.Generator) -> Tuple[Frame, Frame]:
        """tuple[Frame, Frame]: Two objects of a kind."""
        index = int(rng.integers(len(self)))
        return self._draw_pair(rng, index,
                               self.library.draw_other(rng, index))

    def _draw_pair(self, rng: np.random.Generator, template: int,
                   search: int) -> Tuple[Frame, Frame]:
        photo = int(rng.integers(len(self.library.photos)))
        pose = _Pose.draw(rng)
        size = np.exp(rng.uniform(*np.log(self.target_size)))
        first = self._draw_frame(rng, template, photo, pose, size)
        if rng.random() > self.same_photo_prob:
            photo = int(rng.integers(len(self.library.photos)))
        # One object changes little within a video, two are two.
        pose = pose.change(rng) if template == search else _Pose.draw(rng)
        size = np.clip(size * np.exp(rng.uniform(-0.3, 0.3)),
                       *self.target_size)
        return first, self._draw_frame(
            rng, search, photo, pose, size,
            occluded=rng.random() < self.occluder_prob)

    def _draw_frame(self,
                    rng: np.random.Generator,
                    index: int,
                    photo: Optional[int] = None,
                    pose: Optional['_Pose'] = None,
                    size: Optional[float] = None,
                    occluded: bool = False) -> Frame:
        """Paste an object, and others below and above it, on a photograph."""
        if photo is None:
            photo = int(rng.integers(len(self.library.photos)))
        if size is None:
            size = np.exp(rng.uniform(*np.log(self.target_size)))
        canvas, path = self._draw_background(rng, photo)
        target, name = self.library.cut_out(index)
        placed, corner = place_cutout(
            target,
            centre=rng.uniform(0.15, 0.85, 2) * self.canvas_size,
            size=self._feasible(size, target),
            canvas_size=self.canvas_size,
            **(pose or _Pose.draw(rng)).arguments())
        if self.blur_prob and rng.random() < self.blur_prob:
            placed, corner = self._blur(rng, placed, corner)
        for _ in range(int(rng.integers(self.max_distractors + 1))):
            self._paste_other(rng, canvas, index, size)
        paste(canvas, placed, corner)
        mask = np.zeros(canvas.shape[:2], np.uint8)
        height, width = placed.shape[:2]
        mask[corner[1]:corner[1] + height,
             corner[0]:corner[0] + width] = placed[..., 3] > 127
        bbox = tight_bbox(mask)
        if bbox is None:
            raise UnreadableFrameError(name, 'nothing left of a cut-out')
        if occluded:
            self._occlude(rng, canvas, mask, bbox)
        return Frame(canvas, bbox, mask, f'{name} on {path}')

    def _draw_background(self, rng: np.random.Generator,
                         photo: int) -> Tuple[np.ndarray, str]:
        """A random view of a photograph, as large as the canvas."""
        path = self.library.photo_path(photo)
        img = self.reader.image(path)
        height, width = img.shape[:2]
        canvas_width, canvas_height = self.canvas_size
        # The largest window of the canvas' shape, or a part of it.
        zoom = rng.uniform(1, 1.4) * max(canvas_width / width,
                                         canvas_height / height)
        w = min(max(round(canvas_width / zoom), 1), width)
        h = min(max(round(canvas_height / zoom), 1), height)
        x = int(rng.integers(width - w + 1))
        y = int(rng.integers(height - h + 1))
        view = cv2.resize(img[y:y + h, x:x + w], self.canvas_size)
        return view, path

    def _blur(self, rng: np.random.Generator, placed: np.ndarray,
              corner: Tuple[int, int]) -> Tuple[np.ndarray, Tuple[int, int]]:
        """Motion blur of up to a quarter of the object's size."""
        turn = rng.uniform(0, 2 * np.pi)
        length = rng.uniform(0.05, 0.25) * np.sqrt(np.prod(placed.shape[:2]))
        return blur_placed(placed, corner,
                           (length * np.cos(turn), length * np.sin(turn)),
                           self.canvas_size)

    def _feasible(self, size: float, cutout: np.ndarray) -> float:
        height, width = cutout.shape[:2]
        return min(size, self.max_zoom * np.sqrt(width * height))

    def _paste_other(self, rng: np.random.Generator, canvas: np.ndarray,
                     index: int, size: float) -> None:
        other, _ = self.library.cut_out(self.library.draw_other(rng, index))
        paste(canvas, *place_cutout(
            other,
            centre=rng.uniform(0, 1, 2) * self.canvas_size,
            size=self._feasible(size * np.exp(rng.uniform(-0.4, 0.4)), other),
            canvas_size=self.canvas_size,
            **_Pose.draw(rng).arguments()))

    def _occlude(self, rng: np.random.Generator, canvas: np.ndarray,
                 mask: np.ndarray, bbox: np.ndarray) -> None:
        """Hide a part of the target, but not too much of it."""
        other, _ = self.library.cut_out(int(rng.integers(len(self))))
        # Its middle near the target's outline, from any side.
        turn = rng.uniform(0, 2 * np.pi)
        direction = np.array([np.cos(turn), np.sin(turn)])
        centre = bbox[:2] + bbox[2:] / 2 + direction * bbox[2:] * 0.6
        placed, corner = place_cutout(
            other,
            centre=centre,
            size=np.sqrt(bbox[2:].prod()) * rng.uniform(0.4, 1.),
            canvas_size=self.canvas_size,
            **_Pose.draw(rng).arguments())
        visible = mask.copy()
        height, width = placed.shape[:2]
        visible[corner[1]:corner[1] + height,
                corner[0]:corner[0] + width] *= placed[..., 3] <= 127
        if visible.sum() >= self.min_visible * mask.sum():
            paste(canvas, placed, corner)
            mask[...] = visible


class _Pose:
    """How an object is turned, deformed and lit."""

    def __init__(self, angle: float, stretch: float, flip: bool,
                 wave: Tuple[float, float, float], gain: float) -> None:
        self.angle = angle
        self.stretch = stretch
        self.flip = flip
        self.wave = wave
        self.gain = gain

    @classmethod
    def draw(cls, rng: np.random.Generator) -> '_Pose':
        bent = rng.random() < 0.4
        return cls(
            angle=rng.normal(0, 12),
            stretch=np.exp(rng.normal(0, 0.1)),
            flip=bool(rng.random() < 0.5),
            wave=(rng.uniform(0, 0.06) * bent, rng.uniform(0.3, 1.2),
                  rng.random()),
            gain=np.exp(rng.normal(0, 0.15)))

    def change(self, rng: np.random.Generator) -> '_Pose':
        """The same object a while later."""
        other = self.draw(rng)
        return type(self)(
            angle=self.angle + other.angle,
            stretch=self.stretch * other.stretch,
            flip=self.flip,
            wave=other.wave,
            gain=self.gain * other.gain)

    def arguments(self) -> dict:
        return vars(self)
