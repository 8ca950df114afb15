"""What is asked again: nothing that was answered, but what may still grow and what got no answer."""

from __future__ import annotations

import datetime as dt

import pytest

from pipeline.archive.grid import day_of_number
from pipeline.errors import (
    CutOffError,
    DamagedError,
    DeniedError,
    RefusedError,
    TooLargeError,
    UnansweredError,
)
from pipeline.fdsn.dataselect import DayAnswer
from pipeline.fdsn.outcomes import Outcome, is_due, outcome_of, read_outcomes, write_outcomes
from pipeline.fdsn.records import DayRecords
from pipeline.keys import Channel

DAY = 18262
END = dt.datetime.combine(day_of_number(DAY + 1), dt.time.min, dt.UTC)
CHANNEL = Channel.parse("CI.CCC..LHZ")


def outcome(kind: str, after: dt.timedelta, covered: float = 0.0) -> Outcome:
    return Outcome(kind, (END + after).isoformat(), covered)  # type: ignore[arg-type]


HOUR, SOON, LATER = dt.timedelta(hours=1), dt.timedelta(days=2), dt.timedelta(days=20)


@pytest.mark.parametrize(
    ("before", "now", "due", "due_if_told"),
    [
        (None, SOON, True, True),
        (outcome("broken", SOON), SOON, True, True),
        (outcome("failed", SOON), LATER, False, True),
        (outcome("data", HOUR, 1.0), LATER, False, False),
        (outcome("data", HOUR, 0.5), 2 * HOUR, False, False),
        (outcome("data", HOUR, 0.5), SOON, True, True),
        (outcome("data", LATER, 0.5), 2 * LATER, False, False),
        (outcome("empty", HOUR), 2 * HOUR, False, True),
        (outcome("empty", HOUR), LATER, True, True),
        (outcome("empty", LATER), 2 * LATER, False, True),
        (outcome("there", HOUR, 1.0), LATER, False, False),
        (outcome("there", HOUR, 0.5), LATER, True, True),
    ],
)
def test_whether_to_ask(before: Outcome | None, now: dt.timedelta, due: bool, due_if_told: bool) -> None:
    assert is_due(before, DAY, END + now, retry_failed=False, retry_empty=False) is due
    assert is_due(before, DAY, END + now, retry_failed=True, retry_empty=True) is due_if_told


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (DayAnswer(CHANNEL, DAY), "empty"),
        (DayAnswer(CHANNEL, DAY, DayRecords()), "data"),
        (DayAnswer(CHANNEL, DAY, error=UnansweredError("no answer (503)")), "broken"),
        (DayAnswer(CHANNEL, DAY, error=CutOffError("cut off")), "broken"),
        (DayAnswer(CHANNEL, DAY, error=DamagedError("not miniSEED")), "failed"),
        (DayAnswer(CHANNEL, DAY, error=DeniedError("not\n permitted")), "failed"),
        (DayAnswer(CHANNEL, DAY, error=RefusedError("refused")), "failed"),
        (DayAnswer(CHANNEL, DAY, error=TooLargeError("too large")), "failed"),
    ],
)
def test_what_becomes_of_an_answer(answer: DayAnswer, kind: str) -> None:
    made = outcome_of(answer, END)
    assert made.kind == kind
    assert "\n" not in made.reason
    assert read_outcomes(write_outcomes({"LHZ": made})) == {"LHZ": made}
