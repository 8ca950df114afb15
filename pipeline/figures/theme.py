"""
Sizes in millimetres, one set of fonts, axes in UTC: the look that all figures share.

A figure is drawn inside ``with theme():`` on a `matplotlib.figure.Figure` of its own. pyplot is never used,
so that no backend is chosen, no window is opened and no figure stays behind in a worker.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pipeline.figures.palettes import CATEGORICAL, INK, PAPER, QUIET

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "BODY_PT",
    "DPI",
    "MM_PER_INCH",
    "MM_PER_POINT",
    "SMALL_PT",
    "TITLE_PT",
    "axis_label",
    "figure_mm",
    "sheet_mm",
    "text_width_mm",
    "theme",
    "utc_axis",
]

MM_PER_INCH: Final = 25.4
MM_PER_POINT: Final = MM_PER_INCH / 72
DPI: Final = 200

TITLE_PT: Final = 11.0
BODY_PT: Final = 8.0
SMALL_PT: Final = 7.0

_FONT: Final = "DejaVu Sans"  # comes with matplotlib: the same on every machine

_SETTINGS: Final[dict[str, Any]] = {
    "font.family": _FONT,
    "font.size": BODY_PT,
    "axes.titlesize": TITLE_PT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": BODY_PT,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.fontsize": SMALL_PT,
    "legend.frameon": False,
    "figure.titlesize": TITLE_PT,
    "figure.facecolor": PAPER,
    "figure.dpi": DPI,
    "savefig.dpi": "figure",
    "axes.facecolor": PAPER,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E7E9",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "timezone": "UTC",
    "svg.fonttype": "path",
    "svg.hashsalt": "stationday",
}

# matplotlib's settings are global: two threads of one worker must not draw under each other's.
_DRAWING = threading.RLock()


@contextlib.contextmanager
def theme() -> Iterator[None]:
    """
    Draw, or turn into bytes, under stationday's settings, whatever the user's own matplotlibrc says.

    The settings before are back afterwards; one thread at a time can be inside.
    """
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib import style

    with _DRAWING, style.context("default"), mpl.rc_context(_SETTINGS):
        mpl.rcParams["axes.prop_cycle"] = cycler(color=CATEGORICAL)
        yield


def figure_mm(width_mm: float, height_mm: float, *, dpi: int = DPI) -> Figure:
    """Return an empty figure of a size in millimetres, to be used within `theme`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), dpi=dpi)


def sheet_mm(width_mm: float, height_mm: float, *, dpi: int = DPI) -> tuple[Figure, Axes]:
    """
    Return an empty figure, and axes without a frame that cover it in millimetres from its upper left corner.

    For what is laid out like a page: charts whose size depends on what they show, tables, legends.
    """
    figure = figure_mm(width_mm, height_mm, dpi=dpi)
    sheet = figure.add_axes((0, 0, 1, 1))
    sheet.set(xlim=(0, width_mm), ylim=(height_mm, 0))
    sheet.set_axis_off()
    return figure, sheet


def text_width_mm(text: str, size_pt: float, *, weight: str = "normal") -> float:
    """Measure a line of text in millimetres, before anything is drawn."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=_FONT, weight=weight, size=size_pt)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) * MM_PER_POINT


def axis_label(quantity: str, unit: str = "") -> str:
    """
    Return the label of an axis, with its unit.

    >>> axis_label("depth", "km"), axis_label("SNR")
    ('Depth (km)', 'SNR')
    """
    capital = quantity[:1].upper() + quantity[1:]
    return f"{capital} ({unit})" if unit else capital


def utc_axis(axis: Axis) -> None:
    """Give an axis of times ticks at round UTC times, and say that they are UTC."""
    import datetime as dt

    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=dt.UTC, minticks=3, maxticks=8)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator, tz=dt.UTC))
    axis.set_label_text(axis_label("time", "UTC"))
