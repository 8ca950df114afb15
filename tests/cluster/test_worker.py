"""A worker whose time is over: its tasks end, and no other worker does them at the same time."""

import time
from pathlib import Path

import pytest
from distributed import Client, LocalCluster, Worker

from cluster.worker import PatientWorker

SECONDS = 1.0


def starts_and_ends(tmp_path: Path, worker_class: type[Worker]) -> list[str]:
    """Retire the worker that runs a task; return what the task wrote down."""
    diary = tmp_path / "diary"
    diary.touch()

    def task() -> str:
        with diary.open("a") as file:
            file.write("start\n")
        time.sleep(SECONDS)
        with diary.open("a") as file:
            file.write("end\n")
        return "done"

    def retire(dask_worker: Worker) -> None:
        dask_worker.loop.add_callback(dask_worker.close_gracefully)

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=False,
            worker_class=worker_class,
            dashboard_address=":0",
            silence_logs=50,
        ) as dask_cluster,
        Client(dask_cluster) as client,
    ):
        future = client.submit(task, pure=False)
        while not diary.read_text():
            time.sleep(0.02)
        (busy,) = (address for address, keys in client.processing().items() if keys)
        client.run(retire, workers=[busy])
        time.sleep(0.2)
        late = client.submit(lambda dask_worker=None: SECONDS, pure=False)
        assert late.result(timeout=10) == SECONDS
        assert future.result(timeout=10) == "done"
        del future  # its result is fetched, and need not be handed over
        deadline = time.monotonic() + 10
        while busy in client.nthreads() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert busy not in client.nthreads()
    return diary.read_text().split()


def test_patient_worker_finishes_first(tmp_path: Path) -> None:
    assert starts_and_ends(tmp_path, PatientWorker) == ["start", "end"]


def test_dask_alone_does_it_twice(tmp_path: Path) -> None:
    """Once this fails, Dask waits by itself, and the class can go."""
    assert starts_and_ends(tmp_path, Worker).count("start") == 2


@pytest.mark.parametrize("restart", [None, False])
def test_idle_worker_closes_at_once(restart: bool | None) -> None:
    with (
        LocalCluster(
            n_workers=1,
            processes=False,
            worker_class=PatientWorker,
            dashboard_address=":0",
            silence_logs=50,
        ) as dask_cluster,
        Client(dask_cluster) as client,
    ):

        def retire(dask_worker: Worker) -> None:
            dask_worker.loop.add_callback(dask_worker.close_gracefully, restart=restart)

        client.run(retire)
        deadline = time.monotonic() + 5
        while client.nthreads() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not client.nthreads()
