"""
A smooth 3-D perturbation of slowness, which moves the travel times through the layers by a few per cent.

It is a sum of plane waves, so that its mean along a straight leg of a ray has a closed form::

    ∫ cos(k·x + φ) along a leg / its length  =  cos(k·middle + φ) · sin(h) / h,    h = k·(end − start) / 2

Later stages are not told of it: what it leaves in their residuals looks like the real Earth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.synthetic.draws import generator

__all__ = ["SlownessField", "random_field"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlownessField:
    """
    A smooth relative perturbation of slowness: a sum of plane waves in space.

    Parameters
    ----------
    wavenumbers_per_km : array, shape (waves, 3)
        Radians per km to the east, north and down.
    amplitudes : array, shape (waves,)
        Relative perturbation of P slowness, 0.01 is one per cent.
    phases_rad : array, shape (waves,)
    s_ratio : float
        Relative perturbation of S slowness over that of P.
    """

    wavenumbers_per_km: FloatArray
    amplitudes: FloatArray
    phases_rad: FloatArray
    s_ratio: float = 1.3

    def at(self, points_km: ArrayLike) -> FloatArray:
        """Return the relative perturbation of P slowness at points (..., 3): east, north, down."""
        turns = np.asarray(points_km, dtype=np.float64) @ self.wavenumbers_per_km.T
        return np.asarray(np.cos(turns + self.phases_rad) @ self.amplitudes, dtype=np.float64)

    def mean_along(self, starts_km: FloatArray, ends_km: FloatArray) -> FloatArray:
        """
        Return the exact mean of the perturbation along straight legs.

        Parameters
        ----------
        starts_km, ends_km : array, shape (..., 3)
            East, north, down.

        Returns
        -------
        array of float64, shape (...)
            For P; times `s_ratio` for S.
        """
        middle = (starts_km + ends_km) @ self.wavenumbers_per_km.T / 2 + self.phases_rad
        half_turn = (ends_km - starts_km) @ self.wavenumbers_per_km.T / 2
        # The mean of a cosine over a leg is its value in the middle times sin(x)/x.
        means = np.cos(middle) * np.sinc(half_turn / np.pi)
        return np.asarray(means @ self.amplitudes, dtype=np.float64)


def random_field(
    seed: int,
    *,
    rms: float = 0.02,
    shortest_km: float = 25.0,
    longest_km: float = 90.0,
    waves: int = 12,
    s_ratio: float = 1.3,
) -> SlownessField:
    """
    Draw a perturbation of slowness.

    Parameters
    ----------
    seed : int
    rms : float
        Root mean square of the relative perturbation of P slowness.
    shortest_km, longest_km : float
        Range of the wavelengths.
    waves : int
    s_ratio : float
        See `SlownessField`; tomography of the crust finds S to vary somewhat more than P.

    Examples
    --------
    >>> field = random_field(3, rms=0.02)
    >>> round(float((field.amplitudes**2).sum() / 2) ** 0.5, 6)
    0.02
    """
    draw = generator(seed, "slowness field")
    down = draw.uniform(-1, 1, waves)
    azimuth = draw.uniform(0, 2 * np.pi, waves)
    level = np.sqrt(1 - down**2)
    directions = np.stack([level * np.sin(azimuth), level * np.cos(azimuth), down], axis=-1)
    lengths_km = np.exp(draw.uniform(np.log(shortest_km), np.log(longest_km), waves))
    # Longer waves are stronger, as in tomographic models.
    weights = np.sqrt(lengths_km)
    return SlownessField(
        wavenumbers_per_km=2 * np.pi * directions / lengths_km[:, None],
        amplitudes=rms * weights / np.sqrt((weights**2).sum() / 2),
        phases_rad=draw.uniform(0, 2 * np.pi, waves),
        s_ratio=s_ratio,
    )
