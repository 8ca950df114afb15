"""Tables as Parquet bytes: the same content gives the same bytes, and a file says what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import FormatError
from pipeline.tables.registry import check, sort_rows, spec_of
from pipeline.tables.spec import TABLE_KEY, VERSION_KEY

__all__ = ["Provenance", "provenance", "read_table", "write_table"]

_FINGERPRINT_KEY = b"stationday.fingerprint"
_CONFIG_KEY = b"stationday.config"

# All that the bytes depend on beside the rows is fixed here, not left to a default that may change.
_ROWS_PER_GROUP = 131_072
_ZSTD_LEVEL = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What the metadata of a table's file say: which table, and what its content depends on."""

    table: str
    version: int
    fingerprint: str
    config: str


def write_table(table: pa.Table, name: str, *, fingerprint: str, config: str) -> bytes:
    """
    Check and sort a table, and return it as a Parquet file.

    Parameters
    ----------
    table : pyarrow.Table
        Rows in any order and any number of pieces.
    name : str
        The table that it is, as ``"picks"``.
    fingerprint : str
        Digest of all that the rows depend on.
    config : str
        Digest of the option values that they were made with.

    Returns
    -------
    bytes
        Compressed by zstd. Equal rows, fingerprint and config give equal bytes.

    Raises
    ------
    FormatError
        The table is not what its name says; see `pipeline.tables.check`.

    Examples
    --------
    >>> from pipeline.tables import empty
    >>> data = write_table(empty("picks"), "picks", fingerprint="3f9a1c22", config="81c0d2aa")
    >>> provenance(read_table(data, "picks"))
    Provenance(table='picks', version=1, fingerprint='3f9a1c22', config='81c0d2aa')
    """
    rows = sort_rows(check(table, name), name).combine_chunks()
    origin = {_FINGERPRINT_KEY: fingerprint.encode(), _CONFIG_KEY: config.encode()}
    sink = pa.BufferOutputStream()
    pq.write_table(
        rows.replace_schema_metadata({**(rows.schema.metadata or {}), **origin}),
        sink,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        row_group_size=_ROWS_PER_GROUP,
        use_dictionary=True,
        write_statistics=True,
        write_page_checksum=True,
    )
    return bytes(sink.getvalue())


def read_table(data: bytes, name: str, *, columns: Sequence[str] | None = None) -> pa.Table:
    """
    Read a table from a Parquet file.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        The table that it should hold, as ``"picks"``.
    columns : sequence of str, optional
        Read these alone, in this order; all of them unless given.

    Returns
    -------
    pyarrow.Table
        With the file's metadata, for `provenance`.

    Raises
    ------
    FormatError
        The bytes are no Parquet file, hold another table or another version of it, a column is wrong, or a
        page does not match its checksum.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(
            f"{len(data)} bytes should be the Parquet file of table {name!r}: {_one_line(error)}"
        ) from error
    spec = spec_of(name)
    metadata = file.schema_arrow.metadata or {}
    origin = _provenance(metadata)
    if origin.table != name:
        raise FormatError(f"the file holds table {origin.table!r}, but should hold {name!r}")
    if origin.version != spec.version:
        raise FormatError(
            f"the file holds version {origin.version} of table {name!r},"
            f" but should hold version {spec.version}"
        )
    check(file.schema_arrow.empty_table(), name)
    unknown = [column for column in columns or () if column not in spec.schema.names]
    if unknown:
        raise FormatError(
            f"table {name!r} has no column {unknown[0]!r}; it has {', '.join(spec.schema.names)}"
        )
    try:
        return file.read(columns=None if columns is None else list(columns))
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"table {name!r} of {len(data)} bytes is damaged: {_one_line(error)}") from error


def provenance(table: pa.Table) -> Provenance:
    """
    Return what a table that was read says about its origin.

    Raises
    ------
    FormatError
        The table does not come from `write_table`.
    """
    return _provenance(table.schema.metadata or {})


def _provenance(metadata: dict[bytes, bytes]) -> Provenance:
    missing = [k for k in (TABLE_KEY, VERSION_KEY, _FINGERPRINT_KEY, _CONFIG_KEY) if k not in metadata]
    if missing:
        raise FormatError(
            f"the file is no table of stationday: it lacks the metadata {missing[0].decode()!r}"
        )
    return Provenance(
        table=metadata[TABLE_KEY].decode(),
        version=int(metadata[VERSION_KEY]),
        fingerprint=metadata[_FINGERPRINT_KEY].decode(),
        config=metadata[_CONFIG_KEY].decode(),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
