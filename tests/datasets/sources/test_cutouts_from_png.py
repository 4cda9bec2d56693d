"""Pictures with an alpha channel become a data set of cut-outs."""
import json

import cv2
import numpy as np
import pytest

from siamattn_mm.datasets.sources import CocoSource
from siamattn_mm.datasets.sources.cutouts_from_png import cutouts_from_png


def picture(alpha, contrast=60):
    rng = np.random.default_rng(0)
    noise = rng.normal(128, contrast, (*alpha.shape, 3)).clip(0, 255)
    return np.dstack([noise, alpha]).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path):
    """One good picture, and four that are left out."""
    disc = np.zeros((400, 300), np.uint8)
    cv2.circle(disc, (150, 200), 110, 255, -1)
    outline = np.zeros((400, 300), np.uint8)
    cv2.circle(outline, (150, 200), 110, 255, 2)
    folder = tmp_path / 'png'
    for name, image in {
            'animals/disc.png': picture(disc),
            'animals/outline.png': picture(outline),
            'animals/silhouette.png': picture(disc, contrast=0),
            'framed.png': picture(np.full((200, 200), 255, np.uint8)),
            'small.png': picture(disc[::10, ::10]),
            'no_alpha.png': picture(disc)[..., :3]
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), image)
    return folder


def test_solid_objects_are_kept(pictures, tmp_path):
    out = tmp_path / 'out'
    assert cutouts_from_png(str(pictures), str(out), max_side=110) == 1
    found = json.loads((out / 'instances.json').read_text())
    assert found['images'][0]['source_file'] == 'animals/disc.png'
    assert found['annotations'][0]['source_class'] == 'animals'
    frame = CocoSource(str(out)).read(0)
    # The disc alone, half as large, with a border of 2 pixels.
    assert frame.img.shape == (114, 114, 3)
    np.testing.assert_allclose(frame.bbox, [2, 2, 110, 110], atol=1)
    assert frame.mask.mean() == pytest.approx(
        np.pi * 55**2 / 114**2, rel=0.02)


def test_mistakes_are_named_and_leave_nothing(pictures, tmp_path):
    (tmp_path / 'there').mkdir()
    with pytest.raises(FileExistsError, match='there'):
        cutouts_from_png(str(pictures), str(tmp_path / 'there'))
    with pytest.raises(FileNotFoundError, match='no PNG files under'):
        cutouts_from_png(str(tmp_path / 'there'), str(tmp_path / 'out'))
    with pytest.raises(ValueError, match='none of the 6 PNG files'):
        cutouts_from_png(str(pictures), str(tmp_path / 'out'), min_side=500,
                         max_side=500)
    assert {p.name for p in tmp_path.iterdir()} == {'png', 'there'}


def test_the_tool_says_what_is_wrong_in_a_line(pictures, run_tool):
    code, _, error = run_tool('make_cutouts', pictures, pictures)
    assert code == 1 and 'is there already' in error
    assert len(error.splitlines()) == 1
