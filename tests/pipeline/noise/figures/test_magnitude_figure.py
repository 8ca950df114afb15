"""Magnitudes in time: one station to forty, quiet days, gaps, dates."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from pipeline.errors import ConfigError
from pipeline.noise.figures.labels import DateMark
from pipeline.noise.figures.magnitude_series import MagnitudeSeries, magnitude_chart

DAY_NS = 86_400_000_000_000
FIRST_DAY = 17_897  # 2019-01-01


def station(
    name: str, base: float, *, months: int = 28, quiet: bool = True, error: bool = True
) -> MagnitudeSeries:
    rng = np.random.default_rng(sum(map(ord, name)))
    day = FIRST_DAY + 15 + 30.4 * np.arange(months)
    quiet_day = np.sort(rng.choice(int(30.4 * months), min(5 * months, 28), replace=False)) + FIRST_DAY
    return MagnitudeSeries(
        label=name,
        day=day,
        magnitude=base + rng.normal(0, 0.05, months),
        error=np.full(months, 0.05) if error else None,
        quiet_day=quiet_day if quiet else None,
    )


MARKS = [
    DateMark((FIRST_DAY + 400) * DAY_NS, "Maduo Ms 7.4"),
    DateMark((FIRST_DAY + 401) * DAY_NS, "Yangbi Ms 6.4, a day before and 1,100 km away"),
    DateMark((FIRST_DAY + 90_000) * DAY_NS, "never"),
]


@pytest.mark.parametrize(("count", "months"), [(1, 1), (8, 1), (8, 28), (9, 28), (40, 28)])
def test_texts_stand_apart(check_texts, count, months):
    series = [station(f"NG.STA{k:02d}..MGZ", 2.0 + 0.01 * k, months=months) for k in range(count)]
    texts = check_texts(magnitude_chart(series, title="SNM", marks=MARKS if months > 1 else ()))
    assert [text for text in texts if text.startswith("NG.STA")] == [each.label for each in series]
    assert any("log₁₀ µGal²/Hz + 2.5" in text for text in texts)
    assert sum("Yangbi" in text for text in texts) == (months > 1)
    assert not any("never" in text for text in texts)


def test_names_stand_in_the_order_of_their_lines():
    series = [station(f"S{k}", base) for k, base in enumerate([2.0, 4.0, 2.01, 2.02, 0.5])]
    figure = magnitude_chart(series, title="SNM")
    places = {
        text.get_text(): text.xyann[1] for text in figure.axes[0].texts if text.get_text().startswith("S")
    }
    last = {each.label: each.magnitude[-1] for each in series}
    assert sorted(places, key=places.get) == sorted(last, key=last.get)
    assert min(np.diff(sorted(places.values()))) > 0.04


def test_a_line_is_broken_where_magnitudes_are_missing():
    day = FIRST_DAY + 30.0 * np.arange(10)
    magnitude = np.linspace(1, 2, 10)
    magnitude[4] = np.nan
    whole = np.delete(np.arange(10), 7)
    figure = magnitude_chart(
        [MagnitudeSeries(label="A", day=day[whole], magnitude=magnitude[whole])], title="T"
    )
    drawn = [np.asarray(line.get_xdata()) for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert [(each[0] - FIRST_DAY, each[-1] - FIRST_DAY) for each in drawn] == [
        (0, 90),
        (150, 180),
        (240, 270),
    ]


@pytest.mark.parametrize("together", [True, False])
def test_quiet_days_are_ticks_at_their_days(together):
    found = MagnitudeSeries(
        label="A",
        day=np.array([FIRST_DAY + 1.0, FIRST_DAY + 31.0]),
        magnitude=np.array([1.0, 2.0]),
        quiet_day=np.array([FIRST_DAY + 3, FIRST_DAY + 17]),
    )
    figure = magnitude_chart([found], title="T", together=together)
    ticks = [each for axes in figure.axes for each in axes.collections if isinstance(each, LineCollection)]
    places = {float(segment[0, 0]) for each in ticks for segment in each.get_segments()}
    assert places == {FIRST_DAY + 3.5, FIRST_DAY + 17.5}


def test_all_panels_have_one_scale():
    series = [station("A", 1.0), station("B", 4.0, quiet=False), *(station(f"C{k}", 2.0) for k in range(8))]
    figure = magnitude_chart(series, title="T")
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    low, high = figure.axes[0].get_ylim()
    assert low < 1.0
    assert high > 4.0


def test_errors_are_bars_of_their_size():
    found = MagnitudeSeries(
        label="A", day=np.array([1.0, 2.0]), magnitude=np.array([1.0, 2.0]), error=np.array([0.1, 0.3])
    )
    figure = magnitude_chart([found], title="T")
    (bars,) = figure.axes[0].collections
    assert [np.ptp(each[:, 1]) for each in bars.get_segments()] == pytest.approx([0.2, 0.6])


def test_a_station_without_any_is_named_and_counted(check_texts):
    none = MagnitudeSeries(label="NG.DEAD..MGZ", day=np.array([FIRST_DAY]), magnitude=np.array([np.nan]))
    texts = check_texts(magnitude_chart([station("A", 1.0), none], title="T", together=False))
    assert "none" in texts
    assert any(text.startswith("1 of 2 stations") for text in texts)
    assert check_texts(magnitude_chart([none], title="T"))[1] == "There is no SNM of any of 1 stations."
    assert (
        check_texts(magnitude_chart([], title="T", quantity="TNM"))[1]
        == "There is no TNM of any of 0 stations."
    )


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="8 stations at most"):
        magnitude_chart([station(f"S{k}", 1.0) for k in range(9)], title="T", together=True)
    with pytest.raises(
        ConfigError, match=r"A: magnitudes and errors of shapes \[\(3,\)\] do not fit \(2,\) days"
    ):
        MagnitudeSeries(label="A", day=np.zeros(2), magnitude=np.zeros(3))
