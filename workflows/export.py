"""``stationday export``: an archive back to files that any program reads."""

from __future__ import annotations

import argparse
import datetime as dt
import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.archive.export import DayFile, export_days, sds_path
from pipeline.archive.grid import day_number
from pipeline.archive.index import IndexRow
from pipeline.archive.reading import Archive, open_archive
from pipeline.errors import ConfigError, NoSuchStreamError
from pipeline.objects import PARTIAL, LocalObjects
from workflows.options import add_days, example

__all__ = ["export_files", "register"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``export`` to the command line."""
    command = subparsers.add_parser(
        "export",
        help="write an archive's samples as miniSEED",
        description=(
            "Write samples as miniSEED, each at its exact time: into an SDS tree, or into one file if OUT "
            "ends in .mseed."
        ),
        **example(
            "stationday export archive.zarr sds --stream 'CX.PB01.*' --start 2014-05-01 --end 2014-05-31",
            "stationday export archive.zarr may.mseed --stream CX.PB01..HH --start 2014-05-01",
        ),
    )
    command.add_argument("archive", metavar="A", help="the archive: a folder or a URL")
    command.add_argument("out", metavar="OUT", help="a folder, or a file that ends in .mseed")
    command.add_argument("--stream", default="*", metavar="S", help="a stream, or a pattern with * and ?")
    add_days(command)
    command.add_argument("--format", choices=("sds", "mseed"), help="default: by the name of OUT")
    command.add_argument("--version", type=int, choices=(2, 3), default=2, help="of miniSEED (default: 2)")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    archive = open_archive(args.archive)
    rows = _chosen(archive, args)
    form = args.format or ("mseed" if args.out.endswith((".mseed", ".ms", ".miniseed")) else "sds")
    files = export_files(archive, rows, first=args.start, last=args.end, version=args.version)
    count, size = _WRITERS[form](files, Path(args.out))
    print(f"{count:,} channel-days, {size / 1e6:,.1f} MB: {args.out}")
    return 0


def _chosen(archive: Archive, args: argparse.Namespace) -> list[IndexRow]:
    if args.start and args.end and args.end < args.start:
        raise ConfigError(f"--end {args.end} lies before --start {args.start}")
    rows = [row for row in archive.index.rows if fnmatch.fnmatch(str(row.stream), args.stream)]
    if not rows:
        known = ", ".join(str(stream) for stream in archive.streams[:5])
        raise NoSuchStreamError(
            f"{archive.url}: no stream matches {args.stream!r}; there are {known or 'none'}"
        )
    return rows


def export_files(
    archive: Archive,
    rows: Iterable[IndexRow],
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    version: int = 2,
) -> Iterator[DayFile]:
    """
    Iterate over the miniSEED of some years of streams, day by day.

    Parameters
    ----------
    archive : Archive
        Where the samples are.
    rows : iterable of IndexRow
        Which years of which streams.
    first, last : date, optional
        Only these days, both included.
    version : int
        Of miniSEED.
    """
    for row in rows:
        begin = max(row.first_day, first or row.first_day)
        end = min(row.last_day, last or row.last_day)
        if row.days_present and begin <= end:
            n = row.grid.samples_per_day
            span = (day_number(begin) * n, (day_number(end) + 1) * n)
            yield from export_days(archive, row.stream, row.grid, *span, version=version)


def _write_sds(files: Iterable[DayFile], out: Path) -> tuple[int, int]:
    """Write an SDS tree; a day with several rates is one file."""
    objects = LocalObjects(out)
    written: dict[str, int] = {}
    for file in files:
        path = sds_path(file.channel, file.day)
        data = objects.read(path) + file.data if path in written else file.data
        objects.write(path, data)
        written[path] = len(data)
    return len(written), sum(written.values())


def _write_one(files: Iterable[DayFile], out: Path) -> tuple[int, int]:
    """Write all into one file, under a temporary name until it is whole."""
    partial = out.with_name(f"{out.name}{PARTIAL}")
    out.parent.mkdir(parents=True, exist_ok=True)
    count = size = 0
    with partial.open("wb") as target:
        for file in files:
            count, size = count + 1, size + target.write(file.data)
    partial.replace(out)
    return count, size


_WRITERS = {"sds": _write_sds, "mseed": _write_one}
