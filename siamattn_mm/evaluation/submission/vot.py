"""VOT's supervised results: an archive for other people's toolkits."""
import os
import os.path as osp
from typing import Dict, Iterator, List, Tuple

from .boxes import Lengths
from .files import SubmissionError, decode, read_text, read_zip, write_zip

# How a line with one word reads: skipped, initialised, failed.
_STATES = ('0', '1', '2')
# Frames from a failure to the next initialisation.
_SKIP = 5


def make_vot(results_dir: str, lengths: Lengths, out: str) -> None:
    """Make an archive of the results of ``VOTSupervisedMetric``.

    It holds ``baseline/<sequence>/<sequence>_001.txt`` and, if they are
    there, more repetitions and the times, as vot-toolkit's ``results/
    <tracker>/`` does.

    Args:
        results_dir (str): Folder of ``VOTSupervisedMetric``.
        lengths (dict[str, int | None]): The sequences.
        out (str): The archive to write.

    Raises:
        SubmissionError: If a result is missing or wrong.
    """

    def members() -> Iterator[Tuple[str, bytes]]:
        for name, length in lengths.items():
            folder = osp.join(results_dir, name)
            for file in _files_of(folder, name):
                path = osp.join(folder, file)
                text = read_text(path)
                if file.endswith('.txt'):
                    _check_trajectory(text, path, length)
                yield f'baseline/{name}/{file}', text.encode()

    write_zip(out, members())


def check_vot(path: str, lengths: Lengths, results_dir: str) -> None:
    """Read an archive of VOT results back.

    Args:
        path (str): The archive.
        lengths (dict[str, int | None]): The sequences.
        results_dir (str): What it was made of.

    Raises:
        SubmissionError: Naming member and line.
    """
    expected: Dict[str, str] = {
        f'baseline/{name}/{file}': name
        for name in lengths
        for file in _files_of(osp.join(results_dir, name), name)
    }
    for member, content in read_zip(path, expected).items():
        if member.endswith('.txt'):
            where = f'{path}: {member}'
            _check_trajectory(
                decode(content, where), where, lengths[expected[member]])


def _files_of(folder: str, name: str) -> List[str]:
    files = sorted(os.listdir(folder)) if osp.isdir(folder) else []
    files = [file for file in files if file.startswith(f'{name}_')]
    if f'{name}_001.txt' not in files:
        raise SubmissionError(
            f'{osp.join(folder, name)}_001.txt: no such file; expected '
            'results of VOTSupervisedMetric')
    return files


def _check_trajectory(text: str, where: str, length) -> None:
    lines = text.splitlines()
    if length is not None and len(lines) != length or not lines:
        raise SubmissionError(
            f'{where}, line {len(lines)}: the file has {len(lines)} lines; '
            f'expected {length or "one per frame"}')
    start = 0  # of the next initialisation
    for number, line in enumerate(lines):
        words = line.split(',')
        state = words[0] if len(words) == 1 else 'region'
        problem = None
        if state == 'region':
            try:
                numbers = [float(word) for word in words]
            except ValueError:
                numbers = []
            if len(numbers) not in (4, 8) or any(n != n for n in numbers):
                problem = 'expected 4 or 8 numbers'
        elif state not in _STATES:
            problem = 'expected 0, 1, 2 or a region'
        if problem is None and (state == '1') != (number == start):
            problem = f'an initialisation belongs into line {start + 1}'
        elif problem is None and (state == '0') != (number < start):
            problem = 'only frames behind a failure are skipped'
        if problem:
            raise SubmissionError(
                f'{where}, line {number + 1}: {line!r}; {problem}')
        if state == '2':
            start = number + _SKIP
