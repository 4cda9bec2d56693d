"""Run mmtrack's own entry points, with clear messages for bad input."""
import argparse
import functools
import importlib.util
import os
import os.path as osp
import re
import sys
from types import ModuleType
from typing import Any, NoReturn, Optional, Sequence

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.model import MMDistributedDataParallel
from mmengine.runner import find_latest_checkpoint

from siamattn_mm.compat import work_on_cpu

# Before mmtrack: it is what makes mmtrack importable.
from siamattn_mm.datasets.errors import DataError, TooManyUnreadableError
from siamattn_mm.utils import CheckpointError
from siamattn_mm.utils.configs import did_you_mean, find_config
from siamattn_mm.utils.devices import check_device, describe_device
from siamattn_mm.utils.safe_loading import read_checkpoints_safely

import mmtrack  # isort: skip


def run(name: str, argv: Optional[Sequence[str]], prog: str) -> None:
    """Run one of mmtrack's tools.

    Exits with code 2 and one line on stderr if a file that the arguments name
    is missing, if the sequences of a data set are not as expected, or if the
    checkpoint is another model's.

    Args:
        name (str): ``'train'`` or ``'test'``.
        argv (Sequence[str], optional): The tool's arguments; None takes this
            program's.
        prog (str): What messages call the program.
    """
    # What mmtrack's own parser reads, and what errors begin with.
    sys.argv = [prog, *(sys.argv[1:] if argv is None else argv)]
    tool: Any = _load(name)
    # Same flags, same messages.
    args = tool.parse_args()
    args.config = find_config(args.config)
    # Its main() parses again.
    tool.parse_args = lambda: args
    for kind, path in (('config', args.config),
                       ('checkpoint', getattr(args, 'checkpoint', None))):
        # Checkpoints may also be URLs.
        if path is not None and '://' not in path and not osp.isfile(path):
            hint = did_you_mean(path) if kind == 'config' else ''
            _fail(f'{kind} {path!r} is not a file{hint}')
    if getattr(args, 'resume', False):
        resume_what_was_begun(args)
    read_checkpoints_safely()
    if name == 'test':
        fix_threads()
    choose_device()
    if args.launcher == 'pytorch' and get_device() == 'cpu':
        distribute_on_cpu()
    try:
        tool.main()
    except (DataError, TooManyUnreadableError, OSError) as error:
        _fail(_message(error) + hint_of_validation(args, name, str(error)))
    except CheckpointError as error:
        _fail(str(error))


def resume_what_was_begun(args: argparse.Namespace) -> None:
    """Let ``--resume`` mean the work folder's last checkpoint.

    mmengine resumes from a config's ``load_from``, where there is one, and so
    would begin again. A ``load_from`` among the arguments still counts.

    Args:
        args (Namespace): Of mmtrack's ``train.py``; changed in place.
    """
    if 'load_from' in (args.cfg_options or {}):
        return
    config = Config.fromfile(args.config)
    if not config.get('load_from'):
        return
    work_dir = args.work_dir or config.get('work_dir') or osp.join(
        'work_dirs',
        osp.splitext(osp.basename(args.config))[0])
    if osp.isdir(work_dir) and find_latest_checkpoint(work_dir):
        args.cfg_options = dict(args.cfg_options or {}, load_from=None)
    else:
        args.resume = False


def _message(error: Exception) -> str:
    """What an error says, in a line.

    From a data loader worker it comes with the worker's traceback, the
    message in the last line, behind the error's name.
    """
    lines = str(error).splitlines() or [type(error).__name__]
    return re.split(r'^[\w.]+Error: ', lines[-1])[-1]


def hint_of_validation(args: argparse.Namespace, name: str,
                       message: str) -> str:
    """How to point validation elsewhere, if its data are what is missing.

    Args:
        args (Namespace): Of mmtrack's own tool.
        name (str): ``'train'`` or ``'test'``.
        message (str): What went wrong.

    Returns:
        str: To be put behind the message; empty if it is something else.
    """
    if name != 'train' or message.startswith('source '):
        return ''
    config = Config.fromfile(args.config)
    if args.cfg_options is not None:
        config.merge_from_dict(args.cfg_options)
    dataset = (config.get('val_dataloader') or {}).get('dataset', {})
    root = dataset.get('data_root')
    if not root or osp.normpath(root) not in message:
        return ''
    return ('. This is the validation data: set val_dataloader.dataset.'
            'data_root to a folder of sequences and val_dataloader.dataset.'
            'sequences=None to take all of them, or train without: '
            'val_dataloader=None val_evaluator=None val_cfg=None')


def choose_device() -> None:
    """Say on which device the runner will work: a GPU only if it works."""
    device = check_device(None)
    if device.type == 'cpu' and get_device() == 'cuda':
        work_on_cpu()
    print('device:', get_device() if device.type == 'cpu' else
          describe_device(device), flush=True)


def fix_threads() -> None:
    """Give PyTorch two threads, unless the user says how many.

    With another number it adds in another order, so that results differ in
    the last digits from machine to machine, and from those of several
    processes, to each of which ``tools/dist_test.sh`` gives as many.
    """
    if 'OMP_NUM_THREADS' not in os.environ:
        torch.set_num_threads(min(2, os.cpu_count() or 1))


def distribute_on_cpu() -> None:
    """Let mmengine's runner work in several processes without a GPU.

    Call it once in each process that ``torchrun`` has started.
    """
    # mmengine would ask CUDA for a device, whatever the backend is; it takes
    # a process group that is there already.
    torch.distributed.init_process_group('gloo')

    # It gives the number of a GPU to the model's wrapper, too.
    wrap = MMDistributedDataParallel.__init__

    @functools.wraps(wrap)
    def wrap_without_gpu(self, *args, **kwargs) -> None:
        wrap(self, *args, **dict(kwargs, device_ids=None))

    MMDistributedDataParallel.__init__ = wrap_without_gpu


def _load(name: str) -> ModuleType:
    path = osp.join(osp.dirname(mmtrack.__file__), '.mim', 'tools',
                    f'{name}.py')
    if not osp.isfile(path):
        _fail(f'mmtrack\'s own {name}.py is not where its wheel puts it '
              f'({path}); install mmtrack 1.0.0rc1 from PyPI')
    spec: Any = importlib.util.spec_from_file_location(f'mmtrack_{name}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _fail(message: str) -> NoReturn:
    print(f'{sys.argv[0]}: error: {message}', file=sys.stderr)
    sys.exit(2)
