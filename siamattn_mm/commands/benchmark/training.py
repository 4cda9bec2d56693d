"""A training step, training pairs, and the memory of annotations."""
import argparse
import functools
from typing import Any, Dict

from mmengine.registry import init_default_scope
from rich.console import Console

from siamattn_mm.benchmark import (
    data_memory,
    pair_datasets,
    pipelines,
    tables,
    target_race,
    train_step,
)
from siamattn_mm.utils.command_line import find_config
from siamattn_mm.utils.devices import check_device, describe_device
from siamattn_mm.utils.openmp import usable_cores

from .progress import progress_bar

PIPELINE_BATCH = 8


def run_train_step(args: argparse.Namespace,
                   console: Console) -> Dict[str, Any]:
    """Measure a training step, or its targets and RoIs alone.

    Args:
        args (argparse.Namespace): Of the command line.
        console (Console): Where tables go.

    Returns:
        dict[str, Any]: All figures, for --json.

    Raises:
        ValueError: If the device cannot be used.
    """
    init_default_scope('mmtrack')
    device = check_device(args.device)
    console.print(f'device: {describe_device(device)}', soft_wrap=True)
    step = train_step.TrainStep(
        train_step.StepSpec(
            find_config(args.train_step), args.cfg_options, str(device),
            args.amp, args.batch_size))
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task('runs', total=args.runs + 1)
        advance = functools.partial(bar.advance, task)
        if args.targets is not None:
            report = target_race.race(step.model, args.targets, args.runs,
                                      advance)
        else:
            report = train_step.measure_train_step(step, args.steps,
                                                   args.runs, advance)
    if args.targets is not None:
        console.print(tables.target_table(report))
        return dict(targets=report)
    with Console(stderr=True).status('data'):
        workers = args.workers[0] if args.workers else None
        report['data'] = train_step.measure_data(step.config, args.steps,
                                                 workers)
    console.print(tables.train_step_table(report))
    if 'left_out' in report['data']:
        console.print(f'data left out: {report["data"]["left_out"]}',
                      soft_wrap=True)
    return dict(train_step=report)


def run_pipeline(args: argparse.Namespace,
                 console: Console) -> Dict[str, Any]:
    """Measure training pairs a second.

    Args:
        args (argparse.Namespace): Of the command line.
        console (Console): Where tables go.

    Returns:
        dict[str, Any]: All figures, for --json.
    """
    init_default_scope('mmtrack')
    report = []
    cores = usable_cores()
    numbers = args.workers or sorted({1, cores})
    built = pair_datasets.build_datasets(args.pipeline, args.sequences)
    if args.ours_alone:
        del built['mmtrack']
    with progress_bar(Console(stderr=True)) as bar:
        task = bar.add_task(
            'runs', total=len(built) * (args.runs + 1) * len(numbers))
        for workers in numbers:
            report.append(
                pipelines.measure_pipelines(
                    built,
                    workers,
                    args.runs,
                    args.batch_size or PIPELINE_BATCH,
                    advance=functools.partial(bar.advance, task)))
    pipelines.add_shares(report, cores)
    for found in report:
        console.print(tables.pipeline_table(found))
    console.print(tables.pipeline_limit_table(report[-1]))
    return dict(pipelines=report)


def run_data_memory(args: argparse.Namespace,
                    console: Console) -> Dict[str, Any]:
    """Measure the memory of the annotations.

    Args:
        args (argparse.Namespace): Of the command line.
        console (Console): Where tables go.

    Returns:
        dict[str, Any]: All figures, for --json.
    """
    with Console(stderr=True).status('reading pairs, some minutes'):
        report = data_memory.measure_data_memory(
            args.annotated_frames,
            workers=(0, 2, 4) if args.workers is None else args.workers)
    for table in tables.data_memory_tables(report):
        console.print(table)
    return report
