"""Contrasts: what they are for independent stations, what neighbours cost, why there is none."""

import json

import numpy as np
import pytest
import scipy.stats

from pipeline.errors import ConfigError
from pipeline.maps.contrasts import coast_contrast, contrast, polygon_contrasts
from pipeline.maps.observations import Observations, gather
from pipeline.maps.polygons import Polygon, read_polygons
from pipeline.maps.sphere import distances_km, unit_vectors
from pipeline.maps.variograms import Variogram

FLAT = Variogram(model="exponential", sill=0.0, range_km=100.0, nugget=0.25)


def two_groups(seed: int, model: Variogram, difference: float = 2.0) -> tuple[Observations, np.ndarray]:
    """Stations of a field, those in the east higher."""
    rng = np.random.default_rng(seed)
    longitude, latitude = rng.uniform(80, 120, 40), rng.uniform(20, 45, 40)
    vectors = unit_vectors(longitude, latitude)
    lower = np.linalg.cholesky(model.between(distances_km(vectors, vectors), np.zeros(40)))
    east = longitude > 100
    value = difference * east + lower @ rng.normal(size=40)
    return gather([f"S{i}" for i in range(40)], longitude, latitude, value), east


def test_independent_stations_have_the_difference_of_means() -> None:
    given, east = two_groups(0, FLAT)
    found = contrast(given, east, ~east, names=("east", "west"), variogram=FLAT)
    assert found.difference == pytest.approx(given.value[east].mean() - given.value[~east].mean())
    assert found.std_error == pytest.approx(0.5 * np.sqrt(1 / east.sum() + 1 / (~east).sum()), rel=1e-6)
    assert (found.first_stations, found.second_stations) == (east.sum(), (~east).sum())
    welch = scipy.stats.ttest_ind(given.value[east], given.value[~east], equal_var=False)
    assert found.plain_difference == pytest.approx(found.difference)
    assert found.plain_difference / found.plain_std_error == pytest.approx(welch.statistic)
    assert found.plain_degrees == pytest.approx(welch.df)
    half = scipy.stats.t.ppf(0.975, 38) * found.std_error
    assert (found.low, found.high) == pytest.approx((found.difference - half, found.difference + half))


def test_neighbours_count_for_less() -> None:
    """Of intervals of 95 %, those by generalised least squares hold the truth, and Welch's do not."""
    model = Variogram(model="exponential", sill=4.0, range_km=2500.0, nugget=0.2)
    ours, plain, wider = [], [], []
    for seed in range(16):
        given, east = two_groups(seed, model)
        found = contrast(given, east, ~east)
        ours.append(found.low <= 2.0 <= found.high)
        half = scipy.stats.t.ppf(0.975, found.plain_degrees) * found.plain_std_error
        plain.append(abs(found.plain_difference - 2.0) <= half)
        wider.append(found.std_error > found.plain_std_error)
    assert np.mean(ours) >= 0.87
    assert np.mean(plain) < 0.8
    assert np.mean(wider) > 0.9


def test_coast_and_interior() -> None:
    given, east = two_groups(1, FLAT)
    found = coast_contrast(given, np.where(east, 150.0, 700.0))
    assert (found.first, found.second) == ("coast (within 200 km)", "interior")
    assert found.difference == pytest.approx(2.0, abs=0.5)
    assert found.variogram is not None
    assert coast_contrast(given, np.where(east, -20.0, 700.0), within_km=50).first_stations == east.sum()
    with pytest.raises(ConfigError, match="within_km of the coast should be a finite number above 0, got 0"):
        coast_contrast(given, np.zeros(40), within_km=0)


def test_reasons() -> None:
    given, east = two_groups(2, FLAT)
    none, all_ = np.zeros(40, bool), np.ones(40, bool)
    found = contrast(given, none, ~east, names=("sea", "west"))
    assert found.reason == "'sea' holds no station"
    assert np.isnan([found.difference, found.std_error, found.low, found.plain_difference]).all()
    assert contrast(given, none, none).reason == "'first' and 'second' hold no station"
    found = contrast(given, east, all_, variogram=FLAT)
    assert found.reason == f"'first' holds no station; {east.sum()} stations are in both and count in neither"
    two = np.zeros(40, bool)
    two[:2] = True
    found = contrast(given, two & (np.arange(40) == 0), two & (np.arange(40) == 1))
    assert found.reason == "2 stations are too few for errors: at least 3 are needed"
    assert found.plain_difference == pytest.approx(given.value[0] - given.value[1])
    assert np.isnan(found.plain_std_error)


def test_few_stations_say_so() -> None:
    given, east = two_groups(3, FLAT)
    chosen = given.select(np.concatenate([np.flatnonzero(east)[:2], np.flatnonzero(~east)[:2]]))
    found = contrast(chosen, [True, True, False, False], [False, False, True, True])
    assert "4 stations are too few to fit them" in found.reason
    assert found.low < found.difference < found.high


def test_equal_values_have_a_difference_without_an_error() -> None:
    given, east = two_groups(4, FLAT)
    flat = gather(given.names, given.longitude_deg, given.latitude_deg, np.full(40, 3.0))
    found = contrast(flat, east, ~east)
    assert found.plain_difference == 0
    assert np.isnan(found.std_error)
    assert found.reason == "all values are equal, or all of them drift: there is no variance to fit"


def test_masks_of_another_length() -> None:
    given, east = two_groups(5, FLAT)
    with pytest.raises(ConfigError, match="groups should have a value for each of 40 stations"):
        contrast(given, east[:-1], ~east)


def square(west: float, east: float) -> list[list[list[float]]]:
    return [[[west, -20], [east, -20], [east, 20], [west, 20], [west, -20]]]


def geojson(**features: object) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "properties": {"name": name}, "geometry": geometry}
                for name, geometry in features.items()
            ],
        }
    )


def one(kind: str, coordinates: object) -> str:
    return geojson(a={"type": kind, "coordinates": coordinates})


def test_polygons_by_name() -> None:
    text = geojson(
        a={"type": "Polygon", "coordinates": square(0, 10)},
        b={"type": "MultiPolygon", "coordinates": [square(20, 30), square(170, 180), square(-180, -170)]},
        empty={"type": "Polygon", "coordinates": square(100, 110)},
    )
    polygons = read_polygons(text)
    assert [each.name for each in polygons] == ["a", "b", "empty"]
    assert polygons[1].contains([25, 175, -175, 15, 180], [0, 0, 0, 0, 0]).tolist() == [
        True, True, True, False, True,
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    longitude = np.concatenate(
        [rng.uniform(0, 10, 8), rng.uniform(20, 30, 4), rng.uniform(170, 190, 4), [60]]
    )
    given = gather(
        [f"S{i}" for i in range(17)],
        longitude,
        rng.uniform(-20, 20, 17),
        np.arange(17) < 8,
        error=np.full(17, 0.1),
    )
    found = polygon_contrasts(given, polygons, variogram=FLAT)
    assert [(each.first, each.second) for each in found] == [("a", "b"), ("a", "empty"), ("b", "empty")]
    assert (found[0].first_stations, found[0].second_stations) == (8, 8)
    assert found[0].difference == pytest.approx(1.0)
    assert [each.reason for each in found[1:]] == ["'empty' holds no station"] * 2
    alone = polygon_contrasts(given, polygons[:1], variogram=FLAT)
    assert [(each.first, each.second, each.second_stations) for each in alone] == [("a", "outside a", 9)]


def test_holes_and_turns() -> None:
    ring = np.array(square(170, 200)[0], dtype=float)
    hole = np.array([[180, -5], [190, -5], [190, 5], [180, 5], [180, -5]], dtype=float)
    polygon = Polygon("ring", (ring, hole))
    assert polygon.contains([-175, -165, 175, -175], [0, 0, 0, 10]).tolist() == [False, True, True, True]
    polar = Polygon(
        "cap", (np.array([[-180, -90], [180, -90], [180, -60], [0, -60], [-180, -60], [-180, -90]], float),)
    )
    assert polar.contains([0, 90, -179, 0], [-70, -89.9, -61, -59]).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "regions.json: should be GeoJSON: "),
        ("[]", "should be a FeatureCollection or a Feature, got None"),
        ('{"type": "Point"}', "should be a FeatureCollection or a Feature, got 'Point'"),
        ('{"type": "FeatureCollection", "features": []}', "should hold a polygon, got none"),
        ('{"type": "Feature", "geometry": null}', "each feature should have a geometry"),
        (one("Point", [0, 0]), "'a' should be a Polygon or a MultiPolygon, got 'Point'"),
        (one("Polygon", None), "the coordinates of 'a' should be rings"),
        (one("Polygon", [[["x", 0]]]), "the coordinates of 'a' should be rings"),
        (one("Polygon", [[[0, 0], [1, 0], [1, 1], [0, 1]]]), "the last like the first"),
        (one("Polygon", square(0, 400)), "'a' should lie within longitudes ±360"),
        (one("Polygon", square(-170, 170)), "over more than 180° of longitude"),
        (
            '{"type": "Feature", "properties": {}, "geometry": {"type": "Polygon"}}',
            "each polygon should have a property 'name', got ",
        ),
    ],
)  # fmt: skip
def test_bad_polygons(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_polygons(text, where="regions.json")
