"""The table of the months of a stream in MUSTANG's words."""

from __future__ import annotations

import fnmatch
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.noise.level_quality import dead_channel_gsn, dead_channel_lin, pct_above_nhnm, pct_below_nlnm
from pipeline.noise.level_series import span_days, spans_of
from pipeline.signal.precision import FloatArray, IndexArray
from pipeline.tables import SCHEMAS
from workflows.noise.arrays import StreamArrays
from workflows.noise.product import MeasuredStream
from workflows.noise.refusals import Refusals
from workflows.noise.times import midnight

__all__ = ["months_table"]

_DEAD_LINE_DB = 3.0
_LARGEST = 2**31 - 1


def months_table(
    stream: MeasuredStream,
    arrays: StreamArrays,
    level_db: FloatArray,
    refusals: Refusals,
    day: IndexArray,
    quality: pa.Table,
) -> pa.Table:
    """
    Tabulate the months of a stream.

    Parameters
    ----------
    stream : MeasuredStream
    arrays : StreamArrays
    level_db : ndarray, shape (components, windows, periods)
        NaN where a window is left out.
    refusals : Refusals
    day : ndarray of int, shape (windows,)
        On which each begins.
    quality : pyarrow.Table
        Of its days.
    """
    rows = quality.to_pylist()
    days = np.array([row["day"] for row in rows], dtype="M8[D]").astype(np.int64)
    month_of_row, month_of_window = spans_of(days, "month"), spans_of(day, "month")
    found = []
    for slot, component in enumerate(stream.stream.components):
        own = np.array([row["component"] == component for row in rows], dtype=bool)
        for month in np.unique(month_of_row[own]).tolist():
            chosen = [rows[at] for at in np.flatnonzero(own & (month_of_row == month))]
            windows = month_of_window == month
            found.append(
                {
                    "stream": str(stream.stream),
                    "component": component,
                    "period_start": midnight(np.array([month]))[0].as_py(),
                    **_of_days(chosen, int(span_days(np.array([month]), "month")[0])),
                    **_of_levels(level_db[slot, windows], arrays),
                    "windows_left_out": int(refusals.windows(slot, day[windows]).sum()),
                }
            )
            found[-1] |= _verdict(found[-1], chosen, refusals.reason(slot, day[windows]))
    return pa.Table.from_pylist(found, schema=SCHEMAS["quality_months"])


def _of_days(rows: list[dict[str, Any]], length: int) -> dict[str, Any]:
    return {
        "days": len(rows),
        "percent_availability": 100 * sum(row["completeness"] for row in rows) / length,
        "num_gaps": sum(row["gaps"] for row in rows),
        "max_gap": max(row["longest_gap_s"] for row in rows),
        "num_overlaps": min(sum(row["overlaps"] for row in rows), _LARGEST),
        "num_spikes": sum(row["spikes"] for row in rows),
        "clipped": min(sum(row["clipped"] for row in rows), _LARGEST),
    }


def _of_levels(level_db: FloatArray, arrays: StreamArrays) -> dict[str, Any]:
    period_s = arrays.bins.centre_s
    measured = level_db[np.isfinite(level_db).any(axis=1)]
    floor_db = _self_noise_db(arrays)
    if not len(measured):
        return {"windows": 0}
    numbers = {
        "pct_below_nlnm": pct_below_nlnm(measured, period_s, self_noise_db=floor_db),
        "pct_above_nhnm": pct_above_nhnm(measured, period_s),
        "dead_channel_lin": dead_channel_lin(measured, period_s, arrays.grid.rate_hz),
    }
    known = {name: value if np.isfinite(value) else None for name, value in numbers.items()}
    return {"windows": len(measured), "dead_channel_gsn": dead_channel_gsn(measured, period_s), **known}


def _self_noise_db(arrays: StreamArrays) -> FloatArray | None:
    """Return what the instrument records by itself, where that is known; NaN beyond its points."""
    for known in arrays.config.summary.self_noise:
        if fnmatch.fnmatchcase(str(arrays.stream), known.stream):
            periods = np.log(arrays.bins.centre_s)
            return np.interp(periods, np.log(known.period_s), known.level_db, left=np.nan, right=np.nan)
    return None


def _verdict(month: dict[str, Any], days: list[dict[str, Any]], refused: str) -> dict[str, Any]:
    """Judge a month by its levels first, and then by most of its days."""
    if refused:
        return {"verdict": "bad", "reason": refused}
    if month.get("dead_channel_gsn"):
        return {"verdict": "bad", "reason": "it misses the microseisms: dead, or a wrong gain"}
    line_db = month.get("dead_channel_lin")
    if line_db is not None and line_db < _DEAD_LINE_DB:
        return {"verdict": "suspect", "reason": f"its mean spectrum is a line but for {line_db:.1f} dB"}
    wrong = [day for day in days if day["verdict"] != "good"]
    if 2 * len(wrong) > len(days):
        kind = "bad" if 2 * sum(day["verdict"] == "bad" for day in days) > len(days) else "suspect"
        return {"verdict": kind, "reason": f"{len(wrong)} of {len(days)} days, as: {wrong[0]['reason']}"}
    return {"verdict": "good", "reason": None}
