"""Selections that make sense, and requests cut into parts that are exactly the whole."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS
from pipeline.errors import ConfigError
from pipeline.fdsn.dataselect import group_windows
from pipeline.fdsn.selection import Selection, Window, halves, runs_of
from pipeline.keys import Channel

HOUR_NS = 3_600_000_000_000
CHANNELS = [Channel.parse(f"CI.CCC..{code}") for code in ("HHE", "HHN", "HHZ")]
DUE = st.dictionaries(
    st.sampled_from(CHANNELS), st.sets(st.integers(0, 60), min_size=1).map(sorted), min_size=1
)


def select(**changes: Any) -> Selection:
    days = {"start": dt.date(2020, 1, 1), "end": dt.date(2020, 1, 2)}
    return Selection(**({"networks": "CI"} | days | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"networks": "*"}, "the whole world is too much"),
        ({"stations": "CCC PAS"}, "--stations 'CCC PAS' should be codes"),
        ({"channels": "HH?,"}, "--channels"),
        ({"end": dt.date(2019, 1, 1)}, "lies before"),
        ({"region": (40.0, 30.0, 0.0, 1.0)}, "--region 40 30 0 1"),
        ({"region": (30.0, 40.0, 170.0, 190.0)}, "--region"),
        ({"circle": (91.0, 0.0, 0.0, 1.0)}, "--circle 91 0 0 1"),
        ({"circle": (0.0, 0.0, 2.0, 1.0)}, "--circle"),
    ],
)
def test_a_selection_fails(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        select(**changes)


def test_what_is_asked_of_the_station_service() -> None:
    asked = select(networks="*", locations="--", region=(30.0, 40.5, -120.0, -110.0)).parameters()
    assert asked == {
        "location": "--",
        "starttime": "2020-01-01T00:00:00",
        "endtime": "2020-01-02T23:59:59.999999",
        "minlatitude": "30",
        "maxlatitude": "40.5",
        "minlongitude": "-120",
        "maxlongitude": "-110",
    }
    assert select(circle=(1.0, 2.0, 0.0, 3.0)).parameters()["maxradius"] == "3"


def hours(windows: list[Window]) -> list[tuple[Channel, int]]:
    """Take windows apart into the hours of each channel."""
    return [
        (window.channel, hour)
        for window in windows
        for hour in range(window.start_ns // HOUR_NS, window.stop_ns // HOUR_NS)
    ]


@given(DUE)
def test_requests_are_what_is_due_and_nothing_else(due: dict[Channel, list[int]]) -> None:
    rates = dict.fromkeys(CHANNELS, 1.0)
    requests = list(group_windows(due, rates, target_samples=7 * 86400))
    asked = [(window.channel, day) for windows in requests for window in windows for day in window.days]
    assert sorted(asked) == sorted((channel, day) for channel, days in due.items() for day in days)
    for windows in requests:
        days = {day for window in windows for day in window.days}
        assert sum(window.samples for window in windows) <= 7 * 86400 or len(days) == 1


def test_a_day_of_high_rates_is_asked_for_channel_by_channel() -> None:
    for rate_hz, requests in ((100.0, 1), (500.0, 3), (5000.0, 3)):
        due = {channel: [0] for channel in CHANNELS}
        parts = list(group_windows(due, dict.fromkeys(CHANNELS, rate_hz)))
        assert len(parts) == requests
        assert sorted(window.channel for part in parts for window in part) == CHANNELS


@given(DUE, st.booleans())
def test_halves_are_the_whole(due: dict[Channel, list[int]], down_to_hours: bool) -> None:
    [windows] = group_windows(due, dict.fromkeys(CHANNELS, 1.0), target_samples=1e12)

    def parts(windows: list[Window]) -> list[list[Window]]:
        found = halves(windows, down_to_hours=down_to_hours)
        return [windows] if found is None else [part for half in found for part in parts(half)]

    leaves = parts(windows)
    assert sorted(hours([window for leaf in leaves for window in leaf])) == sorted(hours(windows))
    assert all(len(leaf) == 1 for leaf in leaves)
    longest = max(leaf[0].stop_ns - leaf[0].start_ns for leaf in leaves)
    assert longest <= (HOUR_NS if down_to_hours else DAY_NS)


@given(st.sets(st.integers(-5, 40)))
def test_runs(days: set[int]) -> None:
    runs = runs_of(days)
    assert {day for first, last in runs for day in range(first, last + 1)} == days
    assert all(before[1] + 1 < after[0] for before, after in pairwise(runs))
