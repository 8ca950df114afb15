"""
The days of streams as blocks of the engine: which are to be asked for, and what becomes of each.

A block's record carries the outcome of each channel and day of it, those of earlier runs included. What a
plan compares is not a fingerprint but these: what has an answer is not asked for again, whatever days a run
is for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.archive.grid import day_number, day_of_number
from pipeline.archive.packing import sds_path
from pipeline.fdsn.dataselect import DayAnswer, Fetcher, group_windows
from pipeline.fdsn.outcomes import (
    GROWS_FOR,
    Outcome,
    day_end,
    is_due,
    is_growing,
    outcome_of,
    read_outcomes,
    write_outcomes,
)
from pipeline.fdsn.pace import Clock
from pipeline.fdsn.records import covered_share, record_spans
from pipeline.fdsn.selection import Runs
from pipeline.keys import Block, Channel, Stream, blocks_between
from pipeline.objects import ObjectStore
from workflows.ledger import BlockResult, DayRecord, Ledger, Status
from workflows.plan import Plan, Task, Verdict

__all__ = ["BlockJob", "FetchBlock", "WantedStream", "plan_fetching"]

VERSION = 1
"""Part of every fingerprint: raised when the same answers would give other files."""

_STOPPED = "stopped"

DayOutcomes = dict[int, dict[str, Outcome]]
"""Outcomes by day since 1970 and code of the channel."""


@dataclass(frozen=True, slots=True)
class WantedStream:
    """
    What is wanted of one stream.

    Parameters
    ----------
    stream : Stream
    days : mapping of Channel to Runs
    rates_hz : mapping of Channel to float
    """

    stream: Stream
    days: Mapping[Channel, Runs]
    rates_hz: Mapping[Channel, float]

    def wants(self, channel: Channel, day: int) -> bool:
        """Tell whether a day since 1970 of a channel is wanted."""
        return any(first <= day <= last for first, last in self.days.get(channel, ()))

    def blocks(self) -> Iterator[Block]:
        """Iterate over the blocks that hold any of its days."""
        runs = [run for runs in self.days.values() for run in runs]
        first, last = min(run[0] for run in runs), max(run[1] for run in runs)
        yield from blocks_between(self.stream, day_of_number(first), day_of_number(last))


@dataclass(frozen=True, slots=True)
class BlockJob:
    """
    What a block is to do.

    Parameters
    ----------
    wanted : WantedStream
    days : range
        Of the block, since 1970.
    due : dict of Channel to list of int
        Days since 1970 to ask for.
    settled : dict
        Outcomes so far, of all days of the block.
    """

    wanted: WantedStream
    days: range
    due: dict[Channel, list[int]] = field(default_factory=dict)
    settled: DayOutcomes = field(default_factory=dict)

    def wanted_days(self) -> Iterator[tuple[Channel, int]]:
        """Iterate over the channels and days of the block that are wanted, in order."""
        for channel in sorted(self.wanted.days):
            for first, last in _clipped(self.wanted.days[channel], self.days[0], self.days[-1]):
                yield from ((channel, day) for day in range(first, last + 1))

    @property
    def channel_days(self) -> int:
        """How many channel-days are due."""
        return sum(map(len, self.due.values()))


def plan_fetching(
    streams: Iterable[WantedStream],
    ledger: Ledger,
    *,
    prefix: str,
    now: dt.datetime,
    retry_failed: bool = False,
    retry_empty: bool = False,
) -> Plan:
    """
    Compare what is wanted with the outcomes in a ledger.

    Parameters
    ----------
    streams : iterable of WantedStream
    ledger : Ledger
    prefix : str
        Names the service: what one has not, another may have.
    now : datetime
    retry_failed, retry_empty : bool
        What to ask for again; see `pipeline.fdsn.outcomes`.

    Returns
    -------
    Plan
        With a `BlockJob` in each task.
    """
    latest = ledger.latest()
    planned = Plan()
    open_tasks: list[tuple[Task, str | None]] = []
    for task in _tasks(streams, prefix):
        before = latest.get(task.key)
        if before is not None and before.fingerprint == task.fingerprint and before.status == Status.DONE:
            planned.add(task, Verdict.DONE)  # nothing is missing of what is wanted: no need to look at days
        else:
            open_tasks.append((task, None if before is None else before.status))
    known = _known(ledger, [task.key for task, status in open_tasks if status is not None])
    for task, status in open_tasks:
        job: BlockJob = task.payload
        job.settled.update(known.pop(task.key, {}))
        for channel, day in job.wanted_days():
            outcome = job.settled.get(day, {}).get(channel.code)
            if is_due(outcome, day, now, retry_failed=retry_failed, retry_empty=retry_empty):
                job.due.setdefault(channel, []).append(day)
        planned.add(task, *_verdict(job, status, retry_failed=retry_failed))
    return planned


def _tasks(streams: Iterable[WantedStream], prefix: str) -> Iterator[Task]:
    """Make a task for each block of which any day is wanted."""
    for wanted in streams:
        for block in wanted.blocks():
            first, last = day_number(block.first_day()), day_number(block.last_day())
            runs = {str(channel): _clipped(wanted.days[channel], first, last) for channel in wanted.days}
            if any(runs.values()):
                job = BlockJob(wanted, range(first, last + 1))
                yield Task.of(f"{prefix}/{block}", job, stage=("download", VERSION), wanted=runs)


def _clipped(runs: Runs, first: int, last: int) -> Runs:
    """
    Return what of some days lies between two days, both included.

    >>> _clipped(((1, 5), (8, 9)), 4, 8)
    ((4, 5), (8, 8))
    """
    cut = ((max(begin, first), min(end, last)) for begin, end in runs)
    return tuple((begin, end) for begin, end in cut if begin <= end)


def _verdict(job: BlockJob, status: str | None, *, retry_failed: bool) -> tuple[Verdict, str]:
    if status is None:
        return Verdict.NEW, ""
    if status == Status.FAILED and not retry_failed:
        return Verdict.FAILED, "an unexpected error"
    outcomes = [
        job.settled.get(day, {}).get(channel.code) for channel, days in job.due.items() for day in days
    ]
    if None in outcomes or status == Status.FAILED:
        return (Verdict.STALE, "days never asked for") if None in outcomes else (Verdict.RETRY, "")
    failed = sorted({each.reason for each in outcomes if each is not None and each.reason})
    if failed:
        return Verdict.RETRY, failed[0]
    if outcomes:
        return Verdict.STALE, "more may have come by now"
    return (Verdict.LOST if status == Status.LOST else Verdict.DONE), ""


def _known(ledger: Ledger, keys: Sequence[str]) -> dict[str, DayOutcomes]:
    """Read the outcomes of all days of some blocks."""
    if not keys:
        return {}
    rows = ledger.table()
    rows = rows.filter(pc.and_(pc.is_valid(rows["day"]), pc.is_in(rows["block"], pa.array(keys))))
    found: dict[str, DayOutcomes] = {}
    columns = (rows[name].to_pylist() for name in ("block", "day", "details"))
    for block, day, details in zip(*columns, strict=True):
        found.setdefault(block, {})[day_number(day)] = read_outcomes(details)
    return found


@dataclass(frozen=True, slots=True)
class FetchBlock:
    """
    Asks for the days of a block, and writes a file for each channel and day of which something came.

    Parameters
    ----------
    out : ObjectStore
        The SDS tree.
    fetcher : Fetcher
    clock : Clock
    """

    out: ObjectStore
    fetcher: Fetcher
    clock: Clock

    def __call__(self, task: Task) -> BlockResult:
        """Do one block."""
        job: BlockJob = task.payload
        client = self.fetcher.client
        outcomes = {day: dict(of_day) for day, of_day in job.settled.items()}
        nbytes, left_out = 0, ""
        due = self._without_files(job, outcomes)
        for windows in group_windows(due, job.wanted.rates_hz):
            left_out = _STOPPED if client.pace.is_stopped else client.given_up
            if left_out:
                break
            for answer in self.fetcher.fetch(windows, is_wanted=job.wanted.wants):
                if client.pace.is_stopped and answer.error is not None:
                    left_out = _STOPPED
                    continue
                of_day = outcomes.setdefault(answer.day, {})
                code = answer.channel.code
                of_day[code], written = self._take(answer, of_day.get(code))
                nbytes += written
        records = [_record(day, of_day) for day, of_day in sorted(outcomes.items())]
        if left_out == _STOPPED:  # nothing is lost: the next run goes on from here
            return task.result(records, status=Status.NOTED, reason=left_out, nbytes=nbytes)
        status = Status.LOST if left_out else None
        return task.result(records, status=status, reason=left_out, nbytes=nbytes)

    def _take(self, answer: DayAnswer, before: Outcome | None) -> tuple[Outcome, int]:
        """Write what came, unless less came than is there."""
        outcome = outcome_of(answer, self.clock.now())
        if before is not None and before.kind in ("data", "there") and outcome.covered < before.covered:
            return Outcome(before.kind, outcome.asked, before.covered), 0
        if answer.records is None or not answer.records.records:
            return outcome, 0
        data = answer.records.data()
        self.out.write(sds_path(answer.channel, day_of_number(answer.day)), data)
        return outcome, len(data)

    def _without_files(self, job: BlockJob, outcomes: DayOutcomes) -> dict[Channel, list[int]]:
        """
        Leave out days whose file is there without a record of it, and note that.

        A file is written whole or not at all: so a run that was killed before it could record what it had
        does not ask for it again, and an SDS tree that was begun otherwise is only completed.
        """
        due: dict[Channel, list[int]] = {}
        for channel, days in job.due.items():
            unknown = {day for day in days if channel.code not in outcomes.get(day, {})}
            there = self._files(channel, unknown)
            for day in days:
                if day in there:
                    outcomes.setdefault(day, {})[channel.code] = self._found(channel, day)
                else:
                    due.setdefault(channel, []).append(day)
        return due

    def _files(self, channel: Channel, days: set[int]) -> set[int]:
        """Return the days of which there is a file."""
        paths = {sds_path(channel, day_of_number(day)): day for day in days}
        self.out.remove_partials(paths)
        folders = {path.rpartition("/")[0] for path in paths}
        return {paths[info.key] for folder in folders for info in self.out.list(folder) if info.key in paths}

    def _found(self, channel: Channel, day: int) -> Outcome:
        """Describe a file that is there: what may still grow is looked into."""
        now = self.clock.now()
        covered = 1.0
        if now < day_end(day) + GROWS_FOR:
            data = self.out.read(sds_path(channel, day_of_number(day)))
            covered = round(covered_share(record_spans(data), day), 6)
        return Outcome("there", now.isoformat(timespec="seconds"), covered)


def _record(day: int, outcomes: Mapping[str, Outcome]) -> DayRecord:
    """Sum up a day: as bad as its worst channel."""
    bad = sorted({each.reason for each in outcomes.values() if each.kind in ("failed", "broken")})
    growing = any(is_growing(each, day) for each in outcomes.values())
    empty = [code for code, each in outcomes.items() if each.kind == "empty"]
    status, reason = Status.DONE, ""
    if empty or growing:
        status = Status.NOTED
        reason = "channels without data" if empty else "less than a day"
        if len(empty) == len(outcomes):
            reason = "no data"
        reason += ", so far" if growing else ""
    if bad:
        status, reason = Status.LOST, "; ".join(bad)
    return DayRecord(day_of_number(day), status, reason, details=write_outcomes(outcomes))
