"""The sequences that a report is about."""
import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from siamattn_mm.datasets.reading.image_files import image_size
from siamattn_mm.datasets.reading.tracking_sequence import TrackingSequence


class ReportSequence(NamedTuple):
    """Ground truth of one sequence, and where its frames are.

    Attributes:
        data (TrackingSequence): Frames, boxes and masks.
        attributes (tuple[str, ...]): What makes it hard.
    """
    data: TrackingSequence
    attributes: Tuple[str, ...]

    @property
    def name(self) -> str:
        """str: Of its result files."""
        return self.data.name

    @property
    def truth(self) -> np.ndarray:
        """ndarray: (N, 4) x, y, w, h in pixels, nan where absent."""
        return self.data.boxes.astype(np.float64)

    @property
    def image_size(self) -> Tuple[int, int]:
        """tuple[int, int]: Width and height of the first frame."""
        return image_size(self.data.frame_path(0))


def sequences_of(dataset: Any,
                 attributes: Optional[Dict[str, List[str]]] = None
                 ) -> List[ReportSequence]:
    """The sequences of a data set.

    Args:
        dataset (SOTFolderDataset): Or one of its subclasses, the benchmarks.
        attributes (dict[str, list[str]], optional): By the sequence's name.
            Defaults to None: what the data set knows.

    Returns:
        list[ReportSequence]: In its order.

    Raises:
        TypeError: If the data set is another kind.
    """
    if not hasattr(dataset, 'get_sequence'):
        raise TypeError(
            f'a report needs a SOTFolderDataset or a benchmark of '
            f'siamattn_mm, but the config has a {type(dataset).__name__}')
    if attributes is None:
        attributes = dataset.metainfo.get('attributes', {})
    sequences = [
        dataset.get_sequence(i) for i in range(dataset.num_videos)
    ]
    return [
        ReportSequence(data, tuple(attributes.get(data.name, ())))
        for data in sequences
    ]


def read_attributes(path: str) -> Dict[str, List[str]]:
    """Read attributes of sequences.

    Args:
        path (str): JSON, ``{"Deer": ["fast motion", "blur"], ...}``.

    Returns:
        dict[str, list[str]]: By the sequence's name.

    Raises:
        ValueError: If the file holds something else.
    """
    with open(path, encoding='utf-8') as file:
        try:
            content = json.load(file)
        except ValueError as error:
            raise ValueError(f'{path}: not JSON ({error})') from error
    if not isinstance(content, dict) or not all(
            isinstance(names, list) and all(
                isinstance(name, str) for name in names)
            for names in content.values()):
        raise ValueError(f'{path}: expected an object with a list of '
                         'attributes for each sequence, as {"Deer": '
                         '["fast motion"]}')
    return content
