"""
A gravimeter's day as files: miniSEED for each channel, and the text files in which gravity and pressure meet.

::

    sds/2020/GY/G01/LGZ.D/GY.G01..LGZ.D.2020.015       a channel and day
    gravity/ggp/G01/2020/GY-G01-20200115.ggp           gravity and pressure of a day
    gravity/tsf/G01/2020/GY-G01-20200115.tsf

All hold the same samples. A text file has one value for each second: of samples that compete for it, the
higher quality counts, and what disagrees at equal quality is missing, as in the archive. A clock that is off
by a part of a second is off by none or by one there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS, day_of_number
from pipeline.archive.packing import sds_path
from pipeline.errors import ConfigError
from pipeline.synthetic.faults.spoiling import Trace
from pipeline.synthetic.gravity.gravity_files import GravityFormat, ggp_bytes, tsf_bytes
from pipeline.synthetic.instruments import Sensor
from pipeline.synthetic.layout import Station
from pipeline.synthetic.records.gravity_recording import record_gravity_day
from pipeline.synthetic.records.sds import RANKS, day_files
from pipeline.synthetic.scenario import Scenario, gravity_span

__all__ = ["gravity_day_files", "on_seconds"]

_SECOND_NS = 10**9
_DAY_S = 86_400


def gravity_day_files(scenario: Scenario, station: Station, code: str, day: int) -> dict[str, bytes]:
    """
    Make the files of one day that belong to one channel of a gravimeter.

    Its miniSEED does; the text files, which hold both channels, belong to gravity.

    Parameters
    ----------
    scenario, station : Scenario, Station
    code : str
        Of the channel.
    day : int
        Days since 1970.

    Returns
    -------
    dict of str to bytes
        By path. A file without any sample is not made.
    """
    config = scenario.config
    assert config.gravity is not None
    formats, date = config.gravity.formats, day_of_number(day)
    gravity, pressure = _sensors(station)
    texts = [name for name in formats if name != "mseed"] if code == gravity.code else []
    if not texts and "mseed" not in formats:
        return {}
    codes = {gravity.code, pressure.code} if texts else {code}
    traces = record_gravity_day(scenario, station, codes, day)
    files = {}
    if "mseed" in formats:
        own = [trace for trace in traces if trace.channel.code == code]
        for file in day_files(own, date, seed=config.seed):
            files[f"sds/{sds_path(file.channel, date)}"] = file.data
    if texts and traces:
        first_s, (gravity_counts, pressure_counts) = _one_clock(scenario, (gravity, pressure), traces, day)
        columns = (
            gravity_counts / (gravity.instrument.sensitivity / 1e9),
            pressure_counts / (pressure.instrument.sensitivity * 100.0),
        )
        for name in texts:
            path, data = _text_file(name, station, gravity, first_s, columns, date)
            files[path] = data
    return files


def _sensors(station: Station) -> tuple[Sensor, Sensor]:
    """Return the gravimeter and the barometer of a station."""
    by_quantity = {sensor.instrument.quantity: sensor for sensor in station.sensors}
    return by_quantity["acceleration"], by_quantity["pressure"]


def _one_clock(
    scenario: Scenario, sensors: tuple[Sensor, Sensor], traces: Iterable[Trace], day: int
) -> tuple[int, list[NDArray[np.float64]]]:
    """Return the first second of a day's file, and the counts of each sensor from there on."""
    groups = [[trace for trace in traces if trace.channel.code == sensor.code] for sensor in sensors]
    start_ns, stop_ns = gravity_span(scenario.config)
    low_s = max(day * DAY_NS, start_ns) // _SECOND_NS
    high_s = min((day + 1) * DAY_NS, stop_ns) // _SECOND_NS
    # A clock that is off may say that it is another day: such samples stay in the file that they came with.
    for trace in (trace for group in groups for trace in group):
        seconds = _seconds(trace)
        if seconds[0] < low_s - _DAY_S or seconds[-1] > high_s + _DAY_S:
            raise ConfigError(
                f"{trace.channel}: a fault moves {day_of_number(day)} by more than a day, which .ggp and .tsf"
                " can't hold; it should be smaller, or formats be mseed alone"
            )
        low_s, high_s = min(low_s, int(seconds[0])), max(high_s, int(seconds[-1]) + 1)
    return low_s, [on_seconds(group, low_s, high_s) for group in groups]


def _seconds(trace: Trace) -> NDArray[np.int64]:
    """Return the whole second nearest to each sample's stated time."""
    since_ns = np.rint(np.arange(len(trace.samples)) * (_SECOND_NS / trace.rate_hz)).astype(np.int64)
    return np.asarray((trace.start_ns + since_ns + _SECOND_NS // 2) // _SECOND_NS)


def on_seconds(traces: Iterable[Trace], first_s: int, stop_s: int) -> NDArray[np.float64]:
    """
    Lay traces of one channel on whole seconds.

    Parameters
    ----------
    traces : iterable of Trace
        Within these seconds.
    first_s, stop_s : int
        Since 1970; half-open.

    Returns
    -------
    ndarray of float64, shape (stop_s - first_s,)
        Counts; NaN where there is none, or where equal qualities disagree.

    Examples
    --------
    >>> from pipeline.keys import Channel
    >>> def trace(samples, start_s):
    ...     samples = np.array(samples, dtype=np.int32)
    ...     channel = Channel.parse("GY.G01..LGZ")
    ...     return Trace(channel=channel, samples=samples, start_ns=start_s * 10**9, rate_hz=1.0)
    >>> on_seconds([trace([5, 6, 7], 0), trace([6, 8], 1)], 0, 5).tolist()
    [5.0, 6.0, nan, nan, nan]
    """
    values = np.full(stop_s - first_s, np.nan)
    ranks = np.zeros(len(values), dtype=np.int8)
    disagrees = np.zeros(len(values), dtype=np.bool_)
    for trace in traces:
        place, rank = _seconds(trace) - first_s, RANKS[trace.quality]
        higher = ranks[place] < rank
        disagrees[place[(ranks[place] == rank) & (values[place] != trace.samples)]] = True
        disagrees[place[higher]] = False
        values[place[higher]] = trace.samples[higher]
        ranks[place[higher]] = rank
    return np.where(disagrees, np.nan, values)


def _text_file(
    name: GravityFormat,
    station: Station,
    sensor: Sensor,
    first_s: int,
    columns: tuple[NDArray[np.float64], NDArray[np.float64]],
    date: dt.date,
) -> tuple[str, bytes]:
    """Name a text file, and write it."""
    filename = f"{station.network}-{station.name}-{date:%Y%m%d}.{name}"
    path = f"gravity/{name}/{station.name}/{date.year:04d}/{filename}"
    gravity_nm_s2, pressure_hpa = columns
    if name == "tsf":
        channels = [("gravity", "nm/s^2", gravity_nm_s2), ("pressure", "hPa", pressure_hpa)]
        return path, tsf_bytes(
            channels, first_s=first_s, site=station.name, instrument=sensor.instrument.name
        )
    return path, ggp_bytes(
        gravity_nm_s2,
        pressure_hpa,
        first_s=first_s,
        filename=filename,
        station=station.name,
        instrument=sensor.instrument.name,
        latitude_deg=station.latitude,
        longitude_deg=station.longitude,
        height_m=station.elevation_m,
    )
