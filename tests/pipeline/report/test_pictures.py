"""Figures drawn elsewhere: nothing in them acts, reaches out or meets its neighbour."""

import re
from typing import Any

import numpy as np
import pytest
from lxml import html

from pipeline.errors import ConfigError
from pipeline.figures import figure_mm, render, theme
from pipeline.report import Figure, Page, Section, Sheet
from pipeline.report import render as render_page

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def written(inside: str, root: str = "") -> str:
    return Figure(f"<svg {SVG} {root}>{inside}</svg>", "Caption", "What it shows.").write(Sheet())


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<g><script>alert(1)</script>kept</g>",
        '<rect onload="alert(1)"/>',
        '<a xlink:href="javascript:alert(1)"><text>x</text></a>',
        '<use href="https://elsewhere.org/alert.svg#a"/>',
        '<image href="https://elsewhere.org/alert.png"/>',
        '<image href="data:image/svg+xml;base64,alert"/>',
        "<foreignObject><body>alert</body></foreignObject>",
        '<rect style="fill: url(https://elsewhere.org/alert)"/>',
        '<animate attributeName="href" values="alert"/>',
        "<style>@import url(https://elsewhere.org/alert.css);</style>",
        "<style>*{fill:red}}body{content:'alert'}{</style>",
        "<style>a{content:'{'}}body{content:'alert'}</style>",
        "<style>&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;</style>",
        "<!-- alert --><?xml-stylesheet href='alert'?>",
    ],
)
def test_what_could_act_is_taken_out(inside: str) -> None:
    assert "alert" not in written(inside)


def test_text_behind_what_is_taken_out_stays() -> None:
    assert ">before after<" in written("<text>before <script>x</script>after</text>")


def test_ids_and_styles_are_a_figures_own() -> None:
    one = (
        f'<svg {SVG}><style>rect{{fill:red}}</style><defs><clipPath id="a"><rect/></clipPath></defs>'
        '<g clip-path="url(#a)" style="mask:url( &quot;#a&quot; )"><use xlink:href="#a"/></g></svg>'
    )
    page = render_page(
        Page(title="Two", sections=[Section("Both", [Figure(one, "Same", "A"), Figure(one, "Same", "B")])])
    )
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for stem in ("figure-same-svg", "figure-same-2-svg"):
        assert f'id="{stem}-a"' in page
        assert f'clip-path="url(#{stem}-a)"' in page
        assert f'style="mask:url(#{stem}-a)"' in page
        assert f'href="#{stem}-a"' in page
        assert f"#{stem}{{rect{{fill:red}}}}" in page


def test_figure_of_matplotlib_is_taken_over_whole() -> None:
    with theme():
        figure = figure_mm(80, 50)
        axes = figure.add_subplot()
        axes.plot(np.arange(5.0))
        axes.imshow(np.arange(4.0).reshape(2, 2), extent=(0, 1, 0, 1))
    svg = render(figure, "svg").decode()
    tree: Any = html.fromstring(Figure(svg, "Line", "A line.").write(Sheet()))
    assert len(tree.xpath(".//path")) == svg.count("<path")
    assert len(tree.xpath(".//use")) == svg.count("<use")
    assert tree.xpath(".//image/@href")[0].startswith("data:image/png;base64,")
    named = set(tree.xpath(".//@id"))
    assert {reference[1:] for reference in tree.xpath(".//use/@href")} <= named
    assert set(re.findall(r"url\(#([^)]+)\)", html.tostring(tree).decode())) <= named


def test_png_is_embedded() -> None:
    with theme():
        png = render(figure_mm(10, 10), "png")
    tree: Any = html.fromstring(Figure(png, "Nothing", 'An "empty" sheet.').write(Sheet()))
    assert tree.xpath(".//img/@alt") == ['An "empty" sheet.']
    assert tree.xpath(".//img/@src")[0].startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize(
    ("image", "alt", "message"),
    [
        ("<svg", "x", "should be an SVG, but can't be read"),
        ("<html/>", "x", "got the element 'html'"),
        ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><html>&a;</html>', "x", "got the element"),
        (b"GIF89a", "x", "bytes should be a PNG, got b'GIF89a'"),
        ("<svg/>", " ", "alt should say what it shows"),
    ],
)
def test_what_is_no_figure_is_refused(image: Any, alt: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Figure(image, "Caption", alt).write(Sheet())
