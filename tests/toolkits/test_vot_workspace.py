"""Workspaces for the VOT toolkit, without the toolkit."""
import configparser
import os
import re
import shlex
import sys

import cv2
import numpy as np
import pytest
import yaml

from siamattn_mm.datasets.reading.ground_truth import SequenceFolderError
from siamattn_mm.toolkits.vot_workspace import (
    TrackerEntry,
    check_interval,
    make_workspace,
)

ENTRY = TrackerEntry(['python', '/a b/100%.py'], 'ours-1', 60)


@pytest.fixture()
def data(tmp_path):
    """Two sequences, of rectangles and of polygons."""
    for name, line, suffix in (('box', '1,2,3.5,4', 'jpg'),
                               ('turned', '1,2,5,1,6,4,2,5', 'png')):
        (tmp_path / 'data' / name / 'img').mkdir(parents=True)
        for i in range(5):
            cv2.imwrite(
                str(tmp_path / 'data' / name / 'img' / f'{i}.{suffix}'),
                np.full((12, 16, 3), 40 * i, np.uint8))
        (tmp_path / 'data' / name / 'groundtruth.txt').write_text(
            f'{line}\n' * 5)
    return tmp_path / 'data'


def test_layout(data, tmp_path):
    out = tmp_path / 'new' / 'vot'
    assert make_workspace(
        str(data), str(out), ENTRY, num_frames=3,
        unsupervised=True) == ['box', 'turned']
    assert sorted(path.name for path in out.iterdir()) == [
        'config.yaml', 'results', 'sequences', 'stack.yaml', 'trackers.ini'
    ]
    assert list(out.parent.iterdir()) == [out]

    sequences = out / 'sequences'
    assert (sequences / 'list.txt').read_text() == 'box\nturned\n'
    links = sorted((sequences / 'turned' / 'color').iterdir())
    assert [link.name for link in links] == [
        '00000001.png', '00000002.png', '00000003.png'
    ]
    assert links[1].resolve() == data / 'turned' / 'img' / '1.png'
    assert (sequences / 'box' / 'color' / '00000003.jpg').exists()
    assert (sequences / 'box' / 'groundtruth.txt').read_text(
    ) == '1.0000,2.0000,3.5000,4.0000\n' * 3
    assert (sequences / 'turned' / 'groundtruth.txt').read_text().startswith(
        '1.0000,2.0000,5.0000,1.0000,6.0000,4.0000,2.0000,5.0000\n')
    properties = (sequences / 'turned' / 'sequence').read_text().splitlines()
    for line in ('length=3', 'width=16', 'height=12',
                 'channels.color=color/%08d.png'):
        assert line in properties

    stack = yaml.safe_load((out / 'stack.yaml').read_text())['experiments']
    assert list(stack) == ['baseline', 'unsupervised']
    assert stack['baseline']['skip_initialize'] == 5
    score = stack['baseline']['analyses'][1]
    assert (score['low'], score['high']) == (2, 2)

    trackers = configparser.ConfigParser()
    trackers.read(str(out / 'trackers.ini'))
    assert trackers.sections() == ['ours-1']
    assert shlex.split(trackers['ours-1']['command']) == list(ENTRY.command)
    assert trackers['ours-1']['timeout'] == '60'


def refused(data, tmp_path, error, message, **kwargs):
    """Nothing is left behind."""
    with pytest.raises(error, match=message):
        make_workspace(
            str(data), str(tmp_path / 'vot'),
            kwargs.pop('entry', ENTRY), **kwargs)
    assert [path for path in tmp_path.iterdir() if path != data] == []


def test_bad_number_is_refused(data, tmp_path):
    path = data / 'box' / 'groundtruth.txt'
    path.write_text('1,2,3,4\n' * 3 + '1,2,x,4\n1,2,3,4\n')
    refused(data, tmp_path, SequenceFolderError,
            "box/groundtruth.txt, line 4: 'x' is not a number")


def test_absent_target_is_refused(data, tmp_path):
    path = data / 'box' / 'groundtruth.txt'
    path.write_text('1,2,3,4\n' * 3 + 'nan,nan,nan,nan\n1,2,3,4\n')
    refused(data, tmp_path, SequenceFolderError,
            'box, line 4 of the ground truth: the target is absent')
    assert make_workspace(
        str(data), str(tmp_path / 'vot'), ENTRY, num_frames=3)


def test_wrong_line_count_is_refused(data, tmp_path):
    (data / 'box' / 'groundtruth.txt').write_text('1,2,3,4\n' * 4)
    refused(data, tmp_path, SequenceFolderError, '4 lines for 5 frames')


def test_broken_image_is_refused(data, tmp_path):
    (data / 'turned' / 'img' / '0.png').write_bytes(b'nothing')
    refused(data, tmp_path, SequenceFolderError, 'turned/img/0.png: cannot')


def test_wrong_settings_are_refused(data, tmp_path):
    refused(data, tmp_path, ValueError, 'at least 1, but got 0', num_frames=0)
    refused(data, tmp_path, ValueError, 'repetitions must be at least 1',
            repetitions=0)
    refused(data, tmp_path, ValueError, "called 'a b'",
            entry=TrackerEntry(['x'], 'a b'))
    refused(data, tmp_path, ValueError, 'more than 100 frames.* has 5',
            interval=(100, 356))
    refused(data, tmp_path, ValueError, 'but got 3 and 2', interval=(3, 2))


def test_full_folder_is_left_alone(data, tmp_path):
    (tmp_path / 'vot').mkdir()
    (tmp_path / 'vot' / 'mine.txt').write_text('precious')
    with pytest.raises(FileExistsError, match='is not empty'):
        make_workspace(str(data), str(tmp_path / 'vot'), ENTRY)
    assert os.listdir(str(tmp_path / 'vot')) == ['mine.txt']


def test_interval_of_the_lengths():
    assert check_interval([41, 61, 81, 101, 121]) == (60, 100)
    assert check_interval([1]) == (1, 1)
    assert check_interval([200, 50], (100, 356)) == (100, 356)


@pytest.fixture()
def tool(run_tool, tmp_path, monkeypatch):
    """Run the tool from a user's folder; gives exit code and output."""
    monkeypatch.chdir(tmp_path)
    return lambda *args: run_tool('make_vot_workspace', *args)


def test_the_tool_makes_paths_absolute(data, tmp_path, tool):
    (tmp_path / 'mine.py').write_text('')
    code, out, err = tool('data', 'vot', '--config', 'mine.py', '--interval',
                          '1', '3', '--region', 'box', '--runtime',
                          'openvino')
    assert (code, err) == (0, '')
    assert 'vot evaluate --workspace vot siamattn' in out
    trackers = configparser.ConfigParser()
    trackers.read(str(tmp_path / 'vot' / 'trackers.ini'))
    command = shlex.split(trackers['siamattn']['command'])
    assert command[:4] == [sys.executable, '-m', 'siamattn_cli', 'vot-tracker']
    assert command[command.index('--config') + 1] == str(tmp_path / 'mine.py')
    assert command[command.index('--region') + 1] == 'box'
    assert command[command.index('--runtime') + 1] == 'openvino'
    # What was not given is not written.
    assert '--device' not in command and '--checkpoint' not in command


@pytest.mark.parametrize('args, message', [
    (['data', 'data'], 'not empty'),
    (['nowhere', 'vot'], 'nowhere'),
    (['data', 'vot', '--checkpoint', 'none.pth'], "'none.pth' does not exist"),
    (['data', 'vot', '--year', '2016'], 'frames 108 to 371 needs'),
    (['data', 'vot', '--year', '2020'], '--year'),
    (['data', 'vot', '--sequences', 'cat'], "no sequence .* fits 'cat'"),
])
def test_mistakes_are_one_line(data, tool, args, message):
    code, out, err = tool(*args)
    assert (code, out) == (2, '')
    assert re.match(f'make_vot_workspace.py: error: .*{message}.*\n$', err)
