"""
Occasions: which windows belong to a selection by hour, weekday, week, month or season.

Times are UTC, and a window belongs where it starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray

__all__ = ["SEASONS", "Occasions"]

SEASONS: Final[Mapping[str, tuple[int, ...]]] = {
    "DJF": (12, 1, 2),
    "MAM": (3, 4, 5),
    "JJA": (6, 7, 8),
    "SON": (9, 10, 11),
}
"""Months of the meteorological seasons, for ``months``."""

_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS
_RANGES: Final = {"weekdays": (1, 7), "weeks": (1, 53), "months": (1, 12)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasions:
    """
    A selection; what is not given selects all. All that is given must hold.

    Parameters
    ----------
    start_ns, end_ns : int, optional
        Half-open span, in ns since 1970.
    hours : tuple of 2 float, optional
        Of the day, half-open; from the evening over midnight where the second is smaller.
    weekdays : tuple of int, optional
        1 is Monday, 7 Sunday.
    weeks : tuple of int, optional
        ISO weeks, 1 to 53.
    months : tuple of int, optional
        1 to 12; `SEASONS` holds those of a season.
    years : tuple of int, optional

    Examples
    --------
    >>> nights = Occasions(hours=(22, 4), weekdays=(6, 7))
    >>> times = np.array(["2020-03-01T23:00", "2020-03-01T12:00", "2020-03-02T01:00"], dtype="M8[ns]")
    >>> nights.chosen(times.astype(np.int64))
    array([ True, False, False])
    """

    start_ns: int | None = None
    end_ns: int | None = None
    hours: tuple[float, float] | None = None
    weekdays: tuple[int, ...] | None = None
    weeks: tuple[int, ...] | None = None
    months: tuple[int, ...] | None = None
    years: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            wrong = [value for value in getattr(self, name) or () if not least <= value <= most]
            if wrong:
                raise ConfigError(f"{name} should be from {least} to {most}, got {wrong[0]}")
        if self.hours is not None and not all(0 <= hour <= 24 for hour in self.hours):
            raise ConfigError(f"hours should be from 0 to 24, got {self.hours}")

    def chosen(self, times_ns: ArrayLike) -> BoolArray:
        """
        Say which times belong.

        Parameters
        ----------
        times_ns : array_like of int
            Since 1970.

        Returns
        -------
        array of bool, of the same shape
        """
        times = np.asarray(times_ns, dtype=np.int64)
        held = np.ones(times.shape, dtype=bool)
        if self.start_ns is not None:
            held &= times >= self.start_ns
        if self.end_ns is not None:
            held &= times < self.end_ns
        if self.hours is not None:
            held &= _within(times % _DAY_NS / _HOUR_NS, *self.hours)
        for name, count in _COUNTS.items():
            wanted = getattr(self, name)
            if wanted is not None:
                held &= np.isin(count(times // _DAY_NS), wanted)
        return held


def _within(hour: FloatArray, start: float, stop: float) -> BoolArray:
    after, before = hour >= start, hour < stop
    return np.asarray(after & before if start <= stop else after | before)


def _weekday(day: IndexArray) -> IndexArray:
    """Return 1 for a Monday; 1970 began with a Thursday."""
    return np.asarray((day + 3) % 7 + 1)


def _week(day: IndexArray) -> IndexArray:
    """Return the ISO week: that of its Thursday, counted in the Thursday's year."""
    thursday = day - _weekday(day) + 4
    january = thursday.astype("M8[D]").astype("M8[Y]").astype("M8[D]").astype(np.int64)
    return np.asarray((thursday - january) // 7 + 1)


def _month(day: IndexArray) -> IndexArray:
    return np.asarray(day.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12 + 1)


def _year(day: IndexArray) -> IndexArray:
    return np.asarray(day.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970)


_COUNTS: Final = {"weekdays": _weekday, "weeks": _week, "months": _month, "years": _year}
