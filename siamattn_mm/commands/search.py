"""Search a config's tracking parameters on a validation set.

Tunes numbers of `test_cfg` (penalty_k, window_influence, lr by default; the
mask threshold where there are masks), or of the parts that learn from the
video, for success AUC, and writes a config that inherits. Give it sequences
for training or validation: figures on sequences that the parameters were
tuned on are worth nothing.

Example:
    siamattn search CONFIG --data-root data/train_sequences \\
        --trials 60 --out my_config.py

The same command again goes on where it stopped; run it several times at once,
and the processes share the trials.
"""
import argparse
import os.path as osp
import sys
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from mmengine.config import Config
from rich import progress
from rich.console import Console

from siamattn_mm import apis, search
from siamattn_mm.datasets.reading.image_reader import UnreadableFrameError
from siamattn_mm.deploy import is_exported
from siamattn_mm.search.space import DEFAULT_RANGES
from siamattn_mm.utils.command_line import (
    Parser,
    add_device_argument,
    find_config,
    say_device,
    warnings_in_one_line,
)
from siamattn_mm.utils.devices import device_of
from siamattn_mm.utils.files import check_writable
from siamattn_mm.utils.model_parts import makes_masks

MASK_KEY = 'refine.mask_thr'


def key_and_range(text: str) -> Tuple[str, Tuple[float, ...]]:
    """Read ``KEY=LOW:HIGH``.

    Args:
        text (str): An argument.

    Returns:
        tuple[str, tuple[float, float]]: Key and limits.

    Raises:
        ArgumentTypeError: If it is something else.
    """
    key, _, limits = text.partition('=')
    try:
        low, high = map(float, limits.split(':'))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not KEY=LOW:HIGH, as in lr=0.1:0.9') from None
    return key, (low, high)


def thresholds(text: str) -> List[float]:
    """Read ``LOW:HIGH:STEP``.

    Args:
        text (str): An argument.

    Returns:
        list[float]: LOW, LOW + STEP, ..., 0..1 each.

    Raises:
        ArgumentTypeError: If it is something else.
    """
    try:
        low, high, step = map(float, text.split(':'))
        if not (0 <= low <= high <= 1 and step > 0):
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not LOW:HIGH:STEP within 0..1, as in 0.1:0.9:0.05'
        ) from None
    count = int((high - low) / step + 1e-6) + 1
    return [round(low + i * step, 6) for i in range(count)]


def positive(text: str) -> int:
    """Read a whole number from 1.

    Args:
        text (str): An argument.

    Returns:
        int: The number.

    Raises:
        ArgumentTypeError: If it is something else.
    """
    try:
        value = int(text)
        if value < 1:
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'{text!r} is not a whole number from 1') from None
    return value


def make_parser(prog: str) -> Parser:
    """Make the command line.

    Args:
        prog (str): What messages call the program.

    Returns:
        Parser: Of all arguments.
    """
    parser = Parser(
        prog=prog,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='model to tune')
    parser.add_argument('--checkpoint', help='weights; left out: those that '
                        'ship with the package, if the config names some')
    parser.add_argument(
        '--data-root',
        required=True,
        help='folder of sequences to tune on, never those of the evaluation')
    parser.add_argument(
        '--sequences',
        nargs='+',
        metavar='NAME',
        help='names or patterns such as "davis-*" (default: all)')
    parser.add_argument(
        '--max-frames',
        type=positive,
        metavar='N',
        help='only the first N frames of each sequence')
    parser.add_argument(
        '--trials',
        type=positive,
        default=60,
        metavar='N',
        help='in total, those already in the storage included (default: '
        '%(default)s)')
    parser.add_argument(
        '--out', required=True, help='config to write, .py')
    parser.add_argument(
        '--storage',
        help='file that keeps the trials (default: OUT with the suffix '
        '.journal)')
    parser.add_argument(
        '--space',
        nargs='+',
        type=key_and_range,
        metavar='KEY=LOW:HIGH',
        help='numbers of test_cfg and their ranges, e.g. lr=0.1:0.9 or '
        'rpn.lr=0.1:0.9, and of the list online, e.g. influence=0.2:0.8 or '
        'online.CorrelationFilter.influence=0.2:0.8 (default: search_space '
        'of the config, or ' + ' '.join(
            f'{key}={low}:{high}'
            for key, (low, high) in DEFAULT_RANGES.items()) + ')')
    parser.add_argument(
        '--mask-thr',
        type=thresholds,
        default='0.1:0.9:0.05',
        metavar='LOW:HIGH:STEP',
        help='thresholds of the mask; all are tried in every trial at no '
        'cost, where sequences have masks (default: %(default)s)')
    parser.add_argument(
        '--mask-weight',
        type=float,
        default=0.,
        metavar='W',
        help='maximise success + W * J at the best threshold (default: '
        '%(default)s; the threshold is chosen for J in any case)')
    parser.add_argument(
        '--no-pruning',
        action='store_true',
        help='evaluate every trial on all sequences')
    parser.add_argument(
        '--cache-gb',
        type=float,
        default=2.,
        help='memory for decoded frames; the others are kept compressed '
        '(default: %(default)s)')
    parser.add_argument('--seed', type=int, default=0)
    add_device_argument(parser)
    return parser


def load_model(args: argparse.Namespace, prog: str):
    """Build the model; what that warns of becomes one line each.

    Args:
        args (argparse.Namespace): Of the command line.
        prog (str): What messages call the program.

    Returns:
        SiamAttn: In eval mode, on its device.

    Raises:
        ValueError: As :func:`siamattn_mm.apis.init_tracker`.
    """
    with warnings_in_one_line(prog):
        model = apis.init_tracker(args.config, args.checkpoint,
                                  args.device).model
    say_device(model)
    return model


def make_bar() -> progress.Progress:
    """Make a bar on stderr.

    Returns:
        progress.Progress: Without a task yet.
    """
    return progress.Progress(
        progress.TextColumn('{task.description}'),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True))


def load_sequences(args: argparse.Namespace) -> search.SequenceStore:
    """Read all frames.

    Args:
        args (argparse.Namespace): Of the command line.

    Returns:
        SequenceStore: Of the sequences to tune on.

    Raises:
        SequenceFolderError: If the folder is not as expected.
        UnreadableFrameError: If a frame cannot be read.
    """
    with make_bar() as bar:
        task = bar.add_task('reading sequences', total=None)
        return search.SequenceStore(
            args.data_root,
            args.sequences,
            args.max_frames,
            int(args.cache_gb * 1e9),
            progress=lambda done, total: bar.update(
                task, completed=done, total=total))


def conditions_of(args: argparse.Namespace, model, model_cfg, space,
                  store) -> Dict[str, object]:
    """Say what makes trials comparable; paths do not.

    Args:
        args (argparse.Namespace): Of the command line.
        model (SiamAttn): Whose weights count.
        model_cfg (ConfigDict): The config's model.
        space (list[Parameter]): What is searched.
        store (SequenceStore): What is tracked.

    Returns:
        dict[str, Any]: Equal for trials that may share a study.
    """
    from siamattn_mm.search.study import fingerprint
    fixed = model_cfg.test_cfg.to_dict()
    keys = [parameter.key for parameter in space]
    of_parts = [key for key in keys if key.startswith(search.PREFIX)]
    for key in {MASK_KEY, *keys} - set(of_parts):
        *groups, name = key.split('.')
        branch = fixed
        for group in groups:
            branch = branch.get(group, {})
        branch.pop(name, None)
    return dict(
        weights=fingerprint(model),
        parameters=sorted(keys),
        fixed_test_cfg=fixed,
        fixed_online=search.without_numbers(
            model_cfg.get('online'), of_parts),
        sequences=[[s.name, len(s)] for s in store.sequences],
        mask_weight=args.mask_weight,
        thresholds=args.mask_thr,
        device=device_of(model).type)


def run_trials(args: argparse.Namespace, model, model_cfg, store,
               found) -> None:
    """Search, and write the config each time it gets better.

    Args:
        args (argparse.Namespace): Of the command line.
        model (SiamAttn): Its numbers are changed.
        model_cfg (ConfigDict): The config of the model.
        store (SequenceStore): What is tracked.
        found (Search): Takes the trials.
    """
    sweep = search.ThresholdSweep(args.mask_thr)
    with make_bar() as bar:
        trials = bar.add_task(
            'trials', total=args.trials, completed=found.num_finished)
        frames = bar.add_task('', total=store.num_frames)

        def evaluate(values: Dict[str, float],
                     number: int) -> search.SequenceOutcome:
            sequence = store.sequences[number]
            if not number:
                bar.reset(frames)
                search.set_values(model, values, model_cfg.get('online'))
            bar.update(frames, description=f'  {sequence.name}')
            outcome = search.track_sequence(model, sequence, sweep)
            bar.advance(frames, len(sequence))
            return outcome

        while found.num_finished < args.trials:
            found.run_trial(evaluate, len(store), args.mask_weight)
            best = found.best
            if best is not None:
                write_best(args, store, found)
                bar.update(
                    trials,
                    completed=found.num_finished,
                    description=f'trials (best {best.value:.4f})')


def write_best(args: argparse.Namespace, store, found) -> Dict[str, float]:
    """Write the config of the best trial, while no other process does.

    Args:
        args (argparse.Namespace): Of the command line.
        store (SequenceStore): What was tracked.
        found (Search): The trials.

    Returns:
        dict[str, float]: The values in it.
    """
    # Else, another process might write a better one in between.
    with found.locked():
        return write_values(args, store, found)


def write_values(args: argparse.Namespace, store, found) -> Dict[str, float]:
    """Write the config of the best trial.

    Args:
        args (argparse.Namespace): Of the command line.
        store (SequenceStore): What was tracked.
        found (Search): The trials.

    Returns:
        dict[str, float]: The values in it.
    """
    best, base = found.best, found.baseline
    values = dict(best.values)
    comments = [
        f'Found by siamattn search in {found.num_finished} trials on '
        f'{len(store)} sequences',
        f'({store.num_frames} frames): success {best.success:.4f}' +
        ('.' if base is None else
         f'; {base.success:.4f} with the values of the base.')
    ]
    if best.mask_j is not None:
        chosen = int(np.argmax(best.mask_j))
        values[MASK_KEY] = args.mask_thr[chosen]
        comments.append(f'J {best.mask_j[chosen]:.4f}, on those with masks.')
    search.write_config(args.out, args.config, values, comments)
    return values


def report(args: argparse.Namespace, model_cfg, store, found) -> None:
    """Say what was found.

    Args:
        args (argparse.Namespace): Of the command line.
        model_cfg (ConfigDict): With the values of before.
        store (SequenceStore): What was tracked.
        found (Search): The trials.
    """
    values = write_best(args, store, found)
    best, base = found.best, found.baseline
    for key, value in values.items():
        before = search.get_value(model_cfg.test_cfg, key,
                                  model_cfg.get('online'))
        print(f'{key}: {before:g} -> {value:g}')
    line = f'success {best.success:.4f}'
    if base is not None:
        line += f' (before: {base.success:.4f})'
    if best.mask_j is not None:
        line += f', J {max(best.mask_j):.4f}'
    print(f'{line} on {len(store)} sequences, {found.num_finished} trials')
    print(f'{args.out}: config written')


def main(argv: Optional[Sequence[str]] = None,
         prog: str = 'siamattn search') -> int:
    """Search, and say what was found.

    Args:
        argv (Sequence[str], optional): Arguments. Defaults to None: this
            program's.
        prog (str): What messages call the program.

    Returns:
        int: Exit code: 0.
    """
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    args.config = find_config(args.config)
    if args.storage is None:
        args.storage = osp.splitext(args.out)[0] + '.journal'
    # Only what the user can mend ends without a traceback.
    try:
        from siamattn_mm.search.study import Search
    except ImportError as error:
        parser.error(f'{error}: pip install -r requirements/optional.txt')
    try:
        if not args.out.endswith('.py'):
            raise ValueError(f'--out {args.out!r} must end in .py')
        if osp.exists(args.out) and osp.samefile(args.out, args.config):
            raise ValueError('--out would overwrite the config it inherits')
        if args.checkpoint and is_exported(args.checkpoint):
            raise ValueError(
                f'{args.checkpoint!r} is an exported model: search with the '
                'weights that it was made of; it takes the numbers found')
        check_writable(args.out)
        check_writable(args.storage)
        model = load_model(args, parser.prog)
        config = Config.fromfile(args.config)
        space = search.make_space(
            config.model.test_cfg,
            dict(args.space or config.get('search_space') or DEFAULT_RANGES),
            config.model.get('online'))
        if any(parameter.key == MASK_KEY for parameter in space):
            raise ValueError('the mask threshold is searched by --mask-thr, '
                             'not --space')
        store = load_sequences(args)
        if not (store.has_masks and makes_masks(model)):
            print('no masks to compare: the mask threshold stays as it is',
                  file=sys.stderr)
        found = Search(
            args.storage, space,
            conditions_of(args, model, config.model, space, store), args.seed,
            not args.no_pruning)
    except (ValueError, TypeError, OSError, UnreadableFrameError) as error:
        parser.error(str(error))
    try:
        run_trials(args, model, config.model, store, found)
    except search.RefusedValueError as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, f'{parser.prog}: interrupted; the same command goes '
                    f'on with {args.storage}\n')
    report(args, config.model, store, found)
    return 0
