"""What a chart is made of: axes, lines, bands, points, dates, and the limits that hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.report.markup import number_text
from pipeline.report.packing import digits_for
from pipeline.report.ticks import AxisKind, round_limits

__all__ = [
    "Axis",
    "Band",
    "Limits",
    "Line",
    "Mark",
    "Plot",
    "Points",
    "Series",
    "has_values",
    "shared_limits",
]

FloatArray: TypeAlias = NDArray[np.float64]
LineStyle = Literal["line", "steps"]
Limits = tuple[float, float]

_COLOURS: Final = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """
    An axis.

    Parameters
    ----------
    label, unit : str
    kind : {"linear", "log", "time"}
        A time axis takes datetime64, or seconds since 1970, in UTC.
    limits : (float, float), optional
        Its ends, rising; from the values unless given.
    """

    label: str
    unit: str = ""
    kind: AxisKind = "linear"
    limits: Limits | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("linear", "log", "time"):
            raise ConfigError(f"axis {self.label!r}: kind should be linear, log or time, got {self.kind!r}")
        if self.limits is not None:
            low, high = self.limits
            if not (np.isfinite([low, high]).all() and low < high and (self.kind != "log" or low > 0)):
                least = " above 0" if self.kind == "log" else ""
                raise ConfigError(
                    f"axis {self.label!r}: limits should be finite, rise{least}, got {low} to {high}"
                )

    @property
    def title(self) -> str:
        """Label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def _floats(name: str, what: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind == "M":
        seconds = array.astype("M8[us]").astype(np.int64) / 1e6
        array = np.where(np.isnat(array), np.nan, seconds)
    array = np.asarray(array, dtype=np.float64)
    if array.ndim != 1:
        raise ConfigError(f"series {name!r}: {what} should have one axis, got the shape {array.shape}")
    return array


def _set_floats(series: Any, *names: str) -> None:
    for name in names:
        object.__setattr__(series, name, _floats(series.name, name, getattr(series, name)))
    lengths = {name: len(getattr(series, name)) for name in names}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise ConfigError(f"series {series.name!r}: should be of one length, got {said}")


def _check_colour(name: str, colour: int | None) -> None:
    if colour is not None and colour not in range(_COLOURS):
        raise ConfigError(f"series {name!r}: colour should be 0 to {_COLOURS - 1} or None, got {colour}")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """
    A line; it breaks where a value is missing.

    Parameters
    ----------
    name : str
    x, y : array_like, shape (values,)
        ``x`` rises. NaN of ``y``, and what a logarithmic axis can't show, is missing.
    colour : int, optional
        0 to 7; None is the grey of what others are compared with.
    style : {"line", "steps"}
        Steps begin at ``x`` and last up to the next.
    is_dashed : bool
    """

    name: str
    x: Any
    y: Any
    colour: int | None = 0
    style: LineStyle = "line"
    is_dashed: bool = False

    def __post_init__(self) -> None:
        _set_floats(self, "x", "y")
        _check_colour(self.name, self.colour)

    @property
    def parts(self) -> tuple[FloatArray, ...]:
        """Its values: one array."""
        return (self.y,)


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A band between two lines, as percentiles; see `Line`."""

    name: str
    x: Any
    low: Any
    high: Any
    colour: int | None = 0

    def __post_init__(self) -> None:
        _set_floats(self, "x", "low", "high")
        _check_colour(self.name, self.colour)

    @property
    def parts(self) -> tuple[FloatArray, ...]:
        """Its values: two arrays."""
        return (self.low, self.high)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points that no line joins, as quiet days or outliers; see `Line`."""

    name: str
    x: Any
    y: Any
    colour: int | None = 1

    def __post_init__(self) -> None:
        _set_floats(self, "x", "y")
        _check_colour(self.name, self.colour)

    @property
    def parts(self) -> tuple[FloatArray, ...]:
        """Its values: one array."""
        return (self.y,)


Series: TypeAlias = Line | Band | Points


@dataclass(frozen=True, slots=True)
class Mark:
    """A place on the x-axis with a name: an earthquake, a new sensor. Times as seconds since 1970."""

    x: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plot:
    """
    What a chart shows; see `pipeline.report.charts.LineChart`, which can be written.

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
    """

    title: str
    x_axis: Axis
    y_axis: Axis
    series: Sequence[Series]
    marks: Sequence[Mark] = ()
    description: str = ""
    height_px: int = field(default=320)

    def __post_init__(self) -> None:
        if self.y_axis.kind == "time":
            raise ConfigError(f"chart {self.title!r}: the y-axis can't be one of time")
        for series in self.series:
            x = series.x[np.isfinite(series.x)]
            if len(x) < len(series.x) or (np.diff(x) < 0).any():
                raise ConfigError(
                    f"chart {self.title!r}, series {series.name!r}: x should be finite and never fall"
                )

    @property
    def spoken(self) -> str:
        """What it shows, in words."""
        if self.description:
            return self.description
        said = [_range_text(series, self.y_axis) for series in self.series]
        limits = shared_limits([self])
        if limits is None:
            return "There are no values."
        first, last = (_end(end, self.x_axis) for end in limits[0])
        said.append(f"{self.x_axis.label} from {first} to {last}{_unit(self.x_axis)}.")
        return " ".join(said)


def _range_text(series: Series, axis: Axis) -> str:
    values = np.concatenate([_shown(part, axis) for part in series.parts])
    if not len(values):
        return f"{series.name}: no values."
    digits = max(0, digits_for(values, steps=100))
    low, high = (number_text(float(value), digits) for value in (values.min(), values.max()))
    return f"{series.name} from {low} to {high}{_unit(axis)}."


def _unit(axis: Axis) -> str:
    return f" {axis.unit}" if axis.unit and axis.kind != "time" else ""


def _end(value: float, axis: Axis) -> str:
    if axis.kind == "time":
        return str(np.datetime64(round(value), "s"))[:10]
    return number_text(float(f"{value:.4g}"))


def _shown(values: FloatArray, axis: Axis) -> FloatArray:
    """Return the values that an axis can show."""
    return values[np.isfinite(values) & ((values > 0) | (axis.kind != "log"))]


def shared_limits(charts: Sequence[Plot]) -> tuple[Limits, Limits] | None:
    """
    Return the limits of x and y that hold all values of some charts, or None where there are none.

    Limits that an axis of the first chart was given stay as they are. Series in grey, with which others are
    compared, are no values where there is nothing to compare.
    """
    if not any(has_values(chart) for chart in charts):
        return None
    found: list[Limits] = []
    for axis, parts in (
        (charts[0].x_axis, [series.x for chart in charts for series in chart.series]),
        (charts[0].y_axis, [part for chart in charts for series in chart.series for part in series.parts]),
    ):
        values = _shown(np.concatenate(parts), axis) if parts else np.empty(0)
        if not len(values):
            return None
        found.append(axis.limits or _limits(float(values.min()), float(values.max()), axis, charts))
    return found[0], found[1]


def has_values(chart: Plot) -> bool:
    """Tell whether a chart holds any value that its axes can show, other than to compare with."""
    compared = [series for series in chart.series if series.colour is not None] or chart.series
    return any(len(_shown(part, chart.y_axis)) for series in compared for part in series.parts)


def _limits(low: float, high: float, axis: Axis, charts: Sequence[Plot]) -> Limits:
    if axis is charts[0].x_axis and high > low:
        return low, high
    return round_limits(low, high, axis.kind)
