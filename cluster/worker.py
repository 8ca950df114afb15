"""The worker process of a job that has an end: it finishes what it has, and takes nothing new."""

from __future__ import annotations

import asyncio
import time

from distributed import Worker
from distributed.core import Status

__all__ = ["PatientWorker"]

_POLL_S = 0.2
_FETCHED_S = 5.0


class PatientWorker(Worker):  # type: ignore[misc]  # distributed has no types
    """
    A worker that lets its tasks end before it closes.

    Dask's own worker, when its lifetime is over, hands its running tasks to others at once while its threads
    still compute them: for up to half a minute two workers would write the same shard. This one tells the
    scheduler that it takes no more tasks, waits for those it runs and a moment for their results to be
    fetched, since there may be no other worker to hand them to, and only then closes. Tasks that last beyond
    the walltime die with the process when SLURM ends the job, and are done again by another worker.
    """

    status: Status

    async def close_gracefully(
        self, restart: bool | None = None, reason: str = "worker-close-gracefully"
    ) -> None:
        """Take no new task, wait for the running ones, move results elsewhere and close."""
        if self.status not in (Status.running, Status.paused):
            await super().close_gracefully(restart=restart, reason=reason)
            return
        self.status = Status.closing_gracefully
        while self.state.executing_count:
            await asyncio.sleep(_POLL_S)
        fetched_by = time.monotonic() + _FETCHED_S
        while self.data and time.monotonic() < fetched_by:
            await asyncio.sleep(_POLL_S)
        await self.scheduler.retire_workers(
            workers=[self.address],
            close_workers=False,
            remove=True,
            stimulus_id=f"patient-worker-{time.time()}",
        )
        await self.close(nanny=not restart, reason=reason)
