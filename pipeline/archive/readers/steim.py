"""
Steim1 and Steim2: the payloads of many records at once, compiled.

A payload is frames of sixteen big-endian 32-bit words. The first word of a frame holds fifteen two-bit codes
that say how its other words are cut into differences; the first frame holds the first and the last sample as
well (SEED manual 2.4, appendix B). numpy can't say this, and a call of libmseed per record costs as much as
the decoding. Records that do not decode to their stated last sample are left to libmseed, which says why.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["STEIM1", "STEIM2", "decode_steim"]

STEIM1, STEIM2 = 10, 11


@njit(nogil=True, cache=True)
def decode_steim(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    counts: NDArray[np.int64],
    encoding: int,
    out: NDArray[np.int32],
    good: NDArray[np.bool_],
) -> None:
    """
    Decode records one after the other into one array.

    Parameters
    ----------
    data : ndarray of uint8
        The file.
    starts, stops, counts : ndarray of int64, shape (records,)
        Where the payload of each record lies, and how many samples it holds.
    encoding : int
        10 for Steim1, 11 for Steim2.
    out : ndarray of int32, shape (sum of counts,)
        Written.
    good : ndarray of bool, shape (records,)
        Written: whether all samples were there, and the last one is that which the record states.
    """
    position = 0
    for record in range(starts.size):
        count = counts[record]
        done = 0
        value = np.int32(0)
        last = np.int32(0)
        frame = starts[record]
        while frame + 64 <= stops[record] and done < count:
            codes = _word(data, frame)
            first_word = 1
            if frame == starts[record]:
                value = np.int32(_word(data, frame + 4))
                last = np.int32(_word(data, frame + 8))
                first_word = 3
            for number in range(first_word, 16):
                code = (codes >> np.uint32(30 - 2 * number)) & np.uint32(3)
                if code == 0:
                    continue
                word = _word(data, frame + 4 * number)
                width, pieces = _cut(code, word >> np.uint32(30), encoding)
                for piece in range(pieces):
                    if done == count:
                        break
                    if done > 0:
                        shift = np.uint32(32 - width * (pieces - piece))
                        step = np.int32(word << shift) >> np.int32(32 - width)
                        value = np.int32(value + step)
                    out[position + done] = value
                    done += 1
            frame += 64
        good[record] = done == count and value == last
        position += count


@njit(nogil=True, cache=True, inline="always")
def _word(data: NDArray[np.uint8], at: int) -> np.uint32:
    return np.uint32(
        (np.uint32(data[at]) << np.uint32(24))
        | (np.uint32(data[at + 1]) << np.uint32(16))
        | (np.uint32(data[at + 2]) << np.uint32(8))
        | np.uint32(data[at + 3])
    )


@njit(nogil=True, cache=True, inline="always")
def _cut(code: int, nibble: int, encoding: int) -> tuple[int, int]:
    """Return the bits of a difference and how many lie in a word."""
    if code == 1:
        return 8, 4
    if encoding == STEIM1:
        return (16, 2) if code == 2 else (32, 1)
    if code == 2:
        if nibble == 1:
            return 30, 1
        return (15, 2) if nibble == 2 else (10, 3)
    if nibble == 0:
        return 6, 5
    return (5, 6) if nibble == 1 else (4, 7)
