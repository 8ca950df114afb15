"""What a user wants of a data centre, and the windows of one request."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.archive.grid import DAY_NS
from pipeline.errors import ConfigError
from pipeline.keys import Channel

__all__ = ["Runs", "Selection", "Window", "halves", "request_lines", "runs_of"]

Runs = tuple[tuple[int, int], ...]
"""Days since 1970 as sorted, disjoint runs (first, last), both included."""

_CODES = re.compile(r"[A-Za-z0-9?*_-]+(,[A-Za-z0-9?*_-]+)*")
_MICROSECOND_NS = 1000
_SECOND_NS = 1_000_000_000
_FLOOR_NS = 3600 * _SECOND_NS
"""Less than this is not asked for at once, however small a service wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """
    Channels by their codes and place, and days.

    Parameters
    ----------
    networks, stations, locations, channels : str
        Codes, several with commas between, with ``?`` and ``*``. An empty location is ``--``.
    start, end : date
        First and last day, both included.
    region : (float, float, float, float), optional
        Least and largest latitude, least and largest longitude, in degrees.
    circle : (float, float, float, float), optional
        Latitude and longitude of the middle, least and largest distance, in degrees.

    Examples
    --------
    >>> selection = Selection(networks="CI", start=dt.date(2020, 1, 1), end=dt.date(2020, 1, 31))
    >>> selection.parameters()["endtime"]
    '2020-01-31T23:59:59.999999'
    """

    networks: str = "*"
    stations: str = "*"
    locations: str = "*"
    channels: str = "*"
    start: dt.date
    end: dt.date
    region: tuple[float, float, float, float] | None = None
    circle: tuple[float, float, float, float] | None = None

    def __post_init__(self) -> None:
        for name in ("networks", "stations", "locations", "channels"):
            value = getattr(self, name)
            if not _CODES.fullmatch(value):
                raise ConfigError(f"--{name} {value!r} should be codes as in 'CI,AZ' or 'HH?,BH?'")
        if self.end < self.start:
            raise ConfigError(f"--end {self.end} lies before --start {self.start}")
        if self.networks == "*" and self.region is None and self.circle is None:
            raise ConfigError("--networks, --region or --circle should be given: the whole world is too much")
        if self.region is not None:
            _check_region(self.region)
        if self.circle is not None:
            _check_circle(self.circle)

    def parameters(self) -> dict[str, str]:
        """Return the parameters of a query to the station service."""
        names = {
            "network": self.networks,
            "station": self.stations,
            "location": self.locations,
            "channel": self.channels,
        }
        asked = {name: value for name, value in names.items() if value != "*"}
        asked["starttime"] = f"{self.start}T00:00:00"
        asked["endtime"] = f"{self.end}T23:59:59.999999"
        if self.region is not None:
            names_of_region = ("minlatitude", "maxlatitude", "minlongitude", "maxlongitude")
            asked |= {name: f"{value:g}" for name, value in zip(names_of_region, self.region, strict=True)}
        if self.circle is not None:
            names_of_circle = ("latitude", "longitude", "minradius", "maxradius")
            asked |= {name: f"{value:g}" for name, value in zip(names_of_circle, self.circle, strict=True)}
        return asked


def _check_region(region: tuple[float, float, float, float]) -> None:
    south, north, west, east = region
    if not -90 <= south < north <= 90 or not -180 <= west < east <= 180:
        raise ConfigError(
            f"--region {south:g} {north:g} {west:g} {east:g} should be least and largest latitude, least and "
            "largest longitude, in degrees from -90 to 90 and -180 to 180"
        )


def _check_circle(circle: tuple[float, float, float, float]) -> None:
    latitude, longitude, least, largest = circle
    if abs(latitude) > 90 or abs(longitude) > 180 or not 0 <= least < largest <= 180:
        raise ConfigError(
            f"--circle {latitude:g} {longitude:g} {least:g} {largest:g} should be latitude, longitude, "
            "least and largest distance, in degrees"
        )


@dataclass(frozen=True, order=True, slots=True)
class Window:
    """A channel from ``start_ns`` to before ``stop_ns``, since 1970, and the rate that it is said to have."""

    channel: Channel
    start_ns: int
    stop_ns: int
    rate_hz: float

    @classmethod
    def of_days(cls, channel: Channel, first: int, last: int, rate_hz: float) -> Window:
        """Make the window of some days since 1970, both included."""
        return cls(channel, first * DAY_NS, (last + 1) * DAY_NS, rate_hz)

    @property
    def days(self) -> range:
        """The days that it touches."""
        return range(self.start_ns // DAY_NS, -(-self.stop_ns // DAY_NS))

    @property
    def samples(self) -> float:
        """How many samples to expect."""
        return (self.stop_ns - self.start_ns) / _SECOND_NS * self.rate_hz

    def clipped(self, start_ns: int, stop_ns: int) -> Window | None:
        """Return what lies in a span, None where nothing does."""
        start, stop = max(self.start_ns, start_ns), min(self.stop_ns, stop_ns)
        return replace(self, start_ns=start, stop_ns=stop) if start < stop else None


def request_lines(windows: Iterable[Window]) -> bytes:
    r"""
    Write windows as the lines of a POST request.

    >>> request_lines([Window.of_days(Channel.parse("CI.CCC..HHZ"), 18262, 18262, 100.0)])
    b'CI CCC -- HHZ 2020-01-01T00:00:00.000000 2020-01-01T23:59:59.999999\n'
    """
    lines = []
    for window in windows:
        channel = window.channel
        # The end of a query is included, as far as services agree on that.
        times = f"{_iso(window.start_ns)} {_iso(window.stop_ns - _MICROSECOND_NS)}"
        lines.append(
            f"{channel.network} {channel.station} {channel.location or '--'} {channel.code} {times}\n"
        )
    return "".join(lines).encode()


def _iso(time_ns: int) -> str:
    time = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=time_ns // _MICROSECOND_NS)  # noqa: DTZ001
    return time.isoformat(timespec="microseconds")


def halves(windows: Sequence[Window], *, down_to_hours: bool) -> tuple[list[Window], list[Window]] | None:
    """
    Cut a request in two: its days first, then its channels, then the hours of a day.

    Parameters
    ----------
    windows : sequence of Window
    down_to_hours : bool
        Whether a day may be cut, down to an hour.

    Returns
    -------
    two lists of Window, or None
        None where it can't be cut any more.

    Examples
    --------
    >>> windows = [Window.of_days(Channel.parse(f"CI.CCC..HH{c}"), 0, 2, 1.0) for c in "ZN"]
    >>> [[len(window.days) for window in half] for half in halves(windows, down_to_hours=False)]
    [[1, 1], [2, 2]]
    """
    start = min(window.start_ns for window in windows)
    stop = max(window.stop_ns for window in windows)
    first, last = start // DAY_NS, (stop - 1) // DAY_NS
    if last > first:
        return _cut(windows, (first + (last - first + 1) // 2) * DAY_NS)
    if len(windows) > 1:
        middle = len(windows) // 2
        return list(windows[:middle]), list(windows[middle:])
    if down_to_hours and stop - start > _FLOOR_NS:
        return _cut(windows, start + (stop - start) // 2 // _SECOND_NS * _SECOND_NS)
    return None


def _cut(windows: Iterable[Window], at_ns: int) -> tuple[list[Window], list[Window]]:
    windows = list(windows)
    before = [part for window in windows if (part := window.clipped(window.start_ns, at_ns))]
    after = [part for window in windows if (part := window.clipped(at_ns, window.stop_ns))]
    return before, after


def runs_of(days: Iterable[int]) -> Runs:
    """
    Join days into runs.

    >>> runs_of([5, 3, 4, 9])
    ((3, 5), (9, 9))
    """
    return tuple(_runs(sorted(set(days))))


def _runs(days: Sequence[int]) -> Iterator[tuple[int, int]]:
    begin = None
    for index, day in enumerate(days):
        begin = day if begin is None else begin
        if index + 1 == len(days) or days[index + 1] != day + 1:
            yield begin, day
            begin = None
