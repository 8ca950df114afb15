"""Tide: published amplitudes and factors; Sun and Moon themselves; the same however cut."""

from __future__ import annotations

import calendar

import erfa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.tidal_waves import arguments_deg, wave_table
from pipeline.synthetic.gravity.tide import (
    WaveGroup,
    body_factors,
    constituents,
    geodetic_factors,
    gravity_tide,
)

NUMBERS = {
    "M2": (2, 0, 0, 0, 0, 0),
    "S2": (2, 2, -2, 0, 0, 0),
    "N2": (2, -1, 0, 1, 0, 0),
    "O1": (1, -1, 0, 0, 0, 0),
    "K1": (1, 1, 0, 0, 0, 0),
    "P1": (1, 1, -2, 0, 0, 0),
    "M3": (3, 0, 0, 0, 0, 0),
    "3MO2": (2, 1, 0, 0, 0, 0),
}
# Hartmann & Wenzel (1995), J2000, Moon and Sun together: potential in m²/s² on a = 6378136.3 m, for fully
# normalised harmonics.
HARTMANN_WENZEL = {
    "M2": 1.2356349,
    "S2": 0.5748257,
    "N2": 0.2365822,
    "O1": 0.5125255,
    "K1": 0.7205068,
    "P1": 0.2384361,
    "M3": 0.0149687,
}


def index(name: str, degree: int = 2) -> int:
    table = wave_table()
    same = (table.multipliers == NUMBERS[name]).all(axis=1) & (table.degree == degree)
    return int(np.flatnonzero(same)[0])


def cartesian(latitude_deg: float, height_m: float) -> tuple[float, float]:
    """Distance from the axis and height over the equator's plane, GRS80."""
    phi, e2 = np.radians(latitude_deg), 0.00669438002290
    n = 6378137.0 / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    return (n + height_m) * np.cos(phi), (n * (1 - e2) + height_m) * np.sin(phi)


@pytest.mark.parametrize("name", sorted(HARTMANN_WENZEL))
@pytest.mark.parametrize("latitude_deg", [-3.0, 19.6, 48.33, 69.0])
def test_theoretical_amplitudes_are_the_published_ones(name, latitude_deg):
    # The potential of the catalogue, differentiated up the plumb line by finite differences.
    order = NUMBERS[name][0]
    degree = 3 if name == "M3" else 2
    height_m = 600.0

    def potential(height):
        axis, polar = cartesian(latitude_deg, height)
        r = np.hypot(axis, polar)
        cosine, sine = polar / r, axis / r
        shape = {
            1: np.sqrt(15) * sine * cosine,
            2: np.sqrt(15) / 2 * sine**2,
            3: np.sqrt(70) / 4 * sine**3,
        }[order]
        return HARTMANN_WENZEL[name] * (r / 6378136.3) ** degree * shape

    expected = abs(potential(height_m + 500) - potential(height_m - 500)) / 1000 * 1e9
    amplitude, _ = constituents(latitude_deg=latitude_deg, longitude_deg=8.0, height_m=height_m, rigid=True)
    assert abs(amplitude[index(name, degree)]) == pytest.approx(expected, rel=1.5e-3)


# Torge (2001), Geodesy, 3rd edition, section 3.5: principal gravimetric tides at 45°, height 0, in nm/s².
TORGE = {"O1": 310.6, "P1": 144.6, "K1": 436.9, "N2": 71.9, "M2": 375.6, "S2": 174.8}


@pytest.mark.parametrize("name", sorted(TORGE))
def test_amplitudes_at_45_degrees_are_those_of_the_textbook(name):
    amplitude, _ = constituents(latitude_deg=45.0, longitude_deg=8.0, height_m=0.0, rigid=True)
    assert abs(amplitude[index(name)]) == pytest.approx(TORGE[name], rel=1e-3)


def test_a_wave_of_degree_three_at_strasbourg():
    # Calvo et al. (2016): 28 years of superconducting gravimeters show 3MO2 at 5.97 nm/s².
    amplitude, _ = constituents(latitude_deg=48.622, longitude_deg=7.684, height_m=180)
    assert abs(amplitude[index("3MO2", 3)]) == pytest.approx(5.97, rel=0.02)


@pytest.mark.parametrize(("name", "delta"), [("O1", 1.1543), ("K1", 1.1349), ("M2", 1.1620)])
def test_body_factors_are_those_of_published_models(name, delta):
    # Dehant, Defraigne & Wahr (1999) and Mathews (2001), which differ by 0.0004.
    wave = index(name)
    table = wave_table()
    order = table.multipliers[:, 0].astype(int)
    assert body_factors(table.degree, order, table.frequency_cpd)[wave] == pytest.approx(delta, abs=5e-4)


def attraction(times_s, latitude_deg, longitude_deg, height_m):
    """Tidal gravity of the Moon (Meeus 1998, in erfa) and the Sun on a rigid Earth, nm/s², downwards."""
    days = times_s / 86400 + 40587.0
    tt = days + 69.184 / 86400
    moon = np.array([erfa.moon98(2400000.5, day)["p"] for day in tt])
    sun = -np.array([erfa.epv00(2400000.5, day)[0]["p"] for day in tt])
    turned = erfa.c2t06a(2400000.5, tt, 2400000.5, days, 0.0, 0.0)
    au = 149597870700.0
    axis, polar = cartesian(latitude_deg, height_m)
    lam, phi = np.radians([longitude_deg, latitude_deg])
    place = np.array([axis * np.cos(lam), axis * np.sin(lam), polar])
    up = np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    total = np.zeros(len(times_s))
    for body, strength in ((moon, 4.9028e12), (sun, 1.32712440e20)):
        where = np.einsum("tij,tj->ti", turned, body) * au
        toward = where - place
        pull = toward / np.linalg.norm(toward, axis=1)[:, None] ** 3
        pull -= where / np.linalg.norm(where, axis=1)[:, None] ** 3
        total -= strength * (pull @ up) * 1e9
    return total


@pytest.mark.parametrize(
    "site", [(48.33, 8.33, 589.0), (-35.32, 149.01, 762.0), (2.0, -75.0, 10.0), (78.9, 11.9, 43.0)]
)
def test_sun_and_moon_agree_in_sign_phase_and_size(site):
    latitude_deg, longitude_deg, height_m = site
    first = calendar.timegm((2023, 3, 5, 0, 0, 0))
    tide = gravity_tide(
        first, first + 30 * 86400, rigid=True, latitude_deg=latitude_deg, longitude_deg=longitude_deg,
        height_m=height_m,
    )[::1800]  # fmt: skip
    expected = attraction(first + 1800.0 * np.arange(len(tide)), latitude_deg, longitude_deg, height_m)
    difference = tide - tide.mean() - (expected - expected.mean())
    assert expected.std() > 100
    # The table has 0.0001 of a metre of rounding per wave, and leaves out what is below.
    assert difference.std() < 1.5
    slope = np.gradient(expected, 1800.0)
    assert abs(difference @ slope / (slope @ slope)) < 10


def test_nodes_are_close_enough():
    # The sum of all waves itself, at odd seconds, where no node stands.
    latitude_deg, longitude_deg = 30.0, -100.0
    first = 1_600_000_123
    tide = gravity_tide(first, first + 50_000, latitude_deg=latitude_deg, longitude_deg=longitude_deg)[::777]
    amplitude, phase = constituents(latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    angle = wave_table().multipliers @ arguments_deg(first + 777.0 * np.arange(len(tide))) + phase[:, None]
    amplitude[~wave_table().multipliers.any(axis=1)] = 0
    np.testing.assert_allclose(tide, amplitude @ np.cos(np.radians(angle)), atol=2e-4)


@given(begin=st.integers(0, 250_000), length=st.integers(0, 3000))
def test_any_cut_is_the_same(begin, length):
    place = {"latitude_deg": 45.0, "longitude_deg": 10.0}
    first = 1_577_836_800 - 7
    cut = gravity_tide(first + begin, first + begin + length, **place)
    np.testing.assert_array_equal(cut, WHOLE[begin : begin + length])


WHOLE = gravity_tide(1_577_836_800 - 7, 1_577_836_800 - 7 + 260_000, latitude_deg=45.0, longitude_deg=10.0)


def test_groups_replace_factor_and_phase():
    place = {"latitude_deg": 45.0, "longitude_deg": 10.0}
    group = WaveGroup(low_cpd=1.9, high_cpd=1.95, factor=1.2, lead_deg=3.0)
    (rigid, phase), (amplitude, led) = (
        constituents(rigid=True, **place),
        constituents(groups=[group], **place),
    )
    m2, o1 = index("M2"), index("O1")
    assert amplitude[m2] == pytest.approx(1.2 * rigid[m2])
    assert led[m2] == pytest.approx(phase[m2] + 3)
    assert led[o1] == phase[o1]
    assert amplitude[o1] == pytest.approx(1.1543 * rigid[o1], rel=5e-4)


def test_a_group_refuses():
    with pytest.raises(ConfigError, match="below high_cpd"):
        WaveGroup(low_cpd=2.0, high_cpd=1.0, factor=1.0)


def test_gravity_of_even_waves_is_the_same_on_both_halves_of_the_earth():
    north, south = geodetic_factors(33.0, 100.0), geodetic_factors(-33.0, 100.0)
    for (degree, order), value in north.items():
        assert south[degree, order] == pytest.approx(value * (-1) ** (degree + order))
