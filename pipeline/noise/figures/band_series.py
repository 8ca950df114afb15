"""
Levels of bands per week or month, with their spread, their trend, and where they changed or rose.

::

    CX.PB01..HHZ 4-8 s                    +0.4 dB a year (0.2 to 0.6), p = 0.003
                      +3.1 dB
    ┌───────────────────┆─────────────────────────┐
    │ ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒┆▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ │  5 to 95 % of a span, its level, the trend
    └─────────────────────────────────────────────┘
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.figures.palettes import CATEGORICAL, INK
from pipeline.figures.theme import BODY_PT, MM_PER_POINT, SMALL_PT, axis_label, text_width_mm, theme, utc_axis
from pipeline.noise.change_points import ChangePoint
from pipeline.noise.figures.labels import DateMark, dates_depth_mm, draw_dates, fitting_text, readable
from pipeline.noise.figures.panels import (
    HEADING_MM,
    MARGIN_MM,
    PPSD_UNIT,
    Sheet,
    blank_sheet,
    draw_empty,
    few_times,
)
from pipeline.noise.trends import Trend
from pipeline.signal.precision import FloatArray

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BandSeries", "RiseSpan", "band_chart"]

_LEVEL, _CHANGE, _TREND, _RISE = CATEGORICAL[0], CATEGORICAL[4], CATEGORICAL[1], CATEGORICAL[3]
_SPREAD: Final = "#C9D6F5"
_PAGE_MM: Final = 180.0
_LEFT_MM: Final = 15.0
_GAP_MM: Final = 9.0
_NAME_MM: Final = 4.5
_NARROW_MM: Final = 60.0
_TIMES_MM: Final = 5.5
_LONGEST_STEP: Final = 1.8
_YEAR_DAYS: Final = 365.25
_DAY_NS: Final = 86_400_000_000_000
# Series at most, columns, height of a panel.
_LAYOUTS: Final = ((2, 1, 48.0), (6, 1, 30.0), (18, 2, 24.0), (10**9, 3, 18.0))


@dataclass(frozen=True, slots=True)
class RiseSpan:
    """Weeks in which a level stood higher: days since 1970, half-open, by how much, how likely by chance."""

    start_day: float
    stop_day: float
    rise_db: float
    p_value: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class BandSeries:
    """
    Levels of one band at one station.

    Parameters
    ----------
    label : str
        Station and band.
    day : ndarray, shape (spans,)
        Days since 1970 at which levels stand, rising.
    level_db : ndarray, shape (spans,)
        NaN where missing.
    low_db, high_db : ndarray, shape (spans,), optional
        5 and 95 % of the days of each span.
    trend : Trend, optional
        Of ``level_db``, per day.
    changes : sequence of ChangePoint
        Into the spans.
    rises : sequence of RiseSpan

    Raises
    ------
    ConfigError
        If arrays do not fit each other, days do not rise or a change is none of the spans.
    """

    label: str
    day: NDArray[Any]
    level_db: NDArray[np.float64]
    low_db: NDArray[np.float64] | None = None
    high_db: NDArray[np.float64] | None = None
    trend: Trend | None = None
    changes: Sequence[ChangePoint] = ()
    rises: Sequence[RiseSpan] = ()

    def __post_init__(self) -> None:
        for values in (self.level_db, self.low_db, self.high_db):
            if values is not None and np.shape(values) != np.shape(self.day):
                raise ConfigError(
                    f"{self.label}: levels of shape {np.shape(values)} do not fit {np.shape(self.day)} days"
                )
        if not (np.diff(self.day) > 0).all():
            raise ConfigError(f"{self.label}: days should rise, got {np.asarray(self.day).tolist()[:5]}")
        wrong = [each.at for each in self.changes if not 0 <= each.at < len(self.day)]
        if wrong:
            raise ConfigError(f"{self.label}: a change at {wrong[0]} is none of {len(self.day)} spans")

    @property
    def known(self) -> bool:
        """Whether there is any level."""
        return bool(np.isfinite(self.level_db).any())

    def marks(self) -> list[DateMark]:
        """Return what is said of changes and rises, at their days."""
        found = [
            DateMark(round(float(self.day[each.at]) * _DAY_NS), f"{_signed(each.size)} dB", _CHANGE)
            for each in self.changes
        ]
        for each in self.rises:
            said = f"rise {_signed(each.rise_db)} dB, {_chance(each.p_value)}"
            found.append(DateMark(round(each.start_day * _DAY_NS), said, readable(_RISE)))
        return found


def band_chart(
    series: Sequence[BandSeries],
    *,
    title: str,
    unit: str = PPSD_UNIT,
    statistic: str = "",
    marks: Sequence[DateMark] = (),
) -> Figure:
    """
    Draw levels of bands in time, a panel for each, over one axis of time.

    Parameters
    ----------
    series : sequence of BandSeries
    title : str
    unit : str
        Of the levels.
    statistic : str
        What a level is: median per week, for instance.
    marks : sequence of DateMark
        Dates through all panels.

    Returns
    -------
    matplotlib.figure.Figure
        Without any level one that says so.

    Examples
    --------
    >>> week = np.arange(60) * 7.0
    >>> band = BandSeries(label="CX.PB01..HHZ 4-8 s", day=week, level_db=-130 + 0.001 * week)
    >>> band_chart([band], title="CX", statistic="median per week").texts[1].get_text()
    '1 band · median per week · 1970-01-01 to 1971-02-18'
    """
    if not any(each.known for each in series):
        return draw_empty(title, f"There is no level in any of {len(series)} bands.")
    with theme():
        return _draw(series, title, unit, statistic, marks)


def _draw(
    series: Sequence[BandSeries], title: str, unit: str, statistic: str, marks: Sequence[DateMark]
) -> Figure:
    _, columns, high_mm = next(each for each in _LAYOUTS if len(series) <= each[0])
    wide_mm = (_PAGE_MM - _LEFT_MM - MARGIN_MM - (columns - 1) * (_GAP_MM + 4.0)) / columns
    days = _day_limits(series)
    span_ns = (round(days[0] * _DAY_NS), round(days[1] * _DAY_NS))
    inside = [mark for mark in marks if span_ns[0] <= mark.time_ns <= span_ns[1]]
    rows = math.ceil(len(series) / columns)
    depths = [
        max(dates_depth_mm(each.marks(), span_ns, wide_mm) for each in series[row * columns :][:columns])
        for row in range(rows)
    ]
    top_mm = HEADING_MM + 7.0
    height_mm = top_mm + sum(depths) + rows * (_NAME_MM + high_mm + _TIMES_MM) + 8.0 + 4.0 * len(inside)
    sheet = blank_sheet(_PAGE_MM, height_mm, title, _subtitle(series, statistic))
    _draw_legend(sheet, series, unit)
    for row in range(rows):
        top_mm += depths[row] + _NAME_MM
        for column, each in enumerate(series[row * columns :][:columns]):
            left_mm = _LEFT_MM + column * (wide_mm + _GAP_MM + 4.0)
            axes = sheet.axes(left_mm, top_mm, wide_mm, high_mm, xlim=days)
            _draw_band(axes, each, span_ns, wide_mm, depths[row])
            for mark in inside:
                axes.axvline(mark.time_ns / _DAY_NS, color=INK, lw=0.7, ls=(0, (4, 2)), zorder=4)
            _draw_times(axes, columns, last=(row + 1) * columns + column >= len(series))
        top_mm += high_mm + _TIMES_MM
    if columns > 1:
        time = axis_label("time", "UTC")
        sheet.text(_PAGE_MM - MARGIN_MM, top_mm + 1.5, time, ha="right", size=BODY_PT)
    for row, mark in enumerate(inside):
        when = str(np.datetime64(mark.time_ns, "ns").astype("M8[m]")).replace("T", " ")
        text, size = fitting_text(f"┆  {when} UTC: {mark.label}", SMALL_PT, _PAGE_MM - 2 * _LEFT_MM)
        sheet.text(_LEFT_MM, height_mm - 3.0 - 4.0 * (len(inside) - 1 - row), text, size=size)
    return sheet.figure


def _draw_times(axes: Axes, columns: int, *, last: bool) -> None:
    if columns > 1:
        few_times(axes.xaxis)
    else:
        utc_axis(axes.xaxis)
        axes.xaxis.get_offset_text().set_visible(last)
    axes.set_xlabel(axis_label("time", "UTC") if last and columns == 1 else "")
    axes.tick_params(labelbottom=last)


def _day_limits(series: Sequence[BandSeries]) -> tuple[float, float]:
    days = np.concatenate([np.asarray(each.day, dtype=np.float64) for each in series])
    margin = max(0.01 * float(np.ptp(days)), 1.0)
    return float(days.min()) - margin, float(days.max()) + margin


def _subtitle(series: Sequence[BandSeries], statistic: str) -> str:
    days = np.concatenate([np.asarray(each.day, dtype=np.float64) for each in series])
    ends = " to ".join(str(np.datetime64(int(each), "D")) for each in (days.min(), days.max()))
    count = f"{len(series)} band{'' if len(series) == 1 else 's'}"
    return " · ".join([count, *([statistic] if statistic else []), ends])


def _draw_legend(sheet: Sheet, series: Sequence[BandSeries], unit: str) -> None:
    """Name the unit and what lines and colours are, as far as they are drawn."""
    from matplotlib.patches import Rectangle

    text = axis_label("level", unit)
    x_mm, y_mm = MARGIN_MM, HEADING_MM + 1.0
    sheet.text(x_mm, y_mm, text, size=BODY_PT)
    x_mm += text_width_mm(text, BODY_PT) + 6.0
    entries = [
        (_SPREAD, "5 to 95 %", any(each.low_db is not None for each in series), 2.2),
        (_TREND, "trend, 95 %", any(each.trend is not None for each in series), 0.6),
        (_CHANGE, "change", any(each.changes for each in series), 0.6),
        (_RISE, "rise", any(each.rises for each in series), 2.2),
    ]
    for colour, name, there, high_mm in entries:
        if not there:
            continue
        corner = (x_mm / sheet.width_mm, 1 - (y_mm + high_mm / 2) / sheet.height_mm)
        size = (6.0 / sheet.width_mm, high_mm / sheet.height_mm)
        sheet.figure.add_artist(Rectangle(corner, *size, color=colour, lw=0))
        sheet.text(x_mm + 7.5, y_mm, name)
        x_mm += 12.0 + text_width_mm(name, SMALL_PT)


def _draw_band(
    axes: Axes, each: BandSeries, span_ns: tuple[int, int], wide_mm: float, depth_mm: float
) -> None:
    day = np.asarray(each.day, dtype=np.float64)
    shown = _broken(
        day, *(value for value in (each.level_db, each.low_db, each.high_db) if value is not None)
    )
    if each.low_db is not None and each.high_db is not None:
        axes.fill_between(shown[0], shown[2], shown[3], color=_SPREAD, lw=0, zorder=1.5)
    axes.plot(shown[0], shown[1], color=_LEVEL, lw=1.0, zorder=3, marker=".", ms=1.5, mew=0)
    for rise in each.rises:
        axes.axvspan(rise.start_day, rise.stop_day, color=_RISE, alpha=0.35, lw=0, zorder=1)
    if each.trend is not None and each.known:
        _draw_trend(axes, day, each.level_db, each.trend)
    draw_dates([axes], each.marks(), span_ns, wide_mm)
    _name_panel(axes, each, wide_mm, depth_mm)
    axes.locator_params(axis="y", nbins=5)
    if not each.known:
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", va="center", size=SMALL_PT)


def _broken(day: FloatArray, *values: FloatArray) -> list[FloatArray]:
    """Return days and values with a NaN between wherever a step is long."""
    step = float(np.median(np.diff(day))) if day.size > 1 else 1.0
    gaps = np.flatnonzero(np.diff(day) > _LONGEST_STEP * step) + 1
    return [np.insert(day, gaps, day[gaps - 1] + step), *(np.insert(each, gaps, np.nan) for each in values)]


def _draw_trend(axes: Axes, day: FloatArray, level_db: FloatArray, trend: Trend) -> None:
    """Draw Theil–Sen's line through the medians, and the lines of both ends of its slope's interval."""
    there = np.isfinite(level_db)
    centre = float(np.median(day[there]))
    middle = float(np.median(level_db[there] - trend.slope * (day[there] - centre)))
    x = np.linspace(float(day[there][0]), float(day[there][-1]), 50)
    fans = [middle + slope * (x - centre) for slope in (trend.low, trend.high)]
    axes.fill_between(x, np.minimum(*fans), np.maximum(*fans), color=_TREND, alpha=0.2, lw=0, zorder=2)
    axes.plot(x, middle + trend.slope * (x - centre), color=_TREND, lw=1.2, zorder=3.5)


def _name_panel(axes: Axes, each: BandSeries, wide_mm: float, depth_mm: float) -> None:
    said = _trend_text(each.trend, interval=wide_mm >= _NARROW_MM) if each.trend is not None else ""
    room_mm = min(text_width_mm(said, SMALL_PT), 0.55 * wide_mm) if said else 0.0
    name = (each.label, BODY_PT, "bold", 0.0, "left", wide_mm - room_mm - 3.0)
    at_right = (said, SMALL_PT, "normal", 1.0, "right", room_mm + 0.1)
    for text, size_pt, weight, x, align, width_mm in (name, at_right):
        text, size = fitting_text(text, size_pt, width_mm, weight=weight)
        axes.annotate(
            text,
            (x, 1.0),
            xycoords="axes fraction",
            xytext=(0, (depth_mm + 0.9) / MM_PER_POINT),
            textcoords="offset points",
            size=size,
            weight=weight,
            ha=align,
            va="bottom",
            annotation_clip=False,
        )


def _trend_text(trend: Trend, *, interval: bool = True) -> str:
    """
    Say a trend per year.

    >>> _trend_text(Trend(0.001, 0.0, 0.002, 0.04, 0.3, 100))
    '+0.37 dB a year (0.00 to +0.73), p = 0.04'
    """
    slope, low, high = (_YEAR_DAYS * each for each in (trend.slope, trend.low, trend.high))
    between = f" ({_signed(low, 2)} to {_signed(high, 2)})" if interval else ""
    return f"{_signed(slope, 2)} dB a year{between}, {_chance(trend.p_value)}"


def _chance(p_value: float) -> str:
    return "p < 0.001" if p_value < 1e-3 else f"p = {p_value:.2g}"


def _signed(value: float, digits: int = 1) -> str:
    """
    Write a number with its sign, and none where it rounds to zero.

    >>> _signed(3.14), _signed(-0.26), _signed(-0.01)
    ('+3.1', '−0.3', '0.0')
    """
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return ("+" if value > 0 else "−") + text
