"""Metadata of stations given to an ingest: read before anything is written, then kept in the archive."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.archive.documents import count_channels, count_superseded
from pipeline.archive.metadata import add_stationxml
from pipeline.archive.metadata_files import MetadataFile, read_metadata
from pipeline.archive.readers import Problem
from pipeline.archive.store import ArchiveStore
from pipeline.errors import ConfigError

__all__ = ["keep_metadata", "read_stations_files"]


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
