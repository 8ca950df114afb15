"""
The interactive map: stations, a field with its error, coasts; a station's spectrum and history beside it.

The script draws on a canvas and answers to pointer, touch and keys. Where none runs there are a picture of
the map and a table of all stations, which screen readers have as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.report.charts import LineChart, chart_payload
from pipeline.report.colours import ColourScale, scale_for
from pipeline.report.fields import Field, Outlines, field_cells, lines_payload
from pipeline.report.map_svg import map_svg
from pipeline.report.markup import Markup, element, escape, number_text
from pipeline.report.packing import Store, digits_for
from pipeline.report.parts import Details
from pipeline.report.projection import Box, Projection, box_outline, choose_projection
from pipeline.report.series import Limits, has_values, shared_limits
from pipeline.report.sheet import Sheet
from pipeline.report.tables import Column, Table

__all__ = ["Station", "StationMap"]

FloatArray: TypeAlias = NDArray[np.float64]
Extent = tuple[float, float, float, float]

_PLACE_DIGITS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """
    A station of a map.

    Parameters
    ----------
    name : str
    longitude_deg, latitude_deg : float
    value, error : float, optional
        Of the map's quantity; None or NaN where there is none.
    facts : mapping of str to str
        What its panel and the table say of it, in this order.
    charts : sequence of LineChart
        What its panel shows: its spectrum, its history. Charts of one title share their limits.

    Raises
    ------
    ConfigError
        It has no place on the Earth.
    """

    name: str
    longitude_deg: float
    latitude_deg: float
    value: float | None = None
    error: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    charts: Sequence[LineChart] = ()

    def __post_init__(self) -> None:
        if not (abs(self.latitude_deg) <= 90 and abs(self.longitude_deg) <= 360):
            raise ConfigError(
                f"station {self.name!r}: should lie at -90 to 90 degrees of latitude and -180 to 180 of"
                f" longitude, got {self.latitude_deg} and {self.longitude_deg}"
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StationMap:
    """
    A map.

    Parameters
    ----------
    title : str
        Its caption.
    stations : sequence of Station
    quantity, unit : str
        What the stations' values and the field are.
    field : Field, optional
    lines : sequence of Outlines
        Coasts, borders, polygons.
    region : (west, south, east, north), optional
        What is shown first; all stations and the field unless given.
    is_diverging : bool
        Whether values are differences: the scale is then centred on zero.
    limits : (float, float), optional
        Of the colours; those of stations and field together unless given.
    digits : int, optional
        Of values, behind the point.
    description : str
        A sentence or two on what there is to see, for who does not see it.

    Raises
    ------
    ConfigError
        The region is none, or the limits do not rise.

    Examples
    --------
    >>> stations = [Station(name="GTA", longitude_deg=99.8, latitude_deg=39.4, value=1.2)]
    >>> page = StationMap(title="SNM", stations=stations, quantity="SNM").write(Sheet())
    >>> "39.4° N" in page, "99.8° E" in page
    (True, True)
    """

    title: str
    stations: Sequence[Station]
    quantity: str
    unit: str = ""
    field: Field | None = None
    lines: Sequence[Outlines] = ()
    region: Box | None = None
    is_diverging: bool = False
    limits: Limits | None = None
    digits: int | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.region is not None:
            box_outline(self.region)
        if self.limits is not None and not self.limits[0] < self.limits[1]:
            raise ConfigError(f"map {self.title!r}: limits should rise, got {self.limits}")

    def write(self, sheet: Sheet) -> Markup:
        """See `Part.write`."""
        sheet.use("map")
        identifier, data_id = sheet.new_id(f"map {self.title}"), sheet.new_id("data")
        view = _View.of(self)
        table = Details(f"All stations of this map as a table ({len(self.stations)})", [_table(self, view)])
        attributes = {"class": "figure map", "id": identifier, "data-widget": "map", "data-source": data_id}
        return element(
            "figure",
            attributes,
            element("figcaption", None, escape(self.title)),
            element("div", {"class": "static"}, _picture(self, view)),
            table.write(sheet),
            sheet.data(data_id, _payload(self, view)),
        )


@dataclass(frozen=True, slots=True)
class _View:
    """Where things stand and which colours they have."""

    projection: Projection
    extent: Extent
    scale: ColourScale | None
    digits: int

    @classmethod
    def of(cls, page_map: StationMap) -> _View:
        longitude, latitude = _places(page_map)
        projection = choose_projection(longitude, latitude)
        own = _values(page_map.stations)
        grid = page_map.field.values if page_map.field else np.empty(0)
        scale = scale_for(own, grid, is_diverging=page_map.is_diverging, limits=page_map.limits)
        digits = page_map.digits
        if digits is None:
            digits = max(0, digits_for([scale.low, scale.high], steps=100)) if scale else 0
        return cls(projection, _extent(projection, longitude, latitude), scale, digits)


def _values(stations: Sequence[Station]) -> FloatArray:
    values = [np.nan if station.value is None else station.value for station in stations]
    array = np.array(values, dtype=np.float64)
    return np.where(np.isfinite(array), array, np.nan)


def _places(page_map: StationMap) -> tuple[FloatArray, FloatArray]:
    if page_map.region is not None:
        return box_outline(page_map.region)
    longitude = np.array([station.longitude_deg for station in page_map.stations], dtype=np.float64)
    latitude = np.array([station.latitude_deg for station in page_map.stations], dtype=np.float64)
    if page_map.field is not None:
        across, down = field_cells(page_map.field)
        longitude, latitude = np.append(longitude, across), np.append(latitude, down)
    if not len(longitude):
        points = [path[np.isfinite(path).all(axis=1)] for each in page_map.lines for path in each.paths]
        longitude, latitude = np.concatenate([np.empty((0, 2)), *points]).T
    return longitude, latitude


def _extent(projection: Projection, longitude: FloatArray, latitude: FloatArray) -> Extent:
    """Return west, south, east, north on the sheet, with a margin; some 100 km at least."""
    if projection.kind == "plate" and not len(longitude):
        return -np.pi, -np.pi / 2, np.pi, np.pi / 2
    x, y = projection.forward(longitude, latitude)
    x, y = x[np.isfinite(x)], y[np.isfinite(y)]
    room = max(0.06 * max(float(np.ptp(x)), float(np.ptp(y))), 0.008)
    box = (x.min() - room, y.min() - room, x.max() + room, y.max() + room)
    west, south, east, north = (round(float(edge), 5) for edge in box)
    return west, south, east, north


def place_text(longitude_deg: float, latitude_deg: float) -> tuple[str, str]:
    """
    Return latitude and longitude as they are read.

    >>> place_text(-70.5, -33.0), place_text(190.0, 0.0)
    (('33.0° S', '70.5° W'), ('0.0° N', '170.0° W'))
    """
    longitude = round((longitude_deg + 180) % 360 - 180, 5)
    digits = (
        1 if round(latitude_deg, 1) == latitude_deg and round(longitude, 1) == longitude else _PLACE_DIGITS
    )
    return (
        f"{abs(latitude_deg):.{digits}f}° {'S' if latitude_deg < 0 else 'N'}",
        f"{abs(longitude):.{digits}f}° {'W' if longitude < 0 else 'E'}",
    )


def _table(page_map: StationMap, view: _View) -> Table:
    facts = list(dict.fromkeys(name for station in page_map.stations for name in station.facts))
    has_error = any(station.error is not None for station in page_map.stations)
    columns: list[Column | str] = [
        "station",
        Column("latitude", "°", _PLACE_DIGITS),
        Column("longitude", "°", _PLACE_DIGITS),
        Column(page_map.quantity, page_map.unit, view.digits),
        *([Column("error", page_map.unit, view.digits)] if has_error else []),
        *facts,
    ]
    rows = [
        [
            station.name,
            float(station.latitude_deg),
            float(station.longitude_deg),
            station.value,
            *([station.error] if has_error else []),
            *(station.facts.get(name) for name in facts),
        ]
        for station in page_map.stations
    ]
    return Table(f"Stations of the map: {page_map.title}", columns, rows, empty="there are no stations.")


def _spoken(page_map: StationMap, view: _View) -> str:
    """Return what the map shows, in words."""
    values = _values(page_map.stations)
    known = np.flatnonzero(np.isfinite(values))
    unit = f" {page_map.unit}" if page_map.unit else ""
    count = len(page_map.stations)
    said = [page_map.description] if page_map.description else []
    said.append(f"A map with {count} station{'' if count == 1 else 's'}.")
    if len(known):
        low, high = int(known[np.argmin(values[known])]), int(known[np.argmax(values[known])])
        ends = [
            f"{number_text(float(values[at]), view.digits)}{unit} at {page_map.stations[at].name}"
            for at in (low, high)
        ]
        said.append(f"{page_map.quantity} runs from {ends[0]} to {ends[1]}.")
    elif count:
        said.append(f"None of them has a value of {page_map.quantity}.")
    return " ".join(said)


def _picture(page_map: StationMap, view: _View) -> Markup:
    return map_svg(
        projection=view.projection,
        extent=view.extent,
        scale=view.scale,
        field=page_map.field,
        lines=page_map.lines,
        places=[(station.longitude_deg, station.latitude_deg) for station in page_map.stations],
        values=_values(page_map.stations),
        names=[station.name for station in page_map.stations],
        label=f"{page_map.quantity} ({page_map.unit})" if page_map.unit else page_map.quantity,
        spoken=_spoken(page_map, view),
    )


def _payload(page_map: StationMap, view: _View) -> dict[str, Any]:
    store = Store()
    projection = view.projection
    limits = _chart_limits(page_map.stations)
    return {
        "title": page_map.title,
        "spoken": _spoken(page_map, view),
        "quantity": page_map.quantity,
        "unit": page_map.unit,
        "digits": view.digits,
        "projection": {
            "kind": projection.kind,
            "longitude": projection.longitude_deg,
            "latitude": projection.latitude_deg,
            "radius": round(projection.radius_deg, 3),
        },
        "extent": list(view.extent),
        "scale": view.scale and view.scale.payload(),
        "field": page_map.field and _field_payload(page_map, page_map.field, store),
        "lines": lines_payload(page_map.lines, projection, store),
        "chartTitles": list(limits),
        "stations": [_station_payload(station, limits, view.digits, store) for station in page_map.stations],
        "store": store.entries,
    }


def _chart_limits(stations: Sequence[Station]) -> dict[str, tuple[Limits, Limits] | None]:
    charts: dict[str, list[LineChart]] = {}
    for station in stations:
        for chart in station.charts:
            charts.setdefault(chart.title, []).append(chart)
    return {title: shared_limits(same) for title, same in charts.items()}


def _station_payload(
    station: Station, limits: Mapping[str, tuple[Limits, Limits] | None], digits: int, store: Store
) -> dict[str, Any]:
    charts = [
        chart_payload(chart, limits[chart.title], store) for chart in station.charts if has_values(chart)
    ]
    latitude, longitude = place_text(station.longitude_deg, station.latitude_deg)
    return {
        "name": station.name,
        "longitude": round(float(station.longitude_deg), 5),
        "latitude": round(float(station.latitude_deg), 5),
        "place": f"{latitude}, {longitude}",
        "value": _rounded(station.value, digits),
        "error": _rounded(station.error, digits),
        "facts": [[name, value] for name, value in station.facts.items()],
        "charts": charts,
    }


def _rounded(value: float | None, digits: int) -> float | None:
    # One digit more than is shown, so that stations of one text still sort.
    return None if value is None or not np.isfinite(value) else round(float(value), digits + 1)


def _field_payload(page_map: StationMap, grid: Field, store: Store) -> dict[str, Any]:
    layers: list[tuple[str, FloatArray, dict[str, Any] | None]] = [
        (grid.name or page_map.quantity, grid.values, None)
    ]
    if grid.standard_error is not None:
        error = np.where(np.isfinite(grid.values), grid.standard_error, np.nan)
        scale = scale_for(error, starts_at_zero=True)
        layers.append(("Standard error", error, scale.payload() if scale else None))
    return {
        "longitude": [float(grid.longitude_deg[0]), float(grid.longitude_deg[1] - grid.longitude_deg[0])],
        "latitude": [float(grid.latitude_deg[0]), float(grid.latitude_deg[1] - grid.latitude_deg[0])],
        "shape": list(grid.values.shape),
        "layers": [
            {
                "name": name,
                "values": store.array(values, digits_for(values)),
                "scale": scale,
                "isEmpty": not bool(np.isfinite(values).any()),
            }
            for name, values, scale in layers
        ],
    }
