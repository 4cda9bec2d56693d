import pytest
from mmtrack.registry import TASK_UTILS


@pytest.fixture
def generator():
    """The anchor generator of all our configs."""
    return TASK_UTILS.build(
        dict(
            type='SiamAttnAnchorGenerator',
            strides=[8],
            ratios=[0.33, 0.5, 1, 2, 3],
            scales=[8]))
