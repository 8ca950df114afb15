"""
The day grid: integer arithmetic between times, samples, days and chunks.

A day holds a whole number of samples, ``n = round(86400 × rate)``, on a grid from 00:00 UTC with a step of
86400 s / n. The same n holds on every day, so that sample k since 1970 lies at ``k × 86400 s / n``::

    day 0              day 1              day 2
    |0 1 2 … n-1|0 1 2 … n-1|0 1 2 … n-1|      index in the day
     0 1 2 … n-1 n            2n                index since 1970

Times are integer nanoseconds since 1970, and no step of the arithmetic is in floating point.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from pipeline.errors import ConfigError

__all__ = ["DAY_NS", "RATES_HZ", "DayGrid", "day_number", "day_of_number", "nominal_rate"]

DAY_NS = 86_400_000_000_000
"""Nanoseconds in a UTC day; leap seconds are not counted, as in POSIX time."""

RATES_HZ = (1 / 86400, 20_000.0)
"""The rates that a day grid can have: from a sample a day to what 32 bits can count in a day."""

BLOCK_SHARD_BELOW_HZ = 5.0
"""Below this rate a shard is a whole block and a chunk a station-day."""

CHUNKS_PER_DAY = 48
"""Half an hour: a halo on both sides then costs 1/24 of a day's bytes."""

SNAP = 2e-5
"""A stated rate this close to a whole number of samples per second (or seconds per sample) means that one."""

_EPOCH = dt.date(1970, 1, 1)


def day_number(day: dt.date) -> int:
    """
    Count the days from 1970-01-01 to a day.

    >>> day_number(dt.date(1970, 1, 2)), day_number(dt.date(1969, 12, 31))
    (1, -1)
    """
    return (day - _EPOCH).days


def day_of_number(number: int) -> dt.date:
    """
    Return the day that lies ``number`` days after 1970-01-01.

    >>> day_of_number(18262)
    datetime.date(2020, 1, 1)
    """
    return _EPOCH + dt.timedelta(days=number)


def nominal_rate(rate_hz: float) -> float:
    """
    Return the rate that an instrument was meant to have, from the one that a header states.

    >>> nominal_rate(100.0002), nominal_rate(0.1000001), nominal_rate(59.5238)
    (100.0, 0.1, 59.5238)
    """
    if not math.isfinite(rate_hz) or rate_hz <= 0:
        raise ConfigError(f"a sampling rate must be positive and finite, not {rate_hz!r} Hz")
    whole = round(rate_hz) if rate_hz >= 1 else 1 / round(1 / rate_hz)
    return float(whole) if abs(rate_hz - whole) <= SNAP * rate_hz else rate_hz


@dataclass(frozen=True, order=True, slots=True)
class DayGrid:
    """
    The samples of any UTC day at one rate.

    Parameters
    ----------
    samples_per_day : int
        The whole number of samples in a day, at least 1.

    Examples
    --------
    >>> grid = DayGrid.at_rate(100.0)
    >>> grid.samples_per_day, grid.label, grid.chunk
    (8640000, '100Hz', 180000)
    >>> DayGrid.at_rate(1.85185206).label, DayGrid.at_rate(1.85185206).samples_per_day
    ('1.851852Hz', 160000)
    >>> DayGrid.from_label("59.5238Hz") == DayGrid.at_rate(59.5238)
    True
    """

    samples_per_day: int

    def __post_init__(self) -> None:
        most = round(RATES_HZ[1] * 86400)
        if not 1 <= self.samples_per_day <= most:
            raise ConfigError(
                f"a day must hold from 1 to {most} samples, not {self.samples_per_day}: "
                f"a rate from 1/86400 to {RATES_HZ[1]:g} Hz"
            )

    @classmethod
    def at_rate(cls, rate_hz: float) -> DayGrid:
        """Return the grid of a nominal rate."""
        return cls(round(Fraction(nominal_rate(rate_hz)) * 86400))

    @classmethod
    def from_label(cls, label: str) -> DayGrid:
        """Read a label such as ``100Hz``."""
        try:
            if not label.endswith("Hz"):
                raise ValueError(label)
            return cls(round(Fraction(label[:-2]) * 86400))
        except (ValueError, ZeroDivisionError) as error:
            raise ConfigError(f"rate {label!r} should look like '100Hz'") from error

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return self.samples_per_day / 86400

    @property
    def label(self) -> str:
        """The shortest decimal of at least seven digits that gives this grid again, with its unit."""
        return _label(self.samples_per_day)

    @property
    def chunk(self) -> int:
        """Samples in a chunk: the divisor of n nearest to half an hour, or a day below 5 Hz."""
        return self.samples_per_day if self.has_block_shards else _chunk(self.samples_per_day)

    @property
    def has_block_shards(self) -> bool:
        """Whether a shard is a whole block rather than a number of station-days."""
        return self.rate_hz < BLOCK_SHARD_BELOW_HZ

    def time_ns(self, index: int) -> int:
        """
        Return the time of a sample, counted from 1970, to the nearest nanosecond.

        >>> DayGrid(3).time_ns(4) == DAY_NS + DAY_NS // 3
        True
        """
        n = self.samples_per_day
        return (2 * index * DAY_NS + n) // (2 * n)

    def index(self, time_ns: int) -> int:
        """
        Return the sample nearest to a time, counted from 1970; exactly between two, the later one.

        >>> grid = DayGrid.at_rate(1.0)
        >>> grid.index(499_999_999), grid.index(500_000_000)
        (0, 1)
        """
        return (2 * time_ns * self.samples_per_day + DAY_NS) // (2 * DAY_NS)

    def index_at_or_after(self, time_ns: int) -> int:
        """
        Return the first sample that does not lie before a time, counted from 1970.

        >>> DayGrid.at_rate(1.0).index_at_or_after(1)
        1
        """
        # A sample lies at its time to the nearest nanosecond, so half of one is forgiven.
        return -((-(2 * time_ns - 1) * self.samples_per_day) // (2 * DAY_NS))

    def step_ns(self) -> Fraction:
        """Return the exact step in nanoseconds."""
        return Fraction(DAY_NS, self.samples_per_day)


@cache
def _label(samples_per_day: int) -> str:
    for digits in range(7, 18):
        text = f"{samples_per_day / 86400:.{digits}g}"
        if round(Fraction(text) * 86400) == samples_per_day:
            return f"{_plain(text)}Hz"
    raise AssertionError(samples_per_day)


@cache
def _chunk(samples_per_day: int) -> int:
    target = samples_per_day / CHUNKS_PER_DAY
    return min(_divisors(samples_per_day), key=lambda d: (abs(math.log(d / target)), d))


def _plain(text: str) -> str:
    """Write a number without an exponent: a label is read by people."""
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    digits = len(mantissa.replace(".", "").replace("-", ""))
    return f"{float(text):.{max(0, digits - 1 - int(exponent))}f}"


def _divisors(number: int) -> list[int]:
    small = [d for d in range(1, math.isqrt(number) + 1) if number % d == 0]
    return small + [number // d for d in small]
