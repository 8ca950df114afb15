"""
What a gravimeter sees of distant great earthquakes: waves around the world, and the ringing of the Earth.

::

    source ──► R1 ───► R2 ─────► R3 ...   Rayleigh waves of 50 to 250 s, each by its way round the globe
           └─► 0S2, 0T2, ... 0S30, 0S0    normal modes from 54 to 4.4 minutes, for hours to months

Neither covers the periods of the other. Modes sum over their orders m at source and station: where the
Earth's rotation splits a mode, its lines beat; elsewhere the sum is Legendre's polynomial of the distance.

Amplitudes are those of a strike-averaged source, near those of superconducting gravimeters after Sumatra
2004: right within a factor of some, not a moment tensor's. They grow with the moment, and the longer rupture
of a greater one holds back its short periods.

Periods: Dziewonski & Anderson (1981, table 5), beyond 0S22 carried on with its group velocities. Q: Masters
& Widmer (1995), rounded. Splitting: Dahlen & Sailor (1979). Rayleigh waves: group velocity and Q of PREM,
rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.special import factorial, lpmv

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.endless import DAY_S, between_nodes, cut_from_days

__all__ = [
    "GreatEarthquake",
    "Mode",
    "distance_deg",
    "free_oscillations",
    "mode_gravity",
    "modes",
    "rayleigh_trains",
]

_EARTH_KM = 6371.0
# Moment (N m) that the amplitudes are stated for: Sumatra 2004.
_REFERENCE_MOMENT = 4e22
_MODE_STEP_S = 16
_WAVE_STEP_S = 5
_WAVE_NODES = 1 << 14
_ORBITS = 6
# Brings R1 of a magnitude of 8.0 at 90° to 2000 nm/s².
_WAVE_SCALE = 8.7e4
# Below this (nm/s²) a mode is left out.
_FAINT = 1e-4
# 0S2 to 0S30: periods (s) and Q.
_FUNDAMENTAL_S = (
    3233.45, 2134.44, 1545.73, 1190.19, 963.51, 812.16, 707.83, 634.01, 579.2, 537.35, 502.83, 473.68, 448.53,
    426.55, 407.15, 389.87, 374.37, 360.38, 347.67, 336.06, 325.38, 315.5, 306.4, 297.9, 289.9, 282.4, 275.3,
    268.6, 262.3,
)  # fmt: skip
_FUNDAMENTAL_Q = (
    510, 417, 373, 356, 347, 342, 337, 333, 328, 322, 315, 307, 298, 289, 281, 273, 265, 258, 251, 243, 236,
    230, 224, 218, 213, 209, 205, 201, 197,
)  # fmt: skip
# Name, degree, period (s), Q, gravity at the reference moment (nm/s²).
_OTHERS = (
    ("0S0", 0, 1227.5, 5327.0, 0.9),
    ("1S0", 0, 613.0, 1499.0, 1.5),
    ("2S0", 0, 398.3, 1242.0, 2.0),
    ("2S1", 1, 2475.5, 397.0, 0.03),
    ("1S2", 2, 1470.9, 310.0, 0.3),
    ("1S3", 3, 1064.0, 283.0, 0.6),
    ("0T2", 2, 2636.38, 250.0, 0.03),
    ("0T3", 3, 1705.95, 240.0, 0.06),
    ("0T4", 4, 1305.92, 228.0, 0.09),
    ("0T5", 5, 1075.98, 216.0, 0.12),
    ("0T6", 6, 925.84, 205.0, 0.15),
)
# Frequency of order m: f (1 + m b). Overtones and toroidal modes are left unsplit.
_SPLITTING = {"0S2": 14.905e-3, "0S3": 4.621e-3, "0S4": 1.834e-3, "0S5": 0.841e-3}
_CURVE_S = (40.0, 50.0, 75.0, 100.0, 125.0, 150.0, 175.0, 200.0, 225.0, 250.0, 275.0, 300.0)
_CURVE_KM_S = (3.75, 3.80, 3.85, 3.84, 3.79, 3.72, 3.65, 3.60, 3.58, 3.60, 3.65, 3.72)
_CURVE_Q = (170.0, 150.0, 125.0, 118.0, 122.0, 131.0, 142.0, 155.0, 170.0, 185.0, 200.0, 215.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class GreatEarthquake:
    """
    A source far away.

    Parameters
    ----------
    origin_ns : int
        Since 1970 UTC.
    latitude_deg, longitude_deg : float
    moment_n_m : float
        4e22 for a magnitude of 9.0, 1.3e21 for 8.0.
    """

    origin_ns: int
    latitude_deg: float
    longitude_deg: float
    moment_n_m: float

    def __post_init__(self) -> None:
        if self.moment_n_m <= 0:
            raise ConfigError(f"moment_n_m = {self.moment_n_m} must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """
    One free oscillation of the Earth.

    Parameters
    ----------
    name : str
    degree : int
    period_s, quality : float
    gravity_nm_s2 : float
        At the source's antipode of a moment of 4e22 N m, when it begins.
    splitting : float
        Its order m rings at 1 + m × splitting times its frequency.
    """

    name: str
    degree: int
    period_s: float
    quality: float
    gravity_nm_s2: float
    splitting: float = 0.0


@lru_cache(maxsize=1)
def modes() -> tuple[Mode, ...]:
    """
    List the modes.

    Examples
    --------
    >>> [mode.name for mode in modes()][:3], len(modes())
    (['0S0', '1S0', '2S0'], 40)
    """
    fundamental = [
        (f"0S{degree}", degree, period, float(quality), 0.3 * (_FUNDAMENTAL_S[0] / period) ** 2)
        for degree, (period, quality) in enumerate(zip(_FUNDAMENTAL_S, _FUNDAMENTAL_Q, strict=True), start=2)
    ]
    return tuple(
        Mode(
            name=name,
            degree=degree,
            period_s=period,
            quality=quality,
            gravity_nm_s2=gravity,
            splitting=_SPLITTING.get(name, 0.0),
        )
        for name, degree, period, quality, gravity in (*_OTHERS, *fundamental)
    )


def distance_deg(
    latitude_deg: float, longitude_deg: float, other_latitude_deg: float, other_longitude_deg: float
) -> float:
    """
    Return the angle between two places on the globe, in degrees.

    Examples
    --------
    >>> round(distance_deg(0.0, 10.0, 0.0, -80.0), 9)
    90.0
    """
    north, other = np.radians(latitude_deg), np.radians(other_latitude_deg)
    along = np.cos(np.radians(longitude_deg - other_longitude_deg))
    cosine = np.sin(north) * np.sin(other) + np.cos(north) * np.cos(other) * along
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _source_strength(moment_n_m: float, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spectrum of a source over that of 4e22 N m at long periods."""
    # A rupture of magnitude 8 takes about a minute; the time goes with the cube root of the moment.
    corner_hz = 5e-3 * (1.3e21 / moment_n_m) ** (1 / 3)
    reference_hz = 5e-3 * (1.3e21 / _REFERENCE_MOMENT) ** (1 / 3)
    shape = (1.0 + (frequency_hz / reference_hz) ** 2) / (1.0 + (frequency_hz / corner_hz) ** 2)
    return np.asarray(moment_n_m / _REFERENCE_MOMENT * shape)


def mode_gravity(
    mode: Mode,
    elapsed_s: NDArray[np.float64],
    *,
    source: tuple[float, float],
    station: tuple[float, float],
    moment_n_m: float = _REFERENCE_MOMENT,
) -> NDArray[np.float64]:
    """
    Return the gravity of one mode.

    Parameters
    ----------
    mode : Mode
    elapsed_s : ndarray, shape (times,)
        Since the origin; before it there is nothing.
    source, station : tuple of float
        Latitude and longitude in degrees.
    moment_n_m : float

    Returns
    -------
    ndarray, shape (times,)
        nm/s².
    """
    degree = mode.degree
    strength = _source_strength(moment_n_m, np.array([1.0 / mode.period_s]))[0] * mode.gravity_nm_s2
    sines = np.sin(np.radians([source[0], station[0]]))
    turn = np.radians(station[1] - source[1])
    rate = 2.0 * np.pi / mode.period_s
    late = np.maximum(elapsed_s, 0.0)
    out = np.zeros(len(elapsed_s))
    groups: dict[float, tuple[float, float]] = {}
    for order in range(-degree, degree + 1):
        size = abs(order)
        weight = factorial(degree - size) / factorial(degree + size) * np.prod(lpmv(size, degree, sines))
        speed = rate * (1.0 + order * mode.splitting)
        even, odd = groups.get(speed, (0.0, 0.0))
        groups[speed] = (even + weight * np.cos(order * turn), odd + weight * np.sin(order * turn))
    for speed, (even, odd) in groups.items():
        out += even * np.cos(speed * late) - odd * np.sin(speed * late)
    # A mode sets in within half a period: gravity does not jump at the origin.
    onset = np.sin(0.5 * np.pi * np.minimum(2.0 * late / mode.period_s, 1.0)) ** 2
    return np.asarray(strength * onset * out * np.exp(-0.5 * rate / mode.quality * late))


@lru_cache(maxsize=32)
def _trains(distance: float, moment_n_m: float, late_s: float) -> NDArray[np.float64]:
    """Return all Rayleigh waves at nodes from the last one before the origin, ``late_s`` after it."""
    frequency = np.arange(_WAVE_NODES // 2 + 1, dtype=np.float64) / (_WAVE_NODES * _WAVE_STEP_S)
    period = 1.0 / np.maximum(frequency, 1e-6)
    velocity = np.interp(period, _CURVE_S, _CURVE_KM_S)
    quality = np.interp(period, _CURVE_S, _CURVE_Q)
    omega = 2.0 * np.pi * frequency
    # The phase of a way is the integral of its delay: group velocity alone says it but for a constant.
    step = np.diff(omega, prepend=0.0)
    wavenumber = np.cumsum(step / velocity)
    band = np.clip(np.log(period / 42.0) / np.log(55.0 / 42.0), 0, 1)
    band *= np.clip(np.log(290.0 / period) / np.log(290.0 / 240.0), 0, 1)
    spectrum = np.sin(0.5 * np.pi * band) ** 2 * (frequency / 0.01) * _source_strength(moment_n_m, frequency)
    total = np.zeros(len(frequency), dtype=np.complex128)
    for orbit in range(_ORBITS):
        turns, back = divmod(orbit + 1, 2)
        angle = np.radians(360.0 * turns + (distance if back else -distance))
        spread = 1.0 / np.sqrt(max(abs(np.sin(np.radians(distance))), 0.05))
        way_km = angle * _EARTH_KM
        fade = np.exp(-0.5 * omega * way_km / (quality * velocity))
        # A quarter turn at the source, and another at each pole that is passed.
        total += spread * fade * np.exp(-1j * (wavenumber * way_km - 0.5 * np.pi * orbit - 0.25 * np.pi))
    total *= spectrum * np.exp(-1j * omega * late_s)
    out = scipy.fft.irfft(total, _WAVE_NODES)
    # No wave is faster than 5 km/s; what the filters spread before that is noise of the method.
    clock = np.arange(_WAVE_NODES) * _WAVE_STEP_S - late_s
    first_s = np.radians(distance) * _EARTH_KM / 5.0
    rise = np.clip((clock - 0.8 * first_s) / (0.2 * first_s + 1.0), 0.0, 1.0)
    fall = np.clip((_WAVE_NODES * _WAVE_STEP_S - clock) / 7200.0, 0.0, 1.0)
    return np.asarray(_WAVE_SCALE * out * np.sin(0.5 * np.pi * rise) ** 2 * np.sin(0.5 * np.pi * fall) ** 2)


def rayleigh_trains(
    first_s: int, stop_s: int, earthquake: GreatEarthquake, *, latitude_deg: float, longitude_deg: float
) -> NDArray[np.float64]:
    """
    Return the Rayleigh waves of one earthquake, R1 to R6, once a second.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    earthquake : GreatEarthquake
    latitude_deg, longitude_deg : float
        Of the station.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        nm/s².
    """
    distance = distance_deg(latitude_deg, longitude_deg, earthquake.latitude_deg, earthquake.longitude_deg)
    begin = earthquake.origin_ns // (_WAVE_STEP_S * 10**9)
    late_s = (earthquake.origin_ns - begin * _WAVE_STEP_S * 10**9) / 1e9

    def one_day(day: int) -> NDArray[np.float64]:
        count = DAY_S // _WAVE_STEP_S
        offset = day * count - 3 - begin
        if offset >= _WAVE_NODES or offset + count + 7 <= 0:
            return np.zeros(DAY_S)
        wave = _trains(distance, earthquake.moment_n_m, late_s)
        nodes = np.zeros(count + 7)
        low, high = max(0, offset), min(_WAVE_NODES, offset + count + 7)
        nodes[low - offset : high - offset] = wave[low:high]
        return between_nodes(nodes, _WAVE_STEP_S)

    return cut_from_days(first_s, stop_s, one_day)


def free_oscillations(
    first_s: int,
    stop_s: int,
    earthquakes: Sequence[GreatEarthquake],
    *,
    latitude_deg: float,
    longitude_deg: float,
) -> NDArray[np.float64]:
    """
    Return what a gravimeter records of great earthquakes, once a second: waves and modes.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    earthquakes : sequence of GreatEarthquake
    latitude_deg, longitude_deg : float
        Of the station.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        nm/s²; 0 before each origin.

    Examples
    --------
    >>> quake = GreatEarthquake(origin_ns=10**12, latitude_deg=3.3, longitude_deg=95.9, moment_n_m=4e22)
    >>> gravity = free_oscillations(900, 8200, [quake], latitude_deg=48.3, longitude_deg=8.3)
    >>> bool(gravity[:101].any()), bool(abs(gravity).max() > 1000)
    (False, True)
    """
    out = np.zeros(max(0, stop_s - first_s))
    clock_s = np.arange(first_s, stop_s)
    for earthquake in earthquakes:
        began = clock_s * 10**9 > earthquake.origin_ns
        if not began.any():
            continue
        waves = rayleigh_trains(
            first_s, stop_s, earthquake, latitude_deg=latitude_deg, longitude_deg=longitude_deg
        )
        ringing = _ringing(first_s, stop_s, earthquake, (latitude_deg, longitude_deg))
        out += np.where(began, waves + ringing, 0.0)
    return out


def _ringing(
    first_s: int, stop_s: int, earthquake: GreatEarthquake, station: tuple[float, float]
) -> NDArray[np.float64]:
    """Return all modes of one earthquake, once a second."""
    source = (earthquake.latitude_deg, earthquake.longitude_deg)

    def one_day(day: int) -> NDArray[np.float64]:
        clock_s = day * DAY_S + _MODE_STEP_S * np.arange(-3, DAY_S // _MODE_STEP_S + 4)
        elapsed_s = (clock_s * 10**9 - earthquake.origin_ns) / 1e9
        if elapsed_s[-1] <= 0:
            return np.zeros(DAY_S)
        nodes = np.zeros(len(elapsed_s))
        for mode in modes():
            decay = np.exp(-np.pi * max(elapsed_s[0], 0.0) / (mode.period_s * mode.quality))
            if decay * mode.gravity_nm_s2 * earthquake.moment_n_m / _REFERENCE_MOMENT > _FAINT:
                nodes += mode_gravity(
                    mode, elapsed_s, source=source, station=station, moment_n_m=earthquake.moment_n_m
                )
        return between_nodes(nodes, _MODE_STEP_S)

    return cut_from_days(first_s, stop_s, one_day)
