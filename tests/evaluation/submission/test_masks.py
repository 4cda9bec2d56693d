"""DAVIS's and YouTube-VOS's archives of palette PNGs."""
import io
import zipfile

import cv2
import numpy as np
import pytest
from fake_layouts import benchmarks as layouts
from PIL import Image

from siamattn_mm.datasets.benchmarks import (
    DAVISTestDataset,
    YouTubeVOSTestDataset,
)
from siamattn_mm.evaluation.submission import (
    SubmissionError,
    check_masks,
    make_masks,
)
from siamattn_mm.evaluation.submission.palette import (
    davis_palette,
    encode_palette_png,
)


def write_results(folder, sequences):
    """Each object's mask is the left half in frame 1, then the right one."""
    for sequence in sequences:
        (folder / sequence.name).mkdir(parents=True)
        scores = [-1] + [.5 + .1 * sequence.object_id] * (len(sequence) - 1)
        (folder / f'{sequence.name}_score.txt').write_text(
            ''.join(f'{score:.6f}\n' for score in scores))
        for i in range(1, len(sequence)):
            mask = np.zeros((32, 48), np.uint8)
            mask[:, :24] = 255
            stem = sequence.frame_path(i)[-9:-4]
            cv2.imwrite(str(folder / sequence.name / f'{stem}.png'),
                        mask if i == 1 else mask[:, ::-1])


def read(path):
    """Images of an archive by name."""
    with zipfile.ZipFile(str(path)) as archive:
        return {name: Image.open(io.BytesIO(archive.read(name)))
                for name in archive.namelist()}


@pytest.fixture
def davis(tmp_path):
    """Sequences of a fake DAVIS 2017, and results."""
    layouts.make_davis(str(tmp_path / 'data'))
    dataset = DAVISTestDataset(str(tmp_path / 'data'), pipeline=[])
    sequences = [dataset.get_sequence(i) for i in range(dataset.num_videos)]
    write_results(tmp_path / 'results', sequences)
    return tmp_path / 'results', sequences


def test_davis(davis, tmp_path):
    results, sequences = davis
    out = tmp_path / 'davis.zip'
    make_masks(str(results), sequences, str(out))
    check_masks(str(out), sequences)
    images = read(out)
    assert sorted(images) == [
        f'{video}/{i:05d}.png' for video in ('blackswan', 'dogs')
        for i in range(4)]
    for image in images.values():
        assert image.mode == 'P' and image.size == (48, 32)
        assert image.getpalette()[:9] == [0, 0, 0, 128, 0, 0, 0, 128, 0]
    # The first frame is what was given, object by object.
    given = np.array(Image.open(sequences[1].mask_path(0)))
    np.testing.assert_array_equal(np.array(images['dogs/00000.png']), given)
    # Where both claim a pixel, the higher score has it.
    later = np.array(images['dogs/00001.png'])
    assert (later[:, :24] == 2).all() and (later[:, 24:] == 0).all()
    assert (np.array(images['blackswan/00002.png'])[:, 24:] == 1).all()


def test_youtube_vos(tmp_path):
    layouts.make_youtube_vos(str(tmp_path / 'data'))
    dataset = YouTubeVOSTestDataset(str(tmp_path / 'data'), pipeline=[])
    sequences = [dataset.get_sequence(i) for i in range(2)]
    write_results(tmp_path / 'results', sequences)
    out = tmp_path / 'out.zip'
    make_masks(str(tmp_path / 'results'), sequences, str(out), 'Annotations/')
    check_masks(str(out), sequences, 'Annotations/')
    images = read(out)
    top = 'Annotations/003234408d/'
    assert sorted(images) == [f'{top}{5 * i:05d}.png' for i in range(4)]
    values = {name: set(np.unique(np.array(image)).tolist())
              for name, image in images.items()}
    assert values[f'{top}00005.png'] == {0, 1}
    # The late object starts with its given mask.
    late = np.array(images[f'{top}00010.png'])
    x, y, w, h = layouts.OTHER_BOXES[2]
    assert (late[y:y + h, x:x + w] == 2).all()
    assert (late == 2).sum() == w * h


@pytest.mark.parametrize('damage,reason', [
    ('no mask', r'00002.png.*save_masks=True'),
    ('bad mask', r'00002.png.*not an image'),
    ('scores', r'dogs_2_score.txt, line 2: .*expected 4'),
    ('size', r'dogs_2.*pixels'),
])
def test_bad_results_write_nothing(davis, tmp_path, damage, reason):
    results, sequences = davis
    path = results / 'dogs_2' / '00002.png'
    if damage == 'no mask':
        path.unlink()
    elif damage == 'bad mask':
        path.write_text('no image')
    elif damage == 'scores':
        (results / 'dogs_2_score.txt').write_text('-1\n0.5\n')
    else:
        cv2.imwrite(str(path), np.zeros((9, 9), np.uint8))
    out = tmp_path / 'out.zip'
    with pytest.raises(SubmissionError, match=reason):
        make_masks(str(results), sequences, str(out))
    assert not out.exists()


@pytest.mark.parametrize('content,reason', [
    (encode_palette_png(np.full((32, 48), 3, np.uint8)),
     'number 3 is no object'),
    (encode_palette_png(np.zeros((8, 9), np.uint8)),
     '9x8 pixels; its frame has 48x32'),
    (cv2.imencode('.png', np.zeros((32, 48), np.uint8))[1].tobytes(),
     "mode 'L'; expected a palette"),
    (b'no image', 'not an image'),
    (None, 'lacks dogs/00003.png'),
])
def test_bad_archive(davis, tmp_path, content, reason):
    results, sequences = davis
    out = tmp_path / 'out.zip'
    make_masks(str(results), sequences, str(out))
    with zipfile.ZipFile(str(out)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members['dogs/00003.png'] = content
    with zipfile.ZipFile(str(out), 'w') as archive:
        for name, data in members.items():
            if data is not None:
                archive.writestr(name, data)
    with pytest.raises(SubmissionError, match=f'{out}.*{reason}'):
        check_masks(str(out), sequences)


def test_palette():
    palette = np.array(davis_palette()).reshape(256, 3)
    # PASCAL VOC's first colours, and its "void" in the last place.
    assert palette[:5].tolist() == [[0, 0, 0], [128, 0, 0], [0, 128, 0],
                                    [128, 128, 0], [0, 0, 128]]
    assert palette[255].tolist() == [224, 224, 192]
    assert len(np.unique(palette, axis=0)) == 256
