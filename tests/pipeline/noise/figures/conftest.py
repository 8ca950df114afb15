"""What every picture has to keep: no text upon another or off the sheet, and figures that can be written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

SLACK_PX = 0.6


@pytest.fixture
def check_texts() -> Callable[[Figure], list[str]]:
    """Return a check that gives back the texts that can be read."""
    return _check_texts


def _check_texts(figure: Figure) -> list[str]:
    figure.dpi = 60  # enough to measure by
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    beyond = _beyond(figure)
    texts = [
        each
        for each in figure.findobj(Text)
        if each.get_visible() and each.get_text().strip() and each not in beyond
    ]
    boxes = np.array([Text.get_window_extent(each, renderer).extents for each in texts])
    width, height = figure.bbox.size
    off = (boxes[:, :2] < -SLACK_PX).any(axis=1) | (boxes[:, 2:] > np.array([width, height]) + SLACK_PX).any(
        axis=1
    )
    assert not off.any(), [texts[k].get_text() for k in np.flatnonzero(off)]
    apart = (boxes[:, None, :2] + SLACK_PX >= boxes[None, :, 2:] - SLACK_PX).any(axis=-1)
    apart |= apart.T
    touching = np.argwhere(~apart & ~np.eye(len(boxes), dtype=bool))
    assert len(touching) == 0, [texts[k].get_text() for k in touching[0]]
    return [each.get_text() for each in texts]


def _beyond(figure: Figure) -> set[Text]:
    """Return labels of ticks that matplotlib holds beyond the limits of an axis, and does not draw."""
    found = set()
    for axis in figure.findobj(Axis):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-6 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not (axis.get_visible() and low - slack <= tick.get_loc() <= high + slack):
                found |= {tick.label1, tick.label2}
    return found
