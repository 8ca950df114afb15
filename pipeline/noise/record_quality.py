"""
Quality that samples tell, component by component.

- gaps, availability: as MUSTANG's ``num_gaps``, ``max_gap`` and ``percent_availability``; what is missing at
  the ends of the record is a gap too.
- spikes: samples that leap from their neighbours and back. A sample is an outlier by Hampel's rule, as in
  MUSTANG's ``num_spikes``, where it lies more than ten median absolute deviations from the median of the 41
  samples around it. A deviation counts 1.4826 times, which makes it the standard deviation of normal noise,
  and is one count at least: where most samples are the same, each other one would be an outlier. Adjacent
  outliers are one spike. MUSTANG counts all; here one of them has to leap, by eight times what samples of its
  part of the record typically differ from the one before. An earthquake rises over many samples.
- clipped: samples in flat tops, three or more in a row at the largest or the smallest value of the record,
  where that is large. MUSTANG counts flags of miniSEED headers, which the archive's own count takes in.
- flat: the longest run of one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal import gaps
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import BoolArray, as_mask

__all__ = ["RecordQuality", "count_clipped", "find_spikes", "record_quality"]

_WIDTH: Final = 41
_THRESHOLD: Final = 10.0
_NORMAL: Final = 1.4826
_LEAST_DEVIATION: Final = 1.0
_LEAP: Final = 8.0
_PART: Final = 1000
"""Samples over which the typical difference is taken."""
_CLIPPED_RUN: Final = 3


@dataclass(frozen=True, slots=True)
class RecordQuality:
    """
    What samples tell of one component.

    Parameters
    ----------
    completeness : float
        Samples there over all samples, 0 to 1.
    gaps : int
    longest_gap_s : float
    spikes : int
    clipped : int
        Samples.
    flat_s : float
        Longest span of one value, from its first sample to its last.
    mean, rms : float or None
        Of the samples, and about their mean; None where there is none.
    """

    completeness: float
    gaps: int
    longest_gap_s: float
    spikes: int
    clipped: int
    flat_s: float
    mean: float | None
    rms: float | None


def record_quality(
    data: ArrayLike, rate_hz: float, *, missing: ArrayLike | None = None, clipping_level: float | None = None
) -> RecordQuality:
    """
    Judge a record.

    Parameters
    ----------
    data : array_like, shape (samples,)
        Counts of one component.
    rate_hz : float
    missing : array_like of bool, shape (samples,), optional
    clipping_level : float, optional
        See `count_clipped`.

    Returns
    -------
    RecordQuality

    Examples
    --------
    >>> record = np.tile([0, 3, 1, -2, -4], 20)
    >>> record[50] = 9000
    >>> quality = record_quality(record, 10.0, missing=np.arange(100) < 25)
    >>> quality.completeness, quality.gaps, quality.longest_gap_s, quality.spikes
    (0.75, 1, 2.5, 1)
    """
    check_positive("rate_hz", rate_hz)
    record = np.asarray(data)
    if record.ndim != 1 or not record.size:
        raise ConfigError(f"a record should have one axis and a sample or more, got the shape {record.shape}")
    absent = as_mask(missing, record.shape)
    starts, stops = gaps.runs(absent)
    there = record[~absent] if absent.any() else record
    mean = float(there.mean(dtype=np.float64)) if there.size else None
    return RecordQuality(
        completeness=there.size / record.size,
        gaps=starts.size,
        longest_gap_s=float((stops - starts).max(initial=0) / rate_hz),
        spikes=find_spikes(record, missing=absent).shape[0],
        clipped=count_clipped(record, missing=absent, level=clipping_level),
        flat_s=_longest_flat(record, absent) / rate_hz,
        mean=mean,
        rms=float(there.std(dtype=np.float64)) if there.size else None,
    )


def find_spikes(data: ArrayLike, *, missing: ArrayLike | None = None) -> NDArray[np.int64]:
    """
    Find spikes.

    Parameters
    ----------
    data : array_like, shape (samples,)
    missing : array_like of bool, shape (samples,), optional
        What lies on both sides of a gap is taken together.

    Returns
    -------
    array of int64, shape (spikes, 2)
        First sample, and the one after the last.

    Examples
    --------
    >>> record = np.tile([0, 3, 1, -2, -4], 20)
    >>> record[50:52] = 9000, -9000
    >>> find_spikes(record).tolist()
    [[50, 52]]
    """
    record = np.asarray(data)
    absent = as_mask(missing, record.shape)
    values = record[~absent] if absent.any() else record
    outliers = np.zeros(record.shape, dtype=bool)
    if values.size >= _WIDTH:
        leaps = np.flatnonzero(_leaps(values))
        outliers[~absent] = _outliers(values, np.union1d(leaps, leaps + 1), _WIDTH, _THRESHOLD * _NORMAL)
    return np.stack(gaps.runs(outliers), axis=-1)


def _leaps(values: NDArray[Any]) -> BoolArray:
    """Say which samples are followed by one that is far off, for their part of the record."""
    # Whole numbers are taken as such: numpy sorts them ten times faster.
    step = np.abs(np.diff(values.astype(np.int64 if values.dtype.kind in "iu" else np.float64)))
    parts = max(step.size // _PART, 1)
    last = (parts - 1) * _PART
    typical = np.empty(parts)
    typical[:-1] = np.partition(step[:last].reshape(parts - 1, _PART), _PART // 2, axis=1)[:, _PART // 2]
    typical[-1] = np.median(step[last:])
    least = np.repeat(np.maximum(_LEAP * typical, _LEAST_DEVIATION), _PART)
    return np.concatenate([step[:last] > least[:last], step[last:] > least[-1]])


def count_clipped(data: ArrayLike, *, missing: ArrayLike | None = None, level: float | None = None) -> int:
    """
    Count samples in flat tops.

    Parameters
    ----------
    data : array_like, shape (samples,)
    missing : array_like of bool, shape (samples,), optional
    level : float, optional
        Flat tops below it are none. A quarter of the range of 24 bits by default for integers; records in
        floating point have no range, and nothing is counted without a level.

    Returns
    -------
    int

    Examples
    --------
    >>> count_clipped([0, 2**23 - 1, 2**23 - 1, 2**23 - 1, 0, -5, -5, -5])
    3
    """
    record = np.asarray(data)
    absent = as_mask(missing, record.shape)
    if level is None and record.dtype.kind not in "iu":
        return 0
    least = 1 << 21 if level is None else level
    there = record[~absent] if absent.any() else record
    clipped = 0
    for extreme in {there.max(), there.min()} if there.size else ():
        if abs(float(extreme)) >= least:
            starts, stops = gaps.runs((record == extreme) & ~absent)
            lengths = stops - starts
            clipped += int(lengths[lengths >= _CLIPPED_RUN].sum())
    return clipped


def _longest_flat(record: NDArray[Any], absent: BoolArray) -> int:
    """Return the steps in the longest run of one value."""
    starts, stops = gaps.runs((record[1:] == record[:-1]) & ~absent[1:] & ~absent[:-1])
    return int((stops - starts).max(initial=0))


@njit(nogil=True, cache=True)
def _outliers(values, candidates, width, threshold):  # type: ignore[no-untyped-def]
    """Mark those candidates that are outliers, and what is one beside them."""
    outliers = np.zeros(values.size, dtype=np.bool_)
    for candidate in candidates:
        for side in (1, -1):
            index = candidate if side == 1 else candidate - 1
            if side == -1 and not outliers[candidate]:
                break
            while 0 <= index < values.size and not outliers[index]:
                if not _is_outlier(values, index, width, threshold):
                    break
                outliers[index] = True
                index += side
    return outliers


@njit(nogil=True, cache=True)
def _is_outlier(values, index, width, threshold):  # type: ignore[no-untyped-def]
    """Apply Hampel's rule to the window around a sample, shifted to lie within the record at its ends."""
    half = width // 2
    first = min(max(index - half, 0), values.size - width)
    window = values[first : first + width].astype(np.float64)
    middle = np.sort(window)[half]
    deviation = max(np.sort(np.abs(window - middle))[half], _LEAST_DEVIATION)
    return abs(np.float64(values[index]) - middle) > threshold * deviation
