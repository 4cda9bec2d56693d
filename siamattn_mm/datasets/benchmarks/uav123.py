"""UAV123."""
import os.path as osp
from typing import Dict, List, Tuple

from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError
from .base import BenchmarkDataset, BenchmarkSequence
from .reading import list_frames, read_attributes, read_truth

# Last frame of the sequences that have a folder of their own.
_WHOLE = """
bike1 3085, bike2 553, bike3 433, boat1 901, boat2 799, boat3 901, boat4 553,
boat5 505, boat6 805, boat7 535, boat8 685, boat9 1399, building1 469,
building2 577, building3 829, building4 787, building5 481, car10 1405,
car11 337, car12 499, car13 415, car14 1327, car15 469, car17 1057,
car18 1207, car1_s 1475, car2 1321, car2_s 320, car3 1717, car3_s 1300,
car4 1345, car4_s 830, car5 745, car7 1033, car9 1879, person1 799,
person10 1021, person11 721, person13 883, person15 1339, person16 1147,
person18 1393, person1_s 1600, person20 1783, person21 487, person22 199,
person23 397, person2_s 250, person3 643, person3_s 505, person6 901,
person9 661, truck1 463, truck2 385, truck3 535, uav2 133, uav3 265, uav4 157,
uav5 139, uav6 109, uav7 373, uav8 301, wakeboard1 421, wakeboard10 469,
wakeboard2 733, wakeboard3 823, wakeboard4 697, wakeboard5 1675,
wakeboard6 1165, wakeboard7 199, wakeboard8 1543, wakeboard9 355
"""
# First and last frame of the sequences <folder>_1, <folder>_2, ... that are
# cut out of one folder.
_PARTS = """
bird1 1-253 775-1477 1573-2437, car1 1-751 751-1627 1627-2629,
car16 1-415 415-1993, car6 1-487 487-1807 1807-2953 2953-3925 3925-4861,
car8 1-1357 1357-2575, group1 1-1333 1333-2515 2515-3925 3925-4873,
group2 1-907 907-1771 1771-2683, group3 1-1567 1567-2827 2827-4369 4369-5527,
person12 1-601 601-1621, person14 1-847 847-1813 1813-2923,
person17 1-1501 1501-2347, person19 1-1243 1243-2791 2791-4357,
person2 1-1189 1189-2623, person4 1-1501 1501-2743, person5 1-877 877-2101,
person7 1-1249 1249-2065, person8 1-1075 1075-1525, truck4 1-577 577-1261,
uav1 1-1555 1555-2377 2473-3469
"""


def _frame_ranges() -> Dict[str, Tuple[str, int, int]]:
    ranges = {}
    for entry in _WHOLE.split(','):
        folder, last = entry.split()
        ranges[folder] = (folder, 1, int(last))
    for entry in _PARTS.split(','):
        folder, *parts = entry.split()
        for i, part in enumerate(parts, start=1):
            first, last = part.split('-')
            ranges[f'{folder}_{i}'] = (folder, int(first), int(last))
    return ranges


@DATASETS.register_module()
class UAV123TestDataset(BenchmarkDataset):
    """UAV123, as unpacked: 123 sequences out of 91 folders of frames.

    .. code-block:: none

        data_root
        ├── data_seq/UAV123/bird1/000001.jpg ...
        ├── anno/UAV123/bird1_1.txt, bird1_2.txt, bird1_3.txt ...
        └── anno/UAV123/att/bird1_1.txt ...  (optional: attributes)

    Args:
        data_root (str): The folder above.
        kwargs: See ``BenchmarkDataset``.
    """
    OFFICIAL_LENGTH = 123
    ATTRIBUTES = ('SV', 'ARC', 'LR', 'FM', 'FOC', 'POC', 'OV', 'BC', 'IV',
                  'VC', 'CM', 'SOB')
    # Name: folder, number of the first and of the last frame.
    FRAME_RANGES = _frame_ranges()

    def list_sequences(self) -> List[str]:
        """The 123 sequences, whether they are there or not."""
        return sorted(self.FRAME_RANGES)

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one sequence.

        Args:
            name (str): E.g. ``'bird1_2'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        folder, first, last = self.FRAME_RANGES[name]
        path = osp.join(self.data_root, 'data_seq', 'UAV123', folder)
        frames = [f'{number:06d}.jpg' for number in range(first, last + 1)]
        missing = set(frames).difference(list_frames(path))
        if missing:
            raise SequenceFolderError(
                f'{osp.join(path, min(missing))}: no such image; {name} is '
                f'frames {first} to {last} of this folder')
        annotations = osp.join(self.data_root, 'anno', 'UAV123')
        boxes, _ = read_truth(osp.join(annotations, f'{name}.txt'), frames)
        return self.make_sequence(
            name,
            path,
            frames,
            boxes,
            attributes=read_attributes(
                osp.join(annotations, 'att'), [name], self.ATTRIBUTES))
