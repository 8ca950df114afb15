"""Cases of bad input: files out of reach, disks and buckets in trouble."""

# ruff: noqa: E501 (what is said stands here word by word)

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

from bad_input import SECOND, Group, Place, Trace, walk
from s3_server import Spoil

from pipeline.archive import arriving
from pipeline.objects import LocalObjects, open_objects

__all__ = ["BUCKETS", "DISKS"]

DISKS = Group("Files, folders and disks")
BUCKETS = Group("Buckets")
TRACE = Trace(walk(1000))
NOT_PERMITTED = PermissionError(13, "Permission denied")
FULL = OSError(28, "No space left on device")
Held = Callable[[Place], AbstractContextManager[object]]


def refusing(part: str, error: OSError, *methods: str) -> Held:
    """Let methods of the local store fail for files whose path has a part."""

    @contextlib.contextmanager
    def hold(_: Place) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for name in methods:
                stack.enter_context(mock.patch.object(LocalObjects, name, _refuse(name, part, error)))
            yield

    return hold


def _refuse(name: str, part: str, error: OSError) -> Any:
    real = getattr(LocalObjects, name)

    def method(objects: LocalObjects, key: str, *rest: Any, **options: Any) -> Any:
        if part in f"{objects.url}/{key}":
            raise type(error)(error.errno, error.strerror, f"{objects.url}/{key}")
        return real(objects, key, *rest, **options)

    return method


def unlistable(_: Place) -> AbstractContextManager[object]:
    """Let a folder give an error when it is listed."""
    real = os.scandir

    def scandir(folder: str) -> Any:
        if str(folder).endswith("/shut"):
            raise OSError(5, "Input/output error", folder)
        return real(folder)

    return mock.patch.object(os, "scandir", scandir)


def before_reading(act: Callable[[Path], object]) -> Held:
    """Let something happen to the bad file after its scan, just before its samples are read."""
    real = arriving.read_source

    def read(source: Any, **options: Any) -> bytes:
        if source.url.endswith("/bad.mseed"):
            act(Path(source.url))
        return real(source, **options)

    return lambda _: mock.patch.object(arriving, "read_source", read)


def bad_file(place: Place) -> None:
    """Write a file with which nothing is wrong but what happens to it."""
    place.write("bad.mseed", TRACE.records())


@DISKS.case(
    "a file that may not be read",
    said=("lost: {sources}/bad.mseed: unreadable: Permission denied",),
    becomes="none for now; the next ingest tries again",
    status=1,
    again=0,
    disturb=refusing("/bad.mseed", NOT_PERMITTED, "read", "read_range", "read_tail"),
)
def file_not_permitted(place: Place) -> tuple[list[Trace], list[Trace]]:
    bad_file(place)
    return [], [TRACE]


@DISKS.case(
    "a folder that can't be listed",
    said=("lost: {sources}/shut: unreadable: a folder that can not be listed",),
    becomes="none of the folder for now; the next ingest tries again",
    status=1,
    again=0,
    disturb=unlistable,
)
def folder_not_listed(place: Place) -> tuple[list[Trace], list[Trace]]:
    place.write("shut/bad.mseed", TRACE.records())
    return [], [TRACE]


@DISKS.case(
    "a file that vanishes between scan and reading",
    said=("lost: XX.BAD..LH/2020.03: unreadable: {sources}/bad.mseed: No such file or directory",),
    becomes="none of the file; when it is back, it is read",
    status=1,
    again=0,
    disturb=before_reading(lambda path: path.unlink(missing_ok=True)),
)
def file_vanishes(place: Place) -> list[Trace]:
    bad_file(place)
    return []


def append(path: Path) -> None:
    """Let a file grow by a thousand samples."""
    later = Trace(TRACE.samples, start_ns=TRACE.start_ns + 1000 * SECOND)
    path.write_bytes(TRACE.records() + later.records())


@DISKS.case(
    "a file that grows between scan and reading",
    said=(
        "lost: XX.BAD..LH/2020.03: changed since it was listed: {sources}/bad.mseed: 3072 bytes, not 1536",
    ),
    becomes="none of the file for now; the next ingest scans and reads it",
    status=1,
    again=0,
    disturb=before_reading(append),
)
def file_grows(place: Place) -> tuple[list[Trace], list[Trace]]:
    bad_file(place)
    return [], [TRACE, Trace(TRACE.samples, start_ns=TRACE.start_ns + 1000 * SECOND)]


@DISKS.case(
    "a disk that can't read a file (a bad sector)",
    said=("lost: {sources}/bad.mseed: unreadable: Input/output error",),
    becomes="none of the file for now; the next ingest tries again",
    status=1,
    again=0,
    disturb=refusing("/bad.mseed", OSError(5, "Input/output error"), "read"),
)
def bad_sector(place: Place) -> tuple[list[Trace], list[Trace]]:
    bad_file(place)
    return [], [TRACE]


@DISKS.case(
    "a disk that is full when samples are written",
    said=(
        "lost: XX.BAD..LH/2020.03: failed: OSError: [Errno 28] No space left on device: '{archive}/XX.BAD..LH/1Hz/2020/counts/c/0/2'",
    ),
    becomes="none of the block, and nothing of it half written; `--retry-failed` takes it up again",
    status=1,
    disturb=refusing("/XX.BAD..LH/1Hz/2020/counts/c/", FULL, "write"),
)
def disk_full(place: Place) -> list[Trace]:
    bad_file(place)
    return []


@DISKS.case(
    "a disk that is full from the start",
    said=("stationday: {archive}/zarr.json: No space left on device",),
    becomes="none; the same command later does it all",
    status=1,
    again=0,
    nothing=True,
    disturb=refusing("/archive.zarr", FULL, "write", "create"),
)
def disk_full_at_once(place: Place) -> tuple[list[Trace], list[Trace]]:
    bad_file(place)
    return [], [TRACE]


@DISKS.case(
    "an archive that may not be written",
    said=("stationday: {archive}/zarr.json: Permission denied",),
    becomes="none; the same command later does it all",
    status=1,
    again=0,
    nothing=True,
    disturb=refusing("/archive.zarr", NOT_PERMITTED, "write", "create"),
)
def archive_not_permitted(place: Place) -> tuple[list[Trace], list[Trace]]:
    bad_file(place)
    return [], [TRACE]


@DISKS.case("names with blanks and letters beyond ASCII", said=(), becomes="all there", status=0)
def blanks_and_umlauts(place: Place) -> list[Trace]:
    place.write("été 2014/ä b.mseed", TRACE.records())
    return [TRACE]


@DISKS.case(
    "a name that is not UTF-8",
    said=(r"lost: {sources}/\xe4.mseed: unreadable: its name is not UTF-8; rename it",),
    becomes="none of the file until it is renamed",
    status=1,
)
def name_not_utf8(place: Place) -> list[Trace]:
    place.write(os.fsdecode(b"\xe4.mseed"), TRACE.records())
    return []


@DISKS.case(
    "a line break in the name of an empty file",
    said=(r"lost: {sources}/a\nb.mseed: empty file: 0 bytes",),
    becomes="none there; still one line",
    status=1,
)
def line_break_in_name(place: Place) -> list[Trace]:
    place.write("a\nb.mseed", b"")
    return []


@DISKS.case(
    "links: to a folder above, to one folder twice, to nowhere, to itself",
    said=(
        "lost: {sources}/nowhere: unreadable: No such file or directory",
        "lost: {sources}/self: unreadable: Too many levels of symbolic links",
    ),
    becomes="each file once; what links that lead nowhere stood for is missing",
    status=1,
)
def links(place: Place) -> list[Trace]:
    place.write("data/bad.mseed", TRACE.records())
    (place.folder / "data" / "up").symlink_to(place.folder)
    (place.folder / "again").symlink_to(place.folder / "data")
    (place.folder / "nowhere").symlink_to(place.folder / "gone")
    (place.folder / "self").symlink_to(place.folder / "self")
    return [TRACE]


@DISKS.case("a named pipe among the files", said=(), becomes="all there; nobody waits for the pipe", status=0)
def named_pipe(place: Place) -> list[Trace]:
    bad_file(place)
    os.mkfifo(place.folder / "pipe.mseed")
    return [TRACE]


def put(place: Place) -> None:
    """Write an object, and the good one."""
    store = open_objects(place.bucket)
    store.write("bad.mseed", TRACE.records())
    store.write("good.mseed", (place.folder / "good.mseed").read_bytes())


def spoiled(how: Any, part: str = "bad.mseed", **options: Any) -> Held:
    """Let requests go wrong."""
    return lambda place: place.s3.spoiled(Spoil(part, how, **options))


def out_of_reach(wrong: str, how: Any, reason: str, **options: Any) -> Any:
    """Return a case of an object that can't be had just now."""
    return BUCKETS.case(
        wrong,
        said=(f"lost: {{bucket}}/bad.mseed: unreadable: {reason}",),
        becomes="none of the object for now; the next ingest tries again",
        status=1,
        again=0,
        in_bucket=True,
        disturb=spoiled(how),
        **options,
    )


def later(place: Place) -> tuple[list[Trace], list[Trace]]:
    """Put the object, to be read by the next ingest."""
    put(place)
    return [], [TRACE]


@out_of_reach("an object that may not be read (403)", 403, "made up")
def object_403(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)


@out_of_reach("an object that was listed and is not there (404)", 404, "made up")
def object_404(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)


@out_of_reach("an object that gives 500 however often it is asked", 500, "made up", is_slow=True)
def object_500(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)


@out_of_reach("an object that gives 503 however often it is asked", 503, "made up", is_slow=True)
def object_503(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)


@BUCKETS.case(
    "an object that never comes: the server takes the connection and says nothing (`--patience 1`)",
    said=("lost: {bucket}/bad.mseed: unreadable: no answer within 1.01 s",),
    becomes="none of the object for now; the next ingest tries again",
    status=1,
    again=0,
    in_bucket=True,
    options=("--patience", "1"),
    disturb=spoiled("hang", seconds=120),
)
def object_silent(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)


CUT = (
    "ClientPayloadError: Response payload is not completed: <ContentLengthError: 400, message='Not enough data "
    "to satisfy content length header (received 768 of 1536 bytes).'>"
)


@out_of_reach("a connection that is cut in the middle of the object, each time", "cut", CUT)
def object_cut(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)


def repeated(wrong: str, how: Any, **options: Any) -> Any:
    """Return a case of an object that can be had in the end."""
    return BUCKETS.case(
        wrong,
        said=(),
        becomes="all there",
        status=0,
        in_bucket=True,
        disturb=spoiled(how, **options),
    )


def at_last(place: Place) -> list[Trace]:
    """Put the object, to be read at once."""
    put(place)
    return [TRACE]


@repeated("500 twice, then the object", 500, times=2)
def object_500_twice(place: Place) -> list[Trace]:
    return at_last(place)


@repeated("503 (slow down) twice, then the object", 503, times=2)
def object_503_twice(place: Place) -> list[Trace]:
    return at_last(place)


@repeated("a connection that is cut once", "cut", times=1)
def object_cut_once(place: Place) -> list[Trace]:
    return at_last(place)


@repeated("an object that drips", "slow")
def object_slow(place: Place) -> list[Trace]:
    return at_last(place)


@BUCKETS.case(
    "a bucket that may not be listed (403)",
    said=("stationday: {bucket}/: made up",),
    becomes="none; the same command later does it all",
    status=1,
    again=0,
    nothing=True,
    in_bucket=True,
    disturb=spoiled(403, part="list-type"),
)
def bucket_403(place: Place) -> tuple[list[Trace], list[Trace]]:
    return later(place)
