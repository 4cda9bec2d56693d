"""The two graphs of a tracker, as modules that can be traced."""
from typing import Any, Tuple

import torch
from torch import Tensor, nn

from siamattn_mm.models.heads.refinement_head import clip_to_crop
from siamattn_mm.models.trackers import SiamAttn

from .selection import select_proposal
from .template_state import named_tensors, rebuild

TEMPLATE_INPUTS = ('template', )
TRACK_INPUTS = ('search', 'last_box', 'window_side', 'image_size', 'tuning',
                'bias')
TRACK_OUTPUTS = ('box', 'score', 'proposal')
# With a correlation filter there are more of both.
FILTER_INPUTS = ('filter_influence', 'filter')
FILTER_OUTPUTS = ('spectrum', )
# With a box regressor, too; its maps are numbered.
REGRESSOR_INPUTS = ('regressor', )
# And with a rival association.
RIVAL_INPUTS = ('avoid', )
RIVAL_OUTPUTS = ('boxes', 'ranked', 'best')
MAP_OUTPUT = 'map'
MASK_OUTPUTS = ('mask', 'mask_box')


class TemplateGraph(nn.Module):
    """Template crop to state.

    Args:
        model (SiamAttn): In eval mode.
    """

    def __init__(self, model: SiamAttn) -> None:
        super().__init__()
        self.model = model

    def state(self, template: Tensor) -> Tuple[Any, Any]:
        """What tracking needs of the template.

        Args:
            template (Tensor): (1, 127, 127, 3) uint8, BGR.

        Returns:
            tuple[Any, Any]: Neck outputs and the siamese neck's state.
        """
        crop = self.model.data_preprocessor.normalize(
            template.permute(0, 3, 1, 2))
        feats = self.model.forward_template(crop)
        return feats, self.model.siamese_neck.init_template(feats)

    def forward(self, template: Tensor) -> Tuple[Tensor, ...]:
        """Run the graph.

        Args:
            template (Tensor): (1, 127, 127, 3) uint8, BGR.

        Returns:
            tuple[Tensor]: The state's tensors, as :func:`state_tensors` names
            them.
        """
        return tuple(t for _, t in state_tensors(self.state(template)))


def state_tensors(state: Tuple[Any, Any]) -> list:
    """Name the tensors of a template's state.

    Args:
        state (tuple[Any, Any]): From :meth:`TemplateGraph.state`.

    Returns:
        list[tuple[str, Tensor]]: In order.
    """
    feats, neck_state = state
    return (named_tensors(feats, 'template_feats') +
            named_tensors(neck_state, 'neck_state'))


def map_outputs(regressor: Any) -> Tuple[str, ...]:
    """Name the maps that a box regressor learns from.

    Args:
        regressor (RidgeBoxRegressor): The model's.

    Returns:
        tuple[str]: As many as it looks at.
    """
    num = len(regressor.levels) + len(regressor.low_levels)
    return tuple(f'{MAP_OUTPUT}{i}' for i in range(num))


class TrackGraph(nn.Module):
    """Search crop and state to box and mask: one frame, but for the images.

    What is left to the caller is cutting the search crop out of the frame,
    pasting the mask into it, and teaching the correlation filter and the box
    regressor.

    Args:
        model (SiamAttn): In eval mode.
        state (tuple[Any, Any]): Of any template, from
            :meth:`TemplateGraph.state`: its structure is taken.
    """

    def __init__(self, model: SiamAttn, state: Tuple[Any, Any]) -> None:
        super().__init__()
        self.model = model
        self.structure = state
        self.inputs, self.outputs = TRACK_INPUTS, TRACK_OUTPUTS
        if model.correlation_filter:
            self.inputs += FILTER_INPUTS
            self.outputs += FILTER_OUTPUTS
        if model.box_regressor:
            self.inputs += REGRESSOR_INPUTS
            self.outputs += map_outputs(model.box_regressor)
        if model.rival_association:
            self.inputs += RIVAL_INPUTS
            self.outputs += RIVAL_OUTPUTS
        if model.with_refine_head and model.refine_head.with_mask:
            self.outputs += MASK_OUTPUTS

    def forward(self, search: Tensor, last_box: Tensor, window_side: Tensor,
                image_size: Tensor, tuning: Tensor, bias: Tensor,
                *others: Tensor) -> Tuple[Tensor, ...]:
        """Run the graph. All but ``search`` are float32.

        Args:
            search (Tensor): (1, 255, 255, 3) uint8, BGR.
            last_box (Tensor): (4,), the target in the last frame, cxcywh in
                image pixels. The crop lies around it.
            window_side (Tensor): (1,), the crop's side in image pixels.
            image_size (Tensor): (2,), width and height in pixels.
            tuning (Tensor): (3,), ``penalty_k``, ``window_influence`` and
                ``lr`` of ``test_cfg.rpn``.
            bias (Tensor): (4,), taken from all boxes; zeros do nothing.
            *others (Tensor): With a correlation filter, its share in the
                ranking (1,), and its weights (K, C, S, S // 2 + 1, 2); with
                a box regressor, its weights (D + 1, 4); with a rival
                association, boxes to avoid (M, 4), cxcywh in crop pixels from
                the crop's middle, zeros for none; then what came from
                :class:`TemplateGraph`.

        Returns:
            tuple[Tensor]: ``box`` (4,), cxcywh in image pixels, which is the
            next frame's ``last_box``; ``score`` (1,), 0..1; ``proposal``
            (4,), what was found, cxcywh in crop pixels from the crop's
            middle; with a correlation filter, ``spectrum`` (C, S, S // 2 + 1,
            2), which it learns from; with a box regressor, its normalised
            maps ``map0``, ``map1``, ...; with a rival association, all
            ``boxes`` (4, K), their ``ranked`` scores (K,) and the index
            ``best`` (1,) of the proposal; with a mask head, ``mask`` (64, 64),
            probabilities over ``mask_box`` (4,), xywh in image pixels.
        """
        model, cfg = self.model, self.model.test_cfg
        learnt = dict(zip(self.inputs[len(TRACK_INPUTS):], others))
        state = others[len(learnt):]
        template_feats, neck_state = rebuild(self.structure, iter(state))
        low_level, neck_x = model.forward_search(
            model.data_preprocessor.normalize(search.permute(0, 3, 1, 2)))
        dsa_z, dsa_x = model.siamese_neck(template_feats, neck_x, neck_state)
        cls_score, bbox_pred = model.head(dsa_z, dsa_x)

        last_size = last_box[2:]
        context = cfg.context_amount * last_size.sum()
        scale = cfg.exemplar_size / torch.sqrt((last_size + context).prod())
        response, influence, lessons = None, None, ()
        if model.correlation_filter:
            influence = learnt['filter_influence']
            spectrum = model.correlation_filter.spectrum(neck_x)
            response = model.correlation_filter.respond(
                learnt['filter'], spectrum, cls_score.shape[-1])
            lessons = (spectrum, )
        proposal = select_proposal(model.head, cls_score, bbox_pred,
                                   last_size * scale, tuning[0], tuning[1],
                                   response, influence, bias,
                                   learnt.get('avoid'))
        found = torch.cat(
            [proposal.bbox[:2] + cfg.search_size / 2, proposal.bbox[2:]])
        fused_mask = None
        if model.with_refine_head:
            # What no output needs is not exported.
            fused_box, fused_mask = model.refine_head(dsa_z, dsa_x, low_level)
            if cfg.get('refine', {}).get('box', True):
                found = self._refine_box(fused_box, found)

        seen = torch.cat([found[:2] - cfg.search_size / 2, found[2:]])
        if model.box_regressor:
            maps = model.box_regressor.maps(low_level, neck_x)
            lessons += maps
            seen = model.box_regressor.regress(learnt['regressor'], maps, seen)
            found = torch.cat([seen[:2] + cfg.search_size / 2, seen[2:]])
        if model.rival_association:
            lessons += (proposal.boxes, proposal.ranked, proposal.best)
        origin = last_box[:2] - window_side / 2
        lr = proposal.penalty * proposal.score * tuning[2]
        box = self._update_box(last_size, found / scale, origin, lr,
                               image_size)
        outputs = (box, proposal.score, seen) + lessons
        if fused_mask is None:
            return outputs
        return outputs + self._segment(fused_mask, box, origin, scale,
                                       window_side)

    def _refine_box(self, fused_box: Tensor, box: Tensor) -> Tensor:
        cfg = self.model.test_cfg
        box = clip_to_crop(box[None], cfg.search_size,
                           cfg.get('min_size', 10))
        return self.model.refine_head.predict_box(fused_box, box)[0]

    def _update_box(self, last_size: Tensor, new: Tensor, origin: Tensor,
                    lr: Tensor, image_size: Tensor) -> Tensor:
        """Into the image; sizes are smoothed, the centre is not."""
        last_pixel = image_size - 1
        centre = torch.minimum((new[:2] + origin).clamp(min=0), last_pixel)
        extent = torch.minimum(
            (last_size * (1 - lr) + new[2:] * lr).clamp(
                min=self.model.test_cfg.get('min_size', 10)), last_pixel)
        return torch.cat([centre, extent])

    def _segment(self, fused_mask: Tensor, box: Tensor, origin: Tensor,
                 scale: Tensor,
                 window_side: Tensor) -> Tuple[Tensor, Tensor]:
        """Probabilities, and where they lie in the image."""
        size = box[2:] * scale
        corner = (box[:2] - origin) * scale - size / 2
        rois = torch.cat([corner.new_zeros(1), corner, corner + size])[None]
        mask = self.model.refine_head.predict_mask(fused_mask, rois).sigmoid()
        ratio = window_side / self.model.test_cfg.search_size
        return mask[0, 0], torch.cat([origin + corner * ratio, size * ratio])
