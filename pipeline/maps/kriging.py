"""
Kriging on the sphere: the best linear estimate of a field from stations, and its standard error.

::

    estimate at x = drift(x) β + c(x)ᵀ V⁻¹ (values − drift β)        β by generalised least squares
    its variance  = sill − c(x)ᵀ V⁻¹ c(x) + what β is not sure of

V is the covariance of the observations: field, nugget and errors; c(x) is that of the field at x with the
field at the stations. What a station alone has, its nugget and its error, is not part of the field: between
two stations at one place the map lies in their middle. The errors of `krige` hold for the variogram that is
given; those of `krige_average` know that it was fitted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from pipeline.errors import ConfigError
from pipeline.maps.fitting import MOST_TO_AVERAGE, check_design, one_thread
from pipeline.maps.observations import Observations
from pipeline.maps.sphere import chord_km, distances_km, unit_vectors
from pipeline.maps.variograms import Variogram, Weighted

__all__ = [
    "CrossValidation",
    "Estimate",
    "cross_validate",
    "drift_residual",
    "krige",
    "krige_average",
    "nearest_station_km",
]

Array = NDArray[np.float64]
_SLICE = 4096


class Estimate(NamedTuple):
    """A field at some points and its standard error, in the units of the values; each of shape (points,)."""

    value: Array
    std_error: Array


class CrossValidation(NamedTuple):
    """
    Each station as the others foretell it.

    Parameters
    ----------
    predicted, std_error : ndarray, shape (stations,)
        What the others say that this station, not only the field at it, would show.
    mean_error, rms_error : float
        Of predicted less observed, in the units of the values.
    rms_standardised : float
        Of errors in units of their standard errors: 1 where these are right, above it where they are too
        small.
    within_95 : float
        Share of stations within 1.96 standard errors.
    """

    predicted: Array
    std_error: Array
    mean_error: float
    rms_error: float
    rms_standardised: float
    within_95: float


class _System(NamedTuple):
    """What all points share: the factor of V, the whitened drift and its factor, β, and V⁻¹ residual."""

    lower: Array
    white_terms: Array
    inner: Array
    beta: Array
    weights: Array


def krige(
    observations: Observations,
    variogram: Variogram,
    longitude_deg: ArrayLike,
    latitude_deg: ArrayLike,
    *,
    design: Array | None = None,
    target_design: Array | None = None,
    with_nugget: bool = False,
) -> Estimate:
    """
    Estimate a field at some points.

    Parameters
    ----------
    observations : Observations
    variogram : Variogram
    longitude_deg, latitude_deg : array_like, shape (points,)
    design : ndarray, shape (stations, terms), optional
        Drift at the stations: a constant unless given.
    target_design : ndarray, shape (points, terms), optional
        Drift at the points.
    with_nugget : bool
        Give the error of what a station there, without an error of its own, would show.

    Returns
    -------
    Estimate
        Where a variogram has no variance at all, values are the drift and errors NaN.

    Raises
    ------
    ConfigError
        A drift is given at the stations or the points alone, or can't be told from another.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    >>> model = Variogram(model="exponential", sill=4.0, range_km=500.0, nugget=0.0)
    >>> found = krige(given, model, [0, 1, 90], [0, 0, 0])
    >>> found.value.round(3), found.std_error.round(3)
    (array([1.   , 2.398, 3.032]), array([0.   , 1.528, 2.443]))
    """
    return krige_average(
        observations,
        (Weighted(1.0, variogram),),
        longitude_deg,
        latitude_deg,
        design=design,
        target_design=target_design,
        with_nugget=with_nugget,
    )


def krige_average(
    observations: Observations,
    plausible: Sequence[Weighted],
    longitude_deg: ArrayLike,
    latitude_deg: ArrayLike,
    *,
    design: Array | None = None,
    target_design: Array | None = None,
    with_nugget: bool = False,
) -> Estimate:
    """
    Estimate a field at some points under several variograms, and average.

    The variance is the mean of their variances and the variance of their means, so that it says what is not
    known of the variogram, too. Parameters are those of `krige`, but for ``plausible``, which
    `pipeline.maps.fitting.plausible_variograms` gives.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> given = gather(list("abc"), [0, 2, 1], [0, 0, 2], [1.0, 3.0, 5.0])
    >>> models = [Variogram(model="exponential", sill=4.0, range_km=km, nugget=0.0) for km in (300.0, 900.0)]
    >>> found = krige_average(given, [Weighted(0.5, model) for model in models], [0, 1], [0, 0])
    >>> found.value.round(3), found.std_error.round(3)
    (array([1.   , 2.422]), array([0.   , 1.553]))
    """
    vectors = observations.vectors
    targets = unit_vectors(longitude_deg, latitude_deg).reshape(-1, 3)
    terms, target_terms = _drifts(design, target_design, len(vectors), len(targets))
    if not all(each.variogram.varies(observations.error) for each in plausible):
        drift = target_terms @ _least_squares(terms, observations.value)
        return Estimate(drift, np.full(len(targets), np.nan))
    few = one_thread() if len(vectors) <= MOST_TO_AVERAGE else contextlib.nullcontext()
    with few:
        return _in_slices(observations, plausible, terms, targets, target_terms, with_nugget)


def cross_validate(
    observations: Observations, variogram: Variogram, *, design: Array | None = None
) -> CrossValidation:
    """
    Foretell each station from all others, with one variogram for all.

    Parameters
    ----------
    observations : Observations
        At least two more than the drift has terms.
    variogram : Variogram
        With some variance.
    design : ndarray, shape (stations, terms), optional
        Drift: a constant unless given.

    Raises
    ------
    ConfigError
        There are too few stations, or no variance.

    Notes
    -----
    Done at once, from the inverse of V without the drift (Dubrule 1983).

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> given = gather(list("abcd"), [0, 2, 1, 1], [0, 0, 2, 1], [1.0, 3.0, 5.0, 3.0])
    >>> model = Variogram(model="exponential", sill=4.0, range_km=500.0, nugget=0.0)
    >>> found = cross_validate(given, model)
    >>> found.predicted.round(2), round(found.rms_standardised, 2)
    (array([3.44, 2.76, 2.62, 3.35]), 0.9)
    """
    terms, _ = _drifts(design, design, len(observations), len(observations))
    if len(observations) < terms.shape[1] + 2 or variogram.sill + variogram.nugget == 0:
        raise ConfigError(
            f"cross-validation needs a variance and {terms.shape[1] + 2} stations,"
            f" got {variogram.sill + variogram.nugget:g} and {len(observations)}"
        )
    system = _solve(observations, variogram, terms)
    inverse = scipy.linalg.cho_solve((system.lower, True), np.eye(len(terms)))
    spread = scipy.linalg.solve_triangular(system.inner, (inverse @ terms).T, lower=True)
    precision = inverse - spread.T @ spread
    variance = 1.0 / np.diag(precision)
    error = -(precision @ observations.value) * variance
    standardised = error / np.sqrt(variance)
    return CrossValidation(
        predicted=observations.value + error,
        std_error=np.sqrt(variance),
        mean_error=float(error.mean()),
        rms_error=float(np.sqrt(np.mean(error**2))),
        rms_standardised=float(np.sqrt(np.mean(standardised**2))),
        within_95=float(np.mean(np.abs(standardised) <= 1.96)),
    )


def drift_residual(
    observations: Observations, variogram: Variogram, *, design: Array | None = None
) -> tuple[Array, Array]:
    """
    Return the coefficients of the drift by generalised least squares, and the values less the drift.

    >>> from pipeline.maps.observations import gather
    >>> given = gather(list("abc"), [0, 40, 80], [0, 0, 0], [1.0, 3.0, 5.0])
    >>> beta, residual = drift_residual(given, Variogram(model="spherical", sill=1, range_km=100, nugget=0))
    >>> beta.round(6), residual.round(6)
    (array([3.]), array([-2.,  0.,  2.]))
    """
    terms, _ = _drifts(design, design, len(observations), len(observations))
    if not variogram.varies(observations.error):
        beta = _least_squares(terms, observations.value)
    else:
        beta = _solve(observations, variogram, terms).beta
    return beta, observations.value - terms @ beta


def nearest_station_km(
    observations: Observations, longitude_deg: ArrayLike, latitude_deg: ArrayLike
) -> Array:
    """
    Return how far each point is from the nearest station, in the shape of the points.

    >>> from pipeline.maps.observations import gather
    >>> nearest_station_km(gather(["a"], [0], [0], [1.0]), [1, 2], [0, 0]).round(1)
    array([111.2, 222.4])
    """
    chord, _ = cKDTree(observations.vectors).query(unit_vectors(longitude_deg, latitude_deg))
    return chord_km(chord)


def _drifts(
    design: Array | None, target_design: Array | None, stations: int, targets: int
) -> tuple[Array, Array]:
    if (design is None) != (target_design is None):
        raise ConfigError("a drift should be given at the stations and at the points, or at neither")
    if design is None or target_design is None:
        return np.ones((stations, 1)), np.ones((targets, 1))
    check_design(design, stations)
    if target_design.shape != (targets, design.shape[1]) or not np.isfinite(target_design).all():
        raise ConfigError(
            f"the drift at {targets} points should have as many finite rows of {design.shape[1]} terms,"
            f" got {target_design.shape}"
        )
    return np.asarray(design, dtype=np.float64), np.asarray(target_design, dtype=np.float64)


def _in_slices(
    observations: Observations,
    plausible: Sequence[Weighted],
    terms: Array,
    targets: Array,
    target_terms: Array,
    with_nugget: bool,
) -> Estimate:
    """Average over variograms, some points at a time: memory does not grow with a grid."""
    vectors, weights = observations.vectors, np.array([each.weight for each in plausible])
    systems = [_solve(observations, each.variogram, terms) for each in plausible]
    value, std_error = np.empty(len(targets)), np.empty(len(targets))
    for low in range(0, len(targets), _SLICE):
        piece = slice(low, low + _SLICE)
        distance_km = distances_km(vectors, targets[piece])
        means, variances = np.array(
            [
                _at_points(system, each.variogram, distance_km, target_terms[piece], with_nugget)
                for system, each in zip(systems, plausible, strict=True)
            ]
        ).transpose(1, 0, 2)
        value[piece] = weights @ means
        std_error[piece] = np.sqrt(weights @ (variances + (means - value[piece]) ** 2))
    return Estimate(value, std_error)


def _at_points(
    system: _System, variogram: Variogram, distance_km: Array, target_terms: Array, with_nugget: bool
) -> tuple[Array, Array]:
    """Return values and variances at some points whose distances to the stations are given."""
    covariance = variogram.covariance(distance_km)
    value = target_terms @ system.beta + system.weights @ covariance
    white = scipy.linalg.solve_triangular(system.lower, covariance, lower=True, overwrite_b=True)
    unsure = scipy.linalg.solve_triangular(
        system.inner, target_terms.T - system.white_terms.T @ white, lower=True
    )
    variance = variogram.sill - np.einsum("ij,ij->j", white, white) + np.einsum("ij,ij->j", unsure, unsure)
    return value, np.maximum(variance, 0.0) + (variogram.nugget if with_nugget else 0.0)


def _least_squares(terms: Array, value: Array) -> Array:
    return np.asarray(np.linalg.lstsq(terms, value, rcond=None)[0], dtype=np.float64)


def _solve(observations: Observations, variogram: Variogram, terms: Array) -> _System:
    vectors = observations.vectors
    covariance = variogram.between(distances_km(vectors, vectors), observations.error)
    lower = scipy.linalg.cholesky(covariance, lower=True)
    white_terms = scipy.linalg.solve_triangular(lower, terms, lower=True)
    white_value = scipy.linalg.solve_triangular(lower, observations.value, lower=True)
    inner = scipy.linalg.cholesky(white_terms.T @ white_terms, lower=True)
    beta = scipy.linalg.cho_solve((inner, True), white_terms.T @ white_value)
    weights = scipy.linalg.cho_solve((lower, True), observations.value - terms @ beta)
    return _System(lower, white_terms, inner, beta, weights)
