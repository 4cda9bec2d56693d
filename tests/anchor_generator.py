"""The anchor generator of all our configs."""
from mmtrack.registry import TASK_UTILS

RATIOS = [0.33, 0.5, 1, 2, 3]


def build_anchor_generator(**kwargs):
    """Build it, or one that differs from it in some arguments."""
    return TASK_UTILS.build(
        dict(
            dict(
                type='SiamAttnAnchorGenerator',
                strides=[8],
                ratios=RATIOS,
                scales=[8]), **kwargs))
