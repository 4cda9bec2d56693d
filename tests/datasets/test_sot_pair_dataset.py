"""Tests of SOTPairDataset."""
import re

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmtrack.models import TrackDataPreprocessor
from mmtrack.registry import DATASETS
from torch.utils.data import DataLoader

from siamattn_mm.datasets import PairSampler, SOTPairDataset
from siamattn_mm.datasets.samplers.pair_sampler import SampleID

PIPELINE = [
    dict(type='SiamPairCrop', flip_prob=0.5),
    dict(type='PairColorJitter'),
    dict(type='PairGray', prob=0.2),
    dict(type='PairBlur'),
    dict(type='PackSOTPair')
]


@pytest.fixture
def sources(sequence_root, coco_root, synthetic_root):
    """Configs of one source of each kind."""
    return dict(
        video=dict(type='SequenceFolderSource', data_root=str(sequence_root),
                   pairs_per_epoch=20),
        coco=dict(type='CocoSource', data_root=str(coco_root),
                  pairs_per_epoch=8),
        synthetic=dict(type='SyntheticSource', data_root=str(synthetic_root),
                       cutouts=('one', 'two'), pairs_per_epoch=4))


def build(sources, **changes):
    """A data set with the usual pipeline."""
    return SOTPairDataset(
        **dict(dict(sources=sources, pipeline=PIPELINE), **changes))


def same(a, b):
    """Whether two packed samples are equal to the last bit."""
    x, y = a['data_samples'], b['data_samples']
    pairs = [(a['inputs'][key], b['inputs'][key]) for key in a['inputs']]
    for name in ('gt_instances', 'search_gt_instances'):
        i, j = getattr(x, name), getattr(y, name)
        pairs += [(i.bboxes, j.bboxes), (i.labels, j.labels)]
        if ('masks' in i) != ('masks' in j):
            return False
        if 'masks' in i:
            pairs.append((torch.from_numpy(i.masks.masks),
                          torch.from_numpy(j.masks.masks)))
    return (x.metainfo == y.metainfo
            and all(torch.equal(p, q) for p, q in pairs))


def load(sources, num_workers, epoch=0, seed=3):
    """All samples of an epoch, through a data loader."""
    dataset = build(sources)
    sampler = PairSampler(dataset, seed=seed)
    sampler.set_epoch(epoch)
    loader = DataLoader(dataset, batch_size=5, sampler=sampler,
                        num_workers=num_workers, collate_fn=list)
    return [sample for batch in loader for sample in batch]


def test_workers_epochs_and_seeds(sources):
    alone, workers = load(sources, 0), load(sources, 2)
    assert len(alone) == len(workers) == 32
    assert all(same(a, b) for a, b in zip(alone, workers))
    by_index = {s['data_samples'].sample_id[2]: s for s in alone}
    for other in (load(sources, 0, epoch=1), load(sources, 0, seed=4)):
        assert not any(
            same(s, by_index[s['data_samples'].sample_id[2]]) for s in other)


def test_a_sample_does_not_depend_on_what_was_made_before(sources):
    index = SampleID(7, 2, 13)
    expected = build(sources)[index]
    dataset = build(sources)
    for i in range(10):
        dataset[i]
    assert same(dataset[index], expected)
    assert same(build(sources, cache_mb=0)[index], expected)


def test_global_generators_are_left_alone(sources):
    dataset = build(sources)
    np.random.seed(0)
    torch.manual_seed(0)
    expected = (np.random.get_state()[1].copy(), torch.get_rng_state())
    for i in range(32):
        dataset[i]
    assert np.array_equal(np.random.get_state()[1], expected[0])
    assert torch.equal(torch.get_rng_state(), expected[1])


def test_numbers_count_on_into_the_next_epochs(sources):
    dataset = build(sources, seed=5)
    assert same(dataset[3], dataset[SampleID(5, 0, 3)])
    assert same(dataset[32 * 2 + 3], dataset[SampleID(5, 2, 3)])


def test_each_source_has_its_pairs(sources):
    dataset = build(sources)
    names = [dataset[i]['data_samples'].source for i in range(len(dataset))]
    assert names == ['video'] * 20 + ['coco'] * 8 + ['synthetic'] * 4
    assert names == [dataset.source_of(i) for i in range(len(dataset))]


def test_sources_are_left_out(sources):
    sources['coco'] = None
    sources['synthetic']['pairs_per_epoch'] = 0
    dataset = build(sources)
    assert list(dataset.sources) == ['video'] and len(dataset) == 20


def test_shapes_and_types(sources):
    for i in range(32):
        sample = build(sources)[i]
        inputs, data_sample = sample['inputs'], sample['data_samples']
        for key, instances, size in (
                ('img', data_sample.gt_instances, 127),
                ('search_img', data_sample.search_gt_instances, 255)):
            assert inputs[key].shape == (1, 3, size, size)
            assert inputs[key].dtype == torch.uint8
            assert instances.bboxes.shape == (1, 4)
            assert instances.bboxes.dtype == torch.float32
            assert instances.labels.shape == (1, )
            x1, y1, x2, y2 = instances.bboxes[0].tolist()
            assert -0.5 <= x1 < x2 <= size - 0.5
            assert -0.5 <= y1 < y2 <= size - 0.5
            if 'masks' in instances:
                assert instances.masks.masks.shape == (1, size, size)
                assert instances.masks.masks.dtype == np.uint8
                assert instances.masks.masks.any()


def test_masks_where_there_are_any(sources):
    dataset = build(sources, neg_prob=0)
    for epoch in range(3):
        for i in range(len(dataset)):
            sample = dataset[SampleID(0, epoch, i)]['data_samples']
            path = sample.search_img_path
            box_only = '/c/' in path or path.endswith('images/1.png')
            assert ('masks' in sample.search_gt_instances) != box_only
            assert ('masks' in sample.gt_instances) != box_only


def test_negative_pairs(sources):
    labels, across = [], 0
    dataset = build(sources, neg_prob=0.3)
    for epoch in range(10):
        for i in range(len(dataset)):
            sample = dataset[SampleID(0, epoch, i)]['data_samples']
            search = sample.search_gt_instances
            labels.append(int(search.labels[0]))
            assert sample.gt_instances.labels.tolist() == [labels[-1]]
            if labels[-1] == 0:
                assert 'masks' not in search
                assert 'masks' not in sample.gt_instances
                roots = [sample.img_path.split('/')[-4:-2],
                         sample.search_img_path.split('/')[-4:-2]]
                across += roots[0] != roots[1]
    assert np.mean(labels) == pytest.approx(0.7, abs=0.08)
    assert across > 10


def test_hard_negatives_come_from_one_source(sources):
    dataset = build(sources, neg_prob=1, hard_neg_prob=1)
    for i in range(20):
        sample = dataset[i]['data_samples']
        assert '/video/' in sample.img_path
        assert '/video/' in sample.search_img_path


def test_no_hard_negatives_where_objects_repeat(sources):
    sources['video']['distinct_objects'] = False
    dataset = build(sources, neg_prob=1, hard_neg_prob=1)
    for i in range(20):
        sample = dataset[i]['data_samples']
        assert '/video/' in sample.img_path
        assert '/video/' not in sample.search_img_path


def test_negatives_need_two_objects(sources):
    video = dict(video=dict(sources['video'], distinct_objects=False))
    with pytest.raises(ValueError, match='second source.*video'):
        build(video)
    build(video, neg_prob=0)


def break_frames(root, numbers):
    """Overwrite images of sequence a with something else."""
    for number in numbers:
        (root / 'a' / 'img' / f'{number:08d}.png').write_bytes(b'broken')


def test_unreadable_frames_are_replaced(sources, sequence_root, caplog):
    video = dict(video=sources['video'])
    whole = build(video, neg_prob=0)
    broken = str(sequence_root / 'a' / 'img' / '00000003.png')
    expected = [whole[i] for i in range(20)]
    break_frames(sequence_root, [3])
    with caplog.at_level('WARNING'):
        found = [build(video, neg_prob=0, max_unreadable=1)[i]
                 for i in range(20)]
    again = [build(video, neg_prob=0, max_unreadable=1)[i] for i in range(20)]
    replaced = 0
    for a, b, c in zip(expected, found, again):
        assert same(b, c)
        meta = a['data_samples'].metainfo
        if broken in (meta['img_path'], meta['search_img_path']):
            replaced += 1
            assert broken not in (b['data_samples'].img_path,
                                  b['data_samples'].search_img_path)
        else:
            assert same(a, b)
    assert replaced > 0


def test_unreadable_frames_are_reported_once(sources, sequence_root, capsys):
    dataset = build(dict(video=sources['video']), max_unreadable=1)
    break_frames(sequence_root, [3])
    reports = []
    dataset_print = 'siamattn_mm.datasets.sot_pair_dataset.print_log'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset_print, lambda msg, **_: reports.append(msg))
        for i in range(100):
            dataset[i]
    assert len(reports) == 1
    assert 'video' in reports[0] and '00000003.png' in reports[0]


def test_too_many_unreadable_frames_stop(sources, sequence_root):
    dataset = build(dict(video=sources['video']))
    break_frames(sequence_root, range(1, 13))
    with pytest.raises(RuntimeError, match='max_unreadable=0.1') as caught:
        for i in range(200):
            dataset[i]
    assert 'video' in str(caught.value) and '.png' in str(caught.value)


def test_a_source_without_readable_frames_stops(sources, sequence_root):
    dataset = build(dict(video=sources['video']), max_unreadable=0.5)
    for path in sequence_root.glob('*/img/*.png'):
        path.unlink()
    with pytest.raises(RuntimeError, match='50 of 50 draws'):
        dataset[0]


def test_replaced_by_any_number_of_workers(sources, sequence_root):
    break_frames(sequence_root, [3, 4])
    alone, workers = (
        [s for batch in DataLoader(
            build(sources, max_unreadable=1), batch_size=5,
            sampler=PairSampler(build(sources), seed=3),
            num_workers=n, collate_fn=list) for s in batch] for n in (0, 2))
    assert len(alone) == 32
    assert all(same(a, b) for a, b in zip(alone, workers))


@pytest.mark.parametrize('num_workers', [0, 2])
def test_reported_and_stopped_in_workers(sources, sequence_root, tmp_path,
                                         monkeypatch, num_workers):

    def report(message, **_):
        with open(tmp_path / 'reports', 'a', encoding='utf-8') as file:
            file.write(message + '\n')

    monkeypatch.setattr('siamattn_mm.datasets.sot_pair_dataset.print_log',
                        report)
    video = dict(video=dict(sources['video'], pairs_per_epoch=400))
    dataset = build(video)
    break_frames(sequence_root, range(1, 13))
    loader = DataLoader(dataset, batch_size=5, num_workers=num_workers,
                        collate_fn=list,
                        sampler=PairSampler(dataset, seed=0))
    with pytest.raises(RuntimeError, match='draws from source video.*'
                                           'max_unreadable=0.1'):
        for _ in loader:
            pass
    folder = sequence_root / 'a' / 'img'
    assert re.search(rf'source video: cannot read {folder}/000000\d\d\.png: '
                     'not an image; another pair',
                     (tmp_path / 'reports').read_text())


def test_failures_count_for_the_source_that_they_are_in(sources,
                                                        sequence_root):
    sources['video']['pairs_per_epoch'] = 1
    sources['coco']['pairs_per_epoch'] = 400
    del sources['synthetic']
    # Half of the negative pairs need a frame of the broken source.
    dataset = build(sources, neg_prob=0.5)
    for path in sequence_root.glob('*/img/*.png'):
        path.write_bytes(b'broken')
    with pytest.raises(RuntimeError, match='draws from source video'):
        for i in range(1, 401):
            dataset[i]


def test_nothing_readable_is_no_endless_loop(sources, sequence_root,
                                             monkeypatch):
    monkeypatch.setattr(
        'siamattn_mm.datasets.sot_pair_dataset._MAX_ATTEMPTS', 60)
    dataset = build(dict(video=sources['video']), max_unreadable=1)
    for path in sequence_root.glob('*/img/*.png'):
        path.write_bytes(b'broken')
    with pytest.raises(RuntimeError, match='60 pairs of source video in a '
                                           'row.*not an image'):
        dataset[0]


def test_pairs_of_an_epoch_are_shared_out(sources):
    dataset = build(sources, pairs_per_epoch=1000)
    names = [dataset.source_of(i) for i in range(len(dataset))]
    # 20, 8 and 4 of 32.
    assert [names.count(n) for n in sources] == [625, 250, 125]
    # Some places less, the same share.
    few = build(sources, pairs_per_epoch=16)
    assert [few.source_of(i) for i in range(len(few))].count('video') == 10
    with pytest.raises(ValueError, match='pairs_per_epoch'):
        build(sources, pairs_per_epoch=0)


def test_missing_data_says_what_to_set(sources):
    sources['coco']['data_root'] = 'nowhere'
    with pytest.raises(FileNotFoundError) as caught:
        build(sources)
    assert 'nowhere' in str(caught.value)
    assert 'train_dataloader.dataset.sources.coco.data_root' in str(
        caught.value)


@pytest.mark.parametrize('change, error, message', [
    (dict(sources=[]), TypeError, 'sources must be a dict'),
    (dict(sources=dict(a=None)), ValueError, 'no source'),
    (dict(sources=dict(a=3)), TypeError, 'source a is a int'),
    (dict(neg_prob=1.5), ValueError, 'neg_prob'),
    (dict(max_unreadable=-1), ValueError, 'max_unreadable'),
])
def test_bad_arguments(sources, change, error, message):
    with pytest.raises(error, match=message):
        build(**dict(dict(sources=sources), **change))


def test_registered_and_taken_by_mmtracks_preprocessor(sources):
    dataset = DATASETS.build(
        dict(type='SOTPairDataset', sources=sources, pipeline=PIPELINE))
    batch = pseudo_collate([dataset[i] for i in (0, 21, 31)])
    data = TrackDataPreprocessor()(batch, training=True)
    assert data['inputs']['search_img'].shape == (3, 1, 3, 255, 255)
    assert 'synthetic: SyntheticSource' in repr(dataset)


class _Recorder(BaseModel):
    """A model that notes which samples it got."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen = []

    def forward(self, inputs, data_samples, mode='loss'):
        self.seen += [sample.sample_id for sample in data_samples]
        return dict(loss=self.weight.sum())


def train(sources, work_dir, loop, sampler):
    """Run a real training loop, and return the samples that it used."""
    model = _Recorder()
    Runner(
        model=model, work_dir=str(work_dir), default_scope='mmtrack',
        train_dataloader=dict(
            batch_size=8, num_workers=1, persistent_workers=True,
            sampler=dict(type=sampler),
            dataset=dict(type='SOTPairDataset', sources=sources,
                         pipeline=PIPELINE)),
        train_cfg=loop,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=None),
        randomness=dict(seed=11), log_level='ERROR',
        experiment_name=f'{work_dir.name}_{sampler}').train()
    return model.seen


def test_mmengines_loops_tell_seed_and_epoch(sources, tmp_path):
    seen = train(sources, tmp_path / 'by_epoch',
                 dict(type='EpochBasedTrainLoop', max_epochs=2), 'PairSampler')
    assert len(seen) == 64
    assert [epoch for _, epoch, _ in seen] == [0] * 32 + [1] * 32
    assert {seed for seed, _, _ in seen} == {11}
    assert [place for _, _, place in seen[:32]] != [
        place for _, _, place in seen[32:]]
    by_iter = train(sources, tmp_path / 'by_iter',
                    dict(type='IterBasedTrainLoop', max_iters=8),
                    'InfinitePairSampler')
    assert by_iter == seen
