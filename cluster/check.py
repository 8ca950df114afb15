"""Try a profile out: start it, wait for one worker, and compare what is installed there with what is here."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from cluster.client import dashboard_url, open_client
from cluster.errors import ClusterStartError
from cluster.profile import Profile

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["ClusterCheck", "Comparison", "check_cluster", "installed_versions"]

COMPARED = ("dask", "distributed", "numpy", "zarr", "numcodecs", "pcodec", "stationday")
"""Distributions that must be the same on driver and workers for the same bytes."""

_ECHO_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The version of one thing here and on the worker; None where it is not installed."""

    name: str
    driver: str | None
    worker: str | None

    @property
    def equal(self) -> bool:
        """Whether it is installed on both, in the same version."""
        return self.driver is not None and self.driver == self.worker


@dataclass(frozen=True, kw_only=True)
class ClusterCheck:
    """
    What a check found.

    Parameters
    ----------
    kind : str
        The kind of the profile.
    worker : str
        Address of the worker that answered, and its node.
    threads : int
        Threads of that worker.
    dashboard : str or None
        Address of the dashboard, if there is one.
    start_s, round_trip_s : float
        Time until the worker was there, and for a task that takes and returns 1 MiB.
    comparisons : tuple of Comparison
        Python first, then distributions.
    """

    kind: str
    worker: str
    threads: int
    dashboard: str | None
    start_s: float
    round_trip_s: float
    comparisons: tuple[Comparison, ...]

    @property
    def passed(self) -> bool:
        """Whether driver and worker agree in everything."""
        return all(comparison.equal for comparison in self.comparisons)

    def as_dict(self) -> dict[str, object]:
        """Return everything as JSON has it."""
        return asdict(self) | {"passed": self.passed}

    def as_table(self) -> str:
        """Return everything as lines for a terminal."""
        facts = {
            "profile": self.kind,
            "worker": f"{self.worker}, {self.threads} threads" if self.threads > 1 else self.worker,
            "dashboard": self.dashboard or "off (needs bokeh)",
            "started in": f"{self.start_s:.1f} s",
            "1 MiB there and back": f"{1000 * self.round_trip_s:.0f} ms",
        }
        width = max(len(name) for name in facts)
        lines = [f"{name:<{width}}  {value}" for name, value in facts.items()]
        lines += ["", f"{'':<12} {'driver':<20} worker"]
        for each in self.comparisons:
            here, there = each.driver or "missing", each.worker or "missing"
            lines.append(f"{each.name:<12} {here:<20} {there:<20} {'' if each.equal else 'differs'}".rstrip())
        return "\n".join(lines)


def check_cluster(profile: Profile, *, timeout_s: float = 300.0) -> ClusterCheck:
    """
    Start a profile, wait for one worker, compare versions and send a task there and back.

    Parameters
    ----------
    profile : Profile
        What to try.
    timeout_s : float
        How long to wait for the first worker: a queue may keep it waiting.

    Returns
    -------
    ClusterCheck
        What was found; `ClusterCheck.passed` says whether all is well.

    Raises
    ------
    ClusterStartError
        The cluster can't be started or reached, no worker came in time, or the one that came lacks
        stationday.

    Examples
    --------
    >>> from cluster.profile import Serial
    >>> check_cluster(Serial()).passed
    True
    """
    began = time.monotonic()
    with open_client(profile) as client:
        if client is None:
            return _found(profile, None, "this process", 1, installed_versions(), 0.0, 0.0)
        address, threads = _first_worker(client, timeout_s)
        start_s = time.monotonic() - began
        versions, host = _ask(client, address)
        began = time.monotonic()
        payload = bytes(_ECHO_BYTES)
        if client.submit(_echo, payload, workers=[address], pure=False).result(timeout_s) != payload:
            raise ClusterStartError(f"worker {address} on {host} returned other bytes than it was sent")
        round_trip_s = time.monotonic() - began
        return _found(profile, client, f"{address} on {host}", threads, versions, start_s, round_trip_s)


def installed_versions() -> dict[str, str | None]:
    """
    Name what is installed in the environment of this process.

    Examples
    --------
    >>> list(installed_versions())[:3]
    ['python', 'dask', 'distributed']
    """
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in COMPARED:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _first_worker(client: Client, timeout_s: float) -> tuple[str, int]:
    """Wait for a worker; return its address and its threads."""
    try:
        client.wait_for_workers(1, timeout=timeout_s)
    except TimeoutError as error:
        raise ClusterStartError(
            f"no worker came within {timeout_s:g} s; a job may still wait in the queue (squeue), or it "
            "ended at once (its output says why)"
        ) from error
    workers = client.scheduler_info(n_workers=-1)["workers"]
    address = min(workers)
    return address, int(workers[address]["nthreads"])


def _ask(client: Client, address: str) -> tuple[dict[str, str | None], str]:
    """Ask a worker for its versions and the name of its node."""
    try:
        future = client.submit(installed_versions, workers=[address], pure=False)
        host = client.submit(platform.node, workers=[address], pure=False)
        return future.result(), host.result()
    except ModuleNotFoundError as error:
        raise ClusterStartError(
            f"worker {address} can't import {error.name}: install stationday there"
        ) from error


def _echo(payload: bytes) -> bytes:
    return bytes(payload)


def _found(
    profile: Profile,
    client: Client | None,
    worker: str,
    threads: int,
    versions: dict[str, str | None],
    start_s: float,
    round_trip_s: float,
) -> ClusterCheck:
    here = installed_versions()
    return ClusterCheck(
        kind=profile.kind,
        worker=worker,
        threads=threads,
        dashboard=dashboard_url(client),
        start_s=start_s,
        round_trip_s=round_trip_s,
        comparisons=tuple(
            Comparison(name=name, driver=here[name], worker=versions.get(name)) for name in here
        ),
    )
