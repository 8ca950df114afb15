"""The faults of a config on the network that it makes: what each concerns, and which sensors change."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.errors import ConfigError
from pipeline.keys import Stream
from pipeline.synthetic.config import FaultConfig
from pipeline.synthetic.draws import generator
from pipeline.synthetic.faults.fault_kinds import LEAP_KINDS, Fault
from pipeline.synthetic.instruments import INSTRUMENTS, Sensor
from pipeline.synthetic.layout import Station

__all__ = ["change_sensors", "plan_faults"]

_HOUR_NS = 3_600 * 10**9


def plan_faults(configs: Sequence[FaultConfig], spans_ns: Mapping[str, tuple[int, int]]) -> tuple[Fault, ...]:
    """
    Return the faults of a config, each of which touches something.

    Parameters
    ----------
    configs : sequence of FaultConfig
    spans_ns : mapping of str to (int, int)
        When each stream of the network begins and stops.

    Returns
    -------
    tuple of Fault
        In the order of the configs.

    Raises
    ------
    ConfigError
        If there is no such stream, or none at that time.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.datetime(1970, 1, 1, 12, tzinfo=dt.UTC)
    >>> gap = FaultConfig(kind="gap", stream="SY.S04..HH", time=day)
    >>> plan_faults([gap], {"SY.S01..HH": (0, 86_400 * 10**9)})
    Traceback (most recent call last):
        ...
    pipeline.errors.ConfigError: faults[0].stream = 'SY.S04..HH': no such stream; did you mean SY.S01..HH?
    """
    planned = []
    for number, config in enumerate(configs):
        where = f"faults[{number}]"
        if config.stream not in spans_ns:
            near = difflib.get_close_matches(config.stream, spans_ns, n=1, cutoff=0.0)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigError(f"{where}.stream = {config.stream!r}: no such stream{hint}")
        start_ns, stop_ns = spans_ns[config.stream]
        span = f"{_text(start_ns)} to {_text(stop_ns)}, when there is {config.stream}"
        time_ns = config.start_ns
        begins_inside = config.kind in (*LEAP_KINDS, "sensor_change")
        if begins_inside and not Stream.parse(config.stream).is_three_component:
            raise ConfigError(f"{where}: a {config.kind} should be of a broadband, not of {config.stream}")
        if time_ns >= stop_ns or (begins_inside and time_ns <= start_ns):
            raise ConfigError(f"{where}.time = {_text(time_ns)}: should lie within {span}")
        fault = config.fault(stop_ns)
        if fault.end_ns <= start_ns:
            raise ConfigError(f"{where} is over at {_text(fault.end_ns)}: should reach into {span}")
        planned.append(fault)
    return tuple(planned)


def change_sensors(
    stations: Iterable[Station],
    configs: Sequence[FaultConfig],
    *,
    seed: int,
    orientation_error_deg: float = 0.0,
) -> tuple[Station, ...]:
    """
    Let sensors follow others at the stations where a config says so.

    Parameters
    ----------
    stations : iterable of Station
        With one sensor each.
    configs : sequence of FaultConfig
        Of any kinds; changes of sensor are taken in order of time.
    seed : int
        Of the archive.
    orientation_error_deg : float
        Standard deviation of what the stated orientation of a new sensor is off.

    Returns
    -------
    tuple of Station

    Raises
    ------
    ConfigError
        If a sensor, or what the metadata say of it, would end before it begins.
    """
    changes = sorted((each for each in configs if each.sensor is not None), key=lambda each: each.time)
    found = []
    for station in stations:
        (stream,) = station.streams
        sensors = list(station.sensors)
        for change in (each for each in changes if each.stream == str(stream)):
            key = ("orientation", station.network, station.name, change.start_ns)
            error_deg = orientation_error_deg * generator(seed, *key).standard_normal()
            sensors[-1:] = _follow(sensors[-1], change, round(float(error_deg), 2))
        found.append(replace(station, sensors=tuple(sensors)))
    return tuple(found)


def _follow(old: Sensor, change: FaultConfig, orientation_error_deg: float) -> tuple[Sensor, Sensor]:
    """Return the old sensor, which ends, and the new one."""
    assert change.sensor is not None
    time_ns = change.start_ns
    stated_ns = time_ns + round(change.size * _HOUR_NS)
    stated_start_ns, _ = old.stated_epoch
    if time_ns <= old.start_ns or stated_ns <= stated_start_ns:
        raise ConfigError(
            f"a sensor of {change.stream} cannot follow at {_text(time_ns)} (in its metadata"
            f" {_text(stated_ns)}) one that began at {_text(old.start_ns)} ({_text(stated_start_ns)})"
        )
    new = replace(
        old,
        instrument=INSTRUMENTS[change.sensor.instrument](),
        start_ns=time_ns,
        stated_start_ns=stated_ns,
        azimuth_deg=change.sensor.azimuth_deg,
        orientation_error_deg=orientation_error_deg,
    )
    return replace(old, end_ns=time_ns, stated_end_ns=stated_ns), new


def _text(time_ns: int) -> str:
    return f"{np.datetime64(time_ns, 'ns').astype('datetime64[s]')}Z"
