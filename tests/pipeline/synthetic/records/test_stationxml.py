"""StationXML: valid, read by obspy and by the archive without a warning, with the responses that went in."""

from __future__ import annotations

import logging
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from pipeline.archive.documents import merge_stationxml
from pipeline.archive.stations import read_stations
from pipeline.keys import Channel
from pipeline.synthetic import layout
from pipeline.synthetic.records.stationxml import stationxml

START_NS = 1_500_000_000_123_456_000
END_NS = START_NS + 86_400 * 10**9 * 400
REGION = layout.Region(latitude=50.0, longitude=8.0, width_km=120.0, height_km=80.0)
SEISMIC = layout.seismic_network(REGION, 4, seed=1, start_ns=START_NS, orientation_error_deg=5)
GRAVITY = layout.gravity_network(REGION, 2, seed=1, start_ns=START_NS, end_ns=END_NS)
DOCUMENT = stationxml([*SEISMIC, *GRAVITY], created_ns=START_NS)
FREQUENCIES_HZ = np.geomspace(1e-4, 49, 60)


def channel(station, code):
    return Channel(station.network, station.name, "", code)


def test_it_is_valid_by_the_schema():
    from obspy.io.stationxml.core import validate_stationxml

    assert validate_stationxml(BytesIO(DOCUMENT)) == (True, ())
    assert b'schemaVersion="1.2"' in DOCUMENT


def test_obspy_evaluates_the_response_that_went_in():
    from obspy import read_inventory

    inventory = read_inventory(BytesIO(DOCUMENT), format="STATIONXML")
    for station in (SEISMIC[0], GRAVITY[0]):
        for sensor in station.sensors:
            for code, _, _ in sensor.channels:
                (found,) = inventory.select(network=station.network, station=station.name, channel=code)[0][0]
                theirs = found.response.get_evalresp_response_for_frequencies(FREQUENCIES_HZ, output="DEF")
                np.testing.assert_allclose(theirs, sensor.instrument.response(FREQUENCIES_HZ), rtol=1e-6)
                assert found.response.instrument_sensitivity.value == sensor.instrument.sensitivity


@pytest.mark.parametrize("station", [SEISMIC[2], GRAVITY[1]], ids=["seismic", "gravity"])
def test_the_archive_evaluates_the_response_that_went_in(station):
    stations = read_stations(DOCUMENT)
    for sensor in station.sensors:
        for code, _, _ in sensor.channels:
            found = stations.frequency_response(
                channel(station, code), START_NS, FREQUENCIES_HZ, output="input"
            )
            np.testing.assert_allclose(found, sensor.instrument.response(FREQUENCIES_HZ), rtol=1e-9)


def test_the_archive_reads_all_without_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        stations = read_stations(DOCUMENT)
    assert not caplog.records
    assert len(stations.channels) == 4 * 3 + 2 * 2
    assert not stations.overlaps
    for station in (*SEISMIC, *GRAVITY):
        for sensor in station.sensors:
            for code, azimuth_deg, dip_deg in sensor.channels:
                (epoch,) = stations.epochs_of(channel(station, code))
                assert (epoch.start_ns, epoch.end_ns) == (sensor.start_ns, sensor.end_ns)
                assert (epoch.latitude_deg, epoch.longitude_deg) == (station.latitude, station.longitude)
                assert (epoch.elevation_m, epoch.depth_m) == (station.elevation_m, 0.0)
                assert (epoch.azimuth_deg, epoch.dip_deg) == (azimuth_deg, dip_deg)
                assert epoch.rate_hz == sensor.rate_hz
                assert epoch.sensor == sensor.instrument.name


def test_the_truth_is_not_in_it():
    honest = [
        replace(
            station,
            site=SEISMIC[0].site,
            sensors=tuple(replace(sensor, orientation_error_deg=0.0) for sensor in station.sensors),
        )
        for station in SEISMIC
    ]
    assert stationxml(honest) == stationxml(SEISMIC)


def test_bytes_depend_on_what_is_written_alone():
    assert stationxml([*GRAVITY[::-1], *SEISMIC[::-1]], created_ns=START_NS) == DOCUMENT
    assert stationxml(SEISMIC, created_ns=1_000) != stationxml(SEISMIC, created_ns=2_000)
    assert b"<Created>2017-07-14T02:40:00.123456Z</Created>" in DOCUMENT


def test_epochs_of_a_change_of_sensor():
    first = SEISMIC[0].sensors[0]
    middle_ns = START_NS + 10**15
    louder = replace(first.instrument, name="louder", sensor_gain=3000.0)
    station = replace(
        SEISMIC[0],
        sensors=(replace(first, end_ns=middle_ns), replace(first, start_ns=middle_ns, instrument=louder)),
    )
    stations = read_stations(stationxml([station]))
    hhz = channel(station, "HHZ")
    before, after = stations.find(hhz, middle_ns - 1), stations.find(hhz, middle_ns)
    assert after.sensitivity == pytest.approx(2 * before.sensitivity)
    assert (before.end_ns, after.end_ns) == (middle_ns, None)


def test_stations_given_twice_become_one():
    twice = [replace(GRAVITY[0], sensors=(sensor,)) for sensor in GRAVITY[0].sensors]
    assert stationxml(twice) == stationxml([GRAVITY[0]])


def test_components_that_do_not_point_north_are_numbered():
    sensor = replace(SEISMIC[0].sensors[0], azimuth_deg=300.0)
    stations = read_stations(stationxml([replace(SEISMIC[0], sensors=(sensor,))], description="a & b"))
    codes = {found.code: stations.epochs_of(found)[0].azimuth_deg for found in stations.channels}
    assert codes == {"HHZ": 0.0, "HH1": 300.0, "HH2": 30.0}


def test_it_merges_with_others():
    merged = merge_stationxml([stationxml(SEISMIC), stationxml(GRAVITY)])
    assert read_stations(merged).channels == read_stations(DOCUMENT).channels
