"""The page of a map: pan, zoom, and at each station its spectra and its history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import ArrayLike

from pipeline.archive.grid import day_number
from pipeline.archive.layouts import Wanted
from pipeline.figures.coastlines import Scale, borders, coastlines
from pipeline.maps.contrasts import Contrast
from pipeline.maps.fields import FieldMap
from pipeline.maps.observations import Observations
from pipeline.noise.histograms import DbBins, count_levels, percentile_db
from pipeline.report import (
    Column,
    Field,
    LineChart,
    Outlines,
    Page,
    Paragraph,
    Part,
    Section,
    Station,
    StationMap,
    Table,
    level_chart,
    psd_chart,
)
from workflows.maps.levels import MAGNITUDES, RISE_BANDS, Level
from workflows.noise.pictures import Choice, selected_windows
from workflows.noise.product import MeasuredStream, NoiseProduct
from workflows.noise.streams import is_gravimeter
from workflows.noise.summary import covered_bands
from workflows.noise.times import days_of

__all__ = ["map_page"]

_PERCENTILES = (5, 50, 95)
_WIDE = 30.0
"""Degrees: coasts of a wider region are drawn from the coarser lines."""


def map_page(
    product: NoiseProduct,
    level: Level,
    observations: Observations,
    made: FieldMap | None,
    contrasts: Sequence[Contrast],
    *,
    reason: str = "",
) -> Page:
    """
    Describe the page.

    Parameters
    ----------
    product : NoiseProduct
    level : Level
    observations : Observations
    made : FieldMap or None
        None where there are too few stations for one, for the ``reason`` given.
    contrasts : sequence of Contrast
    """
    shown = [each for each in product.streams() if _is_shown(product, level, each)]
    streams = {name: each for each in shown for name in (str(each.stream), _station(each))}
    stations = [
        _station_part(product, level, streams.get(name), name, index, observations)
        for index, name in enumerate(observations.names)
    ]
    remarks = list(made.remarks) if made else [reason]
    sections = [
        Section("Map", (_map(level, stations, made), *(Paragraph(text) for text in remarks if text))),
        *_contrast_section(contrasts),
        *_left_out_section(observations),
    ]
    facts = {"Stations": f"{len(observations)}", "Days": str(level.span), "Product": product.url}
    return Page(
        title=level.title[0].upper() + level.title[1:],
        subtitle=MAGNITUDES.get(level.name, f"median level of days, {level.unit}"),
        facts=tuple(facts.items()),
        sections=tuple(sections),
        footer=f"Made by stationday {version('stationday')}. Coastlines and borders: Natural Earth.",
    )


def _station(stream: MeasuredStream) -> str:
    return f"{stream.stream.network}.{stream.stream.station}"


def _is_shown(product: NoiseProduct, level: Level, stream: MeasuredStream) -> bool:
    """Tell whether a stream may be what a station's value was made of: a station may have several."""
    if not Wanted(streams=level.streams).wants(stream.stream):
        return False
    if level.name in MAGNITUDES and level.rise_before is None:
        return is_gravimeter(stream.stream)
    band = RISE_BANDS.get(level.name, level.name)
    return band in [each.name for each in covered_bands(product.arrays_of(stream))]


def _map(level: Level, stations: Sequence[Station], made: FieldMap | None) -> StationMap:
    field: Field | None = None
    lines: tuple[Outlines, ...] = ()
    if made is not None:
        field = Field(
            longitude_deg=made.grid.longitude_deg,
            latitude_deg=made.grid.latitude_deg,
            values=made.masked(made.value),
            standard_error=made.masked(made.std_error),
            name="kriged",
        )
        west, south, east, north = box = made.region.box
        scale: Scale = "110m" if east - west > 2 * _WIDE or north - south > _WIDE else "50m"
        lines = (
            Outlines(coastlines(box, scale=scale), kind="coast"),
            Outlines(borders(box, scale=scale), kind="border"),
        )
    return StationMap(
        title=level.title,
        stations=tuple(stations),
        quantity=level.short,
        unit=level.unit,
        field=field,
        lines=lines,
        is_diverging=level.is_difference,
    )


def _station_part(
    product: NoiseProduct,
    level: Level,
    stream: MeasuredStream | None,
    name: str,
    index: int,
    observations: Observations,
) -> Station:
    error = float(observations.error[index])
    charts: list[LineChart] = []
    facts: dict[str, str] = {}
    if stream is not None:
        facts["Stream"] = f"{stream.stream}, {stream.grid.label}"
        charts = [_spectra(product, level, stream), _history(product, level, stream)]
    return Station(
        name=name,
        longitude_deg=float(observations.longitude_deg[index]),
        latitude_deg=float(observations.latitude_deg[index]),
        value=float(observations.value[index]),
        error=error if error > 0 else None,
        facts=facts,
        charts=tuple(charts),
    )


def _spectra(product: NoiseProduct, level: Level, stream: MeasuredStream) -> LineChart:
    """Draw percentiles of the windows of the span."""
    choice = Choice(start=level.span.first, end=level.span.last)
    found = selected_windows(product, stream, choice)
    components = stream.stream.components
    slot = components.index(level.component) if level.component in components else 0
    bins = DbBins(low_db=-220.0, high_db=-50.0)
    counts = count_levels(found.level_db[slot][found.chosen], bins)
    period_s = product.arrays_of(stream).bins.centre_s
    known = counts.sum(axis=1) > 0
    curves: dict[float, ArrayLike] = {
        share: percentile_db(counts[known], share, bins) + 0.5 for share in _PERCENTILES
    }
    return psd_chart(period_s[known], curves)


def _history(product: NoiseProduct, level: Level, stream: MeasuredStream) -> LineChart:
    """Draw days of a magnitude with the quiet ones marked, or weeks of a band."""
    name = str(stream.stream)
    marks = [(level.rise_before, "the date")] if level.rise_before else []
    if level.name in MAGNITUDES and is_gravimeter(stream.stream):
        table = product.table("noise_magnitudes", [name])
        days = table.filter(pc.equal(table["span"], "day" if level.name == "snm" else "month"))
        years = [row for row in table.to_pylist() if row["span"] == "year"]
        quiet = [day_number(dt.date.fromisoformat(text)) for row in years for text in row["quiet"]]
        return level_chart(
            days_of(days["period_start"]),
            _floats(days[level.name].to_pylist()),
            quiet_days=quiet if level.name == "snm" else (),
            name=level.name.upper(),
            marks=[(day_number(date), text) for date, text in marks],
        )
    table = product.table("noise_levels", [name])
    component = (
        level.component if level.component in stream.stream.components else stream.stream.components[0]
    )
    chosen = pc.and_(pc.equal(table["span"], "week"), pc.equal(table["band"], level.name))
    weeks = table.filter(pc.and_(chosen, pc.equal(table["component"], component)))
    return level_chart(
        days_of(weeks["period_start"]),
        _floats(weeks["p50"].to_pylist()),
        name=f"{level.name}, median of the week",
        unit="dB",
        marks=[(day_number(date), text) for date, text in marks],
    )


def _floats(values: Sequence[Any]) -> Any:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _contrast_section(contrasts: Sequence[Contrast]) -> list[Section]:
    if not contrasts:
        return []
    rows = tuple(
        (
            f"{each.first} less {each.second}",
            each.first_stations,
            each.second_stations,
            _or_none(each.difference),
            _or_none(each.std_error),
            _or_none(each.low),
            _or_none(each.high),
            each.reason,
        )
        for each in contrasts
    )
    columns = (
        Column("Contrast"),
        Column("Stations of the first", digits=0),
        Column("of the second", digits=0),
        Column("Difference", digits=2),
        Column("Standard error", digits=2),
        Column("95 % from", digits=2),
        Column("to", digits=2),
        Column("Remark"),
    )
    text = "Differences by generalised least squares: stations that are near each other count for less."
    parts: tuple[Part, ...] = (Table("Contrasts", columns, rows), Paragraph(text))
    return [Section("Contrasts", parts)]


def _left_out_section(observations: Observations) -> list[Section]:
    if not observations.left_out:
        return []
    rows = tuple((each.name, each.reason) for each in observations.left_out)
    table = Table("Stations without a value", (Column("Station"), Column("Reason")), rows)
    return [Section("Left out", (table,))]


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
