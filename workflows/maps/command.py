"""``stationday map``: a noise level over a region, from a product to maps of every kind."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from pipeline.errors import ConfigError
from pipeline.figures import render as render_figure
from pipeline.maps.coasts import coast_distance_km
from pipeline.maps.contrasts import Contrast, coast_contrast, polygon_contrasts
from pipeline.maps.fields import FieldMap, map_field
from pipeline.maps.figures import field_figure
from pipeline.maps.files import netcdf_bytes, to_dataset, write_zarr
from pipeline.maps.geojson import contour_bands, contour_lines, contrast_rows, station_points, to_json
from pipeline.maps.observations import Observations
from pipeline.maps.polygons import Polygon, read_polygons
from pipeline.maps.regions import BoxRegion, CapRegion, Region
from pipeline.objects import ObjectStore, open_objects
from pipeline.report import render as render_page
from workflows.maps.levels import Level, Span, observe
from workflows.maps.page import map_page
from workflows.noise import NoiseProduct, find_product
from workflows.options import add_days, add_json, day, example

__all__ = ["MapOptions", "NoiseMap", "draw_map", "register"]

Shape = TypeVar("Shape")


@dataclass(frozen=True, kw_only=True)
class MapOptions:
    """
    How a level is mapped; see `pipeline.maps.fields.map_field`.

    ``coast_km`` is how far inland the coast reaches in the contrast of coast and interior.
    """

    region: Region | None = None
    step_deg: float = 0.25
    drift: str = "constant"
    mask_km: float | None = None
    land_only: bool = False
    coast_km: float = 200.0
    polygons: tuple[Polygon, ...] = ()


@dataclass(frozen=True)
class NoiseMap:
    """
    A map and what goes with it.

    Parameters
    ----------
    level : Level
    observations : Observations
    kriged : FieldMap or None
        None where there are too few stations for one, for the ``reason``.
    contrasts : list of Contrast
    reason : str
    files : list of str
        What was written, below the folder.
    """

    level: Level
    observations: Observations
    kriged: FieldMap | None
    contrasts: list[Contrast]
    reason: str = ""
    files: list[str] = field(default_factory=list)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``map`` to the command line."""
    command = subparsers.add_parser(
        "map",
        help="map a noise level over a region",
        description=(
            "Map a noise magnitude, the level of a band, its change from one period to another or its rise "
            "before a date: kriged with its standard error, as NetCDF, Zarr, GeoJSON, PNG, SVG and a page to "
            "look around in; with contrasts of coast and interior and of given polygons."
        ),
        **example(
            "stationday map archive.zarr --level snm --start 2021-03-01 --end 2021-05-31 --out spring",
            "stationday map archive.zarr --level 5-10s --minus 2020-06-01:2020-08-31 --region 95,20,125,45",
            "stationday map archive.zarr --level snm --rise-before 2021-05-21 --weeks 8",
        ),
    )
    command.add_argument(
        "product", metavar="PRODUCT", help="a noise product, or the archive that it lies beside"
    )
    command.add_argument("--level", default="snm", metavar="L", help="snm, ssnm, tnm or a band, as 5-10s")
    command.add_argument("--out", metavar="FOLDER", help="default: map-LEVEL")
    command.add_argument("--stream", action="append", default=[], metavar="S", help="only these; a pattern")
    command.add_argument("--component", default="Z", help="of streams with three (default: Z)")
    add_days(command)
    command.add_argument("--minus", type=_span, metavar="DAY:DAY", help="take off the level of these days")
    command.add_argument("--rise-before", type=day, metavar="DAY", help="map the rise before a date")
    command.add_argument("--weeks", type=int, default=8, metavar="N", help="of a rise (default: 8)")
    where = command.add_mutually_exclusive_group()
    where.add_argument("--region", type=_box, metavar="W,S,E,N", help="degrees; W above E crosses 180")
    where.add_argument("--around", type=_cap, metavar="LON,LAT,KM", help="a cap, as around a pole")
    command.add_argument("--step", type=float, default=0.25, metavar="DEG", help="grid (default: 0.25)")
    command.add_argument("--drift", choices=("constant", "coast"), default="constant",
                         help="coast: the level changes with the distance to it")  # fmt: skip
    command.add_argument("--mask", type=float, metavar="KM", help="show nothing farther from a station")
    command.add_argument("--land-only", action="store_true", help="show nothing at sea")
    command.add_argument("--coast", type=float, default=200.0, metavar="KM",
                         help="how far inland the coast reaches in its contrast (default: 200)")  # fmt: skip
    command.add_argument("--polygons", metavar="GEOJSON", help="areas to be compared with each other")
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    level = Level(
        name=args.level,
        span=Span(args.start, args.end),
        minus=args.minus,
        rise_before=args.rise_before,
        weeks=args.weeks,
        component=args.component,
        streams=tuple(args.stream),
    )
    if level.minus is not None and level.rise_before is not None:
        raise ConfigError("--minus and --rise-before are two kinds of change: only one of them can be mapped")
    options = MapOptions(
        region=args.region or args.around,
        step_deg=args.step,
        drift=args.drift,
        mask_km=args.mask,
        land_only=args.land_only,
        coast_km=args.coast,
        polygons=_polygons(args.polygons),
    )
    folder = open_objects(args.out or f"map-{args.level}")
    made = draw_map(find_product(args.product), level, options, folder)
    _print_report(made, folder.url, as_json=args.json)
    return 0


def draw_map(product: NoiseProduct, level: Level, options: MapOptions, folder: ObjectStore) -> NoiseMap:
    """
    Map a level and write all forms of it.

    Where there are too few stations for a map, the stations and the page are written, and the reason told.
    """
    observations = observe(product, level)
    kriged, reason = _krige(observations, level, options)
    made = NoiseMap(level, observations, kriged, _contrasts(observations, options), reason)
    _write(product, made, folder)
    return made


def _krige(observations: Observations, level: Level, options: MapOptions) -> tuple[FieldMap | None, str]:
    try:
        found = map_field(
            observations,
            options.region,
            quantity=level.short,
            unit=level.unit,
            step_deg=options.step_deg,
            drift="coast" if options.drift == "coast" else "constant",
            mask_km=options.mask_km,
            land_only=options.land_only,
        )
    except ConfigError as error:
        if len(observations) >= 3:
            raise
        return None, str(error)
    return found, ""


def _contrasts(observations: Observations, options: MapOptions) -> list[Contrast]:
    if not len(observations):
        return []
    distance = coast_distance_km(observations.longitude_deg, observations.latitude_deg)
    found = [coast_contrast(observations, distance, within_km=options.coast_km)]
    if options.polygons:
        found += polygon_contrasts(observations, options.polygons)
    return found


def _write(product: NoiseProduct, made: NoiseMap, folder: ObjectStore) -> None:
    def write(name: str, data: bytes | str) -> None:
        folder.write(name, data.encode() if isinstance(data, str) else data)
        made.files.append(name)

    about = {"title": made.level.title, "unit": made.level.unit, "days": str(made.level.span)}
    write("contrasts.json", json.dumps({**about, "contrasts": contrast_rows(made.contrasts)}, indent=1))
    if made.kriged is not None:
        source = f"{product.url}, {made.level.span}"
        dataset = to_dataset(
            made.kriged, title=made.level.title, source=source, version=version("stationday")
        )
        write("map.nc", netcdf_bytes(dataset))
        write_zarr(dataset, f"{folder.url}/map.zarr")
        made.files.append("map.zarr")
        write("stations.geojson", to_json(station_points(made.kriged), about=about))
        write("contours.geojson", to_json(contour_lines(made.kriged), about=about))
        write("bands.geojson", to_json(contour_bands(made.kriged), about=about))
        caption = f"{made.level.title[0].upper()}{made.level.title[1:]}."
        centred = made.level.is_difference
        figure = field_figure(made.kriged, caption=caption, centred=centred, checks=True)
        write("map.png", render_figure(figure, "png"))
        write("map.svg", render_figure(figure, "svg"))
    page = map_page(product, made.level, made.observations, made.kriged, made.contrasts, reason=made.reason)
    write("map.html", render_page(page))


def _print_report(made: NoiseMap, url: str, *, as_json: bool) -> None:
    for station in made.observations.left_out:
        print(f"note: {station.name}: {station.reason}", file=sys.stderr)
    remarks = [*(made.kriged.remarks if made.kriged else ()), made.reason]
    if as_json:
        found = {
            "title": made.level.title,
            "stations": len(made.observations),
            "left_out": [each._asdict() for each in made.observations.left_out],
            "remarks": [remark for remark in remarks if remark],
            "contrasts": contrast_rows(made.contrasts),
            "files": [f"{url}/{name}" for name in made.files],
        }
        print(json.dumps(found, indent=1))
        return
    print(f"{made.level.title}: {len(made.observations)} stations")
    for remark in remarks:
        if remark:
            print(f"  {remark}")
    for each in made.contrasts:
        print(f"  {_in_words(each)}")
    print(f"\n{url}: {', '.join(made.files)}")


def _in_words(found: Contrast) -> str:
    head = f"{found.first} ({found.first_stations}) less {found.second} ({found.second_stations})"
    if found.difference != found.difference:
        return f"{head}: {found.reason}"
    remark = f"; {found.reason}" if found.reason else ""
    return f"{head}: {found.difference:+.2f} ± {found.std_error:.2f}{remark}"


def _polygons(path: str | None) -> tuple[Polygon, ...]:
    if path is None:
        return ()
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"--polygons {path}: {error.strerror}") from error
    return read_polygons(text, where=path)


def _span(text: str) -> Span:
    """
    Read days.

    >>> str(_span("2020-06-01:2020-08-31"))
    '2020-06-01 to 2020-08-31'
    """
    first, colon, last = text.partition(":")
    if not colon:
        raise argparse.ArgumentTypeError(f"{text!r} should be two days, as 2020-06-01:2020-08-31")
    span = Span(day(first), day(last))
    if span.first and span.last and span.last < span.first:
        raise argparse.ArgumentTypeError(f"{text!r} ends before it starts")
    return span


def _box(text: str) -> BoxRegion:
    """
    Read a box.

    >>> _box("95,20,125,45").box
    (95.0, 20.0, 125.0, 45.0)
    """
    return _region(BoxRegion, _degrees(text, 4, "west,south,east,north"))


def _cap(text: str) -> CapRegion:
    return _region(CapRegion, _degrees(text, 3, "longitude,latitude,kilometres"))


def _region(kind: Callable[..., Shape], numbers: Sequence[float]) -> Shape:
    try:
        return kind(*numbers)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _degrees(text: str, count: int, names: str) -> Sequence[float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count:
        raise argparse.ArgumentTypeError(f"{text!r} should be {names} in numbers")
    return numbers
