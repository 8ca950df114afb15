"""Round numbers and dates along an axis, for charts that are drawn without a script."""

from __future__ import annotations

import datetime as dt
import math
from typing import Final, Literal

from pipeline.report.markup import number_text

__all__ = ["AxisKind", "Tick", "log_ticks", "round_limits", "ticks_between", "time_ticks"]

AxisKind = Literal["linear", "log", "time"]
Tick = tuple[float, str]

_DAY_S: Final = 86400.0
# Steps of a time axis up to days, in seconds.
_STEPS_S: Final = (
    1,
    2,
    5,
    10,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    7200,
    10800,
    21600,
    43200,
    86400,
    172800,
    432000,
)
_MONTH_STEPS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200)
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def linear_step(span: float, count: int) -> float:
    """
    Return the round step, 1, 2 or 5 times a power of ten, that parts a span into at most so many pieces.

    >>> linear_step(100.0, 6), linear_step(0.7, 5)
    (20.0, 0.2)
    """
    raw = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def round_limits(low: float, high: float, kind: AxisKind) -> tuple[float, float]:
    """
    Return limits a little outside of some values, at round numbers where the axis is linear.

    >>> round_limits(-178.2, -121.0, "linear"), round_limits(3.0, 3.0, "linear")
    ((-180.0, -120.0), (2.5, 3.5))
    """
    if kind == "time":
        return (low, high) if high > low else (low - _DAY_S, high + _DAY_S)
    if kind == "log":
        return (low, high) if high > low else (low / 2, high * 2)
    # What differs by rounding errors alone is the same.
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        room = abs(low) / 6 if abs(low) > 1e6 else 0.5
        return low - room, high + room
    step = linear_step(high - low, 8)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return _multiple(first, step), _multiple(last, step)


def ticks_between(low: float, high: float, kind: AxisKind, *, count: int = 6) -> list[Tick]:
    """
    Return about so many ticks and their labels.

    >>> ticks_between(-200.0, -80.0, "linear")
    [(-200.0, '−200'), (-180.0, '−180'), (-160.0, '−160'), (-140.0, '−140'), (-120.0, '−120'), ...]
    """
    if kind == "log":
        return log_ticks(low, high, count=count)
    if kind == "time":
        return time_ticks(low, high, count=count)
    step = linear_step(high - low, count)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [
        (_multiple(number, step), number_text(_multiple(number, step), digits))
        for number in range(first, last + 1)
    ]


def log_ticks(low: float, high: float, *, count: int = 6) -> list[Tick]:
    """
    Return ticks of a logarithmic axis: powers of ten, and 2 and 5 between them where there is room.

    >>> log_ticks(0.1, 200.0)
    [(0.1, '0.1'), (1.0, '1'), (10.0, '10'), (100.0, '100')]
    >>> [label for _, label in log_ticks(0.5, 6.0)]
    ['0.5', '1', '2', '5']
    """
    first, last = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
    every = max(1, math.ceil((last - first) / count))
    factors = (1, 2, 5) if (last - first) * 3 <= count + 2 else (1,)
    values = [float(f"{factor}e{power}") for power in range(first, last + 1, every) for factor in factors]
    return [(value, _power_text(value)) for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def time_ticks(low: float, high: float, *, count: int = 6) -> list[Tick]:
    """
    Return ticks at round times of UTC, given in seconds since 1970.

    >>> from datetime import UTC, datetime
    >>> start, stop = datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 3, 1, tzinfo=UTC)
    >>> [label for _, label in time_ticks(start.timestamp(), stop.timestamp())]
    ['2020', 'Apr', 'Jul', 'Oct', '2021']
    """
    raw = (high - low) / max(count, 1)
    for step in _STEPS_S:
        if step >= raw:
            first = math.ceil(low / step)
            times = [number * float(step) for number in range(first, math.floor(high / step) + 1)]
            return [(time, _clock_text(time, step)) for time in times]
    for months in _MONTH_STEPS:
        if months * 30.44 * _DAY_S >= raw:
            break
    start = _utc(low)
    number = (start.year * 12 + start.month - 1) // months * months
    found: list[Tick] = []
    while (time := _month_start(number)) <= high:
        if time >= low:
            found.append((time, _month_text(number)))
        number += months
    return found


def _multiple(number: int, step: float) -> float:
    # 3 * 0.1 is not 0.3: the text of the product is.
    return float(f"{number * step:.12g}")


def _power_text(value: float) -> str:
    if 1e-3 <= value <= 1e4:
        return number_text(value)
    factor, _, power = f"{value:.0e}".partition("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if factor == "1" else f"{factor}·10{raised}"


def _utc(time_s: float) -> dt.datetime:
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=time_s)


def _clock_text(time_s: float, step: int) -> str:
    time = _utc(time_s)
    if time_s % _DAY_S == 0:
        return f"{time.day} {_MONTHS[time.month - 1]}"
    return f"{time:%H:%M:%S}" if step < 60 else f"{time:%H:%M}"


def _month_start(number: int) -> float:
    year, month = divmod(number, 12)
    return (
        dt.datetime(year, month + 1, 1, tzinfo=dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    ).total_seconds()


def _month_text(number: int) -> str:
    year, month = divmod(number, 12)
    return str(year) if month == 0 else _MONTHS[month]
