"""
Exporting: station-days of an archive to files, one unit of work after the other.

A form says what becomes of a unit, and where that goes: an SDS tree, one file, or a folder of files. Every
file is written whole; one that holds everything has a temporary name until it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Protocol

import numpy as np

from pipeline.archive.export import export_days
from pipeline.archive.grid import DayGrid, day_number, day_of_number
from pipeline.archive.index import IndexRow
from pipeline.archive.netcdffiles import netcdf_file
from pipeline.archive.packing import DayFile, sds_path
from pipeline.archive.reading import Archive
from pipeline.archive.sacfiles import NamedFile, Refusal, sac_files
from pipeline.errors import ConfigError
from pipeline.keys import Block, Stream
from pipeline.objects import PARTIAL, open_objects
from workflows.ledger import BlockResult, DayRecord
from workflows.progress import Progress, Summary

__all__ = ["FORMS", "Exported", "Form", "Unit", "export_files", "export_units", "plan_units"]


@dataclass(frozen=True, slots=True)
class Unit:
    """Some days of a stream at one rate that are written together, as days since 1970."""

    stream: Stream
    grid: DayGrid
    days: tuple[int, ...]


@dataclass(slots=True)
class Exported:
    """
    What an export wrote.

    Parameters
    ----------
    files, station_days, nbytes : int
    refused : list of Refusal
        What the form can't hold, and was not written.
    """

    files: int = 0
    station_days: int = 0
    nbytes: int = 0
    refused: list[Refusal] = field(default_factory=list)


class Writer(Protocol):
    """Takes files, and says how much it has written."""

    @property
    def files(self) -> int:
        """Number of files."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes in them."""
        ...

    def write(self, file: NamedFile) -> None:
        """Write one file."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """
    A form of export.

    Parameters
    ----------
    items : callable
        From the archive, a unit and the version to files, and what can't be written.
    open : callable
        From a place, and whether to overwrite, to a writer.
    versions : tuple of int
        That there are, the default first.
    joins_blocks : bool
        Whether days of a block are written together, where the archive keeps them together.
    """

    items: Callable[[Archive, Unit, int], Iterator[NamedFile | Refusal]]
    open: Callable[[str, bool], AbstractContextManager[Writer]]
    versions: tuple[int, ...]
    joins_blocks: bool = False


def plan_units(
    archive: Archive,
    rows: Iterable[IndexRow],
    form: Form,
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
) -> list[Unit]:
    """
    List what is to be written, by the index alone.

    Parameters
    ----------
    archive : Archive
    rows : iterable of IndexRow
        Which years of which streams.
    form : Form
    first, last : date, optional
        Only these days, both included.
    """
    units = []
    for row in rows:
        days = _days(row, first, last)
        if form.joins_blocks and row.grid.has_block_shards:
            groups = [tuple(group) for _, group in groupby(days, _block_of(archive, row.stream))]
        else:
            groups = [(day,) for day in days]
        units += [Unit(row.stream, row.grid, group) for group in groups]
    return units


def _days(row: IndexRow, first: dt.date | None, last: dt.date | None) -> list[int]:
    """Return the days of a year of which something was written, if there are samples on any of them."""
    january = day_number(dt.date(row.year, 1, 1))
    low = max(january, day_number(first)) if first else january
    high = min(day_number(last), january + len(row.completeness) - 1) if last else None
    wanted = row.completeness[max(0, low - january) : None if high is None else max(0, high - january + 1)]
    if not (wanted > 0).any():
        return []
    return [low + int(number) for number in np.flatnonzero(~np.isnan(wanted))]


def _block_of(archive: Archive, stream: Stream) -> Callable[[int], Block]:
    def block(day: int) -> Block:
        return Block.of(stream, day_of_number(day), archive.store.options.block_days)

    return block


def export_units(
    archive: Archive,
    units: Sequence[Unit],
    form: Form,
    out: str,
    *,
    version: int,
    overwrite: bool,
    progress: Progress,
) -> Exported:
    """
    Write units one after the other.

    Parameters
    ----------
    archive : Archive
    units : sequence of Unit
    form : Form
    out : str
        Where to.
    version : int
        Of the form.
    overwrite : bool
        Whether to replace files that are there.
    progress : Progress

    Returns
    -------
    Exported

    Raises
    ------
    ConfigError
        Where a file is there already, or the place does not suit the form.
    """
    report = Exported()
    summary = Summary("export", todo=sum(len(unit.days) for unit in units), unit="station-days")
    began = time.monotonic()
    with _ended_by_signals(), form.open(out, overwrite) as writer, progress:
        for unit in units:
            for item in form.items(archive, unit, version):
                if isinstance(item, Refusal):
                    report.refused.append(item)
                else:
                    writer.write(item)
            for day in unit.days:
                days = (DayRecord(day_of_number(day)),)
                summary.add(BlockResult(f"{unit.stream}/{days[0].day}", "", days=days))
            summary.seconds = time.monotonic() - began
            progress.show(summary)
    report.files, report.nbytes, report.station_days = writer.files, writer.nbytes, summary.days
    return report


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM unwind like any error, so that no half-written file stays behind."""

    def leave(signum: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before if before is not None else signal.SIG_DFL)


def export_files(
    archive: Archive,
    rows: Iterable[IndexRow],
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    version: int = 2,
) -> Iterator[DayFile]:
    """
    Iterate over the miniSEED of some years of streams, day by day.

    Parameters
    ----------
    archive : Archive
        Where the samples are.
    rows : iterable of IndexRow
        Which years of which streams.
    first, last : date, optional
        Only these days, both included.
    version : int
        Of miniSEED.
    """
    for unit in plan_units(archive, rows, FORMS["sds"], first=first, last=last):
        yield from _miniseed_days(archive, unit, version)


def _miniseed_days(archive: Archive, unit: Unit, version: int) -> Iterator[DayFile]:
    n = unit.grid.samples_per_day
    for day in unit.days:
        yield from export_days(archive, unit.stream, unit.grid, day * n, (day + 1) * n, version=version)


def _miniseed(archive: Archive, unit: Unit, version: int) -> Iterator[NamedFile]:
    for file in _miniseed_days(archive, unit, version):
        yield NamedFile(sds_path(file.channel, file.day), file.data)


def _sac(archive: Archive, unit: Unit, version: int) -> Iterator[NamedFile | Refusal]:
    for day in unit.days:
        row = archive.day(unit.stream, unit.grid, day)
        if row is not None:
            yield from sac_files(archive, unit.stream, unit.grid, row, version=version)


def _netcdf(archive: Archive, unit: Unit, _version: int) -> Iterator[NamedFile]:
    rows = [archive.day(unit.stream, unit.grid, day) for day in unit.days]
    filled = [row for row in rows if row is not None and (row.segments or row.side)]
    if filled:
        yield netcdf_file(archive, unit.stream, unit.grid, filled)


class _Folder:
    """Writes files below a folder or a URL."""

    def __init__(self, out: str, *, overwrite: bool, appends: bool) -> None:
        self._objects = open_objects(out)
        self._out, self._overwrite, self._appends = out, overwrite, appends
        self._written: dict[str, int] = {}

    @property
    def files(self) -> int:
        return len(self._written)

    @property
    def nbytes(self) -> int:
        return sum(self._written.values())

    def write(self, file: NamedFile) -> None:
        """See `Writer.write`. A path that comes again is one file, or gets another name."""
        path, data = file.path, file.data
        if path in self._written and self._appends:
            data = self._objects.read(path) + data
        elif path in self._written:
            path = self._free(path)
        if path not in self._written and not self._overwrite and self._objects.exists(path):
            raise ConfigError(f"{self._out}/{path}: there is such a file already; --overwrite replaces it")
        self._objects.write(path, data)
        self._written[path] = len(data)

    def _free(self, path: str) -> str:
        stem, dot, ending = path.rpartition(".")
        number = 2
        while f"{stem}-{number}{dot}{ending}" in self._written:
            number += 1
        return f"{stem}-{number}{dot}{ending}"


class _OneFile:
    """Writes all into one local file, under a temporary name until it is whole."""

    def __init__(self, out: str, *, overwrite: bool) -> None:
        if "://" in out:
            raise ConfigError(f"{out}: a single file is written locally only; --format sds writes to a URL")
        self._path = Path(out).expanduser()
        if self._path.is_dir() or (self._path.exists() and not overwrite):
            kind, remedy = (
                ("folder", "name a file") if self._path.is_dir() else ("file", "--overwrite replaces it")
            )
            raise ConfigError(f"{out}: is there already, as a {kind}; {remedy}")
        self.files = self.nbytes = 0

    @contextmanager
    def opened(self) -> Iterator[_OneFile]:
        """Give a writer, and its name to the file in the end."""
        partial = self._path.with_name(f"{self._path.name}{PARTIAL}")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as self._target:
                yield self
            partial.replace(self._path)
            self.files = 1
        finally:
            partial.unlink(missing_ok=True)

    def write(self, file: NamedFile) -> None:
        """See `Writer.write`."""
        self.nbytes += self._target.write(file.data)


def _open_sds(out: str, overwrite: bool) -> AbstractContextManager[Writer]:
    return contextlib.nullcontext(_Folder(out, overwrite=overwrite, appends=True))


def _open_folder(out: str, overwrite: bool) -> AbstractContextManager[Writer]:
    return contextlib.nullcontext(_Folder(out, overwrite=overwrite, appends=False))


def _open_file(out: str, overwrite: bool) -> AbstractContextManager[Writer]:
    return _OneFile(out, overwrite=overwrite).opened()


FORMS: dict[str, Form] = {
    "sds": Form(_miniseed, _open_sds, (2, 3)),
    "mseed": Form(_miniseed, _open_file, (2, 3)),
    "sac": Form(_sac, _open_folder, (6, 7)),
    "netcdf": Form(_netcdf, _open_folder, (), joins_blocks=True),
}
