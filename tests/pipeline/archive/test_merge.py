"""Merging: who gets a grid point, in whatever order the sources come and however they were cut."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS, DayGrid
from pipeline.archive.merge import DayContent, fill_value, merge_day
from pipeline.archive.pieces import Piece, sample_times_ns
from pipeline.archive.placement import Run, SideRun, place
from pipeline.keys import Channel, Stream

STREAM = Stream.parse("XX.TEST..HH")
GRID = DayGrid(1000)
RATE = GRID.rate_hz
DAY = 18_000
MISSING = np.iinfo(np.int32).min


def run(
    first: int,
    samples: object,
    *,
    code: str = "HHZ",
    rank: int = 2,
    source: int = 0,
    chain: int = 0,
    **more: int,
) -> Run:
    values = np.asarray(samples)
    values = values.astype(np.int32) if values.dtype.kind == "i" else values
    start = GRID.time_ns(DAY * 1000 + first) + more.pop("late_ns", 0)
    return Run(STREAM.channel(code), DAY, first, values, start, RATE, rank, source, chain, **more)


def merge(*runs: Run, side: tuple[SideRun, ...] = ()) -> DayContent:
    return merge_day(DAY, STREAM, GRID, runs, side)


def counts(content: DayContent, component: int = 0) -> np.ndarray:
    return whole(content, "counts")[component]


def whole(content: DayContent, array: str) -> np.ndarray:
    return np.asarray(content.arrays[array].filled(fill_value(array)))


def summary(content: DayContent) -> object:
    """Return all that must not depend on the order of sources."""
    segments = [(s.component, s.channel, s.first, s.length, s.start_ns, s.rank) for s in content.segments]
    side = [(r.kind, r.channel.code, r.start_ns, r.samples.tolist()) for r in content.side]
    return (
        segments,
        side,
        {a: whole(content, a).tobytes() for a in content.arrays},
        (content.overlap_samples, content.disagreed_samples, content.clipped_samples, content.digest()),
    )


sources = st.lists(
    st.tuples(
        st.integers(0, 120),
        st.integers(1, 80),
        st.sampled_from(["HHZ", "HHZ", "HHN", "HH1"]),
        st.sampled_from([1, 2, 2, 3]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(specs=sources)
def test_any_order_of_sources_gives_the_same_day(specs: list[tuple[int, int, str, int, int]]) -> None:
    true = np.arange(1000)
    runs = [
        run(first, true[first : first + count] + 5000 * version, code=code, rank=rank)
        for first, count, code, rank, version in specs
    ]
    # A source's number is its place in the list of files.
    found = [
        summary(merge(*(replace(runs[i], source=place) for place, i in enumerate(order))))
        for order in permutations(range(len(runs)))
    ]
    assert all(other == found[0] for other in found)


@settings(max_examples=150, deadline=None)
@given(specs=sources)
def test_each_grid_point_against_a_loop(specs: list[tuple[int, int, str, int, int]]) -> None:
    """The best rank of the preferred channel wins; equal ranks must agree; other channels go aside."""
    true = np.arange(1000)
    runs = [
        run(first, true[first : first + count] + 5000 * version, code=code, rank=rank, source=number)
        for number, (first, count, code, rank, version) in enumerate(specs)
    ]
    content = merge(*runs)
    assert sum(len(r.samples) for r in content.side if r.kind != "channel") == 0
    aside = {(r.channel.code, int(v) % 5000) for r in content.side for v in r.samples}
    for component, codes in enumerate((("HHZ",), ("HHN", "HH1"), ("HHE",))):
        row = counts(content, component) if "counts" in content.arrays else np.full(1000, MISSING)
        for point in range(210):
            claims: dict[str, dict[int, set[int]]] = {}
            for one in runs:
                if one.channel.code in codes and one.first <= point < one.stop:
                    value = int(one.samples[point - one.first])
                    claims.setdefault(one.channel.code, {}).setdefault(one.rank, set()).add(value)
            holder = next((code for code in codes if code in claims), None)
            best = claims[holder][max(claims[holder])] if holder else set()
            assert row[point] == (next(iter(best)) if len(best) == 1 else MISSING)
            for code in set(claims) - {holder}:
                assert (code, point) in aside


def test_a_second_channel_keeps_its_samples_where_the_first_disagrees_with_itself() -> None:
    content = merge(
        run(0, [1, 2, 3], code="HHN", source=0),
        run(0, [1, 9, 3], code="HHN", source=1),
        run(0, [7, 8, 9], code="HH1", source=2),
    )
    assert counts(content, 1)[:3].tolist() == [1, MISSING, 3]
    assert {(r.kind, r.channel.code) for r in content.side} == {("channel", "HH1")}
    assert [int(v) for r in content.side for v in r.samples] == [7, 8, 9]


def test_nan_and_the_smallest_integer_are_samples() -> None:
    bits = np.array([0x7FC00000, 0x7FC0BEEF, 0x3F800000, 0x7FC00001], dtype="u4")
    content = merge(run(10, bits.view("f4")), run(20, [5, MISSING, 7], code="HHN"))
    np.testing.assert_array_equal(whole(content, "values")[0][10:14].view("u4"), bits)
    assert counts(content, 1)[20:23].tolist() == [5, MISSING, 7]
    assert [(s.array, s.first, s.length) for s in content.segments] == [("counts", 20, 3), ("values", 10, 4)]
    assert content.samples_of(0) == 4
    assert content.samples_of(1) == 3


def test_nan_agrees_with_nan() -> None:
    nan = np.array([1.0, np.nan, 3.0])
    content = merge(run(0, nan, source=0), run(0, nan, source=1), run(1, np.array([2.0]), rank=1, source=2))
    assert (content.overlap_samples, content.disagreed_samples) == (4, 0)
    np.testing.assert_array_equal(whole(content, "values64")[0][:3], nan)


def test_integers_and_floats_of_one_channel_stand_beside_each_other() -> None:
    content = merge(run(0, [1, 2]), run(0, np.array([0.5, 1.5], dtype="f4")), run(5, np.array([2.5])))
    assert sorted(content.arrays) == ["counts", "values", "values64"]
    assert counts(content)[:3].tolist() == [1, 2, MISSING]
    assert content.disagreed_samples == 0


def test_rows_without_runs_hold_the_fill_value_also_in_used_buffers() -> None:
    buffers: dict[str, object] = {}
    merge_day(DAY, STREAM, GRID, [run(0, np.arange(1000), code=f"HH{c}") for c in "ZNE"], buffers=buffers)
    content = merge_day(DAY, STREAM, GRID, [run(3, [1, 2])], buffers=buffers)
    assert (counts(content)[:3] == MISSING).all()
    assert (counts(content)[5:] == MISSING).all()
    assert (counts(content, 1) == MISSING).all()
    assert (counts(content, 2) == MISSING).all()
    content = merge_day(DAY, STREAM, GRID, [run(3, [1, 2]), run(4, [2, 3], source=1)], buffers=buffers)
    assert counts(content)[2:7].tolist() == [MISSING, 1, 2, 3, MISSING]


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.sets(st.integers(1, 2999), max_size=6),
    rate=st.sampled_from([1.0, 20.0, 59.5238, 100.0]),
    ppm=st.sampled_from([0.0, 0.0, -80.0, 80.0]),
    microseconds=st.booleans(),
    late_ns=st.integers(0, 999),
)
def test_the_digest_does_not_know_the_files(
    cuts: set[int], rate: float, ppm: float, microseconds: bool, late_ns: int
) -> None:
    """One file or seven, cut anywhere, with starts to the microsecond as miniSEED 2 has them."""
    # Rounded starts move the point where a drifting clock passes half a step, and with it what collides.
    microseconds &= ppm == 0
    grid = DayGrid.at_rate(rate)
    samples = np.random.default_rng(1).integers(-99, 99, 3000).astype(np.int32)
    clock = rate * (1 + ppm * 1e-6)
    times = sample_times_ns(DAY * DAY_NS + 3_600_000_000_000 + late_ns, clock, 3000)
    edges = sorted({0, *cuts, 3000})

    def digest(edges: list[int]) -> str:
        runs, side = [], []
        for source, (a, b) in enumerate(pairwise(edges)):
            start = int(times[a])
            start = (start + 500) // 1000 * 1000 if microseconds else start
            piece = Piece(Channel.parse("XX.TEST..HHZ"), samples[a:b], start, clock, rate)
            placed = place(piece, grid, range(DAY, DAY + 1), source=source)
            runs += placed[0]
            side += placed[1]
        return merge_day(DAY, STREAM, grid, runs, side).digest()

    assert digest(edges) == digest([0, 3000])


def test_the_digest_does_not_know_the_files_of_a_second_channel() -> None:
    """Its side runs are cut where the files that hold the slot are."""
    first, second = np.arange(50), np.arange(50) + 900
    one = merge(run(0, first, code="HHN"), run(10, second, code="HH1", source=1))
    several = merge(
        run(0, first[:20], code="HHN"),
        run(20, first[20:], code="HHN", source=3),
        run(10, second[:30], code="HH1", source=1),
        run(40, second[30:], code="HH1", source=2),
    )
    assert len(several.side) > len(one.side)
    assert several.digest() == one.digest()


def test_the_digest_knows_samples_times_and_ranks() -> None:
    one = run(5, [1, 2, 3])
    changed = [
        run(5, [1, 2, 4]),
        run(6, [1, 2, 3]),
        run(5, [1, 2, 3], rank=3),
        run(5, [1, 2, 3], code="HHN"),
        run(5, [1, 2, 3], late_ns=2000),
        run(5, np.array([1, 2, 3], dtype="f4")),
        run(5, [1, 2]),
    ]
    digests = {merge(each).digest() for each in (one, *changed)}
    assert len(digests) == 8
    assert merge(one).digest() == merge(run(5, [1, 2, 3], source=4, chain=9)).digest()


@pytest.mark.parametrize("level", [8_388_607, -8_388_608, 2**31 - 1])
def test_flat_tops_are_clipped(level: int) -> None:
    samples = np.arange(100)
    samples[[10, 11, 12, 13, 20, 21, 30]] = level
    samples[60:63] = level
    assert merge(run(0, samples)).clipped_samples == 7
    quiet = np.where(samples == level, 1000, samples)
    assert merge(run(0, quiet)).clipped_samples == 0
    assert merge(run(0, quiet, flagged_clipped=25)).clipped_samples == 25
    split = [run(0, samples[:12]), run(12, samples[12:])]
    assert merge(*split).clipped_samples == 7


def test_timing_quality_is_the_least_stated() -> None:
    assert merge(run(0, [1])).timing_quality == -1
    assert (
        merge(run(0, [1], timing_quality=90), run(5, [1]), run(9, [1], timing_quality=70)).timing_quality
        == 70
    )


def test_fill_values() -> None:
    assert fill_value("counts") == MISSING
    assert np.isnan(fill_value("values"))
    assert np.isnan(fill_value("values64"))


def test_what_no_run_touches_is_neither_filled_nor_read() -> None:
    """A row of garbage comes out as if it had been clean, and stays as it was beyond the touched chunks."""
    grid = DayGrid.at_rate(20.0)
    first = 5 * grid.chunk - 3
    full_scale = np.full(grid.samples_per_day, 8_388_607, dtype=np.int32)
    buffers = {"counts": np.tile(full_scale, (3, 1))}
    quiet = np.arange(10, dtype=np.int32)
    for runs in ([run(first, quiet)], [run(first, quiet), run(first + 5, quiet[5:], source=1)]):
        content = merge_day(DAY, STREAM, grid, runs, buffers=buffers)
        assert content.arrays["counts"].spans(0) == [(4 * grid.chunk, 6 * grid.chunk)]
        assert content.arrays["counts"].spans(1) == []
        row = whole(content, "counts")[0]
        assert row[first : first + 10].tolist() == quiet.tolist()
        assert (np.delete(row, np.arange(first, first + 10)) == MISSING).all()
        assert content.clipped_samples == 0
        assert (buffers["counts"][0, : 4 * grid.chunk] == 8_388_607).all()


def test_a_record_that_came_whole_and_alone_is_not_copied() -> None:
    samples = np.arange(1000, dtype=np.int32)
    samples.flags.writeable = False
    complete = run(0, samples)
    content = merge(complete)
    assert content.arrays["counts"].samples[0] is complete.samples
    assert counts(content).tolist() == samples.tolist()
    again = run(0, samples, source=1)
    for runs in (
        [complete, again],
        [run(0, samples[:999])],
        [run(0, samples[:500]), run(500, samples[500:])],
    ):
        merged = merge(*runs)
        assert not np.shares_memory(merged.arrays["counts"].samples[0], runs[0].samples)
        length = sum(segment.length for segment in merged.segments)
        assert counts(merged)[:length].tolist() == samples[:length].tolist()
        assert (length == 1000) == (merged.digest() == content.digest())
