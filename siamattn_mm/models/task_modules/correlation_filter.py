"""A correlation filter that learns the target while it is tracked."""
import math
from typing import NamedTuple, Optional, Sequence, Tuple

import torch
from mmtrack.registry import TASK_UTILS
from torch import Tensor

from ..ops.constants import cached_constant
from ..ops.full_precision import full_precision
from .feature_norm import centred

Feats = Sequence[Tensor]
# A lower peak is noise, not to be stretched to 1.
MIN_PEAK = 1e-3
# Slope of the logistic function at the filter's edge.
EDGE = 4.


class FilterState(NamedTuple):
    """What a filter has learnt, in the frequency domain.

    The last dimension of what is complex is the real and imaginary part.

    Attributes:
        numerator (Tensor): (C, H, W // 2 + 1, 2), a running mean.
        denominator (Tensor): (H, W // 2 + 1), a running mean.
        filter (Tensor): (K, C, H, W // 2 + 1, 2), the ratio of the two, cut
            to each support.
    """
    numerator: Tensor
    denominator: Tensor
    filter: Tensor


def _waves(size: int) -> Tuple[Tensor, Tensor]:
    """Cosines and sines of the transform, (size, size) float64 each."""
    place = torch.arange(size, dtype=torch.float64)
    angle = place[:, None] * place * (2 * torch.pi / size)
    return angle.cos(), angle.sin()


@cached_constant()
def _window(size: int, device: torch.device) -> Tensor:
    """(size, size), that maps are multiplied with."""
    window = torch.hann_window(size + 2, periodic=False)[1:-1]
    return (window[:, None] * window).to(device)


@cached_constant()
def _forward_matrices(size: int,
                      device: torch.device) -> Tuple[Tensor, Tensor]:
    """Columns (2 * H, 2 * H), both parts stacked, and rows (W, 2 * half).

    Along rows, the real and the imaginary part are side by side.
    """
    cos, sin = _waves(size)
    half = size // 2 + 1
    columns = torch.cat([
        torch.cat([cos, sin], dim=1),
        torch.cat([-sin, cos], dim=1),
    ])
    rows = torch.cat([cos[:, :half], -sin[:, :half]], dim=1)
    return columns.float().to(device), rows.float().to(device)


@cached_constant()
def _back_matrices(size: int, out_size: int,
                   device: torch.device) -> Tuple[Tensor, Tensor]:
    """Columns and rows of the inverse, for the values around zero shift."""
    cos, sin = _waves(size)
    half = size // 2 + 1
    # All but the first column, and the last one of even sizes, stand for
    # their conjugates too.
    share = torch.full((half, ), 2., dtype=torch.float64)
    share[0] = 1
    if size % 2 == 0:
        share[-1] = 1
    share /= size**2
    at = (torch.arange(out_size) - out_size // 2) % size
    c, s = cos[at], sin[at]
    columns = torch.cat([
        torch.cat([c, -s], dim=1),
        torch.cat([s, c], dim=1),
    ])
    rows = torch.cat([(c[:, :half] * share).t(), -(s[:, :half] * share).t()])
    return columns.float().to(device), rows.float().to(device)


def _forward(maps: Tensor) -> Tensor:
    """(C, S, S) maps to (C, S, S // 2 + 1, 2).

    In graphs it is a matrix product: not every runtime has an FFT, and for
    maps this small it hardly matters.
    """
    if not torch.onnx.is_in_onnx_export():
        return torch.view_as_real(torch.fft.rfft2(maps))
    size = maps.shape[-1]
    columns, rows = _forward_matrices(int(size), maps.device)
    real, imag = (maps @ rows).chunk(2, dim=-1)
    out = columns @ torch.cat([real, imag], dim=1)
    return torch.stack(out.split(int(size), dim=1), dim=-1)


def _back_around_zero(spectrum: Tensor, size: int) -> Tensor:
    """(S, S // 2 + 1, 2) to the (size, size) values around zero shift."""
    columns, rows = _back_matrices(int(spectrum.shape[0]), size,
                                   spectrum.device)
    real, imag = (columns @ torch.cat(spectrum.unbind(-1))).split(size)
    return torch.cat([real, imag], dim=1) @ rows


@TASK_UTILS.register_module()
class CorrelationFilter:
    """Discriminative correlation filter over the search branch's features.

    A siamese network knows the target from one frame and nothing else; it
    was never shown what else is in this video. This filter (MOSSE, Bolme et
    al., CVPR 2010, with several channels that share their denominator) learns
    both from every frame, with the neck's features. What it answers is
    blended into the ranking of the proposals, as DROL does it
    (https://arxiv.org/abs/1909.02959); the share is
    ``test_cfg.rpn.filter_influence``. Not in the paper.

    The answer is the mean of several filters', which differ in what they look
    at: the target's box alone (as CSR-DCF's does,
    https://arxiv.org/abs/1611.08461, but cut out once, not optimised so)
    follows it over a background that stands still; with all around it, a
    target that is hidden for a moment is not lost.

    Args:
        levels (Sequence[int]): Of the neck's maps. Defaults to (0, 1, 2).
        stride (int): Of the maps, in crop pixels. Defaults to 8.
        sigma (float): Of the wanted response, as a share of the target's
            size. Defaults to 0.12.
        learning_rate (float): Weight of a new frame. Defaults to 0.02.
        regularization (float): Of the denominator, as a share of its mean.
            Defaults to 1e-4.
        supports (Sequence[float | None]): Width and height of what each
            filter looks at, as a share of the target's; None is the whole
            crop. Defaults to (1, ).
        min_score (float): Frames whose result has a lower score are not
            learnt from. Defaults to 0.3.
    """

    def __init__(self,
                 levels: Sequence[int] = (0, 1, 2),
                 stride: int = 8,
                 sigma: float = 0.12,
                 learning_rate: float = 0.02,
                 regularization: float = 1e-4,
                 supports: Sequence[Optional[float]] = (1., ),
                 min_score: float = 0.3) -> None:
        self.levels = tuple(levels)
        self.stride = stride
        self.sigma = sigma
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.supports = tuple(supports)
        self.min_score = min_score

    def spectrum(self, search_feats: Feats) -> Tensor:
        """Normalise the features, and transform them.

        Args:
            search_feats (Sequence[Tensor]): Neck outputs of one search crop,
                (1, C, S, S) each.

        Returns:
            Tensor: (C of all levels, S, S // 2 + 1, 2) float32.
        """
        maps = torch.cat([centred(search_feats[i])[0] for i in self.levels])
        with full_precision(maps.device):
            return _forward(maps * _window(int(maps.shape[-1]), maps.device))

    def init(self, spectrum: Tensor,
             target_size: Sequence[float]) -> FilterState:
        """Learn the first frame, with the target in the crop's middle.

        Args:
            spectrum (Tensor): From :meth:`spectrum`.
            target_size (Sequence[float]): Width and height, in crop pixels.

        Returns:
            FilterState: See there.
        """
        return self._finish(
            *self._sums(spectrum, (0., 0.), target_size), target_size)

    def update(self, state: FilterState, spectrum: Tensor,
               shift: Sequence[float],
               target_size: Sequence[float]) -> FilterState:
        """Learn another frame.

        Args:
            state (FilterState): So far.
            spectrum (Tensor): From :meth:`spectrum`.
            shift (Sequence[float]): x, y of the target from the crop's
                middle, in crop pixels.
            target_size (Sequence[float]): As for :meth:`init`.

        Returns:
            FilterState: A new one.
        """
        return self._finish(
            *(torch.lerp(old, new, self.learning_rate) for old, new in zip(
                state, self._sums(spectrum, shift, target_size))),
            target_size)

    def _sums(self, spectrum: Tensor, shift: Sequence[float],
              target_size: Sequence[float]) -> Tuple[Tensor, Tensor]:
        """Numerator and denominator of one frame."""
        wanted = self._wanted(spectrum.shape[1], shift, target_size,
                              spectrum.device)
        numerator = torch.view_as_complex(
            wanted).conj() * torch.view_as_complex(spectrum)
        return (torch.view_as_real(numerator),
                spectrum.square().sum(0).sum(-1))

    def _wanted(self, size: int, shift: Sequence[float],
                target_size: Sequence[float], device: torch.device) -> Tensor:
        """Spectrum of a Gaussian at the target, (S, S // 2 + 1, 2)."""
        sigma = self.sigma * math.sqrt(target_size[0] * target_size[1])
        place = torch.arange(size, dtype=torch.float32, device=device)
        x, y = ((-0.5 *
                 (((place - value / self.stride + size / 2) % size -
                   size / 2) * self.stride / sigma)**2).exp()
                for value in shift)
        return _forward(y[:, None] * x)

    def _finish(self, numerator: Tensor, denominator: Tensor,
                target_size: Sequence[float]) -> FilterState:
        """Divide, and keep what looks at the target."""
        size = numerator.shape[1]
        floor = self.regularization * denominator.mean()
        ratio = torch.view_as_complex(
            numerator * (1 / (denominator + floor))[..., None])
        maps = torch.fft.irfft2(ratio, s=(size, size))
        distance = (torch.arange(size, device=maps.device) - size // 2).abs()
        filters = []
        for support in self.supports:
            if support is None:
                filters.append(torch.view_as_real(ratio))
                continue
            # Half a cell further, falling from 0.9 to 0.1 within one.
            x, y = ((EDGE * (support * side / self.stride / 2 + 0.5 -
                             distance)).sigmoid() for side in target_size)
            filters.append(_forward(maps * (y[:, None] * x)))
        return FilterState(numerator, denominator, torch.stack(filters))

    def respond(self, weights: Tensor, spectrum: Tensor, size: int) -> Tensor:
        """Where the target is.

        Args:
            weights (Tensor): ``filter`` of the state.
            spectrum (Tensor): From :meth:`spectrum`.
            size (int): Side of the RPN's maps, which have the same stride.

        Returns:
            Tensor: (size, size), from 0 to 1, which is where all of the
            filters have their highest place.
        """
        responses = []
        with full_precision(spectrum.device):
            for one in weights:
                response = _back_around_zero(
                    _correlate(one, spectrum), size)
                response = response / response.max().clamp(min=MIN_PEAK)
                responses.append(response.clamp(min=0))
            return sum(responses) / len(responses)


def _correlate(weights: Tensor, spectrum: Tensor) -> Tensor:
    """The conjugate of one times the other, summed over channels."""
    if not torch.onnx.is_in_onnx_export():
        return torch.view_as_real(
            (torch.view_as_complex(weights).conj() *
             torch.view_as_complex(spectrum)).sum(0))
    (a, b), (c, d) = weights.unbind(-1), spectrum.unbind(-1)
    return torch.stack([(a * c + b * d).sum(0), (a * d - b * c).sum(0)], -1)
