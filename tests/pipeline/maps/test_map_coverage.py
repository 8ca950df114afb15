"""
How often intervals of 95 % hold what they should, over many simulated networks: the table of docs/maps.md.

    pytest -m slow -s tests/pipeline/maps/test_map_coverage.py
"""

import numpy as np
import pytest

from pipeline.maps.coasts import coast_covariate, coast_distance_km, on_land
from pipeline.maps.contrasts import contrast
from pipeline.maps.fitting import fit_variogram, plausible_variograms
from pipeline.maps.kriging import cross_validate, krige, krige_average
from pipeline.maps.observations import gather
from pipeline.maps.sphere import distances_km, unit_vectors
from pipeline.maps.variograms import Model, Variogram

NETWORKS, TARGETS = 100, 60


def places(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places on land, evenly over mainland China and around it."""
    sine = rng.uniform(np.sin(np.radians(20)), np.sin(np.radians(48)), 4 * count)
    longitude, latitude = rng.uniform(78, 122, 4 * count), np.degrees(np.arcsin(sine))
    land = np.flatnonzero(on_land(longitude, latitude))[:count]
    return longitude[land], latitude[land]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stations", "range_km", "sill", "nugget", "error", "coast", "truth"),
    [
        (15, 1500, 4.0, 1.0, 0.3, False, "exponential"),
        (30, 1500, 4.0, 1.0, 0.3, False, "exponential"),
        (30, 1500, 4.0, 1.0, 0.3, True, "exponential"),
        (60, 1500, 4.0, 1.0, 0.3, True, "exponential"),
        (120, 1500, 4.0, 1.0, 0.3, True, "exponential"),
        (200, 1500, 4.0, 1.0, 0.3, True, "exponential"),
        (30, 1500, 4.0, 0.0, 0.0, False, "exponential"),
        (30, 600, 4.0, 1.0, 0.0, False, "exponential"),
        (30, 4000, 4.0, 0.3, 0.0, False, "exponential"),
        (30, 1500, 1.0, 1.0, 0.5, False, "exponential"),
        (30, 1500, 4.0, 1.0, 0.3, False, "spherical"),
    ],
)
def test_coverage(
    stations: int, range_km: float, sill: float, nugget: float, error: float, coast: bool, truth: Model
) -> None:
    held: dict[str, list[float]] = {
        name: [] for name in ("field", "station", "alone", "left out", "contrast")
    }
    model = Variogram(model=truth, sill=sill, range_km=range_km, nugget=0.0)
    for seed in range(NETWORKS):
        rng = np.random.default_rng(seed)
        longitude, latitude = places(stations + TARGETS, rng)
        vectors = unit_vectors(longitude, latitude)
        covariance = model.between(distances_km(vectors, vectors), np.zeros(len(vectors)))
        field = np.linalg.cholesky(covariance) @ rng.normal(size=len(vectors))
        design = np.ones((len(vectors), 1))
        if coast:
            covariate = coast_covariate(coast_distance_km(longitude, latitude))
            field += 5 - 2 * covariate
            design = np.column_stack([design, covariate])
        shown = field + rng.normal(size=len(vectors)) * np.hypot(np.sqrt(nugget), error)
        names = [f"S{i}" for i in range(stations)]
        here, there = np.arange(stations), np.arange(stations, len(vectors))
        errors = np.full(stations, error)
        given = gather(names, longitude[here], latitude[here], shown[here], error=errors)
        best = fit_variogram(given, design=design[here])
        plausible = plausible_variograms(given, best, design=design[here])
        points = longitude[there], latitude[there]
        drift = {"design": design[here], "target_design": design[there]}
        found = krige_average(given, plausible, *points, **drift)
        held["field"].append(float(np.mean(np.abs(found.value - field[there]) <= 1.96 * found.std_error)))
        found = krige_average(given, plausible, *points, with_nugget=True, **drift)
        wide = 1.96 * np.hypot(found.std_error, error)
        held["station"].append(float(np.mean(np.abs(found.value - shown[there]) <= wide)))
        found = krige(given, best, *points, **drift)
        held["alone"].append(float(np.mean(np.abs(found.value - field[there]) <= 1.96 * found.std_error)))
        held["left out"].append(cross_validate(given, best, design=design[here]).within_95)
        if not coast:
            west = given.longitude_deg < 100
            seen = contrast(given, west, ~west)
            held["contrast"].append(float(seen.low <= 0 <= seen.high))
    means = {name: round(100 * float(np.mean(each)), 1) for name, each in held.items() if each}
    print(stations, range_km, sill, nugget, error, coast, truth, means)
    assert 92.5 <= means["station"] <= 97.5  # the mean of 100 networks is good to 0.7 %
    assert 90.0 <= means["field"] <= 98.5
    assert means["alone"] <= means["field"] + 0.1
    assert means.get("contrast", 95.0) >= 82.0
