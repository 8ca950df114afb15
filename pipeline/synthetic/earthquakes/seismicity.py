"""
Seismicity: a catalog of earthquakes whose laws are known.

Events that nothing triggered come first: a Poisson background, swarms, given mainshocks. Each of them, and
each event that follows, has offspring of its own (epidemic-type aftershocks, ETAS: Ogata 1988)::

    background   o----.------------------------------   offspring: Poisson, K 10^(alpha (m - m_min)) of them,
    mainshock    O-.-..-.---.------.-----------------   after times (t + c)^-p (Omori-Utsu), with magnitudes
                   |  `-.--.     `-..------              of one Gutenberg-Richter law for all
                   `-.-------                            (the laws are in `triggering`)

The background is drawn day by day by its absolute date, offspring by the name of their parent, and names come
from descent alone. So a longer catalog has the same events up to where a shorter one stops, and any cut of
it is the same. Only its start is part of the definition, since what came before has no offspring in it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes.catalog import Catalog, gather, nothing
from pipeline.synthetic.earthquakes.faulting import FaultPlane, move, scatter_mechanisms
from pipeline.synthetic.earthquakes.triggering import (
    Aftershocks,
    GutenbergRichter,
    Swarm,
    draw_offspring,
    draw_swarm,
)
from pipeline.synthetic.times import to_ns

__all__ = [
    "Background",
    "Mainshock",
    "simulate",
]

FloatArray: TypeAlias = NDArray[np.float64]

_MOST_EVENTS = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """
    Events that nothing triggers, at a constant mean rate.

    Parameters
    ----------
    events_per_day : float
        Of all magnitudes from ``m_min`` up, without aftershocks.
    latitude, longitude : float
        Centre of the region.
    width_km, height_km : float
        Of the region, from west to east and from south to north.
    depth_km : (float, float)
        Range of all depths.
    planes : tuple of FaultPlane
        Chosen by area.
    diffuse : float
        Fraction off the faults.
    strike_deg, dip_deg, rake_deg : float
        About which mechanisms off the faults scatter, by 25 degrees.
    """

    events_per_day: float
    latitude: float
    longitude: float
    width_km: float
    height_km: float
    depth_km: tuple[float, float] = (1.0, 18.0)
    planes: tuple[FaultPlane, ...] = ()
    diffuse: float = 0.3
    strike_deg: float = 130.0
    dip_deg: float = 75.0
    rake_deg: float = 180.0

    def __post_init__(self) -> None:
        if not (self.events_per_day >= 0 and 0 <= self.diffuse <= 1):
            raise ConfigError(
                "events_per_day should be at least 0, and diffuse from 0 to 1:"
                f" got {self.events_per_day} and {self.diffuse}"
            )
        if not 0 <= self.depth_km[0] < self.depth_km[1]:
            raise ConfigError(f"depth_km should be a range from 0 or more, got {self.depth_km}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mainshock:
    """A given event; its aftershocks follow as those of any other."""

    time: dt.datetime
    latitude: float
    longitude: float
    mw: float
    depth_km: float = 8.0
    strike_deg: float = 130.0
    dip_deg: float = 75.0
    rake_deg: float = 180.0
    stress_drop_mpa: float = 3.0

    @property
    def origin_ns(self) -> int:
        """The same time in nanoseconds since 1970."""
        return to_ns(self.time)


def simulate(
    *,
    seed: int,
    start_ns: int,
    stop_ns: int,
    background: Background,
    magnitudes: GutenbergRichter,
    aftershocks: Aftershocks,
    mainshocks: Sequence[Mainshock] = (),
    swarms: Sequence[Swarm] = (),
) -> Catalog:
    """
    Make a catalog.

    Parameters
    ----------
    seed : int
    start_ns, stop_ns : int
        Half-open span. A later stop adds events and changes none; another start is another catalog.
    background : Background
    magnitudes : GutenbergRichter
        Of background and aftershocks.
    aftershocks : Aftershocks
    mainshocks, swarms : sequence
        On top of the background. What they have outside the span is left out.

    Returns
    -------
    Catalog

    Raises
    ------
    ConfigError
        Where families of aftershocks would never end, or would have millions of events.

    Examples
    --------
    >>> catalog = simulate(seed=1, start_ns=0, stop_ns=10 * DAY_NS, magnitudes=GutenbergRichter(),
    ...     background=Background(events_per_day=20, latitude=50, longitude=8, width_km=80, height_km=80),
    ...     aftershocks=Aftershocks())
    >>> bool(100 < len(catalog) < 500), sorted(set(catalog.kind.tolist()))
    (True, ['aftershock', 'background'])
    """
    ratio = aftershocks.offspring_per_event(magnitudes)
    if not 0 <= ratio < 1:
        raise ConfigError(f"an event should have 0 to 1 direct aftershocks on average, got {ratio:.3g}")
    roots = [_background_day(seed, day, background, magnitudes) for day in _days(start_ns, stop_ns)]
    roots += [_mainshock(seed, mainshock) for mainshock in mainshocks]
    roots += [_swarm(seed, swarm, background.depth_km) for swarm in swarms]
    generation = Catalog.join([nothing(), *roots]).between(start_ns, stop_ns)
    generations, total = [generation], len(generation)
    while len(generation):
        children = [
            _offspring(seed, generation, index, aftershocks, magnitudes, background.depth_km, stop_ns)
            for index in range(len(generation))
        ]
        generation = Catalog.join([nothing(), *(some for some in children if some is not None)])
        generations.append(generation)
        total += len(generation)
        if total > _MOST_EVENTS:
            raise ConfigError(f"a catalog should have at most {_MOST_EVENTS} events: lower its rate or alpha")
    return Catalog.join(generations)


def _days(start_ns: int, stop_ns: int) -> range:
    return range(start_ns // DAY_NS, -(-stop_ns // DAY_NS))


def _background_day(seed: int, day: int, law: Background, magnitudes: GutenbergRichter) -> Catalog:
    random = generator(seed, "background", day)
    count = int(random.poisson(law.events_per_day))
    origin_ns = day * DAY_NS + random.integers(0, DAY_NS, count)
    mw = magnitudes.draw(count, random)
    places, mechanisms = _places_of_background(count, seed, law, random)
    return gather(
        seed, f"background {day}", "background", origin_ns, places, mw, mechanisms, random, law.depth_km
    )


def _places_of_background(
    count: int, seed: int, law: Background, random: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw places (latitude, longitude, depth) and mechanisms (strike, dip, rake), of shape (3, count)."""
    areas = np.array([plane.area_km2 for plane in law.planes])
    diffuse = law.diffuse if law.planes else 1.0
    chosen = np.full(count, -1)
    on_fault = random.random(count) >= diffuse
    if law.planes:
        chosen[on_fault] = random.choice(len(areas), int(on_fault.sum()), p=areas / areas.sum())
    places = np.empty((3, count))
    angles = np.empty((3, count))
    off = chosen < 0
    east_km = law.width_km * random.uniform(-0.5, 0.5, count)
    north_km = law.height_km * random.uniform(-0.5, 0.5, count)
    places[:2] = move(law.latitude, law.longitude, north_km, east_km)
    # Seismicity is densest in the upper middle of the crust's brittle part.
    places[2] = law.depth_km[0] + (law.depth_km[1] - law.depth_km[0]) * random.beta(2.2, 2.6, count)
    angles[:] = np.array([[law.strike_deg], [law.dip_deg], [law.rake_deg]])
    for number, plane in enumerate(law.planes):
        here = chosen == number
        places[:, here] = plane.hypocentres(int(here.sum()), seed=seed, random=random)
        angles[:, here] = np.array([[plane.strike_deg], [plane.dip_deg], [plane.rake_deg]])
    tidy = scatter_mechanisms(*angles, random=random, normal_scatter_deg=8, rake_scatter_deg=12)
    wild = scatter_mechanisms(*angles, random=random, normal_scatter_deg=25, rake_scatter_deg=25)
    return places, np.where(off, wild, tidy)


def _mainshock(seed: int, shock: Mainshock) -> Catalog:
    random = generator(seed, "mainshock", shock.origin_ns)
    one = gather(
        seed,
        f"mainshock {shock.origin_ns} {shock.latitude!r} {shock.longitude!r}",
        "mainshock",
        np.array([shock.origin_ns]),
        np.array([[shock.latitude], [shock.longitude], [shock.depth_km]]),
        np.array([shock.mw]),
        np.array([[shock.strike_deg], [shock.dip_deg], [shock.rake_deg]]),
        random,
        (shock.depth_km - 1, shock.depth_km + 1),
    )
    return replace(one, stress_drop_mpa=np.array([shock.stress_drop_mpa]))


def _swarm(seed: int, swarm: Swarm, depth_km: tuple[float, float]) -> Catalog:
    name = f"swarm {swarm.start_ns} {swarm.latitude!r} {swarm.longitude!r}"
    random = generator(seed, name)
    time_s, mw, places, mechanisms = draw_swarm(swarm, random)
    origin_ns = swarm.start_ns + np.rint(time_s * 1e9).astype(np.int64)
    return gather(seed, name, "swarm", origin_ns, places, mw, mechanisms, random, depth_km)


def _offspring(
    seed: int,
    parents: Catalog,
    index: int,
    law: Aftershocks,
    magnitudes: GutenbergRichter,
    depth_km: tuple[float, float],
    stop_ns: int,
) -> Catalog | None:
    """Draw all direct aftershocks of one event, whenever they come; then keep those before the stop."""
    parent_id = str(parents.event_id[index])
    mw = float(parents.mw[index])
    random = generator(seed, "offspring", parent_id)
    count = int(random.poisson(law.productivity * 10 ** (law.alpha * (mw - magnitudes.m_min))))
    if count == 0:
        return None
    if count > _MOST_EVENTS:
        raise ConfigError(f"an event of Mw {mw:.1f} would have {count} direct aftershocks: lower alpha")
    delay_s, drawn_mw, places, mechanisms = draw_offspring(
        count,
        law,
        magnitudes,
        mw=mw,
        hypocentre=(
            float(parents.latitude[index]),
            float(parents.longitude[index]),
            float(parents.depth_km[index]),
        ),
        mechanism=(
            float(parents.strike_deg[index]),
            float(parents.dip_deg[index]),
            float(parents.rake_deg[index]),
        ),
        depth_km=depth_km,
        random=random,
    )
    origin_ns = parents.origin_ns[index] + np.rint(delay_s * 1e9).astype(np.int64) + 1
    children = gather(
        seed,
        parent_id,
        "aftershock",
        origin_ns,
        places,
        drawn_mw,
        mechanisms,
        random,
        depth_km,
        parent_id=parent_id,
    )
    return children.take(children.origin_ns < stop_ns)
