"""Targets and RoIs of a whole batch against loops over its images."""
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from torch import Tensor

from siamattn_mm.models.heads import refinement_head as refinement_module
from siamattn_mm.models.heads.refinement_head import RefinementHead
from siamattn_mm.models.heads.refinement_rois import SampledRoIs
from siamattn_mm.models.task_modules.anchor_targets import AnchorTargets
from siamattn_mm.utils.devices import device_of

from . import per_image_targets as loops
from .clocks import clock_for
from .errors import BenchmarkError
from .patches import Patches
from .spread import spread
from .synthetic_pairs import synthetic_pairs

# A quarter of an anchor's size, as of an untrained head's proposals; most
# targets have many that overlap them enough.
DELTA_SPREAD = 0.25
# Rows that add up others.
SUMS = TARGETS_AND_ROIS, TOGETHER = 'anchors, RoIs', 'together'


class _MadeTargets(Exception):
    """Ends a loss where its targets are made."""


class TargetRace:
    """Both ways on the same batch, in turn.

    Args:
        model (SiamAttn): With or without a refinement head.
        num_pairs (int): Of the batch.

    Raises:
        BenchmarkError: If the model has no RPN head of this project.
    """

    def __init__(self, model: Any, num_pairs: int) -> None:
        self.head = model.head
        self.refine = getattr(model, 'refine_head', None)
        device = device_of(model)
        self.clock = clock_for(device)
        if not hasattr(self.head, 'decode'):
            raise BenchmarkError(
                f'the head {type(self.head).__name__} draws no targets for '
                'a whole batch: SiamAttnRPNHead does')
        samples = [
            pair['data_samples'] for pair in synthetic_pairs(num_pairs)
        ]
        # Where each way wants them.
        self.instances = [one.search_gt_instances for one in samples]
        self.there = [one.to(device) for one in self.instances]
        self.masks = [
            one.masks.to_tensor(torch.uint8, 'cpu')[0]
            if 'masks' in one else None for one in self.instances
        ]
        self.masks_there = [
            None if mask is None else mask.to(device) for mask in self.masks
        ]
        self.boxes, self.labels = (
            torch.cat([one[name] for one in self.instances])
            for name in ('bboxes', 'labels'))
        # The maps' size comes from the network itself.
        with torch.no_grad():
            sizes = model.test_cfg.exemplar_size, model.test_cfg.search_size
            template, search = (
                torch.zeros(1, 3, size, size, device=device)
                for size in sizes)
            bbox_pred = model(
                dict(template=template, search=search),
                mode='tensor')['bbox_pred']
        self.size = bbox_pred.shape[-2:]
        generator = torch.Generator().manual_seed(0)
        deltas = DELTA_SPREAD * torch.randn(
            (num_pairs, ) + bbox_pred.shape[1:], generator=generator)
        self.proposals = self.head.decode(deltas.to(device))
        self.proposals[..., :2] += model.test_cfg.search_size // 2

    # What is timed, the loop and the whole batch of each.

    def anchors_by_loop(self) -> Tuple[Tensor, ...]:
        """tuple[Tensor, ...]: Of :meth:`.get_targets`."""
        return self.head.targets_one_by_one(self.there, self.size,
                                            self.proposals.device)

    def anchors_at_once(self) -> AnchorTargets:
        """AnchorTargets: What the losses are given."""
        return self.head.draw_targets(self.instances, self.size,
                                      self.proposals.device)

    def rois_by_loop(self) -> SampledRoIs:
        """SampledRoIs: Of the refinement head."""
        device = self.proposals.device
        return loops.sample_rois(self.refine.train_cfg, self.proposals,
                                 self.boxes.to(device),
                                 self.labels.to(device) > 0)

    def rois_at_once(self) -> SampledRoIs:
        """SampledRoIs: Of the refinement head."""
        return self.refine.sample_rois(self.proposals, self.boxes,
                                       self.labels > 0)

    def masks_by_loop(self, sampled: SampledRoIs) -> Tensor:
        """Tensor: (R', 1, H, W)."""
        return loops.mask_targets(self.refine.mask_head, sampled,
                                  self.masks_there)

    def masks_at_once(self, sampled: SampledRoIs) -> Tensor:
        """Tensor: (R', 1, H, W), made on the way to the mask's loss."""
        return _mask_targets(self.refine, sampled, self.masks)

    def contenders(self) -> Dict[str, Tuple[Callable, Callable]]:
        """What is compared.

        Returns:
            dict[str, tuple]: By name, the loop and the whole batch.
        """
        found: Dict[str, Tuple[Callable, Callable]] = {
            'anchors': (self.anchors_by_loop, self.anchors_at_once)
        }
        if self.refine is not None:
            found['RoIs'] = self.rois_by_loop, self.rois_at_once
            if self.refine.with_mask:
                sampled = self.rois_at_once()
                found['masks'] = (
                    lambda: self.masks_by_loop(sampled),
                    lambda: self.masks_at_once(sampled))
        return found


def _mask_targets(head: RefinementHead, sampled: SampledRoIs,
                  masks: List[Optional[Tensor]]) -> Tensor:
    """Targets of a refinement head's mask loss, and nothing of the loss."""
    made = []
    original = refinement_module.crop_masks

    def crop_masks(*args, **kwargs):
        made.append(original(*args, **kwargs))
        raise _MadeTargets

    patches = Patches()
    patches.replace(refinement_module, 'crop_masks', crop_masks)
    patches.replace(head, 'predict_mask', lambda fused, rois: rois)
    try:
        head._loss_mask(sampled.rois, sampled, masks)
    except _MadeTargets:
        pass
    finally:
        patches.restore()
    return made[0]


def race(model: Any,
         num_pairs: int = 64,
         num_runs: int = 7,
         advance: Callable[[], None] = lambda: None) -> Dict[str, Any]:
    """Time both ways, in turn, on one thread.

    Args:
        model (SiamAttn): See :class:`TargetRace`.
        num_pairs (int): Of the batch. Defaults to 64.
        num_runs (int): Of each way, behind one that warms up. Defaults to 7.
        advance (Callable): Called after each run of both.

    Returns:
        dict: ``pairs`` and ``rows``: a list of dicts with ``name``, ``loop``
        and ``batch`` (milliseconds) and ``ratio`` (run by run), the last
        three :class:`~.spread.Spread` as dicts. The last row, ``together``,
        is their sum, run by run; where there are masks the one before is that
        of the others.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        track = TargetRace(model, num_pairs)
        contenders = track.contenders()
        times: Dict[str, Tuple[List[float], List[float]]] = {
            name: ([], []) for name in contenders
        }
        for run in range(num_runs + 1):
            for name, ways in contenders.items():
                order = (0, 1) if run % 2 else (1, 0)
                for way in order:
                    seconds = track.clock.timed(ways[way])
                    if run > 0:
                        times[name][way].append(1e3 * seconds)
            advance()
    finally:
        torch.set_num_threads(threads)
    sums = {TOGETHER: list(contenders)}
    if 'masks' in contenders:
        sums = {TARGETS_AND_ROIS: ['anchors', 'RoIs'], **sums}
    for name, parts in sums.items():
        times[name] = tuple(
            [sum(run) for run in zip(*(times[part][way] for part in parts))]
            for way in (0, 1))
    return dict(
        pairs=num_pairs,
        rows=[
            dict(
                name=name,
                loop=spread(loop)._asdict(),
                batch=spread(batch)._asdict(),
                ratio=spread([a / b for a, b in zip(loop, batch)])._asdict())
            for name, (loop, batch) in times.items()
        ])
