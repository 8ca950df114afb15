"""Parquet: everything comes back, equal content gives equal bytes, and what is wrong is said."""

import datetime as dt
import hashlib
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.tables import SCHEMAS, Provenance, empty, provenance, read_table, sort_rows, write_table

_VALUES = {
    pa.string(): st.text(max_size=8),
    pa.bool_(): st.booleans(),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.float32(): st.floats(allow_nan=False, width=32),
    pa.timestamp("ns", tz="UTC"): st.integers(0, 2**62),
    pa.date32(): st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
}


def values_of(field: pa.Field) -> st.SearchStrategy[object]:
    values = (
        st.lists(st.text("ABC.", min_size=1), max_size=3)
        if pa.types.is_list(field.type)
        else _VALUES[field.type]
    )
    return st.none() | values if field.nullable else values


@pytest.mark.parametrize("name", SCHEMAS)
def test_round_trip(name: str) -> None:
    schema = SCHEMAS[name]

    @given(st.lists(st.fixed_dictionaries({field.name: values_of(field) for field in schema}), max_size=4))
    def every_value_comes_back(rows: list[dict[str, object]]) -> None:
        table = pa.Table.from_pylist(rows, schema=schema)
        back = read_table(write_table(table, name, fingerprint="f", config="c"), name)
        assert back.equals(sort_rows(table, name))
        assert [f.metadata for f in back.schema] == [f.metadata for f in schema]

    every_value_comes_back()


def many_picks(rows: int = 5000) -> pa.Table:
    rng = np.random.default_rng(20201231)
    return pa.table(
        {
            "stream": rng.choice(["CI.CCC..HH", "CI.MPM..HH", "NG.AQG..MGZ"], rows),
            "phase": rng.choice(["P", "S"], rows),
            "time": pa.array(rng.integers(0, 2**60, rows), pa.timestamp("ns", tz="UTC")),
            "time_std_s": pa.array(rng.random(rows, np.float32), mask=rng.random(rows) < 0.3),
            "probability": rng.random(rows, np.float32),
            "probability_std": pa.nulls(rows, pa.float32()),
            "snr": rng.random(rows, np.float32),
            "model": ["phasenet"] * rows,
            "weights": ["81c0d2aa"] * rows,
        },
        schema=SCHEMAS["picks"],
    )


def write(table: pa.Table) -> bytes:
    return write_table(table, "picks", fingerprint="3f9a1c22", config="81c0d2aa")


def test_order_and_pieces_of_rows_do_not_change_the_bytes() -> None:
    table = many_picks()
    shuffled = table.take(np.random.default_rng(7).permutation(table.num_rows))
    pieces = pa.concat_tables([shuffled[4000:], shuffled[:17], shuffled[17:4000]])
    assert pieces.column(0).num_chunks > 1
    assert write(pieces) == write(table)
    assert write(table[1:]) != write(table)


def test_another_process_writes_the_same_bytes() -> None:
    code = (
        "import hashlib, sys; from pipeline.tables import *;"
        " print(hashlib.sha256(write_table(read_table(sys.stdin.buffer.read(), 'picks'), 'picks',"
        " fingerprint='3f9a1c22', config='81c0d2aa')).hexdigest())"
    )
    data = write(many_picks(500))
    environment = os.environ | {"PYTHONHASHSEED": "12345", "TZ": "Asia/Tokyo"}
    done = subprocess.run(
        [sys.executable, "-c", code], input=data, capture_output=True, check=True, env=environment
    )
    assert done.stdout.decode().strip() == hashlib.sha256(data).hexdigest()


def test_file_says_what_it_depends_on() -> None:
    table = read_table(write(many_picks(3)), "picks")
    assert provenance(table) == Provenance(
        table="picks", version=1, fingerprint="3f9a1c22", config="81c0d2aa"
    )
    assert write_table(table, "picks", fingerprint="other", config="81c0d2aa") != write(table)
    with pytest.raises(
        FormatError, match=r"no table of stationday: it lacks the metadata 'stationday\.table'"
    ):
        provenance(pa.table({"a": [1]}))


def test_columns_read_alone() -> None:
    data = write(many_picks(10))
    assert read_table(data, "picks", columns=["time", "stream"]).column_names == ["time", "stream"]
    with pytest.raises(FormatError, match="table 'picks' has no column 'when'; it has stream, phase, time"):
        read_table(data, "picks", columns=["stream", "when"])


def rewritten(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue())


def test_read_fails_where_the_file_is_another_one() -> None:
    with pytest.raises(FormatError, match="the file holds table 'picks', but should hold 'events'"):
        read_table(write(many_picks(1)), "events")
    with pytest.raises(FormatError, match="no table of stationday"):
        read_table(rewritten(pa.table({"a": [1]})), "picks")
    table = read_table(write(empty("picks")), "picks")
    newer = table.replace_schema_metadata(table.schema.metadata | {b"stationday.version": b"7"})
    with pytest.raises(FormatError, match="holds version 7 of table 'picks', but should hold version 1"):
        read_table(rewritten(newer), "picks")
    with pytest.raises(FormatError, match="table 'picks' lacks column 'model', which should be string"):
        read_table(rewritten(table.drop_columns(["model"])), "picks")


def test_damage_is_never_silent() -> None:
    data = write(many_picks(500))
    for cut in (0, 3, len(data) // 2, len(data) - 1):
        with pytest.raises(FormatError, match=f"{cut} bytes should be the Parquet file of table 'picks'"):
            read_table(data[:cut], "picks")
    columns = int(len(data) * 0.6)  # the pages; the rest is the footer
    for place in range(40, columns, columns // 25):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        with pytest.raises(FormatError, match=r"^[^\n]*table 'picks'[^\n]*$"):
            read_table(bytes(damaged), "picks")


def test_write_refuses_what_is_no_such_table() -> None:
    with pytest.raises(FormatError, match="table 'picks' lacks column 'weights'"):
        write(many_picks(2).drop_columns(["weights"]))
