"""
What became of a channel-day, and whether to ask for it again.

==========  ====================================  ===========================================
kind        what                                  asked again
==========  ====================================  ===========================================
``data``    a file, with a share of the day       while it may grow, a day later
``empty``   nothing there                         while it may grow, a day later; or when told
``there``   its file was there before             no
``failed``  refused, denied, too large, damaged   when told
``broken``  no answer, or one that was cut off    yes
==========  ====================================  ===========================================

A day may grow until two weeks after its end: what was asked within that time and is not whole is asked again
by a run that is at least a day later.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from pipeline.archive.grid import day_of_number
from pipeline.errors import CutOffError, ServiceError, UnansweredError
from pipeline.fdsn.dataselect import DayAnswer

__all__ = ["GROWS_FOR", "Outcome", "is_due", "is_growing", "outcome_of", "read_outcomes", "write_outcomes"]

GROWS_FOR = dt.timedelta(days=14)
ASK_AGAIN_AFTER = dt.timedelta(days=1)
WHOLE = 0.9999
"""What share of a day counts as all of it: all but 9 seconds."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What became of one channel and day.

    Parameters
    ----------
    kind : str
        See the table above.
    asked : str
        When, in UTC.
    covered : float
        What share of the day its file covers.
    reason : str
        Of what failed.
    """

    kind: Literal["data", "empty", "there", "failed", "broken"]
    asked: str
    covered: float = 0.0
    reason: str = ""


def outcome_of(answer: DayAnswer, now: dt.datetime) -> Outcome:
    """Say what became of a channel-day."""
    asked = now.isoformat(timespec="seconds")
    if answer.error is not None:
        kind: Literal["broken", "failed"] = (
            "broken" if isinstance(answer.error, UnansweredError | CutOffError) else "failed"
        )
        return Outcome(kind, asked, reason=_reason(answer.error))
    if answer.records is None:
        return Outcome("empty", asked)
    return Outcome("data", asked, round(answer.records.covered(answer.day), 6))


def _reason(error: ServiceError) -> str:
    return " ".join(str(error).split())


def is_growing(outcome: Outcome, day: int) -> bool:
    """
    Tell whether more may come of a day since 1970 than came when it was asked for.

    >>> is_growing(Outcome("empty", "1970-01-05T00:00:00+00:00"), 0)
    True
    >>> is_growing(Outcome("data", "1970-01-05T00:00:00+00:00", covered=1.0), 0)
    False
    """
    if outcome.kind not in ("data", "empty", "there") or outcome.covered >= WHOLE:
        return False
    return dt.datetime.fromisoformat(outcome.asked) < day_end(day) + GROWS_FOR


def is_due(
    outcome: Outcome | None, day: int, now: dt.datetime, *, retry_failed: bool, retry_empty: bool
) -> bool:
    """
    Tell whether to ask for a channel-day.

    Parameters
    ----------
    outcome : Outcome or None
        What became of it so far.
    day : int
        Since 1970.
    now : datetime
    retry_failed, retry_empty : bool
        What the user wants asked again.
    """
    if outcome is None or outcome.kind == "broken":
        return True
    if outcome.kind == "failed":
        return retry_failed
    if outcome.kind == "empty" and retry_empty:
        return True
    is_later = now - dt.datetime.fromisoformat(outcome.asked) >= ASK_AGAIN_AFTER
    return is_later and is_growing(outcome, day)


def day_end(day: int) -> dt.datetime:
    """Return the end of a day since 1970."""
    return dt.datetime.combine(day_of_number(day + 1), dt.time.min, dt.UTC)


def write_outcomes(outcomes: Mapping[str, Outcome]) -> str:
    """
    Write the outcomes of a day, by the code of their channel, as JSON.

    >>> write_outcomes({"HHZ": Outcome("empty", "2020-01-02T00:00:00+00:00")})
    '{"HHZ": {"kind": "empty", "asked": "2020-01-02T00:00:00+00:00"}}'
    """
    plain = {
        code: {name: value for name, value in asdict(outcomes[code]).items() if value}
        for code in sorted(outcomes)
    }
    return json.dumps(plain)


def read_outcomes(text: str) -> dict[str, Outcome]:
    """Read what `write_outcomes` wrote."""
    return {code: Outcome(**values) for code, values in json.loads(text).items()}
