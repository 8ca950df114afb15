"""
Figures that were drawn elsewhere, as by `pipeline.figures`: an SVG that becomes part of the page, or a PNG.

An SVG is read and written anew: scripts, links to other files and what else could act are taken out, ids are
made the page's own, and its styles hold for itself alone.
"""

from __future__ import annotations

import base64
import itertools
import re
from dataclasses import dataclass
from typing import Final

from lxml import etree  # type: ignore[import-untyped]

from pipeline.errors import ConfigError
from pipeline.report.markup import Markup, clean, element, escape
from pipeline.report.sheet import Sheet

__all__ = ["Figure"]

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK: Final = "{http://www.w3.org/1999/xlink}href"
_KEPT: Final = frozenset(
    (
        *("svg", "g", "defs", "use", "symbol", "switch", "title", "desc", "style", "image"),
        *("path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "textPath"),
        *("marker", "clipPath", "mask", "pattern", "linearGradient", "radialGradient", "stop"),
    )
)
_REFERENCE: Final = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")
_ELSEWHERE: Final = re.compile(r"url\(\s*['\"]?(?!\s*['\"]?#)[^)]*\)")
_STRING: Final = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Figure:
    """
    A figure.

    Parameters
    ----------
    image : str or bytes
        An SVG, or the bytes of a PNG.
    caption : str
    alt : str
        What it shows, in a sentence or two, for who does not see it.
    is_on_paper : bool
        Whether it brings its own colours and wants a white ground in dark pages, too. A figure that does
        not should use ``currentColor`` and the page's variables (docs/report-page.md).

    Raises
    ------
    ConfigError
        It is neither SVG nor PNG, or says nothing to who does not see it.

    Examples
    --------
    >>> svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><rect id="a" onclick="x()"/></svg>'
    >>> written = Figure(svg, "A square", "A black square.").write(Sheet())
    >>> "onclick" in written, 'aria-label="A black square."' in written
    (False, True)
    """

    image: str | bytes
    caption: str
    alt: str
    is_on_paper: bool = True

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ConfigError(f"figure {self.caption!r}: alt should say what it shows, got nothing")
        if isinstance(self.image, bytes) and not self.image.startswith(_PNG):
            raise ConfigError(f"figure {self.caption!r}: bytes should be a PNG, got {self.image[:8]!r}...")

    def write(self, sheet: Sheet) -> Markup:
        """See `Part.write`."""
        identifier = sheet.new_id(f"figure {self.caption}")
        if isinstance(self.image, bytes):
            source = "data:image/png;base64," + base64.b64encode(self.image).decode("ascii")
            picture = element("img", {"src": source, "alt": self.alt})
        else:
            picture = _inlined(self.image, identifier, self.caption, self.alt)
        return element(
            "figure",
            {"class": "figure picture", "id": identifier},
            element("div", {"class": "paper" if self.is_on_paper else "plain"}, picture),
            element("figcaption", None, escape(self.caption)),
        )


def _inlined(svg: str, identifier: str, caption: str, alt: str) -> Markup:
    # Entities could read files or grow without end.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(clean(svg).encode(), parser)
    except etree.XMLSyntaxError as error:
        raise ConfigError(f"figure {caption!r}: should be an SVG, but can't be read: {error}") from error
    if root.tag not in (f"{{{_SVG}}}svg", "svg"):
        raise ConfigError(f"figure {caption!r}: should be an SVG, got the element {root.tag!r}")
    prefix = f"{identifier}-svg"
    _purge(root, prefix)
    root.set("id", prefix)
    root.set("role", "img")
    root.set("aria-label", clean(alt))
    if "viewBox" in root.attrib:
        _limit_width(root)
    return Markup(_without_namespaces(root))


def _purge(root: etree._Element, prefix: str) -> None:
    for node in list(root.iter()):
        name = etree.QName(node).localname if isinstance(node.tag, str) else ""
        if name not in _KEPT:
            _remove(node)
            continue
        for key in list(node.attrib):
            value = node.attrib.pop(key)
            kept = _attribute(key, value, prefix, name)
            if kept is not None:
                node.set(*kept)
        if name == "style":
            node.text = _scoped(node.text or "", prefix)


def _remove(node: etree._Element) -> None:
    parent = node.getparent()
    if parent is None:
        return
    # What follows an element hangs on it.
    before = node.getprevious()
    if node.tail and before is not None:
        before.tail = (before.tail or "") + node.tail
    elif node.tail:
        parent.text = (parent.text or "") + node.tail
    parent.remove(node)


def _attribute(key: str, value: str, prefix: str, name: str) -> tuple[str, str] | None:
    if key == "id":
        return "id", f"{prefix}-{value}"
    if key in ("href", _XLINK):
        if value.startswith("#"):
            return "href", f"#{prefix}-{value[1:]}"
        return ("href", value) if name == "image" and value.startswith("data:image/png;base64,") else None
    if "}" in key or key.lower().startswith("on") or key in ("class", "version", "baseProfile"):
        return None
    return key, _own_references(value, prefix)


def _own_references(text: str, prefix: str) -> str:
    return _REFERENCE.sub(lambda found: f"url(#{prefix}-{found.group(1)})", _ELSEWHERE.sub("none", text))


def _scoped(css: str, prefix: str) -> str:
    """Return a style sheet for one figure: its rules stand within a rule of its own."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    # What could reach beyond its own rule, or beyond the page, is no use in a figure.
    strings = _STRING.findall(css)
    bare = _STRING.sub("", css)
    if any(character in text for text in strings for character in "{}") or set(bare) & set("<@\\\"'"):
        return ""
    depth = list(itertools.accumulate({"{": 1, "}": -1}.get(character, 0) for character in bare))
    if depth and (min(depth) < 0 or depth[-1] != 0):
        return ""
    return f"#{prefix}{{{_own_references(css, prefix)}}}"


def _limit_width(root: etree._Element) -> None:
    """Let a figure shrink with the page, and never grow beyond its own size."""
    root.attrib.pop("height", None)


def _without_namespaces(root: etree._Element) -> str:
    for node in root.iter():
        node.tag = etree.QName(node).localname
    etree.cleanup_namespaces(root)
    return str(etree.tostring(root, encoding="unicode", with_tail=False))
