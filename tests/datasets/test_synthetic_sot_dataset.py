"""Tests of the synthetic videos."""
import fake_layouts
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmengine.structures import InstanceData
from mmtrack.registry import DATASETS, MODELS

from siamattn_mm.datasets import SyntheticSOTDataset
from siamattn_mm.datasets.reading.image_reader import UnreadableFrameError
from siamattn_mm.datasets.synthetic_sequence import SyntheticSequence
from siamattn_mm.evaluation import region_similarity


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Objects of pure colours, photographs of grey noise."""
    return fake_layouts.make_synthetic(
        str(tmp_path_factory.mktemp('synthetic')))


@pytest.fixture
def loader_cfg(repository, root):
    """The config, on the fake copy."""
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets/synthetic_sot.py'))
    config.val_dataloader.dataset.update(
        data_root=root, num_sequences=3, length=12, canvas_size=(160, 120),
        target_size=(24, 40), min_cutout_size=16)
    return config.val_dataloader


def build(loader_cfg, **changes):
    """The data set."""
    with DefaultScope.overwrite_default_scope('mmtrack'):
        return DATASETS.build(dict(loader_cfg.dataset, **changes))


def test_a_packed_frame(loader_cfg):
    dataset = build(loader_cfg)
    assert isinstance(dataset, SyntheticSOTDataset)
    assert (len(dataset), dataset.num_videos) == (36, 3)
    packed = dataset[(1, 5)]
    assert packed['inputs']['img'].shape == (1, 3, 120, 160)
    sample = packed['data_samples']
    assert (sample.frame_id, sample.video_id, sample.video_length) == (
        5, 1, 12)
    assert sample.sequence_name == 'synthetic-0001'
    assert sample.img_path == 'synthetic-0001/00000006.jpg'
    assert sample.ori_shape == (120, 160) and sample.mask_path is None
    truth = dataset.get_sequence(1).truth(5)
    x, y, w, h = truth.bbox
    assert sample.gt_instances.bboxes.tolist() == [[x, y, x + w, y + h]]
    assert np.array_equal(sample.gt_instances.masks.masks[0], truth.mask)
    assert np.array_equal(dataset.get_bboxes_from_video(1)[5], truth.bbox)
    assert dataset.get_img_infos_from_video(1)['img_paths'][5] == (
        sample.img_path)


def test_frames_depend_on_seed_sequence_and_time_alone(loader_cfg):
    dataset, other = build(loader_cfg), build(loader_cfg, num_sequences=9)
    for index in ((2, 7), (0, 3), (2, 8), (2, 7)):
        frame = dataset[index]
        again = other[index]
        assert frame['inputs']['img'].equal(again['inputs']['img'])
    images = [build(loader_cfg, seed=seed)[(video, time)]['inputs']['img']
              for seed, video, time in ((0, 0, 0), (1, 0, 0), (0, 1, 0),
                                        (0, 0, 5))]
    for i in range(4):
        for j in range(i):
            assert not images[i].equal(images[j])


@pytest.mark.parametrize('num_workers', [0, 2])
def test_through_a_loader(loader_cfg, num_workers):
    loader_cfg.num_workers = num_workers
    with DefaultScope.overwrite_default_scope('mmtrack'):
        loader = Runner.build_dataloader(loader_cfg)
    reference, seen = build(loader_cfg), []
    for batch in loader:
        sample = batch['data_samples'][0]
        seen.append((sample.video_id, sample.frame_id))
        if sample.frame_id % 5 == 0:
            expected = reference[seen[-1]]['inputs']['img']
            assert batch['inputs']['img'][0].equal(expected)
    assert seen == [(v, f) for v in range(3) for f in range(12)]


def test_box_and_mask_are_what_is_seen(loader_cfg):
    dataset = build(loader_cfg, max_distractors=0, max_occluders=0,
                    num_sequences=8)
    for video in range(8):
        sequence = dataset.get_sequence(video)
        for time in range(0, 12, 3):
            frame = sequence.frame(time)
            # Photographs are grey.
            seen = np.ptp(frame.img.astype(int), axis=2) > 60
            inside = frame.mask.astype(bool)
            assert (seen & inside).sum() / (seen | inside).sum() > 0.75
            rows, columns = np.nonzero(inside)
            assert frame.bbox.tolist() == [
                columns.min(), rows.min(),
                np.ptp(columns) + 1, np.ptp(rows) + 1]


def test_targets_move_turn_and_change(loader_cfg):
    dataset = build(loader_cfg, num_sequences=6, length=60,
                    max_occluders=0, max_distractors=0)
    for video in range(6):
        boxes = dataset.get_bboxes_from_video(video)
        boxes = boxes[boxes[:, 2] > 0]
        assert len(boxes) > 30
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        steps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
        assert np.ptp(centres, axis=0).max() > 15
        assert np.median(steps) < 12
        assert np.ptp(boxes[:, 2] / boxes[:, 3]) > 0.02
        assert np.ptp(np.sqrt(boxes[:, 2:].prod(axis=1))) > 2
        images = [dataset.get_sequence(video).frame(t).img.mean()
                  for t in (0, 20, 40)]
        assert np.ptp(images) > 0.5


def test_occluders_hide_targets(loader_cfg):
    dataset = build(loader_cfg, num_sequences=12, length=60,
                    max_distractors=0, max_occluders=3)
    hidden, absent = 0, 0
    for video in range(12):
        sequence = dataset.get_sequence(video)
        assert not np.isnan(sequence.truth(0).bbox[0])
        for time in range(0, 60, 4):
            truth = sequence.truth(time)
            if np.isnan(truth.bbox[0]):
                absent += 1
                assert not truth.mask.any()
                sample = dataset[(video, time)]['data_samples']
                assert sample.instances[0]['visible'] is False
                assert sample.gt_instances.bboxes.tolist() == [[0] * 4]
                continue
            rows, columns = np.nonzero(truth.mask)
            x, y, w, h = truth.bbox
            # The box is that of the whole target.
            assert x <= columns.min() and columns.max() < x + w
            assert y <= rows.min() and rows.max() < y + h
            hidden += (columns.max() + 1 - columns.min(),
                       rows.max() + 1 - rows.min()) != (w, h)
    assert hidden > 5 and absent > 0


def test_a_sequence_without_readable_photograph(loader_cfg, tmp_path):
    root = fake_layouts.make_synthetic(str(tmp_path), photos=2)
    (tmp_path / 'photos' / '0.jpg').write_bytes(b'broken')
    dataset = build(loader_cfg, data_root=root, num_sequences=6)
    for video in range(6):  # whole ones are taken instead
        dataset[(video, 0)]
    (tmp_path / 'photos' / '1.jpg').write_bytes(b'broken')
    with pytest.raises(UnreadableFrameError, match='photos'):
        build(loader_cfg, data_root=root)[(0, 0)]


@pytest.mark.parametrize('change, message', [
    (dict(test_mode=False), 'test_mode=True'),
    (dict(num_sequences=0), 'num_sequences'), (dict(length=0), 'length')])
def test_bad_arguments(loader_cfg, change, message):
    with pytest.raises(ValueError, match=message):
        build(loader_cfg, **change)


def test_length_of_a_sequence(loader_cfg):
    sequence = build(loader_cfg).get_sequence(0)
    assert isinstance(sequence, SyntheticSequence) and len(sequence) == 12


@MODELS.register_module()
class CornerTracker(BaseModel):
    """Gives the first frame's box and mask in every frame."""

    def forward(self, inputs, data_samples=None, mode='predict'):
        sample = data_samples[0]
        assert inputs['img'][0].shape == (1, 3, 120, 160)
        if sample.frame_id == 0:
            self.box = sample.gt_instances.bboxes
            self.mask = torch.from_numpy(
                sample.gt_instances.masks.masks).bool()
        sample.pred_track_instances = InstanceData(
            bboxes=self.box, scores=torch.ones(1), masks=self.mask)
        return data_samples


def test_validation_in_a_runner(repository, root, loader_cfg, tmp_path):
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets/synthetic_sot.py'))
    loader_cfg.num_workers = 0
    config.update(
        model=dict(type='CornerTracker',
                   data_preprocessor=dict(type='TrackDataPreprocessor')),
        val_dataloader=loader_cfg, test_dataloader=None, test_cfg=None,
        test_evaluator=None,
        val_evaluator=[dict(type='OPEMetric'), dict(type='DAVISMetric')],
        work_dir=str(tmp_path),
        default_scope='mmtrack', log_level='ERROR',
        experiment_name='synthetic_val')
    scores = Runner.from_cfg(config).val()
    # A box that stays in place loses a target that moves, but not at once.
    assert 0.1 < scores['sot/success'] < 0.95
    # So does its mask; the first and the last frame do not count.
    dataset = build(loader_cfg)
    values = []
    for i in range(3):
        masks = [dataset.get_sequence(i).truth(t).mask for t in range(12)]
        values.append([region_similarity(masks[0], mask)
                       for mask in masks[1:-1] if mask.any()])
    assert scores['sot/J'] == pytest.approx(
        np.mean([np.mean(one) for one in values]))
    assert 0.1 < scores['sot/J'] < 0.95
    assert 0 < scores['davis/J_mean'] < 0.95
    assert (tmp_path / 'results' / 'synthetic-0002.txt').exists()
