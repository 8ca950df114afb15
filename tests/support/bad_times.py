"""Cases of bad input: times, rates, versions and components that do not agree."""

# ruff: noqa: E501 (what is said stands here word by word)

from __future__ import annotations

import datetime as dt

import numpy as np
from bad_files import RECORD, counts_of
from bad_input import SECOND, START_NS, Group, Place, Trace, walk
from miniseed_files import clocked_records

from pipeline.archive.pieces import sample_times_ns
from pipeline.archive.reading import Archive

__all__ = ["CLOCKS", "COMPONENTS", "TWICE"]

TWICE = Group("The same time twice")
CLOCKS = Group("Clocks and rates")
COMPONENTS = Group("Components and bands")
DAY_NS = 86_400 * SECOND
MIDNIGHT_NS = START_NS + 20 * 3600 * SECOND


def ns(text: str) -> int:
    """Return a UTC time in nanoseconds since 1970."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()) * SECOND


@TWICE.case("whole files twice, under two names", said=(), becomes="once", status=0)
def whole_files_twice(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    place.write("bad.mseed", trace.records())
    place.write("copy/bad.mseed", trace.records())
    return [trace]


@TWICE.case("an overlap of two files with equal samples, packed otherwise", said=(), becomes="once", status=0)
def equal_overlap(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    place.write("bad-1.mseed", trace.part(0, 2000).records(encoding="STEIM1"))
    place.write("bad-2.mseed", trace.part(1000).records(record_bytes=4096))
    return [trace]


@TWICE.case(
    "an overlap of two files that disagree",
    said=(
        "lost: XX.BAD..LH/2020.03: overlap disagrees: 2020-03-03: 100 samples came twice and differ: now missing",
    ),
    becomes="those that differ are missing, the rest is there",
    status=1,
)
def disagreeing_overlap(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    other = trace.samples.copy()
    other[1200:1300] += 1
    place.write("bad-1.mseed", trace.part(0, 2000).records())
    place.write("bad-2.mseed", Trace(other).part(1000).records())
    return [trace.part(0, 1200), trace.part(1300)]


@TWICE.case(
    "versions D, R, Q and M of the same hour that differ",
    said=(),
    becomes="M where there is M, then Q, then D; R is not needed",
    status=0,
)
def versions(place: Place) -> list[Trace]:
    trace = Trace(walk(3000))
    reach = {"D": (2, 3000), "R": (1, 3000), "Q": (3, 2000), "M": (4, 1000)}
    for number, (quality, (rank, end)) in enumerate(reach.items()):
        part = Trace(trace.samples + number).part(0, end)
        place.write(f"bad-{quality}.mseed", part.records(rank=rank))
    m, q, d = (Trace(trace.samples + number) for number in (3, 2, 0))
    return [m.part(0, 1000), q.part(1000, 2000), d.part(2000)]


@TWICE.case("records out of order", said=(), becomes="all there, in order", status=0)
def records_out_of_order(place: Place) -> list[Trace]:
    trace = Trace(walk(6000))
    data = trace.records()
    parts = [data[at : at + RECORD] for at in range(0, len(data), RECORD)]
    order = np.random.default_rng(5).permutation(len(parts))
    place.write("bad.mseed", b"".join(parts[number] for number in order))
    return [trace]


@CLOCKS.case("a day file that runs over midnight", said=(), becomes="all there, on two days", status=0)
def over_midnight(place: Place) -> list[Trace]:
    trace = Trace(walk(3000), start_ns=MIDNIGHT_NS - 1500 * SECOND)
    place.write("XX.BAD..LHZ.D.2020.063", trace.records())
    return [trace]


@CLOCKS.case(
    "a corrupt record that runs over midnight",
    said=(
        "lost: XX.BAD..LH/2020.03: corrupt record: {sources}/bad.mseed: record at offset 1536: its last sample decodes to 1650, its header states 1646",
    ),
    becomes="those of the record are missing on both days",
    status=1,
)
def corrupt_over_midnight(place: Place) -> list[Trace]:
    trace = Trace(walk(3000), start_ns=MIDNIGHT_NS - 1500 * SECOND)
    data, counts = bytearray(trace.records()), counts_of(trace.records())
    ends = np.cumsum(counts)
    number = int(np.searchsorted(ends, 1500))
    data[number * RECORD + 200] ^= 4
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, int(ends[number - 1])), trace.part(int(ends[number]))]


@CLOCKS.case(
    "a clock that was set: 3 ms once, 10.3 s another time",
    said=(),
    becomes="all there, at the times that the records state",
    status=0,
)
def clock_set(place: Place) -> list[Trace]:
    whole = Trace(walk(3000))
    shifts = {0: 0, 1000: 3_000_000, 2000: 10_300_000_000}
    parts = [
        Trace(whole.samples[at : at + 1000], start_ns=whole.start_ns + at * SECOND + shift)
        for at, shift in shifts.items()
    ]
    place.write("bad.mseed", b"".join(part.records() for part in parts))
    return parts


@CLOCKS.case(
    "a clock that was set back: times that come twice with other samples",
    said=(
        "lost: XX.BAD..LH/2020.03: overlap disagrees: 2020-03-03: 100 samples came twice and differ: now missing",
    ),
    becomes="those of the times that came twice are missing",
    status=1,
)
def clock_set_back(place: Place) -> list[Trace]:
    whole = Trace(walk(3000))
    late = Trace(whole.samples[1000:] + 9999, start_ns=whole.start_ns + 900 * SECOND)
    place.write("bad.mseed", whole.part(0, 1000).records() + late.records())
    return [whole.part(0, 900), late.part(100)]


@CLOCKS.case(
    "a clock that drifts by 40 parts per million, without saying so",
    said=(),
    becomes="all there, at the times that the records state",
    status=0,
)
def drift(place: Place) -> list[Trace]:
    trace = Trace(walk(30_000), rate_hz=1 / (1 + 40e-6))
    times = sample_times_ns(trace.start_ns, trace.rate_hz, len(trace.samples))
    place.write(
        "bad.mseed", clocked_records(trace.samples, times, 1.0, channel=trace.channel, encoding="STEIM2")
    )
    return [trace]


def quality_is_zero(archive: Archive) -> None:
    """Look into the table of the day."""
    (row,) = archive.rows("XX.BAD..LH")
    known = archive.day(row.stream, row.grid, START_NS // DAY_NS)
    assert known is not None
    assert known.timing_quality == 0


@CLOCKS.case(
    "a timing quality of 0 %",
    check=quality_is_zero,
    said=(),
    becomes="all there; the day's table has the 0",
    status=0,
)
def timing_quality_zero(place: Place) -> list[Trace]:
    trace = Trace(walk(1000))
    data = trace.records(version=3)
    from pymseed import MS3Record

    made = MS3Record.parse(data, unpack_data=True)
    made.set_extra_header("/FDSN/Time/Quality", 0)
    place.write("bad.mseed", b"".join(made.generate()))
    return [trace.part(0, made.samplecnt)]


@CLOCKS.case(
    "a stated rate that is off by 8 parts per million",
    said=(),
    becomes="all there, at the times that their own rate gives",
    status=0,
)
def rate_slightly_off(place: Place) -> list[Trace]:
    trace = Trace(walk(1000), rate_hz=1.000008)
    place.write("bad.mseed", trace.records(version=3))
    return [trace]


@CLOCKS.case(
    "a rate that changes at noon, in a file whose ends do not show it",
    said=(),
    becomes="all there, at each of the rates",
    status=0,
)
def rate_changed(place: Place) -> list[Trace]:
    slow = Trace(walk(20_000), start_ns=MIDNIGHT_NS - DAY_NS)
    fast = Trace(walk(20_000), start_ns=MIDNIGHT_NS - DAY_NS // 2, rate_hz=2.0)
    last = Trace(walk(5000), start_ns=MIDNIGHT_NS - DAY_NS // 4)
    place.write("XX.BAD..LHZ.D.2020.063", slow.records() + fast.records() + last.records())
    return [slow, fast, last]


@CLOCKS.case(
    "a leap second, stated",
    said=(),
    becomes="all there, that of the leap second too",
    status=0,
)
def leap_second(place: Place) -> list[Trace]:
    trace = Trace(walk(300), start_ns=ns("2016-12-31T23:58:00"))
    data = bytearray(trace.records(encoding="INT32", record_bytes=4096))
    data[36] |= 0x10
    place.write("bad.mseed", bytes(data))
    return [trace.part(0, 121), Trace(trace.samples[121:], start_ns=trace.start_ns + 120 * SECOND)]


@CLOCKS.case("1 January 1970, and the end of 2099", said=(), becomes="all there", status=0)
def first_and_last_years(place: Place) -> list[Trace]:
    traces = [Trace(walk(600), start_ns=ns(day)) for day in ("1970-01-01T00:00:00", "2099-12-31T23:55:00")]
    place.write("bad.mseed", b"".join(trace.records() for trace in traces))
    return traces


@CLOCKS.case(
    "a station that believes it is 1900, before its first fix",
    said=(),
    becomes="all there, in 1900 and in 2020",
    status=0,
)
def before_1970(place: Place) -> list[Trace]:
    lost, found = Trace(walk(600), start_ns=ns("1900-01-01T00:00:00")), Trace(walk(600))
    place.write("bad.mseed", lost.records() + found.records())
    return [lost, found]


@COMPONENTS.case(
    "a component that is not there",
    said=(),
    becomes="all there",
    status=0,
)
def component_missing(place: Place) -> list[Trace]:
    traces = [
        Trace(walk(1000, number), f"XX.BAD..BH{code}", rate_hz=20.0) for number, code in enumerate("ZN")
    ]
    return place.write_each(traces)


@COMPONENTS.case(
    "a component that begins a month after the others",
    said=(),
    becomes="all there",
    status=0,
)
def component_late(place: Place) -> list[Trace]:
    early = [Trace(walk(1000, number), f"XX.BAD..BH{code}", rate_hz=20.0) for number, code in enumerate("ZN")]
    late = Trace(walk(1000, 2), "XX.BAD..BHE", START_NS + 31 * DAY_NS, 20.0)
    return place.write_each([*early, late])


@COMPONENTS.case(
    "N and E, and 1 and 2, of one stream at one time",
    said=(),
    becomes="all there, of all five channels",
    status=0,
)
def both_orientations(place: Place) -> list[Trace]:
    traces = [
        Trace(walk(1000, number), f"XX.BAD..BH{code}", rate_hz=20.0) for number, code in enumerate("ZNE12")
    ]
    return place.write_each(traces)


@COMPONENTS.case(
    "HH and BH of one sensor beside each other", said=(), becomes="all there, in two streams", status=0
)
def two_bands(place: Place) -> list[Trace]:
    bands = {"BH": 20.0, "HH": 100.0}
    traces = [Trace(walk(1000), f"XX.BAD..{band}Z", rate_hz=rate) for band, rate in bands.items()]
    place.write("bad.mseed", b"".join(trace.records() for trace in traces))
    return traces


@COMPONENTS.case(
    "one channel at two rates at the same time", said=(), becomes="all there, at each of the rates", status=0
)
def two_rates_at_once(place: Place) -> list[Trace]:
    traces = [Trace(walk(1000), "XX.BAD..BHZ", rate_hz=rate) for rate in (20.0, 40.0)]
    for trace in traces:
        place.write(f"bad-{trace.rate_hz:g}.mseed", trace.records())
    return traces
