"""Faults: what each does to which samples and times, and that nothing else is touched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.keys import Channel
from pipeline.synthetic.faults.fault_kinds import Fault, FaultKind
from pipeline.synthetic.faults.spoiling import Trace, apply_faults

NS = 10**9
START = 1_577_836_800 * NS
RATE = 20.0
N = 20 * 600
SIZES: dict[FaultKind, float] = {
    "gap": 0,
    "missing_day": 0,
    "equal_overlap": 0,
    "disagreeing_overlap": 7,
    "clock_shift": 7,
    "clock_drift": 7,
    "dead": 7,
    "swapped": 0,
    "polarity": 0,
    "clipped": 7,
    "wrong_gain": 7,
    "half_rate": 0,
    "out_of_order": 0,
    "two_versions": 7,
}


def make_traces(seed: int = 3) -> list[Trace]:
    samples = np.random.default_rng(seed).integers(-5000, 5000, (3, N)).astype(np.int32)
    samples.flags.writeable = False
    return [
        Trace(channel=Channel.parse(f"SY.A..BH{letter}"), samples=row, start_ns=START, rate_hz=RATE)
        for letter, row in zip("ZNE", samples, strict=True)
    ]


def make_fault(kind: str, *, first: float = 100, last: float = 200, **more: object) -> Fault:
    span = {"start_ns": START + round(first * NS), "end_ns": START + round(last * NS)}
    return Fault(kind=kind, stream="SY.A..BH", **span, **more)


def of(traces: list[Trace], letter: str) -> list[Trace]:
    return [trace for trace in traces if trace.channel.code[-1] == letter]


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_components_other_than_those_named_stay(kind: str) -> None:
    clean = make_traces()
    spoiled = apply_faults(
        clean, [make_fault(kind, components="NE" if kind == "swapped" else "N", size=SIZES[kind])], seed=1
    )
    assert of(spoiled, "Z") == of(clean, "Z")
    assert of(spoiled, "N") != of(clean, "N")


@pytest.mark.parametrize("kind", sorted(SIZES))
def test_other_streams_and_times_stay(kind: str) -> None:
    clean = make_traces()
    elsewhere = replace(make_fault(kind, components="NE", size=SIZES[kind]), stream="SY.B..BH")
    later = make_fault(kind, first=10_000, last=20_000, components="NE", size=SIZES[kind])
    spoiled = apply_faults(clean, [elsewhere, later], seed=1)
    for before, after in zip(clean, spoiled, strict=True):
        np.testing.assert_array_equal(before.samples, after.samples)
        assert (before.start_ns, before.quality) == (after.start_ns, after.quality)


@given(first=st.floats(-50, 650), length=st.floats(0.01, 700))
def test_a_gap_takes_what_lies_in_it(first: float, length: float) -> None:
    clean = make_traces()
    fault = make_fault("gap", first=first, last=first + length)
    times = START + np.arange(N) * NS // 20
    left = (times < fault.start_ns) | (times >= fault.end_ns)
    for letter in "ZNE":
        (before,) = of(clean, letter)
        after = of(apply_faults(clean, [fault], seed=1), letter)
        found = [trace.samples for trace in after] or [np.empty(0, np.int32)]
        np.testing.assert_array_equal(np.concatenate(found), before.samples[left])
        begins = np.flatnonzero(left & ~np.concatenate(([False], left[:-1])))
        assert [trace.start_ns for trace in after] == times[begins].tolist()


def test_overlaps_agree_or_not() -> None:
    clean = make_traces()
    equal = of(apply_faults(clean, [make_fault("equal_overlap")], seed=1), "Z")
    np.testing.assert_array_equal(equal[1].samples, equal[0].samples[2000:4000])
    assert equal[1].start_ns == START + 100 * NS
    other = of(apply_faults(clean, [make_fault("disagreeing_overlap", size=20)], seed=1), "Z")
    off = other[1].samples - other[0].samples[2000:4000]
    assert 18 < off.std() < 22


def test_a_shifted_clock_moves_headers_and_no_samples() -> None:
    (before,) = of(make_traces(), "Z")
    parts = apply_faults([before], [make_fault("clock_shift", size=1.25)], seed=1)
    np.testing.assert_array_equal(np.concatenate([part.samples for part in parts]), before.samples)
    assert [(part.start_ns - START) / NS for part in parts] == [0, 101.25, 200]


def test_a_drifting_clock_is_off_by_its_rate() -> None:
    (before,) = of(make_traces(), "Z")
    parts = apply_faults([before], [make_fault("clock_drift", first=0, last=600, size=8.64)], seed=1)
    np.testing.assert_array_equal(np.concatenate([part.samples for part in parts]), before.samples)
    true_ns = START + np.cumsum([0, *(len(part.samples) for part in parts)])[:-1] * NS // 20
    off = np.array([part.start_ns for part in parts]) - true_ns
    # 8.64 s a day are 0.1 ms a second.
    np.testing.assert_allclose(off, (true_ns - START) * 1e-4, atol=1)
    assert off[-1] == 57_000_000


@pytest.mark.parametrize(
    ("kind", "size", "change"),
    [
        ("dead", 3, lambda x: np.full_like(x, 3)),
        ("polarity", 0, np.negative),
        ("clipped", 1000, lambda x: np.clip(x, -1000, 1000)),
        ("wrong_gain", 2.5, lambda x: np.rint(x * 2.5)),
    ],
)
def test_samples_are_changed_in_place(kind: str, size: float, change: object) -> None:
    (before,) = of(make_traces(), "Z")
    (after,) = apply_faults([before], [make_fault(kind, size=size)], seed=1)
    expected = before.samples.copy()
    expected[2000:4000] = change(expected[2000:4000].astype(float))
    np.testing.assert_array_equal(after.samples, expected)


def test_a_gain_that_overflows_stays_a_number() -> None:
    (before,) = of(make_traces(), "Z")
    (after,) = apply_faults([before], [make_fault("wrong_gain", size=1e9)], seed=1)
    assert after.samples.min() == -(2**31) + 1  # the least of all stands for a missing sample
    assert after.samples.max() == 2**31 - 1


def test_swapped_twice_is_as_before() -> None:
    clean = make_traces()
    fault = make_fault("swapped", components="ZE")
    once = apply_faults(clean, [fault], seed=1)
    np.testing.assert_array_equal(of(once, "Z")[0].samples[2000:4000], of(clean, "E")[0].samples[2000:4000])
    for before, after in zip(clean, apply_faults(once, [fault], seed=1), strict=True):
        np.testing.assert_array_equal(before.samples, after.samples)


def test_components_are_swapped_in_each_epoch_of_a_sensor() -> None:
    epochs = [part for trace in make_traces() for part in (trace.part(0, 3000), trace.part(3000, N))]
    once = apply_faults(epochs, [make_fault("swapped", components="ZE")], seed=1)
    whole = [np.concatenate([trace.samples for trace in of(once, letter)]) for letter in "ZE"]
    (expected,) = of(apply_faults(make_traces(), [make_fault("swapped", components="ZE")], seed=1), "Z")
    np.testing.assert_array_equal(whole[0], expected.samples)
    assert (whole[1] != of(make_traces(), "E")[0].samples).any()


def test_a_numbered_component_stands_where_a_named_one_would() -> None:
    named = make_traces()[1]
    numbered = replace(named, channel=Channel.parse("SY.A..BH1"))
    for letter in "N1":
        for trace in (named, numbered):
            (found,) = apply_faults([trace], [make_fault("polarity", components=letter)], seed=1)
            assert (found.samples != trace.samples).any()


def test_swapping_what_was_cut_is_refused() -> None:
    faults = [make_fault("gap", components="Z"), make_fault("swapped", components="ZE")]
    with pytest.raises(ConfigError, match="should come before those that cut"):
        apply_faults(make_traces(), faults, seed=1)


def test_half_the_rate_keeps_a_slow_wave_in_time() -> None:
    times = np.arange(N) / RATE
    wave = np.rint(1e6 * np.sin(2 * np.pi * 0.5 * times)).astype(np.int32)
    trace = replace(make_traces()[0], samples=wave)
    before, slow, after = apply_faults([trace], [make_fault("half_rate")], seed=1)
    assert (before.rate_hz, slow.rate_hz, after.rate_hz) == (20, 10, 20)
    inner = slice(100, -100)
    expected = 1e6 * np.sin(2 * np.pi * 0.5 * (100 + np.arange(1000) / 10))
    # The filter is flat to 1e-4 far below half of its rate.
    np.testing.assert_allclose(slow.samples[inner], expected[inner], atol=1e2)


def test_the_second_version_is_the_right_one() -> None:
    (before,) = of(make_traces(), "Z")
    parts = apply_faults([before], [make_fault("two_versions", first=0, last=600, size=9)], seed=1)
    assert [part.quality for part in parts] == ["D", "D", "Q"]
    np.testing.assert_array_equal(parts[2].samples, before.samples)
    np.testing.assert_array_equal(parts[0].samples, before.samples[: N // 3] + 9)
    np.testing.assert_array_equal(parts[1].samples, before.samples[2 * (N // 3) :] + 9)


def test_the_seed_tells_the_noise_and_nothing_is_written_to() -> None:
    clean = make_traces()
    fault = make_fault("disagreeing_overlap", size=20)
    one, again, other = (apply_faults(clean, [fault], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one[1].samples, again[1].samples)
    assert (one[1].samples != other[1].samples).any()
