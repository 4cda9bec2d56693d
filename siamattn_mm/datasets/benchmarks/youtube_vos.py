"""YouTube-VOS's validation and test sets."""
import json
import os.path as osp
from typing import Dict, List, Tuple

from mmtrack.registry import DATASETS

from ..reading.ground_truth import SequenceFolderError
from .base import BenchmarkSequence
from .reading import list_frames
from .vos import VOSBenchmarkDataset


@DATASETS.register_module()
class YouTubeVOSTestDataset(VOSBenchmarkDataset):
    """YouTube-VOS ``valid`` or ``test``, as unpacked.

    .. code-block:: none

        data_root/valid
        ├── JPEGImages/<video>/00000.jpg, 00005.jpg ...
        ├── Annotations/<video>/00000.png ...  (where an object appears first)
        └── meta.json

    One object of a video is the sequence ``<video>_<object>``, from the frame
    of its first mask to the video's last. The rest of the ground truth is on
    the server: ``OPEMetric(format_only=True, save_masks=True)`` and
    ``siamattn make-submission``.

    Args:
        data_root (str): The folder above ``valid`` and ``test``.
        subset (str): ``'valid'`` or ``'test'``. Defaults to 'valid'.
        kwargs: See ``BenchmarkDataset``.
    """

    def __init__(self, data_root: str, subset: str = 'valid',
                 **kwargs) -> None:
        self.subset = subset
        # Sequence: video, the object's number, stem of its first frame.
        self._objects: Dict[str, Tuple[str, int, str]] = {}
        super().__init__(data_root=data_root, **kwargs)

    def list_sequences(self) -> List[str]:
        """The objects of the videos in ``meta.json``."""
        path = osp.join(self.data_root, self.subset, 'meta.json')
        if not osp.isfile(path):
            raise SequenceFolderError(
                f'{path}: no such file; expected the videos and objects')
        try:
            with open(path, encoding='utf-8') as file:
                videos = json.load(file)['videos']
            for video, entry in videos.items():
                for number, target in entry['objects'].items():
                    self._objects[f'{video}_{number}'] = (video, int(number),
                                                          target['frames'][0])
        except json.JSONDecodeError as error:
            raise SequenceFolderError(
                f'{path}, line {error.lineno}: {error.msg}') from error
        except (KeyError, TypeError, IndexError, ValueError,
                AttributeError) as error:
            raise SequenceFolderError(
                f'{path}: not as expected ({error!r}); expected videos.'
                '<video>.objects.<number>.frames') from error
        return list(self._objects)

    def read_sequence(self, name: str) -> BenchmarkSequence:
        """Read one object.

        Args:
            name (str): E.g. ``'003234408d_1'``.

        Returns:
            BenchmarkSequence: Its arrays.
        """
        video, number, first = self._objects[name]
        folder = osp.join(self.subset, 'JPEGImages', video)
        frames = list_frames(osp.join(self.data_root, folder))
        stems = [osp.splitext(frame)[0] for frame in frames]
        if first not in stems:
            raise SequenceFolderError(
                f'{osp.join(self.data_root, folder, first)}.jpg: no such '
                f'image, but meta.json says that object {number} appears in '
                'it first')
        start = stems.index(first)
        mask = osp.join(self.subset, 'Annotations', video, f'{first}.png')
        return self.make_object(
            name, [osp.join(folder, frame) for frame in frames[start:]],
            [mask] + [''] * (len(frames) - start - 1), number)
