import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from pipeline.errors import ConfigError
from pipeline.synthetic.earth import model as earth


@given(
    st.floats(-60, 60),
    st.floats(-180, 180),
    st.floats(0, 360),
    st.floats(1, 200),
)
def test_distances_are_those_on_the_ellipsoid(latitude, longitude, azimuth, distance_km):
    to_longitude, to_latitude, _ = Geod(ellps="WGS84").fwd(longitude, latitude, azimuth, distance_km * 1e3)
    found_km, found_deg = earth.distance_and_azimuth(latitude, longitude, to_latitude, to_longitude)
    assert found_km == pytest.approx(distance_km, rel=2e-4)
    # The azimuth is that halfway, where meridians have turned by less than sin(latitude) · 2°.
    assert abs((found_deg - azimuth + 180) % 360 - 180) < 2.0


def test_local_plane_is_tangent_to_the_ellipsoid():
    geod = Geod(ellps="WGS84")
    for latitude in (-50.0, 0.0, 46.0):
        for azimuth in (0.0, 90.0, 200.0):
            longitude, up, _ = geod.fwd(179.99, latitude, azimuth, 5000.0)
            east_km, north_km = earth.to_local_km(
                up, longitude, centre_latitude=latitude, centre_longitude=179.99
            )
            assert east_km == pytest.approx(5 * np.sin(np.radians(azimuth)), abs=0.005)
            assert north_km == pytest.approx(5 * np.cos(np.radians(azimuth)), abs=0.005)


def test_an_interface_belongs_to_the_layer_below_it():
    assert earth.default_crust().layer_at([-2, 0, 1, 4.999, 5, 32]).tolist() == [0, 0, 1, 1, 2, 4]


def test_flattening_leaves_the_surface_and_quickens_the_depths():
    flat = earth.flatten(earth.half_space(vp_km_s=6.0))
    assert flat.vp_km_s == (6.0,)
    # 6371 / (6371 - 24.5) in the middle of the third layer, 6371 / (6371 - 32) at the top of the last.
    assert earth.flatten(earth.default_crust()).vp_km_s[3] == pytest.approx(6.7 * 1.003860, abs=1e-5)
    assert earth.flatten(earth.default_crust()).vs_km_s[-1] == pytest.approx(4.5 * 1.005048, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"tops_km": (0.0, 5.0)}, "one length"),
        ({"tops_km": (1.0,)}, "rise from 0"),
        ({"qp0": (0.0,)}, "above 0"),
        ({"vp_km_s": (4.0,)}, "√2"),
        ({"q_exponent": 1.0}, "q_exponent"),
    ],
)
def test_layers_refuse(changes, match):
    columns = {
        "tops_km": (0.0,),
        "vp_km_s": (6.0,),
        "vs_km_s": (3.5,),
        "density_kg_m3": (2700.0,),
        "qp0": (1.0,),
        "qs0": (1.0,),
    }
    with pytest.raises(ConfigError, match=match):
        earth.LayeredModel(**(columns | changes))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"amplification_hz": (1.0,)}, "a factor for each"),
        ({"amplification_hz": (2.0, 1.0), "amplification": (1.0, 1.0)}, "rising"),
        ({"kappa_s": -0.01}, "kappa_s"),
    ],
)
def test_site_refuses(changes, match):
    with pytest.raises(ConfigError, match=match):
        earth.Site(name="A", latitude=0.0, longitude=0.0, **changes)
