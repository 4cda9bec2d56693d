"""`tools/report.py`: from result folders to a page, and mistakes."""
import json

import cv2
import numpy as np
import pytest

from siamattn_mm.evaluation.result_files import write_rows


@pytest.fixture
def run(run_tool, tmp_path, monkeypatch):
    """Run the tool in this process on two sequences and two trackers."""
    for name in ('x', 'y'):
        (tmp_path / 'data' / name).mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(tmp_path / 'data' / name / f'{i}.png'),
                        np.full((40, 50, 3), 80, np.uint8))
        truth = np.tile([10., 10, 20, 15], (3, 1))
        write_rows(str(tmp_path / 'data' / name / 'groundtruth.txt'), truth, 1)
        for tracker in 'pq':
            write_rows(str(tmp_path / tracker / f'{name}.txt'), truth, 1)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_tool('report', *arguments)


def test_folder(run, tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps(dict(x=['blur'])))
    code, out, error = run('p', 'q', '--names', 'one', 'two', '--data-root',
                           'data', '--attributes', 'a.json', '--out', 'o')
    assert code == 0, error
    assert out == (
        'one: success 0.952, normalised precision 1.000, precision 1.000\n'
        'two: success 0.952, normalised precision 1.000, precision 1.000\n'
        'o/report.html: 2 sequences\n')
    page = (tmp_path / 'o' / 'report.html').read_text(encoding='utf-8')
    assert 'blur</th><td data-value="1">' in page


def test_config(run, tmp_path):
    (tmp_path / 'c.py').write_text(
        'test_dataloader = dict(dataset=dict(type="SOTFolderDataset",\n'
        '    data_root="elsewhere", pipeline=[dict(type="Unknown")]))\n'
        'test_evaluator = dict(type="OPEMetric", absent_frames="otb")\n')
    code, out, error = run(
        'p', '--config', 'c.py', '--cfg-options',
        'test_dataloader.dataset.data_root=data', '--sequences', 'y', '--out',
        'o')
    assert code == 0 and out.endswith('1 sequences\n'), error


def test_where_nothing_can_be_written(run, monkeypatch):
    from siamattn_mm.visualization import report
    monkeypatch.delattr(report, 'build_report')  # the long work
    code, out, error = run('p', '--data-root', 'data', '--out', '/proc/1')
    assert code == 2 and out == '' and error.count('\n') == 1
    assert "error: nothing can be written in '/proc/1'" in error


@pytest.mark.parametrize('arguments, message', [
    (('p', ), 'give either --data-root or --config'),
    (('p', '--data-root', 'data', '--config', 'c.py'), 'give either'),
    (('no', '--data-root', 'data'), "'no' is not a folder of results"),
    (('p', '--data-root', 'no'), "'no' is not a folder"),
    (('p', '--config', 'no.py'), "config 'no.py' does not exist"),
    (('p', 'q', '--names', 'a', '--data-root', 'data'), 'but 1 --names'),
    (('p', './p', '--data-root', 'data'), 'have the same name (p, p)'),
    (('p', '--data-root', 'data', '--attributes', 'p/x.txt'), 'not JSON'),
    (('p', '--data-root', 'data', '--sequences', 'z'), "fits 'z'"),
])
def test_mistakes_are_one_line(run, tmp_path, arguments, message):
    code, out, error = run(*arguments, '--out', 'o')
    assert code == 2 and out == ''
    assert error.startswith('report.py: error: ') and message in error
    assert error.count('\n') == 1 and not (tmp_path / 'o').exists()
