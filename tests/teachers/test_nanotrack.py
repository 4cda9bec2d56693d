"""The teacher's files, by each of their runtimes."""
import sys

import numpy as np
import pytest

from siamattn_mm.teachers import NanoTrackNetwork


def files_of(shared):
    return [str(shared / 'teacher' / f'nanotrackv3_{name}.onnx')
            for name in ('backbone', 'head')]


def test_runtimes_say_the_same(shared):
    pytest.importorskip('onnxruntime')
    rng = np.random.default_rng(0)
    template = rng.integers(0, 256, (127, 127, 3), dtype=np.uint8)
    search = rng.integers(0, 256, (255, 255, 3), dtype=np.uint8)
    found = []
    for runtime in ('onnxruntime', 'opencv'):
        network = NanoTrackNetwork(*files_of(shared), runtime=runtime)
        state = network.features(template)
        # What is seen in between leaves the template as it is.
        network(state, search[::-1])
        found.append((state, *network(state, search)))
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_opencv_needs_no_onnxruntime(shared, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    network = NanoTrackNetwork(*files_of(shared), runtime='opencv')
    crop = np.zeros((127, 127, 3), np.uint8)
    assert network.features(crop).shape == (1, 96, 8, 8)


def test_other_runtimes_are_refused():
    with pytest.raises(ValueError, match="'onnxruntime', 'opencv'.*'tvm'"):
        NanoTrackNetwork('b.onnx', 'h.onnx', runtime='tvm')


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='b.onnx'):
        NanoTrackNetwork(str(tmp_path / 'b.onnx'), str(tmp_path / 'h.onnx'))
