"""Clients: what holds in their workers, and that nothing is left of them however the driver ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import distributed
import psutil
import pytest

from cluster.client import dashboard_url, open_client
from cluster.errors import ClusterStartError
from cluster.profile import Address, Processes, Profile, Serial, Slurm, Threads
from cluster.settings import DASK_SETTINGS

DRIVER = """
import os, sys, time
from cluster import Processes, open_client

if __name__ == "__main__":
    with open_client(Processes(workers=1)) as client:
        client.wait_for_workers(1)
        busy = client.submit(time.sleep, 60) if "busy" in sys.argv else None
        print(*client.run(os.getpid).values(), flush=True)
        time.sleep(60)
"""


def wait_until_gone(pids: list[int], timeout_s: float) -> None:
    """A process that nobody reaps, as in some containers, is gone too."""
    deadline = time.monotonic() + timeout_s
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                assert time.monotonic() < deadline, f"process {pid} is still there"
                time.sleep(0.05)


def thread_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.endswith("_THREADS")}


def what_a_worker_sees() -> Callable[[], dict[str, Any]]:
    """Run in a worker; nested, since workers can't import this module."""

    def look() -> dict[str, Any]:
        import signal

        import numpy as np
        import threadpoolctl

        np.dot(np.ones((2, 2)), np.ones((2, 2)))
        return {
            "pid": os.getpid(),
            "omp": os.environ.get("OMP_NUM_THREADS"),
            # OpenMP's own number belongs to each thread, and is that of who loaded it first.
            "blas": {
                pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"
            },
            "spill": dask.config.get("distributed.worker.memory.spill"),
            "method": dask.config.get("distributed.worker.multiprocessing-method"),
            "sigint": signal.getsignal(signal.SIGINT),
            "device": os.environ.get("CUDA_VISIBLE_DEVICES"),
        }

    return look


def test_serial_has_no_client() -> None:
    with open_client(Serial()) as client:
        assert client is None
        assert dashboard_url(client) is None


def test_threads_stay_in_this_process() -> None:
    environment, settings = thread_variables(), dask.config.config
    spill = dask.config.get("distributed.worker.memory.spill")
    with open_client(Threads(threads=3)) as client:
        seen = client.submit(what_a_worker_sees()).result()
        assert list(client.nthreads().values()) == [3]
        assert seen["pid"] == os.getpid()
        assert seen["blas"] == {1}
        with pytest.raises(ValueError, match="No client"):
            distributed.default_client()
    assert thread_variables() == environment
    assert dask.config.config is settings
    assert dask.config.get("distributed.worker.memory.spill") == spill


def test_processes(capfd: pytest.CaptureFixture[str]) -> None:
    environment = thread_variables()
    with open_client(Processes(workers=2, threads=2, memory="1 GB")) as client:
        client.wait_for_workers(2, timeout=60)
        seen = client.run(what_a_worker_sees())
        failures = client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.allowed_failures)
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
    assert {(w["nthreads"], w["memory_limit"]) for w in workers} == {(2, 1_000_000_000)}
    assert failures == DASK_SETTINGS["distributed.scheduler.allowed-failures"] == 10
    pids = [each.pop("pid") for each in seen.values()]
    assert len({os.getpid(), *pids}) == 3
    for each in seen.values():
        assert each["omp"] == "1"
        assert each["blas"] == {1}
        assert each["spill"] is False
        assert each["method"] == "spawn"
        assert each["sigint"] == signal.SIG_IGN
    wait_until_gone(pids, 10)
    assert thread_variables() == environment
    assert capfd.readouterr() == ("", "")


def test_each_gpu_has_its_worker() -> None:
    with open_client(Processes(gpus=2)) as client:
        client.wait_for_workers(2, timeout=60)
        seen = client.run(what_a_worker_sees())
        resources = [w["resources"] for w in client.scheduler_info(n_workers=-1)["workers"].values()]
    assert sorted(each["device"] for each in seen.values()) == ["0", "1"]
    assert resources == [{"GPU": 1}, {"GPU": 1}]


def test_all_is_closed_when_the_body_raises() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    pids: list[int] = []
    with pytest.raises(KeyError, match="mine"), open_client(Processes(workers=1)) as client:  # noqa: PT012
        assert signal.getsignal(signal.SIGTERM) is not handler
        pids += client.run(os.getpid).values()
        raise KeyError("mine")
    wait_until_gone(pids, 1)
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.parametrize(
    ("number", "to_group", "busy", "status", "complaints"),
    [
        (signal.SIGTERM, False, "idle", 143, 0),
        (signal.SIGINT, True, "idle", -2, 1),
        (signal.SIGKILL, False, "busy", -9, 0),
    ],
    ids=["sigterm", "ctrl-c", "sigkill"],
)
def test_workers_end_with_their_driver(
    tmp_path: Path, number: signal.Signals, to_group: bool, busy: str, status: int, complaints: int
) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    driver = subprocess.Popen(
        [sys.executable, "-W", "ignore", script, busy],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with driver:
        pids = [int(pid) for pid in driver.stdout.readline().split()]
        assert pids
        (os.killpg if to_group else os.kill)(driver.pid, number)
        _, said = driver.communicate(timeout=30)
    assert driver.returncode == status
    assert said.count("Traceback") == complaints
    wait_until_gone(pids, 10)


@pytest.mark.parametrize("by_file", [False, True], ids=["address", "file"])
def test_a_running_scheduler_goes_on(tmp_path: Path, by_file: bool) -> None:
    path = tmp_path / "scheduler.json"
    with (
        distributed.LocalCluster(
            n_workers=1, processes=False, protocol="tcp", dashboard_address=":0"
        ) as running,
        distributed.Client(running) as owner,
    ):
        owner.write_scheduler_file(str(path))
        address = running.scheduler_address
        profile = Address(scheduler_file=str(path)) if by_file else Address(address=address)
        with open_client(profile) as client:
            assert client.submit(pow, 2, 10).result() == 1024
        assert owner.submit(pow, 3, 3).result() == 27


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (
            Address(address=free_address(), timeout="0.3 s"),
            "no scheduler answers at tcp://127.* within 0.3 s",
        ),
        (Address(scheduler_file="nowhere.json"), "scheduler_file nowhere.json: there is no such file"),
        (Processes(workers=1, local_directory="/proc/none"), "processes: can't be started: "),
        (Slurm(cores=1, memory="1 GB", walltime="1 h"), "sbatch is not found"),
    ],
    ids=["no-scheduler", "no-file", "no-folder", "no-slurm"],
)
def test_open_client_fails(profile: Profile, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ClusterStartError, match=message), open_client(profile):
        raise AssertionError("it should not have started")
