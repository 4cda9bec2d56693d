"""Drawing a box with the mouse."""
import matplotlib
import numpy as np
import pytest

matplotlib.use('agg')
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.backend_bases import KeyEvent, MouseEvent  # noqa: E402

from siamattn_mm.visualization.select_box import select_box  # noqa: E402


@pytest.fixture(autouse=True)
def no_figures():
    """Others, such as got10k's plots, leave theirs open."""
    plt.close('all')


@pytest.fixture
def user(monkeypatch):
    """Somebody at a window, who drags from one pixel to another."""

    def set_up(corner, opposite):

        def show():
            axes = plt.gca()
            canvas = axes.figure.canvas
            canvas.draw()
            for name, point in (('button_press_event', corner),
                                ('motion_notify_event', opposite),
                                ('button_release_event', opposite)):
                if point is not None:
                    event = MouseEvent(name, canvas,
                                       *axes.transData.transform(point), 1)
                    canvas.callbacks.process(name, event)
            canvas.callbacks.process(
                'key_press_event', KeyEvent('key_press_event', canvas,
                                            'enter'))
            assert not plt.get_fignums()  # Enter closes the window

        monkeypatch.setattr(plt, 'get_backend', lambda: 'TkAgg')
        monkeypatch.setattr(plt, 'show', show)

    return set_up


@pytest.mark.parametrize('corner, opposite', [((20, 30), (60, 80)),
                                              ((60, 80), (20, 30)),
                                              ((60, 30), (20, 80))])
def test_box_between_two_corners(user, corner, opposite):
    user(corner, opposite)
    box = select_box(np.zeros((120, 160, 3), np.uint8))
    # Pixel 20 reaches from 19.5 to 20.5 in the plot, from 20 to 21 in a box.
    assert box == pytest.approx((20.5, 30.5, 40, 50), abs=0.5)


def test_nothing_drawn(user):
    user(None, None)
    with pytest.raises(ValueError, match='no box was drawn'):
        select_box(np.zeros((120, 160, 3), np.uint8))


def test_no_window():
    assert plt.get_backend().lower() == 'agg'
    with pytest.raises(ValueError, match='no window can be opened'):
        select_box(np.zeros((120, 160, 3), np.uint8))
    assert not plt.get_fignums()
