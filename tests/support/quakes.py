"""An earthquake, two sites and their ground, and a swarm: what tests of records and catalogs begin with."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pipeline.synthetic.earth.model import Earth, Site, default_crust
from pipeline.synthetic.earthquakes.seismogram import Seismogram, synthesize
from pipeline.synthetic.earthquakes.source import Earthquake
from pipeline.synthetic.earthquakes.triggering import Swarm

RATE_HZ = 100.0
ORIGIN_NS = 1_497_700_000_123_456_789
CRUST = Earth(layers=default_crust(), centre_latitude=46.0, centre_longitude=7.0)
NEAR = Site(name="NEAR", latitude=46.05, longitude=7.08, kappa_s=0.03)
FAR = Site(name="FAR", latitude=46.5, longitude=7.4, elevation_m=800.0, kappa_s=0.03)
SWARM = Swarm(
    time=dt.datetime(2016, 7, 19, tzinfo=dt.UTC),
    hours=0.5,
    events=250,
    latitude=49.9,
    longitude=7.9,
    depth_km=5.0,
    strike_deg=30.0,
    dip_deg=60.0,
    rake_deg=-90.0,
)


def quake(**changes: Any) -> Earthquake:
    usual = {
        "event_id": "e1",
        "origin_ns": ORIGIN_NS,
        "latitude": 46.0,
        "longitude": 7.0,
        "depth_km": 10.0,
        "mw": 2.0,
        "stress_drop_mpa": 3.0,
        "strike_deg": 20.0,
        "dip_deg": 60.0,
        "rake_deg": -70.0,
    }
    return Earthquake(**(usual | changes))


def make(
    event: Earthquake | None = None, site: Site = NEAR, model: Earth = CRUST, seed: int = 1, **options: Any
) -> Seismogram:
    return synthesize(event or quake(), site, model, rate_hz=RATE_HZ, seed=seed, **options)


def sample(made: Seismogram, time_ns: int) -> float:
    return time_ns * RATE_HZ / 1e9 - made.first
