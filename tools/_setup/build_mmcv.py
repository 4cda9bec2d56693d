"""Build mmcv with its operators once per user, and install the wheel.

There is no binary of the maintained mmcv: it is compiled against the PyTorch
that is installed. The wheel is kept in the user's cache, keyed by everything
that it depends on, so that a second environment takes seconds. An
interrupted build continues where it stopped.

Run with the environment's own interpreter, after PyTorch is installed::

    python tools/_setup/build_mmcv.py --log build.log

``--requirements requirements/official/no_deps.txt`` builds that of the
official OpenMMLab line.
"""
import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
from importlib import metadata
from pathlib import Path
from typing import IO, Callable, Iterator, List, Optional, Tuple

from environment import ROOT, read_requirements

NAMES = ('onedl-mmcv', 'mmcv')
REQUIREMENTS = ROOT / 'requirements' / 'no_deps.txt'
# Python's own flags contain -g, which doubles the time and needs the most
# memory; CFLAGS replaces all of them, so the optimisation is named here.
CFLAGS = '-O3 -g0 -DNDEBUG -fwrapv -w'
# What one compiler process takes at most, measured with GCC 12.
BYTES_PER_JOB = 1.2e9
# Which mmcv wheel an environment got; mmcv's own metadata does not say for
# which PyTorch it was compiled.
RECORD = 'siamattn_mmcv.txt'


class BuildError(RuntimeError):
    """The build failed; the message says how, the log says everything."""


def parse_progress(line: str) -> Optional[Tuple[int, int]]:
    """Read ninja's progress from a line of the build's output.

    Args:
        line (str): e.g. ``'  [12/78] c++ -MMD ...'``.

    Returns:
        tuple[int, int] | None: Finished and all files, or None for a line
        that is not about progress.
    """
    match = re.match(r'\s*\[(\d+)/(\d+)\]\s', line)
    if match is None:
        return None
    done, total = int(match.group(1)), int(match.group(2))
    return (done, total) if 0 < done <= total else None


def format_seconds(seconds: float) -> str:
    """Seconds as minutes and seconds, e.g. ``'2:05'``."""
    minutes, seconds = divmod(int(round(seconds)), 60)
    return f'{minutes}:{seconds:02d}'


class ProgressReport:
    """Show how far the build is and how long it will still take.

    A terminal gets one line that is redrawn; anything else gets a new line
    every 10 % or 30 seconds.

    Args:
        stream (IO[str]): Where to write.
        clock (Callable): Gives seconds. Defaults to ``time.monotonic``.
        width (int): Characters of the bar. Defaults to 24.
    """

    def __init__(self,
                 stream: IO[str],
                 clock: Callable[[], float] = time.monotonic,
                 width: int = 24) -> None:
        self.stream = stream
        self.clock = clock
        self.width = width
        self.start = clock()
        self.redraw = stream.isatty()
        self._last_time = self.start
        self._last_tenth = 0
        self._drawn = False

    def update(self, done: int, total: int) -> None:
        """Report that ``done`` of ``total`` files are compiled."""
        now = self.clock()
        tenth = 10 * done // total
        due = tenth > self._last_tenth or now - self._last_time >= 30
        if not (self.redraw or due):
            return
        self._last_time, self._last_tenth = now, tenth
        elapsed = now - self.start
        left = elapsed / done * (total - done)
        text = (f'{done}/{total} files, {format_seconds(elapsed)} so far, '
                f'about {format_seconds(left)} left')
        if self.redraw:
            bar = ('#' * (self.width * done // total)).ljust(self.width, '.')
            self.stream.write(f'\r      [{bar}] {text}  ')
        else:
            self.stream.write(f'      {100 * done // total:3d} %  {text}\n')
        self._drawn = True
        self.stream.flush()

    def restart(self) -> None:
        """Count the time from now on."""
        self.start = self._last_time = self.clock()

    def finish(self) -> None:
        """End the redrawn line."""
        if self.redraw and self._drawn:
            self.stream.write('\n')
            self.stream.flush()


def pinned_release(path: Path = REQUIREMENTS) -> Tuple[str, str]:
    """The mmcv that a requirements file pins.

    Args:
        path (Path): Defaults to ``requirements/no_deps.txt``.

    Returns:
        tuple[str, str]: Its name on the index, and its version.
    """
    for line in read_requirements(path):
        name, _, version = line.partition('==')
        if name in NAMES:
            return name, version
    raise BuildError(f'{path} does not pin {" or ".join(NAMES)} by ==')


def default_cache() -> Path:
    """The user's cache folder of this project."""
    home = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return Path(home) / 'siamattn_mm'


def cache_key(version: str, torch_version: str, operators: str) -> str:
    """Name of everything that a compiled wheel depends on.

    Args:
        version (str): mmcv's.
        torch_version (str): With its build, e.g. ``'2.13.0+cpu'``.
        operators (str): What ``choose_operators`` returned.

    Returns:
        str: e.g. ``'mmcv-2.3.6_torch-2.13.0+cpu_cp311_linux_x86_64_cpu'``.
    """
    python = f'cp{sys.version_info[0]}{sys.version_info[1]}'
    platform = re.sub(r'[^\w]', '_', sysconfig.get_platform())
    return '_'.join((f'mmcv-{version}', f'torch-{torch_version}', python,
                     platform, operators))


def choose_operators() -> Tuple[str, str]:
    """Decide for which devices mmcv's operators are compiled.

    Returns:
        tuple[str, str]: ``'cpu'`` or e.g. ``'cuda_sm80'``, and a note for the
        user, empty if there is nothing to say.
    """
    import torch
    if not torch.cuda.is_available():
        return 'cpu', ''
    if torch.version.cuda is None:
        return 'rocm', ''
    from torch.utils.cpp_extension import CUDA_HOME
    nvcc = os.path.join(CUDA_HOME or '', 'bin', 'nvcc')
    wanted = torch.version.cuda
    found = ''
    if CUDA_HOME and os.path.isfile(nvcc):
        text = subprocess.run([nvcc, '--version'],
                              stdout=subprocess.PIPE,
                              universal_newlines=True).stdout
        match = re.search(r'release (\d+)\.', text)
        found = match.group(1) if match else ''
    if found != wanted.split('.')[0]:
        return 'cpu', (
            f'There is a GPU, but no CUDA compiler for CUDA {wanted} (nvcc in '
            f'CUDA_HOME={CUDA_HOME}): mmcv\'s operators are compiled for the '
            'CPU only. Install that CUDA toolkit, set CUDA_HOME and run '
            'set-up again to have them on the GPU.')
    devices = range(torch.cuda.device_count())
    archs = {'sm%d%d' % torch.cuda.get_device_capability(i) for i in devices}
    return '_'.join(['cuda'] + sorted(archs)), ''


def count_jobs() -> int:
    """Compiler processes that this machine's cores and memory can bear."""
    try:
        jobs = len(os.sched_getaffinity(0))
    except AttributeError:
        jobs = os.cpu_count() or 1
    try:
        with open('/proc/meminfo') as file:
            for line in file:
                if line.startswith('MemAvailable:'):
                    free = int(line.split()[1]) * 1024
                    jobs = min(jobs, int(free / BYTES_PER_JOB))
    except OSError:
        pass
    return max(jobs, 1)


def build_environment(operators: str) -> dict:
    """Environment variables of the build."""
    env = dict(os.environ)
    # Another accelerator must not be compiled for because of a variable that
    # some other build left behind.
    for name in ('FORCE_CUDA', 'FORCE_MLU', 'FORCE_NPU', 'FORCE_MUSA',
                 'FORCE_MPS', 'MMCV_WITH_DIOPI'):
        env.pop(name, None)
    if operators == 'cpu':
        env['CUDA_VISIBLE_DEVICES'] = ''
    env['MMCV_WITH_OPS'] = '1'
    env.setdefault('MAX_JOBS', str(count_jobs()))
    for name in ('CFLAGS', 'CXXFLAGS'):
        env[name] = f'{CFLAGS} {env.get(name, "")}'.strip()
    return env


def _pip(*args: str) -> List[str]:
    return [sys.executable, '-m', 'pip', '--no-input'] + list(args)


def _run(command: List[str],
         log: IO[str],
         env: Optional[dict] = None,
         on_line: Optional[Callable[[str], None]] = None) -> int:
    """Run a command, copy its output to the log, line by line."""
    log.write(f'\n$ {" ".join(command)}\n')
    log.flush()
    with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            universal_newlines=True,
            errors='replace') as process:
        for line in process.stdout or ():
            log.write(line)
            log.flush()
            if on_line is not None:
                on_line(line)
    return process.returncode


def fetch_source(name: str, version: str, folder: Path,
                 log: IO[str]) -> Path:
    """Download and unpack mmcv's source, unless that was done before.

    Returns:
        Path: The folder with its ``setup.py``.
    """
    ready = folder / 'source'
    if not ready.is_dir():
        with tempfile.TemporaryDirectory(dir=str(folder)) as temporary:
            command = _pip('download', '--no-deps', '--no-build-isolation',
                           '--no-binary', name, '--dest', temporary,
                           f'{name}=={version}')
            if _run(command, log) != 0:
                raise BuildError(f'cannot download {name} {version}')
            archive, = Path(temporary).glob('*.tar.gz')
            with tarfile.open(str(archive)) as file:
                if hasattr(tarfile, 'data_filter'):
                    file.extractall(temporary, filter='data')
                else:  # an older Python
                    file.extractall(temporary)
            setup, = Path(temporary).glob('*/setup.py')
            os.replace(str(setup.parent), str(ready))
    return ready


def build_wheel(name: str, version: str, key: str, cache: Path,
                operators: str, log: IO[str]) -> Path:
    """Compile mmcv in the cache folder.

    The wheel appears in its place at once or not at all. Objects that an
    interrupted build has compiled are used by the next one.

    Returns:
        Path: The wheel.
    """
    wheels = cache / 'wheels' / key
    work = cache / 'build' / key
    wheels.mkdir(parents=True, exist_ok=True)
    work.mkdir(parents=True, exist_ok=True)
    source = fetch_source(name, version, work, log)
    env = build_environment(operators)
    print(f'      compiling with {env["MAX_JOBS"]} process(es), '
          f'log: {log.name}', flush=True)
    report = ProgressReport(sys.stdout)

    def on_line(line: str) -> None:
        if line.strip() == "building 'mmcv._ext' extension":
            report.restart()
        progress = parse_progress(line)
        if progress is not None:
            report.update(*progress)

    with tempfile.TemporaryDirectory(dir=str(work)) as temporary:
        command = _pip('wheel', '--verbose', '--no-deps',
                       '--no-build-isolation', '--wheel-dir', temporary,
                       str(source))
        status = _run(command, log, env, on_line)
        report.finish()
        built = list(Path(temporary).glob('*.whl'))
        if status != 0 or not built:
            raise BuildError(
                'mmcv did not compile (if the compiler was killed, memory '
                'ran out: set MAX_JOBS=1)')
        wheel = wheels / built[0].name
        os.replace(str(built[0]), str(wheel))
    shutil.rmtree(str(work), ignore_errors=True)
    return wheel


def find_wheel(folder: Path) -> Optional[Path]:
    """The cached wheel, if it is there and whole."""
    for path in sorted(folder.glob('*.whl')):
        try:
            with zipfile.ZipFile(str(path)) as file:
                if file.testzip() is None:
                    return path
        except (OSError, zipfile.BadZipFile):
            pass
        path.unlink()
    return None


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Let one process at a time build the same wheel, where files lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(str(path), 'w') as file:
        try:
            import fcntl
        except ImportError:
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print('      another set-up is building mmcv; waiting for it',
                  flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            pass
        yield


# Loads the compiled file alone: mmcv itself imports mmengine, which may not be
# installed yet.
_LOAD = """
import importlib.machinery, importlib.util, sys
import torch
finder = importlib.machinery.PathFinder
spec = finder.find_spec('_ext', [sys.argv[1]])
if spec is None:
    sys.exit('it has no compiled operators')
spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""


def why_unusable(name: str, version: str) -> Optional[str]:
    """What is wrong with the installed mmcv, or None if its operators load."""
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return 'it is not installed'
    if installed != version:
        return f'it is {installed}, not {version}'
    folder = os.path.join(sysconfig.get_path('platlib'), 'mmcv')
    result = subprocess.run([sys.executable, '-c', _LOAD, folder],
                            stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            universal_newlines=True)
    return result.stdout.strip() if result.returncode != 0 else None


def ensure_installed(cache: Path,
                     log: IO[str],
                     requirements: Path = REQUIREMENTS) -> str:
    """Install mmcv with operators for the PyTorch that is installed.

    Args:
        cache (Path): Wheels are in ``cache/wheels/<key>/``.
        log (IO[str]): Takes the whole output.
        requirements (Path): A file that pins it. Defaults to
            ``requirements/no_deps.txt``.

    Returns:
        str: What was done, for the user.
    """
    import torch
    name, version = pinned_release(requirements)
    operators, note = choose_operators()
    key = cache_key(version, torch.__version__, operators)
    record = Path(sys.prefix, RECORD)
    recorded = record.read_text().strip() if record.is_file() else key
    if recorded == key and why_unusable(name, version) is None:
        done = 'already there'
    else:
        if note:
            print(f'      {note}', flush=True)
        wheels = cache / 'wheels' / key
        wheel = find_wheel(wheels)
        done = 'from the cache'
        if wheel is None:
            with lock(wheels.with_name(f'{key}.lock')):
                wheel = find_wheel(wheels)
                if wheel is None:
                    done = 'compiled'
                    wheel = build_wheel(name, version, key, cache, operators,
                                        log)
        command = _pip('install', '--no-deps', '--no-index',
                       '--force-reinstall', str(wheel))
        if _run(command, log) != 0:
            raise BuildError(f'cannot install {wheel}')
        problem = why_unusable(name, version)
        if problem is not None:
            log.write(f'\n{problem}\n')
            raise BuildError(f'{wheel} is installed but does not load: '
                             f'{problem.splitlines()[-1]}')
    temporary = record.with_name(f'{RECORD}.{os.getpid()}')
    temporary.write_text(f'{key}\n')
    os.replace(str(temporary), str(record))
    return done


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--log', required=True, help='file that the output is added to')
    parser.add_argument(
        '--cache',
        type=Path,
        default=default_cache(),
        help='folder of the wheels. Defaults to the user\'s cache')
    parser.add_argument(
        '--requirements',
        type=Path,
        default=REQUIREMENTS,
        help='file that pins mmcv. Defaults to requirements/no_deps.txt')
    args = parser.parse_args()
    with open(args.log, 'a', encoding='utf-8') as log:
        try:
            done = ensure_installed(args.cache, log, args.requirements)
            print(f'      {done}', flush=True)
        except (BuildError, OSError) as error:
            print(f'      {error}', file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print('\n      interrupted; the next run continues here',
                  file=sys.stderr)
            return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
