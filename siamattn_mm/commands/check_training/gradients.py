"""Several processes have the gradients of one."""
import argparse
import os
import os.path as osp
import subprocess
import sys
from typing import List, Tuple

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn.modules.batchnorm import _BatchNorm

from siamattn_mm.utils import load_weights

from ..mmtrack_entry import distribute_on_cpu
from .arguments import as_options, fail
from .differences import differences


class SaveGradients(Hook):
    """Write the gradients of the first step to a file, and do no step.

    Args:
        path (str): The file.
        norms_in_training (bool): Whether norms stay in training mode.
    """

    # The loop has put the model in training mode by then.
    priority = 'LOWEST'

    def __init__(self, path: str, norms_in_training: bool) -> None:
        self.path = path
        self.norms_in_training = norms_in_training

    def before_train(self, runner: Runner) -> None:
        """Give what starts at zero some noise, and write in place of a step.

        Args:
            runner (Runner): Of training.
        """
        # Attention scalars and offsets start at zero: whatever lies behind
        # them would have no gradient.
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in self.model.parameters():
                if not parameter.any():
                    noise = torch.randn(parameter.shape, generator=generator)
                    parameter.copy_(0.05 * noise)
        runner.optim_wrapper.step = self._save

    def before_run(self, runner: Runner) -> None:
        """Look up what is awaited, and take data in the model's precision.

        Args:
            runner (Runner): Of training.
        """
        self.model = getattr(runner.model, 'module', runner.model)
        # What DDP waits for, if it does not look for what is unused.
        self.awaited = []
        if not getattr(runner.model, 'find_unused_parameters', True):
            self.awaited = [(name, parameter) for name, parameter in
                            self.model.named_parameters()
                            if parameter.requires_grad]
        # Data comes in single precision.
        dtype = torch.get_default_dtype()
        self.model.data_preprocessor.register_forward_hook(
            lambda module, args, data: dict(
                data,
                inputs={
                    name: value.to(dtype)
                    for name, value in data['inputs'].items()
                }))

    def before_train_iter(self, *args, **kwargs) -> None:
        """Put norms in evaluation mode, if they are to be."""
        for module in self.model.modules():
            if isinstance(module, _BatchNorm) and not self.norms_in_training:
                module.eval()

    @master_only
    def _save(self, **kwargs) -> None:
        missing = [name for name, value in self.awaited if value.grad is None]
        if missing:
            raise RuntimeError(
                f'{len(missing)} parameters have no gradient, the first is '
                f'{missing[0]}: the processes wait for each other\'s and '
                'average nothing. Freeze what is not trained when the model '
                'is built, or set find_unused_parameters=True')
        torch.save(
            {
                name: parameter.grad.cpu()
                for name, parameter in self.model.named_parameters()
                if parameter.grad is not None
            }, self.path)


def save_gradients(args: argparse.Namespace) -> None:
    """Do one step in this process, which may be one of several.

    Args:
        args (argparse.Namespace): Of this program; ``save`` is the file.
    """
    if args.precision == 'double':
        torch.set_default_dtype(torch.float64)
    several = 'WORLD_SIZE' in os.environ
    if several and get_device() == 'cpu':
        distribute_on_cpu()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options or {})
    cfg.launcher = 'pytorch' if several else 'none'
    cfg.work_dir = args.work_dir
    cfg.train_dataloader.update(
        batch_size=args.batch_size, num_workers=0, persistent_workers=False)
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
    cfg.default_hooks.checkpoint = None
    for name in ('param_scheduler', 'custom_hooks', 'val_cfg',
                 'val_dataloader', 'val_evaluator', 'test_cfg',
                 'test_dataloader', 'test_evaluator'):
        cfg[name] = None
    if args.sync_bn:
        cfg.sync_bn = 'torch'
    runner = Runner.from_cfg(cfg)
    runner.register_hook(SaveGradients(args.save, args.sync_bn))
    runner.train()


def check_gradients(args: argparse.Namespace, work_dir: str) -> bool:
    """Compare the gradients of several processes with those of one.

    Args:
        args (argparse.Namespace): Of this program.
        work_dir (str): For the gradients and logs.

    Returns:
        bool: Whether no difference is larger than the tolerance.
    """
    launch = [
        '-m', 'torch.distributed.run', '--standalone',
        f'--nproc_per_node={args.processes}'
    ]
    whole = args.processes * args.batch_size
    runs: List[Tuple[str, List[str], int]] = [
        (f'1 process, {whole} pairs', [], whole),
        (f'{args.processes} processes, {args.batch_size} pairs each', launch,
         args.batch_size)
    ]
    found = []
    os.makedirs(work_dir, exist_ok=True)
    for i, (title, prefix, batch_size) in enumerate(runs):
        print(title, flush=True)
        path = osp.join(work_dir, f'gradients_{i}.pth')
        command = [
            sys.executable, *prefix, '-m', 'siamattn_cli', 'check-training',
            'gradients', args.config, '--save', path, '--work-dir', work_dir,
            '--batch-size',
            str(batch_size), '--precision', args.precision
        ] + ['--sync-bn'] * args.sync_bn + as_options(args.cfg_options or {})
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True)
        if done.returncode:
            print(done.stdout[-4000:], file=sys.stderr)
            fail(f'{title}: training failed')
        found.append(load_weights(path))
    gaps = differences(found[0], found[1])
    worst = max(gaps, key=lambda name: gaps[name])
    size = max(float(value.abs().max()) for value in found[0].values())
    live = sum(bool(value.any()) for value in found[0].values())
    print(f'largest gradient difference: {gaps[worst]:.2g}, in {worst} '
          f'({len(gaps)} tensors, {live} of them not zero, the largest '
          f'gradient is {size:.3g})')
    return gaps[worst] <= args.tolerance
