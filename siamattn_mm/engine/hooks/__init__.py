from .backbone_freeze_hook import BackboneFreezeHook
from .checkpoint_fit_hook import CheckpointFitHook
from .flush_denormal_hook import FlushDenormalHook
from .iter_seed_hook import IterSeedHook
from .non_finite_loss_hook import NonFiniteLossHook
from .resume_test_hook import ResumeTestHook
from .train_batch_image_hook import TrainBatchImageHook
from .whole_checkpoint_hook import WholeCheckpointHook

__all__ = [
    'BackboneFreezeHook', 'CheckpointFitHook', 'FlushDenormalHook',
    'IterSeedHook', 'NonFiniteLossHook', 'ResumeTestHook',
    'TrainBatchImageHook', 'WholeCheckpointHook'
]
