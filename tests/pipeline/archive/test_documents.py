import itertools
import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from station_documents import FILTERED, GAIN, document

from pipeline.archive.documents import count_channels, count_superseded, merge_stationxml
from pipeline.archive.stations import read_stations
from pipeline.errors import FormatError
from pipeline.keys import Channel

HHZ = Channel.parse("XX.AAA..HHZ")


def ns(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


class TestMerging:
    OLD = document(
        ("HHZ", "2020-01-01T00:00:00", "2021-01-01T00:00:00", 1),
        ("HHN", "2020-01-01T00:00:00", "", 0),
        created="2022-01-01T00:00:00",
    )
    NEW = document(
        ("HHZ", "2020-01-01T00:00:00.000000Z", "2021-06-01T00:00:00", 2),
        ("HHZ", "2021-06-01T00:00:00", "", 2),
        created="2023-01-01T00:00:00",
        extra="<Description>new</Description><TotalNumberStations>7</TotalNumberStations>",
    )
    OTHER = document(
        ("BHZ", "2019-01-01T00:00:00", "", 0), network="YY", station="BBB", created="2021-01-01T00:00:00"
    )

    def test_the_document_created_last_holds_and_nothing_is_lost(self):
        stations = read_stations(self.OLD, self.OTHER, self.NEW)
        assert [str(channel) for channel in stations.channels] == [
            "XX.AAA..HHN",
            "XX.AAA..HHZ",
            "YY.BBB..BHZ",
        ]
        assert [(e.end_ns, e.azimuth_deg) for e in stations.epochs_of(HHZ)] == [
            (ns("2021-06-01"), 2.0),
            (None, 2.0),
        ]
        merged = merge_stationxml([self.OLD, self.OTHER, self.NEW])
        assert b"<Description>new</Description>" in merged
        assert b"TotalNumberStations" not in merged

    @settings(max_examples=20, deadline=None)
    @given(st.permutations([OLD, NEW, OTHER]), st.integers(0, 3))
    def test_order_and_repetition_do_not_matter(self, documents, again):
        merged = merge_stationxml([self.OLD, self.NEW, self.OTHER])
        assert merge_stationxml(documents + documents[:again]) == merged
        assert merge_stationxml([merged]) == merged
        assert merge_stationxml([merged, *documents]) == merged

    def test_real_documents(self, data_folder):
        california = (data_folder / "continuous" / "california-3min" / "stations.xml").read_bytes()
        etna = (data_folder / "gravity" / "etna-aqg" / "stations.xml").read_bytes()
        # the Californian document cut in two by station, and put together again
        parts = re.split(rb"(?=<Station )", california)
        head, stations, tail = parts[0], parts[1:], b"</Network></FDSNStationXML>"
        stations[-1] = stations[-1][: stations[-1].rindex(b"</Station>") + len(b"</Station>")]
        random.Random(0).shuffle(stations)
        halves = [head + b"".join(half) + tail for half in (stations[:7], stations[7:])]
        merged = merge_stationxml([etna, *halves])
        assert merged == merge_stationxml([california, etna])
        epochs = read_stations(merged).epochs
        assert set(epochs) == {*read_stations(california).epochs, *read_stations(etna).epochs}

    def test_nothing_to_merge_is_refused(self):
        with pytest.raises(FormatError, match="at least one StationXML document"):
            merge_stationxml([])

    def test_parts_of_a_station_in_one_document_are_joined(self):
        one = document(("HHZ", "2020-01-01T00:00:00", "", 1))
        other = document(("HHN", "2020-01-01T00:00:00", "", 0))
        station, network = (
            re.search(pattern, other, re.DOTALL)[0]
            for pattern in (rb"<Station .*</Station>", rb"<Network .*</Network>")
        )
        for repeated in (
            one.replace(b"</Network>", station + b"</Network>"),
            one.replace(b"</FDSN", network + b"</FDSN"),
        ):
            assert merge_stationxml([repeated]) == merge_stationxml([one, other])

    def test_a_time_that_is_none_is_refused_by_name(self):
        with pytest.raises(FormatError, match=r"^HHZ: startDate should be a time .*, got 'last May'"):
            merge_stationxml([document(("HHZ", "last May", "", 0)), self.OLD])


class TestFullerResponses:
    """A document made without responses, though created later, takes none away."""

    def one(self, response, created):
        return document(("HHZ", "2020-01-01T00:00:00", "", 0, response), created=created)

    def test_the_fuller_response_holds_whatever_was_created_last(self):
        documents = [
            self.one(FILTERED, "2021-01-01T00:00:00"),
            self.one(GAIN, "2022-01-01T00:00:00"),
            self.one("", "2023-01-01T00:00:00"),
        ]
        merged = {merge_stationxml(order) for order in itertools.permutations(documents)}
        (only,) = merged
        [epoch] = read_stations(only).epochs
        assert [stage.gain for stage in epoch.response.stages] == [3.0]
        step = merge_stationxml([merge_stationxml(documents[1:]), documents[0]])
        assert read_stations(step).epochs == (epoch,)

    def test_what_another_document_has_otherwise_is_counted(self):
        old, new = self.one(FILTERED, "2021-01-01T00:00:00"), self.one(GAIN, "2022-01-01T00:00:00")
        merged = merge_stationxml([old, new])
        assert [count_superseded(each, merged) for each in (old, new, merged)] == [0, 1, 0]
        assert count_channels(merged) == (1, 1)


class TestUndated:
    """Dataless SEED and text know no start of networks and stations."""

    DATED = document(("HHZ", "2020-01-01T00:00:00", "", 0, FILTERED), created="2021-01-01T00:00:00")

    def undated(self, *channels, created="1970-01-01T00:00:00"):
        return document(*channels, starts="", created=created)

    @pytest.mark.parametrize("created", ["1970-01-01T00:00:00", "2024-01-01T00:00:00"])
    def test_their_channels_go_to_the_station_that_spans_them(self, created):
        text = self.undated(
            ("HHZ", "2020-01-01T00:00:00", "", 5, GAIN),
            ("HHN", "2020-01-01T00:00:00", "", 0),
            created=created,
        )
        merged = merge_stationxml([self.DATED, text])
        assert merged == merge_stationxml([text, self.DATED])
        assert merged == merge_stationxml([merged])
        assert merged == merge_stationxml([merged, text, self.DATED])
        assert (merged.count(b"<Network "), merged.count(b"<Station ")) == (1, 1)
        stations = read_stations(merged)
        assert not stations.overlaps
        assert [str(channel) for channel in stations.channels] == ["XX.AAA..HHN", "XX.AAA..HHZ"]
        assert stations.find(HHZ, ns("2020-06-01")).azimuth_deg == 0.0

    def test_what_no_station_spans_stays_apart(self):
        early = self.undated(("HHZ", "1995-01-01T00:00:00", "1999-01-01T00:00:00", 0))
        merged = merge_stationxml([self.DATED, early])
        assert merged == merge_stationxml([merged, early])
        assert merged.count(b"<Station ") == 2
        assert [epoch.start_ns for epoch in read_stations(merged).epochs] == [
            ns("1995-01-01"),
            ns("2020-01-01"),
        ]
