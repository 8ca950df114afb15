"""
What a gravimeter would have written on one day, and what its noise was designed to be.

Gravity and pressure are channels of their own, at once a second. Each instrument has a drift, a step or two
in a season, and noise magnitudes of its own, drawn by its name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.keys import Channel
from pipeline.synthetic.config import GravityConfig, SynthConfig, to_ns
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earthquakes.source import moment_n_m
from pipeline.synthetic.faults.spoiling import Trace, apply_faults
from pipeline.synthetic.gravity.free_oscillations import GreatEarthquake
from pipeline.synthetic.gravity.gravimeter_noise import GravimeterNoise, Rise
from pipeline.synthetic.gravity.pressure import air_pressure
from pipeline.synthetic.gravity.record import Drift, GravityRecord, Step, gravity_record
from pipeline.synthetic.instruments import Quantity
from pipeline.synthetic.layout import Station
from pipeline.synthetic.scenario import Scenario, gravity_span

__all__ = ["Gravimeter", "design", "great_earthquakes", "record_gravity", "record_gravity_day"]

_SECOND_NS = 10**9
_STEPS_PER_DAY = 1 / 60
_NM_S2 = 1e-9
_PASCAL_PER_HPA = 100.0
_MEAN_HPA = 1013.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gravimeter:
    """What one instrument was made to be: the truth of its noise, drift, steps and rises."""

    noise: GravimeterNoise
    drift: Drift
    steps: tuple[Step, ...]
    rises: tuple[Rise, ...]


@lru_cache(maxsize=256)
def design(config: SynthConfig, name: str) -> Gravimeter:
    """
    Draw a gravimeter by its name.

    Parameters
    ----------
    config : SynthConfig
        With gravity.
    name : str
        Of the station.
    """
    gravity = config.gravity
    assert gravity is not None
    start_ns, stop_ns = gravity_span(config)
    draw = generator(config.seed, "gravimeter", name)
    first_s, days = start_ns // _SECOND_NS, (stop_ns - start_ns) / DAY_NS
    count = int(draw.poisson(days * _STEPS_PER_DAY))
    steps = tuple(
        Step(time_s=first_s + int(at), offset_nm_s2=round(float(offset), 1))
        for at, offset in zip(
            np.sort(draw.uniform(0, days * 86_400, count)), draw.normal(0, 60, count), strict=True
        )
    )
    snm, above = draw.uniform(*gravity.snm), draw.uniform(*gravity.reddening)
    return Gravimeter(
        noise=GravimeterNoise(
            snm=round(float(snm), 2),
            ssnm=round(float(snm + above), 2),
            microseism_nm_s2=gravity.microseism_nm_s2,
        ),
        drift=Drift(
            reference_s=first_s,
            rates=(round(float(draw.normal(0, 2.0)), 3), round(float(draw.normal(0, 0.005)), 5)),
        ),
        steps=steps,
        rises=_rises(gravity, name),
    )


def _rises(gravity: GravityConfig, name: str) -> tuple[Rise, ...]:
    found = []
    for each in gravity.rises:
        if each.station in ("", name):
            start_s, lasts_s = to_ns(each.time) // _SECOND_NS, round(each.days * 86_400)
            found.append(
                Rise(
                    start_s=start_s,
                    full_s=start_s + lasts_s // 2,
                    stop_s=start_s + lasts_s,
                    low_hz=each.low_hz,
                    high_hz=each.high_hz,
                    gain_db=each.gain_db,
                )
            )
    return tuple(found)


def record_gravity(scenario: Scenario, station: Station, first_s: int, stop_s: int) -> GravityRecord:
    """Return gravity and pressure with all their parts, from one second (since 1970) up to another."""
    config = scenario.config
    assert config.gravity is not None
    own = design(config, station.name)
    return gravity_record(
        first_s,
        stop_s,
        seed=config.seed,
        station=station.name,
        latitude_deg=station.latitude,
        longitude_deg=station.longitude,
        height_m=station.elevation_m,
        noise=own.noise,
        mean_hpa=_MEAN_HPA,
        drift=own.drift,
        steps=own.steps,
        rises=own.rises,
        earthquakes=great_earthquakes(config.gravity),
    )


def great_earthquakes(gravity: GravityConfig) -> tuple[GreatEarthquake, ...]:
    """Return the great earthquakes that all gravimeters see."""
    return tuple(
        GreatEarthquake(
            origin_ns=to_ns(each.time),
            latitude_deg=each.latitude,
            longitude_deg=each.longitude,
            moment_n_m=float(moment_n_m(each.mw)),
        )
        for each in gravity.earthquakes
    )


def record_gravity_day(scenario: Scenario, station: Station, codes: Collection[str], day: int) -> list[Trace]:
    """
    Make one day of a gravimeter.

    Parameters
    ----------
    scenario, station : Scenario, Station
    codes : collection of str
        Of the channels wanted, each of one of the station's sensors.
    day : int
        Days since 1970.

    Returns
    -------
    list of Trace
        With all faults, in counts of the sensors.
    """
    start_ns, stop_ns = gravity_span(scenario.config)
    low_ns, high_ns = max(day * DAY_NS, start_ns), min((day + 1) * DAY_NS, stop_ns)
    sensors = [each for each in station.sensors if each.code in codes]
    quantities = {each.instrument.quantity for each in sensors}
    values = _record(scenario, station, quantities, low_ns // _SECOND_NS, high_ns // _SECOND_NS)
    traces = []
    for sensor in sensors:
        most = sensor.instrument.clip_counts
        counts = np.rint(values[sensor.instrument.quantity] * sensor.instrument.sensitivity)
        clean = Trace(
            channel=Channel(station.network, station.name, sensor.location, sensor.code),
            samples=np.clip(counts, -most, most).astype(np.int32),
            start_ns=low_ns,
            rate_hz=sensor.rate_hz,
        )
        traces += apply_faults([clean], scenario.faults, seed=scenario.config.seed)
    return traces


def _record(
    scenario: Scenario, station: Station, quantities: Collection[Quantity], first_s: int, stop_s: int
) -> dict[Quantity, NDArray[np.float64]]:
    """Return quantities in m/s² and Pa; pressure alone is a quarter of the work."""
    if "acceleration" in quantities:
        made = record_gravity(scenario, station, first_s, stop_s)
        return {"acceleration": made.gravity * _NM_S2, "pressure": made.pressure_hpa * _PASCAL_PER_HPA}
    pressure_hpa = air_pressure(
        first_s,
        stop_s,
        seed=scenario.config.seed,
        station=station.name,
        latitude_deg=station.latitude,
        longitude_deg=station.longitude,
        mean_hpa=_MEAN_HPA,
    )
    return {"pressure": pressure_hpa * _PASCAL_PER_HPA}
