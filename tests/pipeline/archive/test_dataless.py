"""Dataless SEED against what obspy itself makes of it, and what it says where something is lost."""

import io
import warnings
from pathlib import Path

import numpy as np
import pytest

from pipeline.archive.dataless import dataless_to_stationxml, is_dataless
from pipeline.archive.stations import read_stations
from pipeline.errors import FormatError
from pipeline.keys import Channel


def volume(name):
    import obspy

    file = Path(obspy.__file__).parent / "io/xseed/tests/data" / name
    if not file.is_file():
        pytest.skip("obspy is installed without its test data")
    return file.read_bytes()


def peer(data):
    from obspy import read_inventory

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read_inventory(io.BytesIO(data), format="SEED")


@pytest.mark.parametrize(
    "name", ["dataless.seed.BW_RJOB", "CL.AIO.dataless", "G.SPB.dataless", "AI.ESPZ._.BH_.dataless"]
)
def test_channels_and_responses_are_what_obspy_reads(name):
    data = volume(name)
    document, notes = dataless_to_stationxml(data)
    stations = read_stations(document)
    theirs = [(n.code, s.code, c) for n in peer(data) for s in n for c in s]
    assert len(stations.epochs) == len(theirs) > 2
    frequencies = np.array([0.01, 0.1, 1.0])
    for network, station, channel in theirs:
        name = Channel(network, station, channel.location_code.strip(), channel.code)
        ours = stations.find(name, channel.start_date.ns)
        assert (ours.start_ns, ours.latitude_deg) == (channel.start_date.ns, channel.latitude)
        assert ours.end_ns == (channel.end_date and channel.end_date.ns)
        expected = channel.response.get_evalresp_response_for_frequencies(
            frequencies, output="VEL", hide_sensitivity_mismatch_warning=True
        )
        np.testing.assert_allclose(ours.response.evaluate(frequencies), expected, rtol=1e-5)
    assert notes == []


def test_the_time_of_conversion_is_nowhere():
    data = volume("dataless.seed.BW_RJOB")
    document, _ = dataless_to_stationxml(data)
    assert dataless_to_stationxml(data)[0] == document
    stated = data[8:].split(b"~")[2]  # year and day of year
    created = document.partition(b"<Created>")[2][:10].decode()
    assert np.datetime64(created) == np.datetime64(f"{stated[:4].decode()}-01-01") + int(stated[5:8]) - 1
    undated = data.replace(stated, b" " * len(stated))
    converted = dataless_to_stationxml(undated)[0]
    assert b"<Created>1970-01-01T00:00:00" in converted
    assert dataless_to_stationxml(undated)[0] == converted


def test_channels_without_a_response_are_told():
    import obspy

    file = Path(obspy.__file__).parent / "core/tests/data/ffbx.dataless"
    if not file.is_file():
        pytest.skip("obspy is installed without its test data")
    document, notes = dataless_to_stationxml(file.read_bytes())
    assert [epoch.response for epoch in read_stations(document).epochs] == [None] * 18
    assert notes == ["18 of 18 channel epochs came without a response"]


def test_elevations_that_are_not_stated_are_on_the_ground_and_told(monkeypatch):
    from obspy import read_inventory

    def unplaced(*args, **options):
        inventory = read_inventory(*args, **options)
        inventory[0][0].elevation = inventory[0][0][0].depth = (
            123456.0  # as obspy has it where none is stated
        )
        return inventory

    data = volume("G.SPB.dataless")
    monkeypatch.setattr("obspy.read_inventory", unplaced)
    document, notes = dataless_to_stationxml(data)
    assert b"123456" not in document
    assert notes == ["2 stations or channels state no elevation or depth: taken as 0 m"]


def test_what_obspy_warns_of_is_told():
    _, notes = dataless_to_stationxml(volume("BN.LPW._.BHE.dataless"))
    assert notes == ["More than one Abbreviation Dictionary Control Headers found!"]


@pytest.mark.parametrize("cut", [20, 300, 5000])
def test_a_volume_that_is_cut_is_refused_or_told(cut):
    data = volume("dataless.seed.BW_RJOB")
    with pytest.raises(FormatError, match=rf"^dataless SEED of {cut} bytes "):
        dataless_to_stationxml(data[:cut])


def test_a_volume_without_stations_is_refused():
    with pytest.raises(FormatError, match="dataless SEED of 8192 bytes has no station in it"):
        dataless_to_stationxml(volume("dataless.seed.newline_between_blockettes"))


def test_a_volume_is_known_by_its_first_bytes():
    assert is_dataless(volume("G.SPB.dataless")[:64])
    assert not is_dataless(b"000001D PB01   HHZCX")
    assert not is_dataless(b"")
