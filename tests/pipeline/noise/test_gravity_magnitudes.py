"""Noise magnitudes: Peterson's models, white and red noise, rates, and the design of a synthetic network."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from obspy.signal.spectral_estimation import get_nhnm, get_nlnm

from pipeline.errors import ConfigError
from pipeline.noise.calibration import Calibration, calibrate
from pipeline.noise.magnitudes import (
    SNM_BAND_S,
    SSNM_BAND_S,
    TNM_BAND_S,
    Spectrum,
    band_rms_microgal,
    mean_spectrum,
    noise_magnitude,
    spectrum,
    without_gain,
)
from pipeline.noise.pressure import mend_pressure, without_pressure
from pipeline.noise.quiet_days import quiet_runs, quietest_days
from pipeline.noise.residuals import day_residual, rms_microgal
from pipeline.noise.tide import gravity_tide
from pipeline.synthetic.config import FaultConfig, GravityConfig, GreatEarthquakeConfig, read_config
from pipeline.synthetic.layout import Region
from pipeline.synthetic.records.gravity_recording import design, record_gravity_day
from pipeline.synthetic.scenario import make_scenario

DAY_S = 86_400


@pytest.mark.parametrize(("model", "magnitude"), [(get_nlnm, -0.13), (get_nhnm, 6.02)])
def test_petersons_models_have_their_magnitudes(model, magnitude):
    period_s, level_db = model()
    order = np.argsort(period_s)
    frequency_hz = np.arange(1, 4321) / DAY_S
    between = np.interp(np.log(1 / frequency_hz), np.log(period_s[order]), level_db[order])
    psd_nm = 10 ** (between / 10) * 1e18
    assert noise_magnitude(Spectrum(frequency_hz, psd_nm), SNM_BAND_S) == pytest.approx(magnitude, abs=0.01)


def test_one_microgal_squared_per_hertz():
    flat = Spectrum(np.arange(1, 4321) / DAY_S, np.full(4320, 100.0))
    assert noise_magnitude(flat, SNM_BAND_S) == noise_magnitude(flat, SSNM_BAND_S) == 2.5


def test_edges_of_a_band_belong_to_it():
    frequency_hz = np.arange(1, 4321) / DAY_S
    psd = np.where((frequency_hz > 143.5 / DAY_S) & (frequency_hz < 432.5 / DAY_S), 100.0, 1e9)
    assert noise_magnitude(Spectrum(frequency_hz, psd), SNM_BAND_S) == 2.5


@pytest.mark.parametrize("rate_hz", [1.0, 0.1, 1 / 60, 160_000 / 86_400])
def test_white_noise_has_its_level_at_any_rate(rate_hz):
    samples = round(DAY_S * rate_hz)
    rng = np.random.default_rng(5)
    # 1 µGal²/Hz, one-sided.
    deviation = np.sqrt(100.0 * rate_hz / 2)
    found = mean_spectrum([spectrum(rng.normal(0, deviation, samples), rate_hz) for _ in range(5)])
    assert noise_magnitude(found, SNM_BAND_S) == pytest.approx(2.5, abs=0.05)
    assert found.frequency_hz[0] == pytest.approx(1 / DAY_S)


def test_days_at_different_rates_have_a_mean():
    rng = np.random.default_rng(6)
    days = [spectrum(rng.normal(size=round(DAY_S * rate)), rate) for rate in (1.0, 1 / 60, 160_000 / 86_400)]
    assert len(mean_spectrum(days).frequency_hz) == len(days[1].frequency_hz)


def test_one_day_in_two_units_has_one_magnitude():
    ground, time_s = np.random.default_rng(7).normal(0, 10, 8640), np.arange(0, DAY_S, 10.0)
    found = []
    for recorded, factor in ((ground, 1.0), (ground / 10, 10.0), (-ground * 77, -1 / 77)):
        gravity, _ = calibrate(recorded, time_s, [Calibration(start_s=0, stop_s=DAY_S, factor_nm_s2=factor)])
        found.append(noise_magnitude(spectrum(gravity, 0.1), SNM_BAND_S))
    np.testing.assert_allclose(found, found[0], atol=1e-9)


def test_missing_samples_cost_no_level():
    noise = np.random.default_rng(8).normal(0, 10, DAY_S)
    gappy = noise.copy()
    for first in range(0, DAY_S, 9000):
        gappy[first : first + 2000] = np.nan
    whole, holed = (noise_magnitude(spectrum(each, 1.0), SNM_BAND_S) for each in (noise, gappy))
    assert holed == pytest.approx(whole, abs=0.08)


def test_too_slow_or_too_short_records_have_no_magnitude():
    rng = np.random.default_rng(9)
    assert np.isnan(noise_magnitude(spectrum(rng.normal(size=288), 1 / 300), SNM_BAND_S))
    assert np.isnan(noise_magnitude(spectrum(rng.normal(size=3600), 1.0), SSNM_BAND_S))
    assert np.isnan(noise_magnitude(spectrum(rng.normal(size=DAY_S), 1.0), TNM_BAND_S))


def test_a_dead_record_is_no_quiet_one():
    assert noise_magnitude(spectrum(np.zeros(DAY_S), 1.0), SNM_BAND_S) == float("-inf")


def test_what_can_not_be_is_refused():
    with pytest.raises(ConfigError, match="got 10 of which none is there"):
        spectrum(np.full(10, np.nan), 1.0)
    with pytest.raises(ConfigError, match="at least one spectrum"):
        mean_spectrum([])
    day, week = spectrum(np.arange(9.0), 1.0), spectrum(np.arange(18.0), 1.0)
    with pytest.raises(ConfigError, match="of spans of one length"):
        mean_spectrum([day, week])
    with pytest.raises(ConfigError, match=r"the response is 0.0 at 0.2 Hz"):
        without_gain(Spectrum(np.array([0.1, 0.2]), np.ones(2)), np.array([1.0, 0.0]))


def test_a_response_that_falls_is_made_good():
    rng = np.random.default_rng(10)
    noise = rng.normal(0, 10, DAY_S)
    # A first-order low-pass, corner 300 s, through a day that closes on itself.
    frequency_hz = np.fft.rfftfreq(DAY_S)
    gain = 1 / (1 + 1j * frequency_hz * 300)
    recorded = np.fft.irfft(np.fft.rfft(noise) * gain)
    found = spectrum(recorded, 1.0)
    mended = without_gain(found, 1 / (1 + 1j * found.frequency_hz * 300))
    truth = noise_magnitude(spectrum(noise, 1.0), SNM_BAND_S)
    assert noise_magnitude(mended, SNM_BAND_S) == pytest.approx(truth, abs=0.02)
    assert noise_magnitude(found, SNM_BAND_S) < truth - 0.1


# A network of the synthetic archive.

START = dt.datetime(2021, 3, 3, tzinfo=dt.UTC)


def network(seed: int, *, days: int, stations: int, quake: int):
    at = {day: START + dt.timedelta(days=day) for day in range(days)}
    gravity = GravityConfig(
        stations=stations,
        start=START,
        days=float(days),
        region=Region(latitude=36.0, longitude=104.0, width_km=2600.0, height_km=1500.0),
        earthquakes=(GreatEarthquakeConfig(time=at[quake], latitude=-20.0, longitude=-70.5, mw=8.2),),
    )
    faults = tuple(
        FaultConfig(kind="gap", stream=stream, time=at[day] + dt.timedelta(hours=5), hours=hours)
        for day, hours in ((1, 0.1), (3, 7.0))
        for stream in ("GY.G01..LGZ", "GY.G02..LDI")
    )
    config = replace(read_config("small"), seed=seed, gravity=gravity, faults=faults)
    return make_scenario(config)


def samples_of(scenario, station, code: str, day: int) -> np.ndarray:
    row = np.full(DAY_S, np.nan)
    for trace in record_gravity_day(scenario, station, {code}, day):
        first = trace.start_ns // 10**9 - day * DAY_S
        row[first : first + len(trace.samples)] = trace.samples
    return row


def reduced(scenario, station, *, days: int) -> np.ndarray:
    """What is left of gravity without tide and pressure, (days, samples)."""
    first = int(START.timestamp()) // DAY_S
    counts = np.concatenate([samples_of(scenario, station, "LGZ", first + day) for day in range(days)])
    pascal = np.concatenate([samples_of(scenario, station, "LDI", first + day) for day in range(days)])
    time_s = first * DAY_S + np.arange(float(days * DAY_S))
    epoch = Calibration(start_s=0, stop_s=4e9, factor_nm_s2=0.1)
    gravity, ground_s = calibrate(counts, time_s, [epoch])
    gravity = gravity - gravity_tide(
        ground_s,
        latitude_deg=station.latitude,
        longitude_deg=station.longitude,
        height_m=station.elevation_m,
    )
    mended = mend_pressure(pascal / 1000, 1.0)
    return without_pressure(gravity, mended.pressure_hpa).reshape(days, DAY_S)


def magnitudes(left: np.ndarray) -> tuple[float, float, float]:
    """SNM and SSNM of the quietest days, and SSNM of the quietest runs."""
    residuals = [day_residual(day) for day in left]
    days = [spectrum(day, 1.0) if np.isfinite(day).any() else None for day in residuals]
    rms = [np.nan if day is None else band_rms_microgal(day, 0.01) for day in days]
    chosen = quietest_days(rms, np.isfinite(left).mean(axis=1))
    quiet = mean_spectrum([days[day] for day in chosen.days])
    complete = np.isfinite(left).mean(axis=1) >= 0.99
    starts = [day for day in range(len(left) - 4) if complete[day : day + 5].all()]
    runs = {day: spectrum(left[day : day + 5].ravel(), 1.0) for day in starts}
    rms = [band_rms_microgal(runs[day], 1e-3) if day in runs else np.nan for day in range(len(left))]
    long = mean_spectrum([runs[day] for day in quiet_runs(rms).tolist()])
    return (
        noise_magnitude(quiet, SNM_BAND_S),
        noise_magnitude(quiet, SSNM_BAND_S),
        noise_magnitude(long, SSNM_BAND_S),
    )


@pytest.mark.parametrize("seed", [41])
def test_designed_snm_comes_back_from_spoiled_records(seed):
    scenario = network(seed, days=14, stations=2, quake=8)
    for station in scenario.gravimeters:
        snm, _, _ = magnitudes(reduced(scenario, station, days=14))
        assert snm == pytest.approx(design(scenario.config, station.name).noise.snm, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [606])
def test_designed_magnitudes_come_back_from_two_months(seed):
    scenario = network(seed, days=60, stations=4, quake=17)
    for station in scenario.gravimeters:
        truth = design(scenario.config, station.name).noise
        snm, short, long = magnitudes(reduced(scenario, station, days=60))
        assert snm == pytest.approx(truth.snm, abs=0.05)
        assert long == pytest.approx(truth.ssnm, abs=0.1)
        # The quietest days are those whose long periods happen to be low.
        assert truth.ssnm - 0.5 < short < truth.ssnm


def test_a_microseism_hides_steps_from_the_rms_but_not_below_ten_millihertz():
    time_s = np.arange(DAY_S)
    rng = np.random.default_rng(11)
    swell = 70 * np.sin(2 * np.pi * time_s / 6.3) + rng.normal(0, 1, DAY_S)
    stepped = day_residual(swell + np.where(time_s > 40_000, 10.0, 0.0))
    calm = day_residual(swell)
    assert rms_microgal(stepped) == pytest.approx(rms_microgal(calm), rel=2e-3)
    assert band_rms_microgal(spectrum(stepped, 1.0), 0.01) > 2 * band_rms_microgal(spectrum(calm, 1.0), 0.01)
