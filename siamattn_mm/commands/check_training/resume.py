"""Training that is killed and resumed ends with the same."""
import argparse
import os
import os.path as osp
import random
import signal
import subprocess
import sys
import time
from typing import Optional

from siamattn_mm.utils import load_weights

from .arguments import as_options, fail
from .differences import differences


class Training:
    """A run of ``siamattn train`` that can be killed.

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
            sys.executable, '-m', 'siamattn_cli', 'train', args.config,
            '--work-dir', work_dir, *as_options(options)
        ]
        self.process: Optional[subprocess.Popen] = None
        os.makedirs(work_dir, exist_ok=True)
        if os.listdir(work_dir):
            fail(f'{work_dir} is not empty: give another --work-dir')

    def checkpoint(self, iteration: int) -> str:
        """Name the file of an iteration.

        Args:
            iteration (int): From 1.

        Returns:
            str: Its path, whether it is there or not.
        """
        return osp.join(self.work_dir, f'iter_{iteration}.pth')

    def start(self, resume: bool) -> None:
        """Start the run in a process of its own.

        Args:
            resume (bool): Whether it goes on from the last checkpoint.
        """
        with open(self.log, 'a') as log:
            # A group of its own, so that a kill takes the workers too.
            self.process = subprocess.Popen(
                self.command + (['--resume'] if resume else []),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True)

    def wait_for(self, iteration: int) -> None:
        """Return as soon as the checkpoint of an iteration is there.

        Args:
            iteration (int): From 1; training that ends before is an error that
                exits with code 2.
        """
        while not osp.exists(self.checkpoint(iteration)):
            if self.process is None or self.process.poll() is not None:
                with open(self.log) as log:
                    print(''.join(log.readlines()[-20:]), file=sys.stderr)
                code = getattr(self.process, 'returncode', None)
                fail(f'training ended (code {code}) '
                     f'before it had made {self.checkpoint(iteration)}')
            time.sleep(0.01)

    def kill_between(self, iteration: int, following: int,
                     delay: float) -> None:
        """Kill it some time after a checkpoint, or after the next.

        Args:
            iteration (int): Of the checkpoint.
            following (int): Of the next.
            delay (float): Seconds.
        """
        self.wait_for(iteration)
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline and not osp.exists(
                self.checkpoint(following)):
            time.sleep(0.01)
        self.kill()

    def kill(self) -> None:
        """Kill it, if it runs, with all that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def last(self) -> str:
        """Name the checkpoint that a resumed run starts from.

        Returns:
            str: The file's name without its folder.

        Raises:
            OSError: If there is none yet.
        """
        with open(osp.join(self.work_dir, 'last_checkpoint')) as file:
            return osp.basename(file.read())


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

    expected, found = (
        load_weights(run.checkpoint(args.iterations))
        for run in (whole, killed))
    names = dict(
        state_dict='weights (averaged, if there is a moving average)',
        ema_state_dict='moving average and weights behind it',
        optimizer='optimizer',
        param_schedulers='schedules')
    print(f'largest difference after iteration {args.iterations}:')
    worst = 0.
    for key, title in names.items():
        if key not in expected:
            continue
        gaps = differences(expected.get(key), found.get(key))
        worst = max([worst, *gaps.values()])
        print(f'  {title}: {max(gaps.values(), default=0.):g} '
              f'({len(gaps)} values)')
    return worst == 0
