"""Levels by time and period: medians per column, gaps, dates."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.noise.figures.labels import DateMark
from pipeline.noise.figures.spectrogram import level_spectrogram
from pipeline.noise.noise_models import nlnm_db

PERIODS = 0.1 * 2.0 ** np.arange(0, 12, 0.25)
HOUR_NS = 3_600_000_000_000
START_NS = 1_546_300_800_000_000_000  # 2019-01-01


def chart(hours: int, levels: np.ndarray | None = None, **options):
    levels = np.full((hours, PERIODS.size), -140.0) if levels is None else levels
    starts = START_NS + HOUR_NS * np.arange(hours)
    return level_spectrogram(levels, PERIODS, starts, **{"title": "CX.PB01..HHZ", "step_s": 3600.0} | options)


def mesh_of(figure, row: int = 0):
    return figure.axes[row].collections[0]


def test_a_column_of_two_years_is_the_median_of_its_day():
    rng = np.random.default_rng(1)
    levels = -140 + rng.normal(0, 3, (731 * 24, PERIODS.size))
    levels[100 * 24 + 5] = -60.0  # an earthquake
    levels[200 * 24 : 215 * 24] = np.nan
    shown = np.ma.filled(mesh_of(chart(731 * 24, levels)).get_array(), np.nan)
    assert shown.shape == (PERIODS.size, 731)
    expected = np.full((731, PERIODS.size), np.nan)
    for day in [*range(200), *range(215, 731)]:
        expected[day] = np.median(levels[day * 24 : (day + 1) * 24], axis=0)
    np.testing.assert_allclose(shown, expected.T)


def test_time_and_period_are_where_they_should_be():
    levels = np.full((48, PERIODS.size), -150.0)
    levels[30, 20] = -100.0
    coordinates = np.asarray(mesh_of(chart(48, levels)).get_coordinates())
    shown = np.asarray(mesh_of(chart(48, levels)).get_array())
    row, column = np.unravel_index(shown.argmax(), shown.shape)
    x, y = (
        coordinates[row : row + 2, column : column + 2, 0],
        coordinates[row : row + 2, column : column + 2, 1],
    )
    assert x.min() * 24 == pytest.approx(START_NS / HOUR_NS + 30)
    assert x.max() * 24 == pytest.approx(START_NS / HOUR_NS + 31)
    assert y.min() < PERIODS[20] < y.max()


def test_windows_may_come_in_any_order():
    rng = np.random.default_rng(2)
    levels, starts = rng.normal(-140, 3, (100, PERIODS.size)), START_NS + HOUR_NS * np.arange(100)
    order = rng.permutation(100)
    options = {"title": "T", "step_s": 3600.0}
    one, other = (
        np.asarray(mesh_of(level_spectrogram(levels[k], PERIODS, starts[k], **options)).get_array())
        for k in (np.arange(100), order)
    )
    np.testing.assert_array_equal(one, other)


def test_relative_to_the_low_noise_model():
    levels = np.tile(nlnm_db(PERIODS) + 12.0, (30, 1))
    figure = chart(30, levels, relative=True)
    np.testing.assert_allclose(mesh_of(figure).get_array(), 12.0)
    assert figure.axes[-1].get_ylabel() == "Power (dB above the NLNM)"


def test_departures_are_from_each_periods_own_median():
    levels = np.tile(np.linspace(-180, -100, PERIODS.size), (30, 1))
    levels[20:23] += 9.0
    figure = chart(30, levels, departure=True)
    shown = np.asarray(mesh_of(figure).get_array())
    np.testing.assert_allclose(shown[:, 20:23], 9.0)
    np.testing.assert_allclose(np.delete(shown, [20, 21, 22], axis=1), 0.0, atol=1e-9)
    norm = mesh_of(figure).norm
    assert norm.vmin == -norm.vmax


@pytest.mark.parametrize(("components", "hours"), [(1, 1), (3, 50), (1, 8784)])
def test_texts_stand_apart(check_texts, components, hours):
    rng = np.random.default_rng(3)
    levels = rng.normal(-140, 5, (components, hours, PERIODS.size))
    marks = [
        DateMark(START_NS + round(share * hours * HOUR_NS), f"M {6 + share:.1f}, {100 * share:.0f} km away")
        for share in (0.0, 0.5, 0.51, 0.52, 0.53, 0.97, 1.0, 7.0)
    ]
    texts = check_texts(chart(hours, levels, components=list("ZNE")[:components], marks=marks))
    assert sum("km away" in text for text in texts) == 7
    assert "M 13.0, 700 km away" not in texts


def test_dates_are_drawn_at_their_days():
    figure = chart(48, marks=[DateMark(START_NS + 12 * HOUR_NS, "noon")])
    (line,) = figure.axes[0].lines
    assert line.get_xdata()[0] == pytest.approx(START_NS / (24 * HOUR_NS) + 0.5)


def test_no_levels_are_said(check_texts):
    texts = check_texts(chart(10, np.full((10, PERIODS.size), np.nan)))
    assert texts == ["CX.PB01..HHZ", "There are no levels to show."]
    short = level_spectrogram(
        np.zeros((5, 2)), [0.01, 0.02], START_NS + HOUR_NS * np.arange(5), title="T", relative=True
    )
    assert check_texts(short)[1] == "There is no level at a period that the noise model has."


def test_what_does_not_fit_is_refused():
    with pytest.raises(
        ConfigError, match=r"1 of 1 to 3 components, 10 windows, 48 periods\), got \(1, 9, 48\)"
    ):
        chart(10, np.zeros((9, PERIODS.size)))
    with pytest.raises(ConfigError, match="not to both"):
        chart(10, relative=True, departure=True)
