"""Tests of TeacherLabels: what a teacher says, and where it says so."""
import pickle

import cv2
import numpy as np
import pytest
from mmtrack.registry import TRANSFORMS

from siamattn_mm.datasets.transforms import PackSOTPair, TeacherLabels

CELLS = 15


class Session:
    """Stands for onnxruntime's: maps by rule, and what it was given."""

    asked = []

    def __init__(self, path, options, providers):
        assert providers == ['CPUExecutionProvider']
        self.head = path.endswith('head.onnx')
        self.threads = options.intra_op_num_threads
        self.not_to_be_sent = lambda: None

    def run(self, names, inputs):
        # One thread, as a data loader's worker has.
        assert names is None and self.threads == 1
        self.asked.append(inputs)
        if not self.head:
            # Of every 16th pixel: what a map of the real one lies over.
            return [inputs['input'][:, :, ::16, ::16]]
        assert inputs['input1'].shape == (1, 3, 8, 8)
        search = inputs['input2']
        assert search.shape == (1, 3, 16, 16)
        # Blue is how sure it is, green and red are how large it is.
        blue, green, red = search[0, :, :CELLS, :CELLS]
        logits = np.stack([0 * blue, (blue - 100) / 10])
        distances = np.stack([red, green, red + 3, green + 5])
        return [logits[None], distances[None]]


class Runtime:
    """Stands for onnxruntime."""

    InferenceSession = Session

    class SessionOptions:
        intra_op_num_threads = 0


@pytest.fixture
def files(tmp_path):
    """Where two files are."""
    found = {}
    for name in ('backbone', 'head'):
        path = tmp_path / f'{name}.onnx'
        path.write_bytes(b'')
        found[name] = str(path)
    return found


@pytest.fixture
def stand_in(monkeypatch, files):
    """``TeacherLabels`` of files that the stand-in reads."""
    monkeypatch.setattr(Session, 'asked', [])
    monkeypatch.setattr('siamattn_mm.deploy.files.require',
                        lambda name: {'onnxruntime': Runtime}[name])
    return lambda **kwargs: TeacherLabels(**files, **kwargs)


def make_pair(row=5, column=9, blue=150, source='regions', label=1):
    """Black crops; one cell of the search crop's has something to say."""
    pair = dict(
        img=[np.zeros((s, s, 3), np.uint8) for s in (127, 255)],
        gt_bboxes=[
            np.array([[40, 50, 80, 90]], np.float32),
            np.array([[100, 110, 150, 140]], np.float32)
        ],
        gt_bboxes_labels=[np.array([label])] * 2,
        gt_masks=[None, None],
        source=source)
    pair['img'][1][16 * row, 16 * column] = (blue, 20, 30)
    return pair


def cell_box(row, column):
    """What that cell says; the middle cell lies at pixel 127."""
    x, y = 127 + 16 * (column - 7), 127 + 16 * (row - 7)
    return [x - 30, y - 20, x + 33, y + 25]


def check_labels(found, row, column):
    """Of a pair whose cell says ``cell_box``, and the others nothing."""
    scores, bboxes = found['teacher_scores'], found['teacher_bboxes']
    assert scores.shape == (CELLS, CELLS) and scores.dtype == np.float32
    assert bboxes.shape == (CELLS, CELLS, 4) and bboxes.dtype == np.float32
    assert scores[row, column] == pytest.approx(1 / (1 + np.exp(-5)), rel=1e-4)
    others = np.delete(scores.ravel(), row * CELLS + column)
    np.testing.assert_allclose(others, 1 / (1 + np.exp(10)), rtol=1e-4)
    np.testing.assert_allclose(bboxes[row, column], cell_box(row, column))
    # From cell to cell it is 16 pixels; the first one is at 127 - 7 * 16.
    if (row, column) != (0, 0):
        np.testing.assert_allclose(bboxes[0, 0], [15, 15, 18, 20])


@pytest.mark.parametrize('row, column', [(5, 9), (0, 0), (14, 2), (7, 7)])
def test_where_cells_are(stand_in, row, column):
    pair = make_pair(row, column)
    crops = [img.copy() for img in pair['img']]
    check_labels(stand_in().transform(pair), row, column)
    # The crops as they are: BGR, 0 to 255, template first; none is changed.
    template, search, _ = Session.asked
    for img, crop, asked in zip(pair['img'], crops, (template, search)):
        assert np.array_equal(img, crop)
        assert asked['input'].dtype == np.float32
        assert np.array_equal(asked['input'][0], crop.transpose(2, 0, 1))
    assert pair['gt_bboxes'][1].tolist() == [[100, 110, 150, 140]]


def test_pairs_of_named_sources_get_the_teachers_box(stand_in):
    labels = stand_in(relabel=('regions', 'sky'))
    for source, relabelled in (('regions', True), ('video', False),
                               ('sky', True)):
        box = labels.transform(make_pair(source=source))['gt_bboxes'][1]
        assert box.shape == (1, 4) and box.dtype == np.float32
        assert box[0].tolist() == (
            cell_box(5, 9) if relabelled else [100, 110, 150, 140])


def test_a_template_keeps_its_box(stand_in):
    pair = stand_in(relabel=('regions', )).transform(make_pair())
    assert pair['gt_bboxes'][0].tolist() == [[40, 50, 80, 90]]


def test_a_new_box_lies_in_the_crop(stand_in):
    pair = stand_in(relabel=('regions', )).transform(make_pair(0, 14))
    assert pair['gt_bboxes'][1].tolist() == [[209, -.5, 254.5, 40]]


@pytest.mark.parametrize('blue, label', [(99, 1), (150, 0)])
def test_what_is_no_new_box(stand_in, blue, label):
    """Where the teacher is not sure, and in a pair of two objects."""
    pair = make_pair(blue=blue, label=label)
    pair = stand_in(relabel=('regions', )).transform(pair)
    assert pair['gt_bboxes'][1].tolist() == [[100, 110, 150, 140]]
    assert 'teacher_scores' in pair


def test_how_sure_is_sure_can_be_said(stand_in):
    labels = stand_in(relabel=('regions', ), min_score=.4)
    pair = labels.transform(make_pair(blue=99))
    assert pair['gt_bboxes'][1].tolist() == [cell_box(5, 9)]


def test_a_model_gets_them(stand_in):
    pair = stand_in().transform(make_pair())
    sample = PackSOTPair().transform(pair)['data_samples']
    instances = sample.search_gt_instances
    assert instances.teacher_scores.shape == (1, CELLS, CELLS)
    assert instances.teacher_bboxes.shape == (1, CELLS, CELLS, 4)
    assert np.array_equal(instances.teacher_bboxes[0].numpy(),
                          pair['teacher_bboxes'])
    assert 'teacher_scores' not in sample.gt_instances
    without = PackSOTPair().transform(make_pair())['data_samples']
    assert 'teacher_scores' not in without.search_gt_instances


def test_a_worker_opens_files_of_its_own(stand_in):
    labels = stand_in(relabel=('regions', ))
    labels.transform(make_pair())
    with pytest.raises((AttributeError, pickle.PicklingError)):
        pickle.dumps(Session('head.onnx', Runtime.SessionOptions(),
                             ['CPUExecutionProvider']))
    other = pickle.loads(pickle.dumps(labels))
    assert other.transform(make_pair())['gt_bboxes'][1].tolist() == [
        cell_box(5, 9)]


@pytest.mark.parametrize('missing', ['backbone', 'head'])
def test_a_missing_file_is_named(files, missing):
    files[missing] = 'nowhere/nanotrack.onnx'
    with pytest.raises(
            FileNotFoundError, match='nowhere/nanotrack.onnx.*TeacherLabels'):
        TeacherLabels(**files)


def test_registered(files):
    labels = TRANSFORMS.build(
        dict(type='TeacherLabels', relabel=['sky'], **files))
    assert "relabel=('sky',)" in repr(labels)
    assert repr(files['head']) in repr(labels)


# -- onnxruntime ---------------------------------------------------------


def onnx_files(folder):
    """The stand-in's rules as ONNX files."""
    onnx = pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    helper, numpy_helper = onnx.helper, onnx.numpy_helper

    def save(name, nodes, inputs, outputs, **constants):
        graph = helper.make_graph(
            nodes, name,
            [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
             for n, s in inputs.items()],
            [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, s)
             for n, s in outputs.items()],
            [numpy_helper.from_array(np.asarray(value), key)
             for key, value in constants.items()])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid('', 13)], ir_version=8)
        onnx.checker.check_model(model)
        path = str(folder / f'{name}.onnx')
        onnx.save(model, path)
        return path

    def conv(source, target):
        return helper.make_node(
            'Conv', [source, f'{target}_w', f'{target}_b'], [target])

    # Of blue, green and red.
    logits = np.array([[0, 0, 0], [.1, 0, 0]], np.float32)
    distances = np.array([[0, 0, 1], [0, 1, 0]] * 2, np.float32)
    return dict(
        backbone=save(
            'backbone',
            [helper.make_node('AveragePool', ['input'], ['output'],
                              kernel_shape=[1, 1], strides=[16, 16])],
            dict(input=[1, 3, 'height', 'width']),
            dict(output=[1, 3, 'rows', 'columns'])),
        head=save(
            'head', [
                helper.make_node('Slice', ['input2', 'starts', 'ends', 'axes'],
                                 ['cells']),
                conv('cells', 'output1'),
                conv('cells', 'output2')
            ],
            dict(input1=[1, 3, 8, 8], input2=[1, 3, 16, 16]),
            dict(output1=[1, 2, CELLS, CELLS], output2=[1, 4, CELLS, CELLS]),
            starts=np.array([0, 0]), ends=np.array([CELLS] * 2),
            axes=np.array([2, 3]),
            output1_w=logits[..., None, None],
            output1_b=np.array([0, -10], np.float32),
            output2_w=distances[..., None, None],
            output2_b=np.array([0, 0, 3, 5], np.float32)))


def test_files_are_read(tmp_path):
    labels = TeacherLabels(**onnx_files(tmp_path), relabel=['regions'])
    pair = labels.transform(make_pair(4, 10))
    check_labels(pair, 4, 10)
    assert pair['gt_bboxes'][1].tolist() == [cell_box(4, 10)]
    # A worker's, too.
    other = pickle.loads(pickle.dumps(labels)).transform(make_pair(4, 10))
    assert np.array_equal(other['teacher_bboxes'], pair['teacher_bboxes'])


def test_the_real_one_sees_a_target_where_it_is(shared):
    pytest.importorskip('onnxruntime')
    files = {
        name: str(shared / 'teacher' / f'nanotrackv3_{name}.onnx')
        for name in ('backbone', 'head')
    }
    labels = TeacherLabels(**files)
    rng = np.random.default_rng(0)
    target = cv2.resize(
        rng.integers(0, 256, (6, 6, 3), dtype=np.uint8), (64, 64),
        interpolation=cv2.INTER_CUBIC)
    errors = []
    for left, top in ((95, 95), (60, 110), (130, 70), (120, 140)):
        pair = make_pair()
        for img in pair['img']:
            img[:] = 110 + rng.integers(0, 20, img.shape)
        pair['img'][0][32:96, 32:96] = target
        pair['img'][1][top:top + 64, left:left + 64] = target
        labels.transform(pair)
        best = np.unravel_index(pair['teacher_scores'].argmax(), (CELLS, ) * 2)
        assert pair['teacher_scores'][best] > .5
        truth = np.array([left, top, left + 64, top + 64]) - .5
        errors.append(pair['teacher_bboxes'][best] - truth)
    # Half a cell would be eight pixels.
    assert np.abs(np.mean(errors, 0)).max() < 6
