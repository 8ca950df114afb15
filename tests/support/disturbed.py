"""The command line as a process of its own, watched and disturbed from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
from chaos_sources import Job, Network

__all__ = ["MOMENTS", "IngestProcess", "Watch"]

PATIENCE_S = 120.0
_WITH_EXPIRY = (
    "import sys; from workflows.lease import Lease; Lease.__init__.__kwdefaults__['expiry_seconds'] = {}; "
    "from workflows.cli import main; sys.exit(main())"
)


class IngestProcess:
    """
    ``stationday ingest`` in a session of its own.

    Parameters
    ----------
    job, network : Job, Network
        What to ingest.
    archive : Path
    cluster : str
        Where to run; two worker processes unless given.
    expiry_seconds : float, optional
        Of the lease, where the usual one is too long to wait for.
    """

    def __init__(
        self,
        job: Job,
        network: Network,
        archive: Path,
        *,
        cluster: str = "processes:2",
        expiry_seconds: float | None = None,
    ) -> None:
        expiry = ["-c", _WITH_EXPIRY.format(expiry_seconds)] if expiry_seconds else ["-m", "workflows.cli"]
        sources = [str(network.folder / source) for source in job.sources]
        options = ["--archive", str(archive), "--cluster", cluster, "--quiet"]
        self.process = subprocess.Popen(
            [sys.executable, *expiry, "ingest", *sources, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._family: dict[int, psutil.Process] = {}

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self.process.poll() is None

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes below the driver."""
        found = [child for child in self.family() if "spawn_main" in " ".join(_command(child))]
        return sorted(found, key=lambda process: process.pid)

    def family(self) -> list[psutil.Process]:
        """Return all processes that the driver has started so far and that live."""
        try:
            children = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        self._family |= {child.pid: child for child in children}
        return [child for child in self._family.values() if _lives(child)]

    def kill(self, *, driver: bool, worker: int | None = None) -> bool:
        """Send SIGKILL to the driver, or to a worker, or to both; tell whether all of them were alive."""
        self.family()
        workers = self.workers() if worker is not None else []
        if not self.is_running or (worker is not None and not workers):
            return False
        if worker is not None:
            os.kill(workers[worker % len(workers)].pid, signal.SIGKILL)
        if driver:
            self.process.kill()
        return True

    def interrupt(self, number: signal.Signals) -> None:
        """Send a signal as it comes: SIGINT from a terminal to all processes, others to the driver."""
        send = os.killpg if number is signal.SIGINT else os.kill
        send(self.process.pid, number)

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to the driver and all that it has started."""
        for process in (psutil.Process(self.process.pid), *self.family()):
            process.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Wait for the end of it; return its exit status and what it said on stderr."""
        try:
            _, said = self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, said

    def orphans(self, *, patience_s: float = 10.0) -> list[psutil.Process]:
        """Return what it has started and what outlives it by that much."""
        deadline = time.monotonic() + patience_s
        while self.family() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.family()

    def __enter__(self) -> IngestProcess:
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self.family(), *([self.process] if self.is_running else [])]:
            process.kill()
        self.process.communicate()


class Watch:
    """Notice which objects of an archive are new or were written again since the watch began."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._before = self._versions()

    def new(self) -> list[str]:
        """Return their keys, in order."""
        return sorted(key for key, version in self._versions().items() if self._before.get(key) != version)

    def wait_for(self, pattern: str, *, while_: Callable[[], bool]) -> bool:
        """Wait for an object whose key matches a pattern; tell whether it came."""
        matches = re.compile(pattern).fullmatch
        while while_():
            if any(map(matches, self.new())):
                return True
            time.sleep(0.002)
        return any(map(matches, self.new()))

    def moment(self) -> str:
        """Name how far the run got, by what it wrote last."""
        written = self.new()
        reached = [
            name for name, pattern in MOMENTS.items() if any(map(re.compile(pattern).fullmatch, written))
        ]
        return reached[-1] if reached else "before the first object"

    def is_released(self) -> bool:
        """Whether the run has given its lease back: then it is done with the archive."""
        newest = max((key for key in self.new() if key.startswith("lease/")), default=None)
        return newest is not None and '"released": true' in (self._archive / newest).read_text()

    def _versions(self) -> dict[str, tuple[int, int]]:
        return dict(_files(str(self._archive)))


MOMENTS = {
    "the lease": r"lease/\d+\.json",
    "a scan batch": r"scan/batches/.+\.parquet",
    "the scan table": r"scan/files\.parquet",
    "the stale mark": r"index\.stale",
    "a group": r".+/zarr\.json",
    "a journal": r"journal/.+/c/0/\d+",
    "a shard": r"(?!journal/).+/c/0/\d+",
    "a block table": r"tables/.+\.parquet",
    "a ledger segment": r"ledger/.+\.parquet",
    "the index": r"index\.parquet",
}
"""What an ingest writes, in the order in which it does."""


def _files(folder: str) -> Iterable[tuple[str, tuple[int, int]]]:
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                stat = Path(path, name).stat()
            except FileNotFoundError:
                continue
            yield f"{path}/{name}"[len(folder) + 1 :], (stat.st_ino, stat.st_mtime_ns)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
