"""Records of an answer: the same channel-days however they come, and nothing that was not asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fdsn_server import Centre
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS
from pipeline.archive.packing import RECORD_BYTES
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.errors import DamagedError
from pipeline.fdsn.records import covered_share, read_answer, record_spans, sort_records
from pipeline.fdsn.selection import Window
from pipeline.keys import Channel

DAY = 18262
CHANNEL, OTHER = Channel.parse("CI.CCC..LHZ"), Channel.parse("CI.CCC..LHN")


def recorded() -> bytes:
    """Four days of two channels from some seconds past midnight, in records that hold hours."""
    centre = Centre()
    for channel in (CHANNEL, OTHER):
        centre.add(str(channel), DAY, 4, start_ns=7_300_000_000)
    return b"".join(centre.records.values())


DATA = recorded()


def days(data: bytes, first: int, last: int, wanted: range = range(0)) -> dict[int, bytes]:
    window = Window.of_days(CHANNEL, first, last, 0.1)
    found = sort_records(read_answer(data), [window], is_wanted=lambda channel, day: day in wanted)
    assert {channel for channel, _ in found} <= {CHANNEL}
    return {day: records.data() for (_, day), records in found.items()}


@given(st.randoms(use_true_random=False), st.integers(0, 20))
def test_the_same_bytes_however_they_come(random: object, more: int) -> None:
    records = [DATA[at : at + RECORD_BYTES] for at in range(0, len(DATA), RECORD_BYTES)]
    shuffled = records + records[:more]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert days(b"".join(shuffled), DAY, DAY + 3) == days(DATA, DAY, DAY + 3)


def test_a_record_belongs_to_the_day_on_which_it_begins() -> None:
    found = days(DATA, DAY, DAY + 3)
    assert sorted(found) == [DAY, DAY + 1, DAY + 2, DAY + 3]
    for day, data in found.items():
        starts = parse_headers(data).rows["start_ns"]
        assert set(starts // DAY_NS) == {day}
        assert (np.diff(starts) > 0).all()


@pytest.mark.parametrize("wanted", [range(DAY, DAY + 4), range(DAY + 1, DAY + 3)])
def test_what_leads_into_a_window(wanted: range) -> None:
    """It goes with the day before where that is wanted too, in whichever request; else it is kept here."""
    [(day, data)] = days(DATA, DAY + 1, DAY + 1, wanted).items()
    first = parse_headers(data).rows["start_ns"][0]
    assert day == DAY + 1
    assert (first < day * DAY_NS) == (DAY not in wanted)


def test_what_follows_a_window_is_left_out() -> None:
    [(day, data)] = days(DATA, DAY + 1, DAY + 1).items()
    starts = parse_headers(data).rows["start_ns"]
    assert day == DAY + 1
    assert starts[-1] < (DAY + 2) * DAY_NS


def test_day_by_day_is_all_at_once() -> None:
    wanted = range(DAY, DAY + 4)
    one_by_one = {k: v for day in wanted for k, v in days(DATA, day, day, wanted).items()}
    assert one_by_one == days(DATA, DAY, DAY + 3, wanted)


def test_nothing_outside_is_kept() -> None:
    assert days(DATA, DAY + 9, DAY + 9) == {}
    assert days(b"", DAY, DAY) == {}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DATA[:-1], "damaged: truncated record"),
        (DATA[:512] + DATA[700:], "damaged"),
        (b"<html></html>", "it begins with b'<html>"),
        (b"\x00" * 512, "not miniSEED"),
    ],
)
def test_what_is_not_miniseed_throughout(data: bytes, message: str) -> None:
    with pytest.raises(DamagedError, match=message):
        read_answer(data)


def test_coverage() -> None:
    whole = [(DAY * DAY_NS + 7_300_000_000, (DAY + 4) * DAY_NS)]
    spans = record_spans(DATA)
    for day in range(DAY, DAY + 4):
        assert covered_share(spans, day) == pytest.approx(covered_share(whole, day), abs=1e-9)
    assert covered_share(spans, DAY + 5) == 0


@given(st.lists(st.tuples(st.integers(-10, 110), st.integers(0, 60)), max_size=6))
def test_coverage_of_any_spans(pairs: list[tuple[int, int]]) -> None:
    unit = DAY_NS // 100
    covered = {unit_ for start, length in pairs for unit_ in range(start, start + length) if 0 <= unit_ < 100}
    spans = [(start * unit, (start + length) * unit) for start, length in pairs]
    assert covered_share(spans, 0) == pytest.approx(len(covered) / 100)


def test_real_records(data_folder: Path) -> None:
    """Every record of real day files comes back once, whatever order it had."""
    paths = sorted((data_folder / "continuous").rglob("*.mseed"))[:3]
    assert paths, data_folder
    for path in paths:
        data = path.read_bytes()
        table = parse_headers(data)
        if any(problem.lost for problem in table.problems):
            continue
        rows = table.rows[table.rows["samples"] > 0]
        first, last = (
            int(day) for day in (rows["start_ns"].min() // DAY_NS, rows["start_ns"].max() // DAY_NS)
        )
        windows = [Window.of_days(Channel.parse(name), first, last, 1.0) for name in table.channels]
        found = sort_records(read_answer(data), windows, is_wanted=lambda channel, day: True)
        lengths = sum(len(each.data()) for each in found.values())
        distinct = {data[at : at + size] for at, size in zip(rows["offset"], rows["length"], strict=True)}
        assert lengths == sum(map(len, distinct))
