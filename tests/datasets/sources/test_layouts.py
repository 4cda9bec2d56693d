"""Every data set's config, built on a fake copy in its real layout."""
import os
import os.path as osp
import shutil

import fake_layouts
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmtrack.registry import DATASETS

from siamattn_mm.datasets.reading.image_reader import UnreadableFrameError

WITH_MASKS = ('coco', 'youtube_vos', 'coco_json')
# Tracks and usable annotated frames of each fake copy.
SIZES = dict(
    # Two polygons, two run-length codes, and not the crowd.
    coco=(5, 5), coco_json=(5, 5),
    # Three objects in one video, 6 + 4 + 3 frames, and one in another.
    youtube_vos=(4, 19),
    # Not the test sequence; hidden and absent frames left out.
    lasot=(2, 12),
    trackingnet=(3, 18),
    # Not the sequence that is not in the list.
    got10k=(2, 10),
    imagenet_vid=(3, 16), imagenet_det=(3, 3),
    # Three segments of 5 frames, one of them absent in each.
    youtube_bb=(3, 12),
    folder=(2, 11))


@pytest.fixture(scope='module')
def roots(tmp_path_factory):
    """All fake copies."""
    return fake_layouts.make_all(tmp_path_factory.mktemp('data'))


def build(repository, name, root, **changes):
    """The source of a data set's config, on another folder."""
    config = Config.fromfile(
        str(repository / 'configs/_base_/datasets' / f'{name}.py'))
    assert f'{name}_root' in config
    with DefaultScope.overwrite_default_scope('mmtrack'):
        return DATASETS.build(
            dict(config[f'{name}_source'], data_root=root, **changes))


def pixels_like(frame):
    """Where the picture has the colour of the box's middle."""
    x, y, w, h = frame.bbox
    color = frame.img[int(y + h / 4), int(x + w / 4)].astype(int)
    assert np.ptp(color) > 120, 'the box is not on an object'
    return np.abs(frame.img.astype(int) - color).max(axis=2) < 60


def check(frame, with_mask):
    """The box lies where the object was drawn, and so does the mask."""
    drawn = pixels_like(frame)
    rows, columns = np.nonzero(drawn)
    x, y, w, h = frame.bbox
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert np.abs(np.subtract((x, y, x + w, y + h), edges)).max() <= 1
    assert (frame.mask is not None) == with_mask
    if with_mask:
        assert frame.mask.dtype == np.uint8 and frame.mask.max() == 1
        wrong = (frame.mask > 0) != drawn
        assert wrong.sum() <= 0.05 * frame.mask.sum()


@pytest.mark.parametrize('name', list(SIZES))
def test_every_row_is_where_it_was_drawn(repository, roots, name):
    source = build(repository, name, roots[name])
    assert (len(source), source.table.num_rows) == SIZES[name]
    for row in range(source.table.num_rows):
        frame = source.read(row)
        check(frame, with_mask=name in WITH_MASKS
              or 'with_masks' in frame.img_path)


@pytest.mark.parametrize('name', list(SIZES))
def test_positive_pairs_show_one_object(repository, roots, name):
    source = build(repository, name, roots[name])
    for seed in range(8):
        template, search = source.draw_positive(np.random.default_rng(seed))
        colors = [frame.img[int(y + h / 4), int(x + w / 4)]
                  for frame in (template, search)
                  for x, y, w, h in [frame.bbox]]
        assert np.abs(np.subtract(*colors, dtype=int)).max() < 40
        assert osp.dirname(template.img_path) == osp.dirname(search.img_path)


def test_synthetic_pairs(repository, roots):
    source = build(repository, 'synthetic', roots['synthetic'],
                   min_cutout_size=16, occluder_prob=0, max_distractors=0)
    assert len(source) == 10 and source.blur_prob > 0
    for seed in range(10):
        for frame in source.draw_positive(np.random.default_rng(seed)):
            # Photographs are grey; an object may lie over the border.
            drawn = np.ptp(frame.img.astype(int), axis=2) > 60
            inside = frame.mask > 0
            assert (drawn & inside).sum() / (drawn | inside).sum() > 0.7


def test_frame_ranges_are_those_of_the_specification(repository, roots):
    expected = dict(youtube_vos=20, lasot=300, trackingnet=100, got10k=30,
                    imagenet_vid=100, youtube_bb=3, coco=0, imagenet_det=0)
    for name, frame_range in expected.items():
        source = build(repository, name, roots[name])
        assert source.frame_range == frame_range, name


def test_youtube_vos_counts_the_frames_that_it_has(repository, roots):
    source = build(repository, 'youtube_vos', roots['youtube_vos'],
                   frame_range=1)
    # 00000.jpg and 00005.jpg are neighbours.
    assert source.table.frame_ids[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert source.table.rows_near(0, 1) == (0, 2)


def test_youtube_bb_counts_seconds(repository, roots):
    source = build(repository, 'youtube_bb', roots['youtube_bb'])
    assert source.table.frame_ids[:4].tolist() == [238, 239, 241, 242]
    assert source.read(0).img_path.endswith(
        'yt_bb_detection_train/0/AAB6lO-XiKE_238000_0_0.jpg')


def test_youtube_bb_images_with_other_names(repository, tmp_path):
    root = fake_layouts.make_youtube_bb(str(tmp_path))
    os.rename(osp.join(root, 'yt_bb_detection_train/0'),
              osp.join(root, '100%'))
    source = build(
        repository, 'youtube_bb', root, splits=['train'],
        frame_path='100%/{youtube_id}_{timestamp_ms}_{class_id}_0.jpg')
    check(source.read(0), with_mask=False)
    with pytest.raises(ValueError, match='frame_path.*video'):
        build(repository, 'youtube_bb', root, frame_path='{video}.jpg')


@pytest.mark.parametrize('split, names', [
    ('train', ['airplane-2', 'zebra-17']), ('test', ['airplane-1']),
    ('all', ['airplane-1', 'airplane-2', 'zebra-17'])])
def test_lasot_splits(repository, roots, split, names):
    source = build(repository, 'lasot', roots['lasot'], split=split)
    assert len(source) == len(names)
    for track, name in enumerate(names):
        row, _ = source.table.rows_of_track(track)
        assert f'/{name}/' in source.read(row).img_path


def test_lasot_lists(repository, tmp_path):
    root = fake_layouts.make_lasot(str(tmp_path))
    os.remove(tmp_path / 'training_set.txt')
    assert len(build(repository, 'lasot', root)) == 2
    os.remove(tmp_path / 'testing_set.txt')
    with pytest.raises(FileNotFoundError, match='training_set.*testing_set'):
        build(repository, 'lasot', root)
    with pytest.raises(ValueError, match='split'):
        build(repository, 'lasot', root, split='val')


def test_trackingnet_chunks(repository, roots):
    root = roots['trackingnet']
    source = build(repository, 'trackingnet', root, chunks=[7])
    assert len(source) == 1 and '/TRAIN_7/' in source.read(0).img_path
    with pytest.raises(FileNotFoundError, match='TRAIN_3'):
        build(repository, 'trackingnet', root, chunks=[3])


@pytest.mark.parametrize('name', ['lasot', 'trackingnet', 'got10k'])
def test_percent_signs_in_names(repository, tmp_path, name):
    root = fake_layouts.MAKERS[name](str(tmp_path / '50%d'))
    check(build(repository, name, root).read(0), with_mask=False)


def spoil(path, content):
    """Write something else into a file."""
    with open(path, 'w', encoding='utf-8') as file:
        file.write(content)


@pytest.mark.parametrize('name, path, content, message', [
    ('lasot', 'airplane/airplane-2/groundtruth.txt', '1,2,3\n',
     r'airplane-2/groundtruth\.txt, line 1: 3 numbers; expected 4'),
    ('lasot', 'airplane/airplane-2/groundtruth.txt', '1,2,3,x\n',
     r"groundtruth\.txt: .*'x'"),
    ('lasot', 'zebra/zebra-17/out_of_view.txt', '0,1',
     r'out_of_view\.txt: 2 entries for a video of 8 frames'),
    ('got10k', 'train/GOT-10k_Train_000001/cover.label', '8\n',
     r'cover\.label: 1 entries for a video of 7'),
    ('got10k', 'train/list.txt', '\n', r'list\.txt: the list is empty'),
    ('youtube_vos', 'train/meta.json', '{"videos": []}',
     r'meta\.json is not YouTube-VOS'),
    ('youtube_bb', 'yt_bb_detection_train.csv', 'a,b,c\n',
     r'yt_bb_detection_train\.csv: .*youtube_id'),
    ('imagenet_det',
     'Annotations/DET/train/ILSVRC2013_train/n01440764/n01440764_18.xml',
     'nothing', r'n01440764_18\.xml: not an ImageNet annotation'),
    ('imagenet_det',
     'Annotations/DET/train/ILSVRC2013_train/n01440764/n01440764_18.xml',
     '<object><name>a</name></object></annotation>',
     r"n01440764_18\.xml: an object without b'xmin'"),
])
def test_annotations_that_are_wrong_are_named(repository, tmp_path, name,
                                              path, content, message):
    root = fake_layouts.MAKERS[name](str(tmp_path))
    spoil(osp.join(root, path), content)
    with pytest.raises(ValueError, match=message):
        build(repository, name, root)


@pytest.mark.parametrize('name', list(SIZES))
def test_missing_folders_are_named(repository, tmp_path, name):
    with pytest.raises(FileNotFoundError, match='nowhere'):
        build(repository, name, str(tmp_path / 'nowhere'))


@pytest.mark.parametrize('name', ['lasot', 'trackingnet', 'got10k',
                                  'imagenet_vid', 'youtube_vos'])
def test_missing_images_are_named_when_drawn(repository, tmp_path, name):
    root = fake_layouts.MAKERS[name](str(tmp_path))
    source = build(repository, name, root)
    path = source.read(0).img_path
    os.remove(path)
    with pytest.raises(UnreadableFrameError, match=path):
        source.read(0)


def test_masks_that_cannot_be_read_are_left_out(repository, tmp_path):
    root = fake_layouts.make_youtube_vos(str(tmp_path))
    spoil(tmp_path / 'train/Annotations/0043f083b5/00010.png', 'broken')
    source = build(repository, 'youtube_vos', root)
    assert source.table.num_rows == SIZES['youtube_vos'][1] - 1


@pytest.mark.parametrize('name', ['youtube_vos', 'imagenet_vid',
                                  'imagenet_det'])
def test_index_is_kept_and_made_again(repository, tmp_path, name,
                                      monkeypatch):
    root = fake_layouts.MAKERS[name](str(tmp_path))
    module = f'siamattn_mm.datasets.sources.{name}_source'
    make = f'{module}._read_masks' if name == 'youtube_vos' else (
        f'{module}.read_objects')
    first = build(repository, name, root)
    with monkeypatch.context() as patch:
        # Nothing is read again, and another min_size needs no new index.
        patch.setattr(make, None)
        again = build(repository, name, root)
        assert np.array_equal(again.table.bboxes, first.table.bboxes)
        assert [f.img_path for f in map(again.read, range(3))] == [
            f.img_path for f in map(first.read, range(3))]
        assert build(repository, name, root,
                     min_size=25).table.num_rows < first.table.num_rows
        with pytest.raises(TypeError):
            build(repository, name, root, index_cache=False)
    kept = [n for n in os.listdir(root) if n.endswith('.npz')]
    assert kept == [f'.siamattn_{name}_train.npz']
    # A file less: the index does not fit any more.
    if name == 'youtube_vos':
        os.remove(tmp_path / 'train/Annotations/0043f083b5/00025.png')
    elif name == 'imagenet_vid':
        shutil.rmtree(tmp_path / 'Annotations/VID/train' /
                      'ILSVRC2015_VID_train_0001')
    else:
        os.remove(tmp_path / 'Annotations/DET/train/ILSVRC2014_train_0000' /
                  'ILSVRC2014_train_00000010.xml')
    assert build(repository, name,
                 root).table.num_rows < first.table.num_rows
    # One that is cut off is made again, too.
    (tmp_path / kept[0]).write_bytes(
        (tmp_path / kept[0]).read_bytes()[:100])
    build(repository, name, root)
