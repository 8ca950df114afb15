"""The map: what the script gets, and what stays where none runs."""

import base64
import json
import struct
import zlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lxml import html

from pipeline.errors import ConfigError
from pipeline.report import Field, LineChart, Sheet, Station, StationMap
from pipeline.report.colours import anchors, scale_for
from pipeline.report.images import png_source


def drawn(page_map: StationMap) -> tuple[Any, dict[str, Any]]:
    tree: Any = html.fromstring(page_map.write(Sheet()))
    return tree, json.loads(tree.xpath(".//script")[0].text)


def test_table_has_all_stations(network: StationMap) -> None:
    tree, _ = drawn(network)
    rows = [[cell.text_content() for cell in row] for row in tree.xpath(".//tbody/tr")]
    assert [row[0] for row in rows] == [station.name for station in network.stations]
    assert rows[0] == ["GTA", "30.000", "99.000", "2.00", "0.05", "gPhone", "300"]
    assert rows[4] == ["NONE", "26.000", "101.000", "–", "–", "–", "–"]


def test_picture_says_what_it_shows(network: StationMap) -> None:
    tree, _ = drawn(network)
    said = tree.xpath(".//div[@class='static']/svg/@aria-label")[0]
    assert said == "A map with 5 stations. SNM runs from 2.00 at GTA to 2.30 at 拉萨."


def test_script_gets_stations_and_charts(network: StationMap) -> None:
    _, payload = drawn(network)
    assert payload["chartTitles"] == ["PSD", "History"]
    assert [station["value"] for station in payload["stations"]] == [2.0, 2.1, 2.2, 2.3, None]
    assert [len(station["charts"]) for station in payload["stations"]] == [2, 2, 2, 2, 0]
    # What charts have in common is there once: two specs, the periods, the days, Peterson's models.
    specs = {chart["spec"] for station in payload["stations"] for chart in station["charts"]}
    assert len(specs) == 2
    periods = {station["charts"][0]["data"][0] for station in payload["stations"][:4]}
    assert len(periods) == 1
    assert payload["field"]["shape"] == [27, 31]
    assert [layer["name"] for layer in payload["field"]["layers"]] == ["SNM", "Standard error"]


def test_stations_share_the_axes_of_their_charts(network: StationMap) -> None:
    _, payload = drawn(network)
    spec = payload["store"][payload["stations"][0]["charts"][1]["spec"]]
    low, high = spec["y"]["limits"]
    levels = [chart.series[0].parts[0] for station in network.stations for chart in station.charts[1:]]
    assert low <= np.nanmin(levels)
    assert high >= np.nanmax(levels)
    assert high - low < 1.5 * (np.nanmax(levels) - np.nanmin(levels))


def test_field_and_stations_share_a_scale(network: StationMap) -> None:
    _, payload = drawn(network)
    scale = payload["scale"]
    assert (scale["low"], scale["high"]) == (2.0, 2.5)
    assert scale["colours"][0] == "fbf6e4"
    assert payload["field"]["layers"][1]["scale"]["low"] == 0


def test_differences_are_centred_on_zero(network: StationMap) -> None:
    stations = [
        replace(station, value=value)
        for station, value in zip(network.stations, (-0.1, 0.7, 0, 0, None), strict=True)
    ]
    _, payload = drawn(replace(network, stations=stations, field=None, is_diverging=True))
    scale = payload["scale"]
    assert scale["low"] == -scale["high"] == -0.8
    assert scale["diverging"] is True
    middle = np.array([int(scale["colours"][16][k : k + 2], 16) for k in (0, 2, 4)])
    assert middle.min() > 230
    assert payload["field"] is None


@pytest.mark.parametrize("is_diverging", [False, True])
def test_colours_are_those_of_the_figures(is_diverging: bool) -> None:
    from pipeline.figures import diverging, sequential

    scale = scale_for([-1.0, 1.0], is_diverging=is_diverging)
    assert scale is not None
    colour_map = diverging() if is_diverging else sequential()
    part = np.linspace(0, 1, 100)
    wanted = 255 * colour_map(part)[:, :3]
    assert np.abs(scale.colours(2 * part - 1) - wanted).max() < 4
    assert anchors(is_diverging=is_diverging).shape == (33, 3)


def test_map_without_stations_says_so(network: StationMap) -> None:
    tree, payload = drawn(replace(network, stations=[], field=None))
    assert "There are no stations." in tree.xpath(".//svg")[0].text_content()
    assert "there are no stations." in tree.xpath(".//details")[0].text_content()
    assert payload["scale"] is None
    # The coast is what is left to look at.
    assert payload["projection"]["kind"] == "laea"
    assert drawn(replace(network, stations=[], field=None, lines=[]))[1]["projection"]["kind"] == "plate"


def test_map_without_values_says_so(network: StationMap) -> None:
    field = Field(longitude_deg=[99, 100], latitude_deg=[30, 31], values=np.full((2, 2), np.nan))
    stations = [replace(station, value=float("nan"), error=None) for station in network.stations]
    _, payload = drawn(replace(network, stations=stations, field=field))
    assert payload["scale"] is None
    assert payload["spoken"] == "A map with 5 stations. None of them has a value of SNM."
    assert [layer["isEmpty"] for layer in payload["field"]["layers"]] == [True]
    assert {station["value"] for station in payload["stations"]} == {None}


def test_chart_without_values_is_none(network: StationMap) -> None:
    first = network.stations[0]
    chart = first.charts[0]
    empty = replace(chart, series=[replace(chart.series[1], y=np.full(80, np.nan)), *chart.series[2:]])
    assert isinstance(empty, LineChart)
    _, payload = drawn(replace(network, stations=[replace(first, charts=[empty, first.charts[1]])]))
    assert payload["chartTitles"] == ["PSD", "History"]
    assert len(payload["stations"][0]["charts"]) == 1


@pytest.mark.parametrize(
    ("places", "kind", "latitude"),
    [
        ([(179.0, -20.0), (-175.0, -15.0)], "laea", -17.5),
        ([(0.0, -80.0), (120.0, -75.0), (-110.0, -78.0)], "laea", -90),
    ],
)
def test_stations_over_the_antimeridian_and_around_a_pole_are_near(
    places: list[tuple[float, float]], kind: str, latitude: float
) -> None:
    stations = [
        Station(name=str(place), longitude_deg=place[0], latitude_deg=place[1], value=1.0) for place in places
    ]
    _, payload = drawn(StationMap(title="Edge", stations=stations, quantity="SNM"))
    assert payload["projection"]["kind"] == kind
    assert payload["projection"]["latitude"] == pytest.approx(latitude, abs=0.1)
    west, south, east, north = payload["extent"]
    assert max(east - west, north - south) < 0.6


def test_two_stations_at_one_place_make_a_map() -> None:
    stations = [Station(name=name, longitude_deg=100.0, latitude_deg=30.0, value=1.0) for name in "ab"]
    _, payload = drawn(StationMap(title="One place", stations=stations, quantity="SNM"))
    west, south, east, north = payload["extent"]
    assert east > west
    assert north > south
    assert (payload["scale"]["low"], payload["scale"]["high"]) == (0.5, 1.5)


def test_png_holds_its_pixels() -> None:
    index = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    palette = np.array([[0, 0, 0], [10, 20, 30], [255, 0, 0]], np.uint8)
    data = base64.b64decode(png_source(index, palette).removeprefix("data:image/png;base64,"))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length)[0] == zlib.crc32(name + body)
        chunks[name], at = body, at + 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"])[:4] == (3, 2, 8, 3)
    assert chunks[b"PLTE"] == palette.tobytes()
    assert (
        np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(2, 4)[:, 1:].tolist()
        == index.tolist()
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Station(name="a", longitude_deg=0, latitude_deg=91), "station 'a': should lie at -90 to 90"),
        (lambda: Station(name="a", longitude_deg=float("nan"), latitude_deg=0), "got 0 and nan"),
        (lambda: StationMap(title="a", stations=[], quantity="b", limits=(1, 1)), "limits should rise, got"),
        (lambda: StationMap(title="a", stations=[], quantity="b", region=(0, 5, 1, 4)), "region"),
    ],
)
def test_what_has_no_place_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
