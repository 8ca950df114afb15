"""The engine as a whole: failures, signals, deaths, and the same bytes however it is run."""

import datetime as dt
import io
import os
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from distributed import Client, LocalCluster

from pipeline.errors import LeaseHeldError, LeaseLostError
from pipeline.objects import ObjectStore, open_objects
from workflows.execute import execute, run_stage
from workflows.ledger import BlockResult, DayRecord, Ledger, Status
from workflows.plan import Task, Verdict, plan
from workflows.product import Product
from workflows.progress import LineProgress, Summary
from workflows.runners import DaskRunner, Runner, SerialRunner

FIRST = dt.date(2020, 1, 1)


@dataclass(frozen=True)
class Levels:
    """A stage in miniature: a table of numbers seeded by the block; some days and blocks are bad."""

    product: Product
    seconds: float = 0.0

    def __call__(self, task: Task) -> BlockResult:
        time.sleep(self.seconds)
        seed = zlib.crc32(task.key.encode())
        if task.payload == "bad":
            raise ZeroDivisionError("a bug")
        days = [DayRecord(FIRST + dt.timedelta(days=n)) for n in range(5)]
        if task.payload == "lossy":
            days[2] = DayRecord(days[2].day, Status.LOST, "no response")
        table = pa.table({"level_db": np.random.default_rng(seed).normal(size=1000)})
        data = io.BytesIO()
        pq.write_table(table, data)
        return task.result(days, nbytes=self.product.write(task, data.getvalue()))


def tasks(count: int = 24, **payloads: str) -> list[Task]:
    """Make tasks, some with a payload: ``n3="bad"``."""
    keys = [f"CI.S{n // 12:03d}..HH/2020.{n % 12 + 1:02d}" for n in range(count)]
    return [Task.of(key, payloads.get(f"n{n}"), days=[n]) for n, key in enumerate(keys)]


def a_product(folder: Path) -> Product:
    return Product.of(open_objects(folder), "levels", {})


def files(store: ObjectStore) -> dict[str, bytes]:
    return {o.key: store.read(o.key) for o in store.list() if not o.key.startswith(("ledger/", "lease/"))}


def levels(folder: Path, todo: list[Task], runner: Runner | None = None, **options: object) -> Summary:
    product = a_product(folder)
    arguments = {"retries": 0} | options
    return run_stage("levels", Levels(product), todo, product, runner or SerialRunner(), **arguments)  # type: ignore[arg-type]


def test_the_same_bytes_with_one_worker_and_with_four(tmp_path: Path, dask_client: Client) -> None:
    todo = tasks(n3="lossy", n5="bad")
    stores, summaries = [], []
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
        ) as one_worker,
        Client(one_worker, set_as_default=False) as one_client,
    ):
        for name, runner in {
            "serial": SerialRunner(),
            "one": DaskRunner(one_client),
            "four": DaskRunner(dask_client),
        }.items():
            summaries.append(levels(tmp_path / name, todo, runner))
            stores.append(a_product(tmp_path / name).store)
    assert len(files(stores[0])) == 23
    assert files(stores[0]) == files(stores[1]) == files(stores[2])
    assert [s.counts for s in summaries] == [Counter({Status.DONE: 22, Status.LOST: 1, Status.FAILED: 1})] * 3
    columns = ["block", "day", "status", "reason", "fingerprint", "parts", "nbytes"]
    order = [("block", "ascending"), ("day", "ascending")]
    ledgers = [Ledger(store.child("ledger")).table().select(columns).sort_by(order) for store in stores]
    assert len(ledgers[0]) == 24 + 23 * 5
    assert ledgers[0].equals(ledgers[1])
    assert ledgers[0].equals(ledgers[2])


def test_a_second_run_does_only_what_is_missing(tmp_path: Path) -> None:
    first = levels(tmp_path, tasks(24, n3="lossy", n5="bad"))
    assert (first.todo, first.days, first.lost, first.failed, first.exit_status) == (24, 115, 1, 1, 1)
    again = levels(tmp_path, tasks(26, n3="lossy", n5="bad"))
    assert again.planned == {Verdict.DONE: 22, Verdict.LOST: 1, Verdict.FAILED: 1, Verdict.NEW: 2}
    assert (again.todo, again.lost, again.failed, again.exit_status) == (2, 1, 1, 1)
    mended = levels(tmp_path, tasks(26, n3="lossy"), retry_failed=True)
    assert (mended.todo, mended.failed, mended.counts) == (1, 0, Counter({Status.DONE: 1}))
    assert mended.exit_status == 1, "what was lost is still lost"


def test_a_failure_keeps_its_traceback_and_the_run_goes_on(tmp_path: Path) -> None:
    levels(tmp_path, tasks(3, n0="bad"), retries=1)
    rows = a_product(tmp_path).ledger().table().to_pylist()
    blocks = [row for row in rows if row["day"] is None]
    assert [row["status"] for row in blocks] == ["failed", "done", "done"]
    assert blocks[0]["reason"] == "ZeroDivisionError: a bug"
    assert blocks[0]["details"].startswith("after 2 attempts\nTraceback")
    assert "in __call__" in blocks[0]["details"]


def test_only_what_on_result_accepted_is_recorded(tmp_path: Path) -> None:
    seen: list[str] = []

    def note(result: BlockResult) -> None:
        if len(seen) == 2:
            raise OSError("disk full")
        seen.append(result.key)

    with pytest.raises(OSError, match="disk full"):
        levels(tmp_path, tasks(), on_result=note)
    assert list(a_product(tmp_path).ledger().latest()) == seen
    assert levels(tmp_path, tasks()).planned == {Verdict.DONE: 2, Verdict.NEW: 22}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("is_serial", [True, False])
def test_a_signal_ends_it_cleanly(
    tmp_path: Path, dask_client: Client, is_serial: bool, signum: signal.Signals
) -> None:
    runner = SerialRunner() if is_serial else DaskRunner(dask_client)
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    called = []

    def interrupt(result: BlockResult) -> None:
        called.append(result.key)
        if len(called) == 1:
            os.kill(os.getpid(), signum)

    summary = levels(tmp_path, tasks(400), runner, on_result=interrupt)
    assert summary.exit_status == 128 + signum
    assert 1 <= summary.finished < 400
    assert sorted(a_product(tmp_path).ledger().latest()) == sorted(called)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    rest = levels(tmp_path, tasks(400), runner)
    assert (rest.planned[Verdict.DONE], rest.exit_status) == (summary.finished, 0)


def test_a_second_signal_is_immediate(tmp_path: Path) -> None:
    def interrupt(result: BlockResult) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    started = time.monotonic()
    with pytest.raises(SystemExit) as left:
        levels(tmp_path, tasks(), on_result=interrupt)
    assert left.value.code == 143
    assert time.monotonic() - started < 5
    a_product(tmp_path).lease().acquire()


DRIVER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_execute import Levels, a_product, tasks
from workflows.execute import run_stage
from workflows.runners import SerialRunner
product = a_product(Path(sys.argv[2]))
def tell(result):
    print(result.key, flush=True)
summary = run_stage("levels", Levels(product, 0.05), tasks(), product, SerialRunner(), on_result=tell)
sys.exit(summary.exit_status)
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_a_driver_that_is_killed_is_followed_at_once(tmp_path: Path, signum: signal.Signals) -> None:
    arguments = [sys.executable, "-c", DRIVER, str(Path(__file__).parent), str(tmp_path / "killed")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as driver:
        assert driver.stdout is not None
        for _ in range(5):
            driver.stdout.readline()
        with pytest.raises(LeaseHeldError, match=f"process {driver.pid}"):
            levels(tmp_path / "killed", tasks())
        driver.send_signal(signum)
        driver.wait()
    assert driver.returncode == (-9 if signum == signal.SIGKILL else 143)
    product = a_product(tmp_path / "killed")
    (product.store.child("CI.S000..HH")).write("2020.01.x.parquet.0123.partial", b"half")
    left = files(product.store)
    summary = levels(tmp_path / "killed", tasks())
    assert summary.exit_status == 0
    assert summary.planned.get(Verdict.DONE, 0) == (0 if signum == signal.SIGKILL else len(left))
    levels(tmp_path / "whole", tasks())
    assert files(product.store) == files(a_product(tmp_path / "whole").store)
    rows = product.ledger().table()
    assert len(rows) == 24 * 6, "each block and each of its days once"


def test_who_loses_the_lease_stops(tmp_path: Path) -> None:
    product = a_product(tmp_path)

    def take_over(result: BlockResult) -> None:
        if "2020.03" in result.key:
            lease._lost = "taken over"

    with product.lease() as lease, pytest.raises(LeaseLostError), product.ledger(lease) as ledger:
        execute("levels", Levels(product), plan(tasks(), ledger), ledger, SerialRunner(), on_result=take_over)
    assert len(files(product.store)) == 3
    assert not product.ledger().latest()


def test_progress_sees_all_of_it(tmp_path: Path) -> None:
    log = io.StringIO()
    levels(tmp_path, tasks(n3="lossy"), progress=LineProgress(log, every_seconds=0.0))
    lines = log.getvalue().splitlines()
    assert lines[0].startswith("levels: 1 of 24 blocks")
    assert lines[-1].startswith("levels: 24 of 24 blocks")
    assert lines[-1].endswith("1 lost something")


def test_nothing_to_do_is_done(tmp_path: Path) -> None:
    assert levels(tmp_path, []).exit_status == 0
