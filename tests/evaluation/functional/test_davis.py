"""Mean, recall and decay of J and F, by definition and trackeval's."""
import numpy as np
import pytest

from siamattn_mm.evaluation.functional import davis


def test_statistics_by_definition():
    values = np.array([.9, .8, .7, .6, .5, .4, .3, .2, .1])
    # 9 frames, quarters 1-3, 3-5, 5-7, 7-9.
    assert davis.summarise(values) == dict(
        mean=pytest.approx(.5),
        recall=pytest.approx(4 / 9),
        decay=pytest.approx((.9 + .8 + .7) / 3 - (.3 + .2 + .1) / 3))


def test_frames_without_annotation_count_nowhere():
    values = np.array([.9, np.nan, .7, .6, .5, .4, .3, np.nan, .1])
    assert davis.summarise(values) == dict(
        mean=pytest.approx(3.5 / 7),
        recall=pytest.approx(3 / 7),
        decay=pytest.approx((.9 + .7) / 2 - (.3 + .1) / 2))
    for nothing in (np.full(3, np.nan), np.zeros(0)):
        assert all(np.isnan(value)
                   for value in davis.summarise(nothing).values())


def test_one_frame():
    assert davis.summarise([.7]) == dict(
        mean=pytest.approx(.7), recall=1, decay=0)


def test_long_sequences():
    # The official code counts frames in one byte, and goes wrong here.
    values = np.concatenate([np.full(300, .8), np.full(900, .2)])
    assert davis.summarise(values)['decay'] == pytest.approx(
        (299 * .8 + .8) / 300 - .2, abs=.01)


def test_both_measures():
    figures = davis.evaluate_object(np.full(5, .4), np.full(5, .8))
    assert list(figures) == [
        'J&F', 'J_mean', 'J_recall', 'J_decay', 'F_mean', 'F_recall',
        'F_decay'
    ]
    assert figures['J&F'] == pytest.approx(.6)
    assert (figures['J_recall'], figures['F_recall']) == (0, 1)


def test_against_trackeval(capsys):
    metrics = pytest.importorskip('trackeval.metrics')
    mask_utils = pytest.importorskip('pycocotools.mask')
    rng = np.random.default_rng(0)
    rows, columns = np.indices((60, 80))
    preds, truths = [], []
    for i in range(23):
        centre = np.array([20 + i, 20 + 2 * i])
        for masks, offset in ((truths, 0), (preds, rng.normal(0, i / 3, 2))):
            y, x = centre + offset
            masks.append((rows - y)**2 + 2 * (columns - x)**2 < 200)

    def encode(mask):
        return mask_utils.encode(np.asfortranarray(mask, dtype=np.uint8))

    theirs = metrics.JAndF().eval_sequence(
        dict(
            num_timesteps=len(truths),
            num_tracker_ids=1,
            num_gt_ids=1,
            gt_ids=[np.array([0])] * len(truths),
            tracker_ids=[np.array([0])] * len(truths),
            gt_dets=[[encode(mask)] for mask in truths],
            tracker_dets=[[encode(mask)] for mask in preds]))
    pairs = list(zip(preds, truths))
    ours = davis.evaluate_object(
        [davis.region_similarity(*pair) for pair in pairs],
        [davis.boundary_measure(*pair) for pair in pairs])
    assert 0 < ours['J_recall'] < 1 and ours['J_decay'] > .1
    difference = max(
        abs(value - theirs[key.replace('_m', '-M').replace(
            '_r', '-R').replace('_d', '-D')])
        for key, value in ours.items())
    with capsys.disabled():
        print(f'\nJ, F: mean, recall, decay, trackeval: largest difference '
              f'{difference:.1e}')
    assert difference < 1e-6, f'largest difference {difference}'
