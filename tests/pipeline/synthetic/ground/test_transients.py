import functools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic.ground import transient_shapes, transients
from pipeline.synthetic.ground.transient_shapes import KINDS
from pipeline.synthetic.ground.transients import Surroundings, list_transients, waveform

SECOND_NS = 10**9
DAY_NS = 86400 * SECOND_NS
DAY = 8_640_000
MONDAY = 18631  # 4 January 2021
WEEKS = 20


@functools.cache
def listed(offset_h=0.0, station="PB01"):
    place = Surroundings(seed=3, station=station, utc_offset_h=offset_h)
    return list_transients(place, MONDAY * DAY_NS, (MONDAY + 7 * WEEKS) * DAY_NS)


def record(place, first, length):
    """Add up the transients of a place, as a recorder without noise would see them."""
    out = np.zeros((3, length), dtype=np.float32)
    for one in list_transients(place, first * 10**7, (first + length) * 10**7):
        begin, made = waveform(one)
        low, high = max(first, begin), min(first + length, begin + made.shape[1])
        if low < high:
            out[:, low - first : high - first] += made[:, low - begin : high - begin]
    return out


def some(kind, count=6):
    return [one for one in listed() if one.kind == kind][:count]


def of_kind(kind, **place):
    only = dict.fromkeys(KINDS, 0.0) | {kind: 300.0 if kind != "teleseism" else 8.0}
    return Surroundings(seed=3, station="PB01", per_day=only, **place)


def test_rates_are_those_of_the_habits():
    counts = Counter(one.kind for one in listed())
    for kind in KINDS:
        wanted = transients._HABITS[kind].per_day * 7 * WEEKS
        # a timetable is drawn once, so its scatter is that of one week
        spread = 0.2 * wanted if kind == "train" else 5 * math.sqrt(wanted) + 1
        assert abs(counts[kind] - wanted) < spread, kind
    assert counts["calibration"] == WEEKS


@pytest.mark.parametrize("offset_h", [0.0, -8.0, 5.5])
def test_people_keep_local_hours_and_rest_on_sundays(offset_h):
    local_s = [one.start_ns / 1e9 + offset_h * 3600 for one in listed(offset_h) if one.kind == "vehicle"]
    hours = np.bincount([int(t // 3600) % 24 for t in local_s], minlength=24)
    days = np.bincount([int(t // 86400 + 3) % 7 for t in local_s], minlength=7)
    assert hours[9:17].mean() > 10 * hours[0:4].mean()
    assert days[:5].mean() * 0.35 == pytest.approx(days[6], rel=0.15)


def test_trains_follow_a_timetable():
    starts = np.array([one.start_ns / 1e9 % 86400 for one in listed() if one.kind == "train"])
    # minutes of the day: a train that runs on weekdays leaves marks at one place, with little beside
    histogram = np.histogram(starts, bins=np.arange(0, 86401, 600))[0]
    assert (histogram > 0).sum() < 72
    assert starts.min() > 5 * 3600


def test_calibrations_come_on_one_weekday_at_one_hour():
    found = [one for one in listed() if one.kind == "calibration"]
    steps = np.diff([one.start_ns for one in found])
    np.testing.assert_array_equal(steps, 7 * DAY_NS)


@pytest.mark.parametrize("kind", KINDS)
def test_truth_is_what_the_waveform_has(kind):
    for one in some(kind):
        first, motion = waveform(one)
        assert np.abs(motion).max() == pytest.approx(one.peak_m_s, rel=1e-6)
        assert one.start_ns <= first * 10**7 < one.start_ns + 10**7
        assert one.end_ns - 10**7 <= (first + motion.shape[1] - 1) * 10**7 < one.end_ns
        silent = [row for row, name in enumerate("ZNE") if name not in one.components]
        assert not motion[silent].any()
        loud = [row for row, name in enumerate("ZNE") if name in one.components]
        assert np.abs(motion[loud]).max(axis=1).min() > 0.01 * one.peak_m_s


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"spike", "glitch"}))
def test_waveforms_begin_and_end_softly(kind):
    for one in some(kind, 3):
        _, motion = waveform(one)
        assert np.abs(motion[:, 0]).max() < 0.05 * one.peak_m_s
        assert np.abs(motion[:, -1]).max() < 0.05 * one.peak_m_s


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"),
    [("footsteps", 8, 45), ("train", 1, 25), ("vehicle", 1, 25), ("teleseism", 0.01, 0.3), ("burst", 1, 45)],
)
def test_energy_lies_in_the_band(kind, low_hz, high_hz):
    for one in some(kind):
        _, motion = waveform(one)
        power = (np.abs(np.fft.rfft(motion, axis=1)) ** 2).sum(axis=0)
        frequency = np.fft.rfftfreq(motion.shape[1], 0.01)
        inside = power[(frequency > low_hz) & (frequency < high_hz)].sum()
        assert inside > 0.9 * power.sum()


def test_footsteps_come_at_two_a_second():
    for one in some("footsteps"):
        _, motion = waveform(one)
        envelope = np.abs(scipy.signal.hilbert(motion[0]))
        power = np.abs(np.fft.rfft(envelope - envelope.mean())) ** 2
        frequency = np.fft.rfftfreq(envelope.size, 0.01)
        walking = (frequency > 1.4) & (frequency < 3.0)
        assert 1.6 < frequency[walking][power[walking].argmax()] < 2.3


def test_trains_have_harmonic_lines():
    one = some("train", 1)[0]
    _, motion = waveform(one)
    middle = motion[0, motion.shape[1] // 4 : -motion.shape[1] // 4].astype(np.float64)
    frequency, power = scipy.signal.periodogram(middle, 100, "hann")
    band = (frequency > 3) & (frequency < 15)
    assert power[band].max() > 20 * np.median(power[band])


def test_calibration_step_is_the_closed_form():
    """A velocity sensor, s² / (s² + 2hωs + ω²), fed with the integral of a step of acceleration."""
    omega, damping = 2 * math.pi / 120, 0.707
    time_s = np.arange(0, 600, 0.5)
    _, wanted = scipy.signal.impulse(([1.0], [1, 2 * damping * omega, omega**2]), T=time_s)
    found = transient_shapes._step_response(time_s)
    np.testing.assert_allclose(found / found.max(), wanted / wanted.max(), atol=1e-6)


def test_teleseisms_cross_the_network():
    here = of_kind("teleseism")
    there = of_kind("teleseism", east_km=120.0, north_km=50.0)
    pairs = [list_transients(p, MONDAY * DAY_NS, (MONDAY + 2) * DAY_NS) for p in (here, there)]
    by_key = {one.key: one for one in pairs[1]}
    checked = 0
    for one in pairs[0]:
        other = by_key.get(one.key)
        if other is None:
            continue
        toward = math.radians(one.toward_deg)
        along_km = 120 * math.sin(toward) + 50 * math.cos(toward)
        (first, near), (second, far) = waveform(one, rate_hz=4), waveform(other, rate_hz=4)
        size = min(near.shape[1], far.shape[1])
        lag = np.argmax(scipy.signal.correlate(far[0, :size], near[0, :size], method="fft")) - (size - 1)
        assert (lag + second - first) / 4 == pytest.approx(0.27 * along_km, abs=1.0)
        checked += 1
    assert checked > 5


@given(st.integers(0, DAY), st.integers(1, 40_000))
@settings(max_examples=10, deadline=None)
def test_a_piece_is_the_same_however_it_is_cut(offset, length):
    place = Surroundings(seed=3, station="PB01", utc_offset_h=-3.0)
    first = MONDAY * DAY - DAY // 2 + offset
    piece = record(place, first, length)
    np.testing.assert_array_equal(piece, around_midnight()[:, offset : offset + length])


@functools.cache
def around_midnight():
    place = Surroundings(seed=3, station="PB01", utc_offset_h=-3.0)
    return record(place, MONDAY * DAY - DAY // 2, DAY + 40_000)


@given(st.integers(0, 86400 * 6), st.integers(1, 100_000))
@settings(max_examples=20, deadline=None)
def test_a_list_is_the_same_however_it_is_asked_for(offset_s, length_s):
    first = (MONDAY + 7) * DAY_NS + offset_s * SECOND_NS
    stop = first + length_s * SECOND_NS
    place = Surroundings(seed=3, station="PB01")
    wanted = tuple(one for one in listed() if one.start_ns < stop and one.end_ns > first)
    assert list_transients(place, first, stop) == wanted


def test_the_day_before_reaches_over_midnight():
    place = of_kind("glitch")
    early = list_transients(place, MONDAY * DAY_NS, MONDAY * DAY_NS + SECOND_NS)
    assert early
    assert all(one.start_ns < MONDAY * DAY_NS + SECOND_NS < one.end_ns + SECOND_NS for one in early)
    assert min(one.start_ns for one in early) < MONDAY * DAY_NS - SECOND_NS


def levels(kind, stations=200):
    """The median peak of a kind at each of many stations, and how far its way is."""
    only = dict.fromkeys(KINDS, 0.0) | {kind: 60.0}
    places = (Surroundings(seed=3, station=f"S{number:03d}", per_day=only) for number in range(stations))
    lists = [list_transients(place, MONDAY * DAY_NS, (MONDAY + 1) * DAY_NS) for place in places]
    medians = [np.median([one.peak_m_s for one in found]) for found in lists]
    return np.array(medians), np.array([found[0].distance_km for found in lists])


@pytest.mark.parametrize(
    ("kind", "at_1_km_m_s", "median_km", "far_km"), [("vehicle", 4e-8, 1.0, 0.5), ("train", 8e-7, 8.0, 2.0)]
)
def test_what_passes_is_as_loud_as_its_way_is_near(kind, at_1_km_m_s, median_km, far_km):
    peaks_m_s, distances_km = levels(kind)
    assert np.median(distances_km) == pytest.approx(median_km, rel=0.2)
    # Broadbands are sited away from roads, and further from railways.
    assert (distances_km > far_km).mean() > 0.85
    assert distances_km.min() > 0.19
    fall, level = np.polyfit(np.log(distances_km), np.log(peaks_m_s), 1)
    assert fall == pytest.approx(-1.5, abs=0.1)
    assert np.exp(level) == pytest.approx(at_1_km_m_s, rel=0.2)


def test_what_is_far_is_dull():
    one = next(one for one in listed() if one.kind == "train")
    low, high = (signal_band(replace(one, distance_km=km)) for km in (1.0, 10.0))
    # exp(-pi f t) with t of 9 km more in 60 km/s: between 2 and 8 Hz that is a factor of 17 in amplitude.
    assert (high[0] / high[1]) / (low[0] / low[1]) > 8


def signal_band(one):
    power = np.abs(np.fft.rfft(waveform(one)[1][0])) ** 2
    frequency_hz = np.linspace(0, 50, power.size)
    return [np.sqrt(power[(frequency_hz > a) & (frequency_hz < b)].sum()) for a, b in ((1.5, 3), (7, 9))]


def test_loudness_scales_what_is_outside_alone():
    loud, usual = (
        list_transients(
            Surroundings(seed=3, station="PB01", loudness=f), MONDAY * DAY_NS, (MONDAY + 3) * DAY_NS
        )
        for f in (4.0, 1.0)
    )
    for strong, weak in zip(loud, usual, strict=True):
        outside = strong.kind in {"burst", "footsteps", "vehicle", "train"}
        assert strong.peak_m_s == pytest.approx(weak.peak_m_s * (4 if outside else 1))


def test_stations_share_teleseisms_alone():
    there, here = (
        {one.key for one in listed(station=name) if one.kind == kind}
        for name, kind in (("PB02", "teleseism"), ("PB01", "teleseism"))
    )
    assert there == here
    bursts = [
        {one.start_ns for one in listed(station=name) if one.kind == "burst"} for name in ("PB01", "PB02")
    ]
    assert len(bursts[0] & bursts[1]) == 0


@pytest.mark.parametrize(
    ("rates", "match"),
    [({"bump": 1.0}, "per_day knows burst, .* got 'bump'"), ({"spike": -1.0}, "per_day of spike should be")],
)
def test_surroundings_refuse(rates, match):
    with pytest.raises(ConfigError, match=match):
        Surroundings(seed=1, station="A", per_day=rates)
