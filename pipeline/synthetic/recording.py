"""
Recording: what a station would have written on one day, and what is true of it.

::

    ground noise ─┐
    landslides ───┼─ sensor ─ digitizer ─ counts ─ faults ─ traces
    transients ───┤                         │
    earthquakes ──┘                         └ arrivals, amplitudes, SNR
          └ local magnitudes

An earthquake is made whole, with all of its coda, by each day that it reaches, so that no day depends on
another. Numbers are added in one order: noise, landslides, transients, then earthquakes by time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.keys import Channel
from pipeline.synthetic.ambient import Transfer, ambient_noise
from pipeline.synthetic.catalog import Catalog
from pipeline.synthetic.earth import Earth, Site, default_crust
from pipeline.synthetic.faults import Trace, apply_faults
from pipeline.synthetic.instruments import Sensor
from pipeline.synthetic.landslide import ground_velocity
from pipeline.synthetic.layout import Station
from pipeline.synthetic.local_magnitude import zero_to_peak_mm
from pipeline.synthetic.neighbourhood import ambient_at, landslides_at, surroundings_at
from pipeline.synthetic.scenario import Scenario
from pipeline.synthetic.seismogram import Seismogram, synthesize
from pipeline.synthetic.slowness import random_field
from pipeline.synthetic.source import Earthquake
from pipeline.synthetic.transient_shapes import Transient
from pipeline.synthetic.transients import list_transients, waveform

__all__ = ["Onset", "Recording", "StationAmplitude", "record_day", "record_span"]

_LONGEST_CODA_NS = 1800 * 10**9
_BEFORE_S, _AFTER_S = 5.0, 1.0
_WARM_UP_S = 4.0
_MARGIN_S = _BEFORE_S + _WARM_UP_S + 1.0
_BAND_HZ = (1.0, 20.0)
_RESPONSE_TAIL_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Onset:
    """
    A true P or S at a station, and how well it can be seen.

    ``amplitude_m_s`` is the peak in the second after, of the record's ground velocity from 1 to 20 Hz (the
    vertical for P, the larger horizontal for S); ``snr`` is that over the RMS of the 5 s before.
    """

    event_id: str
    phase: str
    time_ns: int
    distance_km: float
    azimuth_deg: float
    amplitude_m_s: float
    snr: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StationAmplitude:
    """Wood–Anderson amplitude of an event without noise, zero to peak of the horizontals, in mm."""

    event_id: str
    amplitude_mm: float
    hypocentral_km: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recording:
    """
    A station-day: traces with all their faults, and what is true of it.

    Onsets and transients that begin in it, and amplitudes of the events whose P lies in it.
    """

    traces: list[Trace]
    onsets: list[Onset]
    amplitudes: list[StationAmplitude]
    transients: list[Transient]


def record_day(scenario: Scenario, station: Station, day: int) -> Recording:
    """
    Make one station-day.

    Parameters
    ----------
    scenario : Scenario
    station : Station
        One of the scenario's.
    day : int
        Days since 1970.

    Returns
    -------
    Recording
        Cut to the span of the scenario.
    """
    low_ns = max(day * DAY_NS, scenario.config.start_ns)
    high_ns = min((day + 1) * DAY_NS, scenario.config.stop_ns)
    return record_span(scenario, station, low_ns, high_ns)


def record_span(scenario: Scenario, station: Station, low_ns: int, high_ns: int) -> Recording:
    """Make a station's record from a time up to another; the same however it is cut, but for its faults."""
    (sensor,) = station.sensors
    rate = sensor.rate_hz
    first, stop = _sample(low_ns, rate), _sample(high_ns, rate)
    margin = round(_MARGIN_S * rate)
    counts = _noise_counts(scenario, station, sensor, first - margin, stop + margin)
    transients = _add_disturbances(counts, scenario, station, sensor, first - margin)
    onsets, amplitudes = [], []
    for made in _seismograms(scenario, station, low_ns, high_ns):
        _add(counts, _to_counts(made.data, sensor), made.first - (first - margin))
        for phase, time_ns in (("P", made.p_ns), ("S", made.s_ns)):
            if low_ns <= time_ns < high_ns:
                onsets.append((made, phase, time_ns))
        if low_ns <= made.p_ns < high_ns:
            amplitudes.append(_wood_anderson(made))
    velocity = counts / np.float32(sensor.instrument.sensitivity)
    seen = [_measure(*each, velocity, first - margin, rate) for each in onsets]
    return Recording(
        traces=_traces(scenario, station, sensor, counts[:, margin:-margin], low_ns),
        onsets=sorted(seen, key=lambda onset: (onset.time_ns, onset.event_id)),
        amplitudes=amplitudes,
        transients=[one for one in transients if low_ns <= one.start_ns < high_ns],
    )


def _sample(time_ns: int, rate_hz: float) -> int:
    """Return the first sample at or after a time."""
    return -(-time_ns * round(rate_hz * 1000) // 10**12)


def _traces(
    scenario: Scenario, station: Station, sensor: Sensor, counts: NDArray[np.float32], start_ns: int
) -> list[Trace]:
    most = sensor.instrument.clip_counts
    samples = np.clip(np.rint(counts), -most, most).astype(np.int32)
    clean = [
        Trace(
            channel=Channel(station.network, station.name, sensor.location, code),
            samples=row,
            start_ns=start_ns,
            rate_hz=sensor.rate_hz,
        )
        for (code, _, _), row in zip(sensor.channels, samples, strict=True)
    ]
    return apply_faults(clean, scenario.faults, seed=scenario.config.seed)


def _noise_counts(
    scenario: Scenario, station: Station, sensor: Sensor, first: int, stop: int
) -> NDArray[np.float32]:
    """Return noise as the sensor gives it, in counts, of its own components."""
    transfer = dict.fromkeys("ZNE", _from_acceleration(sensor))
    noise = ambient_noise(ambient_at(scenario, station), first, stop, transfer=transfer)
    return _turn(noise, sensor)


def _turn(motion: NDArray[np.float32], sensor: Sensor) -> NDArray[np.float32]:
    """Return up, north and east as the sensor stands."""
    rotation = sensor.rotation.astype(np.float32)
    if rotation[1, 1] == 1:
        return motion
    # Not as a product of matrices, whose last bits depend on how many columns there are.
    turned = [motion[0], *(row[1] * motion[1] + row[2] * motion[2] for row in rotation[1:])]
    return np.stack(turned)


def _from_acceleration(sensor: Sensor) -> Transfer:
    def transfer(frequency_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        return sensor.instrument.response(frequency_hz) / (2j * np.pi * frequency_hz)

    return transfer


def _add_disturbances(
    counts: NDArray[np.float32], scenario: Scenario, station: Station, sensor: Sensor, first: int
) -> tuple[Transient, ...]:
    """Add landslides and what is neither noise nor an earthquake; return the latter."""
    stop = first + counts.shape[1]
    gain = np.float32(sensor.instrument.sensitivity)
    for slide, seen in landslides_at(scenario, station):
        motion = ground_velocity(
            slide, seen, seed=scenario.config.seed, rate_hz=sensor.rate_hz, first_sample=first, stop=stop
        )
        counts += _turn(motion * gain, sensor)
    place = surroundings_at(scenario, station)
    rate = round(sensor.rate_hz)
    found = list_transients(place, first * 10**9 // rate, stop * 10**9 // rate)
    for one in found:
        begin, motion = waveform(one, rate_hz=rate)
        # Already what the sensor says: spikes and calibrations never were ground motion.
        _add(counts, motion * gain, begin - first)
    return found


@lru_cache(maxsize=4)
def _earth(seed: int, latitude: float, longitude: float) -> Earth:
    return Earth(
        layers=default_crust(),
        centre_latitude=latitude,
        centre_longitude=longitude,
        field=random_field(seed),
    )


def _seismograms(scenario: Scenario, station: Station, low_ns: int, high_ns: int) -> Iterator[Seismogram]:
    """Make the events that reach a span, by time."""
    config = scenario.config
    earth = _earth(config.seed, config.region.latitude, config.region.longitude)
    site = Site(
        name=station.name,
        latitude=station.latitude,
        longitude=station.longitude,
        elevation_m=station.elevation_m,
        kappa_s=station.site.kappa_s,
        amplification_hz=station.site.amplification_hz,
        amplification=station.site.amplification,
        delay_p_s=station.site.delay_p_s,
        delay_s_s=station.site.delay_s_s,
    )
    margin_ns = round(_MARGIN_S * 1e9)
    catalog = scenario.catalog.between(low_ns - _LONGEST_CODA_NS, high_ns + margin_ns)
    for index in range(len(catalog)):
        yield synthesize(
            _event(catalog, index), site, earth, rate_hz=station.sensors[0].rate_hz, seed=config.seed
        )


def _event(catalog: Catalog, index: int) -> Earthquake:
    return Earthquake(
        event_id=str(catalog.event_id[index]),
        origin_ns=int(catalog.origin_ns[index]),
        latitude=float(catalog.latitude[index]),
        longitude=float(catalog.longitude[index]),
        depth_km=float(catalog.depth_km[index]),
        mw=float(catalog.mw[index]),
        stress_drop_mpa=float(catalog.stress_drop_mpa[index]),
        strike_deg=float(catalog.strike_deg[index]),
        dip_deg=float(catalog.dip_deg[index]),
        rake_deg=float(catalog.rake_deg[index]),
    )


def _to_counts(velocity_m_s: NDArray[np.float32], sensor: Sensor) -> NDArray[np.float32]:
    """Put ground velocity through the sensor; what rings on after the end is kept for a minute."""
    rate = sensor.rate_hz
    length = velocity_m_s.shape[1] + round(_RESPONSE_TAIL_S * rate)
    size = scipy.fft.next_fast_len(length, real=True)
    spectrum = scipy.fft.rfft(velocity_m_s, size, axis=1)
    spectrum *= sensor.instrument.response(scipy.fft.rfftfreq(size, 1 / rate)).astype(np.complex64)
    return _turn(scipy.fft.irfft(spectrum, size, axis=1)[:, :length], sensor)


def _add(counts: NDArray[np.float32], more: NDArray[np.float32], at: int) -> None:
    begin, end = max(at, 0), min(at + more.shape[1], counts.shape[1])
    if begin < end:
        counts[:, begin:end] += more[:, begin - at : end - at]


def _wood_anderson(made: Seismogram) -> StationAmplitude:
    mm = zero_to_peak_mm(made.data, made.rate_hz)
    return StationAmplitude(event_id=made.event_id, amplitude_mm=mm, hypocentral_km=made.hypocentral_km)


@lru_cache(maxsize=8)
def _band(rate_hz: float) -> NDArray[np.float64]:
    high = min(_BAND_HZ[1], 0.45 * rate_hz)
    return np.asarray(scipy.signal.butter(4, (_BAND_HZ[0], high), btype="bandpass", fs=rate_hz, output="sos"))


def _measure(
    made: Seismogram,
    phase: str,
    time_ns: int,
    velocity: NDArray[np.float32],
    first: int,
    rate_hz: float,
) -> Onset:
    """Measure an onset in the record, of which the first sample is given."""
    onset = _sample(time_ns, rate_hz) - first
    begin = onset - round((_BEFORE_S + _WARM_UP_S) * rate_hz)
    before = onset - begin - round(_BEFORE_S * rate_hz)
    rows = velocity[:1] if phase == "P" else velocity[1:]
    window = rows[:, begin : onset + round(_AFTER_S * rate_hz)].astype(np.float64)
    seen = scipy.signal.sosfilt(_band(rate_hz), window - window[:, :1], axis=1)
    peaks = np.abs(seen[:, onset - begin :]).max(axis=1)
    noise = np.sqrt((seen[:, before : onset - begin] ** 2).mean(axis=1))
    best = int(peaks.argmax())
    return Onset(
        event_id=made.event_id,
        phase=phase,
        time_ns=time_ns,
        distance_km=made.distance_km,
        azimuth_deg=made.azimuth_deg,
        amplitude_m_s=float(peaks[best]),
        snr=float(peaks[best] / noise[best]),
    )
