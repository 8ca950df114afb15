"""
Objects under a URL: a local folder, ``s3://``, ``gs://``, ``abfs://`` or ``memory://``.

Everything that stationday writes is written whole: a reader sees the old object or the new one, never a
part. On a local file system that is a temporary file and a rename; an object store gives it by itself.
Temporary files end in ``.partial``; what a killed process left of them is removed by whoever owns the
object next (`ObjectStore.remove_partials`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from pipeline.errors import ConfigError

__all__ = ["ANONYMOUS_BUCKETS", "LocalObjects", "ObjectInfo", "ObjectStore", "RemoteObjects", "open_objects"]

PARTIAL = ".partial"

ANONYMOUS_BUCKETS: Final = {
    "scedc-pds": "us-west-2",
    "ncedc-pds": "us-east-2",
    "earthscope-geophysical-data": "us-east-2",
    "geonet-open-data": "ap-southeast-2",
}
"""Regions of public buckets of seismologists, which are read without credentials."""


@dataclass(frozen=True, order=True, slots=True)
class ObjectInfo:
    """An object's key below its store, its size in bytes, and what changes when it is written again."""

    key: str
    size: int
    version: str


class ObjectStore(Protocol):
    """Whole objects under one URL. Keys are relative and use ``/``; a missing one is FileNotFoundError."""

    url: str

    def child(self, path: str) -> ObjectStore:
        """Return the store one or more folders down."""
        ...

    def read(self, key: str) -> bytes:
        """Return a whole object."""
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """Return the bytes from ``start``, fewer than ``length`` where the object ends."""
        ...

    def read_tail(self, key: str, length: int) -> bytes:
        """Return the last bytes, fewer than ``length`` where the object is shorter."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Write a whole object, replacing what was there at once."""
        ...

    def create(self, key: str, data: bytes) -> bool:
        """Write a whole object unless there is one; tell whether it holds these bytes because of that."""
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy an object whole."""
        ...

    def exists(self, key: str) -> bool:
        """Tell whether there is such an object."""
        ...

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Iterate, in no order, over all objects in a folder and below it."""
        ...

    def children(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """Return the folders in a folder, and the objects in it, both by name; not what lies deeper."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        ...

    def delete_folder(self, prefix: str) -> None:
        """Remove all objects in a folder and below it."""
        ...

    def remove_partials(self, keys: Iterable[str]) -> int:
        """Remove what killed writers left of some objects; count it. Only for who alone writes them."""
        ...

    def sweep_partials(self, prefix: str = "") -> int:
        """Remove what killed writers left in a folder and below it; count it. Lists all of the folder."""
        ...


def open_objects(url: str | os.PathLike[str]) -> ObjectStore:
    """
    Open the store at a URL or a local path. Nothing is created or contacted yet.

    Examples
    --------
    >>> store = open_objects("memory://example")
    >>> store.write("a/b", b"hello")
    >>> store.read_range("a/b", 1, 3), store.create("a/b", b"again")
    (b'ell', False)
    """
    text = os.fspath(url)
    if "://" not in text:
        return LocalObjects(Path(text))
    protocol, _, rest = text.partition("://")
    if protocol in ("file", "local"):
        return LocalObjects(Path(rest))
    if not rest.strip("/"):
        raise ConfigError(f"{text}: should name a bucket or a folder after ://")
    return RemoteObjects(text.rstrip("/"))


class LocalObjects:
    """Objects as files below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.url = str(self.root)

    def __repr__(self) -> str:
        return f"LocalObjects({self.url!r})"

    def _path(self, key: str) -> str:
        return f"{self.url}/{key}" if key else self.url

    def child(self, path: str) -> LocalObjects:
        """See `ObjectStore.child`."""
        return LocalObjects(self.root / path)

    def read(self, key: str) -> bytes:
        """See `ObjectStore.read`."""
        with open(self._path(key), "rb", buffering=0) as file:  # noqa: PTH123 (a hot path)
            return file.read()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.read_range`."""
        with open(self._path(key), "rb", buffering=0) as file:  # noqa: PTH123
            return os.pread(file.fileno(), length, start)

    def read_tail(self, key: str, length: int) -> bytes:
        """See `ObjectStore.read_tail`."""
        with open(self._path(key), "rb", buffering=0) as file:  # noqa: PTH123
            size = os.fstat(file.fileno()).st_size
            return os.pread(file.fileno(), length, max(0, size - length))

    def sweep_partials(self, prefix: str = "") -> int:
        """See `ObjectStore.sweep_partials`."""
        count = 0
        for folder, _, names in os.walk(self._path(prefix)):
            for name in names:
                if name.endswith(PARTIAL):
                    _unlink(f"{folder}/{name}")
                    count += 1
        return count

    def _write_partial(self, key: str, data: bytes) -> str:
        partial = f"{self._path(key)}.{uuid.uuid4().hex[:12]}{PARTIAL}"
        try:
            file = open(partial, "xb", buffering=0)  # noqa: PTH123, SIM115
        except FileNotFoundError:
            Path(partial).parent.mkdir(parents=True, exist_ok=True)
            file = open(partial, "xb", buffering=0)  # noqa: PTH123, SIM115
        try:
            with file:
                view = memoryview(data)
                while view:
                    view = view[file.write(view) :]
        except BaseException as error:
            _unlink(partial)
            if isinstance(error, OSError) and error.filename is None:
                error.filename = self._path(key)  # a full disk does not say where
            raise
        return partial

    def write(self, key: str, data: bytes) -> None:
        """See `ObjectStore.write`."""
        partial = self._write_partial(key, data)
        Path(partial).replace(self._path(key))

    def create(self, key: str, data: bytes) -> bool:
        """See `ObjectStore.create`."""
        partial = self._write_partial(key, data)
        try:
            # A hard link to a finished file: exclusive, and whole from the first moment.
            os.link(partial, self._path(key))
        except FileExistsError:
            return False
        finally:
            _unlink(partial)
        return True

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`."""
        self.write(target, self.read(source))

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        return Path(self._path(key)).is_file()

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        top = self._path(prefix)
        for folder, _, names in os.walk(top):
            for name in names:
                if name.endswith(PARTIAL):
                    continue
                path = f"{folder}/{name}"
                try:
                    stat = os.stat(path)  # noqa: PTH116
                except FileNotFoundError:  # it vanished since it was listed
                    continue
                yield ObjectInfo(path[len(self.url) + 1 :], stat.st_size, str(stat.st_mtime_ns))

    def children(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """See `ObjectStore.children`."""
        folders, objects = [], []
        with contextlib.suppress(FileNotFoundError), os.scandir(self._path(prefix)) as entries:
            for entry in entries:
                key = f"{prefix}/{entry.name}" if prefix else entry.name
                if entry.is_dir():
                    folders.append(key)
                elif not entry.name.endswith(PARTIAL):
                    stat = entry.stat()
                    objects.append(ObjectInfo(key, stat.st_size, str(stat.st_mtime_ns)))
        return sorted(folders), sorted(objects)

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        _unlink(self._path(key))

    def delete_folder(self, prefix: str) -> None:
        """See `ObjectStore.delete_folder`."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._path(prefix))

    def remove_partials(self, keys: Iterable[str]) -> int:
        """See `ObjectStore.remove_partials`."""
        owned: dict[str, set[str]] = {}
        for key in keys:
            folder, _, name = key.rpartition("/")
            owned.setdefault(folder, set()).add(name)
        count = 0
        for folder, names in owned.items():
            with contextlib.suppress(FileNotFoundError):
                for found in os.listdir(self._path(folder)):  # noqa: PTH208
                    if found.endswith(PARTIAL) and found.rsplit(".", 2)[0] in names:
                        _unlink(f"{self._path(folder)}/{found}")
                        count += 1
        return count


@contextlib.contextmanager
def _told(url: str) -> Iterator[None]:
    """Let whatever a store's library raises be an `OSError` that says where."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            told = type(error) if type(error) in _SYSTEM_ERRORS else OSError
            number, text = error.errno or _SYSTEM_ERRORS.get(told, errno.EIO), error.strerror or str(error)
            raise told(number, text, url) from error
        raise
    except ConfigError:
        raise
    except Exception as error:
        # Each library has its own: of its connections, of its credentials, of its answers.
        text = " ".join(str(error).split()) or type(error).__name__
        raise OSError(errno.EIO, f"{type(error).__name__}: {text}", url) from error


_SYSTEM_ERRORS = {
    FileNotFoundError: errno.ENOENT,
    FileExistsError: errno.EEXIST,
    PermissionError: errno.EACCES,
    TimeoutError: errno.ETIMEDOUT,
}


class RemoteObjects:
    """Objects in any store that fsspec knows. What goes wrong is an `OSError`, whatever the store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opened: tuple[Any, str] | None = None

    def __repr__(self) -> str:
        return f"RemoteObjects({self.url!r})"

    def __reduce__(self) -> tuple[type[RemoteObjects], tuple[str]]:
        # A worker opens its own connections.
        return type(self), (self.url,)

    def _open(self) -> tuple[Any, str]:
        if self._opened is None:
            import fsspec

            protocol = self.url.partition("://")[0]
            options: dict[str, Any] = {} if protocol == "memory" else {"use_listings_cache": False}
            bucket = self.url.partition("://")[2].partition("/")[0]
            if protocol == "s3" and bucket in ANONYMOUS_BUCKETS:
                options |= {"anon": True, "client_kwargs": {"region_name": ANONYMOUS_BUCKETS[bucket]}}
            try:
                filesystem, root = fsspec.core.url_to_fs(self.url, **options)
            except (ImportError, ValueError) as error:
                raise ConfigError(f"{self.url}: {error}") from error
            self._opened = filesystem, root.rstrip("/")
        return self._opened

    def _at(self, key: str) -> tuple[Any, str]:
        filesystem, root = self._open()
        return filesystem, f"{root}/{key}" if key else root

    def child(self, path: str) -> RemoteObjects:
        """See `ObjectStore.child`."""
        return RemoteObjects(f"{self.url}/{path}")

    def read(self, key: str) -> bytes:
        """See `ObjectStore.read`."""
        filesystem, path = self._at(key)
        with _told(f"{self.url}/{key}"):
            return bytes(filesystem.cat_file(path))

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """See `ObjectStore.read_range`."""
        filesystem, path = self._at(key)
        with _told(f"{self.url}/{key}"):
            return bytes(filesystem.cat_file(path, start=start, end=start + length))

    def read_tail(self, key: str, length: int) -> bytes:
        """See `ObjectStore.read_tail`."""
        filesystem, path = self._at(key)
        with _told(f"{self.url}/{key}"):
            return bytes(filesystem.cat_file(path, start=-length))

    def write(self, key: str, data: bytes) -> None:
        """See `ObjectStore.write`."""
        filesystem, path = self._at(key)
        with _told(f"{self.url}/{key}"):
            filesystem.pipe_file(path, data)

    def create(self, key: str, data: bytes) -> bool:
        """See `ObjectStore.create`."""
        filesystem, path = self._at(key)
        try:
            with _told(f"{self.url}/{key}"):
                filesystem.pipe_file(path, data, mode="create")
        except FileExistsError:
            # The answer to a request that did write may have been lost, and the request repeated.
            return self.read(key) == data
        return True

    def copy(self, source: str, target: str) -> None:
        """See `ObjectStore.copy`."""
        filesystem, path = self._at(source)
        with _told(f"{self.url}/{source}"):
            filesystem.cp_file(path, self._at(target)[1])

    def exists(self, key: str) -> bool:
        """See `ObjectStore.exists`."""
        filesystem, path = self._at(key)
        with _told(f"{self.url}/{key}"):
            return bool(filesystem.isfile(path))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        filesystem, path = self._at(prefix)
        root = self._open()[1]
        with _told(f"{self.url}/{prefix}"):
            found = filesystem.find(path, detail=True)
        for name, info in found.items():
            yield _object_info(name[len(root) :].lstrip("/"), info)

    def children(self, prefix: str = "") -> tuple[Sequence[str], Sequence[ObjectInfo]]:
        """See `ObjectStore.children`."""
        filesystem, path = self._at(prefix)
        root = self._open()[1]
        found = []
        with contextlib.suppress(FileNotFoundError), _told(f"{self.url}/{prefix}"):
            found = filesystem.ls(path, detail=True)
        folders, objects = [], []
        for info in found:
            key = info["name"].rstrip("/")[len(root) :].lstrip("/")
            if info["type"] == "directory":
                folders.append(key)
            elif key != prefix:  # what stands for an empty folder in some stores
                objects.append(_object_info(key, info))
        return sorted(folders), sorted(objects)

    def delete(self, key: str) -> None:
        """See `ObjectStore.delete`."""
        filesystem, path = self._at(key)
        with contextlib.suppress(FileNotFoundError), _told(f"{self.url}/{key}"):
            filesystem.rm_file(path)

    def delete_folder(self, prefix: str) -> None:
        """See `ObjectStore.delete_folder`."""
        filesystem, path = self._at(prefix)
        with contextlib.suppress(FileNotFoundError), _told(f"{self.url}/{prefix}"):
            filesystem.rm(path, recursive=True)

    def remove_partials(self, keys: Iterable[str]) -> int:  # noqa: ARG002 (an object store has none)
        """See `ObjectStore.remove_partials`."""
        return 0

    def sweep_partials(self, prefix: str = "") -> int:  # noqa: ARG002
        """See `ObjectStore.sweep_partials`."""
        return 0


def _object_info(key: str, info: Mapping[str, Any]) -> ObjectInfo:
    version = info.get("ETag") or info.get("etag") or info.get("created") or info.get("mtime")
    return ObjectInfo(key, int(info["size"]), str(version))


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108
