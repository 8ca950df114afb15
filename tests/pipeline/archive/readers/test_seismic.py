"""What obspy reads: its own test files and its own writers, through our explicit list of formats."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import struct
import tempfile
from pathlib import Path

import numpy as np
import obspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.pieces import Piece
from pipeline.archive.readers import Problem, SourceRule, open_source
from pipeline.archive.readers.mapping import ColumnRule
from pipeline.errors import SourceError

EVER = (-(2**62), 2**62)
OBSPY = Path(obspy.__file__).parent / "io"
START = obspy.UTCDateTime(2020, 2, 3, 4, 5, 6, 789_000)
FILES = {
    "sac/tests/data/test.sac": "SAC",
    "sac/tests/data/LMOW.BHE.SAC": "SAC",
    "gse2/tests/data/loc_RJOB20050831023349.z": "GSE2",
    "gse2/tests/data/loc_RNON20040609200559.z": "GSE2",
    "gse2/tests/data/twiceCHK2.gse2": "GSE2",
    "gse2/tests/data/sta2.gse2": "GSE2",
    "gse2/tests/data/boa___00_07a.gse": "GSE2",
    "gcf/tests/data/20160603_1955n.gcf": "GCF",
    "nied/tests/data/test.knet": "KNET",
    "reftek/tests/data/225051000_00008656": "REFTEK130",
    "ascii/tests/data/slist.ascii": "SLIST",
    "ascii/tests/data/tspair.ascii": "TSPAIR",
    "seisan/tests/data/1996-06-03-1917-52S.TEST__002": "SEISAN",
}


def read(data: bytes, name: str = "x", rule: SourceRule | None = None) -> tuple[list[Piece], list[Problem]]:
    file = open_source(data, name, rule)
    pieces, problems = file.read(*EVER)
    return pieces, [*file.content.problems, *problems]


def trace(code: str = "BHZ", count: int = 1000, dtype: str = "int32", rate_hz: float = 100.0) -> obspy.Trace:
    samples = np.cumsum(np.random.default_rng(0).integers(-50, 51, count)).astype(dtype)
    header = {
        "network": "CX",
        "station": "PB01",
        "channel": code,
        "starttime": START,
        "sampling_rate": rate_hz,
    }
    return obspy.Trace(samples, header)


def written(form: str, *traces: obspy.Trace) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        obspy.Stream(traces or [trace()]).write(file.name, format=form)
        return Path(file.name).read_bytes()


@pytest.mark.parametrize(("path", "form"), [(p, f) for p, f in FILES.items() if f])
@pytest.mark.filterwarnings("ignore")
def test_as_obspy_reads_its_own_files(path: str, form: str) -> None:
    if not (OBSPY / path).is_file():
        pytest.skip(f"this obspy has no {path}")
    data = (OBSPY / path).read_bytes()
    names = {t.id for t in obspy.read(OBSPY / path, format=form)}
    unnamed = sorted(name for name in names if not re.fullmatch(r"\w*\.\w+\.\w*\.\w+", name))
    columns = tuple(ColumnRule(column=name, channel=f"XX.S{i}..HHZ") for i, name in enumerate(unnamed))
    rule = SourceRule(match="*", columns=columns) if columns else None
    pieces, problems = read(data, path, rule)
    assert problems == []
    expected = [t for t in obspy.read(OBSPY / path, format=form) if t.stats.npts]
    assert len(pieces) == len(expected) > 0
    for piece, known in zip(pieces, expected, strict=True):
        np.testing.assert_array_equal(piece.samples, known.data)
        assert piece.start_ns == known.stats.starttime.ns
        assert piece.rate_hz == pytest.approx(known.stats.sampling_rate, rel=1e-6)
        assert known.id in unnamed or str(piece.channel) == known.id


@pytest.mark.filterwarnings("ignore:Sample spacing read from SAC")
@pytest.mark.parametrize("rate_hz", [100.0, 40.0, 250.0, 1.0, 0.1, 59.5238])
def test_a_rate_in_single_precision_means_the_round_one(rate_hz: float) -> None:
    (piece,), _ = read(written("SAC", trace(dtype="float32", rate_hz=rate_hz)))
    assert piece.rate_hz == pytest.approx(rate_hz, rel=0 if rate_hz != 59.5238 else 1e-7)
    assert piece.samples.dtype == np.float32


def test_two_rates_in_one_file() -> None:
    pieces, problems = read(written("SLIST", trace("BHZ"), trace("LHZ", rate_hz=1.0)))
    assert problems == []
    assert {(str(p.channel), p.rate_hz) for p in pieces} == {("CX.PB01..BHZ", 100), ("CX.PB01..LHZ", 1)}


def test_a_header_without_names_is_told_and_the_map_names_it() -> None:
    bare = trace()
    bare.stats.network = bare.stats.station = bare.stats.channel = ""
    data = written("SAC", bare)
    pieces, problems = read(data)
    assert pieces == []
    assert [(problem.reason, problem.lost) for problem in problems] == [("no channel name", True)]
    rule = ColumnRule(column="1", channel="XX.NEW..HHZ", calibration=0.5, delay_s=0.25)
    (piece,), problems = read(data, rule=SourceRule(match="*", columns=(rule,)))
    assert problems == []
    assert str(piece.channel) == "XX.NEW..HHZ"
    assert piece.start_ns == START.ns - 250_000_000
    assert piece.samples.tolist() == (bare.data * 0.5).tolist()


def test_the_map_leaves_others_as_they_are_and_cuts_at_undefined_values() -> None:
    first, second = trace("BHZ"), trace("BHN")
    first.data[500] = -12345
    rule = SourceRule(
        match="*", columns=(ColumnRule(column="*.BHZ", channel="XX.A..HHZ"),), undefined=(-12345.0,)
    )
    pieces, problems = read(written("GSE2", first, second), rule=rule)
    assert problems == []
    assert [(str(p.channel), len(p.samples)) for p in pieces] == [
        ("XX.A..HHZ", 500),
        ("XX.A..HHZ", 499),
        ("CX.PB01..BHN", 1000),
    ]
    assert pieces[1].start_ns == START.ns + 501 * 10_000_000


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int, int]]:
        return os.open, (self.path, os.O_CREAT, 0o600)


@pytest.mark.parametrize("name", ["x", "x.sac", "x.gcf", "x.ggp", "x.pickle", "CX.PB01..BHZ.D.2020.034"])
def test_nothing_is_ever_unpickled(name: str, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"
    for data in (pickle.dumps(Bomb(str(trap))), written("PICKLE")):
        with contextlib.suppress(SourceError):
            assert read(data, name)[0] == []
    assert not trap.exists()


def test_a_section_whose_checksum_does_not_hold_is_lost_alone() -> None:
    data = written("GSE2", trace("BHZ"))
    pieces, problems = read(re.sub(rb"CHK2.*", b"CHK2 12345", data) + written("GSE2", trace("BHN")))
    assert [str(piece.channel) for piece in pieces] == ["CX.PB01..BHN"]
    assert [(problem.reason, problem.lost) for problem in problems] == [("corrupt record", True)]
    assert "checksum" in problems[0].detail


@given(st.lists(st.integers(-(2**24), 2**24), min_size=1, max_size=50))
def test_gse_of_any_samples(samples: list[int]) -> None:
    known = trace()
    # obspy's writer has no room for a few large numbers.
    known.data = np.array([*samples, *[0] * 500], dtype=np.int32)
    (piece,), problems = read(written("GSE2", known))
    assert problems == []
    assert piece.samples.tolist() == [*samples, *[0] * 500]
    numbers = (
        f"WID2 2020/02/03 04:05:06.789 PB01  BHZ      INT {len(samples):8d}  100.000000\nSTA2 CX\nDAT2\n"
    )
    rest = sum(samples) % 100_000_000
    text = numbers + "\n".join(map(str, samples)) + f"\nCHK2 {rest}\n"
    (piece,), problems = read(text.encode())
    assert problems == []
    assert piece.samples.tolist() == samples
    assert piece.start_ns == START.ns
    assert str(piece.channel) == "CX.PB01..BHZ"


def test_a_truncated_sac_keeps_what_is_there() -> None:
    data = written("SAC", trace(dtype="float32"))
    (piece,), problems = read(data[:2001])
    assert piece.samples.tolist() == trace(dtype="float32").data[: (2001 - 632) // 4].tolist()
    assert [(problem.reason, problem.lost) for problem in problems] == [("truncated file", True)]
    with pytest.raises(SourceError, match="truncated file"):
        open_source(data[:600], "x")


@pytest.mark.parametrize("order", ["<", ">"])
def test_sac_says_its_time_to_the_last_digit(order: str, tmp_path: Path) -> None:
    known = trace(dtype="float32")
    known.stats.starttime += 0.000_25
    known.write(str(tmp_path / "x"), format="SAC", byteorder=order)
    (piece,), problems = read((tmp_path / "x").read_bytes())
    assert problems == []
    assert piece.start_ns == START.ns + 250_000
    assert piece.samples.tolist() == known.data.tolist()


@pytest.mark.parametrize(
    ("word", "value"), [(70, -12345), (71, 400), (72, 24), (75, 1000), (85, 3), (105, 0)]
)
def test_a_sac_header_that_can_not_be(word: int, value: int) -> None:
    data = bytearray(written("SAC"))
    struct.pack_into("<i", data, 4 * word, value)
    with pytest.raises(SourceError, match="corrupt file: SAC"):
        open_source(bytes(data), "x")


def test_doubles_of_version_7_win() -> None:
    data = bytearray(written("SAC"))
    struct.pack_into("<i", data, 4 * 76, 7)
    data += struct.pack("<22d", 1 / 59.5238, 0.123456789, *[-12345.0] * 20)
    (piece,), _ = read(bytes(data))
    assert piece.rate_hz == pytest.approx(59.5238, rel=1e-15)
    assert piece.start_ns == int(START.ns // 1_000_000 * 1_000_000) + 123_456_789


def test_a_broken_file_says_why() -> None:
    data = written("SLIST")
    with pytest.raises(SourceError, match="truncated file: its headers state 1000 samples"):
        open_source(data[:2000], "x")
