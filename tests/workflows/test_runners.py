"""Runners: serial equals Dask, nothing raises through, and nothing is lost with its worker."""

import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from distributed import Client, Future, Worker

from cluster import ClusterError
from workflows.ledger import BlockResult, Status
from workflows.plan import Task
from workflows.runners import DaskRunner, Guarded, Runner, SerialRunner, runner_on


@dataclass(frozen=True)
class Fails:
    """Fails the first few times that it meets a block, on whichever worker, and counts in a folder."""

    folder: Path
    times: int

    def __call__(self, task: Task) -> BlockResult:
        met = len(list(self.folder.glob(f"{task.key}-*")))
        (self.folder / f"{task.key}-{met}").touch()
        if met < self.times:
            raise OSError(f"no luck with {task.key}\nand a second line")
        return task.result(nbytes=met)


@dataclass(frozen=True)
class Kills(Fails):
    """Kills its worker instead."""

    def __call__(self, task: Task) -> BlockResult:
        if task.key != "poison":
            return task.result()
        with contextlib.suppress(OSError):
            return Fails.__call__(self, task)
        os.kill(os.getpid(), signal.SIGKILL)
        return task.result()


def double(task: Task) -> BlockResult:
    if task.payload == 13:
        raise ValueError("thirteen")
    return task.result(nbytes=2 * task.payload)


def sleep(task: Task) -> BlockResult:
    time.sleep(task.payload)
    return task.result(details=str(os.getpid()))


def wrong_type(task: Task) -> BlockResult:
    return task  # type: ignore[return-value]


def wrong_block(task: Task) -> BlockResult:
    return replace(task.result(), key="another")


def tasks(count: int, payload: float | None = None) -> list[Task]:
    return [Task.of(f"{n:04d}", n if payload is None else payload, n=n) for n in range(count)]


def collect(runner: Runner, function: object, todo: list[Task]) -> list[BlockResult]:
    batches = runner.run(function, todo, threading.Event())  # type: ignore[arg-type]
    return sorted((result for batch in batches for result in batch), key=lambda result: result.key)


@pytest.fixture
def patient(dask_client: Client) -> Iterator[Client]:
    """The shared cluster, whole again afterwards."""
    yield dask_client
    dask_client.wait_for_workers(4, timeout=30)


def test_serial_equals_dask(dask_client: Client) -> None:
    todo = tasks(100)
    one, other = (
        collect(runner, Guarded(double, retries=0), todo)
        for runner in (SerialRunner(), DaskRunner(dask_client, smallest_window=7, per_slot=1))
    )
    assert [result.nbytes for result in one] == [0 if n == 13 else 2 * n for n in range(100)]
    assert one[13].reason == other[13].reason == "ValueError: thirteen"
    assert all("double" in results[13].details for results in (one, other))
    assert [replace(r, seconds=0, details="") for r in one] == [
        replace(r, seconds=0, details="") for r in other
    ]


@pytest.mark.parametrize("times", [0, 1, 2, 3])
def test_an_exception_is_tried_again_and_kept(tmp_path: Path, times: int) -> None:
    (task,) = tasks(1)
    result = Guarded(Fails(tmp_path, times), retries=2, pause_seconds=0.0)(task)
    assert len(list(tmp_path.iterdir())) == min(times, 2) + 1
    if times < 3:
        assert (result.status, result.nbytes) == (Status.DONE, times)
    else:
        assert (result.status, result.reason) == (Status.FAILED, "OSError: no luck with 0000")
        assert result.details.startswith("after 3 attempts\nTraceback")
        assert "and a second line" in result.details
    assert (result.key, result.fingerprint, result.parts) == (task.key, task.fingerprint, task.parts)
    assert pickle.loads(pickle.dumps(result)) == result


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (wrong_type, "TypeError: block '0000' gave a Task; it should give task.result(...)"),
        (wrong_block, "ValueError: block '0000' gave the result of 'another'"),
    ],
)
def test_a_stage_that_breaks_the_contract_fails(function: object, reason: str) -> None:
    result = Guarded(function, retries=0)(tasks(1)[0])  # type: ignore[arg-type]
    assert result.status is Status.FAILED
    assert result.reason.startswith(reason)


def test_time_is_measured() -> None:
    assert 0.05 <= Guarded(sleep)(Task("a", "f", 0.05)).seconds < 0.2


def wait_until_released(client: Client) -> None:
    deadline = time.monotonic() + 5
    while client.futures:
        assert time.monotonic() < deadline, f"still there: {client.futures}"
        time.sleep(0.01)


class Counting:
    """Counts the tasks that a runner has taken."""

    def __init__(self, todo: list[Task]) -> None:
        self.todo = todo
        self.taken = 0

    def __iter__(self) -> Iterator[Task]:
        for task in self.todo:
            self.taken += 1
            yield task


def test_the_window_is_bounded_and_futures_are_released(dask_client: Client) -> None:
    todo, done, most_out, most_futures = Counting(tasks(300)), 0, 0, 0
    runner = DaskRunner(dask_client, smallest_window=1, per_slot=4)
    for batch in runner.run(Guarded(double, retries=0), todo, threading.Event()):
        most_out = max(most_out, todo.taken - done)
        most_futures = max(most_futures, len(dask_client.futures))
        done += len(batch)
    assert done == 300
    assert most_out == 16
    assert most_futures <= 2 * 16
    wait_until_released(dask_client)


def test_the_window_grows_with_the_cluster(dask_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = itertools.chain([1, 1, 1], itertools.repeat(40))
    monkeypatch.setattr(Client, "nthreads", lambda self: dict.fromkeys(range(next(workers)), 2))
    clock = itertools.count()  # in seconds: the cluster is asked for its size each time
    monkeypatch.setattr("workflows.runners.time", SimpleNamespace(monotonic=lambda: next(clock)))
    todo, done, out = Counting(tasks(400)), 0, []
    runner = DaskRunner(dask_client, smallest_window=1, per_slot=2, largest_window=100)
    for batch in runner.run(Guarded(double, retries=0), todo, threading.Event()):
        out.append(todo.taken - done)
        done += len(batch)
    assert done == 400
    assert out[0] == 4
    assert max(out) == 100


def test_an_idle_runner_gives_signs_of_life(dask_client: Client) -> None:
    batches = DaskRunner(dask_client, tick_seconds=0.1).run(sleep, [Task("a", "f", 0.55)], threading.Event())
    assert 3 <= sum(not batch for batch in batches) <= 6


def test_resources_are_asked_for(dask_client: Client) -> None:
    first = min(dask_client.nthreads())

    async def give_gpu(dask_worker: Worker) -> None:
        await dask_worker.set_resources(GPU=1)

    dask_client.run(give_gpu, workers=[first])
    pid = dask_client.run(os.getpid, workers=[first])[first]
    results = collect(runner_on(dask_client, resources={"GPU": 1}), sleep, tasks(8, 0.01))
    assert {int(result.details) for result in results} == {pid}


def wait_for_others(client: Client, gone: set[int], count: int) -> None:
    """Wait until the nannies have replaced what was killed, however long that takes here."""
    patience = time.monotonic() + 120
    while time.monotonic() < patience:
        pids = set(client.run(os.getpid, on_error="ignore").values())
        if len(pids) == count and not pids & gone:
            return
        time.sleep(0.1)
    pytest.fail(f"no {count} workers beside {gone} within two minutes")


def test_killed_workers_lose_nothing_and_double_nothing(patient: Client) -> None:
    pids = list(patient.run(os.getpid).values())
    todo, results, killed = tasks(60, 0.1), [], False
    for batch in DaskRunner(patient, resubmissions=2).run(Guarded(sleep), todo, threading.Event()):
        results += batch
        if len(results) > 8 and not killed:
            killed = True
            for pid in pids[:2]:
                os.kill(pid, signal.SIGKILL)
            wait_for_others(patient, set(pids[:2]), len(pids))
    assert sorted(result.key for result in results) == [task.key for task in todo]
    assert {result.status for result in results} == {Status.DONE}
    assert {int(result.details) for result in results} - set(pids), "the nannies' new workers took part"


@pytest.mark.parametrize("deaths", [1, 2])
def test_a_block_that_kills_its_worker_is_given_up(patient: Client, tmp_path: Path, deaths: int) -> None:
    todo = [*tasks(20), Task("poison", "f")]
    results = collect(DaskRunner(patient), Guarded(Kills(tmp_path, deaths), retries=0), todo)
    assert [result.key for result in results] == [task.key for task in todo]
    assert {result.status for result in results[:-1]} == {Status.DONE}
    assert len(list(tmp_path.iterdir())) == 2
    if deaths == 1:
        assert results[-1].status is Status.DONE
    else:
        assert results[-1].status is Status.FAILED
        assert results[-1].reason.startswith("KilledWorker: ")


def test_cancelled_blocks_are_handed_out_again(dask_client: Client) -> None:
    todo, results, cancelled = tasks(40, 0.02), [], False
    for batch in DaskRunner(dask_client).run(Guarded(sleep), todo, threading.Event()):
        results += batch
        if results and not cancelled:
            cancelled = True
            dask_client.cancel([Future(key, dask_client) for key in list(dask_client.futures)])
    assert sorted(result.key for result in results) == [task.key for task in todo]
    assert {result.status for result in results} == {Status.DONE}


@pytest.mark.parametrize("is_serial", [True, False])
def test_stop_finishes_what_runs_and_begins_nothing(dask_client: Client, is_serial: bool) -> None:
    runner = SerialRunner() if is_serial else DaskRunner(dask_client)
    stop, keys = threading.Event(), []
    for batch in runner.run(Guarded(sleep), tasks(200, 0.2), stop):
        keys += [result.key for result in batch]
        if keys:
            stop.set()
    assert 1 <= len(keys) <= (1 if is_serial else 2 * 4 + 1)
    wait_until_released(dask_client)


def test_stop_waits_no_longer_than_its_grace(dask_client: Client) -> None:
    stop = threading.Event()
    batches = DaskRunner(dask_client, grace_seconds=0.2, tick_seconds=0.1).run(sleep, tasks(9, 1.5), stop)
    started = time.monotonic()
    next(batches)
    stop.set()
    assert not [result for batch in batches for result in batch]
    assert time.monotonic() - started < 1.0
    time.sleep(1.5)  # the next test's blocks should not queue behind these


def test_a_dead_scheduler_is_one_clear_error(tmp_path: Path) -> None:
    where = str(tmp_path / "scheduler.json")
    command = ["distributed.cli.dask_scheduler", "--port=0", "--no-dashboard", f"--scheduler-file={where}"]
    scheduler = subprocess.Popen([sys.executable, "-m", *command], stderr=subprocess.DEVNULL)
    try:
        with Client(scheduler_file=where, timeout=1, set_as_default=False) as client:
            batches = DaskRunner(client, tick_seconds=0.1).run(sleep, tasks(10), threading.Event())
            assert next(batches) == []
            scheduler.kill()
            with pytest.raises(ClusterError, match=r"lost the scheduler at tcp.*takes the run up again"):
                list(batches)
    finally:
        scheduler.kill()
        scheduler.wait()
