"""
What an earthquake sends out: its moment, its spectrum, its radiation pattern; and what the surface doubles.

Axes and signs are those of Aki & Richards (1980, box 4.4): take-off angles from straight down, azimuths from
north, P positive outwards. SV points along the ray's own turn by 90°: (cos i, −sin i) in (away, down), where
P is (sin i, cos i). SH points clockwise seen from above.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator

__all__ = [
    "RMS_RADIATION",
    "Earthquake",
    "brune_spectrum",
    "corner_hz",
    "draw_stress_drop_mpa",
    "least_phase",
    "magnitude",
    "moment_n_m",
    "radiation",
    "surface_motion",
]

FloatArray = NDArray[np.float64]

# Over the whole sphere, of any double couple (Boore & Boatwright 1984).
RMS_RADIATION = {"P": (4 / 15) ** 0.5, "S": (2 / 5) ** 0.5}

# Corner frequency over β/radius: S after Brune (1970, 1971); P above it as in Madariaga (1976): 0.32 / 0.21.
_BRUNE = 2.34 / (2 * np.pi)
_CORNER = {"S": _BRUNE, "P": _BRUNE * 0.32 / 0.21}


@dataclass(frozen=True, slots=True, kw_only=True)
class Earthquake:
    """
    A double couple at a point.

    Parameters
    ----------
    event_id : str
        Names its random numbers too.
    origin_ns : int
        Since 1970, UTC.
    latitude, longitude, depth_km : float
        Degrees; depth below sea level.
    mw : float
    stress_drop_mpa : float
    strike_deg, dip_deg, rake_deg : float
    """

    event_id: str
    origin_ns: int
    latitude: float
    longitude: float
    depth_km: float
    mw: float
    stress_drop_mpa: float
    strike_deg: float
    dip_deg: float
    rake_deg: float

    def __post_init__(self) -> None:
        if not self.stress_drop_mpa > 0:
            raise ConfigError(f"stress_drop_mpa should be above 0, got {self.stress_drop_mpa}")


def moment_n_m(mw: ArrayLike) -> FloatArray:
    """
    Return seismic moments in N m of moment magnitudes (IASPEI 2005: log10 M0 = 1.5 Mw + 9.1).

    >>> f"{float(moment_n_m(4.0)):.3g}"
    '1.26e+15'
    """
    return np.asarray(10.0 ** (1.5 * np.asarray(mw, dtype=np.float64) + 9.1))


def magnitude(moment_n_m: ArrayLike) -> FloatArray:
    """
    Return moment magnitudes of seismic moments in N m.

    >>> float(magnitude(moment_n_m(2.5)).round(12))
    2.5
    """
    return np.asarray((np.log10(moment_n_m) - 9.1) / 1.5)


def corner_hz(
    moment_n_m: ArrayLike, stress_drop_mpa: ArrayLike, vs_km_s: ArrayLike, *, wave: str = "S"
) -> FloatArray:
    """
    Return corner frequencies of a circular rupture.

    Parameters
    ----------
    moment_n_m, stress_drop_mpa, vs_km_s : array_like
        S velocity at the source.
    wave : str
        P or S.

    Examples
    --------
    >>> float(corner_hz(1e15, 3.0, 3.5).round(2))
    2.48
    """
    radius_m = np.cbrt(7 * np.asarray(moment_n_m) / (16e6 * np.asarray(stress_drop_mpa, dtype=np.float64)))
    return np.asarray(_CORNER[wave] * np.asarray(vs_km_s, dtype=np.float64) * 1e3 / radius_m)


def draw_stress_drop_mpa(
    seed: int, event_id: str, *, median_mpa: float = 3.0, spread_log10: float = 0.3
) -> float:
    """
    Draw the stress drop of one earthquake from a log-normal distribution.

    Parameters
    ----------
    seed, event_id : int, str
    median_mpa : float
    spread_log10 : float
        Standard deviation of its decimal logarithm.

    Examples
    --------
    >>> draw_stress_drop_mpa(1, "a", spread_log10=0.0)
    3.0
    """
    drawn = generator(seed, "stress drop", event_id).standard_normal()
    return float(median_mpa * 10 ** (spread_log10 * drawn))


def brune_spectrum(frequency_hz: ArrayLike, corner: ArrayLike) -> FloatArray:
    """
    Return the modulus of the far-field displacement spectrum over its level at 0 Hz (Brune 1970).

    >>> brune_spectrum([0.0, 2.0], 2.0).tolist()
    [1.0, 0.5]
    """
    ratio = np.asarray(frequency_hz, dtype=np.float64) / np.asarray(corner, dtype=np.float64)
    return np.asarray(1 / (1 + ratio**2))


def least_phase(log_modulus: ArrayLike) -> NDArray[np.complex128]:
    """
    Return the causal spectrum with a given modulus whose energy comes earliest.

    Parameters
    ----------
    log_modulus : array_like, shape (..., frequencies)
        Natural logarithm, from 0 Hz to the Nyquist frequency of an even number of samples.

    Returns
    -------
    array of complex128, shape (..., frequencies)
        Its logarithm; those of filters in a row add up.

    Examples
    --------
    A modulus of |1 + z/2| belongs to the filter 1, 1/2:

    >>> modulus = np.abs(np.fft.rfft([1.0, 0.5], 64))
    >>> np.fft.irfft(np.exp(least_phase(np.log(modulus))))[:4].round(6).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    given = np.asarray(log_modulus, dtype=np.float64)
    # A causal filter with a causal inverse has a causal cepstrum: fold the even one onto its positive side.
    cepstrum = scipy.fft.irfft(given, axis=-1)
    half = cepstrum.shape[-1] // 2
    cepstrum[..., 1:half] *= 2
    cepstrum[..., half + 1 :] = 0
    return np.asarray(scipy.fft.rfft(cepstrum, axis=-1))


def radiation(
    *,
    strike_deg: ArrayLike,
    dip_deg: ArrayLike,
    rake_deg: ArrayLike,
    takeoff_deg: ArrayLike,
    azimuth_deg: ArrayLike,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Return the far-field radiation of a double couple (Aki & Richards 1980, equations 4.84–4.86).

    Parameters
    ----------
    strike_deg, dip_deg, rake_deg : array_like
    takeoff_deg : array_like
        From straight down: above 90 for a ray that leaves upwards.
    azimuth_deg : array_like
        From source to station.

    Returns
    -------
    p, sv, sh : array of float64
        −1 to 1.

    Examples
    --------
    A vertical strike-slip fault pushes hardest midway between its strike and its normal:

    >>> p, sv, sh = radiation(strike_deg=0, dip_deg=90, rake_deg=0, takeoff_deg=90, azimuth_deg=45)
    >>> [abs(round(float(value), 9)) for value in (p, sv, sh)]
    [1.0, 0.0, 0.0]
    """
    dip, rake, i = (np.radians(np.asarray(a, dtype=np.float64)) for a in (dip_deg, rake_deg, takeoff_deg))
    phi = np.radians(np.asarray(azimuth_deg, dtype=np.float64) - np.asarray(strike_deg, dtype=np.float64))
    # The four fundamental faults: vertical strike slip, vertical dip slip (along and across), 45° dip slip.
    strike_slip = np.cos(rake) * np.sin(dip)
    along = np.cos(rake) * np.cos(dip)
    across = np.sin(rake) * np.cos(2 * dip)
    dip_slip = np.sin(rake) * np.sin(2 * dip)
    p = (
        strike_slip * np.sin(i) ** 2 * np.sin(2 * phi)
        - along * np.sin(2 * i) * np.cos(phi)
        + dip_slip * (np.cos(i) ** 2 - np.sin(i) ** 2 * np.sin(phi) ** 2)
        + across * np.sin(2 * i) * np.sin(phi)
    )
    sv = (
        across * np.cos(2 * i) * np.sin(phi)
        - along * np.cos(2 * i) * np.cos(phi)
        + strike_slip * np.sin(2 * i) * np.sin(2 * phi) / 2
        - dip_slip * np.sin(2 * i) * (1 + np.sin(phi) ** 2) / 2
    )
    sh = (
        along * np.cos(i) * np.sin(phi)
        + strike_slip * np.sin(i) * np.cos(2 * phi)
        + across * np.cos(i) * np.cos(phi)
        - dip_slip * np.sin(i) * np.sin(2 * phi) / 2
    )
    return np.asarray(p), np.asarray(sv), np.asarray(sh)


def surface_motion(
    slowness_s_km: ArrayLike, vp_km_s: float, vs_km_s: float
) -> dict[str, tuple[FloatArray, FloatArray, FloatArray]]:
    """
    Return how a free surface moves under waves of unit amplitude that come from below.

    Beyond the angle where SV makes an evanescent P, the motion is elliptical. Its axes are returned as if in
    phase, so that an onset stays an onset.

    Parameters
    ----------
    slowness_s_km : array_like
        Horizontal, below 1 / vs.
    vp_km_s, vs_km_s : float
        Under the surface.

    Returns
    -------
    dict
        For P, SV and SH: motion up, away from the source, and to the right of that (clockwise).

    Examples
    --------
    >>> motion = surface_motion(0.0, 6.0, 3.5)
    >>> [round(float(motion["P"][0]), 9), round(float(motion["SV"][1]), 9), float(motion["SH"][2])]
    [2.0, -2.0, 2.0]
    """
    p = np.asarray(slowness_s_km, dtype=np.float64)
    eta_p = np.sqrt(1 / vp_km_s**2 - p**2 + 0j)
    eta_s = np.sqrt(np.maximum(1 / vs_km_s**2 - p**2, 0))
    shear = 1 / vs_km_s**2 - 2 * p**2
    # Traction vanishes at the surface: Rayleigh's function below (Aki & Richards 1980, section 5.2).
    scale = 2 / vs_km_s**2 / (shear**2 + 4 * p**2 * eta_p * eta_s)
    none = np.zeros_like(p)
    coupled = 2 * p * eta_p * eta_s * scale
    p_up, p_away = vp_km_s * eta_p * shear * scale, vp_km_s * coupled
    s_up, s_away = vs_km_s * coupled, vs_km_s * eta_s * np.sign(shear) * np.abs(shear * scale)
    return {
        "P": (p_up.real, p_away.real, none),
        "SV": (np.abs(s_up), -s_away, none),
        "SH": (none, none, np.full_like(p, 2.0)),
    }
