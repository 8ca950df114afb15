"""Placement against a loop over samples."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS, DayGrid
from pipeline.archive.pieces import Piece, sample_time_ns
from pipeline.archive.placement import place
from pipeline.keys import Channel

CHANNEL = Channel.parse("XX.TEST..HHZ")
DAY = 18_000
ALL = range(DAY - 30, DAY + 30)


def piece_of(count: int, start_ns: int, rate_hz: float, nominal: float) -> Piece:
    return Piece(CHANNEL, np.arange(count, dtype=np.int32), start_ns, rate_hz, nominal)


def by_loop(piece: Piece, grid: DayGrid) -> tuple[dict[int, int], list[int]]:
    """Give each sample its nearest grid point, the first come first; return those and who came late."""
    placed: dict[int, int] = {}
    late = []
    for sample in range(len(piece.samples)):
        index = grid.index(sample_time_ns(piece.start_ns, piece.rate_hz, sample))
        if index in placed:
            late.append(sample)
        else:
            placed[index] = sample
    return placed, late


@settings(max_examples=150, deadline=None)
@given(
    rate=st.sampled_from([0.01, 1.0, 1.851852, 20.0, 59.5238, 100.0]),
    # A hundred times what `grid_for` lets in, so that a few thousand samples pass many half steps.
    ppm=st.one_of(st.just(0.0), st.floats(-10_000, 10_000)),
    start=st.integers(-DAY_NS, DAY_NS),
    count=st.integers(1, 3000),
)
def test_each_sample_stands_where_a_loop_puts_it(rate: float, ppm: float, start: int, count: int) -> None:
    grid = DayGrid.at_rate(rate)
    n = grid.samples_per_day
    piece = piece_of(count, DAY * DAY_NS + start, grid.rate_hz * (1 + ppm * 1e-6), rate)
    runs, side = place(piece, grid, ALL, source=7)
    placed, late = by_loop(piece, grid)
    found = {run.day * n + run.first + i: int(sample) for run in runs for i, sample in enumerate(run.samples)}
    assert found == placed
    assert sorted(int(v) for run in side for v in run.samples) == late
    assert sum(len(run.samples) for run in runs) + len(late) == count
    for run in (*runs, *side):
        assert run.source == 7
        first = int(run.samples[0])
        assert run.start_ns == sample_time_ns(piece.start_ns, piece.rate_hz, first)
    for run in runs:
        assert run.first >= 0
        assert run.stop <= n
    assert all(run.kind == "collision" for run in side)


@settings(max_examples=40, deadline=None)
@given(start=st.integers(-DAY_NS, DAY_NS), count=st.integers(1, 4000), ppm=st.floats(-500, 500))
def test_day_by_day_is_all_at_once(start: int, count: int, ppm: float) -> None:
    """What a task places for one day is what it would place there with all days in view."""
    grid = DayGrid.at_rate(0.02)
    piece = piece_of(count, DAY * DAY_NS + start, 0.02 * (1 + ppm * 1e-6), 0.02)
    whole = place(piece, grid, ALL, source=0)
    single = [place(piece, grid, range(day, day + 1), source=0) for day in ALL]
    for kind in (0, 1):
        together = [(run.day, run.start_ns, run.samples.tolist()) for run in whole[kind]]
        apart = [(run.day, run.start_ns, run.samples.tolist()) for day in single for run in day[kind]]
        assert apart == together


def test_a_leap_second_belongs_to_the_day_it_ends() -> None:
    grid = DayGrid.at_rate(100.0)
    samples = np.arange(100, dtype=np.int32)
    piece = Piece(CHANNEL, samples, DAY * DAY_NS, 100.0, 100.0, leap=True)
    runs, (side,) = place(piece, grid, ALL, source=0)
    assert runs == []
    assert (side.kind, side.day, len(side.samples)) == ("leap", DAY - 1, 100)
    assert place(piece, grid, range(DAY, DAY + 1), source=0) == ([], [])
