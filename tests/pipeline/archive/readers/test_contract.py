"""What every reader promises, whatever its format: the same samples, asked in the same ways, broken alike."""

from __future__ import annotations

import contextlib
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obspy
import pytest
from gse1_files import gse1_bytes
from miniseed_files import records

from pipeline.archive.grid import DayGrid
from pipeline.archive.merge import merge_day
from pipeline.archive.pieces import Piece, sample_times_ns
from pipeline.archive.placement import place
from pipeline.archive.readers import READERS, Problem, SourceRule, open_source
from pipeline.archive.readers.mapping import ColumnRule, CsvRule
from pipeline.errors import SourceError
from pipeline.keys import Channel
from pipeline.synthetic.gravity.gravity_files import ggp_bytes, tsf_bytes

EVER = (-(2**62), 2**62)
SECOND = 1_000_000_000
DAY = 18_262  # 2020-01-01
START_NS = DAY * 86_400 * SECOND + 3600 * SECOND
CHANNEL = Channel.parse("NG.G01..LGZ")
SAMPLES = np.cumsum(np.random.default_rng(0).integers(-50, 51, 3000)).astype(np.int32)
NOISE = b"*** power failure ***\n"


def _rule(column: str, csv: CsvRule | None = None) -> SourceRule:
    return SourceRule(match="*", columns=(ColumnRule(column=column, channel=str(CHANNEL)),), csv=csv)


def _by_obspy(form: str, samples: np.ndarray) -> bytes:
    names = {"network": "NG", "station": "G01", "channel": "LGZ"}
    trace = obspy.Trace(samples, {**names, "starttime": obspy.UTCDateTime(ns=START_NS), "sampling_rate": 1.0})
    with tempfile.NamedTemporaryFile() as file:
        trace.write(file.name, format=form)
        return Path(file.name).read_bytes()


def _ggp(samples: np.ndarray) -> bytes:
    return ggp_bytes(
        samples.astype(float), np.full(len(samples), 1013.25), first_s=START_NS // SECOND, filename="x.ggp",
        station="G01", instrument="SG", latitude_deg=48.3, longitude_deg=8.3, height_m=589.0,
    )  # fmt: skip


def _tsf(samples: np.ndarray) -> bytes:
    channel = ("gravity", "nm/s^2", samples.astype(float))
    return tsf_bytes([channel], first_s=START_NS // SECOND, site="G01", instrument="SG")


def _csv(samples: np.ndarray) -> bytes:
    return "".join(
        f"{START_NS // SECOND + i},{value}.0\n" for i, value in enumerate(samples.tolist())
    ).encode()


@dataclass(frozen=True)
class Format:
    """One format: what writes it, its map, and the reader that should open it."""

    reader: str
    write: Callable[[np.ndarray], bytes]
    rule: SourceRule | None = None
    name: str = "x"
    is_text: bool = False

    def bytes(self, samples: np.ndarray = SAMPLES) -> bytes:
        return self.write(samples)

    def read(self, data: bytes, *span: int) -> tuple[list[Piece], list[Problem]]:
        file = open_source(data, self.name, self.rule)
        pieces, problems = file.read(*(span or EVER))
        return pieces, [*file.content.problems, *problems]

    def read_if_it_opens(self, data: bytes) -> tuple[list[Piece], list[Problem]] | None:
        """Return None where a format of obspy's, or without a head, is refused as a whole."""
        try:
            return self.read(data)
        except SourceError:
            if self.is_text or self.reader in ("miniSEED", "GSE2", "GSE1"):
                raise
            return None


FORMATS = {
    "miniSEED 2": Format("miniSEED", lambda s: records(s, START_NS, 1.0, channel=str(CHANNEL))),
    "miniSEED 3": Format("miniSEED", lambda s: records(s, START_NS, 1.0, channel=str(CHANNEL), version=3)),
    "SAC": Format("SAC", lambda s: _by_obspy("SAC", s)),
    "GSE2": Format("GSE2", lambda s: _by_obspy("GSE2", s), _rule("*.LGZ")),  # has no network of its own
    "GSE1": Format("GSE1", lambda s: gse1_bytes(s, START_NS, 1.0), _rule("*LZ")),
    "GSE1 CM6": Format("GSE1", lambda s: gse1_bytes(s, START_NS, 1.0, encoding="CMP6"), _rule("*LZ")),
    "SLIST": Format("SLIST", lambda s: _by_obspy("SLIST", s)),
    "TSPAIR": Format("TSPAIR", lambda s: _by_obspy("TSPAIR", s)),
    "GGP": Format("GGP", _ggp, _rule("gravity"), is_text=True),
    "TSF": Format("TSF", _tsf, _rule("gravity"), is_text=True),
    "CSV": Format("CSV (by a map)", _csv, _rule("1", CsvRule(time="%s")), is_text=True),
}


@pytest.fixture(params=FORMATS.values(), ids=FORMATS)
def source(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found


def by_time(pieces: list[Piece]) -> dict[int, float]:
    found: dict[int, float] = {}
    for piece in pieces:
        times = sample_times_ns(piece.start_ns, piece.rate_hz, len(piece.samples)).tolist()
        found |= dict(zip(times, piece.samples.astype(float).tolist(), strict=True))
    return found


TRUTH = {START_NS + i * SECOND: float(value) for i, value in enumerate(SAMPLES.tolist())}


def test_every_sample_at_its_time(source: Format) -> None:
    pieces, problems = source.read(source.bytes())
    assert problems == []
    assert by_time(pieces) == TRUTH
    assert {piece.channel for piece in pieces} == {CHANNEL}
    assert {piece.nominal_rate_hz for piece in pieces} == {1.0}


def test_its_own_reader_opens_it_and_no_other(source: Format) -> None:
    head = source.bytes()[:512]
    willing = [reader.name for reader in READERS if reader.accepts(head, source.name, source.rule)]
    assert willing == [source.reader]


def test_scan_and_read_agree(source: Format) -> None:
    file = open_source(source.bytes(), source.name, source.rule)
    pieces, _ = file.read(*EVER)
    (span,) = file.content.spans
    assert span.channel == CHANNEL
    assert span.samples == sum(len(piece.samples) for piece in pieces) == len(SAMPLES)
    assert span.start_ns == min(piece.start_ns for piece in pieces)
    assert span.end_ns == max(piece.end_ns for piece in pieces)
    assert {piece.samples.dtype.name for piece in pieces} == {span.dtype}
    assert {piece.nominal_rate_hz for piece in pieces} == {span.rate_hz}


def test_a_span_gets_all_that_touches_it(source: Format) -> None:
    data = source.bytes()
    low, high = START_NS + 1000 * SECOND, START_NS + 1100 * SECOND
    found = by_time(source.read(data, low, high)[0])
    assert {t: v for t, v in TRUTH.items() if low <= t < high}.items() <= found.items() <= TRUTH.items()
    last = START_NS + (len(SAMPLES) - 1) * SECOND
    assert last in by_time(source.read(data, last, last + 1)[0])
    assert START_NS in by_time(source.read(data, START_NS, START_NS + 1)[0])
    far = 86_400 * SECOND
    assert source.read(data, START_NS - far, START_NS - far // 2)[0] == []
    assert source.read(data, last + far // 2, last + far)[0] == []


def test_what_is_read_can_not_be_written_and_is_the_same_again(source: Format) -> None:
    data = source.bytes()
    first, _ = source.read(data)
    second, _ = source.read(data)
    for one, other in zip(first, second, strict=True):
        assert not one.samples.flags.writeable
        assert one.samples.tobytes() == other.samples.tobytes()
        assert (one.start_ns, one.rate_hz, one.chain) == (other.start_ns, other.rate_hz, other.chain)


def test_an_empty_file(source: Format) -> None:
    with pytest.raises(SourceError, match=r"^empty file"):
        source.read(b"")


@pytest.mark.parametrize("part", [0.999, 0.9, 0.5, 0.1])
def test_a_truncated_file_loses_its_end_and_says_so(source: Format, part: float) -> None:
    data = source.bytes()
    for length in range(int(len(data) * part) - 12, int(len(data) * part)):
        opened = source.read_if_it_opens(data[:length])
        if opened is None:
            continue
        pieces, problems = opened
        found = by_time(pieces)
        if source.reader != "CSV (by a map)":  # has nothing that tells where it ends
            assert found.items() <= TRUTH.items()
            assert len(found) == len(SAMPLES) or any(problem.lost for problem in problems)
        else:
            assert set(found) <= set(TRUTH)
            assert list(found.items())[:-1] == list(TRUTH.items())[: len(found) - 1]


def test_text_in_the_middle_costs_only_itself(source: Format) -> None:
    data = source.bytes()
    middle = data.index(b"\n", len(data) // 2) + 1 if source.is_text else len(data) // 1024 * 512
    broken = data[:middle] + NOISE + data[middle:]
    opened = source.read_if_it_opens(broken)
    if opened is None:
        return
    pieces, problems = opened
    found = by_time(pieces)
    if source.is_text:
        assert found == TRUTH
        assert [(problem.reason, problem.lost) for problem in problems] == [("unreadable line", True)]
        assert "power failure" in problems[0].detail
    elif source.reader == "miniSEED":
        assert found.items() <= TRUTH.items()
        assert len(found) > len(TRUTH) - 300
        assert problems


def test_one_byte_changed_anywhere_raises_nothing_else(source: Format) -> None:
    data = bytearray(source.bytes(SAMPLES[:300]))
    rng = np.random.default_rng(1)
    for at, value in zip(
        rng.integers(0, len(data), 150).tolist(), rng.integers(0, 256, 150).tolist(), strict=True
    ):
        before, data[at] = data[at], value
        with contextlib.suppress(SourceError):
            source.read(bytes(data))
        data[at] = before


@pytest.mark.parametrize(
    "other", [b"\x89PNG\r\n\x1a\n" + bytes(600), b"PK\x03\x04" + bytes(600), b"noise " * 200, bytes(2000)]
)
def test_another_format_is_not_opened(other: bytes) -> None:
    with pytest.raises(SourceError, match=r"^unknown format"):
        open_source(other, "x")


@pytest.mark.parametrize("source", [f for f in FORMATS.values() if f.is_text], ids=lambda f: f.reader)
def test_missing_samples_are_missing(source: Format) -> None:
    data = source.bytes().replace(source.bytes().splitlines(keepends=True)[-1000], b"")
    pieces, problems = source.read(data)
    assert len(pieces) == 2
    assert len(by_time(pieces)) == len(SAMPLES) - 1
    assert by_time(pieces).items() <= TRUTH.items()
    assert {problem.reason for problem in problems} <= {"truncated file"}  # TSF counts its rows


def test_the_day_has_one_digest_whatever_table_it_came_from() -> None:
    digests, bytes_of = set(), set()
    grid = DayGrid.at_rate(1.0)
    for name in ("GGP", "TSF", "CSV"):
        pieces, _ = FORMATS[name].read(FORMATS[name].bytes())
        runs = [run for piece in pieces for run in place(piece, grid, range(DAY, DAY + 1), source=0)[0]]
        day = merge_day(DAY, CHANNEL.stream, grid, runs)
        digests.add(day.digest())
        bytes_of.add(day.arrays["values64"].samples[0].tobytes())
    assert len(digests) == len(bytes_of) == 1


def test_a_table_takes_no_more_memory_than_its_text() -> None:
    samples = np.tile(SAMPLES, 30)
    for name in ("GGP", "TSF"):
        data = FORMATS[name].bytes(samples)
        FORMATS[name].read(data[: len(data) // 30])  # compiles
        tracemalloc.start()
        file = open_source(data, "x", FORMATS[name].rule)
        kept, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(file.read(*EVER)[0]) == 1
        assert most < 2.5 * len(data), name
        assert kept < len(data) / 2, name
