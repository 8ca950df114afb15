"""The miniSEED reader: any layout that the manual allows, anything broken, and obspy beside us."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import obspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from miniseed_files import clocked_records, records

from pipeline.archive.grid import DAY_NS, day_number
from pipeline.archive.pieces import Piece, sample_times_ns
from pipeline.archive.readers import open_source, peek_source
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.archive.readers.protocol import Problem
from pipeline.errors import SourceError

START = day_number(dt.date(2020, 2, 3)) * DAY_NS + 4 * 3600 * 1_000_000_000
EVER = (-(2**62), 2**62)
HEAD = 4096
CODES = b"TEST   HHZXX"


def read(data: bytes) -> tuple[list[Piece], list[Problem]]:
    """Return all pieces by channel and time, and all problems."""
    file = open_source(data, "x.mseed")
    pieces, problems = file.read(*EVER)
    return sorted(pieces, key=lambda p: (str(p.channel), p.start_ns)), [*file.content.problems, *problems]


def wave(count: int, seed: int = 0) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).integers(-50, 51, count)).astype(np.int32)


def record(
    payload: bytes,
    samples: int,
    *,
    start_ns: int = START,
    order: str = ">",
    word_order: int | None = None,
    encoding: int = 3,
    power: int = 9,
    rate: tuple[int, int] = (100, 1),
    blockettes: tuple[int, ...] = (1000,),
    exact_rate: float = 0.0,
    quality: bytes = b"D",
    codes: bytes = CODES,
    flags: tuple[int, int, int] = (0, 0, 0),
    correction: int = 0,
    number: int = 1,
) -> bytes:
    """Lay out one record by the SEED manual, with blockettes in the order given."""
    moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=start_ns // 1000)
    tenths, micros = divmod(start_ns // 1000 % 1_000_000, 100)
    bodies = {
        1000: lambda: struct.pack(
            f"{order}BBBB", encoding, (order == ">") if word_order is None else word_order, power, 0
        ),
        1001: lambda: struct.pack(f"{order}BbBB", 87, micros, 0, 0),
        100: lambda: struct.pack(f"{order}f4x", exact_rate),
        500: lambda: b"\0" * 196,
    }
    chain, at = b"", 48
    for place, kind in enumerate(blockettes):
        body = bodies[kind]()
        following = at + 4 + len(body) if place + 1 < len(blockettes) else 0
        chain += struct.pack(f"{order}HH", kind, following) + body
        at += 4 + len(body)
    data_offset = -(-at // 64) * 64
    fixed = struct.pack(
        f"{order}6s1s1s12sHHBBBBHHhhBBBBiHH",
        b"%06d" % number, quality, b" ", codes, moment.year, moment.timetuple().tm_yday, moment.hour,
        moment.minute, moment.second, 0, tenths, samples, *rate, *flags, len(blockettes), correction,
        data_offset, 48 if blockettes else 0,
    )  # fmt: skip
    whole = (fixed + chain).ljust(data_offset, b"\0") + payload
    assert len(whole) <= 1 << power
    return whole.ljust(1 << power, b"\0")


def like_obspy(data: bytes, *, joined: bool = False) -> list[tuple[str, int, int, float, bytes]]:
    """Return what obspy sees, traces without samples left out; joined across those if so wished."""
    from obspy.io.mseed.core import _read_mseed

    stream = obspy.Stream([trace for trace in _read_mseed(io.BytesIO(data)) if trace.stats.npts])
    if joined:
        stream.merge(-1)
    return sorted(
        (t.id, t.stats.starttime.ns, t.stats.npts, t.stats.sampling_rate, t.data.tobytes()) for t in stream
    )


def as_traces(pieces: list[Piece]) -> list[tuple[str, int, int, float, bytes]]:
    return sorted(
        (str(p.channel), p.start_ns, len(p.samples), p.nominal_rate_hz, p.samples.tobytes()) for p in pieces
    )


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("encoding", "dtype"),
    [
        ("INT16", "int32"),
        ("INT32", "int32"),
        ("STEIM1", "int32"),
        ("STEIM2", "int32"),
        ("FLOAT32", "float32"),
        ("FLOAT64", "float64"),
    ],
)
def test_encodings(encoding: str, dtype: str, version: int) -> None:
    samples = (wave(5000) % 30000).astype(dtype)
    data = records(samples, START, 100.0, encoding=encoding, version=version)
    (piece,), problems = read(data)
    assert problems == []
    assert piece.samples.dtype == dtype
    assert not piece.samples.flags.writeable
    np.testing.assert_array_equal(piece.samples, samples)
    assert (piece.start_ns, piece.rate_hz, piece.rank) == (START, 100.0, 2)


def test_floats_keep_their_bits() -> None:
    """NaN of any kind, infinities, negative zero and denormals are samples like others."""
    bits = np.array([0x7FC00000, 0x7FC0BEEF, 0xFFC00001, 0x7F800000, 0x80000000, 1, 0x3F800000], dtype="u4")
    (piece,), problems = read(records(bits.view("f4"), START, 1.0))
    assert problems == []
    np.testing.assert_array_equal(piece.samples.view("u4"), bits)


def test_the_smallest_integer_is_a_sample() -> None:
    samples = np.array([5, np.iinfo("i4").min, -7, np.iinfo("i4").max], dtype="i4")
    (piece,), problems = read(records(samples, START, 1.0))
    assert problems == []
    np.testing.assert_array_equal(piece.samples, samples)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("word_order", [0, 1])
def test_integers_of_24_bits(order: str, word_order: int) -> None:
    """By hand, as two's complement in three bytes: nothing else at hand reads or writes them."""
    samples = [0, 1, -1, 255, 256, -256, -257, 65_536, -65_537, 0x123456, 2**23 - 1, -(2**23)]
    known = {0x123456: b"\x12\x34\x56", 2**23 - 1: b"\x7f\xff\xff", -(2**23): b"\x80\x00\x00"}
    packed = [(value % 2**24).to_bytes(3, "big") for value in samples]
    assert {value: packed[samples.index(value)] for value in known} == known
    payload = b"".join(each if word_order else each[::-1] for each in packed)
    data = record(payload, len(samples), order=order, word_order=word_order, encoding=2)
    (piece,), problems = read(data)
    assert problems == []
    assert piece.samples.dtype == np.int32
    assert piece.samples.tolist() == samples
    span = peek_source(data, data, len(data), "x.mseed")
    assert span is not None
    assert span.dtype == "int32"


def test_integers_of_24_bits_beyond_the_record() -> None:
    found, problems = read(record(bytes(range(240)), 200, encoding=2) + record(bytes(240), 80, encoding=2))
    assert [piece.samples.tolist() for piece in found] == [[0] * 80]
    assert [(problem.reason, problem.detail) for problem in problems] == [
        ("corrupt record", "record at offset 0: 0 of 200 samples decode")
    ]


def test_lengths_and_encodings_mixed_in_one_file() -> None:
    """One clock through records of six lengths and three encodings is one piece."""
    samples, at, data = wave(60_000), 0, b""
    plans = [(7, "STEIM2"), (9, "STEIM1"), (12, "INT32"), (8, "STEIM2"), (16, "STEIM2"), (9, "INT32")]
    for number, (power, encoding) in enumerate(plans):
        count = 10_000 if number < 5 else len(samples) - at
        time_ns = START + at * 10_000_000
        data += records(samples[at : at + count], time_ns, 100.0, record_bytes=1 << power, encoding=encoding)
        at += count
    (piece,), problems = read(data)
    assert problems == []
    np.testing.assert_array_equal(piece.samples, samples)
    assert as_traces([piece]) == like_obspy(data)


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("word_order", [0, 1, 66])
@pytest.mark.parametrize("encoding", [1, 3, 4, 5])
def test_byte_orders(order: str, word_order: int, encoding: int) -> None:
    """Header and data may differ; where the flag is neither 0 nor 1 the data are as the header is."""
    kind = {1: "i2", 3: "i4", 4: "f4", 5: "f8"}[encoding]
    samples = np.arange(-20, 20).astype(kind)
    data_order = {0: "<", 1: ">", 66: order}[word_order]
    payload = samples.astype(f"{data_order}{kind}").tobytes()
    data = record(payload, 40, order=order, word_order=word_order, encoding=encoding)
    (piece,), problems = read(data)
    assert problems == []
    np.testing.assert_array_equal(piece.samples, samples)
    assert piece.start_ns == START


@pytest.mark.parametrize(
    "blockettes",
    [(1000, 1001), (1001, 1000), (100, 1000, 1001), (1001, 500, 100, 1000), (500, 1000), (1000, 500)],
)
def test_blockettes_in_any_order(blockettes: tuple[int, ...]) -> None:
    samples = np.arange(40, dtype=">i4")
    start = START + 1_234_500 if 1001 not in blockettes else START + 1_234_567_000
    start = start // 100_000 * 100_000 if 1001 not in blockettes else start
    options: dict[str, Any] = {"blockettes": blockettes, "exact_rate": 59.5}
    data = record(samples.tobytes(), 40, start_ns=start, **options)
    (piece,), problems = read(data)
    assert problems == []
    assert piece.start_ns == start
    assert piece.nominal_rate_hz == (59.5 if 100 in blockettes else 100.0)
    assert piece.timing_quality == (87 if 1001 in blockettes else -1)
    np.testing.assert_array_equal(piece.samples, samples)


@pytest.mark.parametrize("power", [7, 8, 9, 12])
@pytest.mark.parametrize("blockettes", [(), (100,)])
def test_records_older_than_blockette_1000(power: int, blockettes: tuple[int, ...]) -> None:
    """They are Steim1, and as long as the way to the next one, or the end."""
    samples, data = wave(3 * 25), b""
    for number in range(3):
        part = samples[25 * number : 25 * (number + 1)]
        payload = records(part, START, 100.0, encoding="STEIM1", record_bytes=256)[64:128]
        data += record(
            payload, 25, start_ns=START + 250_000_000 * number, power=power, blockettes=blockettes,
            exact_rate=100.0, number=number,
        )  # fmt: skip
    (piece,), problems = read(data)
    assert problems == []
    np.testing.assert_array_equal(piece.samples, samples)


@pytest.mark.parametrize(
    ("rate", "hertz"),
    [((100, 1), 100.0), ((-10, 1), 0.1), ((33, -10), 3.3), ((-100, -10), 0.001), ((1, 250), 250.0)],
)
def test_rates_as_factor_and_multiplier(rate: tuple[int, int], hertz: float) -> None:
    (piece,), problems = read(record(np.arange(10, dtype=">i4").tobytes(), 10, rate=rate))
    assert problems == []
    assert piece.nominal_rate_hz == pytest.approx(hertz)


@pytest.mark.parametrize("applied", [False, True])
def test_time_correction(applied: bool) -> None:
    """It is added unless the header says that it was applied."""
    data = record(np.arange(4, dtype=">i4").tobytes(), 4, correction=-15, flags=(2 * applied, 0, 0))
    (piece,), _ = read(data)
    assert piece.start_ns == START - (0 if applied else 1_500_000)


@pytest.mark.parametrize(("quality", "rank"), [(b"R", 1), (b"D", 2), (b"Q", 3), (b"M", 4)])
def test_quality_and_clipping(quality: bytes, rank: int) -> None:
    data = record(np.arange(4, dtype=">i4").tobytes(), 4, quality=quality, flags=(0, 0, 2))
    (piece,), _ = read(data)
    assert (piece.rank, piece.flagged_clipped) == (rank, 4)


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(12)), twice=st.sets(st.integers(0, 11)))
def test_records_out_of_order_and_twice(order: list[int], twice: set[int]) -> None:
    """The chain does not depend on where its records stand in the file; second copies are a second chain."""
    samples = wave(1200)
    times = sample_times_ns(START, 100.0, 1200)
    whole = clocked_records(samples, times, 100.0)
    parts = [whole[at : at + 4096] for at in range(0, len(whole), 4096)]
    pieces, problems = read(b"".join(parts[i] for i in order) + b"".join(parts[i] for i in sorted(twice)))
    assert problems == []
    assert sum(len(p.samples) for p in pieces) == 1200 + 100 * len(twice)
    for piece in pieces:
        first = (piece.start_ns - START) // 10_000_000
        np.testing.assert_array_equal(piece.samples, samples[first : first + len(piece.samples)])
    assert max(len(p.samples) for p in pieces) == 1200 or twice


def test_text_between_records_and_padding() -> None:
    """Bytes that are no record are counted, records after them are read."""
    samples = wave(4000)
    data = records(samples, START, 100.0, encoding="STEIM2")
    parts = [data[at : at + 512] for at in range(0, len(data), 512)]
    noise = b"connection lost\r\n"
    broken = parts[0] + noise + b"".join(parts[1:3]) + bytes(1024) + b"".join(parts[3:]) + bytes(700)
    (piece,), problems = read(broken)
    np.testing.assert_array_equal(piece.samples, samples)
    assert [(p.reason, p.lost) for p in problems] == [
        ("not miniSEED", True),
        ("padding", False),
        ("padding", False),
    ]
    assert problems[0].detail == f"{len(noise)} bytes skipped at offset 512"
    assert problems[1].detail == f"1024 empty bytes at offset {512 * 3 + len(noise)}"


@pytest.mark.parametrize("kept", [1, 47, 48, 63, 300, 511])
def test_truncated_last_record(kept: int) -> None:
    samples = wave(4000)
    data = records(samples, START, 100.0, encoding="STEIM2")
    last = len(data) - 512
    count = int(parse_headers(data).rows["samples"][-1])
    (piece,), (problem,) = read(data[: last + kept])
    np.testing.assert_array_equal(piece.samples, samples[:-count])
    assert problem.lost
    assert f"{kept} bytes" in problem.detail
    assert str(last) in problem.detail
    assert problem.reason == ("truncated record" if kept >= 48 else "not miniSEED")


def test_truncated_file_before_another_one() -> None:
    """A record torn off by the next file (``cat`` after a full disk) costs only itself."""
    samples = wave(8000)
    first = records(samples[:4000], START, 100.0, encoding="STEIM2")
    second = records(samples[4000:], START + 40 * 1_000_000_000, 100.0, encoding="STEIM2")
    torn = int(parse_headers(first).rows["samples"][-1])
    pieces, problems = read(first[:-200] + second)
    np.testing.assert_array_equal(
        np.concatenate([p.samples for p in pieces]), np.concatenate([samples[: 4000 - torn], samples[4000:]])
    )
    assert [p.reason for p in problems] == ["truncated record"]
    assert f"at offset {len(first) - 512}" in problems[0].detail


def test_wrong_checksum_of_version_3() -> None:
    samples = wave(4000)
    data = records(samples, START, 100.0, encoding="STEIM2", version=3)
    rows = parse_headers(data).rows
    flipped = bytearray(data)
    at = int(rows["offset"][2])
    flipped[at + 100] ^= 1
    pieces, (problem,) = read(bytes(flipped))
    assert (problem.reason, problem.lost) == ("wrong CRC", True)
    assert f"at offset {at} " in problem.detail
    kept = np.concatenate([p.samples for p in pieces])
    ends = np.cumsum(rows["samples"])
    np.testing.assert_array_equal(kept, np.delete(samples, np.arange(ends[1], ends[2])))


@pytest.mark.parametrize("encoding", ["STEIM1", "STEIM2"])
def test_corrupt_steim_costs_its_record_alone(encoding: str) -> None:
    """A flipped bit in the differences shows in the last sample; the record is named, the others stay."""
    samples = wave(4000)
    data = records(samples, START, 100.0, encoding=encoding)
    rows = parse_headers(data).rows
    ends = np.cumsum(rows["samples"])
    damaged = bytearray(data)
    damaged[3 * 512 + 64 + 70] ^= 0x10
    pieces, (problem,) = read(bytes(damaged))
    assert problem.reason == "corrupt record"
    assert "offset 1536" in problem.detail
    lost = np.arange(ends[2], ends[3])
    np.testing.assert_array_equal(np.concatenate([p.samples for p in pieces]), np.delete(samples, lost))
    assert [p.start_ns for p in pieces] == [START, START + int(ends[3]) * 10_000_000]


@pytest.mark.parametrize(
    ("options", "reason", "said"),
    [
        ({"rate": (0, 1)}, "no sampling rate", "1 records state a rate of 0 Hz"),
        ({"blockettes": (1000, 100), "exact_rate": 1e9}, "no sampling rate", "1e\\+09 Hz"),
        ({"blockettes": (1000, 100), "exact_rate": 1e-9}, "no sampling rate", "1e-09 Hz"),
        ({"blockettes": (1000, 100), "exact_rate": float("inf")}, "no sampling rate", "inf Hz"),
        ({"encoding": 15}, "unknown encoding", "1 records of encoding 15"),
        ({"encoding": 99}, "unknown encoding", "1 records of encoding 99"),
        ({"codes": b"T ST   HHZXX"}, "no channel name", r"XX\.T ST\.\.HHZ"),
        ({"codes": b"            "}, "no channel name", r"'\.\.\.'"),
        ({"samples": 60_000}, "corrupt record", "60000 samples do not fit"),
    ],
)
def test_records_that_hold_no_usable_samples(options: dict[str, Any], reason: str, said: str) -> None:
    pieces, (problem,) = read(record(np.arange(10, dtype=">i4").tobytes(), **{"samples": 10, **options}))
    assert pieces == []
    assert (problem.reason, problem.lost) == (reason, True)
    assert re.search(said, problem.detail)


@pytest.mark.parametrize("offset", [0, 8, 512, 600, 65535])
def test_data_that_begin_outside_the_record(offset: int) -> None:
    data = bytearray(record(np.arange(10, dtype=">i4").tobytes(), 10))
    data[44:46] = offset.to_bytes(2, "big")
    pieces, (problem,) = read(bytes(data))
    assert pieces == []
    assert problem.reason == "corrupt record"


def test_logs_and_empty_records_are_silent() -> None:
    """Text is no time series, and a record without samples loses none."""
    text = record(b"GPS locked\r\n", 12, encoding=0, rate=(0, 0), codes=b"TEST   LOGXX")
    empty = record(b"", 0)
    data = records(wave(200), START + 1_000_000_000, 100.0)
    pieces, problems = read(text + empty + data)
    assert problems == []
    assert [len(p.samples) for p in pieces] == [200]


@pytest.mark.filterwarnings("ignore:Failed to decode")
def test_codes_not_ascii() -> None:
    """Bytes that are no letters are left out of the name, as obspy has it, and said."""
    data = record(np.arange(10, dtype=">i4").tobytes(), 10, codes=b"T\xe9ST\xff00HHZXX")
    (piece,), (problem,) = read(data)
    assert str(piece.channel) == "XX.TST.00.HHZ"
    assert (problem.reason, problem.lost) == ("codes not ASCII", False)
    assert like_obspy(data)[0][0] == "XX.TST.00.HHZ"


@pytest.mark.parametrize("source", ["XFDSN:nonsense", "HELLO", "FDSN:XX_TOOMANY_A_B_C_D_E_F"])
def test_version_3_with_a_strange_identifier(source: str) -> None:
    from pymseed import DataEncoding, MS3Record

    strange = MS3Record()
    strange.sourceid, strange.formatversion, strange.reclen = source, 3, 512
    strange.encoding, strange.samprate, strange.starttime = DataEncoding["INT32"], 100.0, START
    data = b"".join(strange.generate(np.arange(50, dtype=np.int32), "i"))
    pieces, problems = read(data + records(wave(50), START, 100.0, version=3))
    assert "XX.TEST..HHZ" in {str(p.channel) for p in pieces}
    assert len(pieces) == 2 or problems[0].reason == "no channel name"


@pytest.mark.parametrize("value", [98, "unknown", 1e12, -5.5, None])
def test_version_3_with_strange_extra_headers(value: object) -> None:
    from pymseed import MS3Record

    made = MS3Record.parse(records(wave(50), START, 100.0, version=3), unpack_data=True)
    if value is not None:
        made.set_extra_header("/FDSN/Time/Quality", value)
    (piece,), problems = read(b"".join(made.generate()))
    assert problems == []
    assert piece.timing_quality == {98: 98, -5.5: -5}.get(value, -1)  # type: ignore[call-overload]


def test_full_seed_volume() -> None:
    """Control headers before the data are skipped, and nothing is called lost."""
    volume = b"000001V 0100076 2.409" + b" " * 491
    station = b"000002S 0500098STA" + b" " * 494
    data = records(wave(500), START, 100.0)
    (piece,), (problem,) = read(volume + station + data)
    assert (problem.reason, problem.lost) == ("control headers", False)
    assert len(piece.samples) == 500


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(600), b"\0", b"000001", b"MS\x02" + bytes(80)])
def test_what_is_no_miniseed(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"empty file: 0 bytes|unknown format: begins with"):
        open_source(data, "x")


def test_many_gaps_and_many_jumps_take_no_time() -> None:
    """Opening grows with the records, not with their square."""
    count = 4000
    one = records(np.arange(100, dtype=np.int32), START, 100.0, record_bytes=512)
    table = np.frombuffer(one * count, np.uint8).reshape(count, 512).copy()
    seconds = np.arange(count) * 3 + (np.arange(count) % 2)
    table[:, 24], table[:, 25], table[:, 26] = seconds // 3600, seconds // 60 % 60, seconds % 60
    begun = time.process_time()
    pieces, _ = read(table.tobytes())
    gappy = time.process_time() - begun
    assert len(pieces) == count
    table[:, 24], table[:, 25] = np.arange(count) // 3600, np.arange(count) // 60 % 60
    table[:, 26] = np.arange(count) % 60
    jitter = np.random.default_rng(0).integers(0, 25, count)
    table[:, 28], table[:, 29] = 0, jitter
    begun = time.process_time()
    pieces, _ = read(table.tobytes())
    jittery = time.process_time() - begun
    assert sum(len(p.samples) for p in pieces) == 100 * count
    assert gappy < 2.0
    assert jittery < 2.0


@settings(max_examples=120, deadline=None)
@given(
    version=st.sampled_from([2, 3]),
    flips=st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), min_size=1, max_size=30),
    cut=st.integers(0, 4000),
)
def test_no_damage_raises(version: int, flips: list[tuple[int, int]], cut: int) -> None:
    """Whatever happens to its bytes, a file gives pieces and problems, or SourceError."""
    data = bytearray(records(wave(2500), START, 100.0, encoding="STEIM2", version=version, record_bytes=256))
    for where, value in flips:
        # Half of the damage falls on the headers of the first records.
        data[where % len(data) if where % 2 else where % 200] = value
    damaged = bytes(data[: len(data) - cut])
    try:
        pieces, _ = read(damaged)
    except SourceError:
        return
    assert all(len(p.samples) for p in pieces)
    peek_source(damaged[:HEAD], damaged[-HEAD:], len(damaged), "x")


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(1, 30_000),
    rate=st.sampled_from([1.0, 20.0, 59.5238, 100.0]),
    version=st.sampled_from([2, 3]),
    encoding=st.sampled_from(["STEIM2", "INT32"]),
    gap=st.integers(0, 10**12),
)
def test_peek_agrees_with_the_whole(count: int, rate: float, version: int, encoding: str, gap: int) -> None:
    options: dict[str, Any] = {"version": version, "encoding": encoding, "record_bytes": 512}
    data = records(wave(count), START, rate, **options)
    later = START + round(count * 1e9 / rate) + gap
    data += records(wave(100), later // 1000 * 1000, rate, **options)
    peeked = peek_source(data[:HEAD], data[-HEAD:], len(data), "x")
    (span,) = open_source(data, "x").content.spans
    if peeked is None:
        assert version == 3  # whose records have no common length
        return
    assert (peeked.channel, peeked.rate_hz, peeked.dtype) == (span.channel, span.rate_hz, span.dtype)
    assert abs(peeked.start_ns - span.start_ns) <= 1000  # the line of a clock passes records within this
    assert abs(peeked.end_ns - span.end_ns) <= 1000


def test_peek_looks_through_files_that_run_backwards() -> None:
    """Their ends say nothing about their span."""
    late = records(wave(5000), START + DAY_NS, 100.0)
    early = records(wave(5000), START, 100.0)
    data = late + early
    assert peek_source(data[:HEAD], data[-HEAD:], len(data), "x") is None


BUNDLED = Path(obspy.__file__).parent / "io" / "mseed" / "tests" / "data"
TEXT = "text is no time series"
DIFFERENT = {
    "encoding/fullASCII_bigEndian.mseed": TEXT,
    "encoding/fullASCII_littleEndian.mseed": TEXT,
    "encoding/smallASCII_bigEndian.mseed": TEXT,
    "encoding/smallASCII_littleEndian.mseed": TEXT,
    "rt130_sr0_cropped.mseed": "a log without a sampling rate",
    "encoding/nan_float32.mseed": "no station or channel is named: a problem that is recorded",
    "encoding/nan_float64.mseed": "no station or channel is named: a problem that is recorded",
}


def bundled() -> list[str]:
    files = (path for path in BUNDLED.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(BUNDLED)) for path in files)


@pytest.mark.skipif(not BUNDLED.is_dir(), reason="this obspy comes without its test files")
@pytest.mark.filterwarnings("ignore")
def test_obspy_reads_the_same_from_its_own_files() -> None:
    """Every file that obspy reads gives the same samples at the same times; none raises but SourceError."""
    compared = 0
    for name in bundled():
        data = (BUNDLED / name).read_bytes()
        try:
            pieces, problems = read(data)
        except SourceError:
            pieces, problems = [], []
        try:
            theirs = [like_obspy(data), like_obspy(data, joined=True)]
        except Exception:  # whatever obspy can't read
            theirs = None
        if name in DIFFERENT:
            assert pieces == [], name
            assert (DIFFERENT[name] == TEXT) or problems or "log" in DIFFERENT[name], name
        elif theirs is not None:
            assert as_traces(pieces) in theirs, name
            compared += 1
    assert compared > 60
