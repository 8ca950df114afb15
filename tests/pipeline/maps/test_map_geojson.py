"""GeoJSON as RFC 7946 has it: rings the right way round, nothing over the antimeridian, no NaN."""

import json

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.maps.contrasts import coast_contrast
from pipeline.maps.fields import FieldMap, map_field
from pipeline.maps.geojson import (
    contour_bands,
    contour_levels,
    contour_lines,
    contrast_rows,
    station_points,
    to_json,
)
from pipeline.maps.observations import gather
from pipeline.maps.regions import BoxRegion, CapRegion, Region
from pipeline.maps.sphere import distances_km, unit_vectors
from pipeline.maps.variograms import Variogram

MODEL = Variogram(model="exponential", sill=4.0, range_km=3000.0, nugget=0.0)


def pacific(region: Region | None = None, *, middle: float = 180.0) -> FieldMap:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-12, 12, 30), rng.uniform(-50, -30, 30)
    given = gather([f"S{i}" for i in range(30)], middle + x, y, 0.3 * x + rng.normal(0, 0.1, 30))
    region = region or BoxRegion(middle - 12, -50, (middle + 12 + 180) % 360 - 180, -30)
    return map_field(given, region, quantity="level", unit="dB", step_deg=0.7, variogram=MODEL, mask_km=900)


def polar() -> FieldMap:
    rng = np.random.default_rng(1)
    given = gather(
        [f"S{i}" for i in range(25)],
        rng.uniform(-180, 180, 25),
        90 - rng.uniform(2, 20, 25),
        rng.normal(size=25),
    )
    return map_field(
        given, CapRegion(0, 90, 2500), quantity="level", step_deg=1.0, variogram=MODEL, mask_km=5000
    )


def rings(features: list[dict[str, object]]) -> list[np.ndarray]:
    return [
        np.array(ring)
        for feature in features
        for part in feature["geometry"]["coordinates"]  # type: ignore[index]
        for ring in part
    ]


def turn(ring: np.ndarray) -> float:
    return float(np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]))


@pytest.mark.parametrize("made", [pacific(), polar()], ids=["pacific", "polar"])
def test_nothing_crosses_the_antimeridian(made: FieldMap) -> None:
    for feature in contour_lines(made):
        for line in feature["geometry"]["coordinates"]:
            assert np.abs(np.array(line)[:, 0]).max() <= 180
            assert np.abs(np.diff(np.array(line)[:, 0])).max() < 20
    for ring in rings(contour_bands(made)):
        assert np.abs(ring[:, 0]).max() <= 180
        assert np.abs(ring[:, 1]).max() <= 90
        inner = ~(np.abs(np.diff(ring[:, 0])) < 20)
        # Only along the pole's parallel may an edge be long: there it has no length.
        assert np.all(np.abs(ring[:-1][inner][:, 1]) > 88)


@pytest.mark.parametrize("made", [pacific(), polar()], ids=["pacific", "polar"])
def test_rings_are_closed_and_turn_as_they_should(made: FieldMap) -> None:
    bands = contour_bands(made)
    assert len(bands) > 3
    for feature in bands:
        for part in feature["geometry"]["coordinates"]:
            for number, ring in enumerate(np.array(each) for each in part):
                assert len(ring) >= 4
                assert ring[0].tolist() == ring[-1].tolist()
                assert (turn(ring - ring[0]) > 0) == (number == 0)


def test_bands_are_all_of_the_map() -> None:
    """Their areas on the sphere add up to that of a cap, holes and cuts and all."""
    made = polar()
    whole = np.where(made.grid.inside, 1.0, np.nan)
    area = 0.0
    for ring in rings(contour_bands(made)):
        x, sine = np.radians(ring[:, 0]), np.sin(np.radians(ring[:, 1]))
        area -= float(np.sum(np.diff(x) * (sine[1:] + sine[:-1]) / 2))
    low = np.radians(made.grid.latitude_deg[np.isfinite(whole).all(axis=1)].min())
    # Straight in longitude and latitude, edges near the rim lie a little off its parallel.
    assert area == pytest.approx(2 * np.pi * (1 - np.sin(low)), rel=0.01)


def test_a_map_over_the_antimeridian_is_one_elsewhere_cut_in_two() -> None:
    here, there = contour_bands(pacific()), contour_bands(pacific(middle=20.0))
    assert [each["properties"] for each in here] == [each["properties"] for each in there]
    areas = [[abs(sum(turn(ring) for ring in rings([each]))) for each in side] for side in (here, there)]
    assert areas[0] == pytest.approx(areas[1], rel=2e-2)


def test_lines_lie_at_their_level() -> None:
    """On a field that is the distance to a point, contours are circles."""
    made = pacific()
    longitude, latitude = made.grid.mesh()
    centre = unit_vectors([180.0], [-40.0])
    distance = distances_km(unit_vectors(longitude, latitude).reshape(-1, 3), centre).reshape(longitude.shape)
    object.__setattr__(made, "value", distance)
    features = contour_lines(made, levels=[300.0, 600.0])
    assert [each["properties"]["level"] for each in features] == [300.0, 600.0]
    for feature in features:
        assert len(feature["geometry"]["coordinates"]) >= 2  # cut in two
        points = np.concatenate([np.array(line) for line in feature["geometry"]["coordinates"]])
        found = distances_km(unit_vectors(*points.T), centre)
        assert found == pytest.approx(np.full_like(found, feature["properties"]["level"]), rel=0.02)
        assert {-180.0, 180.0} <= set(points[:, 0])


def test_levels_are_round_and_within() -> None:
    assert contour_levels([0.0, 1.0], most=5).tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert contour_levels([-0.31, 0.29], most=7).tolist() == [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2]
    assert contour_levels([1e-9, 9e-9], most=4).tolist() == pytest.approx([2e-9, 4e-9, 6e-9, 8e-9])
    assert len(contour_levels([np.nan])) == 0
    rng = np.random.default_rng(0)
    for _ in range(200):
        low, size = rng.normal(0, 100), 10 ** rng.uniform(-6, 6)
        found = contour_levels([low, low + size], most=8)
        assert 1 <= len(found) <= 8
        assert found.min() >= low - 1e-6 * size
        assert found.max() <= low + size * (1 + 1e-6)


def test_levels_that_are_no_numbers() -> None:
    with pytest.raises(ConfigError, match=r"levels of contours should be finite numbers, got \[1.0, nan\]"):
        contour_lines(pacific(), levels=[1.0, np.nan])


def test_stations_have_what_is_known_of_them() -> None:
    given = gather(
        list("abcd"), [179, 181, 180, 0], [0, 0, 2, 0], [1.0, 3.0, 5.0, np.nan], error=[0.1, 0, 0, 0]
    )
    made = map_field(given, quantity="level", unit="dB", step_deg=0.5)
    features = station_points(made)
    assert [each["properties"]["name"] for each in features] == list("abcd")
    assert features[1]["geometry"] == {"type": "Point", "coordinates": [-179.0, 0.0]}
    assert features[0]["properties"]["error"] == 0.1
    assert features[0]["properties"]["predicted_std_error"] > 0
    assert features[3] == {
        "type": "Feature",
        "geometry": None,
        "properties": {"name": "d", "reason": "its value is nan"},
    }
    read = json.loads(to_json(features, about={"quantity": "level"}))
    assert read == {"type": "FeatureCollection", "quantity": "level", "features": features}


def test_equal_values_have_one_band_and_no_contour() -> None:
    given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [3.0, 3.0, 3.0])
    made = map_field(given, quantity="level", step_deg=0.5)
    assert contour_lines(made) == []
    assert len(contour_bands(made)) == 1
    json.loads(to_json([*station_points(made), *contour_bands(made)]))


def test_contrasts_as_json() -> None:
    given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    rows = contrast_rows([coast_contrast(given, [500, 600, 700]), coast_contrast(given, [5, 6, 700])])
    assert rows[0]["difference"] is None
    assert "holds no station" in rows[0]["reason"]
    assert rows[1]["first_stations"] == 2
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
