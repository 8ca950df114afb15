import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from obspy.taup import TauPyModel
from obspy.taup.taup_create import build_taup_model

from pipeline.synthetic.earth.model import LayeredModel, default_crust, flatten, half_space
from pipeline.synthetic.earth.rays import trace

TWO_LAYERS = LayeredModel(
    tops_km=(0.0, 20.0),
    vp_km_s=(6.0, 8.0),
    vs_km_s=(3.4, 4.5),
    density_kg_m3=(2700.0, 3300.0),
    qp0=(200.0, 400.0),
    qs0=(100.0, 300.0),
)


def one(rays, name, of="time_s"):
    return getattr(rays, of)[rays.names.index(name)]


@given(st.floats(0, 200), st.floats(0.1, 50), st.floats(0, 3))
def test_half_space_has_straight_rays(distance, depth, elevation):
    rays = trace(half_space(vp_km_s=6.0, vs_km_s=3.5, qs0=70.0), distance, depth, elevation)
    path = np.hypot(distance, depth + elevation)
    assert rays.names == ("P", "S")
    assert one(rays, "P")[0] == pytest.approx(path / 6.0, rel=1e-9)
    assert one(rays, "S")[0] == pytest.approx(path / 3.5, rel=1e-9)
    assert one(rays, "S", "t_star_s")[0] == pytest.approx(path / 3.5 / 70, rel=1e-9)
    np.testing.assert_allclose(rays.path_km[:, 0], path)
    np.testing.assert_allclose(rays.spreading_per_km[:, 0], 1 / path)
    expected = np.degrees(np.arctan2(distance, depth + elevation))
    np.testing.assert_allclose(rays.incidence_deg[:, 0], expected, atol=1e-6)
    np.testing.assert_allclose(rays.takeoff_deg[:, 0], 180 - expected, atol=1e-6)


def test_head_wave_of_one_layer():
    distance, depth = np.array([30.0, 60.0, 150.0]), 5.0
    rays = trace(TWO_LAYERS, distance, depth)
    # The intercept-time formula of refraction seismics.
    expected = distance / 8 + (20 - depth + 20) * np.sqrt(1 / 6**2 - 1 / 8**2)
    critical_km = 35 * np.tan(np.arcsin(6 / 8))
    np.testing.assert_array_equal(one(rays, "Pn", "exists"), distance > critical_km)
    np.testing.assert_allclose(one(rays, "Pn")[1:], expected[1:])
    np.testing.assert_allclose(one(rays, "Pn", "takeoff_deg"), np.degrees(np.arcsin(6 / 8)))
    far = trace(TWO_LAYERS, [300.0, 400.0], depth)
    spread, along = one(far, "Pn", "spreading_per_km"), np.array([300.0, 400.0]) - critical_km
    assert spread[1] / spread[0] == pytest.approx((along[0] / along[1]) ** 1.5 * (300 / 400) ** 0.5)


def test_reflection_of_one_layer_comes_from_the_mirror():
    rays = trace(TWO_LAYERS, [0.0, 40.0, 100.0], 5.0)
    path = np.hypot([0.0, 40.0, 100.0], 35.0)
    np.testing.assert_allclose(one(rays, "SmS"), path / 3.4)
    np.testing.assert_allclose(one(rays, "SmS", "spreading_per_km"), 1 / path)


@given(st.floats(1, 150), st.floats(1.1, 31), st.floats(0, 2))
def test_every_ray_obeys_fermat(distance, depth, elevation):
    rays = trace(default_crust(), distance, depth, elevation)
    rows = np.flatnonzero(rays.exists[:, 0])
    assert {"P", "S", "Ps", "Sp", "PmP", "SmS"} <= {rays.names[k] for k in rows}
    # Legs reach the station, and their times are their lengths over velocities of the model.
    np.testing.assert_allclose(rays.leg_offset_km[rows, 0].sum(axis=-1), distance, atol=1e-6)
    np.testing.assert_allclose(rays.leg_drop_km[rows, 0].sum(axis=-1), -(depth + elevation), atol=1e-6)
    # dT/dX is the ray parameter: the first-order condition of a stationary time.
    step = 1e-4
    later = trace(default_crust(), distance + step, depth, elevation)
    slope = (later.time_s - rays.time_s)[rows, 0] / step
    np.testing.assert_allclose(slope, rays.slowness_s_km[rows, 0], atol=2e-4)


def test_spreading_is_that_of_a_bundle_of_rays():
    depth, step = 9.0, 1e-3
    distance = np.array([2.0, 20.0, 60.0, 110.0])
    here, there = (trace(default_crust(), distance + d, depth) for d in (-step, step))
    middle = trace(default_crust(), distance, depth)
    for name in ("P", "S", "PmP", "Sp"):
        left, right = (np.radians(one(r, name, "takeoff_deg")) for r in (here, there))
        solid = np.abs(np.cos(right) - np.cos(left))
        width = distance * 2 * step * np.cos(np.radians(one(middle, name, "incidence_deg")))
        np.testing.assert_allclose(one(middle, name, "spreading_per_km"), np.sqrt(solid / width), rtol=1e-4)


def test_converted_waves_lie_between_p_and_s():
    rays = trace(default_crust(), [3.0, 40.0], 8.0)
    # Nearly straight up, the top kilometre is crossed at the other speed.
    assert one(rays, "Ps")[0] - one(rays, "P")[0] == pytest.approx(1 / 2.2 - 1 / 4.2, abs=0.03)
    assert one(rays, "S")[0] - one(rays, "Sp")[0] == pytest.approx(1 / 2.2 - 1 / 4.2, abs=0.03)
    assert not one(trace(default_crust(), 10.0, 0.5), "Sp", "exists").any()


def test_pairs_do_not_know_of_each_other():
    distance, depth = np.array([1.0, 44.0, 140.0]), np.array([4.0, 12.0, 20.0])
    together = trace(default_crust(), distance, depth, 0.3)
    for k in range(3):
        alone = trace(default_crust(), distance[k], depth[k], 0.3)
        for of in ("time_s", "spreading_per_km", "t_star_s", "exists", "factor", "takeoff_deg"):
            np.testing.assert_allclose(getattr(alone, of)[:, 0], getattr(together, of)[:, k], rtol=1e-9)


def test_a_source_above_the_station_is_put_under_it():
    rays = trace(default_crust(), 0.0, -2.0, 1.0)
    assert one(rays, "P")[0] == pytest.approx(0.01 / 4.2)


@pytest.fixture(scope="module")
def taup(tmp_path_factory):
    """TauP's own travel times in the default crust, over a mantle and a core that no ray here reaches."""
    layers, folder = default_crust(), tmp_path_factory.mktemp("taup")
    tops = [*layers.tops_km, 2889.0]
    rows = [
        (depth, layers.vp_km_s[k], layers.vs_km_s[k], 3.0)
        for k in range(len(layers.tops_km))
        for depth in tops[k : k + 2]
    ]
    rows += [(2889, 8.0, 0, 10), (5153.9, 10, 0, 12), (5153.9, 11, 3.5, 13), (6371, 11.2, 3.6, 13)]
    lines = [f"{z:.4f} {vp:.4f} {vs:.4f} {density:.4f}\n" for z, vp, vs, density in rows]
    (folder / "crust.tvel").write_text("crust\ncrust\n" + "".join(lines))
    build_taup_model(str(folder / "crust.tvel"), output_folder=str(folder), verbose=False)
    return TauPyModel(str(folder / "crust.npz"))


@pytest.mark.parametrize("depth", [3.0, 9.0, 20.0])
@pytest.mark.parametrize(("wave", "curved_s", "flat_s"), [("P", 0.02, 0.09), ("S", 0.035, 0.15)])
def test_first_arrivals_are_those_of_taup(taup, depth, wave, curved_s, flat_s):
    for distance in (5.0, 20.0, 50.0, 80.0, 120.0, 150.0):
        phases = [wave, wave.lower(), wave + "n", wave + "g"]
        expected = taup.get_travel_times(depth, np.degrees(distance / 6371), phases)[0].time
        found = trace(flatten(default_crust()), distance, depth).first_s(wave)[0]
        assert found == pytest.approx(expected, abs=curved_s)
        # Flat layers are late by what the curvature shortens the deep legs.
        late = trace(default_crust(), distance, depth).first_s(wave)[0] - expected
        assert -1e-3 < late < flat_s
