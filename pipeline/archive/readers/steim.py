"""
Steim1 and Steim2: the payloads of many records at once, compiled.

A payload is frames of sixteen big-endian 32-bit words. The first word of a frame holds fifteen two-bit codes
that say how its other words are cut into differences; the first frame holds the first and the last sample as
well (SEED manual 2.4, appendix B). numpy can't say this, and a call of libmseed per record costs as much as
the decoding. Records that do not decode to their stated last sample are left to libmseed, which says why.

How a word is cut follows from its code and from its own top two bits, which change from word to word, and no
processor foresees how: branches would cost more than the decoding. So every word is cut seven times, by
shifts from a table, and the word after it writes over what was too much.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["STEIM1", "STEIM2", "decode_steim"]

STEIM1, STEIM2 = 10, 11

_FRAME = 64
_MOST = 7  # differences in a word
_SHORT = _MOST * 16  # beyond the samples of a record: its last frame may hold more than were asked for

_CUTS: dict[int, dict[int, list[tuple[int, int] | None]]] = {
    STEIM1: {1: [(8, 4)] * 4, 2: [(16, 2)] * 4, 3: [(32, 1)] * 4},
    STEIM2: {1: [(8, 4)] * 4, 2: [None, (30, 1), (15, 2), (10, 3)], 3: [(6, 5), (5, 6), (4, 7), None]},
}
"""Of each encoding and code, by the top two bits of the word: the bits of a difference, and how many."""


def _table(encoding: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint64]]:
    """
    Return, by 4 × code + the top bits of a word: shifts to the left, the shift to the right, and how many.

    >>> left, right, pieces = _table(STEIM2)
    >>> left[11 * 7 :][:3].tolist(), int(right[11]), int(pieces[11])
    ([2, 12, 22], 22, 3)
    """
    left = np.zeros((16, _MOST), dtype=np.uint32)
    right = np.zeros(16, dtype=np.uint32)
    pieces = np.zeros(16, dtype=np.uint64)
    for code, cuts in _CUTS[encoding].items():
        for top, cut in enumerate(cuts):
            if cut is not None:
                width, count = cut
                left[4 * code + top, :count] = [32 - width * (count - piece) for piece in range(count)]
                right[4 * code + top] = 32 - width
                pieces[4 * code + top] = count
    return left.ravel(), right, pieces


_TABLES = {encoding: _table(encoding) for encoding in _CUTS}


def decode_steim(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    counts: NDArray[np.int64],
    encoding: int,
    out: NDArray[np.int32],
) -> NDArray[np.bool_]:
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

    Returns
    -------
    ndarray of bool, shape (records,)
        Whether all samples were there, and the last one is that which the record states.

    Examples
    --------
    One frame: 7, then the differences 1, −1, 2 and −2 in bytes.

    >>> words = [1 << 24 | 1 << 22, 7, 7, 0x0001FF02, 0xFE000000, *[0] * 11]
    >>> frame = np.array(words, dtype=">u4").view(np.uint8)
    >>> at, to, count = (np.array([number]) for number in (0, 64, 5))
    >>> samples = np.empty(5, dtype=np.int32)
    >>> decode_steim(frame, at, to, count, STEIM1, samples), samples
    (array([ True]), array([7, 8, 7, 9, 7], dtype=int32))
    """
    good = np.zeros(len(counts), dtype=bool)
    differences = np.empty(int(counts.max(initial=0)) + _SHORT, dtype=np.int32)
    _decode(data, starts, stops, counts, *_TABLES[encoding], differences, out, good)
    return good


@njit(nogil=True, cache=True)
def _decode(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    stops: NDArray[np.int64],
    counts: NDArray[np.int64],
    left: NDArray[np.uint32],
    right: NDArray[np.uint32],
    pieces: NDArray[np.uint64],
    differences: NDArray[np.int32],
    out: NDArray[np.int32],
    good: NDArray[np.bool_],
) -> None:
    # Indices are unsigned throughout: numba asks of each signed one whether it counts from the end.
    position = np.uint64(0)
    for record in range(starts.size):
        count = np.uint64(counts[record])
        frame, stop = np.uint64(starts[record]), np.uint64(stops[record])
        value = last = np.int32(0)
        done = np.uint64(0)
        first_word = 3
        while done < count and frame + np.uint64(_FRAME) <= stop:
            codes = _word(data, frame)
            if first_word == 3:
                value = np.int32(_word(data, frame + np.uint64(4)))
                last = np.int32(_word(data, frame + np.uint64(8)))
            for number in range(first_word, 16):
                word = _word(data, frame + np.uint64(4 * number))
                code = (codes >> np.uint32(30 - 2 * number)) & np.uint32(3)
                cut = np.uint64(code << np.uint32(2) | word >> np.uint32(30))
                shift = np.int32(right[cut])
                for piece in range(_MOST):
                    high = np.int32(word << left[cut * np.uint64(_MOST) + np.uint64(piece)])
                    differences[done + np.uint64(piece)] = high >> shift
                done += pieces[cut]
            first_word = 1
            frame += np.uint64(_FRAME)
        if done >= count and count > 0:
            # The first difference leads from the record before, which may be absent: the sample is stated.
            out[position] = value
            for sample in range(np.uint64(1), count):
                value = np.int32(value + differences[sample])
                out[position + sample] = value
            good[record] = value == last
        position += count


@njit(nogil=True, cache=True, inline="always")
def _word(data: NDArray[np.uint8], at: np.uint64) -> np.uint32:
    return np.uint32(
        (np.uint32(data[at]) << np.uint32(24))
        | (np.uint32(data[at + np.uint64(1)]) << np.uint32(16))
        | (np.uint32(data[at + np.uint64(2)]) << np.uint32(8))
        | np.uint32(data[at + np.uint64(3)])
    )
