"""
A map for a paper: the field with its contours and stations, how sure it is, and the variogram it rests on.

::

    ┌──────────────┐ ┌──────────────┐
    │    level     │ │ standard     │    or one map, hatched where the error is large
    │              │ │ error        │
    └── colours ───┘ └── colours ───┘
    ┌──────────────┐ ┌──────────────┐
    │  variogram   │ │ foretold by  │    with ``checks``
    │              │ │ the others   │
    └──────────────┘ └──────────────┘

A difference has a palette with zero in its middle; everything else one from light to dark. Colours step at
the contours, so that a value can be read off the colour bar.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.figures import axis_label, diverging, figure_mm, sequential, text_width_mm, theme
from pipeline.figures.coastlines import SOURCE
from pipeline.figures.palettes import INK, PAPER, QUIET
from pipeline.figures.theme import MM_PER_INCH, MM_PER_POINT, SMALL_PT
from pipeline.maps.basemaps import COAST, ROUND_MM, SEA, Place, base_map, compound_path
from pipeline.maps.fields import FieldMap
from pipeline.maps.geojson import contour_levels
from pipeline.maps.panels import draw_validation, draw_variogram
from pipeline.maps.views import View, view_of

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["HATCHED_SHARE", "field_figure"]

Array = NDArray[np.float64]
ErrorShown = Literal["panel", "hatch", "none"]

HATCHED_SHARE: Final = 0.8
"""Hatched is what has a standard error of more than this share of what a place without stations has."""

_MOST_LEVELS: Final = 9

# Millimetres around a map: names of degrees on the left and below, title above, colour bar below.
_LEFT_MM, _RIGHT_MM, _BAR_MM, _TITLE_MM, _LINE_MM = 9.0, 5.0, 16.0, 7.0, 3.4
_CHECKS_MM = 58.0


def field_figure(
    made: FieldMap,
    *,
    title: str = "",
    caption: str = "",
    levels: ArrayLike | None = None,
    centred: bool = False,
    error: ErrorShown = "panel",
    checks: bool = False,
    borders: bool = True,
    names: bool = False,
    width_mm: float = 180.0,
) -> Figure:
    """
    Draw a map.

    Parameters
    ----------
    made : FieldMap
    title : str
        Above the map, on one line; its quantity unless given.
    caption : str
        A sentence that begins what stands below, where there is more to say than a title holds.
    levels : array_like, optional
        Of the contours, in the units of the map; round ones unless given.
    centred : bool
        The map is a difference: colours diverge from zero, to the same value on both sides.
    error : {"panel", "hatch", "none"}
        The standard error on a second map, as hatching where it is large, or not at all.
    checks : bool
        Draw the variogram, and each station against what the others foretell.
    borders : bool
        Draw the borders of countries that Natural Earth has.
    names : bool
        Write the names of stations.
    width_mm : float
        Of the figure, at least 60; journals have columns of 80 to 90 and pages of 170 to 190.

    Returns
    -------
    matplotlib.figure.Figure
        For `pipeline.figures.save`.

    Raises
    ------
    ConfigError
        The width is too small, or there is no such way to show errors.

    Examples
    --------
    >>> from pipeline.maps.fields import map_field
    >>> from pipeline.maps.observations import gather
    >>> stations = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    >>> figure = field_figure(map_field(stations, quantity="level", unit="dB", step_deg=0.5), width_mm=90)
    >>> [axes.get_title("left") for axes in figure.axes if axes.get_title("left")]
    ['Level', 'Standard error']
    """
    if error not in ("panel", "hatch", "none"):
        raise ConfigError(f"error of a map should be shown as 'panel', 'hatch' or 'none', got {error!r}")
    if not width_mm >= 60:
        raise ConfigError(f"width_mm of a map should be at least 60, got {width_mm}")
    view = view_of(made.region)
    has_error = bool(np.isfinite(made.masked(made.std_error)).any())
    maps = 2 if error == "panel" and has_error else 1
    with theme():
        about = f"{caption} {_about(made, hatched=error == 'hatch' and has_error)}".strip()
        figure, places, checked, foot = _layout(view, about, maps, checks, width_mm)
        bounds = _bounds(made, levels, centred)
        axes = base_map(figure, places[0], view, title or axis_label(made.quantity), borders)
        palette = diverging() if centred else sequential()
        shades = _draw_field(axes, view, made, made.value, bounds, palette)
        _draw_contours(axes, view, made, bounds[1:-1], centred)
        if error == "hatch" and has_error:
            _draw_hatching(axes, view, made)
        _draw_stations(axes, view, made, shades, names)
        _colour_bar(figure, axes, view, shades, axis_label(made.quantity, made.unit), bounds)
        if maps == 2:
            _error_map(figure, places[1], view, made, borders)
        if checks:
            draw_variogram(figure.add_axes(checked[0]), made)
            draw_validation(figure.add_axes(checked[1]), made)
        size_mm = figure.get_size_inches() * MM_PER_INCH
        figure.text(
            2.0 / size_mm[0],
            2.0 / size_mm[1],
            "\n".join(foot),
            fontsize=SMALL_PT - 1,
            color=QUIET,
            va="bottom",
        )
    return figure


class _Page(NamedTuple):
    """An empty figure, where its panels stand (as shares of it), and the lines at its foot."""

    figure: Figure
    maps: list[Place]
    checks: list[Place]
    foot: list[str]


def _layout(view: View, about: str, maps: int, checks: bool, width_mm: float) -> _Page:
    left, right, low, high = view.bounds_km
    aspect = (high - low) / (right - left)
    around_mm = ROUND_MM if view.frame == "circle" else 0.0
    # What is much wider than tall would be small on half a page; what is tall must not leave it.
    columns = 2 if maps == 2 and width_mm >= 120 and aspect > 0.55 else 1
    column_mm = width_mm / columns
    room_mm = column_mm - _LEFT_MM - max(_RIGHT_MM, around_mm + 3.0)
    map_mm = min(room_mm, 150.0 / aspect)
    above_mm = _TITLE_MM + around_mm
    panel_mm = above_mm + map_mm * aspect + around_mm + _BAR_MM
    maps_mm = panel_mm * maps / columns
    check_columns = 2 if width_mm >= 120 else 1
    checks_mm = _CHECKS_MM * 2 / check_columns * checks
    foot = textwrap.wrap(about, width=int(width_mm / (0.5 * SMALL_PT * MM_PER_POINT)))
    height_mm = maps_mm + checks_mm + len(foot) * _LINE_MM + 3.0

    def place(x_mm: float, y_mm: float, across_mm: float, up_mm: float) -> Place:
        return (
            x_mm / width_mm,
            1 - (y_mm + up_mm) / height_mm,
            across_mm / width_mm,
            up_mm / height_mm,
        )

    found = _Page(figure_mm(width_mm, height_mm), [], [], foot)
    for number in range(maps):
        row, column = divmod(number, columns)
        x_mm = column * column_mm + _LEFT_MM + (room_mm - map_mm) / 2
        found.maps.append(place(x_mm, row * panel_mm + above_mm, map_mm, map_mm * aspect))
    for number in range(2):
        row, column = divmod(number, check_columns)
        x_mm, y_mm = column * width_mm / check_columns, maps_mm + row * _CHECKS_MM
        across_mm = width_mm / check_columns - 19.0
        found.checks.append(place(x_mm + 14.0, y_mm + _TITLE_MM, across_mm, _CHECKS_MM - _TITLE_MM - 14.0))
    return found


def _bounds(made: FieldMap, levels: ArrayLike | None, centred: bool) -> Array:
    """Return the edges of the colours: the contours, and one beyond them on each side."""
    shown = np.concatenate([made.value[made.shown], made.observations.value])
    if levels is not None:
        inner = np.unique(np.asarray(levels, dtype=np.float64))
        if not len(inner) or not np.isfinite(inner).all():
            raise ConfigError(
                f"levels of contours should be finite numbers, got {np.asarray(levels).tolist()}"
            )
    elif centred:
        most = float(np.abs(shown).max())
        inner = contour_levels([-most, most], most=_MOST_LEVELS + 2)
    else:
        inner = contour_levels(shown, most=_MOST_LEVELS)
    if not len(inner):
        middle = float(shown[0])
        step = max(abs(middle) * 0.05, 0.5)
        return np.array([middle - step, middle + step])
    step = float(np.median(np.diff(inner))) if len(inner) > 1 else max(abs(float(inner[0])) * 0.1, 0.5)
    return np.concatenate([[inner[0] - step], inner, [inner[-1] + step]])


def _nodes(view: View, made: FieldMap, array: Array) -> tuple[Array, Array, Array]:
    """Return the nodes on paper and an array over them, with the first column again around the Earth."""
    longitude, latitude = made.grid.mesh()
    if made.grid.around:
        longitude = np.column_stack([longitude, longitude[:, 0] + 360])
        latitude = np.column_stack([latitude, latitude[:, 0]])
        array = np.column_stack([array, array[:, 0]])
    x, y = view.project(longitude, latitude)
    return x, y, array


def _edge_path(view: View, made: FieldMap) -> Any:
    """Return the area that is mapped as a path on paper."""
    from contourpy import FillType, contour_generator
    from matplotlib.path import Path

    x, y, edge = _nodes(view, made, made.edge_km)
    generator = contour_generator(x, y, edge, fill_type=FillType.OuterCode)
    found: Any = generator.filled(-np.inf, 0.0)
    points, codes = found
    if not points:
        return Path(np.zeros((0, 2)))
    return Path(np.concatenate(points), np.concatenate(codes))


def _draw_field(axes: Axes, view: View, made: FieldMap, array: Array, bounds: Array, palette: Any) -> Any:
    """Fill the map with colours that step at the bounds; return what a colour bar needs."""
    from matplotlib.colors import BoundaryNorm
    from matplotlib.patches import PathPatch

    x, y, values = _nodes(view, made, array)
    norm = BoundaryNorm(bounds, palette.N)
    inside = np.ma.masked_invalid(np.clip(values, bounds[0], bounds[-1] - 1e-9 * np.ptp(bounds)))
    shades = axes.contourf(x, y, inside, levels=bounds, cmap=palette, norm=norm, zorder=2, antialiased=True)
    # Faces hide the hairlines between them.
    shades.set_edgecolor("face")
    shades.set_linewidth(0.2)
    shades.set_clip_path(_edge_path(view, made), axes.transData)
    if made.land_only:
        sea = compound_path([view.frame_path(), *(ring[::-1] for ring in view.land_paths())])
        patch = axes.add_patch(PathPatch(sea, fc=SEA, ec="none", zorder=2.5))
        patch.set_clip_path(compound_path([view.frame_path()]), axes.transData)
    return shades


def _draw_contours(axes: Axes, view: View, made: FieldMap, levels: Array, dashed: bool) -> None:
    """Draw contours with their levels on them, those below zero dashed where the map is a difference."""
    from matplotlib.patheffects import withStroke

    x, y, values = _nodes(view, made, made.masked(made.value))
    reached = [level for level in levels if np.nanmin(values) < level < np.nanmax(values)]
    if not reached:
        return
    lines = axes.contour(
        x,
        y,
        np.ma.masked_invalid(values),
        levels=reached,
        colors=INK,
        linewidths=0.5,
        linestyles=["dashed" if dashed and level < 0 else "solid" for level in reached],
        zorder=2.3,
    )
    for text in axes.clabel(lines, fmt=_number, fontsize=SMALL_PT - 1, inline_spacing=2, colors=INK):
        text.set(zorder=6, path_effects=[withStroke(linewidth=1.4, foreground=PAPER)])


def _draw_hatching(axes: Axes, view: View, made: FieldMap) -> None:
    import matplotlib as mpl

    x, y, values = _nodes(view, made, made.std_error)
    with mpl.rc_context({"hatch.linewidth": 0.4, "hatch.color": COAST}):
        hatched = axes.contourf(
            x,
            y,
            np.ma.masked_invalid(values),
            levels=[_hatched_above(made), np.inf],
            colors="none",
            zorder=2.4,
        )
        hatched.set_hatch("//////")
        hatched.set_edgecolor(COAST)
        hatched.set_linewidth(0.0)
        hatched.set_clip_path(_edge_path(view, made), axes.transData)


def _hatched_above(made: FieldMap) -> float:
    sills = sum(each.weight * each.variogram.sill for each in made.plausible)
    return HATCHED_SHARE * float(np.sqrt(sills))


def _draw_stations(axes: Axes, view: View, made: FieldMap, shades: Any, names: bool) -> None:
    from matplotlib.patheffects import withStroke

    given = made.observations
    x, y = view.project(given.longitude_deg, given.latitude_deg)
    size = 22.0 if len(given) <= 80 else 10.0
    dots = axes.scatter(
        x,
        y,
        c=given.value,
        cmap=shades.cmap,
        norm=shades.norm,
        s=size,
        edgecolors=INK,
        linewidths=0.7,
        zorder=7,
    )
    dots.set_clip_path(compound_path([view.frame_path()]), axes.transData)
    for i, name in enumerate(given.names if names else ()):
        left, right, low, high = view.bounds_km
        if left < x[i] < right and low < y[i] < high:
            axes.annotate(
                name,
                (x[i], y[i]),
                xytext=(3.5, 2.5),
                textcoords="offset points",
                fontsize=SMALL_PT - 1.5,
                path_effects=[withStroke(linewidth=1.2, foreground=PAPER)],
                zorder=8,
            )


def _colour_bar(figure: Figure, axes: Axes, view: View, shades: Any, label: str, bounds: Array) -> None:
    """Draw a colour bar below a map, with as many names as have room."""
    place = axes.get_position()
    wide_mm, high_mm = figure.get_size_inches() * MM_PER_INCH
    down_mm = 8.2 + (ROUND_MM if view.frame == "circle" else 0.0)
    bar = figure.add_axes(
        (place.x0 + place.width * 0.1, place.y0 - down_mm / high_mm, place.width * 0.8, 2.4 / high_mm)
    )
    inner = bounds[1:-1] if len(bounds) > 2 else np.array([bounds.mean()])
    room_mm = 0.8 * place.width * wide_mm * np.diff(bounds).min() / np.ptp(bounds)
    need_mm = 1.2 + max(text_width_mm(_number(each), SMALL_PT) for each in inner)
    every = int(np.ceil(need_mm / room_mm))
    middle = int(np.argmin(np.abs(inner)))  # zero keeps its name
    inner = inner[middle % every :: every]
    drawn = figure.colorbar(shades, cax=bar, orientation="horizontal", ticks=inner, spacing="proportional")
    bar.set_xticks(inner, [_number(each) for each in inner])
    bar.tick_params(length=2, pad=1.5, labelsize=SMALL_PT)
    drawn.outline.set_linewidth(0.5)
    drawn.set_label(label, fontsize=SMALL_PT + 0.5, labelpad=1.5)


def _error_map(figure: Figure, place: Place, view: View, made: FieldMap, borders: bool) -> None:
    axes = base_map(figure, place, view, "Standard error", borders)
    shown = made.masked(made.std_error)
    inner = contour_levels(shown, most=6)
    most = float(np.nanmax(shown))
    step = float(inner[1] - inner[0]) if len(inner) > 1 else max(most * 0.2, 1e-12)
    if not len(inner):
        inner = np.array([most])
    bounds = np.concatenate([[max(inner[0] - step, 0.0)] if inner[0] > 0 else [], inner, [inner[-1] + step]])
    shades = _draw_field(axes, view, made, made.std_error, bounds, sequential())
    given = made.observations
    x, y = view.project(given.longitude_deg, given.latitude_deg)
    dots = axes.scatter(x, y, s=9, color=PAPER, edgecolors=INK, linewidths=0.6, zorder=7)
    dots.set_clip_path(compound_path([view.frame_path()]), axes.transData)
    _colour_bar(figure, axes, view, shades, axis_label("standard error", _plain_unit(made.unit)), bounds)


def _plain_unit(unit: str) -> str:
    """
    Return the unit of an error: of a level in dB, whatever it refers to, dB.

    >>> _plain_unit("dB re 1 (m/s²)²/Hz"), _plain_unit("µGal")
    ('dB', 'µGal')
    """
    return unit.partition(" re ")[0]


def _about(made: FieldMap, *, hatched: bool) -> str:
    """Return what stands below a map: how it was made."""
    model = made.variogram
    text = f"{len(made.observations)} stations (circles). Kriging on the sphere"
    text += ", linear in the log distance to the coast" if made.drift == "coast" else ""
    text += f"; {model.model} variogram, range {model.range_km:.0f} km"
    if len(made.plausible) > 1:
        text += f", averaged over {len(made.plausible)} that are likely"
    text += f". Shown within {made.mask_km:.0f} km of a station."
    if hatched:
        text += f" Hatched: standard error above {_hatched_above(made):.2g} {made.unit}".rstrip() + "."
    return f"{text} Land: {SOURCE}."


def _number(value: float) -> str:
    return f"{value:g}".replace("-", "−")
