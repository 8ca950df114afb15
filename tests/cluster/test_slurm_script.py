"""Job scripts, which need no queue to be looked at, and a queue that is played by three shell scripts."""

import logging
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from cluster.errors import ClusterStartError
from cluster.profile import Slurm
from cluster.slurm import job_script, start_jobs

SBATCH = """#!/bin/sh
if [ -e refuse ]; then echo "sbatch: error: invalid partition specified" >&2; exit 1; fi
if [ "$1" = --test-only ]; then exit 0; fi
if [ -e full ]; then echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2; exit 1; fi
job=0; while ! mkdir jobs/$job 2>/dev/null; do job=$((job + 1)); done
touch queue/$job; cp "$1" scripts/$job
echo "Submitted batch job $job"
"""
SQUEUE = "#!/bin/sh\n[ -e down ] && exit 1\nls queue\n"
SCANCEL = "#!/bin/sh\nrm queue/$1\n"


def a_profile(**values: Any) -> Slurm:
    return Slurm(**({"cores": 4, "memory": "8 GB", "walltime": "04:00:00", "interface": "lo"} | values))


def directives(script: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in script.splitlines() if line.startswith("#SBATCH")]


def worker_options(script: str) -> dict[str, str]:
    """The options of the worker's command line, which is the script's last line."""
    words = shlex.split(script.strip().splitlines()[-1])
    return {
        word: "" if follower.startswith("--") else follower
        for word, follower in zip(words, [*words[1:], "--"], strict=True)
        if word.startswith("--")
    }


def test_script_asks_for_what_the_profile_says() -> None:
    script = job_script(
        a_profile(queue="long", account="geo", processes=2, job_extra_directives=("--exclusive",))
    )
    assert directives(script) == [
        *("-J stationday", "-p long", "-A geo", "-n 1", "--cpus-per-task=4", "--mem=8G", "-t 04:00:00"),
        *("--output=slurm-logs/%x-%j.log", "--exclusive"),
    ]
    options = worker_options(script)
    assert (options["--nworkers"], options["--nthreads"]) == ("2", "2")
    assert options["--memory-limit"] == "3.73GiB"
    assert (options["--lifetime"], options["--lifetime-stagger"]) == ("13275s", "225s")
    assert (options["--death-timeout"], options["--interface"]) == ("60", "lo")
    assert options["--worker-class"] == "cluster.worker.PatientWorker"
    assert "--resources" not in options


def test_script_is_a_shell_script_that_sets_the_environment(tmp_path: Path) -> None:
    script = job_script(a_profile(job_script_prologue=("export OMP_NUM_THREADS=3", "module load x")))
    before, after = script.index("export OMP_NUM_THREADS=1"), script.index("export OMP_NUM_THREADS=3")
    assert before < after < script.index("module load x") < script.index("dask_worker")
    (tmp_path / "job.sh").write_text(script)
    subprocess.run(["bash", "-n", tmp_path / "job.sh"], check=True)
    prologue = script[: script.index("module load x")]
    said = subprocess.run(
        ["bash", "-c", prologue + "\nenv"], capture_output=True, text=True, check=True
    ).stdout
    assert "OMP_NUM_THREADS=3\n" in said
    assert "DASK_DISTRIBUTED__WORKER__MEMORY__SPILL=False\n" in said


@pytest.mark.parametrize(("gpus", "preload"), [(1, None), (4, "cluster.device")])
def test_script_asks_for_gpus(gpus: int, preload: str | None) -> None:
    script = job_script(a_profile(gpus=gpus))
    assert f"--gres=gpu:{gpus}" in directives(script)
    options = worker_options(script)
    assert options["--resources"] == "GPU=1"
    assert options.get("--preload") == preload
    assert options.get("--nworkers", "1") == str(gpus)


def test_script_leaves_ctrl_c_alone() -> None:
    """dask-jobqueue's import makes Ctrl-C exit with status 0, as if all had been done."""
    code = (
        "import signal; from cluster import Slurm, job_script;"
        "job_script(Slurm(cores=1, memory='1 GB', walltime='1 h'));"
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    )
    subprocess.run([__import__("sys").executable, "-W", "ignore", "-c", code], check=True)


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which ``jobs`` lists the jobs ever submitted and ``queue`` those that are there."""
    for name in ("bin", "jobs", "queue", "scripts"):
        (tmp_path / name).mkdir()
    for name, text in {"sbatch": SBATCH, "squeue": SQUEUE, "scancel": SCANCEL}.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    return tmp_path


def in_queue(queue: Path) -> set[str]:
    return {path.name for path in (queue / "queue").iterdir()}


def wait_for_jobs(queue: Path, expected: set[str]) -> None:
    deadline = time.monotonic() + 10
    while in_queue(queue) != expected:
        assert time.monotonic() < deadline, f"{in_queue(queue)} instead of {expected}"
        time.sleep(0.02)


def test_refused_profile_fails_at_once(queue: Path) -> None:
    (queue / "refuse").touch()
    with (
        pytest.raises(ClusterStartError, match="SLURM refuses such a job: sbatch: error: invalid partition"),
        start_jobs(a_profile()),
    ):
        raise AssertionError("it should not have started")
    assert not list((queue / "jobs").iterdir())


@pytest.mark.parametrize("processes", [1, 2])
def test_jobs_are_submitted_replaced_and_cancelled(
    queue: Path, processes: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="cluster")
    with start_jobs(a_profile(processes=processes, min_jobs=2)) as dask_cluster:
        look = dask_cluster._adaptive.adapt
        wait_for_jobs(queue, {"0", "1"})
        dask_cluster.sync(look)
        assert in_queue(queue) == {"0", "1"}
        (queue / "queue" / "0").unlink()  # it ended, or was cancelled before it began
        (queue / "down").touch()  # while SLURM does not answer, nothing is concluded
        dask_cluster.sync(look)
        assert in_queue(queue) == {"1"}
        (queue / "down").unlink()
        (queue / "full").touch()
        for _ in range(3):
            dask_cluster.sync(look)
            dask_cluster.sync(dask_cluster._correct_state)
        assert in_queue(queue) == {"1"}
        (queue / "full").unlink()
        dask_cluster.sync(look)
        wait_for_jobs(queue, {"1", "2"})
    assert in_queue(queue) == set()
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == [
        "SLURM refused a job, which is tried again: sbatch: error: QOSMaxSubmitJobPerUserLimit"
    ]
    names = [
        worker_options((queue / "scripts" / job).read_text())["--name"] for job in sorted(("0", "1", "2"))
    ]
    assert len(set(names)) == 3
    assert "tcp://127.0.0.1:" in (queue / "scripts" / "2").read_text()


def test_idle_jobs_are_given_back_whole(queue: Path) -> None:
    with start_jobs(a_profile(processes=2, min_jobs=1, max_jobs=3)) as dask_cluster:
        wait_for_jobs(queue, {"0"})
        dask_cluster.scale(jobs=3)
        wait_for_jobs(queue, {"0", "1", "2"})
        for _ in range(12):
            dask_cluster.sync(dask_cluster._adaptive.adapt)
        assert len(in_queue(queue)) == 1
