"""
The wall chart of an archive: a row per stream, a colour per day, from one day to decades.

The chart is laid out on a sheet whose size its rows and days decide, and each day is at least one pixel wide,
so that a single missing day in twenty years can be seen. Days that the archive lacks are grey, complete
ones blue, and whatever lies between runs from red to yellow.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.figures.calendar import Tier, tiers_between
from pipeline.figures.palettes import QUIET
from pipeline.figures.theme import (
    BODY_PT,
    DPI,
    MM_PER_INCH,
    MM_PER_POINT,
    SMALL_PT,
    TITLE_PT,
    sheet_mm,
    text_width_mm,
    theme,
)

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COMPLETE", "CoverageRow", "coverage_chart", "day_colours", "percent"]

CoverageRow = tuple[str, dt.date, NDArray[np.floating[Any]]]
"""The label of a row, its first day, and from there the completeness of each day (0 to 1, or NaN)."""

COMPLETE: Final = 0.999
"""From here on a day counts as complete: clocks are seldom on the sample, and the first one may be lost."""

_MISSING_COLOUR: Final = "#D5D4CE"
_GUIDE_COLOUR: Final = "#E9E9E6"
_COMPLETE_COLOUR: Final = "#1F4E8C"
_PARTIAL_COLOURS: Final = ("#B3261E", "#F08A3C", "#FBE39A")

_MARGIN_MM: Final = 8.0
_GAP_MM: Final = 2.5
_LINE_MM: Final = 4.5
_LEGEND_MM: Final = 94.0
_PIXEL_MM: Final = MM_PER_INCH / DPI
_STRIPES: Final = 6  # of each row, the last of which stays empty and parts it from the next


def coverage_chart(rows: Sequence[CoverageRow], *, title: str) -> Figure:
    """
    Draw how complete each day of each stream is.

    Parameters
    ----------
    rows : sequence of (str, date, (days,) float array)
        Label, first day, and for each day from there the part of its samples that is there, 0 to 1; 0 and
        NaN are days that are not there at all.
    title : str
        Network and archive; the span of time and the totals are added.

    Returns
    -------
    matplotlib.figure.Figure
        Of the size that its rows and days need, from a postcard to a poster.

    Raises
    ------
    ValueError
        A completeness is not between 0 and 1, or not one value per day.

    Examples
    --------
    >>> figure = coverage_chart([("CI.CCC..HH", dt.date(2020, 3, 1), np.ones(31))], title="CI, archive.zarr")
    >>> [text.get_text() for text in figure.axes[0].texts][:2]
    ['CI, archive.zarr', '1 stream · 2020-03-01 to 2020-03-31 (31 days) · 31 station-days · 100 % complete']
    """
    for label, _, completeness in rows:
        _check(label, completeness)
    drawn = [row for row in rows if len(row[2])]
    with theme():
        return _draw_chart(drawn, title) if drawn else _draw_empty(title)


def day_colours(completeness: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """
    Return the colour of each day.

    Parameters
    ----------
    completeness : float array of any shape
        0 to 1; 0 and NaN are days that are not there.

    Returns
    -------
    uint8 array with one more axis, of length 4
        Red, green, blue, opacity.

    Examples
    --------
    >>> day_colours(np.array([1.0, np.nan]))[:, :3].tolist()
    [[31, 78, 140], [213, 212, 206]]
    """
    from matplotlib.colors import to_rgba_array

    missing, complete, *partial = 255 * to_rgba_array([_MISSING_COLOUR, _COMPLETE_COLOUR, *_PARTIAL_COLOURS])
    known = np.nan_to_num(completeness, nan=0.0)
    steps = np.linspace(0, COMPLETE, len(partial))
    colours = np.stack([np.interp(known, steps, channel) for channel in np.transpose(partial)], axis=-1)
    colours[known >= COMPLETE] = complete
    colours[known == 0] = missing
    return np.round(colours).astype(np.uint8)


def percent(part: float) -> str:
    """
    Write a part as a percentage, rounded down: what is called 100 % lacks nothing, and little is not nothing.

    >>> percent(1.0), percent(0.99999), percent(0.5), percent(0.0001), percent(0.0)
    ('100 %', '99.9 %', '50.0 %', '<0.1 %', '0.0 %')
    """
    if part >= 1:
        return "100 %"
    # Half a millionth covers that completeness is kept in single precision.
    tenths = math.floor(1000 * (part + 5e-7))
    return f"{min(tenths, 999) / 10:.1f} %" if tenths or not part else "<0.1 %"


def _check(label: str, completeness: NDArray[np.floating[Any]]) -> None:
    if completeness.ndim != 1:
        raise ValueError(
            f"row {label!r}: completeness has the shape {completeness.shape}, but should be (days,)"
        )
    wrong = np.flatnonzero((completeness < 0) | (completeness > 1))
    if len(wrong):
        raise ValueError(
            f"row {label!r}: the completeness of day {wrong[0]} is {completeness[wrong[0]]},"
            " but should lie between 0 and 1, or be NaN"
        )


# ---- what the chart says in words


@dataclass(frozen=True, slots=True)
class _Total:
    """Station-days with any sample, the parts of them that are there, and the days that there could be."""

    held: int
    parts: float
    days: int

    @classmethod
    def of(cls, rows: Sequence[CoverageRow]) -> _Total:
        values = np.concatenate([row[2] for row in rows])
        return cls(int(np.count_nonzero(values > 0)), float(np.nansum(values)), len(values))

    @property
    def percent(self) -> str:
        return percent(self.parts / self.days)


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", "\N{THIN SPACE}")


def _counted(count: int, noun: str) -> str:
    return f"{_thousands(count)} {noun}{'' if count == 1 else 's'}"


def _subtitle(rows: Sequence[CoverageRow], layout: _Layout) -> str:
    first, last = layout.first, layout.first + dt.timedelta(days=layout.days - 1)
    span = f"{first} to {last}" if last > first else f"{first}"
    total = _Total.of(rows)
    return " · ".join(
        (
            _counted(len(rows), "stream"),
            f"{span} ({_counted(layout.days, 'day')})",
            _counted(total.held, "station-day"),
            f"{total.percent} complete",
        )
    )


# ---- where it stands


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Sizes and places of the parts, in millimetres from the sheet's upper left corner."""

    first: dt.date
    days: int
    count: int
    scale: float
    row_mm: float
    left_mm: float
    days_mm: float
    tiers: Sequence[Tier]

    @classmethod
    def of(cls, rows: Sequence[CoverageRow]) -> _Layout:
        """Choose the sizes that the rows and days need."""
        first = min(row[1] for row in rows)
        last = max(row[1] + dt.timedelta(days=len(row[2]) - 1) for row in rows)
        days = (last - first).days + 1
        # Few days are wide, fifteen fill a page, two years its long side; beyond, each keeps its pixel.
        days_mm = max(min(40.0 + 8.0 * days, 160.0), min(0.36 * days, 260.0), 1.01 * _PIXEL_MM * days)
        scale = min(max(days_mm / 260.0, 1.0), 2.2)
        row_mm = min(max(180.0 * scale / len(rows), 3.2), 7.0 * scale)
        label_mm = max(text_width_mm(row[0], _label_pt(row_mm, scale)) for row in rows)
        return cls(
            first=first,
            days=days,
            count=len(rows),
            scale=scale,
            row_mm=row_mm,
            left_mm=_MARGIN_MM + label_mm + _GAP_MM,
            days_mm=days_mm,
            tiers=tiers_between(
                first, last, days_mm / days, lambda name: text_width_mm(name, SMALL_PT * scale)
            ),
        )

    @property
    def is_tall(self) -> bool:
        """Whether the eye needs the calendar at both ends."""
        return self.count > 30

    @property
    def is_wide(self) -> bool:
        """Whether the eye needs the labels at both ends."""
        return self.days_mm > 260

    @property
    def label_pt(self) -> float:
        return _label_pt(self.row_mm, self.scale)

    @property
    def line_mm(self) -> float:
        return self.scale * _LINE_MM

    @property
    def calendar_mm(self) -> float:
        return (sum(1 for tier in self.tiers if tier.names) + 0.4) * self.line_mm

    @property
    def top_mm(self) -> float:
        return _MARGIN_MM + 4.2 * self.line_mm + (self.calendar_mm if self.is_tall else _LINE_MM)

    @property
    def bottom_mm(self) -> float:
        return self.y_mm(self.count)

    @property
    def right_mm(self) -> float:
        return self.left_mm + self.days_mm

    @property
    def height_mm(self) -> float:
        return self.bottom_mm + self.calendar_mm + _MARGIN_MM

    def x_mm(self, day: float) -> float:
        return self.left_mm + day * self.days_mm / self.days

    def y_mm(self, row: float) -> float:
        return self.top_mm + row * self.row_mm


def _label_pt(row_mm: float, scale: float) -> float:
    return min(BODY_PT * scale, 0.75 * row_mm / MM_PER_POINT)


# ---- drawing, from the outside in


def _draw_empty(title: str) -> Figure:
    width_mm = max(120.0, text_width_mm(title, TITLE_PT, weight="bold") + 2 * _MARGIN_MM)
    figure, sheet = sheet_mm(width_mm, 32)
    sheet.text(_MARGIN_MM, 12, title, size=TITLE_PT, weight="bold", va="center")
    sheet.text(_MARGIN_MM, 21, "There are no station-days in this archive.", color=QUIET, va="center")
    return figure


def _draw_chart(rows: Sequence[CoverageRow], title: str) -> Figure:
    layout = _Layout.of(rows)
    columns = _summary(rows, layout)
    subtitle = _subtitle(rows, layout)
    inner_mm = max(
        columns[-1].right_mm - _MARGIN_MM,
        text_width_mm(title, TITLE_PT * layout.scale, weight="bold"),
        text_width_mm(subtitle, BODY_PT * layout.scale),
        _LEGEND_MM * layout.scale,
    )
    figure, sheet = sheet_mm(inner_mm + 2 * _MARGIN_MM, layout.height_mm)
    _draw_heading(sheet, layout, title, subtitle)
    _draw_legend(sheet, layout)
    _draw_days(sheet, layout, rows)
    _draw_labels(sheet, layout, rows)
    _draw_summary(sheet, layout, columns)
    _draw_calendar(sheet, layout)
    return figure


def _draw_heading(sheet: Axes, layout: _Layout, title: str, subtitle: str) -> None:
    line = layout.line_mm
    sheet.text(
        _MARGIN_MM, _MARGIN_MM + 0.6 * line, title, size=TITLE_PT * layout.scale, weight="bold", va="center"
    )
    sheet.text(_MARGIN_MM, _MARGIN_MM + 1.9 * line, subtitle, size=BODY_PT * layout.scale, va="center")


def _draw_legend(sheet: Axes, layout: _Layout) -> None:
    scale, y_mm, x_mm = layout.scale, _MARGIN_MM + 3.2 * layout.line_mm, _MARGIN_MM
    height = 0.6 * layout.line_mm
    ramp = np.linspace(1e-6, COMPLETE - 1e-6, 64)
    for values, width, name in (
        (np.array([np.nan]), 4.0, "missing"),
        (ramp, 24.0, f"partial, 0 to {100 * COMPLETE:g} %"),
        (np.array([1.0]), 4.0, "complete"),
    ):
        extent = (x_mm, x_mm + width * scale, y_mm + height / 2, y_mm - height / 2)
        sheet.imshow(day_colours(values)[np.newaxis], extent=extent, aspect="auto", interpolation="none")
        x_mm += (width + 1.5) * scale
        sheet.text(x_mm, y_mm, name, size=SMALL_PT * scale, va="center")
        x_mm += text_width_mm(name, SMALL_PT * scale) + 5 * scale


def _draw_days(sheet: Axes, layout: _Layout, rows: Sequence[CoverageRow]) -> None:
    image = np.zeros((len(rows), _STRIPES, layout.days, 4), np.uint8)
    for number, (_, first, completeness) in enumerate(rows):
        start = (first - layout.first).days
        image[number, : _STRIPES - 1, start : start + len(completeness)] = day_colours(completeness)
    middles_mm = [_middle_mm(layout, row) for row in range(len(rows))]
    sheet.hlines(middles_mm, layout.left_mm, layout.right_mm, color=_GUIDE_COLOUR, lw=0.5, zorder=0)
    sheet.imshow(
        image.reshape(-1, layout.days, 4),
        extent=(layout.left_mm, layout.right_mm, layout.bottom_mm, layout.top_mm),
        aspect="auto",
        interpolation="none",
        zorder=2,
    )


def _middle_mm(layout: _Layout, row: int) -> float:
    return layout.y_mm(row + 0.5 * (_STRIPES - 1) / _STRIPES)


def _draw_labels(sheet: Axes, layout: _Layout, rows: Sequence[CoverageRow]) -> None:
    for number, (label, _, _) in enumerate(rows):
        y_mm = _middle_mm(layout, number)
        sheet.text(
            layout.left_mm - _GAP_MM, y_mm, label, size=layout.label_pt, ha="right", va="center_baseline"
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of text at the right of the chart."""

    heading: str
    entries: list[str]
    left_mm: float
    right_mm: float
    align: str


def _summary(rows: Sequence[CoverageRow], layout: _Layout) -> list[_Column]:
    totals = [_Total.of([row]) for row in rows]
    contents = [
        ("complete", [total.percent for total in totals], "right"),
        ("days", [_thousands(total.held) for total in totals], "right"),
    ]
    if layout.is_wide:
        contents.insert(0, ("", [row[0] for row in rows], "left"))
    columns, x_mm = [], layout.right_mm
    for heading, entries, align in contents:
        width = max(text_width_mm(text, layout.label_pt) for text in [heading, *entries])
        left_mm = x_mm + _GAP_MM * layout.scale
        x_mm = left_mm + width
        columns.append(_Column(heading, entries, left_mm, x_mm, align))
    return columns


def _draw_summary(sheet: Axes, layout: _Layout, columns: Sequence[_Column]) -> None:
    for column in columns:
        x_mm = column.left_mm if column.align == "left" else column.right_mm
        sheet.text(
            x_mm,
            layout.top_mm - 1.2,
            column.heading,
            size=min(SMALL_PT * layout.scale, layout.label_pt),
            color=QUIET,
            ha=column.align,
            va="baseline",
        )
        for row, entry in enumerate(column.entries):
            y_mm = _middle_mm(layout, row)
            sheet.text(x_mm, y_mm, entry, size=layout.label_pt, ha=column.align, va="center_baseline")


def _draw_calendar(sheet: Axes, layout: _Layout) -> None:
    edges = [(layout.bottom_mm, 1)] + ([(layout.top_mm, -1)] if layout.is_tall else [])
    depth = 0.0
    for tier in layout.tiers:
        reach_mm = (depth + 1 if tier.names else 0.3) * layout.line_mm
        for edge_mm, outwards in edges:
            far_mm = edge_mm + outwards * reach_mm
            near_mm = (layout.top_mm if outwards > 0 else layout.bottom_mm) if tier.names else edge_mm
            bounds_mm = [layout.x_mm(day) for day in tier.bounds]
            sheet.vlines(bounds_mm, near_mm, far_mm, color=QUIET, lw=tier.line_pt * layout.scale, zorder=1)
            for day, name in tier.names:
                sheet.text(
                    layout.x_mm(day),
                    edge_mm + outwards * (depth + 0.7) * layout.line_mm,
                    name,
                    size=SMALL_PT * layout.scale,
                    weight=tier.weight,
                    ha="center",
                    va="center",
                )
        depth += bool(tier.names)
