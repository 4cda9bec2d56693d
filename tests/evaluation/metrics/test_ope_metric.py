"""OPEMetric, fed with a model's outputs."""
import json
import os
import re
import time

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmtrack.registry import METRICS
from mmtrack.structures import TrackDataSample

from siamattn_mm.evaluation import OPEMetric, box_iou

BOX = [10., 20, 30, 40]


@pytest.fixture
def results_dir(tmp_path):
    """Where the metric under test writes."""
    return tmp_path / 'results'


def output(frame,
           length,
           pred=BOX,
           truth=BOX,
           score=.9,
           video=0,
           name='seq',
           mask=None,
           **meta):
    """A model's output for one frame; boxes are x, y, w, h."""

    def to_xyxy(box):
        box = np.array(box, dtype=np.float32)
        return np.concatenate([box[:2], box[:2] + box[2:]])

    if truth is None:
        instance = dict(bbox=np.zeros(4, np.float32), visible=False)
    elif len(truth) == 8:
        instance = dict(bbox=np.array(truth, np.float32), visible=True)
    else:
        instance = dict(bbox=to_xyxy(truth), visible=True)
    sample = TrackDataSample()
    sample.pred_track_instances = InstanceData(
        bboxes=torch.from_numpy(to_xyxy(pred))[None],
        scores=torch.tensor([score]))
    if mask is not None:
        sample.pred_track_instances.masks = torch.from_numpy(mask)[None]
    sample.set_metainfo(
        dict(
            frame_id=frame,
            video_id=video,
            video_length=length,
            sequence_name=name,
            img_path=f'data/{name}/img/{frame + 1:08d}.jpg',
            ori_shape=(100, 200),
            instances=[instance]))
    sample.set_metainfo(meta)
    return sample


def evaluate(samples, **kwargs):
    """Run the metric in mmengine's evaluator, a frame at a time."""
    init_default_scope('mmtrack')
    evaluator = Evaluator(METRICS.build(dict(type='OPEMetric', **kwargs)))
    for sample in samples:
        evaluator.process([sample], None)
    return evaluator.evaluate(len(samples))


def test_figures_are_means_over_sequences(results_dir):
    moved = [25, 20, 30, 40]
    samples = [output(i, 5) for i in range(5)] + [
        output(i, 2, video=1, name='other', pred=BOX if i == 0 else moved)
        for i in range(2)
    ]
    figures = evaluate(samples, results_dir=str(results_dir))
    assert figures['sot/AO'] == pytest.approx((1 + 1 / 3) / 2)
    assert figures['sot/SR0.5'] == pytest.approx(.5)
    assert figures['sot/SR0.75'] == pytest.approx(.5)
    # IoU 1/3 is above 7 of 21 thresholds, 1 above 20.
    assert figures['sot/success'] == pytest.approx((20 + 13.5) / 21 / 2)
    assert figures['sot/precision'] == 1
    # The error is half a width: within the last threshold only.
    assert figures['sot/norm_precision'] == pytest.approx(
        (1 + (1 + 1 / 51) / 2) / 2)
    assert 'sot/J' not in figures and 'sot/fps' not in figures
    assert 'sot/absent_score_median' not in figures


def test_ao_of_got10k_is_a_mean_over_frames_inside_the_image(results_dir):
    # Images are 200 pixels wide: half of the box is in it.
    beyond = [170, 20, 60, 40]
    samples = [output(i, 4, pred=beyond, truth=beyond if i < 2 else
                      [185, 20, 60, 40]) for i in range(4)]
    samples += [output(i, 2, video=1, name='other') for i in range(2)]
    kwargs = dict(results_dir=str(results_dir))
    whole = evaluate(samples, **kwargs)
    assert whole['sot/AO'] == pytest.approx(((1 + 2 * .6) / 3 + 1) / 2)
    figures = evaluate(samples, ao='got10k', **kwargs)
    assert figures['sot/AO'] == pytest.approx((1 + 2 * .5 + 1) / 4)
    assert figures['sot/SR0.5'] == pytest.approx(2 / 4)
    assert figures['sot/SR0.75'] == pytest.approx(2 / 4)
    for key in ('success', 'precision', 'norm_precision'):
        assert figures[f'sot/{key}'] == whole[f'sot/{key}']

    with pytest.raises(ValueError, match='ao=\'frames\': expected'):
        evaluate(samples, ao='frames', **kwargs)
    for sample in samples:
        del sample.ori_shape
    with pytest.raises(ValueError, match='00000001.jpg: no ori_shape'):
        evaluate(samples, ao='got10k', **kwargs)


def test_files_of_each_sequence(results_dir):
    samples = [
        output(i, 2, [i, 1 / 3, 5, 6], score=.25 * i, track_time=.5 + i)
        for i in range(2)
    ]
    evaluate(samples, results_dir=str(results_dir))
    written = {
        name: (results_dir / name).read_text()
        for name in os.listdir(str(results_dir))
    }
    assert written == {
        'seq.txt': '0.0000,0.3333,5.0000,6.0000\n'
                   '1.0000,0.3333,5.0000,6.0000\n',
        'seq_score.txt': '0.000000\n0.250000\n',
        'seq_time.txt': '0.500000\n1.500000\n',
    }


def test_interrupted_run_leaves_complete_sequences_only(results_dir):
    metric = OPEMetric(results_dir=str(results_dir))

    def frames():
        for i in range(2):
            yield output(i, 2, name='first')
        yield output(0, 3, video=1, name='second')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        for sample in frames():
            metric.process(None, [sample.to_dict()])
    assert sorted(os.listdir(str(results_dir))) == [
        'first.txt', 'first_score.txt'
    ]
    # The same metric may start again.
    metric.results.clear()
    for i in range(3):
        metric.process(
            None, [output(i, 3, video=1, name='second').to_dict()])
    assert len(metric.results) == 1
    text = (results_dir / 'second.txt').read_text()
    assert len(text.splitlines()) == 3


@pytest.mark.parametrize('frames', [[1], [0, 2], [0, 1, 1], [0, 0, 2]])
def test_frames_out_of_order(results_dir, frames):
    samples = [output(i, 4) for i in frames]
    with pytest.raises(ValueError, match='out of order.*VideoSampler'):
        evaluate(samples, results_dir=str(results_dir))


def test_mixed_sequences(results_dir):
    samples = [output(0, 4), output(1, 4, video=1)]
    with pytest.raises(ValueError, match='out of order'):
        evaluate(samples, results_dir=str(results_dir))


def test_no_complete_sequence(results_dir):
    with pytest.raises(ValueError, match='nothing to evaluate'), \
            pytest.warns(UserWarning):
        evaluate([output(0, 2)], results_dir=str(results_dir))


def test_absent_frames_count_by_their_score_only(results_dir):
    scores = [-1, .9, .7, .1, .2, .3, .8]
    samples = [
        output(i, 7, score=score, truth=None if 3 <= i <= 5 else BOX)
        for i, score in enumerate(scores)
    ]
    samples += [output(i, 2, video=1, name='b', score=.5) for i in range(2)]
    figures = evaluate(samples, results_dir=str(results_dir))
    assert figures['sot/AO'] == 1
    assert figures['sot/absent_score_median'] == pytest.approx(.2)
    assert figures['sot/visible_score_median'] == pytest.approx(.8)


def test_polygon_is_compared_by_the_rectangle_around_it(results_dir):
    polygon = [20, 0, 40, 20, 20, 40, 0, 20]
    pred = [0, 0, 40, 20]
    figures = evaluate(
        [output(i, 2, pred, polygon) for i in range(2)],
        results_dir=str(results_dir))
    assert figures['sot/AO'] == box_iou(
        np.array([pred]), np.array([[0, 0, 40, 40]]))[0] == .5


@pytest.fixture
def true_mask(tmp_path):
    """(100, 200) mask of 0 and 255 with its left half set, as a file."""
    mask = np.zeros((100, 200), dtype=bool)
    mask[:, :100] = True
    path = str(tmp_path / 'true.png')
    cv2.imwrite(path, mask * np.uint8(255))
    return path, mask


def test_region_similarity_leaves_the_ends_out(results_dir, true_mask):
    path, mask = true_mask
    quarter = mask.copy()
    quarter[:, :50] = False
    # J of the frames: 0, 1, 0.5, 0 (no mask), 0; the target is absent in
    # frame 4.
    masks = [~mask, mask, quarter, None, mask, ~mask]
    samples = [
        output(
            i,
            6,
            mask=m,
            mask_path=path,
            truth=None if i == 4 else BOX) for i, m in enumerate(masks)
    ]
    samples += [output(i, 2, video=1, name='b') for i in range(2)]
    kwargs = dict(results_dir=str(results_dir))
    assert evaluate(samples, **kwargs)['sot/J'] == pytest.approx(.5)
    assert evaluate(
        samples, mask_exclude_first=False, mask_exclude_last=False,
        **kwargs)['sot/J'] == pytest.approx(1.5 / 5)


def test_no_j_for_a_tracker_without_masks(results_dir, true_mask):
    path, _ = true_mask
    figures = evaluate([output(i, 4, mask_path=path) for i in range(4)],
                       results_dir=str(results_dir))
    assert 'sot/J' not in figures


def test_mask_of_another_size(results_dir, true_mask):
    path, mask = true_mask
    with pytest.raises(ValueError, match=f'{path}.*200x100.*100x100'):
        evaluate([output(0, 2, mask=mask[:, :100], mask_path=path)],
                 results_dir=str(results_dir))


def test_masks_are_saved_on_request(results_dir, true_mask):
    _, mask = true_mask
    samples = [output(i, 2, mask=mask) for i in range(2)]
    evaluate(samples, results_dir=str(results_dir))
    assert not (results_dir / 'seq').exists()
    evaluate(samples, results_dir=str(results_dir), save_masks=True)
    names = sorted(os.listdir(str(results_dir / 'seq')))
    assert names == ['00000001.png', '00000002.png']
    read = cv2.imread(str(results_dir / 'seq' / names[1]), 0)
    np.testing.assert_array_equal(read > 0, mask)


def test_frames_a_second(results_dir, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr(time, 'perf_counter', lambda: next(clock) / 10)
    # The first frame of each sequence (init) does not count.
    samples = [
        output(i, 3, track_time=9. if i == 0 else .05) for i in range(3)
    ] + [
        output(i, 2, track_time=9. if i == 0 else .1, video=1, name='b')
        for i in range(2)
    ]
    figures = evaluate(samples, results_dir=str(results_dir))
    assert figures['sot/fps'] == pytest.approx(3 / .2)
    assert figures['sot/fps_end_to_end'] == pytest.approx(10)


@pytest.mark.parametrize('equals', ['=', ' = '])  # formatted by yapf or not
def test_default_results_dir_is_in_the_runners_work_dir(tmp_path, equals):
    work_dir = tmp_path / 'it\'s a "dir"'
    hub = MessageHub.get_instance(f'with a work dir {equals}')
    config = Config(dict(work_dir=str(work_dir), model=dict(work_dir='no')))
    text = re.sub('^work_dir ?= ?', f'work_dir{equals}', config.pretty_text,
                  flags=re.MULTILINE)
    hub.update_info('cfg', text)
    evaluate([output(i, 2) for i in range(2)])
    assert (work_dir / 'results' / 'seq.txt').is_file()

    MessageHub.get_instance(f'without {equals}')
    with pytest.raises(ValueError, match='results_dir'):
        evaluate([output(0, 2)])


@pytest.mark.parametrize('path,name', [('OTB/Deer/img/0001.jpg', 'Deer'),
                                       ('vot/bag/color/1.jpg', 'bag'),
                                       ('GOT/val_1/00000001.jpg', 'val_1')])
def test_names_of_mmtracks_data_sets(results_dir, path, name):
    samples = [output(i, 2) for i in range(2)]
    for sample in samples:
        sample.set_metainfo(dict(img_path=path))
        del sample.sequence_name
    evaluate(samples, results_dir=str(results_dir))
    assert (results_dir / f'{name}.txt').is_file()


def test_object_of_a_mask_file(results_dir, tmp_path):
    numbers = np.zeros((100, 200), dtype=np.uint8)
    numbers[:, :100], numbers[:, 100:150] = 1, 2
    path = str(tmp_path / 'objects.png')
    cv2.imwrite(path, numbers)
    kwargs = dict(mask=numbers == 2, mask_path=path)
    samples = [output(i, 3, object_id=2, **kwargs) for i in range(3)]
    assert evaluate(samples, results_dir=str(results_dir))['sot/J'] == 1
    # Without a number, whatever is not 0 is the target.
    samples = [output(i, 3, object_id=None, **kwargs) for i in range(3)]
    figures = evaluate(samples, results_dir=str(results_dir))
    assert figures['sot/J'] == pytest.approx(1 / 3)


def test_files_only(results_dir):
    samples = [output(i, 3, truth=BOX if i == 0 else None, track_time=.5)
               for i in range(3)]
    figures = evaluate(samples, results_dir=str(results_dir),
                       format_only=True)
    assert set(figures) == {'sot/fps', 'sot/fps_end_to_end'}
    assert len((results_dir / 'seq.txt').read_text().splitlines()) == 3


def test_absent_frames_as_otb(results_dir):
    samples = [output(i, 4, truth=None if i == 2 else BOX) for i in range(4)]
    kwargs = dict(results_dir=str(results_dir))
    assert evaluate(samples, **kwargs)['sot/success'] == pytest.approx(20 / 21)
    figures = evaluate(samples, absent_frames='otb', **kwargs)
    assert figures['sot/success'] == pytest.approx(20 / 21 * 3 / 4)
    assert figures['sot/precision'] == 1


def test_attributes_are_written_and_printed(results_dir, monkeypatch):
    init_default_scope('mmtrack')
    printed = []
    monkeypatch.setattr(MMLogger, 'info',
                        lambda self, message: printed.append(message))
    evaluator = Evaluator(METRICS.build(
        dict(type='OPEMetric', results_dir=str(results_dir))))
    attributes = dict(a=['OCC', 'FM'], b=['FM'])
    evaluator.dataset_meta = dict(attributes=attributes)
    for video, name in enumerate('ab'):
        for i in range(2):
            evaluator.process([output(i, 2, video=video, name=name)], None)
    evaluator.evaluate(4)
    with open(str(results_dir / 'attributes.json')) as file:
        assert json.load(file) == attributes
    tables = [text for text in printed if 'attribute  ' in text]
    assert len(tables) == 1 and 'OCC' in tables[0]


def test_files_of_a_sequence_for_resuming(results_dir):
    mask = np.ones((100, 200), dtype=bool)
    metric = OPEMetric(results_dir=str(results_dir), save_masks=True)
    for i in range(3):
        metric.process(None, [output(i, 3, mask=mask if i else None,
                                     track_time=.1).to_dict()])
    results = list(metric.results)
    assert metric.has_files(results) and not metric.has_files([])
    for name in ('seq.txt', 'seq_score.txt', 'seq_time.txt',
                 'seq/00000003.png'):
        content = (results_dir / name).read_bytes()
        (results_dir / name).unlink()
        assert not metric.has_files(results)
        (results_dir / name).write_bytes(content)
    assert metric.has_files(results)
    metric.remove_files('another')
    assert metric.has_files(results)
    metric.remove_files('seq')
    assert not list(results_dir.iterdir())
    metric.remove_files('seq')  # there need not be anything
