"""The theme leaves nothing behind, depends on nobody's settings, and costs nothing until it is used."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from pipeline.figures import CATEGORICAL, figure_mm, sheet_mm, text_width_mm, theme, utc_axis
from pipeline.figures.theme import DPI, MM_PER_INCH


def test_importing_pipeline_does_not_import_matplotlib() -> None:
    code = (
        "import importlib, pkgutil, sys, warnings; warnings.simplefilter('ignore'); import pipeline\n"
        "names = [m.name for m in pkgutil.walk_packages(pipeline.__path__, 'pipeline.')]\n"
        "[importlib.import_module(name) for name in names]\n"
        "assert 'pipeline.figures.coverage' in names, names\n"
        "assert 'matplotlib' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


def settings() -> dict[str, object]:
    """All settings as they are; asking for the backend would choose one."""
    return {name: dict.__getitem__(mpl.rcParams, name) for name in mpl.rcParams}


def test_settings_come_back() -> None:
    before = settings()
    with theme():
        assert mpl.rcParams["svg.hashsalt"] == "stationday"
        assert [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]] == list(CATEGORICAL)
    assert settings() == before
    with pytest.raises(KeyError), theme():
        raise KeyError
    assert settings() == before


def test_settings_of_the_user_do_not_matter() -> None:
    with theme():
        ours = settings()
    with (
        mpl.rc_context(
            {"lines.linewidth": 9, "axes.grid": False, "text.usetex": True, "font.family": "serif"}
        ),
        theme(),
    ):
        assert settings() == ours


def test_pyplot_is_never_used() -> None:
    code = (
        "import datetime as dt, sys, numpy as np; from pipeline.figures import coverage_chart, render\n"
        "render(coverage_chart([('a', dt.date(2020, 1, 1), np.ones(3))], title='a'), 'png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr


def test_sheet_is_measured_in_millimetres() -> None:
    with theme():
        figure, sheet = sheet_mm(100, 50)
    assert figure.get_size_inches() * MM_PER_INCH == pytest.approx([100, 50])
    x, y = sheet.transData.transform((25, 10))
    assert (x, y) == pytest.approx((25 / MM_PER_INCH * DPI, (50 - 10) / MM_PER_INCH * DPI))


@pytest.mark.parametrize("weight", ["normal", "bold"])
def test_text_is_as_wide_as_it_was_measured(weight: str) -> None:
    with theme():
        figure, sheet = sheet_mm(100, 50)
        text = sheet.text(1, 10, "CI.CCC..HH 2020", size=9, weight=weight)
        extent = text.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    measured = text_width_mm("CI.CCC..HH 2020", 9, weight=weight)
    assert measured == pytest.approx(extent.width / DPI * MM_PER_INCH, rel=0.03)
    assert text_width_mm("", 9) == 0


def test_time_axis_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(mpl.rcParams, "timezone", "Asia/Tokyo")
    with theme():
        axes = figure_mm(120, 60).add_subplot()
        axes.plot(
            [dt.datetime(2020, 3, 1, tzinfo=dt.UTC), dt.datetime(2020, 3, 1, 12, tzinfo=dt.UTC)], [0, 1]
        )
        axes.set_xlim(dt.datetime(2020, 3, 1, tzinfo=dt.UTC), dt.datetime(2020, 3, 1, 12, tzinfo=dt.UTC))
        utc_axis(axes.xaxis)
        FigureCanvasAgg(axes.figure).draw()
        labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["Mar-01", "02:00", "04:00", "06:00", "08:00", "10:00", "12:00"]
    assert axes.get_xlabel() == "Time (UTC)"


def test_no_font_is_missing() -> None:
    assert (Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf").exists()
