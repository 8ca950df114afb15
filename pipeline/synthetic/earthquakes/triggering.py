"""
Triggering: the laws by which earthquakes come in families, and draws from them.

==================  ==========================================================================
magnitudes          Gutenberg-Richter between two ends: their number falls by ``10^b`` per unit
times               Omori-Utsu: a rate of ``(t + c)^-p`` after the parent, until it stops
number              ``K 10^(alpha (m - m_min))`` direct offspring of a magnitude m, on average
places              about the parent's rupture (`rupture.offsets_about_rupture`)
==================  ==========================================================================

A swarm has no parent: a fluid that spreads over a plane triggers its events, and some of them follow another
one within seconds.

Nothing here knows of catalogs or names: `seismicity` decides whose offspring are drawn, and from which
generator.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.earthquakes.faulting import move, plane_vectors, scatter_mechanisms
from pipeline.synthetic.earthquakes.rupture import offsets_about_rupture
from pipeline.synthetic.times import to_ns

__all__ = [
    "Aftershocks",
    "GutenbergRichter",
    "OmoriUtsu",
    "Swarm",
    "draw_offspring",
    "draw_swarm",
]

FloatArray: TypeAlias = NDArray[np.float64]

_DAY_S = 86_400
_LN10 = float(np.log(10))


@dataclass(frozen=True, slots=True, kw_only=True)
class GutenbergRichter:
    """
    Magnitudes whose number falls by ``10^b`` per unit, between two ends.

    Examples
    --------
    >>> from pipeline.synthetic.draws import generator
    >>> law = GutenbergRichter(b=1.0, m_min=0.0, m_max=6.0)
    >>> bool((law.draw(1000, generator(1)) > 1).sum() in range(70, 130))
    True
    """

    b: float = 1.0
    m_min: float = 0.0
    m_max: float = 6.5

    def __post_init__(self) -> None:
        if not (self.b > 0 and self.m_max > self.m_min):
            raise ConfigError(f"b should be above 0, and m_max above m_min: got {self}")

    def draw(self, count: int, random: np.random.Generator) -> FloatArray:
        """Draw magnitudes."""
        lost = 1 - 10 ** (-self.b * (self.m_max - self.m_min))
        return self.m_min - np.log10(1 - random.random(count) * lost) / self.b


@dataclass(frozen=True, slots=True, kw_only=True)
class OmoriUtsu:
    """
    Times after an event with a rate that falls as ``(t + c)^-p``, until they stop.

    Examples
    --------
    >>> law = OmoriUtsu(p=1.1, c_s=100.0)
    >>> law.times_s([0.0, 0.5, 1.0]).round(0).tolist()
    [0.0, 10474.0, 86400000.0]
    """

    p: float = 1.1
    c_s: float = 300.0
    lasts_s: float = 1000.0 * _DAY_S

    def __post_init__(self) -> None:
        if not (self.p > 0 and self.c_s > 0 and self.lasts_s > 0):
            raise ConfigError(f"p, c_s and lasts_s should be above 0: got {self}")

    def times_s(self, fraction: ArrayLike) -> FloatArray:
        """Return the times by which given fractions of all events have come."""
        fraction = np.asarray(fraction, dtype=np.float64)
        # With x = ln(1 + t/c) the cumulative number is (exp((1-p) x) - 1) / (1-p), which is x at p = 1.
        power, end = 1 - self.p, np.log1p(self.lasts_s / self.c_s)
        if abs(power) < 1e-9:
            return np.asarray(self.c_s * np.expm1(fraction * end))
        return np.asarray(self.c_s * np.expm1(np.log1p(fraction * np.expm1(power * end)) / power))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftershocks:
    """
    How events trigger others.

    Parameters
    ----------
    productivity : float
        K: mean number of direct offspring of the smallest event; 0 for none.
    alpha : float
        An event of magnitude m has ``K 10^(alpha (m - m_min))`` of them.
    omori : OmoriUtsu
        When.
    near_km, far_km, decay, flattening : float
        Where, about the parent's rupture: see `rupture.offsets_about_rupture`.

    Examples
    --------
    >>> law = GutenbergRichter(b=1.0, m_min=0.0, m_max=6.0)
    >>> round(Aftershocks(productivity=0.1, alpha=0.8).offspring_per_event(law), 3)
    0.468
    """

    productivity: float = 0.08
    alpha: float = 0.8
    omori: OmoriUtsu = OmoriUtsu()
    near_km: float = 0.1
    far_km: float = 30.0
    decay: float = 1.4
    flattening: float = 0.2

    def offspring_per_event(self, magnitudes: GutenbergRichter) -> float:
        """Return the branching ratio: the mean over all magnitudes. From 1 on, families never end."""
        span, b = magnitudes.m_max - magnitudes.m_min, magnitudes.b
        slope = (self.alpha - b) * _LN10
        integral = span if slope == 0 else np.expm1(slope * span) / slope
        return float(self.productivity * b * _LN10 * integral / -np.expm1(-b * span * _LN10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Swarm:
    """
    Many small events without a mainshock, close to each other in place and time.

    They fill a disc on a plane, from its centre outwards as a fluid would spread (the front goes with the
    square root of time: Shapiro et al. 1997). Some come within seconds of another.

    Parameters
    ----------
    time : datetime
        When it begins.
    hours : float
        How long it lasts.
    events : int
        Those that they trigger come on top.
    latitude, longitude, depth_km : float
        Centre.
    strike_deg, dip_deg, rake_deg : float
    radius_km : float
        That the front has reached at the end.
    magnitudes : GutenbergRichter
    burst : float
        Fraction of the events that follow another one within ``burst_s`` (the mean of an exponential).
    burst_s : float
    """

    time: dt.datetime
    hours: float
    events: int
    latitude: float
    longitude: float
    depth_km: float = 6.0
    strike_deg: float = 130.0
    dip_deg: float = 75.0
    rake_deg: float = 180.0
    radius_km: float = 0.8
    magnitudes: GutenbergRichter = GutenbergRichter(b=1.2, m_min=0.0, m_max=3.0)
    burst: float = 0.4
    burst_s: float = 4.0

    @property
    def start_ns(self) -> int:
        """Its beginning in nanoseconds since 1970."""
        return to_ns(self.time)

    @property
    def lasts_s(self) -> float:
        """Seconds that it lasts."""
        return self.hours * 3600


def draw_swarm(
    swarm: Swarm, random: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """
    Draw the events of a swarm.

    Parameters
    ----------
    swarm : Swarm
    random : Generator
        Drawn from in a fixed order.

    Returns
    -------
    time_s : array, shape (events,)
        Since the start; not sorted.
    mw : array, shape (events,)
    places : array, shape (3, events)
        Latitude, longitude, depth in km.
    mechanisms : array, shape (3, events)
        Strike, dip and rake in degrees.

    Examples
    --------
    >>> from pipeline.synthetic.draws import generator
    >>> swarm = Swarm(time=dt.datetime(2020, 3, 1, tzinfo=dt.UTC), hours=1.0, events=100,
    ...               latitude=50.0, longitude=8.0, depth_km=5.0)
    >>> time_s, mw, places, mechanisms = draw_swarm(swarm, generator(1))
    >>> places.shape, bool((abs(places[2] - 5) < 1).all())
    ((3, 100), True)
    """
    count = swarm.events
    # Rates of swarms rise fast and die out slowly.
    fraction = np.sort(random.beta(1.5, 2.5, count))
    leader = (random.random(count) * np.arange(count)).astype(np.int64)
    after_s = random.exponential(swarm.burst_s, count)
    time_s = np.where(
        random.random(count) < swarm.burst,
        swarm.lasts_s * fraction[leader] + after_s,
        swarm.lasts_s * fraction,
    )
    front_km = swarm.radius_km * np.sqrt(np.clip(time_s / swarm.lasts_s, 0, 1))
    distance_km = front_km * np.sqrt(random.random(count))
    angle = random.uniform(0, 2 * np.pi, count)
    vectors = np.stack(plane_vectors(swarm.strike_deg, swarm.dip_deg))
    on_plane = np.stack(
        [distance_km * np.cos(angle), distance_km * np.sin(angle), 0.03 * random.standard_normal(count)]
    )
    places = _moved((swarm.latitude, swarm.longitude, swarm.depth_km), on_plane.T @ vectors)
    mechanisms = _scattered(swarm.strike_deg, swarm.dip_deg, swarm.rake_deg, count, random)
    mw = swarm.magnitudes.draw(count, random)
    return time_s, mw, places, mechanisms


def draw_offspring(
    count: int,
    law: Aftershocks,
    magnitudes: GutenbergRichter,
    *,
    mw: float,
    hypocentre: tuple[float, float, float],
    mechanism: tuple[float, float, float],
    depth_km: tuple[float, float],
    random: np.random.Generator,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """
    Draw direct aftershocks of one event.

    Parameters
    ----------
    count : int
    law : Aftershocks
    magnitudes : GutenbergRichter
    mw : float
        Of the parent.
    hypocentre : (float, float, float)
        Latitude, longitude and depth in km of the parent.
    mechanism : (float, float, float)
        Strike, dip and rake in degrees of the parent.
    depth_km : (float, float)
        Range that no rupture leaves; aftershocks beside it may.
    random : Generator
        Drawn from in a fixed order.

    Returns
    -------
    delay_s : array, shape (count,)
        Since the parent; not sorted.
    mw : array, shape (count,)
    places : array, shape (3, count)
        Latitude, longitude, depth in km.
    mechanisms : array, shape (3, count)
        Strike, dip and rake in degrees.

    Examples
    --------
    >>> from pipeline.synthetic.draws import generator
    >>> delay_s, mw, places, mechanisms = draw_offspring(
    ...     200, Aftershocks(), GutenbergRichter(), mw=5.0, hypocentre=(50.0, 8.0, 9.0),
    ...     mechanism=(130.0, 80.0, 180.0), depth_km=(1.0, 18.0), random=generator(1))
    >>> places.shape, bool(0 < np.median(abs(places[0] - 50)) < 0.05)
    ((3, 200), True)
    """
    delay_s = law.omori.times_s(random.random(count))
    drawn_mw = magnitudes.draw(count, random)
    strike_deg, dip_deg, _ = mechanism
    steepness = max(np.sin(np.radians(dip_deg)), 0.1)
    offsets_km = offsets_about_rupture(
        count,
        mw=mw,
        strike_deg=strike_deg,
        dip_deg=dip_deg,
        random=random,
        near_km=law.near_km,
        far_km=law.far_km,
        decay=law.decay,
        flattening=law.flattening,
        up_dip_km=((hypocentre[2] - depth_km[1]) / steepness, (hypocentre[2] - depth_km[0]) / steepness),
    )
    return delay_s, drawn_mw, _moved(hypocentre, offsets_km), _scattered(*mechanism, count, random)


def _moved(origin: tuple[float, float, float], offsets_km: FloatArray) -> FloatArray:
    latitude, longitude = move(origin[0], origin[1], offsets_km[:, 0], offsets_km[:, 1])
    return np.stack([latitude, longitude, origin[2] + offsets_km[:, 2]])


def _scattered(
    strike_deg: float, dip_deg: float, rake_deg: float, count: int, random: np.random.Generator
) -> FloatArray:
    angles = (np.full(count, angle) for angle in (strike_deg, dip_deg, rake_deg))
    return np.stack(scatter_mechanisms(*angles, random=random, normal_scatter_deg=8, rake_scatter_deg=12))
