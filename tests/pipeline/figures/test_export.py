"""Images: the same figure gives the same bytes, here and in another process, and lands whole."""

import datetime as dt
import hashlib
import io
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.figures import axis_label, figure_mm, render, save, theme, utc_axis
from pipeline.objects import open_objects


def picture() -> Figure:
    """A figure with all that could carry an id or a date: clips, markers, an image, a legend, dates."""
    with theme():
        figure = figure_mm(80, 60)
        axes = figure.add_subplot()
        days = [dt.datetime(2020, 3, day, tzinfo=dt.UTC) for day in range(1, 20)]
        axes.plot(days, np.sin(np.arange(19)), "o-", label="a")
        axes.fill_between(days, -1, 0, hatch="//", label="b")
        axes.imshow(np.eye(4), extent=(18322, 18324, -1, 0), aspect="auto")
        axes.set_ylabel(axis_label("velocity", "m/s"))
        axes.legend()
        utc_axis(axes.xaxis)
        return figure


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_same_bytes(kind: str) -> None:
    figure = picture()
    data = render(figure, kind)  # type: ignore[arg-type]
    assert render(figure, kind) == data  # type: ignore[arg-type]
    assert render(picture(), kind) == data  # type: ignore[arg-type]


def test_same_bytes_in_another_process() -> None:
    code = (
        f"import importlib.util, sys; spec = importlib.util.spec_from_file_location('x', {__file__!r})\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "sys.stdout.buffer.write(module.render(module.picture(), 'svg'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(render(picture(), "svg")).digest()


def test_no_dates_and_no_makers() -> None:
    svg = render(picture(), "svg")
    assert b"<dc:date>" not in svg
    assert b"Matplotlib v" not in svg
    assert b"Date" not in render(picture(), "pdf")
    image = Image.open(io.BytesIO(render(picture(), "png")))
    assert image.size == (int(80 / 25.4 * 200), int(60 / 25.4 * 200))
    assert set(image.info) <= {"dpi"}


def test_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figure = picture()
    save(figure, tmp_path / "figures" / "a.png")
    assert (tmp_path / "figures" / "a.png").read_bytes() == render(figure, "png")
    store = open_objects(f"memory://{uuid.uuid4().hex}/figures")
    save(figure, f"{store.url}/a.SVG")
    assert store.read("a.SVG") == render(figure, "svg")
    monkeypatch.chdir(tmp_path)
    save(figure, "b.png")
    assert (tmp_path / "b.png").exists()
    with pytest.raises(ConfigError, match=r"figure 'c\.gif' should end in \.png, \.svg or \.pdf"):
        save(figure, "c.gif")
    assert {path.name for path in tmp_path.rglob("*.*")} == {"a.png", "b.png"}
