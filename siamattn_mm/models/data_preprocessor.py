"""Data preprocessor that leaves test frames alone."""
from typing import Dict

import torch
from mmtrack.models.data_preprocessors import TrackDataPreprocessor
from mmtrack.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class SOTDataPreprocessor(TrackDataPreprocessor):
    """Normalise crops, never whole frames.

    In training it is mmtrack's ``TrackDataPreprocessor``: the batch holds
    crops. In testing the batch holds one whole frame of which the tracker
    needs a small window, so the frame stays uint8 and on the CPU, and the
    tracker calls :meth:`normalize` on the window it has cut out.

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
            crops = crops[:, [2, 1, 0]]
        if self._enable_normalize:
            crops = (crops - self.mean) / self.std
        return crops

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
        if training:
            return super().forward(data, training)
        inputs = {
            key: torch.stack(list(frames))
            for key, frames in data['inputs'].items()
        }
        return dict(inputs=inputs, data_samples=data['data_samples'])
