"""Data set of synthetic videos, made on the fly."""
from typing import List, Sequence, Tuple

import numpy as np
from mmtrack.datasets import BaseSOTDataset
from mmtrack.registry import DATASETS
from pycocotools import mask as coco_mask

from .reading.image_reader import ImageReader
from .sources.cutout_library import CutoutLibrary
from .synthetic_sequence import SyntheticFrame, SyntheticSequence


@DATASETS.register_module()
class SyntheticSOTDataset(BaseSOTDataset):
    """Whole synthetic videos with exact boxes and masks, to track.

    Objects are cut out of annotated images and moved over photographs, see
    :class:`SyntheticSequence`. A frame depends on the settings below, its
    sequence and its time, and on nothing else: it is the same in every run
    and every worker. The material is that of :class:`SyntheticSource`, which
    makes training pairs of it; keep some of it apart to validate on.

    Gives what :class:`SOTFolderDataset` gives in test mode, but with the
    image already in ``img``: the pipeline has no ``LoadImageFromFile``. The
    mask is in ``instances[0]['mask']``, as compressed run lengths:
    ``LoadTrackAnnotations(with_mask=True)`` turns it into
    ``gt_instances.masks``. The box is that of the whole target inside the
    frame, where something hides a part of it, too.

    Args:
        data_root (str): Folder that the other paths are relative to.
        num_sequences (int): Number of videos. Defaults to 10.
        length (int): Frames of each. Defaults to 100.
        seed (int): Decides everything. Defaults to 0.
        cutouts (Sequence[str]): COCO-format data sets whose objects with
            masks are cut out. Defaults to
            ``('coco128', 'caltech101_cutouts')``.
        photos (str): Folder of photographs. Defaults to ``'photos'``.
        canvas_size (Sequence[int]): Width and height of the frames. Defaults
            to (480, 360).
        target_size (Sequence[float]): Smallest and largest mean size of a
            target, square root of width times height, in pixels. Defaults
            to (30, 100).
        min_cutout_size (float): Objects with a side below this many pixels
            are not cut out. Defaults to 32.
        max_distractors (int): Most objects of the target's kind beside it.
            Defaults to 3.
        max_occluders (int): Most objects that cross its path in front of it.
            Defaults to 2.
        cache_mb (float): Cut-outs, and again photographs, that each worker
            keeps, in MB. Defaults to 64.
        kwargs: See mmtrack's ``BaseSOTDataset``.

    Raises:
        FileNotFoundError: If a folder or an annotation file is not there.
        ValueError: If a number is out of range, if there is nothing to cut
            out, or without ``test_mode=True``.
    """

    def __init__(self,
                 data_root: str,
                 num_sequences: int = 10,
                 length: int = 100,
                 seed: int = 0,
                 cutouts: Sequence[str] = ('coco128', 'caltech101_cutouts'),
                 photos: str = 'photos',
                 canvas_size: Sequence[int] = (480, 360),
                 target_size: Sequence[float] = (30, 100),
                 min_cutout_size: float = 32,
                 max_distractors: int = 3,
                 max_occluders: int = 2,
                 cache_mb: float = 64,
                 **kwargs) -> None:
        if not kwargs.get('test_mode'):
            raise ValueError('SyntheticSOTDataset is for test_mode=True; '
                             'SyntheticSource makes training pairs')
        for name, value in (('num_sequences', num_sequences),
                            ('length', length)):
            if value < 1:
                raise ValueError(f'{name} must be 1 or more, but got {value}')
        self.num_sequences = num_sequences
        self.length = length
        self.seed = seed
        self.settings = dict(
            canvas_size=tuple(canvas_size),
            target_size=tuple(target_size),
            max_distractors=max_distractors,
            max_occluders=max_occluders)
        self.library = CutoutLibrary(
            data_root, cutouts, photos, min_size=min_cutout_size,
            max_size=1.5 * target_size[1], cache_mb=cache_mb)
        self.reader = ImageReader(int(cache_mb * 2**20))
        self._sequence = None
        super().__init__(data_root=data_root, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Name the videos.

        Returns:
            list[dict]: One a sequence; the frames are counted from 0.
        """
        return [
            dict(name=f'synthetic-{i:04d}', start_frame_id=0,
                 end_frame_id=self.length - 1)
            for i in range(self.num_sequences)
        ]

    def get_sequence(self, video_idx: int) -> SyntheticSequence:
        """One of the videos.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            SyntheticSequence: Makes its frames.
        """
        if self._sequence is None or self._sequence[0] != video_idx:
            self._sequence = (video_idx, SyntheticSequence(
                self.library, self.reader, (self.seed, int(video_idx)),
                self.length, **self.settings))
        return self._sequence[1]

    def get_bboxes_from_video(self, video_idx: int) -> np.ndarray:
        """The boxes of one sequence.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            ndarray: (N, 4) float32 x, y, w, h, zeros where the target is not
            visible.
        """
        sequence = self.get_sequence(video_idx)
        return np.nan_to_num(
            np.stack([sequence.truth(i).bbox for i in range(len(sequence))]))

    def get_img_infos_from_video(self, video_idx: int) -> dict:
        """The frames of one sequence.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            dict: ``video_id`` (int), ``frame_ids`` (N,) from 0,
            ``img_paths`` (list[str]), names of no files, and
            ``video_length`` (int).
        """
        return dict(
            video_id=video_idx,
            frame_ids=np.arange(self.length),
            img_paths=[self._frame_name(video_idx, i)
                       for i in range(self.length)],
            video_length=self.length)

    def prepare_test_data(self, video_idx: int, frame_idx: int) -> dict:
        """One frame, through the pipeline.

        Args:
            video_idx (int): The sequence, from 0.
            frame_idx (int): Its frame, from 0.

        Returns:
            dict: What the pipeline makes of it.

        Raises:
            UnreadableFrameError: If an image that it is made of cannot be
                read.
        """
        frame = self.get_sequence(video_idx).frame(int(frame_idx))
        bbox, visible = _corners(frame)
        code = coco_mask.encode(np.asfortranarray(frame.mask))
        code['counts'] = code['counts'].decode()
        return self.pipeline(dict(
            img=frame.img,
            img_shape=frame.img.shape[:2],
            ori_shape=frame.img.shape[:2],
            height=frame.img.shape[0],
            width=frame.img.shape[1],
            img_path=self._frame_name(video_idx, frame_idx),
            frame_id=int(frame_idx),
            video_id=int(video_idx),
            video_length=self.length,
            sequence_name=self.get_data_info(video_idx)['name'],
            mask_path=None,
            instances=[dict(bbox=bbox, visible=visible, bbox_label=0,
                            ignore_flag=0, mask=code)]))

    def _frame_name(self, video_idx: int, frame_idx: int) -> str:
        name = self.get_data_info(video_idx)['name']
        return f'{name}/{int(frame_idx) + 1:08d}.jpg'


def _corners(frame: SyntheticFrame) -> Tuple[np.ndarray, bool]:
    """(4,) x1, y1, x2, y2, zeros if not visible; and whether it is."""
    bbox = np.nan_to_num(frame.bbox)
    bbox[2:] += bbox[:2]
    return bbox, not np.isnan(frame.bbox[0])
