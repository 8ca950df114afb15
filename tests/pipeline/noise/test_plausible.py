"""Levels no ground can have, and the tide as a gravimeter's judge: what is flagged, and what must not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import obspy
import pytest

from pipeline.errors import ConfigError
from pipeline.noise.loading import LoadingWave, ocean_loading
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.noise.plausible import judge_factor, judge_levels, judge_spans
from pipeline.noise.tide import gravity_tide
from pipeline.noise.tide_factor import TideFactor, tide_factor
from pipeline.synthetic.gravity.gravimeter_noise import GravimeterNoise
from pipeline.synthetic.gravity.pressure import Weather
from pipeline.synthetic.gravity.record import Drift, Step, gravity_record

PERIODS = 0.05 * 2.0 ** np.arange(0, 14, 0.125)
START_S = 1_583_020_800  # 2020-03-01
PLACE = {"latitude_deg": 30.0, "longitude_deg": 100.0, "height_m": 0.0}


def windows(curve: np.ndarray, count: int = 47, *, scatter_db: float = 2.0) -> np.ndarray:
    """Windows around a curve, which move up and down as a whole."""
    rng = np.random.default_rng(7)
    return curve + rng.normal(0, scatter_db, (count, 1)) + rng.normal(0, 0.7, (count, curve.size))


def quiet_site() -> np.ndarray:
    return np.nan_to_num(nlnm_db(PERIODS), nan=-165.0) + 2.0


def middling_site() -> np.ndarray:
    return np.nan_to_num((nlnm_db(PERIODS) + nhnm_db(PERIODS)) / 2, nan=-135.0)


def noisy_site() -> np.ndarray:
    return np.nan_to_num(nhnm_db(PERIODS), nan=-91.0)


def storm() -> np.ndarray:
    """An island's day in a storm: 7 dB above the high model for all of it."""
    return noisy_site() + 7.0 * ((PERIODS > 2) & (PERIODS < 20))


def city() -> np.ndarray:
    return middling_site() + 45.0 * (PERIODS < 1.5)


def tilting_horizontal() -> np.ndarray:
    return middling_site() + 60.0 * (PERIODS > 15)


def superconducting() -> np.ndarray:
    return quiet_site() - 10.0 * (PERIODS > 300)


def geophone() -> np.ndarray:
    """4.5 Hz: its own noise grows by 30 dB a decade of period below the corner."""
    own = -140 + 30 * np.log10(np.maximum(PERIODS * 4.5, 1.0))
    return 10 * np.log10(10 ** (middling_site() / 10) + 10 ** (own / 10))


def digitiser_of_velocity() -> np.ndarray:
    return -170.0 - 20 * np.log10(PERIODS)


def open_input() -> np.ndarray:
    return np.full(PERIODS.size, -210.0)


@pytest.mark.parametrize(
    "curve",
    [
        quiet_site,
        middling_site,
        noisy_site,
        storm,
        city,
        tilting_horizontal,
        superconducting,
        geophone,
        digitiser_of_velocity,
        open_input,
    ],
)
def test_what_is_not_a_wrong_gain(curve):
    verdict = judge_levels(windows(curve()), PERIODS)
    assert verdict.known
    assert verdict.reason == ""


@pytest.mark.parametrize("share", [0.1, 0.8])
def test_earthquakes_do_not_make_a_wrong_gain(share):
    levels = windows(middling_site())
    levels[: round(share * len(levels))] = -50.0
    assert judge_levels(levels, PERIODS).reason == ""
    assert judge_levels(levels + 80, PERIODS).reason != ""


@pytest.mark.parametrize("site", [quiet_site, middling_site, noisy_site])
@pytest.mark.parametrize(("unit", "factor"), [("nm", 1e9), ("µm", 1e6), ("mm", 1e3)])
def test_units_of_length_are_named(site, unit, factor):
    verdict = judge_levels(windows(site()) + 20 * np.log10(factor), PERIODS)
    assert verdict.reason != ""
    # What it would take reaches from the bound to the low model: the true factor lies between.
    assert 1 < verdict.ratio <= factor
    assert unit in verdict.reason.partition("would do it")[2]
    assert "4 to 8 s" in verdict.reason


def test_the_reason_says_level_bound_and_ratio():
    inside = (PERIODS >= 4) & (PERIODS <= 8)
    high = nhnm_db(PERIODS[inside]).mean()
    verdict = judge_levels(np.tile(noisy_site() + 30.0, (20, 1)), PERIODS)
    assert verdict.level_db == pytest.approx(high + 30)
    assert verdict.bound_db == pytest.approx(high + 10)
    assert verdict.ratio == pytest.approx(10.0)
    assert "20 windows has -71 dB" in verdict.reason
    assert "30 dB above the high noise model" in verdict.reason
    assert "stated 10 to" in verdict.reason


def test_a_gain_stated_too_large_has_a_microseism_still():
    verdict = judge_levels(windows(quiet_site()) - 40.0, PERIODS)
    assert "below the low noise model" in verdict.reason
    # 38 dB below the model, and 6 of them are allowed.
    assert 1 / verdict.ratio == pytest.approx(10 ** (32 / 20), rel=0.1)
    assert verdict.windows == 47


@pytest.mark.parametrize(("above_db", "flagged"), [(9.0, True), (11.0, False)])
def test_bounds_can_be_moved(above_db, flagged):
    levels = np.tile(noisy_site() + 10.0, (20, 1))
    assert bool(judge_levels(levels, PERIODS, above_db=above_db).reason) is flagged


def test_few_windows_and_short_periods_are_not_judged():
    levels = windows(middling_site()) + 200
    assert not judge_levels(levels[:11], PERIODS).known
    assert judge_levels(levels[:12], PERIODS).known
    short = PERIODS < 3
    assert not judge_levels(levels[:, short], PERIODS[short]).known
    levels[:, (PERIODS > 5) & (PERIODS < 6)] = np.nan
    assert judge_levels(levels, PERIODS).reason == ""


def test_spans_are_judged_each_for_itself():
    levels = windows(middling_site(), 96)
    levels[48:72] += 100
    levels[72:] = np.nan
    verdicts = judge_spans(levels, PERIODS, np.repeat([3, 1, 2, 4], 24))
    assert list(verdicts) == [1, 2, 3, 4]
    assert [bool(each.reason) for each in verdicts.values()] == [False, True, False, False]
    assert [each.known for each in verdicts.values()] == [True, True, True, False]


def test_levels_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"\(windows, 112 periods\), got \(47, 100\)"):
        judge_levels(windows(middling_site())[:, :100], PERIODS)
    with pytest.raises(ConfigError, match="5 windows need a span each"):
        judge_spans(np.zeros((5, PERIODS.size)), PERIODS, [1, 2])


def test_a_real_day_is_plausible_until_its_gain_is_lost():
    """IU.ANMO LHZ of obspy's own tests: spectra that obspy computed."""
    folder = Path(obspy.__file__).parent / "signal" / "tests" / "data"
    with np.load(folder / "IUANMO_ppsd_fullresponse.npz", allow_pickle=True) as stored:
        levels, period_s = stored["_binned_psds"], stored["_period_binning"][2]
    assert judge_levels(levels, period_s).known
    assert judge_levels(levels, period_s).reason == ""
    assert judge_levels(levels + 20 * np.log10(3.4e9), period_s).reason != ""


# ---- the tide


@pytest.fixture(scope="module")
def gravimeter():
    """Ten days of a gravimeter with weather, drift, and a step of 3000 nm/s²; two gaps."""
    record = gravity_record(
        START_S,
        START_S + 10 * 86_400,
        seed=1,
        station="G01",
        noise=GravimeterNoise(snm=2.0, ssnm=4.0),
        weather=Weather(),
        drift=Drift(reference_s=START_S, rates=(60.0, 2.0)),
        steps=[Step(time_s=START_S + 400_000, offset_nm_s2=3000.0)],
        **PLACE,
    )
    time_s = START_S + np.arange(record.gravity.size, dtype=np.float64)
    gravity = record.gravity + 9.79e9
    gravity[5_000:15_000] = np.nan
    gravity[500_000:600_000] = np.nan
    gravity.flags.writeable = False
    return gravity, gravity_tide(time_s, **PLACE)


def test_a_sound_gravimeter(gravimeter):
    found = tide_factor(*gravimeter, 1.0)
    assert abs(found.factor - 1) < 0.01
    assert found.error < 0.01
    assert found.lag_s == 0
    assert found.days == pytest.approx(10 - 110_000 / 86_400, abs=0.02)
    assert judge_factor(found) == ("plausible", "")


@pytest.mark.parametrize(
    ("wrong", "kind", "told"),
    [
        (-1.0, "polarity", "its polarity is reversed"),
        (10.0, "unit", "nm/s² have that are stated as µGal"),
        (0.1, "unit", "µGal have that are stated as nm/s²"),
        (-10.0, "unit", "polarity is reversed"),
        (1e-4, "unit", "mGal have that are stated as nm/s²"),
        (1.3, "gain", "divided by 1.3"),
        (-0.7, "gain", "divided by 0.7, and its polarity"),
        (1.1, "plausible", ""),
    ],
)
def test_wrong_gravimeters(gravimeter, wrong, kind, told):
    gravity, tide = gravimeter
    found = tide_factor(wrong * gravity, tide, 1.0)
    assert found.factor == pytest.approx(wrong, rel=0.01)
    verdict = judge_factor(found)
    assert verdict.kind == kind
    assert told in verdict.reason


def test_a_record_without_its_tide(gravimeter):
    gravity, tide = gravimeter
    assert judge_factor(tide_factor(gravity - tide, tide, 1.0)).kind == "absent"


@pytest.mark.parametrize("hours", [8.0, -8.0, 1.0, 12.5, 24.0])
def test_a_clock_in_another_time_zone(gravimeter, hours):
    gravity, _ = gravimeter
    time_s = START_S + hours * 3600 + np.arange(gravity.size, dtype=np.float64)
    found = tide_factor(gravity, gravity_tide(time_s, **PLACE), 1.0)
    assert found.lag_s == hours * 3600
    assert found.factor == pytest.approx(1.0, abs=0.02)
    assert judge_factor(found).kind == "clock"
    assert f"{abs(hours):.1f} h {'late' if hours > 0 else 'early'}" in judge_factor(found).reason


@pytest.mark.parametrize("lag_deg", [90.0, 180.0])
def test_the_ocean_of_a_rough_coast_is_no_fault(gravimeter, lag_deg):
    """45 nm/s² of M2 and what goes with it: twice Montpellier's."""
    gravity, tide = gravimeter
    waves = [
        LoadingWave(name=name, amplitude_nm_s2=size, lag_deg=lag_deg)
        for name, size in (("M2", 45.0), ("S2", 16.0), ("N2", 9.0), ("K1", 12.0), ("O1", 10.0))
    ]
    time_s = START_S + np.arange(gravity.size, dtype=np.float64)
    assert judge_factor(tide_factor(gravity + ocean_loading(time_s, waves), tide, 1.0)).kind == "plausible"


@pytest.mark.parametrize("wrong", [1.0, 1.3, -1.0])
def test_half_a_day_of_much_noise_is_not_judged(gravimeter, wrong):
    gravity, tide = gravimeter
    rng = np.random.default_rng(3)
    half = slice(20_000, 20_000 + 43_200)
    noise = np.cumsum(rng.normal(0, 3.0, 43_200)) + rng.normal(0, 500, 43_200)
    found = tide_factor(wrong * gravity[half] + noise, tide[half], 1.0)
    assert judge_factor(found).kind == "unknown"
    assert judge_factor(found).reason != ""


def test_errors_are_as_large_as_they_are_said_to_be():
    """White noise and a walk, of many records: true errors over stated ones, at half a day and at five."""
    rng = np.random.default_rng(11)
    time_s = START_S + 300.0 * np.arange(365 * 288)
    year = gravity_tide(time_s, **PLACE)
    for days, low, high in ((0.5, 0.4, 1.6), (2.4, 0.5, 1.5)):
        count, scores = int(days * 288), []
        for first in rng.integers(0, year.size - count, 20):
            tide = year[first : first + count]
            noise = np.cumsum(rng.normal(0, 1.5, count)) + rng.normal(0, 15, count)
            found = tide_factor(0.9 * tide + noise, tide, 1 / 300)
            scores.append((found.factor - 0.9) / found.error)
        assert low < np.sqrt(np.mean(np.square(scores))) < high
        assert np.max(np.abs(scores)) < 4.5


@pytest.mark.parametrize("samples", [0, 100, 3_600])
def test_too_little_is_unknown(samples):
    found = tide_factor(np.zeros(samples), np.arange(samples), 1.0)
    assert np.isnan(found.factor)
    assert judge_factor(found).kind == "unknown"


def test_nothing_but_gaps_is_unknown():
    assert (
        judge_factor(tide_factor(np.full(86_400, np.nan), np.sin(np.arange(86_400.0)), 1.0)).kind == "unknown"
    )


def test_a_record_that_stands_still_has_no_tide(gravimeter):
    _, tide = gravimeter
    assert judge_factor(tide_factor(np.zeros(tide.size), tide, 1.0)).kind == "absent"


def test_arrays_of_two_lengths_are_refused():
    with pytest.raises(ConfigError, match=r"\(5,\) and \(6,\)"):
        tide_factor(np.zeros(5), np.zeros(6), 1.0)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (TideFactor(1.14, 0.01, 0.0, 30.0), "plausible"),
        (TideFactor(1.17, 0.01, 0.0, 30.0), "unknown"),
        (TideFactor(1.20, 0.01, 0.0, 30.0), "gain"),
        (TideFactor(-1.0, 0.3, 0.0, 30.0), "unknown"),
        (TideFactor(0.05, 0.02, 0.0, 30.0), "absent"),
    ],
)
def test_three_standard_errors_decide(found, kind):
    assert judge_factor(found).kind == kind


@pytest.mark.parametrize(("name", "kind"), [("MGZ.D", "plausible"), ("MGZ.Q", "absent")])
def test_etna(data_folder, name, kind):
    """Half a day of an absolute gravimeter, as recorded, and with its tide taken out by its maker."""
    stream = obspy.read(data_folder / "gravity" / "etna-aqg" / name / f"NG.AQG..{name}.2020.213")
    rate_hz = 160_000 / 86_400
    first_s = stream[0].stats.starttime.timestamp // 86_400 * 86_400
    gravity = np.full(160_000, np.nan)
    for trace in stream:
        at = round((trace.stats.starttime.timestamp - first_s) * rate_hz)
        gravity[at : at + len(trace)] = trace.data[: 160_000 - at]
    time_s = first_s + np.arange(160_000) / rate_hz
    tide = gravity_tide(time_s, latitude_deg=37.76589, longitude_deg=15.016805, height_m=2920.0)
    found = tide_factor(gravity, tide, rate_hz)
    assert judge_factor(found).kind == kind
    assert found.factor == pytest.approx({"plausible": 0.95, "absent": -0.04}[kind], abs=0.06)
    assert judge_factor(tide_factor(-gravity, tide, rate_hz)).kind in {"polarity", "absent"}
