"""Tables that can be sorted and filtered by a script, and read without one."""

from __future__ import annotations

import datetime as dt
import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from pipeline.errors import ConfigError
from pipeline.report.markup import Attributes, Markup, element, escape, join, number_text
from pipeline.report.parts import Code, Link, inline
from pipeline.report.sheet import Sheet

__all__ = ["Cell", "Column", "Table"]

Cell: TypeAlias = str | float | bool | dt.date | dt.datetime | Link | Code | None
"""A value; None and NaN are missing ones, which sort last."""


_LONG: Final = 40  # letters, from which a text may take several lines


@dataclass(frozen=True, slots=True)
class Column:
    """
    A column.

    Parameters
    ----------
    heading : str
    unit : str
    digits : int, optional
        Of its numbers, behind the point.
    """

    heading: str
    unit: str = ""
    digits: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table.

    Parameters
    ----------
    caption : str
    columns : sequence of Column or str
    rows : sequence of sequences
        Of text, numbers, dates (times in UTC), links, None.
    has_row_headings : bool
        Whether the first column names the row.
    empty : str
        What is said where there are no rows.

    Raises
    ------
    ConfigError
        A row has more or fewer cells than there are columns, or a time has no time zone.

    Examples
    --------
    >>> table = Table("Levels", ["station", Column("level", "dB", 1)], [["GTA", -152.34]])
    >>> "−152.3" in table.write(Sheet())
    True
    """

    caption: str
    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Cell]]
    has_row_headings: bool = True
    empty: str = "There is nothing to list."

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ConfigError(
                    f"table {self.caption!r}: row {number} has {len(row)} cells, should have"
                    f" {len(self.columns)}"
                )
            for cell in row:
                if isinstance(cell, dt.datetime):
                    _utc(cell)

    def write(self, sheet: Sheet) -> Markup:
        """See `Part.write`."""
        columns = [Column(column) if isinstance(column, str) else column for column in self.columns]
        caption_id = sheet.new_id(f"table {self.caption}")
        caption = element("caption", {"id": caption_id}, escape(self.caption))
        if not self.rows:
            return element(
                "div", {"class": "empty"}, element("p", None, escape(f"{self.caption}: {self.empty}"))
            )
        sheet.use("table")
        numeric = [any(_is_number(row[number]) for row in self.rows) for number in range(len(columns))]
        head = element("thead", None, element("tr", None, *map(_heading, columns, numeric)))
        body = element("tbody", None, join(*(self._row(row, columns, numeric) for row in self.rows)))
        table = element("table", {"data-sortable": True}, caption, head, body)
        scroll: Attributes = {
            "class": "scroll",
            "role": "region",
            "aria-labelledby": caption_id,
            "tabindex": 0,
        }
        return element("div", scroll, table)

    def _row(self, row: Sequence[Cell], columns: Sequence[Column], numeric: Sequence[bool]) -> Markup:
        cells = []
        for number, (cell, column) in enumerate(zip(row, columns, strict=True)):
            attributes: dict[str, str | bool | None] = {
                "class": "number" if numeric[number] else "long" if _is_long(cell) else None,
                "data-sort": _sort_key(cell),
            }
            is_heading = number == 0 and self.has_row_headings
            if is_heading:
                attributes["scope"] = "row"
            cells.append(element("th" if is_heading else "td", attributes, _shown(cell, column)))
        return element("tr", None, *cells)


def _heading(column: Column, is_number: bool) -> Markup:
    text = f"{column.heading} ({column.unit})" if column.unit else column.heading
    return element("th", {"scope": "col", "class": "number" if is_number else None}, escape(text))


def _is_long(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) > _LONG


def _is_number(cell: Cell) -> bool:
    return not isinstance(cell, (bool, str)) and isinstance(cell, numbers.Real)


def _shown(cell: Cell, column: Column) -> Markup:
    if cell is None:
        return escape("–")
    if isinstance(cell, bool):
        return escape("yes" if cell else "no")
    if isinstance(cell, (str, Link, Code)):
        return inline(cell)
    if isinstance(cell, dt.datetime):
        return escape(_utc(cell).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00"))
    if isinstance(cell, dt.date):
        return escape(cell.isoformat())
    is_count = isinstance(cell, numbers.Integral)
    return escape(number_text(float(cell), 0 if is_count and column.digits is None else column.digits))


def _sort_key(cell: Cell) -> str | None:
    # Text and dates sort as they are shown; numbers don't, for their minus and their missing digits.
    if cell is None:
        return ""
    if isinstance(cell, (str, bool, Link, Code, dt.date)):
        return None
    return f"{float(cell):.10g}" if math.isfinite(cell) else ""


def _utc(time: dt.datetime) -> dt.datetime:
    if time.tzinfo is None:
        raise ConfigError(f"time {time}: should have a time zone, as datetime.UTC")
    return time.astimezone(dt.UTC)
