"""
``stationday rises``: which stations grew louder over the weeks before a date, and how many would by chance.

Levels are those of days that a noise product has; nothing is measured again.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.archive.grid import DAY_NS, day_number, day_of_number
from pipeline.archive.layouts import Wanted
from pipeline.archive.reading import open_archive
from pipeline.archive.stations import Stations
from pipeline.errors import ConfigError
from pipeline.keys import Stream
from pipeline.noise.rises import Chance, Rise, find_rises
from pipeline.objects import open_objects
from pipeline.tables import SCHEMAS, empty, write_table
from workflows.noise.changes import series_of
from workflows.noise.product import NoiseProduct, find_product
from workflows.noise.times import midnight
from workflows.options import add_json, day, example
from workflows.plan import fingerprint

__all__ = ["Question", "RisesBefore", "find", "register", "station_place"]

_NO_RISE = "fewer than half of the days are there"


@dataclass(frozen=True, kw_only=True)
class Question:
    """
    What is asked.

    Parameters
    ----------
    date : date
        Before which the weeks end.
    band : str
        Name of a band of the product.
    weeks_days, before_days : int
        Length of the weeks, and of the time before them that they are compared with.
    significance : float
    streams : tuple of str
        Patterns; empty for all.
    component : str
        Of streams that have three.
    """

    date: dt.date
    band: str
    weeks_days: int = 56
    before_days: int = 56
    significance: float = 0.05
    streams: tuple[str, ...] = ()
    component: str = "Z"


@dataclass(frozen=True)
class RisesBefore:
    """The answer: a row of ``rises_before`` per station, and what chance does."""

    table: pa.Table
    chance: Chance


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``rises`` to the command line."""
    command = subparsers.add_parser(
        "rises",
        help="find stations that grew louder before a date",
        description=(
            "Compare the median level of the weeks before a date with that of as long a time before them, "
            "station by station, with the same measure at all other dates, and say how many stations rise as "
            "much by chance."
        ),
        **example("stationday rises archive.zarr --before 2021-05-21 --weeks 8 --band 200-600s"),
    )
    command.add_argument(
        "product", metavar="PRODUCT", help="a noise product, or the archive that it lies beside"
    )
    command.add_argument("--before", type=day, required=True, metavar="DAY", help="the date, as 2021-05-21")
    command.add_argument("--weeks", type=int, default=8, metavar="N", help="how many weeks (default: 8)")
    command.add_argument("--against", type=int, metavar="N", help="weeks before them (default: as many)")
    command.add_argument("--band", default="200-600s", help="default: 200-600s")
    command.add_argument("--significance", type=float, default=0.05, metavar="P", help="default: 0.05")
    command.add_argument("--stream", action="append", default=[], metavar="S", help="only these; a pattern")
    command.add_argument("--out", metavar="FILE", help="write the table rises_before to a Parquet file")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    question = Question(
        date=args.before,
        band=args.band,
        weeks_days=7 * args.weeks,
        before_days=7 * (args.weeks if args.against is None else args.against),
        significance=args.significance,
        streams=tuple(args.stream),
    )
    found = find(find_product(args.product), question)
    if args.out:
        data = write_table(
            found.table, "rises_before", fingerprint=fingerprint(question), config=fingerprint(question)
        )
        folder, _, name = open_objects(args.out).url.rpartition("/")
        open_objects(folder).write(name, data)
    rows = found.table.to_pylist()
    if args.json:
        plain = [{**row, "time": row["time"].isoformat()} for row in rows]
        print(json.dumps({"stations": plain, "chance": found.chance._asdict()}, indent=1))
    else:
        print(_describe(question, rows, found.chance))
    return 0


def find(product: NoiseProduct, question: Question) -> RisesBefore:
    """
    Judge the rise of each station before a date.

    Raises
    ------
    ConfigError
        If no stream has the band, or the levels do not reach the weeks.
    """
    streams, first, level_db = _levels(product, question)
    try:
        rises, chance = find_rises(
            level_db,
            day_number(question.date) - first,
            weeks_days=question.weeks_days,
            before_days=question.before_days,
            significance=question.significance,
        )
    except ConfigError as error:
        last = first + level_db.shape[1] - 1
        span = f"{day_of_number(first)} to {day_of_number(last)}"
        least = first + question.weeks_days + question.before_days
        if not least <= day_number(question.date) <= last + 1:
            raise ConfigError(
                f"{product.url} has levels from {span}: a date should lie from {day_of_number(least)} to"
                f" {day_of_number(last + 1)} for its weeks and those before to be there, got {question.date}"
            ) from None
        raise ConfigError(f"{product.url}, levels from {span}: {error}") from error
    stations = open_archive(product.archive).stations
    rows = [
        _row(stream, component, rise, question, stations)
        for (stream, component), rise in zip(streams, rises, strict=True)
    ]
    return RisesBefore(pa.Table.from_pylist(rows, schema=SCHEMAS["rises_before"]), chance)


def _levels(product: NoiseProduct, question: Question) -> tuple[list[tuple[str, str]], int, np.ndarray]:
    """Return the streams, the first day, and the median level of each stream on each day."""
    wanted = Wanted(streams=question.streams)
    groups = [each.group for each in product.one_rate_each(product.streams()) if wanted.wants(each.stream)]
    where = {"span": "day", "band": question.band}
    own = product.table("noise_levels", groups, where=where) if groups else empty("noise_levels")
    if not own.num_rows:
        bands = sorted(set(product.table("noise_levels", where={"span": "year"})["band"].to_pylist()))
        raise ConfigError(f"--band {question.band}: {product.url} has {', '.join(bands) or 'no bands'}")
    series = [
        each for each in series_of(own, "day") if each[1] in (question.component, each[0].rpartition(".")[2])
    ]
    if not series:
        raise ConfigError(f"{product.url}: no wanted stream has a level in {question.band}")
    first = min(int(days[0]) for *_, days, _ in series)
    last = max(int(days[-1]) for *_, days, _ in series)
    level_db = np.full((len(series), last - first + 1), np.nan)
    for row, (*_, days, level) in enumerate(series):
        level_db[row, days - first] = level
    return [(stream, component) for stream, component, *_ in series], first, level_db


def station_place(stations: Stations, stream: str, time_ns: int) -> tuple[float, float] | None:
    """Return latitude and longitude of a stream at a time, None where no metadata say."""
    key = Stream.parse(stream)
    for slot in range(len(key.components)):
        epoch = stations.find_slot(key, slot, time_ns)
        if epoch is not None:
            return epoch.latitude_deg, epoch.longitude_deg
    place = stations.place(key.channel(key.code), time_ns)
    return None if place is None else (place.latitude_deg, place.longitude_deg)


def _row(stream: str, component: str, rise: Rise, question: Question, stations: Stations) -> dict[str, Any]:
    there = station_place(stations, stream, (day_number(question.date) - 1) * DAY_NS)
    known = bool(np.isfinite(rise.rise_db))
    numbers = ("rise_db", "scale_db", "p_value", "p_counted", "p_corrected")
    return {
        "stream": stream,
        "component": component,
        "band": question.band,
        "time": midnight(np.array([day_number(question.date)]))[0].as_py(),
        "days": question.weeks_days,
        "before_days": question.before_days,
        "latitude": there[0] if there else None,
        "longitude": there[1] if there else None,
        **{name: float(getattr(rise, name)) if known else None for name in numbers},
        "found": known and rise.p_corrected < question.significance,
        "reason": None if known else _NO_RISE,
    }


def _describe(question: Question, rows: list[dict[str, Any]], chance: Chance) -> str:
    weeks = f"{question.weeks_days // 7} weeks before {question.date}"
    lines = [f"{question.band}, {weeks} against the {question.before_days // 7} before them", ""]
    ordered = sorted(rows, key=lambda row: (row["rise_db"] is None, -(row["rise_db"] or 0)))
    width = max(len(row["stream"]) for row in rows)
    lines.append(f"{'stream':<{width}}  {'rise':>8}  {'chance':>8}  {'corrected':>9}")
    for row in ordered:
        if row["rise_db"] is None:
            lines.append(f"{row['stream']:<{width}}  {row['reason']}")
            continue
        mark = "  found" if row["found"] else ""
        lines.append(
            f"{row['stream']:<{width}}  {row['rise_db']:+5.1f} dB  {row['p_value']:>8.2g}"
            f"  {row['p_corrected']:>9.2g}{mark}"
        )
    return "\n".join([*lines, "", _of_chance(question, chance)])


def _of_chance(question: Question, chance: Chance) -> str:
    return (
        f"{chance.found_corrected} found after correction for {chance.expected / question.significance:.0f}"
        f" stations ({chance.found} before it, where chance alone gives {chance.expected:.1f});"
        f" at {chance.dates} other dates {chance.at_other_dates:.1f} stations rose as much,"
        f" at most {chance.most_at_other_dates}"
    )
