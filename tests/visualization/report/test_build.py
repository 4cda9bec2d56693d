"""Tests of siamattn_mm.visualization.report: the page itself."""
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from siamattn_mm.visualization.report import (
    ResultFolder,
    ResultFolderError,
    build_report,
)
from siamattn_mm.visualization.report.plots import plot_curves, style_of
from siamattn_mm.visualization.report.scores import score_tracker
from siamattn_mm.visualization.report.strips import make_tiles

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
FILES = [
    'norm_precision.png', 'precision.png', 'report.html', 'strip_best.jpg',
    'strip_median.jpg', 'strip_worst.jpg', 'success.png', 'timeline_a.png',
    'timeline_b.png', 'timeline_c.png'
]
VOID = {'meta', 'link', 'img', 'br', 'input'}


class Checker(HTMLParser):
    """Collects tags, and complains about those that do not close."""

    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def page(folders, sequences, tmp_path):
    build_report(folders, sequences, str(tmp_path), 'A <title> & more')
    return (tmp_path / 'report.html').read_text(encoding='utf-8')


def test_the_files(page, tmp_path):
    assert sorted(os.listdir(str(tmp_path))) == FILES
    for name in FILES:
        if not name.endswith('.html'):
            image = cv2.imread(str(tmp_path / name))
            assert image.std() > 10 and image.shape[1] > 600, name


def test_the_page_is_whole_and_alone(page):
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    assert 'A &lt;title&gt; &amp; more' in page
    for tag, attrs in checker.tags:
        for key in ('src', 'href', 'srcset', 'data'):
            assert attrs.get(key, 'data:').startswith('data:'), (tag, attrs)
    assert not re.search(r'https?://|@import|url\(', page)
    images = [attrs for tag, attrs in checker.tags if tag == 'img']
    # Three curves, six frames of three sequences, a timeline each.
    assert len(images) == 3 + 3 * 6 + 3
    assert all(image['alt'] for image in images)
    assert any(tag == 'html' and attrs['lang'] for tag, attrs in checker.tags)


def test_the_tables_hold_the_figures(page, folders, sequences):
    for folder in folders:
        tracker = score_tracker(folder, sequences)
        for scored in tracker.sequences:
            assert f'data-value="{scored.figures["success"]:.6f}"' in page
        assert f'data-value="{tracker.figures["success"]:.6f}"' in page
    # The better one is marked, wherever it is.
    table = page[page.index('<h3>Success:'):page.index('<h3>Norm.')]
    cells = re.findall(r'<tr><th[^>]*>(?:<[^>]*></[^>]*>)*(\w)</th>.*?</tr>',
                       table)
    assert cells == ['a', 'b', 'c']
    assert table.count('class="best"') == 4
    rows = re.findall(r'<tr>.*?</tr>', table)[1:]
    assert all(row.index('class="best"') < row.rindex('<td') for row in rows)
    attributes = page[page.index('<h2>Attributes'):page.index('<h2>Best')]
    assert re.search(r'blur</th><td data-value="2">2</td>', attributes)
    assert 'out of view</th><td data-value="1">' in attributes
    assert 'median score 0.100 without the target, 0.700 with it' in page


def test_best_and_worst(page):
    titles = re.findall(r'<h3>(Best|Median|Worst): (\w)', page)
    assert [rank for rank, _ in titles] == ['Best', 'Median', 'Worst']
    assert len({name for _, name in titles}) == 3


def test_the_same_again(page, folders, sequences, tmp_path):
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    build_report(folders, sequences, str(tmp_path), 'A <title> & more')
    assert before == {name: (tmp_path / name).read_bytes() for name in FILES}


def test_only_what_all_have(material, sequences, tmp_path):
    part = tmp_path / 'part'
    shutil.copytree(str(material / 'bad' / 'results'), str(part))
    (part / 'b.txt').unlink()
    folders = [ResultFolder(str(material / 'good')), ResultFolder(str(part))]
    trackers = build_report(folders, sequences, str(tmp_path / 'out'))
    assert len(trackers[0].sequences) == 2
    page = (tmp_path / 'out' / 'report.html').read_text(encoding='utf-8')
    assert 'not all trackers have them: b (1 of 3)' in page
    for name in 'ac':
        (part / f'{name}.txt').unlink()
    with pytest.raises(ResultFolderError, match='of the data set\'s 3 seq'):
        build_report(folders, sequences, str(tmp_path / 'none'))
    assert not (tmp_path / 'none').exists()


def test_one_tracker_marks_nothing(material, sequences, tmp_path):
    build_report([ResultFolder(str(material / 'bad'))], sequences,
                 str(tmp_path))
    page = (tmp_path / 'report.html').read_text(encoding='utf-8')
    assert 'class="best"' not in page and 'Mask J' not in page


def test_boxes_are_where_they_should_be(folders, sequences):
    scored = [score_tracker(f, sequences).sequences[0] for f in folders]
    tile = make_tiles(sequences[0], scored)[2]
    assert tile.caption == 'frame 2: overlap 0.88'
    scale = 300 / 80
    # Left sides at the middle of the box's height: truth, then the trackers.
    row = tile.image[round(26 * scale)].astype(int)
    assert row[round(22 * scale)].min() > 160
    for index, left in ((0, 23), (1, 31)):
        color = style_of(index)[0]
        bgr = [int(color[i:i + 2], 16) for i in (5, 3, 1)]
        near = row[round(left * scale) - 2:round(left * scale) + 3]
        assert np.abs(near - bgr).sum(axis=1).min() < 60, index


def test_the_curve_is_drawn_in_its_colour(folders, sequences):
    trackers = [score_tracker(f, sequences) for f in folders]
    data = np.frombuffer(plot_curves('success', trackers), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR).astype(int)
    for index in range(2):
        color = style_of(index)[0]
        bgr = [int(color[i:i + 2], 16) for i in (5, 3, 1)]
        assert (np.abs(image - bgr).sum(axis=2) < 30).sum() > 300


PROBE = """<script>
const table = document.querySelectorAll('table')[1];
table.querySelectorAll('button')[2].click();
const values = [...table.tBodies[0].rows].map(
  row => +row.cells[2].dataset.value);
document.body.dataset.probe = [
  innerWidth,
  Math.max(0, document.documentElement.scrollWidth - innerWidth),
  [...document.images].filter(image => !image.naturalWidth).length,
  [...document.querySelectorAll('[data-figure]')]
    .filter(part => !part.hidden).length,
  values.every(value => value <= values[0])].join();
</script></body>"""


@pytest.fixture(scope='module')
def browse(tmp_path_factory):
    """Run a headless browser on a file."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f'none of {", ".join(BROWSERS)} is installed')
    profile = tmp_path_factory.mktemp('profile')

    def run(path, *flags):
        return subprocess.run([
            browser, '--headless', '--no-sandbox', '--disable-gpu',
            '--hide-scrollbars', f'--user-data-dir={profile}', *flags,
            f'file://{path}'
        ],
                              timeout=120,
                              check=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL,
                              universal_newlines=True).stdout

    return run


def test_in_a_browser(page, tmp_path, browse):
    shot = tmp_path / 'shot.png'
    browse(tmp_path / 'report.html', '--window-size=1000,2400',
           f'--screenshot={shot}')
    image = cv2.imread(str(shot))
    assert image.shape[:2] == (2400, 1000)
    # Headings and tables on white, then pictures: no empty page.
    assert image[:300].min() < 60 and image[300:2300].std() > 15


def test_on_a_phone(page, tmp_path, browse):
    probe = tmp_path / 'probe.html'
    frame = tmp_path / 'frame.html'
    probe.write_text(page.replace('</body>', PROBE), encoding='utf-8')
    # The window itself cannot be that narrow.
    frame.write_text(f"""<body><iframe src="{probe}" width="360" height="700">
</iframe><script>onload = () => document.body.dataset.probe =
frames[0].document.body.dataset.probe</script>""")
    dom = browse(frame, '--allow-file-access-from-files', '--dump-dom')
    # Nothing sticks out, no broken picture, one table at a time, sorted.
    assert re.search('data-probe="([^"]*)"', dom).group(1) == '360,0,0,1,true'
