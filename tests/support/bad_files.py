"""Cases of bad input: what is wrong with the bytes of a file."""

# ruff: noqa: E501 (what is said stands here word by word)

from __future__ import annotations

import io
import warnings
from typing import Any, Literal

import numpy as np
import obspy
from bad_input import SECOND, Group, Place, Trace, walk
from miniseed_files import records_of_24_bits

__all__ = ["FILES", "KINDS"]

FILES = Group("Damaged files")
KINDS = Group("Files of mixed or unusual kinds")
RECORD = 512


def by_obspy(trace: Trace, **options: Any) -> bytes:
    """Pack samples with obspy, which writes either byte order."""
    network, station, location, channel = trace.channel.split(".")
    header = {"network": network, "station": station, "location": location, "channel": channel}
    made = obspy.Trace(trace.samples.copy(), header | {"sampling_rate": trace.rate_hz})
    made.stats.starttime = obspy.UTCDateTime(ns=trace.start_ns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.write(written := io.BytesIO(), format="MSEED", **options)
    return written.getvalue()


def counts_of(data: bytes) -> list[int]:
    """Return how many samples each record of 512 bytes holds, as its header says."""
    return [int.from_bytes(data[at + 30 : at + 32], "big") for at in range(0, len(data), RECORD)]


@FILES.case(
    "no bytes at all",
    said=("lost: {sources}/empty.mseed: empty file: 0 bytes",),
    becomes="none were there",
    status=1,
)
def zero_bytes(place: Place) -> list[Trace]:
    place.write("empty.mseed", b"")
    return []


@FILES.case(
    "the last record is cut off (a disk that filled up)",
    said=(
        "lost: {sources}/bad.mseed: truncated record: 412 bytes at offset 2048 are less than the record that begins there",
    ),
    becomes="those of the last record are missing",
    status=1,
)
def truncated_last_record(place: Place) -> list[Trace]:
    trace = Trace(walk(2000))
    data = trace.records()
    place.write("bad.mseed", data[:-100])
    return [trace.part(0, -counts_of(data)[-1])]


@FILES.case(
    "... the same under an SDS name, of which only the ends are looked at first",
    said=(
        "lost: {sources}/XX.BAD..LHZ.D.2020.063: truncated record: 412 bytes at offset 24064 are less than the record that begins there",
    ),
    becomes="those of the last record are missing",
    status=1,
)
def truncated_sds(place: Place) -> list[Trace]:
    trace = Trace(walk(20_000))
    data = trace.records()
    place.write("XX.BAD..LHZ.D.2020.063", data[:-100])
    return [trace.part(0, -counts_of(data)[-1])]


@FILES.case(
    "a file torn off, then another one appended",
    said=(
        "lost: {sources}/bad.mseed: truncated record: 312 bytes at offset 2048 are less than the record that begins there",
    ),
    becomes="those of the torn record are missing",
    status=1,
)
def torn_and_appended(place: Place) -> list[Trace]:
    trace = Trace(walk(4000))
    first, second = trace.part(0, 2000), trace.part(2000)
    data = first.records()
    place.write("bad.mseed", data[:-200] + second.records())
    return [first.part(0, -counts_of(data)[-1]), second]


@FILES.case(
    "something else than data (here a web page that says why there is none)",
    said=(
        "lost: {sources}/bad.mseed: unknown format: begins with b'<html><body>503 '; readable are CSV (by a map), miniSEED, TSF, GSE2, GSE1, SAC, SEISAN, SLIST, TSPAIR, KNET, REFTEK130, GCF, GGP",
    ),
    becomes="none were there",
    status=1,
)
def not_miniseed(place: Place) -> list[Trace]:
    place.write("bad.mseed", b"<html><body>503 Service Unavailable</body></html>\n" * 20)
    return []


@FILES.case(
    "only zeros, as some file systems leave after a crash",
    said=(
        "lost: {sources}/bad.mseed: unknown format: begins with b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00'; readable are CSV (by a map), miniSEED, TSF, GSE2, GSE1, SAC, SEISAN, SLIST, TSPAIR, KNET, REFTEK130, GCF, GGP",
    ),
    becomes="none were there",
    status=1,
)
def only_zeros(place: Place) -> list[Trace]:
    place.write("bad.mseed", bytes(4096))
    return []


@FILES.case(
    "text between records",
    said=("lost: {sources}/bad.mseed: not miniSEED: 17 bytes skipped at offset 512",),
    becomes="all there; what the bytes may have been is not known",
    status=1,
)
def text_in_the_middle(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data = trace.records()
    place.write("bad.mseed", data[:RECORD] + b"connection lost\r\n" + data[RECORD:])
    return [trace]


@FILES.case(
    "zeros between records",
    said=("note: {sources}/bad.mseed: padding: 1000 empty bytes at offset 512",),
    becomes="all there",
    status=0,
)
def zeros_in_the_middle(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data = trace.records()
    place.write("bad.mseed", data[:RECORD] + bytes(1000) + data[RECORD:])
    return [trace]


@FILES.case(
    "a record overwritten with something else",
    said=("lost: {sources}/bad.mseed: not miniSEED: 512 bytes skipped at offset 512",),
    becomes="those of the record are missing",
    status=1,
)
def record_overwritten(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = trace.records(), counts_of(trace.records())
    place.write("bad.mseed", data[:RECORD] + b"\xa5" * RECORD + data[2 * RECORD :])
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "one flipped bit in Steim data",
    said=(
        "lost: XX.BAD..LH/2020.03: corrupt record: {sources}/bad.mseed: record at offset 512: its last sample decodes to 1686, its header states 1702",
    ),
    becomes="those of the record are missing: its last sample is not the one that it states",
    status=1,
)
def flipped_bit(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    data[RECORD + 64 + 70] ^= 0x10
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "miniSEED 3 that does not match its checksum",
    said=(
        "lost: {sources}/bad.mseed: wrong CRC: record of 458 bytes at offset 458 does not match its checksum",
    ),
    becomes="those of the record are missing",
    status=1,
)
def wrong_crc(place: Place) -> list[Trace]:
    parts = [Trace(walk(3000)).part(a, a + 100) for a in (0, 100, 200)]
    packed = [bytearray(part.records(version=3, encoding="INT32", record_bytes=4096)) for part in parts]
    packed[1][-1] ^= 1
    place.write("bad.mseed", b"".join(packed))
    return [parts[0], parts[2]]


@FILES.case(
    "a record that states twice its length",
    said=(
        "lost: {sources}/bad.mseed: truncated record: 512 bytes at offset 512 are less than the record that begins there",
    ),
    becomes="those of the record are missing, those of the records in it are there",
    status=1,
)
def length_damaged(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    assert data[RECORD + 54] == 9  # in blockette 1000, as a power of two
    data[RECORD + 54] = 10
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "a first record whose header is damaged",
    said=("lost: {sources}/bad.mseed: not miniSEED: 512 bytes skipped at offset 0",),
    becomes="those of the first record are missing",
    status=1,
)
def first_byte_damaged(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = trace.records(), counts_of(trace.records())
    place.write("bad.mseed", b"\xa5" * 20 + data[20:])
    return [trace.part(counts[0])]


@FILES.case(
    "more samples stated than fit into the record",
    said=("lost: {sources}/bad.mseed: corrupt record: record at offset 512: 65535 samples do not fit in it",),
    becomes="those of the record are missing",
    status=1,
)
def too_many_stated(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    data[RECORD + 30 : RECORD + 32] = b"\xff\xff"
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "a record without a sampling rate",
    said=(
        "lost: {sources}/bad.mseed: no sampling rate: 1 records state a rate of 0 Hz, not from 1.16e-05 to 20000 Hz",
    ),
    becomes="those of the record are missing",
    status=1,
)
def no_rate(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    data[RECORD + 32 : RECORD + 36] = bytes(4)
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "a record in the year 2500",
    said=("lost: {sources}/bad.mseed: not miniSEED: 512 bytes skipped at offset 512",),
    becomes="those of the record are missing",
    status=1,
)
def impossible_year(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    data[RECORD + 20 : RECORD + 22] = (2500).to_bytes(2, "big")
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "a record without station and channel",
    said=("lost: {sources}/bad.mseed: no channel name: records name the channel '...'",),
    becomes="those of the record are missing",
    status=1,
)
def no_name(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    data[RECORD + 8 : RECORD + 20] = b" " * 12
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@FILES.case(
    "codes with letters that are not ASCII",
    said=(
        "note: {sources}/bad.mseed: codes not ASCII: the codes b'B\\xc4AD   LHZXX' are read as XX.BAD..LHZ",
    ),
    becomes="all there, under the codes without those letters",
    status=0,
)
def codes_not_ascii(place: Place) -> list[Trace]:
    trace = Trace(walk(500), "XX.BAD..LHZ")
    data = bytearray(trace.records())
    for at in range(0, len(data), RECORD):
        data[at + 8 : at + 13] = b"B\xc4AD "
    place.write("bad.mseed", bytes(data))
    return [trace]


@FILES.case(
    "a name that says another station than the headers",
    said=(
        "note: {sources}/XX.OTHER..LHZ.D.2020.063: name and header differ: the name says XX.OTHER..LHZ, the headers say XX.BAD..LHZ; the headers are believed",
    ),
    becomes="all there, under the codes of the headers",
    status=0,
)
def wrong_name(place: Place) -> list[Trace]:
    trace = Trace(walk(20_000))
    place.write("XX.OTHER..LHZ.D.2020.063", trace.records())
    return [trace]


@FILES.case(
    "a table of text with a broken row",
    said=(
        "lost: {sources}/bad.csv: unreadable value: 1 line with a value that is no number; the first is line 302: b'2020-03-03T04:05:00;1O.5'",
    ),
    becomes="that of the row is missing",
    status=1,
    options=("--map", "{sources}/../map.toml"),
)
def broken_row(place: Place) -> list[Trace]:
    rows = [f"2020-03-03T04:{n // 60:02d}:{n % 60:02d};{n / 8}" for n in range(600)]
    rows[300] = "2020-03-03T04:05:00;1O.5"
    place.write("bad.csv", "\n".join(["time;gravity", *rows, ""]).encode())
    map_file = place.folder.parent / "map.toml"
    columns = 'columns = [{ column = "gravity", channel = "XX.BAD..LGZ" }]'
    layout = 'csv = { time = "%Y-%m-%dT%H:%M:%S", separator = ";", header_lines = 1 }'
    map_file.write_text(f'[[sources]]\nmatch = "*.csv"\n{layout}\n{columns}\n')
    trace = Trace(np.arange(600) / 8, "XX.BAD..LGZ")
    return [trace.part(0, 300), trace.part(301)]


@KINDS.case("records of 128, 512 and 4096 bytes in one file", said=(), becomes="all there", status=0)
def record_lengths(place: Place) -> list[Trace]:
    trace = Trace(walk(9000))
    sizes = {0: 128, 3000: 4096, 6000: 512}
    data = b"".join(trace.part(at, at + 3000).records(record_bytes=size) for at, size in sizes.items())
    place.write("bad.mseed", data)
    return [trace]


@KINDS.case("both byte orders in one file", said=(), becomes="all there", status=0)
def byte_orders(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    orders = {0: "<", 1000: ">", 2000: "<"}
    data = b"".join(
        by_obspy(trace.part(at, at + 1000), byteorder=order, encoding="INT32", reclen=512)
        for at, order in orders.items()
    )
    place.write("bad.mseed", data)
    return [trace]


@KINDS.case("Steim1, Steim2, 16, 24 and 32 bits in one file", said=(), becomes="all there", status=0)
def integer_encodings(place: Place) -> list[Trace]:
    trace = Trace(walk(6000))
    encodings = ("STEIM1", "STEIM2", "INT16", "INT32")
    data = b"".join(
        trace.part(at, at + 1000).records(encoding=encoding)
        for at, encoding in zip(range(0, 4000, 1000), encodings, strict=True)
    )
    orders: tuple[Literal["big", "little"], ...] = ("big", "little")
    for at, order in zip((4000, 5000), orders, strict=True):
        part = trace.part(at, at + 1000)
        data += records_of_24_bits(part.samples, part.start_ns, 1.0, channel=part.channel, order=order)
    place.write("bad.mseed", data)
    return [trace]


@KINDS.case(
    "one record of floats among Steim2",
    said=(),
    becomes="all there, of either kind",
    status=0,
)
def floats_among_steim(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    floats = Trace((np.arange(100) / 7).astype("f4"), start_ns=trace.start_ns + 1000 * SECOND)
    place.write("bad.mseed", trace.part(0, 1000).records() + floats.records() + trace.part(1100).records())
    return [trace.part(0, 1000), floats, trace.part(1100)]


@KINDS.case(
    "float32 and float64 in one file, with NaN and infinities",
    said=(),
    becomes="all there, and as they were",
    status=0,
)
def float_kinds(place: Place) -> list[Trace]:
    single = Trace(np.array([1.5, np.nan, np.inf, -0.0, 1e-40] * 20, dtype="f4"))
    double = Trace(np.array([1e300, np.nan, -np.inf, 1 / 3] * 25), start_ns=single.start_ns + 100 * SECOND)
    place.write("bad.mseed", single.records() + double.records())
    return [single, double]


@KINDS.case(
    "an encoding that nobody decodes (that of the USNSN)",
    said=("lost: {sources}/bad.mseed: unknown encoding: 1 records of encoding 15",),
    becomes="those of the record are missing",
    status=1,
)
def unknown_encoding(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    assert data[RECORD + 52] == 11  # blockette 1000 follows the fixed header
    data[RECORD + 52] = 15
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, counts[0]), trace.part(counts[0] + counts[1])]


@KINDS.case(
    "log messages and empty records among the data",
    said=(),
    becomes="all there; text is no time series",
    status=0,
)
def logs(place: Place) -> list[Trace]:
    trace = Trace(walk(1000))
    record = bytearray(trace.records(record_bytes=4096)[:4096])
    record[52], record[15:18], record[30:32] = 0, b"LOG", (11).to_bytes(2, "big")
    empty = bytearray(trace.records(record_bytes=4096)[:4096])
    empty[30:32] = bytes(2)
    place.write("bad.mseed", bytes(record) + bytes(empty) + trace.records())
    return [trace]


@KINDS.case(
    "a full SEED volume, with control headers before the data",
    said=("note: {sources}/bad.seed: control headers: 1024 bytes skipped at offset 0",),
    becomes="all there",
    status=0,
)
def seed_volume(place: Place) -> list[Trace]:
    trace = Trace(walk(1000))
    volume = b"000001V 0100076 2.409".ljust(RECORD) + b"000002S 0500098STA".ljust(RECORD)
    place.write("bad.seed", volume + trace.records())
    return [trace]
