"""``stationday export``: an archive back to files that other programs read."""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import json
import sys
from itertools import groupby
from pathlib import Path

import numpy as np

from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.sacfiles import Refusal
from pipeline.errors import ConfigError, NoSuchStreamError
from workflows.exporting import FORMS, Exported, Unit, export_units, plan_units
from workflows.options import add_days, add_json, example
from workflows.progress import progress_on

__all__ = ["register"]

_ENDINGS = {".mseed": "mseed", ".ms": "mseed", ".miniseed": "mseed", ".nc": "netcdf", ".sac": "sac"}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``export`` to the command line."""
    command = subparsers.add_parser(
        "export",
        help="write an archive's samples as miniSEED, SAC or NetCDF",
        description=(
            "Write samples, each at its exact time: as miniSEED into an SDS tree, or into one file if OUT "
            "ends in .mseed; as SAC, a file for each channel, day and contiguous run; as NetCDF, a file for "
            "each station-day, or below 5 Hz for each block."
        ),
        **example(
            "stationday export archive.zarr sds --stream 'CX.PB01.*'",
            "stationday export archive.zarr may.mseed --start 2014-05-01 --end 2014-05-31",
            "stationday export archive.zarr sac --format sac --start 2014-05-01",
            "stationday export archive.zarr netcdf --format netcdf",
        ),
    )
    command.add_argument("archive", metavar="A", help="the archive: a folder or a URL")
    command.add_argument("out", metavar="OUT", help="a folder or a URL, or a file that ends in .mseed")
    command.add_argument("--stream", default="*", metavar="S", help="a stream, or a pattern with * and ?")
    add_days(command)
    command.add_argument(
        "--format", choices=tuple(FORMS), help="default: mseed if OUT ends in .mseed, else sds"
    )
    command.add_argument(
        "--version",
        type=int,
        metavar="V",
        help="of miniSEED: 2 (default) or 3; of SAC: 6 (default), or 7, which holds the rates of clocks in "
        "double precision, but which not every program reads",
    )
    command.add_argument("--overwrite", action="store_true", help="replace files that are there already")
    command.add_argument("--quiet", action="store_true", help="no progress")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    name, version = _form(args)
    archive = open_archive(args.archive)
    _refuse_archive_itself(archive, args.out)
    try:
        report = export_units(
            archive,
            _chosen(archive, args, name),
            FORMS[name],
            args.out,
            version=version,
            overwrite=args.overwrite,
            progress=progress_on(sys.stderr, quiet=args.quiet or args.json),
        )
    except OSError as error:
        error.filename = error.filename or args.out  # a full disk does not say which
        raise
    _tell(report, args.out, name, as_json=args.json)
    return 1 if report.refused else 0


def _form(args: argparse.Namespace) -> tuple[str, int]:
    """Return the form and its version, having seen that they and OUT go together."""
    ending = _ENDINGS.get(Path(args.out).suffix.lower(), "")
    name = args.format or ending or "sds"
    if name == ending and name in ("sac", "netcdf"):
        raise ConfigError(
            f"{args.out}: {name} is written as many files; name a folder for them, and give --format {name}"
        )
    versions = FORMS[name].versions
    if args.version is None:
        return name, versions[0] if versions else 0
    if args.version not in versions:
        known = " or ".join(map(str, versions))
        raise ConfigError(
            f"--version {args.version}: {name} has {f'version {known}' if known else 'no versions'}"
        )
    return name, args.version


def _refuse_archive_itself(archive: Archive, out: str) -> None:
    inside = f"{out}/".startswith(f"{archive.url}/")
    if "://" not in archive.url and "://" not in out:
        inside = Path(out).expanduser().resolve().is_relative_to(Path(archive.url).resolve())
    if inside:
        raise ConfigError(f"{out}: lies in the archive itself; name another place")


def _chosen(archive: Archive, args: argparse.Namespace, form: str) -> list[Unit]:
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
    units = plan_units(archive, rows, FORMS[form], first=args.start, last=args.end)
    if not units:
        days = [day for row in rows if row.days_present for day in (row.first_day, row.last_day)]
        there = f"its samples lie between {min(days)} and {max(days)}" if days else "it has no samples"
        span = f"from {args.start or 'the first day'} to {args.end or 'the last'}"
        raise NoSuchStreamError(f"{archive.url}: nothing of {args.stream!r} {span}; {there}")
    return units


def _tell(report: Exported, out: str, form: str, *, as_json: bool) -> None:
    """Print what was written, and a line for each channel of which something could not be."""
    lost = [
        (channel, reason, list(runs))
        for (channel, reason), runs in groupby(
            sorted(report.refused, key=lambda each: (each.channel, each.reason, each.start_ns)),
            key=lambda each: (each.channel, each.reason),
        )
    ]
    for channel, reason, runs in lost:
        print(f"lost: {channel}: {_refused(runs)}: {reason}; --format netcdf does", file=sys.stderr)
    if as_json:
        refused = [
            {"channel": str(channel), "reason": reason, "runs": len(runs), "samples": _samples(runs)}
            for channel, reason, runs in lost
        ]
        counts = {"files": report.files, "station_days": report.station_days, "bytes": report.nbytes}
        print(json.dumps({"out": out, "format": form, **counts, "refused": refused}))
        return
    days, files = _count(report.station_days, "station-day"), _count(report.files, "file")
    print(f"{days} in {files}, {report.nbytes / 1e6:,.1f} MB: {out}")


def _refused(runs: list[Refusal]) -> str:
    first = np.datetime64(runs[0].start_ns // 1000, "us")
    return f"{_count(len(runs), 'run')} of {_count(_samples(runs), 'sample')} not written, from {first}Z on"


def _samples(runs: list[Refusal]) -> int:
    return sum(run.samples for run in runs)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
