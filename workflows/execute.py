"""
Do what a plan says: hand out blocks, record what comes back, stop cleanly, sum up.

::

    tasks ── plan ──> todo ── runner ──> results ── on_result ── ledger ── progress
                                                                   │
                                        the product is durable before this point

`run_stage` is the whole way for a stage that writes a product; `execute` is the loop inside it.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from types import FrameType

from workflows.ledger import BlockResult, Ledger
from workflows.plan import Plan, Task, plan
from workflows.product import Product
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import BlockFunction, Guarded, Runner

__all__ = ["execute", "run_stage"]


def run_stage(
    stage: str,
    function: BlockFunction,
    tasks: Iterable[Task],
    product: Product,
    runner: Runner,
    *,
    on_result: Callable[[BlockResult], object] | None = None,
    retries: int = 1,
    retry_failed: bool = False,
    gone: Container[str] = (),
    progress: Progress | None = None,
) -> Summary:
    """
    Bring a product up to date: take its lease, plan, do what is to do, record it.

    Parameters
    ----------
    stage : str
        Its name, as users see it.
    function : callable
        From a task to its result, having written the block's file through ``product``.
    tasks : iterable of Task
        All blocks of the stage.
    product : Product
    runner : Runner
    on_result, retries, progress
        See `execute`.
    retry_failed : bool
        Whether to take up what failed earlier.
    gone : container of str
        Keys of finished blocks of which files were removed since: they are done again.

    Returns
    -------
    Summary

    Raises
    ------
    LeaseHeldError
        If somebody else writes this product.
    LeaseLostError
        If somebody took it over while we wrote.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> from workflows.runners import SerialRunner
    >>> product = Product.of(open_objects("memory://execute-example"), "count", {})
    >>> def count(task):
    ...     return task.result(nbytes=product.write(task, b"PAR1"))
    >>> tasks = [Task.of("CI.CCC..HH/2020.03", days=["5f0c"])]
    >>> run_stage("count", count, tasks, product, SerialRunner()).counts
    Counter({<Status.DONE: 'done'>: 1})
    >>> run_stage("count", count, tasks, product, SerialRunner()).planned
    {<Verdict.DONE: 'done'>: 1}
    """
    with product.lease() as lease, product.ledger(lease) as ledger:
        product.store.sweep_partials()
        planned = plan(tasks, ledger, retry_failed=retry_failed, gone=gone)
        return execute(
            stage, function, planned, ledger, runner, on_result=on_result, retries=retries, progress=progress
        )


def execute(
    stage: str,
    function: BlockFunction,
    planned: Plan,
    ledger: Ledger,
    runner: Runner,
    *,
    on_result: Callable[[BlockResult], object] | None = None,
    retries: int = 1,
    progress: Progress | None = None,
) -> Summary:
    """
    Do the blocks of a plan and record each.

    SIGINT and SIGTERM end it early: nothing more is begun, running blocks are finished and recorded. A
    second signal leaves at once.

    Parameters
    ----------
    stage : str
    function : callable
        From a task to its result. It returns once the block's product is durable.
    planned : Plan
    ledger : Ledger
        Open, and not written by anybody else.
    runner : Runner
    on_result : callable, optional
        Called here with each result, before it is recorded: for what the driver itself has to make durable.
    retries : int
        How often a worker tries a block again after an unexpected exception.
    progress : Progress, optional
        Silent unless given.

    Returns
    -------
    Summary
        With ``exit_status``.
    """
    summary = Summary(stage, planned=dict(planned.counts), todo=len(planned.todo))
    started = time.monotonic()
    guarded = Guarded(function, retries=retries)
    with _stop_on_signals() as stop, progress or SilentProgress() as display:
        with closing(runner.run(guarded, planned.todo, stop.event)) as batches:
            for results in batches:
                for result in results:
                    if on_result is not None:
                        on_result(result)
                    ledger.record(result)
                    summary.add(result)
                ledger.tick()
                summary.seconds = time.monotonic() - started
                display.show(summary)
        ledger.flush()
        summary.stopped_by = stop.signum
        display.show(summary)
    return summary


@dataclass(slots=True)
class _Stop:
    """Whether, and by which signal, we were asked to stop."""

    event: threading.Event = field(default_factory=threading.Event)
    signum: int | None = None

    def __call__(self, signum: int, _frame: FrameType | None) -> None:
        if self.signum is not None:
            raise SystemExit(128 + signum)
        self.signum = signum
        self.event.set()


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    """Turn the first SIGINT or SIGTERM into a request, and the second into an exit."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield stop
        return
    before = {signum: signal.signal(signum, stop) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler if handler is not None else signal.SIG_DFL)
