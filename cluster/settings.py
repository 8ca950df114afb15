"""What holds wherever stationday runs: Dask's settings and the environment of a worker process."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
from collections.abc import Iterator
from typing import Any

__all__ = [
    "DASK_SETTINGS",
    "THREAD_ENVIRONMENT",
    "WORKER_ENVIRONMENT",
    "dashboard_options",
    "dask_settings",
    "environment_lines",
    "has_dashboard",
    "one_thread_per_library",
    "quiet_dask",
]

THREAD_ENVIRONMENT = dict.fromkeys(
    (
        "OMP_NUM_THREADS",  # also torch's
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMBA_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
"""One thread per library: Dask's workers are the threads, and nested pools would oversubscribe the cores."""

WORKER_ENVIRONMENT = THREAD_ENVIRONMENT | {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024),
    "MALLOC_TRIM_THRESHOLD_": str(512 * 1024 * 1024),
}
"""
What a worker process starts with.

Dask tells glibc to give memory back at 64 KiB, for workers that keep large results; ours keep none, and an
ingest spent 40 % of its time in fetching the same pages again (docs/benchmarks/ingest.md).
"""

DASK_SETTINGS: dict[str, object] = {
    # A preempted job marks all its tasks as suspicious; with 3, a few preemptions would lose good blocks.
    "distributed.scheduler.allowed-failures": 10,
    # Results are small and products go to the archive: nothing is worth spilling to a node's disk.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": 0.85,
    "distributed.worker.memory.terminate": 0.95,
    # A worker looks at what it does ten times a second, at its memory and at its clock twice: with Dask's
    # hundred, ten and fifty times, a worker and its nanny take 5 % of a core from each other.
    "distributed.worker.profile.interval": "100ms",
    "distributed.worker.profile.cycle": "5000ms",
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.admin.tick.interval": "500ms",
    # fork deadlocks with the threads of zarr, s3fs and torch; forkserver would miss the environment above.
    "distributed.worker.multiprocessing-method": "spawn",
    # A worker may be silent while a long call holds the interpreter lock.
    "distributed.scheduler.worker-ttl": "15 minutes",
    # A nanny needs its time to restart a worker that ran out of memory, before its job is given up.
    "distributed.deploy.lost-worker-timeout": "120 s",
}
"""Dask's settings in the driver, in its scheduler, and in every worker that it starts."""


@contextlib.contextmanager
def dask_settings() -> Iterator[None]:
    """Apply `DASK_SETTINGS` and the environment of the workers that this process starts, for a while."""
    import dask
    import distributed  # noqa: F401 (brings its own settings, which ours shall override)

    environment = dict(dask.config.get("distributed.nanny.pre-spawn-environ")) | WORKER_ENVIRONMENT
    settings = DASK_SETTINGS | {"distributed.nanny.pre-spawn-environ": environment}
    with _environment_kept(environment), dask.config.set(settings):
        yield


def environment_lines() -> list[str]:
    """
    Write what concerns a worker as shell lines, for one that is started by a script.

    Examples
    --------
    >>> environment_lines()[0]
    'export OMP_NUM_THREADS=1'
    """
    exported = dict(WORKER_ENVIRONMENT)
    for key, value in DASK_SETTINGS.items():
        if not key.startswith(("distributed.worker.", "distributed.admin.")):
            continue
        name = "DASK_" + key.replace(".", "__").replace("-", "_").upper()
        exported[name] = f"'{value}'" if isinstance(value, str) else str(value)
    return [f"export {name}={value}" for name, value in exported.items()]


@contextlib.contextmanager
def one_thread_per_library() -> Iterator[None]:
    """Hold this process's BLAS at one thread each for a while, and torch's where it is imported later."""
    import threadpoolctl  # type: ignore[import-untyped]

    with _environment_kept(THREAD_ENVIRONMENT), threadpoolctl.threadpool_limits(limits=1):
        os.environ.update(THREAD_ENVIRONMENT)
        yield


@contextlib.contextmanager
def quiet_dask() -> Iterator[None]:
    """Keep Dask's own log off the terminal for a while: stationday reports what it lost by itself."""
    loggers = [logging.getLogger(name) for name in ("distributed", "tornado", "asyncio")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def dashboard_options(host: str = "") -> dict[str, Any]:
    """
    Say how a scheduler shows its dashboard: on any free port, if there is bokeh to draw it.

    The port is set in either case, since the scheduler's own pages would take 8787 and complain where that
    is taken.

    >>> dashboard_options("127.0.0.1")["dashboard_address"]
    '127.0.0.1:0'
    """
    return {"dashboard_address": f"{host}:0", "dashboard": has_dashboard()}


def has_dashboard() -> bool:
    """Tell whether bokeh, which draws the dashboard, is installed."""
    return importlib.util.find_spec("bokeh") is not None


@contextlib.contextmanager
def _environment_kept(names: dict[str, str]) -> Iterator[None]:
    """Put variables back as they were; Dask's nanny leaves those of its workers in this process."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
