"""Data preprocessor that leaves test frames alone."""
from typing import Dict, Sequence

import torch
from mmtrack.models.data_preprocessors import TrackDataPreprocessor
from mmtrack.registry import MODELS
from torch import Tensor

from .ops.constants import upload


@MODELS.register_module()
class SOTDataPreprocessor(TrackDataPreprocessor):
    """Normalise crops, never whole frames.

    In training the batch holds crops: they are moved to the device as bytes,
    all in one copy that nobody waits for, and normalised there. What is to be
    learnt of them stays on the CPU, where the losses want to know how many
    targets and masks there are. In testing the batch holds one whole frame of
    which the tracker needs a small window, so the frame stays uint8 and on
    the CPU, and the tracker calls :meth:`normalize` on the window it has cut
    out.

    Args:
        **kwargs: As for ``TrackDataPreprocessor`` (``mean``, ``std``,
            ``bgr_to_rgb``...). The released SiamAttn checkpoints take BGR in
            0..255, without any of them.
    """

    def normalize(self, crops: Tensor) -> Tensor:
        """Turn crops into what the backbone takes.

        Args:
            crops (Tensor): BGR crops of shape (N, 3, H, W), 0..255, any
                dtype and device.

        Returns:
            Tensor: float32 of the same shape, on this module's device.
        """
        crops = crops.to(self.device, torch.float32)
        if self.channel_conversion:
            # An index would be moved to the device.
            crops = torch.cat(crops.split(1, dim=1)[::-1], dim=1)
        if self._enable_normalize:
            crops = (crops - self.mean) / self.std
        return crops

    def _is_plain_batch(self, data: dict) -> bool:
        """Whether nothing is to be padded, and nothing else to be done."""
        return self.batch_augments is None and all(
            len({frame.shape for frame in frames}) == 1
            and not any(side % self.pad_size_divisor
                        for side in frames[0].shape[-2:])
            for frames in data['inputs'].values())

    def _normalize_pairs(self, frames: Sequence[Tensor]) -> Tensor:
        """(T, C, H, W) of each pair: (N, T, C, H, W) float32."""
        frames = frames if isinstance(frames, Tensor) else torch.stack(
            list(frames))
        crops = upload(frames.flatten(0, 1), self.device)
        if crops.shape[1] == 3:
            return self.normalize(crops).unflatten(0, frames.shape[:2])
        return crops.float().unflatten(0, frames.shape[:2])

    def forward(self, data: dict, training: bool = False) -> Dict:
        """Preprocess a batch.

        Args:
            data (dict): ``inputs`` (dict of lists of (T, C, H, W) tensors)
                and ``data_samples``.
            training (bool): Whether the inputs are training crops.
                Defaults to False.

        Returns:
            dict: ``inputs`` (dict of (N, T, C, H, W) tensors: float32 on the
            device in training, the frames as they are in testing) and
            ``data_samples``.
        """
        if training and self._is_plain_batch(data):
            inputs = {
                key: self._normalize_pairs(frames)
                for key, frames in data['inputs'].items()
            }
            return dict(inputs=inputs, data_samples=data['data_samples'])
        if training:
            return super().forward(data, training)
        inputs = {
            key: torch.stack(list(frames))
            for key, frames in data['inputs'].items()
        }
        return dict(inputs=inputs, data_samples=data['data_samples'])
