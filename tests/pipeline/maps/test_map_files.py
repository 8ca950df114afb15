"""NetCDF and Zarr: what was written is what is read, by xarray alone, and in CF conventions."""

import io
import uuid
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from pipeline.errors import ConfigError
from pipeline.maps.fields import FieldMap, map_field
from pipeline.maps.files import netcdf_bytes, to_dataset, write_zarr
from pipeline.maps.kriging import krige
from pipeline.maps.observations import gather
from pipeline.maps.regions import BoxRegion, CapRegion
from pipeline.maps.variograms import Variogram
from pipeline.objects import open_objects


def small(unit: str = "dB") -> FieldMap:
    rng = np.random.default_rng(0)
    names = [f"NZ.S{i:02}" for i in range(14)]
    given = gather(names, rng.uniform(170, 190, 14), rng.uniform(-45, -35, 14), rng.normal(-120, 3, 14))
    return map_field(
        given, BoxRegion(168, -48, -168, -32), quantity="level from 4 to 8 s", unit=unit, step_deg=1.0
    )


def test_netcdf_comes_back() -> None:
    made = small()
    dataset = to_dataset(made, title="Noise of New Zealand", source="noise, 2026.01", version="1.0")
    read = xr.load_dataset(io.BytesIO(netcdf_bytes(dataset)), engine="h5netcdf")
    np.testing.assert_array_equal(read["level"], made.masked(made.value).astype(np.float32))
    np.testing.assert_array_equal(read["std_error"], made.masked(made.std_error).astype(np.float32))
    assert read["station_name"].values.tolist() == list(made.observations.names)
    np.testing.assert_array_equal(read["station_level"], made.observations.value)
    assert read.attrs["title"] == "Noise of New Zealand"
    assert read.attrs["stations"] == 14
    assert float(read["lon"].max()) > 180
    assert np.isnan(read["level"]).any()


def test_what_conventions_ask_for() -> None:
    """The rules of CF 1.11 that a map meets; compliance-checker 6.1.0 found no other (docs/maps.md)."""
    dataset = to_dataset(small())
    assert dataset.attrs["Conventions"] == "CF-1.11"
    for name, standard, units in (("lat", "latitude", "degrees_north"), ("lon", "longitude", "degrees_east")):
        assert dataset[name].attrs["standard_name"] == standard
        assert dataset[name].attrs["units"] == units
        assert np.all(np.diff(dataset[name]) > 0)
    # One latitude and one longitude for the grid mapping: stations have theirs by units alone.
    assert sum("standard_name" in each.attrs for each in dataset.variables.values()) == 2
    assert dataset["crs"].attrs["grid_mapping_name"] == "latitude_longitude"
    assert dataset["level"].attrs["grid_mapping"] == "crs"
    assert dataset["level"].attrs["ancillary_variables"] == "std_error"
    for name, each in dataset.variables.items():
        assert "long_name" in each.attrs, name
        if name not in ("crs", "station_name"):
            assert each.attrs["units"], name
    assert to_dataset(small(unit=""))["level"].attrs["units"] == "1"
    assert all(value != "" for value in dataset.attrs.values())


def test_a_file_can_be_kriged_again() -> None:
    made = small()
    read = xr.load_dataset(io.BytesIO(netcdf_bytes(to_dataset(made))), engine="h5netcdf")
    model = Variogram(
        model=read.attrs["variogram_model"],
        sill=float(read.attrs["variogram_sill"]),
        range_km=float(read.attrs["variogram_range_km"]),
        nugget=float(read.attrs["variogram_nugget"]),
    )
    given = gather(
        read["station_name"].values.tolist(), read["station_lon"], read["station_lat"], read["station_level"]
    )
    place = [172.0], [-40.0]
    np.testing.assert_allclose(krige(given, model, *place), krige(made.observations, made.variogram, *place))


def test_the_same_bytes() -> None:
    assert netcdf_bytes(to_dataset(small())) == netcdf_bytes(to_dataset(small()))


def test_zarr_comes_back_from_any_store(tmp_path: Path) -> None:
    dataset = to_dataset(small())
    write_zarr(dataset, str(tmp_path / "map.zarr"))
    read = xr.open_zarr(tmp_path / "map.zarr", consolidated=False)
    xr.testing.assert_identical(read.load(), dataset)
    url = f"memory://{uuid.uuid4().hex}/map.zarr"
    write_zarr(dataset, url)
    keys = {each.key for each in open_objects(url).list()}
    assert keys == {
        each.relative_to(tmp_path / "map.zarr").as_posix()
        for each in (tmp_path / "map.zarr").rglob("*")
        if each.is_file()
    }
    assert b'"zarr_format": 3' in open_objects(url).read("zarr.json")


def test_zarr_replaces_a_map_and_nothing_else(tmp_path: Path) -> None:
    write_zarr(to_dataset(small()), str(tmp_path / "map.zarr"))
    (tmp_path / "map.zarr" / "stale").write_text("of an older map")
    write_zarr(to_dataset(small()), str(tmp_path / "map.zarr"))
    assert not (tmp_path / "map.zarr" / "stale").exists()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years of work")
    with pytest.raises(ConfigError, match="should be new or a Zarr group, holds other files"):
        write_zarr(to_dataset(small()), str(tmp_path / "thesis"))
    assert (tmp_path / "thesis" / "chapter").read_text() == "years of work"


def test_a_polar_map_and_equal_values() -> None:
    given = gather(list("abc"), [0, 120, 240], [-80, -75, -70], [3.0, 3.0, 3.0])
    made = map_field(given, CapRegion(0, -90, 3000), quantity="SNM", step_deg=2.0)
    read = xr.load_dataset(io.BytesIO(netcdf_bytes(to_dataset(made))), engine="h5netcdf")
    assert float(read["lat"][0]) == -90
    assert np.nanmax(read["level"]) == 3
    assert np.isnan(read["std_error"]).all()
    assert "station_predicted" not in read
    assert "no variance to fit" in read.attrs["comment"]
