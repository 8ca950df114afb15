"""Names along a time axis: spans cover it once, and names that are chosen never touch."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.figures.calendar import day_names, fitting, months, tiers_between, years

days = st.dates(dt.date(1995, 1, 1), dt.date(2035, 12, 31))
spans = st.tuples(days, st.integers(0, 8000)).map(lambda s: (s[0], s[0] + dt.timedelta(days=s[1])))


@given(spans)
def test_months_and_years_cover_the_axis_once(ends: tuple[dt.date, dt.date]) -> None:
    first, last = ends
    for pieces in (months(first, last), years(first, last)):
        assert pieces[0].start == 0
        assert pieces[-1].stop == (last - first).days + 1
        assert all(one.stop == two.start for one, two in pairwise(pieces))
    starts = [first + dt.timedelta(days=piece.start) for piece in months(first, last)[1:]]
    assert all(start.day == 1 for start in starts)
    assert all(
        start.strftime("%b") == span.names[0]
        for start, span in zip(starts, months(first, last)[1:], strict=True)
    )
    assert [str(day.year) for day in starts if day.month == 1] == [
        span.names[0] for span in years(first, last)[1:]
    ]


def width_mm(name: str) -> float:
    return 1.6 * len(name)


@given(spans, st.floats(0.05, 20))
def test_names_never_touch(ends: tuple[dt.date, dt.date], mm_per_day: float) -> None:
    for tier in tiers_between(*ends, mm_per_day, width_mm):
        assert tier.names == sorted(tier.names)
        for (one, left), (two, right) in pairwise(tier.names):
            assert (two - one) * mm_per_day >= (width_mm(left) + width_mm(right)) / 2 + 0.99


def test_as_many_days_as_there_is_room_for() -> None:
    first, last = dt.date(2020, 2, 27), dt.date(2020, 3, 11)
    assert [name for _, name in day_names(first, last, 4.3, width_mm)][:4] == ["27", "28", "29", "1"]
    assert day_names(first, last, 4.1, width_mm) == [(3.5, "1"), (7.5, "5"), (12.5, "10")]
    assert day_names(first, last, 1.0, width_mm) == []


def test_names_that_fit_nowhere_are_left_out() -> None:
    assert fitting([], 1.0, width_mm) == []
    assert fitting(months(dt.date(2020, 1, 1), dt.date(2020, 12, 31)), 0.05, width_mm) == []


def letter_width_mm(name: str) -> float:
    """Letters are not all as wide: an M takes what two Js do."""
    return sum(
        {"J": 1.0, "F": 1.4, "M": 2.2, "O": 2.0, "N": 1.9, "D": 1.9}.get(letter, 1.6) for letter in name
    )


@given(spans, st.floats(0.02, 1.0))
def test_no_month_within_is_left_without_a_name(ends: tuple[dt.date, dt.date], mm_per_day: float) -> None:
    pieces = months(*ends)
    named = {middle for middle, _ in fitting(pieces, mm_per_day, letter_width_mm)}
    within = {(piece.start + piece.stop) / 2 for piece in pieces[1:-1]}
    assert not named or within <= named


def test_letters_of_all_months_or_of_none() -> None:
    pieces = months(dt.date(2016, 1, 1), dt.date(2021, 12, 31))
    roomy = fitting(pieces, 0.11, letter_width_mm)
    assert "".join(name for _, name in roomy) == 6 * "JFMAMJJASOND"
    assert fitting(pieces, 0.1, letter_width_mm) == []
