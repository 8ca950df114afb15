"""Ticks are round, within the limits, and enough."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.ticks import round_limits, ticks_between


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.sampled_from(["linear", "time"]))
def test_ticks_lie_within_and_are_neither_few_nor_many(low: float, span: float, kind: str) -> None:
    if kind == "time":
        span = max(span, 10.0)
    ticks = [value for value, _ in ticks_between(low, low + span, kind)]  # type: ignore[arg-type]
    room = 1e-6 * span + 1e-9 * abs(low)
    assert all(low - room <= value <= low + span + room for value in ticks)
    assert ticks == sorted(set(ticks))
    assert (1 if kind == "time" else 2) <= len(ticks) <= 8


@given(st.floats(-6, 6), st.floats(0.1, 9))
def test_powers_of_ten_are_marked(low: float, decades: float) -> None:
    limits = 10**low, 10 ** (low + decades)
    ticks = ticks_between(*limits, "log")
    assert all(limits[0] * 0.999 <= value <= limits[1] * 1.001 for value, _ in ticks)
    assert len({label for _, label in ticks}) == len(ticks) <= 12


@pytest.mark.parametrize(
    ("start", "stop", "labels"),
    [
        ((2021, 1, 1), (2023, 1, 1), ["2021", "Jul", "2022", "Jul", "2023"]),
        ((2021, 1, 30), (2021, 2, 3), ["30 Jan", "31 Jan", "1 Feb", "2 Feb", "3 Feb"]),
        ((1998, 1, 1), (2021, 1, 1), ["2000", "2005", "2010", "2015", "2020"]),
        ((2021, 1, 1, 22), (2021, 1, 2, 2), ["22:00", "23:00", "2 Jan", "01:00", "02:00"]),
    ],
)
def test_times_are_round(start: tuple[int, ...], stop: tuple[int, ...], labels: list[str]) -> None:
    low, high = (datetime(*time, tzinfo=UTC).timestamp() for time in (start, stop))  # type: ignore[misc,arg-type]
    assert [label for _, label in ticks_between(low, high, "time", count=5)] == labels


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_limits_hold_the_values_and_have_a_width(low: float, span: float) -> None:
    first, last = round_limits(low, low + span, "linear")
    assert first <= low + 1e-6 * span + 1e-9 * abs(low)
    assert last >= low + span - 1e-6 * span - 1e-9 * abs(low)
    assert last > first
