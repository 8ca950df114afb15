"""
How fast the power spectra of a station-day are made, against obspy's PPSD and against what can't be left out.

    python -m tests.benchmarks.noise             writes docs/benchmarks/noise.md

A day of three components at 100 Hz is made of chile-12h twice. All run in turn on one core, in seconds of
the processor. What can't be left out is the transforms, as the fastest library at hand makes them, and of a
station-day those and reading it; its product is levels and the quality of its samples.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.settings import WORKER_ENVIRONMENT

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

DATA = Path(os.environ.get("STATIONDAY_DATA", Path(__file__).parents[3] / "shared" / "data"))
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "noise.md"
RATE = 100
SAMPLES = RATE * 86400


def make_day(folder: Path) -> Any:
    """Write a day of PB01 as miniSEED, and return its traces."""
    import numpy as np
    import obspy

    day = obspy.UTCDateTime(2014, 5, 1)
    traces = obspy.Stream()
    for path in sorted((DATA / "continuous" / "chile-12h" / "2014" / "CX" / "PB01").glob("HH?.D/*")):
        half = obspy.read(path)[0]
        counts = np.concatenate([half.data, half.data])[:SAMPLES].astype(np.int32)
        header = {"network": "CX", "station": "PB01", "channel": half.stats.channel, "sampling_rate": RATE}
        traces.append(obspy.Trace(counts, header | {"starttime": day}))
    traces.write(str(folder / "day.mseed"), format="MSEED", encoding="STEIM2")
    return traces


def tasks(folder: Path) -> tuple[dict[str, Callable[[], Any]], int]:
    """Return what is timed, by name, and how many sub-windows a channel-day has."""
    import numpy as np
    import obspy
    import scipy.fft
    import torch
    from archives import make_archive
    from obspy.signal import PPSD

    from pipeline.archive.stations import read_stations
    from pipeline.noise.periods import period_bins, response_db
    from pipeline.noise.psd import window_levels
    from pipeline.noise.record_quality import record_quality
    from pipeline.noise.spectral_windows import SpectralWindows
    from pipeline.signal import gaps
    from workflows.noise.job import measure_block

    traces = make_day(folder)
    archive, _ = make_archive(str(folder / "a.zarr"), folder / "day.mseed")
    row = archive.index.rows[0]
    first = (obspy.UTCDateTime(2014, 5, 1).ns // 86_400_000_000_000) * SAMPLES
    document = DATA / "continuous" / "california-3min" / "stations.xml"
    stations = read_stations(document.read_bytes())
    channel = next(one for one in stations.channels if str(one).endswith("HHZ"))
    time_ns = obspy.UTCDateTime(2020, 10, 1).ns
    inventory = obspy.read_inventory(str(document))
    theirs = inventory.get_response(str(channel), obspy.UTCDateTime(ns=time_ns))
    windows = SpectralWindows(samples_per_day=SAMPLES)
    counts = np.stack([trace.data for trace in traces])
    options: dict[str, Any] = {"first": first, "windows": windows}
    all_there = np.zeros(SAMPLES, dtype=bool)

    def read() -> Any:
        return archive.read(row.stream, row.grid, "counts", first, first + SAMPLES)

    def product() -> Any:  # vertical, north, east
        bins = period_bins(windows.frequencies_hz)
        response = stations.frequency_response(
            channel, time_ns, windows.frequencies_hz, output="acceleration"
        )
        samples = read()
        missing = gaps.missing(samples, fill_value=-(2**31))
        levels = window_levels(samples, missing=missing, bins=bins, **options)
        quality = [
            record_quality(one, RATE, missing=gone) for one, gone in zip(samples, missing, strict=True)
        ]
        return levels.level_db - response_db(bins, response), quality

    task = stage_task(folder, archive, stations, channel, time_ns)

    def peer() -> Any:
        ppsd = PPSD(traces[2].stats, theirs)
        begun = time.process_time()
        ppsd.add(traces[2].copy())
        return time.process_time() - begun, np.array(ppsd.psd_values)

    bins = period_bins(windows.frequencies_hz)
    starts = windows.starts_between(first, first + SAMPLES - windows.length + 1)
    batch = torch.randn(windows.sub_count, windows.sub_length)
    spectra = torch.fft.rfft(batch)

    def transforms() -> None:
        for _ in starts:
            torch.fft.rfft(batch, out=spectra)

    def scipys() -> None:
        for _ in starts:
            scipy.fft.rfft(batch.numpy())

    return {
        "obspy": peer,
        "ours": lambda: window_levels(counts[2], missing=all_there, bins=bins, **options),
        "float64": lambda: window_levels(
            counts[2], missing=all_there, bins=bins, precision="float64", **options
        ),
        "transforms": transforms,
        "scipy": scipys,
        "read": read,
        "product": product,
        "stage": lambda: measure_block(task),
        "samples": lambda: record_quality(counts[2], RATE),
    }, windows.sub_count * starts.size


def stage_task(folder: Path, archive: Any, stations: Any, channel: Any, time_ns: int) -> Any:
    """Return the task of the block that holds the day, with a response for each component."""
    from dataclasses import replace

    from pipeline.archive.layouts import Wanted
    from pipeline.archive.stations import Stations
    from pipeline.keys import Channel
    from workflows.noise import NoiseConfig, product_of
    from workflows.noise.job import make_groups
    from workflows.noise.tasks import block_tasks, measured_streams

    epoch = stations.find(channel, time_ns)
    named = [Channel("CX", "PB01", "", code) for code in ("HHZ", "HHN", "HHE")]
    archive._stations = Stations(
        tuple(replace(epoch, channel=each, start_ns=0, end_ns=None) for each in named)
    )
    config = NoiseConfig()
    product = product_of(archive.url, archive.store.options.block_days, config, str(folder / "noise"))
    streams, _ = measured_streams(archive, config, Wanted())
    (task,) = block_tasks(archive, streams, config, product.blocks, wanted=Wanted())
    make_groups(archive, product.blocks, config, [task])
    return task


def measure(repeats: int) -> tuple[dict[str, list[float]], Any, int]:
    """Run all in turn; return seconds by name, how far we are from obspy in dB, and the transforms."""
    import numpy as np

    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        timed, count = tasks(Path(scratch))
        difference = np.abs(timed["product"]()[0][0] - timed["obspy"]()[1])
        for function in timed.values():
            function()  # compiles and imports
        for _ in range(repeats):
            for name, function in timed.items():
                begun = time.process_time()
                result = function()
                spent = time.process_time() - begun
                seconds.setdefault(name, []).append(result[0] if name == "obspy" else spent)
    return seconds, difference, count


def _neighbours(load: float) -> str:
    return (
        f"The machine's load was {load:.1f}: above 1.5 other jobs share its caches and memory, and the times"
        " of one thing differ by a half."
    )


def write(seconds: dict[str, list[float]], difference: Any, count: int, repeats: int, load: float) -> str:
    """Return the page."""
    from importlib.metadata import version

    import numpy as np

    seconds["floor"] = [
        read + 3 * fft for read, fft in zip(seconds["read"], seconds["transforms"], strict=True)
    ]

    def row(what: str, ours: str, other: str, wanted: str = "", *, other_over_ours: bool = False) -> str:
        pair = (other, ours) if other_over_ours else (ours, other)
        above, below = (seconds[name] for name in pair)
        typical = statistics.median(a / b for a, b in zip(above, below, strict=True))
        least = [min(seconds[ours]), min(seconds[other])]
        return (
            f"| {what} | {least[0]:.3f} s | {least[1]:.3f} s | {min(above) / min(below):.2f} × |"
            f" {typical:.2f} × | {wanted} |"
        )

    rows = [
        row("levels of a channel-day; obspy's PPSD", "ours", "obspy", "≥ 10 ×", other_over_ours=True),
        row(f"the same; its {count} transforms alone", "ours", "transforms"),
        row(
            "levels and quality of a station-day, read, with its response; reading it and its transforms",
            "product",
            "floor",
            "≤ 2 ×",
        ),
        row(
            "the stage's task of that day, its arrays and its table written; the same floor",
            "stage",
            "floor",
            "≤ 2 ×",
        ),
        row("levels of a channel-day in float64; in float32", "float64", "ours"),
        row("transforms by scipy; by torch", "scipy", "transforms"),
        row("gaps, spikes, flat tops of a channel-day; its levels", "samples", "ours"),
    ]
    names = ("stationday", "obspy", "torch", "scipy", "numpy", "numba")
    table = "\n".join(rows)
    return (
        "# Noise\n\n"
        f"`python -m tests.benchmarks.noise --repeats {repeats}`, {dt.datetime.now(dt.UTC):%Y-%m-%d}. "
        f"{os.cpu_count()} cores ({platform.machine()}), of which one is used; Python "
        f"{platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in names) + ".\n\n"
        "A day of three components at 100 Hz, made of chile-12h twice, with the response of a Californian "
        f"station. Seconds of the processor with one thread, imports left out: the least of {repeats} rounds "
        "in which all run in turn, the ratio of these, and the median of the ratios round by round. "
        f"{_neighbours(load)}\n\n"
        "| what; and what it is held against | ours | other | ratio | median ratio | wanted |\n"
        "|---|---|---|---|---|---|\n"
        f"{table}\n\n"
        f"The levels of the channel-day differ from obspy's by {np.median(difference):.1e} dB in the median "
        f"and {difference.max():.1e} dB at most, of {difference.size:,} (wanted: 0.02 and 0.1 dB).\n"
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.noise")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--print", action="store_true", help="print the page instead of writing it")
    args = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in WORKER_ENVIRONMENT.items()):
        command = [sys.executable, "-m", "tests.benchmarks.noise", *sys.argv[1:]]
        subprocess.run(command, env=os.environ | WORKER_ENVIRONMENT, check=True)
        return
    found = measure(args.repeats)
    text = write(*found, args.repeats, os.getloadavg()[0])
    if args.print:
        print(text)
    else:
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
