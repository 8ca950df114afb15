"""
A plane wave at a welded interface of two rocks: what is reflected, passes and is converted.

::

     P, SV on the near side     ↖ ↗ ← incident P or SV
    ─────────────────────────────┬──────────────
     P, SV on the far side       ↘ ↘

P and SV are coupled, by four balances of displacement and traction (Zoeppritz); SH keeps to itself. All
coefficients are real: moduli with a sign, for waves whose onset should stay sharp. Signs of P, SV and SH are
those of `pipeline.synthetic.earthquakes.source`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Rock", "interface_coefficients", "reflect_sh"]

FloatArray = NDArray[np.float64]
# vp (km/s), vs (km/s), density (kg/m³)
Rock = tuple[float, float, float]


def interface_coefficients(slowness_s_km: ArrayLike, near: Rock, far: Rock, *, upwards: bool) -> FloatArray:
    """
    Return what P and SV become at a welded interface of two rocks (Zoeppritz; Aki & Richards 1980, 5.2).

    Parameters
    ----------
    slowness_s_km : array_like, shape (rays,)
        Horizontal.
    near, far : tuple of vp (km/s), vs (km/s), density (kg/m³)
        On the side where the wave comes from, and beyond.
    upwards : bool
        Which way it comes: SV has its sign by the direction down.

    Returns
    -------
    array of float64, shape (rays, 4, 2)
        Outgoing P and SV on the near side, P and SV on the far side; from incident P, SV. Amplitudes whose
        squares are ratios of energy flux, with their sign; what is evanescent has 0.

    Examples
    --------
    >>> granite = (6.0, 3.5, 2700.0)
    >>> interface_coefficients([0.1], granite, granite, upwards=True).round(9)[0, 2:].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    p = np.atleast_1d(np.asarray(slowness_s_km, dtype=np.float64))
    way = -1.0 if upwards else 1.0
    incoming = [_plane_wave(p, near, kind, way) for kind in "PS"]
    outgoing = [
        _plane_wave(p, rock, kind, side) for rock, side in ((near, -way), (far, way)) for kind in "PS"
    ]
    # Waves of the far side stand on the right of the balance of displacements and tractions.
    signs = np.array([-1.0, -1.0, 1.0, 1.0])
    matrix = np.stack([wave for wave, _ in outgoing], axis=-1) * signs
    right = np.stack([wave for wave, _ in incoming], axis=-1)
    solved = np.linalg.solve(matrix, right)
    flux_out = np.stack([flux for _, flux in outgoing], axis=-1)[:, :, None]
    flux_in = np.stack([flux for _, flux in incoming], axis=-1)[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(flux_in > 0, np.sqrt(flux_out / flux_in), 0.0)
    return _signed(solved) * share


def reflect_sh(slowness_s_km: FloatArray, near: Rock, far: Rock) -> FloatArray:
    """
    Return what SH keeps of its amplitude where an interface reflects it, with its sign.

    Parameters
    ----------
    slowness_s_km : array, shape (rays,)
        Horizontal.
    near, far : tuple of vp (km/s), vs (km/s), density (kg/m³)
        On the side where the wave comes from, and beyond.

    Returns
    -------
    array of float64, shape (rays,)
        1 in modulus beyond the critical angle.

    Examples
    --------
    >>> reflect_sh(np.array([0.0]), (6.0, 3.0, 2000.0), (6.0, 3.0, 3000.0)).round(9).tolist()
    [-0.2]
    """
    stiffness = [
        density * vs**2 * np.sqrt(1 / vs**2 - slowness_s_km**2 + 0j) for _, vs, density in (near, far)
    ]
    return _signed((stiffness[0] - stiffness[1]) / (stiffness[0] + stiffness[1]))


def _plane_wave(
    p: FloatArray, rock: Rock, kind: str, way: float
) -> tuple[NDArray[np.complex128], FloatArray]:
    """Return displacement (away, down) and traction (away, down), shape (rays, 4), and the flux of energy."""
    vp, vs, density = rock
    speed = vp if kind == "P" else vs
    eta = way * np.sqrt(1 / speed**2 - p**2 + 0j)
    away, down = (speed * p, speed * eta) if kind == "P" else (speed * eta, -speed * p)
    shear = density * vs**2
    traction_away = shear * (eta * away + p * down)
    traction_down = density * (vp**2 - 2 * vs**2) * (p * away + eta * down) + 2 * shear * eta * down
    wave = np.stack([away + 0j, down + 0j, traction_away, traction_down], axis=-1)
    return wave, density * speed**2 * np.abs(eta.real)


def _signed(value: NDArray[np.complexfloating[Any, Any]]) -> FloatArray:
    """Return moduli with the sign of the real part: a shift of phase would blur the onset."""
    return np.asarray(np.abs(value) * np.where(value.real < 0, -1.0, 1.0))
