"""What levels do over the months: the tables of trends, and of rises that stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.noise.change_points import change_points
from pipeline.noise.trends import Trend, seasonal_trend, trend
from pipeline.signal.precision import FloatArray, IndexArray
from pipeline.tables import SCHEMAS
from workflows.noise.times import days_of, midnight

__all__ = ["rises_table", "series_of", "trends_table"]

_YEARS_FOR_SEASONS = 4
_MONTHS = 12
_FEWEST_MONTHS = 8

Series = tuple[str, str, str, IndexArray, FloatArray]
"""Stream, component, band, first days, levels."""


def series_of(levels: pa.Table, span: str) -> Iterator[Series]:
    """
    Iterate over the series of a table of levels: the median level of each of its spans, in order.

    Parameters
    ----------
    levels : pyarrow.Table
        ``noise_levels``.
    span : str
    """
    own = levels.filter(pc.equal(levels["span"], span))
    order = ("stream", "component", "band", "period_start")
    own = own.take(pc.sort_indices(own, sort_keys=[(name, "ascending") for name in order]))
    day, level = days_of(own["period_start"]), own["p50"].to_numpy()
    keys = zip(*(own[name].to_pylist() for name in order[:3]), strict=True)
    at = 0
    for key, rows in groupby(keys):
        count = sum(1 for _ in rows)
        yield *key, day[at : at + count], level[at : at + count]
        at += count


def trends_table(levels: pa.Table) -> pa.Table:
    """Tabulate the trend of each series of months; those too short have none."""
    rows = []
    for stream, component, band, first_day, level in series_of(levels, "month"):
        month = first_day.astype("M8[D]").astype("M8[M]").astype(np.int64)
        found, seasonal = _trend(month, level)
        if found is not None:
            rows.append(
                {
                    **_place(stream, component, band),
                    "start": _time(first_day[0]),
                    "end": _time(_next_month(int(month[-1]))),
                    "levels": found.levels,
                    "slope_db_per_year": found.slope,
                    "slope_low_db_per_year": found.low,
                    "slope_high_db_per_year": found.high,
                    "p_value": found.p_value,
                    "autocorrelation": None if seasonal else found.autocorrelation,
                    "seasonal": seasonal,
                }
            )
    return pa.Table.from_pylist(rows, schema=SCHEMAS["trends"])


def _trend(month: IndexArray, level: FloatArray) -> tuple[Trend | None, bool]:
    """Return the trend per year, and whether seasons were compared with themselves."""
    if len(level) < _FEWEST_MONTHS:
        return None, False
    first = month[0] - month[0] % _MONTHS
    years = (month[-1] - first) // _MONTHS + 1
    table = np.full((int(years), _MONTHS), np.nan)
    table.reshape(-1)[month - first] = level
    if years >= _YEARS_FOR_SEASONS:
        return _or_none(seasonal_trend, table), True
    return _or_none(lambda values: trend(values, step=1 / _MONTHS), table.reshape(-1)), False


def _or_none(function: Callable[[NDArray[np.float64]], Trend], values: NDArray[np.float64]) -> Trend | None:
    try:
        return function(values)
    except ConfigError:
        return None


def rises_table(levels: pa.Table) -> pa.Table:
    """Tabulate the changes that stay of each series of days: rises, and falls with a negative size."""
    rows = []
    for stream, component, band, day, level in series_of(levels, "day"):
        whole = np.full(int(day[-1] - day[0]) + 1, np.nan)
        whole[day - day[0]] = level
        found = change_points(whole)
        for number, change in enumerate(found):
            after = found[number + 1 : number + 2]
            back = after[0].at if after and np.sign(after[0].size) != np.sign(change.size) else None
            stop = after[0].at if after else len(whole)
            rows.append(
                {
                    **_place(stream, component, band),
                    "time": _time(day[0] + change.at),
                    "until": None if back is None else _time(day[0] + back),
                    "rise_db": change.size,
                    "rise_std_db": _error(whole, found[number - 1].at if number else 0, change.at, stop),
                    "p_value": change.p_value,
                }
            )
    return pa.Table.from_pylist(rows, schema=SCHEMAS["rises"])


def _error(level: FloatArray, first: int, at: int, stop: int) -> float:
    """Return the standard error of the difference of two medians, from how days scatter about them."""
    square = 0.0
    for piece in (level[first:at], level[at:stop]):
        there = piece[np.isfinite(piece)]
        deviation = 1.4826 * float(np.median(np.abs(there - np.median(there))))
        square += np.pi / 2 * deviation**2 / len(there)
    return float(np.sqrt(square))


def _place(stream: str, component: str, band: str) -> dict[str, Any]:
    return {"stream": stream, "component": component, "band": band}


def _time(day: int | np.integer[Any]) -> Any:
    return midnight(np.array([int(day)]))[0].as_py()


def _next_month(month: int) -> int:
    return int(np.array(month + 1).astype("M8[M]").astype("M8[D]").astype(np.int64))
