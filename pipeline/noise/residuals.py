"""
What is left of a gravimeter's day below a smooth curve, and how large it is.

After tide and pressure are out, drift and what the models miss remain. Crossley's procedure takes them away
by a polynomial of degree 9 for each day. Legendre's polynomials on the day carry it, so that gaps and 86,400
samples cost no digits. A gap is no sample: nothing is mended here.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.noise.calibration import NM_S2_PER_MICROGAL

__all__ = ["day_basis", "day_residual", "rms_microgal"]


def day_basis(present: NDArray[np.bool_], degree: int) -> NDArray[np.float64]:
    """
    Return an orthonormal basis of the polynomials on the samples that a day has.

    Parameters
    ----------
    present : ndarray of bool, shape (samples,)
    degree : int

    Returns
    -------
    ndarray, shape (samples present, degree + 1)

    Examples
    --------
    >>> basis = day_basis(np.array([True] * 700 + [False] * 300), 9)
    >>> bool(abs(basis.T @ basis - np.eye(10)).max() < 1e-12)
    True
    """
    if not 0 <= degree <= 50:
        raise ConfigError(f"degree should be from 0 to 50, got {degree}")
    at = np.flatnonzero(present)
    if len(at) <= degree:
        raise ConfigError(f"a polynomial of degree {degree} needs more than {degree} samples, got {len(at)}")
    # From one end of what is there to the other: half a day alone is as well conditioned as a whole one.
    span = max(int(at[-1] - at[0]), 1)
    place = 2.0 * (at - at[0]) / span - 1.0
    orthonormal, _ = np.linalg.qr(np.polynomial.legendre.legvander(place, degree))
    return np.asarray(orthonormal)


@lru_cache(maxsize=4)
def _whole_basis(samples: int, degree: int) -> NDArray[np.float64]:
    """Return the basis of days that lack nothing, which are most."""
    basis = day_basis(np.ones(samples, dtype=bool), degree)
    basis.flags.writeable = False
    return basis


def day_residual(values: ArrayLike, *, degree: int = 9) -> NDArray[np.float64]:
    """
    Return a day less the polynomial of least squares.

    Parameters
    ----------
    values : array_like, shape (samples,)
        NaN where missing.
    degree : int

    Returns
    -------
    ndarray, shape (samples,)
        NaN where missing, and throughout where the day has no more than ten samples per coefficient.

    Examples
    --------
    >>> place = np.linspace(-1, 1, 1440)
    >>> bool(abs(day_residual(1e10 + 1e3 * place**9 - 5 * place**4)).max() < 1e-4)
    True
    """
    samples = np.asarray(values, dtype=np.float64)
    present = np.isfinite(samples)
    left = np.full(samples.shape, np.nan)
    if present.sum() <= 10 * (degree + 1):
        return left
    # Of 9.8e9 nm/s² the mean first, which costs an absolute gravimeter its digits.
    level = samples[present] - samples[present].mean()
    basis = _whole_basis(present.size, degree) if present.all() else day_basis(present, degree)
    left[present] = level - np.einsum("sk,k->s", basis, np.einsum("s,sk->k", level, basis))
    return left


def rms_microgal(residual_nm_s2: ArrayLike) -> float:
    """
    Return the RMS of a residual in µGal, of the samples that are there; NaN of none.

    Examples
    --------
    >>> rms_microgal([10.0, -10.0, float("nan")])
    1.0
    """
    residual = np.asarray(residual_nm_s2, dtype=np.float64)
    present = residual[np.isfinite(residual)]
    return float(np.sqrt(np.mean(present**2)) / NM_S2_PER_MICROGAL) if len(present) else float("nan")
