"""
A landslide, and the small repeating signals that come faster and faster in the hours before it.

After Nuugaatsiaq, Greenland, 17 June 2017 (Poli 2017; Seydoux et al. 2020)::

    |    |    |   |   |  |  | | |||||<###########=======----
    |- 9 h ----------------------- - | failure: emerges over a minute, shakes for minutes
      repeaters: alike, 2 to 8 Hz, no larger than the noise

Repeaters follow an inverse Omori law: the number up to ``t`` before failure has the rate ``(t + c)^-p``, with
p = 1 for the hyperbola of brittle failure. One waveform per station, drawn once, is what repeats; a small
part of each is its own. The great signal is a slow force (up to 100 s) with noise that swells and fades.

Sample ``k`` is taken ``k / rate`` seconds after 1970. A record is the same however it is cut: each signal is
made whole, and only then cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes.faulting import kilometres_between

__all__ = [
    "COLLAPSE_S",
    "REPEATER_S",
    "Landslide",
    "LandslideView",
    "Repeaters",
    "ground_velocity",
    "repeaters",
    "view",
]

FloatArray: TypeAlias = NDArray[np.float64]

REPEATER_S = 24.0
COLLAPSE_S = 600.0
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Landslide:
    """
    When and where a slope fails, and how it announces that.

    Parameters
    ----------
    name : str
        Its waveforms are drawn by this name.
    failure_ns : int
        Nanoseconds since 1970.
    latitude, longitude : float
    count : int
        Repeaters.
    lasts_s : float
        From the first possible repeater to failure.
    p, c_s : float
        Of the inverse Omori law. With c the rate stays finite: the last ones follow each other after about
        ``c_s ln(1 + lasts_s / c_s) / count`` seconds.
    peak_snr : float
        Peak of an average repeater over the root mean square of the noise, at the reference station.
    growth : float
        Amplitude of the last ones over that of the first; their geometric mean stays ``peak_snr``.
    amplitude_scatter : float
        Standard deviation of the logarithm of amplitudes.
    similarity : float
        Correlation of a repeater with the common waveform.
    collapse_snr : float
        Peak of the great signal over the root mean square of the noise.

    Examples
    --------
    >>> slide = Landslide(name="a", failure_ns=0, latitude=71.6, longitude=-52.3)
    >>> times_s = repeaters(slide, seed=1).origin_ns / 1e9
    >>> bool(times_s.min() > -9 * 3600), int((times_s > -3600).sum())
    (True, 62)
    """

    name: str
    failure_ns: int
    latitude: float
    longitude: float
    count: int = 100
    lasts_s: float = 9 * 3600.0
    p: float = 1.0
    c_s: float = 120.0
    peak_snr: float = 0.8
    growth: float = 1.3
    amplitude_scatter: float = 0.05
    similarity: float = 0.97
    collapse_snr: float = 300.0

    def __post_init__(self) -> None:
        if self.count < 1 or not (self.lasts_s > 0 and self.c_s > 0 and self.p > 0):
            raise ConfigError(f"landslide {self.name}: count, lasts_s, c_s and p should be above 0")
        if not (self.peak_snr > 0 and self.growth > 0 and 0 < self.similarity <= 1):
            raise ConfigError(
                f"landslide {self.name}: peak_snr and growth should be above 0, similarity to 1"
            )

    def elapsed(self, before_s: FloatArray) -> FloatArray:
        """Return the fraction of all repeaters that has come by some seconds before failure."""
        return 1 - self._integral(before_s) / self._integral(np.array(self.lasts_s))

    def _integral(self, before_s: FloatArray) -> FloatArray:
        x, power = np.log1p(before_s / self.c_s), 1 - self.p
        return np.asarray(x if abs(power) < 1e-9 else np.expm1(power * x) / power)

    def before_s(self, fraction: FloatArray) -> FloatArray:
        """Return how long before failure a fraction of all repeaters has come: the inverse of `elapsed`."""
        rest, power = (1 - fraction) * self._integral(np.array(self.lasts_s)), 1 - self.p
        x = rest if abs(power) < 1e-9 else np.log1p(power * rest) / power
        return np.asarray(self.c_s * np.expm1(x))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeaters:
    """
    The truth about the signals before a failure, by time.

    Attributes
    ----------
    origin_ns : ndarray of int64, shape (n,)
        At the slope.
    amplitude : ndarray of float64, shape (n,)
        Peaks, over that of an average one.
    """

    origin_ns: NDArray[np.int64]
    amplitude: FloatArray


def repeaters(landslide: Landslide, *, seed: int) -> Repeaters:
    """
    Draw when repeaters come and how large they are.

    Fractions of the inverse Omori law are taken evenly and shifted by up to a half of their spacing: more
    regular than a Poisson process, as a slope that creeps over the same asperity is.
    """
    random = generator(seed, "repeaters", landslide.name)
    count = landslide.count
    fraction = (np.arange(count) + random.random(count)) / count
    before_ns = np.rint(landslide.before_s(fraction) * 1e9).astype(np.int64)
    grown = landslide.growth ** (fraction - 0.5)
    scatter = np.exp(landslide.amplitude_scatter * random.standard_normal(count))
    return Repeaters(origin_ns=landslide.failure_ns - before_ns, amplitude=grown * scatter)


@dataclass(frozen=True, slots=True, kw_only=True)
class LandslideView:
    """
    What a station has of a landslide.

    Parameters
    ----------
    station : str
        Waveforms are drawn by this name too.
    distance_km, azimuth_deg : float
        From the slope to the station.
    repeater_peak_m_s : float
        Peak velocity of an average repeater, on its largest component.
    collapse_peak_m_s : float
        Of the great signal.
    p_km_s, s_km_s : float
        Velocities.
    """

    station: str
    distance_km: float
    azimuth_deg: float
    repeater_peak_m_s: float
    collapse_peak_m_s: float
    p_km_s: float = 6.0
    s_km_s: float = 3.45

    @property
    def p_delay_s(self) -> float:
        """Travel time of P."""
        return self.distance_km / self.p_km_s

    @property
    def s_delay_s(self) -> float:
        """Travel time of S."""
        return self.distance_km / self.s_km_s


def view(
    landslide: Landslide,
    *,
    station: str,
    latitude: float,
    longitude: float,
    noise_rms_m_s: float,
    reference_km: float | None = None,
) -> LandslideView:
    """
    Say what a station has of a landslide.

    Parameters
    ----------
    landslide : Landslide
    station : str
    latitude, longitude : float
        Of the station.
    noise_rms_m_s : float
        Root mean square of the noise in the band in which the signal-to-noise ratio is stated (2 to 8 Hz for
        the repeaters), at the reference station.
    reference_km : float, optional
        Distance of the reference station. Amplitudes go with the inverse of distance from there; without it
        this station is the reference.

    Returns
    -------
    LandslideView

    Examples
    --------
    >>> slide = Landslide(name="a", failure_ns=0, latitude=71.6, longitude=-52.3, peak_snr=0.5)
    >>> seen = view(slide, station="NUUG", latitude=71.5, longitude=-53.2, noise_rms_m_s=2e-9)
    >>> round(seen.distance_km), round(seen.azimuth_deg), seen.repeater_peak_m_s
    (33, 251, 1e-09)
    """
    north_km, east_km = kilometres_between(landslide.latitude, landslide.longitude, latitude, longitude)
    distance_km = max(float(np.hypot(north_km, east_km)), 0.1)
    peak_m_s = noise_rms_m_s * (1.0 if reference_km is None else reference_km / distance_km)
    return LandslideView(
        station=station,
        distance_km=distance_km,
        azimuth_deg=float(np.degrees(np.arctan2(east_km, north_km)) % 360),
        repeater_peak_m_s=landslide.peak_snr * peak_m_s,
        collapse_peak_m_s=landslide.collapse_snr * peak_m_s,
    )


def ground_velocity(
    landslide: Landslide, seen: LandslideView, *, seed: int, rate_hz: float, first_sample: int, stop: int
) -> NDArray[np.float32]:
    """
    Return what a landslide does to a station in a window.

    Parameters
    ----------
    landslide : Landslide
    seen : LandslideView
        See `view`.
    seed : int
    rate_hz : float
    first_sample, stop : int
        Samples since 1970, half-open.

    Returns
    -------
    ndarray of float32, shape (3, stop - first_sample)
        Z, N and E in m/s.

    Examples
    --------
    >>> slide = Landslide(name="a", failure_ns=0, latitude=71.6, longitude=-52.3)
    >>> seen = view(slide, station="NUUG", latitude=71.5, longitude=-53.2, noise_rms_m_s=2e-9)
    >>> record = ground_velocity(slide, seen, seed=1, rate_hz=20, first_sample=-400, stop=8000)
    >>> record.shape, bool(abs(abs(record).max() / 6e-7 - 1) < 0.02)
    ((3, 8400), True)
    """
    out = np.zeros((3, max(0, stop - first_sample)), dtype=np.float32)
    known = repeaters(landslide, seed=seed)
    length = round(REPEATER_S * rate_hz)
    template: FloatArray | None = None
    for number, (origin_ns, amplitude) in enumerate(zip(known.origin_ns, known.amplitude, strict=True)):
        begin, fraction = _sample(int(origin_ns) + round(seen.p_delay_s * _NS), rate_hz)
        if begin >= stop or begin + length + 1 <= first_sample:
            continue
        if template is None:
            template = _repeater(landslide, seen, seed, rate_hz, "common")
        own = _repeater(landslide, seen, seed, rate_hz, number)
        own *= np.sqrt(1 - landslide.similarity**2) * np.linalg.norm(template) / np.linalg.norm(own)
        mixed = landslide.similarity * template + own
        signal = _late(_to_peak_one(mixed), fraction) * (seen.repeater_peak_m_s * amplitude)
        _add(out, signal, begin - first_sample)
    begin, fraction = _sample(landslide.failure_ns + round(seen.p_delay_s * _NS), rate_hz)
    if begin < stop and begin + round(COLLAPSE_S * rate_hz) + 1 > first_sample:
        great = _collapse(landslide, seen, seed, rate_hz)
        _add(out, _late(great, fraction) * seen.collapse_peak_m_s, begin - first_sample)
    return out


def _sample(time_ns: int, rate_hz: float) -> tuple[int, float]:
    """Return the sample at or before a time, and the part of a sample that is left."""
    seconds, rest_ns = divmod(time_ns, _NS)
    whole, part = divmod(seconds * rate_hz, 1.0)
    more, left = divmod(part + rest_ns * rate_hz / _NS, 1.0)
    return int(whole) + int(more), left


def _add(out: NDArray[np.float32], signal: FloatArray, begin: int) -> None:
    low, high = max(begin, 0), min(begin + signal.shape[1], out.shape[1])
    if low < high:
        out[:, low:high] += signal[:, low - begin : high - begin].astype(np.float32)


def _late(signal: FloatArray, fraction: float) -> FloatArray:
    """Delay a signal by a part of a sample: it ends in zeros, and what it is not band-limited to is small."""
    size = scipy.fft.next_fast_len(signal.shape[1] + 64, real=True)
    spectrum = scipy.fft.rfft(signal, size)
    spectrum *= np.exp(-2j * np.pi * fraction * np.arange(spectrum.shape[1]) / size)
    return np.asarray(scipy.fft.irfft(spectrum, size)[:, : signal.shape[1] + 1])


def _banded(noise: FloatArray, rate_hz: float, low_hz: float, high_hz: float) -> FloatArray:
    """Colour white noise: a log-normal hump with its half maximum at two frequencies."""
    spectrum = scipy.fft.rfft(noise)
    frequencies_hz = scipy.fft.rfftfreq(noise.shape[-1], 1 / rate_hz)
    middle, half = np.log(low_hz * high_hz) / 2, np.log(high_hz / low_hz) / 2
    with np.errstate(divide="ignore"):
        x = (np.log(frequencies_hz) - middle) / half
    coloured: FloatArray = scipy.fft.irfft(spectrum * 2.0 ** -(x**2), noise.shape[-1])
    return np.asarray(coloured / coloured.std())


def _ramp(time_s: FloatArray, rise_s: float, decay_s: float) -> FloatArray:
    """Rise smoothly from zero at time 0, then decay."""
    later = np.maximum(time_s, 0)
    return np.asarray(np.sin(np.pi / 2 * np.minimum(later / rise_s, 1)) ** 2 * np.exp(-later / decay_s))


def _repeater(
    landslide: Landslide, seen: LandslideView, seed: int, rate_hz: float, which: str | int
) -> FloatArray:
    """Make a waveform with a peak of 1 from the onset of P on: P, S and their coda, on Z, N and E."""
    random = generator(seed, "repeater", landslide.name, seen.station, which)
    length = round(REPEATER_S * rate_hz)
    time_s = np.arange(length) / rate_hz
    s_s = seen.s_delay_s - seen.p_delay_s
    p_part = _banded(random.standard_normal(length), rate_hz, 3.0, 8.0) * _ramp(time_s, 0.15, 0.6)
    s_part = _banded(random.standard_normal((2, length)), rate_hz, 2.0, 6.0) * _ramp(time_s - s_s, 0.2, 1.0)
    coda = _banded(random.standard_normal((3, length)), rate_hz, 2.0, 6.0)
    coda *= 0.12 * _ramp(time_s, 0.3, 4.0) + 0.35 * _ramp(time_s - s_s, 0.6, 3.5)
    rays = np.stack(
        [0.8 * p_part + 0.35 * s_part[0], 0.45 * p_part - 0.8 * s_part[0], 1.0 * s_part[1]]  # Z, R, T
    )
    waveform = _turned(0.6 * rays + coda, seen.azimuth_deg)
    waveform *= _ramp(REPEATER_S - time_s, 2.0, np.inf)
    return _to_peak_one(waveform)


def _collapse(landslide: Landslide, seen: LandslideView, seed: int, rate_hz: float) -> FloatArray:
    """Make the great signal, with a peak of 1: a slow force, and shaking in the shape of a spindle."""
    random = generator(seed, "collapse", landslide.name, seen.station)
    length = round(COLLAPSE_S * rate_hz)
    time_s = np.arange(length) / rate_hz
    slow = _banded(random.standard_normal((3, length)), rate_hz, 0.012, 0.05) * np.array(
        [[1.0], [1.2], [0.8]]
    )
    slow *= _ramp(time_s - seen.s_delay_s + seen.p_delay_s, 60.0, 70.0)
    swell = _banded(random.standard_normal((3, length)), rate_hz, 0.1, 0.4)
    swell *= _ramp(time_s, 70.0, 80.0)
    rumble = _banded(random.standard_normal((3, length)), rate_hz, 0.8, 4.0)
    rumble *= _ramp(time_s, 60.0, 60.0)
    whole = _turned(slow + 0.5 * swell + 0.4 * rumble, seen.azimuth_deg)
    whole *= _ramp(COLLAPSE_S - time_s, 60.0, np.inf)
    return _to_peak_one(whole)


def _turned(rays: FloatArray, azimuth_deg: float) -> FloatArray:
    """Turn Z, radial and transverse into Z, north and east."""
    cos, sin = np.cos(np.radians(azimuth_deg)), np.sin(np.radians(azimuth_deg))
    vertical, radial, transverse = rays
    return np.stack([vertical, cos * radial - sin * transverse, sin * radial + cos * transverse])


def _to_peak_one(waveform: FloatArray) -> FloatArray:
    """Scale to a peak of 1 between the samples too, so that a delay by a part of one keeps it."""
    fine = scipy.fft.irfft(scipy.fft.rfft(waveform), 4 * waveform.shape[1]) * 4
    return np.asarray(waveform / abs(fine).max())
