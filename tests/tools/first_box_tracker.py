"""A model for tests of the entry points: the target never moves."""
import torch
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from mmtrack.registry import DATASETS, MODELS
from torch.utils.data import Dataset


@MODELS.register_module()
class FirstBoxTracker(BaseModel):
    """Gives the first frame's box and its mask in every frame."""

    def __init__(self, stop_in=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.stop_in = stop_in

    def forward(self, inputs, data_samples=None, mode='predict'):
        if mode == 'loss':
            return dict(loss=(self.weight**2).sum())
        sample = data_samples[0]
        if sample.sequence_name == self.stop_in and sample.frame_id == 1:
            raise KeyboardInterrupt
        image = inputs['img'][0]
        if sample.frame_id == 0:
            corners = sample.gt_instances.bboxes.reshape(-1, 2)
            self.box = torch.cat([corners.min(0)[0], corners.max(0)[0]])
        mask = torch.zeros(image.shape[-2:], dtype=torch.bool)
        x1, y1, x2, y2 = self.box.round().int().tolist()
        mask[max(y1, 0):y2, max(x1, 0):x2] = True
        sample.pred_track_instances = InstanceData(
            bboxes=self.box[None], scores=self.weight.detach(),
            masks=mask[None])
        sample.set_metainfo(dict(track_time=.001))
        return data_samples


@DATASETS.register_module()
class NoImages(Dataset):
    """Two samples to train on."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return dict(inputs=torch.zeros(1), data_samples=None)
