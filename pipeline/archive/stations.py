"""
Stations: what StationXML says about each channel, looked up by time.

`read_stations` reads a document once into `Stations`: plain frozen data, small enough to travel to workers. A
`ChannelEpoch` holds from its start up to, not including, its end. Where epochs of a channel overlap, the one
that started last holds; `Stations.overlaps` reports them. A `Place` is what is known of a station where
nothing describes its channels.
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pipeline.archive.documents import merge_stationxml
from pipeline.archive.responses import Output, Response, convert
from pipeline.errors import FormatError, ResponseError
from pipeline.keys import Channel, Stream
from pipeline.signal.precision import ComplexArray

__all__ = ["ChannelEpoch", "Overlap", "Place", "Stations", "read_stations"]

_log = logging.getLogger(__name__)

_LATEST_NS = 2**63 - 1


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEpoch:
    """
    One channel over the time in which nothing about it changed.

    Attributes
    ----------
    channel : Channel
    start_ns : int
        Nanoseconds since 1970.
    end_ns : int or None
        The first nanosecond after; None while it is open.
    latitude_deg, longitude_deg : float
    elevation_m : float
        Of the sensor's place above sea level, as StationXML has it.
    depth_m : float
        Of the sensor below the ground there.
    azimuth_deg, dip_deg : float or None
        Where the sensor points: clockwise from north, and down from the horizontal.
    rate_hz : float or None
    sensor : str
    response : Response or None
    """

    channel: Channel
    start_ns: int
    end_ns: int | None
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    depth_m: float
    azimuth_deg: float | None
    dip_deg: float | None
    rate_hz: float | None
    sensor: str
    response: Response | None

    @property
    def sensitivity(self) -> float | None:
        """Counts per input unit, overall."""
        return self.response.sensitivity if self.response else None

    def holds_at(self, time_ns: int) -> bool:
        """Whether a time lies in the epoch."""
        return self.start_ns <= time_ns and (self.end_ns is None or time_ns < self.end_ns)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sensor stands, or its station, for as long as it stands there; see `ChannelEpoch`."""

    start_ns: int
    end_ns: int | None
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    depth_m: float | None = None

    def holds_at(self, time_ns: int) -> bool:
        """Whether a time lies in its span."""
        return self.start_ns <= time_ns and (self.end_ns is None or time_ns < self.end_ns)


@dataclasses.dataclass(frozen=True, slots=True)
class Overlap:
    """Two epochs of one channel that both claim a span; the later one holds."""

    channel: Channel
    start_ns: int
    end_ns: int | None
    earlier: ChannelEpoch
    later: ChannelEpoch


@dataclasses.dataclass(frozen=True)
class Stations:
    """
    Channel epochs, by channel and by stream.

    Parameters
    ----------
    epochs : tuple of ChannelEpoch
        In any order; they are kept sorted, and equal ones once.
    places : mapping of (network, station) to tuple of Place
        Of the stations themselves.

    Examples
    --------
    >>> stations = Stations(())
    >>> stations.response(Channel.parse("CI.CCC..HHZ"), 1_600_000_000_000_000_000)
    Traceback (most recent call last):
    pipeline.errors.ResponseError: CI.CCC..HHZ at 2020-09-13T12:26:40.000000Z: no epoch holds; known: none
    """

    epochs: tuple[ChannelEpoch, ...]
    places: Mapping[tuple[str, str], tuple[Place, ...]] = dataclasses.field(default_factory=dict, hash=False)
    _by_slot: dict[tuple[Stream, int], tuple[ChannelEpoch, ...]] = dataclasses.field(
        init=False, repr=False, compare=False, hash=False
    )

    def __post_init__(self) -> None:
        by_start = sorted(dict.fromkeys(self.epochs), key=_precedence)
        by_slot = defaultdict(list)
        for epoch in by_start:
            by_slot[epoch.channel.stream, epoch.channel.slot].append(epoch)
        object.__setattr__(self, "epochs", tuple(sorted(by_start, key=lambda epoch: epoch.channel)))
        object.__setattr__(self, "_by_slot", {key: tuple(found) for key, found in by_slot.items()})

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels, sorted."""
        return tuple(dict.fromkeys(epoch.channel for epoch in self.epochs))

    @property
    def streams(self) -> tuple[Stream, ...]:
        """The streams, sorted."""
        return tuple(sorted({stream for stream, _ in self._by_slot}))

    def epochs_of(self, channel: Channel) -> tuple[ChannelEpoch, ...]:
        """Return all epochs of a channel, by start."""
        return tuple(
            epoch
            for epoch in self._by_slot.get((channel.stream, channel.slot), ())
            if epoch.channel == channel
        )

    def find(self, channel: Channel, time_ns: int) -> ChannelEpoch | None:
        """Return the epoch of a channel that holds at a time, or None."""
        return _latest(self.epochs_of(channel), time_ns)

    def find_slot(self, stream: Stream, slot: int, time_ns: int) -> ChannelEpoch | None:
        """
        Return the epoch that holds at a time for one component of a stream, or None.

        A slot may belong to different channels at different times, as ``HH1`` and later ``HHN``.
        """
        return _latest(self._by_slot.get((stream, slot), ()), time_ns)

    def place(self, channel: Channel, time_ns: int) -> Place | None:
        """
        Return where a channel was at a time: its own place, or its station's where nothing describes it.

        >>> there = Place(start_ns=0, end_ns=None, latitude_deg=35.5, longitude_deg=-117.4, elevation_m=670.0)
        >>> stations = Stations((), {("CI", "CCC"): (there,)})
        >>> stations.place(Channel.parse("CI.CCC..HHZ"), 5) == there
        True
        """
        epoch = self.find(channel, time_ns)
        if epoch is not None:
            names = (field.name for field in dataclasses.fields(Place))
            return Place(**{name: getattr(epoch, name) for name in names})
        known = self.places.get((channel.network, channel.station), ())
        return next((place for place in reversed(known) if place.holds_at(time_ns)), None)

    def spans(
        self, channel: Channel, start_ns: int, end_ns: int
    ) -> Iterator[tuple[int, int, ChannelEpoch | None]]:
        """
        Cut a span of time where the epoch that holds changes.

        Yields
        ------
        start_ns, end_ns : int
        epoch : ChannelEpoch or None
        """
        edges = {start_ns, end_ns}
        for epoch in self.epochs_of(channel):
            edges |= {epoch.start_ns, _LATEST_NS if epoch.end_ns is None else epoch.end_ns}
        inside = sorted(edge for edge in edges if start_ns <= edge <= end_ns)
        held_from, held = start_ns, self.find(channel, start_ns)
        for start, end in pairwise(inside):
            now = self.find(channel, start)
            if now != held:
                yield held_from, start, held
                held_from, held = start, now
            if end == end_ns:
                yield held_from, end, held

    @property
    def overlaps(self) -> tuple[Overlap, ...]:
        """All pairs of epochs of one channel that claim the same time, the one that holds second."""
        found = []
        for channel in self.channels:
            epochs = self.epochs_of(channel)
            for index, later in enumerate(epochs):
                for earlier in epochs[:index]:
                    ends = [end for end in (earlier.end_ns, later.end_ns) if end is not None]
                    if not ends or later.start_ns < min(ends):
                        end_ns = min(ends, default=None)
                        found.append(Overlap(channel, later.start_ns, end_ns, earlier, later))
        return tuple(found)

    def response(self, channel: Channel, time_ns: int) -> Response:
        """
        Return the response of a channel at a time.

        Raises
        ------
        ResponseError
            Where no epoch holds, or it has no response.
        """
        epoch = self.find(channel, time_ns)
        if epoch is None:
            epochs = self.epochs_of(channel)
            known = ", ".join(f"{_text(e.start_ns)} to {_text(e.end_ns)}" for e in epochs) or "none"
            raise ResponseError(f"{channel} at {_text(time_ns)}: no epoch holds; known: {known}")
        if epoch.response is None:
            raise ResponseError(
                f"{channel} at {_text(time_ns)}: the epoch from {_text(epoch.start_ns)} has no response"
            )
        return epoch.response

    def frequency_response(
        self, channel: Channel, time_ns: int, frequencies_hz: ArrayLike, *, output: Output = "velocity"
    ) -> ComplexArray:
        """
        Evaluate the response of a channel at a time; see `Response.evaluate`.

        Raises
        ------
        ResponseError
            With the channel and the time, where there is no response or it can't be evaluated.
        """
        response = self.response(channel, time_ns)
        try:
            return response.evaluate(frequencies_hz, output=output)
        except ResponseError as error:
            raise ResponseError(f"{channel} at {_text(time_ns)}: {error}") from error


def _latest(epochs: Sequence[ChannelEpoch], time_ns: int) -> ChannelEpoch | None:
    return next((epoch for epoch in reversed(epochs) if epoch.holds_at(time_ns)), None)


def _precedence(epoch: ChannelEpoch) -> tuple[int, int, Channel]:
    """Order epochs so that, of those that hold, the last one does: started last, and then ends first."""
    return epoch.start_ns, -(_LATEST_NS if epoch.end_ns is None else epoch.end_ns), epoch.channel


def _text(time_ns: int | None) -> str:
    return "now" if time_ns is None else f"{np.datetime64(time_ns, 'ns').astype('datetime64[us]')}Z"


def read_stations(*documents: bytes) -> Stations:
    """
    Read StationXML.

    Parameters
    ----------
    *documents : bytes
        One document, or several, which are merged first.

    Returns
    -------
    Stations

    Raises
    ------
    FormatError
        Where a document is no StationXML.
    """
    from obspy import read_inventory

    document = documents[0] if len(documents) == 1 else merge_stationxml(documents)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            inventory = read_inventory(BytesIO(document), format="STATIONXML")
        except Exception as error:  # obspy lets through whatever its parsers raise
            reason = "; ".join(dict.fromkeys(str(each) for each in (*(w.message for w in said), error)))
            raise FormatError(f"StationXML of {len(document)} bytes can't be read: {reason}") from error
    for message in dict.fromkeys(str(warning.message) for warning in said):
        _log.warning("StationXML: %s", message)
    shared: dict[Any, Any] = {}
    epochs, places = [], defaultdict(list)
    for network in inventory:
        for station in network:
            places[network.code, station.code].append(_place(network, station))
            epochs += [_epoch(network, station, channel, shared) for channel in station]
    ordered = {key: tuple(sorted(found, key=lambda place: place.start_ns)) for key, found in places.items()}
    return Stations(tuple(epochs), ordered)


def _place(network: Any, station: Any) -> Place:
    return Place(
        start_ns=_start_ns(station, network),
        end_ns=_end_ns(station),
        latitude_deg=float(station.latitude),
        longitude_deg=float(station.longitude),
        elevation_m=float(station.elevation),
    )


def _start_ns(*described: Any) -> int:
    """Return the first start that is stated, of a channel, its station and its network."""
    start = next((each.start_date for each in described if each.start_date is not None), None)
    return 0 if start is None else int(start.ns)


def _end_ns(described: Any) -> int | None:
    end = described.end_date
    return None if end is None or end.ns > _LATEST_NS else int(end.ns)


def _epoch(network: Any, station: Any, channel: Any, shared: dict[Any, Any]) -> ChannelEpoch:
    """Convert one of obspy's channels; equal stages of responses are kept once, in ``shared``."""
    response = convert(channel.response)
    if response is not None:
        stages = tuple(shared.setdefault(stage, stage) for stage in response.stages)
        response = dataclasses.replace(response, stages=stages)
        response = shared.setdefault(response, response)
    sensor = channel.sensor
    described = (sensor.model, sensor.description, sensor.type) if sensor else ()
    return ChannelEpoch(
        channel=Channel(network.code, station.code, (channel.location_code or "").strip(), channel.code),
        start_ns=_start_ns(channel, station, network),
        end_ns=_end_ns(channel),
        latitude_deg=float(channel.latitude),
        longitude_deg=float(channel.longitude),
        elevation_m=float(channel.elevation),
        depth_m=float(channel.depth),
        azimuth_deg=_number(channel.azimuth),
        dip_deg=_number(channel.dip),
        rate_hz=_number(channel.sample_rate),
        sensor=", ".join(dict.fromkeys(text for text in described if text)),
        response=response,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
