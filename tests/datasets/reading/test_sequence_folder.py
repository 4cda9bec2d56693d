"""Reading folders of sequences, and refusing malformed ones."""
import re

import cv2
import numpy as np
import pytest
from PIL import Image

from siamattn_mm.datasets.reading import ground_truth
from siamattn_mm.datasets.reading.ground_truth import (
    SequenceFolderError,
    enclosing_boxes,
    read_ground_truth,
)
from siamattn_mm.datasets.reading.sequence_folder import (
    find_sequences,
    read_sequence,
)

BOX = '1,2,30,40'


def write_sequence(folder, lines=(BOX, BOX), images='img', truth=None):
    """Write a sequence with one tiny image for each line."""
    (folder / images).mkdir(parents=True)
    for i in range(len(lines)):
        cv2.imwrite(
            str(folder / images / f'{i + 1}.jpg'),
            np.zeros((8, 10, 3), np.uint8))
    text = '\n'.join(lines) + '\n'
    (folder / (truth or 'groundtruth.txt')).write_text(text)
    return folder


def write_masks(folder, count, size=(8, 10)):
    """Write empty masks."""
    (folder / 'masks').mkdir()
    for i in range(count):
        cv2.imwrite(
            str(folder / 'masks' / f'{i + 1}.png'), np.zeros(size, np.uint8))


def assert_refused(function, argument, *parts):
    """The error's text holds all parts in this order."""
    pattern = '.*'.join(re.escape(str(part)) for part in parts)
    with pytest.raises(SequenceFolderError, match=pattern):
        function(argument)


@pytest.mark.parametrize('images', ['img', '.'])
@pytest.mark.parametrize('truth', ['groundtruth.txt', 'groundtruth_rect.txt'])
def test_reads_both_layouts_in_natural_order(tmp_path, images, truth):
    lines = [f'{i},0,5,5' for i in range(11)]
    folder = write_sequence(tmp_path / 'a', lines, images, truth)
    sequence = read_sequence(str(folder))
    assert sequence.name == 'a'
    assert len(sequence) == 11
    assert [path.rsplit('/')[-1] for path in sequence.frame_paths
            ] == [f'{i}.jpg' for i in range(1, 12)]
    assert all(cv2.imread(path) is not None for path in sequence.frame_paths)
    np.testing.assert_array_equal(sequence.boxes[:, 0], np.arange(11))
    assert sequence.boxes.dtype == np.float32
    assert sequence.polygons is None and sequence.mask_paths is None


@pytest.mark.parametrize('line', [
    '1.5,2,30,40', '1.5\t2\t30\t40', '1.5 2 30 40', ' 1.5 , 2,\t30,  40 ',
    '15e-1,2.0,30,+40'
])
def test_every_separator(tmp_path, line):
    path = tmp_path / 'groundtruth.txt'
    path.write_text(f'\ufeff{line}\r\n{line}\r\n\n \n', encoding='utf-8')
    boxes, polygons = read_ground_truth(str(path))
    assert boxes.tolist() == [[1.5, 2, 30, 40]] * 2
    assert polygons is None


@pytest.mark.parametrize('line', ['nan,nan,nan,nan', 'NaN NaN NaN NaN',
                                  '0,0,0,0', '5,6,7,0'])
def test_absent_target_is_nan(tmp_path, line):
    path = tmp_path / 'groundtruth.txt'
    path.write_text(f'{BOX}\n{line}\n{BOX}\n')
    boxes, _ = read_ground_truth(str(path))
    np.testing.assert_array_equal(
        np.isnan(boxes).all(axis=1), [False, True, False])
    assert boxes[2].tolist() == [1, 2, 30, 40]


def test_polygons_keep_corners_and_give_the_rectangle_around(tmp_path):
    corners = [10, 0, 20, 10, 10, 20, 0, 10]
    path = tmp_path / 'groundtruth.txt'
    path.write_text('\n'.join([
        ','.join(map(str, corners)),
        ','.join(['nan'] * 8),
        'nan,nan,nan,nan',
        '1,2,3,4',
    ]))
    boxes, polygons = read_ground_truth(str(path))
    assert polygons[0].tolist() == corners
    assert boxes[0].tolist() == [0, 0, 20, 20]
    assert np.isnan(polygons[1:3]).all() and np.isnan(boxes[1:3]).all()
    assert polygons[3].tolist() == [1, 2, 4, 2, 4, 6, 1, 6]
    assert boxes[3].tolist() == [1, 2, 3, 4]


def test_enclosing_boxes_of_any_batch():
    polygons = np.arange(16.).reshape(2, 8)
    assert enclosing_boxes(polygons).tolist() == [[0, 1, 6, 6], [8, 9, 6, 6]]
    assert enclosing_boxes(polygons[0]).tolist() == [0, 1, 6, 6]


@pytest.mark.parametrize('line,reason', [
    ('1,2,3', '3 numbers'),
    ('1,2,3,4,5', '5 numbers'),
    ('1,2,x,4', "'x' is not a number"),
    ('1,2,,4', "'' is not a number"),
    ('', "'' is not a number"),
    ('1,nan,3,4', 'nan'),
    ('1,2,inf,4', 'infinite'),
    ('1,2,-3,4', 'negative size -3x4'),
    ('1e300,2,3,4', '1e+300 is no place'),
    ('1;2;3;4', 'not semicolons'),
])
def test_bad_line_is_named(tmp_path, line, reason):
    path = tmp_path / 'groundtruth.txt'
    path.write_text(f'{BOX}\n{line}\n{BOX}\n')
    assert_refused(read_ground_truth, str(path), path, 'line 2', reason)


def test_binary_and_empty_ground_truth(tmp_path):
    path = tmp_path / 'groundtruth.txt'
    path.write_bytes(b'\xff\xfe\x00')
    assert_refused(read_ground_truth, str(path), path, 'not a number')
    path.write_text('\n')
    assert_refused(read_ground_truth, str(path), path, 'empty')


def test_wrong_sequences(tmp_path):
    assert_refused(read_sequence, str(tmp_path / 'absent'), 'absent')

    empty = tmp_path / 'empty'
    (empty / 'img').mkdir(parents=True)
    (empty / 'groundtruth.txt').write_text(BOX)
    assert_refused(read_sequence, str(empty), 'no images in', empty)

    without = write_sequence(tmp_path / 'without')
    (without / 'groundtruth.txt').unlink()
    assert_refused(read_sequence, str(without), without / 'groundtruth.txt',
                   'no such file')

    longer = write_sequence(tmp_path / 'longer')
    (longer / 'groundtruth.txt').write_text(f'{BOX}\n' * 3)
    assert_refused(read_sequence, str(longer), longer / 'groundtruth.txt',
                   'line 3: one line too many', '3 lines for 2 frames')
    (longer / 'groundtruth.txt').write_text(f'{BOX}\n')
    assert_refused(read_sequence, str(longer), longer / 'groundtruth.txt',
                   'line 1: the last line', '1 lines for 2 frames')
    (longer / 'groundtruth.txt').write_text('\n')
    assert_refused(read_sequence, str(longer), longer / 'groundtruth.txt',
                   'line 1: the file is empty')


def test_masks_are_listed_and_checked(tmp_path):
    good = write_sequence(tmp_path / 'good')
    write_masks(good, 2)
    paths = read_sequence(str(good)).mask_paths
    assert paths == [str(good / 'masks' / f'{i}.png') for i in (1, 2)]

    fewer = write_sequence(tmp_path / 'fewer')
    write_masks(fewer, 1)
    assert_refused(read_sequence, str(fewer), fewer / 'masks',
                   '1 masks for 2 frames')

    smaller = write_sequence(tmp_path / 'smaller')
    write_masks(smaller, 2, size=(4, 5))
    assert_refused(read_sequence, str(smaller), smaller / 'masks' / '1.png',
                   '5x4', '10x8')

    broken = write_sequence(tmp_path / 'broken')
    write_masks(broken, 2)
    (broken / 'masks' / '1.png').write_text('no image')
    assert_refused(read_sequence, str(broken), broken / 'masks' / '1.png',
                   'cannot be read')


def test_find_sequences(tmp_path):
    for name in ('b10', 'b9', 'a', '.hidden', 'c[1]'):
        (tmp_path / name).mkdir()
    (tmp_path / 'README.md').write_text('a file beside the sequences')

    def names(sequences=None):
        return [
            path.rsplit('/')[-1]
            for path in find_sequences(str(tmp_path), sequences)
        ]

    assert names() == ['a', 'b9', 'b10', 'c[1]']
    assert names('b*') == ['b9', 'b10']
    assert names(['b10', 'a', 'b?']) == ['a', 'b9', 'b10']
    assert names(['c[1]']) == ['c[1]']
    with pytest.raises(SequenceFolderError, match="'d\\*'.*a, b9, b10"):
        names(['a', 'd*'])
    with pytest.raises(SequenceFolderError, match='empty'):
        names([])


def test_find_sequences_but_some(tmp_path):
    for name in ('a1', 'a2', 'b'):
        (tmp_path / name).mkdir()

    def names(sequences):
        return [
            path.rsplit('/')[-1]
            for path in find_sequences(str(tmp_path), sequences)
        ]

    assert names('!a1') == ['a2', 'b']
    assert names(['!a?']) == ['b']
    assert names(['a*', '!a1']) == names(['!a1', 'a*']) == ['a2']
    # Of other data: nothing to leave out.
    assert names(['!c']) == names(None)
    assert names(['a*', '!c', '!a1']) == ['a2']
    with pytest.raises(SequenceFolderError, match="fits 'c'"):
        names(['c', '!a1'])
    with pytest.raises(SequenceFolderError, match='empty'):
        names(['a1', '!a1'])


def test_wrong_data_roots(tmp_path):
    absent = tmp_path / 'absent'
    assert_refused(find_sequences, str(absent), absent, 'not a folder')
    assert_refused(find_sequences, str(tmp_path), tmp_path, 'no sequence')
    sequence = write_sequence(tmp_path / 'a')
    assert_refused(find_sequences, str(sequence), sequence,
                   'itself a sequence', "sequences='a'")


@pytest.mark.parametrize('line', [
    '138,63\t1,82\t43,18\t29,57',
    '138,63 1 43,18 29',
    '138,63, 1,82, 43,18, 29,57',
    '1,5 2,5 9,5 2,5 9,5 8,5 1,5 8,5',
    '1,2 9,2 9,8 1,8',
    '1.138,63 1,82 43,18 29,57',
    '1,138.63 1,082.00 43.18 29,057',
    '138,63,1,82,43,18,29,57',
    '0,0,9,9,9,0,0,9',
])
def test_decimal_commas_are_refused(tmp_path, line):
    path = tmp_path / 'groundtruth.txt'
    path.write_text(f'1,2,3,4\n{line}\n')
    with pytest.raises(SequenceFolderError,
                       match='line 2: .*(decimal commas|numbers; expected)'):
        read_ground_truth(str(path))


QUAD = '10,10,50,12,55,70,8,64'
EARLIER_QUADS = [f'{10 + i},10,50,12,{55 + i},70,8,64' for i in range(1, 10)]


@pytest.mark.parametrize('lines, number', [
    ([QUAD], 1),
    # The first line alone may be a polygon.
    (['100,10,160,30,60,60,40,50', '100,10,160,30,60,05,40,50'], 2),
    (['60,1,20,2,30,4,45,8'] * 20, 1),
    ([QUAD] * 20, 1),
    (EARLIER_QUADS + ['20,20,5,5', QUAD], 1),
    (['0,43,0,12,0,13,0,16'], 1),
    ([f'{i},2,60,1,61,7,10,8' for i in range(20)], 1),
])
def test_whole_numbers_that_may_be_decimals_are_refused(
        tmp_path, lines, number):
    path = tmp_path / 'groundtruth.txt'
    path.write_text('\n'.join(lines))
    assert_refused(read_ground_truth, str(path), f'line {number}:',
                   'decimal commas?')


@pytest.mark.parametrize('lines', [
    [QUAD.replace(',', ', ')],
    [QUAD.replace(',', ' ')],
    [QUAD.replace('12', '12.0')],
    [QUAD, QUAD.replace('12', '-12')],
    [QUAD, QUAD.replace('12', '12.0')],
    EARLIER_QUADS + [QUAD],
    ['10,10,50,10,50,40,10,40'],
    ['10,2,60,2,60,8,10,8'],
    ['30,10,51,31,29,50,10,30', 'nan,nan,nan,nan', '0,0,0,0,0,0,0,0'],
])
def test_whole_numbers_that_are_corners(tmp_path, lines):
    path = tmp_path / 'groundtruth.txt'
    path.write_text('\n'.join(lines))
    _, polygons = read_ground_truth(str(path))
    numbers = [float(word) for word in re.split('[ ,]+', lines[0])]
    assert polygons[0].tolist() == numbers


@pytest.mark.parametrize('line', [
    '1.5\t2.5\t3.5\t4.5', '1.5, 2.5, 3.5, 4.5', '1.5 ,2.5\t3.5 4.5',
    '1.5,2.5 3.5,4.5'
])
def test_lines_that_can_be_read_in_one_way(tmp_path, line):
    path = tmp_path / 'groundtruth.txt'
    path.write_text(line)
    assert read_ground_truth(str(path))[0].tolist() == [[1.5, 2.5, 3.5, 4.5]]


def test_underscores_are_no_digits(tmp_path):
    path = tmp_path / 'groundtruth.txt'
    path.write_text('1_0,2,3,4')
    assert_refused(read_ground_truth, str(path), 'line 1', "'1_0' is not a")


@pytest.mark.parametrize('lines, where', [
    (['20,30,4,4', BOX], 'line 1: the box 20,30,4,4 lies outside of the frame '
     'of 10x8'),
    ([BOX] + ['-40,0,30,8'] * 3, 'line 2: the box -40,0,30,8 lies outside'),
    (['0.4,0.1,0.3,0.2'] * 2, 'line 1: the box is smaller than a pixel'),
])
def test_ground_truth_of_other_frames(tmp_path, lines, where):
    folder = write_sequence(tmp_path / 'a', lines)
    assert_refused(read_sequence, str(folder), 'groundtruth.txt, ' + where)


def test_one_box_outside_is_said(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        ground_truth, 'print_log', lambda text, **kwargs: said.append(text))
    folder = write_sequence(tmp_path / 'a', [BOX, '9,7,3,3', '30,0,2,2'])
    assert len(read_sequence(str(folder))) == 3
    assert len(said) == 1
    assert 'line 3: the box 30,0,2,2 lies outside' in said[0]


def test_corners_in_place_of_sizes_are_said(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(
        ground_truth, 'print_log', lambda text, **kwargs: said.append(text))
    read_sequence(str(write_sequence(tmp_path / 'a', ['6,3,9,7', '5,2,8,6'])))
    assert len(said) == 1 and 'would not as x1,y1,x2,y2' in said[0]
    # Some may leave the frame.
    read_sequence(str(write_sequence(tmp_path / 'b', ['6,3,9,7', '1,2,8,6'])))
    assert len(said) == 1


def test_a_photo_on_its_side_is_as_it_is_seen(tmp_path):
    folder = write_sequence(tmp_path / 'a', ['1,9,3,3'])
    exif = Image.Exif()
    exif[274] = 6
    Image.new('RGB', (12, 8)).save(str(folder / 'img/1.jpg'), exif=exif)
    assert cv2.imread(str(folder / 'img/1.jpg')).shape == (12, 8, 3)
    assert len(read_sequence(str(folder))) == 1


def test_memory_does_not_hold_an_object_per_frame(tmp_path):
    folder = write_sequence(tmp_path / 'a', [BOX] * 50)
    sequence = read_sequence(str(folder))
    per_frame = (sequence.boxes.nbytes + sequence.frame_names.nbytes) / 50
    assert per_frame < 40


def test_real_sequences(sequences):
    read = {
        path.rsplit('/')[-1]: read_sequence(path)
        for path in find_sequences(str(sequences))
    }
    assert len(read) == 18
    assert sum(len(sequence) for sequence in read.values()) == 1431
    assert {name
            for name, sequence in read.items()
            if sequence.polygons is not None} == {'bag', 'horse-TIR'}
    assert {name
            for name, sequence in read.items()
            if sequence.mask_names is not None} == {
                'davis-bmx-trees', 'davis-car-shadow', 'davis-dog',
                'davis-horsejump-high'
            }
    absent = np.flatnonzero(~read['tld-pedestrian3'].visible)
    np.testing.assert_array_equal(absent, np.arange(52, 80))
    assert all(sequence.visible.all() for name, sequence in read.items()
               if name != 'tld-pedestrian3')
