"""Tests of siamattn_mm.visualization.report: reading and figures."""
import json

import numpy as np
import pytest

from siamattn_mm.evaluation.functional import box_iou_inside, evaluate_ope
from siamattn_mm.visualization.report import (
    ResultFolder,
    ResultFolderError,
    sequences_of,
)
from siamattn_mm.visualization.report.scores import average, score_tracker
from siamattn_mm.visualization.report.sequences import read_attributes


def test_names_of_folders(material):
    assert ResultFolder(str(material / 'good')).name == 'good'
    assert ResultFolder(str(material / 'good' / 'results')).name == 'good'
    assert ResultFolder(str(material / 'bad'), 'other').name == 'other'


def test_what_is_read(folders):
    result = folders[0].read('a', 6)
    assert result.boxes[2].tolist() == [23, 20, 16, 12]
    assert np.isnan(result.scores[0]) and result.scores[3] == .1
    assert result.times.tolist() == [.05] * 6
    assert result.mask_folder is not None
    assert folders[0].read('b', 6).mask_folder is None


def test_files_of_other_toolkits(tmp_path):
    (tmp_path / 'a.txt').write_text('1 2 3 4\n5\t6\t7\t8\n')
    (tmp_path / 'p.txt').write_text('1,2,5,2,5,8,1,8\n')
    folder = ResultFolder(str(tmp_path))
    result = folder.read('a', 2)
    assert result.boxes.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert result.scores is None and result.times is None
    assert folder.read('p', 1).boxes.tolist() == [[1, 2, 4, 6]]


@pytest.mark.parametrize('content, message', [
    ('1,2,3,4\n', r'a\.txt: 1 lines, but the sequence has 2 frames'),
    ('1,2,3,4\n1,2,3\n', r'a\.txt, line 2: expected 4 numbers.*1,2,3'),
    ('1,2,3,4\n1,2,3,x\n', r'a\.txt, line 2: expected 4 numbers'),
    ('1,2\n1,2\n', r'a\.txt, line 1: expected 4 or 8 numbers'),
])
def test_bad_files_are_named(tmp_path, content, message):
    (tmp_path / 'a.txt').write_text(content)
    with pytest.raises(ResultFolderError, match=message):
        ResultFolder(str(tmp_path)).read('a', 2)


def test_bad_folders_are_named(tmp_path):
    with pytest.raises(ResultFolderError, match='no.*is not a folder'):
        ResultFolder(str(tmp_path / 'no'))
    with pytest.raises(ResultFolderError, match='holds no result files'):
        ResultFolder(str(tmp_path))


@pytest.mark.parametrize('absent_frames', ['skip', 'otb'])
def test_figures_and_curves_agree(folders, sequences, absent_frames):
    for folder in folders:
        tracker = score_tracker(folder, sequences, absent_frames)
        for scored, sequence in zip(tracker.sequences, sequences):
            expected = evaluate_ope(scored.result.boxes, sequence.truth,
                                    absent_frames)
            assert {k: scored.figures[k] for k in expected} == expected
        for name in ('success', 'norm_precision'):
            assert tracker.curves[name].mean() == pytest.approx(
                tracker.figures[name], abs=1e-12)
        assert tracker.curves['precision'][20] == pytest.approx(
            tracker.figures['precision'], abs=1e-12)
        assert tracker.figures['fps'] == pytest.approx(20)


def test_ao_of_got10k(folders, sequences):
    for folder in folders:
        tracker = score_tracker(folder, sequences, ao='got10k')
        ious = [
            box_iou_inside(scored.result.boxes, sequence.truth, (80, 60))[1:]
            for scored, sequence in zip(tracker.sequences, sequences)
        ]
        every = np.concatenate(ious)
        every = every[~np.isnan(every)]
        assert tracker.figures['AO'] == pytest.approx(every.mean())
        assert tracker.figures['SR0.5'] == pytest.approx((every > .5).mean())
        plain = score_tracker(folder, sequences).figures
        assert tracker.figures['success'] == plain['success']


def test_masks_and_scores(folders, sequences):
    good, bad = (score_tracker(f, sequences) for f in folders)
    assert good.figures['J'] == pytest.approx(.5)
    assert np.isnan(bad.figures['J'])
    figures = good.sequences[2].figures
    assert figures['absent_score'] == .1
    assert figures['visible_score'] == pytest.approx(.7)
    assert np.isnan(good.sequences[0].figures['absent_score'])
    two = average(good.sequences[1:])
    assert two['success'] == pytest.approx(
        np.mean([s.figures['success'] for s in good.sequences[1:]]))


def test_attributes(tmp_path, sequences):
    assert [s.attributes for s in sequences] == [('blur', ), (),
                                                 ('blur', 'out of view')]
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(dict(a=['x'])))
    assert read_attributes(str(path)) == dict(a=['x'])
    for content in ('[', '[]', '{"a": "x"}', '{"a": [1]}'):
        path.write_text(content)
        with pytest.raises(ValueError, match='a.json'):
            read_attributes(str(path))


def test_another_kind_of_data_set():
    with pytest.raises(TypeError, match='but the config has a dict'):
        sequences_of({})
