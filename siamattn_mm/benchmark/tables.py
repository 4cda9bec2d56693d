"""What was measured, as tables for a terminal."""
import os
import platform
from typing import Any, Dict, List, Optional, Tuple

import torch
from rich.table import Table

from .target_race import SUMS


def machine() -> Dict[str, Any]:
    """What the figures depend on.

    Returns:
        dict: ``cpu``, ``cores``, ``torch``, ``threads`` of PyTorch and
        ``load`` (of the last minute, None where unknown).
    """
    name = platform.processor() or platform.machine()
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            names = [
                line.split(':', 1)[1].strip() for line in file
                if line.startswith('model name')
            ]
        name = names[0] if names else name
    except OSError:
        pass
    load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else None
    return dict(
        cpu=name,
        cores=os.cpu_count(),
        torch=torch.__version__,
        threads=torch.get_num_threads(),
        load=load)


def describe_machine(found: Dict[str, Any]) -> str:
    """One line of it."""
    line = (f'{found["cpu"]}, {found["cores"]} cores, PyTorch '
            f'{found["torch"]}, {found["threads"]} threads')
    if found['load'] is not None:
        line += f', load {found["load"]:.1f} at the start'
    return line


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify='left')
    table.add_column(headings[0], no_wrap=True)
    for heading in headings[1:]:
        table.add_column(heading, justify='right')
    return table


def _range(values: Dict[str, float], digits: int) -> str:
    return f'{values["low"]:.{digits}f}-{values["high"]:.{digits}f}'


def _number(value: Optional[float], digits: int) -> str:
    return '-' if value is None else f'{value:.{digits}f}'


def _percent(value: Optional[float]) -> str:
    return '-' if value is None else f'{100 * value:.1f} %'


def frame_table(figures: Dict[str, Any]) -> Table:
    """Stages of one tracker.

    Args:
        figures (dict): One of ``trackers`` of :func:`.frame.measure`.

    Returns:
        Table: A row a stage, then the whole frame.
    """
    table = _table(figures['name'], 'stage', 'ms', 'of runs', 'share',
                   'GFLOP', 'of peak')
    total = sum(row['ms']['median'] for row in figures['stages'])

    def add(name: str, row: Dict[str, Any], share: float) -> None:
        table.add_row(name, f'{row["ms"]["median"]:.2f}',
                      _range(row['ms'], 2), _percent(share),
                      _number(row['gflop'], 3),
                      _percent(row['share_of_peak'] or None))

    for row in figures['stages']:
        add(row['stage'], row, row['ms']['median'] / total)
    table.add_section()
    add(
        'whole frame',
        dict(
            ms=figures['frame_ms'],
            gflop=figures['gflop'],
            share_of_peak=figures['share_of_peak']), 1.)
    table.caption = (f'{figures["fps"]:.1f} frames a second; first frame '
                     f'{figures["init_ms"]["median"]:.1f} ms')
    return table


def busy_table(loads: List[Dict[str, Any]]) -> Table:
    """A frame beside spinning processes.

    Args:
        loads (list[dict]): Of :func:`.busy.measure_busy`.

    Returns:
        Table: A row a number of processes.
    """
    table = _table('beside spinning processes', 'processes', 'frame, ms',
                   'of runs', 'times the quiet frame', 'of runs',
                   'frames a second', 'first frame, ms', 'others')
    for found in loads:
        ratio = found['times_quiet']
        table.add_row(
            str(found['processes']), f'{found["frame_ms"]["median"]:.1f}',
            _range(found['frame_ms'], 1), f'{ratio["median"]:.2f}',
            _range(ratio, 2), f'{found["fps"]["median"]:.1f}',
            f'{found["init_ms"]["median"]:.0f}', _number(found['others'], 2))
    table.caption = 'others: cores that other processes took besides'
    return table


def ratio_table(report: Dict[str, Any]) -> Table:
    """How many times faster the second tracker is.

    Args:
        report (dict): Of :func:`.frame.measure`, of two trackers.

    Returns:
        Table: A row for the frame, for all but the backbone, and a stage.
    """
    table = _table('times faster: the first by the second', 'stage', 'ratio',
                   'of runs')
    for name, values in report['ratios'].items():
        table.add_row(name, f'{values["median"]:.2f}', _range(values, 2))
    parts = [
        f'{name} {value:.2g}'
        for name, value in report['differences'].items()
    ]
    table.caption = f'largest differences: {", ".join(parts)}'
    return table


def beside_peers_table(peers: List[Dict[str, Any]]) -> Table:
    """How fast peers are, and ours beside them.

    Args:
        peers (list[dict]): Of :func:`.beside_peers.measure_beside`.

    Returns:
        Table: A row for each peer and tracker.
    """
    table = _table('whole frames, in turn', 'peer', 'frame, ms', 'of runs',
                   'tracker', 'share of its speed', 'of runs')
    for peer in peers:
        for name, share in peer['share'].items():
            table.add_row(peer['name'], f'{peer["frame_ms"]["median"]:.1f}',
                          _range(peer['frame_ms'], 1), name,
                          f'{share["median"]:.2f}', _range(share, 2))
    return table


def memory_table(report: Dict[str, Any]) -> Table:
    """Memory of tracking.

    Args:
        report (dict): Tracker's name to :func:`.frame.tracking_memory`.

    Returns:
        Table: A row a tracker.
    """
    table = _table('memory in MB, on top of the libraries', 'tracker',
                   'weights', 'loaded', 'peak', 'growth')
    table.columns[0].no_wrap = False  # a name with options may be long
    on_gpu = any(found.get('gpu_mb') for found in report.values())
    if on_gpu:
        table.add_column('peak of the GPU', justify='right')
    for name, found in report.items():
        table.add_row(name, _number(found['weights_mb'], 0),
                      _number(found['loaded_mb'], 0),
                      _number(found['peak_mb'], 0),
                      _number(found['growth_mb'], 1),
                      *[_number(found.get('gpu_mb'), 0)] * on_gpu)
    table.caption = (f'growth: over the second half of {found["frames"]} '
                     'frames')
    return table


def train_step_table(report: Dict[str, Any]) -> Table:
    """Stages of a training step.

    Args:
        report (dict): Of :func:`.train_step.measure_train_step`, with
            ``data`` of :func:`.train_step.measure_data`.

    Returns:
        Table: A row a stage, then the whole step, then the data.
    """
    table = _table(
        f'a training step: {report["batch_size"]} pairs, '
        f'{report["precision"]}, {report["device"]}', 'stage', 'ms',
        'of runs', 'share')
    total = sum(row['ms']['median'] for row in report['stages'])
    for row in report['stages']:
        table.add_row(row['stage'], f'{row["ms"]["median"]:.2f}',
                      _range(row['ms'], 2),
                      _percent(row['ms']['median'] / total))
    table.add_section()
    table.add_row('whole step', f'{report["step_ms"]["median"]:.2f}',
                  _range(report['step_ms'], 2))
    data = report['data']
    if 'ms' in data:
        workers = data['workers']
        table.add_row(
            f'data, {workers} worker{"s" * (workers != 1)}, apart',
            f'{data["ms"]:.2f}')
    rate = report['pairs_per_second']
    memory = (f'{_number(report["peak_mb"], 0)} MB at the peak, on top of '
              'model and libraries')
    if report['gpu_mb'] is not None:
        memory = f'{report["gpu_mb"]:.0f} MB of the GPU at the peak'
    table.caption = (f'{rate["median"]:.1f} ({_range(rate, 1)}) pairs a '
                     f'second; {memory}; {report["trained"] / 1e6:.2f} of '
                     f'{report["all"] / 1e6:.2f} million numbers are trained')
    return table


def target_table(report: Dict[str, Any]) -> Table:
    """Targets and RoIs, in two ways.

    Args:
        report (dict): Of :func:`.target_race.race`.

    Returns:
        Table: A row a kind of target, then their sums.
    """
    table = _table(
        f'targets and RoIs of {report["pairs"]} pairs, one thread, ms',
        'targets', 'image by image', 'whole batch', 'times faster', 'of runs')
    sums = [row for row in report['rows'] if row['name'] in SUMS]
    for row in report['rows']:
        if row is sums[0]:
            table.add_section()
        table.add_row(row['name'], f'{row["loop"]["median"]:.2f}',
                      f'{row["batch"]["median"]:.2f}',
                      f'{row["ratio"]["median"]:.2f}',
                      _range(row['ratio'], 2))
    return table


def pipeline_table(report: Dict[str, Any]) -> Table:
    """Training pairs a second.

    Args:
        report (dict): Of :func:`.pipelines.measure_pipelines`, with what
            :func:`.pipelines.add_shares` says of it.

    Returns:
        Table: Ours, mmtrack's, and the ratio.
    """
    workers = report['workers']
    where = f'{workers} worker{"s" * (workers > 1)}' if workers else (
        'no worker')
    table = _table(f'training pairs a second, {where}', 'pipeline', 'median',
                   'of runs')
    for key, name in (('ours', 'siamattn_mm, masks included'),
                      ('mmtrack', 'mmtrack SiamRPN, no masks'),
                      ('ratio', 'times faster')):
        if key not in report:
            continue
        values = report[key]
        digits = 2 if key == 'ratio' else 1
        table.add_row(name, f'{values["median"]:.{digits}f}',
                      _range(values, digits))
    table.caption = (f'{report["pairs"]} pairs a run; '
                     f'{100 * report["mask_share"]:.0f} % of the frames have '
                     'a mask')
    if report['share'] is not None:
        table.caption += (f'; {_percent(report["share"])} of as many times '
                          'one worker')
    return table


def pipeline_limit_table(report: Dict[str, Any]) -> Table:
    """What a pair takes on its way to the trainer.

    Args:
        report (dict): As for :func:`pipeline_table`.

    Returns:
        Table: A row a part.
    """
    table = _table('one pair of siamattn_mm', 'part', 'ms', 'pairs a second')
    limits = report['limits']
    rows = [('make it', limits['make']), ('collate', limits['collate']),
            ('send', limits['send'])]
    for name, value in rows:
        table.add_row(name, f'{value:.3f}', '')
    worker = sum(value for _, value in rows)
    table.add_section()
    table.add_row('one worker', f'{worker:.3f}', f'{1e3 / worker:.0f}')
    table.add_row('the trainer, to receive it', f'{limits["receive"]:.3f}',
                  f'{1e3 / limits["receive"]:.0f}')
    reasons = dict(
        trainer='receiving them',
        cores='the cores, of which there are fewer than workers',
        workers='the workers: more of them would give more')
    table.caption = f'what limits the figure is {reasons[report["limit"]]}'
    return table


def data_memory_tables(report: Dict[str, Any]) -> Tuple[Table, Table]:
    """Memory of the annotations.

    Args:
        report (dict): Of :func:`.data_memory.measure_data_memory`.

    Returns:
        tuple[Table, Table]: The index, and the processes that read it.
    """
    index = report['index']
    table = _table(f'index: {index["frames"]:,} frames', 'part',
                   'bytes a frame')
    for name, value in (('all', index['bytes_per_frame']),
                        ('of it paths', index['paths']),
                        ('of it boxes', index['boxes'])):
        table.add_row(name, f'{value:.1f}')
    table.caption = f'{index["mb"]:.1f} MB'
    processes = _table('MB of all processes, and of one worker\'s own',
                       'workers', 'frames', 'RSS', 'PSS', 'one\'s own',
                       'it grew by')
    for few, many, growth in zip(report['few'], report['many'],
                                 report['growth_per_worker']):
        for found in (few, many):
            processes.add_row(
                str(found['workers']), f'{found["frames"]:,}',
                f'{found["rss"]:.0f}', f'{found["pss"]:.0f}',
                f'{found["private_per_worker"]:.1f}',
                f'{growth:+.1f}' if found is many else '')
    processes.caption = ('pages that processes share count in the RSS of '
                         'each, in the PSS once')
    return table, processes


def peers_table(report: Dict[str, Dict[str, float]]) -> Table:
    """Figures of several trackers.

    Args:
        report (dict): Tracker's name to its figures of the data set.

    Returns:
        Table: A row a tracker.
    """
    table = _table('mean over the sequences', 'tracker', 'success', 'P@20',
                   'norm P', 'fps')
    for name, mean in report.items():
        table.add_row(name, f'{mean["success"]:.3f}',
                      f'{mean["precision"]:.3f}',
                      f'{mean["norm_precision"]:.3f}', f'{mean["fps"]:.1f}')
    return table
