"""
Transients: what a station records that is no earthquake near it, each with its truth.

::

    burst ▁▃█▆▄▂▁   spike ─┴─   glitch ─▏▔╲__   calibration ─╱╲__ __╲╱─   (step on and off, or a sine)
    footsteps ╷╻╷╻╷╻╷   vehicle ◁▷   train ◁████▷   teleseism ─P──S───≈≈≈≈≈─

Each kind has its habits: how many a day, at which local hours, how long, how loud. A day of a kind is drawn
whole, from the station, the kind and the day alone, so that a list is the same however it is asked for, and
a waveform is made whole and then cut. All waveforms are ground velocity in the flat band of a broadband
sensor, in m/s. What happens in the instrument (spikes, glitches, calibrations) is given as the velocity that
one would read from it: multiply by the sensitivity, do not convolve with the response.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator

__all__ = ["KINDS", "Kind", "Surroundings", "Transient", "add_transients", "list_transients", "waveform"]

FloatArray: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal[
    "burst", "spike", "glitch", "calibration", "footsteps", "vehicle", "train", "teleseism"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_SECOND_NS: Final = 1_000_000_000
_DAY_S: Final = 86400
_SENSOR_CORNER_S: Final = 120.0
_SENSOR_DAMPING: Final = 0.707
# Slowness across a network of the P, the S and the surface waves of a distant earthquake.
_P_S_KM: Final = 0.06
_S_S_KM: Final = 0.11
_SURFACE_S_KM: Final = 0.27


@dataclass(frozen=True, slots=True, kw_only=True)
class Transient:
    """
    One transient: its truth, and what its waveform is drawn from.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    start_ns, end_ns : int
        Since 1970; it is zero outside.
    peak_m_s : float
        Largest absolute sample, whatever the component.
    components : str
        Where it is seen, of Z, N and E.
    key : tuple of str and int
        Names its draws.
    toward_deg, along_km : float
        Of a teleseism: the azimuth that it goes to, and how much further along its way the station lies than
        the origin of the network.
    """

    kind: Kind
    start_ns: int
    end_ns: int
    peak_m_s: float
    components: str
    key: tuple[str | int, ...]
    toward_deg: float = 0.0
    along_km: float = 0.0


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
    motion = _HABITS[one.kind].make(generator(*_seed_and_key(one), "shape"), time_s, one)
    motion[[name not in one.components for name in "ZNE"]] = 0.0
    peak = np.abs(motion).max()
    return first, (motion * (one.peak_m_s / peak if peak > 0 else 0.0)).astype(np.float32)


def add_transients(
    motion: ArrayLike, first: int, place: Surroundings, *, rate_hz: int = 100
) -> NDArray[np.float32]:
    """
    Add the transients of a place to a record.

    Parameters
    ----------
    motion : array_like, shape (3, samples)
        Z, N, E in m/s.
    first : int
        Its first sample, since 1970 at the rate.
    place : Surroundings
    rate_hz : int

    Returns
    -------
    ndarray of float32, shape (3, samples)

    Examples
    --------
    >>> place = Surroundings(seed=1, station="PB01")
    >>> still = np.zeros((3, 360_000))
    >>> hour = add_transients(still, 18600 * 8_640_000, place)
    >>> half = add_transients(still[:, 180_000:], 18600 * 8_640_000 + 180_000, place)
    >>> np.array_equal(hour[:, 180_000:], half)
    True
    """
    out = np.array(motion, dtype=np.float32)
    stop = first + out.shape[-1]
    step_ns = _SECOND_NS // rate_hz
    for one in list_transients(place, first * step_ns, stop * step_ns):
        begin, made = waveform(one, rate_hz=rate_hz)
        low, high = max(first, begin), min(stop, begin + made.shape[-1])
        if low < high:
            out[:, low - first : high - first] += made[:, low - begin : high - begin]
    return out


def _seed_and_key(one: Transient) -> tuple[int, *tuple[str | int, ...]]:
    seed, *key = one.key
    return (int(seed), *key)


def _slack_s(place: Surroundings) -> float:
    """How far waves that cross the network, and trains that are late, may stray from their time."""
    return 900.0 + 2 * _SURFACE_S_KM * math.hypot(place.east_km, place.north_km)


def _of_day(place: Surroundings, kind: Kind, day: int) -> list[Transient]:
    """Draw the transients of a kind that belong to a local day (that of UTC for teleseisms)."""
    habit = _HABITS[kind]
    rate = place.per_day.get(kind, habit.per_day)
    far = kind == "teleseism"
    key = ("transients", kind) if far else ("transients", place.station, kind)
    rng = generator(place.seed, *key, day)
    midnight_ns = round((day * _DAY_S - (0.0 if far else place.utc_offset_h * 3600)) * _SECOND_NS)
    loudness = place.loudness if habit.outside else 1.0
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
            start_ns += round(_P_S_KM * along_km * 1000) * (_SECOND_NS // 1000)
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


# What: motion on Z, N, E, of any size


def _band_noise(rng: np.random.Generator, time_s: FloatArray, low_hz: float, high_hz: float) -> FloatArray:
    """Make noise in a band with soft edges (Gaussian in log frequency), shape (3, samples)."""
    count = time_s.size
    size = scipy.fft.next_fast_len(count, real=True)
    # Half of the motion is shared: a wave has a direction.
    white = rng.standard_normal((4, size), dtype=np.float32)
    turned = rng.uniform(0.3, 1.0, 3) * rng.choice([-1, 1], 3)
    step = 1.0 if count < 2 else float(time_s[1] - time_s[0])
    log_f = np.log(np.maximum(scipy.fft.rfftfreq(size, step), 1e-3))
    centre, width = math.log(low_hz * high_hz) / 2, math.log(high_hz / low_hz) / 2
    shape = np.exp(-0.5 * ((log_f - centre) / width) ** 4).astype(np.float32)
    both = white[:3] * np.float32(0.6) + turned.astype(np.float32)[:, np.newaxis] * white[3]
    made = [scipy.fft.irfft(scipy.fft.rfft(row) * shape, size)[:count] for row in both]
    return np.asarray(made, dtype=np.float64)


def _spindle(time_s: FloatArray, length_s: float, flat: float) -> FloatArray:
    """Rise and fall as sin², with a flat part between."""
    ramp = (1 - flat) / 2 * length_s
    edge = np.minimum(time_s, length_s - time_s)
    return np.asarray(np.sin(np.pi / 2 * np.clip(edge / ramp, 0, 1)) ** 2)


def _length_s(one: Transient) -> float:
    return (one.end_ns - one.start_ns) / _SECOND_NS


def _burst(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    length_s = _length_s(one)
    rise = length_s * rng.uniform(0.02, 0.4)
    low = rng.uniform(1.5, 10.0)
    decay = np.exp(-4 * np.maximum(time_s - rise, 0) / (length_s - rise))
    envelope = np.clip(time_s / rise, 0, 1) ** 2 * decay * _spindle(time_s, length_s, 0.9)
    return _band_noise(rng, time_s, low, min(low * rng.uniform(1.5, 4.0), 35.0)) * envelope


def _spike(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    del one
    shape = np.zeros((3, time_s.size))
    samples = np.array([1.0, -0.5, 0.2])[: time_s.size]
    shape[:, : samples.size] = rng.choice([-1, 1]) * samples
    return shape


def _glitch(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    """Jump and creep back, past zero, as a step of voltage behind a high pass does."""
    tau = _length_s(one) / 9
    shape = (1 - 0.3 * time_s / tau) * np.exp(-time_s / tau)
    return np.tile(rng.choice([-1.0, 1.0]) * shape, (3, 1))


def _calibration(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    """Step the calibration coil on and off again, or send a sine of 1 Hz."""
    length_s = _length_s(one)
    if rng.random() < 0.3:
        shape = np.sin(2 * np.pi * time_s) * _spindle(time_s, length_s, 0.98)
    else:
        shape = _step_response(time_s) - _step_response(time_s - length_s / 2)
    return np.tile(shape, (3, 1))


def _step_response(time_s: FloatArray) -> FloatArray:
    """Return what a velocity sensor says to a step of acceleration: the impulse of its low corner."""
    omega = 2 * math.pi / _SENSOR_CORNER_S
    ringing = omega * math.sqrt(1 - _SENSOR_DAMPING**2)
    after = np.maximum(time_s, 0.0)
    return np.asarray(np.exp(-_SENSOR_DAMPING * omega * after) * np.sin(ringing * after))


def _footsteps(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    """Walk past: two steps a second, left and right unlike, loudest where the way is nearest."""
    length_s, pace = _length_s(one), rng.uniform(1.7, 2.2)
    count = max(1, int(length_s * pace) - 1)
    at = (np.arange(count) + rng.normal(0, 0.03, count)) / pace
    nearest, width = length_s * rng.uniform(0.3, 0.7), length_s * rng.uniform(0.1, 0.3)
    strength = rng.uniform(0.8, 1.2, count) / np.sqrt(1 + ((at - nearest) / width) ** 2)
    strength[::2] *= rng.uniform(0.6, 1.0)
    tone, sides = rng.uniform(14.0, 30.0), rng.uniform(0.3, 0.7, 2)
    out = np.zeros(time_s.size)
    for begin, size in zip(np.maximum(at, 0.0), strength, strict=True):
        low, high = np.searchsorted(time_s, (begin, begin + 0.4))
        since = time_s[low:high] - begin
        thud = (since / 0.03) ** 2 * np.exp(-since / 0.03)
        out[low:high] += size * thud * np.sin(2 * np.pi * tone * since)
    return np.outer([1.0, *sides], out)


def _vehicle(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    envelope = _spindle(time_s, _length_s(one), 0.0) ** 2
    noise = _band_noise(rng, time_s, 2.0, rng.uniform(10.0, 18.0))
    engine = np.sin(2 * np.pi * rng.uniform(8.0, 18.0) * time_s) * noise.std()
    return np.asarray((noise + np.outer(rng.uniform(0, 0.7, 3), engine)) * envelope)


def _train(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    """Pass with the harmonics of its wheels' beat, which falls a little as the train goes by."""
    length_s, beat = _length_s(one), rng.uniform(0.9, 1.7)
    middle = length_s / 2
    fall_s = length_s / 8
    # the integral of 1 - 0.02 tanh: a shift as Doppler's, and of a slowing train
    phase = 2 * np.pi * beat * (time_s - 0.02 * fall_s * np.log(np.cosh((time_s - middle) / fall_s)))
    turning = np.exp(1j * phase)
    lines, power = np.zeros((3, time_s.size)), np.ones_like(turning)
    for order in range(1, int(20.0 / beat) + 1):
        power = power * turning
        if order * beat > 1.5:
            for row in range(3):
                lines[row] += (rng.exponential() * np.exp(2j * np.pi * rng.random()) * power).real
    noise = _band_noise(rng, time_s, 3.0, 20.0)
    size = lines.std() / max(float(noise.std()), 1e-30)
    return np.asarray((lines + rng.uniform(0.6, 1.2) * size * noise) * _spindle(time_s, length_s, 0.4))


def _teleseism(rng: np.random.Generator, time_s: FloatArray, one: Transient) -> FloatArray:
    """Send P, S and dispersed surface waves across the network; all are analytic, so delays are exact."""
    length_s, toward = _length_s(one), math.radians(one.toward_deg)
    scale = length_s / 4800.0
    late_s, later_s = ((slow - _P_S_KM) * one.along_km for slow in (_S_S_KM, _SURFACE_S_KM))
    p = 0.15 * _packet(time_s - 20, 60.0, rng.uniform(4.0, 9.0), rng.random())
    s = 0.3 * _packet(time_s - 600 * scale - late_s, 120.0, rng.uniform(10.0, 18.0), rng.random())
    turn = 2 * np.pi * rng.random()
    rayleigh = _dispersed(time_s - 1500 * scale - later_s, 2300 * scale)
    love = 0.7 * _dispersed(time_s - 1300 * scale - later_s, 1900 * scale) * np.exp(1j * turn)
    radial = 0.5 * p + 0.6 * s + 0.7 * (1j * rayleigh).real
    transverse = s + love.real
    north = radial * math.cos(toward) - transverse * math.sin(toward)
    east = radial * math.sin(toward) + transverse * math.cos(toward)
    ends = np.clip(np.minimum(time_s, length_s - time_s) / 10.0, 0, 1)
    return np.stack([p + 0.3 * s + rayleigh.real, north, east]) * ends


def _packet(time_s: FloatArray, decay_s: float, period_s: float, turn: float) -> FloatArray:
    after = np.maximum(time_s, 0.0)
    envelope = (1 - np.exp(-after / (2 * period_s))) ** 2 * np.exp(-after / decay_s)
    return np.asarray(envelope * np.cos(2 * np.pi * (after / period_s + turn)) * (time_s > 0))


def _dispersed(time_s: FloatArray, length_s: float) -> NDArray[np.complex128]:
    """Run from periods of 60 s to 17 s, loudest near 20 s; complex, so that it can be turned."""
    part = np.clip(time_s / length_s, 0, 1)
    low, high = 1 / 60.0, 1 / 17.0
    cycles = length_s * (low * part + (high - low) * part**2.6 / 2.6)
    envelope = part**2 * np.clip((1 - part) / 0.6, 0, 1) ** 2
    return np.asarray(envelope * np.exp(2j * np.pi * cycles))


_Times: TypeAlias = Callable[[np.random.Generator, Surroundings, float, int], list[float]]
_Make: TypeAlias = Callable[[np.random.Generator, FloatArray, Transient], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Habit:
    per_day: float
    seconds: tuple[float, float]
    peak_m_s: float
    spread: float  # of the natural logarithm of the peak
    times: _Times
    make: _Make
    outside: bool = True


def _habits() -> dict[Kind, _Habit]:
    def habit(
        per_day: float,
        seconds: tuple[float, float],
        peak_m_s: float,
        spread: float,
        times: _Times,
        make: _Make,
        *,
        outside: bool = True,
    ) -> _Habit:
        return _Habit(
            per_day=per_day,
            seconds=seconds,
            peak_m_s=peak_m_s,
            spread=spread,
            times=times,
            make=make,
            outside=outside,
        )

    return {
        "burst": habit(20.0, (0.8, 20.0), 6e-7, 1.0, _waking_hours, _burst),
        "spike": habit(4.0, (0.01, 0.03), 5e-6, 1.5, _any_time, _spike, outside=False),
        "glitch": habit(1.5, (20.0, 400.0), 2e-6, 1.0, _any_time, _glitch, outside=False),
        "calibration": habit(1 / 7, (600.0, 900.0), 5e-5, 0.05, _one_weekday, _calibration, outside=False),
        "footsteps": habit(4.0, (15.0, 90.0), 5e-7, 0.8, _waking_hours, _footsteps),
        "vehicle": habit(50.0, (12.0, 50.0), 2e-7, 0.8, _waking_hours, _vehicle),
        "train": habit(18.0, (40.0, 180.0), 1.2e-6, 0.4, _timetable, _train),
        "teleseism": habit(0.35, (3000.0, 6000.0), 2e-6, 1.1, _any_time, _teleseism, outside=False),
    }


_HABITS: Final = _habits()
