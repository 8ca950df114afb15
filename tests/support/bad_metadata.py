"""Cases of bad input: what StationXML does not say. An ingest goes on; whoever asks for the response is told."""

# ruff: noqa: E501 (what is said stands here word by word)

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable

import obspy
import pytest
from bad_input import GOOD, SECOND, START_NS, Group, Place, Trace, walk
from obspy.core.inventory import Channel, Inventory, Network, Response, Site, Station

from pipeline.archive.reading import Archive
from pipeline.errors import ResponseError
from pipeline.keys import Channel as ChannelKey

__all__ = ["METADATA"]

METADATA = Group("Metadata")
TRACE = Trace(walk(1000), "XX.BAD..BHZ", rate_hz=20.0)
OPTIONS = ("--stations", "{sources}/../stations.xml")
YEAR = dt.timedelta(days=366)
OUR_DAY = obspy.UTCDateTime(ns=START_NS)
SPAN = "note: XX.BAD..BHZ: no metadata: samples from 2020-03-03T04:00:00.000Z to 2020-03-03T04:00:49.950Z"
NAME = "XX.BAD..BHZ at 2020-03-03T04:00:00.000000Z"


def document(place: Place, *stations: Station) -> None:
    """Write a StationXML beside the sources, which has the good station as well."""
    good = station(OUR_DAY - YEAR, OUR_DAY + YEAR, name=GOOD)
    inventory = Inventory([Network("XX", [*stations, good])], source="made up", created=OUR_DAY)
    inventory.write(written := io.BytesIO(), format="STATIONXML")
    (place.folder.parent / "stations.xml").write_bytes(written.getvalue())


def station(
    start: obspy.UTCDateTime,
    end: obspy.UTCDateTime,
    *,
    name: str = "XX.BAD..BHZ",
    latitude: float = 38.0,
    gain: bool = True,
) -> Station:
    """Return a station with one channel over one epoch."""
    _, code, _, channel_code = name.split(".")
    response = Response.from_paz([0j, 0j], [-0.04 + 0.04j, -0.04 - 0.04j], 1500.0) if gain else None
    place = {"latitude": latitude, "longitude": 21.5, "elevation": 100.0}
    channel = Channel(
        channel_code, "", depth=0.0, azimuth=0.0, dip=-90.0, sample_rate=20.0, start_date=start, end_date=end,
        response=response, **place,
    )  # fmt: skip
    return Station(
        code,
        site=Site("made up"),
        channels=[channel],
        creation_date=start,
        start_date=start,
        end_date=end,
        **place,
    )


def asking_gives(said: str) -> Callable[[Archive], None]:
    """Ask for the response at the time of the samples, and compare what is said."""

    def check(archive: Archive) -> None:
        with pytest.raises(ResponseError) as raised:
            archive.stations.frequency_response(ChannelKey.parse(TRACE.channel), TRACE.start_ns, [1.0])
        assert str(raised.value) == said, str(raised.value)

    return check


def asked(wrong: str, said: str, *options: str, told: tuple[str, ...] = ()) -> object:
    """Return a case where all samples are there, and the response is not."""
    return METADATA.case(
        wrong,
        said=told,
        becomes=f"all there; who asks for the response is told `{said}`",
        status=0,
        options=options,
        check=asking_gives(said),
    )


@asked("no StationXML at all", f"{NAME}: no epoch holds; known: none")
def no_stationxml(place: Place) -> list[Trace]:
    place.write("bad.mseed", TRACE.records())
    return [TRACE]


@asked(
    "a StationXML that has other stations only",
    f"{NAME}: no epoch holds; known: none",
    *OPTIONS,
    told=(f"{SPAN} lie outside any epoch: the metadata do not have the channel",),
)
def not_in_stationxml(place: Place) -> list[Trace]:
    document(place)
    place.write("bad.mseed", TRACE.records())
    return [TRACE]


@asked(
    "a StationXML whose channel has no response",
    f"{NAME}: the epoch from 2019-03-03T04:00:00.000000Z has no response",
    *OPTIONS,
)
def no_response(place: Place) -> list[Trace]:
    document(place, station(OUR_DAY - YEAR, OUR_DAY + YEAR, gain=False))
    place.write("bad.mseed", TRACE.records())
    return [TRACE]


@asked(
    "a response without a gain",
    f"{NAME}: stage 1 has no gain",
    *OPTIONS,
)
def no_gain(place: Place) -> list[Trace]:
    bare = station(OUR_DAY - YEAR, OUR_DAY + YEAR)
    response = bare[0].response
    response.instrument_sensitivity = response.response_stages[0].stage_gain = None
    document(place, bare)
    place.write("bad.mseed", TRACE.records())
    return [TRACE]


@asked(
    "samples in a gap between two epochs",
    f"{NAME}: no epoch holds; known: 2019-03-03T04:00:00.000000Z to 2020-03-03T03:00:00.000000Z, "
    "2020-03-03T05:00:00.000000Z to 2021-03-04T04:00:00.000000Z",
    *OPTIONS,
    told=(f"{SPAN} lie outside its 2 epochs",),
)
def epoch_gap(place: Place) -> list[Trace]:
    hour = 3600
    document(place, station(OUR_DAY - YEAR, OUR_DAY - hour), station(OUR_DAY + hour, OUR_DAY + YEAR))
    place.write("bad.mseed", TRACE.records())
    return [TRACE]


def places_differ(archive: Archive) -> None:
    """Compare the places before and after the move."""
    channel = ChannelKey.parse(TRACE.channel)
    found = [archive.stations.find(channel, TRACE.start_ns + at * SECOND) for at in (0, 3600)]
    assert [epoch and epoch.latitude_deg for epoch in found] == [38.0, 38.1]


@METADATA.case(
    "a station that was moved by 11 km between two epochs",
    said=(),
    becomes="all there, in one stream; each time has the place of its epoch",
    status=0,
    options=OPTIONS,
    check=places_differ,
)
def station_moved(place: Place) -> list[Trace]:
    moved = OUR_DAY + 1800
    document(place, station(OUR_DAY - YEAR, moved), station(moved, OUR_DAY + YEAR, latitude=38.1))
    traces = [TRACE, Trace(walk(1000, 1), TRACE.channel, START_NS + 3600 * SECOND, 20.0)]
    place.write("bad.mseed", b"".join(trace.records() for trace in traces))
    return traces
