"""The map below a field: sea, land, coastlines, borders, meridians and parallels, a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.figures.palettes import INK, PAPER, QUIET
from pipeline.figures.theme import MM_PER_POINT, SMALL_PT
from pipeline.maps.views import Tick, View

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COAST", "ROUND_MM", "SEA", "Place", "base_map", "compound_path"]

Array = NDArray[np.float64]
Place = tuple[float, float, float, float]

SEA: Final = "#EEF2F5"
COAST: Final = "#5B6168"
ROUND_MM: Final = 5.0
"""Room beside a circle, whose meridians have names all around."""

_LAND: Final = "#FBFAF7"
_LINES: Final = "#C9CDD1"


def base_map(figure: Figure, place: Place, view: View, title: str, borders: bool) -> Axes:
    """
    Return axes with land, coastlines, borders and degrees, cut to the frame.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    place : tuple of float
        Left, bottom, width and height as shares of the figure.
    view : View
    title : str
    borders : bool
        Draw borders of countries.

    Returns
    -------
    matplotlib.axes.Axes
        In kilometres, for fields from a ``zorder`` of 2 up to 3.
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patches import PathPatch

    axes = figure.add_axes(place)
    left, right, low, high = view.bounds_km
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal")
    axes.set_axis_off()
    lift_mm = 1.5 + (ROUND_MM if view.frame == "circle" else 0.0)
    axes.set_title(title, pad=lift_mm / MM_PER_POINT)
    frame = PathPatch(compound_path([view.frame_path()]), fc=SEA, ec="none", zorder=0)
    ground = PathPatch(compound_path(view.land_paths()), fc=_LAND, ec="none", zorder=0.5)
    rim = PathPatch(compound_path([view.frame_path()]), fc="none", ec=QUIET, lw=0.8, zorder=9, clip_on=False)
    lines, ticks = view.graticule()
    drawn: list[Any] = [frame, ground, LineCollection(lines, colors=_LINES, linewidths=0.4, zorder=3)]
    drawn.append(LineCollection(view.lines("coastlines"), colors=COAST, linewidths=0.6, zorder=5))
    if borders:
        drawn.append(
            LineCollection(
                view.lines("borders"), colors=COAST, linewidths=0.4, linestyles=(0, (4, 2)), zorder=5
            )
        )
    for artist in drawn:
        (axes.add_patch if isinstance(artist, PathPatch) else axes.add_collection)(artist)
        artist.set_clip_path(compound_path([view.frame_path()]), axes.transData)
    axes.add_patch(rim)
    for tick in ticks:
        _write_tick(axes, tick)
    if view.frame != "oval":
        _scale_bar(axes, view)
    return axes


def _write_tick(axes: Axes, tick: Tick) -> None:
    offset, across, up = {
        "left": ((-3.0, 0.0), "right", "center"),
        "bottom": ((0.0, -3.0), "center", "top"),
        "within": ((0.0, 0.0), "center", "center"),
        "around": (
            tuple(8.0 * each / np.hypot(tick.x_km, tick.y_km) for each in (tick.x_km, tick.y_km))
            if tick.side == "around"
            else (0.0, 0.0),
            "center",
            "center",
        ),
    }[tick.side]
    colour = QUIET if tick.side == "within" else INK
    axes.annotate(
        tick.name,
        (tick.x_km, tick.y_km),
        xytext=offset,
        textcoords="offset points",
        ha=across,
        va=up,
        fontsize=SMALL_PT - 1,
        color=colour,
        annotation_clip=False,
        zorder=8,
    )


def compound_path(rings: list[Array]) -> Any:
    """Return closed rings as one path, filled by the non-zero rule."""
    from matplotlib.path import Path

    whole = [ring for ring in rings if len(ring) > 2]
    if not whole:
        return Path(np.zeros((0, 2)))
    return Path.make_compound_path(*(Path(ring, closed=True) for ring in whole))


def _scale_bar(axes: Axes, view: View) -> None:
    """Draw a bar of a round length in the lower left corner, true in the middle of the map."""
    left, right, low, high = view.bounds_km
    want = 0.22 * (right - left)
    power = 10.0 ** np.floor(np.log10(want))
    length = float(max(each * power for each in (1, 2, 5) if each * power <= want))
    x, y = left + 0.04 * (right - left), low + 0.05 * (high - low)
    if view.frame == "circle":
        x, y = left, low + 0.01 * (high - low)
    axes.plot([x, x + length], [y, y], color=INK, lw=2.2, solid_capstyle="butt", zorder=8, clip_on=False)
    axes.annotate(
        f"{length:g} km",
        (x + length / 2, y),
        xytext=(0, 2.5),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=SMALL_PT - 1,
        zorder=8,
        annotation_clip=False,
        bbox={"fc": PAPER, "ec": "none", "alpha": 0.6, "pad": 0.6},
    )
