from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal.windows import WindowGrid

grids = st.builds(
    WindowGrid, length=st.integers(1, 30), step=st.integers(1, 40), origin=st.integers(-(10**6), 10**6)
)


@given(grids, st.integers(-(10**6), 10**12), st.integers(0, 200))
def test_windows_are_whole_on_the_grid_and_all_there(grid, first, samples):
    record = first + np.arange(samples)
    starts, windows = grid.cut(record, first=first)
    assert ((starts - grid.origin) % grid.step == 0).all()
    assert windows.shape == (len(starts), grid.length)
    np.testing.assert_array_equal(windows, starts[:, None] + np.arange(grid.length))
    every = [s for s in range(first, first + samples - grid.length + 1) if (s - grid.origin) % grid.step == 0]
    assert starts.tolist() == every


@given(grids, st.integers(-(10**6), 10**6), st.lists(st.integers(0, 300), min_size=2, max_size=6))
def test_each_window_has_one_owner(grid, first, cuts):
    edges = [first + cut for cut in sorted(cuts)]
    whole = grid.starts_between(edges[0], edges[-1]).tolist()
    parts = [grid.starts_between(a, b).tolist() for a, b in pairwise(edges)]
    assert list(chain.from_iterable(parts)) == whole
    for a, b in pairwise(edges):
        begin, samples = grid.span(a, b)
        assert grid.starts(begin, samples).tolist() == grid.starts_between(a, b).tolist()


def test_windows_are_views_that_can_not_be_written():
    record = np.arange(1000.0).reshape(2, 500)
    _, windows = WindowGrid(length=100, step=50).cut(record, first=25)
    assert np.shares_memory(windows, record)
    assert windows.shape == (2, 8, 100)
    with pytest.raises(ValueError, match="read-only"):
        windows[0, 0, 0] = 1.0


@given(grids, st.integers(-1000, 1000), st.lists(st.booleans(), max_size=120))
def test_valid_fractions(grid, first, mask):
    mask = np.array([mask, mask[::-1]], bool)
    fractions = grid.valid_fractions(mask, first=first)
    _, windows = grid.cut(mask, first=first)
    np.testing.assert_allclose(fractions, 1 - windows.mean(axis=-1), atol=1e-12)


def test_refuses():
    with pytest.raises(ConfigError, match="step should be at least 1, got 0"):
        WindowGrid(length=10, step=0)
