"""GGP and IGETS files: by the book, by our writer, and as stations wrote them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.pieces import Piece, sample_times_ns
from pipeline.archive.readers import Problem, SourceRule, open_source
from pipeline.archive.readers.mapping import ColumnRule
from pipeline.synthetic.gravity.gravity_files import ggp_bytes

EVER = (-(2**62), 2**62)
START_S = 1_451_606_400  # 2016-01-01
SECOND = 1_000_000_000
GRAVITY = ColumnRule(column="gravity", channel="NG.G01..LGZ")
PRESSURE = ColumnRule(column="pressure", channel="NG.G01..LDI")
BOTH = SourceRule(match="*", columns=(GRAVITY, PRESSURE))
HEAD = """Filename            : x.ggp
Station             : Wettzell
yyyymmdd hhmmss gravity(nm/s**2) pressure(hPa)
C*******************************************
"""


def read(
    text: str | bytes, rule: SourceRule | None = BOTH, name: str = "x.ggp"
) -> tuple[dict[str, list[Piece]], list[Problem]]:
    """Return the pieces by channel, and all problems."""
    data = text.encode() if isinstance(text, str) else text
    file = open_source(data, name, rule)
    pieces, problems = file.read(*EVER)
    by_channel: dict[str, list[Piece]] = {}
    for piece in pieces:
        by_channel.setdefault(piece.channel.code, []).append(piece)
    return by_channel, [*file.content.problems, *problems]


def as_dict(pieces: list[Piece]) -> dict[int, float]:
    """Return samples by time; a time that is there twice fails."""
    found: dict[int, float] = {}
    for piece in pieces:
        times = sample_times_ns(piece.start_ns, piece.rate_hz, len(piece.samples)).tolist()
        assert not found.keys() & set(times)
        found |= dict(zip(times, piece.samples.tolist(), strict=True))
    return found


def lines(*rows: str) -> str:
    return HEAD + "77777777            0.000     0.000\n" + "\n".join(rows) + "\n99999999\n"


@given(
    st.lists(st.none() | st.integers(-99_998_999, 99_998_999), min_size=2, max_size=40),
    st.sampled_from([1, 60]),
)
def test_what_was_written(thousandths: list[int | None], step_s: int) -> None:
    gravity = np.array([np.nan if number is None else number / 1000 for number in thousandths])
    data = ggp_bytes(
        gravity, np.arange(len(gravity)) + 1000.0, first_s=START_S, filename="x.ggp", station="W",
        instrument="SG", latitude_deg=49.1, longitude_deg=12.9, height_m=600.0, step_s=step_s,
    )  # fmt: skip
    expected = {
        (START_S + step_s * i) * SECOND: value for i, value in enumerate(gravity.tolist()) if value == value
    }
    pieces, problems = read(data)
    if problems:  # too few rows to tell a rate
        assert [problem.reason for problem in problems] in (["no sampling rate"], ["uneven times"])
        return
    found = as_dict(pieces.get("LGZ", []))
    if len(expected) > 1 and min(np.diff(sorted(expected))) == step_s * SECOND:
        assert found == expected
        assert {piece.nominal_rate_hz for piece in pieces["LGZ"]} == {1 / step_s}


def test_times_as_fortran_writes_them() -> None:
    pieces, problems = read(
        lines(
            "20160101      0 -1788.305   983.872",
            "20160101      1 -1788.306   983.873",
            "20160101  0 0 2 -1788.307   983.874",
            "20160101000003  -1788.308   983.875",
            "20160101 000004 -1788.309   983.876\r",
        )
    )
    assert [problem.reason for problem in problems] == ["unreadable line"]
    assert sorted(as_dict(pieces["LGZ"])) == [(START_S + second) * SECOND for second in (0, 1, 2, 4)]


def test_numbers_that_touch() -> None:
    pieces, problems = read(
        lines(
            "20160101 000000-12345.678-12345.678",
            "20160101 000001999999.999999999.999",
            "20160101 000002123456.789  1013.250",
            "20160101 000003123456.789123456.789",
            "20160101 000004 1.2345D+03 1.01E+03",
        )
    )
    assert problems == []
    gravity, pressure = as_dict(pieces["LGZ"]), as_dict(pieces["LDI"])
    assert list(gravity.values()) == [-12345.678, 123456.789, 123456.789, 1234.5]
    assert list(pressure.values()) == [-12345.678, 1013.25, 123456.789, 1010.0]


@pytest.mark.parametrize("value", ["99999.999", "999999.999", "999.999999"])
def test_undefined_in_one_column_only(value: str) -> None:
    pieces, problems = read(
        lines(
            "20160101 000000     1.000  1013.000",
            f"20160101 000001 {value}  1013.001",
            "20160101 000002     3.000  1013.002",
        )
    )
    assert problems == []
    assert [len(piece.samples) for piece in pieces["LGZ"]] == [1, 1]
    assert [len(piece.samples) for piece in pieces["LDI"]] == [3]


def test_a_gap_needs_no_block_and_a_block_needs_no_gap() -> None:
    rows = [f"20160101 0000{second:02d} {second}.0 1013.0" for second in range(12)]
    pieces, problems = read(lines(*rows[:3], *rows[5:8], "99999999", "77777777 0.0 0.0", *rows[8:]))
    assert problems == []
    assert [len(piece.samples) for piece in pieces["LGZ"]] == [3, 3, 4]
    assert [int(value) for piece in pieces["LGZ"] for value in piece.samples] == [0, 1, 2, *range(5, 12)]
    assert len({piece.chain for piece in pieces["LGZ"]}) == 3


def test_offsets_are_told_and_not_applied() -> None:
    text = lines("20160101 000000 1.0 1013.0", "20160101 000001 1.0 1013.0")
    pieces, problems = read(text.replace("77777777            0.000", "77777777            5.500"))
    assert [(problem.reason, problem.lost) for problem in problems] == [("offset stated", False)]
    assert pieces["LGZ"][0].samples.tolist() == [1, 1]


def test_times_that_repeat_and_run_back() -> None:
    seconds = [0, 1, 1, 2, 3, 2, 3, 4]
    rows = [f"20160101 00000{second} {number}.0 1013.0" for number, second in enumerate(seconds)]
    pieces, problems = read(lines(*rows))
    assert [(problem.reason, problem.lost) for problem in problems] == [("times out of order", False)]
    assert "2 rows" in problems[0].detail
    assert [piece.samples.tolist() for piece in pieces["LGZ"]] == [[0, 1], [2, 3, 4], [5, 6, 7]]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(
            lines(*(f"20160101 00000{s} {s}.0 1013.0" for s in range(3))).splitlines()[4:]
        ),  # no header
        lines(*(f"20160101 00000{s} {s}.0 1013.0\n" for s in range(3))),  # blank lines
        lines(*(f"20160101 00000{s} {s}.0 1013.0" for s in range(3))).replace("\n", "\r\n"),
        lines(*(f"  20160101 00000{s}\t{s}.0\t1013.0" for s in range(3))),
        lines(*(f"20160101 00000{s} {s}.0 1013.0" for s in range(3))) + "88888888",
        lines(*(f"20160101 00000{s} {s}.0 1013.0" for s in range(3))) + "\x1a",
    ],
    ids=["no header", "blank lines", "CRLF", "tabs", "ETERNA's end", "DOS's end"],
)
def test_layouts_that_stations_have(text: str) -> None:
    rule = SourceRule(match="*", columns=(ColumnRule(column="1", channel="NG.G01..LGZ"),))
    pieces, problems = read(text, rule)
    assert problems == []
    (piece,) = pieces["LGZ"]
    assert piece.samples.tolist() == [0, 1, 2]
    assert piece.start_ns == START_S * SECOND


def test_calibration_delay_and_unit() -> None:
    text = lines("20160101 000000 1.5 1013.0", "20160101 000001 2.0 1013.0").replace("nm/s**2", "V")
    volts = ColumnRule(column="gravity", channel="NG.G01..LGZ", calibration=-784.22, delay_s=8.4, unit="V")
    pieces, problems = read(text, SourceRule(match="*", columns=(volts, PRESSURE)))
    assert problems == []
    assert pieces["LGZ"][0].samples.tolist() == [1.5 * -784.22, 2.0 * -784.22]
    assert pieces["LGZ"][0].start_ns == START_S * SECOND - 8_400_000_000
    assert pieces["LDI"][0].start_ns == START_S * SECOND
    calibrated = ColumnRule(column="gravity", channel="NG.G01..LGZ", unit="nm/s^2")
    pieces, problems = read(text, SourceRule(match="*", columns=(calibrated, PRESSURE)))
    assert [(problem.reason, problem.lost) for problem in problems] == [("other unit", True)]
    assert list(pieces) == ["LDI"]


def test_without_a_map_the_columns_are_named() -> None:
    pieces, problems = read(lines("20160101 000000 1.0 1013.0"), None)
    assert pieces == {}
    assert [(problem.reason, problem.lost) for problem in problems] == [("no channel name", True)]
    assert "1 gravity (nm/s**2), 2 pressure (hPa)" in problems[0].detail


def test_a_column_that_is_not_there() -> None:
    rule = SourceRule(match="*", columns=(GRAVITY, ColumnRule(column="tilt", channel="NG.G01..LAX")))
    pieces, problems = read(lines("20160101 000000 1.0 1.0", "20160101 000001 1.0 1.0"), rule)
    assert list(pieces) == ["LGZ"]
    assert [problem.reason for problem in problems] == ["no such column"]
    assert "'tilt'" in problems[0].detail


def test_a_second_rate_inside_is_told_or_split_but_never_misplaced() -> None:
    rows = [f"20160101 0000{second:02d} {second}.0 1013.0" for second in [*range(10), 20, 30, 40, 50]]
    pieces, _ = read(lines(*rows))
    assert as_dict(pieces["LGZ"]) == {
        (START_S + second) * SECOND: float(second) for second in [*range(10), 20, 30, 40, 50]
    }


def test_times_without_any_order_are_refused() -> None:
    rng = np.random.default_rng(1)
    clock = np.cumsum(rng.integers(1, 400, 2000))
    rows = [
        f"20160101 {s // 3600:02d}{s // 60 % 60:02d}{s % 60:02d} 1.0 1013.0" for s in clock[clock < 86_400]
    ]
    many = [row.replace("20160101", f"2016010{day}") for day in range(1, 10) for row in rows]
    pieces, problems = read(lines(*many))
    assert pieces == {}
    assert [problem.reason for problem in problems] == ["uneven times"]
