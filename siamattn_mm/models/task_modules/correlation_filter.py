"""A correlation filter that learns the target while it is tracked."""
import math
from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmtrack.registry import TASK_UTILS
from torch import Tensor

from siamattn_mm.structures.cells import middle_cell

from ..ops.constants import cached_constant
from ..ops.full_precision import full_precision
from .feature_norm import centred
from .online import Feats, OnlinePart, Outcome, View
from .selection import Ranking

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
        passed (int): Sure frames that were passed over since the last one
            that was learnt from. Defaults to 0.
    """
    numerator: Tensor
    denominator: Tensor
    filter: Tensor
    passed: int = 0


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
def _places(size: int, first: float, device: torch.device) -> Tensor:
    """(size,), one cell after another."""
    return (torch.arange(size, dtype=torch.float32) + first).to(device)


@cached_constant()
def _forward_matrices(size: int,
                      device: torch.device) -> Tuple[Tensor, Tensor]:
    """Columns (S, 2 * S), cosines beside sines, and rows (S, 4 * half).

    Rows give a map's transform along its rows twice, the second time by -i,
    with the real and the imaginary part of a number side by side: the sum of
    both by the columns has no parts to be put together.
    """
    cos, sin = _waves(size)
    half = size // 2 + 1
    cos_rows, sin_rows = cos[:, :half], sin[:, :half]
    rows = torch.cat([
        torch.stack([cos_rows, -sin_rows], dim=-1),
        torch.stack([-sin_rows, -cos_rows], dim=-1)
    ], dim=1)  # yapf: disable
    columns = torch.cat([cos, sin], dim=1)
    return columns.float().to(device), rows.flatten(1).float().to(device)


def _forward(maps: Tensor) -> Tensor:
    """(..., S, S) maps to (..., S, S // 2 + 1, 2).

    In graphs it is a matrix product: not every runtime has an FFT, and for
    maps this small it hardly matters.
    """
    if not torch.onnx.is_in_onnx_export():
        return torch.view_as_real(torch.fft.rfft2(maps))
    size = int(maps.shape[-1])
    columns, rows = _forward_matrices(size, maps.device)
    both = torch.cat((maps @ rows).chunk(2, dim=-1), dim=-2)
    return (columns @ both).unflatten(-1, (-1, 2))


@cached_constant()
def _backward_matrices(side: int, size: int,
                       device: torch.device) -> Tuple[Tensor, Tensor]:
    """Rows (2 * half, 2 * size) and columns (size, 2 * side) of the way back.

    To the ``size`` values around zero shift of ``side``, by a real map's half
    of the spectrum.
    """
    place = (torch.arange(size) - size // 2) % side
    cos, sin = (wave[:, place] for wave in _waves(side))
    half = side // 2 + 1
    # What has a mirror image beyond the half counts for it, too.
    weights = torch.full((half, 1), 2., dtype=torch.float64)
    weights[0] = 1
    if side % 2 == 0:
        weights[-1] = 1
    cos_rows, sin_rows = weights * cos[:half], weights * sin[:half]
    rows = torch.stack([
        torch.cat([cos_rows, sin_rows], dim=1),
        torch.cat([-sin_rows, cos_rows], dim=1)
    ], dim=1)  # yapf: disable
    columns = torch.cat([cos.t(), -sin.t()], dim=1) / side**2
    return rows.flatten(0, 1).float().to(device), columns.float().to(device)


def _back_around_zero(spectrum: Tensor, size: int) -> Tensor:
    """(S, S // 2 + 1, 2) to the (size, size) values around zero shift."""
    rows, columns = _backward_matrices(
        int(spectrum.shape[0]), size, spectrum.device)
    both = torch.cat((spectrum.flatten(1) @ rows).chunk(2, dim=-1))
    return columns @ both


@TASK_UTILS.register_module()
class CorrelationFilter(OnlinePart):
    """Discriminative correlation filter over the search branch's features.

    A siamese network knows the target from one frame and nothing else; it
    was never shown what else is in this video. This filter (MOSSE, Bolme et
    al., CVPR 2010, with several channels that share their denominator) learns
    both from every frame, with the neck's features. What it answers is
    blended into the ranking of the proposals, as DROL does it
    (https://arxiv.org/abs/1909.02959). Not in the paper.

    The answer is the mean of several filters', which differ in what they look
    at: the target's box alone (as CSR-DCF's does,
    https://arxiv.org/abs/1611.08461, but cut out once, not optimised so)
    follows it over a background that stands still; with all around it, a
    target that is hidden for a moment is not lost.

    Args:
        influence (float): Its share in the ranking, 0..1. Defaults to 0.6.
        levels (Sequence[int]): Of the neck's maps. Defaults to (0, 1, 2).
        stride (int): Of the maps, in crop pixels. Defaults to 8.
        sigma (float): Of the wanted response, as a share of the target's
            size. Defaults to 0.12.
        learning_rate (float): Weight of a frame that is learnt from. Defaults
            to 0.02.
        interval (int): Of so many sure frames one is learnt from; the others
            take less time. Defaults to 1.
        regularization (float): Of the denominator, as a share of its mean.
            Defaults to 1e-4.
        supports (Sequence[float | None]): Width and height of what each
            filter looks at, as a share of the target's; None is the whole
            crop. Defaults to (1, ).
        min_score (float): Frames whose result has a lower score are not
            learnt from. Defaults to 0.3.

    Raises:
        ValueError: If ``influence`` is not in 0..1, or ``interval`` is less
            than 1.
    """
    views = 1
    network_args = ('levels', )
    stage = 'filter'

    def __init__(self,
                 influence: float = 0.6,
                 levels: Sequence[int] = (0, 1, 2),
                 stride: int = 8,
                 sigma: float = 0.12,
                 learning_rate: float = 0.02,
                 interval: int = 1,
                 regularization: float = 1e-4,
                 supports: Sequence[Optional[float]] = (1., ),
                 min_score: float = 0.3) -> None:
        if not 0 <= influence <= 1:
            raise ValueError(f'influence must be in 0..1, but got {influence}')
        if interval < 1:
            raise ValueError(f'interval must be 1 or more, but got {interval}')
        self.influence = influence
        self.levels = tuple(levels)
        self.stride = stride
        self.sigma = sigma
        self.learning_rate = learning_rate
        self.interval = interval
        self.regularization = regularization
        self.supports = tuple(supports)
        self.min_score = min_score

    def features(self, low_level: Feats,
                 neck_x: Feats) -> Tuple[Tensor, ...]:
        """Normalise the neck's maps, and transform them.

        Args:
            low_level (Sequence[Tensor]): Not used.
            neck_x (Sequence[Tensor]): (N, C, S, S) each.

        Returns:
            tuple[Tensor]: The spectrum, (N, C of all levels, S, S // 2 + 1,
            2) float32.
        """
        maps = torch.cat([centred(neck_x[i]) for i in self.levels], 1)
        with full_precision(maps.device):
            maps = maps * _window(int(maps.shape[-1]), maps.device)
            return (_forward(maps), )

    def learn(self, target: np.ndarray, views: Sequence[View]) -> FilterState:
        """Learn the first frame, with the target in the crop's middle.

        Args:
            target (np.ndarray): Not used.
            views (Sequence[View]): The first one counts.

        Returns:
            FilterState: The first state.
        """
        size = views[0].truth[2:]
        return self._finish(
            *self._sums(views[0].features[0][0], (0., 0.), size), size)

    def update(self, state: FilterState, outcome: Outcome) -> FilterState:
        """Learn another frame, if it is its turn and sure what it shows.

        Args:
            state (FilterState): So far.
            outcome (Outcome): What came of the frame.

        Returns:
            FilterState: A new one, or the same.
        """
        if (not outcome.found or outcome.doubtful
                or outcome.score < self.min_score):
            return state
        if state.passed + 1 < self.interval:
            return state._replace(passed=state.passed + 1)
        shift, size = outcome.in_crop[:2].tolist(), outcome.in_crop[2:]
        sums = self._sums(outcome.features[0][0], shift, size)
        return self._finish(
            *(torch.lerp(old, new, self.learning_rate)
              for old, new in zip(state, sums)), size)

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
        place = _places(size, 0., device)
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
        # The first frame's target is in the middle of its crop.
        distance = _places(size, -middle_cell(size, self.stride),
                           maps.device).abs()
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

    def for_response(self, state: FilterState) -> Tensor:
        """Take the filters alone.

        Args:
            state (FilterState): So far.

        Returns:
            Tensor: (K, C, H, W // 2 + 1, 2).
        """
        return state.filter

    def respond(self, state: Tensor, features: Tuple[Tensor, ...],
                size: int) -> Tensor:
        """Say where the target is.

        Args:
            state (Tensor): From :meth:`for_response`.
            features (tuple[Tensor]): The spectrum, (1, ...).
            size (int): Side of the RPN's maps, which have the same stride.

        Returns:
            Tensor: (size, size), from 0 to 1, which is where all of the
            filters have their highest place.
        """
        spectrum = torch.view_as_complex(features[0][0])
        responses = []
        with full_precision(spectrum.device):
            for one in state:
                response = _back_around_zero(
                    torch.view_as_real(
                        (torch.view_as_complex(one).conj() *
                         spectrum).sum(0)), size)
                response = response / response.max().clamp(min=MIN_PEAK)
                responses.append(response.clamp(min=0))
            return sum(responses) / len(responses)

    def rank(self, state: FilterState, ranking: Ranking,
             response: np.ndarray) -> np.ndarray:
        """Blend in what is said of the places of the boxes' centres.

        Args:
            state (FilterState): Not used.
            ranking (Ranking): So far.
            response (np.ndarray): (S, S), of :meth:`respond`.

        Returns:
            np.ndarray: (K,), new totals.
        """
        x, y = ranking.boxes.T[:2] / self.stride
        found = sample_at(response, x + response.shape[1] // 2,
                          y + response.shape[0] // 2)
        return ranking.total * (1 - self.influence) + found * self.influence


def sample_at(response: np.ndarray, x: np.ndarray,
              y: np.ndarray) -> np.ndarray:
    """Interpolate a map bilinearly.

    Args:
        response (np.ndarray): (H, W).
        x (np.ndarray): Columns from 0, clipped to the map.
        y (np.ndarray): Rows from 0, clipped to the map.

    Returns:
        np.ndarray: As many values.
    """
    height, width = response.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left = np.minimum(x.astype(np.intp), width - 2)
    top = np.minimum(y.astype(np.intp), height - 2)
    dx, dy = x - left, y - top
    corner = top * width + left
    values = response.ravel()
    return ((values[corner] * (1 - dx) + values[corner + 1] * dx) * (1 - dy) +
            (values[corner + width] *
             (1 - dx) + values[corner + width + 1] * dx) * dy)
