"""GOT-10k's and TrackingNet's submissions: boxes."""
import os.path as osp
from typing import Dict, Iterator, Optional, Tuple

from .files import (
    SubmissionError,
    check_boxes,
    check_times,
    decode,
    parse_rows,
    read_boxes,
    read_text,
    read_zip,
    write_zip,
)

# Sequence: number of its frames, or None where that is not known.
Lengths = Dict[str, Optional[int]]


def make_got10k(results_dir: str, lengths: Lengths, out: str) -> None:
    """Make the archive for GOT-10k's server, with the times measured.

    It holds ``<sequence>/<sequence>_001.txt`` (x,y,w,h a line) and
    ``<sequence>/<sequence>_time.txt`` (seconds).

    Args:
        results_dir (str): Folder of ``OPEMetric``.
        lengths (dict[str, int | None]): The sequences.
        out (str): The archive to write.

    Raises:
        SubmissionError: If a result is missing or wrong.
    """

    def members() -> Iterator[Tuple[str, bytes]]:
        for name, length in lengths.items():
            boxes = read_boxes(results_dir, name, length)
            path = osp.join(results_dir, f'{name}_time.txt')
            times = read_text(path)
            check_times(parse_rows(times, path, 1, len(boxes)), path)
            text = read_text(osp.join(results_dir, f'{name}.txt'))
            yield f'{name}/{name}_001.txt', text.encode()
            yield f'{name}/{name}_time.txt', times.encode()

    write_zip(out, members())


def check_got10k(path: str, lengths: Lengths) -> None:
    """Read a GOT-10k archive back.

    Args:
        path (str): The archive.
        lengths (dict[str, int | None]): The sequences.

    Raises:
        SubmissionError: Naming member and line.
    """
    files = read_zip(path, [
        f'{name}/{name}_{kind}.txt' for name in lengths
        for kind in ('001', 'time')
    ])
    for name, length in lengths.items():
        member = f'{name}/{name}_001.txt'
        boxes = _check_member(path, files, member, 4, length)
        check_boxes(boxes, f'{path}: {member}')
        member = f'{name}/{name}_time.txt'
        times = _check_member(path, files, member, 1, len(boxes))
        check_times(times, f'{path}: {member}')


def make_trackingnet(results_dir: str, lengths: Lengths, out: str) -> None:
    """Make the archive for TrackingNet's server.

    It holds ``<video>.txt`` (x,y,w,h a line).

    Args:
        results_dir (str): Folder of ``OPEMetric``.
        lengths (dict[str, int | None]): The videos.
        out (str): The archive to write.

    Raises:
        SubmissionError: If a result is missing or wrong.
    """

    def members() -> Iterator[Tuple[str, bytes]]:
        for name, length in lengths.items():
            read_boxes(results_dir, name, length)
            text = read_text(osp.join(results_dir, f'{name}.txt'))
            yield f'{name}.txt', text.encode()

    write_zip(out, members())


def check_trackingnet(path: str, lengths: Lengths) -> None:
    """Read a TrackingNet archive back.

    Args:
        path (str): The archive.
        lengths (dict[str, int | None]): The videos.

    Raises:
        SubmissionError: Naming member and line.
    """
    files = read_zip(path, [f'{name}.txt' for name in lengths])
    for name, length in lengths.items():
        boxes = _check_member(path, files, f'{name}.txt', 4, length)
        check_boxes(boxes, f'{path}: {name}.txt')


def official_lengths(benchmark: str, names: list) -> Lengths:
    """The sequences of a whole submission, from their names alone.

    Args:
        benchmark (str): ``'got10k'`` or ``'trackingnet'``.
        names (list[str]): Sequences that have results.

    Returns:
        dict[str, None]: The lengths are not known.

    Raises:
        SubmissionError: If some are missing.
    """
    if benchmark == 'got10k':
        return dict.fromkeys(
            f'GOT-10k_Test_{number:06d}' for number in range(1, 181))
    if len(names) != 511:
        raise SubmissionError(
            f'{len(names)} videos have results, but TrackingNet\'s test set '
            'has 511; with --data-root, the missing ones are named')
    return dict.fromkeys(names)


def _check_member(path: str, files: Dict[str, bytes], member: str,
                  columns: int, length: Optional[int]):
    where = f'{path}: {member}'
    return parse_rows(decode(files[member], where), where, columns, length)
