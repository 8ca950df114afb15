"""
Pulses: what each arrival of an earthquake does to the ground, from its onset on.

A pulse has the modulus of source, path and site, and the least phase that goes with it. A part of its energy,
which grows on the way, follows as a packet of the same polarisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.synthetic.earth import Earth, Scattering, Site
from pipeline.synthetic.paths import Path
from pipeline.synthetic.source import (
    Earthquake,
    brune_spectrum,
    corner_hz,
    least_phase,
    moment_n_m,
    radiation,
    surface_motion,
)

__all__ = ["ROOM", "PulseGrid", "make_pulses", "polarise"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

ROOM = 64
"""Samples before a pulse, for the fraction of one by which it is shifted."""

# Part of a packet's energy that has lost its polarisation.
_DEPOLARISED = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PulseGrid:
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
    def choose(cls, event: Earthquake, station: Site, model: Earth, path: Path, rate_hz: float) -> PulseGrid:
        """Put source, path and site into spectra that are fine enough for the event."""
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


def polarise(event: Earthquake, model: Earth, path: Path) -> FloatArray:
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


def make_pulses(
    grid: PulseGrid,
    path: Path,
    vectors: FloatArray,
    fraction: FloatArray,
    scattering: Scattering,
    draw: np.random.Generator,
) -> NDArray[np.float32]:
    """Return velocity (arrivals, 3, samples) that begins `ROOM` and a fraction of a sample late."""
    t_star = path.of(path.rays.t_star_s)[:, None]
    source = np.stack([grid.source[path.rays.source_waves[k]] for k in path.keep])
    turn = 2j * np.pi * grid.frequency_hz
    late = (fraction[:, None] + ROOM) / grid.rate_hz
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
