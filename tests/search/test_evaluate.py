"""Tests of siamattn_mm.search: sequences in memory, tracking, thresholds."""
import cv2
import numpy as np
import pytest

from siamattn_mm.datasets import SequenceFolderError
from siamattn_mm.datasets.reading.image_reader import UnreadableFrameError
from siamattn_mm.evaluation.functional import evaluate_ope, region_similarity
from siamattn_mm.search import (
    SequenceOutcome,
    SequenceStore,
    ThresholdSweep,
    summarise,
    track_sequence,
)


@pytest.fixture
def store(data_root):
    return SequenceStore(str(data_root))


def by_name(store, name):
    return next(s for s in store.sequences if s.name == name)


def test_frames_are_the_files_decoded_or_not(data_root):
    seen = []
    few = SequenceStore(str(data_root), max_bytes=3 * 96 * 64 * 3,
                        progress=lambda *call: seen.append(call))
    none = SequenceStore(str(data_root), max_bytes=0)
    assert seen == [(1, 2), (2, 2)]
    assert [s.name for s in few.sequences] == [s.name for s in none.sequences]
    assert few.sequences[0].used > none.sequences[0].used
    for name in 'ab':
        for i in range(4):
            image = cv2.imread(str(data_root / name / 'img' / f'{i}.png'))
            assert (by_name(few, name).frame(i) == image).all()
            assert (by_name(none, name).frame(i) == image).all()


def test_only_some_frames_of_some_sequences(data_root):
    store = SequenceStore(str(data_root), ['b'], max_frames=3)
    assert (len(store), store.num_frames, store.has_masks) == (1, 3, True)
    assert store.sequences[0].truth[:, 0].tolist() == [30, 31, 32]
    assert len(store.sequences[0].masks) == 3
    assert not SequenceStore(str(data_root), ['a']).has_masks


def test_bad_sequences_are_named(data_root, tmp_path):
    folder = tmp_path / 'late'
    (folder / 'img').mkdir(parents=True)
    (folder / 'img' / '0.png').write_bytes(b'no image')
    truth = folder / 'groundtruth.txt'
    truth.write_text('nan,nan,nan,nan')
    with pytest.raises(SequenceFolderError, match='late.*absent in the first'):
        SequenceStore(str(tmp_path))
    truth.write_text('1,2,3,4')
    with pytest.raises(UnreadableFrameError, match='0.png: not an image'):
        SequenceStore(str(tmp_path))


def test_tracks_as_the_model_does(store, model):
    sequence = by_name(store, 'b')
    sweep = ThresholdSweep([0.3, model.test_cfg.refine.mask_thr, 0.5])
    outcome = track_sequence(model, sequence, sweep)

    session = model.new_session()
    session.start(sequence.frame(0), (30, 20, 24, 20))
    results = [session.step(sequence.frame(i)) for i in range(1, 4)]
    assert outcome.boxes[0].tolist() == [30, 20, 24, 20]
    assert (outcome.boxes[1:] == [r.bbox for r in results]).all()
    assert outcome.success == evaluate_ope(outcome.boxes,
                                           sequence.truth)['success']
    # J at the config's threshold is that of the tracker's own masks; the
    # last frame does not count.
    own = [region_similarity(r.pasted_mask.full(), m)
           for r, m in zip(results, sequence.masks[1:])][:2]
    assert outcome.mask_j[1] == pytest.approx(np.mean(own), abs=1e-12)
    assert len(set(outcome.mask_j)) > 1


def test_boxes_are_the_same_without_masks(store, model):
    sequence = by_name(store, 'b')
    full = track_sequence(model, sequence, ThresholdSweep([0.5]))
    bare = track_sequence(model, sequence)
    assert (full.boxes == bare.boxes).all() and bare.mask_j is None
    assert model.refine_head.with_mask


def test_masks_are_computed_where_boxes_depend_on_them(store, model):
    sequence = by_name(store, 'b')
    plain = track_sequence(model, sequence)
    model.test_cfg.report = dict(mask_share=1., mask_iou=0.)
    model.test_cfg.refine.min_contour_area = 1
    full = track_sequence(model, sequence, ThresholdSweep([0.5]))
    bare = track_sequence(model, sequence)
    assert (full.boxes == bare.boxes).all() and bare.mask_j is None
    assert (full.boxes != plain.boxes).any()


def test_sequences_without_masks(store, model):
    outcome = track_sequence(model, by_name(store, 'a'),
                             ThresholdSweep([0.5]))
    assert outcome.mask_j is None and 0 <= outcome.success <= 1


def test_summary():
    outcomes = [
        SequenceOutcome(np.zeros((2, 4)), 0.2, None),
        SequenceOutcome(np.zeros((2, 4)), 0.6, np.array([0.1, 0.7])),
        SequenceOutcome(np.zeros((2, 4)), 0.4, np.array([0.9, 0.5]))]
    total = summarise(outcomes, 0.5)
    assert total.success == pytest.approx(0.4)
    assert total.mask_j == pytest.approx([0.5, 0.6])
    assert total.value == pytest.approx(0.4 + 0.5 * 0.6)
    assert outcomes[1].value(0.5) == pytest.approx(0.95)
    assert outcomes[0].value(0.5) == 0.2
