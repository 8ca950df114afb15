"""GSE 1: as obspy reads it, its own files and those made by hand; and what can't be."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import obspy
import pytest
from gse1_files import gse1_bytes
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.pieces import Piece
from pipeline.archive.readers import Problem, SourceRule, open_source
from pipeline.archive.readers.mapping import ColumnRule

EVER = (-(2**62), 2**62)
START_NS = 1_580_702_706_789_000_000
OBSPY = Path(obspy.__file__).parent / "io" / "gse2" / "tests" / "data"
RULE = SourceRule(match="*", columns=(ColumnRule(column="1", channel="XX.A..HHZ"),))
SAMPLES = np.cumsum(np.random.default_rng(0).integers(-5000, 5001, 1000)).astype(np.int32)


def read(data: bytes, rule: SourceRule | None = RULE) -> tuple[list[Piece], list[Problem]]:
    file = open_source(data, "x", rule)
    pieces, problems = file.read(*EVER)
    return pieces, [*file.content.problems, *problems]


@pytest.mark.parametrize("name", ["acc.gse", "y2000.gse", "loc_STAU20031119011659.z"])
def test_as_obspy_reads_its_own_files(name: str) -> None:
    """They were cut to some lines, so that most of them hold less than they state, and no right checksum."""
    data = (OBSPY / name).read_bytes()
    (known,) = obspy.read(io.BytesIO(data), format="GSE1", verify_chksum=False)
    (piece,), problems = read(data)
    assert {problem.reason for problem in problems} <= {"truncated file"}
    assert len(piece.samples) > 100
    np.testing.assert_array_equal(piece.samples, known.data[: len(piece.samples)])
    assert piece.start_ns == known.stats.starttime.ns
    assert piece.rate_hz == pytest.approx(known.stats.sampling_rate, rel=1e-7)
    assert piece.rate_hz == round(piece.rate_hz)
    rule = SourceRule(match="*", columns=(ColumnRule(column=known.id, channel="XX.A..HHZ"),))
    assert len(read(data, rule)[0]) == 1


@pytest.mark.parametrize("encoding", ["INTV", "CMP6"])
@pytest.mark.parametrize("rate_hz", [100.0, 19.9999997, 0.1])
def test_files_made_by_hand_as_obspy_reads_them(encoding: str, rate_hz: float) -> None:
    data = gse1_bytes(SAMPLES, START_NS, rate_hz, encoding=encoding)  # type: ignore[arg-type]
    (known,) = obspy.read(io.BytesIO(data), format="GSE1")
    np.testing.assert_array_equal(known.data, SAMPLES)
    (piece,), problems = read(data)
    assert problems == []
    np.testing.assert_array_equal(piece.samples, SAMPLES)
    assert piece.start_ns == known.stats.starttime.ns == START_NS
    assert piece.rate_hz == pytest.approx(known.stats.sampling_rate, rel=1e-7)


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=40), st.sampled_from(["INTV", "CMP6"]))
def test_any_samples(samples: list[int], encoding: str) -> None:
    (piece,), problems = read(gse1_bytes(samples, START_NS, 50.0, encoding=encoding))  # type: ignore[arg-type]
    assert problems == []
    assert piece.samples.tolist() == samples


def test_a_map_names_its_channels() -> None:
    data = gse1_bytes(SAMPLES, START_NS, 100.0, channel="SZ") + gse1_bytes(
        SAMPLES, START_NS, 1.0, channel="LZ"
    )
    pieces, problems = read(data, None)
    assert pieces == []
    assert [problem.detail.partition(":")[0] for problem in problems] == [
        "trace 1 is called '.G01.. SZ'",
        "trace 2 is called '.G01.. LZ'",
    ]
    rule = SourceRule(match="*", columns=(ColumnRule(column="*LZ", channel="XX.G01..LHZ"),))
    pieces, problems = read(data, rule)
    assert [(str(piece.channel), piece.rate_hz) for piece in pieces] == [("XX.G01..LHZ", 1.0)]
    assert [problem.reason for problem in problems] == ["no channel name"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b" INTV 0", b" INTV 1", "the encoding is INTV 1; readable are CMP6 2, INTV 0"),
        (b"DAT1", b"DATA", "no line DAT1 follows"),
        (b"WID1  2020034", b"WID1  2020367", "no time: year 2020, day 367"),
        (b"WID1  2020034 ", b"WID1  2020034", "the line WID1 is not laid out"),
    ],
)
def test_a_section_that_can_not_be_told_is_lost_alone(old: bytes, new: bytes, said: str) -> None:
    good = gse1_bytes(SAMPLES, START_NS, 100.0)
    assert good.count(old) == 1
    (piece,), (problem,) = read(good.replace(old, new) + good.replace(b"G01", b"G02"), _second())
    np.testing.assert_array_equal(piece.samples, SAMPLES)
    assert (problem.reason, problem.lost) == ("corrupt record", True)
    assert said in problem.detail


def _second() -> SourceRule:
    return SourceRule(match="*", columns=(ColumnRule(column=".G02.. LZ", channel="XX.A..HHZ"),))


def test_a_wrong_checksum_costs_the_section() -> None:
    data = gse1_bytes(SAMPLES, START_NS, 100.0)
    pieces, (problem,) = read(re.sub(rb"CHK1 .*", b"CHK1 12345", data))
    assert pieces == []
    assert "checksum" in problem.detail
