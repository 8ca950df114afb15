"""SAC: obspy reads what was recorded, at its time; what SAC can't hold exactly is refused."""

import io
import struct
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np
import obspy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from miniseed_files import clocked_records, records

from pipeline.archive.fdsntext import text_to_stationxml
from pipeline.archive.grid import DAY_NS
from pipeline.archive.readers import open_source
from pipeline.archive.runs import ExactRun, exact_runs
from pipeline.archive.sacfiles import NamedFile, Refusal, pack_sac, sac_files, sac_path
from pipeline.archive.stations import read_stations
from pipeline.keys import Channel

MIDNIGHT = 18_325 * DAY_NS  # 2020-03-04
LEAP = 17_167 * DAY_NS  # 2017-01-01
HHZ = Channel.parse("XX.TEST.00.HHZ")
TEXT = b"XX|TEST|00|HHZ|35.25|-117.5|670|1.5|12|-60|STS-2|6.3e8|0.03|M/S|100|2013-05-07T00:00:00|"


def all_of(archive, *, version=6):
    """The SAC of all days, and what was refused."""
    found = []
    for row in archive.index.rows:
        january = (np.datetime64(f"{row.year}-01-01") - np.datetime64("1970-01-01")).astype(int)
        days = [archive.day(row.stream, row.grid, int(january) + d) for d in range(len(row.completeness))]
        for day in (day for day in days if day is not None):
            found += sac_files(archive, row.stream, row.grid, day, version=version)
    files = [each for each in found if isinstance(each, NamedFile)]
    return files, [each for each in found if isinstance(each, Refusal)]


def read(data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a spacing rounded to microseconds
        (trace,) = obspy.read(io.BytesIO(data), format="SAC")
    return trace


@pytest.mark.parametrize("folder", ["turkey-40min", "california-3min"])
def test_real_files_come_back_as_obspy_reads_them(folder, data_folder, archive_of):
    source = data_folder / "continuous" / folder
    files, refused = all_of(archive_of(source))
    stream = obspy.Stream()
    for path in sorted(source.rglob("*.mseed")):
        stream += obspy.read(path)
    stream.merge(-1)
    given = {}
    for trace in stream:  # cut at midnight, as the files are
        end = trace.stats.endtime
        for start in np.arange(trace.stats.starttime.ns // DAY_NS, end.ns // DAY_NS + 1):
            part = trace.slice(
                obspy.UTCDateTime(ns=int(start) * DAY_NS), obspy.UTCDateTime(ns=int(start + 1) * DAY_NS - 1)
            )
            given[part.id, part.stats.starttime.ns // 1000] = part.data
    assert not refused
    assert len(files) == len(given) > 0
    for file in files:
        trace = read(file.data)
        samples = given[trace.id, round(trace.stats.starttime.ns / 1000)]
        assert np.array_equal(trace.data, samples)
        assert trace.stats.sampling_rate == pytest.approx(
            stream.select(id=trace.id)[0].stats.sampling_rate, rel=1e-6
        )


def test_real_samples_in_double_precision_are_refused(data_folder, archive_of):
    archive = archive_of(data_folder / "continuous" / "puerto-rico-hours")
    files, refused = all_of(archive)
    assert refused
    doubles = [row for row in archive.index.rows if "values64" in row.arrays]
    assert {refusal.channel.stream for refusal in refused} <= {row.stream for row in doubles}
    assert sum(len(read(file.data)) for file in files) + sum(refusal.samples for refusal in refused) == sum(
        trace.stats.npts
        for path in (data_folder / "continuous" / "puerto-rico-hours").glob("*.mseed")
        for trace in obspy.read(path, headonly=True)
    )


@given(
    st.integers(-(10**18), 4 * 10**18),
    st.floats(0.01, 1000.0),
    st.integers(1, 50),
    st.sampled_from([6, 7]),
)
def test_the_first_sample_is_exact_to_the_nanosecond(start_ns, rate_hz, count, version):
    samples = np.arange(count, dtype=np.int32)
    data = pack_sac(ExactRun(HHZ, start_ns, rate_hz, samples), version=version)
    year, day, hour, minute, second, ms = struct.unpack_from("<6i", data, 280)
    delta_s, begin_s = (struct.unpack_from("<f", data, at)[0] for at in (0, 20))
    if version == 7:
        delta_s, begin_s = struct.unpack_from("<2d", data, 632 + 4 * count)
        assert delta_s == 1 / rate_hz
        assert len(data) == 632 + 4 * count + 176
    else:
        assert abs(Fraction(delta_s) * Fraction(rate_hz) - 1) < Fraction(1, 2**23)
    days = (np.datetime64(f"{year:04d}-01-01") - np.datetime64("1970-01-01")).astype(int) + day - 1
    seconds = int(days) * 86_400 + hour * 3600 + minute * 60 + second
    assert 0 <= ms < 1000
    assert 0 <= begin_s < 0.001
    assert seconds * 10**9 + ms * 10**6 + round(begin_s * 1e9) == start_ns
    assert np.array_equal(np.frombuffer(data, "<f4", count, 632), samples)


@pytest.mark.parametrize(("version", "tolerance"), [(6, 1e-7), (7, 1e-15)])
def test_our_own_reader_has_the_run_again(version, tolerance):
    run = ExactRun(HHZ, MIDNIGHT + 8_390_123, 99.99987, np.arange(500, dtype=np.int32))
    (piece,), problems = open_source(pack_sac(run, version=version), "x.sac").read(-(2**62), 2**62)
    assert not problems
    assert (piece.channel, piece.start_ns) == (HHZ, run.start_ns)
    assert piece.nominal_rate_hz == pytest.approx(run.rate_hz, rel=tolerance)
    assert np.array_equal(piece.samples, run.samples)


def test_the_header_says_where_the_sensor_stood_and_how_it_pointed():
    stations = read_stations(text_to_stationxml(TEXT)[0])
    run = ExactRun(HHZ, MIDNIGHT + 1_500_000, 100.0, np.array([1, -3, 8], dtype=np.int32))
    header = read(pack_sac(run, stations)).stats.sac
    assert (header.knetwk, header.kstnm, header.khole, header.kcmpnm) == ("XX", "TEST", "00", "HHZ")
    assert (header.stla, header.stlo, header.stel, header.stdp) == (35.25, -117.5, 670.0, 1.5)
    assert (header.cmpaz, header.cmpinc) == (12.0, 30.0)  # from the vertical
    assert (header.nzyear, header.nzjday, header.nzmsec, header.npts) == (2020, 64, 1, 3)
    assert header.b == np.float32(0.0005)
    assert header.e == np.float32(0.0205)
    assert (header.depmin, header.depmax, header.depmen) == (-3.0, 8.0, 2.0)
    assert (header.iftype, header.leven, header.nvhdr) == (1, 1, 6)
    bare = read(pack_sac(run)).stats.sac
    assert not {"stla", "stlo", "stel", "stdp", "cmpaz", "cmpinc"} & set(bare)


def test_a_station_of_which_only_the_place_is_known_has_its_place():
    line = b"XX|TEST|35.25|-117.5|670|Somewhere|2013-05-07T00:00:00|"
    stations = read_stations(text_to_stationxml(line)[0])
    run = ExactRun(HHZ, MIDNIGHT, 100.0, np.zeros(3, dtype=np.int32))
    header = read(pack_sac(run, stations)).stats.sac
    assert (header.stla, header.stlo, header.stel) == (35.25, -117.5, 670.0)
    assert "stdp" not in header


@pytest.mark.parametrize("ppm", [40, -40])
def test_a_clock_that_drifts_over_the_grid_gives_one_file(ppm, tmp_path, archive_of):
    """Collisions and holes of the grid are no gaps of the instrument."""
    rate_hz = 100.0 * (1 + ppm / 1e6)
    samples = np.arange(120_000, dtype=np.int32)
    times = MIDNIGHT + np.rint(np.arange(len(samples)) * 1e9 / rate_hz).astype(np.int64)
    (tmp_path / "a.mseed").write_bytes(clocked_records(samples, times, 100.0, version=3))
    archive = archive_of(tmp_path / "a.mseed")
    day = archive.day(archive.index.rows[0].stream, archive.index.rows[0].grid, MIDNIGHT // DAY_NS)
    assert len(day.segments) + len(day.side) > 2
    ([file], refused) = all_of(archive, version=7)
    assert not refused
    assert np.array_equal(np.frombuffer(file.data, "<f4", len(samples), 632), samples)
    assert struct.unpack_from("<d", file.data, 632 + 4 * len(samples))[0] == pytest.approx(
        1 / rate_hz, rel=1e-9
    )


def test_gaps_and_midnights_make_files(tmp_path, archive_of):
    first = np.arange(3000, dtype=np.int32)
    data = records(first, MIDNIGHT - 10 * 10**9, 100.0) + records(first, MIDNIGHT + 60 * 10**9, 100.0)
    (tmp_path / "a.mseed").write_bytes(data)
    files, _ = all_of(archive_of(tmp_path / "a.mseed"))
    assert [file.path for file in files] == [
        "2020/XX/TEST/XX.TEST..HHZ.2020.063.235950.000000.sac",
        "2020/XX/TEST/XX.TEST..HHZ.2020.064.000000.000000.sac",
        "2020/XX/TEST/XX.TEST..HHZ.2020.064.000100.000000.sac",
    ]
    assert [read(file.data).stats.npts for file in files] == [1000, 2000, 3000]


def test_a_clock_that_was_set_gives_two_files(tmp_path, archive_of):
    samples = np.arange(3000, dtype=np.int32)
    data = records(samples, MIDNIGHT, 100.0) + records(samples, MIDNIGHT + 30_004_000_000, 100.0)
    (tmp_path / "a.mseed").write_bytes(data)
    files, _ = all_of(archive_of(tmp_path / "a.mseed"))
    assert [read(file.data).stats.starttime.ns - MIDNIGHT for file in files] == [0, 30_004_000_000]


@pytest.mark.parametrize(
    ("values", "is_exact"),
    [
        ([1 << 24, -(1 << 24)], True),
        ([(1 << 24) + 1], False),
        ([(1 << 24) + 2], True),
        ([2**31 - 1], False),
        ([-(2**31) + 1], False),
    ],
)
def test_counts_that_single_precision_rounds_are_refused(values, is_exact, tmp_path, archive_of):
    spoiled = np.array([0, *values, 0], dtype=np.int32)
    data = records(spoiled, MIDNIGHT, 100.0) + records(np.arange(9, dtype=np.int32), MIDNIGHT + 10**9, 100.0)
    (tmp_path / "a.mseed").write_bytes(data)
    files, refused = all_of(archive_of(tmp_path / "a.mseed"))
    assert [read(file.data).data.tolist() for file in files][-1] == list(range(9))
    if is_exact:
        assert read(files[0].data).data.tolist() == spoiled.tolist()
        assert not refused
    else:
        channel = Channel.parse("XX.TEST..HHZ")
        reason = "SAC's single precision can't hold counts beyond 16777216 (2^24)"
        assert refused == [Refusal(channel, MIDNIGHT, len(spoiled), reason)]
        assert len(files) == 1


@pytest.mark.parametrize(
    ("samples", "is_exact"),
    [
        (np.array([0.5, np.nan, -np.inf, np.inf, -0.0]), True),
        (np.array([0.1, 0.5]), False),
        (np.array([1e300, 0.5]), False),
        (np.array([0.1, np.nan, np.inf], dtype=np.float32), True),
    ],
)
def test_floats_come_back_bit_by_bit_or_are_refused(samples, is_exact, tmp_path, archive_of):
    (tmp_path / "a.mseed").write_bytes(records(samples, MIDNIGHT, 100.0))
    files, refused = all_of(archive_of(tmp_path / "a.mseed"))
    assert (len(files), len(refused)) == (int(is_exact), int(not is_exact))
    if is_exact:
        assert files[0].data[632:] == samples.astype("<f4").tobytes()
    else:
        assert refused[0].reason == "SAC's single precision can't hold samples in double precision"


def test_samples_in_a_leap_second_are_refused_and_the_rest_is_there(tmp_path, archive_of):
    samples = np.arange(900, dtype=np.int32)
    data = records(samples[:600], LEAP - 3 * 10**9, 100.0, record_bytes=4096)
    data += records(samples[600:], LEAP + 2 * 10**9, 100.0, record_bytes=4096)
    (tmp_path / "a.mseed").write_bytes(data)
    archive = archive_of(tmp_path / "a.mseed")
    row = archive.index.rows[0]
    day = archive.day(row.stream, row.grid, LEAP // DAY_NS - 1)
    n = row.grid.samples_per_day
    runs = exact_runs(archive, row.stream, row.grid, day, day.day * n, (day.day + 1) * n)
    files, refused = all_of(archive)
    leap = sum(len(run.samples) for run in runs if run.is_leap)
    assert sum(refusal.samples for refusal in refused) == leap
    assert sum(read(file.data).stats.npts for file in files) + leap == 900
    assert all("leap second" in refusal.reason for refusal in refused)
    assert leap > 0


@pytest.mark.parametrize(("station", "is_exact"), [("STATION8", True), ("STATION09", False)])
def test_no_code_is_cut(station, is_exact, tmp_path, archive_of):
    data = records(np.arange(9, dtype=np.int32), MIDNIGHT, 100.0, channel=f"XX.{station}..HHZ", version=3)
    (tmp_path / "a.mseed").write_bytes(data)
    files, refused = all_of(archive_of(tmp_path / "a.mseed"))
    assert [read(file.data).stats.station for file in files] == ([station] if is_exact else [])
    assert [refusal.reason for refusal in refused] == (
        [] if is_exact else ["SAC can't hold codes of more than 8 characters"]
    )


def test_a_path_has_the_microsecond():
    assert Path(sac_path(HHZ, MIDNIGHT + 999_999)).name == "XX.TEST.00.HHZ.2020.064.000000.000999.sac"
