"""The two passes of deformable RoI pooling, for any kernel."""
from abc import ABCMeta, abstractmethod
from typing import Optional, Sequence, Union

from mmengine.model import BaseModule
from torch import Tensor, nn

from .bin_sampling import check_output_size
from .layers import run_layers
from .paths import HasPaths


class BaseDeformRoIPooling(HasPaths, BaseModule, metaclass=ABCMeta):
    """Pool RoIs twice: to find offsets of the bins, then with them.

    Three fully connected layers turn the RoI pooled without offsets into an
    offset for every bin. The last one starts at zero, so that training starts
    from plain RoI pooling.

    Args:
        output_size (int or Sequence[int]): Bins P_h, P_w of a RoI.
        spatial_scale (float): Cells per unit of the RoIs.
        in_channels (int): Channels C of the feature maps.
        fc_channels (int): Width of the layers that give the offsets. Defaults
            to 1024.
        deformable (bool): Whether to use offsets. Without them there is one
            pass, and no parameters. Defaults to True.
        init_cfg (dict, optional): mmengine's. Defaults to None.

    Raises:
        ValueError: If an argument is not positive.
    """

    def __init__(self,
                 output_size: Union[int, Sequence[int]],
                 spatial_scale: float,
                 in_channels: int,
                 fc_channels: int = 1024,
                 deformable: bool = True,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg)
        self.output_size = check_output_size(output_size)
        for name, value in (('spatial_scale', spatial_scale),
                            ('in_channels', in_channels),
                            ('fc_channels', fc_channels)):
            if value <= 0:
                raise ValueError(f'{name} must be positive, but got {value!r}')
        self.spatial_scale = spatial_scale
        self.in_channels = in_channels
        self.fc_channels = fc_channels
        self.deformable = deformable
        self.offset_fc = None
        if deformable:
            bins = self.output_size[0] * self.output_size[1]
            self.offset_fc = nn.Sequential(
                nn.Linear(in_channels * bins, fc_channels),
                nn.ReLU(inplace=True), nn.Linear(fc_channels, fc_channels),
                nn.ReLU(inplace=True), nn.Linear(fc_channels, 2 * bins))
            self._zero_offsets()

    def init_weights(self) -> None:
        """Initialise as ``init_cfg`` says; offsets start at zero."""
        super().init_weights()
        pretrained = (
            isinstance(self.init_cfg, dict)
            and self.init_cfg.get('type') == 'Pretrained')
        if self.deformable and not pretrained:
            self._zero_offsets()

    def _zero_offsets(self) -> None:
        nn.init.zeros_(self.offset_fc[-1].weight)
        nn.init.zeros_(self.offset_fc[-1].bias)

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:
        """Pool RoIs.

        Args:
            input (Tensor): Feature maps, (N, C, H, W).
            rois (Tensor): RoIs, (R, 5): batch index, x1, y1, x2, y2, in units
                of 1 / ``spatial_scale`` cells.

        Returns:
            Tensor: Pooled features, (R, C, P_h, P_w).

        Raises:
            ValueError: If a shape is wrong.
        """
        if input.dim() == 4 and input.shape[1] != self.in_channels:
            raise ValueError(f'input must have {self.in_channels} channels, '
                             f'but got shape {tuple(input.shape)}')
        pooled = self.pool(input, rois, None)
        if not self.deformable:
            return pooled
        offset = run_layers(self.offset_fc, pooled.flatten(1))
        offset = offset.view(rois.shape[0], 2, *self.output_size)
        return self.pool(input, rois, offset)

    @abstractmethod
    def pool(self, input: Tensor, rois: Tensor,
             offset: Optional[Tensor]) -> Tensor:
        """One pass of the kernel.

        Args:
            input (Tensor): Feature maps, (N, C, H, W).
            rois (Tensor): RoIs, (R, 5).
            offset (Tensor, optional): Offsets, (R, 2, P_h, P_w), channel 0 =
                x, 1 = y.

        Returns:
            Tensor: Pooled features, (R, C, P_h, P_w).
        """

    @abstractmethod
    def kernel_repr(self) -> str:
        """The kernel's own arguments, for ``repr``."""

    def __repr__(self) -> str:
        return (f'{self.__class__.__name__}(output_size={self.output_size}, '
                f'spatial_scale={self.spatial_scale}, '
                f'in_channels={self.in_channels}, {self.kernel_repr()}, '
                f'fc_channels={self.fc_channels}, '
                f'deformable={self.deformable})')
