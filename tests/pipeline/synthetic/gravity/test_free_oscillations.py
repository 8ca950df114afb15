"""Free oscillations: Legendre's polynomials, Q, splitting, the clock of R1 to R3; any cut is the same."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.legendre import legval
from obspy.geodetics import locations2degrees

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.free_oscillations import (
    GreatEarthquake,
    Mode,
    distance_deg,
    free_oscillations,
    mode_gravity,
    modes,
    rayleigh_trains,
)

DAY = 86_400
PLACES = st.tuples(st.floats(-89, 89), st.floats(-180, 180))
QUAKE = GreatEarthquake(
    origin_ns=1_103_943_533 * 10**9 + 340_000_000, latitude_deg=3.3, longitude_deg=95.9, moment_n_m=4e22
)
STATION = {"latitude_deg": 48.33, "longitude_deg": 8.33}
ORIGIN_S = 1_103_943_533


@given(source=PLACES, station=PLACES)
def test_distance(source, station):
    expected = locations2degrees(*source, *station)
    assert distance_deg(*source, *station) == pytest.approx(expected, abs=1e-4)


@settings(max_examples=40)
@given(source=PLACES, station=PLACES, degree=st.integers(0, 20), elapsed=st.floats(2000, 1e5))
def test_without_splitting_a_mode_is_a_legendre_polynomial(source, station, degree, elapsed):
    mode = Mode(name="x", degree=degree, period_s=500.0, quality=300.0, gravity_nm_s2=2.0)
    found = mode_gravity(mode, np.array([elapsed]), source=source, station=station)[0]
    cosine = np.cos(np.radians(distance_deg(*source, *station)))
    shape = legval(cosine, [0.0] * degree + [1.0])
    rate = 2 * np.pi / 500
    expected = 2.0 * shape * np.cos(rate * elapsed) * np.exp(-0.5 * rate / 300 * elapsed)
    assert found == pytest.approx(expected, abs=1e-6)


def named(name):
    return next(mode for mode in modes() if mode.name == name)


@pytest.mark.parametrize(
    ("name", "minutes", "quality"),
    [("0S2", 53.9, 510), ("0S3", 35.6, 417), ("0S0", 20.46, 5327), ("0T2", 43.9, 250), ("0S20", 5.79, 251)],
)
def test_periods_are_those_of_prem(name, minutes, quality):
    assert named(name).period_s / 60 == pytest.approx(minutes, abs=0.06)
    assert named(name).quality == pytest.approx(quality, rel=0.03)


@pytest.mark.parametrize(
    ("degree", "velocity_km_s"),
    [(12, 4.997), (14, 4.665), (16, 4.411), (18, 4.193), (20, 4.011), (21, 3.934), (25, 3.72), (29, 3.6)],
)
def test_neighbours_have_the_group_velocity_of_prem(degree, velocity_km_s):
    # U = a dω/d(l + ½): Dziewonski & Anderson (1981), table 5, up to 21.
    low, high = (2 * np.pi / named(f"0S{n}").period_s for n in (degree - 1, degree + 1))
    assert 6371 * (high - low) / 2 == pytest.approx(velocity_km_s, rel=0.015)


def test_rotation_splits_0s2_into_five_lines():
    elapsed = np.arange(0, 40 * DAY, 64.0)
    mode = Mode(name="0S2", degree=2, period_s=3233.45, quality=1e5, gravity_nm_s2=1.0, splitting=14.905e-3)
    gravity = mode_gravity(mode, elapsed, source=(20.0, 0.0), station=(50.0, 10.0))
    spectrum = abs(np.fft.rfft(gravity * np.blackman(len(gravity)), 1 << 18))
    frequency = np.fft.rfftfreq(1 << 18, 64.0)
    peaks, _ = scipy.signal.find_peaks(spectrum, height=0.02 * spectrum.max())
    found = frequency[peaks]
    # Singlets lie about 4.6 µHz apart: 300.1, 304.7, 309.3, 313.9 and 318.5 µHz.
    np.testing.assert_allclose(found * 1e6, [300.05, 304.66, 309.27, 313.88, 318.49], atol=0.1)


@pytest.mark.parametrize("days", [0.3, 1.0, 2.5])
def test_a_split_mode_drifts_westward_as_foucaults_pendulum_does(days):
    # Lines at f (1 + m b) are one pattern that turns west by b times the phase: the station goes east in it.
    split = Mode(name="0S2", degree=2, period_s=3233.45, quality=510, gravity_nm_s2=1.0, splitting=14.905e-3)
    whole = Mode(name="0S2", degree=2, period_s=3233.45, quality=510, gravity_nm_s2=1.0)
    elapsed = np.array([days * DAY])
    east_deg = 360 * 14.905e-3 * days * DAY / 3233.45
    found = mode_gravity(split, elapsed, source=(20.0, 0.0), station=(50.0, 10.0))
    moved = mode_gravity(whole, elapsed, source=(20.0, 0.0), station=(50.0, 10.0 + east_deg))
    assert found[0] == pytest.approx(moved[0], abs=1e-9)


def test_a_mode_decays_with_its_quality():
    elapsed = np.array([0.0, 1000.0]) * 1227.5 + 10 * 1227.5
    first, later = mode_gravity(named("0S0"), elapsed, source=(0, 0), station=(40, 100))
    assert later / first == pytest.approx(np.exp(-np.pi * 1000 / 5327), rel=1e-9)


@pytest.mark.parametrize("period_s", [75.0, 100.0, 150.0, 200.0])
def test_trains_come_when_their_group_velocity_says(period_s):
    velocity = {75.0: 3.85, 100.0: 3.84, 150.0: 3.72, 200.0: 3.60}[period_s]
    gravity = rayleigh_trains(ORIGIN_S, ORIGIN_S + 12 * 3600, QUAKE, **STATION)
    sos = scipy.signal.butter(2, [0.93 / period_s, 1.07 / period_s], "bandpass", fs=1.0, output="sos")
    envelope = abs(scipy.signal.hilbert(scipy.signal.sosfiltfilt(sos, gravity)))
    delta = distance_deg(3.3, 95.9, *STATION.values())
    for angle in (delta, 360 - delta, 360 + delta):
        expected_s = np.radians(angle) * 6371 / velocity
        near = slice(int(expected_s - 900), int(expected_s + 900))
        found_s = near.start + int(envelope[near].argmax())
        assert found_s == pytest.approx(expected_s, abs=1.2 * period_s)


def test_size_after_magnitude_eight_and_nine():
    place = {"latitude_deg": 0.0, "longitude_deg": 90.0}
    peaks = []
    for moment in (1.3e21, 4e22):
        quake = GreatEarthquake(origin_ns=0, latitude_deg=0.0, longitude_deg=0.0, moment_n_m=moment)
        peaks.append(abs(free_oscillations(0, 6000, [quake], **place)).max())
    assert peaks[0] == pytest.approx(2000, rel=0.05)
    # Less than the moment's ratio of 31: the longer rupture is weaker at short periods.
    assert 3 < peaks[1] / peaks[0] < 31


def test_nothing_comes_before_its_time():
    gravity = free_oscillations(ORIGIN_S - 3 * DAY, ORIGIN_S + 3000, [QUAKE], **STATION)
    assert not gravity[: 3 * DAY + 1].any()
    assert gravity[3 * DAY + 1 :].any()
    # And it sets in without a jump.
    assert abs(gravity[3 * DAY + 1]) < 1e-2
    # No Rayleigh wave outruns 6.5 km/s, and next to nothing of one 5 km/s.
    waves = abs(rayleigh_trains(ORIGIN_S, ORIGIN_S + 6000, QUAKE, **STATION))
    way_km = np.radians(distance_deg(3.3, 95.9, *STATION.values())) * 6371
    assert not waves[: int(way_km / 6.5)].any()
    assert waves[: int(way_km / 5.0)].max() < 0.01 * waves.max()


WHOLE = free_oscillations(ORIGIN_S - 1000, ORIGIN_S + 3 * DAY, [QUAKE], **STATION)


@settings(max_examples=15, deadline=None)
@given(begin=st.integers(0, 3 * DAY), length=st.integers(0, 5000))
def test_any_cut_is_the_same(begin, length):
    first = ORIGIN_S - 1000 + begin
    cut = free_oscillations(first, min(first + length, ORIGIN_S + 3 * DAY), [QUAKE], **STATION)
    np.testing.assert_array_equal(cut, WHOLE[begin : begin + length])


def test_0s0_rings_for_weeks():
    month = free_oscillations(ORIGIN_S + 25 * DAY, ORIGIN_S + 30 * DAY, [QUAKE], **STATION)
    spectrum = abs(np.fft.rfft(month * np.hanning(len(month)))) * 4 / len(month)
    frequency = np.fft.rfftfreq(len(month))
    peak = spectrum.argmax()
    assert 1 / frequency[peak] == pytest.approx(1227.5, rel=0.002)
    assert 0.05 < spectrum[peak] < 1.0


def test_quakes_add_up():
    other = GreatEarthquake(
        origin_ns=(ORIGIN_S + 3600) * 10**9, latitude_deg=-20.0, longitude_deg=-70.0, moment_n_m=1e22
    )
    span = (ORIGIN_S, ORIGIN_S + 9000)
    both = free_oscillations(*span, [QUAKE, other], **STATION)
    apart = [free_oscillations(*span, [quake], **STATION) for quake in (QUAKE, other)]
    np.testing.assert_allclose(both, sum(apart))


def test_a_moment_must_be_positive():
    with pytest.raises(ConfigError, match="moment_n_m"):
        GreatEarthquake(origin_ns=0, latitude_deg=0, longitude_deg=0, moment_n_m=0.0)
