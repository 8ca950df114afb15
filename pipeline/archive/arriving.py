"""
Bytes of source files: those in a bucket are asked for while the day before is still being made.

A request to a bucket takes tens of milliseconds whatever it asks for; one after the other they would take as
long as all the rest of an ingest.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from pipeline.archive.blocks import Source
from pipeline.errors import SourceError
from pipeline.objects import open_objects

__all__ = ["Arriving", "read_source"]

_CONNECTIONS = 8


class Arriving:
    """
    Bytes that are on their way, and those that are not.

    Examples
    --------
    >>> store = open_objects("memory://arriving-example")
    >>> store.write("a", b"123")
    >>> source = Source("memory://arriving-example/a", 3, "")
    >>> with Arriving() as arriving:
    ...     arriving.expect([source])
    ...     arriving.take(source)
    b'123'
    """

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._coming: dict[Source, Future[bytes]] = {}

    def __enter__(self) -> Arriving:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def expect(self, sources: Iterable[Source]) -> None:
        """Ask for files that will be taken soon; what lies on a disk is read when it is taken."""
        for source in sources:
            if "://" not in source.url or source in self._coming:
                continue
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="arriving")
            self._coming[source] = self._pool.submit(read_source, source)

    def take(self, source: Source) -> bytes:
        """Return the bytes of a file; see `read_source`."""
        coming = self._coming.pop(source, None)
        return read_source(source) if coming is None else coming.result()


def read_source(source: Source) -> bytes:
    """
    Read a source file.

    Raises
    ------
    SourceError
        If it is not as long as it was when it was listed.
    OSError
        If it can't be read.
    """
    folder, _, name = source.url.rpartition("/")
    data = open_objects(folder or "/").read(name)
    if len(data) != source.size:
        raise SourceError(f"changed since it was scanned: {len(data)} bytes, not {source.size}")
    return data
