"""
Station metadata inside an archive: one StationXML document as the uint8 array ``metadata/stationxml``.

Any Zarr reader gets its bytes. Sensor, gain, orientation and place apply by time when samples are read, so
that a corrected document moves no sample.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable

from pipeline.archive.documents import merge_stationxml
from pipeline.archive.store import ArchiveStore

__all__ = ["add_stationxml", "read_stationxml"]

_GROUP = "metadata"
_ARRAY = f"{_GROUP}/stationxml"
_CHUNK = f"{_ARRAY}/c/0"
_LEVEL = 6


def add_stationxml(store: ArchiveStore, documents: Iterable[bytes]) -> bytes:
    """
    Merge documents into the one that an archive keeps.

    Parameters
    ----------
    store : ArchiveStore
        Where to.
    documents : iterable of bytes
        StationXML; where two describe one epoch, the one created later holds.

    Returns
    -------
    bytes
        What the archive keeps now.

    Raises
    ------
    FormatError
        If one is no StationXML.
    """
    before = read_stationxml(store)
    known = [] if before is None else [before]
    merged = merge_stationxml([*known, *documents])
    group = {"zarr_format": 3, "node_type": "group", "attributes": {}}
    store.objects.create(f"{_GROUP}/zarr.json", json.dumps(group, indent=1).encode())
    # The one chunk is all of the document: whoever reads it reads the old one or the new one, whole.
    store.objects.write(_CHUNK, gzip.compress(merged, compresslevel=_LEVEL, mtime=0))
    # Also where nothing changed: the writer before may have died between the two.
    store.objects.write(f"{_ARRAY}/zarr.json", json.dumps(_array(len(merged)), indent=1).encode())
    return merged


def read_stationxml(store: ArchiveStore) -> bytes | None:
    """Return the document that an archive keeps, None if it has none."""
    try:
        return gzip.decompress(store.objects.read(_CHUNK))
    except FileNotFoundError:
        return None


def _array(size: int) -> dict[str, object]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [size],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [size]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "bytes"}, {"name": "gzip", "configuration": {"level": _LEVEL}}],
        "attributes": {"content_type": "application/xml"},
        "dimension_names": ["byte"],
    }
