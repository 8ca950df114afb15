"""
PSD on a processor: compiled, window by window, on one thread.

Of a channel-day at 100 Hz 846 sub-windows are transformed, by `pipeline.noise.summed_spectra`. Around them
are the straight lines, found in one pass over the record as it was read, and the means over octaves.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.noise.periods import PeriodBins
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.noise.summed_spectra import SummedSpectra
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray

__all__ = ["CpuTransform"]

_LEAST: Final = 1e-37
_DB_PER_NEPER: Final = 10 / np.log(10)


class CpuTransform:
    """
    From samples to levels on a processor.

    Parameters
    ----------
    windows : SpectralWindows
    bins : PeriodBins
    precision : str
        Of the transforms: ``float32`` or ``float64``.
    """

    def __init__(self, windows: SpectralWindows, bins: PeriodBins, precision: str) -> None:
        self._windows = windows
        edges = np.unique(np.concatenate([bins.first, bins.stop]))
        self._edges = edges[edges < windows.sub_length // 2]
        self._first, self._stop = np.searchsorted(edges, bins.first), np.searchsorted(edges, bins.stop)
        self._frequencies = np.where(bins.stop > bins.first, bins.stop - bins.first, np.nan)
        self._spectra = SummedSpectra(windows.taper_weights(), precision)

    def __call__(self, record: NDArray[Any], starts: IndexArray, used: BoolArray) -> FloatArray:
        """
        Measure windows.

        Parameters
        ----------
        record : array, shape (samples,)
        starts : array of int, shape (windows,)
        used : array of bool, shape (windows, sub-windows)
            At least one of each window. What lies in no other is not looked at.

        Returns
        -------
        array of float64, shape (windows, periods)
            dB of the mean squared spectrum.
        """
        levels = np.empty((starts.size, self._frequencies.size))
        for index, start in enumerate(starts.tolist()):
            levels[index] = self._level(record[start : start + self._windows.covered], used[index])
        return levels

    def _level(self, samples: NDArray[Any], used: BoolArray) -> FloatArray:
        step = self._windows.sub_step
        chosen = np.flatnonzero(used)
        lines = np.empty((chosen.size, 2))
        origin, exponent = _find_lines(samples, chosen, step, self._windows.sub_length // step, lines)
        power = self._spectra.sum(samples, chosen * step, lines=lines, origin=origin, factor=2.0**-exponent)
        mean = np.maximum(power / chosen.size, _LEAST)
        return np.asarray(_DB_PER_NEPER * (self._smooth(np.log(mean)) + 2 * np.log(2) * exponent))

    def _smooth(self, spectrum: NDArray[Any]) -> FloatArray:
        """Average over the range of each period, by sums from edge to edge."""
        total = np.zeros(self._edges.size + 1)
        np.cumsum(np.add.reduceat(spectrum, self._edges, dtype=np.float64), out=total[1:])
        return (total[self._stop] - total[self._first]) / self._frequencies


@njit(nogil=True, cache=True)
def _find_lines(samples, chosen, step, blocks, lines):  # type: ignore[no-untyped-def]
    """
    Find the straight line of each sub-window: its value at the first sample, and its slope.

    A line is known by two moments, and those of a sub-window are sums of those of its blocks, which
    sub-windows share.

    Returns
    -------
    float
        What is to be subtracted from samples first, so that large offsets cost no digits: any sample will do.
    int
        The power of two by which samples are to be divided to have an energy of one or a little less.
    """
    moments = np.zeros((samples.size // step, 2))
    origin = np.float64(samples[chosen[0] * step])
    energy = 0.0
    known = 0
    for sub in chosen:
        for block in range(max(sub, known), sub + blocks):
            energy += _moments(samples[block * step : (block + 1) * step], origin, moments[block])
        known = sub + blocks
    length = np.float64(blocks * step)
    for row, sub in enumerate(chosen):
        total, with_time = 0.0, 0.0
        for block in range(blocks):
            centre = (block - (blocks - 1) / 2) * step
            total += moments[sub + block, 0]
            with_time += moments[sub + block, 1] + centre * moments[sub + block, 0]
        lines[row, 1] = with_time / (length * (length * length - 1) / 12)
        lines[row, 0] = total / length - lines[row, 1] * (length - 1) / 2
    return origin, int(np.ceil(np.log2(np.sqrt(energy)))) if energy > 0 else 0


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _moments(samples, origin, moments):  # type: ignore[no-untyped-def]
    """Sum samples, and samples times time from the middle; return the sum of squares."""
    level, slope, energy = 0.0, 0.0, 0.0
    middle = (samples.size - 1) / 2
    for index in range(samples.size):
        value = np.float64(samples[index]) - origin
        level += value
        slope += value * (index - middle)
        energy += value * value
    moments[0], moments[1] = level, slope
    return energy
