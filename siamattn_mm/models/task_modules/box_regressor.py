"""Box regression that is learnt in the first frame."""
from typing import List, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from mmtrack.registry import TASK_UTILS
from torch import Tensor

from siamattn_mm.structures.cells import middle_cell

from .feature_norm import centred
from .online import VIEWS, Feats, OnlinePart, View

Maps = Tuple[Tensor, ...]
# Points of a bin, along each side.
POINTS = 2


@TASK_UTILS.register_module()
class RidgeBoxRegressor(OnlinePart):
    """Ridge regression from features inside of a box to a better box.

    A network that was trained on little says where a target is, but what
    belongs to it, and how large it is now, only for targets like those of its
    training. In the first frame all is known: boxes around the target are
    drawn at random, the features in each are pooled, and a linear map from
    them to the four deltas is learnt, once. In later frames it corrects the
    box that was found.

    Source: bounding-box regression of R-CNN (https://arxiv.org/abs/1311.2524,
    appendix C), as MDNet trains it, in the first frame
    (https://arxiv.org/abs/1510.07945, section 3.3). Not in the paper.

    Args:
        levels (Sequence[int]): Of the neck's maps. Defaults to (0, 1, 2).
        stride (int): Of these, in crop pixels. Defaults to 8.
        low_levels (Sequence[int]): Of the maps that bypass the neck.
            Defaults to (1, ).
        low_strides (Sequence[int]): Of these, in crop pixels.
            Defaults to (4, ).
        output_size (int): Bins along each side of a box. Defaults to 5.
        context (float): So many times its sides of a box are looked at.
            Defaults to 1.3.
        samples (int): Boxes of each view of the first frame. Defaults to 60.
        shift (float): Their largest offset from the target, in sizes of it.
            Defaults to 0.15.
        zoom (float): Largest logarithm of the factors of width and height,
            half of it again for both together. Defaults to 0.2.
        regularization (float): As a share of the features' mean energy.
            Defaults to 1.0.
        max_delta (float): Deltas are clipped to it. Defaults to 0.3.
        seed (int): Of the boxes. Defaults to 0.

    Raises:
        ValueError: If there are no maps, a low level has no stride, or a
            number is out of range.
    """
    views = len(VIEWS)
    network_args = ('levels', 'low_levels')
    stage = 'box regression'

    def __init__(self,
                 levels: Sequence[int] = (0, 1, 2),
                 stride: int = 8,
                 low_levels: Sequence[int] = (1, ),
                 low_strides: Sequence[int] = (4, ),
                 output_size: int = 5,
                 context: float = 1.3,
                 samples: int = 60,
                 shift: float = 0.15,
                 zoom: float = 0.2,
                 regularization: float = 1.0,
                 max_delta: float = 0.3,
                 seed: int = 0) -> None:
        if not levels and not low_levels:
            raise ValueError('a box regressor needs levels or low_levels')
        if len(low_levels) != len(low_strides):
            raise ValueError('low_strides must have one value for each of '
                             f'low_levels={low_levels}, but got {low_strides}')
        for name, value in (('stride', stride), ('output_size', output_size),
                            ('context', context), ('samples', samples),
                            ('regularization', regularization),
                            ('max_delta', max_delta)):
            if value <= 0:
                raise ValueError(f'{name} must be above 0, but got {value}')
        self.levels = tuple(levels)
        self.low_levels = tuple(low_levels)
        self.strides = (stride, ) * len(levels) + tuple(low_strides)
        self.output_size = output_size
        self.context = context
        self.samples = samples
        self.shift = shift
        self.zoom = zoom
        self.regularization = regularization
        self.max_delta = max_delta
        self.seed = seed

    def features(self, low_level: Feats, neck_x: Feats) -> Maps:
        """Choose and normalise the maps of search crops.

        Args:
            low_level (Sequence[Tensor]): (N, C, S, S) each.
            neck_x (Sequence[Tensor]): (N, C, S, S) each.

        Returns:
            tuple[Tensor]: (N, C, S, S) float32 each.
        """
        chosen = [neck_x[i] for i in self.levels]
        chosen += [low_level[i] for i in self.low_levels]
        return tuple(centred(feat) for feat in chosen)

    def pool(self, maps: Maps, boxes: Tensor) -> Tensor:
        """Features in boxes.

        Args:
            maps (tuple[Tensor]): From :meth:`features`, of one crop.
            boxes (Tensor): (K, 4), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            Tensor: (K, D) float32.
        """
        num, bins = len(boxes), self.output_size
        points = bins * POINTS
        place = (torch.arange(points, device=boxes.device) +
                 0.5) / points - 0.5
        place = place * self.context
        # (K, points)
        x, y = (boxes[:, i, None] + place * boxes[:, i + 2, None]
                for i in range(2))
        grid = torch.stack([
            x[:, None].expand(num, points, points),
            y[:, :, None].expand(num, points, points)
        ], -1).reshape(1, num * points, points, 2)
        pooled = []
        for feat, stride in zip(maps, self.strides):
            half = (feat.shape[-1] - 1) / 2
            # grid_sample counts from the map's middle.
            offset = (middle_cell(feat.shape[-1], stride) - half) * stride
            values = F.grid_sample(
                feat, (grid + offset) / (half * stride), align_corners=True)
            values = F.avg_pool2d(values, POINTS)
            pooled.append(
                values.reshape(-1, num, bins * bins).permute(1, 0,
                                                             2).flatten(1))
        return torch.cat(pooled, 1) / bins

    def learn(self, target: np.ndarray, views: Sequence[View]) -> Tensor:
        """Learn the first frame.

        Args:
            target (np.ndarray): Not used.
            views (Sequence[View]): Crops around the target.

        Returns:
            Tensor: (D + 1, 4), weights, and the deltas without any features.
        """
        rng = np.random.default_rng(self.seed)
        feats: List[Tensor] = []
        deltas: List[np.ndarray] = []
        for _, bbox, maps in views:
            boxes = self._draw(rng, bbox)
            feats.append(
                self.pool(maps,
                          torch.from_numpy(boxes).to(maps[0])))
            deltas.append(
                np.concatenate([(bbox[:2] - boxes[:, :2]) / boxes[:, 2:],
                                np.log(bbox[2:] / boxes[:, 2:])], 1))
        x = torch.cat(feats).double()
        y = torch.from_numpy(np.concatenate(deltas)).to(x)
        centre, mean = x.mean(0), y.mean(0)
        x = x - centre
        # Fewer boxes than features: solved for the boxes.
        gram = x @ x.t()
        gram.diagonal().add_(self.regularization * gram.diagonal().mean())
        weights = x.t() @ torch.linalg.solve(gram, y - mean)
        return torch.cat([weights, (mean - centre @ weights)[None]]).float()

    def _draw(self, rng: np.random.Generator, bbox: np.ndarray) -> np.ndarray:
        """Boxes around the target, (K, 4)."""
        shift = rng.uniform(-self.shift, self.shift, (self.samples, 2))
        zoom = rng.uniform(-self.zoom, self.zoom, (self.samples, 2))
        zoom += rng.uniform(-self.zoom, self.zoom, (self.samples, 1)) / 2
        return np.concatenate(
            [bbox[:2] + shift * bbox[2:], bbox[2:] * np.exp(zoom)], 1)

    def correct(self, state: Tensor, features: Maps,
                box: np.ndarray) -> np.ndarray:
        """Correct a box.

        Args:
            state (Tensor): From :meth:`learn`; zeros change nothing.
            features (tuple[Tensor]): From :meth:`features`, of one crop.
            box (np.ndarray): (4,), cxcywh in crop pixels from the crop's
                middle.

        Returns:
            np.ndarray: (4,), like ``box``.
        """
        feats = self.pool(
            features,
            torch.from_numpy(box).to(state)[None])
        delta = (feats @ state[:-1] + state[-1])[0].clamp(
            -self.max_delta, self.max_delta).double().cpu().numpy()
        return np.concatenate(
            [box[:2] + delta[:2] * box[2:], box[2:] * np.exp(delta[2:])])
