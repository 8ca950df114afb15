"""
The coda of an earthquake at one station: what small scatterers everywhere send on after P and S.

::

    ___P▂▂▂▁▁▁▁▁▁▁S█▇▆▅▅▄▄▄▃▃▃▃▂▂▂▂▂▁▁▁▁▁▁▁▁    power: K(t / t_S) exp(−2π f t / Qc), each octave for itself

Its level is that of single scattering (Sato 1977), tied to the energy of the direct waves; averages over all
directions stand for the radiation. Each octave is stationary noise under an envelope of its own, independent
on the three components, and ends where it falls below a floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.synthetic.earth.model import Scattering
from pipeline.synthetic.earthquakes.source import RMS_RADIATION

__all__ = ["CodaWave", "make_coda"]

FloatArray = NDArray[np.float64]

_LONGEST_S = 600.0
# Coda energy on Z, N, E: nearly equal under S, a little more on Z under P.
_CODA_SHARES = {"P": (0.40, 0.30, 0.30), "S": (0.28, 0.36, 0.36)}
# Centre of the lowest octave; each next is twice as high.
_LOWEST_HZ = 0.5
# Sato's K has a pole at the onset itself.
_NEAREST = 1.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodaWave:
    """
    What P or S puts into the coda.

    Parameters
    ----------
    frequency_hz : array, shape (bins,)
        From 0 to the Nyquist frequency.
    step_hz : float
        Between them.
    modulus : array, shape (bins,)
        Velocity spectrum of the direct wave, mean over all directions (m).
    time_s : float
        Of the direct wave, since the origin.
    rate_per_s : float
        Part of the energy that is scattered in a second.
    rise_s : float
        In which the coda sets in after the direct wave.
    """

    frequency_hz: FloatArray
    step_hz: float
    modulus: FloatArray
    time_s: float
    rate_per_s: float
    rise_s: float

    @classmethod
    def tie(
        cls,
        wave: str,
        scattering: Scattering,
        *,
        level: float,
        spectrum: FloatArray,
        frequency_hz: FloatArray,
        step_hz: float,
        time_s: float,
        speed_km_s: float,
    ) -> CodaWave:
        """
        Tie the coda to a direct wave.

        Parameters
        ----------
        wave : str
            P or S.
        scattering : Scattering
        level : float
            Displacement spectrum at 0 Hz (m s) for a radiation of 1, before the surface.
        spectrum : array, shape (bins,)
            Its modulus over that level: source, path and site.
        frequency_hz, step_hz, time_s
            As kept.
        speed_km_s : float
            Of the wave at the source.
        """
        strength = scattering.coefficient_per_km * (scattering.p_ratio if wave == "P" else 1.0)
        return cls(
            frequency_hz=frequency_hz,
            step_hz=step_hz,
            modulus=2 * RMS_RADIATION[wave] * level * 2 * np.pi * frequency_hz * spectrum,
            time_s=time_s,
            rate_per_s=strength * speed_km_s,
            rise_s=max(float(scattering.packet_s(time_s)), 1e-3),
        )

    def energy(self, weight: FloatArray) -> float:
        """Return the integral of the squared velocity of the direct wave in one octave (m²/s)."""
        return float(2 * self.step_hz * ((weight * self.modulus) ** 2).sum())

    def power(self, weight: FloatArray) -> np.float32:
        """Return what scatters out of that energy in a second (m²/s²)."""
        return np.float32(self.energy(weight) * self.rate_per_s)

    def shape(self, lapse_s: FloatArray) -> FloatArray:
        """Return Sato's K over lapse time since the origin, 2/x² far behind the onset; 0 before it."""
        x = np.maximum(lapse_s / self.time_s, _NEAREST)
        rise = -np.expm1(-np.maximum(lapse_s - self.time_s, 0) / self.rise_s)
        return np.asarray(np.log((x + 1) / (x - 1)) / x * rise)


def make_coda(
    waves: Sequence[CodaWave],
    scattering: Scattering,
    *,
    rate_hz: float,
    onset: float,
    floor_m_s: float,
    draw: np.random.Generator,
) -> NDArray[np.float32]:
    """
    Return the coda from the start of a record.

    Parameters
    ----------
    waves : sequence of CodaWave
        P, S.
    scattering : Scattering
    rate_hz : float
    onset : float
        Of P, in samples from the start.
    floor_m_s : float
        Each octave ends where its root mean square falls below this.
    draw : numpy.random.Generator

    Returns
    -------
    array of float32, shape (3, samples)
        m/s up, north, east; without samples where nothing is scattered, or no octave fits below the rate.

    Examples
    --------
    >>> scattering, f = Scattering(), np.arange(513) * 100 / 1024
    >>> p, s = (
    ...     CodaWave.tie(wave, scattering, level=1e-7, spectrum=np.exp(-f / 5), frequency_hz=f,
    ...                  step_hz=100 / 1024, time_s=time_s, speed_km_s=speed)
    ...     for wave, time_s, speed in (("P", 2.0, 6.0), ("S", 3.5, 3.5))
    ... )
    >>> coda = make_coda([p, s], scattering, rate_hz=100.0, onset=150.5, floor_m_s=2e-10,
    ...                  draw=np.random.default_rng(1))
    >>> bool(coda[:, :151].any()), bool(coda[:, 151:].any())
    (False, True)
    """
    octaves = _octaves(waves[0].frequency_hz, scattering, rate_hz)
    if scattering.coefficient_per_km <= 0 or not octaves:
        return np.zeros((3, 0), dtype=np.float32)
    ends = [_end_s(waves, weight, decay, floor_m_s) for weight, decay in octaves]
    begin, longest = int(np.ceil(onset)), int(max(ends) * rate_hz)
    out = np.zeros((3, begin + longest), dtype=np.float32)
    since = np.asarray((np.arange(longest) + begin - onset) / rate_hz, dtype=np.float64)
    shapes = [wave.shape(since + waves[0].time_s).astype(np.float32) for wave in waves]
    lapse = [(since + waves[0].time_s - wave.time_s).astype(np.float32) for wave in waves]
    for (weight, decay), end_s in zip(octaves, ends, strict=True):
        count = int(end_s * rate_hz)
        if count < 8:
            continue
        noise = _shaped_noise(waves[1], weight, rate_hz, count, draw)
        powers = [
            wave.power(weight) * shape[:count] * np.exp(-np.float32(decay) * np.maximum(late[:count], 0))
            for wave, shape, late in zip(waves, shapes, lapse, strict=True)
        ]
        unit = 1 / max(waves[1].energy(weight), 1e-60)
        for part, p_share, s_share in zip(range(3), _CODA_SHARES["P"], _CODA_SHARES["S"], strict=True):
            noise[part] *= np.sqrt((p_share * powers[0] + s_share * powers[1]) * np.float32(unit))
        fade = count // 10
        noise[:, count - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        out[:, begin : begin + count] += noise
    return out


def _octaves(
    frequency_hz: FloatArray, scattering: Scattering, rate_hz: float
) -> list[tuple[FloatArray, float]]:
    """Return the weights and the decay (1/s, of power) of each octave that the rate has room for."""
    octaves = []
    centre_hz = _LOWEST_HZ
    while centre_hz <= 0.34 * rate_hz:
        weight = _octave(frequency_hz, centre_hz, last=2 * centre_hz > 0.34 * rate_hz)
        decay = 2 * np.pi * centre_hz / (scattering.qc0 * centre_hz**scattering.qc_exponent)
        octaves.append((weight, decay))
        centre_hz *= 2
    return octaves


def _octave(frequency_hz: FloatArray, centre_hz: float, *, last: bool) -> FloatArray:
    """Return weights of an octave: the squares of all octaves add up to 1."""
    away = np.log2(np.maximum(frequency_hz, 1e-9) / centre_hz)
    away = np.where((away < 0) & (centre_hz <= _LOWEST_HZ), 0, away)
    away = np.where((away > 0) & last, 0, away)
    return np.asarray(np.cos(np.pi / 2 * np.clip(np.abs(away), 0, 1)))


def _end_s(waves: Sequence[CodaWave], weight: FloatArray, decay: float, floor_m_s: float) -> float:
    """Return when, after P, an octave of the coda falls below the floor for good."""
    lapse = waves[0].time_s + np.geomspace(0.2, _LONGEST_S, 80)
    power = sum(
        wave.power(weight) * wave.shape(lapse) * np.exp(-decay * np.maximum(lapse - wave.time_s, 0))
        for wave in waves
    )
    heard = np.flatnonzero(power > floor_m_s**2)
    return float(lapse[heard[-1]] - waves[0].time_s) if len(heard) else 0.0


def _shaped_noise(
    wave: CodaWave, weight: FloatArray, rate_hz: float, count: int, draw: np.random.Generator
) -> NDArray[np.float32]:
    """Return stationary noise (3, count) whose two-sided power spectrum is that of the wave in one octave."""
    modulus = wave.modulus * weight
    samples = int(scipy.fft.next_fast_len(count, real=True))
    # Only the bins of the octave are drawn.
    within = np.flatnonzero(modulus > 0) * wave.step_hz
    step_hz = rate_hz / samples
    low, high = int(within[0] / step_hz), min(int(within[-1] / step_hz) + 2, samples // 2)
    level = np.interp(np.arange(low, high) * step_hz, wave.frequency_hz, modulus)
    drawn = draw.standard_normal((3, 2 * (high - low)), dtype=np.float32).view(np.complex64)
    spectrum = np.zeros((3, samples // 2 + 1), dtype=np.complex64)
    # irfft divides by its length; real and imaginary parts have a variance of 1 each.
    scale = np.sqrt(rate_hz * samples / 2)
    spectrum[:, low:high] = drawn * (level * scale).astype(np.float32)
    return np.asarray(scipy.fft.irfft(spectrum, samples, axis=-1)[:, :count])
