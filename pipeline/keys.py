"""
Names of streams, station-days and blocks: the only code that formats and parses them.

A *stream* is one sensor at one place. The channels of a three-component instrument (instrument codes
H, L, N and P) share one stream, ``NET.STA.LOC.BI``, with fixed slots for the vertical, N or 1, and E or 2.
Any other channel is a stream of its own, ``NET.STA.LOC.CHA``.

A *station-day* is one stream and one UTC day. A *block* is one stream and ``block_days`` days of one year,
counted from 1 January; blocks are numbered from 1, and the last one of a year is shorter.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import KeyFormatError

__all__ = [
    "BLOCK_DAYS",
    "SLOTS",
    "Block",
    "Channel",
    "StationDay",
    "Stream",
    "blocks_between",
    "blocks_per_year",
    "days_in_year",
]

BLOCK_DAYS = 31
"""Days in a block unless the archive was made with another number."""

SLOTS = ("Z", "N", "E")
"""Components of a three-component stream, in the order in which they lie in its arrays."""

_SLOT_OF_LETTER = {"Z": 0, "3": 0, "N": 1, "1": 1, "E": 2, "2": 2}
_THREE_COMPONENT_INSTRUMENTS = frozenset("HLNP")
_CODE = re.compile(r"[A-Za-z0-9_-]*")
_BLOCK = re.compile(r"(?!0000)([0-9]{4})\.(?!00)([0-9]{2})")


@dataclass(frozen=True, order=True, slots=True)
class Stream:
    """
    One sensor at one place.

    Parameters
    ----------
    network, station, location : str
        The codes as SEED has them; the location is often empty.
    code : str
        Band and instrument (``HH``) of a three-component instrument, else the whole channel (``MGZ``).

    Examples
    --------
    >>> stream = Stream.parse("CI.CCC..HH")
    >>> stream.station, stream.components
    ('CCC', ('Z', 'N', 'E'))
    >>> str(Stream.parse("NG.AQG..MGZ")), Stream.parse("NG.AQG..MGZ").components
    ('NG.AQG..MGZ', ('MGZ',))
    """

    network: str
    station: str
    location: str
    code: str

    def __post_init__(self) -> None:
        for name in ("network", "station", "location", "code"):
            value = getattr(self, name)
            if not _CODE.fullmatch(value):
                raise KeyFormatError(f"{name} code {value!r} may hold letters, digits, '-' and '_' only")
        if not self.station or not self.code:
            raise KeyFormatError(f"stream {str(self)!r} needs a station and a code, as in 'CI.CCC..HH'")

    @classmethod
    def parse(cls, text: str) -> Stream:
        """Read ``NET.STA.LOC.CODE``."""
        parts = text.split(".")
        if len(parts) != 4:
            raise KeyFormatError(f"stream {text!r} should have four parts, as in 'CI.CCC..HH'")
        return cls(*parts)

    @property
    def is_three_component(self) -> bool:
        """Whether the channels of this stream share it in fixed slots."""
        return len(self.code) == 2

    @property
    def components(self) -> tuple[str, ...]:
        """Names of the slots, in the order of the arrays."""
        return SLOTS if self.is_three_component else (self.code,)

    def channel(self, code: str) -> Channel:
        """
        Return the channel of this stream with a code.

        >>> str(Stream.parse("CI.CCC..HH").channel("HH1"))
        'CI.CCC..HH1'
        """
        return Channel(self.network, self.station, self.location, code)

    def __str__(self) -> str:
        return f"{self.network}.{self.station}.{self.location}.{self.code}"


@dataclass(frozen=True, order=True, slots=True)
class Channel:
    """
    One channel as its source names it, and where it belongs.

    Examples
    --------
    >>> channel = Channel("CI", "CCC", "", "HH1")
    >>> str(channel.stream), channel.slot
    ('CI.CCC..HH', 1)
    >>> channel = Channel("NG", "AQG", "", "LDI")
    >>> str(channel.stream), channel.slot
    ('NG.AQG..LDI', 0)
    """

    network: str
    station: str
    location: str
    code: str

    @classmethod
    def parse(cls, text: str) -> Channel:
        """Read ``NET.STA.LOC.CHA``."""
        parts = text.split(".")
        if len(parts) != 4 or not parts[1] or not parts[3]:
            raise KeyFormatError(f"channel {text!r} should have four parts, as in 'CI.CCC..HHZ'")
        return cls(*parts)

    @property
    def _is_component(self) -> bool:
        code = self.code
        return len(code) == 3 and code[1] in _THREE_COMPONENT_INSTRUMENTS and code[2] in _SLOT_OF_LETTER

    @property
    def stream(self) -> Stream:
        """The stream that this channel belongs to."""
        code = self.code[:2] if self._is_component else self.code
        return Stream(self.network, self.station, self.location, code)

    @property
    def slot(self) -> int:
        """Row of this channel in the arrays of its stream."""
        return _SLOT_OF_LETTER[self.code[2]] if self._is_component else 0

    def __str__(self) -> str:
        return f"{self.network}.{self.station}.{self.location}.{self.code}"


@dataclass(frozen=True, order=True, slots=True)
class StationDay:
    """
    One stream and one UTC day.

    Examples
    --------
    >>> str(StationDay.parse("CI.CCC..HH/2020-03-01"))
    'CI.CCC..HH/2020-03-01'
    """

    stream: Stream
    day: dt.date

    @classmethod
    def parse(cls, text: str) -> StationDay:
        """Read ``STREAM/YYYY-MM-DD``."""
        stream, separator, day = text.partition("/")
        try:
            if not separator:
                raise ValueError(text)
            return cls(Stream.parse(stream), dt.date.fromisoformat(day))
        except ValueError as error:
            raise KeyFormatError(f"station-day {text!r} should look like 'CI.CCC..HH/2020-03-01'") from error

    def __str__(self) -> str:
        return f"{self.stream}/{self.day.isoformat()}"


@dataclass(frozen=True, order=True, slots=True)
class Block:
    """
    One stream and ``block_days`` days of one year: the unit of work, of derived shards and of resumption.

    Examples
    --------
    >>> block = Block.parse("CI.CCC..HH/2020.03")
    >>> block.first_day(), block.last_day()
    (datetime.date(2020, 3, 3), datetime.date(2020, 4, 2))
    >>> Block.of(block.stream, dt.date(2020, 12, 31)).period
    '2020.12'
    >>> len(list(Block.parse("CI.CCC..HH/2021.12").days()))
    24
    """

    stream: Stream
    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Block:
        """Read ``STREAM/YYYY.NN``."""
        stream, _, period = text.partition("/")
        match = _BLOCK.fullmatch(period)
        if match is None:
            raise KeyFormatError(f"block {text!r} should look like 'CI.CCC..HH/2020.03'")
        return cls(Stream.parse(stream), int(match[1]), int(match[2]))

    @classmethod
    def of(cls, stream: Stream, day: dt.date, block_days: int = BLOCK_DAYS) -> Block:
        """Return the block that holds a day of a stream."""
        day_of_year = day.timetuple().tm_yday - 1
        return cls(stream, day.year, day_of_year // block_days + 1)

    @property
    def period(self) -> str:
        """Year and number, as in ``2020.03``."""
        return f"{self.year:04d}.{self.number:02d}"

    def first_day(self, block_days: int = BLOCK_DAYS) -> dt.date:
        """Return the first UTC day of the block."""
        return dt.date(self.year, 1, 1) + dt.timedelta(days=(self.number - 1) * block_days)

    def last_day(self, block_days: int = BLOCK_DAYS) -> dt.date:
        """Return the last UTC day of the block, which is never in the next year."""
        last = self.first_day(block_days) + dt.timedelta(days=block_days - 1)
        return min(last, dt.date(self.year, 12, 31))

    def days(self, block_days: int = BLOCK_DAYS) -> Iterator[dt.date]:
        """Iterate over the UTC days of the block."""
        day, last = self.first_day(block_days), self.last_day(block_days)
        while day <= last:
            yield day
            day += dt.timedelta(days=1)

    def __str__(self) -> str:
        return f"{self.stream}/{self.period}"


def days_in_year(year: int) -> int:
    """
    Count the days of a year.

    >>> days_in_year(2020), days_in_year(2021)
    (366, 365)
    """
    return (dt.date(year + 1, 1, 1) - dt.date(year, 1, 1)).days


def blocks_per_year(block_days: int = BLOCK_DAYS) -> int:
    """
    Count the blocks of the longest year.

    >>> blocks_per_year(31), blocks_per_year(28)
    (12, 14)
    """
    return -(-366 // block_days)


def blocks_between(
    stream: Stream, first: dt.date, last: dt.date, block_days: int = BLOCK_DAYS
) -> Iterator[Block]:
    """
    Iterate over the blocks of a stream that hold any day from ``first`` to ``last``, both included.

    >>> stream = Stream.parse("CI.CCC..HH")
    >>> [b.period for b in blocks_between(stream, dt.date(2020, 12, 1), dt.date(2021, 1, 31))]
    ['2020.11', '2020.12', '2021.01']
    """
    day = first
    while day <= last:
        block = Block.of(stream, day, block_days)
        yield block
        day = block.last_day(block_days) + dt.timedelta(days=1)
