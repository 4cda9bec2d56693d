"""The folder data set, through mmtrack's sampler and a real data loader."""
import os
import sys

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmtrack.registry import DATASETS

from siamattn_mm.datasets import SequenceFolderError, SOTFolderDataset

POLYGON = '10,0,20,10,10,20,0,10'


@pytest.fixture(scope='module')
def config(repository):
    """The data set's base config."""
    path = repository / 'configs' / '_base_' / 'datasets' / 'sot_folder.py'
    return Config.fromfile(str(path))


@pytest.fixture(autouse=True)
def scope():
    """Configs without prefixes mean mmtrack's parts."""
    init_default_scope('mmtrack')


@pytest.fixture
def root(tmp_path):
    """Three sequences: boxes with absence and masks, polygons, grey."""
    lines = dict(
        boxes=['1,2,3,4', 'nan,nan,nan,nan', '5,6,3,4'],
        polygons=[POLYGON, POLYGON],
        zgrey=['1.25,2,3,4'] * 2)
    for name, truth in lines.items():
        (tmp_path / name / 'img').mkdir(parents=True)
        (tmp_path / name / 'groundtruth.txt').write_text('\n'.join(truth))
        shape = (16, 24) if name == 'zgrey' else (16, 24, 3)
        for i in range(len(truth)):
            image = np.full(shape, 50 + 10 * i, np.uint8)
            cv2.imwrite(str(tmp_path / name / 'img' / f'{i}.png'), image)
    (tmp_path / 'boxes' / 'masks').mkdir()
    for i in range(3):
        cv2.imwrite(
            str(tmp_path / 'boxes' / 'masks' / f'{i}.png'),
            np.zeros((16, 24), np.uint8))
    return tmp_path


def build(config, root, **kwargs):
    """Build the config's data set on another folder."""
    return DATASETS.build(
        dict(config.test_dataloader.dataset, data_root=str(root), **kwargs))


def test_frame_of_boxes(config, root):
    dataset = build(config, root)
    assert isinstance(dataset, SOTFolderDataset)
    assert (len(dataset), dataset.num_videos) == (7, 3)
    packed = dataset[(0, 2)]
    image = packed['inputs']['img']
    assert image.shape == (1, 3, 16, 24) and image.dtype == torch.uint8
    assert (image == 70).all()
    sample = packed['data_samples']
    assert sample.sequence_name == 'boxes'
    assert (sample.frame_id, sample.video_id, sample.video_length) == (2, 0, 3)
    assert sample.img_path == str(root / 'boxes' / 'img' / '2.png')
    assert sample.mask_path == str(root / 'boxes' / 'masks' / '2.png')
    assert sample.ori_shape == (16, 24)
    assert sample.gt_instances.bboxes.tolist() == [[5, 6, 8, 10]]
    assert sample.instances[0]['bbox'].tolist() == [5, 6, 8, 10]
    assert sample.instances[0]['visible'] is True


def test_absent_target_is_zeros_and_not_visible(config, root):
    sample = build(config, root)[(0, 1)]['data_samples']
    assert sample.gt_instances.bboxes.tolist() == [[0, 0, 0, 0]]
    assert sample.instances[0]['visible'] is False


def test_polygon_reaches_the_model_and_mmtrack_reads_it(config, root):
    from mmtrack.structures.bbox import quad2bbox_cxcywh
    sample = build(config, root)[(1, 0)]['data_samples']
    assert sample.gt_instances.bboxes.tolist() == [[
        float(number) for number in POLYGON.split(',')
    ]]
    assert sample.mask_path is None
    box = quad2bbox_cxcywh(sample.gt_instances.bboxes)
    assert box[:2].tolist() == [10, 10]


def test_grey_image_has_three_equal_channels(config, root):
    image = build(config, root)[(2, 1)]['inputs']['img']
    assert image.shape == (1, 3, 16, 24)
    assert (image == 60).all()


@pytest.mark.parametrize('num_workers', [0, 2])
def test_loader_gives_all_frames_in_order(config, root, num_workers):
    loader_cfg = dict(config.test_dataloader, num_workers=num_workers)
    loader_cfg['dataset'] = dict(loader_cfg['dataset'], data_root=str(root))
    seen = []
    for batch in Runner.build_dataloader(loader_cfg):
        sample = batch['data_samples'][0]
        assert batch['inputs']['img'][0].shape == (1, 3, 16, 24)
        seen.append((sample.sequence_name, sample.frame_id))
    assert seen == [('boxes', 0), ('boxes', 1), ('boxes', 2), ('polygons', 0),
                    ('polygons', 1), ('zgrey', 0), ('zgrey', 1)]


def test_chosen_sequences(config, root):
    dataset = build(config, root, sequences=['z*', 'polygons'])
    names = [dataset.get_sequence(i).name for i in range(dataset.num_videos)]
    assert names == ['polygons', 'zgrey']


def test_target_absent_in_the_first_frame(config, root):
    path = root / 'boxes' / 'groundtruth.txt'
    path.write_text('nan,nan,nan,nan\n1,2,3,4\n1,2,3,4\n')
    with pytest.raises(SequenceFolderError, match='boxes.*first frame'):
        build(config, root)
    assert len(build(config, root, test_mode=False)) == 3


@pytest.mark.parametrize('content,reason', [
    (b'', 'not a readable image'),
    (b'no image', 'not a readable image'),
    (None, 'No such file'),
])
def test_unreadable_frame_is_named(config, root, content, reason):
    dataset = build(config, root)
    path = root / 'boxes' / 'img' / '1.png'
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(SequenceFolderError, match=f'{path}: .*{reason}'):
        dataset[(0, 1)]


def test_a_frame_of_another_size_is_named(config, tmp_path):
    folder = tmp_path / 'data' / 'a'
    (folder / 'img').mkdir(parents=True)
    (folder / 'groundtruth.txt').write_text('1,2,3,4\n' * 3)
    for i, size in enumerate([(20, 30), (20, 30), (40, 60)]):
        cv2.imwrite(str(folder / 'img' / f'{i}.png'),
                    np.zeros((*size, 3), np.uint8))
    dataset = build(config, tmp_path / 'data')
    dataset[(0, 1)]
    with pytest.raises(SequenceFolderError) as error:
        dataset[(0, 2)]
    assert str(error.value).startswith(
        f'{folder}/img/2.png: the frame is 60x40, but the first one, '
        'img/0.png, is 30x20')


def test_other_errors_of_the_pipeline_stay_what_they_are(config, root):

    def transform(results):
        raise KeyError('a bug')

    dataset = build(config, root, pipeline=[transform])
    with pytest.raises(KeyError, match='a bug'):
        dataset[(0, 1)]


def test_mmtracks_training_interface(config, root):
    dataset = build(config, root, test_mode=False, bbox_min_size=3)
    infos = dataset.get_ann_infos_from_video(0)
    assert infos['bboxes'].tolist() == [[1, 2, 4, 6], [0] * 4, [5, 6, 8, 10]]
    assert infos['visible'].tolist() == [False] * 3
    assert dataset.get_ann_infos_from_video(1)['bboxes'].shape == (2, 4)
    images = dataset.get_img_infos_from_video(2)
    assert images['video_length'] == 2
    assert images['img_paths'][1] == str(root / 'zgrey' / 'img' / '1.png')


def test_first_and_absent_frames_of_real_sequences(config, sequences):
    dataset = build(config, sequences, sequences=['tld-*', 'bag', 'davis-dog'])
    assert dataset.num_videos == 3
    bag, dog, pedestrian = (dataset[(i, 0)]['data_samples'] for i in range(3))
    assert bag.gt_instances.bboxes.shape == (1, 8)
    assert dog.mask_path.endswith('davis-dog/masks/00000001.png')
    x, y, w, h = 154, 102, 24, 52
    assert pedestrian.gt_instances.bboxes.tolist() == [[x, y, x + w, y + h]]
    assert dataset[(2, 52)]['data_samples'].instances[0]['visible'] is False


@pytest.fixture
def thermal(tmp_path):
    """A sequence of 16 bits in a narrow range."""
    folder = tmp_path / 'thermal' / 'hot'
    folder.mkdir(parents=True)
    for index in range(3):
        values = np.linspace(7000, 8275, 16 * 24).reshape(16, 24) + 50 * index
        cv2.imwrite(str(folder / f'{index}.png'), values.astype(np.uint16))
    (folder / 'groundtruth.txt').write_text('1,2,3,4\n' * 3)
    return tmp_path / 'thermal'


def test_16_bits_have_one_stretch_a_sequence(config, thermal):
    dataset = build(config, thermal)
    first, last = (dataset[(0, i)]['inputs']['img'].int() for i in (0, 2))
    assert len(first.unique()) > 150
    # 100 warmer everywhere, as far as there is room.
    step = (last - first)[first < 230]
    assert step.min() >= 15 and step.max() <= 18
    # A worker may begin with another frame.
    assert (build(config, thermal)[(0, 2)]['inputs']['img'] == last).all()


def test_16_bits_with_a_given_range(config, thermal):
    image = build(config, thermal, value_range=[7000, 9550])[
        (0, 0)]['inputs']['img']
    assert (image.min(), image.max()) == (0, 128)
    with pytest.raises(ValueError, match='value_range must be two'):
        build(config, thermal, value_range=[9, 7])


def test_16_bits_in_a_pipeline_that_would_lose_them(config, thermal):
    pipeline = [dict(type='LoadImageFromFile'),
                *config.test_dataloader.dataset.pipeline[1:]]
    with pytest.raises(SequenceFolderError, match='0.png: uint16.*LoadFrame'):
        build(config, thermal, pipeline=pipeline)[(0, 0)]


def test_images_of_other_kinds(config, tmp_path):
    folder = tmp_path / 'kinds' / 'one'
    folder.mkdir(parents=True)
    image = np.full((16, 24, 3), 90, np.uint8)
    for name in ('1.jpg', '2.bmp', '3.tif', '4.webp', '5.JPEG', '6.tiff'):
        (folder / name).write_bytes(
            cv2.imencode(os.path.splitext(name)[1].lower(), image)[1])
    (folder / 'groundtruth.txt').write_text('1,2,3,4\n' * 6)
    dataset = build(config, tmp_path / 'kinds')
    for index in range(6):
        loaded = dataset[(0, index)]['inputs']['img']
        assert (loaded.int() - 90).abs().max() <= 2


@pytest.mark.skipif(sys.platform != 'linux', reason='names are UTF-8 there')
def test_names_of_any_bytes(config, tmp_path):
    root = os.fsencode(str(tmp_path)) + b'/\xff'
    os.makedirs(root + b'/\xe4')
    for index in range(2):
        with open(root + b'/\xe4/\xfc%d.png' % index, 'wb') as file:
            file.write(
                cv2.imencode('.png', np.full((16, 24), 9, np.uint8))[1])
    with open(root + b'/\xe4/groundtruth.txt', 'w') as file:
        file.write('1,2,3,4\n' * 2)
    dataset = build(config, os.fsdecode(root))
    assert (dataset[(0, 1)]['inputs']['img'] == 9).all()
