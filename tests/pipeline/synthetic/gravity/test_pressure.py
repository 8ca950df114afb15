"""Air pressure: its weather, its tides, and its gravity by an admittance."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.endless import coloured_noise
from pipeline.synthetic.gravity.pressure import (
    Admittance,
    Weather,
    air_pressure,
    pressure_effect,
    solar_tides,
)

DAY = 86_400
SITE = {"seed": 3, "station": "G1", "latitude_deg": 48.3, "longitude_deg": 8.3}


def test_weather_has_its_deviation():
    # Decades of it, to average what takes days: independent months.
    power = [np.var(coloured_noise(seed, ["w"], 0, 8 * DAY, shape=Weather())[::600]) for seed in range(60)]
    means = [coloured_noise(seed, ["w"], 0, 60, shape=Weather()).mean() for seed in range(400)]
    assert np.std(means) == pytest.approx(8.0, rel=0.15)
    assert 3.0 < np.sqrt(np.mean(power)) < 8.0


def test_one_constant_admittance_is_a_factor():
    effect = pressure_effect(7 * DAY + 5, 8 * DAY, admittance=Admittance(), **SITE)
    pressure = air_pressure(7 * DAY + 5, 8 * DAY, mean_hpa=900.0, **SITE)
    np.testing.assert_allclose(effect, -3.0 * (pressure - 900.0), atol=1e-3)


def test_admittance_follows_frequency():
    admittance = Admittance(long_nm_s2_hpa=-2.0, short_nm_s2_hpa=-4.0, corner_hz=1e-4)
    pressure = air_pressure(0, 30 * DAY, **SITE) - 1013.0
    effect = pressure_effect(0, 30 * DAY, admittance=admittance, **SITE)
    options = {"fs": 1.0, "nperseg": 1 << 17, "window": "blackmanharris"}
    frequency, cross = scipy.signal.csd(pressure, effect, **options)
    _, power = scipy.signal.welch(pressure, **options)
    found = cross / power
    for place in (5e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.1):
        at = np.argmin(abs(frequency - place))
        assert found[at] == pytest.approx(admittance(frequency[[at]])[0], abs=0.06)


@pytest.mark.parametrize("longitude_deg", [0.0, 90.0, -120.0])
def test_half_daily_tide_is_as_published(longitude_deg):
    # Haurwitz & Cowley (1973): 1.16 hPa at the equator, highest at 9.7 and 21.7 h local time.
    day = solar_tides(0, DAY, latitude_deg=0.0, longitude_deg=longitude_deg)
    line = np.fft.rfft(day)[2] * 2 / DAY
    assert abs(line) == pytest.approx(1.16, rel=1e-6)
    highest_h = (-np.angle(line) / (4 * np.pi) * 24 + longitude_deg / 15) % 12
    assert highest_h == pytest.approx(9.73, abs=0.05)
    assert abs(solar_tides(0, DAY, latitude_deg=90.0, longitude_deg=0.0)).max() < 1e-9


def test_stations_are_independent():
    others = {**SITE, "station": "G2"}
    one, other = (
        coloured_noise(3, ["pressure", key], 0, 4 * DAY, shape=Weather(corner_days=0.01)) for key in "ab"
    )
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.1
    assert air_pressure(0, 5, **SITE)[0] != air_pressure(0, 5, **others)[0]


def test_weather_refuses():
    with pytest.raises(ConfigError, match="negative"):
        Weather(deviation_hpa=-1.0)
