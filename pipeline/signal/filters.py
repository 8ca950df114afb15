"""
Filters: Butterworth low-, high-, band-pass and band-stop as second-order sections.

`design` makes the sections; `causal` runs them forwards and hands its state on, so that a record filtered in
pieces is the record filtered at once, bit by bit; `zero_phase` runs them both ways, which squares the
magnitude (6 dB down at the corner) and leaves the phase alone. `lowpass` and its siblings do both steps.

A missing sample is not a number to filter: fill gaps first (`pipeline.signal.gaps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_corners, check_order
from pipeline.signal.precision import FloatArray, as_given, to_float64

__all__ = [
    "Band",
    "bandpass",
    "bandstop",
    "causal",
    "design",
    "highpass",
    "lowpass",
    "rest_state",
    "settling_samples",
    "steady_state",
    "zero_phase",
]

Band: TypeAlias = Literal["lowpass", "highpass", "bandpass", "bandstop"]

_CORNERS: dict[Band, int] = {"lowpass": 1, "highpass": 1, "bandpass": 2, "bandstop": 2}


def design(band: Band, corners_hz: Sequence[float], rate_hz: float, *, order: int = 4) -> FloatArray:
    """
    Design a Butterworth filter.

    Parameters
    ----------
    band : {"lowpass", "highpass", "bandpass", "bandstop"}
    corners_hz : sequence of float
        Where the magnitude is 1/√2: one for low- and high-pass, two for the others.
    rate_hz : float
        Sampling rate of the data.
    order : int
        Of the prototype: 20 × order dB per decade on each side.

    Returns
    -------
    array of float64, shape (sections, 6)

    Raises
    ------
    ConfigError
        Where the corners don't fit the band or the Nyquist frequency.

    Examples
    --------
    >>> design("bandpass", [1.0, 20.0], 100.0).shape
    (4, 6)
    """
    if band not in _CORNERS:
        raise ConfigError(f"band should be one of {', '.join(_CORNERS)}, got {band!r}")
    if len(corners_hz) != _CORNERS[band]:
        raise ConfigError(f"{band} needs {_CORNERS[band]} corner frequencies, got {list(corners_hz)} Hz")
    check_corners(corners_hz, rate_hz)
    check_order(order)
    corners = corners_hz[0] if len(corners_hz) == 1 else list(corners_hz)
    return np.asarray(scipy.signal.butter(order, corners, btype=band, fs=rate_hz, output="sos"))


def rest_state(sections: FloatArray, data: ArrayLike) -> FloatArray:
    """
    Return the state of a filter that has seen nothing but zeros.

    Parameters
    ----------
    sections : array, shape (sections, 6)
    data : array_like, shape (..., samples)
        What is to be filtered: its shape counts, not its samples.

    Returns
    -------
    array of float64, shape (sections, ..., 2)
    """
    leading = np.shape(data)[:-1]
    return np.zeros((len(sections), *leading, 2))


def steady_state(sections: FloatArray, data: ArrayLike) -> FloatArray:
    """
    Return the state of a filter that has seen the first sample for ever: filtering starts without a step.

    Parameters
    ----------
    sections : array, shape (sections, 6)
    data : array_like, shape (..., samples)

    Returns
    -------
    array of float64, shape (sections, ..., 2)

    Examples
    --------
    >>> import numpy as np
    >>> sections, data = design("lowpass", [1.0], 100.0), np.full(3, 5.0)
    >>> filtered, _ = causal(sections, data, state=steady_state(sections, data))
    >>> np.allclose(filtered, 5.0)
    True
    """
    samples = to_float64(data)
    unit = scipy.signal.sosfilt_zi(sections).reshape((len(sections),) + (1,) * (samples.ndim - 1) + (2,))
    return np.asarray(unit * samples[..., :1])


def causal(
    sections: FloatArray, data: ArrayLike, *, state: FloatArray | None = None
) -> tuple[NDArray[Any], FloatArray]:
    """
    Filter forwards in time.

    Parameters
    ----------
    sections : array, shape (sections, 6)
        From `design`.
    data : array_like, shape (..., samples)
    state : array, shape (sections, ..., 2), optional
        What the piece before handed on; at rest by default.

    Returns
    -------
    filtered : array, shape (..., samples)
    state : array of float64, shape (sections, ..., 2)
        To hand to the piece after.

    Examples
    --------
    >>> import numpy as np
    >>> sections, data = design("highpass", [1.0], 100.0), np.arange(10.0)
    >>> whole, _ = causal(sections, data)
    >>> first, state = causal(sections, data[:4])
    >>> second, _ = causal(sections, data[4:], state=state)
    >>> bool(np.all(whole == np.concatenate([first, second])))
    True
    """
    samples = to_float64(data)
    state = rest_state(sections, samples) if state is None else state
    if samples.shape[-1] == 0:
        return as_given(samples.copy(), data), state.copy()
    filtered, state = scipy.signal.sosfilt(sections, samples, zi=state)
    return as_given(filtered, data), state


def zero_phase(sections: FloatArray, data: ArrayLike) -> NDArray[Any]:
    """
    Filter forwards and backwards, without a shift in time.

    The ends are continued by reflection through the end points over the time in which the filter settles to
    a thousandth, or over the whole record where that is shorter.

    Parameters
    ----------
    sections : array, shape (sections, 6)
    data : array_like, shape (..., samples)

    Returns
    -------
    array, shape (..., samples)
    """
    samples = to_float64(data)
    if samples.shape[-1] == 0:
        return as_given(samples.copy(), data)
    padding = min(settling_samples(sections, tolerance=1e-3), samples.shape[-1] - 1)
    return as_given(scipy.signal.sosfiltfilt(sections, samples, padtype="odd", padlen=padding), data)


def settling_samples(sections: FloatArray, *, tolerance: float = 1e-6) -> int:
    """
    Count the samples until the impulse response stays below a part of its peak: the halo that a piece needs.

    Parameters
    ----------
    sections : array, shape (sections, 6)
    tolerance : float
        Part of the peak.

    Returns
    -------
    int

    Examples
    --------
    >>> settling_samples(design("lowpass", [10.0], 100.0))
    65
    >>> settling_samples(design("lowpass", [1.0], 100.0))
    611
    """
    if not 0 < tolerance < 1:
        raise ConfigError(f"tolerance should lie between 0 and 1, got {tolerance}")
    poles = np.concatenate([np.roots(section[3:]) for section in sections])
    slowest = np.log(tolerance) / np.log(np.abs(poles).max())
    impulse = np.zeros(int(4 * slowest) + 16)
    impulse[0] = 1.0
    response = np.abs(scipy.signal.sosfilt(sections, impulse))
    return int(np.flatnonzero(response > tolerance * response.max())[-1]) + 1


def _filter(
    band: Band, data: ArrayLike, corners_hz: Sequence[float], rate_hz: float, order: int, both_ways: bool
) -> NDArray[Any]:
    sections = design(band, corners_hz, rate_hz, order=order)
    return zero_phase(sections, data) if both_ways else causal(sections, data)[0]


def lowpass(
    data: ArrayLike, corner_hz: float, rate_hz: float, *, order: int = 4, both_ways: bool = False
) -> NDArray[Any]:
    """
    Keep what is slower than a corner: `design`, then `causal` or, ``both_ways``, `zero_phase`.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    corner_hz, rate_hz : float
    order : int
    both_ways : bool
        Zero-phase: the magnitude is squared.

    Returns
    -------
    array, shape (..., samples)
    """
    return _filter("lowpass", data, [corner_hz], rate_hz, order, both_ways)


def highpass(
    data: ArrayLike, corner_hz: float, rate_hz: float, *, order: int = 4, both_ways: bool = False
) -> NDArray[Any]:
    """Keep what is faster than a corner; see `lowpass`."""
    return _filter("highpass", data, [corner_hz], rate_hz, order, both_ways)


def bandpass(
    data: ArrayLike, low_hz: float, high_hz: float, rate_hz: float, *, order: int = 4, both_ways: bool = False
) -> NDArray[Any]:
    """Keep what lies between two corners; see `lowpass`."""
    return _filter("bandpass", data, [low_hz, high_hz], rate_hz, order, both_ways)


def bandstop(
    data: ArrayLike, low_hz: float, high_hz: float, rate_hz: float, *, order: int = 4, both_ways: bool = False
) -> NDArray[Any]:
    """Keep what lies outside two corners; see `lowpass`."""
    return _filter("bandstop", data, [low_hz, high_hz], rate_hz, order, both_ways)
