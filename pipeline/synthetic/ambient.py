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

The regional field comes from fixed directions as Rayleigh and Love waves. Each wave's noise is also blended
from the corners of a lattice, so that stations further apart than a cell or two share nothing.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator, white_noise
from pipeline.synthetic.spectra import Climate, FloatArray, Part, StationSpectrum

__all__ = ["RATE_HZ", "SLOW_RATE_HZ", "Ambient", "Transfer", "ambient_noise", "designed_power", "slow_noise"]

Record: TypeAlias = NDArray[np.float32]
Spectrum: TypeAlias = NDArray[np.complex64]
Transfer: TypeAlias = Callable[[FloatArray], ArrayLike]

RATE_HZ: Final = 100
SLOW_RATE_HZ: Final = 2
_RATIO: Final = RATE_HZ // SLOW_RATE_HZ
_HOUR_S: Final = 3600
_HOUR: Final = _HOUR_S * RATE_HZ

# 100 Hz: frames of 480 s on 450 s, filters of 30 s. The lower rate is 960 samples of such a frame.
_FRAME: Final = 48_000
_STEP: Final = 45_000
_MARGIN: Final = (_FRAME - _STEP) // 2
_FRAMES: Final = _HOUR // _STEP
# 2 Hz: frames of two hours on one; the waves' filters take 10 minutes and the others 20 of the half hour.
_SLOW_FRAME: Final = 14_400
_SLOW_HOUR: Final = _HOUR_S * SLOW_RATE_HZ
_SLOW_MARGIN: Final = (_SLOW_FRAME - _SLOW_HOUR) // 2
_WAVE_TAPS: Final = 2 * 600 * SLOW_RATE_HZ
_SLOW_TAPS: Final = 2 * 1200 * SLOW_RATE_HZ
_TAPS: Final = 2 * _MARGIN
_CROSSOVER_HZ: Final = (0.35, 0.65)

_CELL_KM: Final = 150.0
_WAVES: Final = 6
_ELLIPTICITY: Final = 0.7  # horizontal to vertical of a Rayleigh wave
_LOVE_SHARE: Final = 0.4  # of the power of the horizontals
_REFERENCE_KM_S: Final = 3.1


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
    """

    seed: int
    station: str
    spectra: Mapping[str, StationSpectrum]
    east_km: float = 0.0
    north_km: float = 0.0
    climate: Climate | None = None

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
    begin = math.floor(time_s / _HOUR_S) * _HOUR_S
    before, after = (
        np.sqrt(sum(power * site.factors(at)[name] for name, power in parts.items()))
        for at in (begin, begin + _HOUR_S)
    )
    return np.asarray((before + (time_s - begin) / _HOUR_S * (after - before)) ** 2)


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
    hours = range(first // _SLOW_HOUR, -(-stop // _SLOW_HOUR))
    out = np.empty((len(components), len(hours) * _SLOW_HOUR), dtype=np.float32)
    fields = _field(site, components, hours)
    for row, name in enumerate(components):
        shared, own = (
            _Voice(site, name, (transfer or {}).get(name), fast=False, coherent=coherent)
            for coherent in (True, False)
        )
        white = _slow_white(site.seed, ("ambient", site.station, name, "slow"), hours)
        for column, hour in enumerate(hours):
            noise = _slow_transform(white, column)
            now = fields[row][column] * shared.at(hour) + noise * own.at(hour)
            change = None
            if own.changes:
                change = fields[row][column] * shared.change(hour) + noise * own.change(hour)
            made = _back(now, change, _SLOW_FRAME, _SLOW_MARGIN, _SLOW_HOUR, 0.0, 1.0)
            out[row, column * _SLOW_HOUR : (column + 1) * _SLOW_HOUR] = made
    begin = hours[0] * _SLOW_HOUR if hours else first
    return out[:, first - begin : stop - begin]


class _Voice:
    """The filter of one component, at each hour and as it changes to the next."""

    def __init__(
        self, site: Ambient, name: str, transfer: Transfer | None, *, fast: bool, coherent: bool | None = None
    ) -> None:
        self._factors = site.factors
        self.changes = site.climate is not None
        self._frame = _FRAME if fast else _SLOW_FRAME
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
        factors = self._factors(hour * _HOUR_S)
        power = sum(factors.get(part, 1.0) * value for part, value in self._parts.items())
        return _filter(np.sqrt(power) * self._gain, self._frame)

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


def _filter(response: NDArray[Any], frame: int) -> Spectrum:
    """Make a finite filter of a response at (1 … n) steps from 0 Hz: the transform of its frame."""
    taps = 2 * response.shape[-1]
    half = scipy.fft.irfft(np.concatenate(([0.0], response)), taps)
    half *= np.cos(np.pi * scipy.fft.fftfreq(taps)) ** 2  # Hann, about time 0
    impulse = np.zeros(frame)
    impulse[: taps // 2], impulse[-taps // 2 :] = half[: taps // 2], half[taps // 2 :]
    return np.asarray(scipy.fft.rfft(impulse).astype(np.complex64))


def _back(
    now: Spectrum, change: Spectrum | None, frame: int, margin: int, keep: int, begin: float, end: float
) -> Record:
    """Go back to time through both filters; ``begin`` and ``end`` say which part of the hour this is."""
    made: Record = scipy.fft.irfft(now, frame)[margin : margin + keep]
    if change is not None:
        ramp = (begin + (end - begin) / keep * np.arange(keep)).astype(np.float32)
        made = made + ramp * scipy.fft.irfft(change, frame)[margin : margin + keep]
    return made


def _fast_frame(voice: _Voice, frame: int, white: Record, slow: Record) -> Record:
    hour, part = divmod(frame, _FRAMES)
    noise = scipy.fft.rfft(white)
    now = noise * voice.at(hour)
    band = _interpolator()
    now[: band.size] += scipy.fft.rfft(slow)[: band.size] * band
    change = noise * voice.change(hour) if voice.changes else None
    return _back(now, change, _FRAME, _MARGIN, _STEP, part / _FRAMES, (part + 1) / _FRAMES)


def _hourly_white(site: Ambient, name: str, frames: range) -> itertools.chain[Record]:
    """Draw the white noise of frames, an hour of them at a time: draws come cheaper in long pieces."""

    def hour(start: int) -> list[Record]:
        stop = min(start + _FRAMES, frames.stop)
        begin = start * _STEP - _MARGIN
        drawn = white_noise(site.seed, ("ambient", site.station, name, "fast"), begin, stop * _STEP + _MARGIN)
        return [drawn[(k - start) * _STEP :][:_FRAME] for k in range(start, stop)]

    return itertools.chain.from_iterable(map(hour, range(frames.start, frames.stop, _FRAMES)))


@functools.cache
def _interpolator() -> Record:
    """Return what brings 2 Hz to 100 Hz: the transform of a low pass, up to 1 Hz, 120 dB down above."""
    taps = scipy.signal.firwin(2 * _MARGIN + 1, 0.825, window=("kaiser", 12.3), fs=RATE_HZ)
    impulse = np.zeros(_FRAME)
    impulse[: _MARGIN + 1], impulse[-_MARGIN:] = taps[_MARGIN:], taps[:_MARGIN]
    band = scipy.fft.rfft(impulse).real * _RATIO
    return np.asarray(band[: _FRAME // _RATIO // 2 + 1].astype(np.float32))


def _slow_white(seed: int, key: Sequence[str | int], hours: range, shift: int = 0) -> Record:
    begin = hours.start * _SLOW_HOUR - _SLOW_MARGIN - shift
    return white_noise(seed, key, begin, begin + len(hours) * _SLOW_HOUR + 2 * _SLOW_MARGIN)


def _slow_transform(white: Record, column: int) -> Spectrum:
    # One by one: a batch may round otherwise, and a piece must not depend on how many hours go with it.
    return np.asarray(scipy.fft.rfft(white[column * _SLOW_HOUR :][:_SLOW_FRAME].copy()))


def _field(site: Ambient, components: Sequence[str], hours: range) -> NDArray[np.complex64]:
    """Add up the regional field's waves: transforms of variance 1, shape (components, hours, frequencies)."""
    out = np.zeros((len(components), len(hours), _SLOW_FRAME // 2 + 1), dtype=np.complex64)
    for wave, kind in itertools.product(range(_WAVES), ("rayleigh", "love")):
        rows = [row for row, name in enumerate(components) if not (kind == "love" and name == "Z")]
        if not rows:
            continue
        toward = math.radians(_directions(site.seed)[0][wave])
        distance_km = site.east_km * math.sin(toward) + site.north_km * math.cos(toward)
        shift = round(distance_km / _REFERENCE_KM_S * SLOW_RATE_HZ)
        white = _blended_white(site, ("field", wave, kind), hours, shift)
        delay = _delay(distance_km, shift)
        gains = _polarisation(site.seed, kind)[:, wave]
        turned = {row: delay * np.complex64(gains["ZNE".index(components[row])]) for row in rows}
        for column in range(len(hours)):
            noise = _slow_transform(white, column)
            for row in rows:
                out[row, column] += noise * turned[row]
    return out


def _blended_white(site: Ambient, key: Sequence[str | int], hours: range, shift: int) -> Record:
    """Blend the noise of the four corners of a station's cell, so that the variance stays 1."""
    east, north = site.east_km / _CELL_KM, site.north_km / _CELL_KM
    west, south = math.floor(east), math.floor(north)
    total: Record = np.zeros(len(hours) * _SLOW_HOUR + 2 * _SLOW_MARGIN, dtype=np.float32)
    for x, y in itertools.product((west, west + 1), (south, south + 1)):
        weight = (1 - abs(east - x)) * (1 - abs(north - y))
        if weight > 0:
            total += np.float32(math.sqrt(weight)) * _slow_white(site.seed, (*key, x, y), hours, shift)
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
    return _filter(np.exp(-2j * np.pi * frequency * delay_s), _SLOW_FRAME)
