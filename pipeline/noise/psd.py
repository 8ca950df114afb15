"""
PSD: power spectral densities of windows, as levels in dB at steps of a part of an octave.

As obspy's PPSD and McNamara & Buland (2004) define them: sub-windows are freed of their straight line,
tapered and transformed, their one-sided powers averaged, turned into dB and averaged over an octave. What
comes out is in dB of counts² per Hz; subtract `pipeline.noise.periods.response_db` to have dB of (m/s²)²/Hz.

The transforms run in float32, at half the price of float64. Nothing is lost: straight lines are taken out in
float64 before samples are rounded, and each window is scaled by a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.noise.periods import PeriodBins
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.signal.device import resolve_device
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray, as_mask

__all__ = ["Precision", "WindowLevels", "window_levels"]

Precision: TypeAlias = Literal["float32", "float64"]

Transform: TypeAlias = Callable[[NDArray[Any], IndexArray, BoolArray], FloatArray]


@dataclass(frozen=True, slots=True)
class WindowLevels:
    """
    Levels of windows.

    Parameters
    ----------
    starts : array of int64, shape (windows,)
        First samples, since 1970.
    level_db : array of float32, shape (..., windows, periods)
        NaN where a window is left out.
    sub_windows : array of uint16, shape (..., windows)
        How many sub-windows each is made of; 0 where it is left out.
    """

    starts: IndexArray
    level_db: NDArray[np.float32]
    sub_windows: NDArray[np.uint16]


def window_levels(
    data: ArrayLike,
    *,
    first: int,
    windows: SpectralWindows,
    bins: PeriodBins,
    missing: ArrayLike | None = None,
    share: float = 0.0,
    device: str = "cpu",
    precision: Precision = "float32",
) -> WindowLevels:
    """
    Measure the power of all windows that lie whole within a record.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Counts; components or the like stand before time.
    first : int
        The record's first sample, since 1970.
    windows : SpectralWindows
    bins : PeriodBins
        Over the frequencies of ``windows``.
    missing : array_like of bool, shape (..., samples), optional
        Samples that are not there, whatever stands in their place.
    share : float
        Of sub-windows that a window may lack; see `SpectralWindows.usable`.
    device : str
        As `pipeline.signal.device` takes it. On the CPU it takes one thread, and lets others run beside.
    precision : {"float32", "float64"}
        Of the transforms.

    Returns
    -------
    WindowLevels
        In dB of counts² per Hz. A window without any motion is some hundred dB below whatever moves,
        never minus infinity.

    Raises
    ------
    ConfigError
        Where an option is out of its range, the bins are not those of the windows, or a sample that is not
        said to be missing is no finite number.

    Examples
    --------
    A sine of 2 Hz, whose octaves are those around 0.5 s:

    >>> from pipeline.noise.periods import period_bins
    >>> windows = SpectralWindows(samples_per_day=86_400 * 20, window_s=60.0)
    >>> bins = period_bins(windows.frequencies_hz)
    >>> sine = np.sin(2 * np.pi * np.arange(2400) / 10)
    >>> levels = window_levels(sine, first=0, windows=windows, bins=bins)
    >>> levels.starts.tolist(), levels.sub_windows.tolist(), levels.level_db.shape
    ([0, 600, 1200], [15, 15, 15], (3, 57))
    >>> round(float(bins.centre_s[levels.level_db[0].argmax()]), 2)
    0.62
    """
    record = np.asarray(data)
    flat = record.reshape(math.prod(record.shape[:-1]), record.shape[-1])
    absent = as_mask(missing, record.shape).reshape(flat.shape)
    if not np.array_equal(bins.frequencies_hz, windows.frequencies_hz):
        raise ConfigError(
            f"bins over {bins.frequencies_hz.size} frequencies up to {bins.frequencies_hz[-1]:g} Hz are not"
            f" those of windows, with {windows.frequencies_hz.size} up to {windows.frequencies_hz[-1]:g} Hz"
        )
    if precision not in get_args(Precision):
        raise ConfigError(f"precision should be one of {', '.join(get_args(Precision))}, got {precision!r}")
    starts = windows.starts_between(first, first + record.shape[-1] - windows.length + 1)
    at = starts - first
    usable = windows.usable(absent, at, share)
    level_db = np.full((flat.shape[0], starts.size, bins.centre_s.size), np.nan, dtype=np.float32)
    transform = _transform(windows, bins, resolve_device(device), precision)
    scale_db = bins.mean(_one_sided_db(windows))
    for row in range(flat.shape[0]):
        kept = usable[row].any(axis=-1)
        if kept.any():
            measured = transform(flat[row], at[kept], usable[row, kept]) + scale_db
            _check_finite(measured, bins, starts[kept])
            level_db[row, kept] = measured
    shape = record.shape[:-1]
    return WindowLevels(
        starts,
        level_db.reshape(*shape, *level_db.shape[1:]),
        usable.sum(axis=-1, dtype=np.uint16).reshape(*shape, starts.size),
    )


def _transform(windows: SpectralWindows, bins: PeriodBins, device: str, precision: Precision) -> Transform:
    # Both take a second or more to import, for which who only reads a product should not wait.
    if device == "cpu":
        from pipeline.noise.psd_cpu import CpuTransform

        return CpuTransform(windows, bins, precision)
    from pipeline.noise.psd_torch import TensorTransform

    return TensorTransform(windows, bins, precision, device)


def _one_sided_db(windows: SpectralWindows) -> FloatArray:
    """Return what turns the squared spectrum into a density: twice, but for the Nyquist frequency."""
    energy = (windows.taper_weights() ** 2).sum()
    factor = np.full(windows.frequencies_hz.size, 2 / (windows.rate_hz * energy))
    factor[-1] /= 2
    return np.asarray(10 * np.log10(factor))


def _check_finite(levels: FloatArray, bins: PeriodBins, starts: IndexArray) -> None:
    bad = np.isnan(levels[:, bins.stop > bins.first]).any(axis=1)
    if bad.any():
        raise ConfigError(
            f"samples of {bad.sum()} windows, the first at sample {starts[bad][0]}, are no finite numbers:"
            " those that are not there should be named in `missing`"
        )
