"""The day grid against exact fractions."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS, RATES_HZ, DayGrid, day_number, day_of_number, nominal_rate
from pipeline.errors import ConfigError

MOST = round(RATES_HZ[1] * 86400)
grids = st.builds(DayGrid, st.integers(1, MOST))
years = st.floats(-50, 250)  # around 1970: from 1920 to 2220


@given(grid=grids, year=years, step=st.integers(-3, 3))
def test_index_of_time_is_the_inverse(grid: DayGrid, year: float, step: int) -> None:
    index = round(year * 365.25 * grid.samples_per_day) + step
    time = grid.time_ns(index)
    assert abs(Fraction(time) - index * grid.step_ns()) <= Fraction(1, 2)
    assert grid.index(time) == index
    assert grid.index_at_or_after(time) == index
    assert grid.index_at_or_after(time + 1) == index + 1
    assert grid.time_ns(index + grid.samples_per_day) == time + DAY_NS


@given(grid=grids, time=st.integers(-(2**60), 2**62))
def test_nearest_and_next(grid: DayGrid, time: int) -> None:
    step = grid.step_ns()
    index = grid.index(time)
    assert -step / 2 < index * step - time <= step / 2  # exactly between two, the later one
    after = grid.index_at_or_after(time)
    assert grid.time_ns(after) >= time
    assert grid.time_ns(after - 1) < time


@given(grid=grids, index=st.integers(-(10**9), 10**9))
def test_ties_go_to_the_later_sample(grid: DayGrid, index: int) -> None:
    middle = (index + Fraction(1, 2)) * grid.step_ns()
    if middle.denominator == 1:
        assert grid.index(int(middle)) == index + 1
        assert grid.index(int(middle) - 1) == index


@given(n=st.integers(1, MOST))
@example(1)
@example(MOST)
@example(5_142_856)
@example(8_640_001)
def test_labels_and_chunks(n: int) -> None:
    grid = DayGrid(n)
    assert DayGrid.from_label(grid.label) == grid
    assert "e" not in grid.label
    assert n % grid.chunk == 0


def test_labels_of_all_small_and_common_grids() -> None:
    for n in (*range(1, 3000), *(86400 * rate + off for rate in range(1, 1001) for off in (-1, 0, 1))):
        grid = DayGrid(n)
        assert DayGrid.from_label(grid.label).samples_per_day == n, n
        if n % 86400 == 0:
            assert grid.label == f"{n // 86400}Hz"


@pytest.mark.parametrize("rate", [20, 40, 50, 80, 100, 125, 200, 250, 500, 1000])
def test_common_rates_have_chunks_of_half_an_hour(rate: int) -> None:
    assert DayGrid.at_rate(rate).chunk == 1800 * rate
    assert not DayGrid.at_rate(rate).has_block_shards
    assert DayGrid.at_rate(1.0).chunk == 86400
    assert DayGrid.at_rate(1.0).has_block_shards


@given(day=st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)))
def test_days(day: dt.date) -> None:
    assert day_of_number(day_number(day)) == day
    assert day_number(day + dt.timedelta(days=1)) == day_number(day) + 1


@pytest.mark.parametrize(
    ("stated", "meant"),
    [(99.999, 100.0), (100.002, 100.0), (100.003, 100.003), (0.1000001, 0.1), (59.5238, 59.5238), (1, 1.0)],
)
def test_nominal_rate(stated: float, meant: float) -> None:
    assert nominal_rate(stated) == meant


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_rates_that_are_none(rate: float) -> None:
    with pytest.raises(ConfigError, match="must be positive and finite"):
        DayGrid.at_rate(rate)


@pytest.mark.parametrize("rate", [1e-6, 30_000.0])
def test_rates_that_no_day_holds(rate: float) -> None:
    with pytest.raises(ConfigError, match="a day must hold from 1 to 1728000000 samples"):
        DayGrid.at_rate(rate)


@pytest.mark.parametrize("label", ["100", "Hz", "xHz", "1/0Hz", "-1Hz"])
def test_labels_that_are_none(label: str) -> None:
    with pytest.raises(ConfigError):
        DayGrid.from_label(label)
