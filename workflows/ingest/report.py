"""What an ingest tells: every loss and every note once, those of earlier calls that still hold included."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.archive.assemble import AssembledDay, BlockJob
from pipeline.archive.blocks import Source
from pipeline.archive.grid import DayGrid
from pipeline.archive.index import DayEntry
from pipeline.archive.readers import UNREADABLE, Problem
from pipeline.keys import Stream
from workflows.ledger import DayRecord, Ledger, Status
from workflows.plan import Plan, Verdict
from workflows.progress import Summary

__all__ = [
    "IngestReport",
    "Told",
    "day_record",
    "each_once",
    "earlier_losses",
    "entry_of",
    "problems_of",
]

Told = tuple[str, Problem]
"""A problem, and the file or the block that it is of."""


@dataclass(slots=True)
class IngestReport:
    """
    What an ingest found and did.

    Parameters
    ----------
    files, scanned : int
        Files found, and those of them that were new or changed.
    unreadable : list of (url, Problem)
        What was found wrong with those, and with all files that lost something, whenever they were scanned.
    problems : list of (block, problem)
        What was wrong with a day, as its table has it, and is not said of a file already; also losses of
        earlier calls, where a block was left as it is.
    summary : Summary
        Of the blocks.
    """

    files: int = 0
    scanned: int = 0
    unreadable: list[Told] = field(default_factory=list)
    problems: list[Told] = field(default_factory=list)
    summary: Summary = field(default_factory=lambda: Summary("ingest"))

    @property
    def exit_status(self) -> int:
        """1 where something was lost, failed or left to the next ingest; see `Summary.exit_status`."""
        return self.summary.exit_status or int(
            any(problem.lost or problem.reason == UNREADABLE for _, problem in self.unreadable)
        )


def each_once(problems: Iterable[Told], files: Iterable[Source], said: Iterable[Told]) -> list[Told]:
    """
    Leave out what was said of a file already, and what several days or blocks say of one file.

    Parameters
    ----------
    problems : iterable of (block, Problem)
        Those that concern a file begin with its URL.
    files : iterable of Source
        All of them.
    said : iterable of (url, Problem)
        What was said of files.

    Examples
    --------
    >>> torn = Problem("truncated record", "/a.mseed: 412 bytes")
    >>> blocks = [("XX.A..LH/2020.01", torn), ("XX.A..LH/2020.02", torn)]
    >>> each_once(blocks, [Source("/a.mseed", 924, "1")], []) == blocks[:1]
    True
    """
    urls = {file.url for file in files}
    seen = {("", problem.reason, f"{url}: {problem.detail}") for url, problem in said}
    kept = []
    for block, problem in problems:
        of_file = problem.detail.partition(": ")[0] in urls
        key = ("" if of_file else block, problem.reason, problem.detail)
        if key not in seen:
            seen.add(key)
            kept.append((block, problem))
    return kept


def earlier_losses(ledger: Ledger, planned: Plan, jobs: Sequence[BlockJob]) -> list[Told]:
    """
    Return what earlier calls lost or failed in blocks that this one leaves as they are.

    The ledger is read through only where the plan counts such blocks.
    """
    if not planned.counts[Verdict.LOST] and not planned.counts[Verdict.FAILED]:
        return []
    left = {str(job.block) for job in jobs} - {task.key for task in planned.todo}
    rows = ledger.table()
    rows = rows.filter(pc.is_in(rows["status"], pa.array([Status.LOST.value, Status.FAILED.value])))
    found: list[Told] = []
    for row in rows.select(["block", "day", "status", "reason", "details"]).to_pylist():
        if row["block"] not in left:
            continue
        if row["day"] is not None:
            problems = (Problem(**problem) for problem in json.loads(row["details"])["problems"])
            found += [(row["block"], problem) for problem in problems if problem.lost]
        elif row["status"] == Status.FAILED:
            found.append((row["block"], Problem("failed", row["reason"])))
    return found


def day_record(day: AssembledDay) -> DayRecord:
    """Make the row of the ledger for a day."""
    status = Status.DONE
    if any(problem.reason == UNREADABLE for problem in day.problems):
        status = Status.DEFERRED
    elif day.problems:
        status = Status.LOST if any(problem.lost for problem in day.problems) else Status.NOTED
    details = {
        "rate": day.entry.grid.label,
        "arrays": day.entry.arrays,
        "components": day.entry.components,
        "completeness": day.entry.completeness,
        "problems": [
            {"reason": problem.reason, "detail": problem.detail, "lost": problem.lost}
            for problem in day.problems
        ],
    }
    reason = "; ".join(sorted({problem.reason for problem in day.problems}))
    return DayRecord(day.entry.day, status, reason, details=json.dumps(details))


def problems_of(record: DayRecord) -> list[Problem]:
    """Return what was wrong with a day, from its row of the ledger."""
    return [Problem(**problem) for problem in json.loads(record.details)["problems"]]


def entry_of(stream: Stream, record: DayRecord) -> DayEntry:
    """Sum up a day for the index, from its row of the ledger."""
    details = json.loads(record.details)
    return DayEntry(
        stream,
        DayGrid.from_label(details["rate"]),
        record.day,
        tuple(details["arrays"]),
        tuple(details["components"]),
        details["completeness"],
    )
