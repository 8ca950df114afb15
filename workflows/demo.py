"""
``stationday demo``: the main job on a small archive, step by step.

The steps stand in `STEPS`, in order; a stage adds its own there.
"""

from __future__ import annotations

import argparse
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
from workflows.export import export_files
from workflows.info import coverage_rows, summarise
from workflows.ingest import ingest
from workflows.options import example
from workflows.runners import DaskRunner, Runner, SerialRunner

__all__ = ["STEPS", "Demo", "register"]

DATA = Path(os.environ.get("STATIONDAY_DATA", "../shared/data"))


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
    products : list of Path
        What to look at in the end.
    """

    folder: Path
    sources: Sequence[str]
    runner: Runner
    exit_status: int = 0
    products: list[Path] = field(default_factory=list)

    @property
    def archive(self) -> str:
        """The demo's archive."""
        return str(self.folder / "archive.zarr")


def _ingest(demo: Demo) -> str:
    report = ingest(demo.sources, demo.archive, demo.runner)
    demo.exit_status = max(demo.exit_status, report.exit_status)
    demo.products.append(Path(demo.archive))
    again = ingest(demo.sources, demo.archive, demo.runner)
    return (
        f"{report.files:,} files, {report.scanned:,} of them new or changed; {report.summary.describe()}; "
        f"a second run found {again.summary.todo:,} to do"
    )


def _coverage(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    chart = demo.folder / "coverage.png"
    save(coverage_chart(coverage_rows(archive.index.rows), title="Demo archive"), chart)
    demo.products.append(chart)
    summaries = summarise(archive.index.rows)
    return f"{len(summaries)} streams, {sum(s.days for s in summaries)} station-days"


def _read(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    fullest = max(archive.index.rows, key=lambda row: (row.completeness > 0).sum())
    dataset = archive.sel(fullest.stream, rate=fullest.grid.label)
    index = dataset.xindexes["time"]
    assert isinstance(index, DayGridIndex)
    traces = dataset.stationday.to_obspy()
    return f"{fullest.stream}: {index.size:,} grid points, {len(traces)} traces with exact times"


def _export(demo: Demo) -> str:
    archive = open_archive(demo.archive)
    first = archive.index.rows[0]
    files = list(export_files(archive, [first]))
    out = demo.folder / f"{first.stream}.mseed"
    out.write_bytes(b"".join(file.data for file in files))
    demo.products.append(out)
    return f"{first.stream}: {len(files)} channel-days as miniSEED"


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
        **example("stationday demo", "stationday demo out --source /data/sds --cluster processes:2"),
    )
    command.add_argument("folder", nargs="?", default="demo", metavar="DIR", help="default: demo")
    command.add_argument(
        "--source", action="append", metavar="S", help="miniSEED; may be given several times"
    )
    command.add_argument("--cluster", default="processes:2", metavar="PROFILE", help="default: processes:2")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    sources = args.source or _some_data()
    folder = Path(args.folder)
    folder.mkdir(parents=True, exist_ok=True)
    print(f"stationday demo: {', '.join(sources)} -> {folder}")
    with open_client(load_profile(args.cluster)) as client:
        runner: Runner = SerialRunner() if client is None else DaskRunner(client)
        demo = Demo(folder, sources, runner)
        for number, (name, step) in enumerate(STEPS, start=1):
            started = time.monotonic()
            line = step(demo)
            print(
                f"  {number}/{len(STEPS)} {name:<10} {time.monotonic() - started:5.1f} s  {line}", flush=True
            )
    print("look at:")
    for product in demo.products:
        print(f"  {product}")
    return demo.exit_status


def _some_data() -> list[str]:
    """Find waveforms to show: the developers' data, else the examples that obspy brings."""
    if (DATA / "continuous").is_dir():
        folders = ("chile-12h", "turkey-40min", "long-period-days", "california-3min")
        return [str(DATA / "continuous" / name) for name in folders if (DATA / "continuous" / name).is_dir()]
    import obspy

    examples = Path(obspy.__file__).parent / "io" / "mseed" / "tests" / "data"
    found = [str(examples / name) for name in _OBSPY_EXAMPLES if (examples / name).is_file()]
    if not found:
        raise ConfigError("no miniSEED to show: give --source FOLDER, or set STATIONDAY_DATA")
    return found


_OBSPY_EXAMPLES = ("test.mseed", "BW.BGLD.__.EHE.D.2008.001.first_10_records", "timingquality.mseed")
"""Real recordings in obspy's own package."""
