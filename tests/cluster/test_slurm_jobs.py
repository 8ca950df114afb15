"""A real SLURM: jobs are cancelled, or end at their walltime, and no task is lost."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distributed import as_completed

from cluster.check import check_cluster
from cluster.client import open_client
from cluster.errors import ClusterStartError
from cluster.profile import Slurm

pytestmark = pytest.mark.slurm


@pytest.fixture
def a_profile(slurm: Any, tmp_path: Path) -> Callable[..., Slurm]:
    values = {
        "queue": "work",
        "cores": 2,
        "memory": "2 GB",
        "walltime": "00:10:00",
        "interface": "lo",
        "death_timeout": "10 s",
        "log_directory": str(tmp_path / "slurm-logs"),
    }
    return lambda **more: Slurm(**(values | more))


def diary_task(diary: Path, seconds: float) -> Callable[[int], int]:
    """A task that writes its number down when it starts and when it ends, in files of its own."""

    def task(number: int) -> int:
        import os

        job = os.environ["SLURM_JOB_ID"]
        attempt = len(list(diary.glob(f"{number}.start.*")))
        (diary / f"{number}.start.{job}.{attempt}").touch()
        time.sleep(seconds)
        (diary / f"{number}.end.{job}.{attempt}").touch()
        return number**2

    return task


def count(diary: Path, what: str) -> dict[int, int]:
    """How often each number started or ended."""
    counts: dict[int, int] = {}
    for path in diary.glob(f"*.{what}.*"):
        number = int(path.name.partition(".")[0])
        counts[number] = counts.get(number, 0) + 1
    return counts


def wait_until(condition: Callable[[], object], timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s} s in vain for {what}"
        time.sleep(0.2)


def test_check_passes_in_a_job(slurm: Any, a_profile: Callable[..., Slurm]) -> None:
    found = check_cluster(a_profile(), timeout_s=120)
    assert found.passed
    assert slurm.jobs() == []


def test_partition_that_is_not_there(a_profile: Callable[..., Slurm]) -> None:
    with pytest.raises(ClusterStartError, match=r"SLURM refuses such a job: .*partition"):
        check_cluster(a_profile(queue="nowhere"))


def test_walltime_beyond_the_limit(a_profile: Callable[..., Slurm]) -> None:
    with pytest.raises(ClusterStartError, match=r"SLURM refuses such a job: .*[Tt]ime limit"):
        check_cluster(a_profile(queue="short"))


def test_map_with_a_cancelled_job(slurm: Any, a_profile: Callable[..., Slurm], tmp_path: Path) -> None:
    """One of two jobs, of two workers each, is cancelled in the middle and replaced."""
    with open_client(a_profile(min_jobs=2)) as client:
        client.wait_for_workers(4, timeout=120)
        first, second = slurm.jobs()
        futures = client.map(diary_task(tmp_path, 1.0), range(40), pure=False)
        wait_until(lambda: list(tmp_path.glob(f"*.start.{first}.*")), 60, "tasks in the first job")
        slurm.ask("scancel", first)
        assert client.gather(futures) == [number**2 for number in range(40)]
        wait_until(lambda: len(slurm.jobs()) == 2, 60, "another job")
        assert first not in slurm.jobs()
        assert second in slurm.jobs()
        client.wait_for_workers(4, timeout=60)
    wait_until(lambda: not slurm.jobs("PENDING,RUNNING,COMPLETING"), 30, "the end of all jobs")
    starts, ends = count(tmp_path, "start"), count(tmp_path, "end")
    assert set(ends) == set(range(40))
    assert set(ends.values()) == {1}
    assert 1 <= sum(starts.values()) - 40 <= 2  # what the two workers of that job had begun


def test_job_cancelled_before_it_began(slurm: Any, a_profile: Callable[..., Slurm]) -> None:
    """A job that waits for slots and is cancelled there never had a worker; it is replaced all the same."""
    with open_client(a_profile(cores=8, processes=1, min_jobs=2)) as client:
        client.wait_for_workers(1, timeout=120)
        (waiting,) = slurm.jobs("PENDING")
        slurm.ask("scancel", waiting)
        wait_until(lambda: slurm.jobs("PENDING") not in ([], [waiting]), 30, "another job")


def test_worker_ends_before_its_walltime(slurm: Any, a_profile: Callable[..., Slurm], tmp_path: Path) -> None:
    """Work for longer than the walltime of one minute: jobs take turns, and no task begins twice."""
    with open_client(a_profile(cores=1, walltime="00:01:00")) as client:
        client.wait_for_workers(1, timeout=120)
        (first,) = slurm.jobs()
        tasks = client.map(diary_task(tmp_path, 3.0), range(16), pure=False)
        completed = as_completed(tasks, with_results=True, loop=client.loop)
        del tasks
        results = []
        for future, result in completed:
            results.append(result)
            future.release()  # as in a run: what has come back is not asked of the worker again
            del future
        assert sorted(results) == [number**2 for number in range(16)]
        assert first not in slurm.jobs()
        assert slurm.state(first) == "COMPLETED"
    assert set(count(tmp_path, "start").values()) == {1}
    assert len(count(tmp_path, "end")) == 16


def test_task_beyond_the_walltime(slurm: Any, a_profile: Callable[..., Slurm], tmp_path: Path) -> None:
    """A task that SLURM kills with its job is done again in the next one."""

    def stuck_once() -> str:
        import os

        job = os.environ["SLURM_JOB_ID"]
        (tmp_path / job).touch()
        if len(list(tmp_path.iterdir())) == 1:
            time.sleep(600)
        return job

    profile = a_profile(cores=1, walltime="00:01:00", log_directory=str(tmp_path.parent / "stuck-logs"))
    with open_client(profile) as client:
        future = client.submit(stuck_once, pure=False)
        wait_until(lambda: list(tmp_path.iterdir()), 60, "the first job")
        (first,) = slurm.jobs()
        second = future.result(timeout=180)
        assert second != first
        slurm.wait_for_state(first, "TIMEOUT", 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([first, second])


def test_busy_jobs_stay_and_idle_ones_go(slurm: Any, a_profile: Callable[..., Slurm], tmp_path: Path) -> None:
    with open_client(a_profile(cores=1, min_jobs=1, max_jobs=3)) as client:
        futures = client.map(diary_task(tmp_path, 8.0), range(3), pure=False)
        wait_until(lambda: len(slurm.jobs()) > 1, 90, "more jobs")
        assert client.gather(futures) == [0, 1, 4]
        wait_until(lambda: len(slurm.jobs()) == 1, 120, "idle jobs to be given back")
    assert set(count(tmp_path, "start").values()) == {1}
