"""Every part of the model, registered in mmtrack's ``MODELS``."""
from .backbones import *  # noqa: F401,F403
from .data_preprocessor import SOTDataPreprocessor  # noqa: F401
from .heads import *  # noqa: F401,F403
from .losses import *  # noqa: F401,F403
from .necks import *  # noqa: F401,F403
from .ops import *  # noqa: F401,F403
from .sot import *  # noqa: F401,F403
from .task_modules import *  # noqa: F401,F403
