"""Tide: published amplitudes and factors, Newton's law itself, and the independent waves of the archive."""

from __future__ import annotations

import calendar

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.noise.ephemeris import ORDERS, doodson_arguments, solid_harmonics, tidal_forcing
from pipeline.noise.tide import RESONANT_WAVES, _slopes, diurnal_delta, gravity_tide
from pipeline.synthetic.gravity import tide as waves

# Doodson's multipliers with tau from the upper transit, and what the sum over the node splits off.
WAVES = {
    "O1": (1, -1, 0, 0, 0, 0),
    "P1": (1, 1, -2, 0, 0, 0),
    "K1": (1, 1, 0, 0, 0, 0),
    "N2": (2, -1, 0, 1, 0, 0),
    "M2": (2, 0, 0, 0, 0, 0),
    "S2": (2, 2, -2, 0, 0, 0),
}
# Torge (2001), Geodesy, 3rd edition, section 3.5: principal gravimetric tides at 45°, height 0, nm/s².
TORGE = {"O1": 310.6, "P1": 144.6, "K1": 436.9, "N2": 71.9, "M2": 375.6, "S2": 174.8}
# Hartmann & Wenzel (1995), m²/s² on 6378136.3 m for fully normalised harmonics.
HARTMANN_WENZEL = {
    "M2": 1.2356349,
    "S2": 0.5748257,
    "N2": 0.2365822,
    "O1": 0.5125255,
    "K1": 0.7205068,
    "P1": 0.2384361,
}
NEXT_TO_THEM = [
    *((1, -1, 0, 0, -1, 0), (1, 1, 0, 0, 1, 0), (1, 1, 0, 0, -1, 0), (1, 1, 1, 0, 0, -1), (1, 1, 2, 0, 0, 0)),
    *((1, 1, -3, 0, 0, 1), (1, -2, 0, 1, 0, 0), (1, 2, 0, -1, 0, 0), (1, 0, 0, 1, 0, 0), (1, 1, -1, 0, 0, 1)),
    *((2, 0, 0, 0, -1, 0), (2, -1, 0, 1, -1, 0), (2, 2, 0, 0, 0, 0), (2, 2, 0, 0, 1, 0), (2, 2, -3, 0, 0, 1)),
    *((2, -2, 2, 0, 0, 0), (2, -1, 2, -1, 0, 0), (2, 1, 0, -1, 0, 0), (1, -2, 0, 1, -1, 0)),
]


@pytest.fixture(scope="module")
def two_nodal_turns():
    time_s = np.arange(0.0, 38 * 365.25 * 86400, 14.9 * 3600) + calendar.timegm((2000, 1, 1, 0, 0, 0))
    return tidal_forcing(time_s), doodson_arguments(time_s)


def strengths(two_nodal_turns, latitude_deg: float) -> dict[str, float]:
    """Amplitudes of waves of degree 2 on a rigid Earth, by least squares, nm/s²."""
    forcing, arguments = two_nodal_turns
    slopes = _slopes(latitude_deg, 8.0, 0.0)
    found = {}
    for order in (1, 2):
        chosen = [k for k, (degree, m) in enumerate(ORDERS) if (degree, m) == (2, order)]
        names = [name for name, numbers in WAVES.items() if numbers[0] == order]
        table = [WAVES[name] for name in names] + [each for each in NEXT_TO_THEM if each[0] == order]
        angle = np.array(table, float) @ arguments
        fitted, *_ = np.linalg.lstsq(
            np.concatenate([np.cos(angle), np.sin(angle)]).T, forcing[:, chosen] @ slopes[chosen], rcond=None
        )
        size = np.hypot(fitted[: len(table)], fitted[len(table) :])
        found.update(dict(zip(names, size, strict=False)))
    return found


@pytest.mark.parametrize("name", sorted(TORGE))
def test_rigid_amplitudes_at_45_degrees_are_the_published_ones(two_nodal_turns, name):
    assert strengths(two_nodal_turns, 45.0)[name] == pytest.approx(TORGE[name], rel=1.5e-3)


@pytest.mark.parametrize("latitude_deg", [-3.0, 19.6, 69.0])
def test_amplitudes_at_other_latitudes_follow_the_catalogue(two_nodal_turns, latitude_deg):
    found = strengths(two_nodal_turns, latitude_deg)
    for name, potential in HARTMANN_WENZEL.items():
        order = WAVES[name][0]
        up = []
        for height_m in (-500.0, 500.0):
            phi, e2 = np.radians(latitude_deg), 6.69438002290e-3
            n = 6378137.0 / np.sqrt(1 - e2 * np.sin(phi) ** 2)
            axis, polar = (n + height_m) * np.cos(phi), (n * (1 - e2) + height_m) * np.sin(phi)
            r = np.hypot(axis, polar)
            shape = np.sqrt(15) * axis * polar if order == 1 else np.sqrt(15) / 2 * axis**2
            up.append(potential * shape / 6378136.3**2)
            assert r > 6e6
        assert found[name] == pytest.approx(abs(up[1] - up[0]) / 1000 * 1e9, rel=2e-3)


def test_strengths_of_resonant_waves_are_those_of_the_forcing(two_nodal_turns):
    forcing, arguments = two_nodal_turns
    angle = np.array([*RESONANT_WAVES, WAVES["O1"]], float) @ arguments
    fitted, *_ = np.linalg.lstsq(np.exp(-1j * angle).T, forcing[:, 1] + 1j * forcing[:, 2], rcond=None)
    fitted = fitted[:-1]
    # 0.004 of K1's 1.6 is 1 nm/s² at most, of which the resonance changes a fiftieth.
    np.testing.assert_allclose(fitted.imag, list(RESONANT_WAVES.values()), atol=4e-3)
    np.testing.assert_allclose(fitted.real, 0.0, atol=4e-3)


@pytest.mark.parametrize(
    ("name", "published", "within"),
    # Dehant, Defraigne & Wahr (1999) and Mathews (2001), which differ by 4e-4.
    [
        ((1, 1, -2, 0, 0, 0), 1.1491, 6e-4),
        ((1, 1, 0, 0, 0, 0), 1.1349, 1e-4),
        ((1, 1, 1, 0, 0, -1), 1.2698, 2e-2),
    ],
)
def test_factors_of_the_resonance(name, published, within):
    speeds = np.array([0.9634989, 0.0365011, 0.00273043, 0.00030864, 0.0001467, 1e-7])
    assert diurnal_delta(np.array([np.dot(name, speeds)]))[0] == pytest.approx(published, abs=within)


def newton(time_s, latitude_deg, longitude_deg, height_m):
    """Pull of Moon and Sun less that on the centre of the Earth, downwards, nm/s²."""
    days = time_s / 86400 + 40587.0
    tt = days + 69.184 / 86400
    turned = erfa.c2t06a(2400000.5, tt, 2400000.5, days, 0.0, 0.0)
    place = erfa.gd2gc(1, *np.radians([longitude_deg, latitude_deg]), height_m)
    lam, phi = np.radians([longitude_deg, latitude_deg])
    up = np.array([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])
    bodies = (
        (erfa.moon98(2400000.5, tt)["p"], 4.9028001e12),
        (-erfa.epv00(2400000.5, tt)[0]["p"], 1.32712440018e20),
    )
    total = np.zeros(len(time_s))
    for position, strength in bodies:
        where = np.einsum("tij,tj->ti", turned, position) * erfa.DAU
        toward = where - place
        pull = toward / np.linalg.norm(toward, axis=1)[:, None] ** 3
        total -= 1e9 * strength * ((pull - where / np.linalg.norm(where, axis=1)[:, None] ** 3) @ up)
    return total


SITES = [(48.33, 8.33, 589.0), (-35.32, 149.01, 762.0), (2.0, -75.0, 10.0), (78.9, 11.9, 43.0)]


@pytest.mark.parametrize("site", SITES)
def test_two_degrees_are_nearly_the_law_itself(site):
    time_s = calendar.timegm((2021, 11, 2, 0, 0, 0)) + np.arange(0, 30 * 86400, 1234.5)
    place = dict(zip(("latitude_deg", "longitude_deg", "height_m"), site, strict=True))
    difference = gravity_tide(time_s, rigid=True, **place) - newton(time_s, *site)
    # Degree 4 of the Moon: twice (1/60)² of 1100 nm/s², and more at perigee.
    assert 0.1 < abs(difference).max() < 0.8


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("rigid", [False, True])
def test_it_agrees_with_waves_that_know_no_ephemeris(site, rigid):
    first, days = calendar.timegm((2020, 1, 15, 0, 0, 0)), 45
    place = dict(zip(("latitude_deg", "longitude_deg", "height_m"), site, strict=True))
    ours = gravity_tide(first + np.arange(0, days * 86400, 600.0), rigid=rigid, **place)
    theirs = waves.gravity_tide(first, first + days * 86400, rigid=rigid, **place)[::600]
    difference = ours - theirs
    # Heights of the waves there are rounded to 1e-5 m, and small ones left out.
    assert np.std(difference) < 1.25
    assert abs(difference - difference.mean()).max() < 4.0
    assert np.std(theirs) > 150


def test_without_the_resonance_k1_would_be_wrong_by_more():
    first = calendar.timegm((2020, 1, 15, 0, 0, 0))
    time_s = first + np.arange(0, 30 * 86400, 600.0)
    place = {"latitude_deg": 45.0, "longitude_deg": 10.0}
    forcing = tidal_forcing(time_s) @ _slopes(45.0, 10.0, 0.0)
    assert np.std(gravity_tide(time_s, rigid=True, **place) - forcing) < 1e-3
    theirs = waves.gravity_tide(first, first + 30 * 86400, **place)[::600]
    diurnal = 1.1543 * tidal_forcing(time_s)[:, :5] @ _slopes(45.0, 10.0, 0.0)[:5]
    assert np.std(diurnal - theirs) > 4.0


@given(begin=st.floats(0, 200_000), step=st.sampled_from([1.0, 10.0, 60.0, 0.54]), count=st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_a_sample_is_the_same_in_any_span(begin, step, count):
    time_s = 1.6e9 + begin + step * np.arange(count)
    place = {"latitude_deg": 37.8, "longitude_deg": 15.0, "height_m": 2920.0}
    wide = np.concatenate([[time_s[0] - 7000.0], time_s, [time_s[-1] + 9000.0]])
    np.testing.assert_allclose(
        gravity_tide(time_s, **place), gravity_tide(wide, **place)[1:-1], rtol=0, atol=1e-9
    )


def test_nodes_are_close_enough():
    time_s = 1.5e9 + np.arange(0.0, 90_000.0, 777.0)
    expected = tidal_forcing(time_s) @ _slopes(30.0, -100.0, 0.0)
    found = gravity_tide(time_s, latitude_deg=30.0, longitude_deg=-100.0, rigid=True)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=6))
def test_harmonics_add_up_to_legendre_polynomials(values):
    a, b = (np.array(each) / max(np.linalg.norm(each), 1e-3) for each in (values[:3], values[3:]))
    if min(np.linalg.norm(a), np.linalg.norm(b)) < 0.999:
        return
    products, cosine = solid_harmonics(a) * solid_harmonics(b), float(a @ b)
    assert products[:5].sum() == pytest.approx(1.5 * cosine**2 - 0.5, abs=1e-12)
    assert products[5:].sum() == pytest.approx(2.5 * cosine**3 - 1.5 * cosine, abs=1e-12)


def test_a_leap_second_moves_terrestrial_time_not_the_sidereal():
    before, after = doodson_arguments(np.array([1483228799.0, 1483228800.0])).T
    moved = np.degrees((after - before + np.pi) % (2 * np.pi) - np.pi)
    assert moved[0] + moved[1] == pytest.approx(360.98564736 / 86400, abs=1e-4)
    assert moved[1] == pytest.approx(2 * 13.176 / 86400, rel=0.2)


def test_no_such_place():
    with pytest.raises(ConfigError, match=r"latitude within ±90°.*got 91.0°"):
        gravity_tide(np.zeros(1), latitude_deg=91.0, longitude_deg=0.0)


def test_no_samples_no_tide():
    assert gravity_tide(np.zeros(0), latitude_deg=0.0, longitude_deg=0.0).shape == (0,)
