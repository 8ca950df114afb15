import numpy as np
import pytest

from pipeline.synthetic.earth.slowness import random_field


def test_mean_along_a_leg_is_its_integral():
    field = random_field(5)
    start, end = np.array([3.0, -40.0, 12.0]), np.array([60.0, 20.0, 0.0])
    points = start + (np.arange(20000)[:, None] + 0.5) / 20000 * (end - start)
    assert field.mean_along(start, end) == pytest.approx(field.at(points).mean(), abs=1e-9)


def test_field_is_as_strong_and_as_smooth_as_asked():
    points = np.random.default_rng(1).uniform(-3000, 3000, (20000, 3))
    for seed in range(3):
        field = random_field(seed, rms=0.03, shortest_km=20, longest_km=50)
        assert field.at(points).std() == pytest.approx(0.03, rel=0.05)
        lengths = 2 * np.pi / np.linalg.norm(field.wavenumbers_per_km, axis=1)
        assert lengths.min() >= 20
        assert lengths.max() <= 50
    assert not np.allclose(random_field(1).at(points), random_field(2).at(points))
    np.testing.assert_array_equal(random_field(1).at(points), random_field(1).at(points))
