"""A scenario: the stations and the earthquakes of a config, made once in each process that needs them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from pipeline.errors import ConfigError
from pipeline.synthetic.config import EarthquakeConfig, SynthConfig, to_ns
from pipeline.synthetic.earthquakes.catalog import Catalog
from pipeline.synthetic.earthquakes.faulting import draw_planes
from pipeline.synthetic.earthquakes.seismicity import Background, simulate
from pipeline.synthetic.faults.fault_kinds import Fault
from pipeline.synthetic.layout import Region, Station, gravity_network, seismic_network
from pipeline.synthetic.network_faults import change_sensors, plan_faults

__all__ = ["GRAVITY_NETWORK", "Scenario", "gravity_span", "make_scenario"]

GRAVITY_NETWORK = "GY"

_BEYOND = 1.2
"""Earthquakes fill a region this much wider and higher than the network's."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """
    Everything about a synthetic archive but its samples.

    Parameters
    ----------
    config : SynthConfig
    stations : tuple of Station
        Broadbands.
    gravimeters : tuple of Station
    catalog : Catalog
    faults : tuple of Fault
    """

    config: SynthConfig
    stations: tuple[Station, ...]
    gravimeters: tuple[Station, ...]
    catalog: Catalog
    faults: tuple[Fault, ...]


@lru_cache(maxsize=4)
def make_scenario(config: SynthConfig) -> Scenario:
    """
    Draw stations and earthquakes.

    Examples
    --------
    >>> from pipeline.synthetic.config import read_config
    >>> scenario = make_scenario(read_config("small"))
    >>> len(scenario.stations), len(scenario.catalog) > 20
    (6, True)
    """
    network = config.network
    stations = seismic_network(
        config.region,
        network.stations,
        seed=config.seed,
        start_ns=config.start_ns,
        rate_hz=network.rate_hz,
        spacing_km=network.spacing_km,
        orientation_error_deg=network.orientation_error_deg,
    )
    gravimeters = _make_gravimeters(config)
    faults = plan_faults(config.faults, _spans_ns(config, stations, gravimeters))
    names = {station.name for station in stations}
    for slide in config.landslides:
        if slide.station not in names:
            raise ConfigError(f"landslides: no station {slide.station}; there are {', '.join(sorted(names))}")
    return Scenario(
        config=config,
        stations=change_sensors(
            stations, config.faults, seed=config.seed, orientation_error_deg=network.orientation_error_deg
        ),
        gravimeters=gravimeters,
        catalog=_make_catalog(config),
        faults=faults,
    )


def _spans_ns(
    config: SynthConfig, stations: Iterable[Station], gravimeters: Iterable[Station]
) -> dict[str, tuple[int, int]]:
    """Return when each stream begins and stops."""
    own = (config.start_ns, config.stop_ns)
    spans = {str(stream): own for station in stations for stream in station.streams}
    return spans | {str(stream): gravity_span(config) for one in gravimeters for stream in one.streams}


def gravity_span(config: SynthConfig) -> tuple[int, int]:
    """Return when gravimeters begin and end, in nanoseconds since 1970; an empty span without any."""
    gravity = config.gravity
    if gravity is None:
        return config.start_ns, config.start_ns
    start_ns = config.start_ns if gravity.start is None else to_ns(gravity.start)
    return start_ns, start_ns + round(gravity.days * 86_400) * 10**9


def _make_gravimeters(config: SynthConfig) -> tuple[Station, ...]:
    gravity = config.gravity
    if gravity is None:
        return ()
    start_ns, _ = gravity_span(config)
    return gravity_network(
        gravity.region,
        gravity.stations,
        seed=config.seed,
        start_ns=start_ns,
        network=GRAVITY_NETWORK,
    )


def _make_catalog(config: SynthConfig) -> Catalog:
    earthquakes = config.earthquakes
    return simulate(
        seed=config.seed,
        start_ns=config.start_ns,
        stop_ns=config.stop_ns,
        background=_background(config.region, earthquakes, config.seed),
        magnitudes=earthquakes.magnitudes,
        aftershocks=earthquakes.aftershocks,
        mainshocks=earthquakes.mainshocks,
        swarms=earthquakes.swarms,
    )


def _background(region: Region, earthquakes: EarthquakeConfig, seed: int) -> Background:
    width_km, height_km = _BEYOND * region.width_km, _BEYOND * region.height_km
    planes = draw_planes(
        earthquakes.fault_planes,
        seed=seed,
        latitude=region.latitude,
        longitude=region.longitude,
        width_km=width_km,
        height_km=height_km,
    )
    return Background(
        events_per_day=earthquakes.per_day,
        latitude=region.latitude,
        longitude=region.longitude,
        width_km=width_km,
        height_km=height_km,
        depth_km=earthquakes.depth_km,
        planes=planes,
    )
