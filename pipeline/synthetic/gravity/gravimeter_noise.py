"""
The noise of a gravimeter and its site: of designed magnitudes, with rises as before an event.

::

    PSD       ╲                                   microseism
               ╲  frequency^-slope                    ╱╲╱╲
                ╲                                    ╱    ╲
                 ╲______________________ flat ______╱      ╲
              1 to 6 h         200 to 600 s       14 s  6 s
              └ SSNM ┘         └── SNM ───┘

**Noise magnitudes.** A magnitude is log10(mean PSD) + 2.5, with the one-sided PSD in µGal²/Hz and its
arithmetic mean over the frequencies of a band. The 2.5 brings Peterson's (1993) new low noise model to about
0 in the band of SNM: a step of 1 is 10 dB. 1 µGal is 10 nm/s².

- SNM, seismic, 200 to 600 s: Banka & Crossley (1999), and so Rosat & Hinderer (2011).
- SSNM, sub-seismic, 1 to 6 h: Zhang et al. (2016), doi:10.3319/TAO.2016.03.23.01(T), and so the table
  ``noise_levels``. Another's SSNM can be compared only where its band is the same.

All is a function of absolute time and seed: a day made alone is the same as the cut of a longer record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.endless import coloured_noise

__all__ = [
    "SNM_BAND_HZ",
    "SSNM_BAND_HZ",
    "GravimeterNoise",
    "NoiseTruth",
    "Rise",
    "designed_psd",
    "gravimeter_noise",
    "noise_magnitude",
    "noise_truth",
    "rise_gain",
    "rise_noise",
]

SNM_BAND_HZ = (1 / 600, 1 / 200)
SSNM_BAND_HZ = (1 / 21_600, 1 / 3_600)
# (nm/s²)² in a µGal².
_PER_MICROGAL_SQUARED = 100.0
# Below this the noise is flat: an endless record has a level.
_FLOOR_HZ = 1e-5
# The two microseisms: frequency, width in ln(frequency), share of the power.
_MICROSEISMS = ((0.07, 0.18, 0.1), (0.16, 0.28, 0.9))
# Width of the edges of a rise's band, in ln(frequency).
_EDGE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class GravimeterNoise:
    """
    The noise of an instrument and its site.

    Parameters
    ----------
    snm, ssnm : float
        Designed seismic and sub-seismic noise magnitudes.
    microseism_nm_s2 : float
        Standard deviation of both microseisms together.
    slope : float
        The PSD falls as frequency^-slope at long periods.

    Examples
    --------
    >>> noise = GravimeterNoise(snm=1.0, ssnm=2.8)
    >>> round(noise_truth(noise).snm, 3), round(noise_truth(noise).ssnm, 3)
    (1.0, 2.8)
    """

    snm: float
    ssnm: float
    microseism_nm_s2: float = 50.0
    slope: float = 2.0

    def __post_init__(self) -> None:
        if self.microseism_nm_s2 < 0 or self.slope <= 0:
            raise ConfigError(f"microseism_nm_s2 must not be negative, and slope be positive: {self}")
        _levels(self)

    def __call__(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the amplitude density, nm/s²/√Hz."""
        flat, red = _levels(self)
        return np.asarray(
            np.sqrt(flat + red * _reddening(frequency_hz, self.slope) + self.swell(frequency_hz))
        )

    def swell(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the PSD of the microseisms, (nm/s²)²/Hz."""
        safe = np.maximum(frequency_hz, 1e-9)
        total = np.zeros(len(safe))
        for centre_hz, width, share in _MICROSEISMS:
            bell = np.exp(-0.5 * (np.log(safe / centre_hz) / width) ** 2)
            # The integral of such a bell over frequency.
            area = centre_hz * width * np.sqrt(2 * np.pi) * np.exp(0.5 * width**2)
            total += share * self.microseism_nm_s2**2 / area * bell
        return total


def _reddening(frequency_hz: NDArray[np.float64], slope: float) -> NDArray[np.float64]:
    return np.asarray((frequency_hz**2 + _FLOOR_HZ**2) ** (-0.5 * slope))


def _band(band_hz: tuple[float, float]) -> NDArray[np.float64]:
    """Return frequencies spread evenly in a band: means over them are means over the band."""
    low, high = band_hz
    return low + (high - low) * (np.arange(4000) + 0.5) / 4000


@lru_cache(maxsize=256)
def _levels(noise: GravimeterNoise) -> tuple[float, float]:
    """Return the flat and the red level of the PSD that give both magnitudes."""
    bands = (SNM_BAND_HZ, SSNM_BAND_HZ)
    wanted = [
        _PER_MICROGAL_SQUARED * 10 ** (magnitude - 2.5) - noise.swell(_band(band)).mean()
        for magnitude, band in zip((noise.snm, noise.ssnm), bands, strict=True)
    ]
    reddening = [_reddening(_band(band), noise.slope).mean() for band in bands]
    red = (wanted[1] - wanted[0]) / (reddening[1] - reddening[0])
    flat = wanted[0] - red * reddening[0]
    if min(red, flat) < 0:
        steepest = np.log10(reddening[1] / reddening[0])
        raise ConfigError(
            f"ssnm must lie between snm and snm + {steepest:.2f} for a slope of {noise.slope}, "
            f"but snm is {noise.snm} and ssnm {noise.ssnm}"
        )
    return float(flat), float(red)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """
    A rise of the noise, as before an event: it grows, stays, and ends at once.

    Parameters
    ----------
    start_s, full_s, stop_s : int
        Seconds since 1970 UTC: when it begins, is whole, and ends.
    low_hz, high_hz : float
        Its band.
    gain_db : float
        By how much the PSD of the noise stands higher in the band when it is whole. It grows evenly in dB.
    """

    start_s: int
    full_s: int
    stop_s: int
    low_hz: float
    high_hz: float
    gain_db: float

    def __post_init__(self) -> None:
        if not (
            self.start_s <= self.full_s <= self.stop_s and 0 < self.low_hz < self.high_hz and self.gain_db > 0
        ):
            raise ConfigError(
                f"a rise needs start_s ≤ full_s ≤ stop_s, 0 < low_hz < high_hz and a positive gain_db: {self}"
            )


@dataclass(frozen=True, slots=True)
class _RiseShape:
    """The noise's own spectrum within the band of a rise."""

    noise: GravimeterNoise
    low_hz: float
    high_hz: float

    def __call__(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        place = np.log(np.maximum(frequency_hz, 1e-12))
        inside = np.minimum(place - np.log(self.low_hz), np.log(self.high_hz) - place)
        edge = np.sin(0.5 * np.pi * np.clip(0.5 + inside / (2 * _EDGE), 0.0, 1.0)) ** 2
        return np.asarray(self.noise(frequency_hz) * edge)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseTruth:
    """What a noise was designed to be, and each rise of it."""

    snm: float
    ssnm: float
    rises: tuple[Rise, ...] = ()


def noise_magnitude(psd: NDArray[np.float64]) -> float:
    """
    Return the noise magnitude of a PSD that is given evenly over a band.

    Parameters
    ----------
    psd : ndarray
        One-sided, (nm/s²)²/Hz.

    Examples
    --------
    A gPhone has about 3 µGal/√Hz:

    >>> round(noise_magnitude(np.full(10, 30.0**2)), 2)
    3.45
    """
    return float(np.log10(np.mean(psd) / _PER_MICROGAL_SQUARED) + 2.5)


def noise_truth(noise: GravimeterNoise, rises: Sequence[Rise] = ()) -> NoiseTruth:
    """Return the magnitudes of a designed noise, integrated from its spectrum, without its rises."""
    snm, ssnm = (noise_magnitude(noise(_band(band)) ** 2) for band in (SNM_BAND_HZ, SSNM_BAND_HZ))
    return NoiseTruth(snm=snm, ssnm=ssnm, rises=tuple(rises))


def rise_gain(first_s: int, stop_s: int, rise: Rise) -> NDArray[np.float64]:
    """
    Return the height of a rise, once a second.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        dB.

    Examples
    --------
    >>> rise = Rise(start_s=0, full_s=4, stop_s=6, low_hz=0.01, high_hz=0.1, gain_db=8.0)
    >>> rise_gain(-1, 8, rise)
    array([0., 0., 2., 4., 6., 8., 8., 0., 0.])
    """
    clock_s = np.arange(first_s, stop_s)
    way = np.clip((clock_s - rise.start_s) / max(rise.full_s - rise.start_s, 1), 0.0, 1.0)
    inside = (clock_s >= rise.start_s) & (clock_s < rise.stop_s)
    return np.where(inside, rise.gain_db * np.where(clock_s >= rise.full_s, 1.0, way), 0.0)


def designed_psd(
    frequency_hz: NDArray[np.float64], noise: GravimeterNoise, rises: Sequence[Rise] = (), *, time_s: int
) -> NDArray[np.float64]:
    """
    Return the PSD that the noise has by design at a second since 1970, with what rises add by then.

    Parameters
    ----------
    frequency_hz : ndarray
    noise : GravimeterNoise
    rises : sequence of Rise
    time_s : int

    Returns
    -------
    ndarray, of the shape of the frequencies
        One-sided, (nm/s²)²/Hz.

    Examples
    --------
    >>> noise = GravimeterNoise(snm=1.0, ssnm=2.8)
    >>> rise = Rise(start_s=0, full_s=10, stop_s=20, low_hz=0.001, high_hz=0.01, gain_db=6.0)
    >>> before, full = (designed_psd(np.array([0.003]), noise, [rise], time_s=time_s) for time_s in (-1, 10))
    >>> 10 * np.log10(full / before)
    array([6.])
    """
    psd = noise(frequency_hz) ** 2
    for rise in rises:
        (gain_db,) = rise_gain(time_s, time_s + 1, rise)
        shape = _RiseShape(noise, rise.low_hz, rise.high_hz)
        psd = psd + (10 ** (gain_db / 10) - 1.0) * shape(frequency_hz) ** 2
    return np.asarray(psd)


def rise_noise(
    first_s: int, stop_s: int, *, seed: int, station: str, noise: GravimeterNoise, rise: Rise
) -> NDArray[np.float64]:
    """
    Return the noise that a rise adds, once a second, in nm/s².

    It is independent of the noise that it adds to, so that their powers add up to the gain.
    """
    out = np.zeros(max(0, stop_s - first_s))
    low, high = max(first_s, rise.start_s), min(stop_s, rise.stop_s)
    if low < high:
        shape = _RiseShape(noise, rise.low_hz, rise.high_hz)
        key = ("gravity", station, "rise", rise.start_s, rise.stop_s, repr(rise.low_hz), repr(rise.high_hz))
        added = coloured_noise(seed, key, low, high, shape=shape)
        amplitude = np.sqrt(10 ** (rise_gain(low, high, rise) / 10) - 1.0)
        out[low - first_s : high - first_s] = amplitude * added
    return out


def gravimeter_noise(
    first_s: int,
    stop_s: int,
    *,
    seed: int,
    station: str,
    noise: GravimeterNoise,
    rises: Sequence[Rise] = (),
) -> NDArray[np.float64]:
    """
    Return the noise of a gravimeter, once a second.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    seed, station : int, str
        Name the record.
    noise : GravimeterNoise
    rises : sequence of Rise

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        nm/s².
    """
    out = coloured_noise(seed, ("gravity", station), first_s, stop_s, shape=noise)
    for rise in rises:
        out += rise_noise(first_s, stop_s, seed=seed, station=station, noise=noise, rise=rise)
    return out
