"""Distances to the coast against all segments one by one, and land against areas and known places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.figures.coastlines import land_rings
from pipeline.maps.coasts import coast_covariate, coast_distance_km, on_land
from pipeline.maps.sphere import EARTH_RADIUS_KM, unit_vectors


def distance_to_arcs_km(point: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """The nearest of all great-circle arcs, by the normals of their planes."""
    normal = np.cross(start, end)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    foot = point - (normal @ point)[:, None] * normal
    foot /= np.linalg.norm(foot, axis=1, keepdims=True)
    within = (np.einsum("ij,ij->i", np.cross(start, foot), normal) >= 0) & (
        np.einsum("ij,ij->i", np.cross(foot, end), normal) >= 0
    )
    ends = np.minimum(np.linalg.norm(start - point, axis=1), np.linalg.norm(end - point, axis=1))
    chord = np.where(within, np.linalg.norm(foot - point, axis=1), ends)
    return float(2 * EARTH_RADIUS_KM * np.arcsin(chord.min() / 2))


def test_distance_is_that_to_the_nearest_arc() -> None:
    rings = [unit_vectors(*ring.T) for ring in land_rings(inland=False)]
    start = np.concatenate([ring[:-1] for ring in rings])
    end = np.concatenate([ring[1:] for ring in rings])
    rng = np.random.default_rng(1)
    longitude, latitude = rng.uniform(-180, 180, 40), np.degrees(np.arcsin(rng.uniform(-1, 1, 40)))
    found = np.abs(coast_distance_km(longitude, latitude))
    expected = [distance_to_arcs_km(point, start, end) for point in unit_vectors(longitude, latitude)]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-3)


def test_known_distances() -> None:
    # The point that is the farthest from any ocean, 2,510 ± 10 km (Garcia-Castellanos & Lombardo 2007,
    # Scott. Geogr. J. 123; our lines have the Rann of Kutch as sea), and the point of the Pacific that is the
    # farthest from land, 2,688 km.
    eurasia, pacific = coast_distance_km([82.19, -123.39], [44.29, -48.88])
    assert eurasia == pytest.approx(2510, rel=0.04)
    assert pacific == pytest.approx(-2688, rel=0.01)


@pytest.mark.parametrize(
    ("longitude", "latitude", "land"),
    [
        (116.4, 39.9, True),  # Beijing
        (180.0, 68.5, True),  # Chukotka, on the antimeridian
        (-180.0, 68.5, True),
        (540.0, 68.5, True),
        (179.9, 0.0, False),
        (0.0, 90.0, False),
        (0.0, -90.0, True),
        (77.0, -90.0, True),
        (-45.0, 75.0, True),  # Greenland
        (51.0, 42.0, False),  # the Caspian Sea
        (0.0, 0.0, False),
        (0.0, 51.5, True),  # Greenwich
    ],
)
def test_land(longitude: float, latitude: float, land: bool) -> None:
    assert bool(on_land(longitude, latitude)) is land


def test_caspian_shore_is_no_coast() -> None:
    assert coast_distance_km(51.0, 42.0) > 500
    assert on_land(51.0, 42.0, inland=False)


def test_a_grid_has_the_share_of_land() -> None:
    longitude, latitude = np.meshgrid(np.arange(-179.0, 180, 2), np.arange(-89.0, 90, 2))
    weight = np.cos(np.radians(latitude))
    share = np.sum(on_land(longitude, latitude) * weight) / weight.sum()
    assert share == pytest.approx(147.5 / 510.07, abs=0.005)
    assert coast_distance_km(longitude, latitude, scale="110m").shape == (90, 180)


@settings(max_examples=30, deadline=None)
@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(-1, 1), st.floats(-1, 1))
def test_distance_changes_no_faster_than_one_moves(x: float, y: float, dx: float, dy: float) -> None:
    there = (x + dx, float(np.clip(y + dy, -90, 90)))
    moved = float(np.linalg.norm(unit_vectors(x, y) - unit_vectors(*there))) * EARTH_RADIUS_KM * 1.001
    here_km, there_km = coast_distance_km([x, there[0]], [y, there[1]])
    # At a coast that is straight in latitude and not along a great circle, the sign is up to 120 m off.
    assert abs(here_km - there_km) <= moved + 0.3


def test_covariate_and_bad_points() -> None:
    assert coast_covariate([-5, 0, 9990]).tolist() == pytest.approx([0, 0, 3], abs=1e-3)
    with pytest.raises(ConfigError, match="finite longitudes and latitudes within ±90"):
        coast_distance_km([np.nan], [0.0])
    with pytest.raises(ConfigError, match="within ±90"):
        on_land([0.0], [91.0])
