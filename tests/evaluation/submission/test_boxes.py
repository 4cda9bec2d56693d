"""GOT-10k's, TrackingNet's and VOT's archives."""
import zipfile

import pytest

from siamattn_mm.evaluation import submission
from siamattn_mm.evaluation.submission import SubmissionError

BOXES = '1.0000,2.0000,3.0000,4.0000\n'
LENGTHS = dict(a=2, b=3)


@pytest.fixture
def results(tmp_path):
    """Result files of two sequences, as OPEMetric writes them."""
    folder = tmp_path / 'results'
    folder.mkdir()
    for name, length in LENGTHS.items():
        (folder / f'{name}.txt').write_text(BOXES * length)
        (folder / f'{name}_score.txt').write_text('0.5\n' * length)
        (folder / f'{name}_time.txt').write_text('0.031250\n' * length)
    return folder


def members(path):
    """Texts of an archive by name."""
    with zipfile.ZipFile(str(path)) as archive:
        return {name: archive.read(name).decode()
                for name in archive.namelist()}


def rewrite(path, **changes):
    """Replace (or with None remove) members; '/' is written '__'."""
    content = members(path)
    for name, text in changes.items():
        content[name.replace('__', '/') + '.txt'] = text
    with zipfile.ZipFile(str(path), 'w') as archive:
        for name, text in content.items():
            if text is not None:
                archive.writestr(name, text)


def test_got10k(results, tmp_path):
    out = tmp_path / 'deep' / 'got10k.zip'
    submission.make_got10k(str(results), LENGTHS, str(out))
    assert members(out) == {
        'a/a_001.txt': BOXES * 2, 'a/a_time.txt': '0.031250\n' * 2,
        'b/b_001.txt': BOXES * 3, 'b/b_time.txt': '0.031250\n' * 3}
    submission.check_got10k(str(out), LENGTHS)
    submission.check_got10k(str(out), dict.fromkeys(LENGTHS))
    first = out.read_bytes()
    submission.make_got10k(str(results), LENGTHS, str(out))
    assert out.read_bytes() == first


def test_trackingnet(results, tmp_path):
    out = tmp_path / 'trackingnet.zip'
    submission.make_trackingnet(str(results), LENGTHS, str(out))
    assert members(out) == {'a.txt': BOXES * 2, 'b.txt': BOXES * 3}
    submission.check_trackingnet(str(out), LENGTHS)


@pytest.mark.parametrize('name,text,reason', [
    ('b.txt', None, 'no such file'),
    ('b.txt', BOXES * 2, 'line 2: the file has 2 lines; expected 3'),
    ('b.txt', BOXES * 2 + '1,2,3\n', "line 3: '1,2,3'; expected 4 finite"),
    ('b.txt', BOXES * 2 + '1,2,nan,4\n', 'line 3: .*finite'),
    ('b.txt', '1,2,-3,4\n' + BOXES * 2, 'line 1: negative size -3x4'),
    ('b_time.txt', None, 'no such file'),
    ('b_time.txt', '0.1\n0.1\n0\n', 'line 3: 0 seconds'),
    ('b_time.txt', '0.1\nfast\n0.1\n', "line 2: 'fast'; expected 1 finite"),
    ('b_time.txt', '0.1\n', 'line 1: the file has 1 lines; expected 3'),
])
def test_bad_results_write_nothing(results, tmp_path, name, text, reason):
    path = results / name
    path.unlink()
    if text is not None:
        path.write_text(text)
    out = tmp_path / 'out.zip'
    with pytest.raises(SubmissionError, match=f'{path}.*{reason}'):
        submission.make_got10k(str(results), LENGTHS, str(out))
    assert not out.exists()
    if 'time' not in name:
        with pytest.raises(SubmissionError, match=f'{path}.*{reason}'):
            submission.make_trackingnet(str(results), LENGTHS, str(out))
    assert not [p for p in tmp_path.iterdir() if p != results]


@pytest.mark.parametrize('changes,reason', [
    (dict(b__b_time=None), 'lacks b/b_time.txt'),
    (dict(readme='x'), 'has no place for readme.txt'),
    (dict(a__a_001=BOXES), 'a/a_001.txt, line 1: .*expected 2'),
    (dict(a__a_001='1,2,3,-4\n' + BOXES), 'a_001.txt, line 1: negative'),
    (dict(a__a_time='1\n-1\n'), 'a/a_time.txt, line 2: -1 seconds'),
    (dict(a__a_time=b'\xff\xfe'), 'a/a_time.txt: not text'),
])
def test_bad_got10k_archive(results, tmp_path, changes, reason):
    out = tmp_path / 'out.zip'
    submission.make_got10k(str(results), LENGTHS, str(out))
    rewrite(out, **changes)
    with pytest.raises(SubmissionError, match=f'{out}.*{reason}'):
        submission.check_got10k(str(out), LENGTHS)


def test_no_archive(tmp_path):
    path = tmp_path / 'x.zip'
    path.write_text('no zip')
    with pytest.raises(SubmissionError, match=f'{path}: not a readable zip'):
        submission.check_trackingnet(str(path), LENGTHS)


def test_whole_submissions_by_name():
    got10k = submission.official_lengths('got10k', [])
    assert len(got10k) == 180 and 'GOT-10k_Test_000180' in got10k
    names = [str(i) for i in range(511)]
    assert list(submission.official_lengths('trackingnet', names)) == names
    with pytest.raises(SubmissionError, match='510 videos.*511'):
        submission.official_lengths('trackingnet', names[1:])


def test_tracked_sequences(results):
    assert submission.tracked_sequences(str(results)) == ['a', 'b']
    with pytest.raises(SubmissionError, match='no result files'):
        submission.tracked_sequences(str(results / 'a'))


VOT = ['1'] + ['1.0,2.0,3.0,4.0'] * 2 + ['2'] + ['0'] * 4 + [
    '1', '1,2,3,2,3,4,1,4']


@pytest.fixture
def vot_results(tmp_path):
    """A sequence of ten frames with a failure in the fourth."""
    folder = tmp_path / 'baseline' / 'bag'
    folder.mkdir(parents=True)
    (folder / 'bag_001.txt').write_text('\n'.join(VOT) + '\n')
    (folder / 'bag_001_time.value').write_text('0.1\n' * 10)
    return folder.parent


def test_vot(vot_results, tmp_path):
    out = tmp_path / 'vot.zip'
    args = [str(vot_results), dict(bag=10), str(out)]
    submission.make_vot(*args)
    submission.check_vot(str(out), dict(bag=10), str(vot_results))
    assert sorted(members(out)) == [
        'baseline/bag/bag_001.txt', 'baseline/bag/bag_001_time.value']
    with pytest.raises(SubmissionError, match='line 10: .*expected 11'):
        submission.check_vot(str(out), dict(bag=11), str(vot_results))
    with pytest.raises(SubmissionError, match='ants_001.txt: no such file'):
        submission.make_vot(str(vot_results), dict(bag=10, ants=3), str(out))


@pytest.mark.parametrize('line,text,reason', [
    (0, '0', 'an initialisation belongs into line 1|skipped'),
    (1, '1', 'an initialisation belongs into line 1'),
    (2, '1,2,3', 'expected 4 or 8 numbers'),
    (2, '1,2,nan,4', 'expected 4 or 8 numbers'),
    (2, '3', 'expected 0, 1, 2 or a region'),
    (6, '1,2,3,4', 'only frames behind a failure are skipped'),
    (8, '0', 'an initialisation belongs into line 9|skipped'),
])
def test_bad_vot_results(vot_results, tmp_path, line, text, reason):
    path = vot_results / 'bag' / 'bag_001.txt'
    lines = list(VOT)
    lines[line] = text
    path.write_text('\n'.join(lines))
    with pytest.raises(SubmissionError,
                       match=f'{path}, line {line + 1}: .*({reason})'):
        submission.make_vot(str(vot_results), dict(bag=10),
                            str(tmp_path / 'out.zip'))
    assert not (tmp_path / 'out.zip').exists()
