"""A video's results as text: a table, and JSON with the masks."""
import csv
import json
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
from pycocotools import mask as coco_mask

from siamattn_mm.utils.files import written_whole

from .tracker import Result

COLUMNS = ('frame', 'x', 'y', 'w', 'h', 'score', 'x1', 'y1', 'x2', 'y2', 'x3',
           'y3', 'x4', 'y4', 'lost', 'id')


class FrameRecord(NamedTuple):
    """What is written down about one frame.

    Attributes:
        frame (int): Its number in the video, from 0.
        bbox (list[float]): x, y, w, h in pixels.
        score (float, optional): 0..1; None where the box was given.
        polygon (list[float], optional): x1, y1, ..., x4, y4, corners of the
            rotated box.
        mask (dict, optional): Run lengths as COCO has them: ``size`` (H, W)
            and ``counts``.
        lost (bool): Whether the target is lost; its box is not followed then.
            Defaults to False.
        id (int): Of the target. Defaults to 1.
    """
    frame: int
    bbox: List[float]
    score: Optional[float]
    polygon: Optional[List[float]]
    mask: Optional[Dict[str, Any]]
    lost: bool = False
    id: int = 1


def record_of(frame: int, result: Result, target: int = 1) -> FrameRecord:
    """Take down a result.

    Args:
        frame (int): Number of the frame, from 0.
        result (Result): A nan score becomes None.
        target (int): Its id. Defaults to 1.

    Returns:
        FrameRecord: Numbers rounded to 4 decimals; they are pixels.
    """

    def rounded(values: Optional[np.ndarray]) -> Optional[List[float]]:
        if values is None:
            return None
        return np.asarray(values, np.float64).ravel().round(4).tolist()

    mask = None
    if result.mask is not None:
        mask = coco_mask.encode(np.asfortranarray(result.mask, np.uint8))
        mask = dict(
            size=[int(n) for n in mask['size']],
            counts=mask['counts'].decode('ascii'))
    score = None if np.isnan(result.score) else round(float(result.score), 6)
    return FrameRecord(frame, rounded(result.bbox), score,
                       rounded(result.polygon), mask, bool(result.lost),
                       target)


def write_csv(path: str, records: Sequence[FrameRecord]) -> None:
    """Write one line a frame and target; what is not known is left empty.

    Args:
        path (str): The file; it is written whole or not at all.
        records (Sequence[FrameRecord]): Lines have :data:`COLUMNS`.
    """
    with written_whole(path) as temporary:
        with open(temporary, 'w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file, lineterminator='\n')
            writer.writerow(COLUMNS)
            for record in records:
                # csv writes None as nothing.
                writer.writerow([
                    record.frame, *record.bbox, record.score,
                    *(record.polygon or [None] * 8),
                    int(record.lost), record.id
                ])


def write_json(path: str, header: Dict[str, Any],
               records: Sequence[FrameRecord]) -> None:
    """Write an object with the header's keys and a list ``frames``.

    Args:
        path (str): The file; it is written whole or not at all.
        header (dict[str, Any]): About the whole video.
        records (Sequence[FrameRecord]): A JSON object and a line each; what
            is not known is null.
    """
    lines = ',\n  '.join(json.dumps(record._asdict()) for record in records)
    text = json.dumps(dict(header, frames=[]), indent=1)
    text = text[:text.rindex('[]')] + f'[\n  {lines}\n ]\n}}\n'
    with written_whole(path) as temporary:
        with open(temporary, 'w', encoding='utf-8') as file:
            file.write(text)
