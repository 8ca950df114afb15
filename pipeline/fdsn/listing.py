"""What the station service says there is: channels and their epochs, from its text format."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from pipeline.archive.grid import day_number
from pipeline.errors import DamagedError, KeyFormatError
from pipeline.keys import Channel

__all__ = ["ChannelEpoch", "read_listing", "station_lines"]

_FIELDS = 17
_FOREVER = dt.date(9999, 12, 31)


@dataclass(frozen=True, order=True, slots=True)
class ChannelEpoch:
    """A channel, the days since 1970 on which it existed (both included), and its rate."""

    channel: Channel
    first_day: int
    last_day: int
    rate_hz: float


def read_listing(data: bytes) -> list[ChannelEpoch]:
    """
    Read the text format of the station service at the level of channels.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    list of ChannelEpoch
        Sorted. Lines without a rate, as of logs, are left out.

    Raises
    ------
    DamagedError
        If it is something else, or its last line is not whole.

    Examples
    --------
    >>> line = "CI|CCC||HHZ|35.5|-117.4|670|0|0|-90|STS|6E8|1|M/S|100|2010-01-01T00:00:00|2010-01-03T00:00:00"
    >>> [epoch] = read_listing(line.encode())
    >>> str(epoch.channel), epoch.last_day - epoch.first_day, epoch.rate_hz
    ('CI.CCC..HHZ', 1, 100.0)
    """
    found = {_read_line(line) for line in station_lines(data)}
    return sorted(epoch for epoch in found if epoch is not None)


def station_lines(data: bytes) -> list[str]:
    """Return the lines of channels, sorted: equal where the channels are."""
    text = data.decode("utf-8", "replace")
    return sorted(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _read_line(line: str) -> ChannelEpoch | None:
    # The name of a sensor may hold the separator: what follows it is counted from the end.
    fields = [field.strip() for field in line.split("|")]
    try:
        if len(fields) < _FIELDS:
            raise ValueError(line)
        network, station, location, code = fields[:4]
        channel = Channel(network, station, location.replace("--", ""), code)
        channel.stream  # noqa: B018 (checks the codes)
        rate = float(fields[-3] or 0)
        first = _day(fields[-2], "start")
        last = _day(fields[-1], "end") if fields[-1] else day_number(_FOREVER)
    except (ValueError, KeyFormatError) as error:
        shown = line if len(line) < 80 else f"{line[:80]}..."
        raise DamagedError(f"not a line of the station service: {shown!r}") from error
    return ChannelEpoch(channel, first, last, rate) if rate > 0 else None


def _day(text: str, side: Literal["start", "end"]) -> int:
    """Return the day of a time; an end at midnight is the day before."""
    time = dt.datetime.fromisoformat(text).replace(tzinfo=None)
    if side == "end" and time.time() == dt.time.min:
        return day_number(time.date()) - 1
    return day_number(time.date())
