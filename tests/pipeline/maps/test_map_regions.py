"""Regions: boxes over the antimeridian, caps around poles, grids that hold what they should."""

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.maps.regions import BoxRegion, CapRegion, Region, grid_of, region_around
from pipeline.maps.sphere import EARTH_RADIUS_KM, distances_km, unit_vectors


def test_a_box_over_the_antimeridian_holds_both_sides() -> None:
    box = BoxRegion(170, -50, -170, -30)
    assert box.contains([175, -175, 190, 165, 180, -180, 170, -170], [-40] * 8).tolist() == [
        True, True, True, False, True, True, True, True,
    ]  # fmt: skip
    grid = grid_of(box, step_deg=0.5)
    assert grid.longitude_deg[[0, -1]].tolist() == [170, 190]
    assert np.all(np.diff(grid.longitude_deg) == 0.5)
    assert grid.inside.all()
    assert not grid.around


def test_all_of_the_earth_has_no_column_twice() -> None:
    grid = grid_of(BoxRegion(-180, -90, 180, 90), step_deg=1.0)
    assert grid.inside.shape == (181, 360)
    assert grid.around
    assert len(np.unique(grid.longitude_deg % 360)) == 360


@pytest.mark.parametrize("latitude", [-90.0, 90.0])
def test_a_cap_around_a_pole(latitude: float) -> None:
    region = CapRegion(0, latitude, 2500)
    grid = grid_of(region, step_deg=0.5)
    assert grid.around
    assert latitude in grid.latitude_deg
    assert np.all(np.diff(grid.latitude_deg) > 0)
    # Columns are no denser than rows on the outer parallel, and divide the circle.
    edge = np.radians(90 - np.degrees(2500 / EARTH_RADIUS_KM))
    step_deg = float(np.diff(grid.longitude_deg)[0])
    assert step_deg * np.cos(edge) == pytest.approx(0.5, rel=0.01)
    assert 360 / step_deg == pytest.approx(round(360 / step_deg))
    longitude, latitudes = grid.mesh()
    distance = distances_km(unit_vectors(longitude, latitudes).reshape(-1, 3), unit_vectors([0], [latitude]))
    assert (distance.reshape(grid.inside.shape) <= 2500).tolist() == grid.inside.tolist()


def test_a_cap_is_touched_by_its_box() -> None:
    """Its easternmost point is not where the latitude is the middle's."""
    region = CapRegion(178, 55, 2000)
    west, south, east, north = region.box
    turn, angle = np.linspace(0, 2 * np.pi, 20_001), 2000 / EARTH_RADIUS_KM
    phi = np.radians(55)
    latitude = np.arcsin(np.sin(phi) * np.cos(angle) + np.cos(phi) * np.sin(angle) * np.cos(turn))
    y, x = np.sin(turn) * np.sin(angle) * np.cos(phi), np.cos(angle) - np.sin(phi) * np.sin(latitude)
    longitude = 178 + np.degrees(np.arctan2(y, x))
    assert longitude.min() == pytest.approx(west, abs=1e-5)
    assert longitude.max() == pytest.approx(east, abs=1e-5)
    assert np.degrees(latitude).min() == pytest.approx(south, abs=1e-5)
    assert np.degrees(latitude).max() == pytest.approx(north, abs=1e-5)


def test_a_cap_that_holds_a_pole_beside_its_middle() -> None:
    grid = grid_of(CapRegion(30, 80, 2000), step_deg=1.0)
    assert grid.around
    assert 90 in grid.latitude_deg
    assert not grid.inside.all()


@pytest.mark.parametrize(
    ("longitude", "latitude", "kind"),
    [
        ([178, -178], [-40, -38], BoxRegion),
        ([100, 120], [30, 40], BoxRegion),
        ([0, 120, 240], [75, 80, 85], CapRegion),
        ([10, 20], [89.5, 89.9], CapRegion),  # the margin reaches the pole
        ([0, 90, 180, 270], [-30, 40, 10, 60], BoxRegion),
    ],
)
def test_a_region_around_points_holds_them_and_a_margin(
    longitude: list[float], latitude: list[float], kind: type[Region]
) -> None:
    region = region_around(longitude, latitude, margin_km=150)
    assert isinstance(region, kind)
    assert region.contains(longitude, latitude).all()
    for x, y in zip(longitude, latitude, strict=True):
        aside = 149 / EARTH_RADIUS_KM
        turn = np.linspace(0, 2 * np.pi, 50)
        up = np.degrees(np.arcsin(np.sin(np.radians(y)) * np.cos(aside)
                                  + np.cos(np.radians(y)) * np.sin(aside) * np.cos(turn)))  # fmt: skip
        across = np.degrees(
            np.arctan2(
                np.sin(turn) * np.sin(aside) * np.cos(np.radians(y)),
                np.cos(aside) - np.sin(np.radians(y)) * np.sin(np.radians(up)),
            )
        )
        assert region.contains(x + across, up).all()


def test_a_region_takes_the_shorter_way_round() -> None:
    west, _, east, _ = region_around([178, -177], [-40, -38], margin_km=100).box
    assert east - west < 10
    assert region_around([0, 100, 200, 300], [0, 10, -10, 20], margin_km=6000).box[::2] == (-180, 180)


@pytest.mark.parametrize(
    ("step_deg", "says"),
    [
        (0, "above 0 and at most the 20° of the region, got 0"),
        (-1, "got -1"),
        (float("nan"), "got nan"),
        (21, "got 21"),
        (0.005, "gives 1.6e[+]07 nodes, more than 4e[+]06"),
    ],
)
def test_bad_steps(step_deg: float, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        grid_of(BoxRegion(100, 20, 120, 40), step_deg=step_deg)


def test_bad_regions() -> None:
    with pytest.raises(ConfigError, match=r"south below north, both within ±90, got 40\.0 and 20\.0"):
        BoxRegion(100, 40, 120, 20)
    with pytest.raises(ConfigError, match="latitude within ±90, got 0, 91"):
        CapRegion(0, 91, 100)
    with pytest.raises(ConfigError, match="radius_km of a cap should be above 0, up to 20000, got 0"):
        CapRegion(0, 80, 0)
    with pytest.raises(ConfigError, match="a region needs a point and a margin of at least 1 km, got 0, 10"):
        region_around([], [], margin_km=10)
    with pytest.raises(ConfigError, match="got 1, 0"):
        region_around([1], [1], margin_km=0)
