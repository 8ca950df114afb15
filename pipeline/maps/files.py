"""
Maps as NetCDF and Zarr in CF conventions: what xarray, QGIS and Panoply open.

The grid is in degrees on a sphere, with the standard error beside each value and NaN where the map shows
nothing. The stations lie beside it along a dimension of their own, with what the others foretell of them,
and the variogram stands in the attributes, so that a file can be kriged again.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pipeline.errors import ConfigError
from pipeline.maps.fields import FieldMap
from pipeline.maps.sphere import EARTH_RADIUS_KM
from pipeline.objects import open_objects

if TYPE_CHECKING:  # xarray takes half a second
    import xarray as xr

__all__ = ["netcdf_bytes", "to_dataset", "write_zarr"]

_DEFLATE_LEVEL: Final = 4
_GRID_MAPPING: Final = {
    "grid_mapping_name": "latitude_longitude",
    "earth_radius": EARTH_RADIUS_KM * 1000,
    "longitude_of_prime_meridian": 0.0,
    "long_name": "sphere on which distances were measured; places are WGS84 longitude and latitude",
}
Variables = dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]]


def to_dataset(made: FieldMap, *, title: str = "", source: str = "", version: str = "") -> xr.Dataset:
    """
    Return a map as a dataset in CF conventions.

    Parameters
    ----------
    made : FieldMap
    title : str
        Of the map; its quantity unless given.
    source : str
        What the levels were made from, as the name of a product and its period.
    version : str
        Of stationday.

    Returns
    -------
    xarray.Dataset
        ``level`` and ``std_error`` over ``lat`` and ``lon``, in float32; ``station_*`` over ``station``.

    Examples
    --------
    >>> from pipeline.maps.fields import map_field
    >>> from pipeline.maps.observations import gather
    >>> stations = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    >>> made = to_dataset(map_field(stations, quantity="level", unit="dB", step_deg=1.0))
    >>> made["level"].dims, made["level"].attrs["units"], made.attrs["stations"]
    (('lat', 'lon'), 'dB', 3)
    """
    import xarray as xr

    variables = _grid_variables(made) | _station_variables(made)
    dataset = xr.Dataset(dict(variables), attrs=_attributes(made, title, source, version))
    coordinates = ["lat", "lon", "station_name", "station_lat", "station_lon"]
    return dataset.set_coords(coordinates)


def netcdf_bytes(dataset: xr.Dataset) -> bytes:
    """
    Return a dataset as a NetCDF-4 file; the same dataset gives the same bytes.

    >>> import xarray as xr
    >>> netcdf_bytes(xr.Dataset({"a": ("x", np.zeros(3, np.float32))}))[1:4]
    b'HDF'
    """
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        fill = np.float32(np.nan) if variable.dtype == np.float32 else None
        encoding[str(name)] = {"_FillValue": fill}
        if variable.ndim == 2:
            encoding[str(name)] |= {"zlib": True, "complevel": _DEFLATE_LEVEL, "shuffle": True}
        elif variable.dtype.kind == "O":
            encoding[str(name)] = {"dtype": str}
    sink = BytesIO()
    dataset.to_netcdf(sink, engine="h5netcdf", encoding=encoding)
    return sink.getvalue()


def write_zarr(dataset: xr.Dataset, url: str) -> None:
    """
    Write a dataset as a Zarr v3 group to a local path or a URL, in place of what was there.

    Parameters
    ----------
    dataset : xarray.Dataset
    url : str
        Of the group, such as ``map.zarr`` or ``s3://bucket/map.zarr``. The group's own document is written
        last: a group that opens is whole.

    Raises
    ------
    ConfigError
        There is something at the URL that is no Zarr group.

    Examples
    --------
    >>> import xarray as xr
    >>> write_zarr(xr.Dataset({"a": ("x", np.zeros(3))}), "memory://maps/example.zarr")
    >>> open_objects("memory://maps/example.zarr").exists("a/zarr.json")
    True
    """
    from zarr.storage import MemoryStore

    held: dict[str, Any] = {}
    dataset.to_zarr(MemoryStore(held), zarr_format=3, consolidated=False)
    store = open_objects(url)
    if any(store.children()) and not store.exists("zarr.json"):
        raise ConfigError(f"{url}: should be new or a Zarr group, holds other files")
    store.delete("zarr.json")
    store.delete_folder("")
    for key in sorted(held, key=lambda key: (key == "zarr.json", key)):
        store.write(key, held[key].to_bytes())


def _grid_variables(made: FieldMap) -> Variables:
    unit = made.unit or "1"
    about = {"grid_mapping": "crs"}
    value, std_error = (made.masked(each).astype(np.float32) for each in (made.value, made.std_error))
    return {
        "lat": (
            ("lat",),
            made.grid.latitude_deg,
            {"standard_name": "latitude", "long_name": "latitude", "units": "degrees_north", "axis": "Y"},
        ),
        "lon": (
            ("lon",),
            made.grid.longitude_deg,
            {"standard_name": "longitude", "long_name": "longitude", "units": "degrees_east", "axis": "X"},
        ),
        "crs": ((), np.int32(0), dict(_GRID_MAPPING)),
        "level": (
            ("lat", "lon"),
            value,
            {"long_name": made.quantity, "units": unit, "ancillary_variables": "std_error", **about},
        ),
        "std_error": (
            ("lat", "lon"),
            std_error,
            {"long_name": f"standard error of {made.quantity}", "units": unit, **about},
        ),
    }


def _station_variables(made: FieldMap) -> Variables:
    # No standard names here: a grid mapping must find one latitude and one longitude.
    given, unit, along = made.observations, made.unit or "1", ("station",)
    found: Variables = {
        "station_name": (along, np.array(given.names, dtype=object), {"long_name": "station"}),
        "station_lat": (
            along,
            given.latitude_deg,
            {"long_name": "latitude of the station", "units": "degrees_north"},
        ),
        "station_lon": (
            along,
            given.longitude_deg,
            {"long_name": "longitude of the station", "units": "degrees_east"},
        ),
        "station_level": (along, given.value, {"long_name": made.quantity, "units": unit}),
        "station_error": (
            along,
            given.error,
            {"long_name": f"standard deviation of {made.quantity} at the station", "units": unit},
        ),
    }
    if made.validation is not None:
        found["station_predicted"] = (
            along,
            made.validation.predicted,
            {"long_name": f"{made.quantity} foretold by the other stations", "units": unit},
        )
        found["station_predicted_std_error"] = (
            along,
            made.validation.std_error,
            {"long_name": f"standard error of {made.quantity} foretold by the other stations", "units": unit},
        )
    return found


def _attributes(made: FieldMap, title: str, source: str, version: str) -> dict[str, Any]:
    """Return what the file says of itself: no time of writing, for the same map is the same bytes."""
    model = made.variogram
    found: dict[str, Any] = {
        "Conventions": "CF-1.11",
        "title": title or f"Map of {made.quantity}",
        "institution": "",
        "source": source,
        "history": f"kriged by stationday {version}".rstrip(),
        "references": "docs/maps.md of stationday",
        "comment": "; ".join(made.remarks),
        "stations": len(made.observations),
        "drift": made.drift,
        "drift_coefficients": made.coefficients,
        "variogram_model": model.model,
        "variogram_sill": model.sill,
        "variogram_range_km": model.range_km,
        "variogram_nugget": model.nugget,
        "variograms_averaged": len(made.plausible),
        "mask_km": made.mask_km,
        "land_only": str(made.land_only).lower(),
    }
    if made.validation is not None:
        checked = made.validation
        found["validation_rms_error"] = checked.rms_error
        found["validation_rms_standardised"] = checked.rms_standardised
        found["validation_within_95"] = checked.within_95
    return {name: value for name, value in found.items() if not isinstance(value, str) or value}
