"""Metadata of stations given to an ingest: read before anything is written, then kept in the archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from pipeline.archive.channel_spans import read_channel_spans, spans_outside
from pipeline.archive.documents import channel_epochs, count_channels, count_superseded
from pipeline.archive.grid import DayGrid
from pipeline.archive.metadata import add_stationxml, read_stationxml
from pipeline.archive.metadata_files import MetadataFile, read_metadata
from pipeline.archive.readers import Problem
from pipeline.archive.store import ArchiveStore
from pipeline.errors import ConfigError
from pipeline.keys import Block

__all__ = ["NO_EPOCH", "keep_metadata", "read_stations_files", "tell_uncovered"]

NO_EPOCH = "no metadata"
_READERS = 8


def read_stations_files(places: Sequence[str]) -> list[MetadataFile]:
    """
    Read what ``--stations`` names, as StationXML.

    Raises
    ------
    ConfigError
        If one can't be read, is broken, or is something else.
    """
    try:
        return [file for place in places for file in read_metadata(place)]
    except ConfigError as error:
        raise ConfigError(f"--stations {error}") from error


def tell_uncovered(
    store: ArchiveStore, tables: Iterable[tuple[DayGrid, Block]]
) -> Iterator[tuple[str, Problem]]:
    """
    Say which channels have samples in no epoch of the archive's metadata, a line for each.

    Parameters
    ----------
    store : ArchiveStore
        Without metadata, nothing is said.
    tables : iterable of (DayGrid, Block)
        Block tables to look into.

    Yields
    ------
    (channel, Problem)
    """
    document = read_stationxml(store)
    if document is None:
        return
    epochs = channel_epochs(document)
    found: dict[str, list[tuple[int, int]]] = {}
    with ThreadPoolExecutor(_READERS) as pool:
        for block, spans in pool.map(lambda table: (table[1], read_channel_spans(store, *table)), tables):
            for code, own in spans.items():
                channel = str(block.stream.channel(code))
                outside = spans_outside(own, epochs.get(channel, ()))
                if outside:
                    found.setdefault(channel, []).extend(outside)
    for channel, outside in sorted(found.items()):
        first, last = _text(min(outside)[0]), _text(max(end for _, end in outside))
        known = len(epochs.get(channel, ()))
        epochs_of = {0: "any epoch: the metadata do not have the channel", 1: "its epoch"}
        where = epochs_of.get(known, f"its {known} epochs")
        yield channel, Problem(NO_EPOCH, f"samples from {first} to {last} lie outside {where}", lost=False)


def _text(time_ns: int) -> str:
    return f"{np.datetime64(time_ns, 'ns').astype('datetime64[ms]')}Z"


def keep_metadata(store: ArchiveStore, files: Sequence[MetadataFile]) -> Iterator[tuple[str, Problem]]:
    """Merge metadata into an archive's document, and say what of them is lacking or was not taken."""
    if not files:
        return
    merged = add_stationxml(store, [file.stationxml for file in files])
    for file in files:
        notes = list(file.notes)
        other = count_superseded(file.stationxml, merged)
        if other:
            total = count_channels(file.stationxml)[1]
            notes.append(
                f"{other} of {total} channel epochs are kept as another document has them, "
                "which was created later or has fuller responses"
            )
        yield from ((file.url, Problem("metadata", note, lost=False)) for note in notes)
