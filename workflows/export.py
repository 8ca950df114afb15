"""``stationday export``: an archive back to files that any program reads."""

from __future__ import annotations

import argparse
import datetime as dt
import difflib
import fnmatch
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.archive.export import export_days
from pipeline.archive.grid import day_number
from pipeline.archive.index import IndexRow
from pipeline.archive.packing import DayFile, sds_path
from pipeline.archive.reading import Archive, open_archive
from pipeline.errors import ConfigError, NoSuchStreamError
from pipeline.objects import PARTIAL, open_objects
from workflows.options import add_days, add_json, example

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
            "stationday export archive.zarr sds --stream 'CX.PB01.*'",
            "stationday export archive.zarr may.mseed --start 2014-05-01 --end 2014-05-31",
        ),
    )
    command.add_argument("archive", metavar="A", help="the archive: a folder or a URL")
    command.add_argument("out", metavar="OUT", help="a folder, or a file that ends in .mseed")
    command.add_argument("--stream", default="*", metavar="S", help="a stream, or a pattern with * and ?")
    add_days(command)
    command.add_argument("--format", choices=("sds", "mseed"), help="default: by the name of OUT")
    command.add_argument("--version", type=int, choices=(2, 3), default=2, help="of miniSEED (default: 2)")
    command.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    archive = open_archive(args.archive)
    _refuse_archive_itself(archive, args.out)
    files = _found(archive, args)
    form = args.format or ("mseed" if args.out.endswith((".mseed", ".ms", ".miniseed")) else "sds")
    try:
        count, size = _WRITERS[form](files, args.out, overwrite=args.overwrite)
    except OSError as error:
        error.filename = error.filename or args.out  # a full disk does not say which
        raise
    if args.json:
        print(json.dumps({"out": args.out, "format": form, "channel_days": count, "bytes": size}))
    else:
        print(f"{count:,} channel-day{'' if count == 1 else 's'}, {size / 1e6:,.1f} MB: {args.out}")
    return 0


def _refuse_archive_itself(archive: Archive, out: str) -> None:
    inside = f"{out}/".startswith(f"{archive.url}/")
    if "://" not in archive.url and "://" not in out:
        inside = Path(out).expanduser().resolve().is_relative_to(Path(archive.url).resolve())
    if inside:
        raise ConfigError(f"{out}: lies in the archive itself; name another place")


def _found(archive: Archive, args: argparse.Namespace) -> Iterator[DayFile]:
    """Return what the options choose, having seen that it is not nothing."""
    rows = [row for row in archive.index.rows if fnmatch.fnmatchcase(str(row.stream), args.stream)]
    if not rows:
        streams = [str(stream) for stream in archive.streams]
        near = ", ".join(difflib.get_close_matches(args.stream, streams, n=5, cutoff=0.0))
        raise NoSuchStreamError(
            f"{archive.url}: none of {len(streams)} streams matches {args.stream!r}; the nearest: {near}"
            if streams
            else f"{archive.url}: holds nothing yet; `stationday ingest` fills it"
        )
    files = export_files(archive, rows, first=args.start, last=args.end, version=args.version)
    first = next(files, None)
    if first is None:
        days = [day for row in rows if row.days_present for day in (row.first_day, row.last_day)]
        there = f"its samples lie between {min(days)} and {max(days)}" if days else "it has no samples"
        span = f"from {args.start or 'the first day'} to {args.end or 'the last'}"
        raise NoSuchStreamError(f"{archive.url}: nothing of {args.stream!r} {span}; {there}")
    return itertools.chain([first], files)


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


def _write_sds(files: Iterable[DayFile], out: str, *, overwrite: bool) -> tuple[int, int]:
    """Write an SDS tree; a day with several rates is one file."""
    objects = open_objects(out)
    written: dict[str, int] = {}
    for file in files:
        path = sds_path(file.channel, file.day)
        if path not in written and not overwrite and objects.exists(path):
            raise ConfigError(f"{out}/{path}: there is such a file already; --overwrite replaces it")
        data = objects.read(path) + file.data if path in written else file.data
        objects.write(path, data)
        written[path] = len(data)
    return len(written), sum(written.values())


def _write_one(files: Iterable[DayFile], out: str, *, overwrite: bool) -> tuple[int, int]:
    """Write all into one local file, under a temporary name until it is whole."""
    if "://" in out:
        raise ConfigError(f"{out}: a single file is written locally only; --format sds writes to a URL")
    path = Path(out).expanduser()
    if path.is_dir() or (path.exists() and not overwrite):
        remedy = "name a file" if path.is_dir() else "--overwrite replaces it"
        raise ConfigError(f"{out}: is there already, as a {'folder' if path.is_dir() else 'file'}; {remedy}")
    partial = path.with_name(f"{path.name}{PARTIAL}")
    path.parent.mkdir(parents=True, exist_ok=True)
    count = size = 0
    try:
        with partial.open("wb") as target:
            for file in files:
                count, size = count + 1, size + target.write(file.data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count, size


_WRITERS = {"sds": _write_sds, "mseed": _write_one}
