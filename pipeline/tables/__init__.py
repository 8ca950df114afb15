"""
Every table that stationday writes: its columns, their units, and how it lies in Parquet.

``spec`` says what a table is; ``picking``, ``catalog``, ``noise`` and ``signals`` hold the tables
themselves; ``registry`` has them all by name; ``parquet`` turns them into bytes and back. The page
``docs/tables.md`` is made from them.

Examples
--------
>>> from pipeline.tables import SCHEMAS
>>> SCHEMAS["picks"].field("time").type
TimestampType(timestamp[ns, tz=UTC])
"""

from pipeline.tables.parquet import Provenance, provenance, read_table, write_table
from pipeline.tables.registry import SCHEMAS, TABLES, check, empty, sort_rows, spec_of
from pipeline.tables.spec import TableSpec, description_of, unit_of

__all__ = [
    "SCHEMAS",
    "TABLES",
    "Provenance",
    "TableSpec",
    "check",
    "description_of",
    "empty",
    "provenance",
    "read_table",
    "sort_rows",
    "spec_of",
    "unit_of",
    "write_table",
]
