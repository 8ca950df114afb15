"""Labels and cells: places that are moved apart, medians, spans, and that no import draws."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from pipeline.errors import ConfigError
from pipeline.figures.palettes import CATEGORICAL
from pipeline.figures.theme import text_width_mm
from pipeline.noise.figures.labels import fitting_text, readable, spread_apart
from pipeline.noise.figures.panels import cell_edges
from pipeline.noise.figures.time_cells import cell_medians, choose_cells, count_in_cells

HOUR_NS = 3_600_000_000_000


@given(st.lists(st.floats(-5, 15), min_size=1, max_size=12), st.floats(0.01, 3.0))
def test_places_keep_their_gap_their_order_and_the_ends(wanted, gap):
    places = spread_apart(wanted, gap, 0.0, 10.0)
    room = min(gap, 10.0 / max(len(wanted) - 1, 1))
    assert places.min() >= -1e-9
    assert places.max() <= 10 + 1e-9
    assert (np.diff(np.sort(places)) >= room - 1e-9).all()
    order = np.argsort(np.clip(wanted, 0, 10), kind="stable")
    assert (np.diff(places[order]) > 0).all()


def test_places_with_room_stay():
    np.testing.assert_allclose(spread_apart([1.0, 5.0, 3.0], 1.0, 0.0, 10.0), [1.0, 5.0, 3.0])


@pytest.mark.parametrize("colour", CATEGORICAL)
def test_text_in_any_colour_can_be_read(colour):
    """Contrast as WCAG 2.1 defines it."""
    rgb = np.array(to_rgb(readable(colour)))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5


@pytest.mark.parametrize(
    "text", ["short", "something longer " * 4, "something that will not fit at all " * 20]
)
def test_text_fits(text):
    shown, size = fitting_text(text, 11.0, 60.0)
    assert text_width_mm(shown, size) <= 60.0 + 1e-6
    assert 5.0 <= size <= 11.0
    assert shown == text or shown.endswith("…")


def test_cells_hold_the_median_of_what_is_there():
    rng = np.random.default_rng(1)
    levels = rng.normal(size=(300, 4))
    levels[rng.random(levels.shape) < 0.3] = np.nan
    starts = np.sort(rng.integers(0, 40, 300)) * HOUR_NS
    levels[starts == 7 * HOUR_NS] = np.nan
    cells = choose_cells(starts, HOUR_NS, most=100)
    found = cell_medians(levels, starts, cells)
    for cell in range(cells.count):
        rows = levels[starts == cells.first_ns + cell * HOUR_NS]
        for column in range(4):
            there = rows[:, column][np.isfinite(rows[:, column])]
            assert found[cell, column] == pytest.approx(
                np.median(there) if there.size else np.nan, nan_ok=True
            )
    assert count_in_cells(starts, cells).sum() == 300


@given(st.integers(1, 200_000), st.integers(1, 900))
def test_cells_are_few_enough_and_hold_all(hours, most):
    starts = np.array([5, 5 + hours]) * HOUR_NS
    cells = choose_cells(starts, HOUR_NS // 2, most=most)
    low, high = cells.span_ns
    assert low <= starts[0]
    assert high > starts[1]
    assert cells.first_ns % cells.length_ns == 0
    assert cells.count <= most or cells.length_ns == 8766 * HOUR_NS


def test_no_cells_without_windows():
    with pytest.raises(ConfigError, match="a window or more and a step above 0, got 0 and 1 ns"):
        choose_cells([], 1, most=10)


@pytest.mark.parametrize("period_s", [[1.0], [2.0, 1.0], [0.0, 1.0]])
def test_periods_that_do_not_rise_are_refused(period_s):
    with pytest.raises(ConfigError, match="two periods or more that rise"):
        cell_edges(period_s)


def test_importing_the_pictures_does_not_import_matplotlib():
    modules = ("ppsd", "spectrogram", "magnitude_series", "band_series", "psd_curves")
    lines = [f"import pipeline.noise.figures.{name}" for name in modules]
    code = "\n".join(["import sys", *lines, "sys.exit('matplotlib' in sys.modules)"])
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
