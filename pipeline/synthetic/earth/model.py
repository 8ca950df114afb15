"""
The ground that the synthetic waves cross: flat layers, a smooth 3-D perturbation, scatterers and sites.

::

    station  ▽ elevation: the top layer is thought to reach up to it
    ─────────────────────── 0 km, sea level
      slow top layer          its base converts S to P and P to S under the station
    ───────────────────────
      layers                  constant vp, vs, density, qp0, qs0 in each
    ─────────────────────── the deepest interface (Moho): Pn, Sn, PmP, SmS
      half-space

Later stages may be told the layers. They are not told the perturbation of slowness (its own
module) nor the delays of the sites, so that their residuals look like those of the real Earth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.earth.slowness import SlownessField

__all__ = [
    "Earth",
    "LayeredModel",
    "Scattering",
    "Site",
    "default_crust",
    "distance_and_azimuth",
    "flatten",
    "half_space",
    "to_local_km",
]

FloatArray = NDArray[np.float64]

_MEAN_RADIUS_KM = 6371.0

# WGS 84 (NIMA TR8350.2, 2000)
_EQUATOR_KM = 6378.137
_ECCENTRICITY_SQUARED = 6.69437999014e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class LayeredModel:
    """
    Flat layers over a half-space.

    Parameters
    ----------
    tops_km : tuple of float
        Depths of the layers' tops below sea level, from 0 down; the last layer has no bottom.
    vp_km_s, vs_km_s, density_kg_m3 : tuple of float
        Of each layer.
    qp0, qs0 : tuple of float
        Quality factors at 1 Hz.
    q_exponent : float
        Q(f) = q0 · (f / 1 Hz) ** q_exponent, 0 to below 1.

    Raises
    ------
    ConfigError
        Where the columns differ in length, tops do not rise from 0, or a value is out of range.

    Examples
    --------
    >>> default_crust().layer_at([0.0, 1.5, 50.0]).tolist()
    [0, 1, 4]
    """

    tops_km: tuple[float, ...]
    vp_km_s: tuple[float, ...]
    vs_km_s: tuple[float, ...]
    density_kg_m3: tuple[float, ...]
    qp0: tuple[float, ...]
    qs0: tuple[float, ...]
    q_exponent: float = 0.0

    def __post_init__(self) -> None:
        columns = (self.vp_km_s, self.vs_km_s, self.density_kg_m3, self.qp0, self.qs0)
        lengths = [len(self.tops_km), *map(len, columns)]
        if len(set(lengths)) != 1 or not lengths[0]:
            raise ConfigError(f"a layered model needs columns of one length, got {lengths}")
        if self.tops_km[0] != 0 or any(low >= high for low, high in pairwise(self.tops_km)):
            raise ConfigError(f"tops_km should rise from 0, got {list(self.tops_km)}")
        if not all(value > 0 for column in columns for value in column):
            raise ConfigError("velocities, densities and quality factors should be above 0")
        for vp, vs in zip(self.vp_km_s, self.vs_km_s, strict=True):
            # Poisson's ratio of 0 is vp = √2 vs: no rock lies below.
            if vp < math.sqrt(2) * vs:
                raise ConfigError(f"vp {vp} km/s should be at least √2 times vs {vs} km/s")
        if not 0 <= self.q_exponent < 1:
            raise ConfigError(f"q_exponent should lie from 0 to below 1, got {self.q_exponent}")

    def layer_at(self, depth_km: ArrayLike) -> NDArray[np.int64]:
        """Return the index of the layer at each depth; an interface belongs to the layer below it."""
        found = np.searchsorted(np.asarray(self.tops_km), np.asarray(depth_km), side="right") - 1
        return np.maximum(found, 0).astype(np.int64)


def default_crust() -> LayeredModel:
    """
    Return a continental crust: weathered and sedimentary rock over three layers of crystalline rock.

    Velocities as in the averages of Christensen & Mooney (1995), densities after Brocher (2005), Q after the
    usual results in active regions (Sato & Fehler 1998, figure 5.1: Qs near 100 f^0.6).
    """
    return LayeredModel(
        tops_km=(0.0, 1.0, 5.0, 17.0, 32.0),
        vp_km_s=(4.2, 5.6, 6.05, 6.7, 7.95),
        vs_km_s=(2.2, 3.22, 3.5, 3.85, 4.5),
        density_kg_m3=(2400.0, 2610.0, 2720.0, 2880.0, 3300.0),
        qp0=(80.0, 150.0, 250.0, 350.0, 500.0),
        qs0=(50.0, 90.0, 150.0, 220.0, 350.0),
        q_exponent=0.5,
    )


def half_space(
    *,
    vp_km_s: float = 6.0,
    vs_km_s: float = 3.464,
    density_kg_m3: float = 2700.0,
    qp0: float = 1e9,
    qs0: float = 1e9,
    q_exponent: float = 0.0,
) -> LayeredModel:
    """Return one rock everywhere: the case with closed formulae."""
    return LayeredModel(
        tops_km=(0.0,),
        vp_km_s=(vp_km_s,),
        vs_km_s=(vs_km_s,),
        density_kg_m3=(density_kg_m3,),
        qp0=(qp0,),
        qs0=(qs0,),
        q_exponent=q_exponent,
    )


def flatten(layers: LayeredModel) -> LayeredModel:
    """
    Return the flat layers in which rays take the times that they take in shells of a sphere.

    A velocity at depth z appears R / (R − z) times as high (Müller 1985). A shell gets the factor of its
    middle and the half-space that of its top, along which head waves run; depths change by less than 0.1 km
    down to 35 km, and are left.

    Examples
    --------
    >>> [round(value, 3) for value in flatten(default_crust()).vp_km_s]
    [4.2, 5.603, 6.06, 6.726, 7.99]
    """
    tops = np.asarray(layers.tops_km)
    middles = np.append((tops[1:] + tops[:-1]) / 2, tops[-1])
    factors = _MEAN_RADIUS_KM / (_MEAN_RADIUS_KM - middles)
    return replace(
        layers,
        vp_km_s=tuple((factors * layers.vp_km_s).tolist()),
        vs_km_s=tuple((factors * layers.vs_km_s).tolist()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scattering:
    """
    What the small heterogeneities do: a coda, and a direct wave that broadens on its way.

    Parameters
    ----------
    coefficient_per_km : float
        Scattering coefficient g0 of S; 0 for no coda. Near 0.01 per km at 1–20 Hz (Sato & Fehler 1998).
    qc0, qc_exponent : float
        Qc(f) = qc0 · (f / 1 Hz) ** qc_exponent of the coda.
    p_ratio : float
        Scattering of P (to P and to S) over that of S.
    forward_km : float
        Path over which the direct pulse loses 1 − 1/e of its energy to the packet behind it; inf for none.
    shallow : float
        Part of that energy which goes there in the shallow ground, however short the path: 0 to below 1.
    above_hz : float
        Frequency at which half of all this is lost, and above which most is.
    shallow_s, broadening : float
        Length of the packet on the shortest path, and what each second of travel time adds.

    Notes
    -----
    With `forward_km` infinite, `shallow` 0 and the coefficient 0 the waves are those of ray theory, which
    tests need. Records at the bottom of deep boreholes are pulses, those at the surface are not (Abercrombie
    & Leary 1993); at the surface the duration of S grows from 2.4 s at 7 km to 8.4 s at 45 km, coda included
    (Boore & Thompson 2014, twice the time from 20 to 80 % of its energy).
    """

    coefficient_per_km: float = 0.008
    qc0: float = 110.0
    qc_exponent: float = 0.8
    p_ratio: float = 2.0
    forward_km: float = 90.0
    shallow: float = 0.8
    above_hz: float = 2.0
    shallow_s: float = 0.35
    broadening: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.shallow < 1:
            raise ConfigError(f"shallow should lie from 0 to below 1, got {self.shallow}")

    def lost(self, path_km: ArrayLike) -> FloatArray:
        """
        Return which part of a pulse's energy has gone to the packet behind it, at high frequencies.

        >>> float(Scattering(shallow=0.5, forward_km=100.0).lost(0.0))
        0.5
        """
        return np.asarray(1 - (1 - self.shallow) * np.exp(-np.asarray(path_km) / self.forward_km))

    def packet_s(self, time_s: ArrayLike) -> FloatArray:
        """
        Return the length of that packet after a travel time.

        >>> float(Scattering(shallow_s=0.25, broadening=0.05).packet_s(5.0))
        0.5
        """
        return np.asarray(self.shallow_s + self.broadening * np.asarray(time_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """
    A station's place and what the ground under it does.

    Parameters
    ----------
    name : str
        Names its random numbers too.
    latitude, longitude : float
        Degrees.
    elevation_m : float
        Above sea level.
    kappa_s : float
        Near-surface attenuation exp(−π f κ) of S (Anderson & Hough 1984); P has vs/vp of that κ.
    amplification_hz, amplification : tuple of float
        Rising frequencies and factors of amplitude, interpolated in their logarithms, constant outside;
        empty for 1.
    delay_p_s, delay_s_s : float
        Added to the times of what arrives as P, as S.
    """

    name: str
    latitude: float
    longitude: float
    elevation_m: float = 0.0
    kappa_s: float = 0.02
    amplification_hz: tuple[float, ...] = ()
    amplification: tuple[float, ...] = ()
    delay_p_s: float = 0.0
    delay_s_s: float = 0.0

    def __post_init__(self) -> None:
        rising = all(0 < low < high for low, high in pairwise(self.amplification_hz))
        if len(self.amplification_hz) != len(self.amplification) or not rising:
            raise ConfigError(f"amplification of {self.name} needs rising frequencies and a factor for each")
        if not (self.kappa_s >= 0 and all(factor > 0 for factor in self.amplification)):
            raise ConfigError(f"kappa_s of {self.name} should be at least 0 and its amplification above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Earth:
    """
    All that the waves of one region cross.

    Parameters
    ----------
    layers : LayeredModel
    centre_latitude, centre_longitude : float
        Where the perturbation has its origin, degrees.
    field : SlownessField, optional
    scattering : Scattering
    curved : bool
        Whether the layers are shells of a sphere, of which ray theory sees the flattened image: Pn is then
        0.07 s earlier at 150 km. Flat layers have the closed formulae.
    """

    layers: LayeredModel
    centre_latitude: float
    centre_longitude: float
    field: SlownessField | None = None
    scattering: Scattering = Scattering()
    curved: bool = True


def to_local_km(
    latitude: ArrayLike, longitude: ArrayLike, *, centre_latitude: ArrayLike, centre_longitude: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """
    Project onto a plane that touches the ellipsoid: east and north of a centre.

    Parameters
    ----------
    latitude, longitude, centre_latitude, centre_longitude : array_like
        Degrees.

    Returns
    -------
    east_km, north_km : array of float64

    Examples
    --------
    >>> east_km, north_km = to_local_km(46.0, 8.0, centre_latitude=46.0, centre_longitude=7.0)
    >>> round(float(east_km), 2), float(north_km)
    (77.46, 0.0)
    """
    centre = np.radians(np.asarray(centre_latitude, dtype=np.float64))
    bulge = 1 - _ECCENTRICITY_SQUARED * np.sin(centre) ** 2
    across_km = _EQUATOR_KM / np.sqrt(bulge)
    along_km = across_km * (1 - _ECCENTRICITY_SQUARED) / bulge
    turn_deg = np.asarray(longitude, dtype=np.float64) - np.asarray(centre_longitude, dtype=np.float64)
    turn_deg = (turn_deg + 180) % 360 - 180
    east_km = np.radians(turn_deg) * across_km * np.cos(centre)
    north_km = (np.radians(np.asarray(latitude, dtype=np.float64)) - centre) * along_km
    return np.asarray(east_km), np.asarray(north_km)


def distance_and_azimuth(
    latitude: float, longitude: float, to_latitude: ArrayLike, to_longitude: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """
    Return distances (km) and azimuths (degrees) from one point to others.

    Each pair is projected about its own middle latitude: to 200 km the distance is then that on the
    ellipsoid to within 0.02 %, where one centre for all would err by a per cent.

    Examples
    --------
    >>> distance_km, azimuth_deg = distance_and_azimuth(46.0, 7.0, 46.5, 8.0)
    >>> round(float(distance_km), 2), round(float(azimuth_deg), 2)
    (95.05, 54.22)
    """
    middle = (latitude + np.asarray(to_latitude, dtype=np.float64)) / 2
    east_km, north_km = to_local_km(
        to_latitude, to_longitude, centre_latitude=middle, centre_longitude=longitude
    )
    _, from_north_km = to_local_km(latitude, longitude, centre_latitude=middle, centre_longitude=longitude)
    north_km = north_km - from_north_km
    azimuth_deg = np.degrees(np.arctan2(east_km, north_km)) % 360
    return np.hypot(east_km, north_km), np.asarray(azimuth_deg)
