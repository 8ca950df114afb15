"""
What a block of a gravimeter leaves behind: spectra of its days, and of the runs of days that start on each.

A day is freed of a polynomial, and ranked later; a run keeps its long periods and loses a straight line only.
Both are few numbers, of which all magnitudes are made without a sample being read again.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.noise.magnitudes import spectrum
from pipeline.noise.residuals import day_residual, rms_microgal
from pipeline.signal.checks import check_at_least

__all__ = ["HIGHEST_DAY_HZ", "HIGHEST_RUN_HZ", "GravityDays", "frequencies_hz", "gravity_days"]

HIGHEST_DAY_HZ = 0.02
HIGHEST_RUN_HZ = 0.001
_LEAST_PRESENT = 0.5
"""Of a span that has a spectrum: what is missing counts as zero, and what is there has to stand for it."""


class GravityDays(NamedTuple):
    """
    Spectra of days, and of the runs that start on them.

    Attributes
    ----------
    present : ndarray of float32, shape (days,)
        Share of the samples of a day that are there.
    rms_microgal : ndarray of float32, shape (days,)
        Of the residual of all frequencies.
    day_psd : ndarray of float32, shape (days, frequencies)
        (nm/s²)²/Hz; NaN where less than half of a day is there.
    run_present : ndarray of float32, shape (days,)
    run_psd : ndarray of float32, shape (days, frequencies)
    """

    present: NDArray[np.float32]
    rms_microgal: NDArray[np.float32]
    day_psd: NDArray[np.float32]
    run_present: NDArray[np.float32]
    run_psd: NDArray[np.float32]


def frequencies_hz(samples: int, rate_hz: float, highest_hz: float) -> NDArray[np.float64]:
    """
    Return the frequencies of a spectrum of so many samples, as `pipeline.noise.magnitudes.spectrum` has them.

    >>> frequencies_hz(86_400, 1.0, 2e-5)
    array([1.15740741e-05, 2.31481481e-05])
    """
    count = min(int(highest_hz * samples / rate_hz) + 1, samples // 2)
    return np.arange(1, count + 1, dtype=np.float64) * (rate_hz / samples)


def gravity_days(
    residual_nm_s2: NDArray[np.float64],
    samples_per_day: int,
    days: int,
    *,
    run_days: int = 5,
    degree: int = 9,
) -> GravityDays:
    """
    Measure days and runs of days.

    Parameters
    ----------
    residual_nm_s2 : ndarray, shape (samples,)
        Gravity less tide and pressure, from the first day on; NaN where missing. Runs that start on the last
        days need those that follow, up to ``days + run_days - 1``; what is not given is missing.
    samples_per_day : int
    days : int
        How many to measure.
    run_days, degree : int
        Of a run, and of a day's polynomial.

    Returns
    -------
    GravityDays

    Examples
    --------
    White noise of 10 nm/s² a minute has 12,000 (nm/s²)²/Hz.

    >>> noise = np.random.default_rng(1).normal(0, 10, 7 * 1440)
    >>> found = gravity_days(noise, 1440, 3)
    >>> found.day_psd.shape, found.run_psd.shape, found.run_present.tolist()
    ((3, 720), (3, 433), [1.0, 1.0, 1.0])
    >>> (found.day_psd.mean(axis=1) / 12_000).round(1).tolist()
    [1.0, 1.0, 1.0]
    """
    check_at_least("days", days, 1)
    check_at_least("run_days", run_days, 1)
    residual = np.asarray(residual_nm_s2, dtype=np.float64)
    if residual.size < days * samples_per_day:
        raise ConfigError(f"{residual.size} samples are fewer than {days} days of {samples_per_day}")
    rate_hz = samples_per_day / 86_400
    missing_tail = max((days + run_days - 1) * samples_per_day - residual.size, 0)
    whole = np.concatenate([residual, np.full(missing_tail, np.nan)]) if missing_tail else residual
    rows = [
        _measure_day(whole[at : at + samples_per_day], rate_hz, degree)
        for at in range(0, days * samples_per_day, samples_per_day)
    ]
    length = run_days * samples_per_day
    runs = [
        _measure(whole[at : at + length], rate_hz, HIGHEST_RUN_HZ)
        for at in range(0, days * samples_per_day, samples_per_day)
    ]
    return GravityDays(
        present=np.array([present for present, _, _ in rows], dtype=np.float32),
        rms_microgal=np.array([rms for _, rms, _ in rows], dtype=np.float32),
        day_psd=np.stack([psd for _, _, psd in rows]).astype(np.float32),
        run_present=np.array([present for present, _ in runs], dtype=np.float32),
        run_psd=np.stack([psd for _, psd in runs]).astype(np.float32),
    )


def _measure_day(
    samples: NDArray[np.float64], rate_hz: float, degree: int
) -> tuple[float, float, NDArray[np.float64]]:
    residual = day_residual(samples, degree=degree)
    present, psd = _measure(residual, rate_hz, HIGHEST_DAY_HZ)
    return present, rms_microgal(residual), psd


def _measure(
    samples: NDArray[np.float64], rate_hz: float, highest_hz: float
) -> tuple[float, NDArray[np.float64]]:
    present = float(np.isfinite(samples).mean())
    if present < _LEAST_PRESENT:
        return present, np.full(len(frequencies_hz(samples.size, rate_hz, highest_hz)), np.nan)
    return present, spectrum(samples, rate_hz, highest_hz=highest_hz).psd_nm2_s4_hz
