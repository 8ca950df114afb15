"""Damage to headers and lengths: what it costs is its own record. Found by tests/fuzz."""

from __future__ import annotations

import numpy as np
import pytest
from miniseed_files import records

from pipeline.archive.readers import open_source, peek_source
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.errors import SourceError

START = 1_583_208_000_000_000_000
SAMPLES = np.cumsum(np.random.default_rng(0).integers(-50, 51, 4000)).astype(np.int32)


def read(data: bytes) -> tuple[list[int], list[tuple[str, bool]]]:
    """Return all samples in order of time, and reason and loss of each problem."""
    file = open_source(data, "x.mseed")
    pieces, problems = file.read(-(2**62), 2**62)
    ordered = sorted(pieces, key=lambda piece: piece.start_ns)
    samples = [int(value) for piece in ordered for value in piece.samples]
    return samples, [(problem.reason, problem.lost) for problem in (*file.content.problems, *problems)]


def without(data: bytes, number: int) -> list[int]:
    """Return the samples of all records but one."""
    ends = np.cumsum(parse_headers(data).rows["samples"])
    return np.delete(SAMPLES, np.arange(ends[number - 1] if number else 0, ends[number])).tolist()


@pytest.mark.parametrize("number", [0, 3])
@pytest.mark.parametrize("power", [10, 12])
def test_a_length_that_holds_the_next_records(number: int, power: int) -> None:
    """Those were swallowed in silence: a record decodes also with others behind it."""
    data = bytearray(records(SAMPLES, START, 100.0, encoding="STEIM2"))
    assert data[number * 512 + 54] == 9
    expected = without(bytes(data), number)
    data[number * 512 + 54] = power
    samples, problems = read(bytes(data))
    assert samples == expected
    assert problems == [("truncated record", True)]


@pytest.mark.parametrize("byte", range(8))
def test_damage_to_the_first_bytes_of_a_file(byte: int) -> None:
    """The number of a record and its spare byte say nothing; without its quality it is no record."""
    data = bytearray(records(SAMPLES, START, 100.0, encoding="STEIM2"))
    expected = without(bytes(data), 0) if byte == 6 else SAMPLES.tolist()
    data[byte] = 0xA5
    samples, problems = read(bytes(data))
    assert samples == expected
    assert problems == ([("not miniSEED", True)] if byte == 6 else [])


def test_what_only_looks_like_a_header_is_still_an_unknown_format() -> None:
    with pytest.raises(SourceError, match="unknown format"):
        open_source(b"PK\x03\x04" + bytes(60) + b"MS\x03" + bytes(100), "x.zip")


@pytest.mark.parametrize("cut", [1, 2, 100, 400])
def test_a_torn_record_of_version_3_leaves_the_next(cut: int) -> None:
    """Its stated length reaches into the next one, or just to its first bytes."""
    data = records(SAMPLES, START, 100.0, encoding="STEIM2", version=3)
    rows = parse_headers(data).rows
    end = int(rows["offset"][3])
    ends = np.cumsum(rows["samples"])
    samples, problems = read(data[: end - cut] + data[end:])
    assert samples == np.delete(SAMPLES, np.arange(ends[1], ends[2])).tolist()
    assert problems == [("wrong CRC", True)]


def test_two_torn_records_and_no_others() -> None:
    """When the first is given back, no run of records is left to look back at."""
    data = records(SAMPLES, START, 100.0, encoding="STEIM2")
    assert read(data[:300] + data[512:812]) == ([], [("truncated record", True)] * 2)


@pytest.mark.parametrize(
    ("at", "count", "problem"),
    [(69, 40, ("padding", False)), (117, 40, ("padding", False)), (250, 0, ("not miniSEED", True))],
)
def test_a_blockette_at_the_edge(at: int, count: int, problem: tuple[str, bool]) -> None:
    """One at the end of the bytes that are compared, or the second of a kind beyond the record."""
    data = bytearray(records(SAMPLES[:40], START, 100.0, record_bytes=256))
    payload = int.from_bytes(data[44:46], "big")
    data[39] = 3  # blockettes: 1000 at 48, and the same again at 56 and further on
    data[48:52] = bytes([0x03, 0xE8, 0, 56])
    data[56:60] = bytes([0x03, 0xE8, 0, at])
    data[at : at + 4] = bytes([0x00, 0x01, 0, 0])
    # Plain integers: where a blockette lies among them it is read as samples.
    written = np.frombuffer(bytes(data), ">i4", 40, payload)
    assert (written == SAMPLES[:40]).sum() >= 37
    assert read(bytes(data) + bytes(300)) == (written[:count].tolist(), [problem])


def test_bytes_that_changed_places_shift_the_records_between() -> None:
    """A header without its blockette then took 15,000 bytes to be its own: to where one lay on a boundary."""
    data = records(SAMPLES.astype("f8"), START, 20.0, record_bytes=256)
    at, far = 90 * 256 + 31, 38_591
    swapped = data[:at] + data[far : far + 600] + data[at + 1 : far] + data[at : at + 1] + data[far + 600 :]
    samples, problems = read(swapped)
    expected = np.delete(SAMPLES, np.arange(90 * 25, 91 * 25)).tolist()
    assert samples[: 149 * 25] == expected[: 149 * 25]  # what is damaged behind them nobody can tell
    assert [lost for _, lost in problems] == [True, True, True]


def test_records_of_1970_in_a_file_of_2020_are_a_span_of_their_own() -> None:
    """One span of fifty years had every block between planned, opened and recorded."""
    early = records(SAMPLES[:2000], 0, 100.0, encoding="STEIM2")
    data = early + records(SAMPLES[2000:], START, 100.0, encoding="STEIM2")
    spans = open_source(data, "x.mseed").content.spans
    assert [(span.start_ns, span.samples) for span in spans] == [(0, 2000), (START, 2000)]
    assert peek_source(data[:4096], data[-4096:], len(data), "x.mseed") is None
