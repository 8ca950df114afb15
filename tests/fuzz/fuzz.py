"""
Damage real and written files at random for a stated time, and read them.

What must hold of every input:

=========  ==========================================================================================
crash      nothing but SourceError is raised, and an ingest of it fails no block
hang       at most 10 s
memory     at most 512 MB of address space beyond what the process has when it starts, and at most 1 GB in use
           when an ingest has ended: a damaged rate may reserve days of samples, but touches few
lost       the samples of a record that is whole are there, or a loss is said
wrong      a sample that is there is one of the originals, at its time and in its channel; of files in which
           each byte is under a checksum (miniSEED 3), and of Steim records in miniSEED 2 whose header is
           whole. What a damaged header of miniSEED 2 says, or a number in text or in plain integers, can be
           told from what was recorded by nobody.
=========  ==========================================================================================

Steim states its last sample. A damage that keeps the sum of all differences is not seen, as two words that
changed places: such inputs are counted, as ``unseen``.

    python tests/fuzz/fuzz.py --seconds 900 --seed 1          says what was found, exit status 1 if anything
    python tests/fuzz/fuzz.py --seed 1 --only 4711            one input again
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import io
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(Path(__file__).parent)]

from mutations import Damaged, Original, Record, mutate  # noqa: E402
from originals import MAP, find_originals  # noqa: E402

from pipeline.archive.pieces import Piece, sample_times_ns  # noqa: E402
from pipeline.archive.readers import Problem, open_source, parse_rule, peek_source  # noqa: E402
from pipeline.config import to_toml  # noqa: E402
from pipeline.errors import SourceError  # noqa: E402
from workflows.cli import main as stationday  # noqa: E402

EVER = (-(2**62), 2**62)
HANG_S = 10
MEMORY_BYTES = 512 << 20
USED_BYTES = 1 << 30
INGEST_EVERY = 40
HEADER_BYTES = 64
STEIM = (10, 11)


class Finding(Exception):
    """Something that should not be, by its kind."""


def read(data: bytes, name: str) -> tuple[list[Piece], list[Problem]]:
    """Open and read all of a file; one that can't be opened is a loss."""
    peek_source(data[:4096], data[-4096:], len(data), name)
    try:
        file = open_source(data, name, parse_rule(MAP.rule_for(name)))
    except SourceError as error:
        return [], [Problem("refused", str(error))]
    pieces, problems = file.read(*EVER)
    return pieces, [*file.content.problems, *problems]


def _as_floats(samples: Any) -> Any:
    with np.errstate(invalid="ignore"):  # a damaged float may be a NaN that signals
        return samples.astype(np.float64)


class Truth:
    """All samples of some records, by channel and rate, in order of time."""

    def __init__(self, records: Sequence[Record]) -> None:
        self._of: dict[tuple[str, float], tuple[Any, Any]] = {}
        parts: dict[tuple[str, float], list[Record]] = {}
        for record in records:
            parts.setdefault((record.channel, record.rate_hz), []).append(record)
        for key, members in parts.items():
            times = [sample_times_ns(r.start_ns, r.rate_hz, len(r.samples)) for r in members]
            time_ns = np.concatenate(times)
            order = np.argsort(time_ns, kind="stable")
            values = np.concatenate([_as_floats(r.samples) for r in members])
            self._of[key] = time_ns[order], values[order]

    def lacks(self, channel: str, rate_hz: float, time_ns: Any, values: Any) -> Any:
        """Tell which samples are none of these: equal, and within half a sample."""
        known, of = self._of.get((channel, rate_hz), (np.empty(0, np.int64), np.empty(0)))
        half = 0.5e9 / rate_hz
        low = np.searchsorted(known, time_ns - half)
        high = np.searchsorted(known, time_ns + half, side="right")
        lacking = np.ones(len(time_ns), dtype=bool)
        for step in range(int((high - low).max(initial=0))):
            at = np.minimum(low + step, len(known) - 1)
            same = (of[at] == values) | (np.isnan(of[at]) & np.isnan(values))
            lacking &= ~((low + step < high) & same)
        return lacking


def truth_of(pieces: Sequence[Piece]) -> Truth:
    """Return what was read as a truth of its own."""
    return Truth([Record(0, 0, str(p.channel), p.start_ns, p.nominal_rate_hz, p.samples) for p in pieces])


def wrong_samples(pieces: Sequence[Piece], truth: Truth) -> int:
    """Count samples that are none of the originals at their time."""
    count = 0
    for p in pieces:
        times = sample_times_ns(p.start_ns, p.rate_hz, len(p.samples))
        values = _as_floats(p.samples)
        count += int(truth.lacks(str(p.channel), p.nominal_rate_hz, times, values).sum())
    return count


def lost_records(pieces: Sequence[Piece], whole: Sequence[Record]) -> int:
    """Count the whole records that are not there."""
    there = truth_of(pieces)
    count = 0
    for r in whole:
        times = sample_times_ns(r.start_ns, r.rate_hz, len(r.samples))
        count += bool(there.lacks(r.channel, r.rate_hz, times, _as_floats(r.samples)).any())
    return count


def is_under_checks(damaged: Damaged, originals: Sequence[Original]) -> str:
    """
    Tell what guards the samples of an input: ``checksum``, ``steim`` or nothing.

    With Steim, the header of each damaged record must be whole, or must not be one at all any more.
    """
    numbers = set((damaged.origin[damaged.origin >= 0] >> 40).tolist())
    if all(originals[number].is_protected for number in numbers):
        return "checksum"
    if not all(originals[n].is_protected or "STEIM" in originals[n].name for n in numbers):
        return ""
    contiguous = np.concatenate(([False], np.diff(damaged.origin) == 1))
    for number in numbers:
        for record in originals[number].records:
            if originals[number].is_protected:
                continue
            start = (number << 40) + record.offset
            touched = (damaged.origin >= start) & (damaged.origin < start + HEADER_BYTES)
            for at in np.flatnonzero(touched & ~contiguous):
                if damaged.origin[at] != start or at + HEADER_BYTES > len(damaged):
                    return ""
            ends = np.flatnonzero(damaged.origin == start)
            for at in ends:
                if not contiguous[at + 1 : at + HEADER_BYTES].all() or at + HEADER_BYTES > len(damaged):
                    return ""
    return "steim"


def ingest(data: bytes, name: str) -> None:
    """Bring an input into an archive: no block may fail, and nothing unforeseen may end it."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / "sources").mkdir()
        (Path(folder) / "sources" / name).write_bytes(data)
        (Path(folder) / "map.toml").write_text(to_toml(MAP))
        err = io.StringIO()
        command = ["ingest", f"{folder}/sources", "--archive", f"{folder}/a.zarr"]
        command += ["--map", f"{folder}/map.toml", "--cluster", "serial", "--quiet"]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
            status = stationday(command)
        if status not in (0, 1) or ": failed: " in err.getvalue() or "stationday:" in err.getvalue():
            raise Finding(f"crash: ingest: status {status}: {err.getvalue()[:2000]}")


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    """Let what takes too long be a finding; what does not even hear of it ends the process."""

    def end(*_: object) -> None:
        raise Finding(f"hang: more than {HANG_S} s")

    signal.signal(signal.SIGALRM, end)
    signal.alarm(HANG_S)
    faulthandler.dump_traceback_later(6 * HANG_S, exit=True)
    try:
        yield
    finally:
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()


class Fuzz:
    """A run: originals, their truth, and what was counted."""

    def __init__(self, originals: Sequence[Original], seed: int) -> None:
        self.originals = originals
        self.seed = seed
        self.truth = Truth([record for original in originals for record in original.records])
        self.counts: Counter[str] = Counter()
        self.slowest_s = 0.0
        self.used_bytes = most_used_bytes()

    def make(self, number: int) -> Damaged:
        """Make an input; the same number gives the same one."""
        return mutate(np.random.default_rng([self.seed, number]), self.originals)

    def one(self, number: int) -> None:
        """Check an input; raises what is wrong."""
        damaged = self.make(number)
        data = damaged.data.tobytes()
        first = damaged.origin[damaged.origin >= 0][:1] >> 40
        name = self.originals[int(first[0])].name if len(first) else "none"
        begun = time.monotonic()
        with time_limit(), memory_limit(MEMORY_BYTES):
            pieces, problems = read(data, name)
        self.slowest_s = max(self.slowest_s, time.monotonic() - begun)
        self.counts["samples read"] += sum(len(p.samples) for p in pieces)
        is_said = any(problem.lost for problem in problems)
        whole = damaged.whole_records(self.originals)
        self.counts["with a loss said"] += is_said
        lost = lost_records(pieces, whole)
        self.counts["whole records"] += len(whole)
        self.counts["whole records lost beside others, and said"] += lost
        if lost and not is_said:
            raise Finding(f"lost: {lost} of {len(whole)} whole records in silence")
        guard = is_under_checks(damaged, self.originals)
        wrong = wrong_samples(pieces, self.truth) if guard else 0
        self.counts[f"guarded by {guard or 'nothing'}"] += 1
        self.counts["unseen"] += bool(wrong) and guard == "steim"
        if wrong and guard == "checksum":
            raise Finding(f"wrong: {wrong} samples that nobody recorded, in a file guarded by {guard}")
        if number % INGEST_EVERY == 0:
            self.counts["ingests"] += 1
            with time_limit():
                ingest(data, Path(name).name)
            if most_used_bytes() > self.used_bytes + USED_BYTES:
                raise Finding(f"memory: {most_used_bytes() - self.used_bytes:,} bytes more than at first")

    def run(self, seconds: float) -> list[tuple[int, str]]:
        """Check inputs for a while; return those with findings."""
        found: list[tuple[int, str]] = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            number = self.counts["inputs"]
            self.counts["inputs"] += 1
            try:
                self.one(number)
            except Exception as error:  # whatever it is, it is what we look for
                text = str(error) if isinstance(error, Finding) else traceback.format_exc(limit=-3)
                found.append((number, f"{'; '.join(self.make(number).steps)}: {text}"))
                if len(found) >= 50:
                    break
        return found


def most_used_bytes() -> int:
    """Return the most memory that the process ever had in use."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@contextlib.contextmanager
def memory_limit(most_bytes: int) -> Iterator[None]:
    """Let what takes more memory than it should raise MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def main() -> int:
    """Fuzz for a while, and print the counts and the findings."""
    parser = argparse.ArgumentParser(description="Damage files at random and read them.")
    parser.add_argument("--seconds", type=float, default=900)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="one input, with its traceback")
    args = parser.parse_args()
    fuzz = Fuzz(find_originals(), args.seed)
    if args.only is not None:
        print(fuzz.make(args.only).steps)
        fuzz.one(args.only)
        return 0
    with contextlib.suppress(Finding):
        for original in fuzz.originals:  # once undamaged, so that all is imported and compiled
            read(original.data, original.name)
    ingest(fuzz.originals[0].data, "warm.mseed")
    found = fuzz.run(args.seconds)
    for number, text in found:
        print(f"input {number}: {text}")
    print(
        f"{len(fuzz.originals)} originals, seed {args.seed}, {args.seconds:g} s; the slowest took "
        f"{fuzz.slowest_s:.2f} s; {(most_used_bytes() - fuzz.used_bytes) >> 20} MB more in use than at first"
    )
    print(", ".join(f"{name}: {count:,}" for name, count in fuzz.counts.items()))
    print(f"{len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
