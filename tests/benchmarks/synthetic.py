"""
How fast a synthetic station-day is made, and whether memory stays flat.

    python -m tests.benchmarks.synthetic             writes its section of docs/benchmarks/synthetic.md

One process makes the days of one broadband station, as a task of `stationday synth` does: records, miniSEED,
truth. The floor is what cannot be left out: as many normal numbers, Fourier transforms of noise frames there
and back, and Steim2 of the day. Nobody else makes such archives, so there is no peer.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import scipy.fft

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from page_sections import put_section

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "synthetic.md"
HEADING = "## Speed"
SEED = 4711
EVENTS_PER_DAY = 150.0
"""Of the background; with their aftershocks some 200 reach the station."""


def days_of(count: int, *, per_day: float) -> tuple[list[float], list[int], list[float]]:
    """Make days; return seconds of the processor, events, and resident megabytes after each."""
    from pipeline.synthetic.config import EarthquakeConfig, NetworkConfig, SynthConfig
    from pipeline.synthetic.layout import Region
    from pipeline.synthetic.scenario import make_scenario
    from workflows.synth import _make_day

    config = SynthConfig(
        seed=SEED,
        start=dt.datetime(2020, 3, 1, tzinfo=dt.UTC),
        hours=24.0 * count,
        region=Region(latitude=38.0, longitude=21.5, width_km=80.0, height_km=60.0),
        network=NetworkConfig(stations=1),
        earthquakes=EarthquakeConfig(per_day=per_day),
    )
    scenario = make_scenario(config)
    (stream,) = scenario.stations[0].streams
    first = config.start_ns // 86_400_000_000_000
    seconds, events, resident = [], [], []
    for day in range(first, first + count):
        begun = time.process_time()
        amplitudes: list[object] = []
        _make_day(scenario, stream, day, [], amplitudes)  # type: ignore[arg-type]
        seconds.append(time.process_time() - begun)
        events.append(len(amplitudes))
        resident.append(psutil.Process().memory_info().rss / 1e6)
    return seconds, events, resident


def floor() -> float:
    """Draw, transform and pack one day, and nothing else."""
    from pipeline.archive.packing import pack_records
    from pipeline.keys import Channel

    rng = np.random.Generator(np.random.SFC64(1))
    begun = time.process_time()
    for code in ("HHZ", "HHN", "HHE"):
        noise = rng.standard_normal(8_640_000, dtype=np.float32)
        for frame in range(192):
            spectrum = scipy.fft.rfft(noise[frame * 45_000 :][:48_000])
            scipy.fft.irfft(spectrum), scipy.fft.irfft(spectrum)
        counts = np.rint(noise * np.float32(3000)).astype(np.int32)
        pack_records(Channel("SY", "S01", "", code), counts, 0, 100.0, rank=2)
    return time.process_time() - begun


def section(days: int) -> str:
    """Measure, and tell."""
    days_of(1, per_day=EVENTS_PER_DAY)  # compiles and imports
    bare = statistics.median(floor() for _ in range(3))
    quiet, _, _ = days_of(6, per_day=0.01)
    seconds, events, resident = days_of(days, per_day=EVENTS_PER_DAY)
    settled = resident[4]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    worst = int(np.argmax(seconds))
    per_event_ms = 1e3 * (statistics.mean(seconds) - statistics.mean(quiet)) / statistics.mean(events)
    rows = {
        "drawing, transforming and packing a day, and nothing else": f"{bare:.2f} s",
        "a station-day of noise and disturbances": f"{statistics.mean(quiet):.2f} s",
        f"a station-day with {statistics.mean(events):.0f} events (4 s wanted at 200)": (
            f"**{statistics.mean(seconds):.2f} s**, at most {seconds[worst]:.2f} s with {events[worst]}"
        ),
        "an event": f"{per_event_ms:.1f} ms",
        f"memory after day 5, after day {days}, at most": f"{settled:.0f}, {resident[-1]:.0f}, {peak:.0f} MB",
    }
    table = "\n".join(f"| {what} | {value} |" for what, value in rows.items())
    return (
        f"{HEADING}\n\n`python -m tests.benchmarks.synthetic`, {dt.datetime.now(dt.UTC):%Y-%m-%d}, one core: "
        "three components at 100 Hz, made and written as a task does (seconds of the processor).\n\n"
        f"| | |\n|---|---|\n{table}\n"
    )


def main() -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.synthetic")
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--print", action="store_true", help="print the section instead of writing it")
    args = parser.parse_args()
    text = section(args.days)
    if args.print:
        print(text)
    else:
        PAGE.write_text(put_section(PAGE.read_text(), text))


if __name__ == "__main__":
    main()
