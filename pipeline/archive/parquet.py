"""The archive's own small tables as Parquet bytes: block tables, the index, the scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import FormatError

__all__ = ["from_parquet", "to_parquet"]


def to_parquet(records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> bytes:
    """Return records as Parquet: the same records, the same bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records, schema=schema), sink, compression="zstd")
    return bytes(sink.getvalue())


def from_parquet(data: bytes, schema: pa.Schema, where: str) -> pa.Table:
    """
    Read a table that must have these columns.

    Raises
    ------
    FormatError
        If the bytes are no Parquet, or of another table.
    """
    try:
        # One thread: the tables are small, and a task of Dask has its core already.
        table = pq.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{where}: not a table: {error}") from error
    if table.schema.names != schema.names:
        raise FormatError(f"{where}: has the columns {table.schema.names}, should have {schema.names}")
    return table.cast(schema)
