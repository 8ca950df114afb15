"""
Rotate: from the directions in which sensors point to vertical, north and east.

A direction is an azimuth, in degrees clockwise from north, and a dip, in degrees down from the horizontal
(-90 points up), as StationXML has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.precision import FloatArray, as_given, to_float64

__all__ = ["directions", "to_north_east", "to_radial_transverse", "to_vertical_north_east"]

_SMALLEST = 0.1
"""Of the singular values of the directions: below it, noise would grow tenfold."""


def directions(azimuth_deg: ArrayLike, dip_deg: ArrayLike) -> FloatArray:
    """
    Return unit vectors (up, north, east).

    Parameters
    ----------
    azimuth_deg, dip_deg : array_like, shape (sensors,)

    Returns
    -------
    array of float64, shape (sensors, 3)

    Examples
    --------
    >>> directions([0.0, 90.0], [-90.0, 0.0]).round(3) + 0.0
    array([[1., 0., 0.],
           [0., 0., 1.]])
    """
    azimuth, dip = np.deg2rad(np.asarray(azimuth_deg, float)), np.deg2rad(np.asarray(dip_deg, float))
    return np.stack([-np.sin(dip), np.cos(dip) * np.cos(azimuth), np.cos(dip) * np.sin(azimuth)], axis=-1)


def to_vertical_north_east(
    data: ArrayLike, azimuth_deg: Sequence[float], dip_deg: Sequence[float]
) -> NDArray[Any]:
    """
    Turn three sensors, not necessarily at right angles, to vertical (up), north and east.

    Parameters
    ----------
    data : array_like, shape (..., 3, samples)
    azimuth_deg, dip_deg : sequence of 3 float
        Where each component points.

    Returns
    -------
    array, shape (..., 3, samples)
        Up, north, east.

    Raises
    ------
    ConfigError
        Where the three directions nearly lie in one plane.

    Examples
    --------
    >>> to_vertical_north_east([[1.0], [2.0], [3.0]], [0, 90, 180], [-90, 0, 0]).ravel().round(6)
    array([ 1., -3.,  2.])
    """
    return _turn(data, directions(azimuth_deg, dip_deg), "azimuths", azimuth_deg, "and dips", dip_deg)


def to_north_east(data: ArrayLike, azimuth_deg: Sequence[float]) -> NDArray[Any]:
    """
    Turn two horizontal sensors (1 and 2), not necessarily at right angles, to north and east.

    Parameters
    ----------
    data : array_like, shape (..., 2, samples)
    azimuth_deg : sequence of 2 float
        Where each component points.

    Returns
    -------
    array, shape (..., 2, samples)
        North, east.

    Raises
    ------
    ConfigError
        Where the two azimuths are nearly the same or opposite.

    Examples
    --------
    >>> to_north_east([[1.0], [0.0]], [30.0, 120.0]).ravel().round(3)
    array([0.866, 0.5  ])
    """
    return _turn(data, directions(azimuth_deg, np.zeros(2))[:, 1:], "azimuths", azimuth_deg)


def to_radial_transverse(data: ArrayLike, back_azimuth_deg: float) -> NDArray[Any]:
    """
    Turn north and east to radial (away from the source) and transverse (90° clockwise of radial).

    Parameters
    ----------
    data : array_like, shape (..., 2, samples)
        North, east.
    back_azimuth_deg : float
        From the station to the source.

    Returns
    -------
    array, shape (..., 2, samples)

    Examples
    --------
    >>> to_radial_transverse([[1.0], [0.0]], 180.0).ravel().round(3) + 0.0
    array([1., 0.])
    """
    radial_deg = back_azimuth_deg + 180.0
    turn = directions([radial_deg, radial_deg + 90.0], [0.0, 0.0])[:, 1:]
    return as_given(turn @ _components(data, 2), data)


def _turn(data: ArrayLike, pointing: FloatArray, *described: object) -> NDArray[Any]:
    samples = _components(data, len(pointing))
    if np.linalg.svd(pointing, compute_uv=False)[-1] < _SMALLEST:
        raise ConfigError(f"sensors point too nearly alike to be rotated: {' '.join(map(str, described))}")
    return as_given(np.linalg.inv(pointing) @ samples, data)


def _components(data: ArrayLike, number: int) -> FloatArray:
    samples = to_float64(data)
    if samples.ndim < 2 or samples.shape[-2] != number:
        raise ConfigError(f"data should be (..., {number} components, samples), got shape {samples.shape}")
    return samples
