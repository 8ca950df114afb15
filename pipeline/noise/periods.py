"""
Periods: from a spectrum at thousands of frequencies to levels at steps of a part of an octave.

A level is the mean of the spectrum *in dB* over an octave around its period, as in obspy's PPSD and in
MUSTANG. The mean of dB lies below the dB of the mean power: by 2.5 dB for noise in a single sub-window, by
0.2 to 0.4 dB for the 13 to 25 of an hour.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError, ResponseError
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import FloatArray, IndexArray

__all__ = ["PeriodBins", "period_bins", "response_db"]

_ZERO: Final = 1e-12
"""Of the largest gain: what is below is none."""


@dataclass(frozen=True, slots=True)
class PeriodBins:
    """
    The periods at which levels stand, and the frequencies that each is a mean over.

    Parameters
    ----------
    low_s, centre_s, high_s : array of float64, shape (periods,)
        Rising. The mean takes in both ends.
    first, stop : array of int64, shape (periods,)
        Half-open ranges of the frequencies.
    frequencies_hz : array of float64, shape (frequencies,)
        Rising, from the lowest above 0.
    """

    low_s: FloatArray
    centre_s: FloatArray
    high_s: FloatArray
    first: IndexArray
    stop: IndexArray
    frequencies_hz: FloatArray

    def mean(self, spectrum: ArrayLike) -> FloatArray:
        """
        Average over each range of frequencies.

        Parameters
        ----------
        spectrum : array_like, shape (..., frequencies)
            In dB.

        Returns
        -------
        array of float64, shape (..., periods)
            NaN where no frequency lies in a range, or where one of its values is no number.
        """
        values = np.asarray(spectrum, dtype=np.float64)
        total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
        known = np.isfinite(values)
        np.cumsum(np.where(known, values, 0.0), axis=-1, out=total[..., 1:])
        unknown = np.zeros(total.shape, dtype=np.int64)
        np.cumsum(~known, axis=-1, out=unknown[..., 1:])
        count = self.stop - self.first
        mean = (total[..., self.stop] - total[..., self.first]) / np.maximum(count, 1)
        whole = (count > 0) & (unknown[..., self.stop] == unknown[..., self.first])
        return np.where(whole, mean, np.nan)


def period_bins(
    frequencies_hz: ArrayLike,
    *,
    width_octaves: float = 1.0,
    step_octaves: float = 0.125,
    limits_s: tuple[float, float] | None = None,
) -> PeriodBins:
    """
    Lay out periods over a spectrum.

    Parameters
    ----------
    frequencies_hz : array_like
        Rising, above 0.
    width_octaves : float
        Over which a level is a mean.
    step_octaves : float
        From one period to the next.
    limits_s : tuple of 2 float, optional
        The first period, and the one that the last period reaches or passes; those of the highest and the
        lowest frequency by default.

    Returns
    -------
    PeriodBins

    Raises
    ------
    ConfigError
        Where there is no frequency above 0, or the limits don't rise or lie outside the spectrum.

    Examples
    --------
    >>> bins = period_bins([1.0, 2.0, 3.0, 4.0], step_octaves=1.0)
    >>> bins.centre_s.round(3).tolist(), (bins.stop - bins.first).tolist()
    ([0.25, 0.5, 1.0], [2, 1, 1])
    """
    frequencies = np.asarray(frequencies_hz, dtype=np.float64)
    if not frequencies.size or not (frequencies > 0).all() or not (np.diff(frequencies) > 0).all():
        raise ConfigError("frequencies should rise and lie above 0 Hz, got " + np.array2string(frequencies))
    check_positive("width_octaves", width_octaves)
    check_positive("step_octaves", step_octaves)
    periods = 1 / frequencies[::-1]
    shortest, longest = limits_s or (float(periods[0]), float(periods[-1]))
    check_positive("limits_s", shortest)
    if not shortest < longest:
        raise ConfigError(f"limits_s should rise, got {limits_s}")
    low, centre, high = _edges(shortest, longest, 2.0**width_octaves, 2.0**step_octaves)
    inside = (high > periods[0]) & (low < periods[-1])
    if not inside.any():
        raise ConfigError(
            f"limits_s should meet the spectrum's {periods[0]:g} to {periods[-1]:g} s, got {limits_s}"
        )
    low, centre, high = low[inside], centre[inside], high[inside]
    begin = np.searchsorted(periods, low, side="left")
    end = np.searchsorted(periods, high, side="right")
    return PeriodBins(low, centre, high, periods.size - end, periods.size - begin, frequencies)


def _edges(
    shortest: float, longest: float, width: float, step: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Return low edges, centres and high edges, from the shortest period until the longest is reached.

    Each edge is the one before times the step, and not a power computed afresh: with the default options
    edges fall on frequencies of the spectrum, and the last bit decides what a level at long periods, of
    two or three frequencies, is made of. obspy multiplies so.
    """
    rows: list[tuple[float, float, float]] = []
    low = shortest / width**0.5
    while not rows or rows[-1][1] < longest:
        rows.append((low, math.sqrt(low * (low * width)), low * width))
        low *= step
    edges = np.array(rows)
    return edges[:, 0], edges[:, 1], edges[:, 2]


def response_db(bins: PeriodBins, response: ArrayLike) -> FloatArray:
    """
    Average a response as levels are averaged: what has to be subtracted from levels of counts.

    A mean of dB of power over gain is the difference of two means, so that a response is divided out once
    per epoch instead of once per window.

    Parameters
    ----------
    bins : PeriodBins
    response : array_like of complex, shape (frequencies,)
        Counts per m/s² for levels of acceleration, at the frequencies of the bins.

    Returns
    -------
    array of float64, shape (periods,)
        dB; NaN where the response is zero or unknown within the range of a period.

    Raises
    ------
    ResponseError
        Where that is so at all periods.

    Examples
    --------
    >>> bins = period_bins([1.0, 2.0, 3.0, 4.0], step_octaves=1.0)
    >>> response_db(bins, [0.0, 10.0, 10.0, 10j])
    array([20., 20., nan])
    """
    gain = np.abs(np.asarray(response, dtype=np.complex128))
    if gain.shape != bins.frequencies_hz.shape:
        raise ConfigError(
            f"a response of shape {gain.shape} should have one value for each of the"
            f" {bins.frequencies_hz.size} frequencies"
        )
    # What cancels in the sums of a filter is zero but for rounding.
    known = np.isfinite(gain) & (gain > _ZERO * np.max(gain, initial=0.0, where=np.isfinite(gain)))
    levels = bins.mean(20 * np.log10(gain, out=np.full(gain.shape, np.nan), where=known))
    if np.isnan(levels).all():
        raise ResponseError(
            f"the response is zero or unknown within each period from {bins.centre_s[0]:g} to"
            f" {bins.centre_s[-1]:g} s"
        )
    return levels
