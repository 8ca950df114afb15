"""Places stand where PROJ puts them, and each region gets a projection that holds it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Proj

from pipeline.errors import ConfigError
from pipeline.report.projection import Projection, box_outline, choose_projection, unwrapped

MIDDLES = [(105.0, 35.0), (180.0, -20.0), (0.0, 90.0), (30.0, -90.0), (-75.3, 0.0)]


def around(middle: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    longitude = rng.uniform(-180, 180, 400)
    latitude = np.degrees(np.arcsin(rng.uniform(-1, 1, 400)))
    near = np.sin(np.radians(latitude)) * np.sin(np.radians(middle[1])) + np.cos(
        np.radians(latitude)
    ) * np.cos(np.radians(middle[1])) * np.cos(np.radians(longitude - middle[0]))
    return longitude[near > -0.5], latitude[near > -0.5]


@pytest.mark.parametrize("middle", MIDDLES)
def test_equal_area_is_that_of_proj(middle: tuple[float, float]) -> None:
    longitude, latitude = around(middle)
    peer = Proj(proj="laea", lon_0=middle[0], lat_0=middle[1], R=1)
    x, y = Projection("laea", *middle, 60.0).forward(longitude, latitude)
    assert np.allclose([x, y], peer(longitude, latitude), atol=1e-9)


def test_plate_carree_is_that_of_proj() -> None:
    longitude, latitude = around((150.0, 0.0))
    x, y = Projection("plate", 150.0, 30.0, 180.0).forward(longitude, latitude)
    assert np.allclose([x, y], Proj(proj="eqc", lon_0=150, lat_ts=30, R=1)(longitude, latitude), atol=1e-9)


@pytest.mark.parametrize(
    "projection", [*(Projection("laea", *m, 60) for m in MIDDLES), Projection("plate", 150, 0, 180)]
)
def test_inverse_comes_back(projection: Projection) -> None:
    longitude, latitude = around((projection.longitude_deg, projection.latitude_deg))
    back = projection.inverse(*projection.forward(longitude, latitude))
    assert np.allclose(back[1], latitude, atol=1e-6)
    turn = (back[0] - longitude + 180) % 360 - 180
    assert np.allclose(turn * np.cos(np.radians(latitude)), 0, atol=1e-6)
    assert np.isnan(projection.inverse(np.array([9.0]), np.array([9.0]))).all()


@pytest.mark.parametrize(
    ("box", "kind", "middle"),
    [
        ((75.0, 18.0, 131.0, 53.0), "laea", (103.0, None)),
        ((165.0, -48.0, -160.0, -10.0), "laea", (-177.5, None)),
        ((-180.0, -90.0, 180.0, -62.0), "laea", (0.0, -90.0)),
        ((-60.0, 60.0, 30.0, 85.0), "laea", (-15.0, None)),
        ((-180.0, -60.0, 180.0, 75.0), "plate", (None, 0.0)),
    ],
)
def test_region_gets_a_projection_that_holds_it(
    box: tuple[float, float, float, float], kind: str, middle: tuple[float | None, float | None]
) -> None:
    longitude, latitude = box_outline(box)
    chosen = choose_projection(longitude, latitude)
    assert chosen.kind == kind
    for found, wanted in zip((chosen.longitude_deg, chosen.latitude_deg), middle, strict=True):
        assert wanted is None or found == pytest.approx(wanted, abs=0.2)
    x, y = chosen.forward(longitude, latitude)
    assert np.isfinite(x).all()
    if kind == "laea":
        farthest = 2 * np.degrees(np.arcsin(np.hypot(x, y).max() / 2))
        assert farthest == pytest.approx(chosen.radius_deg, abs=1e-6)
        # About the smallest circle: none about a neighbouring middle is smaller.
        assert chosen.radius_deg < 1.01 * max(1.0, np.ptp(np.radians(latitude)) * 90)


def test_world_of_stations_is_cut_where_there_are_none() -> None:
    # A ring of stations but for the Atlantic: the middle is opposite of it.
    longitude = np.array([0.0, 60, 120, 180, -120, -70])
    assert choose_projection(longitude, np.zeros(6)).longitude_deg == pytest.approx(145.0, abs=1)


@given(st.floats(-720, 720), st.floats(-180, 180))
def test_longitudes_are_unwrapped_about_a_middle(longitude: float, middle: float) -> None:
    found = float(unwrapped(longitude, middle))
    assert middle - 180.001 <= found <= middle + 180.001
    assert (found - longitude) / 360 == pytest.approx(round((found - longitude) / 360), abs=1e-6)


@pytest.mark.parametrize("box", [(0, 10, 10, 0), (0, -91, 1, 0), (5, 0, 5, 1), (0, float("nan"), 1, 1)])
def test_box_that_is_none_is_refused(box: tuple[float, float, float, float]) -> None:
    with pytest.raises(ConfigError, match="should be west, south, east, north"):
        box_outline(box)
