"""
Variograms from values at stations: the most likely one, and all that are likely.

The restricted likelihood (Patterson & Thompson 1971) takes the drift into account and needs no bins: with 10
to 60 stations an empirical variogram has few pairs at short distances, its classes share stations, and a fit
to it depends on them.

So few stations hardly tell the nugget from the field, nor the range from the variance. Errors of a map that
takes the most likely variogram for the true one are too small: of its intervals of 95 %, 79 to 94 % held what
they should (docs/maps.md). `plausible_variograms` gives a set with weights, over which a map is averaged.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import scipy.linalg
import scipy.optimize
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from pipeline.errors import ConfigError
from pipeline.maps.observations import Observations
from pipeline.maps.sphere import EARTH_RADIUS_KM, chord_km, distances_km
from pipeline.maps.variograms import Model, Variogram, Weighted

__all__ = [
    "DEFAULT_NUGGET_SHARE",
    "DEFAULT_RANGE_KM",
    "FEWEST_TO_FIT",
    "FEWEST_TO_MAP",
    "MOST_TO_AVERAGE",
    "check_design",
    "fit_variogram",
    "one_thread",
    "plausible_variograms",
]

Array = NDArray[np.float64]

FEWEST_TO_MAP: Final = 3
FEWEST_TO_FIT: Final = 10
"""With fewer places the range is not fitted: its likelihood is all but flat."""
MOST_TO_AVERAGE: Final = 150
"""With more stations the most likely variogram is known well enough to be taken alone."""
DEFAULT_RANGE_KM: Final = 1000.0
DEFAULT_NUGGET_SHARE: Final = 0.25

_MOST_AT_ONCE: Final = 400
_NOTHING: Final = 1e-5
_STEPS: Final = 6
_LEAST_WEIGHT: Final = 0.03


def fit_variogram(
    observations: Observations,
    *,
    design: Array | None = None,
    model: Model = "exponential",
    default_range_km: float = DEFAULT_RANGE_KM,
) -> Variogram:
    """
    Fit a variogram by restricted maximum likelihood.

    Parameters
    ----------
    observations : Observations
        With their errors, which are known parts of the variance beside the nugget.
    design : ndarray, shape (stations, terms), optional
        Drift: a constant unless given.
    model : {"exponential", "spherical"}
    default_range_km : float
        Range of stations at fewer than 10 places, of which only the variance is then fitted, a quarter of it
        as nugget.

    Returns
    -------
    Variogram
        With a ``reason`` where something of it is not fitted.

    Raises
    ------
    ConfigError
        There are fewer than 3 stations, or no more than there are terms in the drift.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> few = gather(list("abcd"), [0, 1, 2, 3], [0, 2, 1, 0], [1.0, 2.0, 1.5, 2.5])
    >>> fit_variogram(few).reason
    'the range is taken as 1000 km and the nugget as 0.25 of the variance: 4 stations are too few to fit them'
    >>> fit_variogram(few.select([0, 1]))
    Traceback (most recent call last):
    pipeline.errors.ConfigError: a map needs at least 3 stations, got 2: a, b
    """
    count = len(observations)
    if count < FEWEST_TO_MAP:
        names = ", ".join(observations.names) or "none"
        raise ConfigError(f"a map needs at least {FEWEST_TO_MAP} stations, got {count}: {names}")
    terms = np.ones((count, 1)) if design is None else np.asarray(design, dtype=np.float64)
    check_design(terms, count)
    likelihood = _Likelihood(observations, terms, model)
    if likelihood.flat:
        return Variogram(
            model=model,
            sill=0.0,
            range_km=default_range_km,
            nugget=0.0,
            reason="all values are equal, or all of them drift: there is no variance to fit",
            stations=count,
        )
    with one_thread():
        if likelihood.places < FEWEST_TO_FIT:
            return likelihood.with_default_range(default_range_km)
        return likelihood.best()


def plausible_variograms(
    observations: Observations, best: Variogram, *, design: Array | None = None
) -> tuple[Weighted, ...]:
    """
    Return the variograms that are likely beside the most likely one, weighted.

    Parameters
    ----------
    observations : Observations
    best : Variogram
        What `fit_variogram` gave for the same stations and drift.
    design : ndarray, shape (stations, terms), optional
        Drift: a constant unless given.

    Returns
    -------
    tuple of Weighted
        Six ranges, evenly spaced in their logarithm between half a typical spacing and the largest distance
        of stations, times six shares of the nugget, denser towards none; each with the mean of the variances
        that are likely with it. Those with a weight of less than 3 % of the largest are left out. ``best``
        alone where its range was not fitted, and for more than 150 stations.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> places = np.random.default_rng(1).uniform(0, 20, (2, 30))
    >>> stations = gather([str(i) for i in range(30)], *places, places[0] + places[1])
    >>> found = plausible_variograms(stations, fit_variogram(stations))
    >>> len(found), round(sum(each.weight for each in found), 6)
    (2, 1.0)
    """
    count = len(observations)
    if count > MOST_TO_AVERAGE or best.sill + best.nugget == 0:
        return (Weighted(1.0, best),)
    terms = np.ones((count, 1)) if design is None else np.asarray(design, dtype=np.float64)
    check_design(terms, count)
    likelihood = _Likelihood(observations, terms, best.model)
    if likelihood.places < FEWEST_TO_FIT:
        return (Weighted(1.0, best),)
    shortest, longest = likelihood.bounds_km()
    shares = ((np.arange(_STEPS) + 0.5) / _STEPS) ** 2
    with one_thread():
        found = [
            likelihood.over_variances(float(range_km), float(share))
            for range_km in np.geomspace(shortest, longest, 2 * _STEPS + 1)[1::2]
            for share in shares
        ]
    weight = np.exp(-(np.array([each[0] for each in found]) - min(each[0] for each in found)) / 2)
    weight = np.where(weight >= _LEAST_WEIGHT * weight.max(), weight, 0.0)
    weight /= weight.sum()
    return tuple(Weighted(float(w), each[1]) for w, each in zip(weight, found, strict=True) if w > 0)


def check_design(design: Array, stations: int) -> None:
    """
    Refuse a drift whose terms stations can't tell apart.

    >>> check_design(np.ones((5, 2)), 5)
    Traceback (most recent call last):
    pipeline.errors.ConfigError: a drift of 2 terms can't be told apart at these 5 stations: ...
    """
    if design.ndim != 2 or len(design) != stations or not np.isfinite(design).all():
        raise ConfigError(
            f"a drift should have a finite row for each of {stations} stations, got {design.shape}"
        )
    terms = design.shape[1]
    scaled = design / np.maximum(np.linalg.norm(design, axis=0), 1e-300)
    if stations <= terms or np.linalg.matrix_rank(scaled, tol=1e-6) < terms:
        raise ConfigError(
            f"a drift of {terms} terms can't be told apart at these {stations} stations:"
            " it should have fewer terms, or the stations should differ in them"
        )


def one_thread() -> contextlib.AbstractContextManager[object]:
    """Return a context in which matrices are factored on one thread."""
    import threadpoolctl  # type: ignore[import-untyped]

    # Small ones on many threads wait for each other: 40 times as long on a busy machine.
    limits: contextlib.AbstractContextManager[object] = threadpoolctl.threadpool_limits(limits=1)
    return limits


class _Block(NamedTuple):
    """Stations whose likelihood is taken at once: their distances, an orthonormal drift, values, errors."""

    distance_km: Array
    terms: Array
    value: Array
    error: Array

    def whitened(self, trial: Variogram, error: Array) -> tuple[Array, Array]:
        """Return the drift and the values freed of their covariance, and the factor of that."""
        lower = scipy.linalg.cholesky(trial.between(self.distance_km, error), lower=True)
        columns = np.column_stack([self.terms, self.value])
        return scipy.linalg.solve_triangular(lower, columns, lower=True), lower

    def deviance(self, trial: Variogram) -> float:
        """Return −2 log restricted likelihood, but for a constant."""
        try:
            white, lower = self.whitened(trial, self.error)
        except scipy.linalg.LinAlgError:
            return 1e12
        terms, value = white[:, :-1], white[:, -1]
        inner = scipy.linalg.cholesky(terms.T @ terms, lower=True)
        explained = scipy.linalg.solve_triangular(inner, terms.T @ value, lower=True)
        logs = np.log(np.diag(lower)).sum() + np.log(np.diag(inner)).sum()
        return float(2 * logs + value @ value - explained @ explained)

    def quadratic(self, trial: Variogram) -> float:
        """Return the squares of the values less their drift, in units of a covariance without errors."""
        white, _ = self.whitened(trial, np.zeros_like(self.error))
        terms, value = white[:, :-1], white[:, -1]
        return float(np.sum((value - terms @ np.linalg.lstsq(terms, value, rcond=None)[0]) ** 2))


class _Likelihood:
    """
    The restricted likelihood of the parameters of a variogram, for values in units of their own spread.

    Beyond some hundreds of stations it is the product of those of compact blocks, and of a part of all
    stations that spans them: nearly as good, and a hundred times faster with a thousand stations.
    """

    def __init__(self, observations: Observations, design: Array, model: Model) -> None:
        basis = _basis(design)
        residual = observations.value - basis @ (basis.T @ observations.value)
        self.freedom = len(design) - design.shape[1]
        self.scale = float(np.sqrt(np.sum(residual**2) / self.freedom))
        self.flat = self.scale <= 1e-12 * max(float(np.abs(observations.value).max()), 1e-300)
        unit = 1.0 if self.flat else self.scale
        vectors = observations.vectors
        self.model, self.stations = model, len(design)
        self.places, self.nearest_km, self.longest_km = _spacings(vectors)
        self.blocks = [
            _Block(
                distances_km(vectors[at], vectors[at]),
                _basis(design[at]),
                residual[at] / unit,
                observations.error[at] / unit,
            )
            for at in _split(vectors)
        ]
        self.mean_square_error = float(np.mean(observations.error**2)) / unit**2

    def best(self) -> Variogram:
        """Return the most likely parameters: from the best of a coarse grid, downhill."""
        shortest, longest = self.bounds_km()
        starts = [
            np.array([math.log(sill), math.log(range_km), math.log(nugget)])
            for range_km in np.geomspace(shortest * 1.5, longest / 1.5, 6)
            for sill, nugget in ((0.95, 0.05), (0.7, 0.3), (0.3, 0.7))
        ]
        worth = [self(start) for start in starts]
        bounds = [(-14.0, 3.0), (math.log(shortest), math.log(longest)), (-14.0, 3.0)]
        found = scipy.optimize.minimize(
            self,
            starts[int(np.argmin(worth))],
            method="Nelder-Mead",
            bounds=bounds,
            options={"xatol": 2e-3, "fatol": 1e-4, "maxfev": 400},
        )
        fitted = self.variogram(found.x)
        if fitted.range_km >= 0.98 * longest:
            return replace(fitted, reason=f"the range is at its bound of {longest:.0f} km: it may be longer")
        if fitted.sill < 0.02 * (fitted.sill + fitted.nugget) or fitted.range_km <= 1.02 * shortest:
            return replace(
                fitted, reason="neighbours are no more alike than distant stations: no field is seen"
            )
        return fitted

    def with_default_range(self, range_km: float) -> Variogram:
        """Return the most likely variance for a range and a share of the nugget that are given."""
        share = DEFAULT_NUGGET_SHARE

        def worth(log_variance: float) -> float:
            variance = math.exp(log_variance)
            return self.deviance((1 - share) * variance, range_km, share * variance)

        found = scipy.optimize.minimize_scalar(worth, bounds=(-14.0, 6.0), method="bounded")
        variance = math.exp(float(found.x))
        parameters = [math.log((1 - share) * variance), math.log(range_km), math.log(share * variance)]
        where = "" if self.places == self.stations else f" at {self.places} places"
        reason = (
            f"the range is taken as {range_km:g} km and the nugget as {share:g} of the variance:"
            f" {self.stations} stations{where} are too few to fit them"
        )
        return replace(self.variogram(np.array(parameters)), reason=reason)

    def bounds_km(self) -> tuple[float, float]:
        """Return the shortest range that can be seen, half a typical spacing, and the longest."""
        longest = min(max(self.longest_km, 4 * self.nearest_km), math.pi * EARTH_RADIUS_KM)
        return self.nearest_km / 2, longest

    def over_variances(self, range_km: float, share: float) -> tuple[float, Variogram]:
        """Return the deviance of a range and a share of the nugget whatever the variance, and their model."""
        unit = Variogram(model=self.model, sill=1 - share, range_km=range_km, nugget=share)
        quadratic = sum(block.quadratic(unit) for block in self.blocks)
        # Errors apart, the variance is that of inverse chi-squares around this one.
        middle = max(quadratic / self.freedom - self.mean_square_error, 0.05)
        width = 6 / math.sqrt(self.freedom)
        variances = middle * np.exp(np.linspace(-0.45 * width, 0.75 * width, 9))
        deviance = np.array([self.deviance((1 - share) * v, range_km, share * v) for v in variances])
        weight = np.exp(-(deviance - deviance.min()) / 2)
        # The sum stands for an integral over the logarithm, whose step is the same for all of a data set.
        total = float(deviance.min() - 2 * np.log(weight.sum()))
        variance = float(weight @ variances / weight.sum())
        return total, self.variogram(np.log([(1 - share) * variance, range_km, share * variance]))

    def variogram(self, parameters: Array) -> Variogram:
        """Return a variogram in the units of the values."""
        sill, range_km, nugget = np.exp(parameters)
        return Variogram(
            model=self.model,
            sill=float(sill * self.scale**2),
            range_km=float(range_km),
            nugget=float(nugget * self.scale**2) if nugget > _NOTHING else 0.0,
            stations=self.stations,
        )

    def __call__(self, parameters: Array) -> float:
        """Return the deviance of the logarithms of sill, range and nugget."""
        return self.deviance(*(float(each) for each in np.exp(parameters)))

    def deviance(self, sill: float, range_km: float, nugget: float) -> float:
        """Return −2 log restricted likelihood, but for a constant."""
        trial = Variogram(model=self.model, sill=sill, range_km=range_km, nugget=nugget)
        return sum(block.deviance(trial) for block in self.blocks)


def _basis(design: Array) -> Array:
    """Return orthonormal columns of the same span: their likelihood does not depend on the terms' units."""
    columns, size, _ = np.linalg.svd(
        design / np.linalg.norm(design, axis=0).clip(1e-300), full_matrices=False
    )
    return np.asarray(columns[:, size > 1e-6 * size[0]])


def _spacings(vectors: Array) -> tuple[int, float, float]:
    """Return how many places there are, their median distance to the nearest other one, and the largest."""
    places = np.unique(vectors, axis=0)
    if len(places) < 2:
        return len(places), 0.0, 0.0
    nearest = cKDTree(places).query(places, k=2)[0][:, 1]
    return len(places), float(chord_km(np.median(nearest))), float(distances_km(places, places).max())


def _split(vectors: Array) -> list[NDArray[np.int64]]:
    """Return blocks of stations, halved across their longest side, and beside them some of all."""
    whole = np.arange(len(vectors))
    if len(whole) <= _MOST_AT_ONCE:
        return [whole]
    blocks, waiting = [], [whole]
    while waiting:
        block = waiting.pop()
        if len(block) <= _MOST_AT_ONCE // 2:
            blocks.append(block)
            continue
        centred = vectors[block] - vectors[block].mean(axis=0)
        along = centred @ np.linalg.svd(centred, full_matrices=False)[2][0]
        order = block[np.argsort(along, kind="stable")]
        waiting += [order[: len(order) // 2], order[len(order) // 2 :]]
    by_block = np.concatenate(blocks)
    return [*blocks, np.sort(by_block[:: -(-len(whole) // (_MOST_AT_ONCE // 2))])]
