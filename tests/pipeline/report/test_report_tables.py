"""Tables say what they hold, and sort by numbers that they don't show."""

import datetime as dt
from typing import Any

import pytest
from lxml import html

from pipeline.errors import ConfigError
from pipeline.report import Code, Column, Link, Sheet, Table


def cells(table: Table) -> list[list[Any]]:
    tree = html.fromstring(table.write(Sheet()))
    return [list(row) for row in tree.xpath(".//tbody/tr")]


def test_cells_are_shown_and_sorted_by_what_they_are() -> None:
    row = ["GTA", -1.256, 12, None, float("nan"), dt.date(2021, 3, 4), Link("DOI", "https://doi.org/1"), True]
    columns = ["a", Column("b", "dB", 1), "c", "d", "e", "f", "g", "h"]
    (shown,) = cells(Table("Things", columns, [row]))
    assert [cell.text_content() for cell in shown] == [
        "GTA",
        "−1.3",
        "12",
        "–",
        "–",
        "2021-03-04",
        "DOI",
        "yes",
    ]
    assert [cell.get("data-sort") for cell in shown] == [None, "-1.256", "12", "", "", None, None, None]
    assert shown[0].tag == "th"
    assert shown[0].get("scope") == "row"


def test_times_are_in_utc() -> None:
    time = dt.datetime(2021, 1, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    ((shown,),) = cells(Table("Times", ["time"], [[time]]))
    assert shown.text_content() == "2021-01-01 00:00:00"
    with pytest.raises(ConfigError, match="should have a time zone"):
        Table("Times", ["time"], [[dt.datetime(2021, 1, 1)]])  # noqa: DTZ001


def test_region_is_named_by_its_caption_and_reached_by_keys() -> None:
    tree = html.fromstring(Table("Picks <all>", ["a"], [["1"]]).write(Sheet()))
    assert (tree.get("role"), tree.get("tabindex")) == ("region", "0")
    assert tree.get_element_by_id(tree.get("aria-labelledby")).text_content() == "Picks <all>"


def test_row_of_another_length_is_refused() -> None:
    with pytest.raises(ConfigError, match="row 1 has 2 cells, should have 1"):
        Table("Picks", ["a"], [["x"], ["y", "z"]])


def test_table_without_rows_says_so() -> None:
    assert "Picks: none were made" in Table("Picks", ["a"], [], empty="none were made").write(Sheet())


def test_code_in_a_cell_is_code() -> None:
    ((shown,),) = cells(Table("Runs", ["run"], [[Code("a<b")]], has_row_headings=False))
    assert shown.tag == "td"
    assert shown.xpath("code")[0].text == "a<b"
