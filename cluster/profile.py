"""
Profiles: one frozen dataclass for each kind of place where stationday can run.

A profile holds what a user decides. How that becomes a Dask cluster stands in `cluster.client`, how a profile
is read from a file or from the command line in `cluster.load`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cluster.errors import ProfileError
from cluster.quantities import parse_duration, parse_memory

__all__ = ["KINDS", "Address", "Processes", "Profile", "Serial", "Slurm", "Threads"]

SCHEMES = ("tcp", "tls", "ws", "wss", "ucx")
"""Protocols under which a running scheduler can be reached."""


@dataclass(frozen=True, kw_only=True)
class Serial:
    """No Dask: everything runs in the calling process, one task after the other."""

    kind: ClassVar[str] = "serial"


@dataclass(frozen=True, kw_only=True)
class Threads:
    """
    Threads of the calling process.

    Parameters
    ----------
    threads : int, optional
        How many; as many as this machine grants cores unless given.
    """

    kind: ClassVar[str] = "threads"
    threads: int | None = None

    def __post_init__(self) -> None:
        _check_counts(self, "threads")


@dataclass(frozen=True, kw_only=True)
class Processes:
    """
    Worker processes on this machine.

    Parameters
    ----------
    workers : int, optional
        How many processes; as many as there are GPUs or, without them, cores for their threads.
    threads : int
        Threads in each, that is tasks at a time.
    memory : str, optional
        Memory limit of each, as ``"4 GB"``; an equal part of the machine's unless given.
    gpus : int
        GPUs to use, one for each worker; such a worker has the resource ``GPU``.
    local_directory : str, optional
        Folder for the workers' scratch files.

    Examples
    --------
    >>> Processes(workers=2, memory="4 GB").memory_bytes
    4000000000
    """

    kind: ClassVar[str] = "processes"
    workers: int | None = None
    threads: int = 1
    memory: str | None = None
    gpus: int = 0
    local_directory: str | None = None

    def __post_init__(self) -> None:
        _check_counts(self, "workers", "threads")
        _check_counts(self, "gpus", least=0)
        _check_texts(self, "local_directory")
        if self.memory is not None:
            parse_memory(self.memory, "memory")
        _check_one_process_per_gpu(self.gpus, "workers", self.workers)

    @property
    def memory_bytes(self) -> int | None:
        """Memory limit of each worker, if there is one."""
        return None if self.memory is None else parse_memory(self.memory, "memory")


@dataclass(frozen=True, kw_only=True)
class Address:
    """
    A scheduler that somebody else started and that somebody else stops.

    Parameters
    ----------
    address : str, optional
        Where it listens, as ``tcp://host:8786``.
    scheduler_file : str, optional
        The file that ``dask scheduler --scheduler-file`` wrote, instead of an address.
    timeout : str
        How long to wait for it to answer.

    Examples
    --------
    >>> Address(address="tcp://host:8786").timeout_s
    30.0
    """

    kind: ClassVar[str] = "address"
    address: str | None = None
    scheduler_file: str | None = None
    timeout: str = "30 s"

    def __post_init__(self) -> None:
        _check_texts(self, "address", "scheduler_file")
        if (self.address is None) == (self.scheduler_file is None):
            raise ProfileError(
                f"address = {self.address!r} and scheduler_file = {self.scheduler_file!r}: "
                "exactly one of them should be given"
            )
        if self.address is not None:
            scheme, _, place = self.address.partition("://")
            if scheme not in SCHEMES or not place.rpartition(":")[2].isdecimal():
                raise ProfileError(
                    f"address = {self.address!r} should name a protocol, a host and a port, "
                    "such as 'tcp://host:8786'"
                )
        parse_duration(self.timeout, "timeout")

    @property
    def timeout_s(self) -> float:
        """How long to wait for an answer, in seconds."""
        return parse_duration(self.timeout, "timeout")


@dataclass(frozen=True, kw_only=True)
class Slurm:
    """
    Jobs in a SLURM queue, each with one or more worker processes.

    Parameters
    ----------
    cores, memory, walltime : int, str, str
        What one job asks for: ``8``, ``"32 GB"``, ``"04:00:00"``.
    processes : int, optional
        Worker processes in a job; one for each GPU or, without GPUs, for each core.
    gpus : int
        GPUs of a job, one for each process; such a worker has the resource ``GPU``.
    min_jobs, max_jobs : int, int, optional
        How many jobs: a fixed number, or as many as the work asks for between the two.
    queue, account : str, optional
        Partition and account to submit to.
    job_extra_directives : tuple of str
        More lines for ``#SBATCH``, as ``"--exclusive"``.
    job_script_prologue : tuple of str
        Shell lines to run in a job before its workers start.
    interface : str, optional
        Network interface between jobs and driver, as ``"ib0"``.
    python : str, optional
        Python of the workers; the driver's own unless given.
    local_directory : str, optional
        Folder on the node for the workers' scratch files.
    log_directory : str
        Folder for the output of the jobs.
    lifetime, lifetime_stagger : str, optional
        When a worker takes no new task, counted from its start, and how far workers spread around that
        moment; derived from the walltime unless given.
    death_timeout : str
        How long a worker looks for its scheduler before it ends.

    Notes
    -----
    Once its lifetime is over, a worker finishes the task it has and ends; the job is replaced while there is
    work. A tenth of the walltime, between 20 s and 15 min, is kept for that last task, and the lifetimes are
    spread over half as much again, so that jobs started together don't end together.

    Examples
    --------
    >>> profile = Slurm(cores=8, memory="32 GB", walltime="04:00:00")
    >>> profile.processes_per_job, profile.lifetime_s, profile.lifetime_stagger_s
    (8, 13275.0, 225.0)
    """

    kind: ClassVar[str] = "slurm"
    cores: int
    memory: str
    walltime: str
    processes: int | None = None
    gpus: int = 0
    min_jobs: int = 1
    max_jobs: int | None = None
    queue: str | None = None
    account: str | None = None
    job_extra_directives: tuple[str, ...] = ()
    job_script_prologue: tuple[str, ...] = ()
    interface: str | None = None
    python: str | None = None
    local_directory: str | None = None
    log_directory: str = "slurm-logs"
    lifetime: str | None = None
    lifetime_stagger: str | None = None
    death_timeout: str = "60 s"

    def __post_init__(self) -> None:
        _check_counts(self, "cores", "processes", "min_jobs", "max_jobs")
        _check_counts(self, "gpus", least=0)
        _check_texts(self, "queue", "account", "interface", "python", "local_directory", "log_directory")
        _check_lists_of_texts(self, "job_extra_directives", "job_script_prologue")
        _check_one_process_per_gpu(self.gpus, "processes", self.processes)
        parse_memory(self.memory, "memory")
        for key in ("walltime", "lifetime", "lifetime_stagger", "death_timeout"):
            if getattr(self, key) is not None:
                parse_duration(getattr(self, key), key)
        if self.cores % self.processes_per_job:
            raise ProfileError(
                f"processes = {self.processes_per_job} should divide cores = {self.cores} without rest"
            )
        if self.max_jobs is not None and self.max_jobs < self.min_jobs:
            raise ProfileError(f"max_jobs = {self.max_jobs} should be at least min_jobs = {self.min_jobs}")

    @property
    def processes_per_job(self) -> int:
        """Worker processes in one job."""
        return self.processes or self.gpus or self.cores

    @property
    def memory_bytes(self) -> int:
        """Memory of one job."""
        return parse_memory(self.memory, "memory")

    @property
    def walltime_s(self) -> float:
        """Time limit of one job, in seconds."""
        return parse_duration(self.walltime, "walltime")

    @property
    def lifetime_stagger_s(self) -> float:
        """How far before and after its lifetime a worker may stop, in seconds."""
        if self.lifetime_stagger is not None:
            return parse_duration(self.lifetime_stagger, "lifetime_stagger")
        return self._last_task_s / 4

    @property
    def lifetime_s(self) -> float:
        """When a worker takes no new task, in seconds from its start."""
        if self.lifetime is not None:
            return parse_duration(self.lifetime, "lifetime")
        return max(self.walltime_s - self._last_task_s - self.lifetime_stagger_s, 1.0)

    @property
    def _last_task_s(self) -> float:
        return min(max(self.walltime_s / 10, 20.0), 900.0)

    @property
    def death_timeout_s(self) -> float:
        """How long a worker looks for its scheduler, in seconds."""
        return parse_duration(self.death_timeout, "death_timeout")


Profile = Serial | Threads | Processes | Address | Slurm
"""Any of the kinds."""

KINDS: dict[str, type[Profile]] = {kind.kind: kind for kind in (Serial, Threads, Processes, Address, Slurm)}
"""Each kind by the name that it has in a profile."""


def _check_counts(profile: object, *keys: str, least: int = 1) -> None:
    """Refuse what is no whole number or too small; None stands for "not given"."""
    for key in keys:
        value = getattr(profile, key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < least):
            raise ProfileError(f"{key} = {value!r} should be a whole number, {least} or more")


def _check_texts(profile: object, *keys: str) -> None:
    """Refuse what is no text; None stands for "not given"."""
    for key in keys:
        value = getattr(profile, key)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            raise ProfileError(f"{key} = {value!r} should be a text that is not empty")


def _check_lists_of_texts(profile: object, *keys: str) -> None:
    for key in keys:
        value = getattr(profile, key)
        if not isinstance(value, tuple) or not all(isinstance(line, str) for line in value):
            raise ProfileError(f"{key} = {value!r} should be a list of texts, such as ['--exclusive']")


def _check_one_process_per_gpu(gpus: int, key: str, processes: int | None) -> None:
    if gpus and processes not in (None, gpus):
        raise ProfileError(
            f"{key} = {processes} should be left out or equal gpus = {gpus}: one process per GPU"
        )
