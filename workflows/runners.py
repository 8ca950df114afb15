"""
How blocks get to workers: the only module that knows Dask's client.

A runner takes a function and tasks, and gives back results in batches, in the order in which they come. It
raises nothing that a block does: what goes wrong in a block is that block's result. An empty batch is a sign
of life, about once a second, so that the driver can flush, look for signals and show the time.
"""

from __future__ import annotations

import contextlib
import time
import traceback
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from cluster import ClusterError
from workflows.ledger import BlockResult, Status
from workflows.plan import Task

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

__all__ = ["BlockFunction", "DaskRunner", "Guarded", "Runner", "SerialRunner", "runner_on"]

BlockFunction = Callable[[Task], BlockResult]

_LONGEST_TRACEBACK = 20_000
_BLOCKS_REMEMBERED = 5000
"""After so many, the scheduler is told to forget the names of their keys."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """
    A block function that never raises: it tries again, then returns a failed result with the traceback.

    Parameters
    ----------
    function : callable
        From a task to its result. A plain function or a frozen dataclass, since it travels to workers.
    retries : int
        How often to try again after an unexpected exception.
    pause_seconds : float
        Time before the first retry; each further one waits longer.

    Examples
    --------
    >>> def broken(task):
    ...     raise OSError("disk on fire")
    >>> result = Guarded(broken, retries=0)(Task("CI.CCC..HH/2020.03", "5f0c"))
    >>> result.status, result.reason
    (<Status.FAILED: 'failed'>, 'OSError: disk on fire')
    """

    function: BlockFunction
    retries: int = 1
    pause_seconds: float = 1.0

    def __call__(self, task: Task) -> BlockResult:
        """Do one block."""
        started = time.perf_counter()
        for attempt in range(1, self.retries + 2):
            try:
                result = _checked(self.function(task), task)
                break
            except Exception as error:  # noqa: BLE001 (whatever it is, the run goes on)
                result = _failure(task, error, attempt)
                if attempt <= self.retries:
                    time.sleep(self.pause_seconds * attempt)
        return replace(result, seconds=time.perf_counter() - started)


class Runner(Protocol):
    """Where blocks are done."""

    def run(
        self, function: BlockFunction, tasks: Iterable[Task], stop: Event
    ) -> Generator[list[BlockResult], None, None]:
        """
        Do tasks; yield their results in batches, some of them empty.

        Once ``stop`` is set nothing more is begun; what is running is finished and given back.
        """
        ...


@dataclass(frozen=True, slots=True)
class SerialRunner:
    """Does one block after the other, here."""

    def run(
        self, function: BlockFunction, tasks: Iterable[Task], stop: Event
    ) -> Generator[list[BlockResult], None, None]:
        """See `Runner.run`."""
        for task in tasks:
            if stop.is_set():
                return
            yield [function(task)]


@dataclass(frozen=True, slots=True)
class DaskRunner:
    """
    Does blocks on the workers of a Dask cluster, a bounded window of them at a time.

    Parameters
    ----------
    client : distributed.Client
    resources : mapping of str to float
        What a block takes of a worker, as ``{"GPU": 1}``.
    per_slot : int
        Blocks in the window for each thread of the cluster, or for each worker where resources are asked for.
    smallest_window, largest_window : int
        Bounds of the window. It follows the cluster as workers come and go.
    resubmissions : int
        How often to hand a block out again whose workers died, or which was cancelled. The scheduler by
        itself survives ``distributed.scheduler.allowed-failures`` deaths each time.
    tick_seconds : float
        Longest time without a batch.
    grace_seconds : float
        How long to wait for running blocks once stopped.
    """

    client: Client
    resources: Mapping[str, float] | None = None
    per_slot: int = 8
    smallest_window: int = 32
    largest_window: int = 4096
    resubmissions: int = 1
    tick_seconds: float = 1.0
    grace_seconds: float = 20.0

    def run(
        self, function: BlockFunction, tasks: Iterable[Task], stop: Event
    ) -> Generator[list[BlockResult], None, None]:
        """
        See `Runner.run`.

        Raises
        ------
        ClusterError
            If the scheduler is gone for good.
        """
        window = _Window(self, function)
        waiting = iter(tasks)
        try:
            while not stop.is_set():
                window.fill(waiting)
                if not window.flights:
                    return
                yield window.land()
            window.recall()
            deadline = time.monotonic() + self.grace_seconds
            while window.flights and time.monotonic() < deadline:
                yield window.land()
        except Exception as error:
            if self.client.status == "running":
                raise
            message = f"lost the scheduler at {self.client.scheduler.address}: {error}"
            raise ClusterError(f"{message}; the same command takes the run up again") from error
        finally:
            window.abandon()


def runner_on(client: Client | None, *, resources: Mapping[str, float] | None = None) -> Runner:
    """
    Return the runner for a client as ``cluster.open_client`` yields it: None means here, one by one.

    With resources the window is two blocks a worker. Dask sends such blocks out at once, and when a worker
    dies it suspects all that it held.

    Examples
    --------
    >>> runner_on(None)
    SerialRunner()
    """
    if client is None:
        return SerialRunner()
    if resources:
        return DaskRunner(client, resources=resources, per_slot=2, smallest_window=2)
    return DaskRunner(client)


@dataclass(slots=True)
class _Flight:
    """A task that is out, and how often it was handed out before."""

    task: Task
    resubmitted: int
    future: Future


class _Window:
    """The blocks that are out on a cluster: a few for each thread, however many there are to do."""

    def __init__(self, runner: DaskRunner, function: BlockFunction) -> None:
        from distributed import as_completed

        self.runner = runner
        self.client = runner.client
        self.function = function
        self.flights: dict[object, _Flight] = {}
        inner = getattr(function, "function", function)
        self._prefix = f"{getattr(inner, '__name__', type(inner).__name__)}-{uuid.uuid4().hex[:8]}"
        self._completed = as_completed(loop=self.client.loop)
        self._again: deque[tuple[Task, int]] = deque()
        self._size = 0
        self._size_until = 0.0
        self._remembered = 0

    def fill(self, waiting: Iterator[Task]) -> None:
        """Hand out as many tasks as there is room for, lost ones first, in few large messages."""
        room = self._current_size() - len(self.flights)
        if self.flights and room < self._size // 4:
            return
        entries = [self._again.popleft() for _ in range(min(room, len(self._again)))]
        entries += [(task, 0) for task in islice(waiting, room - len(entries))]
        if not entries:
            return
        futures = self.client.map(
            self.function,
            [task for task, _ in entries],
            key=[(self._prefix, task.key, resubmitted) for task, resubmitted in entries],
            resources=self.runner.resources,
            pure=False,
        )
        for (task, resubmitted), future in zip(entries, futures, strict=True):
            self.flights[future.key] = _Flight(task, resubmitted, future)
        self._completed.update(futures)

    def land(self) -> list[BlockResult]:
        """Wait for a moment; return the results that came, and note what is to be handed out again."""
        futures = self._wait()
        flights = [self.flights.pop(future.key) for future in futures if future.key in self.flights]
        finished = {n: each.future for n, each in enumerate(flights) if each.future.status == "finished"}
        gathered = self.client.gather(finished, errors="skip") if finished else {}
        results = [gathered.get(n) or self._lost(flight) for n, flight in enumerate(flights)]
        self._forget_names(len(flights))
        return [result for result in results if result is not None]

    def recall(self) -> None:
        """Take back what no worker has begun yet."""
        running = {key for keys in self.client.run(_running_keys, on_error="ignore").values() for key in keys}
        queued = [key for key in self.flights if key not in running]
        self.client.cancel([self.flights.pop(key).future for key in queued])

    def abandon(self) -> None:
        """Drop whatever is still out."""
        self._completed.clear()
        if self.flights and self.client.status == "running":
            self.client.cancel([flight.future for flight in self.flights.values()])
        self.flights.clear()

    def _wait(self) -> list[Future]:
        completed, deadline = self._completed, time.monotonic() + self.runner.tick_seconds
        while not completed.has_ready() and time.monotonic() < deadline:
            with completed.thread_condition:
                completed.thread_condition.wait(0.05)
        futures: list[Future] = completed.next_batch(block=False)
        return futures

    def _forget_names(self, landed: int) -> None:
        """Have Dask let go of keys: it caches how each of the last 100,000 splits, and grows by 20 MB."""
        from dask.utils import key_split

        self._remembered += landed
        if self._remembered >= _BLOCKS_REMEMBERED:
            self._remembered = 0
            with contextlib.suppress(ValueError):  # a scheduler may refuse to run functions
                self.client.run_on_scheduler(key_split.cache_clear)

    def _lost(self, flight: _Flight) -> BlockResult | None:
        """Put a block that came back without a result in line again, or give it up."""
        if flight.resubmitted < self.runner.resubmissions:
            self._again.append((flight.task, flight.resubmitted + 1))
            return None
        is_error = flight.future.status == "error"
        error = (
            flight.future.exception() if is_error else ClusterError(f"{flight.future.status} on the cluster")
        )
        return _failure(flight.task, error, flight.resubmitted + 1)

    def _current_size(self) -> int:
        """Return how many blocks may be out, asking the cluster for its size once a second."""
        if time.monotonic() >= self._size_until:
            threads = self.client.nthreads()
            slots = len(threads) if self.runner.resources else sum(threads.values())
            bounds = self.runner.smallest_window, self.runner.largest_window
            self._size = min(max(slots * self.runner.per_slot, bounds[0]), bounds[1])
            self._size_until = time.monotonic() + 1.0
        return self._size


def _running_keys(dask_worker: Worker) -> list[Any]:
    return [task.key for task in dask_worker.state.executing]


def _checked(result: BlockResult, task: Task) -> BlockResult:
    if not isinstance(result, BlockResult):
        raise TypeError(f"block {task.key!r} gave a {type(result).__name__}; it should give task.result(...)")
    if (result.key, result.fingerprint) != (task.key, task.fingerprint):
        raise ValueError(f"block {task.key!r} gave the result of {result.key!r}, {result.fingerprint}")
    return result


def _failure(task: Task, error: BaseException, attempts: int) -> BlockResult:
    """Keep an exception as a result."""
    first_line = next(iter(str(error).splitlines()), "")
    trace = "".join(traceback.format_exception(error))[-_LONGEST_TRACEBACK:]
    return BlockResult(
        task.key,
        task.fingerprint,
        Status.FAILED,
        reason=f"{type(error).__name__}: {first_line}",
        details=f"after {attempts} attempt{'' if attempts == 1 else 's'}\n{trace}",
        parts=task.parts,
    )
