"""Where the masks of a data set come from, in flat arrays."""
from typing import List, Optional, Union

import numpy as np
from pycocotools import mask as coco_mask

from ..reading.image_reader import ImageReader, UnreadableFrameError
from .string_table import StringTable


class MaskFiles:
    """Masks in image files, one file a frame.

    Args:
        paths (StringTable): Absolute paths of the files.
        object_ids (ndarray, optional): (M,) number that marks the object in
            each file (palette files with several objects). Defaults to None:
            everything above 0 is the object.
        path_ids (ndarray, optional): (M,) index into ``paths`` of each mask.
            Defaults to None: mask i is in file i.
    """

    def __init__(self,
                 paths: StringTable,
                 object_ids: Optional[np.ndarray] = None,
                 path_ids: Optional[np.ndarray] = None) -> None:
        self.paths = paths
        self.object_ids = object_ids
        self.path_ids = path_ids

    def read(self, index: int, reader: ImageReader, height: int,
             width: int) -> np.ndarray:
        """Read one mask.

        Args:
            index (int): Which mask.
            reader (ImageReader): Reads the file.
            height (int): Height of the image that the mask belongs to.
            width (int): Its width.

        Returns:
            ndarray: (H, W) uint8, 1 inside, 0 outside.

        Raises:
            UnreadableFrameError: If the file cannot be read or has another
                size than the image.
        """
        path_id = index if self.path_ids is None else self.path_ids[index]
        path = self.paths[path_id]
        mask = reader.mask(path)
        if mask.shape != (height, width):
            raise UnreadableFrameError(
                path, f'mask of {mask.shape[1]}x{mask.shape[0]} pixels for an '
                f'image of {width}x{height}')
        if self.object_ids is None:
            return (mask > 0).astype(np.uint8)
        return (mask == self.object_ids[index]).astype(np.uint8)


class CocoMasks:
    """Masks in COCO's two formats: polygons, and run-length codes.

    Polygons stay polygons until they are needed, since turning all of COCO's
    into pixels or run lengths takes minutes.

    Args:
        segmentations (list): Each a list of polygons (flat lists of x, y in
            image pixels), or a dict with ``counts`` and ``size``.
        name (str): File that they come from, for messages. Defaults to
            ``'annotations'``.

    Raises:
        ValueError: If run lengths do not add up to the image's pixels.
    """

    def __init__(self,
                 segmentations: List[Union[list, dict]],
                 name: str = 'annotations') -> None:
        self.name = name
        points, polygon_sizes, num_polygons, codes = [], [], [], []
        for segmentation in segmentations:
            if isinstance(segmentation, dict):
                num_polygons.append(0)
                codes.append(self._compress(segmentation))
                continue
            num_polygons.append(len(segmentation))
            codes.append(b'')
            for polygon in segmentation:
                polygon_sizes.append(len(polygon))
                points.append(np.asarray(polygon, dtype=np.float32).ravel())
        self.points = np.concatenate([np.zeros(0, np.float32)] + points)
        self.point_ends = np.cumsum([0] + polygon_sizes, dtype=np.int64)
        self.polygon_ends = np.cumsum([0] + num_polygons, dtype=np.int64)
        self.codes = StringTable(codes)

    def _compress(self, segmentation: dict) -> bytes:
        counts = segmentation['counts']
        if isinstance(counts, list):
            height, width = segmentation['size']
            if sum(counts) != height * width:
                raise ValueError(
                    f'{self.name}: run lengths that add up to {sum(counts)} '
                    f'for an image of {width}x{height} pixels')
            counts = coco_mask.frPyObjects(segmentation, height,
                                           width)['counts']
        return counts.encode() if isinstance(counts, str) else counts

    @property
    def nbytes(self) -> int:
        """int: Bytes that all arrays take."""
        return (self.points.nbytes + self.point_ends.nbytes +
                self.polygon_ends.nbytes + self.codes.nbytes)

    def read(self, index: int, reader: Optional[ImageReader], height: int,
             width: int) -> np.ndarray:
        """Draw one mask.

        Args:
            index (int): Which mask.
            reader (ImageReader, optional): Not used, here for the same
                signature as :class:`MaskFiles`.
            height (int): Height of the image that the mask belongs to.
            width (int): Its width.

        Returns:
            ndarray: (H, W) uint8, 1 inside, 0 outside.

        Raises:
            UnreadableFrameError: If the annotation cannot be drawn.
        """
        first, last = self.polygon_ends[index:index + 2]
        try:
            if first == last:
                code = dict(size=[height, width],
                            counts=self.codes.bytes(index))
            else:
                ends = self.point_ends
                code = coco_mask.merge(
                    coco_mask.frPyObjects([
                        self.points[ends[i]:ends[i + 1]].tolist()
                        for i in range(first, last)
                    ], height, width))
            mask = coco_mask.decode(code)
            # Where a code ends too early, pycocotools returns what was in
            # memory.
            if mask.max() > 1:
                raise ValueError('a run-length code that ends too early')
        except Exception as error:
            raise UnreadableFrameError(
                self.name, f'segmentation {index}: {error}') from error
        return mask
