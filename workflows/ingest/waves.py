"""
Waves: an ingest whose files turn out to hold more than their ends showed plans and maps once more.

Its summary speaks of all waves, and counts a block that two of them did once, as it came out last.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from workflows.ledger import BlockResult, Status
from workflows.plan import Verdict
from workflows.progress import Summary

__all__ = ["Waves"]

_VERDICTS = {
    Status.DONE: Verdict.DONE,
    Status.NOTED: Verdict.DONE,
    Status.LOST: Verdict.LOST,
    Status.DEFERRED: Verdict.RETRY,
    Status.FAILED: Verdict.FAILED,
}


class _Outcome(NamedTuple):
    status: Status
    days: int
    nbytes: int


class Waves:
    """
    What the waves so far did.

    Examples
    --------
    >>> waves = Waves()
    >>> for key in ("A..HH/2020.01", "B..HH/2020.01"):
    ...     waves.take(BlockResult(f"XX.{key}", "5f0c"))
    >>> first = waves.end(Summary("ingest", {Verdict.NEW: 2}, todo=2, counts=Counter({Status.DONE: 2})))
    >>> waves.take(BlockResult("XX.B..HH/2020.01", "99aa", Status.LOST))
    >>> last = Summary("ingest", {Verdict.DONE: 1, Verdict.STALE: 1}, 1, Counter({Status.LOST: 1}))
    >>> both = waves.end(last)
    >>> both.todo, both.finished, both.lost, both.planned
    (2, 2, 1, {<Verdict.STALE: 'stale'>: 1})
    """

    def __init__(self) -> None:
        self._before: dict[str, _Outcome] = {}
        self._now: dict[str, _Outcome] = {}
        self._seconds = 0.0

    def take(self, result: BlockResult) -> None:
        """Keep what came of a block in this wave."""
        self._now[result.key] = _Outcome(result.status, len(result.days), result.nbytes)

    def end(self, summary: Summary) -> Summary:
        """End a wave with its summary; return that of all waves."""
        earlier = [outcome for key, outcome in self._before.items() if key not in self._now]
        planned = Counter(summary.planned) - Counter(_VERDICTS[outcome.status] for outcome in earlier)
        self._before |= self._now
        self._now = {}
        self._seconds += summary.seconds
        return replace(
            summary,
            planned=dict(planned),
            todo=summary.todo + len(earlier),
            counts=summary.counts + Counter(outcome.status for outcome in earlier),
            days=summary.days + sum(outcome.days for outcome in earlier),
            nbytes=summary.nbytes + sum(outcome.nbytes for outcome in earlier),
            seconds=self._seconds,
        )
