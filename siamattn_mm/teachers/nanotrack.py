"""NanoTrack v3's network, from its published ONNX files."""
import os.path as osp
from typing import Callable, Dict, List, Mapping, Tuple

import cv2
import numpy as np

# Of its maps, in crop pixels.
STRIDE = 16

Graph = Callable[[Mapping[str, np.ndarray]], List[np.ndarray]]


def _by_onnxruntime(path: str, threads: int) -> Graph:
    from siamattn_mm.deploy.files import require
    runtime = require('onnxruntime')
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = runtime.InferenceSession(
        path, options, providers=['CPUExecutionProvider'])
    return lambda feeds: session.run(None, feeds)


def _by_opencv(path: str, threads: int) -> Graph:
    # Threads are OpenCV's, of the whole process.
    net = cv2.dnn.readNetFromONNX(path)
    names = net.getUnconnectedOutLayersNames()

    def run(feeds: Mapping[str, np.ndarray]) -> List[np.ndarray]:
        for name, array in feeds.items():
            net.setInput(array, name)
        # The next call uses the same memory.
        return [array.copy() for array in net.forward(names)]

    return run


RUNTIMES: Dict[str, Callable[[str, int], Graph]] = {
    'onnxruntime': _by_onnxruntime,
    'opencv': _by_opencv
}


class NanoTrackNetwork:
    """Scores and boxes of search crops, on the CPU.

    Files are opened when they are first asked; a copy that was pickled opens
    them again.

    Source: https://github.com/HonglinChu/SiamTrackers, NanoTrack v3,
    Apache-2.0.

    Args:
        backbone (str): ONNX file of the backbone: 127 and 255 pixel BGR crops
            to maps.
        head (str): ONNX file of the head: template and search maps to logits
            (1, 2, 15, 15) and distances left, top, right, bottom
            (1, 4, 15, 15).
        threads (int): Of onnxruntime; OpenCV has its own number. Defaults to
            1.
        runtime (str): ``'onnxruntime'``, or the slower ``'opencv'``, which is
            how most people run it. Defaults to 'onnxruntime'.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: If there is no such runtime.
    """

    def __init__(self,
                 backbone: str,
                 head: str,
                 threads: int = 1,
                 runtime: str = 'onnxruntime') -> None:
        if runtime not in RUNTIMES:
            raise ValueError(f'runtime must be one of {sorted(RUNTIMES)}, but '
                             f'got {runtime!r}')
        for path in (backbone, head):
            if not osp.isfile(path):
                raise FileNotFoundError(
                    f'no file {path!r} of NanoTrack\'s: its backbone and its '
                    'head are wanted as ONNX files')
        self.backbone = backbone
        self.head = head
        self.threads = threads
        self.runtime = runtime
        self._graphs = None

    def features(self, crop: np.ndarray) -> np.ndarray:
        """Maps of a crop.

        Args:
            crop (np.ndarray): (S, S, 3) uint8, BGR; S is 127 for a template,
                255 for a search crop.

        Returns:
            np.ndarray: (1, 96, S / 16, S / 16) float32.
        """
        crop = crop.transpose(2, 0, 1)[None].astype(np.float32)
        return self._open()[0]({'input': crop})[0]

    def __call__(self, template: np.ndarray,
                 search: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Look for a template in a search crop.

        Args:
            template (np.ndarray): From :meth:`features`.
            search (np.ndarray): (S, S, 3) uint8 BGR crop.

        Returns:
            tuple[np.ndarray, np.ndarray]: Scores (15, 15), 0..1, and boxes
            (15, 15, 4), xyxy in crop pixels, counted at pixels' centres; the
            middle cell lies in the crop's middle.
        """
        logits, distances = self._open()[1](
            dict(input1=template, input2=self.features(search)))
        scores = 1 / (1 + np.exp(logits[0, 0] - logits[0, 1]))
        size = scores.shape[0]
        middle = (search.shape[0] - 1) / 2
        places = (np.arange(size) - size // 2) * STRIDE + middle
        x, y = np.meshgrid(places, places)
        left, top, right, bottom = distances[0]
        bboxes = np.stack([x - left, y - top, x + right, y + bottom], -1)
        return scores.astype(np.float32), bboxes.astype(np.float32)

    def _open(self) -> Tuple[Graph, ...]:
        if self._graphs is None:
            self._graphs = tuple(RUNTIMES[self.runtime](path, self.threads)
                                 for path in (self.backbone, self.head))
        return self._graphs

    def __getstate__(self) -> dict:
        return dict(self.__dict__, _graphs=None)
