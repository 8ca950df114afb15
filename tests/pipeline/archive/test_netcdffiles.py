"""NetCDF: xarray opens it without our code, and finds every sample at its exact time."""

import io

import numpy as np
import obspy
import pytest
import xarray as xr
from miniseed_files import clocked_records, records
from station_documents import FILTERED, document

from pipeline.archive.grid import DAY_NS, DayGrid
from pipeline.archive.metadata import add_stationxml
from pipeline.archive.netcdffiles import netcdf_file, netcdf_path
from pipeline.archive.pieces import sample_times_ns
from pipeline.archive.reading import open_archive
from pipeline.keys import Stream

MIDNIGHT = 18_325 * DAY_NS  # 2020-03-04
LEAP = 17_167 * DAY_NS  # 2017-01-01


def files_of(archive):
    """A file for each day of each stream, by stream and day."""
    found = {}
    for row in archive.index.rows:
        january = int((np.datetime64(f"{row.year}-01-01") - np.datetime64("1970-01-01")).astype(int))
        for number in range(len(row.completeness)):
            day = archive.day(row.stream, row.grid, january + number)
            if day is not None:
                found[str(row.stream), row.grid.label, day.day] = netcdf_file(
                    archive, row.stream, row.grid, [day]
                )
    return found


def opened(file, **options):
    return xr.open_dataset(io.BytesIO(file.data), engine="h5netcdf", **options)


def samples_of(dataset):
    """Channel, time in ns and value of all samples of a file, by its tables alone."""
    raw = dataset.load()
    found = []
    for number in range(raw.sizes.get("segment", 0)):
        one = {
            name.removeprefix("segment_"): raw[name].values[number]
            for name in raw.variables
            if name.startswith("segment_")
        }
        first, length = int(one["first"]), int(one["length"])
        values = raw[str(one["array"])].values[int(one["component"]), first : first + length]
        start_ns = int(one["start"].astype("datetime64[ns]").astype(np.int64))
        times = sample_times_ns(start_ns, float(one["rate"]), length)
        found += [(str(one["channel"]), *pair) for pair in zip(times.tolist(), values.tolist(), strict=True)]
    for number in range(raw.sizes.get("side", 0)):
        begin = int(raw["side_first"][number])
        values = raw["side_samples"].values[begin : begin + int(raw["side_length"][number])]
        start_ns = int(raw["side_start"].values[number].astype("datetime64[ns]").astype(np.int64))
        times = sample_times_ns(start_ns, float(raw["side_rate"][number]), len(values))
        found += [
            (str(raw["side_channel"].values[number]), *pair)
            for pair in zip(times.tolist(), values.tolist(), strict=True)
        ]
    return sorted(found)


def archive_from(archive_of, folder, data):
    (folder / "in.mseed").write_bytes(data)
    return archive_of(folder / "in.mseed")


@pytest.mark.parametrize("folder", ["turkey-40min"])
def test_real_files_come_back_as_obspy_reads_them(folder, data_folder, archive_of):
    source = data_folder / "continuous" / folder
    files = files_of(archive_of(source))
    stream = obspy.Stream()
    for path in sorted(source.glob("*.mseed")):
        stream += obspy.read(path)
    expected = {}
    for trace in stream:
        times = trace.stats.starttime.ns + np.rint(
            np.arange(trace.stats.npts) * 1e9 / trace.stats.sampling_rate
        )
        expected.setdefault(trace.id, []).append((times, trace.data))
    count = 0
    for (name, _, _), file in files.items():
        with opened(file, mask_and_scale=False) as dataset:
            table = dataset.load()
            for number in range(table.sizes["segment"]):
                array = table[str(table["segment_array"].values[number])].values
                first, length = int(table["segment_first"][number]), int(table["segment_length"][number])
                values = array[int(table["segment_component"][number]), first : first + length]
                start = table["segment_start"].values[number].astype("datetime64[ns]").astype(np.int64)
                code = str(table["segment_channel"].values[number])
                given = expected[f"{name.rpartition('.')[0]}.{code}"]
                [(times, data)] = [
                    each for each in given if each[0][0] <= start + 1000 and start <= each[0][-1]
                ]
                at = int(np.argmin(np.abs(times - start)))
                assert abs(times[at] - start) <= 1000
                assert values.tobytes() == data[at : at + length].astype(values.dtype).tobytes()
                count += length
    assert count == sum(trace.stats.npts for trace in stream)


def test_xarray_decodes_times_gaps_and_units(tmp_path, archive_of):
    samples = np.arange(1, 1001, dtype=np.int32)
    data = records(samples, MIDNIGHT + 3_000_000, 100.0) + records(samples, MIDNIGHT + 20 * 10**9, 100.0)
    data += records(samples, MIDNIGHT, 100.0, channel="XX.TEST..HHN")
    archive = archive_from(archive_of, tmp_path, data)
    [file] = files_of(archive).values()
    assert file.path == "2020/XX/TEST/XX.TEST..HH.100Hz.2020-03-04.nc"
    with opened(file) as dataset:
        assert dataset["counts"].dims == ("component", "time")
        assert dataset["counts"].sizes == {"component": 3, "time": 8_640_000}
        times = dataset["time"].values.astype("datetime64[ns]").astype(np.int64)
        assert np.array_equal(times, MIDNIGHT + np.arange(8_640_000, dtype=np.int64) * 10_000_000)
        vertical = dataset["counts"].sel(component="Z").values
        assert np.array_equal(vertical[:1000], samples)
        assert np.isnan(vertical[1000:2000]).all()
        assert np.array_equal(vertical[2000:3000], samples)
        assert np.isnan(dataset["counts"].sel(component="E").values).all()
        near = dataset["counts"].sel(component="Z").sel(time="2020-03-04T00:00:00.0149", method="nearest")
        assert near == 2
        assert dataset.attrs["Conventions"] == "CF-1.11"
        assert dataset["counts"].attrs["units"] == "count"
        starts = dataset["segment_start"].values.astype("datetime64[ns]").astype(np.int64).tolist()
        assert sorted(starts) == [MIDNIGHT, MIDNIGHT + 3_000_000, MIDNIGHT + 20 * 10**9]
        assert "latitude" not in dataset.coords
        assert not [name for name in dataset.variables if name.startswith("side")]


@pytest.mark.parametrize("ppm", [40, -40, 3])
def test_what_the_grid_can_not_hold_stands_in_a_table(ppm, tmp_path, archive_of):
    rate_hz = 100.0 * (1 + ppm / 1e6)
    samples = np.arange(60_000, dtype=np.int32) % 977
    times = MIDNIGHT + 1234 + np.rint(np.arange(len(samples)) * 1e9 / rate_hz).astype(np.int64)
    archive = archive_from(archive_of, tmp_path, clocked_records(samples, times, 100.0, version=3))
    [file] = files_of(archive).values()
    with opened(file, mask_and_scale=False) as dataset:
        assert ("side" in dataset.sizes) == (ppm == 40)
        found = samples_of(dataset)
    assert [value for _, _, value in found] == samples.tolist()
    assert np.abs(np.array([time for _, time, _ in found]) - times).max() <= 1000


def test_a_leap_second_and_a_taken_slot_stand_in_the_side_table(tmp_path, archive_of):
    samples = np.arange(900, dtype=np.int32)
    data = records(samples[:120], LEAP - 3 * 10**9, 20.0, channel="XX.TEST..BHZ", record_bytes=4096)
    data += records(samples[120:], LEAP + 2 * 10**9, 20.0, channel="XX.TEST..BHZ", record_bytes=4096)
    for code in ("BHN", "BH1"):
        data += records(samples, LEAP - 3600 * 10**9, 20.0, channel=f"XX.TEST..{code}")
    archive = archive_from(archive_of, tmp_path, data)
    kinds, count = set(), 0
    for file in files_of(archive).values():
        with opened(file, mask_and_scale=False) as dataset:
            kinds |= set(dataset["side_kind"].values) if "side" in dataset.sizes else set()
            count += len(samples_of(dataset))
    assert count == 2700
    assert kinds == {"leap", "channel"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floats_come_back_bit_by_bit(dtype, tmp_path, archive_of):
    samples = np.array([0.1, np.nan, -0.0, np.inf, 1e-40, -3.5] * 20, dtype=dtype)
    archive = archive_from(archive_of, tmp_path, records(samples, MIDNIGHT, 20.0))
    [file] = files_of(archive).values()
    with opened(file) as dataset:
        name = {"float32": "values", "float64": "values64"}[dtype]
        assert dataset[name].dtype == dtype
        assert dataset[name].values[0, : len(samples)].tobytes() == samples.tobytes()
        assert np.isnan(dataset[name].values[0, len(samples) :]).all()


def test_a_recorded_sample_that_equals_the_fill_value_is_in_its_segment(tmp_path, archive_of):
    samples = np.array([1, -(2**31), 3], dtype=np.int32)
    archive = archive_from(archive_of, tmp_path, records(samples, MIDNIGHT, 100.0))
    [file] = files_of(archive).values()
    with opened(file, mask_and_scale=False) as dataset:
        assert [value for _, _, value in samples_of(dataset)] == samples.tolist()


def test_several_days_are_one_file_and_a_day_between_that_lacks_is_missing(tmp_path, archive_of):
    samples = np.arange(1000, dtype=np.int32)
    data = records(samples, MIDNIGHT, 1.0, channel="XX.TEST..LHZ")
    data += records(-samples, MIDNIGHT + 2 * DAY_NS, 1.0, channel="XX.TEST..LHZ")
    archive = archive_from(archive_of, tmp_path, data)
    row = archive.index.rows[0]
    days = [archive.day(row.stream, row.grid, MIDNIGHT // DAY_NS + number) for number in (0, 2)]
    file = netcdf_file(archive, row.stream, row.grid, days)
    assert file.path.endswith("XX.TEST..LH.1Hz.2020-03-04_2020-03-06.nc")
    with opened(file) as dataset:
        assert dataset.sizes["time"] == 3 * 86_400
        assert dataset["time"].values[[0, -1]].astype("datetime64[s]").astype(str).tolist() == [
            "2020-03-04T00:00:00",
            "2020-03-06T23:59:59",
        ]
        assert int(dataset["counts"].notnull().sum()) == 2000
        assert [value for _, _, value in samples_of(dataset)] == [*samples, *-samples]


@pytest.mark.parametrize("rate_hz", [59.5238, 0.1, 20.0, 1.851852])
def test_the_times_of_any_grid_are_its_own(rate_hz, tmp_path, archive_of):
    data = records(np.arange(60, dtype=np.int32), MIDNIGHT, rate_hz, channel="XX.TEST..BDF", version=3)
    archive = archive_from(archive_of, tmp_path, data)
    [file] = files_of(archive).values()
    grid = DayGrid.at_rate(rate_hz)
    with opened(file) as dataset:
        times = dataset["time"].values.astype("datetime64[ns]").astype(np.int64)
    n = grid.samples_per_day
    first = MIDNIGHT // DAY_NS * n
    for index in (0, 1, 2, 7, n // 2 + 1, n - 1):
        assert times[index] == grid.time_ns(first + index)


def test_metadata_are_in_the_file(tmp_path, archive_of):
    data = records(np.arange(60, dtype=np.int32), MIDNIGHT, 100.0, channel="XX.AAA..HHZ")
    archive = archive_from(archive_of, tmp_path, data)
    add_stationxml(archive.store, [document(("HHZ", "2020-01-01T00:00:00", "", 33, FILTERED))])
    [file] = files_of(open_archive(archive.url)).values()
    with opened(file) as dataset:
        assert (float(dataset.latitude), float(dataset.longitude), float(dataset.altitude)) == (10, 20, 30)
        assert dataset.latitude.attrs == {"standard_name": "latitude", "units": "degrees_north"}
        assert float(dataset["segment_azimuth"][0]) == 33.0
        assert float(dataset["segment_sensitivity"][0]) == 2.0
        assert str(dataset["segment_input_units"].values[0]) == "M/S"


def test_the_same_day_gives_the_same_bytes_and_is_packed(tmp_path, archive_of):
    samples = np.cumsum(np.random.default_rng(0).integers(-9, 9, 8_640_000)).astype(np.int32)
    archive = archive_from(archive_of, tmp_path, records(samples, MIDNIGHT, 100.0, record_bytes=4096))
    [file], [again] = files_of(archive).values(), files_of(open_archive(archive.url)).values()
    assert again == file
    assert len(file.data) < samples.nbytes


def test_a_path_has_days_and_rate():
    stream = Stream.parse("NG.AQG..MGZ")
    assert netcdf_path(stream, DayGrid.at_rate(2.0), 18_262, 18_292) == (
        "2020/NG/AQG/NG.AQG..MGZ.2Hz.2020-01-01_2020-01-31.nc"
    )
