"""
One writer at a time: a lease on a product or an archive, kept as objects in its store.

Each holder is an object of its own, numbered by *generation*::

    lease/000041.json     {"machine": ..., "pid": ..., "since": ..., "expires": ..., "released": true}
    lease/000042.json     the holder

To take the lease is to create the next number, which a store grants to one of several takers only. The
holder renews its own object, and has lost the lease as soon as there is a higher number. Nothing but
exclusive creation is asked of the store, and nobody ever writes another's object.

A worker may outlive its driver, and not know that the lease is another's by now. So tasks that write in place
carry a `Fence`, which tells.

A lease may be taken over when it was released, when it has expired, or at once when its holder ran on this
machine and its process is gone: a killed driver doesn't keep the next one waiting. Machines are told apart
by more than their names, since containers share these. Their clocks should agree to some seconds.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import json
import os
import socket
import threading
import time
import uuid
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped]

from pipeline.errors import FormatError, LeaseHeldError, LeaseLostError
from pipeline.objects import ObjectStore

__all__ = ["Fence", "Holder", "Lease"]

_RENEWALS_PER_EXPIRY = 4
_GENERATIONS_SWEPT = 100


@dataclass(frozen=True, slots=True)
class Holder:
    """
    Who holds a lease, and until when.

    Parameters
    ----------
    host, machine, user : str
        Name of the host; what tells it from others of that name; name of the user.
    pid : int
    process_started : float
        POSIX time in s; process ids are used again, and this tells them apart.
    since, expires : float
        POSIX time in s.
    token : str
        Unique for each lease taken.
    released : bool
        Whether the holder has given it back.
    """

    host: str
    machine: str
    user: str
    pid: int
    process_started: float
    since: float
    expires: float
    token: str
    released: bool = False

    @classmethod
    def here(cls, expiry_seconds: float) -> Self:
        """Describe this process as a holder from now on."""
        now = time.time()
        process = psutil.Process()
        return cls(
            host=socket.gethostname(),
            machine=_machine(),
            user=_user(),
            pid=process.pid,
            process_started=process.create_time(),
            since=now,
            expires=now + expiry_seconds,
            token=uuid.uuid4().hex,
        )

    def is_active(self) -> bool:
        """Tell whether this holder still keeps others out."""
        if self.released or time.time() > self.expires:
            return False
        return self.machine != _machine() or self._is_running()

    def _is_running(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.process_started) < 1.0
            return is_same and bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def __str__(self) -> str:
        age = dt.timedelta(seconds=round(time.time() - self.since))
        return f"{self.user} on {self.host}, process {self.pid}, for {age}"


@dataclass(frozen=True, slots=True)
class Fence:
    """
    What lets a worker see that its driver still holds the lease; travels with a task.

    Parameters
    ----------
    store : ObjectStore
    key : str
        Folder of the lease in it.
    generation : int
        Number of the driver's object.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> with Lease(open_objects("memory://fence-example")) as lease:
    ...     fence = lease.fence()
    >>> fence.check()
    >>> with Lease(open_objects("memory://fence-example")):
    ...     fence.check()
    Traceback (most recent call last):
        ...
    pipeline.errors.LeaseLostError: memory://fence-example has another writer by now (lease 2, ours was 1)
    """

    store: ObjectStore
    key: str
    generation: int

    def check(self) -> None:
        """
        Make sure that nobody took the lease since; one listing of its small folder.

        Raises
        ------
        LeaseLostError
            If somebody did.
        """
        newest = max(_generations(self.store, self.key), default=0)
        if newest != self.generation:
            numbers = f"lease {newest}, ours was {self.generation}"
            raise LeaseLostError(f"{self.store.url} has another writer by now ({numbers})")


class Lease:
    """
    The right to write a product: hold it with ``with``.

    Parameters
    ----------
    store : ObjectStore
        Of the product or archive.
    key : str
        Folder of the lease in it.
    expiry_seconds : float
        How long a lease lives that nobody renews; a thread renews it four times in that span.

    Raises
    ------
    LeaseHeldError
        On entering, if somebody else holds it.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> store = open_objects("memory://lease-example")
    >>> with Lease(store) as lease:
    ...     lease.check()
    ...     Lease(store).acquire()
    Traceback (most recent call last):
        ...
    pipeline.errors.LeaseHeldError: memory://lease-example is being written by ...
    """

    def __init__(self, store: ObjectStore, key: str = "lease", *, expiry_seconds: float = 120.0) -> None:
        self.store = store
        self.key = key
        self.expiry_seconds = expiry_seconds
        self._generation = 0
        self._holder: Holder | None = None
        self._lost = ""
        self._busy = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lease, over from a holder that is gone if need be, and keep it renewed."""
        top = max(self._generations(), default=0)
        if top:
            self._refuse_if_active(top)
        holder = Holder.here(self.expiry_seconds)
        if not self.store.create(self._name(top + 1), _to_json(holder)):
            self._refuse(top + 1)
        # A taker that slept since it listed may have created a number that was long used and removed.
        newest = max(self._generations())
        if newest > top + 1:
            self.store.delete(self._name(top + 1))
            self._refuse(newest)
        self._generation, self._holder, self._lost = top + 1, holder, ""
        for generation in self._generations():
            if generation < self._generation:
                self.store.delete(self._name(generation))
        earlier = range(max(1, self._generation - _GENERATIONS_SWEPT), self._generation)
        self.store.remove_partials(map(self._name, earlier))
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep_renewing, name="lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """
        Make sure that the lease is still ours. This is cheap while the lease is fresh.

        Raises
        ------
        LeaseLostError
            If somebody has taken it over, or it expired and can't be renewed.
        """
        holder = self._holder
        if holder is None:
            raise LeaseLostError(f"{self.store.url}: the lease was not taken, or was released")
        if not self._lost and time.time() > holder.expires:  # the machine slept, or the store was away
            self._renew()
        if self._lost:
            raise LeaseLostError(self._lost)

    def fence(self) -> Fence:
        """Return what a task takes along to see whether this lease still holds."""
        return Fence(self.store, self.key, self._generation)

    def release(self) -> None:
        """Give the lease back. If it was lost, or never taken, there is nothing to give."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        holder, self._holder = self._holder, None
        if holder is not None and not self._lost:
            # A store that is away must not hide why we are leaving; the lease expires by itself.
            with contextlib.suppress(OSError):
                self.store.write(self._name(self._generation), _to_json(replace(holder, released=True)))

    def _keep_renewing(self) -> None:
        while not self._stop.wait(self.expiry_seconds / _RENEWALS_PER_EXPIRY):
            self._renew()
            if self._lost:
                return

    def _renew(self) -> None:
        with self._busy:
            holder = self._holder
            if holder is None or self._lost:
                return
            try:
                newest = max(self._generations(), default=0)
                if newest != self._generation:
                    self._lost = (
                        f"{self.store.url} was taken over by {self._describe(newest)}; we stop writing"
                    )
                    return
                renewed = replace(holder, expires=time.time() + self.expiry_seconds)
                self.store.write(self._name(self._generation), _to_json(renewed))
                self._holder = renewed
            except OSError as error:
                if time.time() > holder.expires:
                    self._lost = f"{self.store.url}: the lease expired and could not be renewed: {error}"

    def _generations(self) -> list[int]:
        return _generations(self.store, self.key)

    def _name(self, generation: int) -> str:
        return f"{self.key}/{generation:06d}.json"

    def _read(self, generation: int) -> Holder | None:
        name = self._name(generation)
        try:
            return Holder(**json.loads(self.store.read(name)))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise FormatError(
                f"{self.store.url}/{name} is no lease: {error}; remove it if nobody writes"
            ) from error

    def _describe(self, generation: int) -> str:
        return str(self._read(generation) or "somebody else")

    def _refuse_if_active(self, generation: int) -> None:
        holder = self._read(generation)
        if holder is not None and holder.is_active():
            self._refuse(generation)

    def _refuse(self, generation: int) -> None:
        raise LeaseHeldError(
            f"{self.store.url} is being written by {self._describe(generation)}; wait for it, or stop it"
        )


def _generations(store: ObjectStore, key: str) -> list[int]:
    names = (info.key.rpartition("/")[2] for info in store.list(key))
    return sorted(int(name.removesuffix(".json")) for name in names if name[:6].isdecimal())


def _to_json(holder: Holder) -> bytes:
    return json.dumps(asdict(holder), indent=1).encode()


def _machine() -> str:
    """Name this machine, this boot of it, and this space of process ids, as far as the system tells."""
    marks = [socket.gethostname()]
    with contextlib.suppress(OSError):
        marks.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        marks.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(marks)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return str(os.getuid())
