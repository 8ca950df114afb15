"""
NetCDF: a station-day, or below 5 Hz a block, as one NetCDF-4 file in CF conventions.

Samples lie on the day grid with one row per component, and the fill value where there is none. The time of
the grid is up to half a step off the instrument's: the exact times are in the variables along ``segment``,
and what the grid can't hold in those along ``side``. All of them together are all that the archive has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DayGrid, day_of_number
from pipeline.archive.merge import Segment, fill_value
from pipeline.archive.reading import Archive
from pipeline.archive.sacfiles import NamedFile
from pipeline.archive.stations import Place
from pipeline.keys import Stream

__all__ = ["netcdf_file", "netcdf_path"]

_DEFLATE_LEVEL = 4
_NANOSECONDS = {"units": "nanoseconds since 1970-01-01T00:00:00", "calendar": "proleptic_gregorian"}
_TIME_UNITS = (("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3), ("nanoseconds", 1))
_ABOUT_TIME = (
    "of the day grid; the instrument's own times, up to half a step off, are "
    "segment_start + i / segment_rate for sample segment_first + i"
)
Variables = dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]]


def netcdf_path(stream: Stream, grid: DayGrid, first_day: int, last_day: int) -> str:
    """
    Return the path of a file below a folder.

    >>> netcdf_path(Stream.parse("CX.PB01..HH"), DayGrid.at_rate(100.0), 16191, 16191)
    '2014/CX/PB01/CX.PB01..HH.100Hz.2014-05-01.nc'
    """
    first, last = day_of_number(first_day), day_of_number(last_day)
    days = f"{first}" if first == last else f"{first}_{last}"
    return f"{first.year:04d}/{stream.network}/{stream.station}/{stream}.{grid.label}.{days}.nc"


def netcdf_file(archive: Archive, stream: Stream, grid: DayGrid, rows: Sequence[DayRow]) -> NamedFile:
    """
    Write some days of a stream as NetCDF.

    Parameters
    ----------
    archive : Archive
        Where the samples and the stations are.
    stream, grid : Stream, DayGrid
        Which, and at which rate.
    rows : sequence of DayRow
        The days, in order; those between the first and the last that lack are missing samples.

    Returns
    -------
    NamedFile
        The same bytes for the same samples and metadata.
    """
    import xarray as xr

    n = grid.samples_per_day
    low, high = rows[0].day * n, (rows[-1].day + 1) * n
    segments = [replace(each, first=row.day * n - low + each.first) for row in rows for each in row.segments]
    arrays = sorted({segment.array for segment in segments})
    variables = _samples(archive, stream, grid, arrays, low, high)
    variables |= _grid_times(grid, low, high) | _segment_table(archive, stream, segments) | _side(rows)
    place = _place(archive, stream, segments)
    variables |= _place_variables(place)
    dataset = xr.Dataset(dict(variables), attrs=_attributes(stream, grid))
    dataset = dataset.set_coords(["time", "component", *_place_variables(place)])
    out = BytesIO()
    dataset.to_netcdf(out, engine="h5netcdf", encoding=_encoding(dataset, grid, arrays))
    return NamedFile(netcdf_path(stream, grid, rows[0].day, rows[-1].day), out.getvalue())


def _samples(
    archive: Archive, stream: Stream, grid: DayGrid, arrays: Sequence[str], low: int, high: int
) -> Variables:
    found: Variables = {
        "component": (("component",), np.array(stream.components, dtype=object), {"long_name": "component"})
    }
    for name in arrays:
        units = "count" if name == "counts" else "1"
        about = {"long_name": "samples as they were recorded", "units": units}
        found[name] = (("component", "time"), archive.read(stream, grid, name, low, high), about)
    return found


def _grid_times(grid: DayGrid, low: int, high: int) -> Variables:
    """Return times in whole units, the largest that hold the step: small numbers, which compress well."""
    step = grid.step_ns()
    name, size_ns = next(each for each in _TIME_UNITS if step % each[1] == 0 or each[1] == 1)
    day = day_of_number(low // grid.samples_per_day)
    count = np.arange(high - low, dtype=np.int64)
    if step % size_ns == 0:
        times = count * int(step / size_ns)
    else:  # to the nearest nanosecond, as `DayGrid.time_ns` has it, within 64 bits
        whole, rest, parts = (
            step.numerator // step.denominator,
            step.numerator % step.denominator,
            step.denominator,
        )
        times = count * whole + (2 * count * rest + parts) // (2 * parts)
    about = {
        "standard_name": "time",
        "axis": "T",
        "units": f"{name} since {day}T00:00:00",
        "calendar": "proleptic_gregorian",
        "comment": _ABOUT_TIME,
    }
    return {"time": (("time",), times, about)}


def _segment_table(archive: Archive, stream: Stream, segments: Sequence[Segment]) -> Variables:
    """Return the table of contiguous pieces, with the metadata that hold at the start of each."""
    epochs = [archive.stations.find(stream.channel(c.channel), c.start_ns) for c in segments]
    columns: Mapping[str, tuple[Any, dict[str, Any]]] = {
        "array": (_texts(c.array for c in segments), {"long_name": "variable that holds its samples"}),
        "component": (np.array([c.component for c in segments], dtype=np.int8), {"long_name": "row, from 0"}),
        "channel": (_texts(c.channel for c in segments), {"long_name": "channel that gave the samples"}),
        "first": (
            np.array([c.first for c in segments], dtype=np.int64),
            {"long_name": "index along time of its first sample, from 0"},
        ),
        "length": (
            np.array([c.length for c in segments], dtype=np.int64),
            {"long_name": "number of samples"},
        ),
        "start": (
            np.array([c.start_ns for c in segments], dtype=np.int64),
            {"long_name": "exact time of its first sample", **_NANOSECONDS},
        ),
        "rate": (
            np.array([c.rate_hz for c in segments]),
            {"long_name": "rate by the clock of the instrument", "units": "Hz"},
        ),
        "rank": (
            np.array([c.rank for c in segments], dtype=np.int16),
            {"long_name": "publication version, or quality: R 1, D 2, Q 3, M 4"},
        ),
        "sensitivity": (
            _numbers(epoch and epoch.sensitivity for epoch in epochs),
            {"long_name": "overall, in counts per unit of segment_input_units"},
        ),
        "input_units": (
            _texts(epoch.response.input_units if epoch and epoch.response else "" for epoch in epochs),
            {"long_name": "of what the channel measures"},
        ),
        "azimuth": (
            _numbers(epoch and epoch.azimuth_deg for epoch in epochs),
            {"long_name": "of the sensor, clockwise from north", "units": "degree"},
        ),
        "dip": (
            _numbers(epoch and epoch.dip_deg for epoch in epochs),
            {"long_name": "of the sensor, down from the horizontal", "units": "degree"},
        ),
        "sensor": (_texts(epoch.sensor if epoch else "" for epoch in epochs), {"long_name": "sensor"}),
    }
    return {f"segment_{name}": (("segment",), *column) for name, column in columns.items()}


def _side(rows: Sequence[DayRow]) -> Variables:
    """Return what the grid can't hold; nothing at all, where that is nothing."""
    runs = [run for row in rows for run in row.side]
    if not runs:
        return {}
    lengths = np.array([len(run.samples) for run in runs], dtype=np.int64)
    columns: Mapping[str, tuple[Any, dict[str, Any]]] = {
        "kind": (
            _texts(run.kind for run in runs),
            {"long_name": "collision (two samples on one grid point), leap (second), channel (slot taken)"},
        ),
        "channel": (_texts(run.channel.code for run in runs), {"long_name": "channel"}),
        "start": (
            np.array([run.start_ns for run in runs], dtype=np.int64),
            {"long_name": "exact time of its first sample", **_NANOSECONDS},
        ),
        "rate": (np.array([run.rate_hz for run in runs]), {"long_name": "rate", "units": "Hz"}),
        "rank": (np.array([run.rank for run in runs], dtype=np.int16), {"long_name": "as segment_rank"}),
        "dtype": (_texts(run.samples.dtype.name for run in runs), {"long_name": "type of its samples"}),
        "first": (
            np.cumsum(lengths) - lengths,
            {"long_name": "index along side_sample of its first sample, from 0"},
        ),
        "length": (lengths, {"long_name": "number of samples"}),
    }
    values = np.concatenate([run.samples.astype(np.float64) for run in runs])
    return {f"side_{name}": (("side",), *column) for name, column in columns.items()} | {
        "side_samples": (("side_sample",), values, {"long_name": "samples that the grid can't hold"})
    }


def _place(archive: Archive, stream: Stream, segments: Sequence[Segment]) -> Place | None:
    """Return where the stream was when its first segment began."""
    if not segments:
        return None
    first = min(segments, key=lambda segment: segment.start_ns)
    return archive.stations.place(stream.channel(first.channel), first.start_ns)


def _place_variables(place: Place | None) -> Variables:
    if place is None:
        return {}
    found: Variables = {
        "latitude": ((), place.latitude_deg, {"standard_name": "latitude", "units": "degrees_north"}),
        "longitude": ((), place.longitude_deg, {"standard_name": "longitude", "units": "degrees_east"}),
        "altitude": (
            (),
            place.elevation_m,
            {"standard_name": "altitude", "units": "m", "positive": "up", "axis": "Z"},
        ),
    }
    if place.depth_m is not None:
        about = {"long_name": "of the sensor below the ground", "units": "m", "positive": "down"}
        found["sensor_depth"] = ((), place.depth_m, about)
    return found


def _attributes(stream: Stream, grid: DayGrid) -> dict[str, Any]:
    return {
        "Conventions": "CF-1.11",
        "title": f"{stream} at {grid.label}",
        "source": "stationday",
        "stream": str(stream),
        "network": stream.network,
        "station": stream.station,
        "location": stream.location,
        "sampling_rate_hz": grid.rate_hz,
        "samples_per_day": grid.samples_per_day,
    }


def _encoding(dataset: Any, grid: DayGrid, arrays: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Compress what is long, in the archive's chunks, and name the fill values."""
    packed = {"zlib": True, "complevel": _DEFLATE_LEVEL, "shuffle": True}
    chunk = min(grid.chunk, dataset.sizes["time"])
    encoding: dict[str, dict[str, Any]] = {name: {"_FillValue": None} for name in dataset.variables}
    encoding["time"] |= {**packed, "chunksizes": (chunk,)}
    for name in arrays:
        fill = fill_value(name)
        encoding[name] = {**packed, "chunksizes": (1, chunk), "_FillValue": fill}
    return encoding


def _texts(values: Any) -> np.ndarray[Any, Any]:
    return np.array(list(values), dtype=object)


def _numbers(values: Any) -> np.ndarray[Any, Any]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
