"""TSoft files: tags, units, undefined values, fractions of seconds, several blocks, corrections."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.archive.pieces import Piece, sample_times_ns
from pipeline.archive.readers import Problem, SourceRule, open_source
from pipeline.archive.readers.mapping import ColumnRule
from pipeline.synthetic.gravity.gravity_files import tsf_bytes

EVER = (-(2**62), 2**62)
START_S = 1_451_606_400  # 2016-01-01
SECOND = 1_000_000_000
RULE = SourceRule(
    match="*",
    columns=(
        ColumnRule(column="Grav-1", channel="NG.G01..LGZ"),
        ColumnRule(column="Site:SG:Baro-1", channel="NG.G01..LDI"),
    ),
)
HEAD = """[TSF-file] v01.0

[UNDETVAL] 9999.999

[TIMEFORMAT] DATETIME

[INCREMENT] 1

[CHANNELS]
  Site:SG:Grav-1
  Site:SG:Baro-1

[UNITS]
  V
  hPa

[COMMENT]
  2016 01 01  00 00 00  1.0 2.0 (a comment may look like a row)

[COUNTINFO] 3

[DATA]
"""
ROWS = """2016 01 01  00 00 00      1.0   1013.0
2016 01 01  00 00 01      2.0   1013.1
2016 01 01  00 00 02      3.0   1013.2
"""


def read(text: str, rule: SourceRule | None = RULE) -> tuple[dict[str, list[Piece]], list[Problem]]:
    file = open_source(text.encode(), "x", rule)
    pieces, problems = file.read(*EVER)
    by_channel: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_channel.setdefault(piece.channel.code, []).append(piece)
    return by_channel, [*file.content.problems, *problems]


def values(pieces: list[Piece]) -> list[list[float]]:
    return [piece.samples.tolist() for piece in pieces]


def test_what_was_written() -> None:
    gravity = np.round(np.random.default_rng(0).normal(0, 500, 1000), 4)
    gravity[[5, 6, 999]] = np.nan
    pressure = np.round(np.linspace(1000, 1020, 1000), 4)
    data = tsf_bytes(
        [("Grav-1", "nm/s^2", gravity), ("tilt", "V", gravity), ("Baro-1", "hPa", pressure)],
        first_s=START_S, site="Site", instrument="SG", step_s=60,
    )  # fmt: skip
    pieces, problems = read(data.decode())
    assert problems == []
    assert values(pieces["LDI"]) == [pressure.tolist()]
    first, second = pieces["LGZ"]
    assert [*first.samples, *second.samples] == gravity[~np.isnan(gravity)].tolist()
    assert second.start_ns == (START_S + 7 * 60) * SECOND
    assert first.rate_hz == first.nominal_rate_hz == 1 / 60


def test_tags_in_any_order_and_crlf() -> None:
    text = HEAD.replace("[UNDETVAL] 9999.999\n\n", "").replace("[DATA]", "[UNDETVAL] 1013.1\n\n[DATA]")
    pieces, problems = read((text + ROWS).replace("\n", "\r\n"))
    assert problems == []
    assert values(pieces["LDI"]) == [[1013.0], [1013.2]]
    assert values(pieces["LGZ"]) == [[1, 2, 3]]


def test_milliseconds() -> None:
    rows = "".join(
        f"2016 01 01  00 00 {i * 540 // 1000:02d} {i * 540 % 1000:03d}  {i}.0 1.0\n" for i in range(9)
    )
    for name in ("DATETIMEFRAC", "DATETIMEFRACT"):
        head = HEAD.replace("DATETIME", name).replace("[INCREMENT] 1", "[INCREMENT] 0.54")
        pieces, problems = read(head.replace("[COUNTINFO] 3", "") + rows)
        assert problems == []
        (piece,) = pieces["LGZ"]
        assert sample_times_ns(piece.start_ns, piece.rate_hz, 9).tolist() == [
            START_S * SECOND + i * 540_000_000 for i in range(9)
        ]


@pytest.mark.parametrize("increment", ["[INCREMENT] 1\n", "[INCREMENT]\n", ""])
def test_the_increment_may_be_missing(increment: str) -> None:
    pieces, problems = read(HEAD.replace("[INCREMENT] 1\n", increment) + ROWS)
    assert problems == []
    assert pieces["LGZ"][0].nominal_rate_hz == 1


def test_one_row_and_an_increment_are_enough() -> None:
    pieces, problems = read(HEAD.replace("[COUNTINFO] 3", "[COUNTINFO] 1") + ROWS.splitlines()[0] + "\n")
    assert problems == []
    assert values(pieces["LGZ"]) == [[1]]


def test_times_that_an_acquisition_lost() -> None:
    bad = "0001 01 01  01 01 01      2.0   1013.1\n"
    pieces, problems = read(HEAD + ROWS[:39] + bad + ROWS[78:])
    assert [(problem.reason, problem.lost) for problem in problems] == [("unreadable line", True)]
    assert "0001 01 01" in problems[0].detail
    assert f"line {HEAD.count(chr(10)) + 2}" in problems[0].detail
    assert values(pieces["LGZ"]) == [[1], [3]]


def test_two_blocks_of_data_and_corrections() -> None:
    later = ROWS.replace("2016 01 01", "2016 01 02")
    step = "[STEP] Site:SG:Grav-1\n2016 01 01  00 00 01 5.0 7.0\n\n"
    pieces, problems = read(HEAD + ROWS + step + "[DATA]\n" + later)
    assert [(problem.reason, problem.lost) for problem in problems] == [("corrections stated", False)]
    assert "STEP" in problems[0].detail
    assert values(pieces["LGZ"]) == [[1, 2, 3], [1, 2, 3]]


def test_fewer_rows_than_stated() -> None:
    pieces, problems = read(HEAD + "".join(ROWS.splitlines(keepends=True)[:2]))
    assert [(problem.reason, problem.lost) for problem in problems] == [("truncated file", True)]
    assert values(pieces["LGZ"]) == [[1, 2]]


def test_a_row_that_breaks_off() -> None:
    pieces, problems = read(HEAD + ROWS[:-2])  # 1013.2 became 1013.
    assert {problem.reason for problem in problems} == {"truncated file"}
    assert values(pieces["LDI"]) == [[1013.0, 1013.1]]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD.replace("[DATA]", ""), "truncated file"),
        (HEAD.replace("DATETIME", "JULIAN") + ROWS, "unknown time format"),
        (HEAD.replace("Baro-1", "Grav-1") + ROWS, "no such column"),
    ],
)
def test_headers_that_can_not_be_used(text: str, reason: str) -> None:
    _, problems = read(text)
    assert reason in [problem.reason for problem in problems]


def test_a_unit_other_than_the_map_says() -> None:
    column = ColumnRule(column="Grav-1", channel="NG.G01..LGZ", unit="nm/s²")
    pieces, problems = read(HEAD + ROWS, SourceRule(match="*", columns=(column,)))
    assert pieces == {}
    assert [problem.reason for problem in problems] == ["other unit"]
