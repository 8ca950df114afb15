"""
Spectral windows: which samples a power spectrum is made of.

A window is cut into overlapping sub-windows, each of which is detrended, tapered and transformed; their
powers are averaged. McNamara & Buland (2004, BSSA 94) take windows of one hour at half overlap, and in them
sub-windows of the power of two next below a quarter of the window, each three quarters over the one before.
As many sub-windows are used as fit: 13 where a quarter is a power of two, 18 at 100 Hz.

Windows start at whole steps since 1970, so that neither days nor years leave a trace in them. An index counts
samples since 1970 on the grid of the archive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.errors import ConfigError
from pipeline.signal import tapers
from pipeline.signal.checks import check_at_least, check_positive
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray

__all__ = ["SpectralWindows"]

_DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralWindows:
    """
    Windows, and their sub-windows, at one rate.

    Parameters
    ----------
    samples_per_day : int
        86,400 times the rate.
    window_s : float
    overlap : float
        Of windows: 0.5 lets one begin in the middle of the one before.
    sub_share : float
        Length of a sub-window as a share of the window, before it is cut to a power of two.
    sub_overlap : float
        Of sub-windows: 0, 0.5, 0.75 or whatever makes the step a part of the sub-window.
    taper : float
        Share of a sub-window over which it rises, and falls, as a cosine.

    Raises
    ------
    ConfigError
        Where a window is too short to be cut, or an option is out of its range.

    Examples
    --------
    >>> hours = SpectralWindows(samples_per_day=8_640_000)
    >>> hours.length, hours.sub_length, hours.sub_step, hours.sub_count
    (360000, 65536, 16384, 18)
    >>> hours.starts_between(0, 500_000).tolist()
    [0, 180000, 360000]
    """

    samples_per_day: int
    window_s: float = 3600.0
    overlap: float = 0.5
    sub_share: float = 0.25
    sub_overlap: float = 0.75
    taper: float = 0.1

    def __post_init__(self) -> None:
        check_at_least("samples_per_day", self.samples_per_day, 1)
        check_positive("window_s", self.window_s)
        for name in ("overlap", "sub_overlap"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(
                    f"{name} should be from 0 up to, not including, 1, got {getattr(self, name)}"
                )
        if not 0 < self.sub_share <= 1:
            raise ConfigError(f"sub_share should be above 0 and at most 1, got {self.sub_share}")
        if not 0 <= self.taper <= 0.5:
            raise ConfigError(f"taper should be from 0 to 0.5, got {self.taper}")
        if self.window_s * self.rate_hz * self.sub_share < 4:
            raise ConfigError(
                f"a window of {self.window_s} s at {self.rate_hz:g} Hz leaves sub-windows of fewer than"
                f" 4 samples: it should last at least {4 / self.rate_hz / self.sub_share:g} s"
            )
        if self.sub_length % self.sub_step:
            raise ConfigError(
                f"sub_overlap should leave a step that divides the {self.sub_length} samples of a"
                f" sub-window, as 0, 0.5 and 0.75 do; {self.sub_overlap} leaves {self.sub_step}"
            )

    @property
    def rate_hz(self) -> float:
        """Samples per second."""
        return self.samples_per_day / 86400

    @property
    def length(self) -> int:
        """Samples in a window."""
        return int(self.rate_hz * self.window_s)

    @property
    def sub_length(self) -> int:
        """Samples in a sub-window."""
        return 1 << (int(self.window_s * self.rate_hz * self.sub_share).bit_length() - 1)

    @property
    def sub_step(self) -> int:
        """Samples from one sub-window to the next."""
        return self.sub_length - int(self.sub_overlap * self.sub_length)

    @property
    def sub_count(self) -> int:
        """How many sub-windows fit into a window."""
        return (self.length - self.sub_length) // self.sub_step + 1

    @property
    def covered(self) -> int:
        """Samples of a window, from its first, that some sub-window takes in."""
        return self.sub_length + (self.sub_count - 1) * self.sub_step

    @property
    def frequencies_hz(self) -> FloatArray:
        """Frequencies of a sub-window's spectrum, from the lowest above 0 up to the Nyquist frequency."""
        return np.asarray(np.fft.rfftfreq(self.sub_length, d=1 / self.rate_hz)[1:])

    def taper_weights(self) -> FloatArray:
        """
        Return the weights of a sub-window: 0 at its very ends, and 1 between the ramps.

        >>> SpectralWindows(samples_per_day=86_400, window_s=64.0, taper=0.25).taper_weights().round(2)
        array([0.  , 0.25, 0.75, 1.  , 1.  , 1.  , 1.  , 1.  ,
               1.  , 1.  , 1.  , 1.  , 1.  , 0.75, 0.25, 0.  ])
        """
        ramp = int(self.taper * self.sub_length + 0.5)
        if ramp < 2:
            return np.ones(self.sub_length)
        ends = np.zeros(self.sub_length, dtype=bool)
        ends[[0, -1]] = True
        return tapers.weights(ends, ramp - 2, ends=False)

    def starts_between(self, first: int, stop: int) -> IndexArray:
        """
        List the windows that start from ``first`` up to, not including, ``stop``: those that a span owns.

        A step need not be a whole number of samples: a window starts with the first sample that is not
        before its time.

        >>> gravimeter = SpectralWindows(samples_per_day=160_000)
        >>> gravimeter.starts_between(0, 10_001).tolist()
        [0, 3334, 6667, 10000]
        """
        step_ns = max(round(self.window_s * (1 - self.overlap) * 1e9), 1)
        span_ns = step_ns * self.samples_per_day
        begin = -(-(first - 1) * _DAY_NS // span_ns)
        end = (stop - 1) * _DAY_NS // span_ns
        # Whole numbers without limit: nanoseconds since 1970 times samples do not fit 64 bits.
        starts = [-(-number * span_ns // _DAY_NS) for number in range(begin, end + 1)]
        return np.array([start for start in starts if first <= start < stop], dtype=np.int64)

    def span(self, first: int, stop: int) -> tuple[int, int]:
        """
        Return the samples that the windows owned by ``first`` to ``stop`` need, as ``(first, samples)``.

        >>> SpectralWindows(samples_per_day=8_640_000).span(0, 8_640_000)
        (0, 8820000)
        """
        owned = self.starts_between(first, stop)
        return (int(owned[0]), int(owned[-1] - owned[0]) + self.length) if owned.size else (first, 0)

    def usable(self, missing: BoolArray, starts: IndexArray, share: float) -> BoolArray:
        """
        Say which sub-windows may be used.

        Parameters
        ----------
        missing : array of bool, shape (..., samples)
        starts : array of int
            First sample of each window in ``missing``.
        share : float
            With 0, a window in which any sample is missing is left out. With more, its sub-windows that
            miss one are left out, and all of it where they are more than this share.

        Returns
        -------
        array of bool, shape (..., windows, sub-windows)

        Examples
        --------
        >>> windows = SpectralWindows(samples_per_day=86_400, window_s=64.0)
        >>> missing = np.zeros(64, dtype=bool)
        >>> missing[5] = True
        >>> [int(windows.usable(missing, np.array([0]), share).sum()) for share in (0.0, 0.2)]
        [0, 11]
        """
        if not 0 <= share < 1:
            raise ConfigError(f"share should be from 0 up to, not including, 1, got {share}")
        sub_starts = starts[:, np.newaxis] + np.arange(self.sub_count) * self.sub_step
        usable = np.empty((*missing.shape[:-1], *sub_starts.shape), dtype=bool)
        for row in np.ndindex(missing.shape[:-1]):
            gone = np.flatnonzero(missing[row])
            clean = _count(gone, sub_starts, self.sub_length) == 0
            kept = clean.sum(axis=-1) >= (1 - share) * self.sub_count
            whole = _count(gone, starts, self.length) == 0
            usable[row] = clean & (whole | kept & (share > 0))[:, np.newaxis]
        return usable


def _count(indices: IndexArray, starts: IndexArray, length: int) -> IndexArray:
    """Count the rising indices within each span."""
    return np.asarray(np.searchsorted(indices, starts + length) - np.searchsorted(indices, starts))
