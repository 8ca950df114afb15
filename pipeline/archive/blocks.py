"""
Block tables: what an archive knows about each day of a block beside its samples.

One Parquet file per block, a row per day: segments and side table as lists, the digest, counts, the source
files, what was wrong with them, and where the ends of the day's shards lie.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.archive.grid import DayGrid, day_number, day_of_number
from pipeline.archive.merge import ARRAY_DTYPES, DayContent, Segment
from pipeline.archive.parquet import from_parquet, to_parquet
from pipeline.archive.placement import SideRun
from pipeline.archive.readers.protocol import UNREADABLE, Problem
from pipeline.archive.shard import Edges
from pipeline.keys import Channel, Stream

__all__ = ["SCHEMA", "DayRow", "Source", "day_row", "read_block_table", "write_block_table"]


@dataclass(frozen=True, order=True, slots=True)
class Source:
    """
    A source file as it was when it was read, and how it was read.

    Parameters
    ----------
    url : str
    size : int
        Bytes.
    version : str
        Its time or etag.
    rule : str
        What the map says about it, as TOML; see `pipeline.archive.readers.mapping`.
    """

    url: str
    size: int
    version: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class DayRow:
    """
    One day of a block.

    Parameters
    ----------
    day : int
        Days since 1970.
    digest : str
        BLAKE2 of samples and segments.
    present : tuple of int
        Samples of each component.
    gaps : int
        Stretches of missing samples, over all components.
    overlap_samples, disagreed_samples, clipped_samples : int
        See `DayContent`.
    timing_quality : int
        Least percentage that a source states, -1 where none does.
    segments, side, sources, problems : tuple
        The truth about times; what the grid cannot hold; the files; what was wrong with them.
    edges : mapping of str to Edges
        Per array, where a shard is a day.
    """

    day: int
    digest: str
    present: tuple[int, ...]
    gaps: int
    overlap_samples: int
    disagreed_samples: int
    clipped_samples: int
    timing_quality: int
    segments: tuple[Segment, ...]
    side: tuple[SideRun, ...]
    sources: tuple[Source, ...]
    problems: tuple[Problem, ...] = ()
    edges: Mapping[str, Edges] = field(default_factory=dict)

    @property
    def was_read(self) -> bool:
        """Whether every file of it could be read when it was made."""
        return all(problem.reason != UNREADABLE for problem in self.problems)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Arrays that hold samples of this day."""
        return tuple(sorted({segment.array for segment in self.segments}))

    def completeness(self, grid: DayGrid, components: Iterable[int] | None = None) -> float:
        """Return the present part of the samples of some components, of those with any unless given."""
        rows = tuple(components) if components is not None else tuple(range(len(self.present)))
        return sum(self.present[row] for row in rows) / (grid.samples_per_day * max(1, len(rows)))


_SEGMENT = pa.struct(
    [
        ("array", pa.string()),
        ("component", pa.int8()),
        ("channel", pa.string()),
        ("first", pa.int32()),
        ("length", pa.int32()),
        ("start_ns", pa.int64()),
        ("rate_hz", pa.float64()),
        ("rank", pa.int16()),
        ("source", pa.int32()),
    ]
)
_SIDE = pa.struct(
    [
        ("kind", pa.string()),
        ("channel", pa.string()),
        ("array", pa.string()),
        ("start_ns", pa.int64()),
        ("rate_hz", pa.float64()),
        ("rank", pa.int16()),
        ("source", pa.int32()),
        ("samples", pa.list_(pa.float64())),
    ]
)
SCHEMA: pa.Schema = pa.schema(
    [
        ("day", pa.date32()),
        ("digest", pa.string()),
        ("present", pa.list_(pa.int32())),
        ("gaps", pa.int32()),
        ("overlap_samples", pa.int64()),
        ("disagreed_samples", pa.int64()),
        ("clipped_samples", pa.int64()),
        ("timing_quality", pa.int16()),
        ("segments", pa.list_(_SEGMENT)),
        ("side", pa.list_(_SIDE)),
        (
            "sources",
            pa.list_(
                pa.struct(
                    [
                        ("url", pa.string()),
                        ("size", pa.int64()),
                        ("version", pa.string()),
                        ("rule", pa.string()),
                    ]
                )
            ),
        ),
        (
            "problems",
            pa.list_(pa.struct([("reason", pa.string()), ("detail", pa.string()), ("lost", pa.bool_())])),
        ),
        (
            "edges",
            pa.list_(
                pa.struct([("array", pa.string()), ("head", pa.list_(pa.int32())), ("tail", pa.int32())])
            ),
        ),
    ]
)

_ARRAY_OF_DTYPE = {dtype: name for name, dtype in ARRAY_DTYPES.items()}


def day_row(
    content: DayContent,
    stream: Stream,
    grid: DayGrid,
    *,
    sources: Iterable[Source],
    problems: Iterable[Problem] = (),
    edges: Mapping[str, Edges] | None = None,
) -> DayRow:
    """Sum up a merged day."""
    components = range(len(stream.components))
    return DayRow(
        day=content.day,
        digest=content.digest(),
        present=tuple(content.samples_of(component) for component in components),
        gaps=sum(_gaps(content.segments, component, grid) for component in components),
        overlap_samples=content.overlap_samples,
        disagreed_samples=content.disagreed_samples,
        clipped_samples=content.clipped_samples,
        timing_quality=content.timing_quality,
        segments=tuple(content.segments),
        side=tuple(content.side),
        sources=tuple(sources),
        problems=tuple(problems),
        edges=dict(edges or {}),
    )


def _gaps(segments: Iterable[Segment], component: int, grid: DayGrid) -> int:
    """Count stretches of the day without samples of a component that has any."""
    runs = sorted((s.first, s.stop) for s in segments if s.component == component)
    if not runs:
        return 0
    gaps, reached = 0, 0
    for first, stop in runs:
        gaps += first > reached
        reached = max(reached, stop)
    return gaps + (reached < grid.samples_per_day)


def write_block_table(rows: Iterable[DayRow]) -> bytes:
    """Return a block table as Parquet: the same rows, the same bytes."""
    records = [_record(row) for row in sorted(rows, key=lambda row: row.day)]
    return to_parquet(records, SCHEMA)


def _record(row: DayRow) -> dict[str, Any]:
    segments = sorted(row.segments, key=lambda s: (s.array, s.component, s.first))
    return {
        "day": day_of_number(row.day),
        "digest": row.digest,
        "present": list(row.present),
        "gaps": row.gaps,
        "overlap_samples": row.overlap_samples,
        "disagreed_samples": row.disagreed_samples,
        "clipped_samples": row.clipped_samples,
        "timing_quality": row.timing_quality,
        "segments": [{name: getattr(s, name) for name in Segment.__slots__} for s in segments],
        "side": [_side_record(run) for run in row.side],
        "sources": [{name: getattr(s, name) for name in Source.__slots__} for s in row.sources],
        "problems": [{"reason": p.reason, "detail": p.detail, "lost": p.lost} for p in row.problems],
        "edges": [
            {"array": array, "head": list(edges.head), "tail": edges.tail}
            for array, edges in sorted(row.edges.items())
        ],
    }


def _side_record(run: SideRun) -> dict[str, Any]:
    return {
        "kind": run.kind,
        "channel": str(run.channel),
        "array": _ARRAY_OF_DTYPE[run.samples.dtype.name],
        "start_ns": run.start_ns,
        "rate_hz": run.rate_hz,
        "rank": run.rank,
        "source": run.source,
        "samples": run.samples.astype(np.float64),
    }


def read_block_table(data: bytes, where: str) -> dict[int, DayRow]:
    """
    Read a block table.

    Returns
    -------
    dict of int to DayRow
        By days since 1970.

    Raises
    ------
    FormatError
        If these are not the bytes of a block table.
    """
    rows = (_row(record) for record in from_parquet(data, SCHEMA, where).to_pylist())
    return {row.day: row for row in rows}


def _row(record: dict[str, Any]) -> DayRow:
    day = day_number(record["day"])
    plain = ("digest", "gaps", "overlap_samples", "disagreed_samples", "clipped_samples", "timing_quality")
    return DayRow(
        day=day,
        present=tuple(record["present"]),
        segments=tuple(Segment(**s) for s in record["segments"]),
        side=tuple(_side_run(s, day) for s in record["side"]),
        sources=tuple(Source(**s) for s in record["sources"]),
        problems=tuple(Problem(**p) for p in record["problems"]),
        edges={e["array"]: Edges(tuple(e["head"]), e["tail"]) for e in record["edges"]},
        **{name: record[name] for name in plain},
    )


def _side_run(record: dict[str, Any], day: int) -> SideRun:
    return SideRun(
        channel=Channel.parse(record["channel"]),
        day=day,
        kind=record["kind"],
        samples=np.asarray(record["samples"], dtype=ARRAY_DTYPES[record["array"]]),
        start_ns=record["start_ns"],
        rate_hz=record["rate_hz"],
        rank=record["rank"],
        source=record["source"],
    )
