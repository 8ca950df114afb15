"""Figures as PNG, SVG and PDF bytes that depend on nothing but the figure: no dates, no random ids."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final, Literal

from pipeline.errors import ConfigError
from pipeline.figures.theme import theme
from pipeline.objects import open_objects

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.figure import Figure

__all__ = ["render", "save"]

Kind = Literal["png", "svg", "pdf"]

_METADATA: Final[dict[Kind, dict[str, None]]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def render(figure: Figure, kind: Kind) -> bytes:
    """
    Return a figure as an image; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn within `pipeline.figures.theme`.
    kind : {"png", "svg", "pdf"}
        PNG has the figure's own resolution, the others lines, paths and its size in millimetres.
    """
    sink = io.BytesIO()
    with theme():
        figure.savefig(sink, format=kind, metadata=_METADATA[kind])
    return sink.getvalue()


def save(figure: Figure, target: str | os.PathLike[str]) -> None:
    """
    Write a figure to a local path or the URL of an object, whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn within `pipeline.figures.theme`.
    target : str or path
        Its ending, ``.png``, ``.svg`` or ``.pdf``, says which image to write.

    Raises
    ------
    ConfigError
        The ending is another one.
    """
    folder, _, name = os.fspath(target).rpartition("/")
    store = open_objects(folder or ("/" if os.fspath(target).startswith("/") else "."))
    for kind in _METADATA:
        if name.lower().endswith(f".{kind}"):
            store.write(name, render(figure, kind))
            return
    raise ConfigError(f"figure {os.fspath(target)!r} should end in .png, .svg or .pdf")
