"""All tables by name, and what holds for each of them: the right columns, in the right order, sorted."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import FormatError
from pipeline.tables.catalog import ARRIVALS, EVENTS, STATION_MAGNITUDES
from pipeline.tables.noise import (
    NOISE_LEVELS,
    NOISE_MAGNITUDES,
    QUALITY,
    QUALITY_MONTHS,
    RISES,
    RISES_BEFORE,
    TRENDS,
)
from pipeline.tables.picking import DETECTIONS, MATCHES, PICKS
from pipeline.tables.signals import SIGNAL_CLASSES
from pipeline.tables.spec import Column, TableSpec, unit_of
from pipeline.tables.truth import DRIFTS, FAULTS, MAGNITUDE_LAWS, SIGNALS, STEPS

__all__ = ["SCHEMAS", "TABLES", "check", "empty", "sort_rows", "spec_of"]

_ALL = (
    PICKS,
    DETECTIONS,
    MATCHES,
    EVENTS,
    ARRIVALS,
    STATION_MAGNITUDES,
    NOISE_LEVELS,
    NOISE_MAGNITUDES,
    QUALITY,
    QUALITY_MONTHS,
    TRENDS,
    RISES,
    RISES_BEFORE,
    SIGNAL_CLASSES,
    FAULTS,
    SIGNALS,
    STEPS,
    DRIFTS,
    MAGNITUDE_LAWS,
)

TABLES: Final[Mapping[str, TableSpec]] = MappingProxyType({spec.name: spec for spec in _ALL})
"""Every table by its name."""

SCHEMAS: Final[Mapping[str, pa.Schema]] = MappingProxyType({spec.name: spec.schema for spec in _ALL})
"""The schema of every table by its name."""


def spec_of(name: str) -> TableSpec:
    """
    Return what is known of a table.

    Raises
    ------
    FormatError
        There is no table of that name.
    """
    if name not in TABLES:
        raise FormatError(f"no table is called {name!r}; there are {', '.join(TABLES)}")
    return TABLES[name]


def empty(name: str) -> pa.Table:
    """
    Return a table without rows.

    >>> empty("detections").column_names
    ['stream', 'start', 'end', 'probability', 'probability_std']
    """
    return spec_of(name).schema.empty_table()


def check(table: pa.Table, name: str) -> pa.Table:
    """
    Return a table under its registered schema, or say what is the first thing wrong with it.

    Columns are neither cast nor reordered: what is not right is an error. Metadata and nullability, which
    a table made in passing lacks, are set.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of any number, in any order.
    name : str
        The table that it should be, as ``"picks"``.

    Raises
    ------
    FormatError
        A column is missing, of another type, in another place, not known, or null where it must not be.

    Examples
    --------
    >>> check(empty("picks").drop_columns(["snr"]), "picks")
    Traceback (most recent call last):
        ...
    pipeline.errors.FormatError: table 'picks' lacks column 'snr', which should be float
    """
    schema = spec_of(name).schema
    found = table.schema
    for place, field in enumerate(schema):
        _check_column(name, found, place, field)
    if len(found) > len(schema):
        extra = next(n for n in found.names if n not in schema.names or found.names.count(n) > 1)
        kind = found.field(found.names.index(extra)).type
        raise FormatError(
            f"table {name!r} has the additional column {extra!r} ({kind});"
            f" its columns should be {', '.join(schema.names)}"
        )
    for field in schema:
        nulls = 0 if field.nullable else table.column(field.name).null_count
        if nulls:
            raise FormatError(
                f"column {field.name!r} of table {name!r} is null in {nulls} of {table.num_rows} rows,"
                " where each should have a value"
            )
    return pa.Table.from_arrays(table.columns, schema=schema)


def _check_column(name: str, found: pa.Schema, place: int, field: Column) -> None:
    right = f"{field.type}" + (f" in {unit_of(field)}" if unit_of(field) else "")
    if field.name not in found.names:
        raise FormatError(f"table {name!r} lacks column {field.name!r}, which should be {right}")
    column = found.field(found.names.index(field.name))
    if column.type != field.type:
        raise FormatError(f"column {field.name!r} of table {name!r} is {column.type}, but should be {right}")
    if found.names[place] != field.name:
        stranger = found.names[place]
        raise FormatError(
            f"column {place + 1} of table {name!r} is {stranger!r} ({found.field(place).type}),"
            f" but should be {field.name!r} ({field.type})"
        )


def sort_rows(table: pa.Table, name: str) -> pa.Table:
    """
    Sort a table by its key, and rows of one key by all their other columns.

    The result depends on the rows alone, whatever the order in which workers delivered them.

    Parameters
    ----------
    table : pyarrow.Table
        A table that passes `check`.
    name : str
        Its name.

    Examples
    --------
    >>> import pyarrow as pa
    >>> rows = [{"event_id": "b", "stream": "CI.CCC..HH", "type": "ML", "magnitude": 1.0},
    ...         {"event_id": "a", "stream": "CI.CCC..HH", "type": "ML", "magnitude": 2.0}]
    >>> table = pa.Table.from_pylist(rows, schema=SCHEMAS["station_magnitudes"])
    >>> sort_rows(table, "station_magnitudes")["event_id"].to_pylist()
    ['a', 'b']
    """
    key = spec_of(name).key
    order = [*key, *(column for column in table.column_names if column not in key)]
    sortable = pa.Table.from_arrays([_orderable(table.column(column)) for column in order], names=order)
    return table.take(pc.sort_indices(sortable, sort_keys=[(column, "ascending") for column in order]))


def _orderable(values: pa.ChunkedArray[Any]) -> Any:
    # Arrow does not sort lists; codes never hold a unit separator, so the joined text orders as they do.
    if not pa.types.is_list(values.type):
        return values
    return pc.binary_join(values.cast(pa.list_(pa.string())), "\x1f")
