"""What an evaluation has finished, on disk, so that it can be resumed."""
import hashlib
import os
import os.path as osp
import pickle
from typing import Any, Optional

import torch
from mmengine.config import Config
from torch import nn

from siamattn_mm.version import __version__

from .result_files import write_atomically


class FinishedSequences:
    """A file for each finished sequence, with a fingerprint.

    What is read back was made with the same fingerprint, or it counts as not
    there. A file is there complete or not at all, and belongs to one
    sequence, so that several processes may share the folder.

    Args:
        folder (str): Where the files go.
        fingerprint (str): Of everything that decides a result, see
            :func:`fingerprint_of`.
    """

    def __init__(self, folder: str, fingerprint: str) -> None:
        self.folder = folder
        self.fingerprint = fingerprint

    def save(self, sequence: str, content: Any) -> None:
        """Remember that a sequence is finished.

        Args:
            sequence (str): Its name.
            content (Any): What is needed to take it over; can be pickled.
        """
        write_atomically(
            self._path(sequence),
            pickle.dumps((self.fingerprint, content), protocol=4))

    def load(self, sequence: str) -> Optional[Any]:
        """What :meth:`save` was given.

        Args:
            sequence (str): Its name.

        Returns:
            Any: The content; None if the sequence is not finished, or was
            with another fingerprint, or by an incompatible version.
        """
        try:
            with open(self._path(sequence), 'rb') as file:
                fingerprint, content = pickle.load(file)
        except (OSError, ValueError, EOFError, AttributeError, ImportError,
                pickle.UnpicklingError):
            return None
        return content if fingerprint == self.fingerprint else None

    def remove(self, sequence: str) -> None:
        """Forget a sequence, whatever its fingerprint."""
        if osp.isfile(self._path(sequence)):
            os.remove(self._path(sequence))

    def _path(self, sequence: str) -> str:
        return osp.join(self.folder, f'{sequence}.pkl')


def fingerprint_of(cfg: Config, model: nn.Module, annotations: bytes) -> str:
    """Fingerprint of everything that decides the results of a test.

    Work dir, launcher, number of workers and the checkpoint's path do not;
    its weights do, and PyTorch's number of threads, by which it adds in
    another order.

    Args:
        cfg (Config): The Runner's.
        model (nn.Module): With its weights loaded.
        annotations (bytes): Of the data set.

    Returns:
        str: 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    loader = cfg.get('test_dataloader') or {}
    for part in (__version__, torch.__version__, torch.get_num_threads(),
                 cfg.get('model'), loader.get('dataset'),
                 cfg.get('test_evaluator'), cfg.get('test_cfg'),
                 cfg.get('randomness')):
        digest.update(repr(part).encode())
    digest.update(annotations)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}'.encode())
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
