"""
The way from one earthquake to one station: its rays, with all that delays them.

Rays run through layers; a smooth field of slowness and the ground below the station change their times alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.earth.model import Earth, Site, distance_and_azimuth, flatten, to_local_km
from pipeline.synthetic.earth.rays import Rays, trace
from pipeline.synthetic.earthquakes.source import Earthquake

__all__ = ["Path", "follow"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """
    The rays that exist from one event to one station.

    Parameters
    ----------
    rays : Rays
        All kinds, whether they exist or not.
    keep : array of int
        Which of them do.
    time_s : array, shape (arrivals,)
        After the origin, with all delays.
    distance_km, azimuth_deg : float
        Epicentral distance; from event to station.
    straight_km : float
        From the event to the station at its elevation.
    source_depth_km : float
    """

    rays: Rays
    keep: NDArray[np.int64]
    time_s: FloatArray
    distance_km: float
    azimuth_deg: float
    straight_km: float
    source_depth_km: float

    def of(self, values: FloatArray) -> FloatArray:
        """Return some property of rays for those that exist."""
        return np.asarray(values[self.keep, 0])


def follow(event: Earthquake, station: Site, model: Earth) -> Path:
    """Trace the rays from an event to a station."""
    distance, azimuth = distance_and_azimuth(
        event.latitude, event.longitude, station.latitude, station.longitude
    )
    height_km = station.elevation_m / 1e3
    layers = flatten(model.layers) if model.curved else model.layers
    rays = trace(layers, distance, event.depth_km, height_km)
    keep = np.flatnonzero(rays.exists[:, 0])
    time_s = rays.time_s[keep, 0] + [
        station.delay_p_s if rays.receiver_waves[k] == "P" else station.delay_s_s for k in keep
    ]
    if model.field is not None:
        east, north = to_local_km(
            event.latitude,
            event.longitude,
            centre_latitude=model.centre_latitude,
            centre_longitude=model.centre_longitude,
        )
        turn = np.radians(float(azimuth))
        away = np.stack([np.sin(turn) * rays.leg_offset_km, np.cos(turn) * rays.leg_offset_km])
        steps = np.concatenate([away, rays.leg_drop_km[None]])[:, keep, 0].transpose(1, 2, 0)
        ends = np.cumsum(steps, axis=1) + np.array([float(east), float(north), event.depth_km])
        relative = model.field.mean_along(ends - steps, ends)
        relative *= np.where(rays.leg_is_s[keep], model.field.s_ratio, 1.0)
        # Fermat: the ray itself may stay where it was.
        time_s = time_s + (relative * rays.leg_time_s[keep, 0]).sum(axis=-1)
    return Path(
        rays=rays,
        keep=keep,
        time_s=time_s,
        distance_km=float(distance),
        azimuth_deg=float(azimuth),
        straight_km=float(np.hypot(distance, max(event.depth_km + height_km, 0.01))),
        source_depth_km=event.depth_km,
    )
