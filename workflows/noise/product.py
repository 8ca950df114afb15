"""
A noise product: its folder, its arrays, its tables, and where commands find one.

::

    products/noise-81c0d2aa/
        noise.zarr/CI.CCC..HH/100Hz/2020/…                      arrays, current
        CI.CCC..HH/100Hz/2020.03.5f0c9a3e77d1.parquet           quality of the days of a block
        options.toml                                            the config
        tables-3d12b1aa/CI.CCC..HH/100Hz.9a3e77d15f0c.trends.parquet     what was made of them, per stream
        ledger/ lease/                                          of the blocks, and of the tables in tables-…/
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.archive.grid import DayGrid
from pipeline.archive.store import open_store
from pipeline.blockarrays import BlockArray, read_days
from pipeline.config import load, to_toml
from pipeline.errors import ConfigError
from pipeline.keys import BLOCK_DAYS, Block, Stream
from pipeline.objects import ObjectStore, open_objects
from pipeline.tables import empty, read_table
from workflows.ledger import Status
from workflows.noise.arrays import ARRAYS, StreamArrays
from workflows.noise.config import NoiseConfig
from workflows.plan import fingerprint
from workflows.product import Product

__all__ = ["MeasuredStream", "NoiseProduct", "find_product", "product_of"]

_OPTIONS = "options.toml"
_STAGE = "noise"
_DIGITS = 8


@dataclass(frozen=True, slots=True)
class MeasuredStream:
    """A stream at one rate, and the blocks of it that are done, with their fingerprints."""

    stream: Stream
    grid: DayGrid
    blocks: tuple[tuple[Block, str], ...]

    @property
    def group(self) -> str:
        """Its name in the product."""
        return f"{self.stream}/{self.grid.label}"

    def days(self, block_days: int) -> tuple[dt.date, dt.date]:
        """Return the first and the last day of its blocks."""
        return self.blocks[0][0].first_day(block_days), self.blocks[-1][0].last_day(block_days)


@dataclass(frozen=True)
class NoiseProduct:
    """
    A noise product.

    Parameters
    ----------
    blocks : Product
        Its blocks.
    config : NoiseConfig
        What it was made with.
    block_days : int
        Of the archive.
    archive : str
        URL of the archive that it was made of.
    """

    blocks: Product
    config: NoiseConfig
    block_days: int
    archive: str

    @property
    def url(self) -> str:
        """Where it lies."""
        return self.blocks.store.url

    @property
    def arrays(self) -> ObjectStore:
        """The objects of its ``noise.zarr``."""
        return self.blocks.store.child(ARRAYS)

    @property
    def tables(self) -> Product:
        """The folder of the tables that this config makes."""
        digits = fingerprint(self.config.summary)[:_DIGITS]
        return Product(self.blocks.store.child(f"tables-{digits}"))

    def save(self) -> None:
        """
        Write down what it is made with and of.

        Raises
        ------
        ConfigError
            If it was made with other options, which its arrays depend on.
        """
        store = self.blocks.store
        if store.exists(_OPTIONS):
            saved = load(_Options, store.read(_OPTIONS).decode())
            known = _resolved(saved.archive, self.url)
            if (known, saved.block_days) != (self.archive, self.block_days):
                raise ConfigError(
                    f"{self.url}: the product of another archive, {known}; --out says where"
                    f" that of {self.archive} should lie"
                )
            before = saved.config.map_options()
            changed = [name for name, value in self.config.map_options().items() if before[name] != value]
            if changed:
                raise ConfigError(
                    f"{self.url}: made with other {' and '.join(changed)}; another --out takes these"
                )
        options = _Options(
            archive=_written(self.archive, self.url), block_days=self.block_days, config=self.config
        )
        store.write(_OPTIONS, to_toml(options).encode())

    def streams(self) -> list[MeasuredStream]:
        """List what was measured, by the ledger."""
        found: dict[tuple[Stream, DayGrid], list[tuple[Block, str]]] = {}
        for key, latest in self.blocks.ledger().latest().items():
            if latest.status != Status.FAILED:
                stream, label, period = key.split("/")
                block = Block.parse(f"{stream}/{period}")
                found.setdefault((block.stream, DayGrid.from_label(label)), []).append(
                    (block, latest.fingerprint)
                )
        return [MeasuredStream(*key, tuple(sorted(blocks))) for key, blocks in sorted(found.items())]

    def one_rate_each(self, streams: Iterable[MeasuredStream]) -> list[MeasuredStream]:
        """Of streams that have several rates, keep the one with most blocks, and of these the fastest."""
        best: dict[Stream, MeasuredStream] = {}
        for each in streams:
            known = best.get(each.stream)
            if known is None or (len(each.blocks), each.grid) > (len(known.blocks), known.grid):
                best[each.stream] = each
        return list(best.values())

    def stream(self, name: str) -> MeasuredStream:
        """
        Return one stream by its name, or by its name and rate as ``CI.CCC..HH/100Hz``.

        Raises
        ------
        ConfigError
            If it was not measured, or at several rates of which none is named.
        """
        every = self.streams()
        found = [each for each in every if name in (str(each.stream), each.group)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(each.group for each in found or every[:5]) or "none"
        lacks = "has several rates" if found else "was not measured"
        raise ConfigError(f"{self.url}: {name} {lacks}; there are {known}")

    def read(self, stream: MeasuredStream, array: BlockArray, first: dt.date, last: dt.date) -> NDArray[Any]:
        """Read the days of an array, both included."""
        return read_days(self.arrays, stream.group, array, first, last, block_days=self.block_days)

    def arrays_of(self, stream: MeasuredStream) -> StreamArrays:
        """Return the arrays, windows and periods of a stream."""
        return StreamArrays(stream.stream, stream.grid, self.config)

    def table(
        self, name: str, streams: Sequence[str] = (), *, where: Mapping[str, str] | None = None
    ) -> pa.Table:
        """
        Return a table of all streams, or of those named, or some rows of it.

        Parameters
        ----------
        name : str
        streams : sequence of str
            Streams, or streams at one rate as ``CI.CCC..HH/100Hz``.
        where : mapping of str to str, optional
            Values that columns should have; the rest is never held together.

        Raises
        ------
        ConfigError
            If this config made no tables yet.
        """
        pieces = []
        for key, file in self._table_files():
            if not streams or key in streams or key.split("/")[0] in streams:
                piece = read_table(self.tables.store.read(f"{file}.{name}.parquet"), name)
                for column, value in (where or {}).items():
                    piece = piece.filter(pc.equal(piece[column], value))
                pieces.append(piece)
        return pa.concat_tables(pieces) if pieces else empty(name)

    def quality(self, stream: MeasuredStream) -> pa.Table:
        """Return the quality of all days of a stream."""
        keys = [(f"{stream.group}/{block.period}", digest) for block, digest in stream.blocks]
        return pa.concat_tables([read_table(self.blocks.read(*key), "quality") for key in keys])

    def _table_files(self) -> Iterator[tuple[str, str]]:
        latest = self.tables.ledger().latest()
        if not latest:
            raise ConfigError(f"{self.url}: it has no tables yet; `stationday noise` makes them")
        for key, record in sorted(latest.items()):
            if record.status != Status.FAILED:
                yield key, self.tables.name(key, record.fingerprint).removesuffix(self.tables.suffix)


@dataclass(frozen=True, kw_only=True)
class _Options:
    """What ``options.toml`` holds."""

    archive: str = ""
    block_days: int = BLOCK_DAYS
    config: NoiseConfig = field(default_factory=NoiseConfig)


def product_of(archive: str, block_days: int, config: NoiseConfig, out: str | None) -> NoiseProduct:
    """Name the product of an archive with a config: beside it, or where it is wanted."""
    if out is not None:
        blocks = Product(open_objects(out))
    else:
        blocks = Product.of(_beside(archive), _STAGE, config.map_options())
    return NoiseProduct(blocks, config, block_days, archive)


def find_product(url: str, *, config: NoiseConfig | None = None) -> NoiseProduct:
    """
    Find the noise product at a URL, or beside the archive that is there.

    Parameters
    ----------
    url : str
        Of the product's folder, or of an archive that has one.
    config : NoiseConfig, optional
        Its part about tables counts; else that of when the product was last made.

    Raises
    ------
    ConfigError
        If there is none, or more than one.
    NotAnArchiveError
        If there is neither a product nor an archive.
    """
    store = open_objects(url)
    if not store.exists(_OPTIONS):
        open_store(url)
        found = [each for each in _products_beside(url) if _archive_of(each) == store.url]
        if len(found) != 1:
            what = "there is no noise product" if not found else f"name one of {', '.join(found)}"
            raise ConfigError(f"{url}: {what}; `stationday noise A` makes one beside an archive")
        store = open_objects(found[0])
    options = load(_Options, store.read(_OPTIONS).decode())
    archive = _resolved(options.archive, store.url)
    return NoiseProduct(Product(store), config or options.config, options.block_days, archive)


def _archive_of(product: str) -> str:
    return _resolved(load(_Options, open_objects(product).read(_OPTIONS).decode()).archive, product)


def _written(archive: str, product: str) -> str:
    """
    Write where an archive is: by its name alone where the product lies beside it, so that both may move.

    >>> _written("/data/a.zarr", "/data/products/noise-1"), _written("/data/a.zarr", "/out")
    ('a.zarr', '/data/a.zarr')
    """
    folder, _, name = archive.rpartition("/")
    return name if product.startswith(f"{folder}/products/") else archive


def _resolved(written: str, product: str) -> str:
    """
    Read where an archive is.

    >>> _resolved("a.zarr", "/data/products/noise-1"), _resolved("/data/a.zarr", "/out")
    ('/data/a.zarr', '/data/a.zarr')
    """
    return written if "/" in written else f"{product.rpartition('/products/')[0]}/{written}"


def _products_beside(url: str) -> list[str]:
    products = _beside(url).child("products")
    folders, _ = products.children("")
    return [
        f"{products.url}/{name}"
        for name in folders
        if name.startswith(f"{_STAGE}-") and products.exists(f"{name}/{_OPTIONS}")
    ]


def _beside(archive: str) -> ObjectStore:
    """Return the workspace of an archive: the folder that it lies in."""
    url = open_objects(archive).url
    parent, _, _ = url.rstrip("/").rpartition("/")
    if parent.endswith(("/", ":")) or not parent:
        raise ConfigError(f"{archive}: no folder to put a product beside it; --out says where it should lie")
    return open_objects(parent)
