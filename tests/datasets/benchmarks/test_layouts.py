"""The benchmarks' data sets: what they read, and what they refuse."""
import json
import os
import shutil

import cv2
import numpy as np
import pytest
from fake_layouts import benchmarks as layouts
from mmengine.registry import init_default_scope
from mmtrack.registry import DATASETS

from siamattn_mm.datasets import SequenceFolderError
from siamattn_mm.datasets.benchmarks import (
    LaSOTTestDataset,
    OTB100TestDataset,
    UAV123TestDataset,
    base,
)

BOXES = np.array(layouts.BOXES, dtype=np.float32)


@pytest.fixture(autouse=True)
def scope():
    """Configs without prefixes mean mmtrack's parts."""
    init_default_scope('mmtrack')


def build(name, root, **kwargs):
    """A benchmark's data set without a pipeline."""
    return DATASETS.build(
        dict(type=f'{name}TestDataset', data_root=str(root), pipeline=[],
             **kwargs))


def sequences_of(dataset):
    """By name."""
    found = [dataset.get_sequence(i) for i in range(dataset.num_videos)]
    return {sequence.name: sequence for sequence in found}


def files_exist(sequence):
    """Whether all images and masks of a sequence are there."""
    paths = sequence.frame_paths + [
        path for path in (sequence.mask_paths or []) if path is not None]
    return all(os.path.isfile(path) for path in paths)


def test_otb100(tmp_path):
    names = layouts.make_otb100(str(tmp_path))
    dataset = build('OTB100', tmp_path, sequences=names)
    found = sequences_of(dataset)
    assert sorted(found) == sorted(names)
    assert all(files_exist(sequence) for sequence in found.values())
    # Tabs; the two targets of one video; the second target of Human4.
    np.testing.assert_array_equal(found['Deer'].boxes, BOXES)
    np.testing.assert_array_equal(found['Human4'].boxes, BOXES)
    np.testing.assert_array_equal(found['Jogging-2'].boxes,
                                  np.array(layouts.OTHER_BOXES))
    assert found['Jogging-1'].frame_paths == found['Jogging-2'].frame_paths
    # Images 300 to 770, and all but the first five.
    david = found['David'].frame_paths
    assert len(david) == 471 and david[0].endswith('0300.jpg')
    assert found['Tiger1'].frame_path(0).endswith('0006.jpg')
    np.testing.assert_array_equal(found['Tiger1'].boxes[0], BOXES[5 % 4])
    assert dataset.metainfo['attributes'] == {
        'Deer': ['MB', 'FM'], 'Jogging-2': ['OCC', 'FM']}


def test_otb100_has_100_sequences():
    names = OTB100TestDataset.list_sequences(None)
    assert len(names) == len(set(names)) == 100
    assert {'Jogging-1', 'Skating2-2', 'Human4', 'Board'} < set(names)


def test_uav123(tmp_path):
    names = layouts.make_uav123(str(tmp_path))
    dataset = build('UAV123', tmp_path, sequences=names)
    found = sequences_of(dataset)
    assert [len(found[name]) for name in names] == [253, 109]
    assert all(files_exist(sequence) for sequence in found.values())
    assert found['uav6'].visible.sum() == 108 and not found['uav6'].visible[2]
    assert dataset.metainfo['attributes'] == {'uav6': ['SV', 'LR', 'CM']}


def test_uav123_has_123_sequences():
    ranges = UAV123TestDataset.FRAME_RANGES
    assert len(ranges) == 123
    assert len({folder for folder, _, _ in ranges.values()}) == 91
    assert ranges['uav1_3'] == ('uav1', 2473, 3469)
    assert sum(last - first + 1 for _, first, last in ranges.values()) == (
        112578)  # as the paper says


def test_tables_are_those_of_got10ks_toolkit():
    toolkit = pytest.importorskip('got10k.datasets')
    folder = os.path.dirname(toolkit.__file__)
    with open(os.path.join(folder, 'uav123.json')) as file:
        theirs = json.load(file)['UAV123']
    assert UAV123TestDataset.FRAME_RANGES == {
        name: (entry['folder_name'], entry['start_frame'],
               entry['end_frame']) for name, entry in theirs.items()}
    with open(os.path.join(folder, 'lasot.json')) as file:
        assert sorted(json.load(file)['test']) == sorted(
            LaSOTTestDataset.list_sequences(None))
    folders = {name.split('-')[0]
               for name in OTB100TestDataset.list_sequences(None)}
    assert folders == set(toolkit.OTB._OTB__tb100_seqs)


@pytest.mark.parametrize('flat', [False, True])
def test_lasot(tmp_path, flat):
    names = layouts.make_lasot(str(tmp_path))
    if flat:  # as in the archive of the test set alone
        for name in names:
            category = tmp_path / name.split('-')[0]
            (category / name).rename(tmp_path / name)
            category.rmdir()
    dataset = build('LaSOT', tmp_path, sequences=names)
    found = sequences_of(dataset)
    assert list(found) == names
    for sequence in found.values():
        assert files_exist(sequence)
        assert sequence.visible.tolist() == [True, False, False, True]
    assert dataset.metainfo['attributes'] == {'zebra-17': ['IV', 'ARC']}


def test_trackingnet(tmp_path):
    names = layouts.make_trackingnet(str(tmp_path))
    found = sequences_of(build('TrackingNet', tmp_path))
    assert sorted(found) == sorted(names)
    for sequence in found.values():
        assert len(sequence) == 12 and files_exist(sequence)
        assert sequence.frame_path(10).endswith('10.jpg')
        assert sequence.visible.tolist() == [True] + [False] * 11
        np.testing.assert_array_equal(sequence.boxes[0], BOXES[0])


def test_got10k(tmp_path):
    names = layouts.make_got10k(str(tmp_path))
    test = sequences_of(build('GOT10k', tmp_path))
    assert list(test) == names
    assert test[names[0]].visible.tolist() == [True, False, False, False]
    val = sequences_of(build('GOT10k', tmp_path, split='val'))
    assert len(val) == 2
    for sequence in val.values():
        assert files_exist(sequence)
        assert sequence.visible.tolist() == [True, True, False, True]
    with pytest.raises(ValueError, match='train'):
        build('GOT10k', tmp_path, split='train')


def test_nfs(tmp_path):
    names = layouts.make_nfs(str(tmp_path))
    found = sequences_of(build('NfS', tmp_path))
    assert sorted(found) == sorted(names)
    for sequence in found.values():
        assert files_exist(sequence)
        np.testing.assert_array_equal(sequence.boxes, BOXES)


@pytest.mark.parametrize('with_list', [True, False])
def test_vot(tmp_path, with_list):
    layouts.make_vot(str(tmp_path))
    if not with_list:
        (tmp_path / 'list.txt').unlink()
    found = sequences_of(build('VOT', tmp_path))
    assert list(found) == (['bag', 'ants1'] if with_list else
                           ['ants1', 'bag'])
    for sequence in found.values():
        assert files_exist(sequence)
        assert sequence.polygons.shape == (4, 8)
        np.testing.assert_array_equal(sequence.boxes, BOXES)


def test_davis(tmp_path):
    names = layouts.make_davis(str(tmp_path))
    dataset = build('DAVIS', tmp_path)
    found = sequences_of(dataset)
    assert list(found) == names
    assert all(files_exist(sequence) for sequence in found.values())
    assert [s.object_id for s in found.values()] == [1, 1, 2]
    infos = dataset.get_ann_infos_from_video(2)
    other = np.array(layouts.OTHER_BOXES)
    other[:, 2:] += other[:, :2]
    np.testing.assert_array_equal(infos['bboxes'], other)
    assert infos['visible'].all()
    frame = dataset[(2, 1)]
    assert frame['object_id'] == 2 and frame['sequence_name'] == 'dogs_2'
    assert frame['mask_path'].endswith('dogs/00001.png')


def test_davis_2016_has_one_object_a_video(tmp_path):
    layouts.make_davis(str(tmp_path))
    dataset = build('DAVIS', tmp_path, year=2016)
    found = sequences_of(dataset)
    assert list(found) == ['blackswan', 'dogs']
    # Both dogs: the rectangle around them.
    x, y, w, h = found['dogs'].boxes[0]
    assert (x, y, w, h) == (8, 4, 30, 14)
    with pytest.raises(ValueError, match='2015'):
        build('DAVIS', tmp_path, year=2015)


def test_davis_with_the_first_masks_only(tmp_path):
    layouts.make_davis(str(tmp_path))
    masks = tmp_path / 'Annotations' / '480p'
    for path in masks.glob('*/*.png'):
        if path.name != '00000.png':
            path.unlink()
    dataset = build('DAVIS', tmp_path)
    assert dataset.get_sequence(2).mask_path(1) is None
    visible = dataset.get_ann_infos_from_video(2)['visible']
    assert visible.tolist() == [True, False, False, False]


def test_youtube_vos(tmp_path):
    names = layouts.make_youtube_vos(str(tmp_path))
    found = sequences_of(build('YouTubeVOS', tmp_path))
    assert list(found) == names
    first, late = found.values()
    assert (len(first), len(late)) == (4, 2)
    assert late.frame_path(0).endswith('00010.jpg')
    assert late.mask_path(0).endswith('00010.png')
    assert late.mask_path(1) is None and first.mask_path(2) is None
    np.testing.assert_array_equal(late.boxes[0], layouts.OTHER_BOXES[2])
    assert files_exist(first) and files_exist(late)


def test_part_of_a_benchmark_is_said(tmp_path, monkeypatch):
    layouts.make_got10k(str(tmp_path))
    messages = []
    monkeypatch.setattr(base, 'print_log',
                        lambda message, **kwargs: messages.append(message))
    build('GOT10k', tmp_path, sequences='*1')
    assert not messages
    build('GOT10k', tmp_path)
    assert len(messages) == 1 and '2 of the 180 sequences' in messages[0]


def test_for_testing_only(tmp_path):
    with pytest.raises(ValueError, match='for testing only'):
        build('VOT', tmp_path, test_mode=False)


# Name of the data set, its maker, a file that is damaged.
TRUTHS = {
    'OTB100': (layouts.make_otb100, 'Deer/groundtruth_rect.txt',
               dict(sequences='Deer')),
    'UAV123': (layouts.make_uav123, 'anno/UAV123/uav6.txt',
               dict(sequences='uav6')),
    'LaSOT': (layouts.make_lasot, 'zebra/zebra-17/groundtruth.txt',
              dict(sequences='zebra-17')),
    'TrackingNet': (layouts.make_trackingnet, 'TEST/anno/x_1.txt', {}),
    'GOT10k': (layouts.make_got10k,
               'test/GOT-10k_Test_000002/groundtruth.txt', {}),
    'NfS': (layouts.make_nfs, 'ball/30/ball.txt', {}),
    'VOT': (layouts.make_vot, 'ants1/groundtruth.txt', {}),
}


@pytest.fixture(params=TRUTHS)
def truth(request, tmp_path):
    """A good ground truth file, and how to read its data set."""
    make, name, kwargs = TRUTHS[request.param]
    make(str(tmp_path))
    return tmp_path / name, lambda: build(request.param, tmp_path, **kwargs)


def test_missing_ground_truth(truth):
    path, read = truth
    path.unlink()
    if 'TEST' in str(path):  # TrackingNet lists these files
        shutil.rmtree(str(path.parent))
        path = path.parent
    with pytest.raises(SequenceFolderError, match=f'{path}'):
        read()


def test_empty_ground_truth(truth):
    path, read = truth
    path.write_text('\n')
    with pytest.raises(SequenceFolderError, match=f'{path}|groundtruth_rect'):
        read()


def test_bad_number(truth):
    path, read = truth
    lines = path.read_text().splitlines()
    lines[-1] = '1 2 three 4 5 6 7 8'
    path.write_text('\n'.join(lines))
    with pytest.raises(SequenceFolderError,
                       match=rf'{path}, line {len(lines)}: .*three'):
        read()


def test_lines_too_many_or_too_few(truth):
    path, read = truth
    lines = path.read_text().splitlines()
    frames = len(lines) if len(lines) not in (1, 32) else None
    for wrong in (lines * 5, lines[:2] if frames else lines * 2):
        path.write_text('\n'.join(wrong))
        with pytest.raises(SequenceFolderError,
                           match=rf'{path}, line \d+: .*frames'):
            read()


def test_no_image(truth):
    path, read = truth
    for folder, _, names in os.walk(str(path.parents[2])):
        for name in names:
            if name.endswith('.jpg'):
                os.unlink(os.path.join(folder, name))
    with pytest.raises(SequenceFolderError, match='no images|no such image'):
        read()


def test_missing_image_of_a_part(tmp_path):
    layouts.make_uav123(str(tmp_path))
    path = tmp_path / 'data_seq' / 'UAV123' / 'bird1' / '000200.jpg'
    path.unlink()
    with pytest.raises(SequenceFolderError, match=f'{path}: no such image'):
        build('UAV123', tmp_path, sequences='bird1_1')


@pytest.mark.parametrize('content,reason', [
    ('0,1,2,0', r"line 1: '2'; expected 0 or 1"),
    ('0,1,0', 'line 1: 3 flags in the file; expected 4'),
    ('', 'line 1: the file is empty'),
    (None, 'no such file'),
])
def test_flags_of_lasot(tmp_path, content, reason):
    layouts.make_lasot(str(tmp_path))
    path = tmp_path / 'zebra' / 'zebra-17' / 'out_of_view.txt'
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(SequenceFolderError, match=f'{path}.*{reason}'):
        build('LaSOT', tmp_path, sequences='zebra-17')


def test_attributes_of_another_number(tmp_path):
    layouts.make_otb100(str(tmp_path))
    path = tmp_path / 'anno' / 'att' / 'deer.txt'
    path.write_text('0,1\n')
    with pytest.raises(SequenceFolderError,
                       match=f'{path}, line 1: 2 flags.*11'):
        build('OTB100', tmp_path, sequences='Deer')


@pytest.mark.parametrize('content,reason', [
    ('8\n8\n9\n8\n', "line 3: '9'"), ('8\n8\n', 'line 2: the last line')])
def test_cover_of_got10k(tmp_path, content, reason):
    layouts.make_got10k(str(tmp_path))
    path = tmp_path / 'val' / 'GOT-10k_Val_000001' / 'cover.label'
    path.write_text(content)
    with pytest.raises(SequenceFolderError, match=f'{path}, {reason}'):
        build('GOT10k', tmp_path, split='val')


def test_sequence_twice_in_the_list(tmp_path):
    layouts.make_vot(str(tmp_path))
    path = tmp_path / 'list.txt'
    path.write_text('bag\nants1\nbag\n')
    with pytest.raises(SequenceFolderError, match=f'{path}, line 3: .*twice'):
        build('VOT', tmp_path)


def test_target_absent_in_the_first_frame(tmp_path):
    layouts.make_lasot(str(tmp_path))
    path = tmp_path / 'zebra' / 'zebra-17' / 'out_of_view.txt'
    path.write_text('1,0,0,0')
    with pytest.raises(SequenceFolderError, match='zebra-17.*first frame'):
        build('LaSOT', tmp_path, sequences='zebra-17')


def test_davis_without_a_mask(tmp_path):
    layouts.make_davis(str(tmp_path))
    folder = tmp_path / 'Annotations' / '480p' / 'dogs'
    (folder / '00002.png').unlink()
    with pytest.raises(SequenceFolderError, match=f'{folder}: no mask 00002'):
        build('DAVIS', tmp_path)


def test_first_mask_without_the_object(tmp_path):
    layouts.make_youtube_vos(str(tmp_path))
    path = tmp_path.joinpath('valid', 'Annotations', '003234408d',
                             '00010.png')
    cv2.imwrite(str(path), np.zeros((32, 48), np.uint8))
    with pytest.raises(SequenceFolderError, match=f'{path}: no object 2'):
        build('YouTubeVOS', tmp_path)
    path.write_bytes(b'no image')
    with pytest.raises(SequenceFolderError, match=f'{path}'):
        build('YouTubeVOS', tmp_path)


@pytest.mark.parametrize('content,reason', [
    ('{"videos":\n {"a": }}', r'line 2'),
    ('{"videos": {"a": {}}}', 'objects'),
    ('{"videos": {"a": {"objects": {"x": {"frames": ["0"]}}}}}', 'frames'),
    ('[]', 'not as expected'),
])
def test_meta_of_youtube_vos(tmp_path, content, reason):
    layouts.make_youtube_vos(str(tmp_path))
    path = tmp_path / 'valid' / 'meta.json'
    path.write_text(content)
    with pytest.raises(SequenceFolderError, match=f'{path}.*{reason}'):
        build('YouTubeVOS', tmp_path)
