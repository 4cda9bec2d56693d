"""Graphs are pickled as the names of their files."""
import copy
import pickle

import numpy as np
import pytest

from siamattn_mm.deploy import ExportError
from siamattn_mm.deploy.runtimes import RUNTIMES, _Reopened, open_graph


class TextGraph(_Reopened):
    """Stands in for a runtime: says what is in its file."""

    def __init__(self, path, num_threads, precision):
        with open(path) as file:
            self.entries = dict(text=file.read())
        # As a runtime's session, it cannot be pickled.
        self.session = lambda: None
        self._remember('text', path, num_threads, precision)


def test_a_graph_reopens_its_file(tmp_path, monkeypatch):
    monkeypatch.setitem(RUNTIMES, 'text', TextGraph)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'a.onnx'
    path.write_text('one')
    graph = open_graph('a.onnx', 'text')
    data = pickle.dumps(graph)
    (tmp_path / 'elsewhere').mkdir()
    monkeypatch.chdir(tmp_path / 'elsewhere')
    for other in (pickle.loads(data), copy.deepcopy(graph)):
        assert type(other) is TextGraph and other.entries == graph.entries
    path.write_text('two')
    with pytest.raises(ExportError, match='a.onnx.*another export'):
        pickle.loads(data)
    path.unlink()
    with pytest.raises(ExportError, match='a.onnx.*does not exist'):
        pickle.loads(data)


def test_an_exported_tracker_goes_on_where_it_was(make_variant, make_export,
                                                  frames):
    pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')
    from siamattn_mm.apis import init_tracker
    tracker = init_tracker(
        make_variant('mask_only').config, make_export('mask_only'))
    tracker.init(frames[0], (50, 40, 40, 30))
    tracker.update(frames[1])
    other = pickle.loads(pickle.dumps(tracker))
    expected, found = tracker.update(frames[2]), other.update(frames[2])
    np.testing.assert_array_equal(found.bbox, expected.bbox)
    np.testing.assert_array_equal(found.mask, expected.mask)
