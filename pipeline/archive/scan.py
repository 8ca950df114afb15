"""
Scanning: what source files hold, without decoding a sample.

A file whose name tells its channel and day (`pipeline.archive.layouts`) is opened at its first and last
record only; any other is read through, header by header. What was scanned stands in the archive, so that the
next ingest looks at new and changed files only.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from pipeline.archive.arriving import read_source
from pipeline.archive.blocks import Source
from pipeline.archive.layouts import read_name
from pipeline.archive.parquet import from_parquet, to_parquet
from pipeline.archive.patience import PATIENCE_S, ask
from pipeline.archive.pieces import Span
from pipeline.archive.readers import UNREADABLE, Problem, open_source, parse_rule, peek_source
from pipeline.errors import SourceError
from pipeline.keys import Channel

__all__ = ["FileScan", "read_scan_table", "scan_file", "write_scan_table"]

HEAD_BYTES = 4096
_ESCAPE = re.compile(r"\\x[89a-f][0-9a-f]")


@dataclass(frozen=True, slots=True)
class FileScan:
    """What a source file holds; ``peeked`` where only its first and last record were looked at."""

    source: Source
    spans: tuple[Span, ...] = ()
    problems: tuple[Problem, ...] = ()
    peeked: bool = False

    @property
    def was_read(self) -> bool:
        """Whether the file could be read at all, whatever it held."""
        return all(problem.reason != UNREADABLE for problem in self.problems)


def scan_file(source: Source, *, whole: bool = False, patience_s: float = PATIENCE_S) -> FileScan:
    """
    Look into one file.

    Parameters
    ----------
    source : Source
        As listed by `pipeline.archive.listing.find_files`.
    whole : bool
        Read it through, also where its name tells what it should hold.
    patience_s : float
        How long a request to a bucket may take; see `pipeline.archive.patience`.

    Returns
    -------
    FileScan
        With a problem and no spans where it can't be read or is of no known format.
    """
    name = source.url.rpartition("/")[2]
    try:
        named = read_name(name)
        expected = None if named is None else named.channel_of_all_codes
        if expected is not None and not whole and not source.rule and source.size > HEAD_BYTES:
            span = _peek(source, patience_s)
            if span is not None:
                return FileScan(source, (span,), _name_problems(expected, (span,)), peeked=True)
        data = read_source(source, keep=True, patience_s=patience_s)
        content = open_source(data, name, parse_rule(source.rule)).content
    except SourceError as error:
        reason, _, detail = str(error).partition(": ")
        return FileScan(source, problems=(Problem(reason, detail),))
    except OSError as error:
        return FileScan(source, problems=(Problem(UNREADABLE, _why(source, error)),))
    problems = content.problems
    if expected is not None:
        problems += _name_problems(expected, content.spans)
    if not content.spans and not problems:
        problems += (Problem("no samples", "no record of this file holds any", lost=False),)
    return FileScan(source, content.spans, problems)


def _peek(source: Source, patience_s: float) -> Span | None:
    """Look at the first and the last bytes of a file."""
    head = ask(source.url, lambda at, name: at.read_range(name, 0, HEAD_BYTES), patience_s=patience_s)
    tail = ask(source.url, lambda at, name: at.read_tail(name, HEAD_BYTES), patience_s=patience_s)
    return peek_source(head, tail, source.size, source.url.rpartition("/")[2])


def _why(source: Source, error: OSError) -> str:
    """Say why nothing could be read, and what a user can do where the system's words do not tell."""
    if isinstance(error, IsADirectoryError):
        return "a folder that can not be listed"
    if isinstance(error, FileNotFoundError) and _ESCAPE.search(source.url):
        return "its name is not UTF-8; rename it"
    return error.strerror or str(error)


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
