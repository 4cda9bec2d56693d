"""What every config's model has to do: learn from pairs, track frames."""
import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData
from mmtrack.structures import TrackDataSample

from siamattn_mm.models import SiamAttn


def pair_sample(label, mask):
    """What is known of a pair, as a data preprocessor gives it."""
    box = InstanceData(
        bboxes=torch.tensor([[80., 90., 170., 160.]]),
        labels=torch.tensor([label]),
        # For configs that learn from a teacher; the others do not look.
        teacher_scores=torch.full((1, 15, 15), .9),
        teacher_bboxes=torch.tensor([80., 90., 170., 160.]).expand(
            1, 15, 15, 4))
    if mask:
        pixels = np.zeros((1, 255, 255), np.uint8)
        pixels[:, 90:160, 80:170] = 1
        box.masks = BitmapMasks(pixels, 255, 255)
    return TrackDataSample(search_gt_instances=box, gt_instances=box)


def total_of(losses):
    """Their sum."""
    return sum(value for name, value in losses.items() if 'loss' in name)


def untouched_by_gradients(model):
    """Trained parameters behind the backbone that got no gradient."""
    return [
        name for name, parameter in model.named_parameters()
        if parameter.requires_grad and parameter.grad is None
        and not name.startswith('backbone.')
    ]


def track_noise(model, num_frames, device='cpu'):
    """Track frames of noise; every box has to be a box."""
    frames = np.random.RandomState(0).randint(
        0, 255, (num_frames, 120, 160, 3), dtype=np.uint8)
    for frame_id, frame in enumerate(frames):
        sample = TrackDataSample(
            metainfo=dict(frame_id=frame_id, ori_shape=(120, 160)),
            gt_instances=InstanceData(
                bboxes=torch.tensor([[40., 30., 80., 70.]])))
        image = torch.from_numpy(frame).permute(2, 0, 1)[None, None]
        if not isinstance(model, SiamAttn):
            # mmtrack's preprocessor does that.
            image, sample = image.float().to(device), sample.to(device)
        with torch.no_grad():
            out = model(dict(img=image), [sample], mode='predict')[0]
        box = out.pred_track_instances.bboxes
        assert box.shape == (1, 4) and torch.isfinite(box).all()
