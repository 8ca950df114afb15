"""
Which blocks are to do: a pure function of the tasks and of the ledger.

A stage lists its tasks first, all of them, and only then asks what is there already. What a task depends on
is in its *fingerprint*; the plan never opens a product or a sample::

    no record              new      to do
    other fingerprint      stale    to do, and the plan says which part changed
    same fingerprint       done     (or lost: done, but something of the input gave no result)
    ... and files gone     gone     to do
    ... and it failed      failed   left alone, unless asked to retry
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import math
import struct
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Self

from workflows.ledger import BlockResult, DayRecord, Latest, Ledger, Status

__all__ = ["Plan", "Task", "Verdict", "fingerprint", "plan"]

_DIGEST_BYTES = 16
_PART_DIGITS = 8
_EXAMPLES = 3


def fingerprint(*values: Any) -> str:
    """
    Digest nested plain values: the same in every process, on every machine and in every version of Python.

    Dictionaries and sets have no order; lists and tuples are alike. A dataclass is its name and its fields,
    an enumeration its value, a time the instant that it means. ``1``, ``1.0``, ``True`` and ``"1"`` differ.

    Parameters
    ----------
    *values
        None, bool, int, float, str, bytes, date, datetime with a zone, timedelta, and any nesting of these in
        sequences, sets, mappings, enumerations and dataclasses.

    Returns
    -------
    str
        32 hexadecimal digits of BLAKE2b.

    Raises
    ------
    TypeError
        For anything else: its printed form might change while it means the same.

    Examples
    --------
    >>> fingerprint({"corner_hz": 0.1, "order": 4}) == fingerprint({"order": 4, "corner_hz": 0.1})
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    return hashlib.blake2b(_encode(values), digest_size=_DIGEST_BYTES).hexdigest()


@dataclass(frozen=True, slots=True)
class Task:
    """
    One block of work. `Task.of` makes one.

    Parameters
    ----------
    key : str
        Name of the block, as ``CI.CCC..HH/2020.03``, or any other unique name.
    fingerprint : str
        Digest of all that the result depends on.
    payload
        What the stage's function needs to know. It travels to a worker: names and numbers, never samples.
    parts : str
        Short digests of what the fingerprint is made of, to tell later what changed.
    """

    key: str
    fingerprint: str
    payload: Any = None
    parts: str = ""

    @classmethod
    def of(cls, key: str, payload: Any = None, **parts: Any) -> Self:
        """
        Make a task whose fingerprint depends on some named parts.

        Digest what many tasks share only once: ``options=fingerprint(options)``.

        Examples
        --------
        >>> task = Task.of("CI.CCC..HH/2020.03", stage=("pick", 3), options={"threshold": 0.3}, days=["5f0c"])
        >>> task.parts
        'days=561c1d15 options=67887ff8 stage=75683967'
        """
        digests = {name: fingerprint(value) for name, value in sorted(parts.items())}
        short = " ".join(f"{name}={digest[:_PART_DIGITS]}" for name, digest in digests.items())
        return cls(key, fingerprint(digests), payload, short)

    def result(
        self,
        days: Iterable[DayRecord] = (),
        *,
        status: Status | None = None,
        reason: str = "",
        details: str = "",
        nbytes: int = 0,
    ) -> BlockResult:
        """
        Make the result of this task: as good as its worst day, unless a status is given.

        Examples
        --------
        >>> lost = DayRecord(dt.date(2020, 3, 4), Status.LOST, "no response")
        >>> Task("CI.CCC..HH/2020.03", "5f0c").result([DayRecord(dt.date(2020, 3, 3)), lost]).status
        <Status.LOST: 'lost'>
        """
        days = tuple(days)
        if status is None:
            status = Status.worst(day.status for day in days)
        return BlockResult(
            self.key, self.fingerprint, status, days, reason, details, nbytes=nbytes, parts=self.parts
        )


class Verdict(StrEnum):
    """What a plan says of a task."""

    NEW = "new"
    STALE = "stale"
    RETRY = "retry"
    GONE = "gone"
    DONE = "done"
    LOST = "lost"
    FAILED = "failed"


_TO_DO = frozenset({Verdict.NEW, Verdict.STALE, Verdict.RETRY, Verdict.GONE})
_FINISHED = frozenset({Verdict.DONE, Verdict.LOST})

_MEANING = {
    Verdict.NEW: "never done",
    Verdict.STALE: "done from other inputs",
    Verdict.RETRY: "failed earlier or lacks something, tried again",
    Verdict.GONE: "done, but files of it are gone",
    Verdict.DONE: "done",
    Verdict.LOST: "done, with losses",
    Verdict.FAILED: "failed earlier; --retry-failed takes them up",
}


@dataclass(slots=True)
class Plan:
    """
    What is to do, and what is not, and why.

    Parameters
    ----------
    todo : list of Task
        In the order in which they came.
    counts : Counter of Verdict
    causes : Counter of (Verdict, str)
        Which parts changed, or why it failed, and for how many tasks.
    examples : dict of Verdict to list of str
        The first few keys of each.
    """

    todo: list[Task] = field(default_factory=list)
    counts: Counter[Verdict] = field(default_factory=Counter)
    causes: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    examples: dict[Verdict, list[str]] = field(default_factory=dict)

    def add(self, task: Task, verdict: Verdict, cause: str = "") -> None:
        """Take a task into the plan."""
        self.counts[verdict] += 1
        if cause:
            self.causes[verdict, cause] += 1
        examples = self.examples.setdefault(verdict, [])
        if len(examples) < _EXAMPLES:
            examples.append(task.key)
        if verdict in _TO_DO:
            self.todo.append(task)

    def to_dict(self) -> dict[str, Any]:
        """Return the figures under plain names, for ``--json``."""
        return {
            "todo": [task.key for task in self.todo],
            "planned": {str(verdict): count for verdict, count in sorted(self.counts.items())},
        }

    def describe(self) -> str:
        """
        Say what the plan is, for ``--dry-run``.

        Examples
        --------
        >>> plan = Plan()
        >>> plan.add(Task("CI.CCC..HH/2020.03", "5f0c"), Verdict.STALE, "options changed")
        >>> print(plan.describe())
        1 block: 1 to do
          stale           1  done from other inputs, as CI.CCC..HH/2020.03
                          1  options changed
        """
        total = self.counts.total()
        lines = [f"{total:,} block{'' if total == 1 else 's'}: {len(self.todo):,} to do"]
        for verdict in Verdict:
            if not self.counts[verdict]:
                continue
            examples = ", ".join(self.examples[verdict])
            lines.append(f"  {verdict:<7} {self.counts[verdict]:>9,}  {_MEANING[verdict]}, as {examples}")
            causes = [(count, cause) for (of, cause), count in self.causes.items() if of is verdict]
            for count, cause in sorted(causes, reverse=True)[:_EXAMPLES]:
                lines.append(f"          {count:>9,}  {cause}")
        return "\n".join(lines)


def plan(
    tasks: Iterable[Task], ledger: Ledger, *, retry_failed: bool = False, gone: Container[str] = ()
) -> Plan:
    """
    Compare tasks with what the ledger says of them.

    Parameters
    ----------
    tasks : iterable of Task
        All of the stage's tasks. They are taken one by one; only those to do are kept.
    ledger : Ledger
    retry_failed : bool
        Whether to take up what failed earlier with the same fingerprint.
    gone : container of str
        Keys of blocks that were done, and of which somebody removed files since.

    Raises
    ------
    ValueError
        If two tasks have one key: their products would overwrite each other.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> tasks = [Task("CI.CCC..HH/2020.03", "5f0c"), Task("CI.CCC..HH/2020.04", "99aa")]
    >>> ledger = Ledger(open_objects("memory://plan-example"))
    >>> ledger.record(tasks[0].result())
    >>> [task.key for task in plan(tasks, ledger).todo]
    ['CI.CCC..HH/2020.04']
    """
    latest = ledger.latest()
    found = Plan()
    seen: set[str] = set()
    for task in tasks:
        if task.key in seen:
            raise ValueError(f"two tasks have the key {task.key!r}; each block must be one task")
        seen.add(task.key)
        verdict, cause = _judge(task, latest.get(task.key), retry_failed=retry_failed)
        if verdict in _FINISHED and task.key in gone:
            verdict, cause = Verdict.GONE, ""
        found.add(task, verdict, cause)
    return found


def _judge(task: Task, latest: Latest | None, *, retry_failed: bool) -> tuple[Verdict, str]:
    if latest is None:
        return Verdict.NEW, ""
    if latest.fingerprint != task.fingerprint:
        return Verdict.STALE, _changes(latest.parts, task.parts)
    if latest.status == Status.FAILED:
        return (Verdict.RETRY if retry_failed else Verdict.FAILED), latest.reason
    if latest.status == Status.DEFERRED:
        return Verdict.RETRY, latest.reason
    if latest.status == Status.LOST:
        return Verdict.LOST, latest.reason
    return Verdict.DONE, ""


def _changes(before: str, after: str) -> str:
    """
    Name the parts that differ.

    >>> _changes("days=3d12 stage=7ea4", "days=77aa stage=7ea4 weights=0f0f")
    'days, weights changed'
    """
    parts = set(before.split()) ^ set(after.split())
    names = sorted({part.partition("=")[0] for part in parts})
    return f"{', '.join(names)} changed" if names else ""


def _encode(value: Any) -> bytes:
    """Write a value as a tag, the length of its body, and its body: no two values share an encoding."""
    tag, body = _tag_and_body(value)
    return b"%c%d:%b" % (tag, len(body), body)


def _tag_and_body(value: Any) -> tuple[bytes, bytes]:
    match value:
        case None:
            return b"n", b""
        case Enum():  # before str and int, which an enumeration may also be
            return _tag_and_body(value.value)
        case str():
            return b"s", value.encode()
        case bool():  # before int
            return b"b", b"1" if value else b"0"
        case int():
            return b"i", b"%d" % value
        case float():
            return b"f", b"nan" if math.isnan(value) else struct.pack(">d", value)
        case bytes():
            return b"y", value
        case dt.date() | dt.timedelta() if type(value) in _TIMES:  # not pandas' kinds: those have nanoseconds
            tag, write = _TIMES[type(value)]
            return tag, write(value).encode()
        case Mapping():
            return b"m", b"".join(sorted(_encode(key) + _encode(item) for key, item in value.items()))
        case AbstractSet():
            return b"x", b"".join(sorted(map(_encode, value)))
        case Sequence():
            return b"l", b"".join(map(_encode, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        return b"c", _encode(type(value).__name__) + _encode(fields)
    raise TypeError(
        f"can't digest a {type(value).__name__} ({value!r:.80}): a fingerprint takes plain values, dates, "
        "bytes, and sequences, sets, mappings, enumerations and dataclasses of these"
    )


def _instant(time: dt.datetime) -> str:
    if time.tzinfo is None:
        raise TypeError(f"can't digest the time {time.isoformat()}: it has no zone; say dt.UTC")
    return time.astimezone(dt.UTC).isoformat(timespec="microseconds")


_TIMES: dict[type, tuple[bytes, Callable[[Any], str]]] = {
    dt.datetime: (b"t", _instant),
    dt.date: (b"d", dt.date.isoformat),
    dt.timedelta: (b"e", lambda span: str(span // dt.timedelta(microseconds=1))),
}
