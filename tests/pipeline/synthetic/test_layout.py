"""Layout: spacing, what stays when a network grows, one landscape, and ground as real sites have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic import layout
from pipeline.synthetic.earthquakes.faulting import kilometres_between

REGION = layout.Region(latitude=50.0, longitude=8.0, width_km=120.0, height_km=80.0)


def spacings_km(latitude, longitude):
    east, north = kilometres_between(50.0, 8.0, latitude, longitude)
    apart = np.hypot(east[:, np.newaxis] - east, north[:, np.newaxis] - north)
    np.fill_diagonal(apart, np.inf)
    return apart.min(axis=1)


@settings(max_examples=15)
@given(st.integers(0, 1000))
def test_points_are_spread_evenly(seed):
    latitude, longitude = layout.draw_points(REGION, 30, seed=seed, purpose="x", spacing_km=9.0)
    nearest = spacings_km(latitude, longitude)
    assert nearest.min() >= 9 * 0.99
    # Random points have a mean of half of the square root of the area of each (8.9 km); a hexagonal grid,
    # the best there is, has 1.07 times that root (19.2 km).
    assert nearest.mean() > 13
    assert abs(latitude - 50).max() <= 40 / 111.19
    assert abs(longitude - 8).max() <= 60 / (111.19 * np.cos(np.radians(50))) + 1e-9


def test_points_refuse_a_crowd():
    with pytest.raises(ConfigError, match="room for 200 points"):
        layout.draw_points(REGION, 200, seed=1, purpose="x", spacing_km=15.0)


def test_a_network_keeps_its_stations_when_it_grows():
    few, many = (
        layout.seismic_network(REGION, n, seed=1, start_ns=0, orientation_error_deg=3) for n in (5, 9)
    )
    assert few == many[:5]
    assert layout.seismic_network(REGION, 5, seed=2, start_ns=0) != few


def test_codes_are_unique_and_sensors_as_asked():
    stations = layout.seismic_network(REGION, 12, seed=1, start_ns=5, end_ns=9)
    stations += layout.gravity_network(REGION, 3, seed=1, start_ns=5)
    assert len({(station.network, station.name) for station in stations}) == 15
    sensor = stations[0].sensors[0]
    assert (sensor.code, sensor.rate_hz, sensor.start_ns, sensor.end_ns) == ("HH", 100.0, 5, 9)
    assert [s.instrument.quantity for s in stations[-1].sensors] == ["acceleration", "pressure"]


def test_elevations_are_one_landscape():
    latitude, longitude = layout.draw_points(REGION, 100, seed=3, purpose="heights")
    heights = layout.draw_elevations_m(REGION, latitude, longitude, seed=3)
    assert heights.min() >= 0
    assert 100 < heights.std() < 600
    some = layout.draw_elevations_m(REGION, latitude[:7], longitude[:7], seed=3)
    np.testing.assert_array_equal(some, heights[:7])
    beside = layout.draw_elevations_m(REGION, latitude + 0.002, longitude, seed=3)  # 220 m to the north
    assert abs(beside - heights).max() < 120


def test_site_terms_are_those_of_real_ground():
    sites = [layout.draw_site_terms(f"S{n}", seed=1) for n in range(400)]
    kappa_s = np.array([site.kappa_s for site in sites])
    delays = np.array([(site.delay_p_s, site.delay_s_s) for site in sites])
    # Kappas of real sites: 0.01 to 0.06 s (Anderson & Hough 1984).
    assert ((kappa_s > 0.008) & (kappa_s < 0.07)).mean() > 0.98
    assert delays[:, 0].std() == pytest.approx(0.06, rel=0.15)
    assert abs(delays.mean(axis=0)).max() < 0.02
    assert np.polyfit(*delays.T, 1)[0] == pytest.approx(2.0, abs=0.1)
    factors = np.array([site.amplification for site in sites])
    assert factors.min() >= 0.9
    assert factors[:, 0].max() < 1.1  # long waves do not see a site
    assert factors.max() < 6
    # Soft ground is late, loud and dull at once.
    assert np.corrcoef(kappa_s, delays[:, 0])[0, 1] > 0.5
    assert np.corrcoef(factors.max(axis=1), delays[:, 0])[0, 1] > 0.4


def test_orientation_errors_have_the_stated_size():
    stations = layout.seismic_network(
        replace(REGION, width_km=900.0, height_km=900.0), 60, seed=1, start_ns=0, orientation_error_deg=4.0
    )
    errors = [station.sensors[0].orientation_error_deg for station in stations]
    assert np.std(errors) == pytest.approx(4.0, rel=0.3)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: layout.Region(latitude=88, longitude=0, width_km=1, height_km=1), "85 degrees"),
        (lambda: layout.Region(latitude=8, longitude=0, width_km=0, height_km=1), "wider and higher"),
    ],
)
def test_refuses(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
