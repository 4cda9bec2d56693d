"""`tools/make_submission.py`, as a user calls it."""
import zipfile

import pytest
from fake_layouts import benchmarks as layouts

BOX = '1.0000,2.0000,3.0000,4.0000\n'


@pytest.fixture
def run(run_tool):
    """Run the tool in this process; gives exit code, output and errors."""
    return lambda *args: run_tool('make_submission', *args)


@pytest.fixture
def got10k(tmp_path):
    """Data and results of a fake GOT-10k."""
    for name in layouts.make_got10k(str(tmp_path / 'data')):
        (tmp_path / 'results').mkdir(exist_ok=True)
        (tmp_path / 'results' / f'{name}.txt').write_text(BOX * 4)
        (tmp_path / 'results' / f'{name}_time.txt').write_text('0.05\n' * 4)
    return tmp_path


def test_got10k(run, got10k):
    out = got10k / 'out.zip'
    code, text, error = run(got10k / 'results', '--benchmark', 'got10k',
                            '--out', out, '--data-root', got10k / 'data')
    assert code == 0, error
    assert f'{out}: 2 sequences, written and read back' in text
    assert len(zipfile.ZipFile(str(out)).namelist()) == 4


def test_part_of_the_sequences_is_refused(run, got10k):
    out = got10k / 'out.zip'
    code, _, error = run(got10k / 'results', '--benchmark', 'got10k', '--out',
                         out)
    assert code == 2
    assert error.startswith('make_submission.py: error: ')
    assert 'GOT-10k_Test_000003.txt: no such file' in error
    assert len(error.splitlines()) == 1 and not out.exists()


def test_bad_data_root(run, got10k):
    code, _, error = run(got10k / 'results', '--benchmark', 'vot2018',
                         '--out', got10k / 'out.zip', '--data-root',
                         got10k / 'nothing')
    assert code == 2 and 'not a folder' in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize('args,reason', [
    (['--benchmark', 'davis2017'], 'davis2017 needs --data-root'),
    (['--benchmark', 'got10k', '--subset', 'val'], 'no --subset'),
    (['--benchmark', 'imagenet'], 'invalid choice'),
])
def test_wrong_arguments(run, tmp_path, args, reason):
    code, _, error = run(tmp_path, '--out', tmp_path / 'x.zip', *args)
    assert code == 2 and reason in error
