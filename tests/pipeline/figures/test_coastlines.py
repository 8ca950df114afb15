"""Coastlines: areas that an atlas has, boxes over the antimeridian and at the poles, one small file."""

import importlib.util
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.figures import coastlines as module
from pipeline.figures.coastlines import Line, borders, check_box, coastlines, land, land_rings

ROOT = Path(__file__).parents[3]


def area_km2(rings: list[Line]) -> float:
    """Area on a sphere with the surface of the Earth."""
    total = 0.0
    for ring in rings:
        x, sine = np.radians(ring[:, 0]), np.sin(np.radians(ring[:, 1]))
        total -= float(np.sum(np.diff(x) * (sine[1:] + sine[:-1]) / 2))
    return total * 6371.0072**2


def test_area_of_all_land() -> None:
    # 148.9 million km² in atlases; less some 1.5 of ice shelves and inland waters that maps differ on
    assert area_km2(land()) == pytest.approx(147.5e6, rel=0.015)
    assert area_km2(land(scale="110m")) == pytest.approx(area_km2(land()), rel=0.01)


@pytest.mark.parametrize(
    ("box", "million_km2"),
    [
        ((112, -40, 155, -10), 7.66),  # Australia, with New Guinea's south coast
        ((-180, -90, 180, -60), 12.3),  # Antarctica without its ice shelves
        ((165, -48, 180, -34), 0.264),  # New Zealand's main islands
        ((-25, 63, -13, 67), 0.103),  # Iceland
    ],
)
def test_area_of_lands(box: module.Box, million_km2: float) -> None:
    assert area_km2(land(box)) == pytest.approx(million_km2 * 1e6, rel=0.02)


def test_caspian_sea_is_water() -> None:
    ocean = {ring.tobytes() for ring in land_rings(inland=False)}
    shores = [ring for ring in land_rings() if ring.tobytes() not in ocean]
    assert sum(area_km2([ring]) < 0 for ring in shores) == 1
    assert all(46 < ring[:, 0].mean() < 55 and 36 < ring[:, 1].mean() < 48 for ring in shores)
    # 371,000 km² at a level of −28 m, and more where the file has its older shore
    assert -area_km2(shores) == pytest.approx(0.385e6, rel=0.05)


@pytest.mark.parametrize("scale", ["50m", "110m"])
def test_rings_are_closed_and_run_on(scale: module.Scale) -> None:
    around = []
    for ring in land_rings(scale=scale):
        assert np.abs(np.diff(ring, axis=0)).max() <= 1.01
        assert not ring.flags.writeable
        turn = ring[-1] - ring[0]
        assert turn[1] == pytest.approx(0, abs=1e-9)
        around.append(round(float(turn[0]), 6))
    assert sorted(set(around)) == [-360.0, 0.0]
    assert around.count(-360.0) == 1  # Antarctica


def test_a_box_over_the_antimeridian_is_the_sum_of_its_parts() -> None:
    whole = area_km2(land((170, 60, -160, 72)))
    parts = area_km2(land((170, 60, 180, 72))) + area_km2(land((-180, 60, -160, 72)))
    assert whole == pytest.approx(parts, rel=1e-9)
    lines = coastlines((170, 60, -160, 72))
    assert min(line[:, 0].min() for line in lines) >= 170
    assert max(line[:, 0].max() for line in lines) <= 200
    assert max(np.abs(np.diff(line[:, 0])).max() for line in lines) < 1.01  # no line across the map
    assert any((line[:, 0] < 179).any() and (line[:, 0] > 181).any() for line in lines)  # Chukotka runs on


def test_lines_end_at_the_box() -> None:
    box = (5.0, 43.0, 9.0, 46.0)
    for line in [*coastlines(box), *borders(box)]:
        assert np.all((line >= np.array(box[:2]) - 1e-9) & (line <= np.array(box[2:]) + 1e-9))
    ends = np.concatenate([line[[0, -1]] for line in borders(box)])
    assert np.isclose(ends[:, 1], 46.0).any()


def test_no_land_in_the_open_sea() -> None:
    assert land((-140, -30, -135, -28)) == []
    assert coastlines((-140, -60, -120, -30)) == []


def test_borders_part_countries() -> None:
    # The Rio Grande, and the 49th parallel, which is straight in latitude and not along a great circle.
    parallel = np.concatenate([line for line in borders((-120, 48, -100, 50)) if np.ptp(line[:, 0]) > 5])
    assert np.abs(parallel[:, 1] - 49).max() < 0.01
    assert not [line for line in borders((150, -50, 160, -20)) if len(line)]


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ((0, 10, 5, 10), "south below north, both within ±90, got 10.0 and 10.0"),
        ((0, -91, 5, 10), "got -91.0 and 10.0"),
        ((0, 0, float("nan"), 10), "west and east within ±180, got 0.0 and nan"),
        ((7, 0, 7, 10), "wider than nothing, got 7.0"),
    ],
)
def test_bad_boxes(box: module.Box, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        coastlines(box)


def test_bad_scale() -> None:
    with pytest.raises(ConfigError, match="scale of coastlines should be '50m' or '110m', got '10m'"):
        land(scale="10m")  # type: ignore[arg-type]


def test_box_of_more_than_a_turn() -> None:
    assert check_box((-180, -90, 180, 90)) == (-180, -90, 180, 90)
    assert check_box((0, 0, 360, 10))[2] == 360
    assert check_box((350, 0, 10, 10))[2] == 370


def test_the_file_is_small_says_its_source_and_comes_with_the_wheel() -> None:
    path = ROOT / "pipeline" / "figures" / "coastlines.npz"
    assert path.stat().st_size < 300_000
    with np.load(path, allow_pickle=False) as stored:
        assert "Natural Earth 4.1.0, public domain" in str(stored["source"])
    with zipfile.ZipFile(path) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a world-atlas of an island with a lake, an island in that, and one border."""
    spec = importlib.util.spec_from_file_location("coastlines_maker", ROOT / "docs" / "coastlines.py")
    assert spec is not None
    assert spec.loader is not None
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    arcs = [
        [[0, 0], [0, 10], [30, 0], [0, -10], [-30, 0]],
        [[8, 2], [4, 0], [0, 4], [-4, 0], [0, -4]],
        [[9, 3], [1, 1], [1, -1], [-2, 0]],  # an island in the lake
    ]
    about = {"type": "Topology", "transform": {"scale": [0.1, 0.1], "translate": [179, 10]}, "arcs": arcs}
    shape = {"type": "MultiPolygon", "arcs": [[[0], [1]], [[2]]]}
    countries = [{"type": "Polygon", "arcs": [[0]]}, {"type": "Polygon", "arcs": [[-1]]}]
    for scale in ("50m", "110m"):
        for name, objects in (("land", [shape]), ("countries", countries)):
            text = maker.json.dumps(about | {"objects": {name: {"geometries": objects}}})
            (tmp_path / f"{name}-{scale}.json").write_text(text)
    monkeypatch.setattr(maker, "OUT", tmp_path / "made.npz")
    monkeypatch.setattr(sys, "argv", ["coastlines.py", str(tmp_path)])
    maker.main()
    first = (tmp_path / "made.npz").read_bytes()
    maker.main()
    assert (tmp_path / "made.npz").read_bytes() == first
    with np.load(io.BytesIO(first)) as made:
        assert made["land_50m_inland"].tolist() == [False, True, True]
        assert made["borders_50m_points"].tolist() == [9]  # sides of 3° have points between
        steps = np.split(made["land_50m_steps"].T, [8, 12])
    assert steps[0].sum(axis=0).tolist() == steps[1].sum(axis=0).tolist() == [0, 0]
    assert steps[0][0].tolist() == [1000, 0]  # the island anticlockwise, land to the left
    assert steps[1][0].tolist() == [0, 400]  # the hole clockwise


def test_importing_does_not_load_the_file() -> None:
    code = "import pipeline.figures.coastlines as c; assert c._lines.cache_info().currsize == 0"
    subprocess.run([sys.executable, "-c", code], check=True)
