"""Leap seconds: what is filled in, what loggers write that know of one or not, what ingest makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from archives import make_archive
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.grid import DAY_NS, day_of_number
from pipeline.archive.packing import sds_path
from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.keys import Channel
from pipeline.synthetic.config import SynthConfig
from pipeline.synthetic.faults.fault_kinds import Fault
from pipeline.synthetic.faults.leap_second import insert_leap_second
from pipeline.synthetic.faults.spoiling import Trace, apply_faults
from pipeline.synthetic.records.recording import record_day, record_span
from pipeline.synthetic.records.sds import day_files
from pipeline.synthetic.scenario import Scenario, make_scenario
from pipeline.synthetic.times import leap_seconds_ns

MIDNIGHT = leap_seconds_ns()[-1]
DAY = MIDNIGHT // DAY_NS
NS = 10**9
CONFIG = """
seed = 5
start = 2016-12-31T23:56:00Z
hours = 0.2

[region]
latitude = 38.0
longitude = 21.5
width_km = 40.0
height_km = 30.0

[network]
stations = 3

[[faults]]
kind = "leap_second"
stream = "SY.S01..HH"
time = 2017-01-01T00:00:00Z

[[faults]]
kind = "missed_leap_second"
stream = "SY.S02..HH"
time = 2017-01-01T00:00:00Z
hours = 0.05
"""


def make_trace(before: int = 500, after: int = 300, rate_hz: float = 20.0) -> Trace:
    time_s = np.arange(-before, after) / rate_hz
    samples = np.rint(40_000 + 30_000 * np.sin(2 * np.pi * time_s / 4)).astype(np.int32)
    samples.flags.writeable = False
    start_ns = MIDNIGHT - round(before * NS / rate_hz)
    return Trace(channel=Channel.parse("SY.A..BHZ"), samples=samples, start_ns=start_ns, rate_hz=rate_hz)


def test_the_second_goes_on_without_a_step() -> None:
    trace = make_trace()
    before, after = insert_leap_second(trace, MIDNIGHT, np.empty(0, np.int32))
    assert (len(before.samples), before.leap_samples) == (520, 20)
    np.testing.assert_array_equal(before.samples[:500], trace.samples[:500])
    np.testing.assert_array_equal(after.samples, trace.samples[500:])
    assert (after.start_ns, after.leap_samples) == (MIDNIGHT, 0)
    whole = np.concatenate([before.samples, after.samples]).astype(float)
    usual = np.abs(np.diff(trace.samples.astype(float))).max()
    # A second more of a wave of 4 s: a fade between a quarter of it before and after.
    assert np.abs(np.diff(whole)).max() < 1.6 * usual


@given(cut=st.integers(1, 799), rate_hz=st.sampled_from([1.0, 20.0]))
def test_it_is_the_same_however_the_record_is_cut(cut: int, rate_hz: float) -> None:
    trace = make_trace(rate_hz=rate_hz)
    whole = insert_leap_second(trace, MIDNIGHT, np.empty(0, np.int32))
    count = round(rate_hz)
    if not 0 < cut - 500 < count and not 0 < 500 - cut < count:  # a cut inside the fade lacks what it fades
        parts = [
            part
            for piece, following in ((trace.part(0, cut), trace.samples[cut:]), (trace.part(cut, 800), []))
            for part in insert_leap_second(piece, MIDNIGHT, np.asarray(following[:count], dtype=np.int32))
        ]
        for found in (whole, parts):
            assert sum(part.leap_samples for part in found) == count
        np.testing.assert_array_equal(*(np.concatenate([p.samples for p in ps]) for ps in (whole, parts)))


def test_a_record_elsewhere_has_none() -> None:
    trace = make_trace()
    for other in (trace.part(0, 499), trace.part(500, 800)):
        assert insert_leap_second(other, MIDNIGHT, np.ones(20, np.int32)) == [other]


def test_a_rate_without_whole_samples_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"should have a whole number of samples, got 0\.1 Hz"):
        insert_leap_second(make_trace(rate_hz=0.1), MIDNIGHT, np.empty(0, np.int32))


def test_a_gap_that_ends_at_midnight_takes_it_and_one_that_begins_there_does_not() -> None:
    day, _ = insert_leap_second(make_trace(), MIDNIGHT, np.empty(0, np.int32))
    until = Fault(kind="gap", stream="SY.A..BH", start_ns=MIDNIGHT - 10 * NS, end_ns=MIDNIGHT)
    since = replace(until, start_ns=MIDNIGHT, end_ns=MIDNIGHT + 10 * NS)
    (left,) = apply_faults([day], [until], seed=1)
    assert (len(left.samples), left.leap_samples) == (300, 0)
    assert apply_faults([day], [since], seed=1) == [day]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return make_scenario(load(SynthConfig, CONFIG))


def test_every_span_has_the_same_samples(scenario: Scenario) -> None:
    config = scenario.config
    for station in scenario.stations:
        whole = record_span(scenario, station, config.start_ns, config.stop_ns).traces
        cut = [trace for day in (DAY - 1, DAY) for trace in record_day(scenario, station, day).traces]
        for code in ("HHZ", "HHE"):
            one, other = ([trace for trace in each if trace.channel.code == code] for each in (whole, cut))
            np.testing.assert_array_equal(
                *(np.concatenate([t.samples for t in each]) for each in (one, other))
            )
            assert sum(trace.leap_samples for trace in one) == (100 if station.name == "S01" else 0)


def test_ingest_records_what_the_archive_says_of_leap_seconds(scenario: Scenario, tmp_path: Path) -> None:
    plain: dict[str, np.ndarray] = {}
    for station in scenario.stations:
        for day in (DAY - 1, DAY):
            made = record_day(scenario, station, day)
            if station.name == "S01" and day == DAY - 1:
                plain = {trace.channel.code: trace.samples for trace in made.traces}
            for file in day_files(made.traces, day_of_number(day), seed=5):
                path = tmp_path / "sds" / sds_path(file.channel, file.day)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.data)
    archive, reports = make_archive(str(tmp_path / "a.zarr"), tmp_path / "sds")
    lost = {
        (str(day.entry.stream), day.entry.day): [problem.detail for problem in day.problems]
        for report in reports
        for day in report.days
        if day.problems
    }
    rows = {(str(row.stream), row.year): row for row in archive.index.rows}

    # Who knows of it: the second stands in the side table of the day that it ends, and nothing is lost.
    row = rows["SY.S01..HH", 2016]
    before, after = (archive.day(row.stream, row.grid, day) for day in (DAY - 1, DAY))
    leaps = {run.channel.code: run for run in before.side}
    assert {run.kind for run in before.side} == {"leap"}
    for code, samples in plain.items():
        np.testing.assert_array_equal(leaps[code].samples, samples[-100:])
        assert leaps[code].start_ns == MIDNIGHT
    assert [(s.first, s.length) for s in before.segments] == [(8_640_000 - 24_000, 24_000)] * 3
    assert [(s.first, s.length) for s in after.segments] == [(0, 48_000)] * 3
    assert not after.side

    # Who does not: late by a second from midnight on, and at odds with itself when the clock is set.
    row = rows["SY.S02..HH", 2016]
    after = archive.day(row.stream, row.grid, DAY)
    spans = {(s.first, s.stop) for s in after.segments}
    assert max(stop for _, stop in spans) == 48_000
    n = row.grid.samples_per_day
    counts = archive.read(row.stream, row.grid, "counts", DAY * n, DAY * n + 18_000)
    made = record_day(scenario, scenario.stations[1], DAY).traces
    first = [trace.samples for trace in made if trace.start_ns == MIDNIGHT + NS]
    np.testing.assert_array_equal(counts[:, 100:], [samples[:17_900] for samples in first])
    missing = set(range(48_000)) - {k for first, stop in spans for k in range(first, stop)}
    assert missing == set(range(18_000, 18_100))
    assert lost == {
        ("SY.S02..HH", day_of_number(DAY)): ["2017-01-01: 300 samples came twice and differ: now missing"]
    }
