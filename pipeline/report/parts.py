"""Text of a section: paragraphs, lists, notes, key figures, and what folds away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from pipeline.errors import ConfigError
from pipeline.report.markup import Markup, check_link, element, escape, join
from pipeline.report.sheet import Part, Sheet

__all__ = [
    "Code",
    "Details",
    "KeyFigure",
    "KeyFigures",
    "Link",
    "Listing",
    "Note",
    "Paragraph",
    "Text",
    "inline",
]

NoteKind = Literal["note", "warning"]

_NOTE_WORDS: Final[dict[NoteKind, str]] = {"note": "Note", "warning": "Warning"}


@dataclass(frozen=True, slots=True)
class Link:
    """
    A link within a text.

    Parameters
    ----------
    text : str
    target : str
        Of the web, of this page (``#noise``), or a file beside it.

    Raises
    ------
    ConfigError
        It is none of these: a script, say.
    """

    text: str
    target: str

    def __post_init__(self) -> None:
        check_link(self.target)


@dataclass(frozen=True, slots=True)
class Code:
    """A command or a name within a text, as it is typed."""

    text: str


Text: TypeAlias = str | Link | Code | Sequence[str | Link | Code]
"""Plain text, or pieces of it with links and code between them."""


def inline(text: Text) -> Markup:
    """
    Return a text as HTML.

    >>> inline(["See ", Link("Peterson", "https://doi.org/10.3133/ofr93322"), "."])
    'See <a href="https://doi.org/10.3133/ofr93322" rel="noreferrer">Peterson</a>.'
    """
    if isinstance(text, str):
        return escape(text)
    if isinstance(text, Code):
        return element("code", None, escape(text.text))
    if isinstance(text, Link):
        return element("a", {"href": text.target, "rel": "noreferrer"}, escape(text.text))
    return Markup("".join(inline(piece) for piece in text))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """
    Running text.

    Examples
    --------
    >>> Paragraph("Quiet & deep.").write(Sheet())
    '<p>Quiet &amp; deep.</p>'
    """

    text: Text

    def write(self, sheet: Sheet) -> Markup:  # noqa: ARG002 (as every part)
        """See `Part.write`."""
        return element("p", None, inline(self.text))


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, with numbers where the order matters."""

    items: Sequence[Text]
    is_ordered: bool = False

    def write(self, sheet: Sheet) -> Markup:  # noqa: ARG002
        """See `Part.write`."""
        return element(
            "ol" if self.is_ordered else "ul",
            None,
            *(element("li", None, inline(item)) for item in self.items),
        )


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must not miss; its kind is said in a word, not by a colour alone."""

    text: Text
    kind: NoteKind = "note"

    def __post_init__(self) -> None:
        if self.kind not in _NOTE_WORDS:
            raise ConfigError(f"a note should be one of {', '.join(_NOTE_WORDS)}, got {self.kind!r}")

    def write(self, sheet: Sheet) -> Markup:  # noqa: ARG002
        """See `Part.write`."""
        word = element("strong", None, escape(f"{_NOTE_WORDS[self.kind]}: "))
        return element(
            "div", {"class": f"note {self.kind}", "role": "note"}, element("p", None, word, inline(self.text))
        )


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """
    A number that says much.

    Parameters
    ----------
    label : str
        What it is.
    value : str
        As it is written: its digits are the caller's choice.
    unit, remark : str
        Behind and below it.
    """

    label: str
    value: str
    unit: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """Key figures side by side."""

    figures: Sequence[KeyFigure]

    def write(self, sheet: Sheet) -> Markup:  # noqa: ARG002
        """See `Part.write`."""
        return element("dl", {"class": "key-figures"}, *(_key_figure(figure) for figure in self.figures))


def _key_figure(figure: KeyFigure) -> Markup:
    unit = element("span", {"class": "unit"}, escape(figure.unit)) if figure.unit else Markup("")
    value = element("dd", {"class": "value"}, escape(figure.value), Markup(" " if figure.unit else ""), unit)
    remark = element("dd", {"class": "remark"}, escape(figure.remark)) if figure.remark else Markup("")
    return element("div", None, element("dt", None, escape(figure.label)), value, remark)


@dataclass(frozen=True, slots=True)
class Details:
    """Parts that fold away under a line of text; open on paper."""

    summary: str
    parts: Sequence[Part]
    is_open: bool = False

    def write(self, sheet: Sheet) -> Markup:
        """See `Part.write`."""
        inside = join(*(part.write(sheet) for part in self.parts))
        return element(
            "details",
            {"open": self.is_open},
            element("summary", None, escape(self.summary)),
            element("div", {"class": "folded"}, inside),
        )
