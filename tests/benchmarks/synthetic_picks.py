"""
A picker that nobody here wrote on a synthetic archive: PhaseNet with the weights of Zhu & Beroza (2019).

    make peers
    python -m tests.benchmarks.synthetic_picks       writes its section of docs/benchmarks/synthetic.md

SeisBench runs it, in the peers' environment; records with analysts' labels are the control. Arrivals are
those of the archive's truth. Every pick without one within half a second is false, whatever it is of.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from page_sections import put_section
from pick_scores import Marks, during, pair, score

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("STATIONDAY_DATA", ROOT.parent / "shared" / "data"))
WEIGHTS = DATA / "weights" / "phasenet" / "original.h5"
LABELLED = DATA / "picks" / "northern-california"
CONFIG = Path(__file__).parent / "configs" / "synthetic-scores.toml"
PAGE = ROOT / "docs" / "benchmarks" / "synthetic.md"
PEERS = ROOT / ".peers" / "bin" / "python"
TITLE = "# Synthetic archives"
HEADING = "## A picker nobody here wrote"
THRESHOLD = 0.3
WITHIN_S = 0.5
CLEAR_SNR = 10.0
SNR_EDGES = (2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, np.inf)
ABOUT = f"""
`python -m tests.benchmarks.synthetic_picks`, {{date}}: PhaseNet with the weights of Zhu & Beroza (2019),
run by {{versions}} in an environment of its own with an overlap of 1500 samples and thresholds of
{THRESHOLD:g}, on `tests/benchmarks/configs/{{config}}`: {{stations}} stations, {{hours:g}} hours, seed
{{seed}}, with which nothing was built. The control is 154 records of 90 s from northern California with P
at 30 s, and one P and one S of an analyst; of its false P most are followed by a false S about as late,
as those of earthquakes would be that nobody labelled.

A pick is true within {WITHIN_S} s of an arrival of its phase, one to one. Arrivals are asked for where
their SNR is at least {CLEAR_SNR:g}. Picks of smaller ones are neither true nor false; every other pick is
false, a second one and one of the other phase too. *Around clear events* are the same 90 s as in the
control, of each event and station with a clear arrival. Over the whole day precision tells how many
disturbances there are for each clear arrival, more than it tells of waveforms. The last columns are F1 with
less time to be right in, and mean and standard deviation of what was found.
"""
SLACK_NS = 10**9
BEFORE_S, AFTER_S = 30.0, 60.0
"""The span around P of the labelled records, in which picks of the archive are scored as those are."""

BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What is neither noise nor an earthquake of the catalog."""

    stream: NDArray[np.str_]
    kind: NDArray[np.str_]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What is true of the archive."""

    arrivals: Marks
    event: NDArray[np.str_]
    signals: Signals
    stations: int
    hours: float

    @property
    def clear(self) -> BoolArray:
        """Which arrivals should be found."""
        return self.arrivals.size >= CLEAR_SNR

    def around_clear(self) -> tuple[list[str], list[int], list[int]]:
        """Return streams, starts and ends of the spans around events with a clear arrival."""
        first: dict[tuple[str, str], int] = {}
        names = list(zip(self.arrivals.stream.tolist(), self.event.tolist(), strict=True))
        for name, time_ns in zip(names, self.arrivals.time_ns.tolist(), strict=True):
            first[name] = min(first.get(name, time_ns), time_ns)
        wanted = sorted({name for name, clear in zip(names, self.clear, strict=True) if clear})
        return (
            [stream for stream, _ in wanted],
            [first[name] - round(BEFORE_S * 1e9) for name in wanted],
            [first[name] + round(AFTER_S * 1e9) for name in wanted],
        )


def run_phasenet(source: Path, out: Path) -> Marks:
    """Pick a folder in the peers' environment."""
    script = Path(__file__).with_name("peer_phasenet.py")
    limit = ["--threshold", str(THRESHOLD)]
    command = [str(PEERS), "-W", "ignore", str(script), str(WEIGHTS), str(source), str(out), *limit]
    subprocess.run(command, check=True)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = ("stream", "phase", "time_ns", "probability")
    stream, phase, time_ns, size = ([row[name] for row in rows] for name in names)
    return Marks.of(stream, phase, [int(time) for time in time_ns], [float(value) for value in size])


def read_labels() -> tuple[Marks, BoolArray]:
    """Return what analysts picked, and whether on three components."""
    with (LABELLED / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    marks = Marks.of(
        [row["fname"] for row in rows for _ in "PS"],
        ["P", "S"] * len(rows),
        [round(float(row[name]) * 1e7) for row in rows for name in ("itp", "its")],
        np.full(2 * len(rows), np.inf),
    )
    return marks, np.array([row["channels"].count("_") == 2 for row in rows for _ in "PS"])


def make_archive(folder: Path) -> Archive:
    """Make the archive and read its truth."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipeline.synthetic.config import read_config
    from workflows.runners import SerialRunner
    from workflows.synth import synthesize

    config = read_config(str(CONFIG))
    summary = synthesize(config, str(folder), SerialRunner())
    assert summary.exit_status == 0, summary
    arrivals, signals = (pq.read_table(folder / f"truth/{name}.parquet") for name in ("arrivals", "signals"))

    def ns(table: pa.Table, name: str) -> NDArray[np.int64]:
        return np.asarray(table[name].cast(pa.int64()).to_numpy())

    def text(table: pa.Table, name: str) -> NDArray[np.str_]:
        return np.asarray(table[name].to_pylist(), dtype=np.str_)

    return Archive(
        arrivals=Marks.of(
            text(arrivals, "stream"),
            text(arrivals, "phase"),
            ns(arrivals, "pick_time"),
            arrivals["snr"].to_numpy(),
        ),
        event=text(arrivals, "event_id"),
        signals=Signals(
            stream=text(signals, "stream"),
            kind=text(signals, "kind"),
            start_ns=ns(signals, "start"),
            end_ns=ns(signals, "end"),
        ),
        stations=config.network.stations,
        hours=config.hours,
    )


def score_row(what: str, picks: Marks, arrivals: Marks, chosen: BoolArray, considered: BoolArray) -> str:
    """Return a row of the first table: of arrivals that are asked for and picks that may be false."""
    paired = pair(picks, arrivals, WITHIN_S)
    one = score(paired, chosen, considered)
    closer = [score(pair(picks, arrivals, limit), chosen, considered).f1 for limit in (0.2, 0.1)]
    hit = np.flatnonzero((paired >= 0) & chosen[paired])
    late_s = (picks.time_ns[hit] - arrivals.time_ns[paired[hit]]) / 1e9
    cells = [
        *(str(one.true + one.missed), str(one.true), str(one.false)),
        *(f"{one.precision:.3f}", f"{one.recall:.3f}", f"**{one.f1:.3f}**"),
        *(f"{f1:.3f}" for f1 in closer),
        f"{late_s.mean():+.3f} ± {late_s.std():.3f} s",
    ]
    return f"| {what} | " + " | ".join(cells) + " |"


def score_rows(control: Marks, picks: Marks, archive: Archive) -> Iterator[str]:
    """Score the control, then the archive around clear events, then all of it."""
    labels, three = read_labels()
    many = np.isin(control.stream, labels.stream[three])
    inside = during(picks, *archive.around_clear()).any(axis=0)
    everywhere = np.ones_like(inside)
    found, clear = archive.arrivals, archive.clear
    for phase in "PS":
        wanted, ours = labels.phase == phase, control.phase == phase
        for what, mask, theirs in (("3 components", three, many), ("Z alone", ~three, ~many)):
            yield score_row(f"control, {what}: {phase}", control, labels, mask & wanted, theirs & ours)
    for what, considered in (("around clear events", inside), ("the whole day", everywhere)):
        for phase in "PS":
            chosen, ours = clear & (found.phase == phase), considered & (picks.phase == phase)
            yield score_row(f"archive, {what}: {phase}", picks, found, chosen, ours)


def recall_rows(picks: Marks, archive: Archive) -> Iterator[str]:
    """Return how many arrivals of each SNR are found."""
    found = archive.arrivals
    hit = np.isin(np.arange(len(found.time_ns)), pair(picks, found, WITHIN_S))
    for low, high in zip((0.0, *SNR_EDGES), SNR_EDGES, strict=False):
        cells = []
        for phase in "PS":
            these = (found.phase == phase) & (found.size >= low) & (found.size < high)
            cells += [str(these.sum()), f"{hit[these].mean():.3f}" if these.any() else ""]
        yield f"| {low:g} | " + " | ".join(cells) + " |"


def cause_rows(picks: Marks, archive: Archive) -> Iterator[str]:
    """Say what the false picks are of: each is counted once, by the first cause that fits."""
    found, half_ns = archive.arrivals, round(WITHIN_S * 1e9)
    stray = pair(picks, found, WITHIN_S) < 0
    at = during(picks, found.stream, found.time_ns - half_ns, found.time_ns + half_ns)
    same = found.phase[:, None] == picks.phase
    second, other = (at & same).any(axis=0), (at & ~same).any(axis=0)
    yield _cause_row("a second pick of an arrival", "", "", picks, stray & second)
    yield _cause_row("the other phase of an event", "", "", picks, stray & other & ~second)
    rest = stray & ~second & ~other
    of = _kind_of(picks, archive.signals)
    for kind in sorted(set(archive.signals.kind.tolist())):
        yield _cause_row(kind, *_picked(picks, archive.signals, kind, stray), picks, rest & (of == kind))
    rest &= of == ""
    streams, starts, ends = archive.around_clear()
    later = np.asarray(starts, dtype=np.int64) + round(BEFORE_S * 1e9)
    coda = during(picks, streams, later, ends).any(axis=0)
    yield _cause_row("the minute after a clear P", "", "", picks, rest & coda)
    yield _cause_row("nothing that is known", "", "", picks, rest & ~coda)


def _kind_of(picks: Marks, signals: Signals) -> NDArray[np.str_]:
    """Return the kind of the signal that each pick lies in, of several the shortest; empty for none."""
    spans = during(picks, signals.stream, signals.start_ns - SLACK_NS, signals.end_ns + SLACK_NS)
    lasts = np.where(spans, (signals.end_ns - signals.start_ns)[:, None].astype(float), np.inf)
    return np.where(spans.any(axis=0), signals.kind[lasts.argmin(axis=0)], "")


def _picked(picks: Marks, signals: Signals, kind: str, stray: BoolArray) -> tuple[str, str]:
    """Return how many of a kind there are, and how many have a false pick: at their start, at any time."""
    of = signals.kind == kind
    stream, start, end = signals.stream[of], signals.start_ns[of], signals.end_ns[of]
    begun, ever = (
        int((during(picks, stream, start - SLACK_NS, stop + SLACK_NS) & stray).any(axis=1).sum())
        for stop in (start, end)
    )
    return str(of.sum()), f"{begun}; {ever}"


def _cause_row(what: str, count: str, picked: str, picks: Marks, mask: BoolArray) -> str:
    p, s = (int((mask & (picks.phase == phase)).sum()) for phase in "PS")
    return f"| {what} | {count} | {picked} | {p} | {s} |"


def write_section(control: Marks, picks: Marks, archive: Archive) -> str:
    """Return the section, with its heading."""
    return "\n".join(
        [
            HEADING,
            "",
            *_about(archive),
            "| | arrivals | found | false picks | precision | recall | F1 | 0.2 s | 0.1 s | pick − truth |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *score_rows(control, picks, archive),
            "",
            _about_spikes(picks, archive),
            "",
            "| SNR from | P arrivals | recall | S arrivals | recall |",
            "|---|---|---|---|---|",
            *recall_rows(picks, archive),
            "",
            "What the false picks of the whole day are of (picked: within 1 s of the start; at any time):",
            "",
            "| | how many | picked | false P | false S |",
            "|---|---|---|---|---|",
            *cause_rows(picks, archive),
            "",
        ]
    )


def _about(archive: Archive) -> Iterator[str]:
    """Say what was done, paragraph by paragraph."""
    from pipeline.synthetic.config import read_config

    values = {
        "date": f"{dt.datetime.now(tz=dt.UTC):%Y-%m-%d}",
        "versions": _versions(),
        "config": CONFIG.name,
        "stations": archive.stations,
        "hours": archive.hours,
        "seed": read_config(str(CONFIG)).seed,
    }
    for paragraph in ABOUT.format(**values).strip().split("\n\n"):
        yield " ".join(paragraph.split())
        yield ""


def _about_spikes(picks: Marks, archive: Archive) -> str:
    stray = pair(picks, archive.arrivals, WITHIN_S) < 0
    count, picked = _picked(picks, archive.signals, "spike", stray)
    return f"Spikes with a false pick within 1 s: {picked.partition(';')[0]} of {count}."


def _versions() -> str:
    code = "import importlib.metadata as m; print(m.version('seisbench'), m.version('torch'))"
    done = subprocess.run([str(PEERS), "-c", code], check=True, stdout=subprocess.PIPE, text=True)
    seisbench, torch = done.stdout.split()
    return f"SeisBench {seisbench} (torch {torch})"


def main() -> None:
    """Pick, score, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--print", action="store_true", help="print the section and write nothing")
    args = parser.parse_args()
    if not PEERS.exists():
        parser.error(f"{PEERS.parent.parent} is not there; `make peers` makes it")
    if not WEIGHTS.exists():
        parser.error(f"{WEIGHTS} is not there; set STATIONDAY_DATA")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        control = run_phasenet(LABELLED, folder / "control.csv")
        archive = make_archive(folder / "archive")
        picks = run_phasenet(folder / "archive" / "sds", folder / "picks.csv")
        section = write_section(control, picks, archive)
    print(section)
    if not args.print:
        PAGE.write_text(put_section(PAGE.read_text() if PAGE.exists() else TITLE, section))


if __name__ == "__main__":
    main()
