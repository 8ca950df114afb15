"""
Sections of GSE 1, GSE 2 and IMS 1: one after the other, and their samples, text with a checksum.

Of the encodings, the two in use: whole numbers, and second differences in six-bit characters (CM6), of which
one bit says that the number goes on and one of the first that it is negative. obspy's decoder, written in C,
ends the process on a file that breaks off; hence our own. A section whose checksum does not hold is lost; of
a checksum not all programs write the sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.readers.protocol import Problem
from pipeline.archive.readers.traces import Trace

__all__ = ["Decoder", "decode_cm6", "decode_int", "read_samples", "traces_of_sections"]

Decoder = Callable[[bytes], NDArray[np.int64]]

_CHARACTERS = b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CODES = np.full(256, 255, dtype=np.uint8)
_CODES[np.frombuffer(_CHARACTERS, dtype=np.uint8)] = np.arange(64)
_BLANKS = b" \t\r\n"
_GOES_ON, _NEGATIVE = 32, 16
_MOST_CHARACTERS = 7  # of a number of 32 bits
_MODULUS = 100_000_000
_INT32 = np.iinfo(np.int32)


def traces_of_sections(
    data: bytes,
    begins: re.Pattern[bytes],
    read: Callable[[bytes], tuple[Trace, list[tuple[str, str]]]],
    problems: list[Problem],
) -> Iterator[Trace]:
    """Read one section after the other; what is wrong with one costs that one."""
    starts = [match.start() for match in begins.finditer(data)]
    for number, (begin, end) in enumerate(pairwise([*starts, len(data)]), start=1):
        section = data[begin:end]
        try:
            trace, trouble = read(section)
        except ValueError as error:
            line = section[:60].splitlines()[0]
            problems.append(Problem("corrupt record", f"section {number}, {line!r}: {error}"))
            continue
        problems += [Problem(reason, f"section {number}, {trace.name}: {what}") for reason, what in trouble]
        yield trace


def read_samples(
    section: bytes, begin: int, checksum: re.Match[bytes] | None, stated: int, decode: Decoder
) -> tuple[NDArray[np.int32], list[tuple[str, str]]]:
    r"""
    Read the samples of a section.

    Parameters
    ----------
    section : bytes
    begin : int
        Where they begin.
    checksum : Match or None
        Its line, with the number in the first group.
    stated : int
        How many samples there should be.
    decode : callable
        From text to samples, up to what is none.

    Returns
    -------
    samples : ndarray of int32, shape (at most stated,)
    trouble : list of (reason, detail)

    Raises
    ------
    ValueError
        Where nothing of them can be trusted.

    Examples
    --------
    >>> data = b"DAT2\n1 2 3\nCHK2 6\n"
    >>> read_samples(data, 5, re.compile(rb"CHK2 (.*)").search(data), 4, decode_int)
    (array([1, 2, 3], dtype=int32), [('truncated file', '3 of 4 samples before the checksum')])
    """
    samples = decode(section[begin : checksum.start() if checksum else len(section)])
    trouble = []
    if len(samples) < stated or checksum is None:
        how = "and no checksum" if checksum is None else "before the checksum"
        trouble.append(("truncated file", f"{min(len(samples), stated)} of {stated} samples {how}"))
    samples = samples[:stated]
    if len(samples) and (samples.min() < _INT32.min or samples.max() > _INT32.max):
        raise ValueError("samples beyond 32 bits")
    if checksum is not None and len(samples) == stated:
        rest = int(samples.sum()) % _MODULUS
        if int(checksum[1]) not in (rest, _MODULUS - rest):
            raise ValueError(f"the file states a checksum of {int(checksum[1])}, its samples have {rest}")
    return samples.astype(np.int32), trouble


def decode_cm6(text: bytes) -> NDArray[np.int64]:
    """
    Decode second differences, up to the first character that is none.

    >>> decode_cm6(b"3 0F *")  # 5, 2 and −1
    array([ 5, 12, 18])
    """
    codes = _CODES[np.frombuffer(text.translate(None, _BLANKS), dtype=np.uint8)]
    bad = np.flatnonzero(codes == 255)
    codes = codes[: bad[0]] if len(bad) else codes
    ends = np.flatnonzero(codes & _GOES_ON == 0)
    begins = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    lengths = ends - begins + 1
    long = np.flatnonzero(lengths > _MOST_CHARACTERS)
    if len(long):
        begins, lengths = begins[: long[0]], lengths[: long[0]]
    numbers = (codes[begins] & 15).astype(np.int64)
    for place in range(1, int(lengths.max(initial=1))):
        more = lengths > place
        numbers[more] = numbers[more] << 5 | codes[begins[more] + place] & 31
    numbers = np.where(codes[begins] & _NEGATIVE, -numbers, numbers)
    return np.cumsum(np.cumsum(numbers))


def decode_int(text: bytes) -> NDArray[np.int64]:
    """
    Decode whole numbers, up to the first word that is none.

    >>> decode_int(b"1 -2 3 power failure 4 "), decode_int(b"1 -2 3")
    (array([ 1, -2,  3]), array([ 1, -2]))
    """
    words = text.split()
    if not text[-1:].isspace():
        words = words[:-1]  # where a file breaks off, its last number may have lost digits
    good = next((i for i, word in enumerate(words) if not re.fullmatch(rb"[+-]?\d{1,11}", word)), len(words))
    return np.array([int(word) for word in words[:good]], dtype=np.int64)
