"""A dilated depth-wise conv that can be trained in bfloat16 on a CPU."""
import torch
from torch import Tensor, nn

from siamattn_mm.torch_compat import autocast_dtype

from .full_precision import full_precision


class DilatedDepthwiseConv2d(nn.Conv2d):
    """``nn.Conv2d`` for dilated depth-wise kernels.

    On CPUs with products of bfloat16 the gradient of such a conv's weight is
    arbitrary numbers (infinite ones, too) in bfloat16 and channels-last
    memory, from PyTorch 2.0 to 2.13 at least, where maps are some 30 pixels
    wide or more. So while it is trained on a CPU it computes in float32,
    which takes half as long besides. Everything else is ``nn.Conv2d``'s.
    """

    @classmethod
    def of(cls, conv: nn.Conv2d) -> 'DilatedDepthwiseConv2d':
        """Take another conv's place, with its parameters.

        Args:
            conv (nn.Conv2d): Zero-padded.

        Returns:
            DilatedDepthwiseConv2d: Its weight and bias are the same objects.
        """
        new = cls(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
            bias=conv.bias is not None,
            device='meta')
        new.weight, new.bias = conv.weight, conv.bias
        return new.train(conv.training)

    def forward(self, x: Tensor) -> Tensor:
        """Run the conv.

        Args:
            x (Tensor): (N, C, H, W).

        Returns:
            Tensor: (N, C, H', W'), in the type that ``nn.Conv2d`` gives.
        """
        dtype = autocast_dtype(x.device.type) or x.dtype
        if (x.device.type != 'cpu' or dtype is not torch.bfloat16
                or not torch.is_grad_enabled()
                or not self.weight.requires_grad):
            return super().forward(x)
        with full_precision(x.device):
            bias = None if self.bias is None else self.bias.float()
            out = self._conv_forward(x.float(), self.weight.float(), bias)
        return out.to(dtype)
