"""Sheets in millimetres, axes of period and the noise models: what pictures of noise share."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.figures.palettes import PAPER, QUIET
from pipeline.figures.theme import (
    BODY_PT,
    SMALL_PT,
    TITLE_PT,
    axis_label,
    figure_mm,
    theme,
)
from pipeline.noise.figures.labels import fitting_text, halo
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.signal.precision import FloatArray

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "HEADING_MM",
    "MARGIN_MM",
    "PPSD_UNIT",
    "Sheet",
    "blank_sheet",
    "cell_edges",
    "draw_empty",
    "draw_models",
    "few_times",
    "frequency_axis",
    "period_axis",
]

MARGIN_MM: Final = 5.0
HEADING_MM: Final = 15.0
PPSD_UNIT: Final = "dB re 1 (m/s²)²/Hz"
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A figure that is laid out in millimetres from its upper left corner."""

    figure: Figure
    width_mm: float
    height_mm: float

    def axes(self, left_mm: float, top_mm: float, width_mm: float, height_mm: float, **options: Any) -> Axes:
        """Add axes; ``options`` as matplotlib's ``add_axes`` takes them."""
        return self.figure.add_axes(
            (
                left_mm / self.width_mm,
                1 - (top_mm + height_mm) / self.height_mm,
                width_mm / self.width_mm,
                height_mm / self.height_mm,
            ),
            **options,
        )

    def text(self, x_mm: float, y_mm: float, text: str, **options: Any) -> None:
        """Write a text; ``options`` as matplotlib's ``Figure.text`` takes them."""
        options.setdefault("va", "center")
        options.setdefault("size", SMALL_PT)
        self.figure.text(x_mm / self.width_mm, 1 - y_mm / self.height_mm, text, **options)


def blank_sheet(width_mm: float, height_mm: float, title: str, subtitle: str = "") -> Sheet:
    """Return a sheet with its heading, whose texts shrink to its width, to be used within `theme`."""
    sheet = Sheet(figure_mm(width_mm, height_mm), width_mm, height_mm)
    room_mm = width_mm - 2 * MARGIN_MM
    text, size = fitting_text(title, TITLE_PT, room_mm, weight="bold")
    sheet.text(MARGIN_MM, 6.0, text, size=size, weight="bold")
    text, size = fitting_text(subtitle, BODY_PT, room_mm)
    sheet.text(MARGIN_MM, 11.0, text, size=size)
    return sheet


def draw_empty(title: str, reason: str) -> Figure:
    """Return the figure that stands where there is nothing to draw, and says why."""
    with theme():
        width_mm = 110.0
        sheet = blank_sheet(width_mm, 34.0, title)
        text, size = fitting_text(reason, BODY_PT, width_mm - 2 * MARGIN_MM)
        sheet.text(MARGIN_MM, 20.0, text, size=size, color=QUIET)
    return sheet.figure


def cell_edges(period_s: ArrayLike) -> FloatArray:
    """
    Return the edges of cells around periods, halfway between them in logarithm.

    Parameters
    ----------
    period_s : array_like, shape (periods,)
        Rising, two or more.

    Raises
    ------
    ConfigError
        If they do not rise from above 0.

    Examples
    --------
    >>> cell_edges([1.0, 4.0]).tolist()
    [0.5, 2.0, 8.0]
    """
    period = np.asarray(period_s, dtype=np.float64)
    if period.ndim != 1 or period.size < 2 or not (period > 0).all() or not (np.diff(period) > 0).all():
        raise ConfigError(
            f"period_s should hold two periods or more that rise above 0 s, got {np.array2string(period)}"
        )
    middle = np.sqrt(period[:-1] * period[1:])
    return np.concatenate([[period[0] ** 2 / middle[0]], middle, [period[-1] ** 2 / middle[-1]]])


def period_axis(
    axis: Axis, limits: tuple[float, float], quantity: str = "period", unit: str = "s", *, label: bool = True
) -> None:
    """Give a logarithmic axis plain numbers at its decades, and between them where they are few."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = abs(math.log10(limits[1] / limits[0]))
    subs = (1.0, 2.0, 5.0) if decades < 1.7 else (1.0,)
    axis.set_major_locator(LogLocator(base=10, subs=subs, numticks=20))
    axis.set_major_formatter(FuncFormatter(_plain))
    axis.set_minor_locator(LogLocator(base=10, subs=tuple(range(2, 10)), numticks=100))
    axis.set_minor_formatter(NullFormatter())
    if label:
        axis.set_label_text(axis_label(quantity, unit))


def frequency_axis(axes: Axes, *, side: Literal["top", "right"] = "top") -> None:
    """Give axes of periods a second scale, in Hz, at the top or at the right."""
    functions = (_inverse, _inverse)
    if side == "top":
        period_axis(
            axes.secondary_xaxis("top", functions=functions).xaxis, axes.get_xlim(), "frequency", "Hz"
        )
    else:
        period_axis(
            axes.secondary_yaxis("right", functions=functions).yaxis, axes.get_ylim(), "frequency", "Hz"
        )


def _inverse(values: ArrayLike) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(1 / np.asarray(values, dtype=np.float64))


def few_times(axis: Axis, most: int = 4) -> None:
    """Give the axis of a small panel few round UTC times, and no name."""
    import datetime as dt

    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=dt.UTC, minticks=2, maxticks=most)
    axis.set_major_locator(locator)
    axis.set_major_formatter(ConciseDateFormatter(locator, tz=dt.UTC, show_offset=False))


def _plain(value: float, _: object = None) -> str:
    """
    Write a tick: plainly within reach of the eye, as a power of ten beyond.

    >>> _plain(0.02), _plain(10_000.0), _plain(100_000.0), _plain(2e-5)
    ('0.02', '10000', '10⁵', '2·10⁻⁵')
    """
    if 1e-3 < value < 5e4:
        return f"{value:g}"
    power = math.floor(math.log10(value) + 1e-9)
    head = value / 10.0**power
    return ("" if abs(head - 1) < 1e-6 else f"{head:g}·") + "10" + str(power).translate(_SUPERSCRIPTS)


def draw_models(axes: Axes, *, along: str = "period", offset_db: float = 0.0, at: float = 0.5) -> None:
    """
    Draw Peterson's models within the limits of axes that are set, and name them.

    Parameters
    ----------
    axes : Axes
        With a logarithmic x axis.
    along : {"period", "frequency"}
        What x is.
    offset_db : float
        Of the unit of y over dB of 1 (m/s²)²/Hz.
    at : float
        Where along x the names stand, 0 to 1.
    """
    low, high = axes.get_xlim()
    x = np.geomspace(low, high, 600)
    period = x if along == "period" else 1 / x
    for name, model, side in (("NLNM", nlnm_db, "top"), ("NHNM", nhnm_db, "bottom")):
        level = model(period) + offset_db
        axes.plot(x, level, color=PAPER, lw=2.6, solid_capstyle="butt", zorder=3)
        axes.plot(x, level, color=QUIET, lw=1.3, zorder=3)
        near = np.flatnonzero(
            np.isfinite(level) & (level > axes.get_ylim()[0]) & (level < axes.get_ylim()[1])
        )
        if near.size:
            k = near[np.argmin(np.abs(near - at * (x.size - 1)))]
            axes.annotate(
                name,
                (x[k], level[k]),
                xytext=(0, 3 if side == "bottom" else -3),
                textcoords="offset points",
                ha="center",
                va=side,
                size=SMALL_PT,
                color="#5D636B",
                path_effects=halo(),
                zorder=6,
                annotation_clip=True,
            )
