"""The fast paths of a model, behind one door."""
from torch import nn

from siamattn_mm.torch_compat import compile_module

from .folding import fold_norms
from .optimize import set_optimize


def prepare_for_inference(model: nn.Module,
                          optimize: bool = True,
                          fold: bool = True,
                          compile: bool = False) -> None:
    """Choose how a model runs.

    Cheap enough to do so for each video; weights that have changed since are
    seen.

    Args:
        model (nn.Module): Changed in place, but not its weights.
        optimize (bool): False for the plain ways, which are what the fast
            ones are measured and tested against. Defaults to True.
        fold (bool): Whether convs and norms run as one, in evaluation without
            gradients. Not without ``optimize``, nor with ``compile``, which
            folds them itself. Defaults to True.
        compile (bool): Whether ``model.backbone`` and ``model.head``, in their
            plain form, go to ``torch.compile``. Defaults to False.
    """
    if model.__dict__.get('_compiled'):
        return
    set_optimize(model, optimize)
    if compile:
        for part in (model.backbone, model.head):
            # Operators of the fast form are unknown to torch.compile.
            set_optimize(part, False)
            # Template and search crops differ in size: one graph for each.
            compile_module(part)
        model._compiled = True
    elif optimize and fold:
        fold_norms(model)
