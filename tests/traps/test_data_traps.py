"""Traps in mmtrack's training data: each with its piece, and with ours."""
import gc
import json
import random

import numpy as np
import pytest
import torch
from mmdet.structures.mask import BitmapMasks
from mmtrack.registry import DATASETS, MODELS, TRANSFORMS

from siamattn_mm.benchmark.pair_datasets import build_datasets
from siamattn_mm.datasets.storage.mask_store import CocoMasks

MMTRACK_AND_OURS = pytest.mark.parametrize(
    'piece, holds', [('mmtrack', False), ('ours', True)])


@pytest.fixture
def dataset(video_root, piece):
    """A training data set with the piece's pipeline."""
    return build_datasets(video_root)[piece]


# -- 5: masks ----------------------------------------------------------------


@MMTRACK_AND_OURS
def test_masks_are_read(dataset, piece, holds):
    if piece == 'mmtrack':
        read = dataset.get_masks_from_video(0)
    else:
        source = dataset.sources['video']
        read = source.read(0).mask
    assert (read is not None) is holds
    samples = [dataset[i]['data_samples'] for i in range(6)]
    positive = [s.search_gt_instances for s in samples
                if s.search_gt_instances.labels[0]]
    assert positive
    assert all('masks' in instances for instances in positive) is holds


def crop_and_mask(piece, img, bbox, mask):
    """A training crop (template) and its mask."""
    x, y, w, h = bbox
    if piece == 'ours':
        results = TRANSFORMS.build(dict(type='SiamPairCrop')).transform(
            dict(
                rng=np.random.default_rng(0),
                img=[img, img],
                gt_bboxes=[np.array([bbox], np.float32)] * 2,
                gt_masks=[mask, mask]))
        return results['img'][0], results['gt_masks'][0]
    boxes = np.array([[x, y, x + w, y + h]], np.float32)
    results = TRANSFORMS.build(dict(type='CropLikeSiamFC')).transform(
        dict(
            img=img,
            gt_bboxes=boxes,
            gt_masks=BitmapMasks(mask[None], *mask.shape)))
    results = TRANSFORMS.build(dict(type='SeqShiftScaleAug')).transform(
        {key: [value, value] for key, value in results.items()})
    return results['img'][0], results['gt_masks'][0].masks[0]


@MMTRACK_AND_OURS
def test_mask_pixels_stay_on_their_image_pixels(piece, holds):
    bbox = (50, 40, 30, 24)
    mask = np.zeros((120, 160), np.uint8)
    mask[40:64, 50:80] = 1
    img = np.full((120, 160, 3), 60, np.uint8)
    img[mask > 0] = 250
    crop, moved = crop_and_mask(piece, img, bbox, mask)
    seen = crop[..., 0] > 155
    fits = moved.shape == seen.shape and bool((moved == seen).mean() > .99)
    assert fits is holds


# -- 6: frame_range and index ------------------------------------------------


def distances(source, count=150):
    rng = np.random.default_rng(0)
    rows = [source.draw_positive(rng) for _ in range(count)]
    # A pixel a frame: see the fixture.
    return {round(float(abs(a.bbox[0] - b.bbox[0]))) for a, b in rows}


def test_frame_range_of_a_data_set(video_root):
    sources = {
        str(frame_range): dict(
            type='SequenceFolderSource',
            data_root=video_root,
            frame_range=frame_range) for frame_range in (2, 6)
    }
    dataset = DATASETS.build(
        dict(type='SOTPairDataset', sources=sources, pipeline=[]))
    for name, source in dataset.sources.items():
        assert distances(source) == set(range(int(name) + 1))


def test_mmtracks_data_sets_have_no_frame_range(video_root):
    """Its range is that of the pipeline, whatever the data set is."""
    with pytest.raises(TypeError, match='frame_range'):
        DATASETS.build(
            dict(
                type='GOT10kDataset',
                data_root=video_root,
                pipeline=[],
                frame_range=2,
                test_mode=False))


def pair_at(dataset, place, seed):
    """The pair of a place; the seed is that of the global generators."""
    random.seed(seed)
    np.random.seed(seed)
    inputs = dataset[place]['inputs']
    return inputs['img'].tolist(), inputs['search_img'].tolist()


@MMTRACK_AND_OURS
def test_the_place_decides_the_pair(dataset, piece, holds):
    """And with it the sampler's seed, which decides the places."""
    one, again = (pair_at(dataset, 3, seed) for seed in (0, 1))
    assert (one == again) is holds
    # Not because all pairs were one.
    assert pair_at(dataset, 4, 0) != one or not holds


# -- 7: float ----------------------------------------------------------------


@MMTRACK_AND_OURS
def test_a_batch_is_bytes(dataset, piece, holds):
    inputs = dataset[0]['inputs']
    types = {value.dtype for value in inputs.values()}
    assert (types == {torch.uint8}) is holds


@pytest.mark.parametrize('preprocessor, holds',
                         [('TrackDataPreprocessor', False),
                          ('SOTDataPreprocessor', True)])
def test_test_frames_stay_bytes(preprocessor, holds):
    frame = torch.zeros(1, 3, 40, 60, dtype=torch.uint8)
    data = MODELS.build(dict(type=preprocessor))(
        dict(inputs=dict(img=[frame]), data_samples=None), False)
    assert (data['inputs']['img'].dtype == torch.uint8) is holds


# -- 8: memory ---------------------------------------------------------------


def coco_dataset(piece, folder, count):
    """Many annotated objects in ten images."""
    (folder / 'images').mkdir(parents=True)
    polygon = [10, 10, 50, 10, 50, 40]
    content = dict(
        images=[
            dict(id=i, file_name=f'{i}.jpg', width=100, height=80)
            for i in range(10)
        ],
        categories=[dict(id=1)],
        annotations=[
            dict(
                id=i + 1,
                image_id=i % 10,
                category_id=1,
                iscrowd=0,
                bbox=[10, 10, 40, 30],
                area=600,
                segmentation=[polygon]) for i in range(count)
        ])
    path = folder / 'instances.json'
    path.write_text(json.dumps(content))
    if piece == 'ours':
        return DATASETS.build(
            dict(type='CocoSource', data_root=str(folder)))
    return DATASETS.build(
        dict(
            type='SOTCocoDataset',
            data_root=str(folder),
            ann_file='instances.json',
            pipeline=[],
            test_mode=False))


def count_objects(root):
    """Python objects that an object holds on to, itself included."""
    seen, stack = {id(root): root}, [root]
    skipped = (type, type(gc), type(count_objects))
    while stack:
        for other in gc.get_referents(stack.pop()):
            if id(other) not in seen and not isinstance(other, skipped):
                seen[id(other)] = other
                stack.append(other)
    return len(seen)


@MMTRACK_AND_OURS
def test_no_object_for_each_annotation(tmp_path, piece, holds):
    """A worker that reads a Python object gets a page of its own."""
    few, many = (
        count_objects(coco_dataset(piece, tmp_path / str(count), count))
        for count in (100, 300))
    assert (many - few < 100) is holds


def test_no_object_for_each_polygon():
    few, many = (
        count_objects(CocoMasks([[[1., 1., 9., 1., 9., 9.]]] * count))
        for count in (100, 300))
    assert many == few
