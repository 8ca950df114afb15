"""
The page in a browser, with a reader's own pointer and keys.

Needs a Chromium or Chrome; without one these tests are skipped, and say so.
"""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyproj import Proj

from pipeline.report import (
    Axis,
    Band,
    Details,
    Field,
    Line,
    LineChart,
    Mark,
    Outlines,
    Page,
    Paragraph,
    Points,
    Section,
    Station,
    StationMap,
    Table,
    render,
)
from pipeline.report.packing import pack, rounded
from pipeline.report.ticks import ticks_between

pytestmark = pytest.mark.slow

# The fixture `browser` is conftest's Browser, which can't be imported by name.
Browser = Any
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(*parts: Any) -> Path:
        path = tmp_path / "page.html"
        path.write_text(render(Page(title="Noise", sections=[Section("Map", parts)])), encoding="utf-8")
        return path

    return write


def chart() -> LineChart:
    day = np.array(["2021-01-01", "2021-01-02", "2021-01-03", "2021-01-05"], "M8[D]")
    return LineChart(
        title="Levels",
        x_axis=Axis("Time", "UTC", "time"),
        y_axis=Axis("Level", "dB"),
        series=[
            Line("median", day, [-150.0, -140.25, np.nan, -145.0]),
            Band("range", day, [-155.0, -150, -150, -150], [-145.0, -130, -130, -140]),
            Points("quiet", day[:1], [-150.0]),
        ],
        marks=[Mark(1609545600.0, "quake")],
    )


def text(browser: Browser, selector: str) -> str:
    return str(browser.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))


def station_pixels(browser: Browser, page_map: StationMap) -> list[tuple[float, float]]:
    """Where the stations should stand in the window, from PROJ and the size of the canvas alone."""
    payload = json.loads(text(browser, ".map > script"))
    middle, extent = payload["projection"], payload["extent"]
    box = browser.box(".stage canvas")
    scale = min(box["width"] / (extent[2] - extent[0]), box["height"] / (extent[3] - extent[1]))
    proj = Proj(proj="laea", lon_0=middle["longitude"], lat_0=middle["latitude"], R=1)
    places = []
    for station in page_map.stations:
        x, y = proj(station.longitude_deg, station.latitude_deg)
        places.append(
            (
                box["x"] + box["width"] / 2 + (x - (extent[0] + extent[2]) / 2) * scale,
                box["y"] + box["height"] / 2 - (y - (extent[1] + extent[3]) / 2) * scale,
            )
        )
    return places


def pixel(browser: Browser, place: tuple[float, float]) -> list[int]:
    """The colour of the map's canvas at a place of the window."""
    found = browser.evaluate(
        "(() => { const c = document.querySelector('.stage canvas'); const b = c.getBoundingClientRect();"
        f" const f = c.width / b.width; return [...c.getContext('2d').getImageData(({place[0]} - b.x) * f,"
        f" ({place[1]} - b.y) * f, 1, 1).data]; }})()"
    )
    return [int(channel) for channel in found][:3]


# ---- the scripts compute what Python does


def test_script_reads_what_was_packed(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network))
    rng = np.random.default_rng(3)
    cases = [
        (rng.uniform(-200, -100, 50), 1),
        (np.append(rng.uniform(0, 1e6, 50), np.nan), 1),
        (rng.uniform(-1e9, 1e9, 9), -2),
        (rng.uniform(0, 1e14, 9), 1),
        (np.arange(1609459200.0, 1609459200 + 9 * 86400, 86400), 0),
        (np.full(3, np.nan), 2),
    ]
    for values, digits in cases:
        unpacked = f"[...stationday.unpack({json.dumps(pack(values, digits))})]"
        script = f"{unpacked}.map((value) => Number.isNaN(value) ? null : value)"
        read = np.array([math.nan if value is None else value for value in browser.evaluate(script)])
        assert np.array_equal(read, rounded(values, digits), equal_nan=True)


@pytest.mark.parametrize(
    ("kind", "middle", "peer"),
    [
        ("laea", (105.0, 35.0), {"proj": "laea", "lon_0": 105, "lat_0": 35}),
        ("laea", (180.0, -20.0), {"proj": "laea", "lon_0": 180, "lat_0": -20}),
        ("laea", (0.0, -90.0), {"proj": "laea", "lon_0": 0, "lat_0": -90}),
        ("plate", (150.0, 0.0), {"proj": "eqc", "lon_0": 150, "lat_ts": 0}),
    ],
)
def test_script_projects_as_proj_does(
    browser: Browser,
    save: Save,
    network: StationMap,
    kind: str,
    middle: tuple[float, float],
    peer: dict[str, Any],
) -> None:
    browser.open(save(network))
    longitude = np.array([100.0, 170.0, -170.0, 20.0, 120.0])
    latitude = np.array([30.0, -10.0, -60.0, -70.0, -1.0])
    made = (
        f"stationday.projection({json.dumps({'kind': kind, 'longitude': middle[0], 'latitude': middle[1]})})"
    )
    places = json.dumps(np.stack([longitude, latitude], axis=1).tolist())
    found = browser.evaluate(f"{places}.map(([a, b]) => {made}.forward(a, b))")
    wanted = np.transpose(Proj(**peer, R=1)(longitude, latitude))
    near = np.array([point[0] is not None for point in found])
    assert near.sum() >= 3
    assert np.allclose(
        np.array([point for point in found if point[0] is not None], float), wanted[near], atol=1e-9
    )
    back = browser.evaluate(f"{json.dumps(wanted[near].tolist())}.map(([x, y]) => {made}.inverse(x, y))")
    turn = (np.array(back, float)[:, 0] - longitude[near] + 180) % 360 - 180
    assert np.allclose(turn, 0, atol=1e-6)
    assert np.allclose(np.array(back, float)[:, 1], latitude[near], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "limits"),
    [
        ("linear", (-200.0, -80.0)),
        ("linear", (0.0, 0.07)),
        ("log", (0.1, 200.0)),
        ("log", (0.5, 6.0)),
        ("log", (1e-7, 3.0)),
        ("time", (1609459200.0, 1672531200.0)),
        ("time", (1609459200.0, 1609459200.0 + 7200)),
        ("time", (0.0, 1.6e9)),
    ],
)
def test_script_has_the_ticks_of_the_still_picture(
    browser: Browser, save: Save, network: StationMap, kind: Any, limits: tuple[float, float]
) -> None:
    browser.open(save(network))
    found = browser.evaluate(f"stationday.ticks({limits[0]}, {limits[1]}, '{kind}', 6)")
    assert [(value, label) for value, label in found] == ticks_between(*limits, kind, count=6)


# ---- a reader comes


@pytest.mark.parametrize("dark", [False, True])
def test_page_starts_without_error_and_loads_nothing(
    browser: Browser, save: Save, network: StationMap, dark: bool
) -> None:
    path = save(network, chart(), Table("Picks", ["a"], [["b"]]))
    browser.open(path, dark=dark)
    browser.settle()
    assert browser.errors == []
    assert browser.evaluate("document.getElementById('script-error')") is None
    assert {url for url in browser.requests if not url.startswith("data:")} == {path.absolute().as_uri()}
    assert browser.evaluate("[...document.querySelectorAll('.static')].every((each) => each.hidden)")
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(21, 24, 28)" if dark else "rgb(255, 255, 255)")
    sea = [27, 33, 39] if dark else [238, 242, 245]
    box = browser.box(".stage canvas")
    assert pixel(browser, (box["x"] + 3, box["y"] + 60)) == sea


@pytest.mark.parametrize("dark", [False, True])
def test_station_under_the_pointer_shows_its_panel(
    browser: Browser, save: Save, network: StationMap, dark: bool
) -> None:
    browser.open(save(network), dark=dark)
    places = station_pixels(browser, network)
    for number in (0, 1, 3):
        browser.point(*places[number])
        assert text(browser, ".panel h3") == network.stations[number].name
        assert text(browser, ".stage .tip").startswith(network.stations[number].name)
    assert "2.30 ± 0.05" in text(browser, ".panel .facts")
    assert browser.evaluate("document.querySelectorAll('.panel .plot svg path.line').length") == 4
    # A station that has neither says so.
    browser.point(*places[4])
    assert text(browser, ".panel-body").count("this station has none") == 2
    assert "no value" in text(browser, ".panel .facts")
    assert browser.errors == []


def test_stations_have_the_colour_of_their_value(browser: Browser, save: Save, network: StationMap) -> None:
    from pipeline.figures import sequential

    browser.open(save(network))
    places = station_pixels(browser, network)
    browser.settle()
    for station, place in list(zip(network.stations, places, strict=True))[:4]:
        assert station.value is not None
        wanted = 255 * np.array(sequential()((station.value - 2.0) / 0.5))[:3]
        assert np.abs(np.array(pixel(browser, place)) - wanted).max() < 5


def test_field_has_the_colour_of_its_value_and_of_its_error(
    browser: Browser, save: Save, network: StationMap
) -> None:
    from pipeline.figures import sequential

    assert network.field is not None
    browser.open(save(network))
    places = station_pixels(browser, network)
    # Between the first two stations, away from any line, name and degree.
    place = (0.55 * places[0][0] + 0.45 * places[1][0], 0.55 * places[0][1] + 0.45 * places[1][1])
    browser.point(*place)
    reading = text(browser, ".readout")
    value = float(reading.split("SNM ")[1].split(" ")[0])
    latitude, longitude = (float(part.split("°")[0]) for part in reading.split("·")[0].split(","))
    assert value == pytest.approx(2 + 0.02 * (longitude - 97) + 0.01 * (latitude - 22), abs=0.02)
    assert "± 0.10" in reading
    wanted = 255 * np.array(sequential()((value - 2.0) / 0.5))[:3]
    assert np.abs(np.array(pixel(browser, place)) - wanted).max() < 12
    before = pixel(browser, place)
    browser.evaluate("document.querySelectorAll('.layers input')[1].click()")
    browser.settle()
    assert np.abs(np.array(pixel(browser, place)) - before).max() > 30
    assert "Standard error" in text(browser, ".bar")
    browser.evaluate("document.querySelectorAll('.layers input')[2].click()")
    browser.settle()
    assert pixel(browser, place) == [238, 242, 245]


def test_stations_are_walked_through_by_keys(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network))
    browser.evaluate("document.querySelector('.list-head select').focus()")
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.getAttribute('role')") == "listbox"
    names = [text(browser, ".panel h3")]
    for _ in range(4):
        browser.press("ArrowDown")
        names.append(text(browser, ".panel h3"))
    assert sorted(names) == sorted(station.name for station in network.stations)
    browser.press("Home")
    chosen = browser.evaluate(
        "document.querySelector('[role=listbox]').getAttribute('aria-activedescendant')"
    )
    assert browser.evaluate(f"document.getElementById('{chosen}').getAttribute('aria-selected')") == "true"
    assert names[0] in text(browser, ".map-sheet .spoken")
    browser.press("Enter")
    assert text(browser, ".panel .badge") == "kept"
    # What is kept stays while the pointer wanders.
    other = next(k for k, station in enumerate(network.stations) if station.name == names[2])
    browser.point(*station_pixels(browser, network)[other])
    assert text(browser, ".panel h3").startswith(names[0])
    browser.evaluate("document.querySelector('.stage canvas').focus()")
    browser.press("Escape")
    assert browser.evaluate("document.querySelector('.panel .badge')") is None


def test_list_is_filtered_and_ordered(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network))
    browser.evaluate(
        "(() => { const s = document.querySelector('.list-head select'); s.value = 'high';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    names = "[...document.querySelectorAll('[role=option] .name')].map((each) => each.textContent)"
    assert browser.evaluate(names) == ["拉萨", "KMI", "<script>alert(1)</script>", "GTA", "NONE"]
    browser.evaluate("document.querySelector('.list-head input').focus()")
    browser.type("km")
    assert browser.evaluate(names) == ["KMI"]
    browser.type("xyz")
    assert browser.evaluate(names) == []
    assert "No station has such a name." in text(browser, ".map-side")


def test_map_is_moved_and_zoomed_by_keys_wheel_and_hand(
    browser: Browser, save: Save, network: StationMap
) -> None:
    browser.open(save(network))
    start = station_pixels(browser, network)
    box = browser.box(".stage canvas")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def named(place: tuple[float, float]) -> str:
        browser.point(box["x"] + 5, box["y"] + 5)
        browser.point(*place)
        hidden = browser.evaluate("document.querySelector('.stage .tip').hidden")
        return "" if hidden else text(browser, ".stage .tip").split(":")[0]

    assert named(start[0]) == "GTA"
    browser.evaluate("document.querySelector('.stage canvas').focus()")
    browser.press("+")
    grown = tuple(m + 1.5 * (a - m) for a, m in zip(start[0], middle, strict=True))
    assert named(grown) == "GTA"  # type: ignore[arg-type]
    browser.press("ArrowLeft")
    assert named((grown[0] + 50, grown[1])) == "GTA"
    assert "Middle of the map: " in text(browser, ".map-sheet .spoken")
    browser.press("0")
    assert named(start[0]) == "GTA"
    browser.point(*start[0], "mouseWheel", deltaX=0, deltaY=-100)
    # What lies under the pointer stays there.
    assert named(start[0]) == "GTA"
    assert named(start[1]) != network.stations[1].name
    browser.press("0")
    browser.press("+")
    browser.drag(middle, (middle[0] + 40, middle[1] + 30))
    assert named((grown[0] + 40, grown[1] + 30)) == "GTA"
    assert browser.errors == []


def test_two_fingers_zoom(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network))
    start = station_pixels(browser, network)
    box = browser.box(".stage canvas")
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for kind, gap in (("touchStart", 40), ("touchMove", 50), ("touchMove", 60), ("touchEnd", None)):
        points = (
            []
            if gap is None
            else [
                {"x": middle[0] - gap, "y": middle[1], "id": 1},
                {"x": middle[0] + gap, "y": middle[1], "id": 2},
            ]
        )
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    browser.settle()
    grown = tuple(m + 1.5 * (a - m) for a, m in zip(start[0], middle, strict=True))
    browser.point(*grown)
    assert text(browser, ".stage .tip").startswith("GTA")


# ---- charts and tables


def test_chart_is_read_by_keys(browser: Browser, save: Save) -> None:
    browser.open(save(chart()))
    browser.evaluate("document.querySelector('.plot').focus()")
    browser.press("ArrowRight")
    assert (
        text(browser, ".chart .spoken")
        == "2021-01-01; median −150.0; range −155.0 to −145.0; quiet −150.0; dB"
    )
    browser.press("ArrowRight")
    assert text(browser, ".chart .spoken") == "2021-01-02; median −140.3; range −150.0 to −130.0; dB"
    browser.press("ArrowRight")
    # The median is missing on that day, the band is not.
    assert text(browser, ".chart .spoken") == "2021-01-03; range −150.0 to −130.0; dB"
    browser.press("End")
    assert text(browser, ".chart .tip").startswith("2021-01-05")
    browser.press("Escape")
    assert browser.evaluate("document.querySelector('.chart .tip').hidden")


def test_chart_is_read_by_the_pointer_and_its_series_are_hidden(browser: Browser, save: Save) -> None:
    browser.open(save(chart()))
    box = browser.box(".plot svg svg")
    # A quarter of the way from the first to the last of five days lies the second.
    browser.point(box["x"] + 0.26 * box["width"], box["y"] + 50)
    assert text(browser, ".chart .tip").startswith("2021-01-02")
    browser.evaluate("document.querySelector('.legend button').click()")
    assert (
        browser.evaluate("document.querySelector('.legend button').getAttribute('aria-pressed')") == "false"
    )
    assert browser.evaluate("document.querySelectorAll('.plot svg path.line').length") == 0
    browser.point(box["x"] + 0.26 * box["width"], box["y"] + 60)
    assert "median" not in text(browser, ".chart .tip")


def test_values_are_there_as_a_table(browser: Browser, save: Save) -> None:
    browser.open(save(chart()))
    browser.evaluate("document.querySelector('.values').open = true")
    browser.wait("Boolean(document.querySelector('.values table'))")
    rows = browser.evaluate(
        "[...document.querySelectorAll('.values tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    assert rows[0] == ["2021-01-01", "−150.0", "−155.0 to −145.0", "−150.0"]
    assert rows[2] == ["2021-01-03", "–", "−150.0 to −130.0", "–"]
    assert len(rows) == 4


def test_tables_are_sorted_and_filtered(browser: Browser, save: Save) -> None:
    rows = [[f"A{number}", None if number == 3 else float((number * 7) % 20 - 9)] for number in range(20)]
    browser.open(save(Table("Levels", ["station", "level"], rows)))
    column = (
        "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden)"
        ".map((row) => row.cells[{}].textContent)"
    )
    levels = sorted(row[1] for row in rows if row[1] is not None)  # type: ignore[type-var]
    shown = [f"{level:g}".replace("-", "−") for level in levels]  # type: ignore[str-format]
    browser.evaluate("document.querySelectorAll('thead button')[1].click()")
    assert browser.evaluate(column.format(1)) == [*shown, "–"]
    assert (
        browser.evaluate("document.querySelectorAll('thead th')[1].getAttribute('aria-sort')") == "ascending"
    )
    browser.evaluate("document.querySelectorAll('thead button')[1].click()")
    assert browser.evaluate(column.format(1)) == [*reversed(shown), "–"]
    browser.evaluate("document.querySelectorAll('thead button')[0].click()")
    # A10 stands behind A9.
    assert browser.evaluate(column.format(0)) == [f"A{number}" for number in range(20)]
    browser.evaluate("document.querySelector('.filter input').focus()")
    browser.type("a1")
    assert browser.evaluate(column.format(0)) == ["A1", *(f"A{number}" for number in range(10, 20))]
    assert text(browser, ".filter output") == "11 of 20 rows"


# ---- light, dark, paper, small windows, no script, failure


def test_colours_are_switched_by_the_reader(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network))
    box = browser.box(".stage canvas")
    assert pixel(browser, (box["x"] + 3, box["y"] + 60)) == [238, 242, 245]
    browser.evaluate(
        "(() => { const s = document.getElementById('colours'); s.value = 'dark';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    browser.settle()
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"
    assert pixel(browser, (box["x"] + 3, box["y"] + 60)) == [27, 33, 39]
    browser.evaluate("localStorage.clear()")


def test_paper_is_light_and_unfolded_and_the_page_is_as_before(
    browser: Browser, save: Save, network: StationMap
) -> None:
    browser.open(save(network, Details("More", [Paragraph("Inside.")])), dark=True)
    browser.evaluate(
        "window.addEventListener('beforeprint', () => { window.seen ="
        " [document.querySelectorAll('details:not([open]):not(.screen-only)').length,"
        " [...document.querySelector('.stage canvas').getContext('2d').getImageData(3, 60, 1, 1).data]"
        ".slice(0, 3)]; })"
    )
    assert browser.paper().startswith(b"%PDF")
    assert browser.evaluate("window.seen") == [0, [238, 242, 245]]
    browser.settle()
    assert browser.evaluate("document.querySelectorAll('details[open]').length") == 0
    assert browser.evaluate("document.documentElement.dataset.theme") is None
    box = browser.box(".stage canvas")
    assert pixel(browser, (box["x"] + 3, box["y"] + 60)) == [27, 33, 39]


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_page_fits_its_window(browser: Browser, save: Save, network: StationMap, width: int) -> None:
    browser.open(save(network, chart(), Table("Wide", ["a" * 30] * 8, [["b" * 30] * 8])), width=width)
    browser.evaluate("document.querySelector('[role=listbox]').focus()")
    browser.settle()
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_first_key_leads_past_the_contents(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network))
    browser.press("Tab")
    assert browser.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().x") >= 0
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.id") == "main"


def test_without_script_pictures_and_tables_stay(browser: Browser, save: Save, network: StationMap) -> None:
    browser.open(save(network, chart()), script=False)
    assert browser.evaluate(
        "[...document.querySelectorAll('.static svg')].every((s) => s.getBoundingClientRect().width > 300)"
    )
    assert browser.evaluate("document.querySelectorAll('.map tbody tr').length") == 5
    assert "No script runs here" in browser.evaluate("document.body.innerText")


def test_failure_is_told_and_leaves_the_picture(browser: Browser, save: Save, network: StationMap) -> None:
    path = save(network, chart())
    page = path.read_text(encoding="utf-8")
    path.write_text(page.replace('"projection":{"kind"', '"projektion":{"kind"'), encoding="utf-8")
    browser.open(path)
    assert "A script of this page failed (map-snm-of-five-stations)" in text(browser, "#script-error")
    assert browser.evaluate("document.querySelector('.map .static').hidden") is False
    assert browser.evaluate("document.querySelector('.map .widget')") is None
    assert browser.evaluate("document.querySelector('.chart .static').hidden") is True


def test_foreign_script_does_not_run(browser: Browser, save: Save, network: StationMap) -> None:
    path = save(network)
    page = path.read_text(encoding="utf-8")
    foreign = "<script>document.title = 'taken'</script><img src='x' onerror=\"document.title = 'taken'\">"
    path.write_text(page.replace("</main>", f"{foreign}</main>"), encoding="utf-8")
    browser.open(path)
    browser.settle()
    assert browser.evaluate("document.title") == "Noise"
    assert any("Content Security Policy" in error for error in browser.errors)


def everywhere(network: StationMap) -> dict[str, StationMap]:
    """Maps at the edges of what there is to show."""
    nothing = np.full((2, 2), np.nan)
    blind = [replace(station, value=None, error=None, charts=()) for station in network.stations]
    fiji = [
        Station(
            name=str(k),
            longitude_deg=178.0 + k if k < 3 else k - 182.0,
            latitude_deg=-18.0 - k,
            value=float(k),
        )
        for k in range(5)
    ]
    pole = [
        Station(name=str(k), longitude_deg=72.0 * k - 180, latitude_deg=-88.0 + 3 * k, value=float(k))
        for k in range(5)
    ]
    world = [
        Station(name=str(k), longitude_deg=36.0 * k - 180, latitude_deg=15.0 * k - 70, value=float(k))
        for k in range(10)
    ]
    circle = Outlines([np.stack([np.linspace(-180, 180, 73), np.full(73, -66.0)], axis=1)])
    grid = Field(
        longitude_deg=np.arange(-180, 180, 5), latitude_deg=np.arange(-90, -59, 5), values=np.ones((7, 72))
    )
    empty = Field(longitude_deg=[99, 100], latitude_deg=[30, 31], values=nothing, standard_error=nothing)
    return {
        "no stations": replace(network, stations=[]),
        "nothing at all": replace(network, stations=[], field=None, lines=[]),
        "no values": replace(network, stations=blind, field=empty),
        "no field": replace(network, field=None),
        "one station": replace(network, stations=network.stations[:1], field=None, lines=[]),
        "over the antimeridian": replace(network, stations=fiji, field=None),
        "around a pole": replace(network, stations=pole, field=grid, lines=[circle]),
        "the world": replace(network, stations=world, field=None, lines=[circle]),
        "differences": replace(network, is_diverging=True, field=None),
    }


CASES = (
    "no stations",
    "nothing at all",
    "no values",
    "no field",
    "one station",
    "over the antimeridian",
    "around a pole",
    "the world",
    "differences",
)


@pytest.mark.parametrize("case", CASES)
def test_maps_at_the_edges_work(browser: Browser, save: Save, network: StationMap, case: str) -> None:
    page_map = everywhere(network)[case]
    browser.open(save(page_map))
    browser.evaluate("document.querySelector('[role=listbox]').focus()")
    browser.evaluate("document.querySelector('.stage canvas').focus()")
    for key in ("+", "ArrowLeft", "ArrowUp", "-", "-", "0"):
        browser.press(key)
    browser.evaluate(
        "[...document.querySelectorAll('.layers input:not([disabled])')].forEach((each) => each.click())"
    )
    browser.settle()
    assert browser.errors == []
    assert browser.evaluate("document.getElementById('script-error')") is None
    if page_map.stations:
        browser.evaluate("document.querySelector('[role=listbox]').focus()")
        assert text(browser, ".panel h3") in {station.name for station in page_map.stations}
    else:
        assert text(browser, ".panel h3") == "There are no stations"
    said = text(browser, ".bar")
    has_values = any(station.value is not None for station in page_map.stations) or case == "no stations"
    assert ("there are no values" in said) is not has_values
