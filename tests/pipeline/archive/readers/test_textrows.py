"""Rows out of text: every decimal to the nearest double, every time to the nanosecond, in any layout."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.archive.readers.moments import Moment
from pipeline.archive.readers.textrows import BAD_VALUE, LONG, NO_TIME, ROW, SHORT, Rows, parse_rows
from pipeline.errors import ConfigError

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
GGP = Moment.of("%Y%m%d %H%M%S", fixed=True)
UNIX = Moment.of("%s")
TIMES = st.integers(-2_208_988_800_000, 7_258_118_399_999).map(
    lambda milliseconds: EPOCH + dt.timedelta(milliseconds=milliseconds)
)


def parse(text: str, layout: Moment = UNIX, columns: int = 1, **options: object) -> Rows:
    return parse_rows(text.encode(), 0, layout, picks=list(range(columns)), columns=columns, **options)  # type: ignore[arg-type]


def nanoseconds(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1) * 1000


@given(st.from_regex(r"[+-]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][+-]?[0-9]{1,3})?", fullmatch=True))
@example("9007199254740993")  # between two doubles
@example("0.1")
@example("-99999.999")
@example("123456789012345678901234567890.5")
@example("1e-400")
@example("1e400")
@example("-0.0")
def test_a_decimal_is_the_nearest_double(text: str) -> None:
    for written in (text, text.replace("e", "D").replace("E", "d")):
        rows = parse(f"0 {written}\n")
        assert rows.kind.tolist() == [ROW]
        assert rows.values[0, 0].tobytes() == np.float64(float(text)).tobytes()


@pytest.mark.parametrize("word", ["NaN", "nan", "NA", "null", "*********"])
def test_words_that_stand_for_no_value(word: str) -> None:
    rows = parse(f"0 {word} 2\n", columns=2)
    assert rows.kind.tolist() == [ROW]
    assert math.isnan(rows.values[0, 0])
    assert rows.values[1, 0] == 2


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("0 1 2", ROW),
        ("  0\t1   2 \r", ROW),
        ("0 1-2", ROW),
        ("0 1+2.5e1", ROW),
        ("0 1", SHORT),
        ("0", SHORT),
        ("0 1 2 3", LONG),
        ("0 1 x2", BAD_VALUE),
        ("0 1.5abc 2", BAD_VALUE),
        ("0 1.2.3 4", BAD_VALUE),
        ("-5 1 2", NO_TIME),
        ("power failure", NO_TIME),
        ("99999999999 1 2", NO_TIME),  # beyond 2200
    ],
)
def test_what_a_line_is(line: str, kind: int) -> None:
    rows = parse(f"\n{line}\n\n", columns=2)
    assert rows.kind.tolist() == [kind]
    assert rows.offset.tolist() == [1]


@given(TIMES)
def test_times_in_every_layout(moment: dt.datetime) -> None:
    whole = moment.replace(microsecond=0)
    fraction = f"{moment.microsecond // 1000:03d}"
    blanks = "".join(f"{number:2d}" for number in (whole.hour, whole.minute, whole.second))
    cases = [
        (GGP, whole, f"{whole:%Y%m%d %H%M%S}"),
        (GGP, whole, f"{whole:%Y%m%d} {blanks}"),
        (GGP, whole, f"{whole:%Y%m%d} {int(f'{whole:%H%M%S}'):6d}"),
        (Moment.of("%Y %m %d %H %M %S"), whole, f"{whole:%Y %m %d  %H %M %S}"),
        (Moment.of("%Y %m %d %H %M %S %L"), moment, f"{whole:%Y %m %d  %H %M %S} {fraction}"),
        (Moment.of("%Y-%m-%dT%H:%M:%S"), moment, f"{whole:%Y-%m-%dT%H:%M:%S}.{fraction}"),
        (Moment.of("%d.%m.%Y %H:%M:%S"), whole, f"{whole:%d.%m.%Y %H:%M:%S}"),
        (Moment.of("%Y%m%d%H%M%S"), whole, f"{whole:%Y%m%d%H%M%S}"),
        (Moment.of("%Y.%j %H:%M"), whole.replace(second=0), f"{whole:%Y.%j %H:%M}"),
    ]
    for layout, expected, written in cases:
        rows = parse(f"{written}   1.5\n", layout)
        assert rows.kind.tolist() == [ROW], written
        assert rows.time_ns.tolist() == [nanoseconds(expected)], written


def test_seconds_since_1970_with_a_fraction() -> None:
    assert parse("1577836800.250000001 1").time_ns.tolist() == [1_577_836_800_250_000_001]


@pytest.mark.parametrize(
    "written",
    [
        "0001 01 01 01 01 01",  # what an iGrav writes when it has no clock
        "2020 13 01 00 00 00",
        "2020 00 01 00 00 00",
        "2021 02 29 00 00 00",
        "2020 04 31 00 00 00",
        "2020 01 01 24 00 00",
        "2020 01 01 00 60 00",
        "2016 12 31 23 59 60",
    ],
)
def test_no_such_time(written: str) -> None:
    assert parse(f"{written} 1.5\n", Moment.of("%Y %m %d %H %M %S")).kind.tolist() == [NO_TIME]


def test_separators_empty_cells_and_columns_that_are_not_read() -> None:
    text = "17;2020-01-01;00:00:00;1.5;;3\n18;2020-01-01;00:00:01;;x;4;\n19;2020-01-01;00:00:02Z; -7 ;8;\n"
    layout = Moment.of("%Y-%m-%d;%H:%M:%S")
    rows = parse_rows(text.encode(), 0, layout, picks=[2, 0], columns=3, separator=";", before_time=1)
    assert rows.kind.tolist() == [ROW, LONG, ROW]
    np.testing.assert_array_equal(rows.values[:, [0, 2]], [[3, np.nan], [1.5, -7]])
    assert np.diff(rows.time_ns)[0] == 10**9


def test_undefined_values_are_missing() -> None:
    rows = parse(
        "0 9999.9990\n1 9999.998\n2 12345678901234567890.5\n", undefined=(9999.999, 12345678901234567890.5)
    )
    np.testing.assert_array_equal(rows.values[0], [np.nan, 9999.998, np.nan])


@pytest.mark.parametrize("layout", ["%H:%M", "%Y-%m", "%Y-%m-%d %Q", "%Y%Y%m%d", "%Y-%m-%d ü", "%"])
def test_a_layout_that_gives_no_time_is_refused(layout: str) -> None:
    with pytest.raises(ConfigError, match="time is"):
        Moment.of(layout)
