"""Change points: steps are found where they are, and noise with a memory has few."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal

from pipeline.errors import ConfigError
from pipeline.noise.change_points import change_points


def remembering(count: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    return scipy.signal.lfilter([1.0], [1.0, -memory], rng.normal(size=count + 200))[200:]


@pytest.mark.parametrize(("memory", "most"), [(0.0, 0.02), (0.3, 0.03), (0.6, 0.04)])
def test_noise_has_few_changes(memory, most):
    rng = np.random.default_rng(1)
    alarms = np.mean([bool(change_points(remembering(150, memory, rng))) for _ in range(300)])
    assert alarms < most


@pytest.mark.parametrize("size", [1.5, -3.0])
def test_a_step_is_found_where_it_is(size):
    rng = np.random.default_rng(2)
    for _ in range(20):
        levels = remembering(200, 0.3, rng)
        levels[120:] += size * 2
        (found,) = change_points(levels, significance=1e-3)
        assert abs(found.at - 120) <= 4
        assert found.size == pytest.approx(size * 2, abs=0.8)


def test_gaps_keep_their_place():
    levels = np.random.default_rng(3).normal(size=100)
    levels[60:] += 9
    levels[10:40] = np.nan
    (found,) = change_points(levels)
    assert found.at == 60


def test_levels_without_noise():
    assert change_points(np.ones(50)) == []
    assert [each.at for each in change_points(np.repeat([1.0, 2.0], 30))] == [30]
    assert change_points(np.full(50, np.nan)) == []


def test_input_is_not_changed_and_nonsense_refused():
    levels = np.random.default_rng(4).normal(size=60)
    levels.flags.writeable = False
    change_points(levels)
    with pytest.raises(ConfigError, match=r"between 0 and 1, got 1\.5"):
        change_points(levels, significance=1.5)
    with pytest.raises(ConfigError, match="shortest should be at least 3"):
        change_points(levels, shortest=1)
