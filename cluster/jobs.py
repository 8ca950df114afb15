"""
Jobs that come and go: scaled by whole jobs, and replaced when they end.

dask-jobqueue believes that a job runs until its worker is seen to leave. It never learns of a job that is
cancelled while it waits, nor of one whose several workers end (dask/distributed#9102), and counts them for
ever. Here the queue itself is asked.
"""

from __future__ import annotations

import asyncio
import getpass
import itertools
import logging
import math
from typing import Any

from dask_jobqueue import SLURMCluster
from dask_jobqueue.slurm import SLURMJob
from distributed.deploy.adaptive import Adaptive

__all__ = ["JobCluster", "RefusableJob", "WholeJobs"]

_logger = logging.getLogger(__name__)

_INTERVAL = "5 s"
"""How often to look at the queue and at the work."""

_IDLE_ROUNDS = 12
"""After how many such looks a job without work is given back."""


class RefusableJob(SLURMJob):  # type: ignore[misc]  # dask-jobqueue has no types
    """A job whose submission may be refused, by a limit of the site for instance, without ending the run."""

    refusal: str | None = None

    async def start(self) -> None:
        """Submit the job; what SLURM says against it is kept in ``refusal``."""
        try:
            await super().start()
        except RuntimeError as error:
            self.refusal = " ".join(str(error).rpartition("stderr:")[2].split())
            await super(SLURMJob.__base__, self).start()


class JobCluster(SLURMCluster):  # type: ignore[misc]  # dask-jobqueue has no types
    """A cluster of jobs that never gives a name to a second job, since the first may still be known."""

    job_cls = RefusableJob

    def __init__(self, **options: Any) -> None:
        self._numbers = itertools.count()
        super().__init__(**options)

    def _new_worker_name(self, worker_number: int) -> str:  # noqa: ARG002 (SpecCluster's hook)
        return f"{self._name}-{next(self._numbers)}"


class WholeJobs(Adaptive):  # type: ignore[misc]  # distributed has no types
    """
    Keep as many jobs as the work asks for, within the bounds, and replace those that ended.

    Where Dask's own policy counts workers, this one counts jobs, since only those can be submitted and
    cancelled; and it gives back only jobs in which nothing runs.
    """

    def __init__(self, cluster: JobCluster, **options: Any) -> None:
        self._last_refusal: str | None = None
        super().__init__(cluster, interval=_INTERVAL, wait_count=_IDLE_ROUNDS, **options)

    @property
    def plan(self) -> set[str]:
        """Jobs that there should be."""
        return set(self.cluster.worker_spec)

    @property
    def requested(self) -> set[str]:
        """Jobs that were submitted."""
        return set(self.cluster.workers)

    @property
    def observed(self) -> set[str]:
        """Jobs of which a worker came."""
        return set(self._workers_by_job())

    async def target(self) -> int:
        """Return the number of jobs that the work asks for."""
        workers: int = await super().target()
        return math.ceil(workers / len(self.cluster.new_spec.get("group", [""])))

    async def recommendations(self, target: int) -> dict[str, Any]:
        """Forget the jobs that ended, then compare what is there with what should be."""
        await self._forget_ended_jobs()
        return dict(await super().recommendations(target))

    async def workers_to_close(self, target: int) -> list[str]:
        """Return jobs in which nothing runs, so many that ``target`` remain if there are enough."""
        idle = [
            job for job, workers in self._workers_by_job().items() if not any(w.processing for w in workers)
        ]
        return idle[: max(len(self.plan) - target, 0)]

    async def scale_up(self, n: int) -> None:
        """Submit jobs until there are ``n``."""
        self.cluster.scale(jobs=n)

    async def scale_down(self, workers: list[str]) -> None:
        """Let the workers of these jobs hand over their results, then cancel the jobs."""
        by_job = self._workers_by_job()
        names = [worker.name for job in workers for worker in by_job.get(job, [])]
        await self.scheduler.retire_workers(names=names, remove=True, close_workers=True)
        await self.cluster.scale_down(workers)

    def _workers_by_job(self) -> dict[str, list[Any]]:
        by_job: dict[str, list[Any]] = {}
        for worker in self.cluster.scheduler.workers.values():
            by_job.setdefault(_job_name(worker.name), []).append(worker)
        return by_job

    async def _forget_ended_jobs(self) -> None:
        jobs = dict(self.cluster.workers)  # before asking: a job submitted meanwhile is not listed yet
        queued = await _queued_job_ids()
        for name, job in jobs.items():
            if job.refusal is not None:
                self._report(job.refusal)
            elif queued is None or job.job_id in queued:
                continue
            self.cluster.workers.pop(name, None)
            self.cluster.worker_spec.pop(name, None)

    def _report(self, refusal: str) -> None:
        if refusal != self._last_refusal:
            _logger.warning("SLURM refused a job, which is tried again: %s", refusal)
        self._last_refusal = refusal


async def _queued_job_ids() -> set[str] | None:
    """List the user's jobs that wait or run; None if SLURM does not answer, as while it restarts."""
    asked = await asyncio.create_subprocess_exec(
        *("squeue", "--noheader", "--format=%A", f"--user={getpass.getuser()}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    listed, _ = await asked.communicate()
    return set(listed.decode().split()) if asked.returncode == 0 else None


def _job_name(worker: str) -> str:
    """
    Name the job of a worker, which is one of several processes or the only one.

    >>> _job_name("stationday-7-1"), _job_name("stationday-7")
    ('stationday-7', 'stationday-7')
    """
    return "-".join(worker.split("-")[:2])
