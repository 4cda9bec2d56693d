"""Training checkpoints become small files of weights."""
import subprocess
import sys

import pytest
import torch

from siamattn_mm.utils import load_state_dict


@pytest.fixture
def run(run_tool):
    """Run the tool in this process."""
    return lambda *arguments: run_tool('publish_model', *arguments)


@pytest.mark.parametrize('half', [False, True])
def test_weights_stay_and_the_rest_goes(run, tmp_path, half):
    weights = dict(a=torch.randn(3, 4), count=torch.tensor(7))
    src, dst = tmp_path / 'src.pth', tmp_path / 'sub' / 'dst.pth'
    torch.save(
        dict(state_dict=weights, optimizer=torch.zeros(100000)), src)
    code, _, error = run(src, dst, *(['--half'] if half else []))
    assert code == 0, error
    found = load_state_dict(str(dst))
    assert found['count'] == 7
    assert found['a'].dtype == (torch.float16 if half else torch.float32)
    torch.testing.assert_close(
        found['a'].float(), weights['a'], rtol=1e-3, atol=1e-3)
    assert dst.stat().st_size < 10000


def test_the_mean_of_several(run, tmp_path):
    files = [tmp_path / f'{name}.pth' for name in 'abc']
    for number, path in enumerate(files):
        torch.save(
            dict(a=torch.full((2, ), 3. * number**2), count=torch.tensor(
                number)), path)
    code, _, error = run(files[0], tmp_path / 'dst.pth', '--average',
                         *files[1:])
    assert code == 0, error
    found = load_state_dict(str(tmp_path / 'dst.pth'))
    assert found['a'].tolist() == [5., 5.] and found['count'] == 0
    # One that is named twice counts twice.
    run(files[0], tmp_path / 'dst.pth', '--average', files[1], files[1])
    assert load_state_dict(str(tmp_path / 'dst.pth'))['a'].tolist() == [2., 2.]


@pytest.mark.parametrize('other', [
    dict(a=torch.zeros(3)), dict(b=torch.zeros(2)),
    dict(a=torch.zeros(2), b=torch.zeros(2))
])
def test_the_mean_of_two_models_is_refused(run, tmp_path, other):
    for name, weights in (('one', dict(a=torch.zeros(2))), ('other', other)):
        torch.save(weights, tmp_path / f'{name}.pth')
    dst = tmp_path / 'dst.pth'
    code, _, error = run(tmp_path / 'one.pth', dst, '--average',
                         tmp_path / 'other.pth')
    assert code == 2 and not dst.exists()
    assert 'one.pth' in error and 'other.pth' in error
    assert ' a' in error or ' b' in error


def test_what_half_precision_cannot_hold_is_named(run, tmp_path):
    src, dst = tmp_path / 'src.pth', tmp_path / 'dst.pth'
    torch.save(dict(big=torch.tensor([1e6])), src)
    code, _, error = run(src, dst, '--half')
    assert code == 2 and 'big' in error
    assert not dst.exists()


def test_a_missing_file_is_one_line(repository, tmp_path):
    done = subprocess.run(
        [sys.executable, str(repository / 'tools/publish_model.py'),
         str(tmp_path / 'no.pth'), str(tmp_path / 'dst.pth')],
        capture_output=True, text=True, cwd=repository)
    assert done.returncode == 2
    assert 'no.pth' in done.stderr and 'Traceback' not in done.stderr
