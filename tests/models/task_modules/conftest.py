import pytest
from anchor_generator import build_anchor_generator


@pytest.fixture
def generator():
    """The anchor generator of all our configs."""
    return build_anchor_generator()
