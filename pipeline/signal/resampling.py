"""
Resampling: from any sampling rate to any other, at sample times that don't depend on who resamples.

Input sample i stands at ``i / rate_in_hz`` and output sample k at ``k / rate_out_hz``, both counted from one
origin that never moves. A piece of a record, with `Resampler.halo` samples more on either side, gives the
very samples that the whole record gives, bit by bit.

Each output is one scalar product of the input around it with a windowed sinc (Kaiser's window, zero phase),
shifted to where the output stands between two inputs::

    input     i-2     i-1      i      i+1     i+2
    ───────────●───────●───────●───────●───────●────────────
                                  ↑
    output k                   i + shift, shift = phase / phases

The sinc's stop band begins at the lower of the two Nyquist frequencies, so that what would alias is down by
``attenuation_db``; its pass band ends ``transition`` of that frequency below, and is flat to the same
measure. The ratio of the rates is rational. Up to 1,024 phases are tabulated exactly; beyond, the weights
are interpolated linearly between 1,024 of them, which adds an error of at most 1e-6.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import BoolArray, FloatArray, as_given, to_float64

__all__ = ["Edges", "Resampler", "design_resampler", "resample"]

Edges: TypeAlias = Literal["extend", "drop"]
"""What to do with outputs near the ends: extend the input by its end samples, or drop them."""

_PHASES = 1024
_SPARE_DB = 6.0
_LARGEST_TERM = 10**8


@dataclass(frozen=True, slots=True, eq=False)
class Resampler:
    """
    A designed change of sampling rate; see `design_resampler`.

    Attributes
    ----------
    rate_in_hz, rate_out_hz : float
    up, down : int
        ``up`` outputs take the time of ``down`` inputs; they have no common divisor.
    bank : array of float64, shape (phases + 1, 2 × halo)
        Weights of the inputs around an output, for each shift from one input to the next.
    """

    rate_in_hz: float
    rate_out_hz: float
    up: int
    down: int
    bank: FloatArray

    @property
    def halo(self) -> int:
        """Input samples that an output needs on either side."""
        return int(self.bank.shape[1]) // 2

    @property
    def rate_error(self) -> float:
        """
        Relative error of the rational ratio: an output k seconds from the origin is off by k × this.

        >>> design_resampler(59.5238, 50.0).rate_error
        0.0
        """
        exact = _exact(self.rate_out_hz) / _exact(self.rate_in_hz)
        return float(Fraction(self.up, self.down) / exact - 1)

    def outputs(self, start: int, samples: int, *, edges: Edges = "drop") -> tuple[int, int]:
        """
        Return which outputs a piece of input gives, as ``(first, number)``.

        Parameters
        ----------
        start : int
            Index of the piece's first sample from the origin.
        samples : int
        edges : {"drop", "extend"}
            Those with all the input they need, or all that stand within the piece.

        Examples
        --------
        >>> design_resampler(100.0, 20.0).outputs(0, 1000, edges="extend")
        (0, 200)
        """
        # whole inputs from which, and up to, not including, which an output may stand
        low, high = start, start + samples - 1
        if edges == "drop":
            low, high = low + self.halo - 1, high - self.halo + 1
        first, stop = -(-low * self.up // self.down), -(-high * self.up // self.down)
        if edges == "extend" and samples:
            stop = high * self.up // self.down + 1  # the last input itself counts
        return first, max(stop - first, 0)

    def inputs(self, first: int, number: int) -> tuple[int, int]:
        """
        Return which input gives some outputs all that they need, as ``(start, samples)``.

        Parameters
        ----------
        first, number : int
            Index of the first output from the origin, and how many.

        Examples
        --------
        >>> resampler = design_resampler(100.0, 20.0)
        >>> start, samples = resampler.inputs(1000, 50)
        >>> resampler.outputs(start, samples)
        (1000, 50)
        """
        begin = first * self.down // self.up - self.halo + 1
        end = (first + number - 1) * self.down // self.up + self.halo
        return begin, end - begin + 1

    def apply(self, data: ArrayLike, *, start: int = 0, edges: Edges = "extend") -> tuple[NDArray[Any], int]:
        """
        Resample a piece.

        Parameters
        ----------
        data : array_like, shape (..., samples)
            Finite: fill gaps first, and see `missing`.
        start : int
            Index of the first sample from the origin.
        edges : {"extend", "drop"}
            All outputs that stand within the piece, with its end samples repeated beyond it, or only those
            with all the input they need.

        Returns
        -------
        resampled : array, shape (..., outputs)
        first : int
            Index of the first output from the origin: it stands at ``first / rate_out_hz``.
        """
        samples = to_float64(data)
        count = samples.shape[-1]
        first, number = self.outputs(start, count, edges=edges)
        result = np.empty((*samples.shape[:-1], number))
        if number:
            flat = result.reshape(-1, number)
            for row, out in zip(samples.reshape(-1, count), flat, strict=True):
                self._run(row, start, first, out)
        return as_given(result, data), first

    def _run(self, row: FloatArray, start: int, first: int, out: FloatArray) -> None:
        base, remainder = divmod(first * self.down, self.up)
        begin = base - self.halo + 1 - start
        end = (first + len(out) - 1) * self.down // self.up + self.halo - start + 1
        left, right = max(-begin, 0), max(end - len(row), 0)
        padded = np.pad(row, (left, right), mode="edge")[begin + left :]
        _compiled()(padded, self.bank, remainder, self.up, self.down, out)

    def missing(self, mask: ArrayLike, *, start: int = 0) -> BoolArray:
        """
        Say which outputs of `apply` (with ``edges="extend"``) stand beside a missing input.

        The weights reach further than that, to `halo` inputs, but fade: what is marked here is what the
        input says nothing about.

        Parameters
        ----------
        mask : array_like of bool, shape (..., samples)
        start : int
            Index of the first sample from the origin.

        Returns
        -------
        array of bool, shape (..., outputs)

        Examples
        --------
        >>> design_resampler(1.0, 2.0).missing([False, False, True])
        array([False, False, False,  True,  True])
        """
        absent = np.asarray(mask, dtype=bool)
        count = absent.shape[-1]
        first, number = self.outputs(start, count, edges="extend")
        base, remainder = divmod(first * self.down, self.up)
        position = remainder + np.arange(number, dtype=np.int64) * self.down
        left = base - start + position // self.up
        right = np.minimum(left + (position % self.up > 0), count - 1)
        return np.asarray(absent[..., left] | absent[..., right])


@functools.lru_cache(maxsize=64)
def design_resampler(
    rate_in_hz: float, rate_out_hz: float, *, attenuation_db: float = 100.0, transition: float = 0.1
) -> Resampler:
    """
    Design a change of sampling rate.

    Parameters
    ----------
    rate_in_hz, rate_out_hz : float
        Taken as the decimal numbers that they print as; their ratio is rounded to terms of at most a
        hundred million (`Resampler.rate_error` says how far).
    attenuation_db : float
        Of all that would alias, 30 to 200; the pass band is flat to the same measure.
    transition : float
        Part of the lower Nyquist frequency between pass band and stop band, above 0 and below 1. The halo
        and the work grow as its inverse.

    Returns
    -------
    Resampler

    Raises
    ------
    ConfigError
        Where a rate or an option is out of range.

    Examples
    --------
    >>> resampler = design_resampler(250.0, 100.0)
    >>> resampler.up, resampler.down, resampler.halo
    (2, 5, 171)
    """
    check_positive("rate_in_hz", rate_in_hz)
    check_positive("rate_out_hz", rate_out_hz)
    if not 30 <= attenuation_db <= 200:
        raise ConfigError(f"attenuation_db should lie between 30 and 200, got {attenuation_db}")
    if not 0 < transition < 1:
        raise ConfigError(f"transition should lie between 0 and 1, got {transition}")
    up, down = _ratio(rate_in_hz, rate_out_hz)
    if up == down:
        bank = np.array([[1.0, 0.0], [0.0, 1.0]])
    else:
        bank = _bank(0.5 * min(1.0, up / down), up, attenuation_db, transition)
    bank.flags.writeable = False
    return Resampler(rate_in_hz, rate_out_hz, up, down, bank)


def resample(
    data: ArrayLike,
    rate_in_hz: float,
    rate_out_hz: float,
    *,
    start: int = 0,
    edges: Edges = "extend",
    attenuation_db: float = 100.0,
    transition: float = 0.1,
) -> tuple[NDArray[Any], int]:
    """
    Resample a record: `design_resampler`, which keeps its designs, then `Resampler.apply`.

    Examples
    --------
    >>> import numpy as np
    >>> samples, first = resample(np.ones(1000), 100.0, 20.0, start=8640)
    >>> samples.shape, first, bool(np.allclose(samples, 1.0))
    ((200,), 1728, True)
    """
    resampler = design_resampler(
        rate_in_hz, rate_out_hz, attenuation_db=attenuation_db, transition=transition
    )
    return resampler.apply(data, start=start, edges=edges)


def _exact(rate_hz: float) -> Fraction:
    return Fraction(repr(float(rate_hz)))


def _ratio(rate_in_hz: float, rate_out_hz: float) -> tuple[int, int]:
    exact = _exact(rate_out_hz) / _exact(rate_in_hz)
    if exact >= 1:
        inverse = (1 / exact).limit_denominator(_LARGEST_TERM)
        up, down = inverse.denominator, inverse.numerator
    else:
        ratio = exact.limit_denominator(_LARGEST_TERM)
        up, down = ratio.numerator, ratio.denominator
    if not (up and down):
        raise ConfigError(
            f"rates of {rate_in_hz} and {rate_out_hz} Hz differ by more than a hundred million times"
        )
    return up, down


def _bank(stop: float, up: int, attenuation_db: float, transition: float) -> FloatArray:
    """
    Tabulate the windowed sinc.

    Kaiser (1974): a stop band of A dB and a transition of Δω take (A - 7.95) / (2.285 Δω) samples, and a
    window of β = 0.1102 (A - 8.7) above 50 dB. Each row is scaled to sum to one, so that a constant stays
    one; what that lets through, and what Kaiser's fit misses, is covered by 6 dB more than were asked for.
    """
    attenuation_db += _SPARE_DB
    width = transition * stop
    reach = (attenuation_db - 7.95) / (2.285 * 2 * math.pi * width) / 2
    halo, cutoff = math.ceil(reach), stop - width / 2
    phases = min(up, _PHASES)
    shift = np.arange(phases + 1)[:, None] / phases
    time = np.arange(-halo + 1, halo + 1) - shift
    window = np.i0(_kaiser_beta(attenuation_db) * np.sqrt(np.maximum(1 - (time / reach) ** 2, 0.0)))
    bank = np.where(np.abs(time) <= reach, np.sinc(2 * cutoff * time) * window, 0.0)
    return np.ascontiguousarray(bank / bank.sum(axis=1, keepdims=True))


def _kaiser_beta(attenuation_db: float) -> float:
    above = max(attenuation_db - 21.0, 0.0)
    return 0.1102 * (attenuation_db - 8.7) if attenuation_db > 50 else 0.5842 * above**0.4 + 0.07886 * above


def _scalar_products(
    padded: FloatArray, bank: FloatArray, remainder: int, up: int, down: int, out: FloatArray
) -> None:
    phases, taps = bank.shape[0] - 1, bank.shape[1]
    for j in range(out.shape[0]):
        position = remainder + j * down
        begin = position // up
        shift = (position - begin * up) * phases
        row = shift // up
        part = (shift - row * up) / up
        window, weights = padded[begin : begin + taps], bank[row]
        total = 0.0
        for m in range(taps):
            total += weights[m] * window[m]
        if part > 0.0:
            weights = bank[row + 1]
            following = 0.0
            for m in range(taps):
                following += weights[m] * window[m]
            total += part * (following - total)
        out[j] = total


@functools.cache
def _compiled() -> Callable[..., None]:
    import numba

    # Reordering lets the sums run in vector registers; it is the same for every output, wherever it stands.
    compiled: Callable[..., None] = numba.njit(nogil=True, fastmath={"reassoc", "contract"})(_scalar_products)
    return compiled
