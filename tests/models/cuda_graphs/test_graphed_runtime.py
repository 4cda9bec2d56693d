"""What is recorded of a model, by a stand-in for CUDA graphs."""
import copy
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from learning_parts import LEARNING
from mmengine.registry import init_default_scope
from mmtrack.registry import MODELS

from siamattn_mm.models.cuda_graphs import GraphedCall, GraphedRuntime
from siamattn_mm.models.task_modules import OnlinePart
from siamattn_mm.models.trackers import TrackingSession
from siamattn_mm.utils.nested_tensors import tensors_in

BOX = (60., 40., 30., 24.)


class Recorder:
    """Replays by running again, into the memory of the first result."""

    def __init__(self):
        self.recorded = self.replayed = 0

    def __call__(self, run):
        out = run()
        self.recorded += 1

        def replay():
            self.replayed += 1
            for own, new in zip(tensors_in(out), tensors_in(run())):
                own.copy_(new)

        return replay, out


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(GraphedRuntime, 'record', staticmethod(recorder))
    monkeypatch.setattr(GraphedRuntime, '_records',
                        lambda self: not self._recorded.given_up)
    return recorder


@pytest.fixture
def make(small_config):

    def _make(**options):
        init_default_scope('mmtrack')
        config = copy.deepcopy(small_config)
        config.merge_from_dict(
            {f'model.{key}': value for key, value in options.items()})
        torch.manual_seed(0)
        model = MODELS.build(config.model).eval()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(.02 * torch.randn_like(parameter))
        return model

    return _make


@pytest.fixture(scope='module')
def frames():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
    return [np.roll(first, 2 * i, 1) for i in range(6)]


def run(model, frames, box=BOX):
    session = model.new_session()
    session.start(frames[0], box)
    return [session.step(frame) for frame in frames[1:]]


def check_equal(found, expected):
    for one, other in zip(found, expected):
        assert np.abs(one.bbox - other.bbox).max() <= 1e-3
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert (one.pasted_mask.full() == other.pasted_mask.full()).all()


@pytest.mark.parametrize('box', [False, True])
def test_results_are_those_of_plain_launches(make, frames, recorder, box):
    model = make(**{'online': LEARNING, 'test_cfg.refine.box': box})
    found = run(model, frames)
    # Search and mask, maybe the box; each frame is a replay of each.
    calls = 2 + box
    assert recorder.recorded == calls
    assert recorder.replayed >= calls * len(found)
    plain = make(**{
        'online': LEARNING,
        'test_cfg.refine.box': box,
        'test_cfg.cuda_graphs': False
    })
    check_equal(found, run(plain, frames))
    assert recorder.recorded == calls


def test_another_video_shares_them(make, frames, recorder):
    model = make(online=LEARNING)
    other = (20., 30., 40., 30.)
    expected = run(make(**{'online': LEARNING, 'test_cfg.cuda_graphs': False}),
                   frames, other)
    run(model, frames)
    check_equal(run(model, frames, other), expected)
    assert recorder.recorded == 3


def test_threads_share_them_one_frame_at_a_time(make, frames, recorder):
    model = make(online=LEARNING)
    boxes = [BOX, (20., 30., 40., 30.)]
    expected = [run(model, frames, box) for box in boxes]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda box: run(model, frames, box), boxes))
    for one, other in zip(found, expected):
        check_equal(one, other)


def test_changed_weights_are_recorded_anew(make, frames, recorder):
    model = make(online=LEARNING)
    before = run(model, frames)
    with torch.no_grad():
        for parameter in model.neck.parameters():
            parameter.mul_(1.5)
    after = run(model, frames)
    assert recorder.recorded == 6
    assert any((one.bbox != other.bbox).any()
               for one, other in zip(before, after))
    model.test_cfg.cuda_graphs = False
    check_equal(after, run(model, frames))


def test_an_exchanged_part_is_recorded_anew(make, frames, recorder):

    def weigher(gain):

        class Weigher(OnlinePart):
            """Says on the device that the target is on the left."""

            def learn(self, target, views):
                return (torch.ones(1), )

            def respond(self, state, features, size):
                return gain * torch.linspace(1, 0, size).expand(size, size)

            def rank(self, state, ranking, response):
                seen.add(round(float(response.max()), 3))
                return ranking.total

        return Weigher()

    model, seen = make(), set()
    model.online = (weigher(.5), )
    run(model, frames)
    assert seen == {.5}
    recorded = recorder.recorded
    model.online = (weigher(.25), )
    run(model, frames)
    # The search alone; box and mask do not depend on it.
    assert seen == {.5, .25} and recorder.recorded == recorded + 1


def test_what_cannot_be_recorded_is_run_with_one_warning(
        make, frames, recorder, monkeypatch):

    def refuse(run):
        raise RuntimeError('operation not permitted when stream is capturing')

    monkeypatch.setattr(GraphedRuntime, 'record', staticmethod(refuse))
    model = make(online=LEARNING)
    with pytest.warns(UserWarning, match='not permitted') as caught:
        found = run(model, frames)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        check_equal(found, run(model, frames))


def test_what_is_replayed_wrongly_is_not_used(make, frames, recorder,
                                              monkeypatch):

    def forget(run):
        out = run()
        return lambda: [t.zero_() for t in tensors_in(out)], out

    monkeypatch.setattr(GraphedRuntime, 'record', staticmethod(forget))
    model = make(online=LEARNING)
    with pytest.warns(UserWarning, match='what is replayed differs'):
        found = run(model, frames)
    model.test_cfg.cuda_graphs = False
    check_equal(found, run(model, frames))


def test_sessions_pickle_without_them(make, frames, recorder):
    session = make(online=LEARNING).new_session()
    session.start(frames[0], BOX)
    session.step(frames[1])
    again = pickle.loads(pickle.dumps(session))
    check_equal([again.step(frames[2])], [session.step(frames[2])])
    assert isinstance(again, TrackingSession)


def test_a_call_reads_its_inputs_each_time():
    record = Recorder()
    call = GraphedCall(lambda x, y: (x + y, [x * y]),
                       [torch.zeros(2), torch.zeros(2)], record)
    out, (product, ) = call(torch.ones(2), torch.full((2, ), 3.))
    assert out.tolist() == [4, 4] and product.tolist() == [3, 3]
    call(torch.zeros(2), torch.ones(2))
    assert out.tolist() == [1, 1] and record.recorded == 1


def test_half_precision_is_for_gpus(make, frames):
    model = make(**{'test_cfg.precision': 'fp16'})
    with pytest.raises(ValueError, match='fp16 needs a GPU'):
        run(model, frames)
