"""Every kind of fault in one archive, held against its twin without: each found, and nothing else touched."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import obspy
import pytest
import scipy.signal
from fault_archives import (
    Record,
    Twins,
    constant_spans,
    days,
    flat_tops,
    make_twins,
    record,
    side_runs,
    touched_ns,
)

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DAY_NS, day_number, day_of_number
from pipeline.archive.reading import open_archive
from pipeline.errors import ConfigError
from pipeline.keys import Block, Channel, Stream
from pipeline.synthetic.faults.fault_kinds import FAULT_KINDS, LEAP_KINDS, Fault
from workflows.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
NS = 10**9
PERIOD_NS = 20_000_000
FIRST_DAY, SECOND_DAY = day_number(dt.date(2016, 12, 31)), day_number(dt.date(2017, 1, 1))
MIDNIGHT = SECOND_DAY * DAY_NS


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    return make_twins(tmp_path_factory.mktemp("faults"))


def rows_of(twins: Twins, name: str) -> dict[int, DayRow]:
    """What the block tables of the spoiled archive have of a stream, by day."""
    return {row.day: row for _, row in days(twins.spoiled, Stream.parse(name))}


def missing(pair: tuple[Record, Record]) -> np.ndarray:
    """Times at which the twin has a sample and the spoiled archive has none."""
    spoiled, clean = pair
    return np.setdiff1d(clean.times_ns, spoiled.times_ns)


def lost(twins: Twins, name: str) -> int:
    """Count the samples that were recorded, and stand neither on a grid nor beside it."""
    stream = Stream.parse(name)
    beside = sum(len(run.samples) for run in side_runs(twins.spoiled, stream))
    # The twin has no leap second.
    leaps = sum(fault.kind in LEAP_KINDS for fault in twins.faults_of(name)) * 50
    return (
        sum(len(clean.samples) + leaps - len(spoiled.samples) for spoiled, clean in twins.pairs(name))
        - beside
    )


def slots(fault: Fault) -> list[int]:
    components = Stream.parse(fault.stream).components
    return [components.index(letter) for letter in fault.components or components]


# Nothing else


def test_every_kind_is_there(twins: Twins) -> None:
    assert {fault.kind for fault in twins.faults} == set(FAULT_KINDS)
    assert {twins.alone(kind).kind for kind in FAULT_KINDS} == set(FAULT_KINDS)
    assert twins.spoiled.streams == twins.clean.streams
    assert len(twins.spoiled.streams) == 23 + 4


def test_outside_the_faults_every_sample_and_time_is_the_twins(twins: Twins) -> None:
    compared = 0
    for stream in twins.clean.streams:
        spans = [
            (set(slots(fault)) if stream.is_three_component else {0}, touched_ns(fault))
            for fault in twins.faults_of(str(stream))
        ]
        for slot, (spoiled, clean) in enumerate(twins.pairs(str(stream))):
            spoiled_outside, clean_outside = (
                ~np.any(
                    [np.zeros(len(each.times_ns), bool)]
                    + [each.inside(*span) for own, span in spans if span and slot in own],
                    axis=0,
                )
                for each in (spoiled, clean)
            )
            for name in ("times_ns", "samples", "codes"):
                found = getattr(spoiled, name)[spoiled_outside]
                wanted = getattr(clean, name)[clean_outside]
                np.testing.assert_array_equal(found, wanted, err_msg=f"{stream} {slot} {name}")
            compared += clean_outside.sum()
    assert compared > 9_000_000


def test_days_without_a_fault_have_the_digest_of_the_twin(twins: Twins) -> None:
    same = 0
    for stream in twins.clean.streams:
        faults = twins.faults_of(str(stream))
        spans = [span for fault in faults if (span := touched_ns(fault))]
        # These leave samples and times alone, but the segments say of which version they are.
        spans += [(fault.start_ns, fault.end_ns) for fault in faults if fault.kind == "two_versions"]
        spans += [(fault.start_ns - NS, fault.start_ns) for fault in faults if fault.kind == "leap_second"]
        spoiled = {(grid, row.day): row for grid, row in days(twins.spoiled, stream)}
        for grid, row in days(twins.clean, stream):
            begin_ns, end_ns = row.day * DAY_NS, (row.day + 1) * DAY_NS
            if not any(span[0] < end_ns and span[1] > begin_ns for span in spans):
                assert spoiled[grid, row.day].digest == row.digest, f"{stream} {row.day}"
                same += 1
    assert same == 54 - 30


def test_what_is_lost_is_told_and_nothing_else(twins: Twins) -> None:
    assert twins.status == 1
    lost = [each for each in twins.told if each[3]]
    assert {reason for _, reason, *_ in lost} == {"overlap disagrees"}
    told = {(where, detail) for where, _, detail, _ in lost}
    counted = set()
    for stream in twins.spoiled.streams:
        for _, row in days(twins.spoiled, stream):
            if row.disagreed_samples:
                day = day_of_number(row.day)
                detail = f"{day}: {row.disagreed_samples:,} samples came twice and differ: now missing"
                counted.add((str(Block.of(stream, day)), detail))
    assert told == counted
    assert [where for where, *_ in sorted(lost)] == [
        "SY.S04..HH/2017.01",
        "SY.S05..HH/2016.12",
        "SY.S06..HH/2017.01",
        "SY.S16..HH/2017.01",
        "SY.S19..HH/2016.12",
    ]


def test_a_sensor_that_the_metadata_do_not_have_is_told_and_nothing_else(twins: Twins) -> None:
    """Its horizontals have other codes from the change on, which the document has half an hour later."""
    detail = "samples from 2016-12-31T23:45:00.000Z to 2017-01-01T00:14:59.980Z lie outside its epoch"
    assert [each for each in twins.told if not each[3]] == [
        (f"SY.S17..{code}", "no metadata", detail, False) for code in ("HH1", "HH2")
    ]


def test_only_clocks_and_leap_seconds_put_samples_beside_the_grid(twins: Twins) -> None:
    beside = {str(s): {run.kind for run in side_runs(twins.spoiled, s)} for s in twins.spoiled.streams}
    assert {name: kinds for name, kinds in beside.items() if kinds} == {
        "SY.S15..HH": {"leap"},
        "SY.S20..HH": {"leap"},
        "SY.S21..HH": {"collision"},
    }


# Faults of files


def test_a_gap_is_a_gap(twins: Twins) -> None:
    fault = twins.alone("gap")
    for slot, pair in enumerate(twins.pairs(fault.stream)):
        spoiled, _ = pair
        assert spoiled.gaps_ns() == ([(fault.start_ns, fault.end_ns)] if slot in slots(fault) else [])
    gaps = {day: row.gaps for day, row in rows_of(twins, fault.stream).items()}
    assert gaps == {FIRST_DAY: 3 + 1, SECOND_DAY: 3}  # hours before and after are missing, too


def test_a_missing_day_is_not_in_the_index(twins: Twins) -> None:
    fault = twins.alone("missing_day")
    assert [(row.year, row.days_present) for row in twins.spoiled.rows(fault.stream)] == [(2016, 1)]
    assert [(row.year, row.days_present) for row in twins.clean.rows(fault.stream)] == [(2016, 1), (2017, 1)]
    assert not list((twins.folders["spoiled"] / "sds" / "2017").glob("SY/S02/*"))


def test_an_overlap_that_agrees_merges(twins: Twins) -> None:
    fault = twins.alone("equal_overlap")
    again = sum(clean.inside(fault.start_ns, fault.end_ns).sum() for _, clean in twins.pairs(fault.stream))
    overlaps = {day: row.overlap_samples for day, row in rows_of(twins, fault.stream).items()}
    assert overlaps == {FIRST_DAY: again, SECOND_DAY: 0}
    assert lost(twins, fault.stream) == 0


def test_an_overlap_that_disagrees_is_missing_where_it_does(twins: Twins) -> None:
    fault = twins.alone("disagreeing_overlap")
    path = twins.folders["spoiled"] / "sds/2017/SY/S04/HHN.D/SY.S04..HHN.D.2017.001"
    whole, again = sorted(obspy.read(str(path)), key=lambda trace: -trace.stats.npts)
    first = round((again.stats.starttime - whole.stats.starttime) * 50)
    differ = np.flatnonzero(whole.data[first : first + again.stats.npts] != again.data)
    (slot,) = slots(fault)
    times = missing(twins.pairs(fault.stream)[slot])
    np.testing.assert_array_equal(times, fault.start_ns + differ * PERIOD_NS)
    assert len(times) == lost(twins, fault.stream) > 3000
    row = rows_of(twins, fault.stream)[SECOND_DAY]
    assert (row.overlap_samples, row.disagreed_samples) == (again.stats.npts, len(times))


def test_a_shifted_clock_shows_in_the_segments(twins: Twins) -> None:
    fault = twins.alone("clock_shift")
    shift_ns = round(fault.size * NS)
    late = fault.end_ns
    for spoiled, clean in twins.pairs(fault.stream):
        gaps = spoiled.gaps_ns()
        assert gaps[0] == (fault.start_ns, fault.start_ns + shift_ns)
        # Where the clock is set back, what it recorded late and what came on time compete.
        assert (gaps[1][0], gaps[-1][1]) == (late, late + shift_ns)
        inside, recorded = spoiled.inside(fault.start_ns, late), clean.inside(fault.start_ns, late - shift_ns)
        np.testing.assert_array_equal(spoiled.samples[inside], clean.samples[recorded])
        np.testing.assert_array_equal(spoiled.times_ns[inside], clean.times_ns[recorded] + shift_ns)


def test_a_drifting_clock_shows_in_the_rate(twins: Twins) -> None:
    fault = twins.alone("clock_drift")
    drift = fault.size / 86_400
    for spoiled, clean in twins.pairs(fault.stream):
        drifting = [chain for chain in spoiled.chains if chain.rate_hz != 50.0 and chain.length > 1500]
        rates = np.array([chain.rate_hz for chain in drifting])
        np.testing.assert_allclose(50.0 / rates - 1, drift, atol=0.1e-6)
        begins = drifting[0].start_ns, drifting[-1].time_ns(drifting[-1].stop)
        assert fault.start_ns <= begins[0] <= fault.start_ns + 60 * NS
        assert abs(begins[1] - fault.end_ns) < NS
        # All samples in their order; the clock of the logger goes by steps of half a minute.
        count = spoiled.inside(0, fault.end_ns).sum()
        np.testing.assert_array_equal(spoiled.samples[:count], clean.samples[:count])
        off_ns = spoiled.times_ns[:count] - clean.times_ns[:count]
        true_ns = np.clip(clean.times_ns[:count] - fault.start_ns, 0, None) * drift
        assert np.abs(off_ns - true_ns).max() < 30 * NS * drift * 1.5


def test_half_the_rate_is_another_group(twins: Twins) -> None:
    fault = twins.alone("half_rate")
    with pytest.raises(ConfigError, match="several rates: choose rate= one of 25Hz, 50Hz"):
        twins.spoiled.rows(fault.stream)
    for spoiled, clean in twins.pairs(fault.stream):
        assert [(chain.start_ns, chain.rate_hz) for chain in spoiled.chains] == [
            (MIDNIGHT - 1800 * NS, 50.0),
            (fault.start_ns, 25.0),
            (fault.end_ns, 50.0),
        ]
        inside = clean.inside(fault.start_ns, fault.end_ns)
        slow = spoiled.inside(fault.start_ns, fault.end_ns)
        np.testing.assert_array_equal(spoiled.times_ns[slow], clean.times_ns[inside][::2])
        # Decimated by somebody else: the same ground below his low-pass.
        sos = scipy.signal.butter(4, 2.0, fs=25.0, output="sos")
        wanted = scipy.signal.sosfiltfilt(sos, clean.samples[inside][::2])
        found = scipy.signal.sosfiltfilt(sos, spoiled.samples[slow])
        assert np.corrcoef(wanted, found)[0, 1] > 0.99


def test_records_out_of_order_are_put_in_order(twins: Twins) -> None:
    fault = twins.alone("out_of_order")
    name = "sds/2016/SY/S13/HHZ.D/SY.S13..HHZ.D.2016.366"
    spoiled, clean = ((twins.folders[each] / name).read_bytes() for each in ("spoiled", "clean"))
    starts = [spoiled[at + 20 : at + 30] for at in range(0, len(spoiled), 512)]
    assert starts != sorted(starts)
    assert len(clean) == pytest.approx(len(spoiled), abs=1024)
    digests = (
        {row.digest for _, row in days(each, Stream.parse(fault.stream))}
        for each in (twins.spoiled, twins.clean)
    )
    assert next(digests) == next(digests)


def test_of_two_versions_the_better_one_is_kept(twins: Twins) -> None:
    fault = twins.alone("two_versions")
    (count,) = {clean.inside(fault.start_ns, fault.end_ns).sum() for _, clean in twins.pairs(fault.stream)}
    for spoiled, clean in twins.pairs(fault.stream):
        np.testing.assert_array_equal(spoiled.samples, clean.samples)
        assert [(chain.start_ns, chain.rank) for chain in spoiled.chains] == [
            (MIDNIGHT - 1800 * NS, 2),
            (fault.start_ns, 3),
            (fault.end_ns, 2),
        ]
    overlap = sum(row.overlap_samples for row in rows_of(twins, fault.stream).values())
    assert overlap == 3 * (2 * count // 3)


def test_a_leap_second_stands_beside_the_grid(twins: Twins) -> None:
    fault = twins.alone("leap_second")
    runs = side_runs(twins.spoiled, Stream.parse(fault.stream))
    assert [(run.kind, run.channel.code, run.day, run.start_ns, len(run.samples)) for run in runs] == [
        ("leap", code, FIRST_DAY, MIDNIGHT, 50) for code in ("HHE", "HHN", "HHZ")
    ]


def test_a_leap_second_that_was_missed_is_a_shift_from_midnight_on(twins: Twins) -> None:
    fault = twins.alone("missed_leap_second")
    assert fault.start_ns == MIDNIGHT
    for spoiled, clean in twins.pairs(fault.stream):
        assert spoiled.gaps_ns() == [(fault.end_ns, fault.end_ns + NS)]
        late = spoiled.inside(MIDNIGHT + NS, fault.end_ns)
        right = clean.inside(MIDNIGHT, fault.end_ns - NS)
        np.testing.assert_array_equal(spoiled.samples[late], clean.samples[right])


def test_a_change_of_sensor_shows_in_channels_and_epochs(twins: Twins) -> None:
    fault = twins.alone("sensor_change")
    stated_ns = fault.start_ns + round(fault.size * 3600 * NS)
    epochs = twins.spoiled.sel(fault.stream).stationday.epochs()
    end_ns = MIDNIGHT + 1800 * NS
    spans = [
        (letter, start, stop, epoch and (epoch.channel.code, epoch.sensor.split(",")[0]))
        for letter, start, stop, epoch in epochs
    ]
    old, new = "broadband 120 s", "compact broadband 20 s"
    begin_ns = MIDNIGHT - 1800 * NS
    wanted = [("Z", begin_ns, stated_ns, ("HHZ", old)), ("Z", stated_ns, end_ns, ("HHZ", new))]
    for letter, before, after in (("N", "HHN", "HH1"), ("E", "HHE", "HH2")):
        wanted += [
            (letter, begin_ns, fault.start_ns, (before, old)),
            (letter, fault.start_ns, stated_ns, None),  # nothing is known of the new channels yet
            (letter, stated_ns, end_ns, (after, new)),
        ]
    assert sorted(spans) == sorted(wanted)


def test_the_new_sensor_sees_the_same_ground(twins: Twins) -> None:
    """What the archive's metadata say of the new sensor turns the twin's counts into its own."""
    fault = twins.alone("sensor_change")
    pairs = twins.pairs(fault.stream)
    inside = pairs[0][1].inside(fault.start_ns, MIDNIGHT + 1800 * NS)
    spoiled = [found.samples[inside].astype(float) for found, _ in pairs]
    up, north, east = (clean.samples[inside].astype(float) for _, clean in pairs)
    angle = np.radians(30.0)
    turned = {"HHZ": up, "HH1": np.cos(angle) * north + np.sin(angle) * east}
    late_ns = MIDNIGHT + 1700 * NS
    for (code, seen), found in zip(turned.items(), spoiled, strict=False):
        frequency_hz, cross = scipy.signal.csd(seen, found, 50.0, nperseg=8192)
        _, power = scipy.signal.welch(seen, 50.0, nperseg=8192)
        band = (frequency_hz > 0.1) & (frequency_hz < 2.0)
        old, new = (
            each.stations.frequency_response(Channel.parse(f"SY.S17..{name}"), late_ns, frequency_hz[band])
            for each, name in ((twins.clean, "HHZ"), (twins.spoiled, code))
        )
        ratio = (cross / power)[band] / (new / old)
        assert np.abs(ratio - 1).max() < 0.1
        assert abs(ratio.mean() - 1) < 0.01


# Faults of samples, which an archive keeps


def test_samples_that_are_wrong_are_kept_as_they_are(twins: Twins) -> None:
    changes = {
        "dead": lambda x: np.full_like(x, 12),
        "polarity": np.negative,
        "clipped": lambda x: np.clip(x, -200, 200),
        "wrong_gain": lambda x: 3 * x,
    }
    for kind, change in changes.items():
        fault = twins.alone(kind)
        pairs = twins.pairs(fault.stream)
        for slot in slots(fault):
            spoiled, clean = pairs[slot]
            inside = clean.inside(fault.start_ns, fault.end_ns)
            np.testing.assert_array_equal(spoiled.times_ns, clean.times_ns)
            np.testing.assert_array_equal(spoiled.samples[inside], change(clean.samples[inside]))
    fault = twins.alone("swapped")
    pairs = twins.pairs(fault.stream)
    inside = pairs[1][1].inside(fault.start_ns, fault.end_ns)
    for one, other in ((1, 2), (2, 1)):
        np.testing.assert_array_equal(pairs[one][0].samples[inside], pairs[other][1].samples[inside])


def test_a_dead_component_can_be_found_in_a_day(twins: Twins) -> None:
    found = {}
    for stream in twins.spoiled.streams:
        for slot, (spoiled, _) in enumerate(twins.pairs(str(stream))):
            for start_ns, last_ns, count in constant_spans(spoiled, least_s=60.0):
                found[str(stream), slot] = (start_ns, last_ns, count)
    dead = [fault for fault in twins.faults if fault.kind == "dead"]
    assert len(found) == len(dead)
    for fault in dead:
        slot = slots(fault)[0] if fault.components else 0
        start_ns, last_ns, count = found[fault.stream, slot]
        assert count == fault.size
        # The sample before or after may have the same count.
        assert abs(start_ns - fault.start_ns) <= NS
        assert abs(last_ns - fault.end_ns) <= NS


def test_what_clips_at_the_digitizers_level_is_counted(twins: Twins) -> None:
    """What clips far below that level looks like noise, and the table does not count it."""
    (loud,) = (fault for fault in twins.faults if fault.kind == "clipped" and fault.size > 2**21)
    spoiled, _ = twins.pairs(loud.stream)[0]
    counted, level = flat_tops(spoiled, least_samples=3)
    assert level == loud.size
    assert rows_of(twins, loud.stream)[FIRST_DAY].clipped_samples == counted > 1000
    clipped = {
        str(s): sum(r.clipped_samples for _, r in days(twins.spoiled, s)) for s in twins.spoiled.streams
    }
    assert [name for name, count in clipped.items() if count] == [loud.stream]


def test_flat_tops_tell_of_a_low_level_too(twins: Twins) -> None:
    fault = twins.alone("clipped")
    (slot,) = slots(fault)
    spoiled, clean = twins.pairs(fault.stream)[slot]
    tops = []
    for each in (spoiled, clean):
        inside = each.inside(fault.start_ns, fault.end_ns)
        part = Record(each.times_ns[inside], each.samples[inside], each.codes[inside], [])
        tops.append(flat_tops(part, least_samples=3))
    assert tops[0][1] == fault.size
    assert tops[0][0] > 100 > 10 > tops[1][0]


# Together


def test_a_gap_in_a_shifted_span_out_of_order(twins: Twins) -> None:
    (shift,) = (f for f in twins.faults_of("SY.S19..HH") if f.kind == "clock_shift")
    (gap,) = (f for f in twins.faults_of("SY.S19..HH") if f.kind == "gap")
    early_ns = round(shift.size * NS)
    for spoiled, clean in twins.pairs("SY.S19..HH"):
        # The header's times are cut, which are early by then.
        assert spoiled.gaps_ns() == [
            (shift.start_ns + early_ns, shift.start_ns),
            (gap.start_ns, gap.end_ns),
            (shift.end_ns + early_ns, shift.end_ns),
        ]
        inside = spoiled.inside(shift.start_ns, gap.start_ns)
        right = clean.inside(shift.start_ns - early_ns, gap.start_ns - early_ns)
        np.testing.assert_array_equal(spoiled.samples[inside], clean.samples[right])


def test_a_better_version_of_a_leap_second(twins: Twins) -> None:
    for spoiled, clean in twins.pairs("SY.S20..HH"):
        np.testing.assert_array_equal(spoiled.samples, clean.samples)
        np.testing.assert_array_equal(spoiled.times_ns, clean.times_ns)
        assert {chain.rank for chain in spoiled.chains} == {2, 3}


def test_a_drift_over_midnight_at_half_the_rate(twins: Twins) -> None:
    (drift,) = (f for f in twins.faults_of("SY.S21..HH") if f.kind == "clock_drift")
    (half,) = (f for f in twins.faults_of("SY.S21..HH") if f.kind == "half_rate")
    stream = Stream.parse("SY.S21..HH")
    beside = side_runs(twins.spoiled, stream)
    for slot, (spoiled, clean) in enumerate(twins.pairs("SY.S21..HH")):
        slow = spoiled.inside(half.start_ns, half.end_ns)
        alongside = sum(len(run.samples) for run in beside if run.channel.slot == slot)
        assert slow.sum() + alongside == clean.inside(half.start_ns, half.end_ns).sum() // 2
        fitted = [c.rate_hz for c in spoiled.chains if c.rate_hz not in (25.0, 50.0) and c.length > 1500]
        np.testing.assert_allclose(25.0 / np.array(fitted) - 1, drift.size / 86_400, atol=0.5e-6)


def test_wrong_samples_are_kept_also_together(twins: Twins) -> None:
    (loud, clean), *_ = twins.pairs("SY.S18..HH")
    (fault, _) = twins.faults_of("SY.S18..HH")
    inside = clean.inside(fault.start_ns, fault.end_ns)
    wanted = np.clip(40_000 * clean.samples[inside].astype(np.int64), -8_388_607, 8_388_607)
    np.testing.assert_array_equal(loud.samples[inside], wanted)
    (up, up_clean), _, (east, east_clean) = twins.pairs("SY.S22..HH")
    (swap,) = (f for f in twins.faults_of("SY.S22..HH") if f.kind == "swapped")
    (dead,) = (f for f in twins.faults_of("SY.S22..HH") if f.kind == "dead")
    swapped, died = (up_clean.inside(f.start_ns, f.end_ns) for f in (swap, dead))
    np.testing.assert_array_equal(up.samples[swapped], east_clean.samples[swapped])
    np.testing.assert_array_equal(east.samples[swapped & ~died], up_clean.samples[swapped & ~died])
    assert (east.samples[died] == dead.size).all()


def test_gravimeters(twins: Twins) -> None:
    by_stream = {f.stream: f for f in twins.faults if f.stream.startswith("GY.")}
    (gravity,) = twins.pairs("GY.G01..LGZ")
    fault = by_stream["GY.G01..LGZ"]
    assert gravity[0].gaps_ns() == [(fault.start_ns, fault.end_ns)]
    (pressure,) = twins.pairs("GY.G01..LDI")
    np.testing.assert_array_equal(pressure[0].samples, pressure[1].samples)
    assert [chain.rank for chain in pressure[0].chains] == [2, 3, 2]
    (slow,) = twins.pairs("GY.G02..LGZ")
    fault = by_stream["GY.G02..LGZ"]
    assert [(c.rate_hz, c.length) for c in slow[0].chains] == [(1.0, 3600), (0.5, 3600), (1.0, 10_800)]
    assert slow[0].chains[1].start_ns == fault.start_ns


MAP = """
[[sources]]
match = "*/{name}/*"
columns = [
    {{ column = "gravity", channel = "GY.{name}..LGZ", calibration = 10.0 }},
    {{ column = "pressure", channel = "GY.{name}..LDI", calibration = 1000.0 }},
]
"""


@pytest.mark.parametrize("form", ["ggp", "tsf"])
def test_gravimeters_have_the_same_faults_in_text(form: str, twins: Twins, tmp_path: Path) -> None:
    """At one row a second half the rate is every other row; times and samples are those of miniSEED."""
    table, url = tmp_path / "map.toml", str(tmp_path / "text.zarr")
    table.write_text(MAP.format(name="G01") + MAP.format(name="G02"))
    folder = str(twins.folders["spoiled"] / "gravity" / form)
    options = ["--map", str(table), "--cluster", "serial", "--quiet"]
    assert main(["ingest", folder, "--archive", url, *options]) == 0
    text = open_archive(url)
    assert [str(s) for s in text.streams] == [str(s) for s in twins.clean.streams if s.network == "GY"]
    for stream in text.streams:
        found, wanted = record(text, stream, 0), record(twins.spoiled, stream, 0)
        np.testing.assert_array_equal(found.times_ns, wanted.times_ns)
        np.testing.assert_array_equal(found.samples, wanted.samples)


# The page


def test_the_page_counts_what_is_lost(twins: Twins) -> None:
    lines = PAGE.read_text().partition("| kind |")[2].split("\n\n")[0].splitlines()[2:]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[0] for row in table] == [f"`{kind}`" for kind in FAULT_KINDS]
    counted = []
    for kind in FAULT_KINDS:
        fault = twins.alone(kind)
        concerned = sum(
            int(clean.inside(fault.start_ns, fault.end_ns).sum())
            for slot, (_, clean) in enumerate(twins.pairs(fault.stream))
            if slot in slots(fault)
        )
        counted.append((f"`{kind}`", f"{concerned:,}", f"{lost(twins, fault.stream):,}"))
    assert [(row[0], row[-2], row[-1]) for row in table] == counted
