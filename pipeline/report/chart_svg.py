"""A chart as an SVG that needs no script; its colours are those of the page, light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.report.markup import Markup, element, escape
from pipeline.report.series import Axis, Band, Limits, Line, Plot, Points
from pipeline.report.ticks import ticks_between

__all__ = ["chart_svg", "colour_class", "empty_svg"]

_WIDTH: Final = 760
_LEFT: Final = 64
_RIGHT: Final = 16
_TOP: Final = 14
_BOTTOM: Final = 44
_LEGEND: Final = 22


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values of an axis to pixels."""

    axis: Axis
    limits: Limits
    start: float
    stop: float

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        low, high = self.limits
        if self.axis.kind == "log":
            with np.errstate(invalid="ignore", divide="ignore"):
                values = np.where(values > 0, np.log10(values), np.nan)
            low, high = np.log10(low), np.log10(high)
        return np.asarray(self.start + (values - low) / (high - low) * (self.stop - self.start))

    def one(self, value: float) -> float:
        return float(self(np.array([value]))[0])


def colour_class(colour: int | None) -> str:
    """
    Return the class that gives a series its colour.

    >>> colour_class(0), colour_class(None)
    ('c0', 'cref')
    """
    return "cref" if colour is None else f"c{colour}"


def empty_svg(title: str, message: str, width: int, height: int) -> Markup:
    """Return a frame that says why it is empty."""
    return element(
        "svg",
        {"viewBox": f"0 0 {width} {height}", "role": "img", "aria-label": f"{title}: {message}"},
        element("rect", {"class": "frame", "x": 1, "y": 1, "width": width - 2, "height": height - 2}),
        element("text", {"x": width / 2, "y": height / 2, "text-anchor": "middle"}, escape(message)),
    )


def chart_svg(chart: Plot, limits: tuple[Limits, Limits] | None) -> Markup:
    """
    Return a chart, or a frame that says that there are no values.

    Parameters
    ----------
    chart : Plot
    limits : ((float, float), (float, float)) or None
        Of x and y; None where there are no values.
    """
    if limits is None:
        return empty_svg(chart.title, "There are no values.", _WIDTH, 120)
    height = chart.height_px + _LEGEND
    x = _Scale(chart.x_axis, limits[0], _LEFT, _WIDTH - _RIGHT)
    y = _Scale(chart.y_axis, limits[1], chart.height_px - _BOTTOM, _TOP)
    ranks = {Band: 0, Line: 1, Points: 2}
    drawn = [_series(series, x, y) for series in sorted(chart.series, key=lambda each: ranks[type(each)])]
    # A nested svg cuts off what lies outside of it, and needs no id for that.
    inside = element(
        "svg",
        {
            "x": _LEFT,
            "y": _TOP,
            "width": _WIDTH - _LEFT - _RIGHT,
            "height": chart.height_px - _TOP - _BOTTOM,
            "viewBox": f"{_LEFT} {_TOP} {_WIDTH - _LEFT - _RIGHT} {chart.height_px - _TOP - _BOTTOM}",
        },
        *drawn,
        *(_mark(mark.x, mark.label, x, y) for mark in chart.marks),
    )
    return element(
        "svg",
        {"viewBox": f"0 0 {_WIDTH} {height}", "role": "img", "aria-label": f"{chart.title}. {chart.spoken}"},
        *_axes(x, y),
        inside,
        *_legend(chart, height - 6),
    )


def _axes(x: _Scale, y: _Scale) -> list[Markup]:
    pieces = []
    for value, label in ticks_between(*x.limits, x.axis.kind, count=8):
        place = _px(x.one(value))
        pieces.append(_line(place, _px(y.start), place, _px(y.stop), "grid"))
        pieces.append(_text(place, _px(y.start + 16), label, "middle"))
    for value, label in ticks_between(*y.limits, y.axis.kind):
        place = _px(y.one(value))
        pieces.append(_line(_px(x.start), place, _px(x.stop), place, "grid"))
        pieces.append(_text(_px(x.start - 7), _px(y.one(value) + 4), label, "end"))
    pieces.append(_text(_px((x.start + x.stop) / 2), _px(y.start + 35), x.axis.title, "middle"))
    middle = _px((y.start + y.stop) / 2)
    pieces.append(_text("14", middle, y.axis.title, "middle", turn=f"rotate(-90 14 {middle})"))
    return pieces


def _series(series: Line | Band | Points, x: _Scale, y: _Scale) -> Markup:
    across = x(series.x)
    colour = colour_class(series.colour)
    if isinstance(series, Band):
        return element(
            "path", {"class": f"band {colour}", "d": _band_path(across, y(series.low), y(series.high))}
        )
    if isinstance(series, Points):
        # A line of no length with round ends is a dot: thousands of them in one element.
        dots = "".join(
            f"M{_px(a)} {_px(b)}h0" for a, b in zip(across, y(series.y), strict=True) if np.isfinite(b)
        )
        return element("path", {"class": f"dots {colour}", "d": dots})
    down = y(series.y)
    if series.style == "steps":
        across, down = np.repeat(across, 2)[1:], np.repeat(down, 2)[:-1]
    dashed = " dashed" if series.is_dashed else ""
    return element("path", {"class": f"line {colour}{dashed}", "d": line_path(across, down)})


def line_path(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """
    Return the path of a line that breaks at NaN; one that is alone is a dot.

    >>> line_path(np.array([0.0, 1.0, 2.0, 3.0]), np.array([5.0, 6.0, np.nan, 7.0]))
    'M0 5L1 6M3 7h0'
    """
    return "".join(
        f"M{_px(x[start])} {_px(y[start])}"
        + ("".join(f"L{_px(x[k])} {_px(y[k])}" for k in range(start + 1, stop)) or "h0")
        for start, stop in _runs(np.isfinite(x) & np.isfinite(y))
    )


def _band_path(x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> str:
    return "".join(
        line_path(
            np.concatenate([x[start:stop], x[start:stop][::-1]]),
            np.concatenate([high[start:stop], low[start:stop][::-1]]),
        )
        + "Z"
        for start, stop in _runs(np.isfinite(x) & np.isfinite(low) & np.isfinite(high))
    )


def _runs(held: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _mark(place: float, label: str, x: _Scale, y: _Scale) -> Markup:
    at = x.one(place)
    is_right = at > (x.start + x.stop) / 2
    name = _text(_px(at + (-5 if is_right else 5)), _px(y.stop + 12), label, "end" if is_right else "start")
    return element("g", {"class": "mark"}, _line(_px(at), _px(y.start), _px(at), _px(y.stop), "mark"), name)


def _legend(chart: Plot, baseline: int) -> Sequence[Markup]:
    # Text is not measured here: seven pixels a letter are enough for the fonts that a page may get.
    pieces, at = [], float(_LEFT)
    for series in chart.series:
        dashed = " dashed" if isinstance(series, Line) and series.is_dashed else ""
        kind = (
            "dots"
            if isinstance(series, Points)
            else "band swatch"
            if isinstance(series, Band)
            else f"line{dashed}"
        )
        where = f"M{_px(at + 11)} {baseline - 4}h0" if kind == "dots" else f"M{_px(at)} {baseline - 4}h22"
        pieces.append(element("path", {"class": f"{kind} {colour_class(series.colour)}", "d": where}))
        pieces.append(_text(_px(at + 28), str(baseline), series.name, "start"))
        at += 48 + 7 * len(series.name)
    return pieces


def _line(x1: str, y1: str, x2: str, y2: str, name: str) -> Markup:
    return element("path", {"class": name, "d": f"M{x1} {y1}L{x2} {y2}"})


def _text(x: str, y: str, text: str, anchor: str, *, turn: str | None = None) -> Markup:
    attributes: dict[str, Any] = {"x": x, "y": y, "text-anchor": anchor, "transform": turn}
    return element("text", attributes, escape(text))


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
