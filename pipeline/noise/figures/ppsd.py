"""
PPSD: how often the power at each period lay where, with percentiles and both noise models.

::

    heading, windows, span
    frequency (Hz)
    ┌─────────────┐┌─────────────┐┌──┐
    │ Z           ││ N           ││  │ share of windows
    │             ││             ││  │
    └─────────────┘└─────────────┘└──┘
    period (s)
    ▐▐▐ ▐▐▐▐▐▐▐▐▐   which windows there are, a row per component
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.figures.palettes import CATEGORICAL, INK, PAPER, QUIET, sequential
from pipeline.figures.theme import BODY_PT, SMALL_PT, axis_label, text_width_mm, theme
from pipeline.noise.figures.labels import halo
from pipeline.noise.figures.panels import (
    HEADING_MM,
    MARGIN_MM,
    PPSD_UNIT,
    Sheet,
    blank_sheet,
    cell_edges,
    draw_empty,
    draw_models,
    frequency_axis,
    period_axis,
)
from pipeline.noise.figures.time_cells import name_span
from pipeline.noise.figures.window_strip import draw_window_strip, window_strip_mm
from pipeline.noise.histograms import DbBins, mean_db, mode_db, percentile_db
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray, as_mask

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

__all__ = ["Middle", "ppsd_chart"]

Middle: TypeAlias = Literal["mode", "mean"]

_MIDDLES: Final = MappingProxyType[Middle, Callable[[ArrayLike, DbBins], FloatArray]](
    {"mode": mode_db, "mean": mean_db}
)
_MOST_COMPONENTS: Final = 3
_PANEL_MM: Final = MappingProxyType({1: (104.0, 74.0), 2: (74.0, 70.0), 3: (57.0, 68.0)})
_LEFT_MM: Final = 18.0
_GAP_MM: Final = 3.0
_BAR_MM: Final = 19.0
_LEGEND_MM: Final = 5.0
_OVER_MM: Final = 10.0
_UNDER_MM: Final = 13.0
_ROOM_DB: Final = 6.0
_RARE: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """What is drawn: shares in percent, shape (components, periods, bins), and curves of dB."""

    share: FloatArray
    period_s: FloatArray
    bins: DbBins
    components: tuple[str, ...]
    windows: IndexArray
    percentiles: Mapping[float, FloatArray]
    middle: tuple[str, FloatArray] | None
    limits_s: tuple[float, float]
    limits_db: tuple[float, float]
    highest: float
    cumulative: bool


def ppsd_chart(
    counts: ArrayLike,
    period_s: ArrayLike,
    bins: DbBins,
    *,
    components: Sequence[str],
    start_ns: ArrayLike,
    title: str,
    used: ArrayLike | None = None,
    window_s: float = 3600.0,
    step_s: float = 1800.0,
    percentiles: Sequence[float] = (5.0, 50.0, 95.0),
    middle: Middle | None = None,
    cumulative: bool = False,
    limits_s: tuple[float, float] | None = None,
    limits_db: tuple[float, float] | None = None,
    highest_percent: float | None = None,
) -> Figure:
    """
    Draw the PPSD of one to three components.

    Parameters
    ----------
    counts : array_like of int, shape (components, periods, bins)
        As `pipeline.noise.histograms.count_levels` gives them, of acceleration.
    period_s : array_like, shape (periods,)
        Centres, rising.
    bins : DbBins
    components : sequence of str
        Their names.
    start_ns : array_like of int, shape (windows,)
        When windows start, since 1970.
    title : str
        The stream; span and number of windows are added.
    used : array_like of bool, shape (components, windows), optional
        Which windows were counted; all, without it.
    window_s, step_s : float
        Length of a window, and from one to the next.
    percentiles : sequence of float
        Drawn in the middle of the bin in which they lie.
    middle : {"mode", "mean"}, optional
        Another curve.
    cumulative : bool
        Show how often the level was lower, instead of how often it was there.
    limits_s, limits_db : tuple of 2 float, optional
        Of the axes; by default what the counts and the noise models need.
    highest_percent : float, optional
        Where the colours end.

    Returns
    -------
    matplotlib.figure.Figure
        Without windows one that says so.

    Raises
    ------
    ConfigError
        If arrays do not fit each other, or there are more than three components.

    Examples
    --------
    >>> bins, period_s = DbBins(), 0.1 * 2.0 ** np.arange(10)
    >>> counts = np.zeros((1, 10, 150), dtype=int)
    >>> counts[:, :, 60] = 48
    >>> figure = ppsd_chart(
    ...     counts, period_s, bins, components=["Z"], start_ns=np.arange(48) * 1800 * 10**9, title="CX.PB01"
    ... )
    >>> figure.axes[0].get_xlabel(), figure.texts[1].get_text()
    ('Period (s)', '48 windows of 1 h · 1970-01-01 00:00 to 1970-01-02 00:30 UTC')
    """
    number, starts, mask = _checked(counts, period_s, bins, components, start_ns, used)
    if middle is not None and middle not in get_args(Middle):
        raise ConfigError(f"middle should be one of {', '.join(get_args(Middle))}, got {middle!r}")
    if not number.any() or not starts.size:
        return draw_empty(title, "There are no windows to count.")
    content = _content(
        number,
        np.asarray(period_s, dtype=np.float64),
        bins,
        tuple(components),
        percentiles=percentiles,
        middle=middle,
        cumulative=cumulative,
        limits_s=limits_s,
        limits_db=limits_db,
        highest=highest_percent,
    )
    with theme():
        return _draw(content, starts, mask, title, round(window_s * 1e9), round(step_s * 1e9))


def _checked(
    counts: ArrayLike,
    period_s: ArrayLike,
    bins: DbBins,
    components: Sequence[str],
    start_ns: ArrayLike,
    used: ArrayLike | None,
) -> tuple[IndexArray, IndexArray, BoolArray]:
    number = np.asarray(counts, dtype=np.int64)
    expected = (len(components), np.size(period_s), bins.centres_db.size)
    if number.shape != expected or not 1 <= len(components) <= _MOST_COMPONENTS:
        raise ConfigError(
            f"counts should have the shape (1 to {_MOST_COMPONENTS} components, periods, bins), here"
            f" {expected}, got {number.shape}"
        )
    starts = np.asarray(start_ns, dtype=np.int64)
    if starts.ndim != 1:
        raise ConfigError(f"start_ns should have one axis, of windows, got the shape {starts.shape}")
    return number, starts, as_mask(True if used is None else used, (len(components), starts.size))


def _content(
    number: IndexArray,
    period: FloatArray,
    bins: DbBins,
    components: tuple[str, ...],
    *,
    percentiles: Sequence[float],
    middle: Middle | None,
    cumulative: bool,
    limits_s: tuple[float, float] | None,
    limits_db: tuple[float, float] | None,
    highest: float | None,
) -> _Content:
    total = number.sum(axis=-1, keepdims=True)
    share = 100.0 * number / np.maximum(total, 1)
    half_db = (bins.edges_db[1] - bins.edges_db[0]) / 2
    edges = cell_edges(period)
    known = np.flatnonzero(number.any(axis=(0, 2)))
    limits_s = limits_s or (float(edges[known[0]]), float(edges[known[-1] + 1]))
    shown = np.cumsum(share, axis=-1) if cumulative else share
    return _Content(
        share=np.where(total > 0, shown, 0.0),
        period_s=period,
        bins=bins,
        components=components,
        windows=np.asarray(number.sum(axis=-1).max(axis=-1)),
        percentiles={each: percentile_db(number, each, bins) + half_db for each in percentiles},
        middle=(middle, _MIDDLES[middle](number, bins)) if middle else None,
        limits_s=limits_s,
        limits_db=limits_db or _limits_db(share, bins, limits_s),
        highest=highest or (100.0 if cumulative else _highest(share)),
        cumulative=cumulative,
    )


def _limits_db(share: FloatArray, bins: DbBins, limits_s: tuple[float, float]) -> tuple[float, float]:
    """Return limits in tens of dB that hold what is not rare, and both models."""
    common = np.flatnonzero((share > 100 * _RARE).any(axis=(0, 1)))
    period = np.geomspace(*limits_s, 100)
    models = np.concatenate([nlnm_db(period), nhnm_db(period)])
    models = models[np.isfinite(models)]
    low = min([bins.edges_db[common[0]], *models])
    high = max([bins.edges_db[common[-1] + 1], *models])
    # The names of models and components want room.
    return float(10 * np.floor((low - _ROOM_DB) / 10)), float(10 * np.ceil((high + _ROOM_DB) / 10))


def _highest(share: FloatArray) -> float:
    """Return a round percentage that few cells exceed."""
    held = float(np.percentile(share[share > 0], 99))
    return next((step for step in (5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0) if step >= held), 100.0)


# ---- drawing, from the outside in


def _draw(
    content: _Content, starts: IndexArray, used: BoolArray, title: str, window_ns: int, step_ns: int
) -> Figure:
    count = len(content.components)
    wide_mm, high_mm = _PANEL_MM[count]
    inner_mm = count * wide_mm + (count - 1) * _GAP_MM
    top_mm = HEADING_MM + _LEGEND_MM + _OVER_MM
    strip_mm = top_mm + high_mm + _UNDER_MM
    sheet = blank_sheet(
        _LEFT_MM + inner_mm + _BAR_MM,
        strip_mm + window_strip_mm(count),
        title,
        _subtitle(starts, used, window_ns),
    )
    _draw_legend(sheet, content)
    panels = []
    for column in range(count):
        axes = sheet.axes(_LEFT_MM + column * (wide_mm + _GAP_MM), top_mm, wide_mm, high_mm)
        mesh = _draw_panel(axes, content, column)
        panels.append(axes)
    panels[0].set_ylabel(axis_label("power", PPSD_UNIT))
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    _draw_bar(sheet, mesh, content, _LEFT_MM + inner_mm + 3.0, top_mm, high_mm)
    draw_window_strip(
        sheet,
        content.components,
        starts,
        used,
        left_mm=_LEFT_MM,
        top_mm=strip_mm,
        width_mm=inner_mm,
        step_ns=step_ns,
    )
    return sheet.figure


def _subtitle(starts: IndexArray, used: BoolArray, window_ns: int) -> str:
    most = int(used.sum(axis=1).max())
    named = f"{most:,}".replace(",", "\N{THIN SPACE}")
    first, last = (np.datetime64(int(each), "ns") for each in (starts.min(), starts.max() + window_ns))
    span = " to ".join(str(each.astype("M8[m]")).replace("T", " ") for each in (first, last))
    return f"{named} window{'' if most == 1 else 's'} of {name_span(window_ns)} · {span} UTC"


def _draw_panel(axes: Axes, content: _Content, row: int) -> QuadMesh:
    axes.set(xscale="log", xlim=content.limits_s, ylim=content.limits_db)
    colours = sequential().with_extremes(under=PAPER)
    mesh = axes.pcolormesh(
        cell_edges(content.period_s),
        content.bins.edges_db,
        content.share[row].T,
        cmap=colours,
        vmin=1e-9,
        vmax=content.highest,
        rasterized=True,
        zorder=1,
    )
    axes.set_axisbelow(False)
    axes.grid(which="major", color="#00000022", lw=0.4)
    draw_models(axes, at=0.72)
    for style in _curves(content):
        axes.plot(content.period_s, style["level"][row], color=PAPER, lw=style["lw"] + 1.4, zorder=4)
        axes.plot(
            content.period_s,
            style["level"][row],
            color=style["color"],
            lw=style["lw"],
            ls=style["ls"],
            zorder=5,
        )
    name = content.components[row] if content.windows[row] else f"{content.components[row]}: no windows"
    axes.text(
        0.015,
        0.98,
        name,
        transform=axes.transAxes,
        va="top",
        size=BODY_PT + 1,
        weight="bold",
        path_effects=halo(),
        zorder=7,
    )
    period_axis(axes.xaxis, content.limits_s)
    frequency_axis(axes)
    return mesh


def _curves(content: _Content) -> list[dict[str, Any]]:
    """Return how each curve is drawn: the median whole, the others the more broken, the further they are."""
    ordered = sorted(content.percentiles, key=lambda each: abs(each - 50))
    styles: dict[float, Any] = {}
    for each in ordered:
        rank = sorted({abs(other - 50) for other in ordered}).index(abs(each - 50))
        styles[each] = "-" if each == 50 else ((0, (4, 1.6)), (0, (1.5, 1.2)), (0, (6, 1, 1, 1)))[rank % 3]
    found = [
        {
            "name": "median" if each == 50 else f"{each:g} %",
            "level": content.percentiles[each],
            "color": INK,
            "lw": 1.3 if each == 50 else 0.9,
            "ls": styles[each],
        }
        for each in sorted(ordered)
    ]
    if content.middle:
        name, level = content.middle
        found.append({"name": name, "level": level, "color": CATEGORICAL[1], "lw": 1.3, "ls": "-"})
    return found


def _draw_legend(sheet: Sheet, content: _Content) -> None:
    from matplotlib.lines import Line2D

    x_mm, y_mm = MARGIN_MM, HEADING_MM + 1.0
    curves: dict[str, dict[str, Any]] = {}
    for style in _curves(content):
        key = str((style["color"], style["lw"], style["ls"]))
        curves[key] = style | {"name": _joined(curves.get(key, {}).get("name"), style["name"])}
    curves["models"] = {"name": "NLNM, NHNM", "color": QUIET, "lw": 1.3, "ls": "-"}
    for style in curves.values():
        ends = [(x_mm + shift) / sheet.width_mm for shift in (0.0, 7.0)]
        height = 1 - y_mm / sheet.height_mm
        sheet.figure.add_artist(
            Line2D(ends, [height] * 2, color=style["color"], lw=style["lw"], ls=style["ls"])
        )
        sheet.text(x_mm + 8.0, y_mm, style["name"], va="center_baseline")
        x_mm += 12.0 + text_width_mm(style["name"], SMALL_PT)


def _joined(first: str | None, second: str) -> str:
    return f"{first.removesuffix(' %')} and {second}" if first else second


def _draw_bar(
    sheet: Sheet, mesh: QuadMesh, content: _Content, x_mm: float, top_mm: float, high_mm: float
) -> None:
    bar = sheet.axes(x_mm, top_mm, 3.2, high_mm)
    over = "max" if float(content.share.max()) > content.highest + 1e-9 else "neither"
    width = content.bins.edges_db[1] - content.bins.edges_db[0]
    each = "dB" if width == 1 else f"{width:g} dB"
    label = "Windows at or below (%)" if content.cumulative else f"Windows (% in each {each})"
    sheet.figure.colorbar(mesh, cax=bar, label=label, extend=over, extendfrac=0.03)
    bar.grid(visible=False)
