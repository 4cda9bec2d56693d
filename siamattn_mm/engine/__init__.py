"""What mmengine's Runner needs beside the model and the data."""
from .hooks import (
    BackboneFreezeHook,
    CheckpointFitHook,
    FlushDenormalHook,
    IterSeedHook,
    NonFiniteLossHook,
    ResumeTestHook,
    TrainBatchImageHook,
    WholeCheckpointHook,
)
from .loops import ExactEpochTrainLoop, VOTSupervisedLoop
from .optim_wrappers import AnyDeviceAmpOptimWrapper, AsyncOptimWrapper
from .optimizers import DeviceAdamW, DeviceSGD

__all__ = [
    'AnyDeviceAmpOptimWrapper', 'AsyncOptimWrapper', 'BackboneFreezeHook',
    'CheckpointFitHook', 'DeviceAdamW', 'DeviceSGD', 'ExactEpochTrainLoop',
    'FlushDenormalHook', 'IterSeedHook', 'NonFiniteLossHook',
    'ResumeTestHook', 'TrainBatchImageHook', 'VOTSupervisedLoop',
    'WholeCheckpointHook'
]
