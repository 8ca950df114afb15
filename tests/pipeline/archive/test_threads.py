"""Threads: everything is done once, errors come through, and a forked child has its own."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

from pipeline.archive.shard import ShardLayout, decode_chunks, encode_span
from pipeline.archive.threads import spread, thread_count
from pipeline.errors import FormatError


@pytest.fixture
def three_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")


@pytest.mark.parametrize(("stated", "count"), [("1", 1), ("4", 4), ("4,2", 4)])
def test_the_number_is_that_of_openmp(stated: str, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert thread_count() == count


@pytest.mark.parametrize("stated", ["", "0", "-2", "many"])
def test_nonsense_is_all_cores(stated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert thread_count() == len(os.sched_getaffinity(0))


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize(("items", "most"), [(0, 1), (7, 1), (8, 2), (100, 3)])
def test_each_item_once_on_as_many_threads_as_have_enough(items: int, most: int) -> None:
    done = []
    spread(lambda item: done.append((item, threading.get_ident())), range(items), least=4)
    assert sorted(item for item, _ in done) == list(range(items))
    assert len({ident for _, ident in done}) <= most


@pytest.mark.usefixtures("three_threads")
def test_threads_work_side_by_side() -> None:
    # Each waits for the others: one after the other they would never get past it.
    together = threading.Barrier(3, timeout=30)
    places: list[int] = []
    spread(lambda _: places.append(together.wait()), range(3), least=1)
    assert sorted(places) == [0, 1, 2]


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("bad", range(6))
def test_an_error_on_any_thread_comes_through(bad: int) -> None:
    def work(item: int) -> None:
        if item == bad:
            raise FormatError(f"item {item}")

    with pytest.raises(FormatError, match=f"item {bad}"):
        spread(work, range(6), least=1)


@pytest.mark.usefixtures("three_threads")
def test_a_forked_child_has_threads_of_its_own() -> None:
    together = threading.Barrier(3, timeout=30)
    spread(lambda _: together.wait(), range(3), least=1)
    child = os.fork()
    if not child:
        again = threading.Barrier(3, timeout=30)
        try:
            spread(lambda _: again.wait(), range(3), least=1)
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("threads", ["1", "2", "5"])
def test_a_shard_decodes_alike_on_any_number_of_threads(
    threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    layout = ShardLayout(3, 40 * 100, 100, "int32", -(2**31))
    samples = np.random.default_rng(5).integers(-999, 999, (3, layout.samples)).astype(np.int32)
    samples[1, 700:1200] = layout.fill
    chunks = encode_span(samples, layout)
    part = np.empty((3, 3 * 1000), dtype=np.int32)
    decode_chunks(chunks[7:], 7, 750, 3750, layout, part, "x")
    np.testing.assert_array_equal(part, samples[:, 750:3750])
    chunks[30][2] = chunks[30][2][:-9]
    with pytest.raises(FormatError, match="a chunk of"):
        decode_chunks(chunks, 0, 0, layout.samples, layout, np.empty_like(samples), "x")
