"""The lease: one writer at a time, and no waiting for the dead."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import FormatError, LeaseHeldError, LeaseLostError
from pipeline.objects import LocalObjects, ObjectInfo, ObjectStore, open_objects
from workflows.lease import Holder, Lease, _to_json

HOLDER = """
import sys, time
from pipeline.objects import open_objects
from workflows.lease import Lease
with Lease(open_objects(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return open_objects(tmp_path / "product" if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def put(store: ObjectStore, generation: int, **changes: Any) -> Holder:
    """Leave the lease of another holder in a store."""
    holder = replace(Holder.here(60.0), token="another", **changes)
    store.write(f"lease/{generation:06d}.json", _to_json(holder))
    return holder


def test_a_second_writer_is_told_who_holds_it(store: ObjectStore) -> None:
    expected = f"process {os.getpid()}, for 0:00:00"
    with Lease(store), pytest.raises(LeaseHeldError, match=expected) as refused:
        Lease(store).acquire()
    assert store.url in str(refused.value)


def test_released_is_free_again(store: ObjectStore) -> None:
    for _ in range(3):
        with Lease(store) as lease:
            lease.check()
    assert [info.key for info in store.list()] == ["lease/000003.json"]
    with pytest.raises(LeaseLostError, match="not taken, or was released"):
        lease.check()


def test_what_a_killed_holder_left_is_swept_by_the_next(tmp_path: Path) -> None:
    store = open_objects(tmp_path)
    put(store, 7, released=True)
    left = tmp_path / "lease" / "000007.json.0123456789ab.partial"
    left.write_bytes(b"{")
    with Lease(store):
        assert not left.exists()


def test_released_also_after_an_error(store: ObjectStore) -> None:
    with contextlib.suppress(ZeroDivisionError), Lease(store):
        _ = 1 / 0
    with Lease(store) as lease:
        lease.check()
    assert [info.key for info in store.list()] == ["lease/000002.json"]


def test_only_one_of_many_takers_wins(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    put(store, 7, expires=time.time() - 1)
    won: list[Lease] = []
    ready = threading.Barrier(12)

    def take() -> None:
        lease = Lease(store)
        ready.wait()
        with contextlib.suppress(LeaseHeldError):
            lease.acquire()
            won.append(lease)

    threads = [threading.Thread(target=take) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    won[0].check()
    won[0].release()
    assert [info.key for info in store.list()] == ["lease/000008.json"]


@pytest.mark.parametrize(
    ("changes", "is_free"),
    [
        ({}, False),
        ({"released": True}, True),
        ({"expires": 1.0}, True),
        ({"pid": 2**22 + 1}, True),  # no such process
        ({"process_started": 1.0}, True),  # the process id was used again
        ({"pid": 2**22 + 1, "machine": "another"}, False),
        ({"pid": 2**22 + 1, "machine": "another", "expires": 1.0}, True),
    ],
)
def test_what_may_be_taken_over(store: ObjectStore, changes: dict[str, Any], is_free: bool) -> None:
    put(store, 1, **changes)
    lease = Lease(store)
    with contextlib.nullcontext() if is_free else pytest.raises(LeaseHeldError):
        lease.acquire()
    lease.release()


@pytest.mark.parametrize("reaped", [True, False])
def test_a_killed_holder_keeps_nobody_waiting(tmp_path: Path, reaped: bool) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
    with pytest.raises(LeaseHeldError, match=f"process {holder.pid}"):
        Lease(LocalObjects(tmp_path)).acquire()
    holder.send_signal(signal.SIGKILL)
    if reaped:
        holder.wait()
    else:  # as under a container's first process, which reaps nothing
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
    started = time.monotonic()
    with Lease(LocalObjects(tmp_path)) as lease:
        lease.check()
    assert time.monotonic() - started < 1.0
    holder.wait()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_renewed_as_long_as_it_is_held(store: ObjectStore) -> None:
    with Lease(store, expiry_seconds=0.4) as lease:
        time.sleep(1.0)
        lease.check()
        with pytest.raises(LeaseHeldError):
            Lease(store).acquire()


def test_a_replaced_holder_notices_by_itself(store: ObjectStore) -> None:
    with Lease(store, expiry_seconds=0.1) as lease:
        put(store, 2)
        wait_until(lambda: bool(lease._lost))
        with pytest.raises(LeaseLostError, match=f"taken over by .*process {os.getpid()}"):
            lease.check()
    assert b'"released": false' in store.read("lease/000002.json")


def test_a_holder_that_slept_looks_before_it_writes(store: ObjectStore) -> None:
    with Lease(store) as lease:
        assert lease._holder is not None
        lease._holder = replace(lease._holder, expires=time.time() - 1)  # the renewing thread slept as well
        lease.check()
        assert lease._holder.expires > time.time()
        lease._holder = replace(lease._holder, expires=time.time() - 1)
        put(store, 2)
        with pytest.raises(LeaseLostError):
            lease.check()


class AwayStore(LocalObjects):
    """A store that does not answer for a while."""

    away = False

    def write(self, key: str, data: bytes) -> None:
        if self.away:
            raise OSError("no route to host")
        super().write(key, data)


def test_a_store_may_be_away_until_the_lease_expires(tmp_path: Path) -> None:
    store = AwayStore(tmp_path)
    with Lease(store, expiry_seconds=0.4) as lease:
        store.away = True
        time.sleep(0.2)
        lease.check()
        time.sleep(0.4)
        with pytest.raises(LeaseLostError, match="could not be renewed: no route to host"):
            lease.check()


class SlowStore(LocalObjects):
    """A store whose first listing is answered long before its caller reads on."""

    def __init__(self, root: Path, meanwhile: Callable[[], None]) -> None:
        super().__init__(root)
        self._meanwhile = [meanwhile]

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        found = list(super().list(prefix))
        while self._meanwhile:
            self._meanwhile.pop()()
        yield from found


def test_a_taker_that_slept_does_not_take_a_number_of_the_past(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    put(store, 1, released=True)
    current = Lease(store)

    def others_come_and_go() -> None:
        with Lease(store):
            pass
        current.acquire()

    with pytest.raises(LeaseHeldError):
        Lease(SlowStore(tmp_path, others_come_and_go)).acquire()
    current.check()
    assert [info.key for info in store.list()] == ["lease/000003.json"]
    current.release()


def test_a_foreign_object_is_named(store: ObjectStore) -> None:
    store.write("lease/000001.json", b"{}")
    with pytest.raises(FormatError, match=r"lease/000001\.json is no lease"):
        Lease(store).acquire()


def test_holders_come_back_from_json(store: ObjectStore) -> None:
    holder = put(store, 1)
    assert Lease(store)._read(1) == Holder(**asdict(holder))
