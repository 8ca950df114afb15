"""
Records without beginning or end: made day by day in absolute time, so that any cut of one is the same.

::

    what a day is made of          day number ─► 86,400 samples ─► cut_from_days ─► any window
      smooth: a few nodes ─► between_nodes ──────────┘
      noise:  white, once in 64 s ─► filter ─► between_nodes ─┐
                                                              ├─► + ─► coloured_noise
              white, once a second ─► filter ─────────────────┘

The noise has two scales, since a filter of days would be a million samples long, taken once a second. They
meet between 2 and 4 mHz, where the power passes smoothly from one to the other.

A sample never depends on the window that asks for it: a day made alone, on whichever worker, is bit for bit
the cut of a longer record. Tide, free oscillations, air pressure and a gravimeter's noise are made with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.synthetic.draws import white_noise

__all__ = ["DAY_S", "between_nodes", "coloured_noise", "cut_from_days"]

Shape = Callable[[NDArray[np.float64]], NDArray[np.float64]]

DAY_S = 86_400
_STEP_S = 64
_LONG_TAPS = 1 << 14
_SHORT_TAPS = 1 << 13
_MEETING_HZ = (2e-3, 4e-3)


def cut_from_days(
    first_s: int, stop_s: int, one_day: Callable[[int], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """
    Cut a window from records that are made day by day, so that every sample is always made the same way.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970; half-open.
    one_day : callable
        Gives the 86,400 samples of the day of that number, counted from 1970.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)

    Examples
    --------
    >>> cut_from_days(86_399, 86_402, lambda day: np.full(86_400, float(day)))
    array([0., 1., 1.])
    """
    out = np.empty(max(0, stop_s - first_s))
    if not out.size:
        return out
    for day in range(first_s // DAY_S, -(-stop_s // DAY_S)):
        begin = day * DAY_S
        low, high = max(first_s, begin), min(stop_s, begin + DAY_S)
        out[low - first_s : high - first_s] = one_day(day)[low - begin : high - begin]
    return out


def between_nodes(nodes: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """
    Fill in the samples between nodes with polynomials of degree seven.

    Parameters
    ----------
    nodes : ndarray, shape (count + 7,)
        Values at equal steps; the first sample stands at the fourth of them.
    step : int
        Samples from node to node.

    Returns
    -------
    ndarray, shape (count * step,)

    Examples
    --------
    >>> between_nodes(np.arange(10.0) ** 2, 2)
    array([ 9.  , 12.25, 16.  , 20.25, 25.  , 30.25])
    """
    count = len(nodes) - 7
    weights = _weights(step)
    out = nodes[:count, None] * weights[0]
    for place in range(1, 8):
        out += nodes[place : place + count, None] * weights[place]
    return np.asarray(out.ravel())


@lru_cache(maxsize=8)
def _weights(step: int) -> NDArray[np.float64]:
    """Return Lagrange's weights of the eight nodes about each of ``step`` samples, shape (8, step)."""
    place = np.arange(step) / step
    nodes = range(-3, 5)
    rows = [[(place - other) / (node - other) for other in nodes if other != node] for node in nodes]
    return np.array([np.prod(row, axis=0) for row in rows])


def coloured_noise(
    seed: int, key: Sequence[str | int], first_s: int, stop_s: int, *, shape: Shape
) -> NDArray[np.float64]:
    """
    Return a piece of an endless record of noise with a given spectrum, once a second.

    Parameters
    ----------
    seed, key
        See `pipeline.synthetic.draws`.
    first_s, stop_s : int
        Seconds since 1970; half-open.
    shape : callable
        Hashable: gives the amplitude density (unit per √Hz, one-sided) at frequencies in Hz. It may be
        negative, which turns the record over: two records of one key are filtered versions of each other.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)

    Examples
    --------
    >>> def red(frequency_hz):
    ...     return 1.0 / (1e-5 + frequency_hz)
    >>> month = coloured_noise(1, ["air"], 0, 40 * 86_400, shape=red)
    >>> day = coloured_noise(1, ["air"], 8 * 86_400 + 7, 9 * 86_400, shape=red)
    >>> np.array_equal(month[8 * 86_400 + 7 : 9 * 86_400], day)
    True
    """

    def one_day(day: int) -> NDArray[np.float64]:
        slow = _filtered(seed, (*key, "slow"), shape, day, nodes=True)
        out = between_nodes(slow, _STEP_S)
        out += _filtered(seed, (*key, "fast"), shape, day, nodes=False)
        return out

    return cut_from_days(first_s, stop_s, one_day)


def _filtered(seed: int, key: Sequence[str | int], shape: Shape, day: int, *, nodes: bool) -> NDArray[Any]:
    """Return one scale of a day: its samples, or its nodes with three before and four after."""
    step_s, taps = (_STEP_S, _LONG_TAPS) if nodes else (1, _SHORT_TAPS)
    samples = DAY_S // step_s + (7 if nodes else 0)
    begin = day * (DAY_S // step_s) - (3 if nodes else 0) - taps // 2
    white = white_noise(seed, key, begin, begin + samples + taps)
    size, response = _response(shape, nodes, samples + taps)
    spectrum = scipy.fft.rfft(white if not nodes else white.astype(np.float64), size)
    out: NDArray[Any] = scipy.fft.irfft(spectrum * response, size)[taps : taps + samples]
    return out


@lru_cache(maxsize=64)
def _response(shape: Shape, nodes: bool, length: int) -> tuple[int, NDArray[Any]]:
    """Return the transform of the filter of one scale, and its size."""
    step_s, taps = (_STEP_S, _LONG_TAPS) if nodes else (1, _SHORT_TAPS)
    frequency = np.arange(taps // 2 + 1, dtype=np.float64) / (taps * step_s)
    low, high = _MEETING_HZ
    way = np.clip((frequency - low) / (high - low), 0.0, 1.0)
    angle = 0.5 * np.pi * np.sin(0.5 * np.pi * way) ** 2
    share = np.cos(angle) if nodes else np.sin(angle)
    # White noise of variance 1 has the density 2 × step, one-sided.
    gain = np.asarray(shape(frequency)) * share / np.sqrt(2.0 * step_s)
    window = np.hanning(taps + 1)
    kernel = np.zeros(taps + 1)
    kernel[:taps] = np.fft.fftshift(np.fft.irfft(gain, taps))
    kernel[taps] = kernel[0]
    size = scipy.fft.next_fast_len(length + 1, real=True)
    response = scipy.fft.rfft(kernel * window, size)
    return size, response if nodes else response.astype(np.complex64)
