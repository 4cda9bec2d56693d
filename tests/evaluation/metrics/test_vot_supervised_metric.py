"""What the metric refuses, and what resuming a test asks of it.

Its figures and files are tested with the loop.
"""
import numpy as np
import pytest
from mmtrack.registry import METRICS


def samples(states, name='Deer', video_id=0, repetition=0):
    """Outputs of VOTSupervisedLoop, a state a frame."""
    return [
        dict(
            frame_id=i,
            video_id=video_id,
            video_length=len(states),
            sequence_name=name,
            img_path=f'{name}/{i}.jpg',
            track_time=.5,
            vot_state=state,
            vot_overlap=.5,
            vot_repetition=repetition,
            vot_region=np.arange(8.)) for i, state in enumerate(states)
    ]


@pytest.fixture()
def metric(tmp_path):
    """A metric that writes to a temporary folder."""
    return METRICS.build(
        dict(
            type='VOTSupervisedMetric',
            interval=(1, 2),
            results_dir=str(tmp_path)))


def test_sequences_may_come_in_any_order(metric):
    metric.process({}, samples([1, 3, 3, 2], 'b', 1))
    metric.process({}, samples([1, 3, 3, 3], 'a', 0))
    figures = metric.evaluate(8)
    assert figures['vot/failures'] == .5
    assert figures['vot/robustness'] == 12.5


def test_years_have_an_interval():
    build = METRICS.build
    assert build(dict(type='VOTSupervisedMetric')).interval == (100, 356)
    assert build(dict(type='VOTSupervisedMetric',
                      interval=2019)).interval == (46, 291)
    assert build(dict(type='VOTSupervisedMetric',
                      interval=None)).interval is None
    for wrong, message in ((2020, 'VOT2020 has no EAO interval'),
                           ((5, 2), r'but got \(5, 2\)'),
                           ((1, 2, 3), r'but got \(1, 2, 3\)')):
        with pytest.raises(ValueError, match=message):
            build(dict(type='VOTSupervisedMetric', interval=wrong))


def test_other_loops_are_refused(metric):
    sample = samples([1])[0]
    del sample['vot_state']
    with pytest.raises(ValueError, match='type="VOTSupervisedLoop"'):
        metric.process({}, [sample])


def test_frames_out_of_order_are_refused(metric):
    frames = samples([1, 3, 3])
    metric.process({}, frames[:1])
    with pytest.raises(ValueError, match='Deer/2.jpg: frame 2 .* order'):
        metric.process({}, frames[2:])
    with pytest.raises(ValueError, match='frame 1 .* out of order'):
        metric.process({}, samples([1, 3], repetition=1)[1:])


def test_nothing_to_evaluate(metric):
    metric.process({}, samples([1, 3, 3])[:2])
    with pytest.raises(ValueError, match='no sequence was tracked'):
        metric.compute_metrics(metric.results)


def test_files_of_a_sequence(metric, tmp_path):
    metric.process({}, samples([1, 3]))
    metric.process({}, samples([1, 3], repetition=1))
    assert metric.has_files(metric.results)
    assert sorted(path.name for path in (tmp_path / 'Deer').iterdir()) == [
        'Deer_001.txt', 'Deer_001_time.value', 'Deer_002.txt',
        'Deer_002_time.value'
    ]
    (tmp_path / 'Deer' / 'Deer_002_time.value').unlink()
    assert not metric.has_files(metric.results)
    assert not metric.has_files([])
    metric.remove_files('Deer')
    metric.remove_files('Skiing')
    assert list(tmp_path.iterdir()) == []
