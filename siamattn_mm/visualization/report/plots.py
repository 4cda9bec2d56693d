"""The report's plots, as PNG files in memory."""
import io
from typing import List, Sequence, Tuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from siamattn_mm.evaluation.functional.ope import (
    NORM_PRECISION_THRESHOLDS,
    PRECISION_THRESHOLDS,
    SUCCESS_THRESHOLDS,
)

from .scores import ScoredSequence, ScoredTracker

# Okabe and Ito's colours, which colour-blind people tell apart; with each
# round through them the dashes change.
COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9')
DASHES = ('-', '--', ':', '-.')
_GREY = '#666666'
# Curve, what is below it, its thresholds, and the figure in the legend.
CURVE_AXES = dict(
    success=('Success', 'overlap threshold', SUCCESS_THRESHOLDS),
    norm_precision=('Normalised precision',
                    'centre error threshold, in target sizes',
                    NORM_PRECISION_THRESHOLDS),
    precision=('Precision', 'centre error threshold, in pixels',
               PRECISION_THRESHOLDS))


def style_of(index: int) -> Tuple[str, str]:
    """Colour and dashes of a tracker.

    Args:
        index (int): Its place among the trackers.

    Returns:
        tuple[str, str]: ``'#rrggbb'`` and matplotlib's line style.
    """
    return (COLORS[index % len(COLORS)],
            DASHES[index // len(COLORS) % len(DASHES)])


def plot_curves(name: str, trackers: Sequence[ScoredTracker]) -> bytes:
    """One kind of curve of all trackers, the best one first in the legend.

    Args:
        name (str): ``'success'``, ``'norm_precision'`` or ``'precision'``.
        trackers (Sequence[ScoredTracker]): At least one.

    Returns:
        bytes: A PNG file.
    """
    title, label, thresholds = CURVE_AXES[name]
    figure, (axes, ) = _figure(1, (5.2, 4.2))
    order = sorted(
        range(len(trackers)), key=lambda i: -trackers[i].figures[name])
    for place, i in enumerate(order):
        color, dashes = style_of(i)
        tracker = trackers[i]
        axes.plot(
            thresholds,
            tracker.curves[name],
            dashes,
            color=color,
            linewidth=2,
            zorder=3 + len(order) - place,
            label=f'{tracker.figures[name]:.3f}  {_shorten(tracker.name)}')
    axes.set_xlim(thresholds[0], thresholds[-1])
    axes.set_ylim(0, 1.005)
    axes.set_title(title, fontsize=12)
    axes.set_xlabel(label)
    axes.set_ylabel('share of frames')
    corner = 'lower left' if name == 'success' else 'lower right'
    axes.legend(loc=corner, fontsize=8.5, framealpha=.85, edgecolor='none')
    return _png(figure)


def plot_timeline(name: str, scored: Sequence[ScoredSequence]) -> bytes:
    """Overlap and score over time, all trackers on one sequence.

    Args:
        name (str): The sequence.
        scored (Sequence[ScoredSequence]): One a tracker.

    Returns:
        bytes: A PNG file.
    """
    with_scores = any(s.result.scores is not None for s in scored)
    figure, rows = _figure(1 + with_scores, (7.6, 1.5 + 1.5 * with_scores))
    frames = np.arange(len(scored[0].iou))
    for i, sequence in enumerate(scored):
        color, dashes = style_of(i)
        line = dict(color=color, linestyle=dashes, linewidth=1.4)
        rows[0].plot(frames, sequence.iou, **line)
        if sequence.result.scores is not None:
            rows[1].plot(frames, sequence.result.scores, **line)
    for axes, label in zip(rows, ('overlap', 'score')):
        _shade(axes, np.isnan(scored[0].iou))
        axes.set_xlim(0, max(1, frames[-1]))
        axes.set_ylim(-0.02, 1.02)
        axes.set_yticks([0, .5, 1])
        axes.set_ylabel(label)
    for axes in rows[:-1]:
        axes.tick_params(labelbottom=False)
    rows[-1].set_xlabel(f'frame of {_shorten(name)}')
    return _png(figure)


def _shade(axes: Axes, absent: np.ndarray) -> None:
    """Grey where the target is absent."""
    edges = np.flatnonzero(np.diff(np.r_[0, absent.astype(int), 0]))
    for start, stop in edges.reshape(-1, 2):
        axes.axvspan(
            start - .5, stop - .5, color='#bbbbbb', alpha=.5, linewidth=0)


def _figure(rows: int, size: Tuple[float, float]) -> Tuple[Figure, List[Axes]]:
    # Without pyplot: no window system, and nothing to close.
    figure = Figure(figsize=size, dpi=130, layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    for one in axes:
        one.grid(color='#dddddd', linewidth=.7)
        one.set_axisbelow(True)
        one.tick_params(colors=_GREY, labelsize=9)
        for side, spine in one.spines.items():
            spine.set_visible(side in ('left', 'bottom'))
            spine.set_color('#999999')
    return figure, list(axes)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # The version of matplotlib in a file would make equal plots differ.
    figure.savefig(file, format='png', metadata=dict(Software=None))
    return file.getvalue()


def _shorten(name: str, length: int = 38) -> str:
    return name if len(name) <= length else name[:length - 1] + '…'
