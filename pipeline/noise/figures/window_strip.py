"""The strip that says which windows there are, a row for each component, coloured as days in a wall chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pipeline.figures.coverage import day_colours, percent
from pipeline.figures.theme import SMALL_PT, utc_axis
from pipeline.noise.figures.panels import Sheet
from pipeline.noise.figures.time_cells import choose_cells, count_in_cells
from pipeline.signal.precision import BoolArray, IndexArray

__all__ = ["draw_window_strip", "window_strip_mm"]

_ROW_MM: Final = 3.2
_TIMES_MM: Final = 12.0
_CELLS_MOST: Final = 600


def window_strip_mm(rows: int) -> float:
    """Return the height that a strip and its axis of time need."""
    return rows * _ROW_MM + _TIMES_MM


def draw_window_strip(
    sheet: Sheet,
    names: Sequence[str],
    start_ns: IndexArray,
    used: BoolArray,
    *,
    left_mm: float,
    top_mm: float,
    width_mm: float,
    step_ns: int,
) -> None:
    """
    Draw which of all windows that fit between the first and the last one were used.

    Parameters
    ----------
    sheet : Sheet
    names : sequence of str
        Of the rows.
    start_ns : array of int64, shape (windows,)
        One or more.
    used : array of bool, shape (rows, windows)
    left_mm, top_mm, width_mm : float
    step_ns : int
        From one window to the next.
    """
    cells = choose_cells(start_ns, step_ns, most=_CELLS_MOST)
    axes = sheet.axes(left_mm, top_mm, width_mm, len(names) * _ROW_MM)
    days = cells.edges_day
    fit = (int(start_ns.max()) - int(start_ns.min())) // step_ns + 1
    for row, name in enumerate(names):
        there = start_ns[used[row]]
        share = count_in_cells(there, cells) / max(cells.length_ns / step_ns, 1.0)
        axes.imshow(
            day_colours(np.minimum(share, 1.0))[np.newaxis],
            extent=(days[0], days[-1], row + 0.88, row),
            aspect="auto",
            interpolation="none",
        )
        style: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "textcoords": "offset points",
            "size": SMALL_PT,
        }
        for text, x, shift, align in (
            (name, 0.0, -3, "right"),
            (percent(min(there.size / fit, 1.0)), 1.0, 3, "left"),
        ):
            axes.annotate(
                text,
                (x, row + 0.44),
                xytext=(shift, 0),
                ha=align,
                va="center_baseline",
                annotation_clip=False,
                **style,
            )
    axes.set(xlim=(days[0], days[-1]), ylim=(len(names), -0.1), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    utc_axis(axes.xaxis)
