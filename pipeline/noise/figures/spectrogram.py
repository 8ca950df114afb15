"""
Levels by time and period over days, months or years, for one station or several components.

Each column is the median of the windows that start in it, so that a column of a day in a picture of two years
shows the day, and neither its one earthquake nor whichever hour fell on the pixel. What is missing is blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.figures.palettes import diverging, sequential
from pipeline.figures.theme import BODY_PT, axis_label, theme, utc_axis
from pipeline.noise.figures.labels import DateMark, dates_depth_mm, draw_dates, halo
from pipeline.noise.figures.panels import (
    HEADING_MM,
    PPSD_UNIT,
    blank_sheet,
    cell_edges,
    draw_empty,
    frequency_axis,
    period_axis,
)
from pipeline.noise.figures.time_cells import TimeCells, cell_medians, choose_cells, name_span
from pipeline.noise.noise_models import nlnm_db
from pipeline.signal.precision import FloatArray, IndexArray

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

__all__ = ["level_spectrogram"]

_WIDE_MM: Final = 132.0
_LEFT_MM: Final = 16.0
_RIGHT_MM: Final = 36.0
_HIGH_MM: Final = {1: 70.0, 2: 48.0, 3: 38.0}
_GAP_MM: Final = 3.0
_CELLS_MOST: Final = 800


def level_spectrogram(
    level_db: ArrayLike,
    period_s: ArrayLike,
    start_ns: ArrayLike,
    *,
    title: str,
    components: Sequence[str] = ("",),
    step_s: float = 1800.0,
    relative: bool = False,
    departure: bool = False,
    marks: Sequence[DateMark] = (),
    limits_db: tuple[float, float] | None = None,
) -> Figure:
    """
    Draw levels by time and period.

    Parameters
    ----------
    level_db : array_like, shape (components, windows, periods) or (windows, periods)
        Of acceleration; NaN where a window is left out.
    period_s : array_like, shape (periods,)
        Rising.
    start_ns : array_like of int, shape (windows,)
        Since 1970, in any order.
    title : str
    components : sequence of str
        Names of one to three.
    step_s : float
        From one window to the next.
    relative : bool
        Show dB above the low noise model.
    departure : bool
        Show dB above each period's own median, which brings out what changes.
    marks : sequence of DateMark
        Dates to mark, earthquakes for instance.
    limits_db : tuple of 2 float, optional
        Of the colours; by default 1 and 99 % of what is shown lie within.

    Returns
    -------
    matplotlib.figure.Figure
        Without any level one that says so.

    Raises
    ------
    ConfigError
        If arrays do not fit each other, or it should be relative to two things.

    Examples
    --------
    >>> starts = np.arange(96) * 1800 * 10**9
    >>> levels = np.full((96, 8), -140.0)
    >>> figure = level_spectrogram(levels, 2.0 ** np.arange(8), starts, title="CX.PB01..HHZ")
    >>> figure.texts[1].get_text(), figure.axes[0].get_ylabel()
    ('Median per 30 min · 1970-01-01 to 1970-01-02', 'Period (s)')
    """
    levels = np.asarray(level_db, dtype=np.float64)
    levels = levels[np.newaxis] if levels.ndim == 2 else levels
    starts = np.asarray(start_ns, dtype=np.int64)
    if relative and departure:
        raise ConfigError("a spectrogram is relative to the low noise model or to the median, not to both")
    if levels.shape != (len(components), starts.size, np.size(period_s)) or len(components) not in _HIGH_MM:
        raise ConfigError(
            f"levels should have the shape ({len(components)} of 1 to 3 components, {starts.size} windows,"
            f" {np.size(period_s)} periods), got {levels.shape}"
        )
    period = np.asarray(period_s, dtype=np.float64)
    if not np.isfinite(levels).any():
        return draw_empty(title, "There are no levels to show.")
    cells = choose_cells(starts, round(step_s * 1e9), most=_CELLS_MOST)
    shown = _shown(levels, period, starts, cells, relative=relative, departure=departure)
    if not np.isfinite(shown).any():
        return draw_empty(title, "There is no level at a period that the noise model has.")
    unit = f"dB above {'the NLNM' if relative else 'the median'}" if relative or departure else PPSD_UNIT
    with theme():
        return _draw(shown, period, cells, tuple(components), title, marks, unit, departure, limits_db)


def _shown(
    levels: FloatArray,
    period: FloatArray,
    starts: IndexArray,
    cells: TimeCells,
    *,
    relative: bool,
    departure: bool,
) -> FloatArray:
    """Return the medians of cells, shape (components, cells, periods), less what they are relative to."""
    shown = np.stack([cell_medians(each, starts, cells) for each in levels])
    if relative:
        shown = shown - nlnm_db(period)
    if departure:
        whole = np.where(np.isfinite(shown).any(axis=1, keepdims=True), shown, 0.0)
        shown = shown - np.nanmedian(whole, axis=1, keepdims=True)
    return shown


def _draw(
    shown: FloatArray,
    period: FloatArray,
    cells: TimeCells,
    components: tuple[str, ...],
    title: str,
    marks: Sequence[DateMark],
    unit: str,
    departure: bool,
    limits_db: tuple[float, float] | None,
) -> Figure:
    count, high_mm = len(components), _HIGH_MM[len(components)]
    top_mm = HEADING_MM + dates_depth_mm(marks, cells.span_ns, _WIDE_MM) + 1.0
    inner_mm = count * high_mm + (count - 1) * _GAP_MM
    sheet = blank_sheet(
        _LEFT_MM + _WIDE_MM + _RIGHT_MM, top_mm + inner_mm + 12.0, title, _subtitle(cells, shown)
    )
    low, high = limits_db or _limits_db(shown, departure)
    all_axes = []
    for row, name in enumerate(components):
        axes = sheet.axes(_LEFT_MM, top_mm + row * (high_mm + _GAP_MM), _WIDE_MM, high_mm)
        edges = cell_edges(period)
        known = np.flatnonzero(np.isfinite(shown).any(axis=(0, 1)))
        limits = (float(edges[known[0]]), float(edges[known[-1] + 1]))
        axes.set(yscale="log", ylim=limits, xlim=(cells.edges_day[0], cells.edges_day[-1]))
        mesh: QuadMesh = axes.pcolormesh(
            cells.edges_day,
            edges,
            np.ma.masked_invalid(shown[row].T),
            vmin=low,
            vmax=high,
            cmap=diverging() if departure else sequential(),
            rasterized=True,
        )
        axes.grid(visible=False)
        period_axis(axes.yaxis, limits)
        frequency_axis(axes, side="right")
        if name:
            style: dict[str, Any] = {
                "transform": axes.transAxes,
                "va": "top",
                "weight": "bold",
                "path_effects": halo(),
            }
            axes.text(0.008, 0.97, name, size=BODY_PT + 1, zorder=7, **style)
        axes.tick_params(labelbottom=row == count - 1)
        all_axes.append(axes)
    utc_axis(all_axes[-1].xaxis)
    draw_dates(all_axes, marks, cells.span_ns, _WIDE_MM)
    bar = sheet.axes(_LEFT_MM + _WIDE_MM + 16.0, top_mm, 3.2, inner_mm)
    ends = (float(np.nanmin(shown)) < low, float(np.nanmax(shown)) > high)
    extend = {(True, True): "both", (True, False): "min", (False, True): "max", (False, False): "neither"}[
        ends
    ]
    sheet.figure.colorbar(mesh, cax=bar, extend=extend, extendfrac=0.02, label=axis_label("power", unit))
    bar.grid(visible=False)
    return sheet.figure


def _limits_db(shown: FloatArray, departure: bool) -> tuple[float, float]:
    low, high = np.nanpercentile(shown, [1, 99])
    if departure:
        reach = max(abs(low), abs(high), 1.0)
        return -float(reach), float(reach)
    return (float(low), float(high)) if high - low > 1 else (float(low) - 5.0, float(high) + 5.0)


def _subtitle(cells: TimeCells, shown: FloatArray) -> str:
    present = np.flatnonzero(np.isfinite(shown).any(axis=(0, 2)))
    ends = cells.first_ns + np.array([present[0] * cells.length_ns, (present[-1] + 1) * cells.length_ns - 1])
    span = " to ".join(str(np.datetime64(int(each), "ns").astype("M8[D]")) for each in ends)
    return f"Median per {name_span(cells.length_ns).removeprefix('1 ')} · {span}"
