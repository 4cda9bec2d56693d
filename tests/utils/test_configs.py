"""Configs are found from any folder, and in an installed package."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from siamattn_mm.apis.tracker import read_config
from siamattn_mm.utils import configs
from siamattn_mm.utils.configs import (
    did_you_mean,
    find_config,
    require_config,
)

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


@pytest.mark.parametrize('name, nearest', [
    ('siamattn_mobilenet2', 'siamattn_mobilenetv2'),
    ('siamattn_mobilnetv2.py', 'siamattn_mobilenetv2'),
    ('configs/siamattn/siamatn_r50_paper.py', 'siamattn_r50_paper'),
    # In another folder than it is.
    ('configs/siamattn_r50_paper.py', 'siamattn_r50_paper'),
])
def test_a_mistyped_name_is_told_the_nearest(name, nearest):
    with pytest.raises(
            FileNotFoundError,
            match=f'^config {name!r} does not exist; did you mean '
            f'{nearest!r}'):
        require_config(name)
    with pytest.raises(FileNotFoundError, match=f'did you mean {nearest!r}'):
        read_config(name)


def test_what_is_suggested_is_found(repository):
    text = did_you_mean('siamattn_mobilenet2')
    names = text.rstrip('?').split("'")[1::2]
    assert 1 < len(names) <= 3
    for name in names:
        assert require_config(name).startswith(str(repository))


@pytest.mark.parametrize('name', ['', 'no.py', 'zebra', '..'])
def test_nothing_is_suggested_for_what_is_nothing_like_it(name):
    assert did_you_mean(name) == ''
    with pytest.raises(FileNotFoundError, match='does not exist$'):
        require_config(name)


def test_suggestions_of_the_installed_package(installed, monkeypatch):
    monkeypatch.setattr(
        configs, 'ROOTS', (str(installed.parent), str(installed / '.mim')))
    assert did_you_mean('siamattn_mobilenet2').startswith(
        "; did you mean 'siamattn_mobilenetv2' or ")


def test_one_name_in_two_folders_is_suggested_by_its_paths(
        tmp_path, monkeypatch):
    for folder in 'ab':
        (tmp_path / 'configs' / folder).mkdir(parents=True)
        (tmp_path / 'configs' / folder / 'tracker.py').touch()
    (tmp_path / 'configs' / '_base_').mkdir()
    (tmp_path / 'configs' / '_base_' / 'trackers.py').touch()
    monkeypatch.setattr(configs, 'ROOTS', (str(tmp_path), ))
    for name in ('trackers', 'tracker'):
        assert did_you_mean(name) == (
            "; did you mean 'configs/a/tracker.py' or 'configs/b/tracker.py'?")
