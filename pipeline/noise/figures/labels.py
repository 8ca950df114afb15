"""Labels in pictures of noise: texts that have room, names of lines and dates that stand apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.figures.palettes import INK, PAPER
from pipeline.figures.theme import MM_PER_POINT, SMALL_PT, text_width_mm
from pipeline.signal.precision import FloatArray

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes

__all__ = [
    "DateMark",
    "dates_depth_mm",
    "day_number",
    "draw_dates",
    "fitting_text",
    "halo",
    "name_lines",
    "readable",
    "spread_apart",
]

_LINE_MM: Final = 3.6
_DAY_NS: Final = 86_400_000_000_000
_LEAST_PT: Final = 5.0


@dataclass(frozen=True, slots=True)
class DateMark:
    """A date in ns since 1970, what is said of it, and the colour of its line."""

    time_ns: int
    label: str
    colour: str = INK


def fitting_text(text: str, size_pt: float, width_mm: float, *, weight: str = "normal") -> tuple[str, float]:
    """
    Return a text, and the size at which it has room; below 5 pt its end is left out.

    >>> fitting_text("CX.PB01", 11.0, 100.0)
    ('CX.PB01', 11.0)
    >>> fitting_text("CX.PB01 " * 30, 11.0, 60.0)[0][-1]
    '…'
    """
    needed_mm = text_width_mm(text, size_pt, weight=weight) if text.strip() else 0.0
    if needed_mm <= width_mm:
        return text, size_pt
    size = max(size_pt * width_mm / needed_mm, _LEAST_PT)
    if size > _LEAST_PT:
        return text, size
    fits, too_long = 0, len(text)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if text_width_mm(text[:middle] + "…", size, weight=weight) <= width_mm:
            fits = middle
        else:
            too_long = middle
    return text[:fits] + "…", size


def halo(width_pt: float = 2.2) -> list[Any]:
    """Return the path effects that keep ink readable on colour."""
    from matplotlib import patheffects

    return [patheffects.withStroke(linewidth=width_pt, foreground=PAPER)]


def day_number(time_ns: ArrayLike) -> FloatArray:
    """
    Return times as matplotlib counts them: days since 1970.

    >>> day_number([43_200_000_000_000])
    array([0.5])
    """
    return np.asarray(time_ns, dtype=np.int64) / _DAY_NS


def dates_depth_mm(marks: Sequence[DateMark], span_ns: tuple[int, int], width_mm: float) -> float:
    """Return how much room above axes the labels of dates need."""
    rows = [row for _, _, row in _rows(marks, span_ns, width_mm)]
    return _LINE_MM * (max(rows) + 1) if rows else 0.0


def draw_dates(
    all_axes: Sequence[Axes],
    marks: Sequence[DateMark],
    span_ns: tuple[int, int],
    width_mm: float,
) -> None:
    """Draw dates through axes of one width, and their labels above the first, none upon another."""
    for mark, x_mm, row in _rows(marks, span_ns, width_mm):
        for axes in all_axes:
            day = float(day_number(mark.time_ns))
            axes.axvline(day, color=mark.colour, lw=0.8, ls=(0, (4, 2)), zorder=4, path_effects=halo(1.8))
        text, size = fitting_text(mark.label, SMALL_PT, width_mm)
        all_axes[0].annotate(
            text,
            (x_mm / width_mm, 1.0),
            xycoords="axes fraction",
            xytext=(0, (0.7 + row * _LINE_MM) / MM_PER_POINT),
            textcoords="offset points",
            size=size,
            color=readable(mark.colour),
            ha="left",
            va="bottom",
            annotation_clip=False,
        )


def _rows(
    marks: Sequence[DateMark], span_ns: tuple[int, int], width_mm: float
) -> list[tuple[DateMark, float, int]]:
    """Place labels from left to right, each in the lowest row in which it has room."""
    ends: list[float] = []
    placed = []
    first, last = span_ns
    for mark in sorted(marks, key=lambda each: each.time_ns):
        if not first <= mark.time_ns <= last:
            continue
        text, size = fitting_text(mark.label, SMALL_PT, width_mm)
        need_mm = text_width_mm(text, size)
        at_mm = (mark.time_ns - first) / max(last - first, 1) * width_mm
        at_mm = max(min(at_mm - 0.3, width_mm - need_mm), 0.0)
        row = next((number for number, end in enumerate(ends) if end <= at_mm), len(ends))
        ends[row : row + 1] = [at_mm + need_mm + 1.5]
        placed.append((mark, at_mm, row))
    return placed


def name_lines(
    axes: Axes,
    names: Sequence[str],
    ends: Sequence[tuple[float, float]],
    colours: Sequence[str],
    *,
    size_mm: tuple[float, float],
    label_mm: float,
) -> None:
    """
    Write names of lines at the right of axes, each near the end of its line, none upon another.

    Parameters
    ----------
    axes : Axes
        With limits that are set, and a linear y axis.
    names, ends, colours : sequences
        Of each line; ends in the axes' own units.
    size_mm : tuple of 2 float
        Of the axes.
    label_mm : float
        Room for a name.
    """
    low, high = axes.get_ylim()
    gap = (SMALL_PT + 1.5) * MM_PER_POINT / size_mm[1] * (high - low)
    places = spread_apart([y for _, y in ends], gap, low + gap / 2, high - gap / 2)
    for name, end, colour, place in zip(names, ends, colours, places, strict=True):
        text, size = fitting_text(name, SMALL_PT, label_mm)
        axes.annotate(
            text,
            end,
            xytext=(1.0 + 4.0 / size_mm[0], (place - low) / (high - low)),
            textcoords="axes fraction",
            size=size,
            va="center",
            color=readable(colour),
            arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.5, "shrinkA": 1, "shrinkB": 2},
            annotation_clip=False,
        )


def readable(colour: str) -> str:
    """
    Return a colour dark enough for text on white: a contrast of 4.5.

    >>> readable("#1B4FD6"), readable("#FFAA22")
    ('#1b4fd6', '#a16b15')
    """
    from matplotlib.colors import to_hex, to_rgb

    rgb = np.array(to_rgb(colour))
    while True:
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        if 1.05 / (float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05) >= 4.5:
            return str(to_hex((float(rgb[0]), float(rgb[1]), float(rgb[2]))))
        rgb = rgb * 0.95


def spread_apart(wanted: ArrayLike, gap: float, low: float, high: float) -> FloatArray:
    """
    Move places apart until neighbours have a gap, as little as may be, within two ends.

    Parameters
    ----------
    wanted : array_like, shape (places,)
    gap : float
        Made smaller where the ends leave no room for it.
    low, high : float

    Returns
    -------
    array of float64, shape (places,)
        In the order that was given.

    Examples
    --------
    >>> spread_apart([5.0, 5.2, 0.0], 1.0, 0.0, 10.0)
    array([4.6, 5.6, 0. ])
    """
    places = np.clip(np.asarray(wanted, dtype=np.float64), low, high)
    if places.size < 2:
        return places
    gap = min(gap, (high - low) / (places.size - 1))
    order = np.argsort(places, kind="stable")
    # What is left of a place after as many gaps as stand before it must not fall: an isotonic regression.
    level = places[order] - gap * np.arange(places.size)
    blocks: list[list[float]] = []
    for value in level:
        blocks.append([value, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (a, m), (b, n) = blocks[-2:]
            blocks[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    even = np.concatenate([np.full(int(count), value) for value, count in blocks])
    even = np.clip(even, low, high - gap * (places.size - 1))
    out = np.empty(places.size)
    out[order] = even + gap * np.arange(places.size)
    return out
