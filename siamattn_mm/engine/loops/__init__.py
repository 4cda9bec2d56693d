from .exact_epoch_train_loop import ExactEpochTrainLoop
from .vot_supervised_loop import VOTSupervisedLoop

__all__ = ['ExactEpochTrainLoop', 'VOTSupervisedLoop']
