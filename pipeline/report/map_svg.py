"""A map as an SVG that needs no script; its colours are those of the page, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.report.chart_svg import line_path
from pipeline.report.colours import ColourScale
from pipeline.report.fields import Field, Outlines, field_at, visible_pieces
from pipeline.report.images import png_source
from pipeline.report.markup import Markup, element, escape
from pipeline.report.projection import Projection
from pipeline.report.ticks import ticks_between

__all__ = ["map_svg"]

FloatArray: TypeAlias = NDArray[np.float64]
Extent = tuple[float, float, float, float]

_WIDTH: Final = 760
_TALLEST: Final = 760
_LOWEST: Final = 320
_BAR: Final = 56
_STEPS: Final = 64
_NAMED: Final = 80


def map_svg(
    *,
    projection: Projection,
    extent: Extent,
    scale: ColourScale | None,
    field: Field | None,
    lines: Sequence[Outlines],
    places: Sequence[tuple[float, float]],
    values: FloatArray,
    names: Sequence[str],
    label: str,
    spoken: str,
) -> Markup:
    """
    Return a map with its colour bar.

    Parameters
    ----------
    projection : Projection
    extent : (float, float, float, float)
        West, south, east, north on the projection's sheet.
    scale : ColourScale or None
        None where nothing has a value.
    field : Field or None
    lines : sequence of Outlines
    places : sequence of (longitude, latitude)
    values : array, shape (stations,)
    names : sequence of str
        Written where they are few.
    label, spoken : str
        Of the colour bar; what the map shows, in words.
    """
    frame = _Frame(extent)
    colours = _palette(scale) if scale else None
    inside = [
        element("rect", {"class": "sea", "width": _WIDTH, "height": frame.height}),
        _field_image(field, projection, frame, scale, colours),
        *(_outline(each, projection, frame) for each in lines),
        *_stations(places, values, projection, frame, scale),
        *_names(names, places, projection, frame),
    ]
    # A nested svg cuts off what lies outside of it, and needs no id for that.
    cut = element("svg", {"width": _WIDTH, "height": frame.height}, *inside)
    bar = _bar(scale, label, frame.height) if scale else Markup("")
    return element(
        "svg",
        {
            "viewBox": f"0 0 {_WIDTH} {frame.height + (_BAR if scale else 0)}",
            "role": "img",
            "aria-label": spoken,
        },
        cut,
        element("rect", {"class": "frame", "width": _WIDTH, "height": frame.height}),
        bar,
    )


class _Frame:
    """The sheet's coordinates to pixels: the extent in the middle of the frame."""

    def __init__(self, extent: Extent) -> None:
        west, south, east, north = extent
        aspect = (north - south) / (east - west)
        self.height = int(min(max(_WIDTH * aspect, _LOWEST), _TALLEST))
        self.scale = min(_WIDTH / (east - west), self.height / (north - south))
        self.middle = ((west + east) / 2, (south + north) / 2)

    def x(self, x: FloatArray) -> FloatArray:
        return _WIDTH / 2 + (x - self.middle[0]) * self.scale

    def y(self, y: FloatArray) -> FloatArray:
        return self.height / 2 - (y - self.middle[1]) * self.scale

    def sheet(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (
            (x - _WIDTH / 2) / self.scale + self.middle[0],
            (self.height / 2 - y) / self.scale + self.middle[1],
        )


def _palette(scale: ColourScale) -> NDArray[np.uint8]:
    colours = scale.colours(np.linspace(scale.low, scale.high, _STEPS))
    return np.concatenate([np.zeros((1, 3), np.uint8), colours])


def _field_image(
    field: Field | None,
    projection: Projection,
    frame: _Frame,
    scale: ColourScale | None,
    colours: NDArray[np.uint8] | None,
) -> Markup:
    if field is None or scale is None or colours is None:
        return Markup("")
    across, down = np.meshgrid(np.arange(_WIDTH / 2) * 2 + 1, np.arange(frame.height / 2) * 2 + 1)
    values = field_at(field, *projection.inverse(*frame.sheet(across, down)))
    part = np.clip((values - scale.low) / (scale.high - scale.low), 0, 1)
    index = np.where(np.isfinite(part), 1 + np.rint(np.nan_to_num(part) * (_STEPS - 1)), 0).astype(np.uint8)
    size = {"width": 2 * index.shape[1], "height": 2 * index.shape[0], "preserveAspectRatio": "none"}
    return element("image", {"href": png_source(index, colours), **size})


def _outline(outlines: Outlines, projection: Projection, frame: _Frame) -> Markup:
    paths = []
    for piece in visible_pieces(outlines, projection):
        x, y = projection.forward(piece[:, 0], piece[:, 1])
        x, y = np.round(frame.x(x), 1), np.round(frame.y(y), 1)
        if not (
            np.nanmin(x) < _WIDTH and np.nanmax(x) > 0 and np.nanmin(y) < frame.height and np.nanmax(y) > 0
        ):
            continue
        far = np.abs(np.diff(x, prepend=x[0])) > _WIDTH  # from one edge of the world to the other
        x, y = np.insert(x, np.flatnonzero(far), np.nan), np.insert(y, np.flatnonzero(far), np.nan)
        kept = np.ones(len(x), dtype=bool)
        # What moves by less than a pixel is not seen.
        kept[1:-1] = ~(np.hypot(np.diff(x), np.diff(y)) < 0.8)[:-1]
        paths.append(line_path(x[kept], y[kept]))
    return (
        element("path", {"class": f"outline {outlines.kind}", "d": "".join(paths)}) if paths else Markup("")
    )


def _stations(
    places: Sequence[tuple[float, float]],
    values: FloatArray,
    projection: Projection,
    frame: _Frame,
    scale: ColourScale | None,
) -> list[Markup]:
    """Return the stations, all of one colour in one path: a line of no length with round ends is a dot."""
    if not places:
        return [
            element(
                "text",
                {"x": _WIDTH / 2, "y": frame.height / 2, "text-anchor": "middle"},
                escape("There are no stations."),
            )
        ]
    x, y = projection.forward(*np.array(places, dtype=np.float64).T)
    x, y = frame.x(x), frame.y(y)
    groups: dict[str, list[int]] = {}
    steps = np.full(len(values), np.nan)
    if scale is not None:
        steps = np.rint(np.clip((values - scale.low) / (scale.high - scale.low), 0, 1) * (_STEPS - 1))
        colours = _palette(scale)[1:]
    for number, step in enumerate(steps):
        colour = "" if not np.isfinite(step) else "#{:02x}{:02x}{:02x}".format(*colours[int(step)].tolist())
        groups.setdefault(colour, []).append(number)
    pieces = [element("path", {"class": "station-ring", "d": _dots(x, y, range(len(x)))})]
    for colour in sorted(groups):
        attributes = {"class": "station" if colour else "station unknown", "stroke": colour or None}
        pieces.append(element("path", {**attributes, "d": _dots(x, y, groups[colour])}))
    return pieces


def _dots(x: FloatArray, y: FloatArray, numbers: Sequence[int]) -> str:
    return "".join(f"M{x[k]:.1f} {y[k]:.1f}h0" for k in numbers if np.isfinite(x[k]))


def _names(
    names: Sequence[str], places: Sequence[tuple[float, float]], projection: Projection, frame: _Frame
) -> list[Markup]:
    """Return the names that have room, those that were there first."""
    if not names or len(names) > _NAMED:
        return []
    x, y = projection.forward(*np.array(places, dtype=np.float64).T)
    x, y = frame.x(x), frame.y(y)
    taken: list[tuple[float, float, float, float]] = [
        (a - 6, b - 6, a + 6, b + 6) for a, b in zip(x, y, strict=True)
    ]
    pieces = []
    for name, left, middle in zip(names, x, y, strict=True):
        box = (left + 8, middle - 7, left + 10 + 6.6 * len(name), middle + 7)
        if np.isfinite(left) and not any(_overlap(box, other) for other in taken):
            taken.append(box)
            at = {"class": "name", "x": f"{left + 9:.1f}", "y": f"{middle + 4:.1f}"}
            pieces.append(element("text", at, escape(name)))
    return pieces


def _overlap(one: tuple[float, float, float, float], two: tuple[float, float, float, float]) -> bool:
    return one[0] < two[2] and two[0] < one[2] and one[1] < two[3] and two[1] < one[3]


def _bar(scale: ColourScale, label: str, top: int) -> Markup:
    left, width = 120, _WIDTH - 240
    colours = _palette(scale)
    source = png_source(np.arange(1, _STEPS + 1, dtype=np.uint8)[np.newaxis], colours)
    pieces = [
        element(
            "image",
            {
                "href": source,
                "x": left,
                "y": top + 10,
                "width": width,
                "height": 12,
                "preserveAspectRatio": "none",
            },
        ),
        element("rect", {"class": "frame", "x": left, "y": top + 10, "width": width, "height": 12}),
    ]
    for value, text in ticks_between(scale.low, scale.high, "linear"):
        x = left + (value - scale.low) / (scale.high - scale.low) * width
        pieces.append(
            element("text", {"x": f"{x:.1f}", "y": top + 36, "text-anchor": "middle"}, escape(text))
        )
    pieces.append(element("text", {"x": _WIDTH / 2, "y": top + 52, "text-anchor": "middle"}, escape(label)))
    return element("g", None, *pieces)
