"""Configs are found from any folder, and in an installed package."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from siamattn_mm.apis.tracker import read_config
from siamattn_mm.utils import configs
from siamattn_mm.utils.configs import find_config

SMALL = 'configs/siamattn/siamattn_mobilenetv2.py'


@pytest.fixture(scope='module')
def installed(repository, tmp_path_factory):
    """What a wheel of the package would hold."""
    root = tmp_path_factory.mktemp('wheel')
    for name in ('configs', 'requirements', 'tools'):
        shutil.copytree(str(repository / name), str(root / name))
    for name in ('setup.py', 'setup.cfg', 'MANIFEST.in', 'README.md',
                 'LICENSE', 'requirements.txt', 'model-index.yml'):
        shutil.copy(str(repository / name), str(root / name))
    (root / 'siamattn_mm').mkdir()
    for name in ('__init__.py', 'version.py'):
        shutil.copy(
            str(repository / 'siamattn_mm' / name), str(root / 'siamattn_mm'))
    done = subprocess.run(
        [sys.executable, 'setup.py', '-q', 'build', '--build-lib', 'lib'],
        cwd=str(root), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return root / 'lib' / 'siamattn_mm'


@pytest.mark.parametrize('name', [
    SMALL, 'siamattn_mobilenetv2.py', 'siamattn_mobilenetv2'])
def test_in_the_installed_package(installed, repository, tmp_path,
                                  monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        configs, 'ROOTS', (str(installed.parent), str(installed / '.mim')))
    assert find_config(name) == str(installed / '.mim' / SMALL)
    found = read_config(name)
    assert found.to_dict() == Config.fromfile(
        str(repository / SMALL)).to_dict()


def test_in_the_checkout(repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (SMALL, 'siamattn_mobilenetv2', Path(SMALL)):
        assert find_config(name) == str(repository / SMALL)
    # A folder of that name is something else; a file of the user's is not.
    (tmp_path / 'siamattn_mobilenetv2').mkdir()
    assert find_config('siamattn_mobilenetv2') == str(repository / SMALL)
    (tmp_path / 'siamattn_mobilenetv2.py').touch()
    assert find_config('siamattn_mobilenetv2.py') == 'siamattn_mobilenetv2.py'


@pytest.mark.parametrize('name', ['', 'no.py', 'configs/no.py', '*', '..'])
def test_what_is_nowhere_is_left(name):
    assert find_config(name) == name
