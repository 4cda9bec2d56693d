"""The fast paths of a model, behind one door."""
from torch import nn

from siamattn_mm.torch_compat import compile_module, is_compiled

from .derived import forget_outdated
from .folding import fold_norms
from .paths import HasPaths, Paths


def prepare_for_inference(model: nn.Module,
                          fast: bool = True,
                          fold: bool = True,
                          compile: bool = False) -> None:
    """Choose how a model runs; it may be chosen anew at any time.

    Parameters, buffers and their names stay as they are, and training is not
    concerned. What is kept of folded weights follows a change of what they
    come from, but for a write through ``.data``, which only this function
    sees. Cheap enough to be called for each video.

    Args:
        model (nn.Module): Changed in place, but not its weights.
        fast (bool): False for the plain ways, which are what the fast ones
            are measured and tested against. Defaults to True.
        fold (bool): Whether convs and norms run as one, in evaluation without
            gradients. Not without ``fast``, nor with ``compile``, which folds
            them itself. Defaults to True.
        compile (bool): Whether ``model.backbone`` and ``model.head``, in their
            plain form, go to ``torch.compile``, for good. Defaults to False.
    """
    forget_outdated(model)
    if any(is_compiled(part) for part in model.children()):
        return
    _take(model, Paths(fast, fast and fold and not compile))
    if compile:
        for part in (model.backbone, model.head):
            # Operators of the fast form are unknown to torch.compile.
            _take(part, Paths(fast=False))
            # Template and search crops differ in size: one graph for each.
            compile_module(part)


def _take(model: nn.Module, paths: Paths) -> None:
    fold_norms(model, paths.folded)
    for module in model.modules():
        if isinstance(module, HasPaths):
            module.paths = paths
