"""Refuse to test with another model's weights."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmtrack.registry import HOOKS

from siamattn_mm.utils import check_fit
from siamattn_mm.utils.safe_loading import prepare_checkpoint


@HOOKS.register_module()
class CheckpointFitHook(Hook):
    """Stop a test whose checkpoint does not fit, or holds NaN.

    mmengine loads what fits, warns about the rest in a long log, and then
    tests a model that is partly untrained. Training may start from weights
    that fill a part of the model only, so it is only stopped by NaN or
    infinite weights. Weights under ``model`` or ``net`` are put where mmengine
    looks for them.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare names and shapes.

        Args:
            runner (Runner): Which has just loaded the checkpoint.
            checkpoint (dict): Its content.

        Raises:
            CheckpointError: Naming what is NaN or infinite; before a test,
                also what is missing, has no place or has another shape.
        """
        path = runner._load_from
        checkpoint.update(prepare_checkpoint(checkpoint, path))
        if runner._train_loop is not None and not isinstance(
                runner._train_loop, dict):
            return
        model = runner.model
        if is_model_wrapper(model):
            model = model.module
        check_fit(model, checkpoint.get('state_dict', checkpoint), path)
