"""
Marks: what tells where a record of miniSEED begins, in whatever bytes.

A quality of miniSEED 2 behind six digits or blanks, with a time that can be, or the first letters of
miniSEED 3. Beside them what a full SEED volume has between its records, and is none.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CONTROL_HEADER",
    "FIXED_HEADER",
    "HEADER_MARK",
    "NEXT_HEADER",
    "NOISE_RECORD",
    "VERSION_3",
    "byte_order",
    "holds_another",
    "holds_record",
    "is_record",
    "looks_like_header",
]

FIXED_HEADER = 48
HEADER_MARK = 8
"""Bytes that tell a header."""

NEXT_HEADER = re.compile(rb"[0-9 \x00]{6}[DRQM][ \x00]|MS\x03")
CONTROL_HEADER = re.compile(rb"\d{6}[VAST][ *]")
NOISE_RECORD = re.compile(rb"\d{6} {42}")
VERSION_3 = b"MS\x03"
_LEAST_RECORD = 128


def is_record(head: bytes) -> bool:
    r"""
    Tell whether a file begins like miniSEED, or like the full SEED volume around it.

    >>> is_record(b"000001D PB01 "), is_record(b"MS\x03"), is_record(b"000001V 0100082"), is_record(b"GIF89a")
    (True, True, True, False)
    """
    return any(kind.match(head) is not None for kind in (NEXT_HEADER, CONTROL_HEADER, NOISE_RECORD))


def holds_record(data: bytes) -> bool:
    """Tell whether something looks like a miniSEED header anywhere in a file."""
    return any(looks_like_header(data, match.start()) for match in NEXT_HEADER.finditer(data))


def looks_like_header(data: Any, position: int) -> bool:
    """Tell whether a header may begin here: by its first bytes, and of miniSEED 2 by its time."""
    if bytes(data[position : position + 3]) == VERSION_3:
        return len(data) - position >= 40
    if len(data) - position < FIXED_HEADER or NEXT_HEADER.match(data, position) is None:
        return False
    return byte_order(np.frombuffer(data, np.uint8, FIXED_HEADER, position)) is not None


def byte_order(header: NDArray[np.uint8]) -> str | None:
    """Tell the byte order of a fixed header by its year and day, or None where neither makes sense."""
    for order in (">", "<"):
        year, day = header[20:24].view(f"{order}u2")
        if 1900 <= year <= 2100 and 1 <= day <= 366 and header[24] < 24 and header[25] < 60:
            return order
    return None


def holds_another(data: Any, position: int, length: int) -> bool:
    """Tell whether another record begins inside one: where records can begin, or anywhere of its channel."""
    inside = range(position + _LEAST_RECORD, position + length, _LEAST_RECORD)
    codes = bytes(data[position + 8 : position + 20])
    return any(
        match[0][:2] != VERSION_3[:2]
        and (match.start() in inside or bytes(data[match.start() + 8 : match.start() + 20]) == codes)
        and looks_like_header(data, match.start())
        for match in NEXT_HEADER.finditer(data, position + 1, position + length)
    )
