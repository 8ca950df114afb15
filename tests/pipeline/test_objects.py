"""Objects: whole, exclusive, and the same on every kind of store."""

import threading
import uuid
from pathlib import Path

import pytest

from pipeline.objects import LocalObjects, ObjectStore, open_objects


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return open_objects(tmp_path / "store" if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def test_contract(store: ObjectStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("a/b")
    assert not store.exists("a/b")
    store.write("a/b", b"0123456789")
    assert store.read("a/b") == b"0123456789"
    assert store.read_range("a/b", 2, 3) == b"234"
    assert store.read_range("a/b", 8, 100) == b"89"
    assert store.read_tail("a/b", 4) == b"6789"
    assert store.read_tail("a/b", 400) == b"0123456789"
    store.write("a/b", b"new")
    assert store.read("a/b") == b"new"
    assert store.child("a").read("b") == b"new"
    store.copy("a/b", "c")
    assert {(o.key, o.size) for o in store.list()} == {("a/b", 3), ("c", 3)}
    assert [o.key for o in store.list("a")] == ["a/b"]
    assert list(store.list("nothing")) == []
    store.delete("c")
    store.delete("c")
    store.delete_folder("a")
    store.delete_folder("a")
    assert list(store.list()) == []


def test_create_is_exclusive(store: ObjectStore) -> None:
    assert store.create("lease", b"one")
    assert not store.create("lease", b"two")
    assert store.read("lease") == b"one"


def test_only_one_of_many_creates(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    won: list[int] = []
    threads = [
        threading.Thread(target=lambda i=i: won.append(i) if store.create("x", str(i).encode()) else None)
        for i in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read("x") == str(won[0]).encode()
    assert [o.key for o in store.list()] == ["x"]


def test_partials_are_invisible_and_removed(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.write("a/b", b"whole")
    (tmp_path / "a" / "b.123456.partial").write_bytes(b"half")
    (tmp_path / "a" / "c.123456.partial").write_bytes(b"another writer's")
    assert [o.key for o in store.list()] == ["a/b"]
    assert store.remove_partials(["a/b", "missing/x"]) == 1
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["b", "c.123456.partial"]


def test_sweep_removes_all_partials_of_a_folder(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.write("a/b", b"whole")
    (tmp_path / "a" / "c.123456.partial").write_bytes(b"half")
    assert store.sweep_partials() == 1
    assert [o.key for o in store.list()] == ["a/b"]
