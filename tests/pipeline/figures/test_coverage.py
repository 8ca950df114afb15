"""The wall chart: every day is there at each size, no text touches another, and numbers are not flattered."""

import datetime as dt
import io

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from pipeline.figures import coverage_chart, render
from pipeline.figures.coverage import COMPLETE, CoverageRow, day_colours

FIRST = dt.date(2011, 1, 1)
MISSING, COMPLETE_RGB = day_colours(np.array([np.nan, 1.0]))[:, :3]


def network(streams: int, days: int) -> list[CoverageRow]:
    """Streams of several lives, with gaps and partial days."""
    rng = np.random.default_rng(streams * 10_000 + days)
    rows = []
    for number in range(streams):
        values = np.where(rng.random(days) < 0.05, rng.random(days), 1.0)
        values[rng.random(days) < 0.03] = np.nan
        start = int(rng.integers(0, days // 2 + 1)) if number % 3 == 2 else 0
        label = (
            f"{['CI', 'CX', 'NN'][number % 3]}.{'ABCDEFGH'[: 3 + number % 3]}{number}.{number % 2}0.HH 100 Hz"
        )
        rows.append((label, FIRST + dt.timedelta(days=start), values[start:]))
    return rows


def texts_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize(
    ("streams", "days"), [(1, 1), (3, 1), (2, 9), (12, 60), (60, 731), (100, 3653), (3, 7305)]
)
def test_no_text_touches_another_or_leaves_the_sheet(streams: int, days: int) -> None:
    figure = coverage_chart(
        network(streams, days), title="Networks CI, CX and NN · s3://archive/continuous.zarr"
    )
    figure.dpi = 60  # enough to measure by
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = np.array(
        [text.get_window_extent(renderer).extents for text in figure.axes[0].texts if text.get_text()]
    )
    width, height = figure.bbox.size
    assert (boxes[:, :2] > 0).all()
    assert (boxes[:, 2] < width).all()
    assert (boxes[:, 3] < height).all()
    slack = 0.5  # a pixel's worth of rounding
    apart = (boxes[:, None, :2] + slack >= boxes[None, :, 2:] - slack).any(axis=-1)
    apart |= apart.T
    touching = np.argwhere(~apart & ~np.eye(len(boxes), dtype=bool))
    assert len(touching) == 0, [texts_of(figure)[i] for i in touching[0]]


def row_of_pixels(figure: Figure, colour: np.ndarray) -> np.ndarray:
    """The line of the image that holds most of a colour."""
    image = np.asarray(Image.open(io.BytesIO(render(figure, "png"))).convert("RGB"))
    hits = (image == colour).all(axis=-1)
    return image[hits.sum(axis=1).argmax()]


def test_one_missing_day_in_twenty_years_can_be_seen() -> None:
    values = np.ones(7305)
    lost = [3, 1234, 4000, 4002, 7301]
    values[lost] = np.nan
    line = row_of_pixels(coverage_chart([("a", FIRST, values)], title="a"), COMPLETE_RGB)
    missing = (line == MISSING).all(axis=-1)
    whole = (line == COMPLETE_RGB).all(axis=-1)
    runs = np.flatnonzero(np.diff(np.r_[0, missing.astype(int), 0])).reshape(-1, 2)
    assert len(runs) == len(lost)
    assert set(np.diff(runs, axis=1).ravel()) <= {1, 2}
    start, stop = np.flatnonzero(whole | missing)[[0, -1]]
    assert (runs[:, 0] - start) / (stop + 1 - start) == pytest.approx(np.array(lost) / 7305, abs=1 / 7305)


def test_colours_mean_what_the_legend_says() -> None:
    values = np.array([np.nan, 1e-6, 0.3, COMPLETE - 1e-6, COMPLETE, 1.0])
    line = row_of_pixels(coverage_chart([("a", FIRST, values)], title="a"), COMPLETE_RGB)
    start, stop = np.flatnonzero((line == COMPLETE_RGB).all(axis=-1))[[0, -1]] + [0, 1]  # the last two days
    middles = start + (np.arange(-4, 2) + 0.5) * (stop - start) / 2
    assert line[middles.astype(int)].tolist() == day_colours(values)[:, :3].tolist()
    assert day_colours(values)[1, :3].tolist() == [0xB3, 0x26, 0x1E]
    assert day_colours(np.zeros(1))[0, :3].tolist() == MISSING.tolist()


def test_no_part_of_a_row_is_drawn_where_it_has_no_days() -> None:
    rows = [("a", FIRST, np.ones(10)), ("b", FIRST + dt.timedelta(days=6), np.ones(4))]
    image = np.asarray(Image.open(io.BytesIO(render(coverage_chart(rows, title="a"), "png"))).convert("RGB"))
    blue = (image == COMPLETE_RGB).all(axis=-1).sum(axis=1)
    lengths = sorted(set(np.unique(blue[blue > 100])))
    assert lengths[0] == pytest.approx(0.4 * lengths[-1], rel=0.01)


def test_numbers() -> None:
    nearly = np.ones(365)
    nearly[100] = 0.9
    half = np.array([0.5, np.nan, 1.0, 0.0])
    texts = texts_of(
        coverage_chart(
            [("whole", FIRST, np.ones(365)), ("nearly", FIRST, nearly), ("half", FIRST, half)], title="T"
        )
    )
    assert texts[:2] == [
        "T",
        "3 streams · 2011-01-01 to 2011-12-31 (365 days) · 732 station-days · 99.6 % complete",
    ]
    percents = texts[texts.index("complete", 5) + 1 :][:3]
    assert percents == ["100 %", "99.9 %", "37.5 %"]
    assert texts[texts.index("days") + 1 :][:3] == ["365", "365", "2"]


def test_size_follows_content() -> None:
    sizes = [
        coverage_chart(network(streams, days), title="T").get_size_inches() * 25.4
        for streams, days in ((1, 1), (12, 60), (60, 731), (60, 7305))
    ]
    widths, heights = np.transpose(sizes)
    assert (np.diff(widths) > 0).all()
    assert widths[0] < 130
    assert heights[0] < 75
    assert 900 < widths[-1] < 1200


@pytest.mark.parametrize("rows", [[], [("a", FIRST, np.array([]))]])
def test_an_empty_archive_says_so(rows: list[CoverageRow]) -> None:
    assert texts_of(coverage_chart(rows, title="CI, a.zarr")) == [
        "CI, a.zarr",
        "There are no station-days in this archive.",
    ]


def test_no_days_but_rows() -> None:
    texts = texts_of(coverage_chart([("a", FIRST, np.full(3, np.nan))], title="T"))
    assert "1 stream · 2011-01-01 to 2011-01-03 (3 days) · 0 station-days · 0.0 % complete" in texts


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([0.5, 1.2]), r"row 'a': the completeness of day 1 is 1\.2, but should lie between 0 and 1"),
        (np.array([-0.1]), r"row 'a': the completeness of day 0 is -0\.1"),
        (np.ones((2, 3)), r"row 'a': completeness has the shape \(2, 3\), but should be \(days,\)"),
    ],
)
def test_chart_fails(values: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        coverage_chart([("a", FIRST, values)], title="T")
