import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic.earthquakes import source

angles = st.floats(0, 360)


def test_moments_of_published_earthquakes():
    # Global CMT: Tohoku 2011 (5.31e22 N m, Mw 9.1), Sumatra 2004 (3.95e22, 9.0).
    assert source.magnitude(5.31e22) == pytest.approx(9.1, abs=0.05)
    assert source.magnitude(3.95e22) == pytest.approx(9.0, abs=0.05)
    assert source.moment_n_m(source.magnitude(7e13)) == pytest.approx(7e13)


def test_corner_frequency_in_the_units_of_brune():
    # Brune (1970, 1971) with β in km/s, Δσ in bar, M0 in dyn cm: fc = 4.9e6 β (Δσ/M0)^(1/3).
    expected = 4.9e6 * 3.5 * (30 / 1e22) ** (1 / 3)
    assert source.corner_hz(1e15, 3.0, 3.5) == pytest.approx(expected, rel=0.01)
    assert source.corner_hz(1e15, 3.0, 3.5, wave="P") / expected == pytest.approx(1.52, rel=0.01)


@given(angles, st.floats(0, 90), st.floats(-180, 180), st.floats(0, 180), angles)
def test_radiation_is_that_of_the_moment_tensor(strike, dip, rake, takeoff, azimuth):
    s, d, r = np.radians([strike, dip, rake])
    i, phi = np.radians([takeoff, azimuth])
    # Slip and normal of the hanging wall's fault in north, east, down (Aki & Richards 1980, section 4.5).
    normal = np.array([-np.sin(d) * np.sin(s), np.sin(d) * np.cos(s), -np.cos(d)])
    slip = np.array(
        [
            np.cos(r) * np.cos(s) + np.cos(d) * np.sin(r) * np.sin(s),
            np.cos(r) * np.sin(s) - np.cos(d) * np.sin(r) * np.cos(s),
            -np.sin(d) * np.sin(r),
        ]
    )
    tensor = np.outer(slip, normal) + np.outer(normal, slip)
    ray = np.array([np.sin(i) * np.cos(phi), np.sin(i) * np.sin(phi), np.cos(i)])
    sv = np.array([np.cos(i) * np.cos(phi), np.cos(i) * np.sin(phi), -np.sin(i)])
    sh = np.array([-np.sin(phi), np.cos(phi), 0.0])
    found = source.radiation(
        strike_deg=strike, dip_deg=dip, rake_deg=rake, takeoff_deg=takeoff, azimuth_deg=azimuth
    )
    np.testing.assert_allclose(found, [v @ tensor @ ray for v in (ray, sv, sh)], atol=1e-12)


def test_radiation_has_the_mean_square_of_a_double_couple():
    cosine, azimuth = np.meshgrid((np.arange(200) + 0.5) / 100 - 1, np.arange(0, 360, 2.0))
    p, sv, sh = source.radiation(
        strike_deg=77,
        dip_deg=33,
        rake_deg=-50,
        takeoff_deg=np.degrees(np.arccos(cosine)),
        azimuth_deg=azimuth,
    )
    assert (p**2).mean() == pytest.approx(source.RMS_RADIATION["P"] ** 2, rel=1e-3)
    assert (sv**2 + sh**2).mean() == pytest.approx(source.RMS_RADIATION["S"] ** 2, rel=1e-3)


def traction_free(p, kind, alpha=6.0, beta=3.5):
    """Surface motion (away, up) by solving for the two reflected waves that cancel the traction."""
    eta = {"P": np.sqrt(1 / alpha**2 - p**2 + 0j), "S": np.sqrt(1 / beta**2 - p**2 + 0j)}

    def wave(name, way):
        speed, vertical = (alpha if name == "P" else beta), way * eta[name]
        motion = speed * np.array([p, vertical] if name == "P" else [vertical, -p])
        shear = beta**2 * (vertical * motion[0] + p * motion[1])
        pressure = alpha**2 * (p * motion[0] + vertical * motion[1]) - 2 * beta**2 * p * motion[0]
        return motion, np.array([shear, pressure])

    coming, pull = wave(kind, -1)
    waves = [wave("P", 1), wave("S", 1)]
    a, b = np.linalg.solve(np.stack([waves[0][1], waves[1][1]], axis=1), -pull)
    away, down = coming + a * waves[0][0] + b * waves[1][0]
    return away, -down


@pytest.mark.parametrize("p", [1e-9, 0.05, 0.1, 0.16, 0.2, 0.22, 0.27])
def test_the_surface_is_free_of_traction(p):
    motion = source.surface_motion(p, 6.0, 3.5)
    away, up = traction_free(p, "S")
    assert abs(motion["SV"][1]) == pytest.approx(abs(away), abs=1e-9)
    assert motion["SV"][0] == pytest.approx(abs(up), abs=1e-9)
    assert np.sign(motion["SV"][1]) == np.sign(away.real)
    if p < 1 / 6:
        assert motion["SV"][0] == pytest.approx(up.real, abs=1e-9)
        assert motion["SV"][1] == pytest.approx(away.real, abs=1e-9)
        away, up = traction_free(p, "P")
        assert motion["P"][1] == pytest.approx(away.real, abs=1e-9)
        assert motion["P"][0] == pytest.approx(up.real, abs=1e-9)


def test_stress_drops_are_log_normal():
    drawn = np.log10([source.draw_stress_drop_mpa(4, f"e{k}", median_mpa=5.0) for k in range(2000)])
    assert drawn.mean() == pytest.approx(np.log10(5.0), abs=4 * 0.3 / 2000**0.5)
    assert drawn.std() == pytest.approx(0.3, rel=0.07)
    assert source.draw_stress_drop_mpa(4, "e7", median_mpa=5.0) == pytest.approx(10 ** drawn[7])


@given(st.floats(0.05, 0.9), st.floats(-0.8, 0.8))
def test_least_phase_of_a_known_filter(one, other):
    # Both zeros lie inside the unit circle: this is its own least phase.
    filtered = np.convolve([1.0, one], [1.0, other])
    modulus = np.abs(np.fft.rfft(filtered, 2048))
    found = np.fft.irfft(np.exp(source.least_phase(np.log(modulus))))
    np.testing.assert_allclose(found[:3], filtered, atol=1e-9)
    np.testing.assert_allclose(found[3:], 0, atol=1e-9)


def test_earthquake_refuses_no_stress_drop():
    with pytest.raises(ConfigError, match="stress_drop_mpa"):
        source.Earthquake(
            event_id="a", origin_ns=0, latitude=0.0, longitude=0.0, depth_km=5.0, mw=1.0,
            stress_drop_mpa=0.0, strike_deg=0.0, dip_deg=0.0, rake_deg=0.0,
        )  # fmt: skip
