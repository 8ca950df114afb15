"""
Noise magnitudes of stations in time, with the days that they were made of.

Up to eight stations share one pair of axes and are named beside their lines; more stand in panels of their
own over one scale, so that what is high and what rises can be compared by eye. Ticks below mark quiet days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.figures.palettes import CATEGORICAL, INK, PAPER
from pipeline.figures.theme import (
    BODY_PT,
    SMALL_PT,
    axis_label,
    text_width_mm,
    theme,
    utc_axis,
)
from pipeline.noise.figures.labels import DateMark, dates_depth_mm, draw_dates, fitting_text, name_lines
from pipeline.noise.figures.panels import HEADING_MM, MARGIN_MM, Sheet, blank_sheet, draw_empty, few_times
from pipeline.signal.precision import FloatArray

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MagnitudeSeries", "magnitude_chart"]

_TOGETHER: Final = len(CATEGORICAL)
_LEFT_MM: Final = 15.0
_WIDE_MM: Final = 128.0
_HIGH_MM: Final = 72.0
_TICK_ROW_MM: Final = 1.9
_PAGE_MM: Final = 180.0
_SMALL_HIGH_MM: Final = 17.0
_FEW_HIGH_MM: Final = 28.0
_SMALL_GAP_MM: Final = 7.0
_TICK_SHARE: Final = 0.09
_UNIT: Final = "log₁₀ µGal²/Hz + 2.5"
_LONGEST_STEP: Final = 1.8
_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class MagnitudeSeries:
    """
    Magnitudes of one station.

    Parameters
    ----------
    label : str
    day : ndarray, shape (times,)
        Days since 1970 at which magnitudes stand, the middle of their spans; rising.
    magnitude : ndarray, shape (times,)
        NaN where there is none: the line is broken.
    error : ndarray, shape (times,), optional
        Standard error or scatter; drawn to both sides.
    quiet_day : ndarray of int, optional
        Days since 1970 that the magnitudes were made of.

    Raises
    ------
    ConfigError
        If the arrays do not fit each other, or days do not rise.

    Examples
    --------
    >>> MagnitudeSeries(label="G01", day=np.array([1.0, 0.0]), magnitude=np.zeros(2))
    Traceback (most recent call last):
    pipeline.errors.ConfigError: G01: days should rise, got 1.0 before 0.0
    """

    label: str
    day: NDArray[Any]
    magnitude: NDArray[np.float64]
    error: NDArray[np.float64] | None = None
    quiet_day: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        shapes = [np.shape(each) for each in (self.magnitude, self.error) if each is not None]
        if any(shape != np.shape(self.day) or len(shape) != 1 for shape in shapes):
            raise ConfigError(
                f"{self.label}: magnitudes and errors of shapes {shapes} do not fit {np.shape(self.day)} days"
            )
        falls = np.flatnonzero(np.diff(self.day) <= 0)
        if falls.size:
            before, after = (float(self.day[falls[0] + k]) for k in (0, 1))
            raise ConfigError(f"{self.label}: days should rise, got {before} before {after}")

    @property
    def known(self) -> bool:
        """Whether there is any magnitude."""
        return bool(np.isfinite(self.magnitude).any())

    def pieces(self) -> list[tuple[FloatArray, FloatArray]]:
        """Return days and magnitudes without those that are missing, broken where steps are long."""
        there = np.isfinite(self.magnitude)
        day, value = np.asarray(self.day, dtype=np.float64)[there], np.asarray(self.magnitude)[there]
        if day.size < 2:
            return [(day, value)]
        step = float(np.median(np.diff(np.asarray(self.day, dtype=np.float64))))
        breaks = np.flatnonzero(np.diff(day) > _LONGEST_STEP * step) + 1
        return list(zip(np.split(day, breaks), np.split(value, breaks), strict=True))


def magnitude_chart(
    series: Sequence[MagnitudeSeries],
    *,
    title: str,
    quantity: str = "SNM",
    marks: Sequence[DateMark] = (),
    together: bool | None = None,
    limits: tuple[float, float] | None = None,
) -> Figure:
    """
    Draw noise magnitudes in time.

    Parameters
    ----------
    series : sequence of MagnitudeSeries
        Of as many stations as there are.
    title : str
    quantity : str
        SNM, SSNM or TNM.
    marks : sequence of DateMark
        An earthquake, for instance; those outside the magnitudes' time are left out.
    together : bool, optional
        Whether all share their axes; up to eight can, and do by default.
    limits : tuple of 2 float, optional
        Of the magnitudes.

    Returns
    -------
    matplotlib.figure.Figure
        Without any magnitude one that says so.

    Raises
    ------
    ConfigError
        If more than eight should share their axes.

    Examples
    --------
    >>> lhasa = MagnitudeSeries(label="Lhasa", day=np.arange(5) * 30.0, magnitude=np.full(5, 0.87))
    >>> magnitude_chart([lhasa], title="Tibet").axes[0].get_ylabel()
    'SNM (log₁₀ µGal²/Hz + 2.5)'
    """
    together = len(series) <= _TOGETHER if together is None else together
    if together and len(series) > _TOGETHER:
        raise ConfigError(f"{_TOGETHER} stations at most can share their axes, got {len(series)}")
    if not any(each.known for each in series):
        return draw_empty(title, f"There is no {quantity} of any of {len(series)} stations.")
    with theme():
        span = _span(series)
        limits = limits or _limits(series)
        draw = _draw_together if together else _draw_panels
        return draw(series, title, quantity, marks, span, limits)


def _span(series: Sequence[MagnitudeSeries]) -> tuple[float, float]:
    days = np.concatenate([np.asarray(each.day, dtype=np.float64) for each in series])
    quiet = [np.asarray(each.quiet_day, dtype=np.float64) for each in series if each.quiet_day is not None]
    days = np.concatenate([days, *quiet])
    low, high = float(days.min()), float(days.max())
    margin = max(0.02 * (high - low), 1.0)
    return low - margin, high + margin


def _limits(series: Sequence[MagnitudeSeries]) -> tuple[float, float]:
    ends = []
    for each in series:
        error = np.zeros(len(each.day)) if each.error is None else np.nan_to_num(each.error)
        there = np.isfinite(each.magnitude)
        ends += [*(each.magnitude - error)[there], *(each.magnitude + error)[there]]
    low, high = min(ends), max(ends)
    margin = max(0.06 * (high - low), 0.1)
    return float(low - margin), float(high + margin)


def _span_ns(span: tuple[float, float]) -> tuple[int, int]:
    return round(span[0] * _DAY_NS), round(span[1] * _DAY_NS)


def _subtitle(series: Sequence[MagnitudeSeries]) -> str:
    known = sum(each.known for each in series)
    days = np.concatenate([np.asarray(each.day, dtype=np.float64) for each in series])
    first, last = (str(np.datetime64(int(each), "D")) for each in (days.min(), days.max()))
    quiet = " · ticks: quiet days" if any(each.quiet_day is not None for each in series) else ""
    plural = "" if len(series) == 1 else "s"
    of = f"{known} of {len(series)}" if known < len(series) else f"{known}"
    return f"{of} station{plural} · {first} to {last}{quiet}"


def _draw_line(axes: Axes, each: MagnitudeSeries, colour: str, *, dots: bool) -> None:
    for day, value in each.pieces():
        axes.plot(day, value, color=colour, lw=1.1, zorder=3)
        if dots or day.size == 1:
            axes.plot(day, value, "o", color=colour, ms=2.6, mec=PAPER, mew=0.3, zorder=3.5)
    if each.error is not None:
        axes.errorbar(
            each.day,
            each.magnitude,
            each.error,
            fmt="none",
            ecolor=colour,
            elinewidth=0.5,
            alpha=0.6,
            zorder=2,
        )


# ---- all on one pair of axes


def _draw_together(
    series: Sequence[MagnitudeSeries],
    title: str,
    quantity: str,
    marks: Sequence[DateMark],
    span: tuple[float, float],
    limits: tuple[float, float],
) -> Figure:
    ticked = [each for each in series if each.quiet_day is not None and len(each.quiet_day)]
    label_mm = min(max(text_width_mm(each.label, SMALL_PT) for each in series), 45.0)
    top_mm = HEADING_MM + dates_depth_mm(marks, _span_ns(span), _WIDE_MM) + 1.0
    ticks_mm = len(ticked) * _TICK_ROW_MM + (1.5 if ticked else 0.0)
    sheet = blank_sheet(
        _LEFT_MM + _WIDE_MM + label_mm + 5.0 + MARGIN_MM,
        top_mm + _HIGH_MM + ticks_mm + 12.0,
        title,
        _subtitle(series),
    )
    axes = sheet.axes(_LEFT_MM, top_mm, _WIDE_MM, _HIGH_MM, xlim=span, ylim=limits)
    axes.set_ylabel(axis_label(quantity, _UNIT))
    dots = max(len(each.day) for each in series) <= 60
    colours = dict(zip((id(each) for each in series), CATEGORICAL, strict=False))
    for each in series:
        _draw_line(axes, each, colours[id(each)], dots=dots)
    known = [each for each in series if each.known]
    ends = [(float(day[-1]), float(value[-1])) for day, value in (each.pieces()[-1] for each in known)]
    name_lines(
        axes,
        [each.label for each in known],
        ends,
        [colours[id(each)] for each in known],
        size_mm=(_WIDE_MM, _HIGH_MM),
        label_mm=label_mm,
    )
    draw_dates([axes], marks, _span_ns(span), _WIDE_MM)
    last = axes
    if ticked:
        utc_axis(axes.xaxis)
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)
        axes.xaxis.get_offset_text().set_visible(False)
        last = sheet.axes(_LEFT_MM, top_mm + _HIGH_MM + 1.0, _WIDE_MM, ticks_mm, xlim=span)
        _draw_quiet_days(last, ticked, [colours[id(each)] for each in ticked])
    utc_axis(last.xaxis)
    return sheet.figure


def _draw_quiet_days(axes: Axes, ticked: Sequence[MagnitudeSeries], colours: Sequence[str]) -> None:
    for row, (each, colour) in enumerate(zip(ticked, colours, strict=True)):
        if each.quiet_day is not None:
            axes.vlines(np.asarray(each.quiet_day) + 0.5, row + 0.1, row + 0.9, color=colour, lw=0.9)
    axes.set_ylim(len(ticked), -0.2)
    axes.set_yticks([])
    axes.spines[["left"]].set_visible(False)
    axes.grid(axis="y", visible=False)


# ---- a panel for each


def _draw_panels(
    series: Sequence[MagnitudeSeries],
    title: str,
    quantity: str,
    marks: Sequence[DateMark],
    span: tuple[float, float],
    limits: tuple[float, float],
) -> Figure:
    columns = min(4 if len(series) > 9 else 3, len(series))
    rows = math.ceil(len(series) / columns)
    wide_mm = (_PAGE_MM - _LEFT_MM - MARGIN_MM - (columns - 1) * _SMALL_GAP_MM) / columns
    high_mm = _SMALL_HIGH_MM if rows > 4 else _FEW_HIGH_MM
    if any(each.quiet_day is not None for each in series):
        limits = (limits[0] - 1.2 * _TICK_SHARE * (limits[1] - limits[0]), limits[1])
    inside = [mark for mark in marks if span[0] <= mark.time_ns / _DAY_NS <= span[1]]
    top_mm = HEADING_MM + 8.0
    below_mm = top_mm + rows * (high_mm + _SMALL_GAP_MM)
    sheet = blank_sheet(_PAGE_MM, below_mm + 4.0 * (1 + len(inside)) + 1.0, title, _subtitle(series))
    sheet.text(MARGIN_MM, HEADING_MM + 0.8, axis_label(quantity, _UNIT), size=BODY_PT)
    for number, each in enumerate(series):
        row, column = divmod(number, columns)
        axes = sheet.axes(
            _LEFT_MM + column * (wide_mm + _SMALL_GAP_MM),
            top_mm + row * (high_mm + _SMALL_GAP_MM),
            wide_mm,
            high_mm,
            xlim=span,
            ylim=limits,
        )
        _draw_small(axes, each, wide_mm)
        for mark in inside:
            axes.axvline(mark.time_ns / _DAY_NS, color=INK, lw=0.6, ls=(0, (4, 2)), zorder=2)
        axes.tick_params(labelbottom=number + columns >= len(series), labelleft=column == 0)
    _write_below(sheet, inside, below_mm)
    return sheet.figure


def _draw_small(axes: Axes, each: MagnitudeSeries, wide_mm: float) -> None:
    if each.quiet_day is not None and len(each.quiet_day):
        low, high = axes.get_ylim()
        middle = np.asarray(each.quiet_day) + 0.5
        axes.vlines(middle, low, low + _TICK_SHARE * (high - low), color=CATEGORICAL[1], lw=0.7)
    _draw_line(axes, each, CATEGORICAL[0], dots=False)
    text, size = fitting_text(each.label, BODY_PT, wide_mm - 2.0, weight="bold")
    axes.set_title(text, size=size, weight="bold", pad=2.5)
    if not each.known:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", size=SMALL_PT)
    axes.locator_params(axis="y", nbins=4)
    few_times(axes.xaxis)


def _write_below(sheet: Sheet, marks: Sequence[DateMark], y_mm: float) -> None:
    """Name the axis of time, and dates, for which no panel has room."""
    sheet.text(_PAGE_MM - MARGIN_MM, y_mm + 0.5, axis_label("time", "UTC"), ha="right", size=BODY_PT)
    for row, mark in enumerate(sorted(marks, key=lambda each: each.time_ns)):
        when = str(np.datetime64(mark.time_ns, "ns").astype("M8[m]")).replace("T", " ")
        text, size = fitting_text(f"┆  {when} UTC: {mark.label}", SMALL_PT, _PAGE_MM - _LEFT_MM - MARGIN_MM)
        sheet.text(_LEFT_MM, y_mm + 4.0 * row + 0.5, text, size=size)
