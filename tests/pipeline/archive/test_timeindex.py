"""The day-grid index against pandas' own DatetimeIndex on the same times."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import obspy
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS, DayGrid, day_number
from pipeline.archive.timeindex import DayGridIndex, day_grid_coordinates, time_to_ns

NEW_YEAR = day_number(dt.date(2021, 1, 1))
RATES = [0.01, 1.0, 59.5238, 100.0]
SIZE = 400


def ours(rate: float, *, before: int = SIZE // 2, size: int = SIZE) -> xr.Dataset:
    """Return samples around New Year: at 0.01 Hz five hours, at 100 Hz four seconds."""
    grid = DayGrid.at_rate(rate)
    first = NEW_YEAR * grid.samples_per_day - before
    return xr.Dataset({"x": ("time", np.arange(size))}, day_grid_coordinates(grid, first=first, size=size))


def theirs(dataset: xr.Dataset) -> xr.Dataset:
    return xr.Dataset({"x": ("time", dataset.x.values)}, {"time": pd.DatetimeIndex(dataset.time.values)})


def test_times_are_those_of_the_grid() -> None:
    for rate in RATES:
        grid = DayGrid.at_rate(rate)
        first = NEW_YEAR * grid.samples_per_day - 200
        expected = [grid.time_ns(first + i) for i in range(SIZE)]
        assert ours(rate).time.values.astype(np.int64).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    a=st.integers(-10, SIZE + 10),
    b=st.integers(-10, SIZE + 10),
    nudge=st.integers(-2, 2),
    step=st.sampled_from([None, 1, 3]),
)
def test_slices_of_times(rate: float, a: int, b: int, nudge: int, step: int | None) -> None:
    dataset = ours(rate)
    index: Any = dataset.xindexes["time"]
    low, high = (np.datetime64(index.grid.time_ns(index.first + i) + nudge, "ns") for i in (a, b))
    span = slice(low, high, step)
    xr.testing.assert_equal(dataset.sel(time=span).x.variable, theirs(dataset).sel(time=span).x.variable)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(
    "text",
    ["2020", "2021", "2020-12", "2021-01", "2020-12-31", "2021-01-01", "2020-12-31T23", "2021-01-01T00:00",
     "2020-12-31 23:59", "2021-01-01T00:00:00", "2020-12-31T23:59:59", "2020-12-31T23:59:59.5",
     "2021-01-01T00:00:00.25", "2021-01-01T00:00:00.123456789"],
)  # fmt: skip
def test_slices_of_partial_dates(rate: float, text: str) -> None:
    dataset = ours(rate)
    for span in (slice(text, None), slice(None, text), slice(text, text)):
        mine, other = dataset.sel(time=span), theirs(dataset).sel(time=span)
        np.testing.assert_array_equal(mine.x.values, other.x.values, err_msg=str(span))


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES), at=st.floats(-0.02, 1.02), tolerance=st.sampled_from([None, "1ms", "10s"])
)
def test_nearest(rate: float, at: float, tolerance: str | None) -> None:
    dataset = ours(rate)
    times = dataset.time.values.astype(np.int64)
    time = np.datetime64(int(times[0] + at * (times[-1] - times[0])), "ns")
    options: dict[str, Any] = {"method": "nearest"}
    if tolerance is not None:
        options["tolerance"] = pd.Timedelta(tolerance)
    try:
        expected = int(theirs(dataset).sel(time=time, **options).x)
    except KeyError:
        with pytest.raises(KeyError, match="no sample at"):
            dataset.sel(time=time, **options)
        return
    assert abs(int(dataset.sel(time=time, **options).x) - expected) <= (1 if _is_tie(times, time) else 0)


def _is_tie(times: np.ndarray, time: np.datetime64) -> bool:
    apart = np.sort(np.abs(times - time.astype(np.int64)))
    return bool(apart[1] - apart[0] <= 1)


@pytest.mark.parametrize("rate", RATES)
def test_exact_times(rate: float) -> None:
    dataset = ours(rate)
    for position in (0, 199, 200, SIZE - 1):
        assert int(dataset.sel(time=dataset.time.values[position]).x) == position
    with pytest.raises(KeyError, match=r"no sample at .*; method='nearest' takes the next"):
        dataset.sel(time=dataset.time.values[5] + np.timedelta64(1, "ns"))
    picked = dataset.sel(time=dataset.time.values[[7, 3, 300]])
    np.testing.assert_array_equal(picked.x.values, [7, 3, 300])
    wanted = xr.DataArray(dataset.time.values[[[1, 2], [3, 4]]], dims=("a", "b"))
    assert dataset.sel(time=wanted).x.dims == ("a", "b")
    with pytest.raises(ValueError, match="should be None or 'nearest'"):
        dataset.sel(time=dataset.time.values[0], method="ffill")


@pytest.mark.parametrize(
    "time",
    ["2021-01-01T00:00:00Z", dt.datetime(2021, 1, 1, tzinfo=dt.UTC), dt.date(2021, 1, 1),
     np.datetime64("2021-01-01"), pd.Timestamp("2021-01-01T02:00", tz="+02:00"),
     obspy.UTCDateTime(2021, 1, 1)],
)  # fmt: skip
def test_times_of_any_kind(time: object) -> None:
    assert time_to_ns(time) == NEW_YEAR * DAY_NS
    assert int(ours(100.0).sel(time=time).x) == 200


@settings(max_examples=60, deadline=None)
@given(
    rate=st.sampled_from(RATES),
    span=st.slices(SIZE),
    again=st.slices(40),
)
def test_isel_with_steps(rate: float, span: slice, again: slice) -> None:
    dataset = ours(rate)
    mine = dataset.isel(time=span).isel(time=again)
    other = theirs(dataset).isel(time=span).isel(time=again)
    np.testing.assert_array_equal(mine.time.values, other.time.values)
    np.testing.assert_array_equal(mine.x.values, other.x.values)
    assert isinstance(mine.xindexes["time"], DayGridIndex)


def test_steps_keep_finding_times() -> None:
    dataset = ours(100.0).isel(time=slice(3, None, 7))
    other = theirs(dataset)
    span = slice("2020-12-31T23:59:59", "2021-01-01T00:00:00.5")
    np.testing.assert_array_equal(dataset.sel(time=span).x.values, other.sel(time=span).x.values)
    falling = ours(100.0).isel(time=slice(None, None, -1))
    with pytest.raises(ValueError, match="needs an axis that rises"):
        falling.sel(time=span)
    assert int(falling.sel(time="2021-01-01T00:00:00")["x"]) == 200


@pytest.mark.parametrize("rate", RATES)
def test_concat(rate: float) -> None:
    dataset = ours(rate)
    parts = [dataset.isel(time=slice(a, b)) for a, b in ((0, 150), (150, 260), (260, SIZE))]
    whole = xr.concat(parts, "time")
    assert isinstance(whole.xindexes["time"], DayGridIndex)
    xr.testing.assert_identical(whole, dataset)
    torn = xr.concat([parts[0], parts[2]], "time")
    assert not isinstance(torn.xindexes["time"], DayGridIndex)
    expected = xr.concat([theirs(parts[0]), theirs(parts[2])], "time")
    np.testing.assert_array_equal(torn.time.values, expected.time.values)
    np.testing.assert_array_equal(torn.x.values, expected.x.values)
    assert xr.concat([parts[0].isel(time=slice(0)), parts[1]], "time").sizes["time"] == 110


def test_arithmetic_of_selections() -> None:
    dataset = ours(59.5238)
    same = dataset.x + ours(59.5238).x
    np.testing.assert_array_equal(same.values, 2 * np.arange(SIZE))
    assert isinstance(same.xindexes["time"], DayGridIndex)
    shifted = ours(59.5238, before=150)
    common = dataset.x + shifted.x
    expected = theirs(dataset).x + theirs(shifted).x
    np.testing.assert_array_equal(common.values, expected.values)
    np.testing.assert_array_equal(common.time.values, expected.time.values)
    assert isinstance(common.xindexes["time"], DayGridIndex)
    with pytest.raises(ValueError, match=r"can't align .*1Hz.*100Hz.*at one rate and step"):
        ours(1.0).x + ours(100.0).x


@pytest.mark.parametrize("join", ["inner", "outer", "left", "right"])
@pytest.mark.parametrize("before", [150, 200, 250, 400])
def test_align(join: Any, before: int) -> None:
    pair, shifted = ours(59.5238).isel(time=slice(0, None, 2)), ours(59.5238, before=before)
    shifted = shifted.isel(time=slice(0, None, 2))
    mine = xr.align(pair, shifted, join=join)
    other = xr.align(theirs(pair), theirs(shifted), join=join)
    for a, b in zip(mine, other, strict=True):
        np.testing.assert_array_equal(a.time.values, b.time.values)
        np.testing.assert_array_equal(a.x.values, b.x.values)


def test_an_empty_span() -> None:
    dataset = ours(1.0, size=0)
    assert dataset.time.values.shape == (0,)
    assert dataset.sel(time=slice("2020", "2022")).sizes["time"] == 0
    with pytest.raises(KeyError, match="no sample at"):
        dataset.sel(time="2021-01-01", method="nearest")
