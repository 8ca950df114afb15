"""
Pulses: what each arrival of an earthquake does to the ground, from its onset on.

A pulse has the modulus of source, path and site, and the least phase that goes with it. At high frequencies
most of its energy follows as a packet, scattered forward on the way and in the shallow ground at both ends::

    ____|_____ without   ____|▇▆▅▄▃▃▂▂▁▁ with   ↔ shallow_s + broadening · time

Half of a packet has the direct wave's motion; the other half comes from any direction, and with the strength
that the source has on average: where a source sends no P, there is some all the same. Below `above_hz` waves
pass the small heterogeneities, and pulses keep their polarity and their pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.synthetic.earth.model import Earth, Site
from pipeline.synthetic.earthquakes.paths import Path
from pipeline.synthetic.earthquakes.source import (
    RMS_RADIATION,
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

# Part of a packet's energy that has lost the direct wave's motion and the source's pattern. Above some 5 Hz
# there is little left of it (Takemura, Furumura & Saito 2009 for S; Kobayashi, Takemura & Yoshimoto 2015
# for P).
_BLURRED = 0.5
# Root mean squares over the sphere of P, SV and SH from any double couple.
_MEAN_PATTERN = (RMS_RADIATION["P"], *[RMS_RADIATION["S"] / 2**0.5] * 2)
_WAVES = (("P", "P"), ("P", "S"), ("S", "P"), ("S", "S"))
# A packet's envelope ends after so many of its lengths.
_LENGTHS = 4.0


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
        Source, site and the recorder's own low-pass, over the level at 0 Hz, for what leaves the source as P
        or S and arrives as P or S: (P, S) is a P that became S.
    loss : array
        Of one second of t*.
    levels : array, shape (arrivals,)
        Displacement spectrum at 0 Hz (m s) for a radiation of 1, before the surface.
    """

    rate_hz: float
    samples: int
    frequency_hz: FloatArray
    source: dict[tuple[str, str], ComplexArray]
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
        # Half of it for the packet, the other half for the pulse, which must not come round to its own start.
        packet_s = float(model.scattering.packet_s(path.time_s).max())
        lasts_s = max(10.0, 8 / corners["S"], 2 * _LENGTHS * packet_s)
        samples = 1 << int(np.ceil(np.log2(rate_hz * lasts_s)))
        f = scipy.fft.rfftfreq(2 * samples, 1 / (2 * rate_hz))
        # The recorder's low-pass: −2 dB at 0.8 of the Nyquist frequency, −80 dB at it and above.
        site = -9.2 * np.minimum(2 * f / rate_hz, 1) ** 16
        if station.amplification:
            rising = np.log(station.amplification_hz), np.log(station.amplification)
            site = site + np.interp(np.log(np.maximum(f, f[1])), *rising)
        # Q of P and of S are alike in shallow ground (Kinoshita 2008), and P is through it sooner.
        kappa_s = {"P": station.kappa_s * layers.vs_km_s[0] / layers.vp_km_s[0], "S": station.kappa_s}
        rows = [
            site + np.log(brune_spectrum(f, corners[leaves])) - np.pi * f * kappa_s[arrives]
            for leaves, arrives in _WAVES
        ]
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
            source=dict(zip(_WAVES, least[:-1], strict=True)),
            loss=least[-1],
            levels=levels,
        )


def polarise(event: Earthquake, model: Earth, path: Path) -> FloatArray:
    """Return the motion up, north, east for each arrival, radiation and surface included, (arrivals, 3)."""
    pattern = radiation(
        strike_deg=event.strike_deg,
        dip_deg=event.dip_deg,
        rake_deg=event.rake_deg,
        takeoff_deg=path.of(path.rays.takeoff_deg),
        azimuth_deg=path.azimuth_deg,
    )
    return _at_surface(pattern, model, path)


def _at_surface(pattern: Sequence[FloatArray | float], model: Earth, path: Path) -> FloatArray:
    """Return how the ground moves if the source sends out so much P, SV and SH."""
    rays, (p, sv, sh) = path.rays, pattern
    layers = model.layers
    surface = surface_motion(path.of(rays.slowness_s_km), layers.vp_km_s[0], layers.vs_km_s[0])
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
    model: Earth,
    draw: np.random.Generator,
) -> NDArray[np.float32]:
    """Return velocity (arrivals, 3, samples) that begins `ROOM` and a fraction of a sample late."""
    rays = path.rays
    t_star = path.of(rays.t_star_s)[:, None]
    source = np.stack([grid.source[rays.source_waves[k], rays.receiver_waves[k]] for k in path.keep])
    turn = 2j * np.pi * grid.frequency_hz
    late = (fraction[:, None] + ROOM) / grid.rate_hz
    wide = np.exp(source + t_star * grid.loss - turn * late) * turn * grid.rate_hz * grid.levels[:, None]
    half = grid.samples // 2 + 1
    spectrum = wide[:, :half] + wide[:, : half - 2 : -1].conj()
    motion = vectors[:, :, None].astype(np.complex64)
    lost = model.scattering.lost(path.of(rays.path_km))
    if lost.any():
        direct, scattered = _share(grid, lost, model.scattering.above_hz)
        packets = _draw_packets(grid, path, vectors, model, draw)
        motion = motion * direct[:, None] + scipy.fft.rfft(packets, axis=-1) * scattered[:, None]
    # Packets too are convolved with the pulse, so that they begin at the onset.
    made = scipy.fft.irfft(motion * spectrum[:, None].astype(np.complex64), grid.samples, axis=-1)
    fade = np.ones(grid.samples, dtype=np.float32)
    quarter = grid.samples // 4
    fade[-quarter:] = np.cos(np.linspace(0, np.pi / 2, quarter)) ** 2
    return np.asarray(made * fade, dtype=np.float32)


def _share(
    grid: PulseGrid, lost: FloatArray, above_hz: float
) -> tuple[NDArray[np.complex64], NDArray[np.complex64]]:
    """Return the filters of what stays in the pulse and of what goes to the packet; their powers add to 1."""
    f = scipy.fft.rfftfreq(grid.samples, 1 / grid.rate_hz)
    f[0] = f[1] / 2
    part = lost[:, None] / (1 + (above_hz / f) ** 2)
    filters = np.exp(least_phase(0.5 * np.log(np.stack([1 - part, part]))))
    return filters[0].astype(np.complex64), filters[1].astype(np.complex64)


def _draw_packets(
    grid: PulseGrid, path: Path, vectors: FloatArray, model: Earth, draw: np.random.Generator
) -> NDArray[np.float32]:
    """Return white noise (arrivals, 3, samples) under envelopes, with the strength of the direct waves."""
    time_s = np.arange(grid.samples) / grid.rate_hz
    scale = np.maximum(model.scattering.packet_s(path.time_s), 1 / grid.rate_hz)[:, None]
    end = np.clip(2 * (1 - time_s / (_LENGTHS * scale)), 0, 1)
    shape = np.sqrt(time_s / scale) * np.exp(-time_s / scale) * end
    shape /= np.sqrt((shape**2).sum(axis=-1, keepdims=True))
    drawn = draw.standard_normal((4, len(vectors), grid.samples), dtype=np.float32) * shape.astype(np.float32)
    kept = (vectors * np.sqrt(1 - _BLURRED)).astype(np.float32)
    mean = np.linalg.norm(_at_surface(_MEAN_PATTERN, model, path), axis=-1)
    blurred = (mean * np.sqrt(_BLURRED / 3)).astype(np.float32)
    return np.asarray(
        kept[:, :, None] * drawn[0][:, None] + blurred[:, None, None] * drawn[1:].swapaxes(0, 1)
    )
