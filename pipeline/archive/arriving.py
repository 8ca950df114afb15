"""
Bytes of source files: those in a bucket are asked for while the day before is still being made.

A request to a bucket takes tens of milliseconds whatever it asks for; one after the other they would take as
long as all the rest of an ingest. A file that was read through to find out what it holds, or that several
streams lie in, is asked for more than once: its bytes are kept for a while, as far as there is room.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.archive.blocks import Source
from pipeline.archive.patience import PATIENCE_S, ask
from pipeline.errors import SourceError
from pipeline.objects import ObjectStore

__all__ = ["Arriving", "KeptBytes", "read_source"]

_CONNECTIONS = 8
_ONE_REQUEST = 32 * 1024 * 1024
"""Up to so many bytes one request is as fast as several, before which a library asks for the size."""


class KeptBytes:
    """
    Bytes of files in buckets that will be asked for again, in this process.

    What comes first is kept, as long as there is room: files are read in the same order again and again, and
    the one that was not used for the longest is the one that is needed next. What nobody took for a while is
    let go: a worker has other things to do after an ingest, and needs its memory.

    Parameters
    ----------
    room : int
        Bytes.
    idle_s : float
        After which a file that nobody took is let go, at most as long again later.

    Examples
    --------
    >>> kept = KeptBytes(room=5)
    >>> first, second = Source("s3://b/1", 3, ""), Source("s3://b/2", 3, "")
    >>> kept.put(first, b"abc")
    >>> kept.put(second, b"def")
    >>> kept.get(first), kept.get(second)
    (b'abc', None)
    """

    def __init__(self, room: int = 256 * 1024 * 1024, idle_s: float = 120.0) -> None:
        self._room = room
        self._idle_s = idle_s
        self._held: dict[Source, tuple[bytes, float]] = {}
        self._lock = threading.Lock()
        self._is_watched = False

    def get(self, source: Source) -> bytes | None:
        """Return the bytes of a file, as it was when it was listed; None where they are not here."""
        with self._lock:
            held = self._held.get(source)
            if held is None:
                return None
            self._held[source] = (held[0], time.monotonic())
            return held[0]

    def put(self, source: Source, data: bytes) -> None:
        """Keep the bytes of a file, if there is room."""
        with self._lock:
            if len(data) + sum(len(held) for held, _ in self._held.values()) <= self._room:
                self._held[source] = (data, time.monotonic())
                self._watch()

    def _watch(self) -> None:
        """Look after a while whether anything was not taken; again, as long as anything is held."""
        if self._held and not self._is_watched:
            self._is_watched = True
            timer = threading.Timer(self._idle_s, self._let_go)
            timer.daemon = True
            timer.start()

    def _let_go(self) -> None:
        before = time.monotonic() - self._idle_s
        with self._lock:
            self._held = {source: held for source, held in self._held.items() if held[1] > before}
            self._is_watched = False
            self._watch()


_kept = KeptBytes()


class Arriving:
    """
    Bytes that are on their way, and those that are not.

    Parameters
    ----------
    patience_s : float
        See `pipeline.archive.patience`.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> store = open_objects("memory://arriving-example")
    >>> store.write("a", b"123")
    >>> source = Source("memory://arriving-example/a", 3, "")
    >>> with Arriving() as arriving:
    ...     arriving.expect([source])
    ...     arriving.take(source)
    b'123'
    """

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._pool: ThreadPoolExecutor | None = None
        self._coming: dict[Source, Future[bytes]] = {}

    def __enter__(self) -> Arriving:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def expect(self, sources: Iterable[Source], *, keep: bool = False) -> None:
        """Ask for files that will be taken soon; what lies on a disk is read when it is taken."""
        for source in sources:
            if "://" not in source.url or source in self._coming:
                continue
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="arriving")
            self._coming[source] = self._pool.submit(self._read, source, keep)

    def take(self, source: Source, *, keep: bool = False) -> bytes:
        """Return the bytes of a file; see `read_source`."""
        coming = self._coming.pop(source, None)
        return self._read(source, keep) if coming is None else coming.result()

    def _read(self, source: Source, keep: bool) -> bytes:
        return read_source(source, keep=keep, patience_s=self._patience_s)


def read_source(source: Source, *, keep: bool = False, patience_s: float = PATIENCE_S) -> bytes:
    """
    Read a source file.

    Parameters
    ----------
    source : Source
        As it was listed.
    keep : bool
        Whether it will be asked for again: a file in a bucket is kept then, if there is room.
    patience_s : float
        See `pipeline.archive.patience`.

    Raises
    ------
    SourceError
        If it is not as long as it was when it was listed.
    OSError
        If it can't be read.
    """
    is_near = "://" not in source.url
    data = None if is_near else _kept.get(source)
    if data is not None:
        return data

    def request(objects: ObjectStore, name: str) -> bytes:
        if is_near or not 0 < source.size <= _ONE_REQUEST:
            return objects.read(name)
        return objects.read_range(name, 0, source.size + 1)

    data = ask(source.url, request, nbytes=max(0, source.size), patience_s=patience_s)
    if len(data) != source.size:
        raise SourceError(f"changed since it was listed: {len(data)} bytes, not {source.size}")
    if keep and not is_near:
        _kept.put(source, data)
    return data
