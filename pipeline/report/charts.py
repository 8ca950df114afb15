"""
Line charts: several series, bands, points, dates; axes that are linear, logarithmic or of time.

A chart is drawn twice: here as an SVG that stands in the page and stays where no script runs, and by the
page's script, which answers to the pointer and the keys. Both draw from the same limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.report.chart_svg import chart_svg
from pipeline.report.markup import Markup, element, escape
from pipeline.report.packing import Store, digits_for
from pipeline.report.series import Axis, Limits, Line, Plot, Series, shared_limits
from pipeline.report.sheet import Sheet

__all__ = ["LineChart", "chart_payload"]

FloatArray: TypeAlias = NDArray[np.float64]

_LOG_DIGITS: Final = 4  # of log10: one part in 4,000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineChart(Plot):
    """
    A chart.

    Parameters
    ----------
    title : str
        Its caption, and its name for who does not see it.
    x_axis, y_axis : Axis
    series : sequence of Line, Band or Points
        Bands lie below lines, lines below points, each kind in its order.
    marks : sequence of Mark
    description : str
        What it shows, in a sentence or two, for who does not see it; from the series and limits unless given.
    height_px : int

    Examples
    --------
    >>> period = np.array([0.1, 1.0, 10.0])
    >>> chart = LineChart(
    ...     title="PSD of GTA",
    ...     x_axis=Axis("Period", "s", "log"),
    ...     y_axis=Axis("Level", "dB", limits=(-200, -80)),
    ...     series=[Line("median", period, [-150.0, -160.0, -140.0])],
    ... )
    >>> chart.spoken
    'median from −160.0 to −140.0 dB. Period from 0.1 to 10 s.'
    """

    def write(self, sheet: Sheet) -> Markup:
        """See `Part.write`."""
        sheet.use("chart")
        identifier, data_id = sheet.new_id(f"chart {self.title}"), sheet.new_id("data")
        limits = shared_limits([self])
        store = Store()
        chart = chart_payload(self, limits, store) | {"spoken": self.spoken}
        payload = {"chart": chart, "store": store.entries}
        attributes = {
            "class": "figure chart",
            "id": identifier,
            "data-widget": "chart",
            "data-source": data_id,
        }
        return element(
            "figure",
            attributes,
            element("figcaption", None, escape(self.title)),
            element("div", {"class": "static"}, chart_svg(self, limits)),
            sheet.data(data_id, payload),
        )


def chart_payload(chart: LineChart, limits: tuple[Limits, Limits] | None, store: Store) -> dict[str, Any]:
    """
    Return what the script needs: what charts have in common in ``spec``, their numbers in ``data``.

    Parameters
    ----------
    chart : LineChart
    limits : ((float, float), (float, float)) or None
        Of x and y.
    store : Store
        Takes the arrays and the spec.
    """
    spec = {
        "title": chart.title,
        "height": chart.height_px,
        "x": _axis_payload(chart.x_axis, limits and limits[0]),
        "y": _axis_payload(chart.y_axis, limits and limits[1]),
        "series": [_series_payload(series) for series in chart.series],
        "marks": [{"x": mark.x, "label": mark.label} for mark in chart.marks],
    }
    digits = digits_for(limits[1]) if limits else 0
    data = []
    for series in chart.series:
        data.append(_array(series.x, chart.x_axis, _x_digits(series.x, chart.x_axis), store))
        data.extend(_array(part, chart.y_axis, digits, store) for part in series.parts)
    return {"spec": store.put(spec), "data": data, "spoken": chart.description}


def _axis_payload(axis: Axis, limits: Limits | None) -> dict[str, Any]:
    return {"label": axis.label, "unit": axis.unit, "kind": axis.kind, "limits": limits and list(limits)}


def _series_payload(series: Series) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "kind": type(series).__name__.lower(),
        "name": series.name,
        "colour": series.colour,
    }
    if isinstance(series, Line):
        payload |= {"dashed": series.is_dashed, "steps": series.style == "steps"}
    return payload


def _x_digits(x: FloatArray, axis: Axis) -> int:
    if axis.kind == "time":
        return 0 if (x == np.rint(x)).all() else 3
    return digits_for(x, steps=10000)


def _array(values: FloatArray, axis: Axis, digits: int, store: Store) -> int:
    if axis.kind != "log":
        return store.array(values, digits)
    with np.errstate(invalid="ignore", divide="ignore"):
        return store.array(np.log10(values), _LOG_DIGITS)
