"""
The part of ambient noise that near stations share: waves of long periods from the coasts.

They come from fixed directions as Rayleigh and Love waves. Each wave's noise is blended from the corners of a
lattice, so that stations further apart than a cell or two share nothing.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.draws import generator
from pipeline.synthetic.ground.frames import (
    SLOW_FRAME,
    SLOW_HOUR,
    SLOW_MARGIN,
    SLOW_RATE_HZ,
    Record,
    Spectrum,
    make_filter,
    slow_transform,
    slow_white,
)
from pipeline.synthetic.ground.spectra import FloatArray

__all__ = ["regional_field"]

_WAVE_TAPS: Final = 2 * 600 * SLOW_RATE_HZ
_CELL_KM: Final = 150.0
_WAVES: Final = 6
_ELLIPTICITY: Final = 0.7  # horizontal to vertical of a Rayleigh wave
_LOVE_SHARE: Final = 0.4  # of the power of the horizontals
_REFERENCE_KM_S: Final = 3.1


def regional_field(
    seed: int, place_km: tuple[float, float], components: Sequence[str], hours: range
) -> NDArray[np.complex64]:
    """
    Add up the waves that cross a place.

    Parameters
    ----------
    seed : int
        Of the archive; places with the same seed share the field.
    place_km : (float, float)
        East and north of a point that the network shares.
    components : sequence of str
        Of Z, N and E.
    hours : range
        Since 1970.

    Returns
    -------
    array of complex64, shape (components, hours, frequencies)
        Transforms of slow frames, of variance 1.

    Examples
    --------
    >>> regional_field(1, (3.0, 4.0), "ZN", range(438_000, 438_003)).shape
    (2, 3, 7201)
    """
    out = np.zeros((len(components), len(hours), SLOW_FRAME // 2 + 1), dtype=np.complex64)
    for wave, kind in itertools.product(range(_WAVES), ("rayleigh", "love")):
        rows = [row for row, name in enumerate(components) if not (kind == "love" and name == "Z")]
        if not rows:
            continue
        toward = math.radians(_directions(seed)[0][wave])
        distance_km = place_km[0] * math.sin(toward) + place_km[1] * math.cos(toward)
        shift = round(distance_km / _REFERENCE_KM_S * SLOW_RATE_HZ)
        white = _blended_white(seed, place_km, ("field", wave, kind), hours, shift)
        delay = _delay(distance_km, shift)
        gains = _polarisation(seed, kind)[:, wave]
        turned = {row: delay * np.complex64(gains["ZNE".index(components[row])]) for row in rows}
        for column in range(len(hours)):
            noise = slow_transform(white, column)
            for row in rows:
                out[row, column] += noise * turned[row]
    return out


def _blended_white(
    seed: int, place_km: tuple[float, float], key: Sequence[str | int], hours: range, shift: int
) -> Record:
    """Blend the noise of the four corners of a station's cell, so that the variance stays 1."""
    east, north = place_km[0] / _CELL_KM, place_km[1] / _CELL_KM
    west, south = math.floor(east), math.floor(north)
    total: Record = np.zeros(len(hours) * SLOW_HOUR + 2 * SLOW_MARGIN, dtype=np.float32)
    for x, y in itertools.product((west, west + 1), (south, south + 1)):
        weight = (1 - abs(east - x)) * (1 - abs(north - y))
        if weight > 0:
            total += np.float32(math.sqrt(weight)) * slow_white(seed, (*key, x, y), hours, shift)
    return total


@functools.lru_cache(maxsize=16)
def _directions(seed: int) -> tuple[FloatArray, FloatArray]:
    """Draw where the waves go (degrees from north) and their shares: two coasts, the first one louder."""
    rng = generator(seed, "field", "directions")
    coasts = np.repeat(rng.uniform(0, 360) + np.array([0.0, rng.uniform(70, 180)]), [4, 2])
    shares = np.repeat([1.0, 0.35], [4, 2]) * rng.uniform(0.6, 1.4, _WAVES)
    return coasts + rng.uniform(-25, 25, _WAVES), shares / shares.sum()


@functools.lru_cache(maxsize=32)
def _polarisation(seed: int, kind: str) -> NDArray[np.complex128]:
    """Return the gains of waves on Z, N, E, shape (3, waves): both kinds together have power 1 on each."""
    azimuths, shares = _directions(seed)
    toward = np.radians(azimuths)
    along, across = np.stack([np.cos(toward), np.sin(toward)]), np.stack([-np.sin(toward), np.cos(toward)])
    # Retrograde: at the top of its ellipse the ground moves back, so the radial leads by a quarter (+i).
    radial, transverse = 1j * _ELLIPTICITY * along, across * math.sqrt(_LOVE_SHARE / (1 - _LOVE_SHARE))
    power = (shares * (np.abs(radial) ** 2 + np.abs(_ELLIPTICITY * transverse) ** 2)).sum(axis=1)
    flat = radial if kind == "rayleigh" else _ELLIPTICITY * transverse
    upright = np.sqrt(shares) * (kind == "rayleigh")
    return np.concatenate([upright[np.newaxis], np.sqrt(shares) * flat / np.sqrt(power)[:, np.newaxis]])


def _delay(distance_km: float, shift: int) -> Spectrum:
    """Make the filter that delays a wave over a distance, less the samples that it is shifted by already."""
    frequency = np.arange(1, _WAVE_TAPS // 2 + 1) * (SLOW_RATE_HZ / _WAVE_TAPS)
    # Fundamental surface waves over a continent: 2.9 km/s at 1 Hz to 3.9 at 0.01 (Dziewonski 1969 and since).
    velocity_km_s = 2.9 + 1.2 / (1 + frequency / 0.045)
    delay_s = distance_km / velocity_km_s - shift / SLOW_RATE_HZ
    return make_filter(np.exp(-2j * np.pi * frequency * delay_s), SLOW_FRAME)
