"""The contract between the archive and a source format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from pipeline.archive.pieces import Piece, Span
from pipeline.archive.readers.mapping import SourceRule

Allocate = Callable[[int, str], Any]
"""Gives an array of so many samples of a type, with any content."""

UNREADABLE = "unreadable"
"""Reason where the disk, the network or the store gave no bytes: the next ingest tries again."""

__all__ = ["UNREADABLE", "Allocate", "Content", "Problem", "Reader", "SourceFile"]


@dataclass(frozen=True, slots=True)
class Problem:
    """
    Something in a source file that is not as it should be.

    Parameters
    ----------
    reason : str
        A short fixed word, as ``truncated record``: rows of the ledger are counted by it.
    detail : str
        What exactly, where, and the value.
    lost : bool
        Whether samples that the file may have held are not in the archive because of it.
    """

    reason: str
    detail: str
    lost: bool = True


@dataclass(frozen=True, slots=True)
class Content:
    """What a source file holds, known without decoding a sample."""

    spans: tuple[Span, ...]
    problems: tuple[Problem, ...] = field(default=())


class SourceFile(Protocol):
    """One opened source file."""

    @property
    def content(self) -> Content:
        """What the file holds."""
        ...

    def read(
        self, start_ns: int, end_ns: int, *, allocate: Allocate = np.empty
    ) -> tuple[list[Piece], list[Problem]]:
        """Decode the pieces that touch a half-open span of time, not cut to it, into allocated arrays."""
        ...


class Reader(Protocol):
    """One source format."""

    name: str

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:
        """Tell whether a file is of this format: by its first 512 bytes, its name, the map's rule for it."""
        ...

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """Parse what tells the content of a file, with the map's rule for it."""
        ...

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:
        """Tell what a file of ``size`` bytes holds by its ends, or None where they do not tell."""
        ...
