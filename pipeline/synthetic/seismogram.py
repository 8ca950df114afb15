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
The coda comes from everywhere (`pipeline.synthetic.coda`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.coda import CodaWave, make_coda
from pipeline.synthetic.draws import generator
from pipeline.synthetic.earth import Earth, Scattering, Site, distance_and_azimuth, flatten, to_local_km
from pipeline.synthetic.rays import Rays, trace
from pipeline.synthetic.source import (
    Earthquake,
    brune_spectrum,
    corner_hz,
    least_phase,
    moment_n_m,
    radiation,
    surface_motion,
)

__all__ = ["Arrival", "Seismogram", "arrival_times", "synthesize"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

# A record ends where each octave of its coda is below this: half of the quietest rocks' noise at 1–10 Hz.
_FLOOR_M_S = 2e-10
_LEAD_S = 1.0
_TAIL_S = 5.0

# Room before a pulse for the fraction of a sample by which it is shifted.
_ROOM = 64

# Part of a packet's energy that has lost its polarisation.
_DEPOLARISED = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """
    One wave at one station.

    Parameters
    ----------
    name : str
        See `pipeline.synthetic.rays.Rays`.
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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Path:
    """The rays that exist from one event to one station, with all that delays them."""

    rays: Rays
    keep: NDArray[np.int64]
    time_s: FloatArray
    distance_km: float
    azimuth_deg: float
    straight_km: float
    source_depth_km: float

    def of(self, values: FloatArray) -> FloatArray:
        return np.asarray(values[self.keep, 0])


def arrival_times(event: Earthquake, station: Site, model: Earth) -> dict[str, float]:
    """
    Return the times after the origin (s) of all that arrives, with the perturbation and the site's delays.

    Examples
    --------
    >>> from pipeline.synthetic.earth import half_space
    >>> event = Earthquake(event_id="a", origin_ns=0, latitude=46.0, longitude=7.0, depth_km=12.0, mw=1.0,
    ...                    stress_drop_mpa=3.0, strike_deg=30.0, dip_deg=60.0, rake_deg=-90.0)
    >>> ground = Earth(layers=half_space(vp_km_s=6.0, vs_km_s=3.0), centre_latitude=46, centre_longitude=7)
    >>> arrival_times(event, Site(name="ALP", latitude=46.0, longitude=7.0, delay_s_s=0.5), ground)
    {'P': 2.0, 'S': 4.5}
    """
    path = _follow(event, station, model)
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
    >>> from pipeline.synthetic.earth import default_crust
    >>> event = Earthquake(event_id="a", origin_ns=0, latitude=46.0, longitude=7.0, depth_km=8.0, mw=2.0,
    ...                    stress_drop_mpa=3.0, strike_deg=30.0, dip_deg=60.0, rake_deg=-90.0)
    >>> ground = Earth(layers=default_crust(), centre_latitude=46.0, centre_longitude=7.0)
    >>> made = synthesize(event, Site(name="ALP", latitude=46.2, longitude=7.2), ground, rate_hz=100, seed=1)
    >>> [arrival.name for arrival in made.arrivals]
    ['P', 'Ps', 'Sp', 'S', 'PmP', 'SmS']
    """
    if not rate_hz > 0:
        raise ConfigError(f"rate_hz should be above 0, got {rate_hz}")
    path = _follow(event, station, model)
    whole, rest = divmod(event.origin_ns * Fraction(rate_hz), 10**9)
    onset = float(rest / 10**9) + path.time_s * rate_hz
    draw = generator(seed, "scattering", event.event_id, station.name)
    grid = _Grid.choose(event, station, model, path, rate_hz)
    vectors = _polarise(event, model, path)
    pulses = _make_pulses(grid, path, vectors, onset % 1, model.scattering, draw)
    start = int(onset.min() - _LEAD_S * rate_hz)
    coda = make_coda(
        [_scatter(grid, path, model, wave) for wave in "PS"],
        model.scattering,
        rate_hz=rate_hz,
        onset=onset[0] - start,
        floor_m_s=floor_m_s,
        draw=draw,
    )
    at = np.floor(onset).astype(int) - start - _ROOM
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


def _follow(event: Earthquake, station: Site, model: Earth) -> _Path:
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
    return _Path(
        rays=rays,
        keep=keep,
        time_s=time_s,
        distance_km=float(distance),
        azimuth_deg=float(azimuth),
        straight_km=float(np.hypot(distance, max(event.depth_km + height_km, 0.01))),
        source_depth_km=event.depth_km,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grid:
    """
    Spectra of the pulses: their complex logarithms, which add up.

    They reach to twice the Nyquist frequency, and are folded only when all is in them. A pulse that is cut
    off at the Nyquist frequency and then shifted by part of a sample would ring before its onset.

    Parameters
    ----------
    samples : int
        Of a pulse.
    frequency_hz : array, shape (samples + 1,)
    source : dict
        Source, site and the recorder's own low-pass, for P and S at the source, over the level at 0 Hz.
    loss : array
        Of one second of t*.
    levels : array, shape (arrivals,)
        Displacement spectrum at 0 Hz (m s) for a radiation of 1, before the surface.
    """

    rate_hz: float
    samples: int
    frequency_hz: FloatArray
    source: dict[str, ComplexArray]
    loss: ComplexArray
    levels: FloatArray

    @classmethod
    def choose(cls, event: Earthquake, station: Site, model: Earth, path: _Path, rate_hz: float) -> _Grid:
        layers, rays = model.layers, path.rays
        at = int(layers.layer_at(event.depth_km))
        moment = moment_n_m(event.mw)
        corners = {
            wave: float(corner_hz(moment, event.stress_drop_mpa, layers.vs_km_s[at], wave=wave))
            for wave in "PS"
        }
        samples = 1 << int(np.ceil(np.log2(rate_hz * max(10.0, 8 / corners["S"]))))
        f = scipy.fft.rfftfreq(2 * samples, 1 / (2 * rate_hz))
        site = -np.pi * f * station.kappa_s
        if station.amplification:
            rising = np.log(station.amplification_hz), np.log(station.amplification)
            site = site + np.interp(np.log(np.maximum(f, f[1])), *rising)
        # The recorder's low-pass: −2 dB at 0.8 of the Nyquist frequency, −80 dB at it and above.
        site = site - 9.2 * np.minimum(2 * f / rate_hz, 1) ** 16
        rows = [site + np.log(brune_spectrum(f, corners[wave])) for wave in "PS"]
        rows.append(-np.pi * f ** (1 - layers.q_exponent))
        least = least_phase(np.stack(rows))
        speed = {"P": np.array(layers.vp_km_s) * 1e3, "S": np.array(layers.vs_km_s) * 1e3}
        dense = np.sqrt(layers.density_kg_m3[at] * layers.density_kg_m3[0])
        scale = [
            1 / np.sqrt(speed[rays.source_waves[k]][at] ** 5 * speed[rays.receiver_waves[k]][0])
            for k in path.keep
        ]
        levels = moment / (4 * np.pi * dense) * np.array(scale) * path.of(rays.spreading_per_km) / 1e3
        return cls(
            rate_hz=rate_hz,
            samples=samples,
            frequency_hz=f,
            source={"P": least[0], "S": least[1]},
            loss=least[2],
            levels=levels,
        )


def _polarise(event: Earthquake, model: Earth, path: _Path) -> FloatArray:
    """Return the motion up, north, east for each arrival, radiation and surface included, (arrivals, 3)."""
    rays, slowness = path.rays, path.of(path.rays.slowness_s_km)
    p, sv, sh = radiation(
        strike_deg=event.strike_deg,
        dip_deg=event.dip_deg,
        rake_deg=event.rake_deg,
        takeoff_deg=path.of(rays.takeoff_deg),
        azimuth_deg=path.azimuth_deg,
    )
    surface = surface_motion(slowness, model.layers.vp_km_s[0], model.layers.vs_km_s[0])
    leaves_p = np.array([rays.source_waves[k] == "P" for k in path.keep])
    arrives_p = np.array([rays.receiver_waves[k] == "P" for k in path.keep])
    in_plane = np.where(leaves_p, p, sv) * path.of(rays.factor)
    across = np.where(leaves_p | arrives_p, 0.0, sh * path.of(rays.factor_sh))
    up = in_plane * np.where(arrives_p, surface["P"][0], surface["SV"][0])
    away = in_plane * np.where(arrives_p, surface["P"][1], surface["SV"][1])
    right = across * surface["SH"][2]
    turn = np.radians(path.azimuth_deg)
    north, east = away * np.cos(turn) - right * np.sin(turn), away * np.sin(turn) + right * np.cos(turn)
    return np.stack([up, north, east], axis=-1)


def _make_pulses(
    grid: _Grid,
    path: _Path,
    vectors: FloatArray,
    fraction: FloatArray,
    scattering: Scattering,
    draw: np.random.Generator,
) -> NDArray[np.float32]:
    """Return velocity (arrivals, 3, samples) that begins `_ROOM` and a fraction of a sample late."""
    t_star = path.of(path.rays.t_star_s)[:, None]
    source = np.stack([grid.source[path.rays.source_waves[k]] for k in path.keep])
    turn = 2j * np.pi * grid.frequency_hz
    late = (fraction[:, None] + _ROOM) / grid.rate_hz
    wide = np.exp(source + t_star * grid.loss - turn * late) * turn * grid.rate_hz * grid.levels[:, None]
    half = grid.samples // 2 + 1
    spectrum = wide[:, :half] + wide[:, : half - 2 : -1].conj()
    packet = np.zeros((len(vectors), 3, grid.samples), dtype=np.float32)
    lost = 1 - np.exp(-path.of(path.rays.path_km) / scattering.forward_km)
    if np.isfinite(scattering.forward_km):
        time_s = np.arange(grid.samples) / grid.rate_hz
        scale = scattering.broadening * path.time_s[:, None]
        shape = time_s / scale * np.exp(-time_s / scale)
        shape *= np.sqrt(lost / (shape**2).sum(axis=-1))[:, None] if lost.ndim else 1.0
        drawn = draw.standard_normal((4, len(vectors), grid.samples), dtype=np.float32) * shape
        strength = np.linalg.norm(vectors, axis=-1) * np.sqrt(_DEPOLARISED / 3)
        kept = vectors * np.sqrt(1 - _DEPOLARISED)
        packet += kept[:, :, None] * drawn[0][:, None] + strength[:, None, None] * drawn[1:].swapaxes(0, 1)
    packet[:, :, 0] += vectors * np.sqrt(1 - lost)[:, None]
    # Convolved with the pulse, so that the packet too begins at the onset.
    made = scipy.fft.irfft(scipy.fft.rfft(packet, axis=-1) * spectrum[:, None].astype(np.complex64), axis=-1)
    fade = np.ones(grid.samples, dtype=np.float32)
    quarter = grid.samples // 4
    fade[-quarter:] = np.cos(np.linspace(0, np.pi / 2, quarter)) ** 2
    return np.asarray(made * fade, dtype=np.float32)


def _scatter(grid: _Grid, path: _Path, model: Earth, wave: str) -> CodaWave:
    # The direct P and S are always the first two rays.
    index, rays, layers = "PS".index(wave), path.rays, model.layers
    at = int(layers.layer_at(path.source_depth_km))
    within = slice(grid.samples // 2 + 1)
    return CodaWave.tie(
        wave,
        model.scattering,
        # The level of a wave that spreads over a sphere: the layers only redistribute the energy.
        level=float(grid.levels[index] / rays.spreading_per_km[index, 0] / path.straight_km),
        spectrum=np.exp((grid.source[wave] + rays.t_star_s[index, 0] * grid.loss)[within].real),
        frequency_hz=grid.frequency_hz[within],
        step_hz=grid.rate_hz / grid.samples,
        time_s=float(path.time_s[index]),
        speed_km_s=(layers.vp_km_s if wave == "P" else layers.vs_km_s)[at],
    )


def _describe(
    event: Earthquake, path: _Path, vectors: FloatArray, pulses: NDArray[np.float32]
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
