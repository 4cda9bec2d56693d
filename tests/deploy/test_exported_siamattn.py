"""A tracker whose network is in ONNX files tracks as the one in PyTorch."""
import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmtrack.registry import MODELS, TASK_UTILS
from mmtrack.structures import TrackDataSample

from siamattn_mm.apis import Result, Tracker, init_tracker
from siamattn_mm.deploy import ExportedSiamAttn, ExportError
from siamattn_mm.deploy.files import METADATA_KEY, Metadata
from siamattn_mm.deploy.runtimes import RUNTIMES, OnnxRuntimeGraph
from siamattn_mm.models.task_modules import OnlinePart

onnx = pytest.importorskip('onnx', reason='onnx is not installed')
pytest.importorskip('onnxruntime', reason='onnxruntime is not installed')

BOX = (50, 40, 40, 30)


def track_both(variant, path, frames, runtime):
    """Per frame the results of both, from the same state."""
    trackers = [
        variant.tracker(),
        init_tracker(variant.config, path, runtime=runtime)
    ]
    for tracker in trackers:
        tracker.init(frames[0], BOX)
    results = []
    for frame in frames[1:]:
        results.append([tracker.update(frame) for tracker in trackers])
        one, other = (tracker.session for tracker in trackers)
        other.state = other.state._replace(box=one.state.box)
    return results


def check_equal(results):
    for expected, found in results:
        assert isinstance(found, Result)
        assert found.bbox.dtype == np.float64 and type(found.score) is float
        np.testing.assert_allclose(found.bbox, expected.bbox, atol=1e-3)
        assert found.score == pytest.approx(expected.score, abs=1e-4)
        if expected.mask is None:
            assert found.mask is None and found.polygon is None
            continue
        assert found.mask.shape == expected.mask.shape
        assert found.mask.dtype == bool
        assert (found.mask != expected.mask).mean() < 1e-3
        assert found.polygon.shape == (4, 2)
    assert len({tuple(found.bbox) for _, found in results}) == len(results)


@pytest.mark.parametrize('variant, runtime', [
    ('released', 'onnxruntime'),
    ('released', 'openvino'),
    ('paper', 'onnxruntime'),
    ('paper', 'openvino'),
    ('mask_only', 'onnxruntime'),
    ('siamrpn', 'onnxruntime'),
])
def test_results_are_pytorchs(make_variant, make_export, frames, variant,
                              runtime):
    pytest.importorskip(runtime, reason=f'{runtime} is not installed')
    check_equal(
        track_both(
            make_variant(variant), make_export(variant), frames, runtime))


def test_bfloat16_is_asked_for_where_it_is_faster(make_variant, make_export,
                                                  monkeypatch):
    asked = {}

    class Recording(OnnxRuntimeGraph):

        def __init__(self, path, num_threads, precision):
            asked[Path(path).name] = precision
            super().__init__(path, num_threads)

    monkeypatch.setitem(RUNTIMES, 'onnxruntime', Recording)
    config = copy.deepcopy(make_variant('released').config)
    config.model.test_cfg.precision = 'bf16'
    init_tracker(config, make_export('released'))
    assert asked == {
        'model.onnx': 'bf16',
        'model.init.onnx': 'bf16',
        'model.box.onnx': 'bf16',
        'model.mask.onnx': 'fp32'
    }


def test_grid_sampling_gives_the_same(make_variant, make_export, frames):
    check_equal(
        track_both(
            make_variant('released'), make_export('released', 'grid-sample'),
            frames, 'onnxruntime'))


def test_probabilities_of_the_mask_are_pytorchs(make_variant, make_export,
                                                frames):
    sessions = [
        tracker.model.new_session() for tracker in
        (make_variant('released').tracker(),
         init_tracker(
             make_variant('released').config, make_export('released')))
    ]
    for session in sessions:
        session.start(frames[0], BOX)
    for frame in frames[1:3]:
        expected, found = (
            session.step(frame).soft_mask for session in sessions)
        np.testing.assert_allclose(found.prob, expected.prob, atol=1e-3)
        np.testing.assert_allclose(found.extent, expected.extent, atol=1e-3)
        assert np.ptp(found.prob) > 1e-3


def test_tracking_parameters_of_the_config_count(make_variant, make_export,
                                                 frames):
    variant, path = make_variant('released'), make_export('released')
    config = copy.deepcopy(variant.config)
    config.model.test_cfg.rpn.update(
        lr=0., window_influence=0.9, penalty_k=0.3)
    results = []
    for checkpoint in (variant.checkpoint, path):
        tracker = init_tracker(config, checkpoint)
        tracker.init(frames[0], BOX)
        results.append(tracker.update(frames[1]))
    np.testing.assert_allclose(results[1].bbox, results[0].bbox, atol=1e-3)
    # Without learning rate the size stays.
    np.testing.assert_allclose(results[1].bbox[2:], BOX[2:], atol=1e-4)


def test_mmtracks_test_loop_takes_it(make_variant, make_export, frames):
    variant, path = make_variant('released'), make_export('released')
    model = MODELS.build(
        dict(variant.config.model, type='ExportedSiamAttn', onnx_file=path))
    expected = init_tracker(variant.config, path)
    expected.init(frames[0], BOX)
    for i, frame in enumerate(frames[:3]):
        sample = TrackDataSample(metainfo=dict(frame_id=i))
        sample.gt_instances = InstanceData(
            bboxes=torch.tensor([[50., 40, 90, 70]]))
        image = torch.from_numpy(frame).permute(2, 0, 1)[None]
        sample = model.test_step(
            dict(inputs=dict(img=[image]), data_samples=[sample]))[0]
        if i:
            result = expected.update(frame)
            box = sample.pred_track_instances.bboxes[0].numpy()
            np.testing.assert_allclose(box[:2], result.bbox[:2], atol=1e-3)
            mask = sample.pred_track_instances.masks[0].numpy()
            assert (mask == result.mask).all()
    with pytest.raises(NotImplementedError, match="'loss'"):
        model(dict(), [], mode='loss')


def test_a_second_target_starts_anew(make_variant, make_export, frames):
    tracker = init_tracker(
        make_variant('released').config, make_export('released'))
    assert isinstance(tracker, Tracker)
    assert isinstance(tracker.model, ExportedSiamAttn)
    results = []
    for _ in range(2):
        tracker.init(frames[0], BOX)
        results.append(tracker.update(frames[1]))
    assert (results[0].bbox == results[1].bbox).all()


def test_another_config_is_refused(make_variant, make_export):
    path = make_export('released')
    with pytest.raises(
            ExportError, match=r'another config.*siamese_neck\.share_gamma'):
        init_tracker(make_variant('paper').config, path)
    config = copy.deepcopy(make_variant('released').config)
    config.model.test_cfg.search_size = 271
    config.model.test_cfg.refine.box = False
    with pytest.raises(ExportError, match=r'\.refine\.box.*\.search_size'):
        init_tracker(config, path)


def test_bad_files_are_named(make_variant, make_export, tmp_path):
    config = make_variant('released').config
    with pytest.raises(ExportError, match='no.onnx.*does not exist'):
        init_tracker(config, str(tmp_path / 'no.onnx'))
    path = make_export('released')
    with pytest.raises(ExportError, match="runtime.*'cuda'"):
        init_tracker(config, path, runtime='cuda')
    track, template = tmp_path / 'm.onnx', tmp_path / 'm.init.onnx'
    track.write_bytes(open(path, 'rb').read())
    with pytest.raises(ExportError, match='m.init.onnx.*does not exist'):
        init_tracker(config, str(track))
    template.write_bytes(b'nothing')
    with pytest.raises(ExportError, match='cannot read.*m.init.onnx'):
        init_tracker(config, str(track))
    # The template's graph of another export.
    model = onnx.load(path.replace('.onnx', '.init.onnx'))
    metadata = Metadata.parse(
        {p.key: p.value
         for p in model.metadata_props}, '')
    del model.metadata_props[:]
    onnx.save(model, str(template))
    with pytest.raises(ExportError, match='siamattn export'):
        init_tracker(config, str(track))
    model.metadata_props.add(
        key=METADATA_KEY, value=metadata._replace(export_id='x').dump())
    onnx.save(model, str(template))
    with pytest.raises(ExportError, match='not of one export'):
        init_tracker(config, str(track))


@TASK_UTILS.register_module()
class ToyEdge(OnlinePart):
    """Moves the box by what a map of the network says."""
    network_args = ('level', )
    views = 1

    def __init__(self, level=0):
        self.level = level

    def features(self, low_level, neck_x):
        return (neck_x[self.level].mean((1, 2, 3)), )

    def learn(self, target, views):
        return float(views[0].features[0])

    def correct(self, state, features, box):
        return box + (500 * state, 500 * float(features[0]), 0, 0)


def test_a_part_of_ones_own_takes_one_line(make_variant, frames, tmp_path):
    """And an export with it."""
    from siamattn_mm.deploy.export import export_tracker
    variant = make_variant('siamrpn')
    config = copy.deepcopy(variant.config)
    config.model.online = [dict(type='ToyEdge', level=1)]
    path = str(tmp_path / 'toy.onnx')
    export_tracker(config, variant.checkpoint, path)
    results = []
    for checkpoint in (variant.checkpoint, path):
        tracker = init_tracker(config, checkpoint)
        tracker.init(frames[0], BOX)
        results.append([tracker.update(frame).bbox for frame in frames[1:]])
    np.testing.assert_allclose(*results, atol=1e-2)
    plain = variant.tracker()
    plain.init(frames[0], BOX)
    assert np.abs(plain.update(frames[1]).bbox - results[0][0]).max() > .1


def test_sessions_of_two_threads_do_not_mix(make_variant, make_export,
                                            frames):
    model = init_tracker(
        make_variant('mask_only').config, make_export('mask_only')).model

    def run(box):
        session = model.new_session()
        session.start(frames[0], box)
        return [session.step(frame).bbox for frame in frames[1:]]

    boxes = [BOX, (20, 60, 40, 30)]
    expected = [run(box) for box in boxes]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(run, boxes))
    np.testing.assert_array_equal(found, expected)


def test_several_targets_are_as_each_alone(make_variant, make_export, frames):
    model = init_tracker(
        make_variant('mask_only').config, make_export('mask_only')).model
    boxes = [BOX, (20, 60, 40, 30)]
    step = model.new_session().frame_step
    states = [step.begin(frames[0], box) for box in boxes]
    sessions = [model.new_session() for _ in boxes]
    for session, box in zip(sessions, boxes):
        session.start(frames[0], box)
    for frame in frames[1:]:
        results, states = step(frame, states)
        for result, session in zip(results, sessions):
            np.testing.assert_allclose(
                result.bbox, session.step(frame).bbox, atol=1e-6)
