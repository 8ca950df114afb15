"""Days, months and years along a time axis: which of their names have room, and where they stand."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Span", "Tier", "day_names", "fitting", "months", "tiers_between", "years"]

_ROUND_DAYS = (1, 5, 10, 15, 20, 25)


@dataclass(frozen=True, slots=True)
class Span:
    """
    A piece of the axis with names to choose from.

    Parameters
    ----------
    start, stop : int
        Its first day, and the day after its last, counted from the first day of the axis.
    names : tuple of str
        What it may be called, the longest name first.
    """

    start: int
    stop: int
    names: tuple[str, ...]


def years(first: dt.date, last: dt.date) -> list[Span]:
    """
    Return the years from one day to another, both included.

    >>> years(dt.date(2019, 12, 30), dt.date(2020, 1, 3))
    [Span(start=0, stop=2, names=('2019',)), Span(start=2, stop=5, names=('2020',))]
    """
    return [
        _span(first, last, dt.date(year, 1, 1), dt.date(year, 12, 31), (str(year),))
        for year in range(first.year, last.year + 1)
    ]


def months(first: dt.date, last: dt.date) -> list[Span]:
    """
    Return the months from one day to another, both included.

    >>> months(dt.date(2020, 2, 28), dt.date(2020, 3, 1))
    [Span(start=0, stop=2, names=('Feb', 'F')), Span(start=2, stop=3, names=('Mar', 'M'))]
    """
    spans = []
    for count in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month = divmod(count, 12)
        length = calendar.monthrange(year, month + 1)[1]
        # English names whatever the locale of the process.
        name = "JanFebMarAprMayJunJulAugSepOctNovDec"[3 * month : 3 * month + 3]
        start, stop = dt.date(year, month + 1, 1), dt.date(year, month + 1, length)
        spans.append(_span(first, last, start, stop, (name, name[0])))
    return spans


def day_names(
    first: dt.date, last: dt.date, mm_per_day: float, width_mm: Callable[[str], float], *, gap_mm: float = 1.0
) -> list[tuple[float, str]]:
    """
    Choose the days that have room for their number: all, or the 1st, 5th, 10th, ... of each month, or none.

    Returns
    -------
    list of (float, str)
        The middle of each day that is named, in days from the first, and its number.

    Examples
    --------
    >>> first, last = dt.date(2020, 2, 23), dt.date(2020, 3, 6)
    >>> [name for _, name in day_names(first, last, 1.0, lambda name: 1.5 * len(name))]
    ['25', '1', '5']
    """
    need_mm = width_mm("30") + gap_mm
    if need_mm > 4 * mm_per_day:  # from the 25th to the 1st there are four days at least
        return []
    days = [first + dt.timedelta(days=count) for count in range((last - first).days + 1)]
    return [
        ((day - first).days + 0.5, str(day.day))
        for day in days
        if need_mm <= mm_per_day or day.day in _ROUND_DAYS
    ]


def _span(first: dt.date, last: dt.date, start: dt.date, stop: dt.date, names: tuple[str, ...]) -> Span:
    start, stop = max(first, start), min(last, stop)
    return Span((start - first).days, (stop - first).days + 1, names)


def fitting(
    spans: Sequence[Span], mm_per_day: float, width_mm: Callable[[str], float], *, gap_mm: float = 1.0
) -> list[tuple[float, str]]:
    """
    Choose one name for all spans: the longest that fits each of them, or none.

    A row of names with holes reads as if something were missing there. Only the first and the last span,
    which the ends of the axis may cut short, are left without a name where it does not fit them.

    Parameters
    ----------
    spans : sequence of Span
        Pieces of one kind.
    mm_per_day : float
        Scale of the axis.
    width_mm : callable
        Measures a name.
    gap_mm : float
        What must stay free between two names.

    Returns
    -------
    list of (float, str)
        The middle of each span that is named, in days, and its name.

    Examples
    --------
    >>> spans = [Span(0, 31, ("Jan", "J")), Span(31, 60, ("Feb", "F")), Span(60, 62, ("Mar", "M"))]
    >>> fitting(spans, 0.2, lambda name: 2.0 * len(name))
    [(15.5, 'J'), (45.5, 'F')]
    >>> fitting(spans, 0.3, lambda name: 2.0 * len(name))
    [(15.5, 'Jan'), (45.5, 'Feb')]
    """
    for choice in range(len(spans[0].names) if spans else 0):
        fits = [
            width_mm(span.names[choice]) + gap_mm <= (span.stop - span.start) * mm_per_day for span in spans
        ]
        if any(fits) and all(fits[1:-1]):
            return [
                ((span.start + span.stop) / 2, span.names[choice])
                for span, fit in zip(spans, fits, strict=True)
                if fit
            ]
    return []


@dataclass(frozen=True, slots=True)
class Tier:
    """
    One line of names below a time axis.

    Parameters
    ----------
    names : list of (float, str)
        Where each name is centred, in days from the first of the axis; empty where none has room.
    bounds : list of int
        Where a line parts one name's span from the next, in days from the first of the axis.
    weight : str
        Of the font.
    line_pt : float
        Width of the lines.
    """

    names: list[tuple[float, str]]
    bounds: list[int]
    weight: str
    line_pt: float


def tiers_between(
    first: dt.date, last: dt.date, mm_per_day: float, width_mm: Callable[[str], float]
) -> list[Tier]:
    """
    Return the names that have room between two days, both included, the finest first.

    Parameters
    ----------
    first, last : date
        Ends of the axis.
    mm_per_day : float
        Its scale.
    width_mm : callable
        Measures a name.

    Examples
    --------
    >>> tiers = tiers_between(dt.date(2020, 1, 1), dt.date(2021, 12, 31), 0.3, lambda name: 2.0 * len(name))
    >>> [[name for _, name in tier.names][:3] for tier in tiers]
    [['Jan', 'Feb', 'Mar'], ['2020', '2021']]
    """
    tiers = [Tier(day_names(first, last, mm_per_day, width_mm), [], "normal", 0.0)]
    for spans, weight, line_pt in (
        (months(first, last), "normal", 0.3),
        (years(first, last), "bold", 0.7),
    ):
        names = fitting(spans, mm_per_day, width_mm)
        tiers.append(Tier(names, [span.start for span in spans[1:]], weight, line_pt))
    return [tier for tier in tiers if tier.names or tier.bounds]
