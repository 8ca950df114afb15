"""
Recording: what a station would have written on one day, and what is true of it.

::

    ground noise ─┐
    landslides ───┼─ sensor ─ digitizer ─ counts ─ leap seconds, faults ─ traces
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
import scipy.signal
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.keys import Channel
from pipeline.synthetic.earth.model import Earth, Site, default_crust
from pipeline.synthetic.earth.slowness import random_field
from pipeline.synthetic.earthquakes.catalog import Catalog
from pipeline.synthetic.earthquakes.local_magnitude import zero_to_peak_mm
from pipeline.synthetic.earthquakes.seismogram import Seismogram, synthesize
from pipeline.synthetic.earthquakes.source import Earthquake
from pipeline.synthetic.faults.leap_second import with_leap_seconds
from pipeline.synthetic.faults.spoiling import Trace, apply_faults
from pipeline.synthetic.ground.ambient import RATE_HZ, ambient_noise
from pipeline.synthetic.ground.landslide import ground_velocity
from pipeline.synthetic.ground.transient_shapes import INSTRUMENTAL
from pipeline.synthetic.ground.transients import list_transients, waveform
from pipeline.synthetic.instruments import Sensor
from pipeline.synthetic.layout import Station
from pipeline.synthetic.records.neighbourhood import ambient_at, landslides_at, surroundings_at
from pipeline.synthetic.records.sensing import (
    RESPONSE_TAIL_S,
    decimate,
    decimation_reach,
    to_counts,
    transfer_of,
    turn,
)
from pipeline.synthetic.scenario import Scenario

__all__ = ["Onset", "Recording", "StationAmplitude", "record_day", "record_span"]

_LONGEST_CODA_NS = 1800 * 10**9
_BEFORE_S, _AFTER_S = 5.0, 1.0
_WARM_UP_S = 4.0
_MARGIN_S = _BEFORE_S + _WARM_UP_S + 1.0
_BAND_HZ = (1.0, 20.0)


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

    Onsets that lie in it, and amplitudes of the events whose P does.
    """

    traces: list[Trace]
    onsets: list[Onset]
    amplitudes: list[StationAmplitude]


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
    parts = []
    for sensor in station.sensors:
        begin_ns, end_ns = max(low_ns, sensor.start_ns), min(high_ns, sensor.end_ns or high_ns)
        if begin_ns < end_ns:
            parts.append(_record_by(sensor, scenario, station, begin_ns, end_ns))
    clean = [trace for part in parts for trace in part.traces]
    return Recording(
        traces=apply_faults(clean, scenario.faults, seed=scenario.config.seed),
        onsets=[onset for part in parts for onset in part.onsets],
        amplitudes=[amplitude for part in parts for amplitude in part.amplitudes],
    )


def _record_by(sensor: Sensor, scenario: Scenario, station: Station, low_ns: int, high_ns: int) -> Recording:
    """Make the clean record of one sensor."""
    rate = sensor.rate_hz
    first, stop = _sample(low_ns, rate), _sample(high_ns, rate)
    margin = round(_MARGIN_S * rate)
    counts = _background(scenario, station, sensor, first - margin, stop + margin)
    onsets, amplitudes = [], []
    for made in _seismograms(scenario, station, low_ns, high_ns):
        _add(counts, to_counts(made.data, sensor, rate_hz=rate), made.first - (first - margin))
        for phase, time_ns in (("P", made.p_ns), ("S", made.s_ns)):
            if low_ns <= time_ns < high_ns:
                onsets.append((made, phase, time_ns))
        if low_ns <= made.p_ns < high_ns:
            amplitudes.append(_wood_anderson(made))
    velocity = counts / np.float32(sensor.instrument.sensitivity)
    seen = [_measure(*each, velocity, first - margin, rate) for each in onsets]
    return Recording(
        traces=_traces(scenario, station, sensor, counts, first, margin),
        onsets=sorted(seen, key=lambda onset: (onset.time_ns, onset.event_id)),
        amplitudes=amplitudes,
    )


def _sample(time_ns: int, rate_hz: float) -> int:
    """Return the first sample at or after a time."""
    return -(-time_ns * round(rate_hz * 1000) // 10**12)


def _traces(
    scenario: Scenario,
    station: Station,
    sensor: Sensor,
    counts: NDArray[np.float32],
    first: int,
    margin: int,
) -> list[Trace]:
    """Cut off the margins, of which the leap seconds need what comes after."""
    most = sensor.instrument.clip_counts
    samples = np.clip(np.rint(counts), -most, most).astype(np.int32)
    traces = []
    for (code, _, _), row in zip(sensor.channels, samples, strict=True):
        trace = Trace(
            channel=Channel(station.network, station.name, sensor.location, code),
            samples=row[margin:-margin],
            start_ns=first * 10**12 // round(sensor.rate_hz * 1000),
            rate_hz=sensor.rate_hz,
        )
        traces += with_leap_seconds(trace, scenario.faults, row[-margin:])
    return traces


def _background(
    scenario: Scenario, station: Station, sensor: Sensor, first: int, stop: int
) -> NDArray[np.float32]:
    """Return what there is beside earthquakes, in counts of the sensor's components: made at 100 Hz."""
    factor = round(RATE_HZ / sensor.rate_hz)
    reach = decimation_reach(factor)
    fine_first, fine_stop = first * factor - reach, stop * factor + reach
    transfer = dict.fromkeys("ZNE", transfer_of(sensor))
    noise = ambient_noise(ambient_at(scenario, station), fine_first, fine_stop, transfer=transfer)
    counts = turn(noise, sensor)
    _add_disturbances(counts, scenario, station, sensor, fine_first)
    return decimate(counts, factor)


def _add_disturbances(
    counts: NDArray[np.float32], scenario: Scenario, station: Station, sensor: Sensor, first: int
) -> None:
    """Add landslides and what is neither noise nor an earthquake."""
    stop = first + counts.shape[1]
    gain = np.float32(sensor.instrument.sensitivity)
    for slide, seen in landslides_at(scenario, station):
        motion = ground_velocity(
            slide, seen, seed=scenario.config.seed, rate_hz=RATE_HZ, first_sample=first, stop=stop
        )
        counts += turn(motion * gain, sensor)
    place = surroundings_at(scenario, station)
    ringing_s = round(RESPONSE_TAIL_S)
    low_ns, high_ns = (sample * 10**9 // RATE_HZ for sample in (first - ringing_s * RATE_HZ, stop))
    for one in list_transients(place, low_ns, high_ns):
        begin, motion = waveform(one, rate_hz=RATE_HZ)
        # Spikes and calibrations never were ground motion.
        seen_counts = (
            motion * gain if one.kind in INSTRUMENTAL else to_counts(motion, sensor, rate_hz=RATE_HZ)
        )
        _add(counts, seen_counts, begin - first)


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
