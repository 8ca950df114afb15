"""The ledger: the latest record wins, whatever was killed and whenever."""

import contextlib
import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FormatError, LeaseLostError
from pipeline.objects import LocalObjects, ObjectInfo, ObjectStore, open_objects
from workflows.lease import Lease
from workflows.ledger import SCHEMA, BlockResult, DayRecord, Ledger, Status

DAY = dt.date(2020, 3, 3)
A, B, C = "CI.A..HH/2020.03", "CI.B..HH/2020.03", "CI.C..HH/2020.03"


class Killed(Exception):
    """Stands for SIGKILL between two operations on the store."""


class DyingStore:
    """Passes everything on to a store, until it dies at the k-th change: just before it, or just after."""

    def __init__(self, store: ObjectStore, changes: int, *, after: bool) -> None:
        self._store = store
        self.url = store.url
        self.left = changes
        self._after = after

    def _change(self, change: Callable[..., None], *args: Any) -> None:
        self.left -= 1
        if self.left < 0:
            if self._after and self.left == -1:
                change(*args)
            raise Killed
        change(*args)

    def write(self, key: str, data: bytes) -> None:
        self._change(self._store.write, key, data)

    def delete(self, key: str) -> None:
        self._change(self._store.delete, key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return open_objects(tmp_path / "ledger" if request.param == "local" else f"memory://{uuid.uuid4().hex}")


def a_result(key: str, fingerprint: str, days: int = 2) -> BlockResult:
    records = [DayRecord(DAY + dt.timedelta(days=n), Status.LOST, "no response", n) for n in range(days)]
    return BlockResult(key, fingerprint, Status.LOST, tuple(records), "no response", "", 1.5, 99, "days=ab")


def contents(store: ObjectStore) -> list[tuple[str, str, dt.date | None]]:
    rows = Ledger(store).table().to_pylist()
    return sorted(((r["block"], r["fingerprint"], r["day"]) for r in rows), key=str)


def rows_of(key: str, fingerprint: str, days: int = 2) -> list[tuple[str, str, dt.date | None]]:
    return [(key, fingerprint, None), *((key, fingerprint, DAY + dt.timedelta(days=n)) for n in range(days))]


def segments(store: ObjectStore) -> list[str]:
    return sorted(info.key for info in store.list())


def test_everything_comes_back(store: ObjectStore) -> None:
    before = dt.datetime.now(dt.UTC)
    with Ledger(store) as ledger:
        ledger.record(a_result(A, "f1"))
    table = Ledger(store).table()
    assert table.schema.equals(SCHEMA)
    block, first, second = table.to_pylist()
    assert before <= block.pop("recorded") <= dt.datetime.now(dt.UTC)
    assert block == {
        "sequence": 1,
        "block": A,
        "day": None,
        "status": "lost",
        "reason": "no response",
        "details": "",
        "fingerprint": "f1",
        "parts": "days=ab",
        "seconds": 1.5,
        "nbytes": 99,
    }
    assert [(r["sequence"], r["day"], r["nbytes"]) for r in (first, second)] == [
        (1, DAY, 0),
        (1, DAY + dt.timedelta(days=1), 1),
    ]
    assert first["parts"] is first["seconds"] is None


def test_an_empty_ledger_is_no_error(store: ObjectStore) -> None:
    ledger = Ledger(store)
    ledger.compact()
    assert len(ledger.latest()) == len(ledger.table()) == 0
    assert segments(store) == []


def test_the_latest_record_wins_with_its_days(store: ObjectStore) -> None:
    with Ledger(store) as ledger:
        ledger.record(a_result(A, "f1", days=3))
        ledger.record(a_result(B, "f1"))
        ledger.record(a_result(A, "f2", days=1))
    with Ledger(store) as ledger:
        ledger.record(a_result(B, "f3", days=0))
    assert contents(store) == sorted([*rows_of(A, "f2", 1), *rows_of(B, "f3", 0)], key=str)
    latest = Ledger(store).latest()
    assert {key: record.fingerprint for key, record in latest.items()} == {A: "f2", B: "f3"}
    assert latest[A].status == "lost"
    assert C not in latest


def test_few_rows_wait_and_many_or_old_ones_do_not(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("workflows.ledger.time", SimpleNamespace(monotonic=lambda: now))
    ledger = Ledger(store, flush_rows=6, flush_seconds=10.0)
    ledger.record(a_result(A, "f1"))
    assert segments(store) == []
    ledger.record(a_result(B, "f1"))
    assert len(segments(store)) == 1
    ledger.record(a_result(C, "f1"))
    now += 9.9
    ledger.tick()
    assert len(segments(store)) == 1
    now += 0.2
    ledger.tick()
    ledger.tick()
    assert len(segments(store)) == 2


def test_numbers_go_on_after_another_writer(store: ObjectStore) -> None:
    for fingerprint in ("f1", "f2"):
        with Ledger(store) as ledger:
            ledger.record(a_result(A, fingerprint, days=0))
            ledger.record(a_result(B, fingerprint, days=0))
    Ledger(store).compact()
    with Ledger(store) as ledger:
        ledger.record(a_result(C, "f3", days=0))
    assert Ledger(store).table()["sequence"].to_pylist() == [3, 4, 5]


def test_compaction_leaves_one_snapshot_of_the_same(store: ObjectStore) -> None:
    for n in range(5):
        with Ledger(store) as ledger:
            ledger.record(a_result(A, f"f{n}"))
            ledger.record(a_result(f"CI.S{n}..HH/2020.01", "f0"))
    before = contents(store)
    Ledger(store).compact()
    assert segments(store) == ["000000000010-snapshot.parquet"]
    assert contents(store) == before
    Ledger(store).compact()
    assert segments(store) == ["000000000010-snapshot.parquet"]


def test_a_ledger_compacts_itself(store: ObjectStore) -> None:
    with Ledger(store, flush_rows=1, compact_segments=10) as ledger:
        for n in range(95):
            ledger.record(a_result(f"CI.S{n}..HH/2020.01", "f0"))
    assert len(segments(store)) == 6
    assert len(Ledger(store).latest()) == 95


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_point_of_a_compaction(tmp_path: Path, after: bool) -> None:
    for changes in range(50):
        whole = open_objects(tmp_path / str(changes))
        with Ledger(whole, flush_rows=1, compact_segments=4) as ledger:
            for n in range(7):  # a snapshot of four, and three segments
                ledger.record(a_result((A, B)[n % 2], f"f{n}"))
        expected = sorted([*rows_of(A, "f6"), *rows_of(B, "f5")], key=str)
        dying = DyingStore(whole, changes, after=after)
        try:
            Ledger(dying).compact()  # type: ignore[arg-type]
        except Killed:
            assert contents(whole) == expected
            with Ledger(whole) as ledger:
                ledger.record(a_result(C, "f7"))
            Ledger(whole).compact()
            assert contents(whole) == sorted([*expected, *rows_of(C, "f7")], key=str)
            assert len(segments(whole)) == 1
        else:
            assert changes == 5, "one snapshot written, four segments deleted"
            return
    pytest.fail("the compaction never came through")


@pytest.mark.parametrize("after", [False, True])
def test_a_failed_flush_may_be_tried_again(store: ObjectStore, after: bool) -> None:
    dying = DyingStore(store, 0, after=after)
    ledger = Ledger(dying)  # type: ignore[arg-type]
    ledger.record(a_result(A, "f1"))
    with pytest.raises(Killed):
        ledger.flush()
    dying.left = 99
    ledger.flush()
    assert contents(store) == sorted(rows_of(A, "f1"), key=str)


class Model:
    """What a ledger should hold: a dictionary of what was flushed, and one of what waits."""

    def __init__(self) -> None:
        self.store = open_objects(f"memory://{uuid.uuid4().hex}")
        self.ledger = Ledger(self.store)
        self.flushed: dict[str, str] = {}
        self.pending: dict[str, str] = {}
        self.numbers: Iterator[int] = iter(range(10**6))

    def record(self, key: str) -> None:
        fingerprint = f"f{next(self.numbers)}"
        self.ledger.record(a_result(key, fingerprint))
        self.pending[key] = fingerprint

    def flush(self) -> None:
        self.ledger.flush()
        self.flushed |= self.pending
        self.pending = {}

    def compact(self) -> None:
        self.ledger.compact()
        self.flush()

    def die(self) -> None:
        self.ledger = Ledger(self.store)
        self.pending = {}

    def die_compacting(self, changes: int, after: bool) -> None:
        self.flush()
        with contextlib.suppress(Killed):
            Ledger(DyingStore(self.store, changes, after=after)).compact()  # type: ignore[arg-type]
        self.ledger = Ledger(self.store)


steps = st.one_of(
    st.tuples(st.just("record"), st.sampled_from([A, B, C])),
    st.tuples(st.just("record"), st.sampled_from([A, B, C])),
    st.tuples(st.sampled_from(["flush", "compact", "die"])),
    st.tuples(st.just("die_compacting"), st.integers(0, 6), st.booleans()),
)


@given(st.lists(steps, max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_history_replays_to_the_last_write(history: list[tuple[Any, ...]]) -> None:
    model = Model()
    for name, *arguments in history:
        getattr(model, name)(*arguments)
        expected = [row for key, fingerprint in model.flushed.items() for row in rows_of(key, fingerprint)]
        assert contents(model.store) == sorted(expected, key=str)
        latest = Ledger(model.store).latest()
        assert {key: record.fingerprint for key, record in latest.items()} == model.flushed


def test_numbers_of_a_writer_that_lost_its_lease_double_nothing(store: ObjectStore) -> None:
    one, other = Ledger(store), Ledger(store)
    for ledger, fingerprint in ((one, "f1"), (other, "f2")):
        ledger.record(a_result(A, fingerprint))
    one.flush()
    other.flush()
    assert contents(store) in (rows_of(A, "f1"), rows_of(A, "f2"))
    assert Ledger(store).latest()[A].fingerprint == contents(store)[0][1]


def test_who_lost_the_lease_writes_no_more(tmp_path: Path) -> None:
    product = LocalObjects(tmp_path)
    store = product.child("ledger")
    with Lease(product) as lease, contextlib.ExitStack() as stack:
        ledger = stack.enter_context(Ledger(store, lease=lease))
        ledger.record(a_result(A, "f1"))
        lease._lost = "taken over"
        for write in (lambda: ledger.record(a_result(B, "f1")), ledger.flush):
            with pytest.raises(LeaseLostError, match="taken over"):
                write()
        stack.pop_all().__exit__(LeaseLostError, LeaseLostError(), None)
    assert segments(store) == []


@pytest.mark.parametrize("name", ["000000000001-x.parquet", "notes.parquet"])
def test_a_foreign_file_is_named(tmp_path: Path, name: str) -> None:
    store = open_objects(tmp_path)
    store.write(name, b"PAR1 but not really")
    with pytest.raises(FormatError, match=name):
        Ledger(store).latest()


def test_equal_segments_but_for_the_time(tmp_path: Path) -> None:
    tables = []
    for name in ("one", "other"):
        store = open_objects(tmp_path / name)
        with Ledger(store) as ledger:
            ledger.record(a_result(A, "f1"))
        (info,) = list(store.list())
        assert isinstance(info, ObjectInfo)
        tables.append(pq.read_table(tmp_path / name / info.key).drop_columns(["recorded"]))
    assert tables[0].equals(tables[1])
