"""
Days of a stream that no level or magnitude is made of, because no ground can have what they say.

Of seismometers their level tells, day by day; of gravimeters the tide in them, run by run.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.archive.grid import day_number, day_of_number
from pipeline.noise.plausible import judge_factor, judge_spans
from pipeline.noise.tide_factor import TideFactor
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray
from workflows.noise.arrays import StreamArrays
from workflows.noise.product import MeasuredStream, NoiseProduct

__all__ = ["Refusals", "refuse_by_tide", "refuse_days"]

_HARMLESS = frozenset({"plausible", "unknown"})
_TIDES = ("tide_factor", "tide_factor_std", "tide_lag_s", "tide_days")


@dataclass(frozen=True)
class Refusals:
    """
    What is refused.

    Parameters
    ----------
    reasons : dict of (int, int) to str
        Why, by component (row) and day since 1970.
    """

    reasons: dict[tuple[int, int], str]

    def windows(self, slot: int, day: IndexArray, last: IndexArray | None = None) -> BoolArray:
        """Say which windows of a component are refused, by the days on which they begin and end."""
        days = [each for row, each in self.reasons if row == slot]
        ends = day if last is None else last
        found = np.isin(day, days)
        for ahead in range(1, int(np.max(ends - day, initial=0)) + 1):
            found |= np.isin(np.minimum(day + ahead, ends), days)
        return found

    def reason(self, slot: int, days: IndexArray) -> str:
        """Return the reason of the first of some days that is refused; empty where none is."""
        return next((self.reasons[slot, day] for day in days.tolist() if (slot, day) in self.reasons), "")

    @cached_property
    def told(self) -> list[str]:
        """Each component's first reason, and of how many days from when on."""
        found = []
        counts = Counter(slot for slot, _ in self.reasons)
        for slot, count in sorted(counts.items()):
            first = min(day for row, day in self.reasons if row == slot)
            days = f"{count} day{'' if count == 1 else 's'} from {day_of_number(first)} on"
            found.append(f"{days} left out: {self.reasons[slot, first]}")
        return found


def refuse_days(
    product: NoiseProduct,
    stream: MeasuredStream,
    arrays: StreamArrays,
    level_db: FloatArray,
    day: IndexArray,
) -> Refusals:
    """
    Judge all days of a stream.

    Parameters
    ----------
    product, stream, arrays
    level_db : ndarray, shape (components, windows, periods)
    day : ndarray of int, shape (windows,)
        On which each window begins.
    """
    if arrays.gravity:
        return refuse_by_tide(product, stream, arrays)
    found = {}
    for slot, own in enumerate(level_db):
        for each, verdict in judge_spans(own, arrays.bins.centre_s, day).items():
            if verdict.reason:
                found[slot, each] = verdict.reason
    return Refusals(found)


def refuse_by_tide(product: NoiseProduct, stream: MeasuredStream, arrays: StreamArrays) -> Refusals:
    """Refuse the days of each run whose tide is wrong, as far as no other run has them right."""
    first, last = stream.days(product.block_days)
    tides = np.stack([_read(product, stream, arrays, name, first, last) for name in _TIDES], axis=1)
    begin, length = day_number(first), arrays.config.gravity.run_days
    wrong: dict[int, str] = {}
    right: set[int] = set()
    for start, values in enumerate(tides.tolist()):
        verdict = judge_factor(TideFactor(*values))
        days = range(begin + start, begin + start + length)
        if verdict.kind == "plausible":
            right.update(days)
        elif verdict.kind not in _HARMLESS:
            for each in days:
                wrong.setdefault(each, verdict.reason)
    present = _read(product, stream, arrays, "present", first, last) > 0
    there = {begin + int(day) for day in np.flatnonzero(present)}
    return Refusals({(0, day): wrong[day] for day in sorted(wrong) if day in there - right})


def _read(
    product: NoiseProduct,
    stream: MeasuredStream,
    arrays: StreamArrays,
    name: str,
    first: dt.date,
    last: dt.date,
) -> FloatArray:
    return np.asarray(product.read(stream, arrays.gravity[name], first, last), dtype=np.float64)
