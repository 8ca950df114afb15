"""The truth of a synthetic archive as tables: what a perfect analyst would have written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from pipeline.synthetic.catalog import Catalog
from pipeline.synthetic.faults import Fault
from pipeline.synthetic.local_magnitude import station_magnitudes
from pipeline.synthetic.recording import Onset, StationAmplitude
from pipeline.tables import SCHEMAS

__all__ = ["arrivals_table", "events_table", "faults_table", "magnitudes_table", "network_magnitudes"]


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


def _table(name: str, count: int, **columns: object) -> pa.Table:
    """Make a table of a schema; columns that are not given are null."""
    schema = SCHEMAS[name]
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(count, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
