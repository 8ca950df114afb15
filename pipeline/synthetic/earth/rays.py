r"""
Rays through flat layers: when each wave arrives, under which angles, how much it has spread and lost.

::

    P, S      straight up           Pn, Pb1, ...   along an interface       PmP     back from the deepest one
                 ▽                             ▽                                   ▽
             ___/                    *        /                          *        /
            /                         \      /                            \      /
           *                          ─\────/─                           ──\────/──

Ps and Sp change their kind where they enter the top layer. Every ray is a row of legs, one for each layer on
its way down and one for each on its way up, some of no length: so one solver serves them all, for any number
of stations or events at once. The legs are kept, for an integral along the path.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.synthetic.earth.interfaces import interface_coefficients, reflect_sh
from pipeline.synthetic.earth.model import LayeredModel

__all__ = ["Rays", "trace"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

# A head wave's amplitude is this length over √X L^1.5 (Červený & Ravindra 1971). Theory of sharp layers has
# a length that falls as 1/frequency, 0.1 km at 10 Hz, and observed Pn are far above it, since velocity grows
# with depth below the interface (Hill 1971). 5 km makes Pn a tenth of Pg at 150 km, as is common.
_HEAD_LENGTH_KM = 5.0
# Near the critical distance, where that formula has a pole: part of the amplitude of a direct ray.
_STRONGEST_HEAD = 0.2

# A source is at least so deep under the station's surface: rays need a layer to cross.
_SHALLOWEST_KM = 0.01

_NEWTON_STEPS = 40
_CLOSE_ENOUGH_KM = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rays:
    """
    All rays from sources to stations; arrays have the shape (kinds, pairs).

    Parameters
    ----------
    names : tuple of str
        P, S, Ps, Sp, PmP, SmS, Pb1, Sb1, ..., Pn, Sn.
    source_waves, receiver_waves : tuple of str
        P or S at either end.
    exists : array of bool
        Elsewhere the other arrays hold numbers without a meaning.
    time_s : array
    slowness_s_km : array
        Horizontal: the ray parameter.
    takeoff_deg : array
        From straight down.
    incidence_deg : array
        At the surface, from straight up.
    path_km : array
    spreading_per_km : array
        Amplitude for a unit of amplitude at 1 km, but for the impedances: 1/r where all is one rock.
    t_star_s : array
        Integral of time over q0.
    factor, factor_sh : array
        Amplitude left by the conversion or reflection, in P and SV, and in SH, with its sign; the square is a
        ratio of energy fluxes.
    leg_offset_km, leg_drop_km, leg_time_s : array, shape (kinds, pairs, legs)
        In the order of the path; drops are positive downwards.
    leg_is_s : array of bool, shape (kinds, legs)
    """

    names: tuple[str, ...]
    source_waves: tuple[str, ...]
    receiver_waves: tuple[str, ...]
    exists: BoolArray
    time_s: FloatArray
    slowness_s_km: FloatArray
    takeoff_deg: FloatArray
    incidence_deg: FloatArray
    path_km: FloatArray
    spreading_per_km: FloatArray
    t_star_s: FloatArray
    factor: FloatArray
    factor_sh: FloatArray
    leg_offset_km: FloatArray
    leg_drop_km: FloatArray
    leg_time_s: FloatArray
    leg_is_s: BoolArray

    def first_s(self, wave: str) -> FloatArray:
        """Return the time of the first ray that is P (or S) all the way, shape (pairs,)."""
        pairs = zip(self.source_waves, self.receiver_waves, strict=True)
        pure = np.array([ends == (wave, wave) for ends in pairs])[:, None]
        return np.asarray(np.where(self.exists & pure, self.time_s, np.inf).min(axis=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of ray: its wave at either end, and the interface that it touches, 0 for none."""

    name: str
    source: str
    receiver: str
    interface: int = 0
    head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Legs:
    """Rows of legs: down through the layers, along the interface (no thickness), up again."""

    thickness_km: FloatArray  # (kinds, pairs, legs)
    velocity_km_s: FloatArray  # (kinds, 1, legs)
    quality: FloatArray
    is_s: BoolArray  # (kinds, legs)
    head: BoolArray  # (kinds, 1)
    exists: BoolArray  # (kinds, pairs), but for the reach of head waves

    @property
    def middle(self) -> int:
        """The leg along the interface."""
        return int(self.thickness_km.shape[-1] // 2)

    @property
    def refractor_km_s(self) -> FloatArray:
        """Velocity along the interface, shape (kinds, 1)."""
        return self.velocity_km_s[..., self.middle]


def trace(
    layers: LayeredModel, distance_km: ArrayLike, depth_km: ArrayLike, elevation_km: ArrayLike = 0.0
) -> Rays:
    """
    Trace every ray of every pair of source and station.

    Parameters
    ----------
    layers : LayeredModel
    distance_km, depth_km, elevation_km : array_like, broadcast to shape (pairs,)
        Epicentral distance; depth of the source below sea level, taken as 10 m under the station's height
        where it lies above that; height of the station, up to which the top layer reaches.

    Returns
    -------
    Rays

    Examples
    --------
    >>> from pipeline.synthetic.earth.model import half_space
    >>> rays = trace(half_space(vp_km_s=6.0, vs_km_s=3.0), distance_km=40.0, depth_km=30.0)
    >>> rays.names, rays.time_s.round(6).tolist(), rays.spreading_per_km.round(6).tolist()
    (('P', 'S'), [[8.333333], [16.666667]], [[0.02], [0.02]])
    """
    distance, depth, elevation = (
        np.array(a, dtype=np.float64)
        for a in np.broadcast_arrays(*map(np.atleast_1d, (distance_km, depth_km, elevation_km)))
    )
    kinds = _list_kinds(len(layers.tops_km))
    legs = _lay_out(layers, kinds, np.maximum(depth, _SHALLOWEST_KM - elevation), elevation)
    fastest = np.where(legs.thickness_km > 0, legs.velocity_km_s, 0).max(axis=-1)
    tangent = np.where(legs.head, _critical(legs, fastest), _solve(legs, fastest, distance))
    slowness = tangent / np.sqrt(1 + tangent**2) / fastest
    cosine = _cosines(legs, fastest, tangent)
    offset = legs.thickness_km * slowness[..., None] * legs.velocity_km_s / cosine
    along = np.where(legs.head, distance - offset.sum(axis=-1), 0.0)
    exists = legs.exists & (~legs.head | ((legs.refractor_km_s > fastest) & (along >= 0)))
    along = np.maximum(along, 0)
    offset[..., legs.middle] = along
    leg_time = legs.thickness_km / (legs.velocity_km_s * cosine)
    leg_time[..., legs.middle] = along / legs.refractor_km_s
    path = (legs.thickness_km / cosine).sum(axis=-1) + along

    takeoff, spread = _leave(legs, fastest, tangent, slowness, cosine)
    factor, factor_sh = _factors(layers, kinds, slowness)
    return Rays(
        names=tuple(kind.name for kind in kinds),
        source_waves=tuple(kind.source for kind in kinds),
        receiver_waves=tuple(kind.receiver for kind in kinds),
        exists=exists,
        time_s=leg_time.sum(axis=-1),
        slowness_s_km=slowness,
        takeoff_deg=takeoff,
        incidence_deg=np.degrees(np.arctan2(slowness * legs.velocity_km_s[..., -1], cosine[..., -1])),
        path_km=path,
        spreading_per_km=np.where(legs.head, _spread_head(distance, along, path), spread),
        t_star_s=(leg_time / legs.quality).sum(axis=-1),
        factor=factor,
        factor_sh=factor_sh,
        leg_offset_km=offset,
        leg_drop_km=legs.thickness_km * np.sign(legs.middle - np.arange(offset.shape[-1])),
        leg_time_s=leg_time,
        leg_is_s=legs.is_s,
    )


def _list_kinds(layers: int) -> list[_Kind]:
    kinds = [_Kind(name=wave, source=wave, receiver=wave) for wave in "PS"]
    if layers > 1:
        kinds += [_Kind(name=a + b.lower(), source=a, receiver=b) for a, b in ("PS", "SP")]
        kinds += [_Kind(name=f"{w}m{w}", source=w, receiver=w, interface=layers - 1) for w in "PS"]
    for j in range(1, layers):
        tail = "n" if j == layers - 1 else f"b{j}"
        kinds += [_Kind(name=w + tail, source=w, receiver=w, interface=j, head=True) for w in "PS"]
    return kinds


def _lay_out(layers: LayeredModel, kinds: list[_Kind], depth: FloatArray, elevation: FloatArray) -> _Legs:
    count = len(layers.tops_km)
    tops = np.broadcast_to(np.asarray(layers.tops_km), (len(depth), count)).copy()
    tops[:, 0] = -elevation
    bottoms = np.concatenate([tops[:, 1:], np.full((len(depth), 1), np.inf)], axis=1)
    interface = np.array([kind.interface for kind in kinds])
    touched = np.where(interface[:, None] > 0, np.asarray(layers.tops_km)[interface][:, None], depth)
    lowest = np.maximum(touched, depth)[..., None]
    down = np.maximum(np.minimum(bottoms, lowest) - np.maximum(tops, depth[:, None]), 0)
    up = np.maximum(np.minimum(bottoms, lowest) - tops, 0)
    thickness = np.concatenate([down, np.zeros_like(lowest), up[..., ::-1]], axis=-1)

    # The layer of each leg, and its wave: the receiver's in the top layer on the way up.
    layer = np.concatenate(
        [
            np.broadcast_to(np.arange(count), (len(kinds), count)),
            interface[:, None],
            np.broadcast_to(np.arange(count)[::-1], (len(kinds), count)),
        ],
        axis=1,
    )
    is_s = np.array([[kind.source == "S"] * (2 * count) + [kind.receiver == "S"] for kind in kinds])
    velocity = np.where(is_s, np.asarray(layers.vs_km_s)[layer], np.asarray(layers.vp_km_s)[layer])
    quality = np.where(is_s, np.asarray(layers.qs0)[layer], np.asarray(layers.qp0)[layer])
    converted = np.array([kind.source != kind.receiver for kind in kinds])[:, None]
    exists = np.where(interface[:, None] > 0, depth < touched, True)
    exists &= ~converted | (depth > (layers.tops_km[1] if count > 1 else np.inf))
    return _Legs(
        thickness_km=thickness,
        velocity_km_s=velocity[:, None, :],
        quality=quality[:, None, :],
        is_s=is_s,
        head=np.array([kind.head for kind in kinds])[:, None],
        exists=exists,
    )


def _critical(legs: _Legs, fastest: FloatArray) -> FloatArray:
    """Return tan(angle) in the fastest leg of head waves: sin is its velocity over theirs."""
    gap = legs.refractor_km_s**2 - fastest**2
    return np.asarray(np.where(gap > 0, fastest / np.sqrt(np.where(gap > 0, gap, 1.0)), 1.0))


def _solve(legs: _Legs, fastest: FloatArray, distance: FloatArray) -> FloatArray:
    """
    Return tan(angle) in the fastest leg of rays that come out at a distance.

    The distance is a rising and concave function of this tangent, with no pole: a step of Newton's from
    anywhere lands below the answer, and every one after that climbs towards it.
    """
    ratio = np.where(legs.thickness_km > 0, legs.velocity_km_s, 0.0) / fastest[..., None]
    weight, bend = legs.thickness_km * ratio, 1 - ratio**2
    tangent = np.zeros(fastest.shape)
    for _ in range(_NEWTON_STEPS):
        root = 1 / (1 + bend * (tangent**2)[..., None])
        single = weight * np.sqrt(root)
        miss = np.where(legs.head, 0.0, distance - tangent * single.sum(axis=-1))
        if (np.abs(miss) < _CLOSE_ENOUGH_KM).all():
            break
        tangent = tangent + miss / (single * root).sum(axis=-1)
    return tangent


def _cosines(legs: _Legs, fastest: FloatArray, tangent: FloatArray) -> FloatArray:
    """Return cos(angle) of each leg, exact also where the ray grazes."""
    ratio = np.where(legs.thickness_km > 0, legs.velocity_km_s, 0.0) / fastest[..., None]
    square = (tangent**2)[..., None]
    return np.asarray(np.sqrt((1 + (1 - ratio**2) * square) / (1 + square)))


def _leave(
    legs: _Legs, fastest: FloatArray, tangent: FloatArray, slowness: FloatArray, cosine: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return take-off angles, and the spreading that follows from them."""
    # The ray starts on its first leg that has a length.
    start = (legs.thickness_km > 0).argmax(axis=-1)[..., None]
    source_velocity = np.take_along_axis(legs.velocity_km_s, start, axis=-1)[..., 0]
    source_cosine = np.take_along_axis(cosine, start, axis=-1)[..., 0]
    angle = np.degrees(np.arctan2(slowness * source_velocity, source_cosine))
    spread = _spread(legs, fastest, tangent) * source_velocity / np.sqrt(source_cosine * cosine[..., -1])
    return np.where(start[..., 0] < legs.middle, angle, 180 - angle), spread


def _spread_head(distance: FloatArray, along: FloatArray, path: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        thin = _HEAD_LENGTH_KM / (np.sqrt(distance) * along**1.5)
    return np.asarray(np.fmin(thin, _STRONGEST_HEAD / path))


def _spread(legs: _Legs, fastest: FloatArray, tangent: FloatArray) -> FloatArray:
    """
    Return √(p/X · dp/dX), from which ray theory makes the spreading.

    A bundle of solid angle sin(i) di dφ at the source is X cos(j) dX dφ wide at the surface.
    """
    ratio = np.where(legs.thickness_km > 0, legs.velocity_km_s, 0.0) / fastest[..., None]
    root = 1 / (1 + (1 - ratio**2) * (tangent**2)[..., None])
    reach = legs.thickness_km * ratio * np.sqrt(root)
    # X = tangent · Σ reach; so p/X stays finite straight above the source.
    slowness_over_distance = 1 / (np.sqrt(1 + tangent**2) * fastest * reach.sum(axis=-1))
    dp_over_dx = 1 / ((1 + tangent**2) ** 1.5 * fastest * (reach * root).sum(axis=-1))
    return np.asarray(np.sqrt(slowness_over_distance * dp_over_dx))


def _factors(layers: LayeredModel, kinds: list[_Kind], slowness: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what the conversion under the station or the reflection leaves of the amplitude."""
    p_sv, sh = np.ones(slowness.shape), np.ones(slowness.shape)
    rock = list(zip(layers.vp_km_s, layers.vs_km_s, layers.density_kg_m3, strict=True))
    for row, kind in enumerate(kinds):
        wave = "PS".index(kind.source)
        if kind.source != kind.receiver:
            found = interface_coefficients(slowness[row], rock[1], rock[0], upwards=True)
            p_sv[row], sh[row] = found[:, 2 + "PS".index(kind.receiver), wave], 0.0
        elif kind.interface and not kind.head:
            above, below = rock[kind.interface - 1], rock[kind.interface]
            found = interface_coefficients(slowness[row], above, below, upwards=False)
            p_sv[row] = found[:, wave, wave]
            if wave:
                sh[row] = reflect_sh(slowness[row], above, below)
    return p_sv, sh
