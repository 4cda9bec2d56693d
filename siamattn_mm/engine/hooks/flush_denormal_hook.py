"""No subnormal numbers while training on a CPU."""
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmtrack.registry import HOOKS


@HOOKS.register_module()
class FlushDenormalHook(Hook):
    """Let the CPU take subnormal numbers, below 1e-38, for zero.

    Gradients behind a peaked softmax are full of them, and a CPU computes
    with each of them many times as slowly. Threads that PyTorch has started
    before the run go on as they were. Where the CPU cannot do it, nothing
    changes.
    """

    def before_run(self, runner: Runner) -> None:
        """Begin.

        Args:
            runner (Runner): Not used.
        """
        torch.set_flush_denormal(True)

    def after_run(self, runner: Runner) -> None:
        """End.

        Args:
            runner (Runner): Not used.
        """
        torch.set_flush_denormal(False)
