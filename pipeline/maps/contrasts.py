"""
How much higher levels are in one area than in another: as numbers with errors.

Two of them. The plain difference of means, with Welch's error, takes stations for independent: neighbours
that share their noise count as if each knew something of its own, and the error comes out too small. The
difference by generalised least squares takes their covariance from variograms, which are fitted to what the
two means leave and averaged over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import scipy.linalg
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.maps.fitting import FEWEST_TO_MAP, fit_variogram, one_thread, plausible_variograms
from pipeline.maps.observations import Observations
from pipeline.maps.polygons import Polygon
from pipeline.maps.sphere import distances_km
from pipeline.maps.variograms import Model, Variogram, Weighted

__all__ = ["COAST_KM", "Contrast", "coast_contrast", "contrast", "polygon_contrasts"]

COAST_KM: Final = 200.0
"""A station is of the coast within this distance, unless told otherwise."""

_NAN: Final = float("nan")


class Contrast(NamedTuple):
    """
    The level of one area less that of another, in the units of the levels.

    Parameters
    ----------
    first, second : str
        Names of the areas.
    first_stations, second_stations : int
        How many each holds.
    difference, std_error : float
        By generalised least squares; NaN with a ``reason``.
    low, high : float
        Bounds of 95 %, from Student's t with two degrees of freedom less than there are stations.
    plain_difference, plain_std_error, plain_degrees : float
        Of the means, with Welch's error and its degrees of freedom; NaN where an area holds one station.
    variogram : Variogram or None
        Whose covariance was used, or the most likely of those.
    reason : str
        Why a number is missing, or is less sure than it looks.
    """

    first: str
    second: str
    first_stations: int
    second_stations: int
    difference: float = _NAN
    std_error: float = _NAN
    low: float = _NAN
    high: float = _NAN
    plain_difference: float = _NAN
    plain_std_error: float = _NAN
    plain_degrees: float = _NAN
    variogram: Variogram | None = None
    reason: str = ""


def contrast(
    observations: Observations,
    first: ArrayLike,
    second: ArrayLike,
    *,
    names: tuple[str, str] = ("first", "second"),
    variogram: Variogram | None = None,
    model: Model = "exponential",
) -> Contrast:
    """
    Compare the levels of two groups of stations.

    Parameters
    ----------
    observations : Observations
    first, second : array_like of bool, shape (stations,)
        Stations of each group; those of both are in neither, which is said.
    names : (str, str)
        Of the groups.
    variogram : Variogram, optional
        One that is known; else it is fitted to these stations, with a mean for each group.
    model : {"exponential", "spherical"}
        Of a variogram that is fitted.

    Returns
    -------
    Contrast

    Raises
    ------
    ConfigError
        The masks do not have a value for each station.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> given = gather(list("abcd"), [0, 9, 40, 49], [0, 0, 0, 0], [3.0, 3.4, 1.0, 1.4])
    >>> near = np.array([True, True, False, False])
    >>> flat = Variogram(model="spherical", sill=0.0, range_km=100.0, nugget=0.08)
    >>> found = contrast(given, near, ~near, variogram=flat)
    >>> round(found.difference, 3), round(found.std_error, 3), round(found.plain_std_error, 3)
    (2.0, 0.283, 0.283)
    """
    one, other = (np.asarray(each, dtype=bool) for each in (first, second))
    if one.shape != (len(observations),) or other.shape != one.shape:
        raise ConfigError(
            f"groups should have a value for each of {len(observations)} stations,"
            f" got {one.shape} and {other.shape}"
        )
    both = one & other
    one, other = one & ~both, other & ~both
    found = Contrast(*names, int(one.sum()), int(other.sum()))
    shared = f"{int(both.sum())} stations are in both and count in neither" if both.any() else ""
    empty = [name for name, count in zip(names, found[2:4], strict=True) if count == 0]
    if empty:
        reason = (
            f"{' and '.join(repr(name) for name in empty)} hold{'s' if len(empty) == 1 else ''} no station"
        )
        return found._replace(reason=_joined(reason, shared))
    found = _with_means(found, observations.value[one], observations.value[other])
    chosen = observations.select(one | other)
    design = np.column_stack([one, other])[one | other].astype(np.float64)
    if variogram is None:
        if len(chosen) < FEWEST_TO_MAP:
            reason = f"{len(chosen)} stations are too few for errors: at least {FEWEST_TO_MAP} are needed"
            return found._replace(reason=_joined(reason, shared))
        variogram = fit_variogram(chosen, design=design, model=model)
        plausible = plausible_variograms(chosen, variogram, design=design)
    else:
        plausible = (Weighted(1.0, variogram),)
    found = found._replace(variogram=variogram, reason=_joined(variogram.reason, shared))
    if not variogram.varies(chosen.error):
        return found
    with one_thread():
        return _generalised(found, chosen, design, plausible)


def coast_contrast(
    observations: Observations,
    distance_km: ArrayLike,
    *,
    within_km: float = COAST_KM,
    variogram: Variogram | None = None,
    model: Model = "exponential",
) -> Contrast:
    """
    Compare stations near the coast with those of the interior.

    Parameters
    ----------
    observations : Observations
    distance_km : array_like, shape (stations,)
        To the coast, as `pipeline.maps.coasts.coast_distance_km` has it; those at sea are of the coast.
    within_km : float
        Up to which distance a station is of the coast.
    variogram, model
        See `contrast`.

    Raises
    ------
    ConfigError
        The distance is no number above 0.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> given = gather(list("abcd"), [0, 9, 40, 49], [0, 0, 0, 0], [3.0, 3.4, 1.0, 1.4])
    >>> found = coast_contrast(given, [300, 700, 350, 900])
    >>> found.first, found.second, found.reason
    ('coast (within 200 km)', 'interior', "'coast (within 200 km)' holds no station")
    """
    if not (math.isfinite(within_km) and within_km > 0):
        raise ConfigError(f"within_km of the coast should be a finite number above 0, got {within_km}")
    near = np.asarray(distance_km, dtype=np.float64) <= within_km
    names = (f"coast (within {within_km:g} km)", "interior")
    return contrast(observations, near, ~near, names=names, variogram=variogram, model=model)


def polygon_contrasts(
    observations: Observations,
    polygons: tuple[Polygon, ...],
    *,
    variogram: Variogram | None = None,
    model: Model = "exponential",
) -> tuple[Contrast, ...]:
    """
    Compare each polygon with each other, or a single one with all stations outside it.

    Parameters
    ----------
    observations : Observations
    polygons : tuple of Polygon
        At least one.
    variogram, model
        See `contrast`.

    Returns
    -------
    tuple of Contrast
        In the order of the polygons.
    """
    inside = [each.contains(observations.longitude_deg, observations.latitude_deg) for each in polygons]
    names = [each.name for each in polygons]
    if len(polygons) == 1:
        inside.append(~inside[0])
        names.append(f"outside {names[0]}")
    return tuple(
        contrast(
            observations, inside[i], inside[j], names=(names[i], names[j]), variogram=variogram, model=model
        )
        for i in range(len(inside))
        for j in range(i + 1, len(inside))
    )


def _with_means(found: Contrast, one: NDArray[np.float64], other: NDArray[np.float64]) -> Contrast:
    """Add the difference of means, Welch's error and his degrees of freedom."""
    found = found._replace(plain_difference=float(one.mean() - other.mean()))
    if min(len(one), len(other)) < 2:
        return found
    parts = np.array([float(each.var(ddof=1)) / len(each) for each in (one, other)])
    found = found._replace(plain_std_error=float(np.sqrt(parts.sum())))
    if parts.sum() == 0:
        return found
    freedom = np.array([len(one) - 1, len(other) - 1])
    return found._replace(plain_degrees=float(parts.sum() ** 2 / np.sum(parts**2 / freedom)))


def _generalised(
    found: Contrast, chosen: Observations, design: NDArray[np.float64], plausible: Sequence[Weighted]
) -> Contrast:
    """Add the difference by generalised least squares, averaged over variograms."""
    distance_km = distances_km(chosen.vectors, chosen.vectors)
    sign = np.array([1.0, -1.0])
    rows = []
    for weight, variogram in plausible:
        lower = scipy.linalg.cholesky(variogram.between(distance_km, chosen.error), lower=True)
        white = scipy.linalg.solve_triangular(lower, np.column_stack([design, chosen.value]), lower=True)
        spread = np.linalg.inv(white[:, :2].T @ white[:, :2])
        means = spread @ (white[:, :2].T @ white[:, 2])
        rows.append((weight, sign @ means, sign @ spread @ sign))
    weights, differences, variances = np.array(rows).T
    difference = float(weights @ differences)
    error = math.sqrt(float(weights @ (variances + (differences - difference) ** 2)))
    half = float(scipy.stats.t.ppf(0.975, max(len(chosen) - 2, 1))) * error
    return found._replace(
        difference=difference, std_error=error, low=difference - half, high=difference + half
    )


def _joined(*reasons: str) -> str:
    return "; ".join(each for each in reasons if each)
