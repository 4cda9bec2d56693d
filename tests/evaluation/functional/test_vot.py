"""VOT's figures, by hand and against vot-toolkit."""
from types import SimpleNamespace

import numpy as np
import pytest

from siamattn_mm.evaluation.functional import vot
from siamattn_mm.evaluation.functional.vot import (
    FAILED,
    INITIALISED,
    SKIPPED,
    TRACKED,
    SupervisedRun,
)
from siamattn_mm.evaluation.functional.vot_overlap import region_overlaps

CODES = dict(i=INITIALISED, f=FAILED, s=SKIPPED, t=TRACKED)


def run_of(states, overlaps=None):
    """A run, its states as letters."""
    if overlaps is None:
        overlaps = np.linspace(0.9, 0.1, len(states))
    return SupervisedRun(
        np.asarray(overlaps, float), np.array([CODES[s] for s in states]))


def test_accuracy_leaves_out_the_burn_in():
    run = run_of('ittttfssssittt', np.arange(14) / 14)
    assert vot.accuracy(run, burn_in=1) == pytest.approx(
        np.mean([1, 2, 3, 4, 11, 12, 13]) / 14)
    assert vot.accuracy(run, burn_in=3) == pytest.approx(
        np.mean([3, 4, 13]) / 14)
    assert vot.accuracy(run) == 0


def test_robustness_counts_failures():
    runs = [run_of('itttf'), run_of('ifssssittf'), run_of('itttt')]
    assert [vot.count_failures(run) for run in runs] == [1, 2, 0]
    assert vot.robustness(runs) == pytest.approx(100 * 3 / 20)


def test_fragments_end_with_failures():
    run = run_of('ittfssssitt', np.arange(1, 12))
    (first, whole_first), (second, whole_second) = vot.fragments(run)
    assert (first.tolist(), whole_first) == ([0, 2, 3], False)
    assert (second.tolist(), whole_second) == ([0, 10, 11], True)


def test_curve_pads_failures_but_not_the_end():
    runs = [run_of('ittf', [0, .8, .6, 0]), run_of('it', [0, .4]),
            run_of('itttt', [0, 1, 1, 1, 1])]
    curve = vot.expected_overlap_curve(runs)
    # The second one says nothing behind its frame 1.
    assert curve == pytest.approx([
        0, (.8 + .4 + 1) / 3, (1.4 / 2 + 1) / 2, (1.4 / 3 + 1) / 2,
        (1.4 / 4 + 1) / 2
    ])
    assert vot.expected_average_overlap(runs, (1, 2)) == pytest.approx(
        curve[1:3].mean())
    assert np.isnan(vot.expected_average_overlap(runs, (5, 9)))


def test_sequences_count_by_their_length():
    short, long = run_of('itt', [0, .5, .5]), run_of('itttttf')
    figures = vot.evaluate_supervised([[short, short], [long]], burn_in=1)
    accuracy = vot.accuracy(long, 1)
    assert figures == dict(
        accuracy=pytest.approx((3 * .5 + 7 * accuracy) / 10),
        failures=pytest.approx(7 / 10),
        robustness=pytest.approx(100 / 10))


@pytest.mark.parametrize('states, message', [
    ('', 'starts with an initialisation'),
    ('tit', 'starts with an initialisation'),
    ('itffi', 'must take turns'),
    ('itit', 'must take turns'),
])
def test_what_is_no_run(states, message):
    with pytest.raises(ValueError, match=message):
        vot.expected_overlap_curve([run_of(states)])


def test_nothing_to_evaluate():
    for call in (vot.evaluate_supervised, vot.expected_overlap_curve,
                 vot.robustness):
        with pytest.raises(ValueError, match='nothing to evaluate'):
            call([])
    with pytest.raises(ValueError, match=r'got \(3,\) and \(2,\)'):
        vot.accuracy(run_of('it', np.zeros(3)))


# -- against the toolkit --------------------------------------------------


class FakeSequence:
    """A sequence with random ground truth and runs of a made-up tracker."""
    size = (160, 120)

    def __init__(self, seed, num_runs):
        self.rng = np.random.default_rng(seed)
        length = int(self.rng.integers(20, 60))
        centre = self.rng.uniform(40, 80, 2)
        centre = centre + self.rng.normal(0, 2, (length, 2)).cumsum(axis=0)
        self.truth = [self.quadrangle(each) for each in centre]
        self.runs = [self.make_run(centre) for _ in range(num_runs)]

    def __len__(self):
        return len(self.truth)

    def quadrangle(self, centre):
        """(8,) corners of a rotated box."""
        angle = self.rng.uniform(0, 1)
        across = 15 * np.array([np.cos(angle), np.sin(angle)])
        along = 10 * np.array([-np.sin(angle), np.cos(angle)])
        return np.concatenate([
            centre + across + along, centre + across - along,
            centre - across - along, centre - across + along
        ])

    def make_run(self, centre):
        """States and regions of one pass, polygons and rectangles."""
        states, regions, start = [], [], 0
        for i in range(len(self)):
            region = None
            if i == start:
                state = INITIALISED
            elif i < start:
                state = SKIPPED
            elif self.rng.random() < .04:
                state, start = FAILED, i + 5
            else:
                state = TRACKED
                near = centre[i] + self.rng.normal(0, 5, 2)
                region = (self.quadrangle(near) if self.rng.random() < .5 else
                          np.concatenate([near - 12, [25, 22.5]]))
            states.append(state)
            regions.append(region)
        return np.array(states), regions

    def our_runs(self):
        """As our functions take them."""
        nothing = np.full(4, np.nan)
        return [
            SupervisedRun(
                region_overlaps([nothing if region is None else region
                                 for region in regions], self.truth,
                                self.size), states)
            for states, regions in self.runs
        ]


def in_toolkit(sequence, shapes):
    """As the toolkit's analyses take it: sequence and trajectories."""

    def shape(state, region):
        if region is None:
            return shapes.Special(int(state))
        if len(region) == 4:
            return shapes.Rectangle(*region)
        return shapes.Polygon(list(zip(region[::2], region[1::2])))

    class Sequence(SimpleNamespace):

        def __len__(self):
            return len(sequence)

    truth = [shape(TRACKED, region) for region in sequence.truth]
    trajectories = [
        SimpleNamespace(regions=lambda run=run: [
            shape(*frame) for frame in zip(*run)
        ]) for run in sequence.runs
    ]
    return Sequence(
        size=sequence.size,
        groundtruth=lambda: truth,
        trajectories=trajectories)


def test_against_the_toolkit(capsys):
    analysis = pytest.importorskip(
        'vot.analysis.supervised', reason='vot-toolkit is not installed')
    shapes = pytest.importorskip('vot.region')
    sequences = [FakeSequence(seed, num_runs=3) for seed in range(5)]
    theirs = [in_toolkit(sequence, shapes) for sequence in sequences]
    experiment = SimpleNamespace(
        gather=lambda tracker, sequence: sequence.trajectories)

    separate = analysis.AccuracyRobustness()
    results = [
        separate.subcompute(experiment, None, sequence, [])
        for sequence in theirs
    ]
    average = analysis.AverageAccuracyRobustness()
    accuracy, failures, _, _ = average.aggregate(None, theirs, results)
    curve = analysis.EAOCurve().subcompute(experiment, None, theirs, [])[0]
    interval = (8, 30)
    eao = np.mean(curve[interval[0]:interval[1] + 1])

    runs = [sequence.our_runs() for sequence in sequences]
    ours = vot.evaluate_supervised(runs, interval)
    differences = dict(
        accuracy=abs(ours['accuracy'] - accuracy),
        failures=abs(ours['failures'] - failures),
        curve=np.abs(
            vot.expected_overlap_curve(sum(runs, [])) - curve).max(),
        eao=abs(ours['eao'] - eao))
    assert failures > 1 and 0.2 < accuracy < 0.9
    text = ', '.join(f'{k} {v:.1e}' for k, v in differences.items())
    with capsys.disabled():
        print(f'\nsupervised figures, vot-toolkit: largest differences {text}')
    assert max(differences.values()) < 1e-6, text


@pytest.mark.parametrize('year, stack', [
    (2015, 'vot2015/rgb'),
    (2016, 'vot2016/rgb'),
    (2017, 'vot2017'),
    (2018, 'vot2018/shortterm'),
    (2019, 'vot2019/shortterm'),
])
def test_intervals_are_the_toolkit_s(year, stack):
    module = pytest.importorskip(
        'vot.stack', reason='vot-toolkit is not installed')
    import yaml
    with open(module.resolve_stack(stack)) as file:
        baseline = yaml.safe_load(file)['experiments']['baseline']
    assert baseline['skip_initialize'] == vot.SKIP_FRAMES
    score, = (item for item in baseline['analyses']
              if item['type'] == 'supervised_eao_score')
    assert (score['low'], score['high']) == vot.EAO_INTERVALS[year]
