"""What a map shows: one value at each station, out of a noise product and over any span of days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
import pyarrow.compute as pc

from pipeline.archive.grid import DAY_NS, day_number, day_of_number
from pipeline.archive.layouts import Wanted
from pipeline.archive.reading import open_archive
from pipeline.archive.stations import Stations
from pipeline.errors import ConfigError
from pipeline.keys import Stream
from pipeline.maps.observations import Observations, gather, subtract
from pipeline.noise.quiet_magnitudes import QuietMagnitudes, quiet_magnitudes
from workflows.noise.changes import series_of
from workflows.noise.product import MeasuredStream, NoiseProduct
from workflows.noise.quiet import day_spectra
from workflows.noise.rises import Question, find, station_place
from workflows.noise.streams import is_gravimeter

__all__ = ["MAGNITUDES", "RISE_BANDS", "Level", "Span", "observe"]

MAGNITUDES: Final = MappingProxyType(
    {
        "snm": "seismic noise magnitude (200 to 600 s)",
        "ssnm": "sub-seismic noise magnitude (1 to 6 h)",
        "tnm": "tidal noise magnitude (6 to 30 h)",
    }
)
"""Of gravimeters, by the name of their column."""

RISE_BANDS: Final = MappingProxyType({"snm": "200-600s", "ssnm": "3600-21600s"})
"""Whose days a rise of a magnitude is looked for in."""

_PER_MEDIAN: Final = 1.4826
_MEDIAN_LOSS: Final = 1.2533


@dataclass(frozen=True, slots=True)
class Span:
    """Days, both ends included; None where it is open."""

    first: dt.date | None = None
    last: dt.date | None = None

    def __str__(self) -> str:
        if self.first is None and self.last is None:
            return "all days"
        return f"{self.first or '…'} to {self.last or '…'}"

    def within(self, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
        """Return the part of some days that lies in it."""
        return max(first, self.first or first), min(last, self.last or last)


@dataclass(frozen=True, kw_only=True)
class Level:
    """
    What to map.

    Parameters
    ----------
    name : str
        A noise magnitude, or a band of the product.
    span : Span
    minus : Span or None
        Days whose level is taken off: a map of differences.
    rise_before : date or None
        Map the rise of the level over the weeks before a date instead.
    weeks : int
        How many.
    component : str
        Of streams with three.
    streams : tuple of str
        Patterns; empty for all.
    """

    name: str
    span: Span = Span()
    minus: Span | None = None
    rise_before: dt.date | None = None
    weeks: int = 8
    component: str = "Z"
    streams: tuple[str, ...] = ()

    @property
    def is_difference(self) -> bool:
        """Whether zero is the middle of what is mapped."""
        return self.minus is not None or self.rise_before is not None

    @property
    def unit(self) -> str:
        """Of the values."""
        if self.name in MAGNITUDES and self.rise_before is None:
            return ""
        return "dB" if self.is_difference else "dB re 1 (m/s²)²/Hz"

    @property
    def short(self) -> str:
        """In a word or two, as for a scale of colours."""
        what = self.name.upper() if self.name in MAGNITUDES else self.name
        if self.rise_before is not None:
            return f"rise of {what}"
        return f"change of {what}" if self.minus is not None else what

    @property
    def title(self) -> str:
        """In words."""
        what = self.name.upper() if self.name in MAGNITUDES else f"level from {self.name}"
        if self.rise_before is not None:
            return f"rise of the {what} over {self.weeks} weeks before {self.rise_before}"
        if self.minus is not None:
            return f"change of the {what}, {self.span} less {self.minus}"
        return f"{what}, {self.span}"


def observe(product: NoiseProduct, level: Level) -> Observations:
    """
    Return the value of each station.

    Raises
    ------
    ConfigError
        If the product has no such level, or none of the wanted streams does.
    """
    stations = open_archive(product.archive).stations
    if level.rise_before is not None:
        return _rises(product, level)
    found = _observations(product, stations, level, level.span)
    if level.minus is not None:
        found = subtract(found, _observations(product, stations, level, level.minus))
    # Both periods under whole names first: in one of them a station may have a stream more.
    return replace(found, names=tuple(_names(list(found.names))))


def _observations(product: NoiseProduct, stations: Stations, level: Level, span: Span) -> Observations:
    values = _VALUES.get(level.name in MAGNITUDES, _bands)(product, level, span)
    rows = list(values)
    if not rows:
        raise ConfigError(f"{product.url}: no wanted stream has {level.name} over {span}")
    places = [
        station_place(stations, stream, day_number(last) * DAY_NS) or (np.nan, np.nan)
        for stream, *_, last in rows
    ]
    return gather(
        [stream for stream, *_ in rows],
        [longitude for _, longitude in places],
        [latitude for latitude, _ in places],
        [value for _, value, _, _ in rows],
        error=[error for _, _, error, _ in rows],
    )


def _names(streams: list[str]) -> list[str]:
    """
    Name stations by network and station where that is enough, else by their streams.

    >>> _names(["XX.A..HH", "XX.B..HH"]), _names(["XX.A..HH", "XX.A..LGZ"])
    (['XX.A', 'XX.B'], ['XX.A..HH', 'XX.A..LGZ'])
    """
    short = [".".join(stream.split(".")[:2]) for stream in streams]
    return short if len(set(short)) == len(short) else streams


_Row = tuple[str, float, float, dt.date]
"""Stream, value, its error, and the last day that counts in it."""


def _wanted(product: NoiseProduct, level: Level) -> Iterator[MeasuredStream]:
    wanted = Wanted(streams=level.streams)
    return iter([e for e in product.one_rate_each(product.streams()) if wanted.wants(e.stream)])


def _magnitudes(product: NoiseProduct, level: Level, span: Span) -> Iterator[_Row]:
    """Make magnitudes of the span afresh, from the spectra of its days."""
    for stream in _wanted(product, level):
        if is_gravimeter(stream.stream):
            first, last = span.within(*stream.days(product.block_days))
            if first <= last:
                found, last = _between(product, stream, first, last)
                error = found.snm_std if level.name == "snm" else np.nan
                yield str(stream.stream), getattr(found, level.name), error, last


def _between(
    product: NoiseProduct, stream: MeasuredStream, first: dt.date, last: dt.date
) -> tuple[QuietMagnitudes, dt.date]:
    """Return the magnitudes of a span, and its last day with a sample."""
    config = product.config.summary
    days = day_spectra(product, stream)[0].between(day_number(first), day_number(last) + 1)
    there = np.flatnonzero(np.nan_to_num(days.present) > 0)
    found = quiet_magnitudes(
        days,
        count=config.quiet_days,
        runs=config.quiet_runs,
        rank_below_hz=config.rank_below_hz,
        least_present=config.least_present,
    )
    return found, day_of_number(days.first_day + int(there[-1])) if len(there) else last


def _bands(product: NoiseProduct, level: Level, span: Span) -> Iterator[_Row]:
    """Take the median of the days' levels, which one earthquake does not move."""
    names = [str(each.stream) for each in _wanted(product, level)]
    table = product.table("noise_levels", names) if names else product.table("noise_levels").slice(0, 0)
    bands = sorted(set(table["band"].to_pylist()))
    if level.name not in bands:
        known = ", ".join([*MAGNITUDES, *bands])
        raise ConfigError(f"{product.url}: --level {level.name} is none of {known}")
    own = table.filter(pc.and_(pc.equal(table["band"], level.name), pc.equal(table["span"], "day")))
    for stream, component, _, day, value in series_of(own, "day"):
        if Stream.parse(stream).is_three_component and component != level.component:
            continue
        first, last = (day_of_number(int(each)) for each in (day[0], day[-1]))
        low, high = (day_number(each) for each in span.within(first, last))
        inside = (day >= low) & (day <= high)
        held = value[inside]
        if len(held):
            middle = float(np.median(held))
            scatter = _PER_MEDIAN * float(np.median(np.abs(held - middle)))
            error = _MEDIAN_LOSS * scatter / np.sqrt(len(held)) if len(held) > 2 else np.nan
            yield stream, middle, error, day_of_number(int(day[inside][-1]))


_VALUES: Final[Mapping[bool, Callable[[NoiseProduct, Level, Span], Iterator[_Row]]]] = MappingProxyType(
    {True: _magnitudes, False: _bands}
)


def _rises(product: NoiseProduct, level: Level) -> Observations:
    """Map the rise of each station over weeks before a date; its error is what it does at other dates."""
    if level.rise_before is None:
        raise ConfigError("a map of rises needs a date")
    band = RISE_BANDS.get(level.name, level.name)
    question = Question(
        date=level.rise_before,
        band=band,
        weeks_days=7 * level.weeks,
        before_days=7 * level.weeks,
        streams=level.streams,
        component=level.component,
    )
    rows = [row for row in find(product, question).table.to_pylist() if row["rise_db"] is not None]
    return gather(
        _names([row["stream"] for row in rows]),
        [np.nan if row["longitude"] is None else row["longitude"] for row in rows],
        [np.nan if row["latitude"] is None else row["latitude"] for row in rows],
        [row["rise_db"] for row in rows],
        error=[row["scale_db"] for row in rows],
    )
