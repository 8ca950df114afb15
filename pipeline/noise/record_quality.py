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
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import BoolArray, IndexArray, as_mask

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
    pieces = _take_pieces(record, missing)
    gap_samples = np.append(pieces.starts, record.size) - np.append(0, pieces.stops)
    mean, rms = _mean_and_rms(pieces.there) if pieces.there.size else (None, None)
    return RecordQuality(
        completeness=pieces.there.size / record.size,
        gaps=int(np.count_nonzero(gap_samples)),
        longest_gap_s=float(gap_samples.max() / rate_hz),
        spikes=_spikes(pieces).shape[0],
        clipped=_clipped(pieces, clipping_level),
        flat_s=_longest_flat(pieces.record, pieces.starts, pieces.stops) / rate_hz,
        mean=mean,
        rms=rms,
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
    return _spikes(_take_pieces(np.asarray(data), missing))


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
    return _clipped(_take_pieces(np.asarray(data), missing), level)


class _Pieces(NamedTuple):
    """
    A record without its gaps.

    Parameters
    ----------
    record : array, shape (samples,)
    starts, stops : array of int64, shape (pieces,)
        Each is ``record[start:stop]``.
    there : array
        All pieces in a row; the record itself where nothing is missing.
    """

    record: NDArray[Any]
    starts: IndexArray
    stops: IndexArray
    there: NDArray[Any]


def _take_pieces(record: NDArray[Any], missing: ArrayLike | None) -> _Pieces:
    # What can't be written to is compiled once, whatever the caller has.
    record = record.view()
    record.flags.writeable = False
    absent = None if missing is None else as_mask(missing, record.shape)
    if absent is None or not absent.any():
        ends = np.array([[0], [record.size]])[:, : record.size]
        return _Pieces(record, ends[0], ends[1], record)
    changes = np.flatnonzero(absent[1:] != absent[:-1]) + 1
    starts, stops = np.append(0, changes), np.append(changes, record.size)
    starts, stops = starts[~absent[starts]], stops[~absent[starts]]
    there = np.concatenate([record[:0], *(record[a:b] for a, b in zip(starts, stops, strict=True))])
    there.flags.writeable = False
    return _Pieces(record, starts, stops, there)


def _spikes(pieces: _Pieces) -> IndexArray:
    found = np.flatnonzero(_outliers(pieces.there)) if pieces.there.size >= _WIDTH else np.arange(0)
    lengths = pieces.stops - pieces.starts
    before = np.cumsum(lengths) - lengths
    found += (pieces.starts - before)[np.searchsorted(before, found, side="right") - 1]
    apart = np.diff(found) > 1
    first, last = np.append(True, apart)[: found.size], np.append(apart, True)[: found.size]
    return np.stack([found[first], found[last] + 1], axis=-1)


def _outliers(values: NDArray[Any]) -> BoolArray:
    """Say which samples are outliers, among those that leap and beside them."""
    # Whole numbers are taken as such: they are compared twice as fast.
    zero = np.zeros(1, dtype=np.int64 if values.dtype.kind in "iu" else np.float64)
    parts = max((values.size - 1) // _PART, 1)
    usual = np.empty(parts)
    _find_usual(values, zero, usual[:-1])
    usual[-1] = _LEAP * np.median(np.abs(np.diff(values[(parts - 1) * _PART :] + zero)))
    outliers = np.zeros(values.size, dtype=bool)
    _mark_outliers(values, zero, np.maximum(usual, _LEAST_DEVIATION), np.empty(_WIDTH), outliers)
    return outliers


def _clipped(pieces: _Pieces, level: float | None) -> int:
    if not pieces.there.size or (level is None and pieces.there.dtype.kind not in "iu"):
        return 0
    least = 1 << 21 if level is None else level
    extremes = {pieces.there.max(), pieces.there.min()}
    return sum(
        _count_in_runs(pieces.record, pieces.starts, pieces.stops, extreme, _CLIPPED_RUN)
        for extreme in extremes
        if abs(float(extreme)) >= least
    )


@njit(nogil=True, cache=True)
def _mean_and_rms(values):  # type: ignore[no-untyped-def]
    """Add up part by part, each about a sample of its own, so that no offset costs digits."""
    mean, energy = 0.0, 0.0
    for begin in range(0, values.size, _PART):
        part = values[begin : begin + _PART]
        total, squares = _sums(part)
        squares -= total * total / part.size
        off = np.float64(part[0]) + total / part.size - mean
        share = part.size / (begin + part.size)
        energy += max(squares, 0.0) + off * off * begin * share
        mean += off * share
    return mean, np.sqrt(energy / values.size)


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def _sums(part):  # type: ignore[no-untyped-def]
    origin = np.float64(part[0])
    total, squares = 0.0, 0.0
    for index in range(part.size):
        value = np.float64(part[index]) - origin
        total += value
        squares += value * value
    return total, squares


@njit(nogil=True, cache=True)
def _find_usual(values, zero, usual):  # type: ignore[no-untyped-def]
    """Find the largest step that is no leap, part by part; infinity where none is a leap."""
    step = np.empty(_PART, dtype=zero.dtype)
    for part in range(usual.size):
        begin = part * _PART
        largest = _take_steps(values[begin : begin + _PART + 1], zero[0], step)
        usual[part] = _largest_usual(step, largest)


@njit(nogil=True, cache=True)
def _largest_usual(step, largest):  # type: ignore[no-untyped-def]
    """
    Return the largest step that is no leap, or infinity.

    A leap has more than a half of all steps below its eighth. Counting them for a few, between what is known
    to be a leap and what is known to be none, takes a tenth of the time of sorting.
    """
    if _count_leapt(step, largest) <= step.size // 2:
        return np.inf
    usual, unusual = np.float64(_LEAST_DEVIATION), np.float64(largest)
    for index in range(step.size):
        if usual < step[index] < unusual:
            if _count_leapt(step, step[index]) <= step.size // 2:
                usual = np.float64(step[index])
            else:
                unusual = np.float64(step[index])
    return usual


@njit(nogil=True, cache=True)
def _take_steps(values, zero, step):  # type: ignore[no-untyped-def]
    """Take the steps between samples, and return the largest; adding a wide zero keeps them from overflow."""
    before, after = values[: step.size], values[1 : step.size + 1]
    largest = zero
    for index in range(step.size):
        size = abs((after[index] + zero) - (before[index] + zero))
        step[index] = size
        largest = max(largest, size)
    return largest


@njit(nogil=True, cache=True)
def _count_leapt(step, size):  # type: ignore[no-untyped-def]
    """Count the steps that one of this size would be a leap among."""
    count = 0
    for index in range(step.size):
        count += _LEAP * step[index] < size
    return count


@njit(nogil=True, cache=True)
def _count_in_runs(record, starts, stops, value, least):  # type: ignore[no-untyped-def]
    """Count samples of a value, in runs of it that are long enough."""
    count = 0
    for piece in range(starts.size):
        run = 0
        for index in range(starts[piece], stops[piece]):
            if record[index] == value:
                run += 1
                count += least if run == least else run > least
            else:
                run = 0
    return count


@njit(nogil=True, cache=True)
def _longest_flat(record, starts, stops):  # type: ignore[no-untyped-def]
    """
    Return the steps in the longest run of one value.

    A run that is longer than the longest so far spans one more step than that: looking there first, and from
    there backwards, passes over most samples.
    """
    longest = 0
    for piece in range(starts.size):
        samples = record[starts[piece] : stops[piece]]
        begin = 0
        while begin + longest + 1 < samples.size:
            end = begin + longest
            index = end
            while index >= begin and samples[index] == samples[index + 1]:
                index -= 1
            if index < begin:
                while end + 2 < samples.size and samples[end + 1] == samples[end + 2]:
                    end += 1
                longest = end + 1 - begin
                begin = end + 1
            else:
                begin = index + 1
    return longest


@njit(nogil=True, cache=True)
def _mark_outliers(values, zero, usual, window, outliers):  # type: ignore[no-untyped-def]
    """Mark those outliers before or behind a leap, and what is one beside them."""
    for part in range(usual.size):
        begin = part * _PART
        end = begin + _PART if part < usual.size - 1 else values.size - 1
        for index in range(begin, end if usual[part] < np.inf else begin):
            if abs((values[index + 1] + zero[0]) - (values[index] + zero[0])) > usual[part]:
                _mark_from(values, index, window, outliers)
                _mark_from(values, index + 1, window, outliers)


@njit(nogil=True, cache=True)
def _mark_from(values, index, window, outliers):  # type: ignore[no-untyped-def]
    right = index
    while right < values.size and not outliers[right] and _is_outlier(values, right, window):
        outliers[right] = True
        right += 1
    left = index - 1
    while right > index and left >= 0 and not outliers[left] and _is_outlier(values, left, window):
        outliers[left] = True
        left -= 1


@njit(nogil=True, cache=True)
def _is_outlier(values, index, window):  # type: ignore[no-untyped-def]
    """Apply Hampel's rule to the window around a sample, shifted to lie within the record at its ends."""
    first = min(max(index - window.size // 2, 0), values.size - window.size)
    # Not a slice at once, for which numba compiles six seconds.
    for place in range(window.size):
        window[place] = values[first + place]
    middle = _median(window)
    distance = abs(np.float64(values[index]) - middle)
    nearer = 0
    for other in window:
        nearer += _THRESHOLD * _NORMAL * abs(other - middle) < distance
    return distance > _THRESHOLD * _NORMAL * _LEAST_DEVIATION and nearer > window.size // 2


@njit(nogil=True, cache=True)
def _median(window):  # type: ignore[no-untyped-def]
    """Return the median of an odd number of values: for so few, counting takes a fraction of sorting."""
    low, high = -np.inf, np.inf
    for value in window:
        if low < value < high:
            below, same = 0, 0
            for other in window:
                below += other < value
                same += other == value
            if below > window.size // 2:
                high = value
            elif below + same <= window.size // 2:
                low = value
            else:
                return value
    return np.nan
