"""
Scanning: which source files there are, and what they hold, without decoding a sample.

A file whose name tells its channel and day (an SDS tree) is opened at its first and last record only; any
other is read through, header by header. What was scanned stands in the archive, so that the next ingest looks
at new and changed files only.
"""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.archive.blocks import Source
from pipeline.archive.parquet import from_parquet, to_parquet
from pipeline.archive.pieces import Span
from pipeline.archive.readers import Problem, SourceMap, open_source, parse_rule, peek_source
from pipeline.errors import ConfigError, SourceError
from pipeline.keys import Channel
from pipeline.objects import PARTIAL, open_objects

__all__ = ["FileScan", "find_files", "read_scan_table", "scan_file", "write_scan_table"]

HEAD_BYTES = 4096
_SDS = re.compile(
    r"(?P<network>\w*)\.(?P<station>[\w-]+)\.(?P<location>[\w-]*)\.(?P<channel>\w+)\.[A-Z]\.(?P<year>\d{4})\.(?P<day>\d{3})"
)
# Unless the map has a rule for one.
_NEVER_DATA = (PARTIAL, ".xml", ".txt", ".md", ".csv", ".json", ".toml", ".html", ".py", ".dataless")


@dataclass(frozen=True, slots=True)
class FileScan:
    """What a source file holds; ``peeked`` where only its first and last record were looked at."""

    source: Source
    spans: tuple[Span, ...] = ()
    problems: tuple[Problem, ...] = ()
    peeked: bool = False


def find_files(roots: Iterable[str], source_map: SourceMap | None = None) -> Iterator[Source]:
    """
    List the files below folders, or that match glob patterns, each once.

    Parameters
    ----------
    roots : iterable of str
        Folders, files or patterns (``*``, ``?``, ``[…]``, ``**``).
    source_map : SourceMap, optional
        A file that has a rule in it is data, whatever it is called.

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
        found = False
        for path in _walk(root, rule_for):
            found = True
            if path in seen:
                continue
            seen.add(path)
            try:
                stat = os.stat(path)  # noqa: PTH116
            except OSError:
                yield Source(path, -1, "", rule_for(path))
                continue
            yield Source(path, stat.st_size, str(stat.st_mtime_ns), rule_for(path))
        if not found:
            raise ConfigError(
                f"{root}: no such file or folder, or nothing in it; name a folder, file or pattern"
            )


def _walk(root: str, rule_for: Callable[[str], str]) -> Iterator[str]:
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


def _walk_folder(folder: str, entered: set[tuple[int, int]], rule_for: Callable[[str], str]) -> Iterator[str]:
    stat = os.stat(folder)  # noqa: PTH116
    if (stat.st_dev, stat.st_ino) in entered:
        return
    entered.add((stat.st_dev, stat.st_ino))
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except PermissionError:
        yield folder  # scanned like a file, it becomes a recorded problem
        return
    if any(entry.name == "zarr.json" for entry in ordered):
        return  # an archive among its own sources
    for entry in ordered:
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            yield from _walk_folder(entry.path, entered, rule_for)
        elif not entry.name.lower().endswith(_NEVER_DATA) or _is_mapped(entry, rule_for):
            yield entry.path


def _is_mapped(entry: os.DirEntry[str], rule_for: Callable[[str], str]) -> bool:
    return not entry.name.endswith(PARTIAL) and bool(rule_for(entry.path))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def scan_file(source: Source, *, whole: bool = False) -> FileScan:
    """
    Look into one file.

    Parameters
    ----------
    source : Source
        As listed by `find_files`.
    whole : bool
        Read it through, also where its name tells what it should hold.

    Returns
    -------
    FileScan
        With a problem and no spans where it can't be read or is of no known format.
    """
    folder, _, name = source.url.rpartition("/")
    objects = open_objects(folder or "/")
    try:
        expected = _channel_of_name(name)
        if expected is not None and not whole and not source.rule and source.size > HEAD_BYTES:
            head, tail = objects.read_range(name, 0, HEAD_BYTES), objects.read_tail(name, HEAD_BYTES)
            span = peek_source(head, tail, source.size, name)
            if span is not None:
                return FileScan(source, (span,), _name_problems(expected, (span,)), peeked=True)
        content = open_source(objects.read(name), name, parse_rule(source.rule)).content
    except SourceError as error:
        reason, _, detail = str(error).partition(": ")
        return FileScan(source, problems=(Problem(reason, detail),))
    except OSError as error:
        return FileScan(source, problems=(Problem("unreadable", error.strerror or str(error)),))
    problems = content.problems
    if expected is not None:
        problems += _name_problems(expected, content.spans)
    if not content.spans and not problems:
        problems += (Problem("no samples", "no record of this file holds any", lost=False),)
    return FileScan(source, content.spans, problems)


def _channel_of_name(name: str) -> Channel | None:
    """
    Read the channel from a name of the SeisComP data structure.

    >>> str(_channel_of_name("CX.PB01..HHZ.D.2014.121"))
    'CX.PB01..HHZ'
    """
    match = _SDS.fullmatch(name)
    if match is None:
        return None
    return Channel(match["network"], match["station"], match["location"], match["channel"])


def _name_problems(expected: Channel, spans: Iterable[Span]) -> tuple[Problem, ...]:
    """Say where headers disagree with the name; the headers are believed, so nothing is lost."""
    others = sorted({str(span.channel) for span in spans} - {str(expected)})
    if not others:
        return ()
    detail = f"the name says {expected}, the headers say {', '.join(others)}; the headers are believed"
    return (Problem("name and header differ", detail, lost=False),)


_SPAN = pa.struct(
    [
        ("channel", pa.string()),
        ("rate_hz", pa.float64()),
        ("dtype", pa.string()),
        ("start_ns", pa.int64()),
        ("end_ns", pa.int64()),
        ("samples", pa.int64()),
    ]
)
_PROBLEM = pa.struct([("reason", pa.string()), ("detail", pa.string()), ("lost", pa.bool_())])
SCHEMA: pa.Schema = pa.schema(
    [
        ("url", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
        ("rule", pa.dictionary(pa.int32(), pa.string())),
        ("peeked", pa.bool_()),
        ("spans", pa.list_(_SPAN)),
        ("problems", pa.list_(_PROBLEM)),
    ]
)


def write_scan_table(scans: Mapping[str, FileScan]) -> bytes:
    """Return all scans of an archive as Parquet, by URL."""
    records = [
        {
            "url": scan.source.url,
            "size": scan.source.size,
            "version": scan.source.version,
            "rule": scan.source.rule,
            "peeked": scan.peeked,
            "spans": [{**_plain(span), "channel": str(span.channel)} for span in scan.spans],
            "problems": [_plain(problem) for problem in scan.problems],
        }
        for _, scan in sorted(scans.items())
    ]
    return to_parquet(records, SCHEMA)


def _plain(record: Span | Problem) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__}


def read_scan_table(data: bytes) -> dict[str, FileScan]:
    """Read the scans of an archive, by URL."""
    records = from_parquet(data, SCHEMA, "scan").to_pylist()
    return {
        record["url"]: FileScan(
            Source(record["url"], record["size"], record["version"], sys.intern(record["rule"])),
            tuple(Span(**{**span, "channel": Channel.parse(span["channel"])}) for span in record["spans"]),
            tuple(Problem(**problem) for problem in record["problems"]),
            record["peeked"],
        )
        for record in records
    }
