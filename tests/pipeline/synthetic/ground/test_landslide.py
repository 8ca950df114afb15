"""The landslide: its law estimated back, its repeaters alike, its record the same however it is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal, stats

from pipeline.errors import ConfigError
from pipeline.synthetic.ground.landslide import Landslide, ground_velocity, repeaters, view

HOUR_NS = 3600 * 10**9
RATE_HZ = 100.0
# 17 June 2017, 23:39 UTC; some ten kilometres from NUUG.
FAILURE_NS = int(np.datetime64("2017-06-17T23:39:00", "ns").astype(np.int64)) + 123_456_789
SLIDE = Landslide(name="Karrat", failure_ns=FAILURE_NS, latitude=71.64, longitude=-52.34)
SEEN = view(SLIDE, station="NUUG", latitude=71.54, longitude=-53.2, noise_rms_m_s=2e-8)
KNOWN = repeaters(SLIDE, seed=1)


def onset(origin_ns, seen=SEEN):
    """Return the sample at or after the arrival of P."""
    arrival_ns = int(origin_ns) + round(seen.p_delay_s * 1e9)
    return -(-arrival_ns * 100 // 10**9)


def record(first, stop, *, slide=SLIDE, seen=SEEN, seed=1):
    return ground_velocity(slide, seen, seed=seed, rate_hz=RATE_HZ, first_sample=first, stop=stop)


def test_repeaters_accelerate_over_nine_hours():
    before_h = (FAILURE_NS - KNOWN.origin_ns) / HOUR_NS
    assert len(before_h) == 100
    assert (np.diff(KNOWN.origin_ns) > 0).all()
    assert 8 < before_h[0] < 9
    assert 0 < before_h[-1] * 3600 < 30
    # A hyperbola has about as many in each equal ratio of time to failure, down to c.
    halves = [((before_h > t / 2) & (before_h <= t)).sum() for t in (8, 4, 2, 1)]
    assert max(halves) - min(halves) <= 4


@pytest.mark.parametrize("p", [0.8, 1.0, 1.4])
def test_times_follow_the_stated_law(p):
    slide = replace(SLIDE, count=2000, p=p)
    before_s = (FAILURE_NS - repeaters(slide, seed=2).origin_ns) / 1e9
    x = np.geomspace(1, 9 * 3600, 400)
    rate = (np.concatenate([[0], x]) + slide.c_s) ** -p
    integral = np.concatenate(
        [[0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(np.concatenate([[0], x])))]
    )
    expected = np.interp(before_s, np.concatenate([[0], x]), integral / integral[-1])
    assert stats.kstest(expected, "uniform").statistic < 0.005  # the number line is cut into 2000 even parts
    np.testing.assert_allclose(slide.before_s(slide.elapsed(before_s)), before_s, rtol=1e-9)


def test_amplitudes_are_nearly_constant_and_grow():
    slide = replace(SLIDE, count=3000, growth=1.5)
    amplitude = repeaters(slide, seed=3).amplitude
    assert np.log(amplitude).mean() == pytest.approx(0, abs=0.005)
    assert amplitude[-300:].mean() / amplitude[:300].mean() == pytest.approx(1.5**0.9, rel=0.02)
    assert np.log(amplitude[:100]).std() < 0.07


@pytest.mark.parametrize("number", [0, 5, 20])
def test_peak_is_the_stated_snr(number):
    at = onset(KNOWN.origin_ns[number])
    alone = record(at - 10, at + 2390)
    peak = abs(signal.resample(alone, 4 * alone.shape[1], axis=1)).max()
    assert peak == pytest.approx(0.8 * 2e-8 * KNOWN.amplitude[number], rel=0.01)


def test_nothing_comes_before_its_onset():
    at = onset(KNOWN.origin_ns[0])
    whole = record(at - 2000, at + 2000)
    peak = abs(whole).max()
    assert (whole[:, :1990] == 0).all()
    assert abs(whole[:, :1999]).max() < 1e-3 * peak
    at = onset(FAILURE_NS)
    fewer = replace(SLIDE, count=1)
    after = record(at - 3000, at + 60_000, slide=fewer)
    assert abs(after[:, :2990]).max() < 1e-4 * abs(after).max()


def test_repeaters_are_alike_and_one_waveform():
    cuts = np.stack([record(onset(t), onset(t) + 1500) for t in KNOWN.origin_ns[:8]]).astype(np.float64)
    fine = signal.resample(cuts, 15_000, axis=2).reshape(8, -1)
    fine /= np.linalg.norm(fine, axis=1, keepdims=True)
    best = np.max([fine @ np.roll(fine, shift, axis=1).T for shift in range(-12, 13)], axis=0)
    off = best[np.triu_indices(8, 1)]
    # Two that each hold the common part to 0.97 hold 0.94 of each other.
    assert off.min() > 0.91
    assert off.mean() == pytest.approx(0.97**2, abs=0.015)


def test_repeaters_arrive_between_samples():
    slide = replace(SLIDE, similarity=1.0)
    arrivals_ns = KNOWN.origin_ns[:6] + round(SEEN.p_delay_s * 1e9)
    begins = arrivals_ns // 10**7 - 50
    late = (arrivals_ns / 1e7 - begins) - 50  # samples after the whole one
    spectra = np.fft.rfft([record(b, b + 2500, slide=slide)[1] for b in begins], axis=1)
    band = slice(50, 200)  # 2 to 8 Hz
    for number in range(1, 6):
        cross = spectra[number, band] * spectra[0, band].conj()
        turn = -2 * np.pi * np.arange(50, 200) / 2500
        shift = (np.angle(cross) * turn * abs(cross)).sum() / (turn**2 * abs(cross)).sum()
        assert shift == pytest.approx(late[number] - late[0], abs=0.01)


def test_repeaters_of_two_landslides_or_stations_differ():
    at = onset(KNOWN.origin_ns[0])
    here = record(at, at + 1500).ravel()
    there = record(at, at + 1500, seen=replace(SEEN, station="OTHER")).ravel()
    assert abs(np.corrcoef(here, there)[0, 1]) < 0.4


def test_most_energy_lies_from_2_to_8_hz():
    at = onset(KNOWN.origin_ns[1])
    frequency_hz, power = signal.periodogram(record(at, at + 2400).astype(np.float64), RATE_HZ)
    inside = (frequency_hz >= 2) & (frequency_hz <= 8)
    assert power[:, inside].sum() / power.sum() > 0.8


def test_s_follows_p_by_the_distance():
    slide = replace(SLIDE, count=1, similarity=1.0)
    seen = replace(SEEN, azimuth_deg=0.0)  # then east is transverse, and has S alone besides coda
    at = onset(repeaters(slide, seed=1).origin_ns[0], seen)
    east = record(at, at + 1500, slide=slide, seen=seen)[2].astype(np.float64)
    energy = np.cumsum(east**2)
    expected_s = seen.distance_km * (1 / 3.45 - 1 / 6.0)
    rise = np.argmax(energy > 0.1 * energy[-1]) / RATE_HZ
    assert expected_s < rise < expected_s + 0.6


def test_collapse_emerges_and_is_slow():
    at = onset(FAILURE_NS)
    fewer = replace(SLIDE, count=1)
    great = record(at, at + 60_000, slide=fewer)
    assert abs(great).max() == pytest.approx(300 * 2e-8, rel=0.01)
    envelope = np.sqrt((great.astype(np.float64) ** 2).sum(axis=0))
    smooth = np.convolve(envelope, np.ones(500) / 500, "same")
    assert 30 < smooth.argmax() / RATE_HZ < 150
    assert smooth[: 5 * 100].max() < 0.1 * smooth.max()
    assert (smooth > 0.1 * smooth.max()).sum() / RATE_HZ > 120
    frequency_hz, power = signal.periodogram(great.astype(np.float64), RATE_HZ)
    assert power[:, (frequency_hz > 0.01) & (frequency_hz < 0.1)].sum() / power.sum() > 0.4


WHOLE_FIRST = onset(FAILURE_NS) - 60_000
WHOLE = record(WHOLE_FIRST, WHOLE_FIRST + 130_000)


@settings(max_examples=25)
@given(st.integers(-500, 130_500), st.integers(0, 30_000))
def test_any_cut_is_the_same(begin, length):
    cut = record(WHOLE_FIRST + begin, WHOLE_FIRST + begin + length)
    assert cut.shape == (3, length)
    low, high = max(begin, 0), min(begin + length, 130_000)
    if low < high:
        np.testing.assert_array_equal(cut[:, low - begin : high - begin], WHOLE[:, low:high])


def test_a_day_alone_is_the_cut_of_two():
    midnight = onset(np.datetime64("2017-06-17T18:00:00", "ns").astype(np.int64))
    both = record(midnight - 360_000, midnight + 360_000)
    np.testing.assert_array_equal(both[:, :360_000], record(midnight - 360_000, midnight))
    np.testing.assert_array_equal(both[:, 360_000:], record(midnight, midnight + 360_000))
    assert both.any()


def test_amplitude_falls_with_distance():
    near = view(SLIDE, station="A", latitude=71.64, longitude=-52.0, noise_rms_m_s=1e-8, reference_km=30.0)
    far = view(SLIDE, station="B", latitude=71.64, longitude=-51.0, noise_rms_m_s=1e-8, reference_km=30.0)
    assert far.repeater_peak_m_s * far.distance_km == pytest.approx(0.8 * 1e-8 * 30)
    assert near.repeater_peak_m_s * near.distance_km == pytest.approx(0.8 * 1e-8 * 30)


@pytest.mark.parametrize("wrong", [{"count": 0}, {"p": 0.0}, {"similarity": 1.2}, {"peak_snr": 0.0}])
def test_refuses(wrong):
    with pytest.raises(ConfigError, match="landslide Karrat"):
        replace(SLIDE, **wrong)
