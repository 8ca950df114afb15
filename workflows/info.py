"""``stationday info``: what an archive holds, as a table, as JSON, as a wall chart."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.archive.documents import count_channels
from pipeline.archive.grid import DayGrid
from pipeline.archive.index import IndexRow
from pipeline.archive.metadata import read_stationxml
from pipeline.archive.reading import Archive, open_archive
from pipeline.figures import save
from pipeline.figures.coverage import CoverageRow, coverage_chart, percent
from pipeline.keys import Stream
from workflows.options import add_json, example

__all__ = ["StreamSummary", "coverage_rows", "register", "summarise"]


@dataclass(frozen=True, slots=True)
class StreamSummary:
    """One stream at one rate, all years together."""

    stream: Stream
    grid: DayGrid
    components: tuple[str, ...]
    first_day: str
    last_day: str
    days: int
    completeness: float
    """Present part of the samples from the first day to the last."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``info`` to the command line."""
    command = subparsers.add_parser(
        "info",
        help="show what an archive holds",
        description=(
            "Show the streams of an archive: from when to when, on how many days there is any sample, and "
            "how much of the time from the first to the last day is there."
        ),
        **example("stationday info archive.zarr", "stationday info archive.zarr --plot coverage.png"),
    )
    command.add_argument("archive", metavar="A", help="the archive: a folder or a URL")
    command.add_argument("--plot", metavar="P", help="draw a wall chart of the coverage: .png, .svg or .pdf")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    archive = open_archive(args.archive)
    summaries = summarise(archive.index.rows)
    if args.plot:  # before anything is printed, so that a wrong name is all there is to read
        save(coverage_chart(coverage_rows(archive.index.rows), title=_title(archive)), args.plot)
    if args.json:
        stations, channels = _described(archive)
        described = {"stations": stations, "channel_epochs": channels}
        found = {"archive": archive.url, "metadata": described, "streams": [_plain(s) for s in summaries]}
        print(json.dumps(found, indent=1))
    else:
        print(_table(archive, summaries))
        if args.plot:
            print(f"\ncoverage chart: {args.plot}")
    return 0


def summarise(rows: Iterable[IndexRow]) -> list[StreamSummary]:
    """Sum up the years of each stream and rate, in their order."""
    grouped: dict[tuple[Stream, DayGrid], list[IndexRow]] = {}
    for row in rows:
        grouped.setdefault((row.stream, row.grid), []).append(row)
    return [_summary(stream, grid, years) for (stream, grid), years in grouped.items()]


def _summary(stream: Stream, grid: DayGrid, years: Sequence[IndexRow]) -> StreamSummary:
    filled = [row for row in years if row.days_present] or list(years)
    first, last = filled[0].first_day, filled[-1].last_day
    components = sorted({component for row in years for component in row.components})
    present = float(sum(np.nansum(row.completeness) for row in years))
    return StreamSummary(
        stream=stream,
        grid=grid,
        components=tuple(stream.components[component] for component in components),
        first_day=first.isoformat(),
        last_day=last.isoformat(),
        days=sum(row.days_present for row in years),
        completeness=present / ((last - first).days + 1),
    )


def _described(archive: Archive) -> tuple[int, int]:
    """Return of how many stations and channel epochs the archive has metadata."""
    document = read_stationxml(archive.store)
    return (0, 0) if document is None else count_channels(document)


def _metadata(archive: Archive) -> str:
    stations, channels = _described(archive)
    if not stations:
        return "no metadata; `stationday ingest --stations FILE` adds them"
    return f"metadata of {_count(stations, 'station')}, {_count(channels, 'channel epoch')}"


def _plain(summary: StreamSummary) -> dict[str, Any]:
    return {
        "stream": str(summary.stream),
        "rate": summary.grid.label,
        "components": list(summary.components),
        "first_day": summary.first_day,
        "last_day": summary.last_day,
        "days": summary.days,
        "completeness": round(summary.completeness, 6),
    }


def _table(archive: Archive, summaries: Sequence[StreamSummary]) -> str:
    head = f"{archive.url}: {_count(len(summaries), 'stream')}"
    if not summaries:
        return f"{head}; `stationday ingest` fills it"
    total = sum(summary.days for summary in summaries)
    header = ("stream", "rate", "components", "first day", "last day", "days", "complete")
    cells = [header] + [
        (
            str(s.stream),
            s.grid.label,
            " ".join(s.components),
            s.first_day,
            s.last_day,
            f"{s.days:,}",
            percent(s.completeness),
        )
        for s in summaries
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    numeric = (1, 5, 6)
    lines = [
        "  ".join(
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    return "\n".join([f"{head}, {_count(total, 'station-day')}", _metadata(archive), "", *lines])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def coverage_rows(rows: Iterable[IndexRow]) -> list[CoverageRow]:
    """Return what the wall chart draws: a row per stream and rate, over its years."""
    grouped: dict[tuple[Stream, DayGrid], list[IndexRow]] = {}
    for row in rows:
        grouped.setdefault((row.stream, row.grid), []).append(row)
    several = {stream for stream, _ in grouped if sum(s == stream for s, _ in grouped) > 1}
    chart: list[CoverageRow] = []
    for (stream, grid), years in grouped.items():
        label = f"{stream} {grid.label}" if stream in several else str(stream)
        filled = [row for row in years if row.days_present]
        if filled:
            chart.append((label, filled[0].first_day, _joined(filled)))
    return chart


def _joined(years: Sequence[IndexRow]) -> np.ndarray:
    """Join years, those between without a row included, from the first day to the last."""
    first, last = years[0].first_day, years[-1].last_day
    days = np.zeros((last - first).days + 1, dtype=np.float32)
    for row in years:
        january = (row.first_day.replace(month=1, day=1) - first).days
        for day in np.flatnonzero(row.completeness > 0):
            days[january + day] = row.completeness[day]
    return days


def _title(archive: Archive) -> str:
    networks = sorted({stream.network for stream in archive.streams})
    name = archive.url.rstrip("/").rsplit("/", 1)[-1]
    return f"{', '.join(networks)} — {name}" if networks else name
