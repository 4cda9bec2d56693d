"""The report as HTML."""
import base64
import math
from html import escape
from typing import List, NamedTuple, Optional, Sequence

from siamattn_mm.version import __version__

from .plots import CURVE_AXES, style_of
from .scores import ScoredTracker, average
from .sequences import ReportSequence
from .style import PAGE, SCRIPT, STYLE

# Key of a figure, heading, digits, what it is.
FIGURES = (
    ('success', 'Success', 3, 'area under the success curve'),
    ('norm_precision', 'Norm. precision', 3,
     'area under the normalised precision curve'),
    ('precision', 'Precision', 3,
     'share of frames whose centre is at most 20 pixels off'),
    ('AO', 'AO', 3, 'mean overlap, the first frame left out'),
    ('SR0.5', 'SR 0.5', 3, 'share of frames with an overlap above 0.5'),
    ('SR0.75', 'SR 0.75', 3, 'share of frames with an overlap above 0.75'),
    ('J', 'Mask J', 3, 'mean overlap of the masks'),
    ('fps', 'Frames/s', 1, 'in the tracker alone'),
)


class Picture(NamedTuple):
    """An image that is embedded in the page.

    Attributes:
        name (str): Of its file beside the page, ``.png`` or ``.jpg``.
        data (bytes): The file's content.
        alt (str): What it shows, for those who do not see it.
        caption (str): Below it.
    """
    name: str
    data: bytes
    alt: str
    caption: str = ''

    def html(self) -> str:
        """As a figure, without any reference outside the page."""
        kind = 'png' if self.name.endswith('.png') else 'jpeg'
        code = base64.b64encode(self.data).decode('ascii')
        plot = ' class="plot"' if kind == 'png' else ''
        caption = (f'<figcaption>{escape(self.caption)}</figcaption>'
                   if self.caption else '')
        return (f'<figure><img{plot} alt="{escape(self.alt)}" '
                f'src="data:image/{kind};base64,{code}">{caption}</figure>')


class Strip(NamedTuple):
    """Frames of one sequence, which go into as many columns as fit.

    Attributes:
        title (str): Above them.
        frames (list[Picture]): One each.
    """
    title: str
    frames: List[Picture]

    def html(self) -> str:
        """As a grid of figures."""
        frames = ''.join(frame.html() for frame in self.frames)
        return (f'<h3>{escape(self.title)}</h3>'
                f'<div class="frames">{frames}</div>')


class Page(NamedTuple):
    """All that is on the page.

    Attributes:
        title (str): Heading.
        notes (list[str]): Sentences below it.
        trackers (list[ScoredTracker]): The first one is the reference.
        sequences (list[ReportSequence]): The same as the trackers'.
        curves (list[Picture]): Of all sequences.
        strips (list[Strip]): Of some sequences.
        timelines (list[Picture]): One a sequence.
    """
    title: str
    notes: List[str]
    trackers: List[ScoredTracker]
    sequences: List[ReportSequence]
    curves: List[Picture]
    strips: List[Strip]
    timelines: List[Picture]

    def html(self) -> str:
        """The whole page."""
        sections = [
            _section('All sequences', _overview(self.trackers)),
            _section(
                'Curves', '<div class="plots">' +
                ''.join(picture.html() for picture in self.curves) + '</div>'),
            _section('Sequences', _per_sequence(self)),
            _section('Attributes', _per_attribute(self)),
            _section(
                'Best, median and worst', '<p>White: ground truth; the '
                'trackers have the colours of their curves.</p>' +
                ''.join(strip.html() for strip in self.strips)),
            _section('Over time', _timelines(self)),
        ]
        return PAGE.substitute(
            title=escape(self.title),
            version=escape(__version__),
            summary=escape(' '.join(self.notes)),
            style=STYLE,
            script=SCRIPT,
            sections='\n'.join(filter(None, sections)))


def _section(heading: str, content: str) -> str:
    if not content:
        return ''
    return f'<section>\n<h2>{heading}</h2>\n{content}\n</section>'


def _known(trackers: Sequence[ScoredTracker]) -> List[tuple]:
    """The figures that are known of any tracker."""
    return [
        figure for figure in FIGURES
        if any(not math.isnan(t.figures[figure[0]]) for t in trackers)
    ]


def _overview(trackers: Sequence[ScoredTracker]) -> str:
    figures = _known(trackers)
    columns = [
        _cells([t.figures[key] for t in trackers], digits)
        for key, _, digits, _ in figures
    ]
    rows = [
        _name_cell(tracker.name, i) + ''.join(column[i] for column in columns)
        for i, tracker in enumerate(trackers)
    ]
    heads = ['Tracker'] + [
        f'<abbr title="{escape(what)}">{heading}</abbr>'
        for _, heading, _, what in figures
    ]
    return _table('Means over all sequences', heads, rows)


def _per_sequence(page: Page) -> str:
    """A table for each figure, of which the script shows one."""
    options, tables = [], []
    for key, heading, digits, what in _known(page.trackers):
        options.append(f'<option value="{key}">{heading}: {what}</option>')
        rows = []
        for i, sequence in enumerate(page.sequences):
            values = [t.sequences[i].figures[key] for t in page.trackers]
            rows.append(
                _name_cell(sequence.name) +
                f'<td data-value="{len(sequence.data)}">'
                f'{len(sequence.data)}</td>' +
                ''.join(_cells(values, digits)))
        total = sum(len(sequence.data) for sequence in page.sequences)
        means = _cells([t.figures[key] for t in page.trackers], digits)
        foot = (f'<th scope="row">Mean of {len(rows)}</th><td>{total}</td>' +
                ''.join(means))
        heads = ['Sequence', 'Frames'] + [
            _key(i) + escape(t.name) for i, t in enumerate(page.trackers)
        ]
        tables.append(
            f'<div data-figure="{key}"><h3>{heading}: {what}</h3>' +
            _table(f'{heading} of each sequence', heads, rows, foot) +
            '</div>')
    choice = ('<p hidden><label for="figure">Figure </label>'
              f'<select id="figure">{"".join(options)}</select></p>')
    return choice + ''.join(tables)


def _per_attribute(page: Page) -> str:
    names = sorted({a for s in page.sequences for a in s.attributes})
    rows = []
    for name in names:
        chosen = [
            i for i, s in enumerate(page.sequences) if name in s.attributes
        ]
        values = [
            average([t.sequences[i] for i in chosen])['success']
            for t in page.trackers
        ]
        rows.append(
            _name_cell(name) +
            f'<td data-value="{len(chosen)}">{len(chosen)}</td>' +
            ''.join(_cells(values, 3)))
    heads = ['Attribute', 'Sequences'] + [
        _key(i) + escape(t.name) for i, t in enumerate(page.trackers)
    ]
    return _table('Mean success of the sequences with each attribute', heads,
                  rows) if rows else ''


def _timelines(page: Page) -> str:
    parts = ['<p>Grey: the target is absent.</p>']
    for i, (sequence, picture) in enumerate(
            zip(page.sequences, page.timelines)):
        figures = [t.sequences[i].figures for t in page.trackers]
        values = ', '.join(f'{f["success"]:.3f}' for f in figures)
        notes = ''.join(
            f'<p>{escape(tracker.name)}: median score '
            f'{f["absent_score"]:.3f} without the target, '
            f'{f["visible_score"]:.3f} with it.</p>'
            for tracker, f in zip(page.trackers, figures)
            if not math.isnan(f['absent_score']))
        parts.append(f'<details{" open" if i < 3 else ""}><summary>'
                     f'{escape(sequence.name)}: success {values}</summary>'
                     f'{picture.html()}{notes}</details>')
    return ''.join(parts)


def _table(caption: str,
           heads: Sequence[str],
           rows: Sequence[str],
           foot: Optional[str] = None) -> str:
    head = ''.join(f'<th scope="col">{text}</th>' for text in heads)
    body = '\n'.join(f'<tr>{row}</tr>' for row in rows)
    tail = f'<tfoot><tr>{foot}</tr></tfoot>' if foot else ''
    return ('<div class="scroll" tabindex="0" role="region" '
            f'aria-label="{escape(caption)}"><table class="sortable">'
            f'<caption class="hidden">{escape(caption)}</caption>'
            f'<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>\n'
            f'{tail}</table></div>')


def _cells(values: Sequence[float], digits: int) -> List[str]:
    """One cell a tracker; those that show the largest number are marked."""
    shown = ['' if math.isnan(v) else f'{v:.{digits}f}' for v in values]
    best = max((float(text) for text in shown if text), default=None)
    cells = []
    for value, text in zip(values, shown):
        if len(values) > 1 and text and float(text) == best:
            cells.append(f'<td class="best" data-value="{value:.6f}">{text}'
                         '<span class="hidden"> (best)</span></td>')
        else:
            number = f'{value:.6f}' if text else ''
            cells.append(f'<td data-value="{number}">{text or "–"}</td>')
    return cells


def _name_cell(name: str, style: Optional[int] = None) -> str:
    key = '' if style is None else _key(style)
    return (f'<th scope="row" data-value="{escape(name)}">{key}'
            f'{escape(name)}</th>')


def _key(index: int) -> str:
    """A piece of the tracker's line."""
    color, dashes = style_of(index)
    kind = {'-': 'solid', ':': 'dotted'}.get(dashes, 'dashed')
    return (f'<span class="key" style="border-color:{color};'
            f'border-top-style:{kind}"></span>')


def curve_alt(name: str, trackers: Sequence[ScoredTracker]) -> str:
    """What a plot of curves says, in words.

    Args:
        name (str): Of the curve.
        trackers (Sequence[ScoredTracker]): In it.

    Returns:
        str: One sentence.
    """
    values = ', '.join(f'{t.name} {t.figures[name]:.3f}' for t in trackers)
    title, label, _ = CURVE_AXES[name]
    return f'{title} against {label}: {values}'
