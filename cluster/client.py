"""From a profile to a Dask client: started on entering and stopped on leaving, come what may."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from cluster.errors import ClusterStartError
from cluster.profile import Address, Processes, Profile, Serial, Slurm, Threads
from cluster.settings import (
    dashboard_options,
    dask_settings,
    has_dashboard,
    one_thread_per_library,
    quiet_dask,
)

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["dashboard_url", "open_client"]


@contextlib.contextmanager
def open_client(profile: Profile) -> Iterator[Client | None]:
    """
    Start what a profile asks for, or connect to it, and stop it again.

    Parameters
    ----------
    profile : Profile
        Where to run; see `cluster.load_profile`.

    Yields
    ------
    distributed.Client or None
        A client whose workers may still be starting; None if the profile is serial. It is not made Dask's
        default client.

    Raises
    ------
    ClusterStartError
        The cluster can't be started or reached.

    Notes
    -----
    SIGTERM and SIGHUP leave the context as `SystemExit` does, so that no job stays in a queue. Workers
    on this machine end with the calling process however it dies; so do jobs, within their ``death_timeout``
    and half a minute.

    Examples
    --------
    >>> with open_client(Threads(threads=2)) as client:
    ...     client.submit(pow, 2, 10).result()
    1024
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_leaving_by_signal())
        try:
            client = _OPENERS[type(profile)](profile, stack)
        except ClusterStartError:
            raise
        except (OSError, RuntimeError, ValueError) as error:
            raise ClusterStartError(f"{profile.kind}: can't be started: {_first_line(error)}") from error
        yield client


def dashboard_url(client: Client | None) -> str | None:
    """Return the address of Dask's dashboard, or None where there is none."""
    return str(client.dashboard_link) if client is not None and has_dashboard() else None


def _open_serial(profile: Serial, stack: contextlib.ExitStack) -> None:  # noqa: ARG001 (all openers are alike)
    return None


def _open_threads(profile: Threads, stack: contextlib.ExitStack) -> Client:
    from dask.system import CPU_COUNT

    stack.enter_context(one_thread_per_library())
    return _open_local(
        stack,
        processes=False,
        n_workers=1,
        threads_per_worker=profile.threads or CPU_COUNT,
        memory_limit=0,
    )


def _open_processes(profile: Processes, stack: contextlib.ExitStack) -> Client:
    from dask.system import CPU_COUNT

    options: dict[str, Any] = {"preload": ["cluster.interrupt"]}
    if profile.memory_bytes is not None:
        options["memory_limit"] = profile.memory_bytes
    if profile.local_directory is not None:
        options["local_directory"] = profile.local_directory
    if profile.gpus:
        options |= {"resources": {"GPU": 1}, "preload": ["cluster.interrupt", "cluster.device"]}
    return _open_local(
        stack,
        processes=True,
        n_workers=profile.workers or profile.gpus or max(CPU_COUNT // profile.threads, 1),
        threads_per_worker=profile.threads,
        **options,
    )


def _open_local(stack: contextlib.ExitStack, **options: Any) -> Client:
    import logging

    from distributed import Client, LocalCluster

    stack.enter_context(dask_settings())
    stack.enter_context(quiet_dask())
    dashboard = dashboard_options("127.0.0.1")
    dask_cluster = stack.enter_context(
        LocalCluster(
            dashboard_address=dashboard["dashboard_address"],
            scheduler_kwargs=dashboard,
            silence_logs=logging.CRITICAL,
            **options,
        )
    )
    return stack.enter_context(Client(dask_cluster, set_as_default=False))


def _open_address(profile: Address, stack: contextlib.ExitStack) -> Client:
    from distributed import Client

    if profile.scheduler_file is not None and not Path(profile.scheduler_file).is_file():
        raise ClusterStartError(
            f"scheduler_file {profile.scheduler_file}: there is no such file; "
            "'dask scheduler --scheduler-file' writes one"
        )
    stack.enter_context(dask_settings())
    stack.enter_context(quiet_dask())
    place = profile.address or profile.scheduler_file
    try:
        return stack.enter_context(
            Client(
                profile.address,
                scheduler_file=profile.scheduler_file,
                timeout=profile.timeout_s,
                set_as_default=False,
            )
        )
    except (OSError, TimeoutError) as error:
        raise ClusterStartError(
            f"no scheduler answers at {place} within {profile.timeout_s:g} s; "
            "is it running, and reachable from here?"
        ) from error


def _open_slurm(profile: Slurm, stack: contextlib.ExitStack) -> Client:
    from distributed import Client

    from cluster.slurm import start_jobs

    stack.enter_context(dask_settings())
    stack.enter_context(quiet_dask())
    dask_cluster = stack.enter_context(start_jobs(profile))
    return stack.enter_context(Client(dask_cluster, set_as_default=False))


_OPENERS: dict[type[Profile], Callable[[Any, contextlib.ExitStack], Client | None]] = {
    Serial: _open_serial,
    Threads: _open_threads,
    Processes: _open_processes,
    Address: _open_address,
    Slurm: _open_slurm,
}


@contextlib.contextmanager
def _leaving_by_signal() -> Iterator[None]:
    """Turn SIGTERM and SIGHUP, where nobody handles them, into SystemExit; once, so that closing can end."""
    wanted = (signal.SIGTERM, signal.SIGHUP)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in wanted if signal.getsignal(number) is signal.SIG_DFL]

    def leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (as signal wants it)
        for each in taken:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in taken:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
