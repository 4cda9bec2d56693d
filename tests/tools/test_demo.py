"""`tools/demo.py`, on videos and folders, and with mistakes."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from siamattn_mm.apis import Tracker, init_tracker, open_frames
from siamattn_mm.commands import track

SIZE = (96, 64)
COUNT = 7
BOX = ('20', '16', '24', '20')
FILES = ['first.png', 'result.mp4', 'results.csv', 'results.json', 'strip.png']


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Seven images of noise."""
    path = tmp_path_factory.mktemp('demo') / 'images'
    path.mkdir()
    rng = np.random.default_rng(0)
    for index in range(COUNT):
        cv2.imwrite(
            str(path / f'{index}.png'),
            rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8))
    return str(path)


@pytest.fixture(scope='module')
def video(folder):
    path = os.path.join(os.path.dirname(folder), 'clip.mp4')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'mp4v'), 10., SIZE)
    for frame in open_frames(folder):
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(scope='module')
def checkpoint(small_config_path, folder):
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match='untrained'):
        model = init_tracker(str(small_config_path)).model
    path = os.path.join(os.path.dirname(folder), 'small.pth')
    torch.save(dict(state_dict=model.state_dict()), path)
    return path


@pytest.fixture
def run(run_tool, small_config_path, checkpoint, tmp_path):
    """Run the demo in this process; gives exit code, output and errors.

    A keyword replaces a flag's value; None leaves the flag out.
    """

    def _run(source, *flags, **values):
        out = tmp_path / 'out'
        defaults = dict(
            config=small_config_path, checkpoint=checkpoint, box=BOX, out=out)
        argv = [source, *flags]
        for name, value in {**defaults, **values}.items():
            if value is not None:
                words = value if isinstance(value, tuple) else (value, )
                argv += [f'--{name}', *words]
        result = run_tool('demo', *argv)
        _run.files = sorted(os.listdir(str(out))) if out.exists() else []
        return result

    return _run


def read_csv(path):
    with open(str(path), newline='') as file:
        return list(csv.DictReader(file))


def read_json(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize('kind, fps', [('video', 10.), ('folder', 25.)])
def test_all_files(run, request, tmp_path, checkpoint, small_config_path, kind,
                   fps):
    source = request.getfixturevalue(kind)
    code, out, error = run(source, start=1, end=6)
    assert code == 0 and run.files == FILES
    assert 'Traceback' not in error and 'warning' not in error
    assert '5/5' in error

    rows = read_csv(tmp_path / 'out' / 'results.csv')
    assert list(rows[0]) == (
        'frame x y w h score x1 y1 x2 y2 x3 y3 x4 y4 lost id'.split())
    assert [row['frame'] for row in rows] == list('12345')
    # The first row is what the user said: no score, no rotated box.
    assert [float(rows[0][key]) for key in 'xywh'] == [20, 16, 24, 20]
    assert rows[0]['score'] == rows[0]['x1'] == ''

    # They are the tracker's own results.
    tracker = init_tracker(str(small_config_path), checkpoint)
    frames = list(open_frames(source, 1, 6))
    tracker.init(frames[0], tuple(map(float, BOX)))
    content = read_json(tmp_path / 'out' / 'results.json')
    assert {key: content[key] for key in ('source', 'fps', 'size')} == dict(
        source=source, fps=fps, size=list(SIZE))
    assert content['frames'][0] == dict(
        frame=1, bbox=[20, 16, 24, 20], score=None, polygon=None, mask=None,
        lost=False, id=1)
    for row, record, frame in zip(rows[1:], content['frames'][1:],
                                  frames[1:]):
        result = tracker.update(frame)
        polygon = result.polygon.ravel()
        assert row['lost'] == str(int(result.lost)) and row['id'] == '1'
        numbers = [float(row[key]) for key in row]
        for found in (numbers[1:-2], record['bbox'] + [record['score']] +
                      record['polygon']):
            assert np.abs(np.array(found) - [
                *result.bbox, result.score, *polygon
            ]).max() < 1e-4
        assert (coco_mask.decode(record['mask']) == result.mask).all()
    assert len(rows) == len(content['frames']) == 5

    result = open_frames(str(tmp_path / 'out' / 'result.mp4'))
    assert (len(result), result.fps, result.size) == (5, fps, SIZE)
    first = cv2.imread(str(tmp_path / 'out' / 'first.png'))
    assert first.shape == frames[0].shape
    changed = (first != frames[0]).any(axis=2)
    assert changed[16, 20:43].all() and not changed[20:32, 25:40].any()
    assert cv2.imread(str(tmp_path / 'out' / 'strip.png')).shape[1] > 4 * 320

    last = out.splitlines()[-1]
    assert last.startswith(f'{tmp_path / "out"}: 5 frames in result.mp4, ')
    speeds = re.search(r'([\d.]+) frames a second \(.* alone: ([\d.]+)\)$',
                       last).groups()
    assert min(map(float, speeds)) > 0


def test_two_runs_write_the_same(run, folder, tmp_path):
    contents = []
    for _ in range(2):
        assert run(folder, end=4)[0] == 0
        contents.append([(tmp_path / 'out' / name).read_bytes()
                         for name in FILES])
    assert contents[0] == contents[1]


def test_a_box_that_is_a_share_of_the_frame(run, folder):
    box = ('0.43', '0.01', '0.13', '0.16')
    code, _, error = run(folder, box=box)
    assert code == 2 and len(error.splitlines()) == 1
    assert 'smaller than a pixel' in error and 'in pixels' in error


@pytest.mark.parametrize('out', ['/proc/1', 'results.csv'])
def test_nothing_is_tracked_where_nothing_can_be_written(
        run, folder, tmp_path, monkeypatch, out):

    def init(self, frame, bbox):
        raise AssertionError('it tracks')

    monkeypatch.setattr(Tracker, 'init', init)
    if out == 'results.csv':
        out = str(tmp_path)
        (tmp_path / 'results.csv').mkdir()
    code, _, error = run(folder, '--no-video', out=out)
    assert code == 2 and out in error and 'error: ' in error


def test_no_video(run, folder):
    code, out, _ = run(folder, '--no-video', end=3)
    assert code == 0 and 'mp4' not in out
    assert run.files == [name for name in FILES if name != 'result.mp4']


def test_attention(run, folder, tmp_path):
    code, out, error = run(folder, '--attention', end=4)
    assert code == 0, error
    assert run.files == sorted(FILES + ['attention.png'])
    video = open_frames(str(tmp_path / 'out' / 'result.mp4'))
    assert len(video) == 4
    width, height = video.size
    assert width > SIZE[0] + 400 and height > SIZE[1]
    # The first frame has nothing beside it, the others do.
    frames = list(video)
    assert frames[0][:, SIZE[0] + 8:].std() < 20 < (
        frames[1][:, SIZE[0] + 8:].std())
    strip = cv2.imread(str(tmp_path / 'out' / 'attention.png'))
    assert strip.shape[0] > 3 * height and strip.shape[1] > width
    boxes = read_json(tmp_path / 'out' / 'results.json')['frames']
    assert run(folder, end=4)[0] == 0
    assert read_json(tmp_path / 'out' / 'results.json')['frames'] == boxes


def test_attention_of_an_exported_model_is_a_mistake(run, folder):
    # Said before anything is read: there is no such file.
    code, out, error = run(folder, '--attention', checkpoint='model.onnx')
    assert code == 2 and out == '' and run.files == []
    assert error == (
        "demo.py: error: --attention draws what PyTorch computes, but "
        "'model.onnx' is an exported model: give the weights that it was made "
        'of, or leave --attention out\n')


@pytest.mark.parametrize('flags, runtime', [
    ((), 'onnxruntime'), (('--runtime', 'openvino'), 'openvino')])
def test_runtime(run, folder, small_config_path, monkeypatch, flags, runtime):
    asked = []

    def init(config, checkpoint, device, runtime):
        asked.append((checkpoint, runtime))
        raise ValueError('enough')

    monkeypatch.setattr('siamattn_mm.apis.init_tracker', init)
    assert run(folder, *flags, checkpoint='model.onnx')[0] == 2
    assert asked == [('model.onnx', runtime)]


def test_several_targets(run, folder, tmp_path, checkpoint, small_config_path):
    other = ('50', '20', '18', '30')
    code, out, error = run(folder, '--box', *other, end=4)
    assert code == 0 and run.files == FILES and '4 frames' in out
    assert '4/4' in error
    tracker = init_tracker(str(small_config_path), checkpoint)
    frames = list(open_frames(folder, 0, 4))
    # The flag before comes first.
    for box in (other, BOX):
        tracker.add(frames[0], tuple(map(float, box)))
    expected = [tracker.update(frame) for frame in frames[1:]]
    rows = read_csv(tmp_path / 'out' / 'results.csv')
    assert [(row['frame'], row['id']) for row in rows] == [
        (str(i), target) for i in range(4) for target in '12'
    ]
    records = read_json(tmp_path / 'out' / 'results.json')['frames']
    for row, record in zip(rows[2:], records[2:]):
        result = expected[int(row['frame']) - 1][int(row['id'])]
        assert record['id'] == int(row['id'])
        assert np.abs(np.array(record['bbox']) - result.bbox).max() < 1e-3
        assert float(row['score']) == pytest.approx(result.score, abs=1e-4)
        assert (coco_mask.decode(record['mask']) == result.mask).mean() > .99


def test_attention_is_of_one_target(run, folder):
    code, _, error = run(folder, '--attention', '--box', 1, 2, 30, 30)
    assert code == 2 and 'of one target, but got 2' in error


def test_the_range_of_more_than_8_bits_is_said(run, tmp_path):
    images = tmp_path / 'thermal'
    images.mkdir()
    ramp = np.linspace(7000, 8275, SIZE[0] * SIZE[1]).reshape(SIZE[::-1])
    for index in range(2):
        cv2.imwrite(str(images / f'{index}.png'), ramp.astype(np.uint16))
    code, out, _ = run(str(images))
    low, high = map(float, re.search(
        r'more than 8 bits: (\S+) became black and (\S+) white', out).groups())
    assert low < 7000 < 8275 < high
    content = read_json(tmp_path / 'out' / 'results.json')
    assert content['value_range'] == pytest.approx([low, high], rel=1e-3)


def test_one_frame(run, folder):
    code, out, _ = run(folder, start=6)
    assert code == 0 and run.files == FILES
    assert '1 frames' in out and 'tracker alone' not in out


def test_polygon(run, folder, tmp_path):
    polygon = (20, 30, 40, 20, 50, 35, 30, 45)
    assert run(folder, box=polygon, end=3)[0] == 0
    row = read_csv(tmp_path / 'out' / 'results.csv')[0]
    assert [float(row[f'{axis}{i}']) for i in range(1, 5)
            for axis in 'xy'] == list(polygon)


def test_negative_numbers_in_a_box(run, folder, tmp_path):
    assert run(folder, box=(-5, -4.5, 30, 30), end=2)[0] == 0
    row = read_csv(tmp_path / 'out' / 'results.csv')[0]
    assert (row['x'], row['y']) == ('-5.0', '-4.5')


def test_without_masks(run, folder, tmp_path, small_config_path):
    config = tmp_path / 'boxes.py'
    config.write_text(f'_base_ = {str(small_config_path)!r}\n'
                      'model = dict(refine_head=dict(\n'
                      '    mask_fusion=None, mask_head=None))\n')
    code, _, error = run(folder, config=config, checkpoint=None, end=3)
    assert code == 0 and run.files == FILES
    row = read_csv(tmp_path / 'out' / 'results.csv')[2]
    assert float(row['score']) >= 0 and row['x1'] == row['y4'] == ''
    # The one thing to say, in one line.
    warned = [line for line in error.splitlines() if 'tracking' not in line]
    assert len(warned) == 1
    assert re.match('demo.py: warning: .*untrained', warned[0])


def test_box_by_mouse(run, folder, tmp_path, monkeypatch):
    from siamattn_mm.visualization import select_box
    monkeypatch.setattr(select_box, 'select_box',
                        lambda frame: (10., 11., 12., 13.))
    assert run(folder, box=None, end=2)[0] == 0
    row = read_csv(tmp_path / 'out' / 'results.csv')[0]
    assert [row[key] for key in 'xywh'] == ['10.0', '11.0', '12.0', '13.0']


def test_box_by_mouse_without_a_window(run, folder, monkeypatch):
    from matplotlib import pyplot as plt
    monkeypatch.setattr(plt, 'get_backend', lambda: 'agg')
    code, _, error = run(folder, box=None)
    assert code == 2
    assert error.startswith('demo.py: error: no window can be opened')
    assert error.endswith('give the target with --box X Y W H\n')


class Camera:
    """Four frames, then Ctrl-C."""

    def __init__(self, number):
        self.given = 0

    def isOpened(self):
        return True

    def get(self, prop):
        return 15.

    def read(self):
        self.given += 1
        if self.given > 5:
            raise KeyboardInterrupt
        return True, np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)


def test_camera_until_interrupted(run, tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    code, _, _ = run('0', '--no-video')
    assert code == 0
    assert len(read_csv(tmp_path / 'out' / 'results.csv')) == 4


def test_interrupted_file_leaves_nothing(run, folder, monkeypatch):
    update = Tracker.update
    calls = []

    def interrupted(self, frame):
        calls.append(frame)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return update(self, frame)

    monkeypatch.setattr(Tracker, 'update', interrupted)
    code, _, error = run(folder)
    assert code == 130 and run.files == []
    assert error.splitlines()[-1] == (
        'demo.py: interrupted, nothing was written')


def test_errors_while_tracking_keep_their_traceback(run, folder, monkeypatch):

    def broken(self, frame):
        raise ValueError('a defect')

    monkeypatch.setattr(Tracker, 'update', broken)
    with pytest.raises(ValueError, match='a defect'):
        run(folder)


@pytest.mark.parametrize('values, message', [
    (dict(box=(20, 16, 0, 20)), 'bbox has no area'),
    (dict(box=(200, 16, 9, 20)), 'lies outside the frame of 96x64 pixels'),
    (dict(box=(20, 16, 9)), 'must be 4 finite numbers'),
    (dict(box=(20, 16, 9, 'nan')), 'must be 4 finite numbers'),
    (dict(box=(20, 16, 9, 'x')), "argument --box: invalid float value: 'x'"),
    (dict(start=7), 'has 7 frames'),
    (dict(start=-1), 'has 7 frames'),
    (dict(end=8), 'has 7 frames'),
    (dict(start=4, end=4), 'has 7 frames'),
    (dict(start='x'), "argument --start: invalid int value: 'x'"),
    (dict(checkpoint='no.pth'), "checkpoint 'no.pth' does not exist"),
    (dict(config='no.py'), "config 'no.py' does not exist"),
    (dict(config='configs/_base_/default_runtime.py'), 'describes no model'),
    (dict(config='tools/test.sh'), 'is not a config file'),
    (dict(device='no-device'), "device 'no-device' cannot be used"),
    (dict(out=__file__), 'File exists'),
    (dict(runtime='tensorrt'), "choose from 'onnxruntime', 'openvino'"),
])
def test_mistakes_are_one_line(run, folder, values, message):
    code, out, error = run(folder, **values)
    assert code == 2 and out in ('', 'device: cpu\n')
    assert error.startswith('demo.py: error: ') and message in error
    assert error.count('\n') == 1
    assert run.files == []


def test_sources_that_are_not_there_or_empty(run, tmp_path):
    (tmp_path / 'empty').mkdir()
    for name, message in (('no.mp4', 'no such video file or folder'),
                          ('empty', 'holds no images')):
        code, _, error = run(tmp_path / name)
        assert code == 2 and error.count('\n') == 1
        assert error.startswith('demo.py: error: ')
        assert str(tmp_path / name) in error and message in error


def test_checkpoint_of_another_config(run, folder, tmp_path):
    path = tmp_path / 'other.pth'
    torch.save(dict(some_layer=torch.zeros(3)), str(path))
    code, _, error = run(folder, checkpoint=path)
    assert code == 2 and error.startswith(f"demo.py: error: '{path}' does not")
    assert '\n  missing: backbone.conv1.conv.weight (8, 3, 3, 3)' in error
    assert 'Traceback' not in error


def test_image_that_turns_out_broken_keeps_the_rest(run, folder, tmp_path):
    images = tmp_path / 'images'
    images.mkdir()
    for index in range(5):
        content = b'no image'
        if index != 3:
            with open(os.path.join(folder, f'{index}.png'), 'rb') as file:
                content = file.read()
        (images / f'{index}.png').write_bytes(content)
    code, out, error = run(images)
    assert code == 1 and run.files == FILES
    assert ': 3 frames in result.mp4, ' in out
    assert error.splitlines()[-1] == (
        f"demo.py: error: '{images / '3.png'}' cannot be read as an image; "
        'what was tracked up to there is kept')
    assert len(read_csv(tmp_path / 'out' / 'results.csv')) == 3
    assert len(open_frames(str(tmp_path / 'out' / 'result.mp4'))) == 3
    # The first one is needed.
    (images / '0.png').write_bytes(b'no image')
    (tmp_path / 'out').rename(tmp_path / 'old')
    assert run(images)[0] == 2 and run.files == []


@pytest.mark.skipif(sys.platform != 'linux', reason='names are UTF-8 there')
def test_names_of_any_bytes(run, video, tmp_path):
    odd = os.fsdecode(os.fsencode(str(tmp_path)) + b'/\xff\xe4')
    os.mkdir(odd)
    source = os.path.join(odd, os.fsdecode(b'\xfc.mp4'))
    shutil.copy(video, source)
    code, out, error = run(source, out=os.path.join(odd, 'out'), end=3)
    assert code == 0, error
    assert '3 frames in result.mp4' in out.encode().decode()
    assert sorted(os.listdir(os.path.join(odd, 'out'))) == FILES
    assert len(open_frames(os.path.join(odd, 'out', 'result.mp4'))) == 3


def test_rotated_video_stays_upright(run, shared, tmp_path):
    path = shared / 'cases' / 'phone_rotation' / 'rot90.mp4'
    if not path.is_file():
        pytest.skip('no such case')
    assert run(path, box=(150, 138, 30, 43), end=3)[0] == 0
    assert open_frames(str(tmp_path / 'out' / 'result.mp4')).size == (182, 320)
    assert cv2.imread(str(tmp_path / 'out' / 'first.png')).shape[:2] == (
        320, 182)


def test_value_range(run, tmp_path):
    images = tmp_path / 'images'
    images.mkdir()
    ramp = np.linspace(7000, 8000, SIZE[0] * SIZE[1]).reshape(SIZE[::-1])
    for index in range(2):
        cv2.imwrite(str(images / f'{index}.png'), ramp.astype(np.uint16))
    assert run(images, **{'value-range': (7000, 9000)})[0] == 0
    first = cv2.imread(str(tmp_path / 'out' / 'first.png'))
    assert first[-1, -1].tolist() == [128, 128, 128]
    code, _, error = run(images, **{'value-range': (9, 9)})
    assert code == 2 and 'value_range must be two' in error


def test_default_config_is_the_repositorys(repository):
    args = track.make_parser('demo.py').parse_args(['clip.mp4'])
    assert (repository / args.config).is_file()


def test_from_another_folder(repository, folder, checkpoint, tmp_path):
    # A relative config is found.
    done = subprocess.run([
        sys.executable,
        str(repository / 'tools' / 'demo.py'), folder, '--config',
        'tests/small_model.py', '--checkpoint', checkpoint, '--end', '2',
        '--out', 'results', '--box', *BOX
    ],
                          cwd=str(tmp_path),
                          env=dict(
                              os.environ,
                              PYTHONPATH=str(repository),
                              OMP_NUM_THREADS='1'),
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE,
                          universal_newlines=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        'device: cpu\nresults: 2 frames in result.mp4, ')
    assert sorted(os.listdir(str(tmp_path / 'results'))) == FILES


def test_ffmpeg_does_not_add_to_the_message(run_tool, tmp_path):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'\0\0\0\x20ftypisom' + bytes(999))
    code, _, error = run_tool('demo', broken, '--box', *BOX)
    assert code == 2
    assert error == (
        f"demo.py: error: '{broken}' cannot be read as a video: it is empty, "
        'truncated or of an unknown format\n')
