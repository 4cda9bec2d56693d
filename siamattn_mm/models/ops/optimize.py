"""The switch between fast and plain ways to the same numbers."""
from torch import nn


def set_optimize(model: nn.Module, optimize: bool) -> None:
    """Switch every part of a model that has more than one way.

    Such a part has a class attribute ``optimize``, True by default.

    Args:
        model (nn.Module): Changed in place.
        optimize (bool): False for the plain ways, which are what the fast
            ones are measured and tested against.
    """
    for module in model.modules():
        if hasattr(type(module), 'optimize'):
            module.optimize = optimize
