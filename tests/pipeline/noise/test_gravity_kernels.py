"""Calibration, loading, pressure, polynomials and quiet days of gravimeters: analytic truths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.noise.calibration import Calibration, calibrate, nm_s2_per_count, nm_s2_per_unit
from pipeline.noise.ephemeris import tidal_forcing
from pipeline.noise.loading import LoadingWave, ocean_loading
from pipeline.noise.pressure import at_times, fit_admittance, mend_pressure, without_pressure
from pipeline.noise.quiet_days import quiet_runs, quietest_days
from pipeline.noise.residuals import day_basis, day_residual, rms_microgal
from pipeline.noise.tide import gravity_tide

# Calibration.


@pytest.mark.parametrize("unit", ["µGal", "μGal", "uGal", "UGAL", " ugal "])
def test_ten_nm_s2_are_a_microgal(unit):
    assert nm_s2_per_unit(unit) == 10.0
    assert rms_microgal([10.0, -10.0]) == 1.0


@pytest.mark.parametrize("unit", ["counts", "", "m/s", "nm"])
def test_other_units_are_refused(unit):
    with pytest.raises(ConfigError, match="no unit of acceleration; known are"):
        nm_s2_per_unit(unit)


def test_counts_and_microgal_of_one_ground_are_the_same_gravity():
    ground, time_s = np.array([100.0, -250.0, 30.0]), np.arange(3.0)
    always = {"start_s": 0.0, "stop_s": 10.0}
    in_counts = Calibration(factor_nm_s2=nm_s2_per_count(1e10, "M/S**2"), **always)
    in_microgal = Calibration(factor_nm_s2=nm_s2_per_unit("µGal"), **always)
    for recorded, each in ((ground * 10, in_counts), (ground / 10, in_microgal)):
        np.testing.assert_allclose(calibrate(recorded, time_s, [each])[0], ground)


def test_a_wrong_delay_shows_as_tide():
    time_s = 1.6e9 + np.arange(0, 86_400.0, 60.0)
    place = {"latitude_deg": 36.0, "longitude_deg": 104.0}
    recorded = gravity_tide(time_s - 9.0, **place)
    epoch = Calibration(start_s=0, stop_s=2e9, factor_nm_s2=1.0, delay_s=9.0)
    gravity, ground_s = calibrate(recorded, time_s, [epoch])
    assert abs(gravity - gravity_tide(ground_s, **place)).max() < 1e-6
    assert abs(gravity - gravity_tide(time_s, **place)).max() > 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_s": 5, "stop_s": 5, "factor_nm_s2": 1}, "should lie before"),
        ({"start_s": 0, "stop_s": 5, "factor_nm_s2": 0}, "other than 0, got 0"),
        ({"start_s": 0, "stop_s": 5, "factor_nm_s2": float("nan")}, "other than 0, got nan"),
        ({"start_s": 0, "stop_s": 5, "factor_nm_s2": 1, "delay_s": 4000}, "below an hour, got 4000"),
    ],
)
def test_calibrations_refuse(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Calibration(**arguments)


def test_two_calibrations_at_one_time_are_refused():
    first = Calibration(start_s=0, stop_s=5, factor_nm_s2=1)
    second = Calibration(start_s=4, stop_s=9, factor_nm_s2=2)
    with pytest.raises(ConfigError, match="two calibrations hold at 4 s"):
        calibrate([1.0], np.zeros(1), [second, first])


# Ocean loading.


@pytest.mark.parametrize(
    ("name", "period_h", "within"),
    [
        ("M2", 12.4206, 0.04),
        ("O1", 25.8193, 0.20),
        ("K1", 23.9345, 0.16),
        ("S2", 12.0, 0.01),
        ("MF", 327.86, 0.5),
    ],
)
def test_a_wave_of_loading_has_its_period_and_amplitude(name, period_h, within):
    time_s = np.arange(0, 60 * 86_400.0, 1800.0)
    load = ocean_loading(time_s, [LoadingWave(name=name, amplitude_nm_s2=10.0, lag_deg=40.0)])
    angle = 2 * np.pi * time_s / (period_h * 3600)
    pair, *_ = np.linalg.lstsq(np.stack([np.cos(angle), np.sin(angle)], axis=1), load, rcond=None)
    # The node moves amplitudes by as much.
    assert np.hypot(*pair) == pytest.approx(10.0, rel=within)


def test_loading_without_lag_is_in_phase_with_the_potential():
    # In the forcing at Greenwich's meridian and north.
    names = ["M2", "N2", "K2", "S2", "K1", "O1", "P1", "Q1"]
    time_s = 1.5e9 + np.arange(0, 4 * 366 * 86_400.0, 10_000.0)
    columns = [
        ocean_loading(time_s, [LoadingWave(name=name, amplitude_nm_s2=1.0, lag_deg=lag_deg)])
        for lag_deg in (0.0, 90.0)
        for name in names
    ]
    forcing = tidal_forcing(time_s)[:, [1, 3]].sum(axis=1)
    fitted, *_ = np.linalg.lstsq(np.stack(columns, axis=1), forcing, rcond=None)
    assert (fitted[:8] > 0.15).all()
    assert abs(fitted[8:] / fitted[:8]).max() < 0.03


def test_no_such_wave():
    with pytest.raises(ConfigError, match="'M9' is no wave of ocean loading"):
        LoadingWave(name="M9", amplitude_nm_s2=1.0, lag_deg=0.0)


# Pressure.


def weather(samples: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 900 + 5 * np.sin(np.arange(samples) / samples * 9) + 0.003 * rng.normal(size=samples)


@pytest.mark.parametrize("rate_hz", [1.0, 1 / 60, 160_000 / 86_400])
def test_steps_spikes_and_gaps_of_pressure_are_mended(rate_hz):
    samples = int(86_400 * rate_hz)
    truth = weather(samples)
    spoiled = truth.copy()
    spoiled[samples // 3 :] += 8.0
    spoiled[samples // 2 :] -= 20.0
    spoiled[[70, 500, 900]] = [0.0, 2000.0, truth[900] - 50]
    spoiled[600 : 600 + int(1800 * rate_hz)] = np.nan
    mended = mend_pressure(spoiled, rate_hz)
    np.testing.assert_allclose(mended.step_hpa, [8.0, -20.0], atol=0.2)
    assert mended.step_index.tolist() == [samples // 3, samples // 2]
    assert abs(mended.pressure_hpa - truth).max() < 0.25
    assert mended.bridged[[70, 500, 900]].all()


def test_a_long_gap_of_pressure_stays():
    spoiled = weather(20_000)
    spoiled[5000:9000] = np.nan
    mended = mend_pressure(spoiled, 1.0)
    assert np.isnan(mended.pressure_hpa).nonzero()[0].tolist() == list(range(5000, 9000))
    assert np.isnan(without_pressure(np.zeros(20_000), mended.pressure_hpa)[6000])


def test_weather_itself_is_no_step():
    squall = weather(86_400)
    squall[40_000:40_120] += np.linspace(0, 3.9, 120)
    squall[40_120:] += 3.9
    mended = mend_pressure(squall, 1.0)
    assert len(mended.step_hpa) == 0
    np.testing.assert_array_equal(mended.pressure_hpa, squall)


def test_a_day_without_pressure_stays_without():
    mended = mend_pressure(np.full(100, np.nan), 1.0)
    assert np.isnan(mended.pressure_hpa).all()


def test_pressure_once_a_minute_serves_gravity_once_a_second():
    minutes = np.arange(0, 7200.0, 60.0)
    found = at_times(np.arange(0, 7140.0), minutes, 1000 + minutes / 3600)
    np.testing.assert_allclose(found, 1000 + np.arange(7140) / 3600)


@pytest.mark.parametrize("admittance", [-3.0, -3.7])
def test_admittance_is_found_with_its_error(admittance):
    errors, deviations = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        pressure = 950 + 0.02 * rng.normal(size=(8, 1440)).cumsum(axis=1)
        gravity = admittance * pressure + 0.1 * rng.normal(size=(8, 1440)).cumsum(axis=1)
        fitted = fit_admittance(gravity, pressure)
        errors.append(fitted.error_nm_s2_hpa)
        deviations.append(fitted.admittance_nm_s2_hpa - admittance)
    assert np.std(deviations) / np.mean(errors) == pytest.approx(1.0, abs=0.5)
    assert abs(np.mean(deviations)) < 3 * np.mean(errors) / np.sqrt(12)


def test_an_admittance_needs_days():
    with pytest.raises(ConfigError, match="at least 3 days"):
        fit_admittance(np.zeros((2, 1440)), np.ones((2, 1440)))


# Residuals.


@given(st.lists(st.floats(-1e6, 1e6), min_size=10, max_size=10), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_polynomials_go_whole_whatever_is_missing(coefficients, seed):
    place = np.linspace(-1, 1, 8640)
    day = 9.8e9 + np.polynomial.legendre.legval(place, coefficients)
    first, length = np.random.default_rng(seed).integers(0, 4000, 2)
    day[first : first + length] = np.nan
    residual = day_residual(day)
    # 9.8e9 itself has digits down to 2e-6.
    assert np.nanmax(abs(residual)) < 1e-4
    np.testing.assert_array_equal(np.isnan(residual), np.isnan(day))


@pytest.mark.parametrize("hours", [1, 3, 24])
def test_the_basis_is_as_good_for_an_hour_as_for_a_day(hours):
    present = np.zeros(86_400, dtype=bool)
    present[40_000 : 40_000 + 3600 * hours] = True
    basis = day_basis(present, 9)
    np.testing.assert_allclose(basis.T @ basis, np.eye(10), atol=1e-12)


def test_short_periods_stay_and_long_ones_go():
    time_s = np.arange(86_400)
    short, long = (np.sin(2 * np.pi * time_s / period_s) for period_s in (3600, 12 * 3600))
    assert rms_microgal(day_residual(short)) == pytest.approx(np.sqrt(0.5) / 10, rel=1e-2)
    assert rms_microgal(day_residual(long)) < 1e-3


def test_a_day_of_nothing_has_no_residual():
    assert np.isnan(day_residual(np.full(1440, np.nan))).all()
    assert np.isnan(rms_microgal(np.full(1440, np.nan)))


def test_input_may_be_read_only():
    day = np.random.default_rng(0).normal(size=1440)
    day.flags.writeable = False
    day_residual(day)
    mend_pressure(day + 1000, 1 / 60)
    gravity, _ = calibrate(day, np.arange(1440.0), [Calibration(start_s=0, stop_s=1e4, factor_nm_s2=2.0)])
    assert gravity[3] == 2 * day[3]


# Quiet days.


def test_fewer_quiet_days_than_asked_are_said():
    chosen = quietest_days([1.0, 2.0, np.nan, 3.0], [1.0, 1.0, 1.0, 0.5])
    assert (chosen.days.tolist(), chosen.asked, chosen.candidates, chosen.span_days) == ([0, 1], 5, 2, 4)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=60), st.integers(1, 6), st.integers(1, 6))
def test_quiet_runs_share_no_day(rms, length, count):
    starts = quiet_runs(rms, length=length, count=count)
    assert 1 <= len(starts) <= count
    assert (np.diff(starts) >= length).all()
    assert rms[int(np.argmin(rms))] in [rms[k] for k in starts]


def test_ranks_need_one_length():
    with pytest.raises(ConfigError, match="of one length"):
        quietest_days([1.0], [1.0, 1.0])
