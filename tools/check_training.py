"""Show that training can be killed, and spread over processes.

    python tools/check_training.py resume CONFIG
    python tools/check_training.py gradients CONFIG

Whatever shortens a run is given as for tools/train.py, by --cfg-options.
"""
import argparse
import os
import os.path as osp
import random
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, NoReturn, Optional, Tuple

import torch
from _mmtrack_entry import distribute_on_cpu
from mmengine.config import Config, DictAction
from mmengine.device import get_device
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from siamattn_mm.utils import load_weights

TRAIN = osp.join(osp.dirname(osp.abspath(__file__)), 'train.py')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n')[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    commands = parser.add_subparsers(dest='command', metavar='COMMAND')
    commands.required = True

    resume = commands.add_parser(
        'resume',
        formatter_class=parser.formatter_class,
        help='kill training at random moments, resume it, and compare it with '
        'training that was left alone')
    resume.add_argument('config', help='training config file')
    resume.add_argument(
        '--iterations', type=int, default=12, help='compare after so many')
    resume.add_argument(
        '--interval', type=int, default=3, help='iterations per checkpoint')
    resume.add_argument('--kills', type=int, default=1, help='how often')
    resume.add_argument(
        '--seed', type=int, default=0, help='of the moments of the kills')

    gradients = commands.add_parser(
        'gradients',
        formatter_class=parser.formatter_class,
        help='compare the gradients of several processes with those of one '
        'that has the whole batch')
    gradients.add_argument('config', help='training config file')
    gradients.add_argument(
        '--processes', type=int, default=2, help='how many')
    gradients.add_argument(
        '--batch-size', type=int, default=4, help='pairs of each process')
    gradients.add_argument(
        '--tolerance',
        type=float,
        default=1e-5,
        help='largest difference that is taken for rounding')
    gradients.add_argument(
        '--precision',
        choices=['double', 'single'],
        default='double',
        help='double shows that what is left in single precision is rounding')
    gradients.add_argument(
        '--sync-bn',
        action='store_true',
        help='norms in training mode, with statistics of all processes (GPUs '
        'only); without it they are in evaluation mode')
    # How the tool calls itself in the processes that it starts.
    gradients.add_argument('--save', help=argparse.SUPPRESS)

    for command in (resume, gradients):
        command.add_argument(
            '--work-dir',
            help='keep checkpoints and logs there; by default in a temporary '
            'folder, which is removed')
        command.add_argument(
            '--cfg-options',
            nargs='+',
            action=DictAction,
            help='as for tools/train.py')
    args = parser.parse_args()
    if not osp.isfile(args.config):
        fail(f'config {args.config!r} is not a file')
    for name in ('iterations', 'interval', 'processes', 'batch_size'):
        if getattr(args, name, 1) < 1:
            fail(f'--{name.replace("_", "-")} must be 1 or more')
    if args.command == 'resume':
        saved = args.iterations // args.interval
        if args.iterations % args.interval or saved < 3:
            fail('--iterations must be a multiple of --interval, three times '
                 'it or more')
        if not 0 <= args.kills <= saved - 2:
            fail(f'--kills must be in [0, {saved - 2}]: there are {saved} '
                 'checkpoints, and the last two come after the kills')
    return args


def fail(message: str) -> NoReturn:
    print(f'{sys.argv[0]}: error: {message}', file=sys.stderr)
    sys.exit(2)


def differences(first: Any, second: Any, name: str = '') -> Dict[str, float]:
    """Compare two checkpoints' contents.

    Args:
        first (Any): Tensors and numbers, in dicts and lists.
        second (Any): The same of the other.
        name (str): Of both, for the result.

    Returns:
        dict[str, float]: Largest difference of each tensor or number by its
        name; infinity where something is in one of them only.
    """
    if isinstance(first, dict) and isinstance(second, dict):
        pairs = [(key, first.get(key), second.get(key))
                 for key in {**first, **second}]
    elif isinstance(first, (list, tuple)) and isinstance(
            second, (list, tuple)) and len(first) == len(second):
        pairs = list(zip(range(len(first)), first, second))
    elif isinstance(first, Tensor) and isinstance(
            second, Tensor) and first.shape == second.shape:
        gap = (first.double() - second.double()).abs()
        return {name: float(gap.max()) if gap.numel() else 0.}
    elif isinstance(first, float) and isinstance(second, float):
        return {name: abs(first - second)}
    else:
        same = not isinstance(first, Tensor) and first == second
        return {name: 0. if same else float('inf')}
    found = dict()
    for key, one, other in pairs:
        found.update(differences(one, other, f'{name}.{key}' if name else
                                 str(key)))
    return found


# -- resume ---------------------------------------------------------------


class Training:
    """A run of tools/train.py that can be killed.

    Args:
        args (argparse.Namespace): Of this program.
        work_dir (str): Of the run.
    """

    def __init__(self, args: argparse.Namespace, work_dir: str) -> None:
        self.work_dir = work_dir
        self.log = osp.join(work_dir, 'output.txt')
        options = dict(
            args.cfg_options or {}, **{
                'default_hooks.checkpoint.by_epoch': False,
                'default_hooks.checkpoint.interval': args.interval,
                'default_hooks.checkpoint.max_keep_ckpts': -1
            })
        self.command = [
            sys.executable, TRAIN, args.config, '--work-dir', work_dir,
            '--cfg-options'
        ] + [f'{key}={_option(value)}' for key, value in options.items()]
        self.process: Optional[subprocess.Popen] = None
        os.makedirs(work_dir, exist_ok=True)
        if os.listdir(work_dir):
            fail(f'{work_dir} is not empty: give another --work-dir')

    def checkpoint(self, iteration: int) -> str:
        return osp.join(self.work_dir, f'iter_{iteration}.pth')

    def start(self, resume: bool) -> None:
        with open(self.log, 'a') as log:
            # A group of its own, so that a kill takes the workers too.
            self.process = subprocess.Popen(
                self.command + (['--resume'] if resume else []),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True)

    def wait_for(self, iteration: int) -> None:
        """Return as soon as the checkpoint of an iteration is there."""
        while not osp.exists(self.checkpoint(iteration)):
            if self.process.poll() is not None:
                with open(self.log) as log:
                    print(''.join(log.readlines()[-20:]), file=sys.stderr)
                fail(f'training ended (code {self.process.returncode}) '
                     f'before it had made {self.checkpoint(iteration)}')
            time.sleep(0.01)

    def kill_between(self, iteration: int, following: int,
                     delay: float) -> None:
        """Kill it so many seconds after a checkpoint, or after the next."""
        self.wait_for(iteration)
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline and not osp.exists(
                self.checkpoint(following)):
            time.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last(self) -> str:
        """Name of the checkpoint that a resumed run starts from."""
        with open(osp.join(self.work_dir, 'last_checkpoint')) as file:
            return osp.basename(file.read())


def _option(value: Any) -> str:
    return value if isinstance(value, str) else repr(value).replace(' ', '')


def check_resume(args: argparse.Namespace, work_dir: str) -> bool:
    """Train twice, once with kills, and compare.

    Args:
        args (argparse.Namespace): Of this program.
        work_dir (str): For both runs.

    Returns:
        bool: Whether both ended with the same.
    """
    whole, killed = (
        Training(args, osp.join(work_dir, name))
        for name in ('whole', 'killed'))
    moments = random.Random(args.seed)
    try:
        print(f'training {args.iterations} iterations', flush=True)
        whole.start(resume=False)
        whole.wait_for(args.interval)
        begin = time.monotonic()
        whole.wait_for(args.iterations)
        step = (time.monotonic() - begin) / (args.iterations - args.interval)
        whole.kill()

        print(f'again, with {args.kills} kills (SIGKILL)', flush=True)
        # What is compared has to be made after the last kill.
        saved = range(args.interval, args.iterations - args.interval,
                      args.interval)
        for i, iteration in enumerate(
                sorted(moments.sample(saved, args.kills))):
            killed.start(resume=i > 0)
            delay = moments.random() * args.interval * step
            killed.kill_between(iteration, iteration + args.interval, delay)
            print(f'  killed {delay:.2f} s or less after iter_{iteration}.pth '
                  f'was there; going on from {killed.last()}', flush=True)
        killed.start(resume=args.kills > 0)
        killed.wait_for(args.iterations)
    finally:
        whole.kill()
        killed.kill()

    contents = [
        load_weights(run.checkpoint(args.iterations))
        for run in (whole, killed)
    ]
    names = dict(
        state_dict='weights (averaged, if there is a moving average)',
        ema_state_dict='moving average and weights behind it',
        optimizer='optimizer',
        param_schedulers='schedules')
    print(f'largest difference after iteration {args.iterations}:')
    worst = 0.
    for key, title in names.items():
        if key not in contents[0]:
            continue
        gaps = differences(*(content.get(key) for content in contents))
        worst = max([worst, *gaps.values()])
        print(f'  {title}: {max(gaps.values(), default=0.):g} '
              f'({len(gaps)} values)')
    return worst == 0


# -- gradients ------------------------------------------------------------


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
            sys.executable, *prefix,
            osp.abspath(__file__), 'gradients', args.config, '--save', path,
            '--work-dir', work_dir, '--batch-size',
            str(batch_size), '--precision', args.precision
        ] + ['--sync-bn'] * args.sync_bn
        if args.cfg_options:
            command += ['--cfg-options'] + [
                f'{key}={_option(value)}'
                for key, value in args.cfg_options.items()
            ]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            universal_newlines=True)
        if done.returncode:
            print(done.stdout[-4000:], file=sys.stderr)
            fail(f'{title}: training failed')
        found.append(load_weights(path))
    gaps = differences(*found)
    worst = max(gaps, key=lambda name: gaps[name])
    size = max(float(value.abs().max()) for value in found[0].values())
    live = sum(bool(value.any()) for value in found[0].values())
    print(f'largest gradient difference: {gaps[worst]:.2g}, in {worst} '
          f'({len(gaps)} tensors, {live} of them not zero, the largest '
          f'gradient is {size:.3g})')
    return gaps[worst] <= args.tolerance


def main() -> None:
    args = parse_args()
    if getattr(args, 'save', None):
        save_gradients(args)
        return
    # So that `finally` ends what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    check = dict(resume=check_resume, gradients=check_gradients)[args.command]
    with tempfile.TemporaryDirectory() as temporary:
        equal = check(args, args.work_dir or temporary)
    print('equal' if equal else 'NOT equal')
    sys.exit(0 if equal else 1)


if __name__ == '__main__':
    main()
