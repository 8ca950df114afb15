import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.signal.rotate import directions, to_north_east, to_radial_transverse, to_vertical_north_east


@pytest.mark.parametrize(
    "azimuth_deg", [(0.0, 90.0), (12.3, 102.3), (350.0, 80.0), (30.0, 135.0), (90.0, 0.0)]
)
def test_what_two_sensors_see_is_turned_back(azimuth_deg):
    north, east = np.random.default_rng(0).standard_normal((2, 100))
    seen = [north * np.cos(a) + east * np.sin(a) for a in np.deg2rad(azimuth_deg)]
    np.testing.assert_allclose(to_north_east(seen, azimuth_deg), [north, east], atol=1e-12)


@pytest.mark.parametrize(
    ("azimuth_deg", "dip_deg"),
    [
        ((0, 0, 90), (-90, 0, 0)),
        ((0, 15, 105), (90, 0, 0)),  # a vertical that points down
        ((0, 120, 240), (-35.264, -35.264, -35.264)),  # the Galperin arrangement of an STS-2
        ((10, 20, 120), (-80, 5, -3)),
    ],
)
def test_agrees_with_obspy(azimuth_deg, dip_deg):
    from obspy.signal.rotate import rotate2zne

    data = np.random.default_rng(1).standard_normal((3, 200))
    arguments = [x for row in zip(data, azimuth_deg, dip_deg, strict=True) for x in row]
    np.testing.assert_allclose(
        to_vertical_north_east(data, azimuth_deg, dip_deg), rotate2zne(*arguments), atol=1e-9
    )


def test_radial_points_away_from_the_source():
    from obspy.signal.rotate import rotate_ne_rt

    data = np.random.default_rng(2).standard_normal((2, 50))
    for back_azimuth_deg in (0.0, 30.0, 270.0):
        expected = rotate_ne_rt(*data, back_azimuth_deg)
        np.testing.assert_allclose(to_radial_transverse(data, back_azimuth_deg), expected, atol=1e-12)


def test_directions_are_unit_vectors():
    rng = np.random.default_rng(3)
    found = directions(rng.uniform(0, 360, 50), rng.uniform(-90, 90, 50))
    np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1.0)


def test_refuses():
    with pytest.raises(ConfigError, match=r"too nearly alike .* \(10.0, 190.0\)"):
        to_north_east(np.zeros((2, 5)), (10.0, 190.0))
    with pytest.raises(ConfigError, match=r"\(..., 3 components, samples\), got shape \(2, 5\)"):
        to_vertical_north_east(np.zeros((2, 5)), (0, 0, 90), (-90, 0, 0))
