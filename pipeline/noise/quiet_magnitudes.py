"""
Noise magnitudes of a span of days, from spectra of its days and of the runs that start on them.

A day counts that is whole and whose calibration is right; the quietest of them give SNM. Of a single day, its
own. Runs that share no day give SSNM and TNM; a run belongs to the span in which it lies whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.noise.magnitudes import (
    SNM_BAND_S,
    SSNM_BAND_S,
    TNM_BAND_S,
    Spectrum,
    band_rms_microgal,
    mean_spectrum,
    noise_magnitude,
)
from pipeline.noise.quiet_days import quiet_runs, quietest_days
from pipeline.signal.precision import BoolArray

__all__ = ["DaySpectra", "QuietMagnitudes", "quiet_magnitudes"]

_RUN_BELOW_HZ = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class DaySpectra:
    """
    Consecutive days of a gravimeter.

    Parameters
    ----------
    first_day : int
        Since 1970.
    present, rms_microgal : ndarray, shape (days,)
    day_hz, day_psd : ndarray, shape (frequencies,) and (days, frequencies)
        (nm/s²)²/Hz.
    run_days : int
        Days of a run.
    run_present : ndarray, shape (days,)
    run_hz, run_psd : ndarray, shape (frequencies,) and (days, frequencies)
        Of the run that starts on each day.
    refused : ndarray of bool, shape (days,)
        Days that nothing is to be made of, whatever their spectra are.
    """

    first_day: int
    present: NDArray[np.float32]
    rms_microgal: NDArray[np.float32]
    day_hz: NDArray[np.float64]
    day_psd: NDArray[np.float32]
    run_days: int
    run_present: NDArray[np.float32]
    run_hz: NDArray[np.float64]
    run_psd: NDArray[np.float32]
    refused: BoolArray

    def between(self, first: int, stop: int) -> DaySpectra:
        """Return the days from ``first`` up to, not including, ``stop``, both since 1970."""
        at = slice(max(first - self.first_day, 0), max(stop - self.first_day, 0))
        return DaySpectra(
            max(first, self.first_day),
            self.present[at],
            self.rms_microgal[at],
            self.day_hz,
            self.day_psd[at],
            self.run_days,
            self.run_present[at],
            self.run_hz,
            self.run_psd[at],
            self.refused[at],
        )


class QuietMagnitudes(NamedTuple):
    """
    Magnitudes of a span; NaN where nothing is there to make one of.

    ``snm_std`` is the standard error of SNM from how its days scatter, NaN of a single one. ``quiet`` and
    ``runs`` are days since 1970; ``ranked`` how many days could be chosen from.
    """

    snm: float
    snm_std: float
    ssnm: float
    ssnm_daily: float
    tnm: float
    quiet: NDArray[np.int64]
    runs: NDArray[np.int64]
    ranked: int


def quiet_magnitudes(
    days: DaySpectra,
    *,
    count: int = 5,
    runs: int = 5,
    rank_below_hz: float = 0.01,
    least_present: float = 0.99,
) -> QuietMagnitudes:
    """
    Make the magnitudes of a span.

    Parameters
    ----------
    days : DaySpectra
    count, runs : int
        Quietest days and runs to be used, or as many as there are.
    rank_below_hz : float
        Days are ranked by what is below, as far as spectra go; 0 ranks by the RMS of all frequencies.
    least_present : float
        Of a day and of a run.

    Returns
    -------
    QuietMagnitudes
    """
    spectra = [Spectrum(days.day_hz, np.asarray(psd, dtype=np.float64)) for psd in days.day_psd]
    rank = days.rms_microgal if not rank_below_hz else [band_rms_microgal(s, rank_below_hz) for s in spectra]
    usable = np.where(days.refused, np.nan, np.asarray(rank, dtype=np.float64))
    chosen = quietest_days(usable, days.present, count=count, least_present=least_present)
    own = np.array([noise_magnitude(spectra[day], SNM_BAND_S) for day in chosen.days])
    mean = mean_spectrum([spectra[day] for day in chosen.days]) if len(chosen.days) else None
    starts, long = _of_runs(days, runs, least_present)
    return QuietMagnitudes(
        snm=noise_magnitude(mean, SNM_BAND_S) if mean else float("nan"),
        snm_std=_standard_error(own),
        ssnm=noise_magnitude(long, SSNM_BAND_S) if long else float("nan"),
        ssnm_daily=noise_magnitude(mean, SSNM_BAND_S) if mean else float("nan"),
        tnm=noise_magnitude(long, TNM_BAND_S) if long else float("nan"),
        quiet=days.first_day + chosen.days,
        runs=days.first_day + starts,
        ranked=chosen.candidates,
    )


def _of_runs(days: DaySpectra, count: int, least_present: float) -> tuple[NDArray[np.int64], Spectrum | None]:
    """Choose runs that lie whole in the span; return their first days and their mean spectrum."""
    inside = len(days.present) - days.run_days + 1
    rms = np.full(max(inside, 0), np.nan)
    spectra = [Spectrum(days.run_hz, np.asarray(psd, dtype=np.float64)) for psd in days.run_psd[: len(rms)]]
    for start, each in enumerate(spectra):
        clean = not days.refused[start : start + days.run_days].any()
        if clean and days.run_present[start] >= least_present:
            rms[start] = band_rms_microgal(each, _RUN_BELOW_HZ)
    if not np.isfinite(rms).any():
        return np.zeros(0, dtype=np.int64), None
    chosen = quiet_runs(rms, length=days.run_days, count=count)
    return chosen, mean_spectrum([spectra[start] for start in chosen]) if len(chosen) else None


def _standard_error(magnitudes: NDArray[np.float64]) -> float:
    """Return that of the mean power of some days, as a magnitude."""
    if len(magnitudes) < 2 or not np.isfinite(magnitudes).all():
        return float("nan")
    power = 10**magnitudes
    return float(power.std(ddof=1) / np.sqrt(len(power)) / power.mean() / np.log(10))
