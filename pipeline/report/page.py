"""
One page, one file: what a reader opens from a disk, without a network, and keeps.

Everything is inside: the style sheet, the scripts, the values. A policy in its head forbids it to load
anything, and to run any script but its own, whose digests it names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pipeline.report.markup import Attributes, Markup, element, escape, join
from pipeline.report.parts import Text, inline
from pipeline.report.sheet import Part, Sheet, asset, scripts

__all__ = ["Page", "Section", "render"]

_FEW: Final = 3


@dataclass(frozen=True, slots=True)
class Section:
    """
    A heading and what stands under it; a section among its parts is one of a lower level.

    Parameters
    ----------
    heading : str
    parts : sequence of Part
    anchor : str
        What links name it by (``#anchor``); made from the heading unless given.
    """

    heading: str
    parts: Sequence[Part] = ()
    anchor: str = ""

    def write(self, sheet: Sheet) -> Markup:
        """See `Part.write`."""
        return _section(self, sheet)[1]


def _section(section: Section, sheet: Sheet) -> tuple[str, Markup]:
    identifier = sheet.new_id(section.anchor or section.heading)
    heading_id = sheet.new_id(f"{identifier}-heading")
    with sheet.deeper() as level:
        heading = element(f"h{level}", {"id": heading_id}, escape(section.heading))
        parts = [part.write(sheet) for part in section.parts]
    # The heading can be reached by a link of the contents, which moves the focus as well.
    attributes: Attributes = {"id": identifier, "aria-labelledby": heading_id, "tabindex": -1}
    return identifier, element("section", attributes, heading, Markup("\n"), join(*parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """
    A page.

    Parameters
    ----------
    title : str
    subtitle : Text
    facts : sequence of (str, Text)
        What it is about, in names and values, as ("Stations", "60").
    sections : sequence of Section
    footer : Text
        What made it, and from what: version, command, fingerprint. No clock is read here.
    language : str
        Of its text.

    Examples
    --------
    >>> page = Page(title="Noise <2021>", sections=[Section("Levels")])
    >>> "<title>Noise &lt;2021&gt;</title>" in render(page), render(page) == render(page)
    (True, True)
    """

    title: str
    subtitle: Text = ""
    facts: Sequence[tuple[str, Text]] = ()
    sections: Sequence[Section] = ()
    footer: Text = ""
    language: str = "en"


def render(page: Page) -> str:
    """
    Return a page as HTML, the same bytes for the same page.

    Parameters
    ----------
    page : Page

    Returns
    -------
    str
        To be written in UTF-8.
    """
    sheet = Sheet()
    for taken in ("top", "main", "title"):
        sheet.new_id(taken)
    written = [_section(section, sheet) for section in page.sections]
    script = scripts(sheet.widgets)
    body = element(
        "body",
        None,
        element("a", {"class": "skip", "href": "#main"}, escape("Skip to the content")),
        _header(page),
        _contents(page, [identifier for identifier, _ in written]),
        element(
            "main", {"id": "main", "tabindex": -1}, _without_script(sheet), *(markup for _, markup in written)
        ),
        element("footer", None, element("p", None, inline(page.footer))) if page.footer else Markup(""),
        # Scripts and style sheets are no text: what they hold is not escaped, and holds no end of their own.
        Markup(f"<script>{script}</script>"),
    )
    head = _head(page, script)
    return "<!DOCTYPE html>\n" + element("html", {"lang": page.language}, head, Markup("\n"), body) + "\n"


def _head(page: Page, script: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": policy}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("meta", {"name": "generator", "content": "stationday"}),
        element("title", None, escape(page.title)),
        Markup(f"<style>{asset('page.css')}</style>"),
    )


def _header(page: Page) -> Markup:
    subtitle = element("p", {"class": "subtitle"}, inline(page.subtitle)) if page.subtitle else Markup("")
    facts = Markup("")
    if page.facts:
        pairs = [
            element("div", None, element("dt", None, escape(name)), element("dd", None, inline(value)))
            for name, value in page.facts
        ]
        facts = element("dl", {"class": "facts"}, *pairs)
    title = element("h1", {"id": "title"}, escape(page.title))
    return element("header", {"id": "top"}, element("div", {"class": "switches"}), title, subtitle, facts)


def _contents(page: Page, identifiers: Sequence[str]) -> Markup:
    if len(identifiers) < _FEW:
        return Markup("")
    entries = [
        element("li", None, element("a", {"href": f"#{identifier}"}, escape(section.heading)))
        for identifier, section in zip(identifiers, page.sections, strict=True)
    ]
    return element("nav", {"aria-label": "Contents", "class": "contents"}, element("ul", None, *entries))


def _without_script(sheet: Sheet) -> Markup:
    if sheet.widgets <= {"page"}:
        return Markup("")
    said = "No script runs here: tables keep their order, charts and maps stand still. All else is there."
    return element("noscript", None, element("p", {"class": "note"}, escape(said)))
