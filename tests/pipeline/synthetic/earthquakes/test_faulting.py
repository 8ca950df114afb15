"""Faulting: angles against Aki & Richards and obspy, and hypocentres on a rough plane with patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes import faulting

STRIKES = st.floats(0, 359.9)
DIPS = st.floats(2, 89)
RAKES = st.floats(-179, 179)
FAULT = faulting.FaultPlane(
    name="test",
    latitude=50.0,
    longitude=8.0,
    depth_km=9.0,
    strike_deg=40.0,
    dip_deg=65.0,
    rake_deg=-30.0,
    length_km=20.0,
    width_km=12.0,
)


def off_plane_km(plane, latitude, longitude, depth_km):
    """Return the coordinates of points along strike, up dip and normal to a plane, shape (n, 3)."""
    north, east = faulting.kilometres_between(plane.latitude, plane.longitude, latitude, longitude)
    vectors = np.stack(faulting.plane_vectors(plane.strike_deg, plane.dip_deg))
    return np.stack([north, east, depth_km - plane.depth_km], axis=-1) @ vectors.T


@given(STRIKES, DIPS, RAKES)
def test_moment_tensor_is_that_of_aki_and_richards(strike, dip, rake):
    slip, normal = faulting.slip_and_normal(strike, dip, rake)
    found = np.outer(slip, normal) + np.outer(normal, slip)
    f, d, r = np.radians([strike, dip, rake])
    # Aki & Richards (1980), box 4.4: x north, y east, z down.
    xx = -(np.sin(d) * np.cos(r) * np.sin(2 * f) + np.sin(2 * d) * np.sin(r) * np.sin(f) ** 2)
    xy = np.sin(d) * np.cos(r) * np.cos(2 * f) + 0.5 * np.sin(2 * d) * np.sin(r) * np.sin(2 * f)
    xz = -(np.cos(d) * np.cos(r) * np.cos(f) + np.cos(2 * d) * np.sin(r) * np.sin(f))
    yy = np.sin(d) * np.cos(r) * np.sin(2 * f) - np.sin(2 * d) * np.sin(r) * np.cos(f) ** 2
    yz = -(np.cos(d) * np.cos(r) * np.sin(f) - np.cos(2 * d) * np.sin(r) * np.cos(f))
    zz = np.sin(2 * d) * np.sin(r)
    np.testing.assert_allclose(found, [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]], atol=1e-12)


@given(STRIKES, DIPS, RAKES)
def test_angles_come_back(strike, dip, rake):
    slip, normal = faulting.slip_and_normal(strike, dip, rake)
    for turn in (1, -1):
        np.testing.assert_allclose(
            faulting.strike_dip_rake(turn * slip, turn * normal), (strike, dip, rake), atol=1e-6
        )


@given(STRIKES, st.floats(5, 85), st.floats(5, 85), st.sampled_from([-90, 0, 90]))
def test_auxiliary_plane_is_obspys(strike, dip, rake, quadrant):
    from obspy.imaging.beachball import aux_plane

    slip, normal = faulting.slip_and_normal(strike, dip, rake + quadrant)
    swapped = faulting.slip_and_normal(*faulting.strike_dip_rake(normal, slip))
    theirs = faulting.slip_and_normal(*aux_plane(strike, dip, rake + quadrant))
    np.testing.assert_allclose(swapped, theirs, atol=1e-6)


@given(st.floats(-70, 70), st.floats(-180, 180), st.floats(-40, 40), st.floats(-40, 40))
def test_move_and_back(latitude, longitude, north_km, east_km):
    place = faulting.move(latitude, longitude, north_km, east_km)
    back = faulting.kilometres_between(latitude, longitude, *place)
    np.testing.assert_allclose(back, (north_km, east_km), atol=1e-9)


def test_kilometres_are_those_of_the_earth():
    from obspy.geodetics import gps2dist_azimuth

    latitude, longitude = faulting.move(50.0, 8.0, 15.0, 20.0)
    metres, azimuth_deg, _ = gps2dist_azimuth(50.0, 8.0, float(latitude), float(longitude))
    assert metres / 1000 == pytest.approx(25.0, rel=0.003)  # a sphere for an ellipsoid
    assert azimuth_deg == pytest.approx(53.13, abs=0.3)


def test_scatter_has_the_stated_size():
    count = 20_000
    angles = np.full(count, 30.0), np.full(count, 50.0), np.full(count, 20.0)
    scattered = faulting.scatter_mechanisms(
        *angles, random=generator(1), normal_scatter_deg=5, rake_scatter_deg=10
    )
    _, normal = faulting.slip_and_normal(30.0, 50.0, 20.0)
    _, normals = faulting.slip_and_normal(*scattered)
    tilt_deg = np.degrees(np.arccos(normals @ normal))
    # Two normal directions make a Rayleigh distribution, whose median is 1.1774 standard deviations.
    assert np.median(tilt_deg) == pytest.approx(5 * 1.1774, rel=0.03)
    only_rake = faulting.scatter_mechanisms(
        *angles, random=generator(2), normal_scatter_deg=0, rake_scatter_deg=10
    )
    np.testing.assert_allclose(only_rake[1], 50.0)
    assert np.std(only_rake[2]) == pytest.approx(10, rel=0.03)


def test_scatter_over_the_vertical_keeps_the_mechanism():
    angles = np.full(500, 0.0), np.full(500, 90.0), np.full(500, 0.0)
    strike, dip, rake = faulting.scatter_mechanisms(
        *angles, random=generator(3), normal_scatter_deg=5, rake_scatter_deg=0
    )
    assert dip.max() <= 90
    slip, normal = faulting.slip_and_normal(strike, dip, rake)
    tensors = slip[:, :, np.newaxis] * normal[:, np.newaxis]
    tensors += tensors.swapaxes(1, 2)
    assert tensors[:, 0, 1].min() > 0.8  # a vertical left-lateral fault to the north has Mxy = 1


@given(st.floats(-1e3, 1e3))
def test_reflect(value):
    inside = faulting.reflect(value, 2.0, 5.0)
    assert 2 <= inside <= 5
    if 2 <= value <= 5:
        assert inside == pytest.approx(value)
    elif -1 <= value < 2:
        assert inside == pytest.approx(4 - value)


def test_hypocentres_lie_on_the_rough_plane():
    even = replace(FAULT, patchiness=0.0)
    places = even.hypocentres(4000, seed=1, random=generator(1, "now"))
    along, up_dip, off = off_plane_km(even, *places).T
    # The rough surface and the scatter move points along the normal alone.
    for coordinate, size in ((along, 20.0), (up_dip, 12.0)):
        assert stats.kstest(coordinate / size + 0.5, "uniform").pvalue > 1e-3
    left = off - FAULT.roughness(along, up_dip, seed=1)
    assert left.std() == pytest.approx(FAULT.scatter_km, rel=0.15)
    assert np.corrcoef(off, FAULT.roughness(along, up_dip, seed=1))[0, 1] > 0.5


def test_some_patches_of_a_fault_are_more_active():
    def scatter_of_counts(plane):
        along, up_dip, _ = off_plane_km(plane, *plane.hypocentres(4000, seed=1, random=generator(2, "now"))).T
        counts, _, _ = np.histogram2d(along, up_dip, bins=(8, 5), range=((-10, 10), (-6, 6)))
        return counts.std() / counts.mean()

    assert scatter_of_counts(replace(FAULT, patchiness=0.0)) < 0.15  # that of random numbers: 0.1
    assert scatter_of_counts(replace(FAULT, patchiness=1.2)) > 0.4
    one, again = (FAULT.hypocentres(50, seed=1, random=generator(3)) for _ in range(2))
    np.testing.assert_array_equal(one, again)


def test_roughness_is_self_affine():
    along = np.linspace(-8, 8, 4001)
    planes = [replace(FAULT, name=f"f{n}") for n in range(150)]
    heights = np.stack([plane.roughness(along, 0 * along, seed=1) for plane in planes])
    assert np.sqrt((heights**2).mean()) == pytest.approx(FAULT.roughness_km, rel=0.1)
    steps = np.array([250, 500, 1000])  # 1 to 4 km: between the shortest and the longest waves
    growth = [np.sqrt(((heights[:, step:] - heights[:, :-step]) ** 2).mean()) for step in steps]
    slope = np.polyfit(np.log(steps), np.log(growth), 1)[0]
    assert 0.6 < slope < 0.95


def test_roughness_is_the_same_when_asked_again():
    np.testing.assert_array_equal(
        FAULT.roughness([1.0, 2.0], [0, 1], seed=4)[1:], FAULT.roughness([2.0], [1], seed=4)
    )
    assert FAULT.roughness(1.0, 1.0, seed=4) != FAULT.roughness(1.0, 1.0, seed=5)


def test_faults_stay_below_the_surface_and_in_the_region():
    planes = faulting.draw_planes(40, seed=3, latitude=50.0, longitude=8.0, width_km=100.0, height_km=80.0)
    for plane in planes:
        assert plane.depth_km - plane.width_km / 2 >= 2 - 1e-9
        assert plane.depth_km + plane.width_km / 2 <= 16 + 1e-9
        north, east = faulting.kilometres_between(50.0, 8.0, plane.latitude, plane.longitude)
        assert abs(north) <= 32 + 1e-6
        assert abs(east) <= 40 + 0.3  # a parallel further north is shorter


@pytest.mark.parametrize("wrong", [{"dip_deg": 95.0}, {"length_km": 0.0}])
def test_fault_plane_refuses(wrong):
    with pytest.raises(ConfigError, match="fault test"):
        replace(FAULT, **wrong)
