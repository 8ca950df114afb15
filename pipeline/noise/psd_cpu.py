"""
PSD on a processor: what surrounds the transforms, compiled, so that little but the transforms remains.

Of a station-day at 100 Hz 846 sub-windows are transformed. Each is detrended, tapered and rounded to float32
in one pass over the record as it was read, and its power added up in another; tensors would take five.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.noise.periods import PeriodBins
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray

__all__ = ["CpuTransform"]

_DB_PER_NEPER = 10 / np.log(10)


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
        import torch

        self._windows = windows
        edges = np.unique(np.concatenate([bins.first, bins.stop]))
        self._edges = edges[edges < windows.sub_length // 2]
        self._first, self._stop = np.searchsorted(edges, bins.first), np.searchsorted(edges, bins.stop)
        self._frequencies = np.where(bins.stop > bins.first, bins.stop - bins.first, np.nan)
        self._weights = windows.taper_weights().astype(precision)
        shape = (windows.sub_count, windows.sub_length)
        self._sub_windows = torch.empty(shape, dtype=getattr(torch, precision))
        self._spectra = torch.fft.rfft(self._sub_windows)
        self._power = np.empty(windows.sub_length // 2 + 1, dtype=precision)

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
        import torch

        count = int(used.sum())
        exponent = _load(samples, used, self._weights, self._windows.sub_step, self._sub_windows.numpy())
        torch.fft.rfft(self._sub_windows[:count], out=self._spectra[:count])
        _mean_power(self._spectra[:count].numpy(), self._power)
        return np.asarray(_DB_PER_NEPER * (self._smooth(np.log(self._power[1:])) + 2 * np.log(2) * exponent))

    def _smooth(self, spectrum: NDArray[Any]) -> FloatArray:
        """Average over the range of each period, by sums from edge to edge."""
        total = np.zeros(self._edges.size + 1)
        np.cumsum(np.add.reduceat(spectrum, self._edges, dtype=np.float64), out=total[1:])
        return (total[self._stop] - total[self._first]) / self._frequencies


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _moments(samples, origin, moments):  # type: ignore[no-untyped-def]
    """Sum samples, samples times time from the middle, and squares."""
    level, slope, energy = 0.0, 0.0, 0.0
    middle = (samples.size - 1) / 2
    for index in range(samples.size):
        value = np.float64(samples[index]) - origin
        level += value
        slope += value * (index - middle)
        energy += value * value
    moments[0], moments[1], moments[2] = level, slope, energy


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _free(samples, origin, level, slope, factor, weights, out):  # type: ignore[no-untyped-def]
    """Take a straight line out of samples, and weight what is left."""
    for index in range(samples.size):
        value = np.float64(samples[index]) - origin
        out[index] = (value - (level + slope * index)) * factor * weights[index]


@njit(nogil=True, cache=True)
def _load(samples, used, weights, step, out):  # type: ignore[no-untyped-def]
    """
    Write the sub-windows in use one after the other, detrended, tapered and scaled to an energy of about one.

    A straight line is known by two moments, and those of a sub-window are sums of those of its blocks, which
    sub-windows share.

    Returns
    -------
    int
        They were divided by this power of two.
    """
    length = weights.size
    blocks = length // step
    moments = np.zeros((samples.size // step, 3))
    wanted = np.zeros(samples.size // step, dtype=np.bool_)
    first = 0
    for sub in range(used.size):
        if used[sub]:
            first = sub if not wanted.any() else first
            wanted[sub : sub + blocks] = True
    # The first sample in use is as good an origin as any: large offsets cost no digits.
    origin = np.float64(samples[first * step])
    energy = 0.0
    for block in range(wanted.size):
        if wanted[block]:
            _moments(samples[block * step : (block + 1) * step], origin, moments[block])
            energy += moments[block, 2]
    exponent = np.int64(np.ceil(np.log2(np.sqrt(energy)))) if energy > 0 else 0
    factor = 2.0 ** (-exponent)
    row = 0
    for sub in range(used.size):
        if used[sub]:
            total, with_time = 0.0, 0.0
            for block in range(blocks):
                centre = (block - (blocks - 1) / 2) * step
                total += moments[sub + block, 0]
                with_time += moments[sub + block, 1] + centre * moments[sub + block, 0]
            slope = with_time / (length * (np.float64(length) * length - 1) / 12)
            level = total / length - slope * (length - 1) / 2
            span = samples[sub * step : sub * step + length]
            _free(span, origin, level, slope, factor, weights, out[row])
            row += 1
    return exponent


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _mean_power(spectra, power):  # type: ignore[no-untyped-def]
    """Average squared spectra; what has no power gets the least that a number can hold."""
    power[:] = 0
    for row in range(spectra.shape[0]):
        for index in range(power.size):
            value = spectra[row, index]
            power[index] += value.real * value.real + value.imag * value.imag
    share = power.dtype.type(1.0 / spectra.shape[0])
    for index in range(power.size):
        power[index] = max(power[index] * share, power.dtype.type(1e-37))
