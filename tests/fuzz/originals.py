"""Files with which nothing is wrong: the beginnings of real ones, and written ones of every encoding."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import obspy
from gse1_files import gse1_bytes
from miniseed_files import records, records_of_24_bits
from mutations import Original, Record
from pymseed import MS3Record, clear_error_messages, sourceid2nslc

from pipeline.archive.readers import load_map

DATA = Path(os.environ.get("STATIONDAY_DATA", Path(__file__).parents[2] / ".." / "shared" / "data"))
START_NS = 1_583_208_000_000_000_000
REAL_RECORDS = 40
REAL_FILES = 40
ENCODINGS = ("STEIM1", "STEIM2", "INT16", "INT32", "FLOAT32", "FLOAT64")


MAP = load_map(
    """
    [[sources]]
    match = "*.csv"
    csv = { time = "%Y-%m-%dT%H:%M:%S", separator = ";", header_lines = 1 }
    columns = [{ column = "1", channel = "XX.TEXT..LGZ" }]
    [[sources]]
    match = "*.ggp"
    columns = [{ column = "1", channel = "XX.TEXT..LGZ" }, { column = "2", channel = "XX.TEXT..LDI" }]
    [[sources]]
    match = "*.gse1"
    columns = [{ column = "1", channel = "XX.TEXT..LGZ" }]
    [[sources]]
    match = "*.tsf"
    columns = [{ column = "1", channel = "XX.TEXT..LGZ" }, { column = "2", channel = "XX.TEXT..LDI" }]
    """
)
"""Names for the channels of what does not name them."""


def find_originals() -> list[Original]:
    """Return all originals, in the same order each time."""
    return [*_written(), *_texts(), *_real()]


def _written() -> Iterator[Original]:
    rng = np.random.default_rng(0)
    for version in (2, 3):
        for number, encoding in enumerate(ENCODINGS):
            kind = {"FLOAT32": "f4", "FLOAT64": "f8"}.get(encoding, "i4")
            samples = np.cumsum(rng.integers(-50, 51, 4000)).astype(kind)
            channel = f"XX.W{version}{number}.00.BHZ"
            options: dict[str, Any] = {"encoding": encoding, "version": version, "channel": channel}
            data = records(samples, START_NS, 20.0, record_bytes=(512, 256)[number % 2], **options)
            name = f"{encoding}-{version}.mseed"
            yield Original(name, data, _records(data), is_protected=version == 3)
    for order in ("big", "little"):
        yield _of_24_bits(np.cumsum(rng.integers(-5000, 5001, 4000)).astype("i4"), order)


def _of_24_bits(samples: Any, order: Literal["big", "little"]) -> Original:
    """Return a file of records that libmseed can't read, and what they hold, in records of a hundred."""
    channel = f"XX.W24.{order[0].upper()}0.BHZ"
    data = records_of_24_bits(samples, START_NS, 20.0, channel=channel, order=order)
    length = len(data) * 100 // len(samples)
    whole = (
        Record(at * length, length, channel, START_NS + at * 5_000_000_000, 20.0, samples[at * 100 :][:100])
        for at in range(len(samples) // 100)
    )
    return Original(f"INT24-{order}.mseed", data, tuple(whole))


def _records(data: bytes) -> tuple[Record, ...]:
    """Let libmseed read the records of a file one by one."""
    found, at = [], 0
    while at < len(data):
        record = MS3Record()
        record.parse_into(memoryview(data)[at:], unpack_data=True)
        channel = ".".join(sourceid2nslc(record.sourceid))
        samples = np.array(record.np_datasamples)
        found.append(Record(at, record.reclen, channel, record.starttime, record.samprate, samples))
        at += record.reclen
    clear_error_messages()
    return tuple(found)


def _real() -> Iterator[Original]:
    """Return the first records of real files, of as many kinds as there are."""
    folder = DATA / "continuous"
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix not in (".xml", ".md", ".txt"))
    for path in paths[:: max(1, len(paths) // REAL_FILES)]:
        head = path.read_bytes()[: 4096 * REAL_RECORDS]
        try:
            whole = _records(head[: _first_length(head) * REAL_RECORDS])
        except Exception:  # of other record lengths, or no miniSEED: not an original
            continue
        if all(len(record.samples) for record in whole):
            data = head[: whole[-1].offset + whole[-1].length]
            steim = {encoding_of(data, record) for record in whole} <= {10, 11}
            yield Original(f"{'STEIM-' if steim else ''}{path.name}", data, whole)


def _first_length(data: bytes) -> int:
    record = MS3Record()
    record.parse_into(memoryview(data), unpack_data=False)
    return int(record.reclen)


def encoding_of(data: bytes, record: Record) -> int:
    """Return the encoding that a record states."""
    parsed = MS3Record()
    parsed.parse_into(memoryview(data)[record.offset :], unpack_data=False)
    return int(parsed.encoding)


def _texts() -> Iterator[Original]:
    """Return one file of each format in text; nothing guards their numbers."""
    rows = [(n // 3600, n // 60 % 60, n % 60, 5 * np.sin(n / 50), 1013 + n / 100) for n in range(600)]
    ggp = ["Filename: a.ggp", "Station: Test", "Instrument: SG", "yyyymmdd hhmmss gravity(V) pressure(hPa)"]
    ggp += ["C" + "*" * 59, "77777777       0.000     0.000"]
    ggp += [f"20200303 {h:02d}{m:02d}{s:02d}{a:10.3f}{b:10.3f}" for h, m, s, a, b in rows] + ["99999999", ""]
    yield Original("a.ggp", "\n".join(ggp).encode())
    tsf = ["[TSF-file] v01.0", "[UNDETVAL] 9999.999", "[TIMEFORMAT] DATETIME", "[INCREMENT] 1", "[CHANNELS]"]
    tsf += [
        "  Test:SG:Grav",
        "  Test:SG:Baro",
        "[UNITS]",
        "  nm/s2",
        "  hPa",
        f"[COUNTINFO] {len(rows)}",
        "[DATA]",
    ]
    tsf += [f"2020 03 03  {h:02d} {m:02d} {s:02d} {a:10.4f} {b:10.4f}" for h, m, s, a, b in rows] + [""]
    yield Original("a.tsf", "\n".join(tsf).encode())
    csv = [f"2020-03-03T{h:02d}:{m:02d}:{s:02d};{a:.4f}" for h, m, s, a, _ in rows]
    yield Original("a.csv", "\n".join(["time;gravity", *csv, ""]).encode())
    header = {"network": "XX", "station": "TEST", "channel": "BHZ", "sampling_rate": 20.0}
    header["starttime"] = obspy.UTCDateTime(ns=START_NS)
    samples = np.array([200 * np.sin(n / 9) for n in range(4000)], dtype=np.int32)
    for name, kind in (("GSE2", np.int32), ("SAC", np.float32)):
        with tempfile.NamedTemporaryFile() as file:
            obspy.Trace(samples.astype(kind), header).write(file.name, format=name)
            yield Original(f"a.{name.lower()}", Path(file.name).read_bytes())
    yield Original("a.gse1", gse1_bytes(samples, START_NS, 20.0))
