"""Views keep areas and hold their regions; figures show colours where they should, and are the same bytes."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from PIL import Image

from pipeline.errors import ConfigError
from pipeline.figures import render, save
from pipeline.maps.basemaps import compound_path
from pipeline.maps.coasts import on_land
from pipeline.maps.fields import FieldMap, map_field
from pipeline.maps.figures import field_figure
from pipeline.maps.observations import gather
from pipeline.maps.regions import BoxRegion, CapRegion, Region
from pipeline.maps.sphere import EARTH_RADIUS_KM
from pipeline.maps.variograms import Variogram
from pipeline.maps.views import view_of

MODEL = Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=0.1)
REGIONS = {
    "box": BoxRegion(73, 18, 136, 54),
    "antimeridian": BoxRegion(165, -50, -165, -30),
    "south": CapRegion(0, -90, 3500),
    "north": BoxRegion(-180, 55, 180, 90),
    "cap": CapRegion(10, 70, 1500),
    "world": BoxRegion(-180, -90, 180, 90),
    "pacific": BoxRegion(100, -60, -60, 60),
}


def a_map(region: Region, *, step_deg: float = 2.0, drift: float = 0.0, mask_km: float = 1200.0) -> FieldMap:
    rng = np.random.default_rng(0)
    west, south, east, north = region.box
    x = rng.uniform(west, east, 400)
    y = np.degrees(np.arcsin(rng.uniform(np.sin(np.radians(south)), np.sin(np.radians(north)), 400)))
    inside = np.flatnonzero(region.contains(x, y))[:20]
    given = gather([f"S{i}" for i in range(20)], x[inside], y[inside], rng.normal(size=20) + drift)
    return map_field(
        given, region, quantity="level", unit="dB", step_deg=step_deg, variogram=MODEL, mask_km=mask_km
    )


@pytest.mark.parametrize("name", REGIONS)
def test_views_hold_their_regions_and_keep_areas(name: str) -> None:
    region = REGIONS[name]
    view = view_of(region)
    longitude, latitude = np.meshgrid(np.linspace(*region.box[::2], 40), np.linspace(*region.box[1::2], 40))
    inside = region.contains(longitude, latitude)
    x, y = view.project(longitude, latitude)
    left, right, low, high = view.bounds_km
    slack = 1e-6 * right
    assert np.all(
        (x >= left - slack) & (x <= right + slack) & (y >= low - slack) & (y <= high + slack), where=inside
    )
    rng = np.random.default_rng(1)
    for _ in range(10):
        at, up = (
            rng.uniform(region.box[0], region.box[2] - 0.1),
            rng.uniform(region.box[1], region.box[3] - 0.2),
        )
        corner = view.project([at, at + 0.1, at + 0.1, at], [up, up, up + 0.1, up + 0.1])
        area = abs(np.dot(corner[0], np.roll(corner[1], 1)) - np.dot(corner[1], np.roll(corner[0], 1))) / 2
        width = np.radians(0.1) * EARTH_RADIUS_KM**2
        assert area == pytest.approx(
            width * (np.sin(np.radians(up + 0.1)) - np.sin(np.radians(up))), rel=1e-3
        )


@pytest.mark.parametrize("name", REGIONS)
def test_land_on_paper_is_land(name: str) -> None:
    """Points all over the frame are filled where they are land, also where rings leave it or go around it."""
    region = REGIONS[name]
    view = view_of(region)
    rng = np.random.default_rng(2)
    west, south, east, north = region.box
    longitude = rng.uniform(west, east, 3000)
    latitude = np.clip(rng.uniform(south, north, 3000), -89.5, 89.5)
    expected = on_land(longitude, latitude, scale=view.scale)
    rings = view.land_paths()
    x, y = view.project(longitude, latitude)
    winding = np.zeros(3000, dtype=int)
    for ring in rings:
        turns = np.sign(np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]))
        winding += turns.astype(int) * Outline(ring).contains_points(np.column_stack([x, y]))
    assert np.mean((winding != 0) == expected) > 0.995
    assert compound_path(rings).codes is not None


def test_lines_do_not_leap_over_the_map() -> None:
    for region in REGIONS.values():
        view = view_of(region)
        size = view.bounds_km[1] - view.bounds_km[0]
        for line in [*view.lines("coastlines"), *view.lines("borders"), *view.graticule()[0]]:
            assert np.hypot(*np.diff(line, axis=0).T).max() < 0.1 * size


def test_degrees_have_names() -> None:
    names = {name: [tick.name for tick in view_of(region).graticule()[1]] for name, region in REGIONS.items()}
    assert {"75°E", "90°E", "105°E", "15°N", "30°N", "45°N"} <= set(names["box"])
    assert {"170°E", "180°", "170°W"} <= set(names["antimeridian"])
    assert {"0°", "90°E", "180°", "90°W", "70°S"} <= set(names["south"])
    assert {"0°", "60°N", "60°S", "120°W"} <= set(names["world"])


def colours(figure: object) -> int:
    """How many colours a figure has."""
    image = Image.open(io.BytesIO(render(figure, "png"))).convert("RGB")  # type: ignore[arg-type]
    return int(np.sum(np.bincount(np.asarray(image).reshape(-1, 3) @ np.array([65536, 256, 1])) > 0))


@pytest.mark.parametrize("name", ["antimeridian", "south", "world"])
def test_figures_are_drawn_without_a_warning(name: str) -> None:
    figure = field_figure(a_map(REGIONS[name]), error="panel", checks=name == "south")
    assert colours(figure) > 200
    assert [axes.get_title("left") for axes in figure.axes if axes.get_title("left")][:2] == [
        "Level",
        "Standard error",
    ]


def test_a_field_is_coloured_where_it_is_shown() -> None:
    """The share of the map in colour is that of the area within reach of a station."""
    region = CapRegion(-150, -20, 2000)  # open sea: no land or borders
    made = a_map(region, step_deg=0.5, mask_km=500.0)
    figure = field_figure(made, error="none", borders=False)
    image = Image.open(io.BytesIO(render(figure, "png"))).convert("RGB")
    place = figure.axes[0].get_position()
    size = np.array(image.size)
    low, high = (np.array(place.p0) * size).astype(int), (np.array(place.p1) * size).astype(int)
    pixels = np.asarray(image)[size[1] - high[1] : size[1] - low[1], low[0] : high[0]].astype(int)
    sea = np.all(np.abs(pixels - np.array([0xEE, 0xF2, 0xF5])) < 6, axis=2)
    view = view_of(region)
    left, right, bottom, top = view.bounds_km
    weight = np.cos(np.radians(made.grid.mesh()[1])) * (0.5 * np.pi / 180 * EARTH_RADIUS_KM) ** 2
    shown = float(np.sum(weight[made.shown])) / ((right - left) * (top - bottom))
    assert 1 - sea.mean() == pytest.approx(shown, abs=0.04)


def test_a_difference_has_zero_in_its_middle() -> None:
    made = a_map(REGIONS["antimeridian"], drift=3.0)
    figure = field_figure(made, centred=True, error="none")
    shades = figure.axes[0].collections
    bounds = next(
        each.norm.boundaries for each in shades if getattr(each.norm, "boundaries", None) is not None
    )
    assert bounds.tolist() == pytest.approx((-bounds[::-1]).tolist())
    assert 0 in bounds
    plain = field_figure(made, error="none")
    assert next(each.norm.vmin for each in plain.axes[0].collections if hasattr(each.norm, "boundaries")) > -3


def test_levels_and_names_can_be_given(tmp_path: Path) -> None:
    made = a_map(REGIONS["cap"])
    figure = field_figure(made, levels=[-1, 0, 1], names=True, title="Noise", error="hatch", width_mm=90)
    bar = next(axes for axes in figure.axes if axes.get_xlabel())
    assert [tick.get_text() for tick in bar.get_xticklabels()] == ["−1", "0", "1"]
    assert bar.get_xlabel() == "Level (dB)"
    assert {"S0", "S19"} <= {text.get_text() for text in figure.axes[0].texts}
    assert "Hatched: standard error above" in figure.texts[0].get_text().replace("\n", " ")
    save(figure, tmp_path / "map.svg")
    assert (tmp_path / "map.svg").stat().st_size < 2_000_000


def test_equal_values_are_drawn() -> None:
    given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [3.0, 3.0, 3.0])
    made = map_field(given, quantity="SNM", step_deg=0.5)
    figure = field_figure(made, checks=True, error="panel")
    assert colours(figure) > 20
    assert "Standard error" not in [axes.get_title("left") for axes in figure.axes]


def test_the_same_bytes() -> None:
    made = a_map(REGIONS["cap"])
    assert render(field_figure(made, error="hatch"), "svg") == render(
        field_figure(made, error="hatch"), "svg"
    )


def test_wrong_calls() -> None:
    made = a_map(REGIONS["cap"])
    with pytest.raises(ConfigError, match="shown as 'panel', 'hatch' or 'none', got 'colour'"):
        field_figure(made, error="colour")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="width_mm of a map should be at least 60, got 20"):
        field_figure(made, width_mm=20)
    with pytest.raises(ConfigError, match=r"levels of contours should be finite numbers, got \[nan\]"):
        field_figure(made, levels=[np.nan])


def test_maps_import_no_matplotlib() -> None:
    code = (
        "import sys, pipeline.maps.figures, pipeline.maps.files, pipeline.maps.geojson\n"
        "assert 'matplotlib' not in sys.modules\nassert 'xarray' not in sys.modules\n"
        "assert not [name for name in sys.modules if name.startswith('pipeline.noise')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
