"""
Stations: what StationXML says about each channel, looked up by time.

`merge_stationxml` makes one document of several, the same whatever their order. `read_stations` reads a
document once into `Stations`: plain frozen data, small enough to travel to workers. A `ChannelEpoch` holds
from its start up to, not including, its end. Where epochs of a channel overlap, the one that started last
holds; `Stations.overlaps` reports them.
"""

from __future__ import annotations

import dataclasses
import logging
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pipeline.archive.responses import Output, Response, convert
from pipeline.errors import FormatError, ResponseError
from pipeline.keys import Channel, Stream
from pipeline.signal.precision import ComplexArray

__all__ = ["ChannelEpoch", "Overlap", "Stations", "merge_stationxml", "read_stations"]

_log = logging.getLogger(__name__)

_NAMESPACE = "http://www.fdsn.org/xml/station/1"
_LATEST_NS = 2**63 - 1
_COUNTS = ("TotalNumberStations", "SelectedNumberStations", "TotalNumberChannels", "SelectedNumberChannels")


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

    Examples
    --------
    >>> stations = Stations(())
    >>> stations.response(Channel.parse("CI.CCC..HHZ"), 1_600_000_000_000_000_000)
    Traceback (most recent call last):
    pipeline.errors.ResponseError: CI.CCC..HHZ at 2020-09-13T12:26:40.000000Z: no epoch holds; known: none
    """

    epochs: tuple[ChannelEpoch, ...]
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
            raise FormatError(f"StationXML of {len(document)} bytes can't be read: {error}") from error
    for message in dict.fromkeys(str(warning.message) for warning in said):
        _log.warning("StationXML: %s", message)
    shared: dict[Any, Any] = {}
    return Stations(
        tuple(
            _epoch(network, station, channel, shared)
            for network in inventory
            for station in network
            for channel in station
        )
    )


def _epoch(network: Any, station: Any, channel: Any, shared: dict[Any, Any]) -> ChannelEpoch:
    """Convert one of obspy's channels; equal stages of responses are kept once, in ``shared``."""
    response = convert(channel.response)
    if response is not None:
        stages = tuple(shared.setdefault(stage, stage) for stage in response.stages)
        response = dataclasses.replace(response, stages=stages)
        response = shared.setdefault(response, response)
    starts = (channel.start_date, station.start_date, network.start_date)
    start = next((date for date in starts if date is not None), None)
    sensor = channel.sensor
    described = (sensor.model, sensor.description, sensor.type) if sensor else ()
    return ChannelEpoch(
        channel=Channel(network.code, station.code, (channel.location_code or "").strip(), channel.code),
        start_ns=0 if start is None else start.ns,
        end_ns=None if channel.end_date is None or channel.end_date.ns > _LATEST_NS else channel.end_date.ns,
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


def merge_stationxml(documents: Iterable[bytes]) -> bytes:
    """
    Make one StationXML document of several.

    Networks, stations and channels are matched by their codes and start. Where two documents describe the
    same one, the document that was created later holds. The order of the documents does not matter, and
    merging a merged document changes nothing. Comments and counts of stations are left out.

    Parameters
    ----------
    documents : iterable of bytes

    Returns
    -------
    bytes
        Canonical XML, sorted.

    Raises
    ------
    FormatError
        Where there is no document, or one is no StationXML.
    """
    from lxml import etree  # type: ignore[import-untyped]

    roots = [_parse(document) for document in documents]
    if not roots:
        raise FormatError("there should be at least one StationXML document to merge")
    roots.sort(key=lambda root: (root.findtext(f"{{{_NAMESPACE}}}Created") or "", etree.tostring(root)))
    merged = roots[-1]
    for root in roots[::-1]:
        _merge_into(merged, _take(root, "Network"), "Station", "Channel")
    _sort(merged, ("Network", "Station", "Channel"))
    etree.cleanup_namespaces(merged)
    etree.indent(merged)
    return bytes(etree.tostring(merged, method="c14n")) + b"\n"


def _parse(document: bytes) -> Any:
    from lxml import etree

    parser = etree.XMLParser(
        remove_blank_text=True, remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        raise FormatError(f"a document of {len(document)} bytes is no XML: {error}") from error
    if etree.QName(root).localname != "FDSNStationXML":
        raise FormatError(f"a StationXML document should be a FDSNStationXML, got a {root.tag}")
    for element in list(root.iter()):
        name = etree.QName(element)
        if name.localname in _COUNTS:
            element.getparent().remove(element)
        elif name.namespace is None:
            element.tag = f"{{{_NAMESPACE}}}{name.localname}"
    return root


def _identity(element: Any) -> tuple[str, ...]:
    """Codes and start, the latter written in one way."""
    from obspy import UTCDateTime

    start = element.get("startDate")
    start_ns = f"{UTCDateTime(start).ns:+020d}" if start else ""
    return element.get("code", ""), element.get("locationCode", "").strip(), start_ns


def _merge_into(parent: Any, elements: Sequence[Any], *below: str) -> None:
    """Move elements into a parent; those it has already give it what lies ``below`` them instead."""
    known = {_identity(element): element for element in parent.iterchildren(*{e.tag for e in elements})}
    for element in elements:
        same = known.get(_identity(element))
        if same is None:
            parent.append(element)
            if below:
                known[_identity(element)] = element
                _merge_into(element, _take(element, below[0]), *below[1:])
        elif below:
            _merge_into(same, _take(element, below[0]), *below[1:])


def _take(parent: Any, name: str) -> list[Any]:
    """Take the children of one name out of their parent."""
    found = parent.findall(f"{{{_NAMESPACE}}}{name}")
    for element in found:
        parent.remove(element)
    return list(found)


def _sort(parent: Any, levels: tuple[str, ...]) -> None:
    found = parent.findall(f"{{{_NAMESPACE}}}{levels[0]}")
    for element in sorted(found, key=_identity):
        parent.append(element)  # moves it to the end
        if levels[1:]:
            _sort(element, levels[1:])
