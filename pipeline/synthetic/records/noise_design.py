"""
Noise levels as they were designed: what a perfect measurement of each day would find, with no scatter.

A level is the mean power over the frequencies of a band, and over the hours of a day; percentiles are those
of the hours. Signals are not in it. Bands run 1, 2, 5, 10 s and so on: levels of wider ones are means that
are weighted by hertz.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.gravity.gravimeter_noise import (
    SNM_BAND_HZ,
    SSNM_BAND_HZ,
    GravimeterNoise,
    Rise,
    designed_psd,
    noise_magnitude,
)
from pipeline.synthetic.ground.ambient import Ambient, designed_power
from pipeline.synthetic.layout import Station
from pipeline.synthetic.records.neighbourhood import ambient_at
from pipeline.synthetic.scenario import Scenario

__all__ = ["BANDS_S", "NoiseLevel", "band_name", "gravimeter_levels", "station_levels"]

BANDS_S: Final = (
    *((0.05, 0.1), (0.1, 0.2), (0.2, 0.5), (0.5, 1.0), (1.0, 2.0)),
    *((2.0, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 50.0), (50.0, 100.0)),
)
"""Bands of periods of broadband stations, in s."""

_GRAVIMETER_BANDS_S: Final = tuple(
    (1 / high_hz, 1 / low_hz) for low_hz, high_hz in (SNM_BAND_HZ, SSNM_BAND_HZ)
)
_FREQUENCIES: Final = 100
_HOUR_NS: Final = 3_600_000_000_000
_NM_S2: Final = 1e-9

_Power = Callable[[NDArray[np.float64], float], NDArray[np.float64]]
"""From frequencies (Hz) and a time (s since 1970) to a power, (m/s²)²/Hz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseLevel:
    """
    The designed noise of one component in one band on one day.

    Parameters
    ----------
    component, band : str
    day : int
        Since 1970.
    level_db, p05, p50, p95 : float
        dB of 1 (m/s²)²/Hz.
    snm, ssnm : float or None
        Noise magnitudes of that day, its rises included; gravimeters only.
    """

    component: str
    day: int
    band: str
    level_db: float
    p05: float
    p50: float
    p95: float
    snm: float | None = None
    ssnm: float | None = None


def band_name(low_s: float, high_s: float) -> str:
    """
    Name a band of periods.

    >>> band_name(0.5, 1.0), band_name(200.0, 600.0)
    ('0.5-1s', '200-600s')
    """
    return f"{low_s:g}-{high_s:g}s"


def station_levels(scenario: Scenario, station: Station, low_ns: int, high_ns: int) -> Iterator[NoiseLevel]:
    """
    Iterate over the levels of a broadband station, on each day from one time up to another.

    They are those of the ground, up, north and east: a sensor that stands askew mixes the latter two.
    """
    site = ambient_at(scenario, station)
    for day, times_s in _days(low_ns, high_ns):
        for component in "ZNE":
            powers = _mean_powers(partial(_station_power, site, component), BANDS_S, times_s)
            for band_s, hourly in zip(BANDS_S, powers, strict=True):
                yield _level(component, day, band_s, hourly)


def gravimeter_levels(
    code: str, noise: GravimeterNoise, rises: Sequence[Rise], low_ns: int, high_ns: int
) -> Iterator[NoiseLevel]:
    """
    Iterate over the levels of a gravimeter, on each day from one time up to another.

    In the bands of both noise magnitudes, which stand beside either.

    Examples
    --------
    >>> noise = GravimeterNoise(snm=1.0, ssnm=2.8)
    >>> for level in gravimeter_levels("LGZ", noise, (), 0, DAY_NS):
    ...     print(level.band, round(level.level_db, 1), round(level.snm, 2), round(level.ssnm, 2))
    200-600s -175.0 1.0 2.8
    3600-21600s -157.0 1.0 2.8
    """
    for day, times_s in _days(low_ns, high_ns):
        powers = _mean_powers(partial(_gravimeter_power, noise, rises), _GRAVIMETER_BANDS_S, times_s)
        snm, ssnm = (noise_magnitude(hourly / _NM_S2**2) for hourly in powers)
        for band_s, hourly in zip(_GRAVIMETER_BANDS_S, powers, strict=True):
            yield _level(code, day, band_s, hourly, snm=snm, ssnm=ssnm)


def _station_power(
    site: Ambient, component: str, frequency_hz: NDArray[np.float64], time_s: float
) -> NDArray[np.float64]:
    return designed_power(site, component, frequency_hz, time_s=time_s)


def _gravimeter_power(
    noise: GravimeterNoise, rises: Sequence[Rise], frequency_hz: NDArray[np.float64], time_s: float
) -> NDArray[np.float64]:
    return designed_psd(frequency_hz, noise, rises, time_s=int(time_s)) * _NM_S2**2


def _days(low_ns: int, high_ns: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Iterate over days, each with the middles of its hours (or of what there is of it), in s since 1970."""
    for day in range(low_ns // DAY_NS, -(-high_ns // DAY_NS)):
        begin_ns, end_ns = max(low_ns, day * DAY_NS), min(high_ns, (day + 1) * DAY_NS)
        count = max(1, round((end_ns - begin_ns) / _HOUR_NS))
        middles_ns = begin_ns + (np.arange(count, dtype=np.float64) + 0.5) * ((end_ns - begin_ns) / count)
        yield day, middles_ns / 1e9


def _mean_powers(
    power: _Power, bands_s: Sequence[tuple[float, float]], times_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean power in each band at each time, shape (bands, times)."""
    steps = (np.arange(_FREQUENCIES) + 0.5) / _FREQUENCIES
    frequency_hz = np.concatenate([1 / high + (1 / low - 1 / high) * steps for low, high in bands_s])
    rows = [power(frequency_hz, float(time_s)).reshape(len(bands_s), -1).mean(axis=1) for time_s in times_s]
    return np.stack(rows, axis=1)


def _level(
    component: str,
    day: int,
    band_s: tuple[float, float],
    hourly: NDArray[np.float64],
    *,
    snm: float | None = None,
    ssnm: float | None = None,
) -> NoiseLevel:
    p05, p50, p95 = np.percentile(10 * np.log10(hourly), [5, 50, 95]).tolist()
    return NoiseLevel(
        component=component,
        day=day,
        band=band_name(*band_s),
        level_db=float(10 * np.log10(hourly.mean())),
        p05=p05,
        p50=p50,
        p95=p95,
        snm=snm,
        ssnm=ssnm,
    )
