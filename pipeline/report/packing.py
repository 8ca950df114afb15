"""
Numbers on their way into a page: rounded to what an eye can tell, packed in base64, each array once.

A value becomes an integer, counted in steps of 10^-digits. Where the span allows it, it is written as two
letters of base64 (twelve bits), else as two or four bytes in base64; evenly spaced ones are not written. The
script divides by 10^digits, which gives the double next to the decimal number: what is read is what was
rounded here, to the last bit.
"""

from __future__ import annotations

import base64
import json
import math
import string
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Store", "digits_for", "pack", "rounded"]

Packed = dict[str, Any]

_STEPS: Final = 1000
_LARGEST: Final = 2**31 - 2
_LETTERS: Final = 4095
_ALPHABET: Final = np.frombuffer(
    (string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/").encode(), dtype=np.uint8
)


def digits_for(*values: ArrayLike, steps: int = _STEPS) -> int:
    """
    Return how many digits behind the point part the span of some values into enough steps.

    Parameters
    ----------
    *values : array_like
        NaN and infinities do not count.
    steps : int
        At least; ten times as many at most.

    Examples
    --------
    >>> digits_for([-200.0, -100.0]), digits_for([0.001, 0.002], [0.003]), digits_for([5e6, 7e6])
    (1, 6, -3)
    """
    flat = np.concatenate([np.ravel(np.asarray(each, dtype=np.float64)) for each in values])
    finite = flat[np.isfinite(flat)]
    if not len(finite):
        return 0
    span = float(finite.max() - finite.min()) or abs(float(finite[0])) or 1.0
    # The addend keeps a span of exactly 10^k from falling on either side by a rounding error.
    return max(-300, min(300, math.ceil(math.log10(steps / span) - 1e-9)))


def rounded(values: ArrayLike, digits: int) -> NDArray[np.float64]:
    """
    Return values as the page will read them.

    >>> rounded([1.26, np.nan, np.inf], 1)
    array([1.3, nan, nan])
    """
    counts = _counts(values, digits)
    return np.asarray(counts / 10.0**digits if digits >= 0 else counts * 10.0**-digits)


def pack(values: ArrayLike, digits: int) -> Packed:
    """
    Return values packed.

    Parameters
    ----------
    values : array_like of any shape
        Flattened in C order; what is not finite is missing.
    digits : int
        Behind the point; negative where the last ones before it are given up.

    Returns
    -------
    dict
        ``n`` values: from ``first`` in steps of ``step`` for evenly spaced ones, else ``data`` of ``type``
        c2 (two letters each, 4095 where missing), i2, i4 or f8 (little-endian, base64; the least integer or
        NaN where missing), above ``first``. All count in 10^-``digits``.

    Examples
    --------
    >>> pack([1.0, 1.1, 1.2], 1)
    {'n': 3, 'digits': 1, 'first': 10, 'step': 1}
    >>> pack([-0.5, np.nan, 1.5], 1)
    {'n': 3, 'digits': 1, 'first': -5, 'type': 'c2', 'data': 'AA//AU'}
    """
    counts = np.ravel(_counts(values, digits))
    known = counts[np.isfinite(counts)]
    head: Packed = {"n": len(counts), "digits": digits}
    if len(counts) > 2 and len(known) == len(counts) and len(set(np.diff(counts))) == 1:
        return head | {"first": int(counts[0]), "step": int(counts[1] - counts[0])}
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    if max(abs(low), abs(high)) > 2**53 or high - low > _LARGEST:
        return head | {"first": 0, "type": "f8", "data": _base64(counts.astype("<f8"))}
    if high - low < _LETTERS:
        whole = np.where(np.isfinite(counts), counts - low, _LETTERS).astype(np.int64)
        return head | {"first": int(low), "type": "c2", "data": _letters(whole)}
    first = int((low + high) // 2)
    kind = "i2" if high - low <= 2 * 32766 else "i4"
    least = np.iinfo(kind).min
    whole = np.where(np.isfinite(counts), counts - first, least).astype(f"<{kind}")
    return head | {"first": first, "type": kind, "data": _base64(whole)}


def _counts(values: ArrayLike, digits: int) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    scaled = array * 10.0**digits if digits >= 0 else array / 10.0**-digits
    # The addend turns -0 into 0.
    return np.where(np.isfinite(scaled), np.rint(scaled) + 0.0, np.nan)


def _letters(whole: NDArray[np.int64]) -> str:
    codes = np.stack([whole >> 6, whole & 63], axis=-1)
    return _ALPHABET[codes].tobytes().decode("ascii")


def _base64(array: NDArray[Any]) -> str:
    return base64.b64encode(array.tobytes()).decode("ascii")


class Store:
    """
    Arrays and other values that a page holds once, however often its widgets name them.

    Examples
    --------
    >>> store = Store()
    >>> store.array([1.0, 2.0], 0), store.array([3.0, 4.0], 0), store.array([1.0, 2.0], 0)
    (0, 1, 0)
    >>> len(store.entries)
    2
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.entries: list[Any] = []

    def put(self, value: Any) -> int:
        """Return the number under which a value of JSON's kinds is held."""
        key = json.dumps(value, sort_keys=True, ensure_ascii=True, allow_nan=False)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(value)
        return self._numbers[key]

    def array(self, values: ArrayLike, digits: int) -> int:
        """Return the number under which an array is held, packed."""
        return self.put(pack(values, digits))
