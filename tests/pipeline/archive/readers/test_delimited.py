"""Tables in text, laid out by the map."""

from __future__ import annotations

import pytest

from pipeline.archive.pieces import Piece
from pipeline.archive.readers import Problem, open_source
from pipeline.archive.readers.mapping import ColumnRule, CsvRule, SourceRule
from pipeline.errors import ConfigError

EVER = (-(2**62), 2**62)
START_NS = 1_451_606_400_000_000_000  # 2016-01-01


def read(text: str, column: str, layout: CsvRule, **options: object) -> tuple[list[Piece], list[Problem]]:
    columns = (ColumnRule(column=column, channel="NG.G01..LDI"),)
    rule = SourceRule(match="*", columns=columns, csv=layout, **options)  # type: ignore[arg-type]
    file = open_source(text.encode(), "x.csv", rule)
    pieces, problems = file.read(*EVER)
    return pieces, [*file.content.problems, *problems]


LAYOUTS = {
    "plain": ("2016-01-01 00:00:00,7,1.5\n2016-01-01 00:00:01,7,2.5\n", CsvRule()),
    "ISO": (
        "2016-01-01T00:00:00.000Z;7;1.5\r\n2016-01-01T00:00:01.000Z;7;2.5",
        CsvRule(time="%Y-%m-%dT%H:%M:%S", separator=";"),
    ),
    "two columns of time": (
        "date,t,n,hPa\n1.1.2016,00:00,7,1.5\n1.1.2016,00:01,7,2.5\n",
        CsvRule(time="%d.%m.%Y,%H:%M", header_lines=1),
    ),
    "blanks": ("1451606400 7   1.5\n1451606401\t7 2.5\n", CsvRule(time="%s", separator="")),
    "tabs, and an empty cell": (
        "# a\n# b\nid\ttime\tn\thPa\nx\t2016001000000\t\t1.5\nx\t2016001000001\t7\t2.5\n",
        CsvRule(time="%Y%j%H%M%S", separator="\t", header_lines=3, columns_before_time=1),
    ),
}


@pytest.mark.parametrize(("text", "layout"), LAYOUTS.values(), ids=LAYOUTS)
def test_layouts(text: str, layout: CsvRule) -> None:
    pieces, problems = read(text, "hPa" if layout.header_lines else "2", layout)
    assert problems == []
    (piece,) = pieces
    assert piece.samples.tolist() == [1.5, 2.5]
    assert piece.start_ns == START_NS
    assert piece.rate_hz == (1 / 60 if "%H:%M" in layout.time and "%S" not in layout.time else 1.0)


def test_a_clock_read_with_jitter_keeps_its_mean_rate() -> None:
    late_ms = [0, 11, 3, 17, 8, 2, 14, 5, 9, 0]
    text = "".join(f"{1451606400 + i // 2}.{i % 2 * 500 + late_ms[i % 10]:03d},{i}\n" for i in range(600))
    pieces, problems = read(text, "1", CsvRule(time="%s"))
    assert problems == []
    assert {piece.nominal_rate_hz for piece in pieces} == {2.0}
    assert sum(len(piece.samples) for piece in pieces) == 600
    for piece in pieces:
        for index in (0, len(piece.samples) - 1):
            at = piece.start_ns + index * 1e9 / piece.rate_hz
            assert abs(at - START_NS - piece.samples[index] * 5e8) < 100e6


def test_empty_cells_and_undefined_values() -> None:
    text = "".join(f"{1451606400 + i},{cell}\n" for i, cell in enumerate(["1", "", "3", "-999", "NaN", "6"]))
    pieces, problems = read(text, "1", CsvRule(time="%s"), undefined=(-999.0,))
    assert problems == []
    assert [piece.samples.tolist() for piece in pieces] == [[1], [3], [6]]


def test_one_row_with_a_step_that_the_map_gives() -> None:
    pieces, problems = read("1451606400,5\n", "1", CsvRule(time="%s", step_s=10.0))
    assert problems == []
    assert pieces[0].nominal_rate_hz == 0.1
    pieces, problems = read("1451606400,5\n", "1", CsvRule(time="%s"))
    assert pieces == []
    assert [problem.reason for problem in problems] == ["no sampling rate"]


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"separator": ",,"}, "separator is"),
        ({"separator": "1"}, "separator is"),
        ({"header_lines": -1}, "header_lines is -1"),
        ({"step_s": 0.0}, "step_s is 0.0"),
        ({"time": "noon"}, "time is"),
    ],
)
def test_a_layout_that_can_not_be_is_refused(wrong: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        CsvRule(**wrong)  # type: ignore[arg-type]


def test_more_header_than_file() -> None:
    pieces, problems = read("a,b\n", "1", CsvRule(header_lines=3))
    assert pieces == []
    assert [problem.reason for problem in problems] == ["truncated file"]
