"""``stationday plot-noise``: what a user types to have a picture of a noise product."""

from __future__ import annotations

import argparse
import datetime as dt

from pipeline.noise.occasions import SEASONS
from pipeline.objects import open_objects
from workflows.noise.pictures import KINDS, Choice, curves, draw
from workflows.noise.product import find_product
from workflows.options import add_days, day, example

__all__ = ["register"]


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``plot-noise`` to the command line."""
    command = subparsers.add_parser(
        "plot-noise",
        help="draw a noise product",
        description=(
            "Draw histograms of spectra (ppsd), spectra through the months (spectrogram), levels of a band "
            "in time (levels), noise magnitudes of gravimeters with their quiet days (magnitudes), or the "
            "spectra of these days (spectra). Waveforms are not read."
        ),
        **example(
            "stationday plot-noise archive.zarr ppsd.png --stream CI.CCC..HH --hours 22-4 --season DJF",
            "stationday plot-noise archive.zarr snm.svg --kind magnitudes --stream 'NG.*' --mark 2021-05-21",
        ),
    )
    command.add_argument(
        "product", metavar="PRODUCT", help="a noise product, or the archive that it lies beside"
    )
    command.add_argument(
        "figure", metavar="FIGURE", help="where it goes: .png, .svg or .pdf; .csv of ppsd has its curves"
    )
    command.add_argument("--kind", choices=tuple(KINDS), default="ppsd", help="default: ppsd")
    command.add_argument("--stream", action="append", default=[], metavar="S", help="one, or a pattern")
    add_days(command)
    command.add_argument("--hours", type=_hours, metavar="H-H", help="of the day, UTC, as 22-4")
    command.add_argument("--weekdays", type=_numbers, metavar="N,N", help="1 is Monday, 7 Sunday")
    command.add_argument("--weeks", type=_numbers, metavar="N,N", help="of the year, ISO, 1 to 53")
    command.add_argument("--months", type=_numbers, metavar="N,N", help="1 to 12")
    command.add_argument("--season", choices=tuple(SEASONS), help="instead of --months")
    command.add_argument("--component", default="Z", help="of spectrograms and levels (default: Z)")
    command.add_argument("--band", default="200-600s", help="of levels (default: 200-600s)")
    command.add_argument("--magnitude", choices=("snm", "ssnm", "tnm"), default="snm", help="default: snm")
    command.add_argument("--span", choices=("day", "week", "month", "year"), help="of levels and magnitudes")
    command.add_argument(
        "--mark", action="append", default=[], type=_mark, metavar="DAY[=TEXT]", help="mark a date"
    )
    command.add_argument("--relative", action="store_true", help="spectrogram: dB above the low noise model")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pipeline.figures import save

    choice = Choice(
        streams=tuple(args.stream),
        start=args.start,
        end=args.end,
        hours=args.hours,
        weekdays=args.weekdays,
        weeks=args.weeks,
        months=args.months,
        season=args.season,
        component=args.component,
        band=args.band,
        magnitude=args.magnitude,
        span=args.span or ("day" if args.kind == "magnitudes" else "week"),
        marks=tuple(args.mark),
        relative=args.relative,
    )
    product = find_product(args.product)
    if args.kind == "ppsd" and args.figure.endswith(".csv"):
        folder, _, name = open_objects(args.figure).url.rpartition("/")
        open_objects(folder).write(name, curves(product, choice).encode())
    else:
        save(draw(product, args.kind, choice), args.figure)
    print(args.figure)
    return 0


def _hours(text: str) -> tuple[float, float]:
    """
    Read hours of a day.

    >>> _hours("22-4")
    (22.0, 4.0)
    """
    start, dash, stop = text.partition("-")
    try:
        hours = (float(start), float(stop))
    except ValueError:
        dash = ""
    if not dash or not all(0 <= hour <= 24 for hour in hours):
        raise argparse.ArgumentTypeError(f"{text!r} should be two hours of the day, as 22-4")
    return hours


def _numbers(text: str) -> tuple[int, ...]:
    """
    Read whole numbers.

    >>> _numbers("6,7")
    (6, 7)
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} should be whole numbers with commas, as 6,7") from None


def _mark(text: str) -> tuple[dt.date, str]:
    """
    Read a date, and what is said of it.

    >>> _mark("2021-05-21=Maduo")
    (datetime.date(2021, 5, 21), 'Maduo')
    """
    date, _, said = text.partition("=")
    return day(date), said
