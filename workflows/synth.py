"""
``stationday synth``: an archive of which everything is known, as files that any program reads.

::

    OUT/config.toml                 as it was given
    OUT/stations.xml                the network, with what its metadata say
    OUT/sds/2020/SY/S01/...         a miniSEED file for each channel and day
    OUT/truth/*.parquet             events, arrivals, station magnitudes, faults: what is true of them
    OUT/blocks/                     what was done, and each block's part of the truth
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from pipeline.archive.grid import DAY_NS, day_number, day_of_number
from pipeline.archive.packing import sds_path
from pipeline.config import digest, to_mapping, to_toml
from pipeline.errors import ConfigError
from pipeline.keys import Block, Channel, Stream, blocks_between
from pipeline.objects import ObjectStore, open_objects
from pipeline.synthetic.config import SIZES, SynthConfig, read_config
from pipeline.synthetic.gravity_recording import record_gravity_day
from pipeline.synthetic.layout import Station
from pipeline.synthetic.recording import Recording, record_day
from pipeline.synthetic.scenario import GRAVITY_NETWORK, Scenario, gravity_span, make_scenario
from pipeline.synthetic.sds import day_files
from pipeline.synthetic.stationxml import stationxml
from pipeline.synthetic.truth import (
    arrivals_table,
    events_table,
    faults_table,
    magnitudes_table,
    network_magnitudes,
)
from pipeline.tables import read_table, write_table
from workflows.execute import run_stage
from workflows.ledger import BlockResult, DayRecord
from workflows.options import add_json, add_map, example, open_runner
from workflows.plan import Plan, Task, plan
from workflows.product import Product
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import Runner

__all__ = ["preview", "register", "synthesize"]

VERSION = 1
"""Part of every fingerprint: raised when the same config would give other bytes."""

CONFIG = "config.toml"
_PARTS = {"arrivals": "blocks/arrivals", "station_magnitudes": "blocks/magnitudes"}


@dataclass(frozen=True, slots=True)
class _WriteBlock:
    """Makes the days of one station and block, on a worker."""

    out: ObjectStore

    def __call__(self, task: Task) -> BlockResult:
        scenario = make_scenario(task.payload)
        config, block = scenario.config, Block.parse(task.key)
        days, nbytes, onsets, amplitudes = [], 0, [], []
        for day in _days(block, config):
            made = _record(scenario, block.stream, day)
            date = day_of_number(day)
            for file in day_files(made.traces, date, seed=config.seed):
                self.out.write(f"sds/{sds_path(file.channel, date)}", file.data)
                nbytes += len(file.data)
            onsets += made.onsets
            amplitudes += made.amplitudes
            days.append(DayRecord(date))
        stream = str(block.stream)
        tables = {
            "arrivals": arrivals_table(stream, onsets),
            "station_magnitudes": magnitudes_table(stream, amplitudes),
        }
        own = {"fingerprint": task.fingerprint, "config": digest(config)}
        # The arrivals come last: where they are, everything is.
        for name in ("station_magnitudes", "arrivals"):
            product = Product(self.out.child(_PARTS[name]))
            nbytes += product.write(task, write_table(tables[name], name, **own))
        return task.result(days, nbytes=nbytes)


def _record(scenario: Scenario, stream: Stream, day: int) -> Recording:
    """Make a station-day of either kind of station."""
    for station in scenario.stations:
        if (station.network, station.name) == (stream.network, stream.station):
            return record_day(scenario, station, day)
    (gravimeter,) = (
        station
        for station in scenario.gravimeters
        if (station.network, station.name) == (stream.network, stream.station)
    )
    traces = record_gravity_day(scenario, gravimeter, stream.code, day)
    return Recording(traces=traces, onsets=[], amplitudes=[], transients=[])


def synthesize(
    config: SynthConfig,
    out_url: str,
    runner: Runner,
    *,
    retry_failed: bool = False,
    progress: Callable[[], Progress] = SilentProgress,
) -> Summary:
    """
    Make a synthetic archive, or what it still lacks.

    Parameters
    ----------
    config : SynthConfig
    out_url : str
        Made if it is not there.
    runner : Runner
        Where blocks run.
    retry_failed : bool
        Whether to take up blocks that failed earlier.
    progress : callable
        Makes the display.

    Returns
    -------
    Summary

    Raises
    ------
    ConfigError
        If there is another synthetic archive already.
    LeaseHeldError
        If somebody else is making it.
    """
    out = open_objects(out_url)
    _claim(out, config)
    scenario = make_scenario(config)
    product = Product(out.child(_PARTS["arrivals"]))
    summary = run_stage(
        "synth",
        _WriteBlock(out),
        _tasks(scenario),
        product,
        runner,
        retry_failed=retry_failed,
        progress=progress(),
    )
    if not summary.exit_status:
        _write_truth(out, scenario, product)
    return summary


def preview(config: SynthConfig, out_url: str, *, retry_failed: bool = False) -> Plan:
    """Plan it, for ``--dry-run``: nothing is written."""
    product = Product(open_objects(out_url).child(_PARTS["arrivals"]))
    return plan(_tasks(make_scenario(config)), product.ledger(), retry_failed=retry_failed)


def _claim(out: ObjectStore, config: SynthConfig) -> None:
    """Write the config, unless another one stands there."""
    text = to_toml(config).encode()
    if not out.create(CONFIG, text) and out.read(CONFIG) != text:
        raise ConfigError(f"{out.url}: made with another config; see its {CONFIG}, or choose another folder")


def _streams(station: Station) -> Iterator[Stream]:
    for sensor in station.sensors:
        yield Channel(station.network, station.name, sensor.location, sensor.channels[0][0]).stream


def _tasks(scenario: Scenario) -> Iterator[Task]:
    config = scenario.config
    parts = to_mapping(config)
    for station in (*scenario.stations, *scenario.gravimeters):
        for stream in _streams(station):
            first, last = _span(stream, config)
            for block in blocks_between(stream, day_of_number(first), day_of_number(last)):
                yield Task.of(str(block), config, stage=("synth", VERSION), config=parts)


def _span(stream: Stream, config: SynthConfig) -> tuple[int, int]:
    """Return the first and the last day, since 1970, that a stream has."""
    is_gravity = stream.network == GRAVITY_NETWORK
    start_ns, stop_ns = gravity_span(config) if is_gravity else (config.start_ns, config.stop_ns)
    return start_ns // DAY_NS, (stop_ns - 1) // DAY_NS


def _days(block: Block, config: SynthConfig) -> range:
    first, last = _span(block.stream, config)
    begin = max(day_number(block.first_day()), first)
    return range(begin, min(day_number(block.last_day()), last) + 1)


def _write_truth(out: ObjectStore, scenario: Scenario, product: Product) -> None:
    """Join what the blocks know, and write it beside what was known before."""
    config = scenario.config
    names = [name for _, name in sorted(product.files())]
    joined = {
        table: pa.concat_tables(read_table(out.read(f"{folder}/{name}"), table) for name in names)
        for table, folder in _PARTS.items()
    }
    tables = {
        **joined,
        "events": events_table(scenario.catalog, network_magnitudes(joined["station_magnitudes"])),
        "faults": faults_table(scenario.faults),
    }
    stations = (*scenario.stations, *scenario.gravimeters)
    out.write("stations.xml", stationxml(stations, created_ns=config.start_ns))
    for name, table in tables.items():
        data = write_table(table, name, fingerprint=digest(config), config=digest(config))
        out.write(f"truth/{name}.parquet", data)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``synth`` to the command line."""
    sizes = "; ".join(f"{name}: {text}" for name, text in SIZES.items())
    command = subparsers.add_parser(
        "synth",
        help="make a synthetic archive of which everything is known",
        description=f"Make the files of a synthetic archive, and tables of what is true of them. {sizes}.",
        **example("stationday synth small synthetic --cluster processes:2"),
    )
    command.add_argument("config", metavar="CONFIG", help=f"a TOML file, or {', '.join(SIZES)}")
    command.add_argument("out", metavar="OUT", help="where to: a folder or a URL")
    add_map(command)
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    config = read_config(args.config)
    if args.dry_run:
        planned = preview(config, args.out, retry_failed=args.retry_failed)
        print(json.dumps(planned.to_dict(), indent=1) if args.json else planned.describe())
        return 0
    with open_runner(args, args.out) as (runner, progress):
        summary = synthesize(config, args.out, runner, retry_failed=args.retry_failed, progress=progress)
    print(json.dumps(summary.to_dict(), indent=1) if args.json else _describe(summary, args.out))
    return summary.exit_status


def _describe(summary: Summary, out: str) -> str:
    made = f"\n{out}/sds, {out}/stations.xml, {out}/truth" if not summary.exit_status else ""
    return summary.describe() + made
