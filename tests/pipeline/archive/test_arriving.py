"""Bytes of files in buckets: fetched once as far as there is room, and never another file's."""

from __future__ import annotations

import time
import uuid

import pytest

from pipeline.archive.arriving import Arriving, KeptBytes, read_source
from pipeline.archive.blocks import Source
from pipeline.errors import SourceError
from pipeline.objects import RemoteObjects, open_objects


def put(data: bytes) -> Source:
    """Put an object into a bucket in memory."""
    folder = f"memory://arriving-{uuid.uuid4().hex}"
    open_objects(folder).write("key", data)
    return Source(f"{folder}/key", len(data), "1")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is asked of buckets, as it is asked."""
    keys: list[str] = []
    for name in ("read", "read_range"):
        real = getattr(RemoteObjects, name)

        def method(objects: RemoteObjects, key: str, *rest: int, real: object = real) -> bytes:
            keys.append(key)
            return real(objects, key, *rest)  # type: ignore[operator]

        monkeypatch.setattr(RemoteObjects, name, method)
    return keys


def test_what_is_kept_is_fetched_once(fetched: list[str]) -> None:
    source = put(b"abc")
    assert [read_source(source, keep=True) for _ in range(3)] == [b"abc"] * 3
    with Arriving() as arriving:
        arriving.expect([source])
        assert arriving.take(source) == b"abc"
    assert fetched == ["key"]


def test_what_is_not_kept_is_fetched_each_time(fetched: list[str]) -> None:
    source = put(b"abc")
    assert [read_source(source) for _ in range(2)] == [b"abc"] * 2
    assert fetched == ["key", "key"]


def test_a_file_that_was_written_again_is_another_one(fetched: list[str]) -> None:
    source = put(b"abc")
    read_source(source, keep=True)
    folder, _, name = source.url.rpartition("/")
    open_objects(folder).write(name, b"def")
    assert read_source(Source(source.url, 3, "2"), keep=True) == b"def"
    assert read_source(source) == b"abc"  # as it was when it was listed
    assert fetched == ["key", "key"]


@pytest.mark.parametrize("now", [b"abcd" * 9, b"ab", b""])
def test_a_file_of_another_length_is_refused(now: bytes) -> None:
    source = put(b"abc")
    folder, _, name = source.url.rpartition("/")
    open_objects(folder).write(name, now)
    with pytest.raises(SourceError, match="changed since it was listed"):
        read_source(source)


def test_there_is_room_for_so_much() -> None:
    first, second, third = (Source(f"s3://b/{n}", 3, "") for n in range(3))
    kept = KeptBytes(room=6)
    for source in (first, second, third):
        kept.put(source, b"abc")
    assert [kept.get(source) for source in (first, second, third)] == [b"abc", b"abc", None]
    KeptBytes(room=6).put(first, b"1234567")
    assert kept.get(first) == b"abc"


def test_what_nobody_takes_is_let_go() -> None:
    first, second = (Source(f"s3://b/{n}", 3, "") for n in range(2))
    kept = KeptBytes(idle_s=0.4)
    kept.put(first, b"abc")
    kept.put(second, b"def")
    deadline = time.monotonic() + 10
    while len(kept._held) == 2 and time.monotonic() < deadline:
        assert kept.get(first) == b"abc"
        time.sleep(0.01)
    assert [kept.get(source) for source in (first, second)] == [b"abc", None]
    while kept._held and time.monotonic() < deadline:
        time.sleep(0.01)
    assert kept.get(first) is None
    kept.put(first, b"abc")
    assert kept.get(first) == b"abc"
