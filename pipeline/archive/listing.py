"""
Listing: which source files there are, on a disk or in a bucket, going only where the wanted ones can lie.

In a bucket whose layout is known (`pipeline.archive.layouts`) folders of other days and streams are not
listed. What the folder of a day long past held is remembered in `Listings`, since nobody adds to it; the
archive keeps that, so that the next ingest asks only for recent days.
"""

from __future__ import annotations

import datetime as dt
import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import pyarrow as pa

from pipeline.archive.blocks import Source
from pipeline.archive.layouts import Layout, Named, Wanted, find_layout
from pipeline.archive.parquet import from_parquet, to_parquet
from pipeline.archive.readers import SourceMap
from pipeline.errors import ConfigError
from pipeline.objects import PARTIAL, ObjectInfo, ObjectStore, open_objects

__all__ = ["Listings", "find_any", "find_files", "read_listings", "write_listings"]

SETTLED_DAYS = 60
"""A folder of a day that lay further back when it was listed is not listed again."""

# Unless the map has a rule for one.
_NEVER_DATA = (PARTIAL, ".xml", ".txt", ".md", ".csv", ".json", ".toml", ".html", ".py", ".dataless")
_MAGIC = re.compile(r"[*?\[]")
RuleFor = Callable[[str], str]


@dataclass(slots=True)
class Listings:
    """
    What folders of long past days held when they were last listed.

    Parameters
    ----------
    today : date
        On which new listings are made.
    known : dict
        Objects by the URL of their folder.
    new : set of str
        Folders that were listed now.
    """

    today: dt.date
    known: dict[str, Sequence[ObjectInfo]] = field(default_factory=dict)
    new: set[str] = field(default_factory=set)

    def settle(self, folder: str, named: Named, objects: Sequence[ObjectInfo]) -> None:
        """Keep a listing, if the folder is of a day that lies far enough back."""
        if named.year is None or named.day is None:
            return
        day = dt.date(named.year, 1, 1) + dt.timedelta(days=named.day - 1)
        if (self.today - day).days > SETTLED_DAYS:
            self.known[folder] = objects
            self.new.add(folder)


def find_files(
    roots: Iterable[str],
    source_map: SourceMap | None = None,
    *,
    wanted: Wanted | None = None,
    layout: str | None = None,
    listings: Listings | None = None,
) -> Iterator[Source]:
    """
    List the files below folders, or that match glob patterns, each once.

    Parameters
    ----------
    roots : iterable of str
        Folders, files or patterns (``*``, ``?``, ``[…]``, ``**``), local or URLs.
    source_map : SourceMap, optional
        A file that has a rule in it is data, whatever it is called.
    wanted : Wanted, optional
        Where the layout of a root is known, only files that may hold something of this.
    layout : str, optional
        Of all roots; those of public buckets are known.
    listings : Listings, optional
        What folders in a layout held; what is listed is added.

    Yields
    ------
    Source
        In order of the roots, and by name below each.

    Raises
    ------
    ConfigError
        If a root does not exist or a pattern matches nothing.
    """
    seen: set[str] = set()
    rule_for = (source_map or SourceMap()).rule_for
    for root in roots:
        known = find_layout(root, layout)
        found = False
        if known is not None:
            sources = _find_in_layout(root, *known, wanted or Wanted(), rule_for, listings)
        elif "://" in root:
            sources = _find_in_store(root, rule_for)
        else:
            sources = _find_on_disk(root, rule_for)
        for source in sources:
            found = True
            if source.url not in seen:
                seen.add(source.url)
                yield source
        if not found:
            raise ConfigError(
                f"{root}: no such file or folder, or nothing in it; name a folder, file or pattern"
            )


def find_any(root: str) -> Iterator[Source]:
    """List all below a folder, or what matches a pattern, whatever the files are called."""
    find = _find_in_store if "://" in root else _find_on_disk
    return find(root, lambda _: "any")


def _find_in_layout(
    root: str,
    layout: Layout,
    below: str,
    wanted: Wanted,
    rule_for: RuleFor,
    listings: Listings | None,
) -> Iterator[Source]:
    """Go down a layout, only where the wanted files can lie."""
    store = open_objects(root)
    if below and layout.read(below) is None:
        raise ConfigError(f"{root}: {below!r} is no folder of the layout {layout.name}")

    def walk(key: str) -> Iterator[ObjectInfo]:
        path = "/".join(part for part in (below, key) if part)
        named = (layout.read(path) if path else Named()) or Named()
        folder = f"{store.url}/{key}" if key else store.url
        if listings is not None and folder in listings.known:
            folders: Sequence[str] = ()
            objects = listings.known[folder]
        else:
            try:
                folders, objects = store.children(key)
            except OSError:
                yield ObjectInfo(key, -1, "")  # scanned like a file, it becomes a recorded problem
                return
            if listings is not None and not folders:
                listings.settle(folder, named, objects)
        for child in folders:
            inner = layout.read("/".join(part for part in (below, child) if part))
            if inner is not None and wanted.admits(inner):
                yield from walk(child)
        for info in objects:
            inner = layout.read("/".join(part for part in (below, info.key) if part))
            if inner is not None and wanted.admits(inner):
                yield info

    for info in walk(""):
        yield _source(store, info, rule_for)


def _find_in_store(root: str, rule_for: RuleFor) -> Iterator[Source]:
    """List all of a bucket or of a folder in it, or what matches a pattern."""
    fixed = root
    while _MAGIC.search(fixed.partition("://")[2]):
        fixed = fixed.rpartition("/")[0]
    store = open_objects(fixed)
    pattern = re.compile(_glob_to_regex(root[len(fixed) :].strip("/"))) if fixed != root else None
    try:
        infos = sorted(store.list())
    except FileNotFoundError:  # no such bucket
        return
    if not infos and pattern is None:  # an object, not a folder
        folder, _, name = root.rpartition("/")
        store = open_objects(folder)
        infos = [info for info in store.children()[1] if info.key == name]
    archives = {info.key.rpartition("/")[0] for info in infos if info.key.rpartition("/")[2] == "zarr.json"}
    for info in infos:
        if pattern is not None and not pattern.fullmatch(info.key):
            continue
        if not _is_within(info.key, archives) and _may_be_data(info.key, f"{store.url}/{info.key}", rule_for):
            yield _source(store, info, rule_for)


def _glob_to_regex(pattern: str) -> str:
    """
    Translate a pattern in which ``*`` stays within a folder, and ``**`` does not.

    >>> [bool(re.fullmatch(_glob_to_regex("a/*.ms"), name)) for name in ("a/b.ms", "a/b.msx", "a/b/c.ms")]
    [True, False, False]
    >>> [bool(re.fullmatch(_glob_to_regex("**/[bc].ms"), name)) for name in ("b.ms", "x/y/c.ms", "x/d.ms")]
    [True, True, False]
    """
    found = []
    for token in re.findall(r"\*\*/|\*|\?|\[!?\]?[^\]]*\]|.", pattern):
        match token:
            case "**/":
                found.append("(?:[^/]+/)*")
            case "*":
                found.append("[^/]*")
            case "?":
                found.append("[^/]")
            case _ if len(token) > 1:
                found.append(token.replace("[!", "[^", 1))
            case _:
                found.append(re.escape(token))
    return "".join(found)


def _is_within(key: str, archives: set[str]) -> bool:
    """Tell whether an object lies in an archive among its own sources."""
    return any(not archive or key.startswith(f"{archive}/") for archive in archives)


def _source(store: ObjectStore, info: ObjectInfo, rule_for: RuleFor) -> Source:
    url = f"{store.url}/{info.key}" if info.key else store.url
    return Source(url, info.size, info.version, rule_for(url))


def _may_be_data(key: str, url: str, rule_for: RuleFor) -> bool:
    name = key.rpartition("/")[2]
    if any(part.startswith(".") for part in key.split("/")) or name.endswith(PARTIAL):
        return False
    return not name.lower().endswith(_NEVER_DATA) or bool(rule_for(url))


def _find_on_disk(root: str, rule_for: RuleFor) -> Iterator[Source]:
    """List all below a folder, or what matches a pattern."""
    for path in _walk(root, rule_for):
        try:
            stat = os.stat(path)  # noqa: PTH116
        except OSError:
            yield Source(_as_text(path), -1, "", rule_for(path))
            continue
        if not S_ISREG(stat.st_mode) and not S_ISDIR(stat.st_mode):
            continue  # reading a pipe would wait forever for somebody to write
        yield Source(_as_text(path), stat.st_size, str(stat.st_mtime_ns), rule_for(path))


def _as_text(path: str) -> str:
    r"""
    Write a name that is not UTF-8 with its bytes in escapes: no table could hold it as it is.

    >>> _as_text(os.fsdecode(b"station-\xe4.mseed"))
    'station-\\xe4.mseed'
    """
    return os.fsencode(path).decode(errors="backslashreplace")


def _walk(root: str, rule_for: RuleFor) -> Iterator[str]:
    """Iterate over files by name. A folder that links lead into twice is entered once."""
    path = Path(root).expanduser()
    if path.is_file():
        yield str(path.absolute())
    elif path.is_dir():
        yield from _walk_folder(str(path.absolute()), set(), rule_for)
    else:
        for match in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207
            if Path(match).is_file():
                yield str(Path(match).absolute())


def _walk_folder(folder: str, entered: set[tuple[int, int]], rule_for: RuleFor) -> Iterator[str]:
    try:
        stat = os.stat(folder)  # noqa: PTH116
        if (stat.st_dev, stat.st_ino) in entered:
            return
        entered.add((stat.st_dev, stat.st_ino))
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield folder  # scanned like a file, it becomes a recorded problem
        return
    if any(entry.name == "zarr.json" for entry in ordered):
        return  # an archive among its own sources
    for entry in ordered:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _walk_folder(entry.path, entered, rule_for)
        elif _may_be_data(entry.name, entry.path, rule_for):
            yield entry.path


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


_SCHEMA: pa.Schema = pa.schema(
    [
        ("folder", pa.dictionary(pa.int32(), pa.string())),
        ("key", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
    ]
)


def write_listings(listings: Listings) -> bytes:
    """Return what is known as Parquet; a folder that held nothing has a row without a key."""
    records = []
    for folder, objects in sorted(listings.known.items()):
        records += [
            {"folder": folder, "key": info.key, "size": info.size, "version": info.version}
            for info in objects
        ] or [{"folder": folder, "key": None, "size": None, "version": None}]
    return to_parquet(records, _SCHEMA)


def read_listings(data: bytes, today: dt.date) -> Listings:
    """Read what `write_listings` wrote."""
    known: dict[str, list[ObjectInfo]] = {}
    for record in from_parquet(data, _SCHEMA, "scan/listings.parquet").to_pylist():
        objects = known.setdefault(record["folder"], [])
        if record["key"] is not None:
            objects.append(ObjectInfo(record["key"], record["size"], record["version"]))
    return Listings(today, dict(known))
