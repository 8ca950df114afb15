"""Bands in time: trend and its interval, changes, rises; one panel to forty."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.noise.change_points import ChangePoint, change_points
from pipeline.noise.figures.band_series import BandSeries, RiseSpan, band_chart
from pipeline.noise.figures.labels import DateMark
from pipeline.noise.trends import trend

FIRST_DAY = 17_897  # 2019-01-01
DAY_NS = 86_400_000_000_000


def band(
    label: str = "CX.PB01..HHZ 4–8 s", *, weeks: int = 104, slope: float = 0.002, step: float = 3.0
) -> BandSeries:
    rng = np.random.default_rng(weeks)
    day = FIRST_DAY + 3.5 + 7.0 * np.arange(weeks)
    level = (
        -130 + slope * (day - day[0]) + rng.normal(0, 0.3, weeks) + step * (np.arange(weeks) >= weeks // 2)
    )
    return BandSeries(
        label=label,
        day=day,
        level_db=level,
        low_db=level - 2,
        high_db=level + 3,
        trend=trend(level, step=7.0),
        changes=change_points(level),
        rises=[RiseSpan(day[-20], day[-16], 2.9, 0.004)],
    )


@pytest.mark.parametrize("count", [1, 8, 40])
def test_texts_stand_apart(check_texts, count):
    series = [band(f"NG.STATION{k}.00.HHZ  4–8 s, of a very long name indeed") for k in range(count)]
    marks = [DateMark((FIRST_DAY + 300) * DAY_NS, "Mw 6.8, 140 km"), DateMark(0, "long ago")]
    texts = check_texts(band_chart(series, title="Levels of bands", statistic="median per week", marks=marks))
    assert sum("a year" in text for text in texts) == count
    assert sum(text.startswith("rise +2.9 dB") for text in texts) == count
    assert sum("140 km" in text for text in texts) == 1
    assert not any("long ago" in text for text in texts)


def test_the_trend_is_that_of_theil_and_sen():
    level = -130 + 0.004 * 7.0 * np.arange(60)
    day = FIRST_DAY + 7.0 * np.arange(60)
    found = BandSeries(label="A", day=day, level_db=level, trend=trend(level, step=7.0))
    figure = band_chart([found], title="T")
    x, y = max((line.get_data() for line in figure.axes[0].lines if len(line.get_xdata()) == 50), key=len)
    np.testing.assert_allclose(y, np.interp(x, day, level), atol=1e-9)
    assert any("+1.46 dB a year" in text.get_text() for text in figure.axes[0].texts)


def test_the_fan_holds_both_ends_of_the_slope():
    found = band(step=0.0)
    figure = band_chart([found], title="T")
    fan = next(each for each in figure.axes[0].collections if each.get_alpha() == 0.2)
    vertices = fan.get_paths()[0].vertices
    last = vertices[np.isclose(vertices[:, 0], found.day[-1])][:, 1]
    reach = (found.day[-1] - np.median(found.day)) * (found.trend.high - found.trend.low)
    assert np.ptp(last) == pytest.approx(reach)


def test_changes_and_rises_stand_at_their_days(check_texts):
    found = band(slope=0.0)
    assert [each.at for each in found.changes] == [52]
    figure = band_chart([found], title="T")
    dashed = [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    assert sorted(dashed) == pytest.approx([found.day[52], found.day[-20]])
    assert any(text.startswith("+3") and text.endswith("dB") for text in check_texts(figure))


def test_a_line_is_broken_where_weeks_are_missing():
    day = np.delete(FIRST_DAY + 7.0 * np.arange(20), [8, 9])
    level = np.arange(18.0)
    level[3] = np.nan
    figure = band_chart([BandSeries(label="A", day=day, level_db=level)], title="T")
    y = np.asarray(figure.axes[0].lines[0].get_ydata())
    assert np.flatnonzero(np.isnan(y)).tolist() == [3, 8]


def test_nothing_is_said(check_texts):
    empty = BandSeries(label="A", day=np.array([1.0]), level_db=np.array([np.nan]))
    assert check_texts(band_chart([empty], title="T"))[1] == "There is no level in any of 1 bands."
    assert "none" in check_texts(band_chart([empty, band()], title="T"))


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"low_db": np.zeros(3)}, r"A: levels of shape \(3,\) do not fit \(2,\) days"),
        ({"day": np.array([2.0, 1.0])}, "A: days should rise"),
        ({"changes": [ChangePoint(2, 1.0, 0.0)]}, "a change at 2 is none of 2 spans"),
    ],
)
def test_what_does_not_fit_is_refused(options, match):
    with pytest.raises(ConfigError, match=match):
        BandSeries(**{"label": "A", "day": np.array([1.0, 2.0]), "level_db": np.zeros(2)} | options)
