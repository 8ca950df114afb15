"""Columns describe themselves, and a key is made of columns that are always there."""

import pytest

from pipeline.tables.spec import COUNT, REAL, TEXT, TableSpec, column, description_of, unit_of


def test_column_carries_its_meaning() -> None:
    field = column("depth_km", REAL, "depth below sea level", unit="km")
    assert (description_of(field), unit_of(field), field.nullable) == ("depth below sea level", "km", False)
    assert unit_of(column("stream", TEXT, "stream")) == ""


@pytest.mark.parametrize("key", ["day", "gaps"])
def test_key_fails(key: str) -> None:
    columns = (column("stream", TEXT, "stream"), column("gaps", COUNT, "pieces", optional=True))
    with pytest.raises(ValueError, match=rf"table 'x': key column '{key}' should be one of \['stream'\]"):
        TableSpec(name="x", description="One row.", key=(key,), columns=columns)
