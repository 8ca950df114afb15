"""Points on a sphere: unit vectors, and distances along great circles."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.spatial.distance
from numpy.typing import ArrayLike, NDArray

__all__ = ["EARTH_RADIUS_KM", "chord_km", "distances_km", "unit_vectors"]

EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the WGS84 ellipsoid; distances on it differ from those on the sphere by up to 0.6 %."""

Array = NDArray[np.float64]


def unit_vectors(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> Array:
    """
    Return points as vectors from the centre of a sphere of radius 1.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (...)
        Any longitude, also beyond ±180.

    Returns
    -------
    ndarray, shape (..., 3)

    Examples
    --------
    >>> unit_vectors([0, 90, 7], [0, 0, 90]).round(6) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    longitude, latitude = np.radians(np.asarray(longitude_deg)), np.radians(np.asarray(latitude_deg))
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], axis=-1)


def distances_km(points: Array, others: Array) -> Array:
    """
    Return the great-circle distances between all of some unit vectors and all of others.

    Chords are measured first: the cosine of the angle would lose the metres, and the zero of equal places.

    Parameters
    ----------
    points : ndarray, shape (points, 3)
    others : ndarray, shape (others, 3)

    Returns
    -------
    ndarray, shape (points, others)

    Examples
    --------
    >>> pole, equator = unit_vectors([0], [90]), unit_vectors([0, 120], [0, 0])
    >>> distances_km(pole, equator).round(1)
    array([[10007.6, 10007.6]])
    """
    chords = scipy.spatial.distance.cdist(points, others)
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chords / 2, 1.0)))


def chord_km(chord: ArrayLike) -> Array:
    """
    Return the great-circle distance of points whose straight distance on the unit sphere is known.

    >>> chord_km([0.0, 2.0]).round(1)
    array([    0. , 20015.1])
    """
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.asarray(chord) / 2, 1.0)))
