"""
How much less alike levels are the farther apart their stations: variograms on the sphere.

::

    γ(h) = nugget + sill · (1 − ρ(h))        h: great-circle distance, ρ: correlation of the field
    value = drift + field (sill, ρ) + what only this station has (nugget) + its own error (known)

Not every model of the plane is one on the sphere: with great-circle distances the Gaussian and the smooth
Matérn ones are not. The exponential and the spherical are, the latter for ranges up to π radii (Gneiting
2013, Bernoulli 19). `pipeline.maps.fitting` fits them by likelihood; the empirical variogram (Cressie &
Hawkins 1980, robust) is for the eye, and belongs beside each map.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.maps.observations import Observations
from pipeline.maps.sphere import EARTH_RADIUS_KM, distances_km

__all__ = [
    "EmpiricalVariogram",
    "Model",
    "Variogram",
    "Weighted",
    "empirical_variogram",
]

Array = NDArray[np.float64]
Model = Literal["exponential", "spherical"]

_JITTER: Final = 1e-9
_EXPONENTIAL_RANGE: Final = -math.log(0.05)


def _exponential(share: Array) -> Array:
    return np.asarray(np.exp(-_EXPONENTIAL_RANGE * share))


def _spherical(share: Array) -> Array:
    return np.where(share < 1, (1 + share / 2) * np.maximum(1 - share, 0) ** 2, 0.0)


_CORRELATIONS: Final[Mapping[Model, Callable[[Array], Array]]] = {
    "exponential": _exponential,
    "spherical": _spherical,
}


@dataclass(frozen=True, kw_only=True)
class Variogram:
    """
    A model of how levels differ with distance.

    Parameters
    ----------
    model : {"exponential", "spherical"}
        Of the correlation.
    sill : float
        Variance of the field, in squared units of the levels.
    range_km : float
        Distance at which the correlation is 0.05 (exponential) or 0 (spherical).
    nugget : float
        Variance of what stations of one place do not share.
    reason : str
        Why it is not fitted, or what of it is not; nothing where all is.
    stations : int
        How many it was made of.

    Examples
    --------
    >>> model = Variogram(model="spherical", sill=4.0, range_km=500.0, nugget=1.0)
    >>> model.covariance([0.0, 250.0, 500.0]), model.gamma([0.0, 250.0, 500.0])
    (array([4.  , 1.25, 0.  ]), array([0.  , 3.75, 5.  ]))
    """

    model: Model
    sill: float
    range_km: float
    nugget: float
    reason: str = ""
    stations: int = 0

    def __post_init__(self) -> None:
        if self.model not in _CORRELATIONS:
            raise ConfigError(f"variogram should be one of {', '.join(_CORRELATIONS)}, got {self.model!r}")
        for name, value in (("sill", self.sill), ("nugget", self.nugget)):
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} of a variogram should be a number from 0, got {value}")
        if not 0 < self.range_km <= math.pi * EARTH_RADIUS_KM:
            raise ConfigError(f"range_km of a variogram should be above 0, up to 20015, got {self.range_km}")

    def covariance(self, distance_km: ArrayLike) -> Array:
        """Return the covariance of the field, without the nugget, at some distances."""
        distance = np.asarray(distance_km, dtype=np.float64)
        return self.sill * _CORRELATIONS[self.model](distance / self.range_km)

    def gamma(self, distance_km: ArrayLike) -> Array:
        """Return half the mean squared difference of two stations at some distances; at 0 it is 0."""
        distance = np.asarray(distance_km, dtype=np.float64)
        return np.where(distance > 0, self.nugget + self.sill - self.covariance(distance), 0.0)

    def varies(self, error: Array) -> bool:
        """Tell whether observations with these errors have any variance each."""
        return self.sill + self.nugget > 0 or bool(np.all(error > 0))

    def between(self, distance_km: Array, error: Array) -> Array:
        """
        Return the covariance of observations whose distances and errors are given.

        A billionth of the variance more on the diagonal keeps equal places from being singular.
        """
        found = self.covariance(distance_km)
        variance = self.sill + self.nugget
        found[np.diag_indices(len(found))] += self.nugget + error**2 + _JITTER * variance
        return found


class Weighted(NamedTuple):
    """A variogram, and how likely it is beside others; the weights of a set add up to 1."""

    weight: float
    variogram: Variogram


class EmpiricalVariogram(NamedTuple):
    """
    What pairs of stations show, in classes of distance.

    ``distance_km`` is the mean of the pairs in each class, ``gamma`` half their mean squared difference
    (robust), and ``pairs`` how many there are; each of shape (classes,).
    """

    distance_km: Array
    gamma: Array
    pairs: NDArray[np.int64]


def empirical_variogram(
    observations: Observations, *, residual: ArrayLike | None = None, classes: int = 12
) -> EmpiricalVariogram:
    """
    Return half the squared differences of pairs by their distance, after Cressie and Hawkins.

    The fourth power of the mean root of absolute differences, corrected for what normal ones would give:
    one bad station does not lift all classes, as it does with squares.

    Parameters
    ----------
    observations : Observations
        At least two stations.
    residual : array_like, shape (stations,), optional
        Values less their drift, to be taken for the values.
    classes : int
        Of equal numbers of pairs, up to half the largest distance, at least 1.

    Returns
    -------
    EmpiricalVariogram
        Of fewer classes where there are too few pairs.

    Raises
    ------
    ConfigError
        There are fewer than two stations, or fewer than one class.

    Examples
    --------
    >>> from pipeline.maps.observations import gather
    >>> places = np.random.default_rng(1).uniform(0, 20, (2, 40))
    >>> random = np.random.default_rng(2).normal(0, 3, 40)
    >>> found = empirical_variogram(gather([str(i) for i in range(40)], *places, random), classes=3)
    >>> found.pairs.tolist(), found.gamma.round(0)
    ([163, 162, 162], array([9., 7., 8.]))
    """
    if len(observations) < 2 or classes < 1:
        raise ConfigError(f"a variogram needs 2 stations and 1 class, got {len(observations)} and {classes}")
    value = observations.value if residual is None else np.asarray(residual, dtype=np.float64)
    first, second = np.triu_indices(len(observations), 1)
    vectors = observations.vectors
    distance = distances_km(vectors, vectors)[first, second]
    near = distance <= max(float(distance.max()) / 2, float(np.sort(distance)[: 3 * classes][-1]))
    distance, root = distance[near], np.sqrt(np.abs(value[first] - value[second]))[near]
    order = np.argsort(distance, kind="stable")
    parts = np.array_split(order, min(classes, len(order)))
    pairs = np.array([len(part) for part in parts])
    # The mean of a root times its correction; 0.457 + 0.494/N + 0.045/N² is Cressie's, for half of it.
    spread = np.array([root[part].mean() for part in parts]) ** 4
    gamma = spread / (2 * (0.457 + 0.494 / pairs + 0.045 / pairs**2))
    return EmpiricalVariogram(np.array([distance[part].mean() for part in parts]), gamma, pairs)
