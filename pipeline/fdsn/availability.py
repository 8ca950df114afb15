"""Which days of a channel hold samples, as the availability service says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from pipeline.archive.grid import day_number
from pipeline.errors import DamagedError, KeyFormatError
from pipeline.fdsn.selection import Window, request_lines
from pipeline.keys import Channel

__all__ = ["availability_body", "read_availability"]

_FIELDS = 6


def availability_body(windows: Iterable[Window], *, restricted: bool) -> bytes:
    """
    Write the POST request that asks for the days of windows.

    Spans that are less than a day apart come as one: whole days without a sample are all that matters.

    Parameters
    ----------
    windows : iterable of Window
    restricted : bool
        Whether to ask for restricted channels too.
    """
    options = {
        "format": "request",
        "merge": "samplerate,quality,overlap",
        "mergegaps": "86400",
        "includerestricted": str(restricted).lower(),
        "nodata": "204",
    }
    return "".join(f"{name}={value}\n" for name, value in options.items()).encode() + request_lines(windows)


def read_availability(data: bytes) -> Mapping[Channel, set[int]]:
    """
    Read the format ``request`` of the availability service.

    Returns
    -------
    mapping of Channel to set of int
        Days since 1970 of which there is something.

    Raises
    ------
    DamagedError
        If it is something else, or its last line is not whole.

    Examples
    --------
    >>> text = b"CI CCC -- HHZ 1970-01-01T00:00:00.000000Z 1970-01-02T00:00:00.000000Z"
    >>> {str(channel): days for channel, days in read_availability(text).items()}
    {'CI.CCC..HHZ': {0}}
    """
    found: dict[Channel, set[int]] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        if line.strip() and not line.startswith("#") and "=" not in line:
            channel, days = _read_line(line)
            found.setdefault(channel, set()).update(days)
    return found


def _read_line(line: str) -> tuple[Channel, range]:
    fields = line.split()
    if len(fields) == _FIELDS - 1:  # an empty location that is not written
        fields.insert(2, "--")
    try:
        network, station, location, code, start, end = fields
        channel = Channel(network, station, location.replace("--", ""), code)
        begin, stop = (dt.datetime.fromisoformat(text).replace(tzinfo=None) for text in (start, end))
        channel.stream  # noqa: B018 (checks the codes)
    except (ValueError, KeyFormatError) as error:
        raise DamagedError(f"not a line of the availability service: {line[:80]!r}") from error
    last = day_number((max(stop - dt.timedelta(microseconds=1), begin)).date())
    return channel, range(day_number(begin.date()), last + 1)
