"""
What a table is: a name, a version, a key, and columns that say what they hold and in which unit.

Everything is plain `pyarrow`: a column is a `pyarrow.Field` whose metadata holds ``description`` and, where
it has one, ``unit``; a table is a `pyarrow.Schema` whose metadata holds its name, version and description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import pyarrow as pa

__all__ = [
    "COUNT",
    "DAY",
    "FLAG",
    "REAL",
    "SINGLE",
    "TABLE_KEY",
    "TEXT",
    "TEXTS",
    "TIME",
    "VERSION_KEY",
    "Column",
    "TableSpec",
    "column",
    "description_of",
    "unit_of",
]

Column: TypeAlias = "pa.Field[Any]"

TIME: Final = pa.timestamp("ns", tz="UTC")
DAY: Final = pa.date32()
TEXT: Final = pa.string()
TEXTS: Final = pa.list_(pa.field("element", pa.string(), nullable=False))
COUNT: Final = pa.int32()
FLAG: Final = pa.bool_()
REAL: Final = pa.float64()
SINGLE: Final = pa.float32()
"""Single precision is for what no instrument knows to seven digits: probabilities, ratios, errors."""

TABLE_KEY: Final = b"stationday.table"
VERSION_KEY: Final = b"stationday.version"


def column(
    name: str, kind: pa.DataType, description: str, *, unit: str = "", optional: bool = False
) -> Column:
    """
    Describe one column.

    Parameters
    ----------
    name : str
        Its name, which ends in the unit where there is one to say (``depth_km``).
    kind : pyarrow.DataType
        One of the types of this module.
    description : str
        What it holds, in a few words; becomes part of ``docs/tables.md``.
    unit : str
        The unit as one would print it.
    optional : bool
        Whether rows may lack it (null).

    Examples
    --------
    >>> field = column("depth_km", REAL, "depth below sea level", unit="km", optional=True)
    >>> field.name, str(field.type), field.nullable, unit_of(field)
    ('depth_km', 'double', True, 'km')
    """
    metadata = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, nullable=optional, metadata=metadata)


def description_of(field: Column) -> str:
    """Return what a column holds, in words."""
    return _metadata(field, b"description")


def unit_of(field: Column) -> str:
    """Return the unit of a column, empty where it has none."""
    return _metadata(field, b"unit")


def _metadata(field: Column, key: bytes) -> str:
    text: str = (field.metadata or {}).get(key, b"").decode()
    return text


@dataclass(frozen=True, kw_only=True)
class TableSpec:
    """
    One kind of table.

    Parameters
    ----------
    name : str
        As in ``SCHEMAS[name]`` and in the metadata of its files.
    description : str
        What one row is.
    key : tuple of str
        The columns that its rows are sorted by.
    columns : tuple of pyarrow.Field
        In the order in which they are written.
    version : int
        Raised when a column is added, removed or changes its meaning.

    Raises
    ------
    ValueError
        The key names a column that the table lacks, or one that may be null.
    """

    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    version: int = 1

    def __post_init__(self) -> None:
        required = [field.name for field in self.columns if not field.nullable]
        for name in self.key:
            if name not in required:
                raise ValueError(f"table {self.name!r}: key column {name!r} should be one of {required}")

    @property
    def schema(self) -> pa.Schema:
        """The columns, with the table's name, version and description as metadata."""
        metadata: dict[bytes | str, bytes | str] = {
            TABLE_KEY: self.name,
            VERSION_KEY: str(self.version),
            b"description": self.description,
        }
        return pa.schema(self.columns, metadata=metadata)
