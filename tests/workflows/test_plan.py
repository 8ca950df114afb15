"""Plans and fingerprints: what is to do, and why, from names and digests alone."""

import datetime as dt
import enum
import hashlib
import pickle
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.keys import Block
from pipeline.objects import open_objects
from workflows.ledger import DayRecord, Ledger, Status
from workflows.plan import Plan, Task, Verdict, fingerprint, plan


class Precision(enum.Enum):
    FULL = "fp32"


@dataclass(frozen=True)
class Options:
    corner_hz: float
    order: int


ZONE = dt.timezone(dt.timedelta(hours=9))
NOON = dt.datetime(2020, 3, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("value", "digest"),
    [
        (None, "efd25efadbe19d851c1873ceb58c3c05"),
        (True, "687332da3c14241af43be88b06e94600"),
        (-(2**70), "de8e0440dd9c5bd718df6c497dbbc3dc"),
        (0.1, "90b5534e364e962ea60918f84506f5b0"),
        (float("nan"), "309856d20a2a03bdaf0f7bf1fadaed33"),
        ("Ångström", "cd8f1f269d735d0a86e6526d163728ad"),
        (b"\x00\xff", "3db5e12e293a329616931ca0ed9e953b"),
        (dt.date(2020, 2, 29), "aabcaec36e2f2e22799957b6bea716bb"),
        (NOON, "ac4cb20c4bbbf425e5a2aa9e621f345f"),
        (dt.timedelta(seconds=1.5), "72c12f073a197d328310754881f783e6"),
        ([1, (2, [3])], "f24c22c4e48860a00d3f355fc1af12f3"),
        ({"z", "y", "x", "w"}, "e118d43ec239a5c63e62f53f4cb5c720"),
        ({"b": 1, "a": {"d": None, "c": []}}, "8020253c0e04779064d9c7e6fe6a8a23"),
        (Precision.FULL, "dff9453c2cf802ffbcb75c4407b6b723"),
        (Options(0.1, 4), "56b1b54bcce6d367b84f53dd0e91df9d"),
    ],
)
def test_fingerprints_never_change(value: Any, digest: str) -> None:
    assert fingerprint(value) == digest


def test_what_is_digested() -> None:
    # Tag, length of the body, body; the arguments themselves are a list.
    arguments = b"l19:m15:s1:ai1:1s1:bl0:"
    assert fingerprint({"b": [], "a": 1}) == hashlib.blake2b(arguments, digest_size=16).hexdigest()


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def canonical(value: Any) -> str:
    """Another way to say that two values are the same: Python's own printed form, with sorted keys."""
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{key!r}:{canonical(value[key])}' for key in sorted(value))}}}"
    return repr(value)


@given(plain, plain)
def test_values_differ_exactly_when_their_fingerprints_do(one: Any, other: Any) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (canonical(one) == canonical(other))


@given(st.dictionaries(st.text(max_size=3), st.integers(), max_size=6), st.randoms())
def test_order_of_a_dictionary_does_not_matter(value: dict[str, int], random: Any) -> None:
    items = list(value.items())
    random.shuffle(items)
    assert fingerprint(dict(items)) == fingerprint(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], (1, 2)),
        (Precision.FULL, "fp32"),
        (NOON, NOON.astimezone(ZONE)),
        (np.float64(0.1), 0.1),
        (float("nan"), -float("nan")),
    ],
)
def test_same_meaning_same_fingerprint(one: Any, other: Any) -> None:
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (1, "1"),
        (0.0, -0.0),
        (0.1, np.nextafter(0.1, 1)),
        ("a", b"a"),
        ([], {}),
        (["ab"], ["a", "b"]),
        ([["a"], "b"], ["a", ["b"]]),
        (dt.date(2020, 3, 1), dt.datetime(2020, 3, 1, tzinfo=dt.UTC)),
        (Options(0.1, 4), {"corner_hz": 0.1, "order": 4}),
    ],
)
def test_other_meaning_other_fingerprint(one: Any, other: Any) -> None:
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (np.zeros(3), "ndarray"),
        (np.int64(1), "int64"),
        (pd.Timestamp("2020-03-01", tz="UTC"), "Timestamp"),
        (pd.Timedelta("1ns"), "Timedelta"),
        (dt.datetime(2020, 3, 1), "no zone"),  # noqa: DTZ001
        ({"x": [object()]}, "object"),
        (Options, "type"),
    ],
)
def test_fingerprint_fails(value: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        fingerprint(value)


def test_blocks_can_be_digested() -> None:
    assert fingerprint(Block.parse("CI.CCC..HH/2020.03")) != fingerprint(Block.parse("CI.CCC..HH/2020.04"))


@pytest.fixture
def ledger(tmp_path: Any) -> Ledger:
    return Ledger(open_objects(tmp_path))


TASK = Task.of("CI.CCC..HH/2020.03", options={"threshold": 0.3}, days=["5f0c"])
EARLIER = Task.of(TASK.key, options={"threshold": 0.5}, days=["5f0c"])


@pytest.mark.parametrize(
    ("earlier", "status", "retry_failed", "verdict", "cause"),
    [
        (None, Status.DONE, False, Verdict.NEW, None),
        (TASK, Status.DONE, False, Verdict.DONE, None),
        (TASK, Status.NOTED, False, Verdict.DONE, None),
        (TASK, Status.LOST, False, Verdict.LOST, "why"),
        (TASK, Status.FAILED, False, Verdict.FAILED, "why"),
        (TASK, Status.FAILED, True, Verdict.RETRY, "why"),
        (TASK, Status.DONE, True, Verdict.DONE, None),
        (EARLIER, Status.DONE, False, Verdict.STALE, "options changed"),
        (EARLIER, Status.FAILED, False, Verdict.STALE, "options changed"),
    ],
)
def test_verdicts(
    ledger: Ledger,
    earlier: Task | None,
    status: Status,
    retry_failed: bool,
    verdict: Verdict,
    cause: str | None,
) -> None:
    if earlier is not None:
        ledger.record(earlier.result(status=status, reason="why"))
    found = plan([TASK], ledger, retry_failed=retry_failed)
    assert found.counts == Counter({verdict: 1})
    assert found.causes == (Counter({(verdict, cause): 1}) if cause else Counter())
    assert found.todo == ([TASK] if verdict in {"new", "stale", "retry"} else [])


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(Status.DONE, Verdict.GONE), (Status.LOST, Verdict.GONE), (Status.FAILED, Verdict.FAILED)],
)
def test_what_is_gone_is_done_again(ledger: Ledger, status: Status, verdict: Verdict) -> None:
    ledger.record(TASK.result(status=status, reason="why"))
    found = plan([TASK], ledger, gone={TASK.key})
    assert found.counts == Counter({verdict: 1})
    assert found.todo == ([TASK] if verdict is Verdict.GONE else [])
    assert plan([EARLIER], ledger, gone={TASK.key}).counts == Counter({Verdict.STALE: 1})


def test_order_is_kept_and_tasks_may_come_one_by_one(ledger: Ledger) -> None:
    keys = [f"CI.S{n:03d}..HH/2020.01" for n in range(100)]
    found = plan((Task.of(key, n=1) for key in reversed(keys)), ledger)
    assert [task.key for task in found.todo] == keys[::-1]


def test_plan_fails_on_twins(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match=r"two tasks have the key 'CI\.CCC\.\.HH/2020\.03'"):
        plan([TASK, EARLIER], ledger)


def test_describe_says_what_and_why() -> None:
    found = Plan()
    for n in range(1200):
        found.add(Task(f"CI.S{n:04d}..HH/2020.01", "5f0c"), Verdict.NEW)
    for _ in range(3):
        found.add(TASK, Verdict.STALE, "days changed")
    found.add(TASK, Verdict.FAILED, "OSError: gone")
    text = found.describe()
    assert text.startswith("1,204 blocks: 1,203 to do")
    for expected in (
        "new         1,200",
        "CI.S0002..HH/2020.01",
        "3  days changed",
        "--retry-failed",
        "OSError: gone",
    ):
        assert expected in text
    assert "CI.S0003" not in text


def test_a_result_is_as_good_as_its_worst_day() -> None:
    day = dt.date(2020, 3, 3)
    statuses = [Status.DONE, Status.LOST, Status.NOTED]
    result = TASK.result([DayRecord(day, status) for status in statuses], nbytes=7)
    assert (result.status, result.nbytes, result.parts) == (Status.LOST, 7, TASK.parts)
    assert TASK.result().status is Status.DONE
    assert TASK.result([DayRecord(day, Status.FAILED)], status=Status.NOTED).status is Status.NOTED


def test_what_travels_pickles() -> None:
    result = TASK.result([DayRecord(dt.date(2020, 3, 3), Status.LOST, "no response", 5, "{}")], details="x")
    for value in (TASK, result):
        assert pickle.loads(pickle.dumps(value)) == value
