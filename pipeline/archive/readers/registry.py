"""Which reader opens which file."""

from __future__ import annotations

from pipeline.archive.pieces import Span
from pipeline.archive.readers.delimited import CsvReader
from pipeline.archive.readers.ggp import GgpReader
from pipeline.archive.readers.gse import GseReader
from pipeline.archive.readers.gse1 import Gse1Reader
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.miniseed import MiniSeedReader
from pipeline.archive.readers.miniseed_marks import holds_record
from pipeline.archive.readers.protocol import Reader, SourceFile
from pipeline.archive.readers.sac import SacReader
from pipeline.archive.readers.seismic import SEISMIC_READERS
from pipeline.archive.readers.tsf import TsfReader
from pipeline.errors import SourceError

__all__ = ["READERS", "open_source", "peek_source"]

READERS: tuple[Reader, ...] = (
    CsvReader(),
    MiniSeedReader(),
    TsfReader(),
    GseReader(),
    Gse1Reader(),
    SacReader(),
    *SEISMIC_READERS,
    GgpReader(),
)
"""Asked in this order; the first that accepts a file opens it. What goes by the name of a file comes last."""

HEAD_BYTES = 512


def open_source(data: bytes, name: str, rule: SourceRule | None = None) -> SourceFile:
    """
    Open the bytes of a source file with the reader that knows its format.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        Its name.
    rule : SourceRule, optional
        What the map says about it.

    Raises
    ------
    SourceError
        If the file is empty or no reader knows it; the message starts with the reason.
    """
    if not data:
        raise SourceError("empty file: 0 bytes")
    head = data[:HEAD_BYTES]
    for reader in READERS:
        if reader.accepts(head, name, rule):
            return reader.open(data, rule)
    # Damage to the first bytes costs the first record, not the file.
    damaged = MiniSeedReader().open(data, rule) if holds_record(data) else None
    if damaged is not None and damaged.content.spans:
        return damaged
    known = ", ".join(reader.name for reader in READERS)
    raise SourceError(f"unknown format: begins with {head[:16]!r}; readable are {known}")


def peek_source(head: bytes, tail: bytes, size: int, name: str) -> Span | None:
    """
    Tell what a file holds by its first and last bytes, for files that should hold one channel.

    Returns
    -------
    Span or None
        None where the ends do not tell, and the file must be read through.
    """
    for reader in READERS:
        if reader.accepts(head[:HEAD_BYTES], name, None):
            return reader.peek(head, tail, size)
    return None
