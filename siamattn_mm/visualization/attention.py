"""What the DSA neck attends to and where the RPN head sees the target.

Everything is read from a running model through forward hooks, so that the
tracker itself knows nothing of it and is as fast as ever without it.
"""
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.structures.search_window import SearchWindow


class HeatMap(NamedTuple):
    """Numbers over a search crop.

    Attributes:
        values (np.ndarray): (H, W) float.
        corner (tuple[float, float]): x, y of the first cell's corner in the
            crop, in pixels.
        cell (float): Side of a cell in crop pixels.
    """
    values: np.ndarray
    corner: Tuple[float, float]
    cell: float


class AttentionMaps(NamedTuple):
    """All that is drawn of one frame.

    Attributes:
        crop (np.ndarray): (S, S, 3) uint8, BGR: what the network saw.
        target (tuple[float, float]): x, y of the centre that was found, in
            crop pixels.
        from_target (list[HeatMap]): One a level: what the target's centre
            attends to, row i of the softmax. Empty without self-attention.
        received (list[HeatMap]): One a level: the attention that each
            position gets, mean over all positions; 1 is what it would be if
            all were alike. Empty without self-attention.
        scores (list[HeatMap]): One a level: foreground probability that its
            correlation map says, best anchor, 0..1.
        fused_score (HeatMap): Of the levels' weighted sum.
        level_weights (list[float]): Of that sum.
    """
    crop: np.ndarray
    target: Tuple[float, float]
    from_target: List[HeatMap]
    received: List[HeatMap]
    scores: List[HeatMap]
    fused_score: HeatMap
    level_weights: List[float]


class AttentionProbe:
    """Keeps what a model computes in a frame, while it is open.

    Args:
        model (SiamAttn): Any; a siamese neck without spatial self-attention
            gives no attention maps.

    Raises:
        TypeError: If it is another model, such as an exported one.

    Examples:
        >>> with AttentionProbe(tracker.model) as probe:
        ...     session = tracker.session
        ...     window = session.frame_step.window(session.state)
        ...     maps = probe.maps(window, tracker.update(frame).bbox)
    """

    def __init__(self, model: SiamAttn) -> None:
        if not isinstance(model, SiamAttn):
            raise TypeError('attention is shown of a SiamAttn model in '
                            f'PyTorch, but this is {type(model).__name__}')
        self.model = model
        self._handles: List[Any] = []
        self._seen: Dict[Any, Any] = {}
        levels = getattr(model.siamese_neck, 'levels', ())
        self._spatial = [
            level.spatial for level in levels if hasattr(level, 'spatial')
        ]

    @property
    def has_attention(self) -> bool:
        """bool: Whether the model has spatial self-attention."""
        return bool(self._spatial)

    def __enter__(self) -> 'AttentionProbe':
        for i, head in enumerate(self.model.head.cls_heads):
            self._keep(('score', i), head)
        for key, module, place in (('crop', self.model.backbone, 0),
                                   ('search', self.model.siamese_neck, 1)):
            self._keep_input(key, module, place)
        return self

    def __exit__(self, *exception: object) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles, self._seen = [], {}

    def _keep(self, key: Any, module: nn.Module) -> None:

        def hook(module: nn.Module, args: Any, out: Tensor) -> None:
            self._seen[key] = out.detach()

        self._handles.append(module.register_forward_hook(hook))

    def _keep_input(self, key: str, module: nn.Module, place: int) -> None:

        def hook(module: nn.Module, args: Tuple[Any, ...]) -> None:
            self._seen[key] = args[place]

        self._handles.append(module.register_forward_pre_hook(hook))

    @torch.no_grad()
    def maps(self, window: SearchWindow,
             bbox: Sequence[float]) -> AttentionMaps:
        """Maps of the frame that was tracked last.

        Args:
            window (SearchWindow): Where it was searched.
            bbox (Sequence[float]): x, y, w, h in pixels: what was found.

        Returns:
            AttentionMaps: What the crop attends to, and scores, a level
                each.

        Raises:
            RuntimeError: If no frame was tracked since the probe was opened.
        """
        levels = range(len(self.model.head.cls_heads))
        scores = [self._seen.get(('score', i)) for i in levels]
        crop = self._seen.get('crop')
        if crop is None or any(score is None for score in scores):
            raise RuntimeError('no frame was tracked since the probe was '
                               'opened')
        size = crop.shape[-1]
        target = self._into_crop(window, bbox)
        from_target, received = [], []
        stride = float(self.model.head.anchor_generator.strides[0][0])
        for i in range(len(self._spatial)):
            row, mean = self._attention(i, target, size, stride)
            from_target.append(row)
            received.append(mean)
        weights = self._level_weights(len(scores))
        fused = sum(w * score for w, score in zip(weights, scores))
        return AttentionMaps(
            self._image(crop), target, from_target, received,
            [_centred(_foreground(score), size, stride) for score in scores],
            _centred(_foreground(fused), size, stride), weights)

    def _attention(self, level: int, target: Tuple[float, float], size: int,
                   stride: float) -> Tuple[HeatMap, HeatMap]:
        spatial, x = self._spatial[level], self._seen['search'][level]
        query = spatial.query_conv(x)[0]
        key = spatial.key_conv(
            F.max_pool2d(x, 2) if spatial.sub_sample else x)[0]
        attention = torch.einsum('cij,ckl->ijkl', query, key)
        attention = attention.flatten(2).softmax(dim=-1).unflatten(
            2, key.shape[-2:])
        rows, columns = query.shape[-2:]
        cells = _centred(np.zeros((rows, columns)), size, stride)
        x, y = ((place - corner) / cells.cell
                for place, corner in zip(target, cells.corner))
        row = attention[min(max(int(y), 0), rows - 1),
                        min(max(int(x), 0), columns - 1)]
        # Keys may be pooled: larger cells from the same corner.
        cell = stride * max(1, rows // key.shape[-2])
        mean = attention.mean(dim=(0, 1)) * row.numel()
        return tuple(
            cells._replace(values=values.cpu().numpy(), cell=cell)
            for values in (row, mean))

    def _level_weights(self, count: int) -> List[float]:
        head = self.model.head
        if not head.weighted_sum:
            return [1 / count] * count
        return head.cls_weight.softmax(dim=0).tolist()

    def _into_crop(self, window: SearchWindow,
                   bbox: Sequence[float]) -> Tuple[float, float]:
        """Centre of a result in the crop."""
        (x, y, w, h), edge = bbox, self.model.tracking_cfg.edge
        box = np.array([x + w / 2 - edge, y + h / 2 - edge, w, h])
        x, y = window.to_crop(box, rounded=False)[:2] + window.size / 2
        return float(x), float(y)

    def _image(self, crop: Tensor) -> np.ndarray:
        """Undo the normalisation."""
        preprocessor = self.model.data_preprocessor
        if preprocessor._enable_normalize:
            crop = crop * preprocessor.std + preprocessor.mean
        if preprocessor.channel_conversion:
            crop = crop[:, [2, 1, 0]]
        image = crop[0].round().clamp(0, 255).to(torch.uint8)
        return np.ascontiguousarray(image.permute(1, 2, 0).cpu().numpy())


def _foreground(score: Tensor) -> np.ndarray:
    """Best anchor's probability: (1, 2 * A, H, W) logits to (H, W)."""
    background, foreground = score[0].chunk(2)
    return (foreground - background).sigmoid().amax(dim=0).cpu().numpy()


def _centred(values: np.ndarray, size: int, cell: float) -> HeatMap:
    """Cells over a crop, cell n // 2 at its centre as the anchors have it."""
    height, width = values.shape
    return HeatMap(values, (size / 2 - (width // 2 + 0.5) * cell,
                            size / 2 - (height // 2 + 0.5) * cell), cell)


def brightness(values: np.ndarray, limit: Optional[float]) -> np.ndarray:
    """Scale numbers for a picture.

    Args:
        values (np.ndarray): (H, W), 0 or more.
        limit (float, optional): What becomes 1. None: the largest.

    Returns:
        np.ndarray: (H, W) float, 0..1.
    """
    limit = values.max() if limit is None else limit
    return np.clip(values / max(limit, 1e-12), 0, 1)
