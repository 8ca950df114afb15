"""
A few threads for work that lets go of the interpreter lock, shared by all readers of a process.

A person who opens a day waits for its samples to be decompressed, on one core while the others stand idle.
Dask's workers are the threads already: they get one each, by the same variable as BLAS and OpenMP.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

__all__ = ["spread", "thread_count"]

_Item = TypeVar("_Item")


def thread_count() -> int:
    """Return ``OMP_NUM_THREADS`` where it is set, else the number of cores this process may use."""
    stated = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if stated.isdecimal() and int(stated) > 0:
        return int(stated)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(work: Callable[[_Item], object], items: Sequence[_Item], *, least: int) -> None:
    """
    Do some work on each item, on several threads where each of them gets some to do.

    Parameters
    ----------
    work : callable
        Must let go of the interpreter lock to gain anything, and touch nothing that another item touches.
    items : sequence
        In any order; they should take about the same time.
    least : int
        Items that a thread must get to be worth its while.

    Examples
    --------
    >>> done = []
    >>> spread(done.append, range(5), least=1)
    >>> sorted(done)
    [0, 1, 2, 3, 4]
    """
    threads = max(1, min(thread_count(), len(items) // least))
    # This thread does a share as well: the last one, while those of the others are under way.
    shares = [items[number::threads] for number in range(threads)]
    futures = [_pool(threads - 1).submit(_each, work, share) for share in shares[:-1]]
    try:
        _each(work, shares[-1])
    finally:
        for future in futures:
            future.exception()
    for future in futures:
        future.result()


def _each(work: Callable[[_Item], object], items: Sequence[_Item]) -> None:
    for item in items:
        work(item)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="stationday-decode")


if hasattr(os, "register_at_fork"):
    # The threads of a pool do not live on in a child that was forked.
    os.register_at_fork(after_in_child=_pool.cache_clear)
