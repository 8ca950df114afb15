"""
``stationday synth``: an archive of which everything is known, as files that any program reads.

::

    OUT/config.toml                 as it was given
    OUT/stations.xml                the network, with what its metadata say
    OUT/sds/2020/SY/S01/...         a miniSEED file for each channel and day
    OUT/gravity/ggp/G01/2020/...    gravimeters once more, as text, where the config asks for it
    OUT/truth/*.parquet             events, arrivals, noise levels, signals, faults: what is true of them
    OUT/blocks/                     what was done, and each block's part of the truth
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from pipeline.archive.grid import DAY_NS, day_number, day_of_number
from pipeline.archive.packing import sds_path
from pipeline.config import digest, to_mapping, to_toml
from pipeline.errors import ConfigError
from pipeline.keys import Block, Stream, blocks_between
from pipeline.objects import ObjectStore, open_objects
from pipeline.synthetic.config import SIZES, SynthConfig, read_config
from pipeline.synthetic.layout import Station
from pipeline.synthetic.records.gravity_exchange import gravity_day_files
from pipeline.synthetic.records.gravity_recording import design
from pipeline.synthetic.records.noise_design import NoiseLevel, gravimeter_levels, station_levels
from pipeline.synthetic.records.recording import Onset, StationAmplitude, record_day
from pipeline.synthetic.records.sds import day_files
from pipeline.synthetic.records.signals import Signal, gravimeter_signals, station_signals
from pipeline.synthetic.records.stationxml import stationxml
from pipeline.synthetic.records.truth import (
    arrivals_table,
    drifts_table,
    events_table,
    faults_table,
    laws_table,
    magnitudes_table,
    network_magnitudes,
    noise_magnitudes_table,
    noise_table,
    rises_table,
    signals_table,
    steps_table,
)
from pipeline.synthetic.scenario import GRAVITY_NETWORK, Scenario, gravity_span, make_scenario
from pipeline.tables import read_table, write_table
from workflows.execute import run_stage
from workflows.ledger import BlockResult, DayRecord
from workflows.options import add_json, add_map, example, open_runner
from workflows.plan import Plan, Task, plan
from workflows.product import Product
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import Runner

__all__ = ["preview", "register", "synthesize"]

VERSION = 5
"""Part of every fingerprint: raised when the same config would give other bytes."""

CONFIG = "config.toml"
_PARTS = {
    "arrivals": "blocks/arrivals",
    "station_magnitudes": "blocks/magnitudes",
    "noise_levels": "blocks/noise_levels",
    "noise_magnitudes": "blocks/noise_magnitudes",
    "signals": "blocks/signals",
}
"""Folder of each table that is made block by block; the first one has the ledger."""


@dataclass(frozen=True, slots=True)
class _WriteBlock:
    """Makes the days of one stream and block, and what is true of them, on a worker."""

    out: ObjectStore

    def __call__(self, task: Task) -> BlockResult:
        scenario, block = make_scenario(task.payload), Block.parse(task.key)
        days, nbytes = [], 0
        onsets: list[Onset] = []
        amplitudes: list[StationAmplitude] = []
        for day in _days(block, scenario.config):
            files = _make_day(scenario, block.stream, day, onsets, amplitudes)
            self.out.remove_partials(files)
            for path, data in files.items():
                self.out.write(path, data)
                nbytes += len(data)
            days.append(DayRecord(day_of_number(day), details="\n".join(files)))
        tables = {
            "arrivals": arrivals_table(str(block.stream), onsets),
            "station_magnitudes": magnitudes_table(str(block.stream), amplitudes),
            **_designed(scenario, block),
        }
        own = {"fingerprint": task.fingerprint, "config": digest(scenario.config)}
        for name, folder in _PARTS.items():
            data = write_table(tables[name], name, **own)
            nbytes += Product(self.out.child(folder)).write(task, data)
        return task.result(days, nbytes=nbytes)


def _make_day(
    scenario: Scenario, stream: Stream, day: int, onsets: list[Onset], amplitudes: list[StationAmplitude]
) -> dict[str, bytes]:
    """Make the files of a station-day, and add to what is true of it."""
    station = _station(scenario, stream)
    if stream.network == GRAVITY_NETWORK:
        return gravity_day_files(scenario, station, stream.code, day)
    made, date = record_day(scenario, station, day), day_of_number(day)
    onsets += made.onsets
    amplitudes += made.amplitudes
    files = day_files(made.traces, date, seed=scenario.config.seed)
    return {f"sds/{sds_path(file.channel, date)}": file.data for file in files}


def _designed(scenario: Scenario, block: Block) -> dict[str, pa.Table]:
    """Tabulate what a block was designed to have: the levels of its noise, and its signals."""
    config, stream = scenario.config, block.stream
    station = _station(scenario, stream)
    start_ns, stop_ns = _span_ns(stream, config)
    days = _days(block, config)
    low_ns, high_ns = max(days.start * DAY_NS, start_ns), min(days.stop * DAY_NS, stop_ns)
    levels: Sequence[NoiseLevel] = ()
    signals: list[Signal] = []
    if stream.network != GRAVITY_NETWORK:
        levels = list(station_levels(scenario, station, low_ns, high_ns))
        signals = station_signals(scenario, station, low_ns, high_ns)
    elif _measures_gravity(station, stream):
        own = design(config, station.name)
        levels = list(gravimeter_levels(stream.code, own.noise, own.rises, low_ns, high_ns))
        signals = gravimeter_signals(scenario, station, low_ns, high_ns, start_ns)
    return {
        "noise_levels": noise_table(str(stream), levels),
        "noise_magnitudes": noise_magnitudes_table(str(stream), levels),
        "signals": signals_table(str(stream), signals),
    }


def _station(scenario: Scenario, stream: Stream) -> Station:
    """Return the station of a stream, of either kind."""
    (found,) = (
        station
        for station in (*scenario.stations, *scenario.gravimeters)
        if (station.network, station.name) == (stream.network, stream.station)
    )
    return found


def _measures_gravity(station: Station, stream: Stream) -> bool:
    return any(
        sensor.instrument.quantity == "acceleration"
        for sensor in station.sensors
        if sensor.code == stream.code
    )


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
    scenario = make_scenario(config)
    _claim(out, config)
    product = Product(out.child(_PARTS["arrivals"]))
    summary = run_stage(
        "synth",
        _WriteBlock(out),
        _tasks(scenario),
        product,
        runner,
        retry_failed=retry_failed,
        gone=_gone(out, product),
        progress=progress(),
    )
    if not summary.exit_status:
        _write_truth(out, scenario, product)
    return summary


def preview(config: SynthConfig, out_url: str, *, retry_failed: bool = False) -> Plan:
    """Plan it, for ``--dry-run``: nothing is written."""
    out = open_objects(out_url)
    product = Product(out.child(_PARTS["arrivals"]))
    tasks = _tasks(make_scenario(config))
    return plan(tasks, product.ledger(), retry_failed=retry_failed, gone=_gone(out, product))


def _gone(out: ObjectStore, product: Product) -> set[str]:
    """Return the blocks that were finished, and of which a file is no longer there: one listing tells."""
    present = {info.key for info in out.list()}
    rows = product.ledger().table().select(["block", "day", "details"]).to_pylist()
    gone = {
        row["block"]
        for row in rows
        if row["day"] is not None and not present.issuperset(row["details"].splitlines())
    }
    for key, name in product.files():
        if not present.issuperset(f"{folder}/{name}" for folder in _PARTS.values()):
            gone.add(key)
    return gone


def _claim(out: ObjectStore, config: SynthConfig) -> None:
    """Write the config, unless another one stands there."""
    text = to_toml(config).encode()
    if not out.create(CONFIG, text) and out.read(CONFIG) != text:
        raise ConfigError(f"{out.url}: made with another config; see its {CONFIG}, or choose another folder")


def _tasks(scenario: Scenario) -> Iterator[Task]:
    config = scenario.config
    parts = to_mapping(config)
    for station in (*scenario.stations, *scenario.gravimeters):
        for stream in station.streams:
            first, last = _span(stream, config)
            for block in blocks_between(stream, day_of_number(first), day_of_number(last)):
                yield Task.of(str(block), config, stage=("synth", VERSION), config=parts)


def _span_ns(stream: Stream, config: SynthConfig) -> tuple[int, int]:
    """Return when a stream begins and ends, in nanoseconds since 1970."""
    is_gravity = stream.network == GRAVITY_NETWORK
    return gravity_span(config) if is_gravity else (config.start_ns, config.stop_ns)


def _span(stream: Stream, config: SynthConfig) -> tuple[int, int]:
    """Return the first and the last day, since 1970, that a stream has."""
    start_ns, stop_ns = _span_ns(stream, config)
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
    gravimeters = {
        str(stream): design(config, station.name)
        for station in scenario.gravimeters
        for stream in station.streams
        if _measures_gravity(station, stream)
    }
    events = events_table(scenario.catalog, network_magnitudes(joined["station_magnitudes"]))
    law = config.earthquakes.magnitudes
    tables = {
        **joined,
        "events": events,
        "magnitude_laws": laws_table(scenario.catalog, events, b=law.b, minimum=law.m_min),
        "faults": faults_table(scenario.faults),
        "rises": rises_table(gravimeters),
        "steps": steps_table(gravimeters),
        "drifts": drifts_table(gravimeters),
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
