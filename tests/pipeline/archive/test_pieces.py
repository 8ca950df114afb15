"""Clocks: the lines through the times of records, where they keep a rate and where they jitter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.pieces import JITTER_LINES, fit_lines

RATE_HZ, RECORD = 50.0, 400
PERIOD_NS = 20_000_000


def record_times(count: int) -> tuple[np.ndarray, np.ndarray]:
    first = np.arange(count) * RECORD
    return first, 10**18 + first * PERIOD_NS


def times_at(lines: list[tuple[int, int, int, float]], first: np.ndarray) -> np.ndarray:
    """What the lines make of the time of each record."""
    found = [
        start + round((int(first[record]) - int(first[begin])) * 1e9 / rate)
        for begin, end, start, rate in lines
        for record in range(begin, end)
    ]
    return np.array(found)


@given(
    steady=st.integers(JITTER_LINES, 200),
    jittering=st.integers(200, 600),
    after=st.integers(JITTER_LINES, 200),
    most_us=st.integers(2, 4000),
    drift_us=st.integers(-500, 500),
    seed=st.integers(0, 100),
)
def test_jitter_stays_where_it_is(
    steady: int, jittering: int, after: int, most_us: int, drift_us: int, seed: int
) -> None:
    """Records that keep the stated rate keep their times to the nanosecond, whatever others do."""
    first, times = record_times(steady + jittering + after)
    inside = slice(steady, steady + jittering)
    draw = np.random.default_rng(seed)
    jitter_us = draw.choice([-1, 1], jittering) * draw.integers(2, most_us, jittering, endpoint=True)
    # A clock that is set right whenever it is a quarter of a sample off.
    drifted_us = drift_us * np.arange(jittering) % (PERIOD_NS // 4000)
    times[inside] += (drifted_us + jitter_us) * 1000
    lines = fit_lines(first, times, RATE_HZ)
    assert [lines[0][0], *(end for _, end, _, _ in lines)] == [begin for begin, *_ in lines] + [len(first)]
    found = times_at(lines, first)
    np.testing.assert_array_equal(found[:steady], times[:steady])
    np.testing.assert_array_equal(found[-after:], times[-after:])
    assert np.abs(found - times).max() <= PERIOD_NS / 2
    # The coarsest line that stays within half a sample has room for 4.096 ms from the earliest to the latest.
    if 2 * most_us <= 4096 and not drift_us:
        assert len(lines) <= max(JITTER_LINES, len(first) // JITTER_LINES) + 2


@pytest.mark.parametrize("between", [4, 40])
def test_many_short_jitters_do_not_make_a_line_of_each_record(between: int) -> None:
    first, times = record_times(20 * (between + JITTER_LINES))
    unsteady = np.arange(len(first)) % (between + JITTER_LINES) < between
    times[unsteady] += np.random.default_rng(1).integers(10, 3000, unsteady.sum()) * 1000
    lines = fit_lines(first, times, RATE_HZ)
    np.testing.assert_array_equal(times_at(lines, first)[~unsteady], times[~unsteady])
    assert len(lines) <= 20 + max(JITTER_LINES, len(first) // JITTER_LINES) + 20
