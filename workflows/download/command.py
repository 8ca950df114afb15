"""
``stationday download``: waveforms and metadata of FDSN web services as files that ``ingest`` takes.

::

    ask what there is ── stations' metadata ── plan ── fetch days ── report
    (station, availability)   (a request each)           (in threads)

    OUT/sds/2020/CI/CCC/...         a miniSEED file for each channel and day
    OUT/stations.xml                the metadata of all stations that were asked for
    OUT/download/                   what was asked, what came of it, and each station's metadata
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import ConfigError
from pipeline.fdsn.centres import CENTRES, Service, find_service
from pipeline.fdsn.client import Client, Patience
from pipeline.fdsn.credentials import Credentials
from pipeline.fdsn.dataselect import Fetcher, group_windows
from pipeline.fdsn.pace import Clock, Pace, SystemClock
from pipeline.fdsn.selection import Selection
from pipeline.objects import ObjectStore, open_objects
from workflows.download.fetching import FetchBlock, plan_fetching
from workflows.download.metadata import STATIONS, fetch_metadata
from workflows.download.offers import Answers, Offer, ask_offer
from workflows.execute import execute
from workflows.lease import Lease
from workflows.ledger import BlockResult, Ledger, Status
from workflows.options import add_days, add_json, example
from workflows.plan import Plan
from workflows.progress import Progress, SilentProgress, Summary, progress_on
from workflows.threads import ThreadRunner

__all__ = ["DownloadReport", "Manners", "download", "preview", "register"]

CONNECTIONS = 4
REQUESTS_PER_SECOND = 4.0
_LEDGER_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a data centre is asked."""

    connections: int = CONNECTIONS
    per_second: float = REQUESTS_PER_SECOND
    patience: Patience = field(default_factory=Patience)
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        if not 1 <= self.connections <= 64:
            raise ConfigError(f"--connections {self.connections} should be from 1 to 64")
        if not 0 < self.per_second <= 1000:
            raise ConfigError(f"--rate {self.per_second:g} should be requests per second, up to 1000")


@dataclass(slots=True)
class DownloadReport:
    """
    What a download found and did.

    Parameters
    ----------
    offer : Offer
    stations, days : Summary
        Of the metadata and of the blocks.
    requests : int
        That went out, retries included.
    problems : Counter of str
        How many days of blocks, or stations, have each reason for a loss.
    given_up : str
        Why nothing was asked any more, if so.
    """

    offer: Offer
    stations: Summary
    days: Summary
    requests: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    given_up: str = ""

    @property
    def exit_status(self) -> int:
        """1 where something was lost, failed or left undone; see `Summary.exit_status`."""
        return max(self.stations.exit_status, self.days.exit_status)

    def take(self, result: BlockResult) -> None:
        """Count what went wrong in a block."""
        reasons = [day.reason for day in result.days if day.status is Status.LOST]
        if result.status is Status.FAILED or (result.status is Status.LOST and not reasons):
            reasons = [result.reason]
        for reason in reasons:
            self.problems[reason] += 1
            self.examples.setdefault(reason, result.key)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures under plain names, for ``--json``."""
        return {
            "streams": len(self.offer.streams),
            "availability": self.offer.has_availability,
            "channel_days_without_data": self.offer.without_data,
            "requests": self.requests,
            "given_up": self.given_up,
            "problems": [
                {"reason": reason, "count": count, "example": self.examples[reason]}
                for reason, count in self.problems.most_common()
            ],
            "stations": self.stations.to_dict(),
            **self.days.to_dict(),
            "exit_status": self.exit_status,
        }


def download(
    service: Service,
    selection: Selection,
    out_url: str,
    *,
    credentials: Credentials | None = None,
    manners: Manners | None = None,
    retry_failed: bool = False,
    retry_empty: bool = False,
    progress: Callable[[], Progress] = SilentProgress,
) -> DownloadReport:
    """
    Fetch a selection from a data centre, or what is still lacking of it.

    Parameters
    ----------
    service : Service
    selection : Selection
    out_url : str
        Made if it is not there.
    credentials : Credentials, optional
    manners : Manners, optional
    retry_failed, retry_empty : bool
        Whether to ask again for what was refused, and for what was not there.
    progress : callable
        Makes the display of each step.

    Returns
    -------
    DownloadReport

    Raises
    ------
    ConfigError
        If the selection is wrong, or there is nothing of it.
    ServiceError
        If the data centre does not even say what it has.
    LeaseHeldError
        If somebody else downloads to there.
    """
    credentials, manners = credentials or Credentials(), manners or Manners()
    objects = open_objects(out_url)
    own = objects.child("download")
    pace = Pace(manners.per_second, manners.clock)
    client = Client(service, pace, credentials, manners.patience)
    runner = ThreadRunner(manners.connections, on_stop=pace.stop)
    with closing(client), Lease(own) as lease:
        for folder in ("answers", "ledger"):
            own.sweep_partials(folder)
        objects.remove_partials((STATIONS,))
        client.sign_in()
        offer = _ask(client, selection, own, credentials, keep=True)
        report = DownloadReport(offer, Summary("stations"), Summary("download"))
        report.stations = fetch_metadata(
            client, offer, selection, objects, runner, on_result=report.take, progress=progress()
        )
        if report.stations.stopped_by is None:
            with Ledger(own.child("ledger"), lease=lease, flush_seconds=_LEDGER_SECONDS) as ledger:
                planned = _plan(offer, ledger, client, retry_failed=retry_failed, retry_empty=retry_empty)
                fetch = FetchBlock(objects.child("sds"), Fetcher(client), manners.clock)
                report.days = execute(
                    "download", fetch, planned, ledger, runner, on_result=report.take, progress=progress()
                )
        report.requests, report.given_up = client.requests, client.given_up
    return report


def preview(
    service: Service,
    selection: Selection,
    out_url: str,
    *,
    credentials: Credentials | None = None,
    manners: Manners | None = None,
    retry_failed: bool = False,
    retry_empty: bool = False,
) -> tuple[Offer, Plan]:
    """Plan a download, for ``--dry-run``: it is asked what there is, and nothing is written."""
    credentials, manners = credentials or Credentials(), manners or Manners()
    own = open_objects(out_url).child("download")
    client = Client(service, Pace(manners.per_second, manners.clock), credentials, manners.patience)
    with closing(client):
        offer = _ask(client, selection, own, credentials, keep=False)
        ledger = Ledger(own.child("ledger"))
        return offer, _plan(offer, ledger, client, retry_failed=retry_failed, retry_empty=retry_empty)


def _ask(
    client: Client, selection: Selection, own: ObjectStore, credentials: Credentials, *, keep: bool
) -> Offer:
    answers = Answers(own.child(f"answers/{client.service.slug}"), client.pace.clock.now(), keep=keep)
    return ask_offer(client, selection, answers, restricted=credentials.are_given)


def _plan(offer: Offer, ledger: Ledger, client: Client, *, retry_failed: bool, retry_empty: bool) -> Plan:
    return plan_fetching(
        offer.streams,
        ledger,
        prefix=client.service.slug,
        now=client.pace.clock.now(),
        retry_failed=retry_failed,
        retry_empty=retry_empty,
    )


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``download`` to the command line."""
    command = subparsers.add_parser(
        "download",
        help="fetch waveforms and metadata from an FDSN data centre",
        description=(
            "Fetch miniSEED and StationXML from the web services of a data centre, as files that "
            "`stationday ingest` takes. What was answered is not asked for again. Credentials are taken from "
            "FDSN_USER and FDSN_PASSWORD, EIDA_TOKEN or FDSN_BEARER_TOKEN."
        ),
        **example(
            "stationday download SCEDC data --networks CI --stations 'CCC,PAS' --channels 'HH?' \\",
            "    --start 2020-01-01 --end 2020-01-31",
            "stationday ingest data/sds --archive archive.zarr --stations data/stations.xml",
        ),
    )
    command.add_argument("service", metavar="SERVICE", help=f"a base URL, or {', '.join(CENTRES)}")
    command.add_argument("out", metavar="OUT", help="where to: a folder or a URL")
    for name in ("networks", "stations", "locations", "channels"):
        command.add_argument(
            f"--{name}", default="*", metavar="CODES", help="several with commas between, with ? and *"
        )
    add_days(command)
    place = command.add_mutually_exclusive_group()
    place.add_argument(
        "--region",
        nargs=4,
        type=float,
        metavar=("SOUTH", "NORTH", "WEST", "EAST"),
        help="stations from these latitudes and longitudes, in degrees",
    )
    place.add_argument(
        "--circle",
        nargs=4,
        type=float,
        metavar=("LAT", "LON", "MIN", "MAX"),
        help="stations at these distances from a point, in degrees",
    )
    _add_manners(command)
    add_json(command)
    command.set_defaults(run=_run)


def _add_manners(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--connections",
        type=int,
        default=CONNECTIONS,
        metavar="N",
        help=f"at a time (default: {CONNECTIONS})",
    )
    command.add_argument(
        "--rate",
        type=float,
        default=REQUESTS_PER_SECOND,
        metavar="R",
        help=f"requests per second at most (default: {REQUESTS_PER_SECOND:g})",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="ask what there is, say what is to do, and stop"
    )
    command.add_argument(
        "--retry-failed", action="store_true", help="ask again for what was refused or damaged"
    )
    command.add_argument("--retry-empty", action="store_true", help="ask again for days that had no data")
    command.add_argument("--quiet", action="store_true", help="no progress")


def _run(args: argparse.Namespace) -> int:
    if args.start is None or args.end is None:
        raise ConfigError("--start and --end should be given: the first and the last day, as 2020-03-01")
    call: dict[str, Any] = {
        "credentials": Credentials.of(os.environ),
        "manners": Manners(connections=args.connections, per_second=args.rate, clock=SystemClock()),
        "retry_failed": args.retry_failed,
        "retry_empty": args.retry_empty,
    }
    service, selection = find_service(args.service), _selection(args)
    if args.dry_run:
        offer, planned = preview(service, selection, args.out, **call)
        figures = _figures(offer, planned)
        print(
            json.dumps({**figures, **planned.to_dict()}, indent=1)
            if args.json
            else _describe(figures, planned)
        )
        return 0
    quiet = args.quiet or args.json
    report = download(
        service, selection, args.out, **call, progress=lambda: progress_on(sys.stderr, quiet=quiet)
    )
    _print_report(report, args.out, as_json=args.json)
    return report.exit_status


def _selection(args: argparse.Namespace) -> Selection:
    return Selection(
        networks=args.networks,
        stations=args.stations,
        locations=args.locations,
        channels=args.channels,
        start=args.start,
        end=args.end,
        region=tuple(args.region) if args.region else None,
        circle=tuple(args.circle) if args.circle else None,
    )


def _figures(offer: Offer, planned: Plan) -> dict[str, Any]:
    jobs = [task.payload for task in planned.todo]
    requests = sum(1 for job in jobs for _ in group_windows(job.due, job.wanted.rates_hz))
    return {
        "streams": len(offer.streams),
        "stations": len(offer.stations),
        "channel_days": sum(job.channel_days for job in jobs),
        "requests": requests,
        "availability": offer.has_availability,
        "channel_days_without_data": offer.without_data,
    }


def _describe(figures: dict[str, Any], planned: Plan) -> str:
    said = (
        f"{figures['channel_days_without_data']:,} channel-days have no data, it says"
        if figures["availability"]
        else "it does not say which days have data"
    )
    return (
        f"{figures['streams']:,} streams of {figures['stations']:,} stations; {said}\n"
        f"{figures['channel_days']:,} channel-days to ask for, in {figures['requests']:,} requests or more\n"
        f"{planned.describe()}"
    )


def _print_report(report: DownloadReport, out: str, *, as_json: bool) -> None:
    for reason, count in report.problems.most_common():
        print(f"lost: {count:,} x {reason}, as {report.examples[reason]}", file=sys.stderr)
    if report.given_up:
        print(f"given up: {report.given_up}", file=sys.stderr)
    if as_json:
        print(json.dumps(report.to_dict(), indent=1))
        return
    print(report.days.describe())
    print(f"{report.requests:,} requests; {out}/sds, {out}/{STATIONS}")
    if report.problems:
        print("the same command asks again for what was not answered, with --retry-failed also for the rest")
