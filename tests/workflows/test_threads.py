"""Blocks in threads: some at a time, told to end when nobody wants more, and never lost."""

from __future__ import annotations

import threading
from threading import Event

import pytest

from workflows.ledger import BlockResult
from workflows.plan import Task
from workflows.runners import Guarded
from workflows.threads import ThreadRunner

TASKS = [Task(f"block {number}", "5f0c") for number in range(20)]


def test_so_many_at_a_time() -> None:
    lock, running, most = threading.Lock(), [0], [0]
    barrier = threading.Barrier(3)

    def work(task: Task) -> BlockResult:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        if int(task.key.split()[1]) < 3:
            barrier.wait(10.0)  # three are under way at once, or this fails
        with lock:
            running[0] -= 1
        return task.result()

    batches = ThreadRunner(3, on_stop=lambda: None).run(work, iter(TASKS), Event())
    results = [result for batch in batches for result in batch]
    assert sorted(result.key for result in results) == sorted(task.key for task in TASKS)
    assert most == [3]


def test_once_stopped_nothing_is_begun() -> None:
    stop, told, begun = Event(), Event(), []

    def work(task: Task) -> BlockResult:
        begun.append(task.key)
        if len(begun) == 4:
            stop.set()
            assert told.wait(10.0)
        return task.result()

    batches = ThreadRunner(1, on_stop=told.set, tick_seconds=0.01).run(work, TASKS, stop)
    results = [result.key for batch in batches for result in batch]
    assert results == begun == [task.key for task in TASKS[:4]]


def test_left_before_its_end() -> None:
    """A driver that goes away tells what is running to end."""
    told, begun = Event(), Event()

    def work(task: Task) -> BlockResult:
        begun.set()
        assert told.wait(10.0)
        return task.result()

    batches = ThreadRunner(2, on_stop=told.set, tick_seconds=0.01).run(work, TASKS, Event())
    assert next(batches) == []
    assert begun.wait(10.0)
    batches.close()
    assert told.is_set()


def test_an_error_is_a_result() -> None:
    def work(task: Task) -> BlockResult:
        raise OSError("no space left")

    batches = ThreadRunner(2, on_stop=lambda: None).run(Guarded(work, retries=0), TASKS[:3], Event())
    assert [result.reason for batch in batches for result in batch] == ["OSError: no space left"] * 3


def test_what_nobody_catches_ends_the_run() -> None:
    def work(task: Task) -> BlockResult:
        raise SystemExit(7)

    with pytest.raises(SystemExit):
        list(ThreadRunner(2, on_stop=lambda: None).run(work, TASKS[:3], Event()))
