"""SLURM: the job script of a profile, and the jobs that run it."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cluster.errors import ClusterStartError
from cluster.profile import Slurm
from cluster.quantities import format_walltime
from cluster.settings import dashboard_options, environment_lines

__all__ = ["job_script", "start_jobs"]

_NAME = "stationday"


def job_script(profile: Slurm) -> str:
    """
    Write the script that each job of a profile runs.

    Parameters
    ----------
    profile : Slurm
        What a job asks for.

    Returns
    -------
    str
        A shell script with its ``#SBATCH`` lines; the scheduler's address is filled in when jobs start.

    Raises
    ------
    ClusterStartError
        dask-jobqueue is not installed.

    Examples
    --------
    >>> script = job_script(Slurm(cores=4, memory="8 GB", walltime="1-00:00:00", queue="long"))
    >>> [line for line in script.splitlines() if line.startswith("#SBATCH -t")]
    ['#SBATCH -t 1-00:00:00']
    """
    _import_jobqueue()
    from cluster.jobs import RefusableJob

    job = RefusableJob("tcp://SCHEDULER:PORT", name=f"{_NAME}-N", **_job_options(profile))
    return str(job.job_script())


@contextlib.contextmanager
def start_jobs(profile: Slurm) -> Iterator[Any]:
    """
    Submit the jobs of a profile, replace those that end, and cancel all on leaving.

    Parameters
    ----------
    profile : Slurm
        What a job asks for, and how many there shall be.

    Yields
    ------
    dask_jobqueue.SLURMCluster
        Its scheduler runs in this process.

    Raises
    ------
    ClusterStartError
        dask-jobqueue or SLURM is not installed, or SLURM refuses such a job.
    """
    _import_jobqueue()
    from cluster.jobs import JobCluster, WholeJobs

    _require_accepted(job_script(profile))
    Path(profile.log_directory).mkdir(parents=True, exist_ok=True)
    with JobCluster(
        name=_NAME, silence_logs=False, scheduler_options=dashboard_options(), **_job_options(profile)
    ) as dask_cluster:
        dask_cluster.scale(jobs=profile.min_jobs)
        dask_cluster.adapt(
            Adaptive=WholeJobs,
            minimum=profile.min_jobs,
            maximum=profile.max_jobs or profile.min_jobs,
        )
        yield dask_cluster


def _job_options(profile: Slurm) -> dict[str, Any]:
    """Say the profile in dask-jobqueue's words."""
    arguments = ["--worker-class", "cluster.worker.PatientWorker", "--no-dashboard"]
    arguments += ["--lifetime", f"{profile.lifetime_s:.0f}s"]
    arguments += ["--lifetime-stagger", f"{profile.lifetime_stagger_s:.0f}s"]
    directives = [f"--output={profile.log_directory}/%x-%j.log"]
    if profile.gpus:
        directives += [f"--gres=gpu:{profile.gpus}"]
        arguments += ["--resources", "GPU=1"]
    if profile.gpus > 1:
        arguments += ["--preload", "cluster.device"]
    return {
        "queue": profile.queue,
        "account": profile.account,
        "cores": profile.cores,
        "processes": profile.processes_per_job,
        "memory": f"{profile.memory_bytes}B",
        "walltime": format_walltime(profile.walltime_s),
        "interface": profile.interface,
        "python": profile.python,
        "local_directory": profile.local_directory,
        "death_timeout": round(profile.death_timeout_s),
        "job_name": _NAME,
        "job_extra_directives": [*directives, *profile.job_extra_directives],
        "job_script_prologue": [*environment_lines(), *profile.job_script_prologue],
        "worker_extra_args": arguments,
    }


def _import_jobqueue() -> None:
    """Import dask-jobqueue and undo what that does to Ctrl-C: its handler exits with status 0."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        import dask_jobqueue  # noqa: F401 (from here on it can be imported anywhere)
    except ImportError as error:
        raise ClusterStartError("dask-jobqueue is not installed: pip install 'stationday[slurm]'") from error
    if signal.getsignal(signal.SIGINT) is not handler:
        signal.signal(signal.SIGINT, handler)


def _require_accepted(script: str) -> None:
    """Ask SLURM whether it would take the job, before anybody waits for it in vain."""
    sbatch = shutil.which("sbatch")
    if sbatch is None:
        raise ClusterStartError(
            "sbatch is not found: a slurm profile runs on a machine that submits to SLURM"
        )
    with tempfile.NamedTemporaryFile("w", suffix=".sh", prefix=f"{_NAME}-") as file:
        file.write(script)
        file.flush()
        asked = subprocess.run(
            [sbatch, "--test-only", file.name], capture_output=True, text=True, check=False
        )
    if asked.returncode:
        said = " ".join(line.strip() for line in asked.stderr.splitlines() if line.strip())
        raise ClusterStartError(f"SLURM refuses such a job: {said}; see 'stationday cluster script'")
