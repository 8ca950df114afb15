"""
One block of a gravimeter: what is left of gravity, and the spectra of it.

::

    samples ─► nm/s², ground's time ─► less tide and ocean ─► less pressure ─┬─► windows ─► levels
               (by metadata's epochs)            │                           ├─► days, runs ─► spectra
                                                 └─► recorded over computed tide: is the factor right?
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.archive.grid import DAY_NS, DayGrid
from pipeline.archive.records import ground_times_s, read_record
from pipeline.archive.stations import ChannelEpoch, Stations
from pipeline.errors import ConfigError, ResponseError
from pipeline.keys import Stream
from pipeline.noise.gravimeter_response import GravityResponse, hpa_per_count
from pipeline.noise.gravity_days import GravityDays, gravity_days
from pipeline.noise.loading import ocean_loading
from pipeline.noise.periods import response_db
from pipeline.noise.pressure import at_times, fit_admittance, mend_pressure, without_pressure
from pipeline.noise.psd import window_levels
from pipeline.noise.tide import gravity_tide
from pipeline.noise.tide_factor import TideFactor, tide_factor
from pipeline.signal.precision import FloatArray, IndexArray
from workflows.noise.arrays import StreamArrays
from workflows.noise.blocks import BlockArchive, DayLevels, describe_day, whole_windows

__all__ = ["Barometer", "GravityBlock", "measure_gravity"]

_NO_TIDE = TideFactor(float("nan"), float("nan"), float("nan"), 0.0)
_NO_PRESSURE = 'no pressure, though other days of the block have it; admittance = "none" does without'
_NM = 180.0
"""dB from (nm/s²)² to (m/s²)²."""


@dataclass(frozen=True, slots=True)
class Barometer:
    """The pressure of a gravimeter's station, and what is known of its channel."""

    stream: Stream
    grid: DayGrid
    epochs: tuple[ChannelEpoch, ...]


@dataclass(frozen=True, slots=True)
class GravityBlock:
    """
    What a block of a gravimeter leaves behind.

    Parameters
    ----------
    days : list of DayLevels
    spectra : GravityDays
        Of all days of the block.
    tides : list of TideFactor
        Of the run that starts on each day; NaN where it can't be told.
    """

    days: list[DayLevels]
    spectra: GravityDays
    tides: list[TideFactor]


@dataclass(frozen=True, slots=True, eq=False)
class _Span:
    """Gravity of a span of days: as recorded (nm/s²), its tide, and what is left of it."""

    first_day: int
    gravity: FloatArray
    tide: FloatArray
    residual: FloatArray
    gains: list[tuple[int, int, GravityResponse]]
    reasons: list[str]
    notes: list[str]


def measure_gravity(
    archive: BlockArchive, arrays: StreamArrays, stations: Stations, barometer: Barometer | None
) -> GravityBlock:
    """
    Measure a block.

    Parameters
    ----------
    archive : BlockArchive
    arrays : StreamArrays
    stations : Stations
        With the epochs of the gravimeter, and the place of its station.
    barometer : Barometer or None
        Without one, gravity keeps what air does to it.

    Returns
    -------
    GravityBlock
    """
    n, options = arrays.grid.samples_per_day, arrays.config.gravity
    days = range(archive.first_day, archive.first_day + archive.count)
    there = [row.day for row in archive.days()]
    # A run may begin before the first sample, and says little then.
    begin, stop = min(there), max(there) + 1
    length = max(options.run_days, -(-arrays.windows.length // n) + 1)
    span = _read_span(archive, arrays, stations, barometer, range(begin, stop + length - 1))
    spectra = gravity_days(span.residual, n, stop - begin, run_days=options.run_days, degree=options.degree)
    tides = [_factor(span, slice(day * n, (day + options.run_days) * n), n) for day in range(stop - begin)]
    before, after = begin - days.start, days.stop - stop
    return GravityBlock(
        list(_day_levels(archive, arrays, span)),
        _padded(_without_gains(spectra, arrays, span), before, after),
        [_NO_TIDE] * before + tides + [_NO_TIDE] * after,
    )


def _read_span(
    archive: BlockArchive,
    arrays: StreamArrays,
    stations: Stations,
    barometer: Barometer | None,
    days: range,
) -> _Span:
    """Read days, and free them of what is known."""
    n = arrays.grid.samples_per_day
    first, stop = days.start * n, days.stop * n
    record = read_record(archive.archive, arrays.stream, arrays.grid, first, stop)
    times_s = ground_times_s(archive.archive, arrays.stream, arrays.grid, 0, first, stop)
    recorded = np.where(record.missing[0], np.nan, record.samples[0].astype(np.float64))
    gravity = np.full(recorded.shape, np.nan)
    tide, loading = np.zeros(recorded.shape), np.zeros(recorded.shape)
    settings = arrays.config.gravimeter(str(arrays.stream))
    gains: list[tuple[int, int, GravityResponse]] = []
    reasons: list[str] = []
    for low, high, epoch in _epochs(stations, arrays.stream, arrays.grid, first, stop):
        at = slice(low - first, high - first)
        if not np.isfinite(recorded[at]).any():
            continue
        try:
            gain = _gain(epoch, settings.unit)
            ground_s = times_s[at] - gain.delay_s
            if settings.tide == "solid":
                tide[at] = _tide(stations, arrays.stream, low * DAY_NS // n, ground_s)
        except ResponseError as error:
            reasons.append(str(error))
            continue
        gains.append((low - first, high - first, gain))
        gravity[at] = recorded[at] * gain.factor_nm_s2
        if settings.loading:
            loading[at] = ocean_loading(ground_s, settings.loading)
    left, notes = _less_pressure(gravity - tide - loading, archive, arrays, barometer, times_s, days)
    return _Span(days.start, gravity, tide, left, gains, reasons, notes)


def _epochs(
    stations: Stations, stream: Stream, grid: DayGrid, first: int, stop: int
) -> Iterator[tuple[int, int, ChannelEpoch | None]]:
    channel = stream.channel(stream.code)
    n = grid.samples_per_day
    for start_ns, end_ns, epoch in stations.spans(channel, first * DAY_NS // n, stop * DAY_NS // n):
        edges = {start_ns, end_ns}
        if epoch is None:  # its station says where it stands, which may have moved
            for place in stations.places.get((stream.network, stream.station), ()):
                moved_ns = (place.start_ns, start_ns if place.end_ns is None else place.end_ns)
                edges.update(edge for edge in moved_ns if start_ns < edge < end_ns)
        for begin_ns, stop_ns in pairwise(sorted(edges)):
            low, high = grid.index_at_or_after(begin_ns), grid.index_at_or_after(stop_ns)
            if high > low:
                yield max(low, first), min(high, stop), epoch


def _gain(epoch: ChannelEpoch | None, unit: str | None) -> GravityResponse:
    if epoch is not None and epoch.response is not None:
        return GravityResponse.of(epoch.response)
    if unit is not None:
        return GravityResponse.of_unit(unit)
    lacks = "no metadata epoch holds" if epoch is None else "its metadata have no response"
    raise ResponseError(f"{lacks}, and no unit is given: say unit under [[gravimeters]]")


def _tide(stations: Stations, stream: Stream, time_ns: int, ground_s: FloatArray) -> FloatArray:
    place = stations.place(stream.channel(stream.code), time_ns)
    if place is None:
        raise ResponseError("no metadata say where it stands, which its tide depends on")
    return gravity_tide(
        ground_s,
        latitude_deg=place.latitude_deg,
        longitude_deg=place.longitude_deg,
        height_m=place.elevation_m,
    )


def _less_pressure(
    gravity: FloatArray,
    archive: BlockArchive,
    arrays: StreamArrays,
    barometer: Barometer | None,
    times_s: FloatArray,
    days: range,
) -> tuple[FloatArray, list[str]]:
    """Take out what air does, where its pressure is known."""
    settings = arrays.config.gravimeter(str(arrays.stream))
    kind = settings.admittance or arrays.config.gravity.admittance
    if kind == "none":
        return gravity, []
    if barometer is None:
        return gravity, ["no barometer: gravity keeps what air does to it"]
    pressure_hpa, reason = _pressure(archive, barometer, days)
    mended = mend_pressure(pressure_hpa, barometer.grid.rate_hz).pressure_hpa
    own = (archive.first_day + archive.count - days.start) * barometer.grid.samples_per_day
    # What comes after the block only says how it goes on.
    if not np.isfinite(mended[:own]).any():
        reason = reason if np.isfinite(pressure_hpa[:own]).any() else "no pressure"
        return gravity, [f"{barometer.stream}: {reason}: gravity keeps what air does to it"]
    first = days.start * barometer.grid.samples_per_day
    pressure_s = ground_times_s(
        archive.archive, barometer.stream, barometer.grid, 0, first, first + len(mended)
    )
    at = at_times(times_s, pressure_s, mended)
    admittance, notes = arrays.config.gravity.admittance_nm_s2_hpa, []
    if kind == "fitted":
        shape = (len(days), arrays.grid.samples_per_day)
        try:
            fitted = fit_admittance(gravity.reshape(shape), at.reshape(shape))
        except ConfigError as error:
            notes = [f"{error}: {admittance:g} nm/s²/hPa are taken"]
        else:
            admittance = fitted.admittance_nm_s2_hpa
            notes = [f"admittance {admittance:.2f} ± {fitted.error_nm_s2_hpa:.2f} nm/s²/hPa"]
    return without_pressure(gravity, at, admittance), notes


def _pressure(archive: BlockArchive, barometer: Barometer, days: range) -> tuple[FloatArray, str]:
    """Return pressure in hPa, NaN where missing, and what is to be said where none of it is possible."""
    n = barometer.grid.samples_per_day
    first, stop = days.start * n, days.stop * n
    record = read_record(archive.archive, barometer.stream, barometer.grid, first, stop)
    samples = np.where(record.missing[0], np.nan, record.samples[0].astype(np.float64))
    if not np.isfinite(samples).any():
        return samples, "no pressure"
    known = Stations(barometer.epochs)
    for low, high, epoch in _epochs(known, barometer.stream, barometer.grid, first, stop):
        try:
            factor = hpa_per_count(epoch.response) if epoch is not None and epoch.response else 1.0
        except ResponseError as error:
            return np.full(samples.shape, np.nan), str(error)
        samples[low - first : high - first] *= factor
    middle = float(np.nanmedian(samples))
    return samples, f"a pressure of {middle:,.6g} hPa is none of air"


def _factor(span: _Span, at: slice, samples_per_day: int) -> TideFactor:
    gravity, tide = span.gravity[at], span.tide[at]
    if not np.isfinite(gravity).any() or not tide.any():
        return _NO_TIDE
    return tide_factor(gravity, tide, samples_per_day / 86_400)


def _padded(spectra: GravityDays, before: int, after: int) -> GravityDays:
    """Add days without a sample at either end."""
    padded = []
    for name, values in zip(spectra._fields, spectra, strict=True):
        width = [(before, after), *[(0, 0)] * (values.ndim - 1)]
        nothing = 0.0 if name in ("present", "run_present") else np.nan
        padded.append(np.pad(values, width, constant_values=nothing))
    return GravityDays(*padded)


def _without_gains(spectra: GravityDays, arrays: StreamArrays, span: _Span) -> GravityDays:
    """Take out what a response that is not flat does to each day's and run's spectrum."""
    if all(gain.response is None for _, _, gain in span.gains):
        return spectra
    n, days = arrays.grid.samples_per_day, len(spectra.present)
    day_psd, run_psd = spectra.day_psd.copy(), spectra.run_psd.copy()
    day_hz = np.array(arrays.gravity["day_psd"].after[0].values, dtype=np.float64)
    run_hz = np.array(arrays.gravity["run_psd"].after[0].values, dtype=np.float64)
    for low, high, gain in span.gains:
        first, last = -(-low // n), min(-(-high // n), days)
        day_psd[first:last] /= np.abs(gain.relative(day_hz)).astype(np.float32) ** 2
        run_psd[first:last] /= np.abs(gain.relative(run_hz)).astype(np.float32) ** 2
    return spectra._replace(day_psd=day_psd, run_psd=run_psd)


def _day_levels(archive: BlockArchive, arrays: StreamArrays, span: _Span) -> Iterator[DayLevels]:
    """Measure the windows of what is left, day by day."""
    windows, n = arrays.windows, arrays.grid.samples_per_day
    for row in archive.days():
        offset = (row.day - span.first_day) * n
        stop = offset + sum(windows.span(row.day * n, (row.day + 1) * n)) - row.day * n
        residual = span.residual[offset : max(stop, offset + n)]
        missing = ~np.isfinite(residual)
        levels = window_levels(
            np.where(missing, 0.0, residual),
            first=row.day * n,
            missing=missing,
            windows=windows,
            bins=arrays.bins,
            share=arrays.window_config.share,
            device=arrays.config.device,
        )
        begin = levels.starts - span.first_day * n
        found = (levels.level_db - _gain_db(arrays, span, begin)).astype(np.float32)[np.newaxis]
        record = read_record(archive.archive, arrays.stream, arrays.grid, row.day * n, (row.day + 1) * n)
        quality = describe_day(arrays.stream, row, record, n)
        silent = not np.isfinite(span.gravity[offset : offset + n]).any()
        airless = not silent and not np.isfinite(span.residual[offset : offset + n]).any()
        reasons = span.reasons if silent else [_NO_PRESSURE] if airless else []
        yield DayLevels(
            row, found, whole_windows(levels, found), quality, [f"{each}" for each in reasons], span.notes
        )


def _gain_db(arrays: StreamArrays, span: _Span, begin: IndexArray) -> FloatArray:
    """Return what levels of nm/s² have more than those of m/s²; NaN where the response changes within."""
    shape = (len(begin), len(arrays.bins.centre_s))
    at_start, at_end = np.full(shape, np.nan), np.full(shape, np.nan)
    end = begin + arrays.windows.length - 1
    for low, high, gain in span.gains:
        relative_db = np.zeros(shape[1])
        if gain.response is not None:
            relative_db = response_db(arrays.bins, gain.relative(arrays.windows.frequencies_hz))
        at_start[(low <= begin) & (begin < high)] = relative_db + _NM
        at_end[(low <= end) & (end < high)] = relative_db + _NM
    # A window that lacks its start or its end has the response of what is there.
    at_start = np.where(np.isnan(at_start).all(axis=1, keepdims=True), at_end, at_start)
    at_end = np.where(np.isnan(at_end).all(axis=1, keepdims=True), at_start, at_end)
    return np.where(np.isclose(at_start, at_end, rtol=0.0, atol=1e-3), at_start, np.nan)
