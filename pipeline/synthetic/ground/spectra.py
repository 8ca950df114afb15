"""
Spectra of ground noise: Peterson's models, what a station is designed to have, and how it changes in time.

A station's spectrum is a sum of parts, and each part has a power factor of its own that depends on absolute
time alone::

    dB      secondary
    │  primary ╱╲                background   mixed from both models, without their microseisms
    │       ╱╲╱  ╲               primary      ┐ storms of days, seasons
    │tilt  ╱      ╲  culture     secondary    ┘
    │╲____╱        ╲_╱▔▔╲__      culture      day and night, weekdays, by local time
    │ background      self       tilt         horizontals at long periods: the warm hours
    └──────────────────── Hz     self         the instrument: never changes

All powers are of ground acceleration, one-sided, in (m/s²)²/Hz; all levels are dB of that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator

__all__ = [
    "PARTS",
    "Climate",
    "Part",
    "StationSpectrum",
    "background_db",
    "draw_spectra",
    "nhnm_db",
    "nlnm_db",
]

FloatArray: TypeAlias = NDArray[np.float64]
Part: TypeAlias = Literal["background", "primary", "secondary", "culture", "tilt", "self"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)

# Peterson (1993), USGS Open-File Report 93-322, table 3 (low) and 4 (high): from each period P on, the level
# is A + B log10(P) dB. Both end at 100,000 s and begin at 0.1 s.
_LOW: Final = np.array(
    [
        (0.10, -162.36, 5.64),
        (0.17, -166.70, 0.00),
        (0.40, -170.00, -8.30),
        (0.80, -166.40, 28.90),
        (1.24, -168.60, 52.48),
        (2.40, -159.98, 29.81),
        (4.30, -141.10, 0.00),
        (5.00, -71.36, -99.77),
        (6.00, -97.26, -66.49),
        (10.00, -132.18, -31.57),
        (12.00, -205.27, 36.16),
        (15.60, -37.65, -104.33),
        (21.90, -114.37, -47.10),
        (31.60, -160.58, -16.28),
        (45.00, -187.50, 0.00),
        (70.00, -216.47, 15.70),
        (101.00, -185.00, 0.00),
        (154.00, -168.34, -7.61),
        (328.00, -217.43, 11.90),
        (600.00, -258.28, 26.60),
        (10000.00, -346.88, 48.75),
    ]
)
_HIGH: Final = np.array(
    [
        (0.10, -108.73, -17.23),
        (0.22, -150.34, -80.50),
        (0.32, -122.31, -23.87),
        (0.80, -116.85, 32.51),
        (3.80, -108.48, 18.08),
        (4.60, -74.66, -32.95),
        (6.30, 0.66, -127.18),
        (7.90, -93.37, -22.42),
        (15.40, 73.54, -162.98),
        (20.00, -151.52, 10.01),
        (354.80, -206.66, 31.63),
    ]
)
_LONGEST_S: Final = 100_000.0
# Where the microseisms of each model begin and end; beneath them the background runs straight in log period.
_LOW_HUMP_S: Final = (1.0, 21.9)
_HIGH_HUMP_S: Final = (0.8, 20.0)

_DAY_S: Final = 86400
_YEAR_S: Final = 365.25 * _DAY_S
_STORM_DAYS: Final = 6  # no storm lasts longer
# Cultural power by local hour, as a part of the depth of the night: 0 at the busiest, -1 at the quietest.
# The shape follows published daily curves of 4-14 Hz noise in towns (e.g. Lecocq et al. 2020, Science 369).
_CULTURE_HOURS: Final = (
    *(-0.90, -0.97, -1.00, -0.98, -0.85, -0.60, -0.30, -0.10, 0.00, -0.02, -0.03, -0.05),
    *(-0.12, -0.06, -0.03, -0.03, -0.06, -0.12, -0.22, -0.35, -0.48, -0.60, -0.72, -0.82),
)
_CULTURE_WEEKDAYS: Final = (0.0, 0.0, 0.0, 0.0, -0.02, -0.25, -0.45)  # Monday first


def nlnm_db(period_s: ArrayLike) -> FloatArray:
    """
    Return the New Low Noise Model.

    Parameters
    ----------
    period_s : array_like
        From 0.1 to 100,000 s; NaN comes back elsewhere.

    Returns
    -------
    array of float64, of the same shape
        dB of 1 (m/s²)²/Hz.

    Examples
    --------
    >>> nlnm_db([0.1, 5.0, 100.0]).round(1)
    array([-168. , -141.1, -185.1])
    """
    return _model_db(_LOW, period_s)


def nhnm_db(period_s: ArrayLike) -> FloatArray:
    """
    Return the New High Noise Model; see `nlnm_db`.

    Examples
    --------
    >>> nhnm_db([0.1, 5.0, 100.0]).round(1)
    array([ -91.5,  -97.7, -131.5])
    """
    return _model_db(_HIGH, period_s)


def background_db(period_s: ArrayLike, mix: float) -> FloatArray:
    """
    Mix both models, without their microseisms, and without ends: below 0.1 s the level stays.

    Parameters
    ----------
    period_s : array_like
        Above 0.
    mix : float
        0 is the low model, 1 the high one; linear in dB.

    Examples
    --------
    >>> background_db([0.02, 0.1, 5.0, 100.0], 0.5).round(1)
    array([-129.8, -129.8, -151.4, -158.3])
    """
    period = np.clip(np.asarray(period_s, dtype=np.float64), 0.1, _LONGEST_S)
    low, high = _bridged_db(_LOW, _LOW_HUMP_S, period), _bridged_db(_HIGH, _HIGH_HUMP_S, period)
    return low + mix * (high - low)


def _model_db(table: FloatArray, period_s: ArrayLike) -> FloatArray:
    period = np.asarray(period_s, dtype=np.float64)
    known = (period >= table[0, 0]) & (period <= _LONGEST_S)
    row = table[np.clip(np.searchsorted(table[:, 0], period, side="right") - 1, 0, None)]
    level = row[..., 1] + row[..., 2] * np.log10(np.where(known, period, 1.0))
    return np.where(known, level, np.nan)


def _bridged_db(table: FloatArray, hump_s: tuple[float, float], period_s: FloatArray) -> FloatArray:
    line = np.interp(np.log(period_s), np.log(hump_s), _model_db(table, hump_s))
    return np.where((period_s > hump_s[0]) & (period_s < hump_s[1]), line, _model_db(table, period_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSpectrum:
    """
    What one component of a station is designed to have when it is calm outside and busy in town.

    Parameters
    ----------
    mix : float
        Of the background, between the low model (0) and the high one (1).
    primary_db, secondary_db : float
        Levels of the peaks of the microseisms.
    primary_period_s, secondary_period_s : float
        Where they stand.
    culture_db : float
        Level between 2 and 12 Hz in the busiest hour; it falls off below 1 and above 20 Hz.
    tilt_db : float
        Level at 100 s; it grows with the square of the period, and levels off beyond 500 s.
    self_db : float
        Of the instrument at 1 Hz: it grows as 1/f below 10 mHz, and above 10 Hz.

    Examples
    --------
    >>> quiet = StationSpectrum(mix=0.1, secondary_db=-136.0)
    >>> quiet.level_db([0.01, 0.2, 1.0]).round(1)
    array([-177.8, -136. , -149. ])
    """

    mix: float = 0.25
    primary_db: float = -154.0
    primary_period_s: float = 14.0
    secondary_db: float = -130.0
    secondary_period_s: float = 5.0
    culture_db: float = -140.0
    tilt_db: float = -190.0
    self_db: float = -186.0

    def __post_init__(self) -> None:
        if not 0 <= self.mix <= 1:
            raise ConfigError(f"mix should be from 0 (low noise model) to 1 (high), got {self.mix}")
        for name in ("primary_period_s", "secondary_period_s"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} should be above 0, got {getattr(self, name)}")

    def parts(self, frequency_hz: ArrayLike) -> dict[Part, FloatArray]:
        """
        Return the power of each part, in (m/s²)²/Hz, at frequencies above 0.

        >>> sorted(StationSpectrum().parts(1.0))
        ['background', 'culture', 'primary', 'secondary', 'self', 'tilt']
        """
        frequency = np.asarray(frequency_hz, dtype=np.float64)
        period = 1 / frequency
        culture = _power(self.culture_db) / (1 + (1.4 / frequency) ** 6) / (1 + (frequency / 17.0) ** 6)
        tilt = _power(self.tilt_db) * (1 + (500.0 / 100.0) ** 2) / (1 + (500.0 / period) ** 2)
        own = _power(self.self_db) * (1 + 0.01 / frequency + (frequency / 10.0) ** 2)
        # Slopes of both sides as in the low model: 5 and 7.5 powers of the period for the secondary peak.
        return {
            "background": _power(background_db(period, self.mix)),
            "primary": _power(self.primary_db) * _peak(period / self.primary_period_s, 5.0, 10.0),
            "secondary": _power(self.secondary_db) * _peak(period / self.secondary_period_s, 5.0, 7.5),
            "culture": culture,
            "tilt": tilt,
            "self": own,
        }

    def level_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """Return the level of all parts together, in dB, at frequencies above 0."""
        return np.asarray(10 * np.log10(sum(self.parts(frequency_hz).values())))


def _power(level_db: ArrayLike) -> FloatArray:
    return np.asarray(10.0 ** (np.asarray(level_db, dtype=np.float64) / 10))


def _peak(ratio: FloatArray, rise: float, fall: float) -> FloatArray:
    """Rise as ``ratio ** rise`` to 1 at 1, then fall as ``ratio ** -fall``."""
    total = rise + fall
    return np.asarray(1.0 / (fall / total * ratio**-rise + rise / total * ratio**fall))


def draw_spectra(seed: int, station: str) -> dict[str, StationSpectrum]:
    """
    Draw the site of a station: quiet or busy, with horizontals that tilt more than the vertical.

    Returns
    -------
    dict of str to StationSpectrum
        Of Z, N and E.

    Examples
    --------
    >>> site = draw_spectra(1, "PB01")
    >>> site["N"].tilt_db > site["Z"].tilt_db + 8
    True
    """
    rng = generator(seed, "spectra", station)
    mix, secondary = rng.uniform(0.15, 0.45), rng.uniform(-130.0, -121.0)
    primary, period = secondary - rng.uniform(20.0, 26.0), rng.uniform(4.4, 5.8)
    # Busy sites are loud at all high frequencies, so culture follows the mix.
    culture, tilt = -152.0 + 50.0 * mix + rng.uniform(-5.0, 5.0), rng.uniform(-195.0, -185.0)
    sites = {}
    for name in "ZNE":
        flat = name == "Z"
        sites[name] = StationSpectrum(
            mix=mix,
            primary_db=primary + (0.0 if flat else rng.uniform(-1.0, 2.0)),
            primary_period_s=rng.uniform(13.0, 15.5),
            secondary_db=secondary + (0.0 if flat else rng.uniform(-2.0, 1.0)),
            secondary_period_s=period,
            culture_db=culture + (0.0 if flat else rng.uniform(-2.0, 3.0)),
            tilt_db=tilt + (0.0 if flat else rng.uniform(10.0, 28.0)),
        )
    return sites


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """
    How the parts of a spectrum change in time: regional storms, seasons, and the habits of people.

    Parameters
    ----------
    seed : int
        Of the archive: stations with the same seed see the same storms.
    utc_offset_h : float
        Local time less UTC.
    southern : bool
        Whether winter is in July.
    storms_per_day : float
        That begin, as a mean over the year.
    night_db : float
        How far culture falls at night on a working day.
    warm_db : float
        How far tilt rises from the coldest to the warmest hour.

    Examples
    --------
    >>> town = Climate(seed=1, storms_per_day=0.0)
    >>> noon, night = (town.factors(h * 3600.0)["culture"] for h in (8, 2))
    >>> round(noon, 6), round(night, 6)
    (1.0, 0.01)
    """

    seed: int
    utc_offset_h: float = 0.0
    southern: bool = False
    storms_per_day: float = 0.3
    night_db: float = 20.0
    warm_db: float = 8.0

    def factors(self, time_s: float) -> dict[Part, float]:
        """Return the factor of the power of each part at ``time_s`` since 1970."""
        winter = self._winter(time_s)
        local_h = time_s / 3600 + self.utc_offset_h
        warm = 0.5 - 0.5 * math.cos(2 * math.pi * (local_h - 3.0) / 24)
        return {
            "background": 1.0,
            "primary": 10 ** (0.2 * winter) * (1 + self._storms(time_s, 0.7)),
            "secondary": 10 ** (0.3 * winter) * (1 + self._storms(time_s, 1.0)),
            "culture": 10 ** (0.1 * self._culture_db(local_h)),
            "tilt": 10 ** (0.1 * self.warm_db * (warm - 0.5)),
            "self": 1.0,
        }

    def _winter(self, time_s: float) -> float:
        """Run from -1 in midsummer to 1 in the middle of January (July in the south)."""
        season = math.cos(2 * math.pi * (time_s - 15 * _DAY_S) / _YEAR_S)
        return -season if self.southern else season

    def _culture_db(self, local_h: float) -> float:
        hour = math.floor(local_h)
        before, after = (self._culture_at(hour + k) for k in (0, 1))
        return self.night_db * (before + (local_h - hour) * (after - before))

    @staticmethod
    def _culture_at(hour: int) -> float:
        weekday = (hour // 24 + 3) % 7  # 1 January 1970 was a Thursday
        # A day off is a day with less in its busy hours; the night is as quiet as any.
        return max(-1.0, _CULTURE_HOURS[hour % 24] + _CULTURE_WEEKDAYS[weekday])

    def _storms(self, time_s: float, strength: float) -> float:
        """Add up what storms bring, as a part of the calm power; ``strength`` scales their dB."""
        today = math.floor(time_s / _DAY_S)
        total = 0.0
        for day in range(today - _STORM_DAYS, today + 1):
            rate = self.storms_per_day * (1 + 0.6 * self._winter(day * _DAY_S))
            for start, rise, fall, storm_db in _storms_of_day(self.seed, rate, day):
                level_db = strength * storm_db
                total += (10 ** (level_db / 10) - 1) * _storm_shape(time_s - start, rise, fall)
        return total


@lru_cache(maxsize=64)
def _storms_of_day(seed: int, rate: float, day: int) -> tuple[tuple[float, float, float, float], ...]:
    """Draw the storms that begin on a day, once for all its hours: start, rise and fall in s, level in dB."""
    rng = generator(seed, "storms", day)
    storms = []
    for _ in range(int(rng.poisson(rate))):
        start = (day + rng.random()) * _DAY_S
        rise, fall = rng.uniform(0.3, 1.2) * _DAY_S, rng.uniform(0.8, 4.0) * _DAY_S
        storms.append((start, rise, fall, min(3.0 + rng.exponential(6.0), 22.0)))
    return tuple(storms)


def _storm_shape(time_s: float, rise_s: float, fall_s: float) -> float:
    """Rise from 0 to 1 and fall to 0 again, smoothly."""
    if not 0 < time_s < rise_s + fall_s:
        return 0.0
    part = time_s / rise_s if time_s < rise_s else 1 - (time_s - rise_s) / fall_s
    return math.sin(math.pi / 2 * part) ** 2
