"""Objects: whole, exclusive, and the same on every kind of store."""

import threading
import uuid
from pathlib import Path

import pytest
from s3_server import S3, Spoil

from pipeline.objects import LocalObjects, ObjectStore, open_objects


@pytest.fixture(params=["local", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return open_objects(tmp_path / "store")
    if request.param == "memory":
        return open_objects(f"memory://{uuid.uuid4().hex}")
    bucket: str = request.getfixturevalue("bucket")
    return open_objects(f"{bucket}/store")


@pytest.fixture
def bucket(s3: S3) -> str:
    return s3.make_bucket(f"bucket-{uuid.uuid4().hex}")


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
    store.write("a/deeper/d", b"")
    folders, objects = store.children()
    assert (folders, [o.key for o in objects]) == (["a"], ["c"])
    folders, objects = store.children("a")
    assert (folders, [(o.key, o.size) for o in objects]) == (["a/deeper"], [("a/b", 3)])
    assert objects[0] in list(store.list("a"))
    assert store.children("nothing") == ([], [])
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


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (Spoil("/k", 403), PermissionError, "made up"),
        (Spoil("/k", 404), FileNotFoundError, "made up"),
        (Spoil("/k", "cut"), OSError, "ClientPayloadError"),
    ],
)
def test_what_a_bucket_refuses_is_an_error_of_the_system_that_names_it(
    s3: S3, bucket: str, spoil: Spoil, error: type[OSError], said: str
) -> None:
    store = open_objects(bucket)
    store.write("k", bytes(10_000))
    with s3.spoiled(spoil), pytest.raises(error, match=said) as told:
        store.read("k")
    assert type(told.value) is error
    assert told.value.filename == f"{bucket}/k"


@pytest.mark.slow  # growing waits, as they should be
@pytest.mark.parametrize("status", [500, 503])
def test_a_bucket_that_never_recovers_is_given_up(s3: S3, bucket: str, status: int) -> None:
    store = open_objects(bucket)
    store.write("k", bytes(10))
    with s3.spoiled(Spoil("/k", status)), pytest.raises(OSError, match="made up") as told:
        store.read("k")
    assert told.value.filename == f"{bucket}/k"


@pytest.mark.parametrize(
    "spoil",
    [
        Spoil("/k", 500, times=1),
        Spoil("/k", 503, times=1),
        Spoil("/k", "cut", times=2),
        Spoil("/k", "hang", times=1, seconds=0.5),
        Spoil("/k", "slow", seconds=0.05),
    ],
    ids=lambda spoil: str(spoil.how),
)
def test_what_passes_is_waited_for(s3: S3, bucket: str, spoil: Spoil) -> None:
    store, data = open_objects(bucket), bytes(range(256)) * 40
    store.write("k", data)
    with s3.spoiled(spoil):
        assert store.read("k") == data
        assert store.read_range("k", 100, 1000) == data[100:1100]


def test_a_lost_answer_does_not_lose_what_was_created(s3: S3, bucket: str) -> None:
    store = open_objects(bucket)
    lost = Spoil("/lease", "lost answer", times=1, methods=frozenset({"PUT"}))
    with s3.spoiled(lost):
        assert store.create("lease", b"mine")
    assert s3.count("PUT", f"{bucket.removeprefix('s3://')}/lease") == 2
    assert not store.create("lease", b"other")
    assert store.read("lease") == b"mine"


def test_a_library_that_raises_its_own_is_told_as_one_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_objects(f"memory://{uuid.uuid4().hex}")

    class CredentialsError(Exception):
        pass

    def refuse(*_: object, **__: object) -> None:
        raise CredentialsError("no\ncredentials")

    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", refuse)
    with pytest.raises(OSError, match="CredentialsError: no credentials"):
        store.read("k")
