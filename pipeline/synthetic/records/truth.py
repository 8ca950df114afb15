"""The truth of a synthetic archive as tables: what a perfect analyst would have written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.earthquakes.catalog import Catalog
from pipeline.synthetic.earthquakes.local_magnitude import station_magnitudes
from pipeline.synthetic.earthquakes.magnitude_laws import MagnitudeLaw, local_law
from pipeline.synthetic.faults.fault_kinds import Fault
from pipeline.synthetic.records.gravity_recording import Gravimeter
from pipeline.synthetic.records.noise_design import NoiseLevel, band_name
from pipeline.synthetic.records.recording import Onset, StationAmplitude
from pipeline.synthetic.records.signals import Signal
from pipeline.tables import SCHEMAS

__all__ = [
    "arrivals_table",
    "drifts_table",
    "events_table",
    "faults_table",
    "laws_table",
    "magnitudes_table",
    "network_magnitudes",
    "noise_magnitudes_table",
    "noise_table",
    "rises_table",
    "signals_table",
    "steps_table",
]

_SECOND_NS = 10**9


def events_table(catalog: Catalog, magnitudes: Mapping[str, tuple[float, int]]) -> pa.Table:
    """
    Tabulate earthquakes.

    Parameters
    ----------
    catalog : Catalog
    magnitudes : mapping of str to (float, int)
        Local magnitude of each event, and of how many stations; an event without one has none.

    Returns
    -------
    Table of ``events``
    """
    ids = catalog.event_id.tolist()
    local = [magnitudes.get(name) for name in ids]
    return _table(
        "events",
        len(ids),
        event_id=ids,
        time=catalog.origin_ns,
        latitude=catalog.latitude,
        longitude=catalog.longitude,
        depth_km=catalog.depth_km,
        mw=catalog.mw.astype(np.float32),
        magnitude=[None if one is None else one[0] for one in local],
        magnitude_type=[None if one is None else "ML" for one in local],
        magnitude_stations=[None if one is None else one[1] for one in local],
        method=["truth"] * len(ids),
    )


def laws_table(catalog: Catalog, events: pa.Table, *, b: float, minimum: float) -> pa.Table:
    """
    Tabulate the laws of magnitudes: that of Mw as it is given, and what the records make of it for ML.

    Parameters
    ----------
    catalog : Catalog
    events : Table of ``events``
        In the order of the catalog.
    b, minimum : float
        Of Mw.
    """
    mw = np.asarray(catalog.mw, dtype=np.float64)
    given = MagnitudeLaw(kind="Mw", b=b, b_std=0.0, minimum=minimum, events=int((mw >= minimum).sum()))
    ml = events["magnitude"].to_numpy(zero_copy_only=False).astype(np.float64)
    found = [law for law in (given, local_law(mw, ml, minimum)) if law is not None]
    return _table(
        "magnitude_laws",
        len(found),
        type=[law.kind for law in found],
        b=[law.b for law in found],
        b_std=[law.b_std for law in found],
        minimum=[law.minimum for law in found],
        events=[law.events for law in found],
    )


def arrivals_table(stream: str, onsets: Sequence[Onset]) -> pa.Table:
    """Tabulate the onsets at a stream as ``arrivals``."""
    return _table(
        "arrivals",
        len(onsets),
        event_id=[onset.event_id for onset in onsets],
        stream=[stream] * len(onsets),
        phase=[onset.phase for onset in onsets],
        pick_time=np.array([onset.time_ns for onset in onsets], dtype=np.int64),
        distance_km=[onset.distance_km for onset in onsets],
        azimuth_deg=[onset.azimuth_deg for onset in onsets],
        model=["truth"] * len(onsets),
        amplitude_m_per_s=[onset.amplitude_m_s for onset in onsets],
        snr=[onset.snr for onset in onsets],
    )


def magnitudes_table(stream: str, amplitudes: Sequence[StationAmplitude]) -> pa.Table:
    """Tabulate local magnitudes at a stream, of events without any noise, as ``station_magnitudes``."""
    found = station_magnitudes(
        [each.amplitude_mm for each in amplitudes], [each.hypocentral_km for each in amplitudes]
    )
    return _table(
        "station_magnitudes",
        len(amplitudes),
        event_id=[each.event_id for each in amplitudes],
        stream=[stream] * len(amplitudes),
        type=["ML"] * len(amplitudes),
        magnitude=np.asarray(found, dtype=np.float32),
    )


def network_magnitudes(table: pa.Table) -> dict[str, tuple[float, int]]:
    """
    Return the mean over stations of each event, and their number.

    >>> amplitude = StationAmplitude(event_id="a", amplitude_mm=1.0, hypocentral_km=100.0)
    >>> network_magnitudes(magnitudes_table("SY.A..HH", [amplitude]))
    {'a': (3.0, 1)}
    """
    grouped = table.group_by("event_id").aggregate([("magnitude", "mean"), ("magnitude", "count")])
    columns = (grouped[name].to_pylist() for name in ("event_id", "magnitude_mean", "magnitude_count"))
    return {name: (float(mean), int(count)) for name, mean, count in zip(*columns, strict=True)}


def faults_table(faults: Iterable[Fault]) -> pa.Table:
    """Tabulate what was spoiled as ``faults``."""
    rows = list(faults)
    return _table(
        "faults",
        len(rows),
        stream=[fault.stream for fault in rows],
        components=[fault.components for fault in rows],
        kind=[fault.kind for fault in rows],
        start=np.array([fault.start_ns for fault in rows], dtype=np.int64),
        end=np.array([fault.end_ns for fault in rows], dtype=np.int64),
        size=[fault.size for fault in rows],
    )


def noise_table(stream: str, levels: Iterable[NoiseLevel]) -> pa.Table:
    """Tabulate the designed noise of a stream as ``noise_levels``, in periods of a day."""
    rows = list(levels)
    return _table(
        "noise_levels",
        len(rows),
        stream=[stream] * len(rows),
        component=[level.component for level in rows],
        span=["day"] * len(rows),
        period_start=np.array([level.day * DAY_NS for level in rows], dtype=np.int64),
        period_days=[1] * len(rows),
        band=[level.band for level in rows],
        level_db=[level.level_db for level in rows],
        p05=[level.p05 for level in rows],
        p50=[level.p50 for level in rows],
        p95=[level.p95 for level in rows],
        days=[1] * len(rows),
    )


def noise_magnitudes_table(stream: str, levels: Iterable[NoiseLevel]) -> pa.Table:
    """Tabulate the designed magnitudes of a gravimeter as ``noise_magnitudes``, in periods of a day."""
    rows = list({level.day: level for level in levels if level.snm is not None}.values())
    return _table(
        "noise_magnitudes",
        len(rows),
        stream=[stream] * len(rows),
        component=[level.component for level in rows],
        span=["day"] * len(rows),
        period_start=np.array([level.day * DAY_NS for level in rows], dtype=np.int64),
        period_days=[1] * len(rows),
        snm=[level.snm for level in rows],
        ssnm=[level.ssnm for level in rows],
        quiet=[[] for _ in rows],
        runs=[[] for _ in rows],
        ranked_days=[1] * len(rows),
    )


def signals_table(stream: str, signals: Sequence[Signal]) -> pa.Table:
    """Tabulate the signals at a stream as ``signals``."""
    return _table(
        "signals",
        len(signals),
        stream=[stream] * len(signals),
        components=[one.components for one in signals],
        kind=[one.kind for one in signals],
        start=np.array([one.start_ns for one in signals], dtype=np.int64),
        end=np.array([one.end_ns for one in signals], dtype=np.int64),
        peak_m_per_s=[one.peak_m_s for one in signals],
        peak_nm_per_s2=[one.peak_nm_s2 for one in signals],
        snr=[one.snr for one in signals],
    )


def rises_table(gravimeters: Mapping[str, Gravimeter]) -> pa.Table:
    """
    Tabulate the rises of the noise of gravimeters as ``rises``, each as it is when it is whole.

    Parameters
    ----------
    gravimeters : mapping of str to Gravimeter
        By stream.
    """
    rows = [(stream, rise) for stream, each in gravimeters.items() for rise in each.rises]
    return _table(
        "rises",
        len(rows),
        stream=[stream for stream, _ in rows],
        component=[stream.rpartition(".")[2] for stream, _ in rows],
        band=[band_name(1 / rise.high_hz, 1 / rise.low_hz) for _, rise in rows],
        time=np.array([rise.start_s * _SECOND_NS for _, rise in rows], dtype=np.int64),
        until=np.array([rise.stop_s * _SECOND_NS for _, rise in rows], dtype=np.int64),
        rise_db=[rise.gain_db for _, rise in rows],
        rise_std_db=[0.0] * len(rows),
        p_value=[0.0] * len(rows),
    )


def steps_table(gravimeters: Mapping[str, Gravimeter]) -> pa.Table:
    """Tabulate the steps of gravimeters, by stream, as ``steps``."""
    rows = [(stream, step) for stream, each in gravimeters.items() for step in each.steps]
    return _table(
        "steps",
        len(rows),
        stream=[stream for stream, _ in rows],
        time=np.array([step.time_s * _SECOND_NS for _, step in rows], dtype=np.int64),
        offset_nm_per_s2=[step.offset_nm_s2 for _, step in rows],
    )


def drifts_table(gravimeters: Mapping[str, Gravimeter]) -> pa.Table:
    """Tabulate the drifts of gravimeters, by stream, as ``drifts``."""
    drifts = [each.drift for each in gravimeters.values()]
    return _table(
        "drifts",
        len(drifts),
        stream=list(gravimeters),
        time=np.array([drift.reference_s * _SECOND_NS for drift in drifts], dtype=np.int64),
        rate_nm_per_s2_per_day=[drift.rates[0] for drift in drifts],
        quadratic_nm_per_s2_per_day2=[drift.rates[1] for drift in drifts],
    )


def _table(name: str, count: int, **columns: object) -> pa.Table:
    """Make a table of a schema; columns that are not given are null."""
    schema = SCHEMAS[name]
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
