import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from station_documents import document

from pipeline.archive.documents import merge_stationxml
from pipeline.archive.stations import ChannelEpoch, Place, Stations, read_stations
from pipeline.errors import FormatError, ResponseError
from pipeline.keys import Channel, Stream

SECOND = 1_000_000_000
HHZ = Channel.parse("XX.AAA..HHZ")


def epoch(start, end, *, channel=HHZ, azimuth_deg=0.0):
    return ChannelEpoch(
        channel=channel,
        start_ns=start,
        end_ns=end,
        latitude_deg=1.0,
        longitude_deg=2.0,
        elevation_m=3.0,
        depth_m=4.0,
        azimuth_deg=azimuth_deg,
        dip_deg=-90.0,
        rate_hz=100.0,
        sensor="",
        response=None,
    )


def ns(text):
    return int(np.datetime64(text, "ns").astype(np.int64))


class TestLookUp:
    def test_an_epoch_holds_from_its_start_to_before_its_end(self):
        stations = Stations((epoch(20, 30), epoch(0, 10), epoch(40, None)))
        starts = [
            getattr(stations.find(HHZ, t), "start_ns", None) for t in (-1, 0, 9, 10, 20, 29, 30, 40, 2**62)
        ]
        assert starts == [None, 0, 0, None, 20, 20, None, 40, 40]

    @given(
        st.lists(
            st.tuples(st.integers(0, 30), st.none() | st.integers(1, 20)).map(
                lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
            ),
            max_size=6,
        ),
        st.randoms(use_true_random=False),
    )
    def test_the_latest_start_wins_and_every_overlap_is_reported(self, spans, shuffler):
        epochs = [epoch(start, end) for start, end in spans]
        stations = Stations(tuple(epochs))
        shuffler.shuffle(epochs)
        assert Stations(tuple(epochs)) == stations
        contested = set()
        for overlap in stations.overlaps:
            assert overlap.earlier.start_ns <= overlap.later.start_ns == overlap.start_ns
            end = 60 if overlap.end_ns is None else overlap.end_ns
            contested |= set(range(overlap.start_ns, end))
        for time in range(55):
            holding = [e for e in set(epochs) if e.holds_at(time)]
            found = stations.find(HHZ, time)
            assert (found is None) == (not holding)
            assert found is None or found.start_ns == max(e.start_ns for e in holding)
            assert (time in contested) == (len(holding) > 1)

    @given(
        st.lists(st.tuples(st.integers(0, 30), st.integers(1, 20)), max_size=5),
        st.integers(0, 40),
        st.integers(1, 30),
    )
    def test_spans_cover_the_time_with_what_holds(self, lengths, start, length):
        stations = Stations(tuple(epoch(a, a + n) for a, n in lengths))
        spans = list(stations.spans(HHZ, start, start + length))
        assert spans[0][0] == start
        assert spans[-1][1] == start + length
        for (_, end, held), (begin, _, following) in pairwise(spans):
            assert end == begin
            assert held != following
        for begin, end, held in spans:
            assert all(stations.find(HHZ, time) == held for time in range(begin, end))

    def test_a_slot_may_change_its_channel(self):
        one, north = (Channel.parse(f"XX.AAA..HH{code}") for code in "1N")
        stations = Stations((epoch(0, 100, channel=one), epoch(100, None, channel=north)))
        stream = Stream.parse("XX.AAA..HH")
        assert stations.streams == (stream,)
        assert [stations.find_slot(stream, 1, t).channel for t in (50, 150)] == [one, north]
        assert stations.find_slot(stream, 0, 50) is None
        assert stations.find(one, 150) is None

    def test_a_channel_stands_where_it_says_and_else_where_its_station_does(self):
        where = {"latitude_deg": 5.0, "longitude_deg": 6.0, "elevation_m": 7.0}
        places = (
            Place(start_ns=0, end_ns=50, **where),
            Place(start_ns=50, end_ns=None, **(where | {"elevation_m": 8.0})),
        )
        stations = Stations((epoch(20, 30),), {("XX", "AAA"): places})
        found = [stations.place(HHZ, time) for time in (25, 30, 50, -1)]
        assert [place and place.elevation_m for place in found] == [3.0, 7.0, 8.0, None]
        assert (found[0].depth_m, found[1].depth_m) == (4.0, None)
        assert stations.place(Channel.parse("XX.BBB..HHZ"), 25) is None

    def test_no_epoch_and_no_response_name_the_channel_and_the_time(self):
        stations = Stations((epoch(ns("2020-01-01"), ns("2021-01-01")), epoch(ns("2022-01-01"), None)))
        with pytest.raises(
            ResponseError,
            match=r"XX.AAA..HHZ at 2021-06-01T00:00:00.000000Z: no epoch holds; known: 2020-.*Z to 2021-.*Z, "
            r"2022-01-01T00:00:00.000000Z to now",
        ):
            stations.response(HHZ, ns("2021-06-01"))
        with pytest.raises(
            ResponseError, match=r"XX.AAA..HHZ at 2020-06-01.*: the epoch from .* has no response"
        ):
            stations.frequency_response(HHZ, ns("2020-06-01"), [1.0])


class TestReading:
    def test_california(self, data_folder):
        folder = data_folder / "continuous" / "california-3min"
        stations = read_stations((folder / "stations.xml").read_bytes())
        assert len(stations.channels) == 48
        assert len(stations.streams) == 16
        assert not stations.overlaps
        channel = Channel.parse("CI.WMD..HHN")
        found = stations.find(channel, ns("2020-10-01"))
        assert (found.rate_hz, found.azimuth_deg, found.dip_deg) == (100.0, 0.0, 0.0)
        assert (found.latitude_deg, found.longitude_deg) == (33.03826, -115.58191)
        assert (found.elevation_m, found.depth_m) == (-45.0, 2.1)
        assert found.sensor == "CMG-3T, Velocity Sensor, GURALP"
        assert found.sensitivity == 621595260.0

    def test_a_response_is_evaluated_by_channel_and_time(self, data_folder):
        from obspy import UTCDateTime, read_inventory

        path = data_folder / "continuous" / "california-3min" / "stations.xml"
        stations = read_stations(path.read_bytes())
        frequencies = np.array([0.1, 1.0, 10.0])
        ours = stations.frequency_response(Channel.parse("CI.SLV..HHZ"), ns("2020-10-01"), frequencies)
        peer = read_inventory(path).get_response("CI.SLV..HHZ", UTCDateTime(2020, 10, 1))
        theirs = peer.get_evalresp_response_for_frequencies(frequencies, output="VEL")
        np.testing.assert_allclose(ours, theirs, rtol=1e-7)

    def test_the_gravimeter(self, data_folder):
        stations = read_stations((data_folder / "gravity" / "etna-aqg" / "stations.xml").read_bytes())
        gravity = stations.find(Channel.parse("NG.AQG..MGZ"), ns("2020-09-08"))
        assert (gravity.end_ns, gravity.elevation_m, gravity.rate_hz) == (None, 2920.0, 2.0)
        assert gravity.response.input_units == "M/S**2"
        with pytest.raises(
            ResponseError, match=r"NG.AQG..MDO at 2020-.*measures PA has no response to velocity"
        ):
            stations.frequency_response(Channel.parse("NG.AQG..MDO"), ns("2020-09-08"), [0.1])

    def test_stations_pickle_small(self, data_folder):
        stations = read_stations(
            (data_folder / "continuous" / "california-3min" / "stations.xml").read_bytes()
        )
        data = pickle.dumps(stations)
        assert len(data) < 30_000  # of half a megabyte
        again = pickle.loads(data)
        assert again == stations
        channel = stations.channels[7]
        assert again.find(channel, ns("2020-10-01")) == stations.find(channel, ns("2020-10-01"))

    def test_a_far_end_is_open_and_a_missing_one_too(self):
        stations = read_stations(
            document(
                ("HHZ", "2020-01-01T00:00:00", "2599-12-31T23:59:59", 0),
                ("HHN", "2020-01-01T00:00:00", "", 5),
            )
        )
        assert [e.end_ns for e in stations.epochs] == [None, None]
        assert [e.azimuth_deg for e in stations.epochs] == [5.0, 0.0]

    def test_overlapping_epochs_are_read_and_reported(self):
        stations = read_stations(
            document(
                ("HHZ", "2020-01-01T00:00:00", "2021-01-01T00:00:00", 1),
                ("HHZ", "2020-07-01T00:00:00", "2022-01-01T00:00:00", 2),
            )
        )
        (overlap,) = stations.overlaps
        assert (overlap.start_ns, overlap.end_ns) == (ns("2020-07-01"), ns("2021-01-01"))
        assert stations.find(HHZ, ns("2020-08-01")).azimuth_deg == 2.0

    @pytest.mark.parametrize("data", [b"", b"no xml", b"<html/>"])
    def test_what_is_no_stationxml_is_refused(self, data):
        with pytest.raises(FormatError):
            read_stations(data)
        with pytest.raises(FormatError):
            merge_stationxml([data])

    def test_what_obspy_warns_of_is_logged(self, caplog):
        data = document(("HHZ", "2020-01-01T00:00:00", "", 0))
        odd = data.replace(b"<Longitude>20</Longitude><Elevation>30</Elevation><Depth>", b"<Depth>")
        assert odd != data
        stations = read_stations(odd)
        assert not stations.epochs
        assert "StationXML: " in caplog.text
