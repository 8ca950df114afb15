"""
Rows of times and numbers out of text, compiled.

A row is a line with a time and some values::

    20200101 000000    12.345  1013.210
    2020 01 01  00 00 00      12.3450   1013.2100
    2020-01-01T00:00:00.000Z;12.345;1013.21

Each value becomes the double nearest to the decimal that is written. A decimal of up to 15 digits is a whole
number over a power of ten, both of them exact doubles, so that one division rounds once and right; longer
ones are left to Python's own ``float``. What is no row is told with its place; the caller knows what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.archive.readers.moments import Moment

__all__ = ["BAD_VALUE", "LEFT_OUT", "LONG", "NO_TIME", "ROW", "SHORT", "Rows", "parse_rows"]

ROW, NO_TIME, SHORT, LONG, BAD_VALUE, LEFT_OUT = range(6)
"""
What a line is: a row; one whose time can't be read; one with too few values, or too many; one with a value
that is no number; one that its reader left out.
"""

_NUMBER = re.compile(rb"[+-]?[0-9.]+(?:[eEdD][+-]?[0-9]+)?")
_BLANKS = -1  # as separator
_MANTISSA = 2**53
_POWERS = 10.0 ** np.arange(23)
_YEARS = (1900, 2200)  # what 64 bits of nanoseconds hold, and no more than an instrument can mean
_SECONDS = 7_258_118_400  # from 1970 to 2200


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """
    Lines of a text that are not empty.

    Parameters
    ----------
    kind : ndarray of uint8, shape (lines,)
        ``ROW``, ``NO_TIME``, ``SHORT``, ``LONG`` or ``BAD_VALUE``.
    offset : ndarray of int64, shape (lines,)
        Where each line begins in the text.
    time_ns : ndarray of int64, shape (lines,)
        Time since 1970 UTC; 0 where it can't be read.
    values : ndarray of float64, shape (columns, lines)
        NaN where a value is missing, undefined or no number.
    """

    kind: NDArray[np.uint8]
    offset: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]


def parse_rows(
    data: bytes,
    begin: int,
    moment: Moment,
    *,
    picks: list[int],
    columns: int,
    separator: str = "",
    before_time: int = 0,
    undefined: tuple[float, ...] = (),
) -> Rows:
    r"""
    Read all lines from a place on.

    Parameters
    ----------
    data : bytes
        The whole text.
    begin : int
        Where the first line begins.
    moment : Moment
        The layout of times.
    picks : list of int
        Which columns after the time to read, from 0.
    columns : int
        How many there are.
    separator : str
        One character, or "" for blanks; a sign after a digit then begins a new number, too.
    before_time : int
        Columns before the time; only with a separator.
    undefined : tuple of float
        Values that stand for none.

    Returns
    -------
    Rows

    Examples
    --------
    >>> text = b"20200101    100 1.5-2.25\n20200101    200 9.0 9.0\nnoise\n"
    >>> layout = Moment.of("%Y%m%d %H%M%S", fixed=True)
    >>> rows = parse_rows(text, 0, layout, picks=[0, 1], columns=2, undefined=(9.0,))
    >>> rows.values.tolist(), rows.kind.tolist()
    ([[1.5, nan, nan], [-2.25, nan, nan]], [0, 0, 1])
    >>> (rows.time_ns[1] - rows.time_ns[0]) // 10**9
    np.int64(60)
    """
    text = np.frombuffer(data, dtype=np.uint8)
    lines = int(_count_lines(text, begin))
    slots = np.full(max(columns, 1), -1, dtype=np.int64)
    slots[picks] = np.arange(len(picks))
    kind = np.empty(lines, dtype=np.uint8)
    offset, time_ns = np.empty(lines, dtype=np.int64), np.empty(lines, dtype=np.int64)
    values = np.empty((len(picks), lines))
    unfinished = np.zeros((len(picks), lines), dtype=np.bool_)
    rows = _parse(
        text, begin, *moment.arrays(), moment.fixed, slots, columns, ord(separator) if separator else _BLANKS,
        before_time, np.array(undefined, dtype=np.float64), _POWERS, kind, offset, time_ns, values,
        unfinished,
    )  # fmt: skip
    for column, row in zip(*np.nonzero(unfinished[:, :rows]), strict=True):
        values[column, row] = _by_python(data, int(values[column, row]), undefined)
    return Rows(kind[:rows], offset[:rows], time_ns[:rows], values[:, :rows])


def _by_python(data: bytes, at: int, undefined: tuple[float, ...]) -> float:
    match = _NUMBER.match(data, at)
    assert match is not None
    value = float(match[0].lower().replace(b"d", b"e"))
    return float("nan") if value in undefined else value


@njit(nogil=True, cache=True)
def _count_lines(text: Any, begin: int) -> int:
    lines = 1
    for i in range(begin, text.size):
        lines += text[i] == 10
    return lines


@njit(nogil=True, cache=True)
def _parse(
    text: Any, begin: int, codes: Any, widths: Any, fixed: bool, slots: Any, columns: int, separator: int,
    before_time: int, undefined: Any, powers: Any, kind: Any, offset: Any, time_ns: Any, values: Any,
    unfinished: Any,
) -> int:  # fmt: skip
    row, at = 0, begin
    while at < text.size:
        end = at
        while end < text.size and text[end] != 10:
            end += 1
        offset[row] = at
        first = _skip_blanks(text, at, end, separator)
        if first < end:
            time_ns[row] = 0
            values[:, row] = np.nan
            after = _skip_columns(text, first, end, before_time, separator)
            after, time, is_time = _read_time(text, after, end, separator, codes, widths, fixed)
            kind[row] = NO_TIME
            if is_time:
                time_ns[row] = time
                kind[row] = _read_values(
                    text, after, end, slots, columns, separator, undefined, powers, values, unfinished, row
                )
            row += 1
        at = end + 1
    return row


@njit(nogil=True, cache=True, inline="always")
def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57


@njit(nogil=True, cache=True, inline="always")
def _skip_blanks(text: Any, at: int, end: int, separator: int) -> int:
    # Control characters are blanks, too: tabs, carriage returns, DOS's end of file, zeros of a crashed disk.
    while at < end and text[at] <= 32 and text[at] != separator:
        at += 1
    return at


@njit(nogil=True, cache=True)
def _skip_columns(text: Any, at: int, end: int, count: int, separator: int) -> int:
    while count > 0 and at < end:
        count -= text[at] == separator
        at += 1
    after: int = _skip_blanks(text, at, end, separator)
    return after


@njit(nogil=True, cache=True)
def _read_time(
    text: Any, at: int, end: int, separator: int, codes: Any, widths: Any, fixed: bool
) -> tuple[int, int, bool]:
    """Return where the time ends, its nanoseconds since 1970, and whether there is one."""
    year, month, day, hour, minute, second, milli = 1970, 1, 1, 0, 0, 0, 0
    nanos = 0
    for i in range(codes.size):
        code, width = codes[i], widths[i]
        if code == 0:
            if fixed and at < end and text[at] <= 32:
                at += 1
            elif not fixed and width == 32:
                at = _skip_blanks(text, at, end, separator)
            elif at < end and text[at] == width:
                at += 1
            else:
                return at, 0, False
            continue
        if not fixed:
            at = _skip_blanks(text, at, end, separator)
        number, digits = 0, 0
        stop = min(at + width, end)
        while at < stop:
            if _is_digit(text[at]):
                number = number * 10 + (text[at] - 48)
                digits += 1
            elif not (fixed and text[at] == 32 and digits == 0):
                break
            at += 1
        if (fixed and at < stop) or (digits == 0 and not (fixed and code > 3)):
            return at, 0, False
        if code == 1:
            year = number
        elif code == 2:
            month = number
        elif code == 3:
            day = number
        elif code == 4:
            hour = number
        elif code == 5:
            minute = number
        elif code in (6, 9):
            second = number
            if at < end and text[at] == 46:
                at += 1
                scale = 100_000_000
                while at < end and _is_digit(text[at]):
                    nanos += (text[at] - 48) * scale
                    scale //= 10
                    at += 1
        elif code == 7:
            milli = number
        else:
            month, day = 1, number
    time, is_time = _time_of(year, month, day, hour, minute, second, codes)
    return at, time + milli * 1_000_000 + nanos, is_time


@njit(nogil=True, cache=True)
def _time_of(
    year: int, month: int, day: int, hour: int, minute: int, second: int, codes: Any
) -> tuple[int, bool]:
    """Return nanoseconds since 1970, and whether there is such a time."""
    by_day_of_year, since_1970 = False, False
    for i in range(codes.size):
        by_day_of_year |= codes[i] == 8
        since_1970 |= codes[i] == 9
    if since_1970:
        return second * 1_000_000_000, second < _SECONDS
    if not (_YEARS[0] <= year < _YEARS[1] and 1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return 0, False
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    most = 31
    if by_day_of_year:
        most = 366 if leap else 365
    elif month in (4, 6, 9, 11):
        most = 30
    elif month == 2:
        most = 29 if leap else 28
    if not 1 <= day <= most:
        return 0, False
    # Years are counted from March, so that the leap day ends one.
    y = year - (month <= 2)
    of_era = y % 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = (y // 400) * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000, True


@njit(nogil=True, cache=True)
def _read_values(
    text: Any, at: int, end: int, slots: Any, columns: int, separator: int, undefined: Any, powers: Any,
    values: Any, unfinished: Any, row: int,
) -> int:  # fmt: skip
    """Read the values of a row, and return what the line is."""
    found, bad = 0, False
    if separator != _BLANKS and at < end and text[at] == 90:  # Z, for UTC
        at += 1
    while True:
        at = _skip_blanks(text, at, end, separator)
        if separator != _BLANKS:
            if at >= end:
                break
            if text[at] != separator:
                return NO_TIME if found == 0 else BAD_VALUE
            at = _skip_blanks(text, at + 1, end, separator)
        elif at >= end:
            break
        if found >= columns:
            return LONG
        slot = slots[found]
        if separator != _BLANKS and (at >= end or text[at] == separator):
            found += 1
            continue
        begin = at
        at, value, state = _read_number(text, at, end, powers)
        if state == 2:
            while at < end and text[at] > 32 and text[at] != separator:
                at += 1
            bad |= slot >= 0 and not _says_nothing(text, begin)
        elif slot >= 0 and state == 1:
            values[slot, row] = begin
            unfinished[slot, row] = True
        elif slot >= 0:
            for j in range(undefined.size):
                if value == undefined[j]:
                    value = np.nan
            values[slot, row] = value
        found += 1
    if bad:
        return BAD_VALUE
    return ROW if found == columns else SHORT


@njit(nogil=True, cache=True)
def _says_nothing(text: Any, at: int) -> bool:
    """Tell whether a word is one that stands for no value: NaN, NA, null, stars of an overflow in Fortran."""
    return text[at] in (78, 110, 42)


@njit(nogil=True, cache=True)
def _read_number(text: Any, at: int, end: int, powers: Any) -> tuple[int, float, int]:
    """Return where a number ends, its value, and 0; 1 where its value takes longer, 2 where it is none."""
    negative = False
    if at < end and (text[at] == 45 or text[at] == 43):
        negative = text[at] == 45
        at += 1
    mantissa, digits, exponent, is_long = 0, 0, 0, False
    point = False
    while at < end:
        byte = text[at]
        if _is_digit(byte):
            digits += 1
            if mantissa < 100_000_000_000_000_000:
                mantissa = mantissa * 10 + (byte - 48)
                exponent -= point
            else:
                is_long = True
        elif byte == 46 and not point:
            point = True
        else:
            break
        at += 1
    if digits == 0:
        return at, 0.0, 2
    if at < end and text[at] in (68, 69, 100, 101):  # D, E
        after, sign = at + 1, 1
        if after < end and (text[after] == 45 or text[after] == 43):
            sign = 44 - text[after]
            after += 1
        power, some = 0, False
        while after < end and _is_digit(text[after]) and power < 10_000:
            power, some = power * 10 + (text[after] - 48), True
            after += 1
        if some:
            at = after
            exponent += sign * power
    if at < end and (text[at] == 46 or text[at] == 42 or text[at] >= 65):
        return at, 0.0, 2
    if is_long or mantissa > _MANTISSA or not -22 <= exponent <= 22:
        return at, 0.0, 1
    value = mantissa / powers[-exponent] if exponent < 0 else mantissa * powers[exponent]
    return at, -value if negative else value, 0
