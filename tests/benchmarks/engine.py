"""
What the engine costs: empty blocks through all of it, against a bare loop over futures.

    python -m tests.benchmarks.engine --output docs/benchmarks/engine.md

The bare loop is what one writes without an engine: a window of futures, `as_completed` in batches, `gather`,
and as many new futures as came back. It has the engine's window, on the same cluster, and the two take turns.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import distributed
import psutil
from distributed import Client, LocalCluster, as_completed
from distributed.deploy.subprocess import SubprocessCluster

from pipeline.keys import Stream, blocks_between
from pipeline.objects import open_objects
from workflows.execute import execute
from workflows.ledger import BlockResult, DayRecord, Ledger
from workflows.plan import Plan, Task, fingerprint, plan
from workflows.runners import DaskRunner

WORKERS = 2
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2019, 12, 31)
DAYS = tuple(DayRecord(FIRST + dt.timedelta(days=n)) for n in range(31))
OPTIONS = fingerprint({"threshold": 0.3, "model": "none"})


def list_tasks(count: int) -> Iterator[Task]:
    """Make tasks as a stage does: streams of 20 years, with a digest for each day."""
    made = 0
    while made < count:
        for block in islice(
            blocks_between(Stream("XX", f"S{made:06d}", "", "HH"), FIRST, LAST), count - made
        ):
            days = [f"{made:032x}"] * 31
            yield Task.of(str(block), (made, 31), stage=("empty", 1), options=OPTIONS, days=days)
            made += 1


def empty(task: Task) -> BlockResult:
    """Do nothing."""
    return task.result()


def empty_days(task: Task) -> BlockResult:
    """Do nothing, for each of 31 days."""
    return task.result(DAYS)


def nothing(number: int) -> None:
    """Do nothing, without even a task."""


def run_bare(client: Client, blocks: int, window: int) -> None:
    """Send numbers through a bounded window of futures."""
    numbers, done = iter(range(blocks)), 0
    completed = as_completed(client.map(nothing, list(islice(numbers, window)), pure=False), loop=client.loop)
    for batch in completed.batches():
        client.gather(batch)
        done += len(batch)
        if more := list(islice(numbers, len(batch))):
            completed.update(client.map(nothing, more, pure=False))
    assert done == blocks


def run_singly(client: Client, blocks: int, window: int) -> None:
    """Do the same as tutorials do: each result and each new future by itself."""
    numbers, done = iter(range(blocks)), 0
    futures = [client.submit(nothing, number, pure=False) for number in islice(numbers, window)]
    completed = as_completed(futures, loop=client.loop)
    del futures
    for future in completed:
        future.result()
        done += 1
        for number in islice(numbers, 1):
            completed.add(client.submit(nothing, number, pure=False))
    assert done == blocks


def run_engine(
    client: Client, blocks: int, folder: Path, function: Callable[[Task], BlockResult] = empty
) -> None:
    """Plan, stream and record."""
    with Ledger(open_objects(folder)) as ledger:
        planned = plan(list_tasks(blocks), ledger)
        summary = execute("empty", function, planned, ledger, DaskRunner(client))
    assert (summary.finished, summary.exit_status) == (blocks, 0), summary


def run_again(blocks: int, folder: Path) -> Plan:
    """Find everything done."""
    with Ledger(open_objects(folder)) as ledger:
        planned = plan(list_tasks(blocks), ledger)
    assert not planned.todo
    return planned


class Cost(NamedTuple):
    """Time of one call in s: on the clock, and of this process's CPU, which other jobs disturb less."""

    wall: float
    cpu: float


def cost_of(function: Callable[..., object], *arguments: object) -> Cost:
    """Time one call."""
    started = Cost(time.perf_counter(), time.process_time())
    function(*arguments)
    return Cost(time.perf_counter() - started.wall, time.process_time() - started.cpu)


@dataclass
class Memory:
    """Resident memory of some processes over time, in MB."""

    samples: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def watch(self, pids: Mapping[str, int]) -> Iterator[None]:
        """Sample twice a second."""
        stop = threading.Event()
        processes = {name: psutil.Process(pid) for name, pid in pids.items()}

        def sample() -> None:
            while not stop.wait(0.5):
                for name, process in processes.items():
                    self.samples.setdefault(name, []).append(process.memory_info().rss / 1e6)

        thread = threading.Thread(target=sample, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def rows(self) -> Iterator[str]:
        """Say what each process held after the first tenth of the time, half of it, and all."""
        for name, samples in self.samples.items():
            tenth, half, end = (
                samples[min(int(len(samples) * share), len(samples) - 1)] for share in (0.1, 0.5, 1)
            )
            most = max(samples[len(samples) // 10 :])
            yield f"| {name} | {tenth:.0f} | {half:.0f} | {end:.0f} | {most:.0f} | {end - tenth:+.0f} |"


@dataclass
class Figures:
    """All that is measured."""

    blocks: int
    bare: list[Cost] = field(default_factory=list)
    engine: list[Cost] = field(default_factory=list)
    again: list[Cost] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    singly: float = 0.0
    with_days: float = 0.0
    record: float = 0.0
    load: float = 0.0
    memory: Memory = field(default_factory=Memory)


def measure_pace(figures: Figures, folder: Path, repeats: int) -> None:
    """Let the bare loop and the engine take turns on one cluster, the scheduler in this process."""
    few = max(figures.blocks // 10, 1)
    with (
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address="127.0.0.1:0"
        ) as dask_cluster,
        Client(dask_cluster, set_as_default=False) as client,
    ):
        window = max(WORKERS * DaskRunner(client).per_slot, DaskRunner(client).smallest_window)
        run_bare(client, 1000, window)
        for repeat in range(repeats):
            figures.bare.append(cost_of(run_bare, client, figures.blocks, window))
            figures.engine.append(cost_of(run_engine, client, figures.blocks, folder / f"{repeat}"))
            figures.again.append(cost_of(run_again, figures.blocks, folder / f"{repeat}"))
            figures.loads.append(os.getloadavg()[0])
            print(turn_row(figures, repeat), flush=True)
        figures.singly = cost_of(run_singly, client, few, window).wall / few
        figures.with_days = cost_of(run_engine, client, few, folder / "days", empty_days).wall / few


def measure_memory(figures: Figures, folder: Path) -> None:
    """Run the engine with the scheduler in a process of its own."""
    with (
        SubprocessCluster(
            n_workers=WORKERS, scheduler_kwargs={"dashboard": False}, worker_kwargs={"nthreads": 1}
        ) as dask_cluster,
        Client(dask_cluster, set_as_default=False) as client,
    ):
        pids = {"driver": os.getpid(), "scheduler": client.run_on_scheduler(os.getpid)}
        with figures.memory.watch(pids):
            run_engine(client, figures.blocks, folder / "memory")


def measure_ledger(figures: Figures, folder: Path, rows: int = 1_000_000) -> None:
    """Record and load a large ledger."""
    ledger = Ledger(open_objects(folder / "large"))
    results = [
        BlockResult(f"XX.S{n:07d}..HH/2020.03", f"{n:032x}", parts="days=0123abcd") for n in range(rows)
    ]
    started = time.perf_counter()
    for result in results:
        ledger.record(result)
    ledger.flush()
    figures.record = (time.perf_counter() - started) / rows
    del results
    figures.load = cost_of(ledger.latest).wall


def turn_row(figures: Figures, turn: int) -> str:
    """Say what one turn gave."""
    bare, engine = figures.bare[turn], figures.engine[turn]
    return (
        f"| {turn + 1} | {bare.wall:.1f} s | {engine.wall:.1f} s | **{engine.wall / bare.wall:.2f}** | "
        f"{bare.cpu:.1f} s | {engine.cpu:.1f} s | {engine.cpu / bare.cpu:.2f} | {figures.loads[turn]:.1f} |"
    )


def report(figures: Figures, command: str) -> str:
    """Write the page."""
    bare, engine, again = (
        statistics.median(cost.wall for cost in costs) / figures.blocks * 1e6
        for costs in (figures.bare, figures.engine, figures.again)
    )
    turns = "\n".join(turn_row(figures, turn) for turn in range(len(figures.bare)))
    memory = "\n".join(figures.memory.rows())
    return f"""# Engine

What the engine adds to Dask: {figures.blocks:,} empty blocks, planned, handed out and recorded. The bare loop
keeps the same window of futures with `as_completed(...).batches()`, on the same `LocalCluster`
({WORKERS} processes of one thread, the scheduler in the driver's process). The two take turns. The target is
a ratio of at most 1.3 on the clock. CPU is that of the driver's process; a load above {WORKERS + 1} means
that other jobs ran on the machine, and that the clock tells little.

| turn | bare loop | engine | ratio | bare, CPU | engine, CPU | ratio, CPU | load |
|---|---|---|---|---|---|---|---|
{turns}

| per block, median | µs |
|---|---|
| an empty future in batches, which is the bare loop | {bare:.0f} |
| an empty future submitted and awaited singly, as tutorials do | {figures.singly * 1e6:.0f} |
| the engine: fingerprints, plan, window, ledger | {engine:.0f} |
| the engine, blocks that bring 31 days | {figures.with_days * 1e6:.0f} |
| another run, which finds all of it done | {again:.0f} |

That other run took {again * figures.blocks / 1e6:.1f} s (target: under 20 s).

Resident memory in MB over a run of {figures.blocks:,} blocks, the scheduler in a process of its own. The
runner has it empty Dask's cache of the names of keys (`dask.utils.key_split`, at most 100,000) every 5,000
blocks; left alone, that cache made the scheduler grow by 22 MB:

| | after a tenth | half | end | most after a tenth | growth from a tenth to the end |
|---|---|---|---|---|---|
{memory}

A ledger of a million blocks takes {figures.record * 1e6:.1f} µs to record each, and \
{figures.load:.2f} s to load (target: under 2 s).

Machine: {machine()}.
Made by `{command}` on {dt.datetime.now(dt.UTC):%Y-%m-%d}.
"""


def machine() -> str:
    """Describe the machine and what runs on it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    memory = psutil.virtual_memory().total / 2**30
    versions = f"Python {platform.python_version()}, distributed {distributed.__version__}"
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB; {versions}"


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print the page or write it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.engine", description=__doc__.split("\n\n")[0]
    )
    parser.add_argument("--blocks", type=int, default=50_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--output", type=Path, help="where to write the page; printed unless given")
    options = parser.parse_args(arguments)
    figures = Figures(options.blocks)
    with tempfile.TemporaryDirectory() as folder:
        measure_pace(figures, Path(folder), options.repeats)
        measure_memory(figures, Path(folder))
        measure_ledger(figures, Path(folder))
    output = f" --output {options.output}" if options.output else ""
    page = report(figures, f"python -m tests.benchmarks.engine --blocks {options.blocks}{output}")
    if options.output:
        options.output.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
