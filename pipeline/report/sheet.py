"""What the parts of a page share while it is written: ids, levels of headings, the scripts that it needs."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from importlib import resources
from typing import Final, Protocol, runtime_checkable

from pipeline.report.markup import Markup, data_block, slug

__all__ = ["Part", "Sheet", "asset", "scripts"]

_SCRIPTS: Final[dict[str, tuple[str, ...]]] = {
    "page": ("page.js",),
    "table": ("tables.js",),
    "chart": ("packing.js", "scales.js", "tables.js", "chart.js"),
    "map": (
        "packing.js",
        "scales.js",
        "tables.js",
        "chart.js",
        "projection.js",
        "map-layers.js",
        "map-view.js",
        "map-paint.js",
        "map-stations.js",
        "map.js",
    ),
}
_ORDER: Final = ("page.js", *_SCRIPTS["map"], "start.js")


@runtime_checkable
class Part(Protocol):
    """Something that a section holds."""

    def write(self, sheet: Sheet) -> Markup:
        """Return its HTML."""
        ...


class Sheet:
    """
    A page while it is written.

    Examples
    --------
    >>> sheet = Sheet()
    >>> sheet.new_id("Noise"), sheet.new_id("Noise")
    ('noise', 'noise-2')
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._widgets: set[str] = {"page"}
        self._level = 1

    @property
    def level(self) -> int:
        """The level of the heading that all else stands under, 1 to 6."""
        return self._level

    @property
    def widgets(self) -> frozenset[str]:
        """The kinds of widgets that were written."""
        return frozenset(self._widgets)

    @contextlib.contextmanager
    def deeper(self) -> Iterator[int]:
        """Write what stands under a heading one level down; gives the level of that heading."""
        self._level += 1
        try:
            yield min(self._level, 6)
        finally:
            self._level -= 1

    def new_id(self, name: str) -> str:
        """Return an id that no other element of the page has: the same page, the same ids."""
        stem = slug(name)
        count, identifier = 1, stem
        while identifier in self._taken:
            count += 1
            identifier = f"{stem}-{count}"
        self._taken.add(identifier)
        return identifier

    def use(self, widget: str) -> None:
        """Say that the page needs the scripts of a kind of widget: ``table``, ``chart`` or ``map``."""
        if widget not in _SCRIPTS:
            raise KeyError(f"widget {widget!r}: there are {', '.join(_SCRIPTS)}")
        self._widgets.add(widget)

    def data(self, identifier: str, payload: object) -> Markup:
        """Return a block of values that a widget reads."""
        return data_block(identifier, payload)


@functools.cache
def asset(name: str) -> str:
    """Return one of the files that every page carries: a style sheet or a script."""
    return (resources.files("pipeline.report") / "assets" / name).read_text(encoding="utf-8")


def scripts(widgets: frozenset[str]) -> str:
    """Return the scripts that some kinds of widgets need, each once, what others stand on first."""
    needed = {name for widget in widgets for name in _SCRIPTS[widget]} | {"start.js"}
    return "\n".join(asset(name) for name in dict.fromkeys(_ORDER) if name in needed)
