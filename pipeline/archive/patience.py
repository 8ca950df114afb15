"""
Patience: how long an object in a bucket may take, whatever its library does about it.

Libraries of object stores repeat a request on several levels, each with its own waits: of a bucket that takes
a connection and never says a word, one of them gives up after half an hour, for each object. So every request
for bytes has a time of its own, in which those repetitions happen; what is not there by then is given up, its
connection is closed, and the object is left to the next ingest. A bucket that was silent several times in a
row gets little time for each further object, until one of them comes: objects that can be had are not lost to
those that can't.
"""

from __future__ import annotations

import errno
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from pipeline.objects import ObjectStore, RemoteObjects, open_objects

__all__ = ["AT_A_TIME", "PATIENCE_S", "ask"]

PATIENCE_S = 60.0
"""What libraries need for their own repetitions where a bucket answers 500 or 503: 35 to 50 s."""

AT_A_TIME = 9
"""Requests for bytes under way in a process."""

_LEAST_BYTES_PER_S = 250_000
_IN_A_ROW = 8
_SHORT_S = 2.0

_silent: Counter[str] = Counter()
"""How many requests in a row each bucket has left without an answer, in this process."""
_lock = threading.Lock()
_turns = threading.BoundedSemaphore(AT_A_TIME)
"""Who waits for a connection has not been left without an answer: libraries have ten of them."""


def ask(
    url: str,
    request: Callable[[ObjectStore, str], bytes],
    *,
    nbytes: int = 0,
    patience_s: float = PATIENCE_S,
) -> bytes:
    """
    Ask for bytes of a file; a disk is waited for however long it takes, a bucket as long as is reasonable.

    Parameters
    ----------
    url : str
        Of the file.
    request : callable
        From the store of its folder and its name to the bytes.
    nbytes : int
        About how many they are: one second more for each 250 kB.
    patience_s : float
        Seconds for any object in a bucket.

    Returns
    -------
    bytes

    Raises
    ------
    TimeoutError
        If they did not come in time.
    OSError
        If they can't be had otherwise.

    Examples
    --------
    >>> open_objects("memory://patience-example").write("key", b"123")
    >>> ask("memory://patience-example/key", lambda objects, name: objects.read(name))
    b'123'
    """
    folder, _, name = url.rpartition("/")
    if "://" not in url:
        return request(open_objects(folder or "/"), name)
    bucket = "/".join(url.split("/")[:3])
    try:
        with _turns:
            data = request(_hurried_objects(folder, bucket, patience_s, nbytes), name)
    except (FileNotFoundError, PermissionError):
        _note(bucket, answered=True)
        raise
    except OSError:
        _note(bucket, answered=False)
        raise
    _note(bucket, answered=True)
    return data


def _hurried_objects(folder: str, bucket: str, patience_s: float, nbytes: int) -> _HurriedObjects:
    before = _silent[bucket]
    is_silent = before >= _IN_A_ROW
    seconds = (min(_SHORT_S, patience_s) if is_silent else patience_s) + nbytes / _LEAST_BYTES_PER_S
    why = f", after {before} others in a row without one" if is_silent else ""
    return _HurriedObjects(folder, seconds, f"no answer within {seconds:.3g} s{why}")


def _note(bucket: str, *, answered: bool) -> None:
    with _lock:
        _silent[bucket] = 0 if answered else _silent[bucket] + 1


class _HurriedObjects(RemoteObjects):
    """Objects whose bytes must come in time; for one request."""

    def __init__(self, url: str, seconds: float, said: str) -> None:
        super().__init__(url)
        self._seconds = seconds
        self._said = said

    def _at(self, key: str) -> tuple[Any, str]:
        filesystem, path = super()._at(key)
        # What is no library of a network has no loop, in which a request could be given up.
        hurried = _Hurried(filesystem, self._seconds, self._said) if filesystem.async_impl else filesystem
        return hurried, path


class _Hurried:
    """A file system of fsspec, as far as bytes are asked of it."""

    def __init__(self, filesystem: Any, seconds: float, said: str) -> None:
        self._filesystem = filesystem
        self._seconds = seconds
        self._said = said

    def cat_file(self, path: str, **options: Any) -> bytes:
        """Return bytes of an object. In time, or the request is cancelled, and its connection closed."""
        from fsspec.exceptions import FSTimeoutError

        try:
            return bytes(self._filesystem.cat_file(path, timeout=self._seconds, **options))
        except FSTimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, self._said) from None
