"""
Writing a block: its changed days one by one, then its table.

The table is the moment at which a change counts: shards are written before it. A day that the table has
already is put into the journal before it is overwritten, and comes back from there if the writer died before
the new table was written: whatever the next writer finds (source files out of reach, or again as they were
before), samples and table belong together::

    journal/<block>/table     the block table as it was
    journal/<block>/<shard>   shards as they were; empty for one that was not there
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from pipeline.archive.blocks import DayRow, write_block_table
from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.merge import ARRAY_DTYPES, DayContent, fill_value
from pipeline.archive.shard import Edges, decode_chunks, encode_span, pack, read_span, unpack
from pipeline.archive.store import ArchiveStore, ShardPlace
from pipeline.keys import Block

__all__ = ["BlockWriter", "roll_back"]

_Chunks = list[list[bytes]]


class BlockWriter:
    """
    The one writer of a block of a stream at one rate.

    Use as ``writer = BlockWriter(...)``, `write` each changed day, then `commit`. Until then the archive may
    hold new samples under an old table; the next writer of the block puts that right, and so does
    `roll_back`.

    Parameters
    ----------
    store : ArchiveStore
        The groups of the block's year must have been made.
    grid : DayGrid
        One rate of the stream.
    block : Block
        The block that this task owns.
    permit : callable, optional
        Called before anything is changed; raises if the archive has another writer by now.
    """

    def __init__(
        self, store: ArchiveStore, grid: DayGrid, block: Block, *, permit: Callable[[], object] | None = None
    ) -> None:
        self._permit = permit or _permitted
        self._permit()
        self._store = store
        self.grid = grid
        self.block = block
        self._journal = f"journal/{block.stream}/{grid.label}/{block.period}"
        self._pending: dict[str, tuple[ShardPlace, _Chunks]] = {}
        self._roll_back()
        self.rows: dict[int, DayRow] = store.read_table(grid, block)
        self.bytes_written = 0

    def read(self, day: int) -> Mapping[str, np.ndarray]:
        """Return the arrays of a day as they are, shape (component, samples)."""
        row = self.rows.get(day)
        arrays = {}
        for array in row.arrays if row is not None else ():
            place = self._place(array, day)
            n = self.grid.samples_per_day
            out = np.empty((place.layout.components, n), dtype=ARRAY_DTYPES[array])
            rows = range(place.layout.components)
            if place.key in self._pending:
                first = place.offset // place.layout.chunk
                chunks = self._pending[place.key][1][first : first + n // place.layout.chunk]
                decode_chunks(chunks, first, place.offset, place.offset + n, place.layout, out, place.key)
            else:
                span = (place.offset, place.offset + n)
                read_span(self._store.objects, place.key, place.layout, *span, out, rows=rows)
            arrays[array] = out
        return arrays

    def write(self, content: DayContent) -> Mapping[str, Edges]:
        """
        Write the samples of a day; arrays that it had and has no more are emptied.

        Returns
        -------
        mapping of str to Edges
            The ends of the day's shards, where a shard is a day.
        """
        self._permit()
        edges = {}
        row = self.rows.get(content.day)
        arrays = sorted({*content.arrays, *(row.arrays if row is not None else ())})
        if row is not None:
            self._keep_old(content.day, arrays)
        for array in arrays:
            place = self._place(array, content.day)
            samples = content.arrays.get(array)
            if samples is None:
                shape = (place.layout.components, self.grid.samples_per_day)
                samples = np.full(shape, fill_value(array), dtype=ARRAY_DTYPES[array])
            chunks = encode_span(samples, place.layout, level=self._store.options.pcodec_level)
            if place.days == 1:
                edges[array] = self._write_shard(place, chunks)
            else:
                first = place.offset // place.layout.chunk
                self._pending_chunks(place)[first : first + len(chunks)] = chunks
        return edges

    def commit(self, rows: Iterable[DayRow]) -> None:
        """Write what is pending, and then the block table with some rows new."""
        self._permit()
        for key in sorted(self._pending):
            place, chunks = self._pending[key]
            self._write_shard(place, chunks)
        self._pending.clear()
        self.rows |= {row.day: row for row in rows}
        table = write_block_table(self.rows.values())
        self._store.objects.write(self._store.table_key(self.grid, self.block), table)
        self.bytes_written += len(table)
        self._store.objects.delete_folder(self._journal)

    def _keep_old(self, day: int, arrays: Iterable[str]) -> None:
        """Put a day into the journal, because it will be overwritten."""
        objects = self._store.objects
        if not objects.exists(f"{self._journal}/table"):
            objects.copy(self._store.table_key(self.grid, self.block), f"{self._journal}/table")
        for key in (self._place(array, day).key for array in arrays):
            kept = f"{self._journal}/{key}"
            if objects.exists(kept):
                continue
            try:
                objects.copy(key, kept)
            except FileNotFoundError:
                objects.write(kept, b"")

    def _place(self, array: str, day: int) -> ShardPlace:
        return self._store.shard(self.block.stream, self.grid, array, day)

    def _write_shard(self, place: ShardPlace, chunks: _Chunks) -> Edges:
        data, edges = pack(chunks, place.layout)
        if any(chunk for time_slice in chunks for chunk in time_slice):
            self._store.objects.write(place.key, data)
            self.bytes_written += len(data)
        else:
            self._store.objects.delete(place.key)
        return edges

    def _pending_chunks(self, place: ShardPlace) -> _Chunks:
        """Return the compressed chunks of a shard of several days, of which some will be replaced."""
        if place.key not in self._pending:
            try:
                chunks = unpack(self._store.objects.read(place.key), place.layout, place.key)
            except FileNotFoundError:
                chunks = [[b""] * place.layout.components for _ in range(place.layout.chunks)]
            self._pending[place.key] = place, chunks
        return self._pending[place.key][1]

    def _roll_back(self) -> None:
        """Clear up after a writer that died: bring the journal back unless its change was committed."""
        objects = self._store.objects
        table_key = self._store.table_key(self.grid, self.block)
        days = [day_number(day) for day in self.block.days(self._store.options.block_days)]
        shards = {self._place(array, day).key for array in ARRAY_DTYPES for day in days}
        objects.remove_partials({table_key, *shards})
        try:
            before = objects.read(f"{self._journal}/table")
        except FileNotFoundError:
            objects.delete_folder(self._journal)
            return
        if objects.read(table_key) == before:
            for info in list(objects.list(self._journal)):
                key = info.key.removeprefix(f"{self._journal}/")
                if key == "table":
                    continue
                if info.size:
                    objects.copy(info.key, key)
                else:
                    objects.delete(key)
        objects.delete_folder(self._journal)


def _permitted() -> None:
    """Let everything through."""


def roll_back(store: ArchiveStore) -> None:
    """Put every block back that a writer left half written. Only for who alone writes the archive."""
    store.objects.sweep_partials("journal")
    journals = {tuple(info.key.split("/")[1:4]) for info in store.objects.list("journal")}
    for stream, label, period in sorted(journals):
        BlockWriter(store, DayGrid.from_label(label), Block.parse(f"{stream}/{period}"))
