"""Tests of PackSOTPair."""
import numpy as np
import torch
from mmdet.structures.mask import BitmapMasks
from mmengine.dataset import pseudo_collate
from mmtrack.datasets.transforms import PackTrackInputs
from mmtrack.models import TrackDataPreprocessor

from siamattn_mm.datasets.transforms import PackSOTPair


def make_pair(with_mask=True, label=1):
    """A finished pair of noise."""
    rng = np.random.default_rng(0)
    sizes = (127, 255)
    return dict(
        rng=rng,
        img=[rng.integers(0, 256, (s, s, 3), dtype=np.uint8) for s in sizes],
        gt_bboxes=[np.array([[1, 2, s / 2, 40.5]], np.float32)
                   for s in sizes],
        gt_bboxes_labels=[np.array([label]) for _ in sizes],
        gt_masks=[(rng.random((s, s)) > 0.5).astype(np.uint8)
                  if with_mask else None for s in sizes],
        img_path='a.jpg', search_img_path='b.jpg', source='video',
        sample_id=(1, 2, 3), flip=True)


def test_what_a_model_gets():
    packed = PackSOTPair().transform(make_pair())
    pair = make_pair()
    assert list(packed) == ['inputs', 'data_samples']
    for key, img in zip(('img', 'search_img'), pair['img']):
        tensor = packed['inputs'][key]
        assert tensor.dtype == torch.uint8
        assert tensor.shape == (1, 3) + img.shape[:2]
        assert np.array_equal(tensor[0].permute(1, 2, 0).numpy(), img)
    sample = packed['data_samples']
    for i, instances in enumerate(
            (sample.gt_instances, sample.search_gt_instances)):
        assert np.array_equal(instances.bboxes.numpy(), pair['gt_bboxes'][i])
        assert instances.bboxes.dtype == torch.float32
        assert instances.labels.tolist() == [1]
        assert instances.labels.dtype == torch.int64
        assert isinstance(instances.masks, BitmapMasks)
        assert np.array_equal(instances.masks.masks[0], pair['gt_masks'][i])
    assert sample.metainfo['search_img_path'] == 'b.jpg'
    assert sample.metainfo['sample_id'] == (1, 2, 3)


def test_without_a_mask():
    sample = PackSOTPair().transform(make_pair(False, 0))['data_samples']
    assert 'masks' not in sample.search_gt_instances
    assert 'masks' not in sample.gt_instances
    assert sample.search_gt_instances.labels.tolist() == [0]


def test_equals_mmtracks_packing():
    ours = PackSOTPair().transform(make_pair())
    pair = make_pair()
    pair['gt_masks'] = [
        BitmapMasks(mask[None], *mask.shape) for mask in pair['gt_masks']
    ]
    theirs = PackTrackInputs(
        ref_prefix='search', num_template_frames=1).transform(
            {key: pair[key] for key in pair
             if key.startswith(('img', 'gt')) and key != 'img_path'})
    for key, tensor in ours['inputs'].items():
        assert torch.equal(tensor, theirs['inputs'][key])
    for name in ('gt_instances', 'search_gt_instances'):
        a = getattr(ours['data_samples'], name)
        b = getattr(theirs['data_samples'], name)
        assert torch.equal(a.bboxes, b.bboxes)
        assert torch.equal(a.labels, b.labels)
        assert np.array_equal(a.masks.masks, b.masks.masks)


def test_mmtracks_preprocessor_takes_it():
    pack = PackSOTPair()
    batch = pseudo_collate(
        [pack.transform(make_pair()), pack.transform(make_pair(False))])
    data = TrackDataPreprocessor()(batch, training=True)
    assert data['inputs']['img'].shape == (2, 1, 3, 127, 127)
    assert data['inputs']['search_img'].shape == (2, 1, 3, 255, 255)
    assert 'masks' in data['data_samples'][0].search_gt_instances
    assert 'masks' not in data['data_samples'][1].search_gt_instances
