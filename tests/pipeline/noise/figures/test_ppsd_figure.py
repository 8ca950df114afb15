"""The PPSD: what was counted is what is drawn, and the curves are obspy's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import obspy
import pytest
from matplotlib.colors import to_hex

from pipeline.errors import ConfigError
from pipeline.figures import render
from pipeline.figures.coverage import day_colours
from pipeline.noise.figures.ppsd import ppsd_chart
from pipeline.noise.histograms import DbBins, count_levels
from pipeline.noise.noise_models import nhnm_db, nlnm_db

PERIODS = 0.05 * 2.0 ** np.arange(0, 14, 0.125)
BINS = DbBins()
HALF_HOUR_NS = 1_800_000_000_000
START_NS = 1_583_020_800_000_000_000  # 2020-03-01


def levels(components: int, windows: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    site = np.nan_to_num((nlnm_db(PERIODS) + nhnm_db(PERIODS)) / 2, nan=-130.0)
    return (
        site
        + rng.normal(0, 4, (components, windows, 1))
        + rng.normal(0, 1, (components, windows, PERIODS.size))
    )


def chart(components: int, windows: int, **options):
    found = levels(components, windows)
    counts = np.stack([count_levels(each, BINS) for each in found])
    options = {"title": "CX.PB01..HH", "components": list("ZNE")[:components]} | options
    options.setdefault("start_ns", START_NS + HALF_HOUR_NS * np.arange(windows))
    return ppsd_chart(counts, PERIODS, BINS, **options), counts


@pytest.mark.parametrize(("components", "windows"), [(1, 700), (2, 1), (3, 700)])
def test_texts_stand_apart(check_texts, components, windows):
    title = "CX.PB01..HH, Patache, Iquique Basin, Chile: " + "all of the years since the beginning, " * 4
    figure, _ = chart(components, windows, title=title, middle="mode", percentiles=(1, 5, 50, 95, 99))
    texts = check_texts(figure)
    assert texts.count("NLNM") == texts.count("NHNM") == components
    assert "Power (dB re 1 (m/s²)²/Hz)" in texts
    assert texts.count("Frequency (Hz)") == components


def test_counts_are_drawn_as_percentages_and_nothing_is_white():
    figure, counts = chart(2, 100)
    for axes, count in zip(figure.axes[:2], counts, strict=True):
        mesh = axes.collections[0]
        drawn = np.asarray(mesh.get_array())
        np.testing.assert_allclose(drawn, count.T)  # of 100 windows
        assert to_hex(mesh.cmap(mesh.norm(0.0))) == "#ffffff"
        assert to_hex(mesh.cmap(mesh.norm(1.0))) != "#ffffff"


def test_cumulative_counts_reach_all():
    figure, counts = chart(1, 100, cumulative=True)
    drawn = np.asarray(figure.axes[0].collections[0].get_array())
    np.testing.assert_allclose(drawn, counts[0].cumsum(axis=-1).T)
    assert figure.axes[0].collections[0].norm.vmax == 100.0


def lines_of(axes) -> list[tuple[np.ndarray, np.ndarray, str]]:
    return [(*(np.asarray(each) for each in line.get_data()), line.get_color()) for line in axes.lines]


def test_percentiles_are_those_of_obspy():
    """A year of KW1 as obspy's tests keep it; obspy says the lower edge of a bin, drawn is its middle."""
    from obspy.signal import PPSD

    stored = Path(obspy.__file__).parent / "signal" / "tests" / "data" / "ppsd_kw1_ehz.npz"
    theirs = PPSD.load_npz(str(stored), allow_pickle=True)
    found = np.asarray(theirs.psd_values)
    period_s = np.asarray(theirs.period_bin_centers)
    starts = np.array([each.ns for each in theirs.times_processed])
    counts = count_levels(found, BINS)[np.newaxis]
    figure = ppsd_chart(
        counts, period_s, BINS, components=["Z"], start_ns=starts, title="KW1", percentiles=(5, 50, 95)
    )
    drawn = {line[1].tobytes() for line in lines_of(figure.axes[0])}
    for percentile in (5, 50, 95):
        _, level = theirs.get_percentile(percentile)
        assert (np.asarray(level) + 0.5).tobytes() in drawn


def test_models_are_petersons():
    figure, _ = chart(1, 10)
    x, y, _ = lines_of(figure.axes[0])[0]
    np.testing.assert_array_equal(y, nlnm_db(x))


def test_limits_and_models_hold_what_is_there():
    figure, _ = chart(1, 50)
    axes = figure.axes[0]
    low, high = axes.get_ylim()
    period = np.geomspace(*axes.get_xlim(), 50)
    assert np.nanmin(nlnm_db(period)) > low
    assert np.nanmax(nhnm_db(period)) < high
    figure, _ = chart(1, 50, limits_s=(0.1, 10.0), limits_db=(-180, -90), highest_percent=20.0)
    assert figure.axes[0].get_xlim() == (0.1, 10.0)
    assert figure.axes[0].get_ylim() == (-180, -90)
    assert figure.axes[0].collections[0].norm.vmax == 20.0


def test_windows_that_are_missing_are_grey_in_the_strip(check_texts):
    used = np.ones((2, 96), dtype=bool)
    used[1, 24:48] = False
    figure, _ = chart(2, 96, used=used)
    strip = next(axes for axes in figure.axes if len(axes.images) == 2)
    missing, complete = day_colours(np.array([np.nan, 1.0]))
    rows = [np.asarray(image.get_array())[0] for image in strip.images]
    assert [int((row == complete).all(axis=-1).sum()) for row in rows] == [96, 72]
    assert (rows[1][24:48] == missing).all()
    assert {"100 %", "75.0 %"} <= set(check_texts(figure))


def test_the_heading_counts_windows_and_says_when():
    figure, _ = chart(1, 1500)
    assert figure.texts[0].get_text() == "CX.PB01..HH"
    assert (
        figure.texts[1].get_text()
        == "1\N{THIN SPACE}500 windows of 1 h · 2020-03-01 00:00 to 2020-04-01 06:30 UTC"
    )


def test_no_windows_are_said(check_texts):
    counts = np.zeros((1, PERIODS.size, BINS.centres_db.size), dtype=int)
    figure = ppsd_chart(counts, PERIODS, BINS, components=["Z"], start_ns=[], title="CX.PB01..HH")
    assert check_texts(figure) == ["CX.PB01..HH", "There are no windows to count."]


def test_a_component_without_windows_is_named(check_texts):
    found = levels(2, 20)
    counts = np.stack([count_levels(each, BINS) for each in found])
    counts[1] = 0
    starts = START_NS + HALF_HOUR_NS * np.arange(20)
    used = np.array([[True], [False]])
    figure = ppsd_chart(counts, PERIODS, BINS, components=["Z", "N"], start_ns=starts, used=used, title="T")
    assert "N: no windows" in check_texts(figure)


def test_it_becomes_the_same_bytes_twice():
    counts = chart(1, 20)[1]
    counts.flags.writeable = False
    made = [
        render(
            ppsd_chart(
                counts,
                PERIODS,
                BINS,
                components=["Z"],
                start_ns=START_NS + HALF_HOUR_NS * np.arange(20),
                title="T",
            ),
            "svg",
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"middle": "median"}, "middle should be one of mode, mean, got 'median'"),
        ({"used": [[True, False]]}, r"mask of shape \(1, 2\)"),
        ({"start_ns": [[1], [2]]}, "one axis"),
    ],
)
def test_what_does_not_fit_is_refused(options, match):
    with pytest.raises(ConfigError, match=match):
        chart(1, 10, **options)


def test_components_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match=r"here \(2, 112, 150\), got \(1, 112, 150\)"):
        ppsd_chart(np.zeros((1, 112, 150)), PERIODS, BINS, components=["Z", "N"], start_ns=[1], title="T")
    with pytest.raises(ConfigError, match="1 to 3 components"):
        ppsd_chart(np.zeros((4, 112, 150)), PERIODS, BINS, components=list("ZNEH"), start_ns=[1], title="T")
