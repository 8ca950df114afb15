"""
One earthquake at one station: ground velocity, and the exact times of what arrives.

::

                        S    coda of S: t⁻¹ exp(−π f t / Qc), each octave for itself
            P           █▆▅▄▄▃▃▃▂▂▂▂▂▁▁▁▁▁▁▁▁▁▁
    ________█▃▂▂▁▁▁▁▁▁▁▁
            └ nothing before it

An arrival is a pulse with the modulus of the source's spectrum, the path's attenuation and the site, and the
least phase that such a modulus can have: it begins at its time, at any fraction of a sample, and rings
nothing before. A part of its energy, which grows on the way, follows as a packet of the same polarisation.
The coda comes from everywhere (`pipeline.synthetic.earthquakes.coda`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earth.model import Earth, Site
from pipeline.synthetic.earthquakes.coda import CodaWave, make_coda
from pipeline.synthetic.earthquakes.paths import Path, follow
from pipeline.synthetic.earthquakes.pulses import ROOM, PulseGrid, make_pulses, polarise
from pipeline.synthetic.earthquakes.source import Earthquake

__all__ = ["Arrival", "Seismogram", "arrival_times", "synthesize"]

FloatArray = NDArray[np.float64]

# A record ends where each octave of its coda is below this: half of the quietest rocks' noise at 1–10 Hz.
_FLOOR_M_S = 2e-10
_LEAD_S = 1.0
_TAIL_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """
    One wave at one station.

    Parameters
    ----------
    name : str
        See `pipeline.synthetic.earth.rays.Rays`.
    phase : str
        P or S, as it arrives.
    time_ns : int
        Its onset, since 1970, UTC.
    slowness_s_km, takeoff_deg, incidence_deg : float
    polarity : int
        Sign of its first motion on the vertical, positive upwards.
    peak_m_s : float
        Largest velocity of its pulse and packet on any component.
    """

    name: str
    phase: str
    time_ns: int
    slowness_s_km: float
    takeoff_deg: float
    incidence_deg: float
    polarity: int
    peak_m_s: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seismogram:
    """
    Ground velocity and its truth.

    Parameters
    ----------
    event_id, station : str
    rate_hz : float
    first : int
        Sample, counted from 1970: sample k is at k / rate.
    data : array of float32, shape (3, samples)
        m/s up, north, east; nothing but zeros before `first` and nothing above the noise after its end.
    arrivals : tuple of Arrival
        In order of time.
    p_ns, s_ns : int
        Onsets of the first P and of the first S: the picks.
    distance_km, azimuth_deg : float
        Epicentral distance; from event to station.
    hypocentral_km : float
        From the event to the station at its elevation.
    """

    event_id: str
    station: str
    rate_hz: float
    first: int
    data: NDArray[np.float32]
    arrivals: tuple[Arrival, ...]
    p_ns: int
    s_ns: int
    distance_km: float
    azimuth_deg: float
    hypocentral_km: float


def arrival_times(event: Earthquake, station: Site, model: Earth) -> dict[str, float]:
    """
    Return the times after the origin (s) of all that arrives, with the perturbation and the site's delays.

    Examples
    --------
    >>> from pipeline.synthetic.earth.model import half_space
    >>> event = Earthquake(event_id="a", origin_ns=0, latitude=46.0, longitude=7.0, depth_km=12.0, mw=1.0,
    ...                    stress_drop_mpa=3.0, strike_deg=30.0, dip_deg=60.0, rake_deg=-90.0)
    >>> ground = Earth(layers=half_space(vp_km_s=6.0, vs_km_s=3.0), centre_latitude=46, centre_longitude=7)
    >>> arrival_times(event, Site(name="ALP", latitude=46.0, longitude=7.0, delay_s_s=0.5), ground)
    {'P': 2.0, 'S': 4.5}
    """
    path = follow(event, station, model)
    return {path.rays.names[k]: float(t) for k, t in zip(path.keep, path.time_s, strict=True)}


def synthesize(
    event: Earthquake,
    station: Site,
    model: Earth,
    *,
    rate_hz: float,
    seed: int,
    floor_m_s: float = _FLOOR_M_S,
) -> Seismogram:
    """
    Make the ground velocity of one earthquake at one station.

    Parameters
    ----------
    event, station, model : Earthquake, Site, Earth
    rate_hz : float
    seed : int
        Of the archive; the event's and the station's names make the rest.
    floor_m_s : float
        Each octave of the coda ends where its root mean square falls below this.

    Returns
    -------
    Seismogram

    Examples
    --------
    >>> from pipeline.synthetic.earth.model import default_crust
    >>> event = Earthquake(event_id="a", origin_ns=0, latitude=46.0, longitude=7.0, depth_km=8.0, mw=2.0,
    ...                    stress_drop_mpa=3.0, strike_deg=30.0, dip_deg=60.0, rake_deg=-90.0)
    >>> ground = Earth(layers=default_crust(), centre_latitude=46.0, centre_longitude=7.0)
    >>> made = synthesize(event, Site(name="ALP", latitude=46.2, longitude=7.2), ground, rate_hz=100, seed=1)
    >>> [arrival.name for arrival in made.arrivals]
    ['P', 'Ps', 'Sp', 'S', 'PmP', 'SmS']
    """
    if not rate_hz > 0:
        raise ConfigError(f"rate_hz should be above 0, got {rate_hz}")
    path = follow(event, station, model)
    whole, rest = divmod(event.origin_ns * Fraction(rate_hz), 10**9)
    onset = float(rest / 10**9) + path.time_s * rate_hz
    draw = generator(seed, "scattering", event.event_id, station.name)
    grid = PulseGrid.choose(event, station, model, path, rate_hz)
    vectors = polarise(event, model, path)
    pulses = make_pulses(grid, path, vectors, onset % 1, model, draw)
    start = int(onset.min() - _LEAD_S * rate_hz)
    coda = make_coda(
        [_scatter(grid, path, model, wave) for wave in "PS"],
        model.scattering,
        rate_hz=rate_hz,
        onset=onset[0] - start,
        floor_m_s=floor_m_s,
        draw=draw,
    )
    at = np.floor(onset).astype(int) - start - ROOM
    length = max(
        int(at.max()) + pulses.shape[-1],
        int(onset.max() + _TAIL_S * rate_hz) - start,
        coda.shape[-1],
    )
    data = np.zeros((3, length), dtype=np.float32)
    data[:, : coda.shape[-1]] = coda
    for k, pulse in zip(at, pulses, strict=True):
        data[:, max(k, 0) : k + pulse.shape[-1]] += pulse[:, max(-k, 0) :]
    arrivals = _describe(event, path, vectors, pulses)
    return Seismogram(
        event_id=event.event_id,
        station=station.name,
        rate_hz=rate_hz,
        first=int(whole) + start,
        data=data,
        arrivals=arrivals,
        p_ns=min(a.time_ns for a in arrivals if a.phase == "P" and a.name[0] == "P"),
        s_ns=min(a.time_ns for a in arrivals if a.phase == "S" and a.name[0] == "S"),
        distance_km=path.distance_km,
        azimuth_deg=path.azimuth_deg,
        hypocentral_km=path.straight_km,
    )


def _scatter(grid: PulseGrid, path: Path, model: Earth, wave: str) -> CodaWave:
    # The direct P and S are always the first two rays.
    index, rays, layers = "PS".index(wave), path.rays, model.layers
    at = int(layers.layer_at(path.source_depth_km))
    within = slice(grid.samples // 2 + 1)
    return CodaWave.tie(
        wave,
        model.scattering,
        # The level of a wave that spreads over a sphere: the layers only redistribute the energy.
        level=float(grid.levels[index] / rays.spreading_per_km[index, 0] / path.straight_km),
        spectrum=np.exp((grid.source[wave, wave] + rays.t_star_s[index, 0] * grid.loss)[within].real),
        frequency_hz=grid.frequency_hz[within],
        step_hz=grid.rate_hz / grid.samples,
        time_s=float(path.time_s[index]),
        speed_km_s=(layers.vp_km_s if wave == "P" else layers.vs_km_s)[at],
    )


def _describe(
    event: Earthquake, path: Path, vectors: FloatArray, pulses: NDArray[np.float32]
) -> tuple[Arrival, ...]:
    rays = path.rays
    order = np.argsort(path.time_s, kind="stable")
    return tuple(
        Arrival(
            name=rays.names[path.keep[k]],
            phase=rays.receiver_waves[path.keep[k]],
            time_ns=event.origin_ns + round(float(path.time_s[k]) * 1e9),
            slowness_s_km=float(rays.slowness_s_km[path.keep[k], 0]),
            takeoff_deg=float(rays.takeoff_deg[path.keep[k], 0]),
            incidence_deg=float(rays.incidence_deg[path.keep[k], 0]),
            polarity=int(np.sign(vectors[k, 0])),
            peak_m_s=float(np.abs(pulses[k]).max()),
        )
        for k in order
    )
