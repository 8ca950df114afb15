"""``stationday noise``: levels of every station-day, noise magnitudes, and what becomes of both."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

import numpy as np

from cluster import load_profile
from pipeline.archive.layouts import Wanted
from pipeline.archive.reading import open_archive
from workflows.ledger import Status
from workflows.noise.config import read_config
from workflows.noise.job import Measured, measure, preview
from workflows.noise.product import NoiseProduct, product_of
from workflows.noise.summary import summarise
from workflows.options import add_days, add_json, add_map, example, open_runner
from workflows.progress import Summary

__all__ = ["register"]

_MOST_LINES = 40


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``noise`` to the command line."""
    command = subparsers.add_parser(
        "noise",
        help="measure the noise of every station-day",
        description=(
            "Measure power spectra of every station-day as obspy's PPSD defines them, the quality of each "
            "day, and of gravimeters their noise magnitudes; sum up weeks, months and years; find trends "
            "and changes. Only what changed is measured again."
        ),
        **example(
            "stationday noise archive.zarr --cluster processes:8",
            "stationday noise archive.zarr --stream 'NG.*.LGZ' --config noise.toml --out products/gravity",
        ),
    )
    command.add_argument("archive", metavar="A", help="the archive: a folder or a URL")
    command.add_argument(
        "--out", metavar="PRODUCT", help="where the product lies (default: products/noise-… beside A)"
    )
    command.add_argument("--config", metavar="TOML", help="windows, bands, gravimeters; see docs/noise.md")
    command.add_argument(
        "--stream",
        action="append",
        default=[],
        metavar="S",
        help="only a stream, or those of a pattern with * and ?; may be given several times",
    )
    add_days(command)
    add_map(command)
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    config = read_config(args.config)
    archive = open_archive(args.archive)
    wanted = Wanted(args.start, args.end, tuple(args.stream))
    product = product_of(archive.url, archive.store.options.block_days, config, args.out)
    if args.dry_run:
        load_profile(args.cluster)
        planned = preview(archive, product.blocks, config, wanted=wanted, retry_failed=args.retry_failed)
        print(json.dumps(planned.to_dict(), indent=1) if args.json else planned.describe())
        return 0
    product.save()
    with open_runner(args, product.url) as (runner, progress):
        measured = measure(
            archive,
            product.blocks,
            config,
            runner,
            wanted=wanted,
            retry_failed=args.retry_failed,
            progress=progress,
        )
        stopped = measured.summary.stopped_by is not None
        tables = Summary("tables") if stopped else summarise(product, runner, progress=progress)
    _print_report(product, measured, tables, as_json=args.json)
    return max(measured.summary.exit_status, tables.exit_status)


def _print_report(product: NoiseProduct, measured: Measured, tables: Summary, *, as_json: bool) -> None:
    refused = _refused(product)
    for line in (*measured.told, *(f"lost: {group}: {reason}" for group, reason in refused.items())):
        print(line, file=sys.stderr)
    if as_json:
        found = {
            "product": product.url,
            "skipped": {f"{each.stream}/{each.grid.label}": each.reason for each in measured.skipped},
            "told": [asdict(each) for each in measured.told],
            "refused": refused,
            "tables": tables.to_dict(),
        }
        print(json.dumps({**found, **measured.summary.to_dict()}, indent=1))
        return
    for reason in dict.fromkeys(each.reason for each in measured.skipped):
        own = [str(each.stream) for each in measured.skipped if each.reason == reason]
        print(f"left out, {reason}: {', '.join(own[:5])}{' and others' if len(own) > 5 else ''}")
    print(measured.summary.describe())
    print(f"\n{product.url}")
    if measured.summary.stopped_by is None:
        print("\n".join(_overview(product)))


def _refused(product: NoiseProduct) -> dict[str, str]:
    """Return why days of streams are left out of all tables, by stream."""
    latest = product.tables.ledger().latest()
    return {key: latest[key].reason for key in sorted(latest) if latest[key].status == Status.LOST}


def _overview(product: NoiseProduct) -> list[str]:
    """Return a line per stream: the median level of its bands, or its magnitudes."""
    lines = []
    if not product.streams():
        return ["nothing was measured"]
    for row in product.table("noise_magnitudes", where={"span": "all"}).to_pylist():
        values = ", ".join(f"{name.upper()} {_figure(row[name])}" for name in ("snm", "ssnm", "tnm"))
        quiet = f"{len(row['quiet'])} quietest of {row['ranked_days']} days"
        lines.append(f"  {row['stream']:<20} {values}; {quiet}{_because(row['reason'])}")
    yearly = product.table("noise_levels", where={"span": "year"}).to_pylist()
    seismic = [row for row in yearly if row["component"] == "Z"]
    order = [band.name for band in product.config.summary.bands]
    seismic.sort(key=lambda row: (row["stream"], order.index(row["band"])))
    for stream in dict.fromkeys(row["stream"] for row in seismic):
        own = [row for row in seismic if row["stream"] == stream]
        bands = dict.fromkeys(row["band"] for row in own)
        medians = {band: np.median([row["p50"] for row in own if row["band"] == band]) for band in bands}
        text = ", ".join(f"{band} {level:.0f}" for band, level in medians.items())
        lines.append(f"  {stream:<20} dB of Z: {text}")
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"  and {more:,} more: the tables have them"]


def _figure(value: Any) -> str:
    return "–" if value is None else f"{value:.2f}"


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""
