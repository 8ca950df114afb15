"""
Files of metadata, wherever they lie: StationXML, dataless SEED and FDSN text, told apart by their content.

Everything becomes StationXML, and is read once as the archive will read it, so that no document gets into an
archive that can't be read there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.archive.dataless import dataless_to_stationxml, is_dataless
from pipeline.archive.documents import merge_stationxml
from pipeline.archive.fdsntext import is_fdsn_text, text_to_stationxml
from pipeline.archive.listing import find_any
from pipeline.archive.stations import read_stations
from pipeline.errors import ConfigError, FormatError, KeyFormatError
from pipeline.objects import open_objects

__all__ = ["MetadataFile", "convert_metadata", "read_metadata"]

_HEAD_BYTES = 4096
_MOST_NAMES = 3
_PATTERN = re.compile(r"[*?\[]")
_ROOT = re.compile(rb"\s*(?:<[?!][^>]*>\s*|<!--.*?-->\s*)*<(?:[\w.-]+:)?([\w.-]+)[\s>/]", re.DOTALL)
_OTHERS = (
    (rb"\d{6}[DRQM] ", "it is miniSEED; name it as a SOURCE"),
    (rb"MS\x03", "it is miniSEED; name it as a SOURCE"),
    (rb"\d{6}[VAST] ", "it is SEED, but does not begin with the header of a volume"),
    (rb"(#[^\n]*\n|\s)*B0[1-6]\dF\d\d ", "it is RESP, which says nothing of places; ask for StationXML"),
    (rb"\s*(<[?!][^>]*>\s*)*<(\w+:)?seiscomp", "it is SeisComP's own XML; export StationXML instead"),
    (rb"(?i)\s*<(!doctype )?html", "it is a web page; what was downloaded may be an error message"),
    (rb"\x1f\x8b|PK\x03\x04|BZh", "it is compressed; unpack it first"),
)
Converter = Callable[[bytes], tuple[bytes, list[str]]]


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """
    A file of metadata as StationXML.

    Parameters
    ----------
    url : str
    kind : str
        What it was.
    stationxml : bytes
    notes : tuple of str
        What it lacks, and what was lost on the way.
    """

    url: str
    kind: str
    stationxml: bytes
    notes: tuple[str, ...] = ()


def read_metadata(place: str) -> list[MetadataFile]:
    """
    Read the metadata at a place.

    Parameters
    ----------
    place : str
        A file, a folder or a pattern, local or a URL. Files in a folder that are no metadata are left out,
        and a note on the first file says so; a file that is named, or matches a pattern, must be metadata.

    Returns
    -------
    list of MetadataFile
        In order of their names.

    Raises
    ------
    ConfigError
        That says which file: where there is none, or one can't be read, is broken, or is something else.
    """
    if not place:
        raise ConfigError("'': should name a file, a folder, a pattern or a URL")
    named = _read_named(place)
    if named is not None:
        return [convert_metadata(place, named)]
    found, others = [], []
    is_pattern = bool(_PATTERN.search(place)) and not Path(place).exists()
    for folder, name in _list(place):
        is_named = is_pattern or Path(place).is_file()
        if is_named or _kind(_read(folder, name, _HEAD_BYTES)) is not None:
            found.append(convert_metadata(f"{folder}/{name}", _read(folder, name)))
        else:
            others.append(name)
    if not found:
        raise ConfigError(f"{place}: {_nothing_found(place, is_pattern=is_pattern, others=others)}")
    if others:
        first = found[0]
        note = f"left out {_names(others)} in {place}: no StationXML, dataless SEED or FDSN text"
        found[0] = MetadataFile(first.url, first.kind, first.stationxml, (*first.notes, note))
    return found


def _nothing_found(place: str, *, is_pattern: bool, others: list[str]) -> str:
    if others:
        return f"holds {_names(others)}, but no StationXML, dataless SEED or FDSN text"
    if is_pattern:
        return "no file matches"
    is_local = "://" not in place
    if is_local and Path(place).exists():
        return "there is no file in it"
    return "No such file or directory" if is_local else "no such file or folder"


def _names(names: list[str]) -> str:
    """
    Name a few of many files.

    >>> _names(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def convert_metadata(url: str, data: bytes) -> MetadataFile:
    """
    Turn the content of one file into StationXML.

    Raises
    ------
    ConfigError
        Where it is broken, or is something else.

    Examples
    --------
    >>> convert_metadata("a.csv", b"code")
    Traceback (most recent call last):
    pipeline.errors.ConfigError: a.csv: is no StationXML, dataless SEED or FDSN text: it begins with 'code'
    """
    kind = _kind(data[:_HEAD_BYTES])
    if kind is None:
        raise ConfigError(f"{url}: is no StationXML, dataless SEED or FDSN text: {_what_it_is(data)}")
    try:
        document, notes = _CONVERTERS[kind](data)
        merged = merge_stationxml([document])
        read_stations(merged)
    except (FormatError, KeyFormatError) as error:
        raise ConfigError(f"{url}: {error}") from error
    return MetadataFile(url, kind, merged, tuple(notes))


def _kind(head: bytes) -> str | None:
    root = _ROOT.match(head.removeprefix(b"\xef\xbb\xbf"))
    if root is not None:
        return "StationXML" if root[1] == b"FDSNStationXML" else None
    if is_dataless(head):
        return "dataless SEED"
    return "FDSN text" if is_fdsn_text(head) else None


def _what_it_is(data: bytes) -> str:
    if not data.strip():
        return "it is empty"
    for pattern, text in _OTHERS:
        if re.match(pattern, data[:_HEAD_BYTES]):
            return text
    first = data[:80].decode("utf-8", "replace").strip().splitlines()[0]
    return f"it begins with {first[:40]!r}"


def _keep(data: bytes) -> tuple[bytes, list[str]]:
    return data, []


_CONVERTERS: dict[str, Converter] = {
    "StationXML": _keep,
    "dataless SEED": dataless_to_stationxml,
    "FDSN text": text_to_stationxml,
}


def _read_named(place: str) -> bytes | None:
    """Read the file of that very name; None where there is none, but perhaps a folder or a pattern."""
    if place.startswith(("http://", "https://")):
        return _read(place, "")
    if "://" not in place:
        return None
    folder, _, name = place.rstrip("/").rpartition("/")
    if folder.endswith(":/"):
        return None
    try:
        return _read(folder, name)
    except ConfigError as error:
        if isinstance(error.__cause__, (FileNotFoundError, IsADirectoryError)):
            return None
        raise


def _list(place: str) -> Iterator[tuple[str, str]]:
    """Iterate over the files of a folder or pattern, each as folder and name."""
    try:
        for source in find_any(place):
            folder, _, name = source.url.rpartition("/")
            yield folder, name
    except OSError as error:
        raise ConfigError(f"{place}: {_why(error)}") from error


def _read(folder: str, name: str, length: int | None = None) -> bytes:
    """Read a file, or its first bytes."""
    store = open_objects(folder or "/")
    try:
        return store.read(name) if length is None else store.read_range(name, 0, length)
    except OSError as error:
        where = f"{folder}/{name}" if name else folder
        raise ConfigError(f"{where}: {_why(error)}") from error


def _why(error: OSError) -> str:
    """Say why a file can't be read: some stores know no more of a missing one than its name."""
    return (
        "No such file or directory" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
    )
