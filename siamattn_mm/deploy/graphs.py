"""The graphs of a tracker, as modules that can be traced."""
from typing import Any, List, Optional, Tuple

from torch import Tensor, nn

from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.utils.nested_tensors import with_tensors

# Beside the search graph's outputs that learning parts want.
FUSED_BOX, FUSED_MASK = 'fused_box', 'fused_mask'


def channels_last(maps: Tensor) -> Tensor:
    """Maps as they leave the search graph.

    So most runtimes have them in memory, and to turn large ones over takes
    longer than what is computed from them.

    Args:
        maps (Tensor): (N, C, H, W); anything else stays as it is.

    Returns:
        Tensor: (N, H, W, C).
    """
    return maps.permute(0, 2, 3, 1) if maps.ndim == 4 else maps


def channels_first(maps: Tensor) -> Tensor:
    """The maps that :func:`channels_last` was given.

    Args:
        maps (Tensor): (N, H, W, C); anything else stays as it is.

    Returns:
        Tensor: (N, C, H, W).
    """
    return maps.permute(0, 3, 1, 2) if maps.ndim == 4 else maps


def feature_names(part: Any, count: int) -> List[str]:
    """Name what a part that learns from the video takes from the network.

    Args:
        part (OnlinePart): The part.
        count (int): Of its tensors.

    Returns:
        list[str]: E.g. ``'RidgeBoxRegressor.0'``.
    """
    return [f'{part.name}.{i}' for i in range(count)]


def state_tensors(state: Tuple[Any, Any]) -> list:
    """Name the tensors of a template's state.

    Args:
        state (tuple[Any, Any]): From :meth:`TemplateGraph.state`.

    Returns:
        list[tuple[str, Tensor]]: In order.
    """
    feats, neck_state = state
    return (_named_tensors(feats, 'template_feats') +
            _named_tensors(neck_state, 'neck_state'))


def _named_tensors(state: Any, name: str) -> List[Tuple[str, Tensor]]:
    """Name the tensors of nested tuples, e.g. ``neck_state.0.spatial``."""
    if state is None:
        return []
    if isinstance(state, Tensor):
        return [(name, state)]
    keys = getattr(state, '_fields', range(len(state)))
    return [
        pair for key, item in zip(keys, state)
        for pair in _named_tensors(item, f'{name}.{key}')
    ]


class _Graph(nn.Module):
    """A graph of a model.

    Args:
        model (SiamAttn): In eval mode.

    Attributes:
        outputs (list[str]): Names, known once it has run.
    """

    def __init__(self, model: SiamAttn) -> None:
        super().__init__()
        self.model = model
        self.outputs: List[str] = []

    def _normalise(self, crops: Tensor) -> Tensor:
        return self.model.data_preprocessor.normalize(
            crops.permute(0, 3, 1, 2))

    def _named(self, pairs: List[Tuple[str, Optional[Tensor]]]
               ) -> Tuple[Tensor, ...]:
        """Tensors that there are; their names are kept."""
        pairs = [(name, tensor) for name, tensor in pairs
                 if tensor is not None]
        self.outputs = [name for name, _ in pairs]
        return tuple(tensor for _, tensor in pairs)


class TemplateGraph(_Graph):
    """Template crop to state."""
    inputs = ['template']

    def state(self, template: Tensor) -> Tuple[Any, Any]:
        """What tracking needs of the template.

        Args:
            template (Tensor): (1, 127, 127, 3) uint8, BGR.

        Returns:
            tuple[Any, Any]: Neck outputs and the siamese neck's state.
        """
        feats = self.model.forward_template(self._normalise(template))
        return feats, self.model.siamese_neck.init_template(feats)

    def forward(self, template: Tensor) -> Tuple[Tensor, ...]:
        """tuple[Tensor]: The state's tensors, as :func:`state_tensors`."""
        return self._named(state_tensors(self.state(template)))


class SearchGraph(_Graph):
    """Search crop and the template's state to maps.

    Args:
        model (SiamAttn): In eval mode.
        state (tuple[Any, Any]): Of any template, from
            :meth:`TemplateGraph.state`: its structure is taken.
    """

    def __init__(self, model: SiamAttn, state: Tuple[Any, Any]) -> None:
        super().__init__(model)
        self.structure = state
        self.inputs = ['search', *(name for name, _ in state_tensors(state))]

    def forward(self, search: Tensor, *state: Tensor) -> Tuple[Tensor, ...]:
        """Run the graph.

        Args:
            search (Tensor): (1, 255, 255, 3) uint8, BGR.
            *state (Tensor): From :class:`TemplateGraph`.

        Returns:
            tuple[Tensor]: ``cls_score`` (1, 2A, S, S), ``bbox_pred``
            (1, 4A, S, S), what each part that learns from the video wants,
            and, with a refinement head, ``fused_box`` (unless boxes are not
            refined) and ``fused_mask`` (unless there is no mask head); of
            what follows ``bbox_pred``, maps are :func:`channels_last`.
        """
        model = self.model
        feats, neck_state = with_tensors(self.structure, iter(state))
        low_level, neck_x = model.forward_search(self._normalise(search))
        dsa_z, dsa_x = model.siamese_neck(feats, neck_x, neck_state)
        outputs = list(
            zip(('cls_score', 'bbox_pred'), model.head(dsa_z, dsa_x)))
        for part, own in zip(model.online,
                             model.part_features(low_level, neck_x)):
            outputs += zip(feature_names(part, len(own)),
                           map(channels_last, own))
        fused = model.fuse(dsa_z, dsa_x, low_level,
                           model.tracking_cfg.refine.box)
        return self._named(outputs + [
            (name, None if maps is None else channels_last(maps))
            for name, maps in zip((FUSED_BOX, FUSED_MASK), fused)
        ])


class BoxGraph(_Graph):
    """Refinement of a box."""
    inputs = [FUSED_BOX, 'box']

    def forward(self, fused_box: Tensor, box: Tensor) -> Tuple[Tensor, ...]:
        """Run the graph.

        Args:
            fused_box (Tensor): (1, S, S, C), from :class:`SearchGraph`.
            box (Tensor): (1, 4) float32, cxcywh in crop pixels.

        Returns:
            tuple[Tensor]: ``refined`` (1, 4), likewise.
        """
        refined = self.model.refine_head.predict_box(
            channels_first(fused_box), box)
        return self._named([('refined', refined)])


class MaskGraph(_Graph):
    """Segmentation of a box."""
    inputs = [FUSED_MASK, 'roi']

    def forward(self, fused_mask: Tensor, roi: Tensor) -> Tuple[Tensor, ...]:
        """Run the graph.

        Args:
            fused_mask (Tensor): (1, S, S, C), from :class:`SearchGraph`.
            roi (Tensor): (1, 5) float32, 0 and xyxy in crop pixels.

        Returns:
            tuple[Tensor]: ``mask`` (1, 64, 64), probabilities over the box.
        """
        logits = self.model.refine_head.predict_mask(
            channels_first(fused_mask), roi)
        return self._named([('mask', logits.sigmoid()[:, 0])])
