"""
Blocks in threads of this process: for stages that wait for others, and share one limit of how much they ask.

The memory of blocks is this process's: nothing pickles, and all of them see one connection pool and one pace.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from threading import Event

from workflows.ledger import BlockResult
from workflows.plan import Task
from workflows.runners import BlockFunction

__all__ = ["ThreadRunner"]


@dataclass(frozen=True, slots=True)
class ThreadRunner:
    """
    Does some blocks at a time.

    Parameters
    ----------
    threads : int
    on_stop : callable
        Called once nothing more is to be begun: tells running blocks to come to an end.
    tick_seconds : float
        Longest time without a batch.

    Examples
    --------
    >>> tasks = [Task(f"block {number}", "5f0c") for number in range(5)]
    >>> batches = ThreadRunner(2, on_stop=lambda: None).run(lambda task: task.result(), tasks, Event())
    >>> sorted(result.key for batch in batches for result in batch)
    ['block 0', 'block 1', 'block 2', 'block 3', 'block 4']
    """

    threads: int
    on_stop: Callable[[], None]
    tick_seconds: float = 1.0

    def run(
        self, function: BlockFunction, tasks: Iterable[Task], stop: Event
    ) -> Generator[list[BlockResult], None, None]:
        """See `workflows.runners.Runner.run`."""
        waiting = iter(tasks)
        running: set[Future[BlockResult]] = set()
        pool = ThreadPoolExecutor(self.threads)
        try:
            while True:
                if stop.is_set():
                    self.on_stop()
                    waiting = iter(())
                for task in islice(waiting, self.threads - len(running)):
                    running.add(pool.submit(function, task))
                if not running:
                    return
                done, running = wait(running, self.tick_seconds, return_when=FIRST_COMPLETED)
                yield [future.result() for future in done]
        finally:
            if running:  # left before its end: nobody wants the rest
                self.on_stop()
            pool.shutdown(wait=False, cancel_futures=True)
