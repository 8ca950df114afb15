"""
``stationday demo``: the main job on a small archive, step by step.

The steps stand in `STEPS`, in order; a stage adds its own there.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cluster import load_profile, open_client
from pipeline.archive.reading import open_archive
from pipeline.archive.timeindex import DayGridIndex
from pipeline.errors import ConfigError
from pipeline.figures import save
from pipeline.figures.coverage import coverage_chart
from pipeline.objects import LocalObjects
from workflows.export import export_files
from workflows.info import coverage_rows, summarise
from workflows.ingest import ingest
from workflows.options import add_json, example
from workflows.runners import Runner, runner_on

__all__ = ["STEPS", "Demo", "register"]


@dataclass(slots=True)
class Demo:
    """
    Where the demo stands.

    Parameters
    ----------
    folder : Path
        All that it makes lies here.
    sources : sequence of str
        miniSEED to begin with.
    runner : Runner
        Where blocks run.
    exit_status : int
        The worst so far.
    products : mapping of Path to str
        What to look at in the end, and how.
    """

    folder: Path
    sources: Sequence[str]
    runner: Runner
    exit_status: int = 0
    products: dict[Path, str] = field(default_factory=dict)

    @property
    def archive(self) -> str:
        """The demo's archive."""
        return str(self.folder / "archive.zarr")


def _ingest(demo: Demo) -> str:
    report = ingest(demo.sources, demo.archive, demo.runner)
    demo.exit_status = max(demo.exit_status, report.exit_status)
    demo.products[Path(demo.archive)] = f"`stationday info {demo.archive}`, or xarray.open_zarr on a group"
    again = ingest(demo.sources, demo.archive, demo.runner)
    return (
        f"{report.files:,} files, {report.summary.finished:,} of {report.summary.todo:,} blocks; "
        f"the second time {again.summary.todo:,}"
    )


def _coverage(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    chart = demo.folder / "coverage.png"
    save(coverage_chart(coverage_rows(archive.index.rows), title="Demo archive"), chart)
    demo.products[chart] = "which days of which stream are there"
    summaries = summarise(archive.index.rows)
    return f"{len(summaries):,} rows, {sum(s.days for s in summaries):,} station-days in them"


def _read(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    fullest = max(archive.index.rows, key=lambda row: (row.completeness > 0).sum())
    dataset = archive.sel(fullest.stream, rate=fullest.grid.label)
    index = dataset.xindexes["time"]
    assert isinstance(index, DayGridIndex)
    traces = dataset.stationday.to_obspy()
    return f"{fullest.stream}: {index.size:,} times in xarray, {len(traces):,} traces in obspy"


def _export(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    first = archive.index.rows[0]
    files = list(export_files(archive, [first]))
    name = f"{first.stream}.mseed"
    LocalObjects(demo.folder).write(name, b"".join(file.data for file in files))
    demo.products[demo.folder / name] = "the same samples again, for any program that reads miniSEED"
    return f"{first.stream}: {len(files):,} channel-days as miniSEED"


STEPS: tuple[tuple[str, Callable[[Demo], str]], ...] = (
    ("ingest", _ingest),
    ("coverage", _coverage),
    ("read", _read),
    ("export", _export),
)
"""Name of each step and what does it; it returns a line for the summary."""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``demo`` to the command line."""
    command = subparsers.add_parser(
        "demo",
        help="run the main job on a small archive",
        description="Ingest local miniSEED, chart its coverage, read and export it, and say where to look.",
        **example("stationday demo", "stationday demo out --source /data/sds --cluster serial"),
    )
    command.add_argument("folder", nargs="?", default="demo", metavar="DIR", help="default: demo")
    command.add_argument(
        "--source", action="append", metavar="S", help="miniSEED; may be given several times"
    )
    command.add_argument("--cluster", default="processes:2", metavar="PROFILE", help="default: processes:2")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    sources = args.source or _some_data()
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    say = _silent if args.json else _print
    say(f"stationday demo, into {folder}, from")
    for source in sources:
        say(f"  {source}")
    steps = []
    with open_client(load_profile(args.cluster)) as client:
        demo = Demo(folder, sources, runner_on(client))
        for number, (name, step) in enumerate(STEPS, start=1):
            started = time.monotonic()
            line = step(demo)
            seconds = time.monotonic() - started
            steps.append({"step": name, "seconds": round(seconds, 3), "result": line})
            say(f"{number}/{len(STEPS)} {name:<8} {seconds:5.1f} s  {line}")
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


def _some_data() -> list[str]:
    """Find waveforms to show: the developers' data, else the examples that obspy brings."""
    data = os.environ.get("STATIONDAY_DATA")
    root = Path(data) if data else Path(__file__).parents[2] / "shared" / "data"
    found = [path for path in (root / "continuous" / name for name in _FOLDERS) if path.is_dir()]
    if data and not found:
        wanted = ", ".join(_FOLDERS)
        raise ConfigError(f"STATIONDAY_DATA={data}: no folder continuous/ with any of {wanted} in it")
    if not found:
        import obspy

        examples = Path(obspy.__file__).parent
        found = [path for path in (examples / name for name in _OBSPY_EXAMPLES) if path.is_file()]
    if not found:
        raise ConfigError("no miniSEED to show: give --source FOLDER, or set STATIONDAY_DATA")
    return [str(path) for path in found]


_FOLDERS = ("chile-12h", "turkey-40min", "long-period-days", "california-3min")

_OBSPY_EXAMPLES = (
    "io/mseed/tests/data/CH.BALST..LH_two_channels",  # a day, two components
    "io/mseed/tests/data/gaps.mseed",  # around midnight and New Year
    "clients/fdsn/tests/data/dataselect_example_wildcards.mseed",  # seven streams at two rates
    "core/tests/data/IU_ULN_00_LH1_2015-07-18T02.mseed",  # three hours
)
"""Real recordings in obspy's own package."""
