"""
Layouts: how archives of the world name their folders and files.

A layout says, level by level below its root, what a name tells: network, station, channel, year, day. So a
listing goes only where the days and streams that are wanted can lie, which in a bucket of a petabyte is the
difference between seconds and days.

::

    sds         2020/CI/SDD/HHE.D/CI.SDD..HHE.D.2020.183           SeisComP; most observatories
    scedc       2020/2020_183/CISDD__HHE___2020183.ms              s3://scedc-pds/continuous_waveforms
    ncedc       BK/2022/2022.002/YUBA.BK.LHZ.00.D.2022.002         s3://ncedc-pds/continuous_waveforms
    earthscope  UW/2019/187/ALCT.UW.2019.187                       s3://earthscope-geophysical-data/miniseed
    geonet      2023/2023.100/WEL.NZ/2023.100.WEL.10-HHE.NZ.D      s3://geonet-open-data/waveforms/miniseed
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from pipeline.errors import ConfigError
from pipeline.keys import Channel, Stream

__all__ = ["LAYOUTS", "Layout", "Named", "Wanted", "find_layout", "read_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """
    What a path tells of a file or of all files in a folder; None where it does not say.

    Parameters
    ----------
    network, station, location, channel : str, optional
    year, day : int, optional
        Day of the year, from 1.
    """

    network: str | None = None
    station: str | None = None
    location: str | None = None
    channel: str | None = None
    year: int | None = None
    day: int | None = None

    @property
    def channel_of_all_codes(self) -> Channel | None:
        """The channel, if all of its codes are known."""
        if None in (self.network, self.station, self.location, self.channel):
            return None
        return Channel(*map(str, (self.network, self.station, self.location, self.channel)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """
    Days and streams to look for.

    Parameters
    ----------
    first, last : date, optional
        Both included.
    streams : tuple of str
        Patterns of streams with ``*``, ``?`` and ``[…]``, as ``CI.S*``; empty for all.

    Examples
    --------
    >>> wanted = Wanted(dt.date(2020, 1, 5), dt.date(2020, 1, 6), ("CI.S*",))
    >>> wanted.admits(Named(year=2020)), wanted.admits(Named(year=2020, day=9))
    (True, False)
    >>> wanted.admits(Named(network="CI")), wanted.admits(Named(network="BK"))
    (True, False)
    >>> wanted.admits(Named(network="CI", station="SDD")), wanted.admits(Named(network="CI", station="PAS"))
    (True, False)
    """

    first: dt.date | None = None
    last: dt.date | None = None
    streams: tuple[str, ...] = ()

    def admits(self, named: Named) -> bool:
        """Tell whether what is named may hold something of this."""
        return self._admits_time(named) and self._admits_codes(named)

    def wants(self, stream: Stream) -> bool:
        """Tell whether a stream is one of these."""
        return not self.streams or any(fnmatch.fnmatchcase(str(stream), pattern) for pattern in self.streams)

    def _admits_time(self, named: Named) -> bool:
        if named.year is None:
            return True
        january = dt.date(named.year, 1, 1)
        begin = january if named.day is None else january + dt.timedelta(days=named.day - 1)
        end = dt.date(named.year, 12, 31) if named.day is None else begin
        # The file of a day often begins just before midnight, or ends just after it.
        margin = dt.timedelta(days=1)
        return (self.last is None or begin <= self.last + margin) and (
            self.first is None or end >= self.first - margin
        )

    def _admits_codes(self, named: Named) -> bool:
        if not self.streams or named.network is None:
            return True
        channel = named.channel_of_all_codes
        if channel is not None:
            return self.wants(channel.stream)
        begins = f"{named.network}." if named.station is None else f"{named.network}.{named.station}."
        return any(_may_begin(pattern, begins) for pattern in self.streams)


_TOKEN = re.compile(r"\[!?\]?[^\]]*\]|.")


def _may_begin(pattern: str, begins: str) -> bool:
    """
    Tell whether anything that a pattern matches begins like this.

    >>> _may_begin("C*.HH", "CI.SDD."), _may_begin("CI.S*", "CI.PAS."), _may_begin("[CB]I.*", "CI.")
    (True, False, True)
    """
    tokens = _TOKEN.findall(pattern)
    states = {0}
    for letter in begins:
        reached = set()
        for state in _past_stars(states, tokens):
            if state < len(tokens) and (tokens[state] == "*" or fnmatch.fnmatchcase(letter, tokens[state])):
                reached.add(state if tokens[state] == "*" else state + 1)
        states = reached
    return bool(states)


def _past_stars(states: set[int], tokens: Sequence[str]) -> set[int]:
    """Return where one may stand without reading a letter: a star may stand for nothing."""
    reached = set(states)
    for state in sorted(states):
        while state < len(tokens) and tokens[state] == "*":
            state += 1
            reached.add(state)
    return reached


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """
    How an archive names its folders and files.

    Parameters
    ----------
    name : str
    folders : tuple of str
        Regular expressions of the folders below the root, with groups that are fields of `Named`.
    file : str
        That of the files.
    """

    name: str
    folders: tuple[str, ...]
    file: str
    _compiled: tuple[re.Pattern[str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = tuple(re.compile(level) for level in (*self.folders, self.file))
        object.__setattr__(self, "_compiled", compiled)

    @property
    def depth(self) -> int:
        """How many folders lie between the root and a file."""
        return len(self.folders)

    def read(self, path: str) -> Named | None:
        """
        Read a path below the root; None where it is not of this layout.

        Examples
        --------
        >>> LAYOUTS["ncedc"].read("BK/2022/2022.002/YUBA.BK.LHZ.00.D.2022.002").channel_of_all_codes
        Channel(network='BK', station='YUBA', location='00', code='LHZ')
        >>> LAYOUTS["ncedc"].read("BK/2022").year
        2022
        """
        parts = path.split("/")
        if len(parts) > len(self._compiled):
            return None
        found: dict[str, str] = {}
        for part, level in zip(parts, self._compiled, strict=False):
            match = level.fullmatch(part)
            if match is None:
                return None
            found |= match.groupdict()
        return _named(found)

    def read_file(self, name: str) -> Named | None:
        """Read the name of a file alone; None where it is not of this layout."""
        match = self._compiled[-1].fullmatch(name)
        return None if match is None else _named(match.groupdict())


def _named(found: Mapping[str, str]) -> Named | None:
    codes = {
        name: found[name].strip("_")
        for name in ("network", "station", "location", "channel")
        if name in found
    }
    year, day = (int(found[name]) if name in found else None for name in ("year", "day"))
    if day is not None and not 1 <= day <= 366:
        return None
    return Named(**codes, year=year, day=day)


_CODE = "[A-Za-z0-9]"
_NETWORK, _STATION = r"(?P<network>\w{1,8})", r"(?P<station>[\w-]{1,8})"
_LOCATION, _CHANNEL = r"(?P<location>[\w-]{0,8})", r"(?P<channel>\w{3})"
_YEAR, _DAY = r"(?P<year>\d{4})", r"(?P<day>\d{3})"
_SAME_YEAR = r"\d{4}"

LAYOUTS: Final[Mapping[str, Layout]] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout(
                name="sds",
                folders=(_YEAR, _NETWORK, _STATION, rf"{_CHANNEL}\.[A-Z]"),
                file=rf"{_NETWORK}\.{_STATION}\.{_LOCATION}\.{_CHANNEL}\.[A-Z]\.{_YEAR}\.{_DAY}",
            ),
            Layout(
                name="scedc",
                folders=(_YEAR, rf"{_SAME_YEAR}_{_DAY}"),
                # Columns of 2, 5, 3 and 3 letters, filled up with underscores.
                file=(
                    rf"(?P<network>\w{{2}})(?P<station>{_CODE}+)_*(?<=^.{{7}}){_CHANNEL}"
                    rf"(?P<location>{_CODE}*)_*(?<=^.{{13}}){_YEAR}{_DAY}\.ms"
                ),
            ),
            Layout(
                name="ncedc",
                folders=(_NETWORK, _YEAR, rf"{_SAME_YEAR}\.{_DAY}"),
                file=rf"{_STATION}\.{_NETWORK}\.{_CHANNEL}\.{_LOCATION}\.[A-Z]\.{_YEAR}\.{_DAY}",
            ),
            Layout(
                name="earthscope",
                folders=(_NETWORK, _YEAR, _DAY),
                file=rf"{_STATION}\.{_NETWORK}\.{_YEAR}\.{_DAY}(#\d+)?",
            ),
            Layout(
                name="geonet",
                folders=(_YEAR, rf"{_SAME_YEAR}\.{_DAY}", rf"{_STATION}\.{_NETWORK}"),
                file=rf"{_YEAR}\.{_DAY}\.{_STATION}\.{_LOCATION}-{_CHANNEL}\.{_NETWORK}\.[A-Z]",
            ),
        )
    }
)
"""By name."""

_PUBLIC: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "scedc-pds": ("scedc", "continuous_waveforms"),
        "ncedc-pds": ("ncedc", "continuous_waveforms"),
        "earthscope-geophysical-data": ("earthscope", "miniseed"),
        "geonet-open-data": ("geonet", "waveforms/miniseed"),
    }
)
"""Layout and root of public buckets."""


def find_layout(url: str, name: str | None = None) -> tuple[Layout, str] | None:
    """
    Return the layout of an archive, and the path of a URL below its root.

    Parameters
    ----------
    url : str
        Of a folder.
    name : str, optional
        Of its layout, with the URL for its root; for the public buckets both are known.

    Raises
    ------
    ConfigError
        If there is no such layout.

    Examples
    --------
    >>> layout, below = find_layout("s3://scedc-pds/continuous_waveforms/2022/2022_002")
    >>> layout.name, below
    ('scedc', '2022/2022_002')
    >>> find_layout("/data/sds") is None
    True
    """
    if name is not None:
        if name not in LAYOUTS:
            raise ConfigError(f"--layout {name}: should be one of {', '.join(LAYOUTS)}")
        return LAYOUTS[name], ""
    protocol, _, rest = url.partition("://")
    bucket, _, path = rest.strip("/").partition("/")
    if protocol != "s3" or bucket not in _PUBLIC:
        return None
    known, root = _PUBLIC[bucket]
    if path == root or path.startswith(f"{root}/"):
        return LAYOUTS[known], path[len(root) + 1 :]
    return None


def read_name(name: str) -> Named | None:
    """
    Read the name of a file, of whichever layout it is; None where it is of none.

    Examples
    --------
    >>> str(read_name("CX.PB01..HHZ.D.2014.121").channel_of_all_codes)
    'CX.PB01..HHZ'
    >>> str(read_name("CIFOX2_LHZ___2022002.ms").channel_of_all_codes)
    'CI.FOX2..LHZ'
    """
    return next((named for layout in LAYOUTS.values() if (named := layout.read_file(name))), None)
