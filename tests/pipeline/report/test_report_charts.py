"""Charts: what is drawn stands where its values say, in the page and in what the script gets."""

import json
import re
from typing import Any

import numpy as np
import pytest
from lxml import etree, html

from pipeline.errors import ConfigError
from pipeline.report import Axis, Band, Line, LineChart, Mark, Points, Sheet, level_chart, psd_chart
from pipeline.report.series import shared_limits


def chart(**changes: Any) -> LineChart:
    x = np.array([1.0, 10.0, 100.0])
    parts: dict[str, Any] = {
        "title": "PSD",
        "x_axis": Axis("Period", "s", "log"),
        "y_axis": Axis("Level", "dB", limits=(-200, -100)),
        "series": [Line("median", x, [-150.0, np.nan, -120.0]), Band("range", x, x - 180, x - 160)],
    }
    return LineChart(**parts | changes)


def drawn(one: LineChart) -> Any:
    return html.fromstring(one.write(Sheet()))


def test_line_stands_where_its_values_say() -> None:
    figure = drawn(chart(series=[Line("a", [1.0, 10.0, 100.0], [-200.0, -150.0, -100.0])]))
    path = figure.xpath(".//*[contains(@class, 'line c0')]")[0].get("d")
    points = np.array([[float(n) for n in pair.split()] for pair in re.split("[ML]", path)[1:]])
    assert points[1] == pytest.approx(points[[0, 2]].mean(axis=0), abs=0.1)
    # Axes: 0.1 to 100 s over the width, higher levels above.
    assert points[0, 0] < points[2, 0]
    assert points[0, 1] > points[2, 1]


def test_line_breaks_at_what_is_missing() -> None:
    path = drawn(chart()).xpath(".//*[contains(@class, 'line c0')]")[0].get("d")
    assert path.count("M") == 2
    assert path.endswith("h0")


def test_picture_is_well_formed_and_says_what_it_shows() -> None:
    svg = drawn(chart(marks=[Mark(10.0, "a < b")])).xpath(".//*[@role='img']")[0]
    etree.fromstring(etree.tostring(svg))
    assert svg.get("aria-label").startswith("PSD. median from −150.0 to −120.0 dB.")
    assert "a < b" in svg.text_content()


def test_script_gets_the_values() -> None:
    figure = drawn(chart())
    payload = json.loads(figure.xpath(".//script")[0].text)
    spec = payload["store"][payload["chart"]["spec"]]
    assert [series["kind"] for series in spec["series"]] == ["line", "band"]
    assert spec["y"]["limits"] == [-200, -100]
    assert spec["x"]["limits"] == [1, 100]
    assert len(payload["chart"]["data"]) == 2 + 3
    assert figure.get("data-source") == figure.xpath(".//script")[0].get("id")


@pytest.mark.parametrize(
    "series",
    [
        [],
        [Line("a", [1.0, 2.0], [np.nan, np.nan])],
        [Line("a", [1.0], [np.nan]), Line("NLNM", [1.0], [-160.0], None)],
    ],
)
def test_chart_without_values_says_so(series: list[Line]) -> None:
    one = chart(series=series)
    assert shared_limits([one]) is None
    assert one.spoken == "There are no values."
    assert "There are no values." in drawn(one).text_content()


def test_what_a_logarithmic_axis_can_not_show_is_left_out() -> None:
    one = chart(y_axis=Axis("Events", "", "log"), series=[Line("a", [1.0, 2.0, 3.0], [0.0, 10.0, 1000.0])])
    assert shared_limits([one]) == ((1.0, 3.0), (10.0, 1000.0))


def test_times_come_in_seconds() -> None:
    line = Line("a", np.array(["2021-01-01", "2021-01-02"], "M8[D]"), [1, 2])
    assert line.x.tolist() == [1609459200.0, 1609545600.0]


def test_charts_share_their_limits() -> None:
    one, two = (chart(y_axis=Axis("Level"), series=[Line("a", [1.0, 2.0], y)]) for y in ([0, 3], [5, 17]))
    assert shared_limits([one, two]) == ((1.0, 2.0), (0.0, 20.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Line("a", [1.0, 2.0], [1.0]), "should be of one length, got x 2, y 1"),
        (lambda: Line("a", [[1.0]], [[1.0]]), r"x should have one axis, got the shape \(1, 1\)"),
        (lambda: Points("a", [1.0], [1.0], 8), "colour should be 0 to 7 or None, got 8"),
        (
            lambda: chart(series=[Line("a", [2.0, 1.0], [1, 1])]),
            "series 'a': x should be finite and never fall",
        ),
        (lambda: chart(series=[Line("a", [np.nan, 1.0], [1, 1])]), "x should be finite"),
        (lambda: Axis("a", limits=(2, 1)), "limits should be finite, rise, got 2 to 1"),
        (lambda: Axis("a", kind="log", limits=(0, 1)), "rise above 0, got 0 to 1"),
        (lambda: chart(y_axis=Axis("a", kind="time")), "y-axis can't be one of time"),
        (lambda: psd_chart([1.0], {101: [1.0]}), "percentile 101: should lie between 0 and 100"),
    ],
)
def test_what_can_not_be_drawn_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_spectrum_stands_between_petersons_models() -> None:
    one = psd_chart(
        [1.0, 10.0], {2.5: [-170.0, -160], 97.5: [-130.0, -120], 50: [-150.0, -140], 75: [-140.0, -130]}
    )
    assert [series.name for series in one.series] == ["2.5–97.5 %", "median", "75 %", "NLNM", "NHNM"]
    # Peterson (1993), tables 3 and 4, at 1 s.
    assert one.series[3].parts[0][0] == pytest.approx(-166.40, abs=0.01)
    assert one.series[4].parts[0][0] == pytest.approx(-116.85, abs=0.01)


def test_quiet_days_stand_on_the_level_of_their_span() -> None:
    weeks = np.array(["2021-01-04", "2021-01-11"], "M8[D]")
    quiet = np.array(["2021-01-01", "2021-01-13"], "M8[D]")
    one = level_chart(weeks, [2.0, 3.0], quiet_days=quiet, marks=[(18768, "Maduo")])
    points = one.series[1]
    assert points.x.astype("M8[s]").astype("M8[D]").astype(str).tolist() == ["2021-01-13"]
    assert points.parts[0].tolist() == [3.0]
    assert one.marks[0].x == 18768 * 86400
