"""
``stationday demo``: the main job on a synthetic network of which the truth is known, step by step.

The steps stand in `STEPS`, in order; a stage adds its own there. What the demo made before is not made again.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cluster import load_profile, open_client
from pipeline.archive.grid import DAY_NS, day_number
from pipeline.archive.readers import Problem
from pipeline.archive.reading import open_archive
from pipeline.figures import save
from pipeline.figures.coverage import coverage_chart
from pipeline.figures.waveforms import Mark, Wave, record_section
from pipeline.keys import Block
from pipeline.objects import LocalObjects
from pipeline.signal.filters import causal, design, steady_state
from pipeline.synthetic.config import SIZES, SynthConfig, read_config
from pipeline.tables import read_table
from workflows.demo_noise import compare, draw_noise, map_noise, measure_noise
from workflows.exporting import export_files
from workflows.info import coverage_rows, summarise
from workflows.ingest import Sources, ingest
from workflows.options import add_json, example
from workflows.runners import Runner, runner_on
from workflows.synth import synthesize

__all__ = ["STEPS", "Demo", "register"]

Told = tuple[str, Problem]
"""What an ingest told: of which block, and what."""

_BEFORE, _AFTER = pd.Timedelta(seconds=5), pd.Timedelta(seconds=40)


@dataclass(slots=True)
class Demo:
    """
    Where the demo stands.

    Parameters
    ----------
    folder : Path
        All that it makes lies here.
    config : SynthConfig
        Of the synthetic network.
    runner : Runner
        Where blocks run.
    exit_status : int
        The worst so far.
    stopped : bool
        Whether there is nothing for further steps to stand on.
    products : mapping of Path to str
        What to look at in the end, and how.
    """

    folder: Path
    config: SynthConfig
    runner: Runner
    exit_status: int = 0
    stopped: bool = False
    products: dict[Path, str] = field(default_factory=dict)

    @property
    def synthetic(self) -> Path:
        """The synthetic network's files, as an observatory would have them."""
        return self.folder / "synthetic"

    @property
    def archive(self) -> str:
        """The archive that they become."""
        return str(self.folder / "archive.zarr")

    def truth(self, table: str) -> Any:
        """Read a table of the truth as a DataFrame."""
        data = (self.synthetic / "truth" / f"{table}.parquet").read_bytes()
        return read_table(data, table).to_pandas()


def _synth(demo: Demo) -> str:
    summary = synthesize(demo.config, str(demo.synthetic), demo.runner)
    demo.exit_status = max(demo.exit_status, summary.exit_status)
    if summary.exit_status:
        demo.stopped = True
        return summary.describe()
    demo.products[demo.synthetic] = (
        "a synthetic network: miniSEED, StationXML, and the truth of them in truth/"
    )
    events, arrivals = len(demo.truth("events")), len(demo.truth("arrivals"))
    gravimeters = demo.config.gravity.stations if demo.config.gravity else 0
    made = (
        f"{demo.config.network.stations} stations for {demo.config.hours:g} hours, {gravimeters} gravimeters"
    )
    return f"{made}: {events:,} earthquakes, {arrivals:,} onsets"


def _ingest(demo: Demo) -> str:
    stations = [str(demo.synthetic / "stations.xml")]
    sources = Sources([str(demo.synthetic / "sds")])
    report = ingest(sources, demo.archive, demo.runner, stations=stations)
    demo.products[Path(demo.archive)] = f"`stationday info {demo.archive}`, or xarray.open_zarr on a group"
    expected, surprises = _weigh(report.problems, demo)
    surprises += [told for told in report.unreadable if told[1].lost]
    if surprises or report.summary.failed or report.summary.stopped_by is not None:
        demo.exit_status = max(demo.exit_status, report.exit_status)
    if report.summary.stopped_by is not None:
        demo.stopped = True
        return report.summary.describe()
    again = ingest(sources, demo.archive, demo.runner)
    lost = [f"{len(expected):,} spoiled on purpose and found"] if expected else []
    lost += [f"lost: {where}: {problem.reason}: {problem.detail}" for where, problem in surprises]
    return ", ".join(
        [
            f"{report.files:,} files, {report.summary.finished:,} of {report.summary.todo:,} blocks",
            *lost,
            f"the second time {again.summary.todo:,}",
        ]
    )


def _weigh(problems: list[Told], demo: Demo) -> tuple[list[Told], list[Told]]:
    """Part what was lost into what the truth tells of and what it doesn't."""
    spoiled = {
        (fault.stream, day)
        for fault in demo.truth("faults").itertuples()
        for day in range(fault.start.value // DAY_NS, -(-fault.end.value // DAY_NS))
    }
    expected: list[Told] = []
    surprises: list[Told] = []
    for where, problem in problems:
        block = Block.parse(where)
        days = range(day_number(block.first_day()), day_number(block.last_day()) + 1)
        known = any((str(block.stream), day) in spoiled for day in days)
        if problem.lost:
            (expected if known else surprises).append((where, problem))
    return expected, surprises


def _coverage(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    chart = demo.folder / "coverage.png"
    save(coverage_chart(coverage_rows(archive.index.rows), title="Demo archive"), chart)
    demo.products[chart] = "which days of which stream are there"
    summaries = summarise(archive.index.rows)
    return f"{len(summaries):,} rows, {sum(s.days for s in summaries):,} station-days in them"


def _section(demo: Demo) -> str:
    """Read the largest earthquake out of the archive, at all stations that have it."""
    archive, arrivals = open_archive(demo.archive), demo.truth("arrivals")
    event = demo.truth("events").dropna(subset=["magnitude"]).nlargest(1, "magnitude").iloc[0]
    own = arrivals[arrivals.event_id == event.event_id].sort_values("distance_km")
    waves, distances, marks = [], [], []
    for stream, onsets in own.groupby("stream", sort=False):
        dataset = archive.sel(stream, event.time - _BEFORE, event.time + _AFTER)
        wave = Wave.of(dataset, "Z", label=str(stream))
        if not np.isnan(wave.samples).all():
            waves.append(_above_1_hz(wave))
            distances.append(float(onsets.distance_km.iloc[0]))
            marks.append([Mark(each.phase, each.pick_time.value) for each in onsets.itertuples()])
    title = f"ML {event.magnitude:.1f}, {event.time:%Y-%m-%d %H:%M:%S} UTC, above 1 Hz, true P and S"
    chart = demo.folder / "section.png"
    save(record_section(waves, distances, marks, origin_ns=event.time.value, title=title), chart)
    demo.products[chart] = "the largest earthquake as the archive has it, with its true onsets"
    return f"ML {event.magnitude:.1f} at {len(waves)} stations, {len(own)} onsets"


def _above_1_hz(wave: Wave) -> Wave:
    samples = np.nan_to_num(wave.samples - np.nanmean(wave.samples))
    sections = design("highpass", [1.0], wave.rate_hz)
    seen, _ = causal(sections, samples, state=steady_state(sections, samples))
    return replace(wave, samples=seen)


def _export(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    first = archive.index.rows[0]
    files = list(export_files(archive, [first]))
    name = f"{first.stream}.mseed"
    LocalObjects(demo.folder).write(name, b"".join(file.data for file in files))
    demo.products[demo.folder / name] = "the same samples again, for any program that reads miniSEED"
    return f"{first.stream}: {len(files):,} channel-days as miniSEED"


def _noise(demo: Demo) -> str:
    status, line = measure_noise(demo.archive, demo.runner)
    demo.exit_status = max(demo.exit_status, status)
    demo.products |= draw_noise(demo.archive, demo.folder, demo.truth)
    return ", ".join(part for part in (line, compare(demo.archive, demo.truth)) if part)


def _map(demo: Demo) -> str:
    products, line = map_noise(demo.archive, demo.folder)
    demo.products |= products
    return line


STEPS: tuple[tuple[str, Callable[[Demo], str]], ...] = (
    ("synth", _synth),
    ("ingest", _ingest),
    ("coverage", _coverage),
    ("section", _section),
    ("export", _export),
    ("noise", _noise),
    ("map", _map),
)
"""Name of each step and what does it; it returns a line for the summary."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the command line."""
    sizes = "; ".join(f"{name}: {what}" for name, what in SIZES.items())
    command = subparsers.add_parser(
        "demo",
        help="run the main job on a synthetic network",
        description=(
            "Make a synthetic network of which the truth is known, ingest it, chart its coverage and its "
            "largest earthquake, export it, measure and map its noise, and say where to look. What is there "
            "already is not made again."
        ),
        **example("stationday demo", "stationday demo out --config small --cluster serial"),
    )
    command.add_argument("folder", nargs="?", default="demo", metavar="DIR", help="default: demo")
    command.add_argument(
        "--config", default="medium", help=f"a TOML file, or a size by its name ({sizes}); default: medium"
    )
    command.add_argument("--cluster", default="processes:2", metavar="PROFILE", help="default: processes:2")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    config = read_config(args.config)
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    say = _silent if args.json else _print
    say(f"stationday demo, into {folder}: a synthetic network ({args.config}), and what becomes of it")
    steps = []
    with open_client(load_profile(args.cluster)) as client:
        demo = Demo(folder, config, runner_on(client))
        for number, (name, step) in enumerate(STEPS, start=1):
            started = time.monotonic()
            line = step(demo)
            seconds = time.monotonic() - started
            steps.append({"step": name, "seconds": round(seconds, 3), "result": line})
            say(f"{number}/{len(STEPS)} {name:<8} {seconds:5.1f} s  {line}")
            if demo.stopped:
                break
    say("look at")
    for product, how in demo.products.items():
        say(f"  {product}\n      {how}")
    if args.json:
        products = [str(product) for product in demo.products]
        print(json.dumps({"steps": steps, "products": products, "exit_status": demo.exit_status}, indent=1))
    return demo.exit_status


def _print(line: str) -> None:
    print(line, flush=True)


def _silent(line: str) -> None:
    """Say nothing, where ``--json`` is all that may be printed."""
