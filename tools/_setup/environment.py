"""Judge the virtual environment that ``tools/setup.sh`` makes.

Run with the environment's own interpreter::

    python tools/_setup/environment.py current --with tests  # 0: yes
    python tools/_setup/environment.py repair
    python tools/_setup/environment.py stamp --with tests

The stamp is written last, after everything was imported once, so it marks a
complete environment; ``current`` then decides in a fraction of a second, and
without importing torch, that nothing has to be done.
"""
import argparse
import csv
import hashlib
import json
import os
import shutil
import sys
import sysconfig
from importlib import metadata
from pathlib import Path
from typing import Iterable, List, Optional

ROOT = Path(__file__).resolve().parents[2]
STAMP = 'siamattn_setup.json'
# Folders of the requirements that an environment of a line always has.
LINES = dict(current='requirements', official='requirements/official')
ALWAYS = ('build', 'runtime', 'no_deps')
EXTRAS = ('tests', 'optional', 'eval')
# Their second file is installed without dependencies.
NO_DEPS = ('eval', )


def read_requirements(path: Path) -> List[str]:
    """Requirement lines of a file, without comments and empty lines.

    Args:
        path (Path): A requirements file, one requirement a line.

    Returns:
        list[str]: e.g. ``['numpy>=2.3.2,<2.5; python_version >= "3.11"']``.
    """
    lines = path.read_text(encoding='utf-8').splitlines()
    lines = [line.split(' #')[0].strip() for line in lines]
    return [line for line in lines if line and not line.startswith('#')]


def fingerprint(root: Path = ROOT, line: str = 'current') -> str:
    """Hash of everything that decides what the set-up of a line installs.

    The checkout's place is part of it: the plugin is installed in editable
    mode, so an environment that was copied along points to the old checkout.
    """
    files = sorted(root.glob('requirements/*.txt'))
    if line != 'current':
        files += sorted(root.glob(f'{LINES[line]}/*.txt'))
    files += [root / 'setup.py', root / 'setup.cfg', root / 'tools/setup.sh']
    files += sorted(root.glob('tools/_setup/*.py'))
    files += sorted(root.glob('tools/_setup/*.sh'))
    digest = hashlib.sha256()
    for text in (str(root), sys.prefix, sys.version):
        digest.update(text.encode() + b'\0')
    for path in files:
        digest.update(path.name.encode() + b'\0' + path.read_bytes() + b'\0')
    return digest.hexdigest()


def read_stamp(prefix: str = sys.prefix) -> dict:
    """What the last complete set-up wrote, or an empty dict."""
    try:
        stamp = json.loads(Path(prefix, STAMP).read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(extras: Iterable[str],
                prefix: str = sys.prefix,
                line: str = 'current') -> None:
    """Mark the environment as complete."""
    stamp = dict(
        fingerprint=fingerprint(line=line),
        extras=sorted(set(extras)),
        torch=_version('torch'))
    path = Path(prefix, STAMP)
    temporary = path.with_name(f'{STAMP}.{os.getpid()}')
    temporary.write_text(json.dumps(stamp, indent=2) + '\n', encoding='utf-8')
    os.replace(str(temporary), str(path))


def _version(name: str) -> Optional[str]:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def unmet_requirements(lines: Iterable[str]) -> List[str]:
    """Requirements that this environment does not satisfy.

    Args:
        lines (Iterable[str]): Requirements, as ``read_requirements`` gives.

    Returns:
        list[str]: Those of them whose marker applies here and whose package
        is absent or has another version.
    """
    from packaging.requirements import Requirement
    unmet = []
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate():
            continue
        version = _version(requirement.name)
        if version is None or not requirement.specifier.contains(
                version, prereleases=True):
            unmet.append(line)
    return unmet


def reason_to_set_up(extras: Iterable[str],
                     line: str = 'current') -> Optional[str]:
    """Why the set-up has to run, or None if the environment is current."""
    stamp = read_stamp()
    if not stamp:
        return 'no complete set-up yet'
    if stamp.get('fingerprint') != fingerprint(line=line):
        return 'the requirements or the set-up scripts have changed'
    missing = sorted(set(extras) - set(stamp.get('extras', ())))
    if missing:
        return f'not installed yet: {", ".join(missing)}'
    if stamp.get('torch') != _version('torch'):
        return 'another PyTorch is installed'
    names = tuple(sorted(set(extras)))
    names += tuple(f'{name}_no_deps' for name in NO_DEPS if name in names)
    paths = [ROOT / LINES[line] / f'{name}.txt' for name in ALWAYS]
    paths += [ROOT / 'requirements' / f'{name}.txt' for name in names]
    lines = []  # type: List[str]
    for path in paths:
        lines += read_requirements(path)
    unmet = unmet_requirements(lines)
    if unmet:
        return f'not installed: {", ".join(unmet)}'
    # Looked for as a file: finding the module would import mmcv and torch.
    purelib = Path(sysconfig.get_path('purelib'))
    if not list(purelib.glob('mmcv/_ext*')):
        return 'mmcv\'s compiled operators are missing'
    if _version('siamattn_mm') is None:
        return 'the plugin itself is not installed'
    return None


def broken_distributions(site: Path) -> List[Path]:
    """Metadata folders of packages whose installation was cut short.

    Args:
        site (Path): A ``site-packages`` folder.

    Returns:
        list[Path]: ``*.dist-info`` folders without a list of files, or with
        a file that is absent or has another size than the list says.
    """
    broken = []
    for folder in sorted(site.glob('*.dist-info')):
        record = folder / 'RECORD'
        if not record.is_file() or not (folder / 'METADATA').is_file():
            broken.append(folder)
            continue
        with open(str(record), newline='', encoding='utf-8') as file:
            for name, _, size in csv.reader(file):
                path = site / name
                # Compiled files have no size; a user may delete them.
                if not size:
                    continue
                if not path.is_file() or path.stat().st_size != int(size):
                    broken.append(folder)
                    break
    return broken


def repair(site: Optional[Path] = None) -> List[str]:
    """Forget half-installed packages, so that pip installs them again.

    Args:
        site (Path, optional): A ``site-packages`` folder. Defaults to this
            environment's.

    Returns:
        list[str]: Names of what was removed.
    """
    if site is None:
        site = Path(sysconfig.get_path('purelib'))
    # `~name` is what pip leaves of a package when it is killed.
    removed = broken_distributions(site) + sorted(site.glob('~*'))
    for path in removed:
        if path.is_dir():
            shutil.rmtree(str(path))
        else:
            path.unlink()
    return [path.name for path in removed]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('action', choices=('current', 'repair', 'stamp'))
    parser.add_argument(
        '--with', dest='extras', action='append', choices=EXTRAS, default=[])
    parser.add_argument('--line', choices=sorted(LINES), default='current')
    args = parser.parse_args()
    if args.action == 'current':
        reason = reason_to_set_up(args.extras, args.line)
        if reason is not None:
            print(reason)
        return 0 if reason is None else 1
    if args.action == 'repair':
        for name in repair():
            print(f'incomplete, will be installed again: {name}')
        return 0
    # What an earlier set-up installed is still there.
    write_stamp(
        args.extras + read_stamp().get('extras', []), line=args.line)
    return 0


if __name__ == '__main__':
    sys.exit(main())
