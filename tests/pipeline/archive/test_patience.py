"""Patience: what a silent bucket costs, and that one that speaks again is listened to."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import pytest
from s3_server import S3, Spoil

from pipeline.archive import patience
from pipeline.archive.patience import ask
from pipeline.objects import ObjectStore, open_objects

SILENT = Spoil("/silent", "hang", seconds=120)


@pytest.fixture
def bucket(s3: S3) -> Iterator[str]:
    """Return a bucket of its own, in which some objects never come: what is known of it outlives a test."""
    url = s3.make_bucket(f"patience-{uuid.uuid4().hex}")
    store = open_objects(url)
    for number in range(30):
        store.write(f"silent-{number}", b"silent")
    store.write("good", b"good")
    with s3.spoiled(SILENT):
        yield url


def read(objects: ObjectStore, name: str) -> bytes:
    return objects.read(name)


def silence(bucket: str, number: int, patience_s: float, nbytes: int = 0) -> tuple[float, str]:
    begun = time.monotonic()
    with pytest.raises(TimeoutError) as raised:
        ask(f"{bucket}/silent-{number}", read, patience_s=patience_s, nbytes=nbytes)
    return time.monotonic() - begun, str(raised.value.strerror)


def test_what_is_said_and_how_long_it_takes(bucket: str) -> None:
    took, said = silence(bucket, 0, 0.2)
    assert 0.2 <= took < 2
    assert said == "no answer within 0.2 s"
    took, said = silence(bucket, 0, 0.1, nbytes=50_000)
    assert 0.3 <= took < 2
    assert said == "no answer within 0.3 s"


def test_after_many_in_a_row_each_has_little_time_until_one_is_answered(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_SHORT_S", 0.4)
    for number in range(patience._IN_A_ROW):
        assert silence(bucket, number, 0.05)[1] == "no answer within 0.05 s"
    took, said = silence(bucket, 9, 60.0)
    assert took < 5
    assert said == "no answer within 0.4 s, after 8 others in a row without one"
    assert ask(f"{bucket}/good", read, patience_s=60.0) == b"good"
    assert silence(bucket, 10, 0.05)[1] == "no answer within 0.05 s"


def test_what_is_given_up_takes_no_connection_from_the_others(bucket: str) -> None:
    """A library has ten of them; a request that goes on in secret would hold one for minutes."""
    for number in range(20):
        silence(bucket, number, 0.05)
    assert ask(f"{bucket}/good", read, patience_s=20.0) == b"good"


@pytest.mark.parametrize(("status", "error"), [(404, FileNotFoundError), (403, PermissionError)])
def test_a_refusal_is_an_answer(
    s3: S3, bucket: str, status: int, error: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_IN_A_ROW", 1)
    silence(bucket, 0, 0.05)
    with s3.spoiled(Spoil("/good", status)), pytest.raises(error, match="made up"):
        ask(f"{bucket}/good", read)
    assert patience._silent[bucket] == 0


def test_a_disk_is_waited_for() -> None:
    def slow(objects: ObjectStore, name: str) -> bytes:
        time.sleep(0.05)
        return f"{objects.url} {name}".encode()

    assert ask("/data/file", slow, patience_s=0.001) == b"/data file"
    assert ask("/file", slow, patience_s=0.001) == b"/ file"
