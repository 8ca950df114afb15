"""
Ingest and reading against obspy, xarray and the bare codecs, on one core and on two.

    python -m tests.benchmarks.ingest            writes docs/benchmarks/ingest.md

Station-days are made of chile-12h: each channel's twelve hours, then the same reversed, shifted from day to
day. The peer and we run in turn, in one process per run, with one thread each; ratios are taken pair by pair.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(os.environ.get("STATIONDAY_DATA", Path(__file__).parents[3] / "shared" / "data"))
PAGE = Path(__file__).parents[2] / "docs" / "benchmarks" / "ingest.md"
FIRST_DAY = dt.date(2014, 5, 5)
"""The first of a block, so that a station is one as long as its days fit."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    ours: str
    other: str
    ratio: str
    wanted: str


def make_station_days(folder: Path, stations: int, days: int) -> None:
    """Write an SDS tree; stations beyond the two of chile-12h are theirs, shifted."""
    import numpy as np

    sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
    from miniseed_files import records

    from pipeline.archive.packing import sds_path
    from pipeline.archive.readers import open_source
    from pipeline.keys import Channel

    for path in sorted((DATA / "continuous" / "chile-12h").glob("**/*.121")):
        (piece,), _ = open_source(path.read_bytes(), path.name).read(-(2**62), 2**62)
        half = piece.samples[:4_320_000]
        first = int(piece.channel.stream.station[-2:])
        for station, number in itertools.product(range(first, stations + 1, 2), range(days)):
            day = FIRST_DAY + dt.timedelta(days=number)
            samples = np.roll(np.concatenate([half, half[::-1]]), 1000 * number + 7000 * station)
            channel = Channel.parse(f"CX.PB{station:02d}..{piece.channel.code}")
            midnight = int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()) * 10**9
            target = folder / sds_path(channel, day)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(records(samples, midnight, 100.0, channel=str(channel), encoding="STEIM2"))


def station_days(folder: Path) -> Iterator[list[Path]]:
    """Group the files of a tree by station and day."""
    files = sorted((path for path in folder.glob("**/*.D.*") if path.is_file()), key=_station_day)
    for _, group in itertools.groupby(files, key=_station_day):
        yield list(group)


def _station_day(path: Path) -> tuple[str, ...]:
    network, station, _, _, _, year, day = path.name.split(".")
    return network, station, year, day


def ours(folder: Path, out: Path, cluster: str = "serial") -> float:
    """Ingest through the command's own function; return seconds, of the processor if there is no cluster."""
    from cluster import load_profile, open_client
    from workflows.ingest import Sources, ingest
    from workflows.runners import DaskRunner, SerialRunner

    with open_client(load_profile(cluster)) as client:
        if client is not None:
            workers = int(cluster.partition(":")[2])
            client.wait_for_workers(workers)
            client.run(_warm)
        else:
            _warm()
        clock = time.process_time if client is None else time.perf_counter
        begun = clock()
        report = ingest(
            Sources([str(folder)]), str(out), SerialRunner() if client is None else DaskRunner(client)
        )
        seconds = clock() - begun
    assert report.exit_status == 0, report
    return seconds


def _warm() -> None:
    """Import what the first block imports, as `peer` does: neither is measured by its imports."""
    import numpy as np
    import pcodec  # noqa: F401
    import pymseed  # noqa: F401
    import zarr.codecs.numcodecs  # noqa: F401

    import workflows.ingest.job  # noqa: F401
    from pipeline.archive.readers.steim import STEIM2, decode_steim

    none = np.empty(0, np.int64)
    decode_steim(np.frombuffer(b"", np.uint8), none, none, none, STEIM2, np.empty(0, np.int32))


def peer(folder: Path, out: Path) -> float:
    """Read with obspy, merge, stack, write with xarray, one store per station-day."""
    import numpy as np
    import obspy
    import xarray as xr

    obspy.read(next(station_days(folder))[0])
    xr.Dataset({"counts": ("time", np.zeros(9, np.int32))}).to_zarr(out / "warm", consolidated=False)
    begun = time.process_time()
    for number, files in enumerate(station_days(folder)):
        stream = obspy.Stream()
        for path in files:
            stream += obspy.read(path)
        stream.merge()
        samples = np.stack([trace.data for trace in stream])
        dataset = xr.Dataset({"counts": (("component", "time"), samples)})
        dataset.to_zarr(out / str(number), consolidated=False)
    return time.process_time() - begun


def codecs(folder: Path, out: Path) -> float:
    """Decode with libmseed and encode with pcodec, and nothing else: the floor."""
    import numpy as np
    from pcodec import ChunkConfig, standalone
    from pymseed import MS3TraceList

    from pipeline.archive.shard import PCODEC_LEVEL

    config = ChunkConfig(compression_level=PCODEC_LEVEL)
    seconds = 0.0
    for files in station_days(folder):
        blobs = [path.read_bytes() for path in files]
        begun = time.process_time()
        for blob in blobs:
            traces = MS3TraceList.from_buffer(blob, unpack_data=True)
            for samples in (np.frombuffer(s.datasamples, np.int32) for t in traces for s in t):
                for at in range(0, len(samples), 180_000):
                    standalone.simple_compress(samples[at : at + 180_000], config)
        seconds += time.process_time() - begun
    return seconds


RUNS: dict[str, Callable[[Path, Path], float]] = {
    "ours": ours,
    "peer": peer,
    "codecs": codecs,
    "one": lambda folder, out: ours(folder, out, "processes:1"),
    "two": lambda folder, out: ours(folder, out, "processes:2"),
}


def in_turn(names: tuple[str, ...], folder: Path, repeats: int) -> list[dict[str, float]]:
    """Run each in a process of its own, in turn, and repeat that."""
    rounds = []
    for _ in range(repeats):
        found = {}
        for name in names:
            os.sync()  # or the kernel writes out what the run before left, on the cores of this one
            with tempfile.TemporaryDirectory(dir=folder.parent) as out:
                found[name] = float(_child("run", name, str(folder), f"{out}/archive.zarr"))
        rounds.append(found)
        print({name: round(seconds, 2) for name, seconds in found.items()}, file=sys.stderr)
    return rounds


def _child(*arguments: str) -> str:
    from cluster.settings import WORKER_ENVIRONMENT

    command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.ingest", *arguments]
    done = subprocess.run(
        command, env=os.environ | WORKER_ENVIRONMENT, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip().splitlines()[-1]


def median_ratio(rounds: list[dict[str, float]], above: str, below: str) -> float:
    """Return the median of the ratios, pair by pair."""
    return statistics.median(found[above] / found[below] for found in rounds)


def reading(folder: Path, out: Path, repeats: int) -> tuple[float, ...]:
    """Return seconds of a day by obspy, by us, and by us on one thread, then of 60 s by us and by obspy."""
    import obspy

    from pipeline.archive.grid import day_number
    from pipeline.archive.reading import open_archive

    ours(folder, out)
    files = next(station_days(folder))
    archive = open_archive(str(out))
    row = archive.index.rows[0]
    assert row.first_day == FIRST_DAY
    n = row.grid.samples_per_day
    first = day_number(row.first_day) * n
    span = (row.stream, row.grid, "counts")

    def timed(function: Callable[[], object]) -> float:
        begun = time.perf_counter()
        function()
        return time.perf_counter() - begun

    seconds: list[list[float]] = [[], [], [], [], []]
    start = obspy.UTCDateTime(FIRST_DAY.isoformat()) + 36_000
    cuts = {"starttime": start, "endtime": start + 60}
    cores = str(os.cpu_count())
    for _ in range(repeats):
        for number, (threads, function) in enumerate(
            [
                (cores, lambda: [obspy.read(path) for path in files]),
                (cores, lambda: archive.read(*span, first, first + n)),
                ("1", lambda: archive.read(*span, first, first + n)),
                (cores, lambda: archive.read(*span, first + 3_600_000, first + 3_606_000)),
                (cores, lambda: [obspy.read(path, **cuts) for path in files]),
            ]
        ):
            os.environ["OMP_NUM_THREADS"] = threads
            seconds[number].append(timed(function))
    return tuple(statistics.median(values) for values in seconds)


def opening(out: Path) -> float:
    """Return seconds to open an archive of 5,000 stream-years."""
    import numpy as np

    from pipeline.archive.grid import DayGrid
    from pipeline.archive.index import Index, IndexRow
    from pipeline.archive.reading import open_archive
    from pipeline.archive.store import create_store
    from pipeline.keys import Stream

    full = np.ones(365, dtype=np.float32)
    grid = DayGrid.at_rate(100.0)
    rows = [
        IndexRow(Stream.parse(f"XX.S{number:03d}..HH"), grid, year, ("counts",), (0, 1, 2), full)
        for number in range(500)
        for year in range(2011, 2021)
    ]
    Index(rows).save(create_store(str(out)))
    begun = time.perf_counter()
    open_archive(str(out))
    return time.perf_counter() - begun


def sizes(out: Path) -> tuple[int, int]:
    """Return the bytes of chile-12h and of its archive, everything in it counted."""
    source = DATA / "continuous" / "chile-12h"
    ours(source, out)
    return (
        sum(path.stat().st_size for path in source.glob("**/*.121")),
        sum(path.stat().st_size for path in out.glob("**/*") if path.is_file()),
    )


def measure(stations: int, days: int, repeats: int) -> list[Row]:
    """Measure all."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "sds"
        make_station_days(folder, stations, days)
        count = days * stations
        serial = in_turn(("ours", "peer", "codecs"), folder, repeats)
        workers = in_turn(("one", "two"), folder, repeats)
        theirs, day, single, piece, their_piece = (
            float(value) for value in _child("reading", str(folder), f"{scratch}/r.zarr", "15").split()
        )
        before, after = (int(value) for value in _child("sizes", f"{scratch}/s.zarr").split())
        opened = float(_child("opening", f"{scratch}/o.zarr"))

    def median(rounds: list[dict[str, float]], name: str) -> str:
        return f"{statistics.median(found[name] for found in rounds) / count:.3f} s"

    return [
        Row("ingest a station-day, one core; obspy + merge + xarray", median(serial, "ours"),
            median(serial, "peer"), f"{median_ratio(serial, 'peer', 'ours'):.2f} ×", "≥ 2 ×"),
        Row("the same; libmseed decoding + pcodec encoding alone", median(serial, "ours"),
            median(serial, "codecs"), f"{median_ratio(serial, 'ours', 'codecs'):.2f} ×", "≤ 1.4 ×"),
        Row("two workers; one worker", median(workers, "two"), median(workers, "one"),
            f"{median_ratio(workers, 'one', 'two'):.2f} ×", "≥ 1.8 ×"),
        Row("chile-12h with all metadata; its Steim files", f"{after / 1e6:.2f} MB", f"{before / 1e6:.2f} MB",
            f"{after / before:.3f}", "≤ 0.82"),
        Row("read a station-day; obspy reads its files", f"{day * 1e3:.0f} ms", f"{theirs * 1e3:.0f} ms",
            f"{theirs / day:.2f} ×", "≥ 2 ×"),
        Row("the same on one thread, as in a worker", f"{single * 1e3:.0f} ms", f"{theirs * 1e3:.0f} ms",
            f"{theirs / single:.2f} ×", ""),
        Row("read 60 s; read the day", f"{piece * 1e3:.1f} ms", f"{day * 1e3:.0f} ms",
            f"{piece / day:.3f}", "≤ 0.1"),
        Row("read 60 s; obspy reads them from its files", f"{piece * 1e3:.1f} ms",
            f"{their_piece * 1e3:.0f} ms", f"{their_piece / piece:.1f} ×", ""),
        Row("open an archive of 5,000 stream-years", f"{opened * 1e3:.0f} ms", "", "", "< 1 s"),
    ]  # fmt: skip


def write(rows: list[Row], stations: int, days: int, repeats: int) -> str:
    """Return the page."""
    from importlib.metadata import version

    from pipeline.archive.shard import PCODEC_LEVEL

    count = days * stations
    made = (
        f"{count} station-days of three components at 100 Hz in {count * 3} Steim2 files, made of chile-12h; "
        f"a block for each station; pcodec level {PCODEC_LEVEL}. Medians of {repeats} rounds in which all "
        "run in turn, in processes of their own with the environment of our workers; ratios pair by pair. "
        "One core is measured in seconds of its processor, imports left out; two workers, and reading, "
        "by the clock."
    )
    names = ("stationday", "obspy", "xarray", "zarr", "pymseed", "pcodec", "numpy")
    lines = [
        "# Ingest and reading",
        "",
        f"`python -m tests.benchmarks.ingest --stations {stations} --days {days} --repeats {repeats}`, "
        f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}. {_processor()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}; " + ", ".join(f"{name} {version(name)}" for name in names) + ".",
        "",
        made,
        "",
        "| what; and what it is held against | ours | other | ratio | wanted |",
        "|---|---|---|---|---|",
        *(f"| {r.what} | {r.ours} | {r.other} | {r.ratio} | {r.wanted} |" for r in rows),
        "",
    ]
    return "\n".join(lines)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def main() -> None:
    """Measure and write the page; the other modes are its own child processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--stations", type=int, default=24)
    parser.add_argument("--days", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--print", action="store_true", help="print the page and write nothing")
    args = parser.parse_args()
    match args.mode:
        case ["run", name, folder, out]:
            print(RUNS[name](Path(folder), Path(out)))
        case ["reading", folder, out, repeats]:
            print(*reading(Path(folder), Path(out), int(repeats)))
        case ["sizes", out]:
            print(*sizes(Path(out)))
        case ["opening", out]:
            print(opening(Path(out)))
        case []:
            size = (args.stations, args.days, args.repeats)
            page = write(measure(*size), *size)
            print(page)
            if not args.print:
                PAGE.write_text(page)
        case _:
            parser.error(f"unknown mode {args.mode}")


if __name__ == "__main__":
    main()
