"""An 8-bit model is smaller, and nearly says the same."""
import os

import cv2
import numpy as np
import pytest

from siamattn_mm.apis import init_tracker
from siamattn_mm.deploy import ExportError
from siamattn_mm.deploy.quantize import calibration_feeds, quantize
from siamattn_mm.structures.search_window import SearchWindow

onnx = pytest.importorskip('onnx', reason='onnx is not installed')
pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')


@pytest.fixture(scope='module')
def folder(frames, tmp_path_factory):
    """Two sequences, of which one never shows its target."""
    root = tmp_path_factory.mktemp('sequences')
    for name in ('hidden', 'shown'):
        images = root / name / 'img'
        images.mkdir(parents=True)
        lines = []
        for i, frame in enumerate(frames):
            cv2.imwrite(str(images / f'{i + 1:04d}.png'), frame)
            lines.append(f'{50 + 4 * i},{40 + 3 * i},40,30' if name ==
                         'shown' and i != 2 else 'nan,nan,nan,nan')
        (root / name / 'groundtruth.txt').write_text('\n'.join(lines) + '\n')
    return str(root)


@pytest.fixture(scope='module')
def tracker(make_variant, make_export):
    """The exported small model."""
    return init_tracker(
        make_variant('siamrpn').config, make_export('siamrpn'))


def test_calibration_looks_where_the_target_is(tracker, folder, frames):
    graphs = dict(tracker.model.runtime.graphs)
    feeds = calibration_feeds(tracker.model, folder, 6)
    assert tracker.model.runtime.graphs == graphs
    assert len(feeds) == 3
    for feed, i in zip(feeds, (1, 3, 4)):
        box = np.array([50 + 4 * i + 19.5, 40 + 3 * i + 14.5, 40, 30])
        window = SearchWindow.around(box, 255, 127, .5)
        expected = window.crop(frames[i], frames[0].mean((0, 1)))
        assert feed['search'].shape == (1, 255, 255, 3)
        assert (feed['search'][0] == expected).mean() > .99
    # Two of each sequence.
    assert len(calibration_feeds(tracker.model, folder, 4)) == 2


def test_nothing_to_calibrate_with_is_named(tracker, folder, tmp_path):
    os.symlink(os.path.join(folder, 'hidden'), tmp_path / 'hidden')
    with pytest.raises(ExportError, match=str(tmp_path)):
        calibration_feeds(tracker.model, str(tmp_path), 4)


def test_the_quantized_model_tracks(tracker, make_variant, make_export,
                                    folder, frames, tmp_path):
    source = make_export('siamrpn')
    out = str(tmp_path / 'model.onnx')
    os.symlink(
        source.replace('.onnx', '.init.onnx'), out.replace('.onnx',
                                                           '.init.onnx'))
    feeds = calibration_feeds(tracker.model, folder, 3)
    count = quantize(source, feeds, out)
    operators = [node.op_type for node in onnx.load(out).graph.node]
    assert count > 20 and operators.count('QuantizeLinear') >= count
    assert os.path.getsize(out) < 0.9 * os.path.getsize(source)
    quantized = init_tracker(make_variant('siamrpn').config, out)
    scores = []
    for each in (tracker, quantized):
        each.init(frames[0], (50, 40, 40, 30))
        scores.append([each.update(frame).score for frame in frames[1:]])
    difference = np.abs(np.subtract(*scores))
    assert 0 < difference.max() < 0.1
