"""Data set of a folder of sequences."""
import os.path as osp
from typing import List, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
from mmcv.transforms import LoadImageFromFile
from mmtrack.datasets import BaseSOTDataset
from mmtrack.registry import DATASETS

from .reading.ground_truth import SequenceFolderError
from .reading.image_files import image_size
from .reading.image_reader import decode_values, read_bytes
from .reading.sequence_folder import (
    find_sequences,
    read_sequence,
    select_sequences,
)
from .reading.tracking_sequence import TrackingSequence
from .reading.value_stretch import check_value_range


@DATASETS.register_module()
class SOTFolderDataset(BaseSOTDataset):
    """A folder of sequences.

    Its layout: :mod:`siamattn_mm.datasets.reading.sequence_folder`.

    In test mode it gives one frame at a time, in the order of mmtrack's
    ``VideoSampler``. Beside what mmtrack's data sets give, the results hold
    ``sequence_name`` (str) and ``mask_path`` (str, or None without masks):
    name both in the ``meta_keys`` of ``PackTrackInputs``.

    The box of a frame, ``instances[0]['bbox']``, is (4,) float32 x1, y1, x2,
    y2 with x2 = x + w and y2 = y + h, or, in all frames of a sequence with
    8-number ground truth, the (8,) corners. Where the target is absent it is
    zeros, never nan, and ``instances[0]['visible']`` is False.

    Args:
        data_root (str): The folder that holds one folder a sequence.
        sequences (str | Sequence[str], optional): Names or patterns
            (``'davis-*'``) of the wanted ones, or, with ``!`` in front, of
            unwanted ones. Defaults to None: all.
        value_range (Sequence[float], optional): Of frames of more than 8
            bits: the values that become 0 and 255. Defaults to None: chosen
            by the first frame of each sequence, see ``LoadFrame``.
        kwargs: See mmtrack's ``BaseSOTDataset``.

    Raises:
        SequenceFolderError: If a folder or file is not as expected, or, in
            test mode, if the target is absent in the first frame.
        ValueError: If ``value_range`` is not two numbers, low < high.
    """

    def __init__(self,
                 data_root: str,
                 sequences: Union[None, str, Sequence[str]] = None,
                 value_range: Optional[Sequence[float]] = None,
                 **kwargs) -> None:
        self.sequences = sequences
        self.value_range = check_value_range(value_range)
        self._test_video = None
        self._test_size: Optional[Tuple[int, int]] = None
        super().__init__(data_root=data_root, **kwargs)

    def list_sequences(self) -> List[str]:
        """Names of all sequences, for subclasses to replace.

        Returns:
            list[str]: In the order of the data set.
        """
        return [osp.basename(path) for path in find_sequences(self.data_root)]

    def read_sequence(self, name: str) -> TrackingSequence:
        """Read one sequence, for subclasses to replace.

        Args:
            name (str): One of :meth:`list_sequences`.

        Returns:
            TrackingSequence: Its arrays.
        """
        return read_sequence(osp.join(self.data_root, name))

    def frame_meta(self, sequence: TrackingSequence, frame_idx: int) -> dict:
        """What a frame's results hold beside image and annotation.

        Args:
            sequence (TrackingSequence): The sequence.
            frame_idx (int): The frame, from 0.

        Returns:
            dict: ``sequence_name`` and ``mask_path``.
        """
        return dict(
            sequence_name=sequence.name,
            mask_path=sequence.mask_path(frame_idx))

    def load_data_list(self) -> List[dict]:
        """Read the ground truth of all sequences.

        Returns:
            list[dict]: One a sequence; the frames are counted from 0.
        """
        self.data_root = osp.expanduser(self.data_root or '')
        names = self.list_sequences()
        if self.sequences is not None:
            names = select_sequences(names, self.sequences, self.data_root)
        data_list = []
        for name in names:
            sequence = self.read_sequence(name)
            if self.test_mode and not sequence.visible[0]:
                raise SequenceFolderError(
                    f'{sequence.folder}, line 1 of the ground truth: the '
                    'target is absent in the first frame, so that no tracker '
                    'can be initialised')
            data_list.append(
                dict(
                    sequence=sequence,
                    start_frame_id=0,
                    end_frame_id=len(sequence) - 1))
        return data_list

    def get_sequence(self, video_idx: int) -> TrackingSequence:
        """The arrays of one sequence.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            TrackingSequence: A copy.
        """
        return self.get_data_info(video_idx)['sequence']

    def get_bboxes_from_video(self, video_idx: int) -> np.ndarray:
        """The boxes of one sequence.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            ndarray: (N, 4) float32 x, y, w, h, zeros where the target is
            absent, which mmtrack then takes as not visible.
        """
        return np.nan_to_num(self.get_sequence(video_idx).boxes)

    def get_ann_infos_from_video(self, video_idx: int) -> dict:
        """The annotations of one sequence.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            dict: ``bboxes`` (N, 4) float32 x1, y1, x2, y2, or, in test mode,
            (N, 8) corners if that is the ground truth; ``bboxes_isvalid`` and
            ``visible`` (N,) bool.
        """
        ann_infos = super().get_ann_infos_from_video(video_idx)
        polygons = self.get_sequence(video_idx).polygons
        if self.test_mode and polygons is not None:
            ann_infos['bboxes'] = np.nan_to_num(polygons)
        return ann_infos

    def get_img_infos_from_video(self, video_idx: int) -> dict:
        """The images of one sequence.

        Args:
            video_idx (int): Which one, from 0.

        Returns:
            dict: ``video_id`` (int), ``frame_ids`` (N,) from 0,
            ``img_paths`` (list[str]) and ``video_length`` (int).
        """
        sequence = self.get_sequence(video_idx)
        return dict(
            video_id=video_idx,
            frame_ids=np.arange(len(sequence)),
            img_paths=sequence.frame_paths,
            video_length=len(sequence))

    def prepare_test_data(self, video_idx: int, frame_idx: int) -> dict:
        """One frame, through the pipeline.

        Args:
            video_idx (int): The sequence, from 0.
            frame_idx (int): Its frame, from 0.

        Returns:
            dict: What the pipeline makes of it.

        Raises:
            SequenceFolderError: If the image cannot be read, has another size
                than the first of its sequence, or has more than 8 bits and
                the pipeline would cut most of them off.
        """
        if self._test_video is None or self._test_video[0] != video_idx:
            sequence = self.get_sequence(video_idx)
            self._test_video = (video_idx, sequence,
                                self.get_ann_infos_from_video(video_idx))
            self._test_size = None
            self._check_bits(sequence.frame_path(0))
        _, sequence, ann_infos = self._test_video
        img_path = sequence.frame_path(frame_idx)
        instance = dict(
            bbox=ann_infos['bboxes'][frame_idx],
            visible=bool(ann_infos['visible'][frame_idx]),
            bbox_label=0)
        results = dict(
            img_path=img_path,
            first_img_path=sequence.frame_path(0),
            value_range=self.value_range,
            frame_id=int(frame_idx),
            video_id=int(video_idx),
            video_length=len(sequence),
            instances=[instance],
            **self.frame_meta(sequence, frame_idx))
        try:
            results = self.pipeline(results)
        except Exception as error:
            # What the loader says differs between mmcv's versions and often
            # does not name the file.
            reason = _why_unreadable(img_path)
            if reason is None:
                raise
            raise SequenceFolderError(f'{img_path}: {reason}') from error
        self._check_size(sequence, img_path, results)
        return results

    def _check_size(self, sequence: TrackingSequence, img_path: str,
                    results: dict) -> None:
        """Boxes are pixels of the first frame: others have its size."""
        if self._test_size is None:
            self._test_size = image_size(sequence.frame_path(0))
        size, found = self._test_size, _decoded_size(results)
        if found is None:
            found = image_size(img_path)
        if found != size:
            raise SequenceFolderError(
                f'{img_path}: the frame is {found[0]}x{found[1]}, but the '
                f'first one, {sequence.frame_names[0]}, is {size[0]}x'
                f'{size[1]}; expected frames of one size')

    def _check_bits(self, path: str) -> None:
        loaders = [
            step for step in self.pipeline.transforms
            if isinstance(step, LoadImageFromFile)
        ]
        if not loaders or _why_unreadable(path) is not None:
            return
        image = decode_values(read_bytes(path), path)
        if image.dtype != np.uint8:
            raise SequenceFolderError(
                f'{path}: {image.dtype} pixels, of which LoadImageFromFile '
                'keeps a few grey levels; read them with '
                'dict(type=\'LoadFrame\') in the pipeline, which stretches '
                'them (value_range of the data set)')


def _decoded_size(results: dict) -> Optional[Tuple[int, int]]:
    """Width and height of what the loader read, if the pipeline tells."""
    sample = (results or {}).get('data_samples')
    shape = getattr(sample, 'ori_shape', (results or {}).get('ori_shape'))
    return None if shape is None else (int(shape[1]), int(shape[0]))


def _why_unreadable(path: str) -> Optional[str]:
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        return f'cannot be read ({error.strerror})'
    if data.size == 0 or cv2.imdecode(data, cv2.IMREAD_COLOR) is None:
        return 'not a readable image'
    return None
