"""
Ambient noise as an endless record: any piece of it, cut anywhere, gives the same numbers.

White noise, named and counted from 1970, goes through filters whose powers are the designed spectrum. Frames
stand at fixed absolute times and are made whole, so that there is no seam at midnight or elsewhere::

    2 Hz    frame of two hours, its middle hour kept  ┐ below 0.5 Hz: a regional field of plane waves,
            |~~~~~~|=============|~~~~~~|             ┘ the same for all stations, and an own part
    100 Hz  frame of 8 minutes, 7.5 of them kept      ┐ above 0.5 Hz: an own part alone; the long periods
            |~|=======================|~|             ┘ are put into its transform before it goes back

Between whole hours the filters change linearly: each frame goes back to time twice, through the filter of the
hour before and through what the next one adds.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import white_noise
from pipeline.synthetic.ground.frames import (
    HOUR_S,
    SLOW_FRAME,
    SLOW_HOUR,
    SLOW_MARGIN,
    SLOW_RATE_HZ,
    Record,
    Spectrum,
    back,
    make_filter,
    slow_transform,
    slow_white,
)
from pipeline.synthetic.ground.regional_field import regional_field
from pipeline.synthetic.ground.restlessness import swelling
from pipeline.synthetic.ground.spectra import Climate, FloatArray, Part, StationSpectrum

__all__ = ["RATE_HZ", "SLOW_RATE_HZ", "Ambient", "Transfer", "ambient_noise", "designed_power", "slow_noise"]

Transfer: TypeAlias = Callable[[FloatArray], ArrayLike]

RATE_HZ: Final = 100
_RATIO: Final = RATE_HZ // SLOW_RATE_HZ
_HOUR: Final = HOUR_S * RATE_HZ

# 100 Hz: frames of 480 s on 450 s, filters of 30 s. The lower rate is 960 samples of such a frame.
_FRAME: Final = 48_000
_STEP: Final = 45_000
_MARGIN: Final = (_FRAME - _STEP) // 2
_FRAMES: Final = _HOUR // _STEP
# 2 Hz: filters take 20 of the half hour beside a frame.
_SLOW_TAPS: Final = 2 * 1200 * SLOW_RATE_HZ
_TAPS: Final = 2 * _MARGIN
_CROSSOVER_HZ: Final = (0.35, 0.65)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambient:
    """
    The ambient noise of one station.

    Parameters
    ----------
    seed : int
        Of the archive; stations with the same seed share the regional field.
    station : str
        Names the own parts.
    spectra : mapping of str to StationSpectrum
        Of each component, by its name: Z, N, E.
    east_km, north_km : float
        From a point that the network shares.
    climate : Climate, optional
        Without one, the spectra never change.
    restless_db : float
        Standard deviation of the level above 0.5 Hz over half a minute to five; the mean power stays.
    """

    seed: int
    station: str
    spectra: Mapping[str, StationSpectrum]
    east_km: float = 0.0
    north_km: float = 0.0
    climate: Climate | None = None
    restless_db: float = 0.0

    def __post_init__(self) -> None:
        unknown = sorted(set(self.spectra) - set("ZNE"))
        if unknown:
            raise ConfigError(f"components should be of Z, N and E, got {', '.join(unknown)}")

    def factors(self, time_s: float) -> Mapping[Part, float]:
        """Return the factor of the power of each part at ``time_s`` since 1970: all 1 without a climate."""
        return self.climate.factors(time_s) if self.climate else {}


def designed_power(
    site: Ambient, component: str, frequency_hz: ArrayLike, *, time_s: float | None = None
) -> FloatArray:
    """
    Return the power that the noise has by design: the truth of its spectrum.

    Parameters
    ----------
    site : Ambient
    component : str
    frequency_hz : array_like
        Above 0.
    time_s : float, optional
        Since 1970; without it the spectrum before storms, seasons and habits.

    Returns
    -------
    array of float64, of the shape of the frequencies
        Of ground acceleration, one-sided, (m/s²)²/Hz. Between whole hours, where shared and own parts change
        apart, the noise may differ from it by hundredths of a dB.

    Examples
    --------
    >>> site = Ambient(seed=1, station="PB01", spectra={"Z": StationSpectrum()})
    >>> print((10 * np.log10(designed_power(site, "Z", 0.2))).round(1))
    -130.0
    """
    parts = site.spectra[component].parts(frequency_hz)
    if time_s is None or site.climate is None:
        return np.asarray(sum(parts.values()))
    begin = math.floor(time_s / HOUR_S) * HOUR_S
    before, after = (
        np.sqrt(sum(power * site.factors(at)[name] for name, power in parts.items()))
        for at in (begin, begin + HOUR_S)
    )
    return np.asarray((before + (time_s - begin) / HOUR_S * (after - before)) ** 2)


def ambient_noise(
    site: Ambient,
    first: int,
    stop: int,
    *,
    components: Sequence[str] = ("Z", "N", "E"),
    transfer: Mapping[str, Transfer] | None = None,
) -> Record:
    """
    Make a piece of a station's noise at 100 Hz.

    Parameters
    ----------
    site : Ambient
    first, stop : int
        Samples since 1970 at `RATE_HZ`; half-open.
    components : sequence of str
    transfer : mapping of str to callable, optional
        Per component, from frequencies above 0 (Hz) to the complex response to ground acceleration, for
        example in counts per m/s². Its impulse response should fade within 15 s above 0.5 Hz and within
        20 minutes below.

    Returns
    -------
    ndarray of float32, shape (components, stop - first)
        Ground acceleration in m/s², or what the transfer makes of it.

    Examples
    --------
    >>> site = Ambient(seed=1, station="PB01", spectra={"Z": StationSpectrum()})
    >>> whole = ambient_noise(site, 8_600_000, 8_680_000, components="Z")
    >>> np.array_equal(whole[:, 30_000:30_100], ambient_noise(site, 8_630_000, 8_630_100, components="Z"))
    True
    """
    out = np.empty((len(components), max(0, stop - first)), dtype=np.float32)
    if not out.size:
        return out
    frames = range(first // _STEP, -(-stop // _STEP))
    origin = (frames[0] * _STEP - _MARGIN) // _RATIO
    slow = slow_noise(
        site,
        origin,
        (frames[-1] * _STEP + _STEP + _MARGIN) // _RATIO,
        components=components,
        transfer=transfer,
    )
    for row, name in enumerate(components):
        voice = _Voice(site, name, (transfer or {}).get(name), fast=True)
        white = _hourly_white(site, name, frames)
        for frame in frames:
            at = (frame * _STEP - _MARGIN) // _RATIO - origin
            made = _fast_frame(voice, frame, next(white), slow[row, at : at + _FRAME // _RATIO])
            low, high = max(first, frame * _STEP), min(stop, (frame + 1) * _STEP)
            out[row, low - first : high - first] = made[low - frame * _STEP : high - frame * _STEP]
    return out


def slow_noise(
    site: Ambient,
    first: int,
    stop: int,
    *,
    components: Sequence[str] = ("Z", "N", "E"),
    transfer: Mapping[str, Transfer] | None = None,
) -> Record:
    """
    Make a piece of the part below 0.5 Hz (half its amplitude there) at 2 Hz; see `ambient_noise`.

    Parameters
    ----------
    first, stop : int
        Samples since 1970 at `SLOW_RATE_HZ`; half-open.

    Returns
    -------
    ndarray of float32, shape (components, stop - first)
    """
    hours = range(first // SLOW_HOUR, -(-stop // SLOW_HOUR))
    out = np.empty((len(components), len(hours) * SLOW_HOUR), dtype=np.float32)
    fields = regional_field(site.seed, (site.east_km, site.north_km), components, hours)
    for row, name in enumerate(components):
        shared, own = (
            _Voice(site, name, (transfer or {}).get(name), fast=False, coherent=coherent)
            for coherent in (True, False)
        )
        white = slow_white(site.seed, ("ambient", site.station, name, "slow"), hours)
        for column, hour in enumerate(hours):
            noise = slow_transform(white, column)
            now = fields[row][column] * shared.at(hour) + noise * own.at(hour)
            change = None
            if own.changes:
                change = fields[row][column] * shared.change(hour) + noise * own.change(hour)
            made = back(now, change, SLOW_FRAME, SLOW_MARGIN, SLOW_HOUR, 0.0, 1.0)
            out[row, column * SLOW_HOUR : (column + 1) * SLOW_HOUR] = made
    begin = hours[0] * SLOW_HOUR if hours else first
    return out[:, first - begin : stop - begin]


class _Voice:
    """The filter of one component, at each hour and as it changes to the next."""

    def __init__(
        self, site: Ambient, name: str, transfer: Transfer | None, *, fast: bool, coherent: bool | None = None
    ) -> None:
        self._factors = site.factors
        self.changes = site.climate is not None
        self._frame = _FRAME if fast else SLOW_FRAME
        rate, taps = (RATE_HZ, _TAPS) if fast else (SLOW_RATE_HZ, _SLOW_TAPS)
        frequency: FloatArray = np.arange(1, taps // 2 + 1, dtype=np.float64) * (rate / taps)
        share = _above(frequency) if fast else _below(frequency)
        self._parts = {
            part: power * share * (1.0 if coherent is None else _coherent(part, frequency, yes=coherent))
            for part, power in site.spectra[name].parts(frequency).items()
        }
        # White noise of variance 1 has a one-sided power of 2 / rate.
        gain = np.ones(frequency.shape) if transfer is None else np.asarray(transfer(frequency))
        self._gain = gain * math.sqrt(rate / 2)
        self.at = functools.lru_cache(maxsize=4)(self._at)
        self.change = functools.lru_cache(maxsize=4)(self._change)

    def _at(self, hour: int) -> Spectrum:
        factors = self._factors(hour * HOUR_S)
        power = sum(factors.get(part, 1.0) * value for part, value in self._parts.items())
        return make_filter(np.sqrt(power) * self._gain, self._frame)

    def _change(self, hour: int) -> Spectrum:
        return np.asarray(self.at(hour + 1) - self.at(hour))


def _above(frequency_hz: FloatArray) -> FloatArray:
    """Return the part of the power that is made at the high rate: from 0 to 1 across the crossover."""
    low, high = _CROSSOVER_HZ
    return np.sin(np.pi / 2 * np.clip((frequency_hz - low) / (high - low), 0, 1)) ** 2


def _below(frequency_hz: FloatArray) -> FloatArray:
    return 1 - _above(frequency_hz)


def _coherent(part: Part, frequency_hz: FloatArray, *, yes: bool) -> FloatArray:
    """Return the share of a part's power that belongs to the regional field (``yes``), or the rest."""
    shares: dict[str, FloatArray] = {
        "primary": np.full(frequency_hz.shape, 0.92),
        "secondary": 0.92 / (1 + (frequency_hz / 0.4) ** 6),
        "background": 0.93 / (1 + (frequency_hz / 0.2) ** 4),
    }
    share = shares.get(part, np.zeros(frequency_hz.shape))
    return share if yes else 1 - share


def _fast_frame(voice: _Voice, frame: int, white: Record, slow: Record) -> Record:
    hour, part = divmod(frame, _FRAMES)
    noise = scipy.fft.rfft(white)
    now = noise * voice.at(hour)
    band = _interpolator()
    now[: band.size] += scipy.fft.rfft(slow)[: band.size] * band
    change = noise * voice.change(hour) if voice.changes else None
    return back(now, change, _FRAME, _MARGIN, _STEP, part / _FRAMES, (part + 1) / _FRAMES)


def _hourly_white(site: Ambient, name: str, frames: range) -> itertools.chain[Record]:
    """Make the white noise of frames, an hour of them at a time: draws come cheaper in long pieces."""

    def hour(start: int) -> list[Record]:
        stop = min(start + _FRAMES, frames.stop)
        begin, end = start * _STEP - _MARGIN, stop * _STEP + _MARGIN
        drawn = white_noise(site.seed, ("ambient", site.station, name, "fast"), begin, end)
        if site.restless_db:
            drawn *= _swelling(site.seed, site.station, begin, end, site.restless_db)
        return [drawn[(k - start) * _STEP :][:_FRAME] for k in range(start, stop)]

    return itertools.chain.from_iterable(map(hour, range(frames.start, frames.stop, _FRAMES)))


@functools.lru_cache(maxsize=26)  # the hours of a day: all components swell together
def _swelling(seed: int, station: str, first: int, stop: int, std_db: float) -> Record:
    return swelling(seed, station, first, stop, rate_hz=RATE_HZ, std_db=std_db)


@functools.cache
def _interpolator() -> Record:
    """Return what brings 2 Hz to 100 Hz: the transform of a low pass, up to 1 Hz, 120 dB down above."""
    taps = scipy.signal.firwin(2 * _MARGIN + 1, 0.825, window=("kaiser", 12.3), fs=RATE_HZ)
    impulse = np.zeros(_FRAME)
    impulse[: _MARGIN + 1], impulse[-_MARGIN:] = taps[_MARGIN:], taps[:_MARGIN]
    band = scipy.fft.rfft(impulse).real * _RATIO
    return np.asarray(band[: _FRAME // _RATIO // 2 + 1].astype(np.float32))
