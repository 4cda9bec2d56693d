"""OTB100 (OTB2015, TB-100)."""
import os.path as osp
import re
from typing import List

from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError
from ..reading.image_files import list_files
from .base import BenchmarkDataset, BenchmarkSequence
from .reading import list_frames, read_attributes, read_truth

_FOLDERS = """
Basketball Biker Bird1 Bird2 BlurBody BlurCar1 BlurCar2 BlurCar3 BlurCar4
BlurFace BlurOwl Board Bolt Bolt2 Box Boy Car1 Car2 Car24 Car4 CarDark
CarScale ClifBar Coke Couple Coupon Crossing Crowds Dancer Dancer2 David
David2 David3 Deer Diving Dog Dog1 Doll DragonBaby Dudek FaceOcc1 FaceOcc2
Fish FleetFace Football Football1 Freeman1 Freeman3 Freeman4 Girl Girl2 Gym
Human2 Human3 Human4 Human5 Human6 Human7 Human8 Human9 Ironman Jogging Jump
Jumping KiteSurf Lemming Liquor Man Matrix Mhyang MotorRolling MountainBike
Panda RedTeam Rubik Shaking Singer1 Singer2 Skater Skater2 Skating1 Skating2
Skiing Soccer Subway Surfer Suv Sylvester Tiger1 Tiger2 Toy Trans Trellis
Twinnings Vase Walking Walking2 Woman
""".split()
# Two people are targets, a sequence each.
_TWO_TARGETS = ('Jogging', 'Skating2')
# First and last number of the images that are annotated.
_RANGES = dict(
    David=(300, 770),
    Diving=(1, 215),
    Football1=(1, 74),
    Freeman3=(1, 460),
    Freeman4=(1, 283))
# Frames at the start that the benchmark's `initOmit` leaves out.
_OMITTED = dict(Tiger1=5)


@DATASETS.register_module()
class OTB100TestDataset(BenchmarkDataset):
    """OTB100, as unpacked from the benchmark's 98 archives.

    .. code-block:: none

        data_root
        ├── Basketball/img/0001.jpg ...
        ├── Basketball/groundtruth_rect.txt
        ├── Jogging/groundtruth_rect.1.txt and .2.txt  -> Jogging-1, Jogging-2
        └── anno/att/Basketball.txt  (optional, of the toolkit: attributes)

    The target of ``Human4`` is the second one: its
    ``groundtruth_rect.1.txt`` is empty. ``David``, ``Diving``,
    ``Football1``, ``Freeman3`` and ``Freeman4`` are annotated in a part of
    their images, and ``Tiger1`` starts five frames late, as in the toolkit
    and in mmtrack (got10k's toolkit starts it at the first frame).
    Coordinates count from 1 in these files and are taken as they are, as by
    everyone.

    Args:
        data_root (str): The folder above.
        kwargs: See ``BenchmarkDataset``.
    """
    OFFICIAL_LENGTH = 100
    ATTRIBUTES = ('IV', 'OPR', 'SV', 'OCC', 'DEF', 'MB', 'FM', 'IPR', 'OV',
                  'BC', 'LR')

    def list_sequences(self) -> List[str]:
        """The 100 sequences, whether they are there or not."""
        return [
            name for folder in _FOLDERS
            for name in ([f'{folder}-1', f'{folder}-2'] if folder in
                         _TWO_TARGETS else [folder])
        ]

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one sequence.

        Args:
            name (str): E.g. ``'Basketball'`` or ``'Jogging-1'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        folder, _, target = name.partition('-')
        path = osp.join(self.data_root, folder)
        frames = list_frames(osp.join(path, 'img'))
        if folder in _RANGES:
            first, last = _RANGES[folder]
            frames = [
                frame for frame in frames if first <= _number(frame) <= last
            ]
            if not frames:
                raise SequenceFolderError(
                    f'{osp.join(path, "img")}: no image has a number from '
                    f'{first} to {last}, the annotated ones')
        boxes, _ = read_truth(_truth_path(path, target), frames)
        omitted = _OMITTED.get(folder, 0)
        return self.make_sequence(
            name,
            path, [osp.join('img', frame) for frame in frames[omitted:]],
            boxes[omitted:],
            attributes=read_attributes(
                osp.join(self.data_root, 'anno', 'att'),
                [name, name.replace('-', '.'), f'{name}-2'], self.ATTRIBUTES))


def _number(frame: str) -> int:
    digits = re.sub(r'\D', '', osp.splitext(frame)[0])
    return int(digits) if digits else -1


def _truth_path(path: str, target: str) -> str:
    if target:
        return osp.join(path, f'groundtruth_rect.{target}.txt')
    # Human4 has .1 (empty) and .2.
    names = [
        name for name in list_files(path, ('.txt', ))
        if name.startswith('groundtruth_rect')
        and osp.getsize(osp.join(path, name)) > 2
    ]
    return osp.join(path, names[0] if names else 'groundtruth_rect.txt')
