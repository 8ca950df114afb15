"""``stationday ingest``: bring source files into an archive."""

from __future__ import annotations

import argparse
import json
import sys

from cluster import load_profile
from pipeline.archive.layouts import LAYOUTS, Wanted
from pipeline.archive.patience import PATIENCE_S
from pipeline.archive.readers import UNREADABLE, Problem
from pipeline.archive.shard import PCODEC_LEVEL
from pipeline.archive.store import ArchiveOptions
from workflows.ingest.job import IngestReport, ingest, preview
from workflows.ingest.scans import Sources
from workflows.ingest.stations import read_stations_files
from workflows.options import add_days, add_json, add_map, example, open_runner

__all__ = ["register"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``ingest`` to the command line."""
    command = subparsers.add_parser(
        "ingest",
        help="bring source files into an archive",
        description=(
            "Bring an archive up to date with source files (miniSEED, SAC, GSE, GGP, TSoft, CSV and others): "
            "new and changed files are read, everything else is left alone. The archive is made if it is not "
            "there."
        ),
        **example(
            "stationday ingest /data/sds --archive archive.zarr --cluster processes:8",
            "stationday ingest /data/igets --archive archive.zarr --map gravimeters.toml",
            "stationday ingest s3://scedc-pds/continuous_waveforms --archive a.zarr \\\n"
            "      --stream 'CI.S*.HH' --start 2020-03-01 --end 2020-03-31",
        ),
    )
    _add_sources(command)
    _add_buckets(command)
    command.add_argument("--archive", required=True, metavar="A", help="the archive: a folder or a URL")
    command.add_argument(
        "--shard-days", type=int, metavar="N", help="station-days in a file, for a new archive (default: 1)"
    )
    command.add_argument(
        "--level", type=int, metavar="L", help=f"pcodec level of a new archive (default: {PCODEC_LEVEL})"
    )
    add_map(command)
    add_json(command)
    command.set_defaults(run=_run)


def _add_sources(command: argparse.ArgumentParser) -> None:
    """Add what says where the files are, what they are, and which of them are wanted."""
    command.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a folder, a file or a glob pattern, local or in a bucket",
    )
    command.add_argument(
        "--stations",
        action="append",
        default=[],
        metavar="FILE",
        help="metadata to keep in the archive: StationXML, dataless SEED or FDSN text; a file, folder, glob "
        "pattern or URL; may be given several times",
    )
    command.add_argument(
        "--map",
        metavar="TOML",
        help="channels, calibrations and delays of files that do not name them; kept in the archive",
    )
    command.add_argument(
        "--stream",
        action="append",
        default=[],
        metavar="S",
        help="only a stream, or those of a pattern with * and ?; may be given several times",
    )
    add_days(command)


def _add_buckets(command: argparse.ArgumentParser) -> None:
    """Add how large collections and slow ones are gone through."""
    command.add_argument(
        "--layout",
        choices=tuple(LAYOUTS),
        help="how folders and files below SOURCE are named: only those of the wanted days and streams are "
        "listed (public buckets: known)",
    )
    command.add_argument(
        "--relist",
        action="store_true",
        help="list also folders of long past days again, that were listed before",
    )
    command.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_S,
        metavar="SECONDS",
        help="how long a file in a bucket may take, and a second more for each 250 kB, before it is left to "
        f"the next ingest (default: {PATIENCE_S:g})",
    )


def _run(args: argparse.Namespace) -> int:
    sources = Sources(
        args.sources,
        map_file=args.map,
        wanted=Wanted(args.start, args.end, tuple(args.stream)),
        layout=args.layout,
        relist=args.relist,
        patience_s=args.patience,
    )
    options = _options(args)
    if args.dry_run:
        read_stations_files(args.stations)
        load_profile(args.cluster)
        planned = preview(sources, args.archive, retry_failed=args.retry_failed)
        print(json.dumps(planned.to_dict(), indent=1) if args.json else planned.describe())
        return 0
    with open_runner(args, args.archive) as (runner, progress):
        report = ingest(
            sources,
            args.archive,
            runner,
            options=options,
            stations=args.stations,
            retry_failed=args.retry_failed,
            progress=progress,
        )
    _print_report(report, as_json=args.json)
    return report.exit_status


def _options(args: argparse.Namespace) -> ArchiveOptions | None:
    if args.shard_days is None and args.level is None:
        return None
    level = PCODEC_LEVEL if args.level is None else args.level
    return ArchiveOptions.for_shard_days(
        1 if args.shard_days is None else args.shard_days, pcodec_level=level
    )


def _print_report(report: IngestReport, *, as_json: bool) -> None:
    problems = [*report.unreadable, *report.problems]
    for where, problem in problems:
        print(_one_line(f"{_kind(problem)}: {where}: {problem.reason}: {problem.detail}"), file=sys.stderr)
    if as_json:
        found = {"files": report.files, "scanned": report.scanned}
        wrong = [
            {"where": where, "reason": problem.reason, "detail": problem.detail, "lost": problem.lost}
            for where, problem in problems
        ]
        print(json.dumps({**found, "problems": wrong, **report.summary.to_dict()}, indent=1))
        return
    print(f"{report.files:,} file{'' if report.files == 1 else 's'}, {report.scanned:,} new or changed")
    print(report.summary.describe())
    if report.summary.failed:
        print("--retry-failed takes up what failed")


def _kind(problem: Problem) -> str:
    """
    Say how bad a problem is.

    >>> [_kind(Problem(reason, "", lost)) for reason in ("unreadable", "padding") for lost in (True, False)]
    ['lost', 'deferred', 'lost', 'note']
    """
    if problem.lost:
        return "lost"
    return "deferred" if problem.reason == UNREADABLE else "note"


def _one_line(text: str) -> str:
    r"""
    Write line breaks and whatever else a terminal would obey, in a file's name for instance, as escapes.

    >>> _one_line("lost: /data/a\nb.mseed: é")
    'lost: /data/a\\nb.mseed: é'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
