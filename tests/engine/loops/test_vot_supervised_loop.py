"""The supervised loop with a tracker that fails where it is told to."""
import os.path as osp

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS

LENGTH = 20
# (40, 30) pixels, the target is 12 x 10.
TRUTH = dict(
    boxes='10,12,12,10\n',
    polygons='10,12,22,12,22,22,10,22\n')
LOST = dict(boxes=(3, 12, 19), polygons=())


@MODELS.register_module()
class ScriptedTracker(BaseModel):
    """Knows nothing of restarts: it starts at frame 0, and follows."""

    def __init__(self, with_polygons=False):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))
        self.with_polygons = with_polygons
        self.calls = []

    def forward(self, inputs, data_samples=None, mode='predict'):
        sample = data_samples[0]
        name = sample.sequence_name
        frame = int(osp.splitext(osp.basename(sample.img_path))[0])
        if sample.frame_id == 0:
            self.calls.append((name, frame, 'init'))
        else:
            self.calls.append((name, frame, 'track'))
        x = 30. if frame in LOST[name] else 12.
        box = torch.tensor([[x, 12, x + 12, 22]])
        sample.pred_track_instances = InstanceData(
            bboxes=box, scores=torch.ones(1))
        if self.with_polygons and sample.frame_id > 0:
            # Half as high.
            corners = torch.tensor([[x, 12], [x + 11, 12], [x + 11, 16],
                                    [x, 16]])
            sample.pred_track_instances.polygons = corners[None]
        sample.set_metainfo(dict(track_time=.25))
        return data_samples


@pytest.fixture()
def make(tmp_path, repository):
    """A runner on two sequences."""
    for name, line in TRUTH.items():
        (tmp_path / 'data' / name / 'img').mkdir(parents=True)
        (tmp_path / 'data' / name / 'groundtruth.txt').write_text(
            line * LENGTH)
        for i in range(LENGTH):
            cv2.imwrite(
                str(tmp_path / 'data' / name / 'img' / f'{i}.png'),
                np.zeros((30, 40, 3), np.uint8))

    count = 0

    def make(evaluator=(), with_polygons=False, **loop):
        nonlocal count
        count += 1
        name = f'{tmp_path.name}{count}'
        base = repository / 'configs' / '_base_'
        config = Config.fromfile(str(base / 'datasets' / 'sot_folder.py'))
        config.merge_from_dict(
            Config.fromfile(str(base / 'default_runtime.py')).to_dict())
        config.merge_from_dict(
            dict(
                model=dict(
                    type='ScriptedTracker', with_polygons=with_polygons),
                work_dir=str(tmp_path / 'work'),
                experiment_name=name,
                visualizer=dict(name=name)))
        config.test_dataloader.update(num_workers=0)
        config.test_dataloader.dataset.data_root = str(tmp_path / 'data')
        config.test_cfg = dict(type='VOTSupervisedLoop', **loop)
        config.test_evaluator = {
            **dict(type='VOTSupervisedMetric', interval=(1, 3)),
            **dict(evaluator)
        }
        for key in ('val_dataloader', 'val_evaluator', 'val_cfg'):
            config.pop(key)
        return Runner.from_cfg(config)

    return make


def lines(path):
    """Lines of a result file, regions as R."""
    return ''.join('R' if ',' in line else line
                   for line in path.read_text().splitlines())


def test_restarts_and_figures(make, tmp_path):
    runner = make()
    figures = runner.test()
    calls = [call for call in runner.model.calls if call[0] == 'boxes']
    expected = [('boxes', i, 'init' if i in (0, 8, 17) else 'track')
                for i in (0, 1, 2, 3, 8, 9, 10, 11, 12, 17, 18, 19)]
    assert calls == expected
    assert [call[2] for call in runner.model.calls[len(calls):]
            ] == ['init'] + ['track'] * (LENGTH - 1)
    # 10 of 12 columns in common in each of the 10 rows, over 14; the polygon
    # has a column and a row more.
    overlap, other = 10 / 14, 110 / (13 * 11 + 10)
    assert (figures['vot/failures'], figures['vot/robustness']) == (1.5, 7.5)
    # Within the burn-in everywhere in the first sequence.
    assert figures['vot/accuracy'] == pytest.approx(other / 2)
    curve = [(3 * overlap + other) / 4,
             (overlap + overlap + overlap / 2 + other) / 4,
             (overlap * 2 / 3 + overlap + overlap / 3 + other) / 4]
    assert figures['vot/eao'] == pytest.approx(np.mean(curve))

    folder = tmp_path / 'work' / 'results' / 'baseline'
    assert lines(folder / 'boxes' /
                 'boxes_001.txt') == '1RR200001RRR200001R2'
    assert lines(folder / 'polygons' / 'polygons_001.txt') == '1' + 'R' * 19
    text = (folder / 'boxes' / 'boxes_001.txt').read_text().splitlines()
    assert text[1] == '12.0000,12.0000,12.0000,10.0000'
    times = (folder / 'boxes' / 'boxes_001_time.value').read_text()
    assert times.split('\n')[2:6] == ['0.250000', '0.250000', '', '']


def test_region_is_the_polygon_if_there_is_one(make):
    # With burn_in=1 all tracked frames count.
    means = [
        make(dict(burn_in=1), True, region=region).test()['vot/accuracy']
        for region in ('polygon', 'box')
    ]
    # 10 x 5 pixels of the rectangle, 11 x 5 of the polygon.
    rectangle, polygon = 50 / 130, 55 / (13 * 11 + 5)
    assert means[0] == pytest.approx((rectangle + polygon) / 2)
    assert means[1] == pytest.approx((10 / 14 + 110 / 153) / 2)


def test_repetitions(make, tmp_path):
    runner = make(dict(interval=None), repetitions=3, skip_frames=2)
    figures = runner.test()
    assert len([c for c in runner.model.calls if c[2] == 'init']) == 3 * 4
    assert figures['vot/failures'] == 1.5
    assert 'vot/eao' not in figures
    folder = tmp_path / 'work' / 'results' / 'baseline' / 'boxes'
    first, *others = [
        lines(folder / f'boxes_{i:03d}.txt') for i in (1, 2, 3)
    ]
    assert first == '1RR201RRRRRR201RRRR2'
    assert others == [first] * 2


def test_absent_target_is_refused(make, tmp_path):
    path = tmp_path / 'data' / 'boxes' / 'groundtruth.txt'
    truth = path.read_text().splitlines()
    truth[2] = 'nan,nan,nan,nan'
    runner = make()
    path.write_text('\n'.join(truth))
    with pytest.raises(ValueError, match='2.png: the target is absent'):
        runner.test()


@pytest.mark.parametrize('loop, message', [
    (dict(repetitions=0), 'repetitions must be at least 1, but got 0'),
    (dict(skip_frames=0), 'skip_frames must be at least 1, but got 0'),
    (dict(region='mask'), 'region must be one of polygon, box'),
])
def test_wrong_settings(make, loop, message):
    with pytest.raises(ValueError, match=message):
        make(**loop).test()
