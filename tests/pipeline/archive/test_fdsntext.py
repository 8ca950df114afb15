"""FDSN text against obspy's reader of it, against the schema of StationXML, and line by line."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest

from pipeline.archive.fdsntext import is_fdsn_text, text_to_stationxml
from pipeline.archive.stations import read_stations
from pipeline.errors import FormatError
from pipeline.keys import Channel

LINE = (
    "CI|CCC||HHZ|35.52|-117.36|670|1.5|12|-90|CMG-3T, STS|6.3e8|0.03|M/S|100|2013-05-07T00:00:00|2599-12-31"
)
STATION = "CI|CCC|35.52|-117.36|670|Christmas Canyon|2013-05-07T00:00:00|"
NAMES = [
    *("network", "station", "location", "channel", "lat", "lon", "elev", "depth", "az", "dip"),
    *("sensor", "scale", "freq", "units", "rate", "start", "end"),
]


def changed(**fields):
    parts = dict(zip(NAMES, LINE.split("|"), strict=True)) | fields
    return "|".join(parts.values()).encode()


def bundled(pattern):
    import obspy

    files = sorted((Path(obspy.__file__).parent / "io/stationtxt/tests/data").glob(pattern))
    if not files:
        pytest.skip("obspy is installed without its test data")
    return files


def test_a_line_becomes_an_epoch():
    [epoch] = read_stations(text_to_stationxml(LINE.encode())[0]).epochs
    assert epoch.channel == Channel.parse("CI.CCC..HHZ")
    assert (epoch.latitude_deg, epoch.longitude_deg, epoch.elevation_m, epoch.depth_m) == (
        35.52,
        -117.36,
        670,
        1.5,
    )
    assert (epoch.azimuth_deg, epoch.dip_deg, epoch.rate_hz, epoch.sensor) == (12, -90, 100, "CMG-3T, STS")
    assert (epoch.start_ns, epoch.end_ns) == (1_367_884_800_000_000_000, None)


def test_its_response_is_a_gain_in_the_units_it_states():
    [epoch] = read_stations(text_to_stationxml(changed(units="nm/s"))[0]).epochs
    assert (epoch.sensitivity, epoch.response.sensitivity_frequency_hz) == (6.3e8, 0.03)
    frequencies = np.array([0.01, 1.0, 40.0])
    np.testing.assert_allclose(epoch.response.evaluate(frequencies), 6.3e17)
    np.testing.assert_allclose(
        epoch.response.evaluate(frequencies, output="displacement"), 6.3e17 * 2j * np.pi * frequencies
    )


@pytest.mark.parametrize("scale", ["", "0"])
def test_without_a_scale_there_is_no_response(scale):
    [epoch] = read_stations(text_to_stationxml(changed(scale=scale, freq="", units=""))[0]).epochs
    assert epoch.response is None


@pytest.mark.parametrize(
    "name", ["channel_level_fdsn*.txt", "log_channel_fdsn.txt", "station_level_fdsn*.txt"]
)
def test_obspys_texts_become_what_obspy_reads(name):
    from obspy import read_inventory

    for file in bundled(name):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = read_inventory(file, format="STATIONTXT")
        stations = read_stations(text_to_stationxml(file.read_bytes())[0])
        theirs = [(n.code, s.code, c) for n in peer for s in n for c in s]
        assert len(stations.epochs) == len(theirs)
        for network, station, channel in theirs:
            ours = stations.find(
                Channel(network, station, channel.location_code, channel.code), channel.start_date.ns
            )
            assert ours.start_ns == channel.start_date.ns
            assert (ours.latitude_deg, ours.elevation_m) == (channel.latitude, channel.elevation)
            assert (ours.azimuth_deg, ours.dip_deg) == (channel.azimuth, channel.dip)
            assert ours.rate_hz == channel.sample_rate
            given = channel.response and channel.response.instrument_sensitivity.value
            assert ours.sensitivity == (given or None)
        for network in peer:
            for station in network:
                places = stations.places[network.code, station.code]
                assert station.latitude in [place.latitude_deg for place in places]


@pytest.mark.parametrize("text", [LINE, STATION, f"{STATION}\n{LINE}", LINE.replace("|12|-90|", "|||")])
def test_what_comes_out_keeps_to_the_schema(text):
    from obspy.io.stationxml.core import validate_stationxml

    document, _ = text_to_stationxml(text.encode())
    valid, errors = validate_stationxml(io.BytesIO(document))
    assert valid, errors


def test_lines_of_stations_are_places_and_nothing_else():
    document, notes = text_to_stationxml(f"#Network|Station|...\n{STATION}\n".encode())
    stations = read_stations(document)
    assert not stations.epochs
    place = stations.place(Channel.parse("CI.CCC..HHZ"), 1_400_000_000 * 10**9)
    assert (place.latitude_deg, place.longitude_deg, place.elevation_m) == (35.52, -117.36, 670.0)
    assert stations.place(Channel.parse("CI.CCC..HHZ"), 0) is None
    assert notes == ["text of stations says where they are, and nothing of channels"]


def test_the_same_text_gives_the_same_bytes_and_headings_do_not_matter():
    plain = text_to_stationxml(LINE.encode())
    assert text_to_stationxml(f"#DataCenter=X\n#Network | Station | ...\n\n{LINE}\r\n".encode()) == plain
    assert text_to_stationxml(b"\xef\xbb\xbf" + LINE.replace("CCC||", "CCC|--|").encode()) == plain


def test_an_azimuth_that_is_none_is_left_out_and_said():
    document, notes = text_to_stationxml(changed(az="-999", dip="95"))
    [epoch] = read_stations(document).epochs
    assert (epoch.azimuth_deg, epoch.dip_deg) == (None, None)
    assert notes[:2] == [
        "line 1: azimuth -999° is no direction, left out",
        "line 1: dip 95° is no direction, left out",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a line for each channel or station, got none"),
        (b"#Network | Station\n", "a line for each channel or station, got none"),
        (b"CI|Caltech|1999-01-01T00:00:00||500", "line 1: says nothing of stations; ask for level=channel"),
        (b"#Network\nCI|CCC||HHZ", "line 2: should have 17 fields .a channel. or 8 .a station.*got 4"),
        (changed(lat="91"), "line 1: latitude should be a number from -90 to 90, got '91'"),
        (changed(lon="west"), "line 1: longitude should be a number, got 'west'"),
        (changed(elev=""), "line 1: elevation should be a number, got ''"),
        (changed(elev="nan"), "line 1: elevation should be a number, got 'nan'"),
        (changed(scale="a lot"), "line 1: scale should be a number, got 'a lot'"),
        (changed(start="last May"), "line 1: start should be a time as 2020-03-01T00:00:00, got 'last May'"),
        (changed(station=""), "line 1: the station should have a code"),
        (changed(channel=""), "line 1: the channel should have a code"),
        (LINE.replace("CMG", "Gürälp").encode("latin-1"), "should be UTF-8"),
    ],
)
def test_what_can_not_be_read_is_refused_by_its_line(data, said):
    with pytest.raises(FormatError, match=said):
        text_to_stationxml(data)


@pytest.mark.parametrize(
    ("head", "is_one"),
    [
        (LINE.encode(), True),
        (STATION.encode(), True),
        (b"#DataCenter=IRISDMC\n#Network | Station", True),
        (b"#Network|Station|Latitude", True),
        (b"# a comment\na|b", False),
        (b"", False),
        (b"\x00\xff\x01", False),
    ],
)
def test_text_is_known_by_its_first_line(head, is_one):
    assert is_fdsn_text(head) == is_one
