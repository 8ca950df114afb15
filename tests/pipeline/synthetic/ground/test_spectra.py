import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obspy.signal.spectral_estimation import get_nhnm, get_nlnm

from pipeline.errors import ConfigError
from pipeline.synthetic.ground import spectra
from pipeline.synthetic.ground.spectra import Climate, StationSpectrum

HOUR_S = 3600.0
DAY_S = 86400.0
MONDAY_S = 18631 * DAY_S  # 4 January 2021


@pytest.mark.parametrize(("ours", "theirs"), [(spectra.nlnm_db, get_nlnm), (spectra.nhnm_db, get_nhnm)])
def test_models_equal_those_of_obspy(ours, theirs):
    period_s, level_db = theirs()
    np.testing.assert_allclose(ours(period_s), level_db, atol=0.001)


@pytest.mark.parametrize("model", [spectra.nlnm_db, spectra.nhnm_db])
def test_models_end_where_peterson_ends(model):
    assert np.isnan(model([0.09, 100_001.0])).all()
    assert np.isfinite(model([0.1, 100_000.0])).all()


def test_background_is_the_models_outside_the_microseisms_and_below_them_within():
    period_s = np.geomspace(0.1, 1000, 400)
    low = spectra.background_db(period_s, 0.0)
    outside = (period_s < 1.0) | (period_s > 21.9)
    np.testing.assert_allclose(low[outside], spectra.nlnm_db(period_s)[outside])
    assert (low[~outside] <= spectra.nlnm_db(period_s)[~outside] + 1e-9).all()
    assert spectra.background_db(5.0, 0.0) < spectra.nlnm_db(5.0) - 20
    assert np.abs(np.diff(low)).max() < 1  # no step at either end of the bridge


@pytest.mark.parametrize("station", ["PB01", "PB02", "CCC", "X9"])
@pytest.mark.parametrize("component", "ZNE")
def test_drawn_sites_lie_between_the_models(station, component):
    period_s = np.geomspace(0.1, 100, 200)
    level = spectra.draw_spectra(3, station)[component].level_db(1 / period_s)
    assert (level > spectra.nlnm_db(period_s) + 1).all()
    assert (level < spectra.nhnm_db(period_s) - 1).all()


def test_peaks_have_the_levels_given():
    site = StationSpectrum(mix=0.0, secondary_db=-125, secondary_period_s=4.0, primary_db=-150)
    fine = np.geomspace(0.1, 1, 5000)
    secondary = site.parts(fine)["secondary"]
    assert 10 * np.log10(secondary.max()) == pytest.approx(-125, abs=1e-3)
    assert 1 / fine[secondary.argmax()] == pytest.approx(4.0, rel=1e-3)
    assert 10 * np.log10(site.parts(1 / 14.0)["primary"]) == pytest.approx(-150, abs=1e-6)
    assert 10 * np.log10(site.parts(5.0)["culture"]) == pytest.approx(-140, abs=0.02)
    assert 10 * np.log10(site.parts(0.01)["tilt"]) == pytest.approx(-190, abs=0.02)


def test_horizontals_are_louder_at_long_periods():
    site = spectra.draw_spectra(1, "PB01")
    at_100_s = {name: float(one.level_db(0.01)) for name, one in site.items()}
    assert min(at_100_s["N"], at_100_s["E"]) > at_100_s["Z"] + 2
    assert abs(float(site["N"].level_db(0.2) - site["Z"].level_db(0.2))) < 3


@pytest.mark.parametrize(
    ("options", "match"),
    [({"mix": 1.5}, "mix should be from 0"), ({"primary_period_s": 0}, "primary_period_s should be above 0")],
)
def test_station_spectrum_refuses(options, match):
    with pytest.raises(ConfigError, match=match):
        StationSpectrum(**options)


def test_culture_follows_local_time_and_weekday():
    climate = Climate(seed=1, utc_offset_h=-4.0, night_db=20.0)
    busy = climate.factors(MONDAY_S + 12 * HOUR_S)["culture"]  # 8 in the morning
    night = climate.factors(MONDAY_S + 6 * HOUR_S)["culture"]
    sunday = climate.factors(MONDAY_S + 6 * DAY_S + 12 * HOUR_S)["culture"]
    assert 10 * math.log10(busy / night) == pytest.approx(20.0)
    assert 10 * math.log10(busy / sunday) == pytest.approx(9.0)
    assert climate.factors(MONDAY_S + 7 * DAY_S)["culture"] == climate.factors(MONDAY_S)["culture"]


@given(st.floats(0, 2e9))
def test_factors_are_smooth_and_never_negative(time_s):
    climate = Climate(seed=4)
    now, soon = climate.factors(time_s), climate.factors(time_s + 60)
    for part in spectra.PARTS:
        assert now[part] > 0
        assert abs(10 * math.log10(soon[part] / now[part])) < 0.3


def test_storms_come_more_often_in_winter_and_to_all_stations():
    north = Climate(seed=2, utc_offset_h=2.0)
    days = 18628 + np.arange(0, 3 * 365)
    level = np.array([10 * math.log10(north.factors(day * DAY_S)["secondary"]) for day in days])
    winter = np.cos(2 * np.pi * (days - 15) / 365.25) > 0.5
    summer = np.cos(2 * np.pi * (days - 15) / 365.25) < -0.5
    assert level[winter].mean() > level[summer].mean() + 4
    assert level.max() > 12
    assert np.percentile(level[summer], 10) < -1
    other = Climate(seed=2, utc_offset_h=-9.0)
    assert other.factors(1.6e9)["secondary"] == north.factors(1.6e9)["secondary"]
    south = Climate(seed=2, southern=True, storms_per_day=0.0)
    assert south.factors(197 * DAY_S)["secondary"] == pytest.approx(10**0.3, rel=1e-3)


def test_storms_last_days():
    climate = Climate(seed=2)
    hours = np.arange(0, 60 * 24) * HOUR_S + 1.6e9
    level = np.array([climate.factors(t)["secondary"] for t in hours])
    stormy = level > 4 * np.median(level)
    edges = np.flatnonzero(np.diff(stormy.astype(int)))
    assert 0.02 < stormy.mean() < 0.6
    assert np.diff(edges).max() > 18
