"""
Dataless SEED to StationXML, by way of obspy.

What obspy can't take over it says in warnings, which become notes here; what it leaves out without a word is
looked for: channels without a response, places that were not stated.
"""

from __future__ import annotations

import warnings
from collections import Counter
from io import BytesIO
from typing import Any

from pipeline.errors import FormatError

__all__ = ["dataless_to_stationxml", "is_dataless"]

_NOT_STATED_M = 123456.0
"""What obspy puts where an elevation or a depth is missing."""
_MOST_NOTES = 5
_LONGEST_NOTE = 200


def is_dataless(head: bytes) -> bool:
    """
    Tell by the first bytes whether a file is a SEED volume.

    >>> is_dataless(b"000001V 010009402.3121970"), is_dataless(b"000001D PB01   HHZCX")
    (True, False)
    """
    return head[:6].isdigit() and head[6:7] == b"V" and head[8:11] in (b"010", b"008", b"005")


def dataless_to_stationxml(data: bytes) -> tuple[bytes, list[str]]:
    """
    Turn a SEED volume into StationXML.

    Parameters
    ----------
    data : bytes
        The control headers; samples that follow them in a full volume are not read.

    Returns
    -------
    document : bytes
        Created when the volume says that it was, else in 1970: the same bytes whenever it is converted.
    notes : list of str
        What was lost.

    Raises
    ------
    FormatError
        Where obspy can't read it, or it has no station.
    """
    from obspy import UTCDateTime, read_inventory

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            inventory = read_inventory(BytesIO(data), format="SEED")
        except Exception as error:  # obspy lets through whatever its parsers raise
            reason = " ".join(str(error).split()) or type(error).__name__
            raise FormatError(f"dataless SEED of {len(data)} bytes can't be read: {reason}") from error
    if not any(len(network) for network in inventory):
        raise FormatError(f"dataless SEED of {len(data)} bytes has no station in it")
    inventory.created = created = UTCDateTime(_volume_time(data))
    stations = [station for network in inventory for station in network]
    for station in stations:
        station.creation_date = created
    unplaced = sum(_put_on_ground(place) for station in stations for place in (station, *station))
    out = BytesIO()
    try:
        inventory.write(out, format="STATIONXML")
    except Exception as error:
        raise FormatError(f"dataless SEED of {len(data)} bytes can't become StationXML: {error}") from error
    notes = _notes(inventory, [str(warning.message) for warning in said])
    if unplaced:
        notes.append(f"{unplaced} stations or channels state no elevation or depth: taken as 0 m")
    return out.getvalue(), notes


def _put_on_ground(place: Any) -> bool:
    """Put 0 m where obspy put its mark for an elevation or a depth that is not stated."""
    marked = [name for name in ("elevation", "depth") if getattr(place, name, None) == _NOT_STATED_M]
    for name in marked:
        setattr(place, name, 0.0)
    return bool(marked)


def _volume_time(data: bytes) -> str:
    """Return when the volume was made, as its first blockette has it: the third text between ``~``."""
    is_identifier = data[8:11] == b"010"
    texts = data[8 : 8 + int(data[11:15])].split(b"~") if is_identifier and data[11:15].isdigit() else []
    stated = texts[2].decode("ascii", "replace").strip() if len(texts) > 3 else ""
    return stated or "1970-01-01T00:00:00"


def _notes(inventory: Any, warned: list[str]) -> list[str]:
    notes = []
    found = Counter(" ".join(message.split())[:_LONGEST_NOTE] for message in warned)
    for message, times in found.most_common(_MOST_NOTES):
        notes.append(f"{message}{f' ({times} times)' if times > 1 else ''}")
    if len(found) > _MOST_NOTES:
        notes.append(f"and {len(found) - _MOST_NOTES} more warnings of obspy")
    channels = [channel for network in inventory for station in network for channel in station]
    silent = sum(channel.response is None for channel in channels)
    if silent:
        notes.append(f"{silent} of {len(channels)} channel epochs came without a response")
    return notes
