"""
Transients: what a station records that is no earthquake near it, each with its truth.

::

    burst ▁▃█▆▄▂▁   spike ─┴─   glitch ─▏▔╲__   calibration ─╱╲__ __╲╱─   (step on and off, or a sine)
    footsteps ╷╻╷╻╷╻╷   vehicle ◁▷   train ◁████▷   teleseism ─P──S───≈≈≈≈≈─

Each kind has its habits: how many a day, at which local hours, how long, how loud. A day of a kind is drawn
whole, from the station, the kind and the day alone, so that a list is the same however it is asked for, and
a waveform is made whole and then cut. All waveforms are ground velocity in m/s. What happens in the
instrument (spikes, glitches, calibrations) is given as the velocity that one would read from it: multiply by
the sensitivity, do not convolve with the response.

Broadbands are sited away from roads, and further from railways: each station has one of both at a distance of
its own, from which all that passes there has its loudness and its dullness.

========  ====================  ===========================  =================================
kind      at 1 km (m/s)         way, median and 5 to 95 %    at the median (m/s)
========  ====================  ===========================  =================================
vehicle   4e-8                  1 km, 0.4 to 2.7             4e-8
train     8e-7                  8 km, 2.1 to 30              4e-8; 3e-7 at 2 km
========  ====================  ===========================  =================================

Behind the values at 1 km stand the orders that are usual in engineering, 0.2 mm/s at 25 m from a railway and
40 µm/s at 10 m from a lorry, and a fall with the distance to the power of 1.5. High frequencies fall faster:
kilometres from a railway its spectrum has its peak between 2 and 5 Hz, the lower the further (Sanford et al.
1968).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator
from pipeline.synthetic.ground.transient_shapes import (
    KINDS,
    P_S_KM,
    SHAPES,
    SURFACE_S_KM,
    Kind,
    Transient,
    dull,
)

__all__ = ["Surroundings", "list_transients", "waveform"]

_SECOND_NS: Final = 1_000_000_000
_DAY_S: Final = 86400
_FALL: Final = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """
    Where a station stands.

    Parameters
    ----------
    seed : int
        Of the archive; teleseisms are shared by all stations with the same seed.
    station : str
    utc_offset_h : float
        Local time less UTC.
    east_km, north_km : float
        From a point that the network shares.
    per_day : mapping of str to float, optional
        How many of a kind a day has, as a mean over a week, where not as usual; 0 for none.
    loudness : float
        Factor of all peaks but those of teleseisms and of the instrument.
    """

    seed: int
    station: str
    utc_offset_h: float = 0.0
    east_km: float = 0.0
    north_km: float = 0.0
    per_day: Mapping[Kind, float] = field(default_factory=dict)
    loudness: float = 1.0

    def __post_init__(self) -> None:
        for kind, rate in self.per_day.items():
            if kind not in KINDS:
                raise ConfigError(f"per_day knows {', '.join(KINDS)}, got {kind!r}")
            if not rate >= 0:
                raise ConfigError(f"per_day of {kind} should be at least 0, got {rate}")


def list_transients(place: Surroundings, first_ns: int, stop_ns: int) -> tuple[Transient, ...]:
    """
    List the transients that touch a window.

    Parameters
    ----------
    place : Surroundings
    first_ns, stop_ns : int
        Since 1970; half-open.

    Returns
    -------
    tuple of Transient
        By start, then kind.

    Examples
    --------
    >>> place = Surroundings(seed=1, station="PB01", per_day={"spike": 3.0})
    >>> day = 86400 * 10**9
    >>> week = list_transients(place, 18600 * day, 18607 * day)
    >>> sum(one.kind == "calibration" for one in week)
    1
    """
    found = []
    for kind, habit in _HABITS.items():
        local = 0 if kind == "teleseism" else round(place.utc_offset_h * 3600)
        reach = math.ceil(habit.seconds[1] + _slack_s(place)) + 1
        begin = (first_ns // _SECOND_NS - reach + local) // _DAY_S
        end = (stop_ns // _SECOND_NS + reach + local) // _DAY_S
        for day in range(begin, end + 1):
            found += [
                one for one in _of_day(place, kind, day) if one.start_ns < stop_ns and one.end_ns > first_ns
            ]
    return tuple(sorted(found, key=lambda one: (one.start_ns, one.kind, one.key)))


def waveform(one: Transient, *, rate_hz: int = 100) -> tuple[int, NDArray[np.float32]]:
    """
    Make the whole waveform of a transient.

    Returns
    -------
    first : int
        Sample since 1970 at the rate.
    motion : ndarray of float32, shape (3, samples)
        Z, N, E in m/s.
    """
    first, stop = (-(-time * rate_hz // _SECOND_NS) for time in (one.start_ns, one.end_ns))
    offset_s = (first * _SECOND_NS - one.start_ns * rate_hz) / (rate_hz * _SECOND_NS)
    time_s = offset_s + np.arange(stop - first) / rate_hz
    if not time_s.size:  # shorter than a sample, and between two
        return first, np.zeros((3, 0), dtype=np.float32)
    motion = SHAPES[one.kind](generator(*_seed_and_key(one), "shape"), time_s, one)
    if one.distance_km:
        motion = dull(motion, rate_hz, one.distance_km)
    motion[[name not in one.components for name in "ZNE"]] = 0.0
    peak = np.abs(motion).max()
    return first, (motion * (one.peak_m_s / peak if peak > 0 else 0.0)).astype(np.float32)


def _seed_and_key(one: Transient) -> tuple[int, *tuple[str | int, ...]]:
    seed, *key = one.key
    return (int(seed), *key)


def _slack_s(place: Surroundings) -> float:
    """How far waves that cross the network, and trains that are late, may stray from their time."""
    return 900.0 + 2 * SURFACE_S_KM * math.hypot(place.east_km, place.north_km)


def _of_day(place: Surroundings, kind: Kind, day: int) -> list[Transient]:
    """Draw the transients of a kind that belong to a local day (that of UTC for teleseisms)."""
    habit = _HABITS[kind]
    rate = place.per_day.get(kind, habit.per_day)
    far = kind == "teleseism"
    key = ("transients", kind) if far else ("transients", place.station, kind)
    rng = generator(place.seed, *key, day)
    midnight_ns = round((day * _DAY_S - (0.0 if far else place.utc_offset_h * 3600)) * _SECOND_NS)
    loudness = place.loudness if habit.outside else 1.0
    distance_km = habit.way.distance_km(place, kind) if habit.way else 0.0
    if habit.way:
        loudness *= distance_km**-_FALL
    made = []
    for index, second in enumerate(habit.times(rng, place, rate, day)):
        own = generator(place.seed, *key, day, index)
        start_ns = midnight_ns + round(second * 1000) * (_SECOND_NS // 1000)
        length_s = math.exp(own.uniform(*np.log(habit.seconds)))
        peak = habit.peak_m_s * math.exp(habit.spread * own.standard_normal()) * loudness
        everywhere = habit.outside or far or kind == "calibration" or own.random() < 0.1
        components = "ZNE" if everywhere else "ZNE"[own.integers(3)]
        toward_deg = along_km = 0.0
        if far:
            toward_deg = own.uniform(0, 360)
            toward = math.radians(toward_deg)
            along_km = place.east_km * math.sin(toward) + place.north_km * math.cos(toward)
            start_ns += round(P_S_KM * along_km * 1000) * (_SECOND_NS // 1000)
        made.append(
            Transient(
                kind=kind,
                start_ns=start_ns,
                end_ns=start_ns + round(length_s * 1000) * (_SECOND_NS // 1000),
                peak_m_s=peak,
                components=components,
                key=(place.seed, *key, day, index),
                toward_deg=toward_deg,
                along_km=along_km,
                distance_km=distance_km,
            )
        )
    return made


# When: times within a local day, in seconds


def _any_time(rng: np.random.Generator, place: Surroundings, rate: float, day: int) -> list[float]:
    del place, day
    return sorted(rng.uniform(0, _DAY_S, rng.poisson(rate)).tolist())


# How busy people are by local hour (from 0 to 1), and on Saturday and Sunday against other days.
_BUSY: Final = np.array(
    [
        *(0.05, 0.03, 0.02, 0.02, 0.05, 0.2, 0.5, 0.9, 1, 0.9, 0.85, 0.85),
        *(0.8, 0.85, 0.85, 0.9, 0.95, 1, 0.8, 0.5, 0.35, 0.25, 0.15, 0.1),
    ]
)
_WEEK: Final = np.array([1, 1, 1, 1, 1, 0.6, 0.35])


def _weekday(day: int) -> int:
    return (day + 3) % 7  # Monday is 0; 1 January 1970 was a Thursday


def _waking_hours(rng: np.random.Generator, place: Surroundings, rate: float, day: int) -> list[float]:
    """Thin a Poisson process that is as busy as the busiest hour always."""
    del place
    most = rate / (_BUSY.mean() * _WEEK.mean())
    times = rng.uniform(0, _DAY_S, rng.poisson(most))
    kept = rng.random(times.size) < _BUSY[(times // 3600).astype(int)] * _WEEK[_weekday(day)]
    return sorted(times[kept].tolist())


def _timetable(rng: np.random.Generator, place: Surroundings, rate: float, day: int) -> list[float]:
    """Follow the timetable of the line: the same each day, fewer at weekends, with minutes of delay."""
    line = generator(place.seed, "timetable", place.station)
    count = round(rate / _WEEK.mean())
    planned = np.sort(line.uniform(5.0, 23.5, count) * 3600)
    runs_at_weekends = line.random(count) < _WEEK[_weekday(day)]
    late = np.minimum(rng.exponential(90.0, count), 600.0)
    return [float(time) for time in (planned + late)[runs_at_weekends]]


def _one_weekday(rng: np.random.Generator, place: Surroundings, rate: float, day: int) -> list[float]:
    """Calibrate on one weekday, at one hour; with a rate of one seventh each week."""
    plan = generator(place.seed, "calibration", place.station)
    weekday, second = int(plan.integers(5)), plan.uniform(9, 16) * 3600
    due = _weekday(day) == weekday and rng.random() < min(1.0, 7 * rate)
    return [float(second)] if due else []


@dataclass(frozen=True, slots=True)
class _Way:
    """How far roads and railways lie from stations: lognormal, but never as near as nobody would build."""

    median_km: float
    spread: float
    least_km: float

    def distance_km(self, place: Surroundings, kind: Kind) -> float:
        drawn = generator(place.seed, "way", place.station, kind).standard_normal()
        return max(self.median_km * math.exp(self.spread * drawn), self.least_km)


_Times: TypeAlias = Callable[[np.random.Generator, Surroundings, float, int], list[float]]


@dataclass(frozen=True, slots=True)
class _Habit:
    per_day: float
    seconds: tuple[float, float]
    peak_m_s: float  # at 1 km where there is a way
    spread: float  # of the natural logarithm of the peak
    times: _Times
    outside: bool = True
    way: _Way | None = None


_HABITS: Final[dict[Kind, _Habit]] = {
    "burst": _Habit(20.0, (0.8, 20.0), 1.2e-7, 1.0, _waking_hours),
    "spike": _Habit(4.0, (0.01, 0.03), 5e-6, 1.5, _any_time, outside=False),
    "glitch": _Habit(1.5, (20.0, 400.0), 2e-6, 1.0, _any_time, outside=False),
    "calibration": _Habit(1 / 7, (600.0, 900.0), 5e-5, 0.05, _one_weekday, outside=False),
    "footsteps": _Habit(2.0, (15.0, 90.0), 2e-7, 0.8, _waking_hours),
    "vehicle": _Habit(50.0, (12.0, 50.0), 4e-8, 0.8, _waking_hours, way=_Way(1.0, 0.6, 0.2)),
    "train": _Habit(18.0, (40.0, 180.0), 8e-7, 0.4, _timetable, way=_Way(8.0, 0.8, 1.0)),
    "teleseism": _Habit(0.35, (3000.0, 6000.0), 2e-6, 1.1, _any_time, outside=False),
}
