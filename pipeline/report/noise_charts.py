"""The two charts that a station of a noise map has: its spectrum, and its levels in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.report.charts import LineChart
from pipeline.report.series import Axis, Band, Limits, Line, Mark, Points, Series

__all__ = ["level_chart", "psd_chart"]

_DAY_S = 86400


def psd_chart(
    period_s: ArrayLike,
    percentile_db: Mapping[float, ArrayLike],
    *,
    title: str = "PSD",
    unit: str = "dB re 1 (m/s²)²/Hz",
    limits_db: Limits | None = None,
    has_models: bool = True,
) -> LineChart:
    """
    Return the spectrum of a station: percentiles by period, between Peterson's models.

    Parameters
    ----------
    period_s : array_like, shape (periods,)
        Rising.
    percentile_db : mapping of float to array_like, shape (periods,)
        Levels by percentile, as 5, 50, 95. Percentiles that stand symmetrically become a band, others a line.
    title, unit : str
    limits_db : (float, float), optional
    has_models : bool
        Whether the models, which hold for acceleration in dB re 1 (m/s²)²/Hz alone, are drawn.

    Returns
    -------
    LineChart

    Raises
    ------
    ConfigError
        A percentile is not between 0 and 100.

    Examples
    --------
    >>> chart = psd_chart([1.0, 10.0], {5: [-160.0, -150.0], 50: [-150.0, -140.0], 95: [-140.0, -130.0]})
    >>> [series.name for series in chart.series]
    ['5–95 %', 'median', 'NLNM', 'NHNM']
    """
    wrong = [percent for percent in percentile_db if not 0 <= percent <= 100]
    if wrong:
        raise ConfigError(f"percentile {wrong[0]}: should lie between 0 and 100")
    series: list[Series] = []
    for percent in sorted(percentile_db):
        level, opposite = percentile_db[percent], 100 - percent
        if percent < 50 and opposite in percentile_db:
            name = f"{percent:g}–{opposite:g} %"
            series.append(Band(name, period_s, level, percentile_db[opposite], 0))
        elif percent <= 50 or opposite not in percentile_db:
            series.append(Line("median" if percent == 50 else f"{percent:g} %", period_s, level, 0))
    if has_models:
        series += [
            Line("NLNM", period_s, nlnm_db(period_s), None),
            Line("NHNM", period_s, nhnm_db(period_s), None, is_dashed=True),
        ]
    return LineChart(
        title=title,
        x_axis=Axis("Period", "s", "log"),
        y_axis=Axis("PSD", unit, limits=limits_db),
        series=series,
        height_px=250,
    )


def level_chart(
    day: ArrayLike,
    level: ArrayLike,
    *,
    quiet_days: ArrayLike = (),
    title: str = "History",
    name: str = "level",
    unit: str = "",
    limits: Limits | None = None,
    marks: Sequence[tuple[int, str]] = (),
) -> LineChart:
    """
    Return the levels of a station in time, its quiet days marked.

    Parameters
    ----------
    day : array_like of int or datetime64, shape (levels,)
        Since 1970, rising: of each level, or the first of its week or month.
    level : array_like, shape (levels,)
    quiet_days : array_like of int or datetime64
        Each is marked on the level of its day, or of the span that it lies in.
    title, name, unit : str
    limits : (float, float), optional
    marks : sequence of (int, str)
        Days with a name, as of an earthquake.

    Returns
    -------
    LineChart

    Examples
    --------
    >>> chart = level_chart([0, 7, 14], [1.0, 2.0, 3.0], quiet_days=[8], name="SNM")
    >>> chart.series[1].x / 86400, chart.series[1].y
    (array([8.]), array([2.]))
    """
    days, quiet = _days(day), _days(quiet_days)
    levels = np.asarray(level, dtype=np.float64)
    span = np.searchsorted(days, quiet, side="right") - 1
    quiet, span = quiet[span >= 0], span[span >= 0]
    series: list[Series] = [Line(name, days * _DAY_S, levels, 0)]
    if len(quiet):
        series.append(Points("quiet days", quiet * _DAY_S, levels[span], 1))
    return LineChart(
        title=title,
        x_axis=Axis("Time", "UTC", "time"),
        y_axis=Axis(name, unit, limits=limits),
        series=series,
        marks=[Mark(float(at) * _DAY_S, label) for at, label in marks],
        height_px=210,
    )


def _days(values: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    array = np.asarray(values)
    return (array.astype("M8[D]") if array.dtype.kind == "M" else array).astype(np.int64)
