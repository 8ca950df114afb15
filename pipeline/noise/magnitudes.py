"""
Noise magnitudes of gravimeters: spectra of quiet days and runs of days, and their means over three bands.

::

    quiet days, less a polynomial ──► spectrum of each ─► mean ─┬─► 200 to 600 s ─► SNM
    quiet runs of five days or more, less a straight line ──┐   └─► 1 to 6 h ─────► SSNM, too low
                                   spectrum of each ─► mean ┴─────► 1 to 6 h ─────► SSNM
                                                              └───► 6 to 30 h ────► TNM

A magnitude is log10(mean PSD) + 2.5 with the PSD in µGal²/Hz, one-sided, and its arithmetic mean over the
frequencies of a band: Peterson's low noise model has -0.13 in the band of SNM, and his high one 6.02. SNM and
its band: Banka & Crossley (1999). SSNM from 1 to 6 h: Zhang et al. (2016), doi:10.3319/TAO.2016.03.23.01(T).
TNM is a reading of ours: published values name no band. From 6 to 30 h it holds the tide's own frequencies
and what models of it miss.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.noise.calibration import NM_S2_PER_MICROGAL
from pipeline.signal import detrend, gaps
from pipeline.signal.checks import check_positive

__all__ = [
    "SNM_BAND_S",
    "SSNM_BAND_S",
    "TNM_BAND_S",
    "Spectrum",
    "band_rms_microgal",
    "mean_spectrum",
    "noise_magnitude",
    "spectrum",
    "without_gain",
]

SNM_BAND_S: Final = (200.0, 600.0)
SSNM_BAND_S: Final = (3_600.0, 21_600.0)
TNM_BAND_S: Final = (21_600.0, 108_000.0)

_OFFSET: Final = 2.5
_FEWEST_FREQUENCIES: Final = 3
_TAPERS: Final = 3


class Spectrum(NamedTuple):
    """One-sided PSD: ``psd_nm2_s4_hz`` in (nm/s²)²/Hz at ``frequency_hz``, which rise evenly."""

    frequency_hz: NDArray[np.float64]
    psd_nm2_s4_hz: NDArray[np.float64]


def spectrum(residual_nm_s2: ArrayLike, rate_hz: float, *, highest_hz: float = 0.05) -> Spectrum:
    """
    Return the spectrum of a residual, of a day or of a run of days.

    The line of least squares goes out, and three sine tapers (Riedel & Sidorenko, 1995) go on, of which one
    alone would scatter 1.4 times as much. Missing samples count as zero: what is there stands for them.

    Parameters
    ----------
    residual_nm_s2 : array_like, shape (samples,)
        NaN where missing.
    rate_hz : float
    highest_hz : float
        Frequencies above are left out, for they are many and no magnitude needs them.

    Returns
    -------
    Spectrum

    Raises
    ------
    ConfigError
        If no sample is there.

    Examples
    --------
    White noise of 10 nm/s² once a second has 200 (nm/s²)²/Hz.

    >>> noise = np.random.default_rng(1).normal(0, 10, 86_400)
    >>> round(float(spectrum(noise, 1.0).psd_nm2_s4_hz.mean()) / 200, 1)
    1.0
    """
    check_positive("rate_hz", rate_hz)
    residual = np.asarray(residual_nm_s2, dtype=np.float64)
    absent = gaps.missing(residual)
    if absent.all():
        raise ConfigError(f"a spectrum needs samples, got {residual.size} of which none is there")
    level = detrend.linear(np.where(absent, 0.0, residual), missing=absent)
    count = min(int(highest_hz * residual.size / rate_hz) + 1, residual.size // 2)
    angle = np.pi * np.arange(1, residual.size + 1) / (residual.size + 1)
    psd = np.zeros(count)
    for number in range(1, _TAPERS + 1):
        taper = np.where(absent, 0.0, np.sin(number * angle))
        transform = scipy.fft.rfft(level * taper)[1 : count + 1]
        psd += 2.0 * np.abs(transform) ** 2 / (rate_hz * np.sum(taper**2) * _TAPERS)
    frequency_hz = np.arange(1, count + 1, dtype=np.float64) * (rate_hz / residual.size)
    return Spectrum(frequency_hz, psd)


def mean_spectrum(spectra: Sequence[Spectrum]) -> Spectrum:
    """
    Return the arithmetic mean of spectra at the same frequencies, as of days at whatever rate.

    Parameters
    ----------
    spectra : sequence of Spectrum
        Of spans of one length; frequencies that only some have are left out.

    Raises
    ------
    ConfigError
        If there are none, or their frequencies differ.

    Examples
    --------
    >>> frequency_hz = np.array([0.1, 0.2])
    >>> mean_spectrum([Spectrum(frequency_hz, np.full(2, value)) for value in (1.0, 3.0)]).psd_nm2_s4_hz
    array([2., 2.])
    """
    if not spectra:
        raise ConfigError("a mean needs at least one spectrum, got none")
    shared = min(len(each.frequency_hz) for each in spectra)
    frequency_hz = spectra[0].frequency_hz[:shared]
    for each in spectra:
        if not np.allclose(each.frequency_hz[:shared], frequency_hz, rtol=1e-6, atol=0.0):
            raise ConfigError(
                f"spectra should be of spans of one length, got steps of {frequency_hz[0]} and "
                f"{each.frequency_hz[0]} Hz"
            )
    mean = np.mean([each.psd_nm2_s4_hz[:shared] for each in spectra], axis=0)
    return Spectrum(frequency_hz, np.asarray(mean, dtype=np.float64))


def without_gain(found: Spectrum, gain: NDArray[np.complex128] | NDArray[np.float64]) -> Spectrum:
    """
    Take an instrument's response out of a spectrum.

    Parameters
    ----------
    found : Spectrum
    gain : ndarray, shape of the frequencies
        Response to acceleration over the factor that samples were calibrated with.

    Raises
    ------
    ConfigError
        If it is zero or not finite at one of them.

    Examples
    --------
    >>> without_gain(Spectrum(np.array([0.1, 0.2]), np.array([1.0, 1.0])), np.array([1.0, 0.5])).psd_nm2_s4_hz
    array([1., 4.])
    """
    square = np.abs(gain) ** 2
    if square.shape != found.frequency_hz.shape:
        raise ConfigError(
            f"a gain of shape {square.shape} does not fit {len(found.frequency_hz)} frequencies"
        )
    bad = ~(np.isfinite(square) & (square > 0))
    if bad.any():
        raise ConfigError(f"the response is {np.abs(gain)[bad][0]} at {found.frequency_hz[bad][0]} Hz")
    return Spectrum(found.frequency_hz, found.psd_nm2_s4_hz / square)


def noise_magnitude(found: Spectrum, band_s: tuple[float, float]) -> float:
    """
    Return the noise magnitude of a band.

    Parameters
    ----------
    found : Spectrum
    band_s : (float, float)
        Shortest and longest period; both belong to it.

    Returns
    -------
    float
        NaN where the spectrum has fewer than three frequencies in the band, or does not cover it.

    Examples
    --------
    1 µGal²/Hz is 100 (nm/s²)²/Hz.

    >>> flat = Spectrum(np.arange(1, 1001) * 1e-5, np.full(1000, 100.0))
    >>> noise_magnitude(flat, SNM_BAND_S)
    2.5
    """
    low_hz, high_hz = 1.0 / band_s[1], 1.0 / band_s[0]
    step_hz = float(found.frequency_hz[0])
    # Bins that lie on an edge belong to it, however their quotient rounds.
    slack_hz = 1e-6 * step_hz
    inside = (found.frequency_hz >= low_hz - slack_hz) & (found.frequency_hz <= high_hz + slack_hz)
    covered = step_hz <= low_hz + slack_hz and found.frequency_hz[-1] + step_hz > high_hz
    if inside.sum() < _FEWEST_FREQUENCIES or not covered:
        return float("nan")
    mean = float(np.mean(found.psd_nm2_s4_hz[inside])) / NM_S2_PER_MICROGAL**2
    return float(np.log10(mean) + _OFFSET) if mean > 0 else float("-inf")


def band_rms_microgal(found: Spectrum, highest_hz: float) -> float:
    """
    Return the RMS that a spectrum has below a frequency, which ranks runs of days without their microseism.

    Examples
    --------
    >>> band_rms_microgal(Spectrum(np.array([1.0, 2.0, 3.0]), np.array([50.0, 50.0, 9.0])), 2.0)
    1.0
    """
    below = found.frequency_hz <= highest_hz
    power = float(np.sum(found.psd_nm2_s4_hz[below]) * found.frequency_hz[0])
    return float(np.sqrt(power)) / NM_S2_PER_MICROGAL
