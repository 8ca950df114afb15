"""Variograms: valid on the sphere, found again where they are known, said where they are not."""

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.maps.fitting import (
    DEFAULT_NUGGET_SHARE,
    fit_variogram,
    plausible_variograms,
)
from pipeline.maps.observations import Observations, gather
from pipeline.maps.sphere import distances_km, unit_vectors
from pipeline.maps.variograms import Model, Variogram, empirical_variogram


def simulated(count: int, model: Variogram, seed: int = 0, *, error: float = 0.0) -> Observations:
    rng = np.random.default_rng(seed)
    longitude, latitude = rng.uniform(60, 140, count), rng.uniform(-20, 45, count)
    vectors = unit_vectors(longitude, latitude)
    covariance = model.between(distances_km(vectors, vectors), np.full(count, error))
    value = 10 + np.linalg.cholesky(covariance) @ rng.normal(size=count)
    return gather([f"S{i}" for i in range(count)], longitude, latitude, value, error=np.full(count, error))


@pytest.mark.parametrize("model", ["exponential", "spherical"])
@pytest.mark.parametrize("range_km", [300.0, 3000.0, 20_000.0])
def test_models_are_valid_on_the_whole_sphere(model: Model, range_km: float) -> None:
    """No combination of points has a variance below zero, not even of all the Earth."""
    k = np.arange(400) + 0.5
    vectors = unit_vectors(180 * (1 + 5**0.5) * k, np.degrees(np.arcsin(1 - 2 * k / 400)))
    covariance = Variogram(model=model, sill=1.0, range_km=range_km, nugget=0.0).covariance(
        distances_km(vectors, vectors)
    )
    assert np.linalg.eigvalsh(covariance).min() > -1e-9


def test_range_is_where_the_correlation_has_gone() -> None:
    for model, left in (("exponential", 0.05), ("spherical", 0.0)):
        found = Variogram(model=model, sill=2.0, range_km=700.0, nugget=1.0)  # type: ignore[arg-type]
        assert found.covariance(700.0) == pytest.approx(2 * left)
        assert found.gamma(700.0) == pytest.approx(3.0 - 2 * left)
        assert found.gamma([0.0, 1e-9]).tolist() == pytest.approx([0.0, 1.0])


def test_likelihood_is_that_of_a_normal_distribution() -> None:
    """Differences of deviance are those of densities of contrasts that know no mean."""
    import scipy.stats

    from pipeline.maps.fitting import _Likelihood

    truth = Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=1.0)
    given = simulated(25, truth, error=0.5)
    likelihood = _Likelihood(given, np.ones((25, 1)), "exponential")
    contrasts = np.diff(np.eye(25), axis=0)
    distance = distances_km(given.vectors, given.vectors)

    def density(model: Variogram) -> float:
        covariance = contrasts @ model.between(distance, given.error) @ contrasts.T
        return -2 * float(scipy.stats.multivariate_normal.logpdf(contrasts @ given.value, cov=covariance))

    others = [
        Variogram(model="exponential", sill=s, range_km=r, nugget=n)
        for s, r, n in ((4, 2000, 1), (2, 600, 3))
    ]
    square = likelihood.scale**2
    ours = [likelihood.deviance(each.sill / square, each.range_km, each.nugget / square) for each in others]
    assert ours[1] - ours[0] == pytest.approx(density(others[1]) - density(others[0]), abs=1e-6)


def test_parameters_are_found_again() -> None:
    truth = Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=1.0)
    found = [fit_variogram(simulated(150, truth, seed)) for seed in range(8)]
    assert np.median([each.range_km for each in found]) == pytest.approx(2000, rel=0.3)
    assert np.median([each.sill for each in found]) == pytest.approx(4.0, rel=0.25)
    assert np.median([each.nugget for each in found]) == pytest.approx(1.0, rel=0.3)
    assert all(each.stations == 150 for each in found)


def test_many_stations_are_fitted_in_blocks() -> None:
    truth = Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=1.0)
    found = fit_variogram(simulated(900, truth, 3))
    assert found.sill == pytest.approx(4.0, rel=0.3)
    assert found.nugget == pytest.approx(1.0, rel=0.15)
    assert len(plausible_variograms(simulated(151, truth), found)) == 1


def test_known_errors_are_not_nugget() -> None:
    truth = Variogram(model="exponential", sill=4.0, range_km=3000.0, nugget=0.0)
    given = [simulated(100, truth, seed, error=1.0) for seed in range(5)]
    assert np.median([fit_variogram(each).nugget for each in given]) < 0.5
    blind = [gather(o.names, o.longitude_deg, o.latitude_deg, o.value) for o in given]
    assert np.median([fit_variogram(each).nugget for each in blind]) > 0.8


def test_units_and_offsets_do_not_matter() -> None:
    given = simulated(30, Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=1.0))
    scaled = gather(given.names, given.longitude_deg, given.latitude_deg, 1e-6 * given.value - 3)
    one, other = fit_variogram(given), fit_variogram(scaled)
    assert other.range_km == pytest.approx(one.range_km, rel=1e-3)
    assert other.sill == pytest.approx(1e-12 * one.sill, rel=1e-2)


def test_a_drift_is_not_variance() -> None:
    rng = np.random.default_rng(0)
    longitude, latitude = rng.uniform(60, 140, 40), rng.uniform(-20, 45, 40)
    given = gather([f"S{i}" for i in range(40)], longitude, latitude, 3 * latitude + rng.normal(0, 0.5, 40))
    design = np.column_stack([np.ones(40), latitude])
    found = fit_variogram(given, design=design)
    assert found.sill + found.nugget == pytest.approx(0.25, rel=0.5)
    assert fit_variogram(given).sill > 100


@pytest.mark.parametrize("count", [3, 5, 9])
def test_few_stations_have_the_range_that_is_given(count: int) -> None:
    given = simulated(count, Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=1.0))
    found = fit_variogram(given, default_range_km=700)
    assert found.range_km == pytest.approx(700)
    assert found.nugget / (found.sill + found.nugget) == pytest.approx(DEFAULT_NUGGET_SHARE)
    assert found.reason == (
        f"the range is taken as 700 km and the nugget as 0.25 of the variance: {count} stations"
        " are too few to fit them"
    )
    assert [each.variogram for each in plausible_variograms(given, found)] == [found]


def test_the_variance_of_few_stations_is_theirs() -> None:
    """Of stations so far apart that nothing is shared, it is the sample's."""
    given = gather(list("abcd"), [0, 90, 180, -90], [0, 0, 0, 0], [1.0, 3.0, 4.0, 8.0])
    found = fit_variogram(given)
    assert found.sill + found.nugget == pytest.approx(np.var(given.value, ddof=1), rel=1e-3)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_are_no_map(count: int) -> None:
    given = gather(["a", "b"][:count], [1, 2][:count], [1, 2][:count], [1, 2][:count])
    names = ["none", "a", "a, b"][count]
    with pytest.raises(ConfigError, match=f"a map needs at least 3 stations, got {count}: {names}"):
        fit_variogram(given)


def test_equal_values_have_no_variance() -> None:
    given = gather([f"S{i}" for i in range(12)], np.arange(12), np.arange(12) % 5, np.full(12, -123.4))
    found = fit_variogram(given)
    assert (found.sill, found.nugget) == (0.0, 0.0)
    assert found.reason == "all values are equal, or all of them drift: there is no variance to fit"
    assert len(plausible_variograms(given, found)) == 1


def test_noise_alone_is_said() -> None:
    rng = np.random.default_rng(4)
    reasons = []
    for _ in range(5):
        longitude, latitude = rng.uniform(60, 140, 60), rng.uniform(-20, 45, 60)
        reasons.append(
            fit_variogram(
                gather([f"S{i}" for i in range(60)], longitude, latitude, rng.normal(size=60))
            ).reason
        )
    assert "neighbours are no more alike than distant stations: no field is seen" in reasons


def test_all_stations_at_one_place() -> None:
    given = gather([f"S{i}" for i in range(12)], np.full(12, 5.0), np.full(12, 6.0), np.arange(12.0))
    found = fit_variogram(given)
    assert found.sill + found.nugget > 1
    assert found.reason.endswith("12 stations at 1 places are too few to fit them")
    assert plausible_variograms(given, found)[0].variogram == found


def test_weights_are_shares() -> None:
    given = simulated(30, Variogram(model="exponential", sill=4.0, range_km=2000.0, nugget=1.0))
    found = plausible_variograms(given, fit_variogram(given))
    assert sum(each.weight for each in found) == pytest.approx(1.0)
    assert min(each.weight for each in found) >= 0.02 * max(each.weight for each in found)
    assert found == plausible_variograms(given, fit_variogram(given))


def test_empirical_is_half_the_mean_square_for_normal_values() -> None:
    rng = np.random.default_rng(5)
    given = gather(
        [f"S{i}" for i in range(300)], rng.uniform(0, 90, 300), rng.uniform(0, 60, 300), rng.normal(0, 2, 300)
    )
    found = empirical_variogram(given, classes=4)
    assert found.gamma == pytest.approx(np.full(4, 4.0), rel=0.1)
    assert np.ptp(found.pairs) <= 1
    spoiled = gather(
        given.names, given.longitude_deg, given.latitude_deg, np.where(np.arange(300) == 7, 200, given.value)
    )
    assert empirical_variogram(spoiled, classes=4).gamma == pytest.approx(np.full(4, 4.0), rel=0.35)


def test_empirical_of_two_stations() -> None:
    found = empirical_variogram(gather(["a", "b"], [0, 1], [0, 0], [1.0, 3.0]))
    assert found.pairs.tolist() == [1]
    assert found.distance_km[0] == pytest.approx(111.195, abs=1e-3)
    assert found.gamma[0] == pytest.approx(4 / (2 * 0.996))
    with pytest.raises(ConfigError, match="a variogram needs 2 stations and 1 class, got 1 and 12"):
        empirical_variogram(gather(["a"], [0], [0], [1.0]))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"model": "gaussian"}, "should be one of exponential, spherical, got 'gaussian'"),
        ({"sill": -1.0}, "sill of a variogram should be a number from 0, got -1.0"),
        ({"nugget": float("nan")}, "nugget of a variogram should be a number from 0, got nan"),
        ({"range_km": 0.0}, "range_km of a variogram should be above 0, up to 20015, got 0.0"),
        ({"range_km": 30_000.0}, "got 30000.0"),
    ],
)
def test_bad_variograms(wrong: dict[str, object], says: str) -> None:
    right: dict[str, object] = {"model": "spherical", "sill": 1.0, "range_km": 100.0, "nugget": 0.0}
    with pytest.raises(ConfigError, match=says):
        Variogram(**(right | wrong))  # type: ignore[arg-type]
