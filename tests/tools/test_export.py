"""``tools/export.py`` writes files, or says in one line why not."""
import subprocess
import sys

import pytest


def run(repository, *arguments):
    return subprocess.run(
        [sys.executable, str(repository / 'tools/export.py'),
         *map(str, arguments)],
        capture_output=True, text=True, cwd=repository)


def test_both_files_are_written(repository, small_config_path, tmp_path):
    pytest.importorskip('onnx', reason='onnx is not installed')
    out = tmp_path / 'sub' / 'model.onnx'
    done = run(repository, small_config_path, '--out', out)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for line, path in zip(lines, (out.with_suffix('.init.onnx'), out)):
        assert str(path) in line and 'MB' in line
        assert path.stat().st_size > 10000
    assert len(list(out.parent.iterdir())) == 2


@pytest.mark.parametrize('arguments, word', [
    (('no.py', '--out', 'm.onnx'), 'no.py'),
    (('CONFIG', '--out', 'm.pth'), 'm.pth'),
    (('CONFIG', '--out', '/proc/1/m.onnx'), "'/proc/1'"),
    (('CONFIG', '--out', 'm.onnx', '--checkpoint', 'no.pth'), 'no.pth'),
])
def test_mistakes_are_one_line(repository, small_config_path, tmp_path,
                               arguments, word):
    pytest.importorskip('onnx', reason='onnx is not installed')
    arguments = [str(small_config_path) if a == 'CONFIG' else a
                 for a in arguments]
    done = run(repository, *arguments)
    assert done.returncode == 2
    assert word in done.stderr and 'Traceback' not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
