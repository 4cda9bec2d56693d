"""Pictures of training batches, with the model's predictions."""
from typing import List, Optional

import cv2
import numpy as np
import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmtrack.registry import HOOKS

from siamattn_mm.models.heads.refinement_rois import clip_to_crop
from siamattn_mm.models.sot import SiamAttn
from siamattn_mm.visualization.pair_sheet import contact_sheet, draw_pair
from siamattn_mm.visualization.prediction_sheet import (
    PairPrediction,
    draw_predicted_pair,
    split_batch,
)


@HOOKS.register_module()
class TrainBatchImageHook(Hook):
    """Draw a training batch every so often.

    Each pair is a row: the template and the search crop with box and mask as
    the model is asked for them, and the search crop with its best proposal
    (blue), refined box (orange) and mask (magenta). Of a model that is no
    ``SiamAttn``, only the first is drawn. The pictures go to the runner's
    visualizer: to ``vis_data/vis_image/`` in the work directory, to
    TensorBoard where that is a backend.

    Weights, statistics and random numbers are left as they are.

    Args:
        interval (int): Iterations from one picture to the next; 0 draws
            none. Defaults to 500.
        num_pairs (int): Pairs of the batch that are drawn. Defaults to 8.

    Raises:
        ValueError: If ``interval`` is negative or ``num_pairs`` less than 1.
    """

    # While the model is what the losses were computed with, or nearly so.
    priority = 'LOW'

    def __init__(self, interval: int = 500, num_pairs: int = 8) -> None:
        if interval < 0 or num_pairs < 1:
            raise ValueError('interval must be 0 or more and num_pairs 1 or '
                             f'more, but got {interval} and {num_pairs}')
        self.interval = interval
        self.num_pairs = num_pairs

    @master_only
    def after_train_iter(self,
                         runner: Runner,
                         batch_idx: int,
                         data_batch: Optional[dict] = None,
                         outputs: Optional[dict] = None) -> None:
        """Draw, if it is time.

        Args:
            runner (Runner): Which has just done a step.
            batch_idx (int): Of the batch in the epoch.
            data_batch (dict, optional): As the data loader gave it.
                Defaults to None.
            outputs (dict, optional): Not used. Defaults to None.
        """
        if not self.interval or not self.every_n_train_iters(
                runner, self.interval):
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        pairs = split_batch(data_batch, self.num_pairs)
        if isinstance(model, SiamAttn):
            predictions = predict_pairs(model, pairs)
            pictures = [
                draw_predicted_pair(pair, prediction)
                for pair, prediction in zip(pairs, predictions)
            ]
        else:
            pictures = [draw_pair(pair) for pair in pairs]
        sheet = contact_sheet(pictures, columns=1 if len(pairs) < 5 else 2)
        runner.visualizer.add_image(
            'train_batch',
            cv2.cvtColor(sheet, cv2.COLOR_BGR2RGB),
            step=runner.iter + 1)


@torch.no_grad()
def predict_pairs(model: SiamAttn, pairs: List[dict]) -> List[PairPrediction]:
    """What a model says about training pairs, without a tracker's penalties.

    Args:
        model (SiamAttn): In evaluation mode while it is asked.
        pairs (list[dict]): See
            :func:`siamattn_mm.visualization.prediction_sheet.split_batch`.

    Returns:
        list[PairPrediction]: One a pair.
    """
    template, search = (
        model.data_preprocessor.normalize(
            torch.cat([pair['inputs'][name] for pair in pairs]))
        for name in ('img', 'search_img'))
    training = model.training
    model.eval()
    try:
        outs = model(dict(template=template, search=search), mode='tensor')
        return _best_of_each(model, outs)
    finally:
        model.train(training)


def _best_of_each(model: SiamAttn, outs: dict) -> List[PairPrediction]:
    scores = outs['cls_score'].float().flatten(1)
    scores = scores.view(len(scores), 2, -1).softmax(1)[:, 1]
    best = scores.argmax(1)
    index = torch.arange(len(scores), device=scores.device)
    size = model.test_cfg.search_size
    proposals = model.head.decode(outs['bbox_pred'].float())[index, best]
    # As the losses count, from the centre of the first pixel.
    proposals[:, :2] += size // 2
    boxes = masks = [None] * len(scores)
    if model.with_refine_head:
        clipped = clip_to_crop(proposals, size,
                               model.refine_head.train_cfg['min_size'])
        refined = model.refine_head.predict_box(outs['fused_box'], clipped)
        refined = bbox_cxcywh_to_xyxy(refined)
        boxes = refined.cpu().numpy()
        if outs['fused_mask'] is not None:
            rois = torch.cat([index[:, None].to(refined), refined], 1)
            logits = model.refine_head.predict_mask(outs['fused_mask'], rois)
            masks = [
                _paste(logit[0].float().sigmoid().cpu().numpy(), box, size)
                for logit, box in zip(logits, boxes)
            ]
    return [
        PairPrediction(*values) for values in zip(
            scores[index, best].tolist(),
            bbox_cxcywh_to_xyxy(proposals).cpu().numpy(), boxes, masks)
    ]


def _paste(mask: np.ndarray, box: np.ndarray, size: int) -> np.ndarray:
    """(size, size) bool, of probabilities over a box."""
    height, width = mask.shape
    # A box counts from pixel centres: pixel i reaches from i - 0.5 to i + 0.5.
    step_x, step_y = ([width, height] /
                      np.maximum(box[2:] - box[:2], 1e-3)).tolist()
    to_mask = np.array([[step_x, 0, -box[0] * step_x - 0.5],
                        [0, step_y, -box[1] * step_y - 0.5]])
    return cv2.warpAffine(
        mask,
        to_mask, (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP) > 0.5
