"""A page is one file: well-formed, the same bytes each time, with no way out of it and no text that acts."""

import base64
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree

from pipeline.errors import ConfigError
from pipeline.report import (
    Axis,
    Code,
    Details,
    Figure,
    KeyFigure,
    KeyFigures,
    Line,
    LineChart,
    Link,
    Listing,
    Note,
    Page,
    Paragraph,
    Section,
    StationMap,
    Table,
    render,
)
from pipeline.report.sheet import Sheet, asset

HOSTILE = "</script></style>\"'><script>alert(1)</script><img src=x onerror=alert(1)>\x00\udcff&amp;"


def full_page(page_map: StationMap, text: str) -> Page:
    chart = LineChart(
        title=text, x_axis=Axis(text, text), y_axis=Axis(text), series=[Line(text, [1.0, 2.0], [1.0, 2.0])]
    )
    parts = [
        Paragraph([text, Link(text, "https://doi.org/10.3133/ofr93322"), Code(text)]),
        Listing([text, text]),
        Note(text, "warning"),
        KeyFigures([KeyFigure(text, text, text, text)]),
        Details(text, [Paragraph(text)]),
        Table(text, [text], [[text]]),
        Table(text, [text], []),
        Figure("<svg xmlns='http://www.w3.org/2000/svg'><rect id='a'/></svg>", text, text),
        chart,
        page_map,
        Section(text, [Paragraph(text)]),
    ]
    sections = [Section(text, parts), Section(text), Section("Third")]
    return Page(title=text, subtitle=text, facts=[(text, text)], sections=sections, footer=text)


def bare(page: str) -> str:
    """Return a page without what is no markup: scripts, their data and styles."""
    return re.sub(r"(<(script|style)[^>]*>).*?(</\2>)", r"\1\3", page, flags=re.DOTALL)


def parse(page: str) -> Any:
    # A page is HTML, and also well-formed as XML but for its first line: nothing in it is left to be guessed.
    return etree.fromstring(bare(page).removeprefix("<!DOCTYPE html>\n").encode())


def test_page_is_well_formed_whatever_its_texts(network: StationMap) -> None:
    tree = parse(render(full_page(network, HOSTILE)))
    assert [child.tag for child in tree] == ["head", "body"]
    assert tree.find("head/title").text.startswith("</script></style>")
    # The page's own scripts: one that runs, and the data of a chart and a map.
    kinds = [script.get("type") for script in tree.iter("script")]
    assert kinds == ["application/json", "application/json", None]
    assert not [node.tag for node in tree.iter() if any(name.startswith("on") for name in node.attrib)]
    assert not list(tree.iter("img"))


def test_each_id_is_there_once_and_what_is_named_is_there(network: StationMap) -> None:
    tree = parse(render(full_page(network, "Noise")))
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for attribute in ("aria-labelledby", "data-source", "for"):
        assert set(tree.xpath(f"//@{attribute}")) <= set(ids)
    assert {target[1:] for target in tree.xpath("//a/@href") if target.startswith("#")} <= set(ids)


def test_nothing_is_loaded(network: StationMap) -> None:
    page = render(full_page(network, "Noise"))
    tree = parse(page)
    assert {source[:22] for source in tree.xpath("//@src | //image/@href")} <= {"data:image/png;base64,"}
    assert not tree.xpath("//link | //iframe | //object | //embed | //base | //form")
    assert not re.findall(r"url\((?!#|data:)|@import|fetch\(|XMLHttpRequest|import\(|WebSocket", page)
    # Addresses stand in links alone, and in names of namespaces, which nobody loads.
    without = page.replace("http://www.w3.org/2000/svg", "").replace(
        'href="https://doi.org/10.3133/ofr93322"', ""
    )
    without = without.replace('a[href^="http"]', "")
    assert "http" not in without.replace("http-equiv", "")


def test_policy_lets_the_own_script_run_alone(network: StationMap) -> None:
    page = render(full_page(network, "Noise"))
    policy = parse(page).xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    script = page[page.rindex("<script>") + 8 : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")


def test_same_page_has_the_same_bytes_in_another_process(network: StationMap) -> None:
    once = render(full_page(network, "Noise"))
    assert render(full_page(network, "Noise")) == once
    code = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import conftest, test_page;"
        "page = test_page.full_page(conftest.make_network(), 'Noise');"
        "sys.stdout.buffer.write(test_page.render(page).encode())"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", code, here],
        capture_output=True,
        check=True,
        cwd=Path.cwd(),
        env={"PYTHONHASHSEED": "7"},
    )
    assert done.stdout.decode() == once


def test_headings_descend_one_by_one(network: StationMap) -> None:
    inner = Section("c", [Section("d", [Section("e", [Section("f", [Section("g", [Section("h")])])])])])
    tree = parse(render(Page(title="a", sections=[Section("b", [inner]), Section("z")])))
    headings = [int(node.tag[1]) for node in tree.iter() if re.fullmatch(r"h[1-6]", node.tag)]
    assert headings == [1, 2, 3, 4, 5, 6, 6, 6, 2]


def test_contents_come_with_the_third_section() -> None:
    few = Page(title="a", sections=[Section("b"), Section("c")])
    many = Page(title="a", sections=[Section("b"), Section("b"), Section("b", anchor="own")])
    assert "<nav" not in render(few)
    assert re.findall(r'<a href="#([^"]+)">b</a>', render(many)) == ["b", "b-2", "own"]


def test_page_carries_the_scripts_that_it_needs(network: StationMap) -> None:
    plain = render(Page(title="a", sections=[Section("b", [Paragraph("c")])]))
    assert "widgets.map" not in plain
    assert "startTables =" not in plain
    assert "<noscript" not in plain
    table = render(Page(title="a", sections=[Section("b", [Table("c", ["d"], [["e"]])])]))
    assert "startTables =" in table
    assert "widgets.chart =" not in table
    assert "widgets.map =" in render(Page(title="a", sections=[Section("b", [network])]))
    assert len(plain) < 30_000


def test_kind_of_a_note_is_said_in_a_word() -> None:
    assert "Warning: " in Note("a", "warning").write(Sheet())
    with pytest.raises(ConfigError, match="a note should be one of note, warning, got 'error'"):
        Note("a", "error")  # type: ignore[arg-type]


def test_unknown_widget_is_refused() -> None:
    with pytest.raises(KeyError, match="widget 'globe'"):
        Sheet().use("globe")


# ---- colours


def luminance(colour: str) -> float:
    channels = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: str, two: str) -> float:
    """As WCAG 2.2 defines it."""
    dark, light = sorted([luminance(one), luminance(two)])
    return (light + 0.05) / (dark + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root([^{,]*)\{([^}]*)\}", asset("page.css").split("@media print")[0])
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for _, block in blocks]
    return dict(zip(("light", "dark by the system", "dark by choice"), found, strict=True))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_dark_is_the_same_by_choice_and_by_the_system() -> None:
    assert palettes()["dark by choice"] == palettes()["dark by the system"]
    assert palettes()["dark by choice"].keys() == palettes()["light"].keys()


@pytest.mark.parametrize("name", ["light", "dark by choice"])
def test_colours_can_be_told_from_their_ground(name: str) -> None:
    colours = palettes()[name]
    for ground in ("ground", "paper", "raised"):
        for text in ("ink", "quiet", "link", "warning"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for mark in ("focus", "reference", *(f"c{number}" for number in range(8))):
            assert contrast(colours[mark], colours[ground]) >= 3, (mark, ground)
    for line in ("coast", "border", "polygon"):
        assert contrast(colours[line], colours["sea"]) >= (2.5 if line == "border" else 3), line
    assert contrast(colours["paper"], colours["link"]) >= 4.5
