"""
Random numbers by name: what a draw is for decides what it gives, not when or by whom it is made.

::

    generator(7, "aftershocks", "PB01")       a generator of its own for each purpose
    white_noise(7, ("ambient", "PB01", "Z"), first=8_640_000, stop=17_280_000)
                                              a piece of one endless record, the same however it is cut
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

__all__ = ["generator", "white_noise"]

_BLOCK = 1 << 16
_Word = str | int


def generator(seed: int, *key: _Word) -> np.random.Generator:
    """
    Return the generator of one purpose.

    Parameters
    ----------
    seed : int
        Of the archive.
    *key : str or int
        Name the purpose; equal keys are equal draws.

    Examples
    --------
    >>> first, again, other = (generator(1, word).integers(10**9) for word in "aab")
    >>> bool(first == again), bool(first == other)
    (True, False)
    """
    text = "\x1f".join([f"i{seed}", *(f"{type(word).__name__[0]}{word}" for word in key)])
    digest = blake2b(text.encode(), digest_size=16).digest()
    return np.random.Generator(np.random.SFC64(int.from_bytes(digest, "little")))


def white_noise(seed: int, key: Sequence[_Word], first: int, stop: int) -> NDArray[np.float32]:
    """
    Return a piece of an endless record of independent normal numbers.

    Parameters
    ----------
    seed, key : int, sequence of str or int
        See `generator`.
    first, stop : int
        Samples, counted from any origin; half-open, and may be negative.

    Returns
    -------
    ndarray of float32, shape (stop - first,)
        Mean 0, variance 1.

    Examples
    --------
    >>> whole = white_noise(1, ["x"], 0, 200_000)
    >>> np.array_equal(whole[65_000:66_000], white_noise(1, ["x"], 65_000, 66_000))
    True
    """
    out = np.empty(max(0, stop - first), dtype=np.float32)
    for block in range(first // _BLOCK, -(-stop // _BLOCK)):
        begin = block * _BLOCK
        low, high = max(first, begin), min(stop, begin + _BLOCK)
        drawn = generator(seed, *key, block).standard_normal(high - begin, dtype=np.float32)
        out[low - first : high - first] = drawn[low - begin :]
    return out
