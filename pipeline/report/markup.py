"""
HTML from plain text: whatever a station is called, it stays text.

`Markup` is a type of its own for the type checker: what is none has to go through `escape` first.
"""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping
from typing import Final, NewType

from pipeline.errors import ConfigError

__all__ = [
    "Attributes",
    "Markup",
    "check_link",
    "clean",
    "data_block",
    "element",
    "escape",
    "join",
    "number_text",
    "slug",
]

Markup = NewType("Markup", str)
"""Text that is HTML already."""

Attributes = Mapping[str, str | int | float | bool | None]
"""True is an attribute without a value, False and None are none at all."""

_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})
# What neither HTML nor XML can hold: controls, halves of surrogate pairs (names that are no UTF-8).
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LINK: Final = re.compile(r"(https?://|mailto:|#)[^\s\"'<>]+|(?!//)[^\s\"'<>:]+")


def clean(text: str) -> str:
    r"""
    Return a text without what a page can't hold, each replaced by U+FFFD.

    >>> clean("A\x00B\udc80") == "A\N{REPLACEMENT CHARACTER}B\N{REPLACEMENT CHARACTER}"
    True
    """
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def escape(text: str) -> Markup:
    """
    Return a text as HTML, for elements and attributes alike.

    >>> escape("<script> & 'so on'")
    '&lt;script&gt; &amp; &#x27;so on&#x27;'
    """
    return Markup(html.escape(clean(text), quote=True))


def element(tag: str, attributes: Attributes | None = None, *children: Markup) -> Markup:
    """
    Return an element.

    Parameters
    ----------
    tag : str
    attributes : mapping, optional
        Values are escaped here.
    *children : Markup

    Examples
    --------
    >>> element("p", {"class": "note", "hidden": True}, escape("1 < 2"))
    '<p class="note" hidden="">1 &lt; 2</p>'
    >>> element("br")
    '<br/>'
    """
    written = "".join(
        f' {name}="{"" if value is True else escape(str(value))}"'
        for name, value in (attributes or {}).items()
        if value is not None and value is not False
    )
    if tag in _VOID:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{''.join(children)}</{tag}>")


def join(*pieces: Markup) -> Markup:
    """Return pieces one after the other, a line each."""
    return Markup("\n".join(piece for piece in pieces if piece))


def data_block(identifier: str, payload: object) -> Markup:
    r"""
    Return values for the page's scripts, which no text among them can leave.

    >>> data_block("a", {"name": "</script>"})
    '<script type="application/json" id="a">{"name":"\\u003c/script\\u003e"}</script>'
    """
    written = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        written = written.replace(character, f"\\u{ord(character):04x}")
    return Markup(f'<script type="application/json" id="{escape(identifier)}">{clean(written)}</script>')


def check_link(target: str) -> str:
    """
    Return a link's target; refuse what is neither a place of the web or of this page, nor a relative file.

    >>> check_link("https://doi.org/10.3133/ofr93322"), check_link("#noise"), check_link("figures/a.png")
    ('https://doi.org/10.3133/ofr93322', '#noise', 'figures/a.png')
    >>> check_link("javascript:alert(1)")
    Traceback (most recent call last):
    pipeline.errors.ConfigError: link 'javascript:alert(1)': should begin with https://, ...
    """
    if not _LINK.fullmatch(target):
        raise ConfigError(
            f"link {target!r}: should begin with https://, http://, mailto: or #, or be a relative file,"
            " without spaces and quotes"
        )
    return target


def slug(text: str) -> str:
    """
    Return a text as an id: letters and digits of ASCII, in small, with hyphens.

    >>> slug("Noise of 3 stations (SNM)"), slug("噪声")
    ('noise-of-3-stations-snm', 'part')
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "part"


def number_text(value: float | None, digits: int | None = None) -> str:
    """
    Return a number as it is read: a true minus, a dash where there is none.

    Parameters
    ----------
    value : float or None
    digits : int, optional
        Behind the point; as many as it needs, up to six that count, unless given.

    Examples
    --------
    >>> number_text(-1.25, 1), number_text(0.5), number_text(float("nan")), number_text(-0.001, 1)
    ('−1.2', '0.5', '–', '0.0')
    """
    if value is None or not math.isfinite(value):
        return "–"
    written = f"{value:.6g}" if digits is None else f"{value:.{digits}f}"
    if float(written) == 0:
        written = written.removeprefix("-")
    return written.replace("-", "−")
