"""Shapes of transients: how a burst, a train or a calibration moves, whatever its size, place and hour."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import scipy.fft
from numpy.typing import NDArray

__all__ = ["INSTRUMENTAL", "KINDS", "P_S_KM", "SHAPES", "SURFACE_S_KM", "Kind", "Transient", "dull"]

FloatArray: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal[
    "burst", "spike", "glitch", "calibration", "footsteps", "vehicle", "train", "teleseism"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
INSTRUMENTAL: Final[frozenset[Kind]] = frozenset(("spike", "glitch", "calibration"))
"""Those that the instrument makes: given as the velocity that one would read from it."""

_SECOND_NS: Final = 1_000_000_000
_SENSOR_CORNER_S: Final = 120.0
_SENSOR_DAMPING: Final = 0.707
# Slowness across a network of the P, the S and the surface waves of a distant earthquake.
P_S_KM: Final = 0.06
_S_S_KM: Final = 0.11
SURFACE_S_KM: Final = 0.27
# Of surface waves from 1 to 10 Hz in the uppermost rock: Q of 40 times 1.5 km/s.
_Q_KM_S: Final = 60.0


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
    distance_km : float
        Of what passes on a road or railway: how far that is; 0 for all others.
    """

    kind: Kind
    start_ns: int
    end_ns: int
    peak_m_s: float
    components: str
    key: tuple[str | int, ...]
    toward_deg: float = 0.0
    along_km: float = 0.0
    distance_km: float = 0.0


def dull(motion: FloatArray, rate_hz: float, distance_km: float) -> FloatArray:
    """
    Take from motion, shape (3, samples), what surface waves lose over a distance, in place and time alike.

    Examples
    --------
    >>> waves = np.sin(2 * np.pi * np.outer([1.0, 2.0, 4.0], np.arange(4000) / 100))
    >>> dull(waves, 100, 6.0)[:, 1000:3000].max(axis=1).round(2).tolist()
    [0.73, 0.53, 0.28]
    """
    size = scipy.fft.next_fast_len(2 * motion.shape[1], real=True)
    loss = np.exp(-np.pi * scipy.fft.rfftfreq(size, 1 / rate_hz) * distance_km / _Q_KM_S)
    return np.asarray(scipy.fft.irfft(scipy.fft.rfft(motion, size) * loss, size)[:, : motion.shape[1]])


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
    late_s, later_s = ((slow - P_S_KM) * one.along_km for slow in (_S_S_KM, SURFACE_S_KM))
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


_Make: TypeAlias = Callable[[np.random.Generator, FloatArray, Transient], FloatArray]

SHAPES: Final[Mapping[Kind, _Make]] = MappingProxyType(
    {
        "burst": _burst,
        "spike": _spike,
        "glitch": _glitch,
        "calibration": _calibration,
        "footsteps": _footsteps,
        "vehicle": _vehicle,
        "train": _train,
        "teleseism": _teleseism,
    }
)
"""Of each kind, the motion on Z, N and E some seconds after its start: any size, drawn from a generator."""
