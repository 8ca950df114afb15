"""Kriging against PyKrige and gstools, against what is known exactly, and against its own errors."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.maps.fitting import fit_variogram, plausible_variograms
from pipeline.maps.kriging import cross_validate, drift_residual, krige, krige_average, nearest_station_km
from pipeline.maps.observations import Observations, gather
from pipeline.maps.sphere import distances_km, unit_vectors
from pipeline.maps.variograms import Variogram, Weighted

_spec = importlib.util.spec_from_file_location("kriging_peers", Path(__file__).with_name("kriging_peers.py"))
assert _spec is not None
assert _spec.loader is not None
peers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(peers)

MODEL = Variogram(model="exponential", sill=peers.SILL, range_km=peers.RANGE_KM, nugget=peers.NUGGET)


def chinese(*, errors: bool) -> Observations:
    names = [f"S{i}" for i in range(len(peers.LON))]
    return gather(names, peers.LON, peers.LAT, peers.VALUE, error=peers.ERROR if errors else None)


def scattered(
    count: int, seed: int = 0, *, sill: float = 4.0, range_km: float = 1500.0, nugget: float = 0.5
) -> Observations:
    rng = np.random.default_rng(seed)
    longitude, latitude = rng.uniform(80, 120, count), rng.uniform(20, 45, count)
    vectors = unit_vectors(longitude, latitude)
    model = Variogram(model="exponential", sill=sill, range_km=range_km, nugget=nugget)
    covariance = model.between(distances_km(vectors, vectors), np.zeros(count))
    value = np.linalg.cholesky(covariance) @ rng.normal(size=count)
    return gather([f"S{i}" for i in range(count)], longitude, latitude, value)


# What kriging_peers.py printed, with PyKrige 1.7.3 and gstools 1.7.0.
PYKRIGE = (
    [2.204139533, 2.139631958, 2.151615197, 3.310067854],
    [1.446979972, 1.437527352, 1.094798685, 1.415903616],
)
GSTOOLS = (
    [2.204851890, 2.139278635, 1.382060308, 2.153505677, 3.298862993],
    [2.098110347, 2.074188530, 0.582543102, 1.203771103, 2.009238885],
)
GSTOOLS_DRIFT = (
    [1.877085928, 1.841608566, 1.341315415, 2.189269486, 4.460561215],
    [2.144630831, 2.112558094, 0.583261993, 1.204324968, 2.593629415],
)


def test_ordinary_kriging_is_pykrige_s() -> None:
    # At a station PyKrige repeats its value: the third point is one, and is left out.
    away = np.array([0, 1, 3, 4])
    found = krige(chinese(errors=False), MODEL, peers.TO_LON[away], peers.TO_LAT[away], with_nugget=True)
    np.testing.assert_allclose(found.value, PYKRIGE[0], atol=1e-8)
    np.testing.assert_allclose(found.std_error, PYKRIGE[1], atol=1e-8)


def test_errors_of_stations_and_a_drift_are_gstools_s() -> None:
    found = krige(chinese(errors=True), MODEL, peers.TO_LON, peers.TO_LAT, with_nugget=True)
    np.testing.assert_allclose(found.value, GSTOOLS[0], atol=1e-8)
    np.testing.assert_allclose(found.std_error**2, GSTOOLS[1], atol=1e-8)
    design = np.column_stack([np.ones(15), peers.COVARIATE])
    target = np.column_stack([np.ones(5), peers.TO_COVARIATE])
    found = krige(
        chinese(errors=True),
        MODEL,
        peers.TO_LON,
        peers.TO_LAT,
        design=design,
        target_design=target,
        with_nugget=True,
    )
    np.testing.assert_allclose(found.value, GSTOOLS_DRIFT[0], atol=1e-8)
    np.testing.assert_allclose(found.std_error**2, GSTOOLS_DRIFT[1], atol=1e-8)


def test_without_nugget_it_is_exact_at_stations() -> None:
    given, model = scattered(30), Variogram(model="spherical", sill=4.0, range_km=2000.0, nugget=0.0)
    found = krige(given, model, given.longitude_deg, given.latitude_deg)
    np.testing.assert_allclose(found.value, given.value, atol=1e-6)
    assert found.std_error.max() < 1e-3


def test_far_away_it_is_the_mean_with_the_error_of_both() -> None:
    given, model = scattered(30), Variogram(model="spherical", sill=4.0, range_km=1000.0, nugget=0.5)
    beta, residual = drift_residual(given, model)
    vectors = given.vectors
    weight = np.linalg.inv(model.between(distances_km(vectors, vectors), given.error))
    found = krige(given, model, [-60.0], [-40.0])
    assert found.value[0] == pytest.approx(beta[0])
    assert found.std_error[0] ** 2 == pytest.approx(4.0 + 1 / weight.sum())
    assert residual == pytest.approx(given.value - beta[0])
    near = krige(given, model, given.longitude_deg + 0.01, given.latitude_deg)
    assert near.std_error.max() < found.std_error[0]


@settings(max_examples=20, deadline=None)
@given(st.floats(-360, 360), st.floats(-80, 80), st.floats(-180, 180))
def test_turning_the_earth_changes_nothing(east: float, tip: float, spin: float) -> None:
    given, model = scattered(20), Variogram(model="exponential", sill=4.0, range_km=1500.0, nugget=0.5)
    targets = unit_vectors([90.0, 100.0, 140.0], [30.0, 25.0, -10.0])
    a, b, c = np.radians([east, tip, spin])
    turn = (
        np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
        @ np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        @ np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    )

    def places(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y, z = (vectors @ turn.T).T
        return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))

    moved = gather(given.names, *places(given.vectors), given.value)
    before = krige(given, model, [90.0, 100.0, 140.0], [30.0, 25.0, -10.0])
    after = krige(moved, model, *places(targets))
    np.testing.assert_allclose(after.value, before.value, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(after.std_error, before.std_error, rtol=1e-6)


def test_two_stations_at_one_place_are_one_of_their_mean() -> None:
    single = gather(["a", "b", "c", "d"], [0, 5, 10, 3], [0, 2, 1, 6], [1.0, 4.0, 2.0, 3.0])
    double = gather(["a", "b", "b2", "c", "d"], [0, 5, 5, 10, 3], [0, 2, 2, 1, 6], [1.0, 3.0, 5.0, 2.0, 3.0])
    model = Variogram(model="exponential", sill=4.0, range_km=800.0, nugget=0.0)
    one = krige(single.select([0, 1, 2, 3]), model, [4.0, 5.0], [3.0, 2.0])
    two = krige(double, model, [4.0, 5.0], [3.0, 2.0])
    np.testing.assert_allclose(two.value, one.value, atol=1e-5)  # with no nugget at all
    model = Variogram(model="exponential", sill=4.0, range_km=800.0, nugget=1.0)
    halved = gather(
        ["a", "b", "c", "d"], [0, 5, 10, 3], [0, 2, 1, 6], [1, 4, 2, 3.0], error=[1, 0.5**0.5, 1, 1]
    )
    one = krige(halved, Variogram(model="exponential", sill=4.0, range_km=800.0, nugget=0.0), [4.0], [3.0])
    two = krige(double, model, [4.0], [3.0])
    assert two.value == pytest.approx(one.value, abs=1e-6)
    assert two.std_error == pytest.approx(one.std_error, abs=1e-6)


def test_cross_validation_is_leaving_out_one_by_one() -> None:
    given = scattered(25)
    design = np.column_stack([np.ones(25), given.latitude_deg])
    found = cross_validate(given, MODEL, design=design)
    for i in (0, 7, 24):
        others = np.arange(25) != i
        alone = krige(
            given.select(others),
            MODEL,
            given.longitude_deg[[i]],
            given.latitude_deg[[i]],
            design=design[others],
            target_design=design[[i]],
            with_nugget=True,
        )
        assert found.predicted[i] == pytest.approx(alone.value[0], abs=1e-6)
        assert found.std_error[i] == pytest.approx(alone.std_error[0], abs=1e-6)
    error = found.predicted - given.value
    assert found.rms_error == pytest.approx(np.sqrt(np.mean(error**2)))
    assert found.mean_error == pytest.approx(error.mean())
    assert found.within_95 == np.mean(np.abs(error) <= 1.96 * found.std_error)


def test_errors_hold_what_they_say() -> None:
    """Of intervals of 95 %, as many hold what a new station shows; test_map_coverage.py has more of this."""
    field, station, alone = [], [], []
    for seed in range(12):
        whole = scattered(70, seed, nugget=1.0)
        rng = np.random.default_rng(seed + 1000)
        own = rng.normal(0, 0.3, 70)
        given = whole.select(np.arange(30))
        given = gather(
            given.names,
            given.longitude_deg,
            given.latitude_deg,
            given.value + own[:30],
            error=np.full(30, 0.3),
        )
        best = fit_variogram(given)
        targets = (whole.longitude_deg[30:], whole.latitude_deg[30:])
        found = krige_average(given, plausible_variograms(given, best), *targets, with_nugget=True)
        station.append(np.abs(found.value - whole.value[30:]) <= 1.96 * found.std_error)
        taken = krige(given, best, *targets, with_nugget=True)
        alone.append(np.abs(taken.value - whole.value[30:]) <= 1.96 * taken.std_error)
        field.append(found.std_error)
    assert 0.92 <= np.mean(station) <= 0.98
    assert np.mean(alone) < np.mean(station)


def test_an_average_of_one_is_that_one() -> None:
    given = scattered(12)
    alone = krige(given, MODEL, [90.0, 95.0], [30.0, 31.0])
    found = krige_average(given, [Weighted(0.25, MODEL), Weighted(0.75, MODEL)], [90.0, 95.0], [30.0, 31.0])
    np.testing.assert_allclose(found.value, alone.value)
    np.testing.assert_allclose(found.std_error, alone.std_error)


def test_slices_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    given, rng = scattered(12), np.random.default_rng(0)
    targets = rng.uniform(80, 120, 100), rng.uniform(20, 45, 100)
    whole = krige(given, MODEL, *targets)
    monkeypatch.setattr("pipeline.maps.kriging._SLICE", 7)
    parts = krige(given, MODEL, *targets)
    np.testing.assert_allclose(parts.value, whole.value, rtol=1e-12)
    np.testing.assert_allclose(parts.std_error, whole.std_error, rtol=1e-12)


def test_no_variance_is_no_error_to_give() -> None:
    flat = gather(list("abc"), [0, 1, 2], [0, 1, 0], [2.0, 2.0, 2.0])
    found = krige(flat, fit_variogram(flat), [5.0], [5.0])
    assert found.value.tolist() == pytest.approx([2.0])
    assert np.isnan(found.std_error).all()
    known = gather(list("abc"), [0, 1, 2], [0, 1, 0], [2.0, 2.0, 2.0], error=[0.3, 0.3, 0.3])
    assert krige(known, fit_variogram(known), [5.0], [5.0]).std_error[0] == pytest.approx(0.3 / 3**0.5)
    with pytest.raises(ConfigError, match="cross-validation needs a variance and 3 stations, got 0 and 3"):
        cross_validate(flat, fit_variogram(flat))


def test_drifts_that_do_not_fit() -> None:
    given = scattered(5)
    with pytest.raises(ConfigError, match="at the stations and at the points, or at neither"):
        krige(given, MODEL, [1.0], [1.0], design=np.ones((5, 1)))
    with pytest.raises(ConfigError, match="the drift at 2 points should have as many finite rows of 1 terms"):
        krige(given, MODEL, [1.0, 2.0], [1.0, 2.0], design=np.ones((5, 1)), target_design=np.ones((3, 1)))
    with pytest.raises(ConfigError, match="a drift of 2 terms can't be told apart at these 5 stations"):
        krige(given, MODEL, [1.0], [1.0], design=np.ones((5, 2)), target_design=np.ones((1, 2)))
    with pytest.raises(ConfigError, match="a drift should have a finite row for each of 5 stations"):
        krige(given, MODEL, [1.0], [1.0], design=np.full((5, 1), np.nan), target_design=np.ones((1, 1)))


def test_nearest_station() -> None:
    given = gather(["a", "b"], [179, -179], [0, 0], [1, 2])
    found = nearest_station_km(given, [[180.0, -178.0]], [[0.0, 0.0]])
    assert found == pytest.approx(np.array([[111.195, 111.195]]), abs=1e-2)


def test_inputs_are_not_changed() -> None:
    given = scattered(12)
    for array in (given.longitude_deg, given.latitude_deg, given.value, given.error):
        array.flags.writeable = False
    targets = np.array([90.0, 91.0])
    targets.flags.writeable = False
    krige_average(given, plausible_variograms(given, fit_variogram(given)), targets, targets - 60)
    cross_validate(given, MODEL)
