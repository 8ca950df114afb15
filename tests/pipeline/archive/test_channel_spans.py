"""Samples and epochs: which lie in none, against one by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from miniseed_files import records

from pipeline.archive.channel_spans import read_channel_spans, spans_outside
from pipeline.archive.documents import channel_epochs
from pipeline.archive.reading import Archive
from pipeline.errors import FormatError
from pipeline.keys import Block

SECOND = 10**9
SECONDS = st.integers(-50, 150)
EPOCHS = st.lists(st.tuples(SECONDS, st.none() | SECONDS), max_size=5)


@given(EPOCHS, st.lists(st.tuples(SECONDS, st.integers(1, 40)), min_size=1, max_size=4))
def test_as_one_by_one(epochs: list[tuple[int, int | None]], stretches: list[tuple[int, int]]) -> None:
    starts, lengths = (np.array(each, dtype=np.int64) for each in zip(*stretches, strict=True))
    found = spans_outside(
        (starts * SECOND, lengths, np.ones(len(starts))),
        [(start * SECOND, None if end is None else end * SECOND) for start, end in epochs],
    )
    expected = []
    for start, length in stretches:
        outside = [
            time
            for time in range(start, start + length)
            if not any(a <= time and (b is None or time < b) for a, b in epochs)
        ]
        runs = np.split(outside, np.flatnonzero(np.diff(outside) > 1) + 1) if outside else []
        expected += [(int(run[0]) * SECOND, int(run[-1]) * SECOND) for run in runs]
    assert found == sorted(expected)


def test_an_epoch_that_ends_within_a_sample_and_the_far_future() -> None:
    minute = (np.array([0]), np.array([6000]), np.array([100.0]))
    year = 366 * 86_400 * SECOND
    assert spans_outside(minute, [(-(2**62), SECOND // 2 + 1000), (100 * year, None)]) == [
        (510_000_000, 59_990_000_000)
    ]
    assert spans_outside(minute, [(-(2**62), 59_990_001_000)]) == []


def test_times_of_a_block(archive_of: Callable[..., Archive], tmp_path: Path) -> None:
    start = 1_583_208_000 * SECOND
    samples = np.arange(500, dtype=np.int32)
    data = [
        records(samples, start + shift, 20.0, channel=f"XX.A..BH{code}")
        for code, shift in (("Z", 0), ("Z", 100 * SECOND), ("1", 5_000_000))
    ]
    (tmp_path / "in.mseed").write_bytes(b"".join(data))
    archive = archive_of(tmp_path / "in.mseed")
    ((grid, block),) = archive.store.tables()
    found = read_channel_spans(archive.store, grid, block)
    assert {code: [part.tolist() for part in parts] for code, parts in found.items()} == {
        "BHZ": [[start, start + 100 * SECOND], [500, 500], [20.0, 20.0]],
        "BH1": [[start + 5_000_000], [500], [20.0]],
    }


def test_a_block_without_a_table_and_with_a_broken_one(
    archive_of: Callable[..., Archive], tmp_path: Path
) -> None:
    (tmp_path / "in.mseed").write_bytes(records(np.arange(50, dtype=np.int32), 0, 1.0, channel="XX.A..LHZ"))
    store = archive_of(tmp_path / "in.mseed").store
    ((grid, block),) = store.tables()
    assert read_channel_spans(store, grid, Block.parse("XX.A..LH/1971.01")) == {}
    store.objects.write(store.table_key(grid, block), b"PAR1")
    with pytest.raises(FormatError, match="not a block table"):
        read_channel_spans(store, grid, block)


def test_epochs_of_a_document() -> None:
    document = b"""<FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1"><Network code="XX">
        <Station code="A" startDate="2020-01-01T00:00:00">
        <Channel code="HHZ" locationCode="" startDate="2020-03-01T00:00:00" endDate="2020-04-01T00:00:00Z"/>
        <Channel code="HHZ" locationCode="  "/></Station>
        <Station code="B"><Channel code="HHZ" locationCode="00"/></Station></Network></FDSNStationXML>"""
    day = 86_400 * SECOND
    assert channel_epochs(document) == {
        "XX.A..HHZ": [(18_322 * day, 18_353 * day), (18_262 * day, None)],
        "XX.B.00.HHZ": [(0, None)],
    }
