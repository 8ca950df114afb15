"""The table of noise magnitudes of a gravimeter: its days, months and years, and all there is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.archive.grid import day_number, day_of_number
from pipeline.noise.level_series import spans_of
from pipeline.noise.quiet_magnitudes import DaySpectra, QuietMagnitudes, quiet_magnitudes
from pipeline.signal.precision import FloatArray, IndexArray
from pipeline.tables import SCHEMAS
from workflows.noise.config import SummaryConfig
from workflows.noise.product import MeasuredStream, NoiseProduct
from workflows.noise.refusals import Refusals, refuse_by_tide
from workflows.noise.streams import is_gravimeter
from workflows.noise.times import midnight

__all__ = ["day_spectra", "magnitudes_table"]

_SCHEMA = SCHEMAS["noise_magnitudes"]


def magnitudes_table(product: NoiseProduct, stream: MeasuredStream, refusals: Refusals) -> pa.Table:
    """
    Tabulate the magnitudes of a stream; empty if it is no gravimeter's.

    Parameters
    ----------
    product : NoiseProduct
    stream : MeasuredStream
    refusals : Refusals
    """
    if not is_gravimeter(stream.stream):
        return _SCHEMA.empty_table()
    days, tide_factor = day_spectra(product, stream, refusals)
    rows = []
    for span, first, stop in _spans(days):
        at = slice(max(first - days.first_day, 0), stop - days.first_day)
        found = _row(stream, span, first, stop, days.between(first, stop), product.config.summary)
        if found is not None:
            rows.append({**found, "tide_factor": _median(tide_factor[at])})
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def day_spectra(
    product: NoiseProduct, stream: MeasuredStream, refusals: Refusals | None = None
) -> tuple[DaySpectra, FloatArray]:
    """
    Read the spectra of all days of a gravimeter, and the factor of the tide of each.

    Parameters
    ----------
    product : NoiseProduct
    stream : MeasuredStream
    refusals : Refusals, optional
        What is left out; judged afresh unless given.
    """
    arrays = product.arrays_of(stream)
    first, last = stream.days(product.block_days)
    found = {name: product.read(stream, array, first, last) for name, array in arrays.gravity.items()}
    every = day_number(first) + np.arange(len(found["present"]))
    left_out = refuse_by_tide(product, stream, arrays) if refusals is None else refusals
    hz = {
        name: np.array(arrays.gravity[name].after[0].values, dtype=np.float64)
        for name in ("day_psd", "run_psd")
    }
    days = DaySpectra(
        day_number(first),
        found["present"],
        found["rms_microgal"],
        hz["day_psd"],
        found["day_psd"],
        product.config.gravity.run_days,
        found["run_present"],
        hz["run_psd"],
        found["run_psd"],
        left_out.windows(0, every),
    )
    return days, np.asarray(found["tide_factor"], dtype=np.float64)


def _spans(days: DaySpectra) -> Iterator[tuple[str, int, int]]:
    """List spans that hold any sample, as a name, the first day and the one after the last."""
    there = days.first_day + np.flatnonzero(np.nan_to_num(days.present) > 0)
    if not len(there):
        return
    for day in there.tolist():
        yield "day", day, day + 1
    for span in ("month", "year"):
        for start in np.unique(spans_of(there, span)).tolist():
            yield span, start, _end(start, span)
    yield "all", int(there[0]), int(there[-1]) + 1


def _end(start: int, span: str) -> int:
    date = day_of_number(start)
    if span == "year":
        return day_number(date.replace(year=date.year + 1))
    return day_number((date + dt.timedelta(days=31)).replace(day=1))


def _row(
    stream: MeasuredStream, span: str, first: int, stop: int, days: DaySpectra, config: SummaryConfig
) -> dict[str, Any] | None:
    found = quiet_magnitudes(
        days,
        count=config.quiet_days,
        runs=config.quiet_runs,
        rank_below_hz=config.rank_below_hz,
        least_present=config.least_present,
    )
    if span == "day" and not found.ranked:
        return None
    return {
        "stream": str(stream.stream),
        "component": stream.stream.components[0],
        "span": span,
        "period_start": midnight(np.array([first]))[0].as_py(),
        "period_days": stop - first,
        **{name: _number(getattr(found, name)) for name in ("snm", "snm_std", "ssnm", "ssnm_daily", "tnm")},
        "quiet": _dates(found.quiet),
        "runs": _dates(found.runs),
        "ranked_days": found.ranked,
        "reason": _reason(span, found, days, config),
    }


def _reason(span: str, found: QuietMagnitudes, days: DaySpectra, config: SummaryConfig) -> str | None:
    said = []
    if days.refused.any():
        said.append(f"{int(days.refused.sum())} days left out for their tide")
    if span != "day" and len(found.quiet) < config.quiet_days:
        said.append(f"{len(found.quiet)} quiet days of {config.quiet_days}")
    if span not in ("day", "month") and len(found.runs) < config.quiet_runs:
        said.append(f"{len(found.runs)} quiet runs of {config.quiet_runs}")
    return "; ".join(said) or None


def _median(values: FloatArray) -> float | None:
    there = values[np.isfinite(values)]
    return float(np.median(there)) if len(there) else None


def _dates(days: IndexArray) -> list[str]:
    return [day_of_number(int(day)).isoformat() for day in days]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
