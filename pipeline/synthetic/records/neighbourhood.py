"""
The neighbourhood of a station: the noise, the disturbances and the landslides that a scenario puts around it.

Records are made from it, and so is the truth that they are judged by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

import numpy as np

from pipeline.synthetic.config import LandslideConfig, to_ns
from pipeline.synthetic.earth.model import to_local_km
from pipeline.synthetic.ground.ambient import Ambient, designed_power
from pipeline.synthetic.ground.landslide import Landslide, LandslideView, repeaters, view
from pipeline.synthetic.ground.spectra import Climate, draw_spectra
from pipeline.synthetic.ground.transient_shapes import Kind
from pipeline.synthetic.ground.transients import Surroundings
from pipeline.synthetic.layout import Station
from pipeline.synthetic.scenario import Scenario

__all__ = ["ambient_at", "landslides_at", "repeater_noise_m_s", "surroundings_at"]

_REPEATER_BAND_HZ = (2.0, 8.0)


def ambient_at(scenario: Scenario, station: Station) -> Ambient:
    """Return the ambient noise of a broadband station."""
    config, (east_km, north_km) = scenario.config, _place_km(scenario, station)
    climate = Climate(
        seed=config.seed,
        utc_offset_h=station.longitude / 15,
        southern=station.latitude < 0,
        storms_per_day=config.noise.storms_per_day,
        night_db=config.noise.night_db,
    )
    return Ambient(
        seed=config.seed,
        station=station.name,
        spectra=draw_spectra(config.seed, station.name),
        east_km=east_km,
        north_km=north_km,
        climate=climate,
        restless_db=config.noise.restless_db,
    )


def surroundings_at(scenario: Scenario, station: Station) -> Surroundings:
    """Return where a broadband station stands, for its transients."""
    config, (east_km, north_km) = scenario.config, _place_km(scenario, station)
    return Surroundings(
        seed=config.seed,
        station=station.name,
        utc_offset_h=station.longitude / 15,
        east_km=east_km,
        north_km=north_km,
        per_day=cast("Mapping[Kind, float]", config.noise.transients_per_day),
        loudness=config.noise.loudness,
    )


def landslides_at(scenario: Scenario, station: Station) -> Iterator[tuple[Landslide, LandslideView]]:
    """Iterate over the landslides, each with what a broadband station has of it."""
    for config in scenario.config.landslides:
        slide = _landslide(config)
        noise_rms_m_s, reference_km = _reference(scenario, config)
        seen = view(
            slide,
            station=station.name,
            latitude=station.latitude,
            longitude=station.longitude,
            noise_rms_m_s=noise_rms_m_s,
            reference_km=reference_km,
        )
        yield slide, seen


@lru_cache(maxsize=16)
def _reference(scenario: Scenario, config: LandslideConfig) -> tuple[float, float]:
    """
    Return the noise among the repeaters at the station where their size is stated, and its distance in km.

    Most of them come in the last hours, which may be a night's: the noise is that which gives them, on
    average, the ratio that is stated.
    """
    (station,) = (each for each in scenario.stations if each.name == config.station)
    slide, site = _landslide(config), ambient_at(scenario, station)
    times_s = repeaters(slide, seed=scenario.config.seed).origin_ns / 1e9
    noise_rms_m_s = 1 / float(np.mean([1 / repeater_noise_m_s(site, time_s) for time_s in times_s.tolist()]))
    seen = view(
        slide,
        station=station.name,
        latitude=station.latitude,
        longitude=station.longitude,
        noise_rms_m_s=noise_rms_m_s,
    )
    return noise_rms_m_s, seen.distance_km


def repeater_noise_m_s(site: Ambient, time_s: float) -> float:
    """Return the root mean square that the vertical noise is designed to have from 2 to 8 Hz at a time."""
    step_hz = 0.01
    frequency_hz = np.arange(*_REPEATER_BAND_HZ, step_hz)
    power = designed_power(site, "Z", frequency_hz, time_s=time_s)
    return float(np.sqrt((power / (2 * np.pi * frequency_hz) ** 2).sum() * step_hz))


def _place_km(scenario: Scenario, station: Station) -> tuple[float, float]:
    """Return how far east and north of the region's centre a station stands."""
    region = scenario.config.region
    east_km, north_km = to_local_km(
        station.latitude,
        station.longitude,
        centre_latitude=region.latitude,
        centre_longitude=region.longitude,
    )
    return float(east_km), float(north_km)


def _landslide(config: LandslideConfig) -> Landslide:
    return Landslide(
        name=f"{config.latitude} {config.longitude} {to_ns(config.time)}",
        failure_ns=to_ns(config.time),
        latitude=config.latitude,
        longitude=config.longitude,
        count=config.repeaters,
        lasts_s=config.hours * 3600,
        peak_snr=config.peak_snr,
        collapse_snr=config.collapse_snr,
    )
