"""Reading: requests and bytes, spans over days and years, plain zarr and xarray, opening a large archive."""

from __future__ import annotations

import datetime as dt
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from miniseed_files import records

from pipeline.archive.grid import DAY_NS, DayGrid, day_number
from pipeline.archive.index import Index, IndexRow, rebuild_index
from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.store import ArchiveOptions, create_store
from pipeline.archive.timeindex import DayGridIndex
from pipeline.errors import ConfigError, NoSuchStreamError, NotAnArchiveError
from pipeline.keys import Stream
from pipeline.objects import LocalObjects

NEW_YEAR = day_number(dt.date(2021, 1, 1))
HOUR = 3_600_000_000_000


def noise(count: int, seed: int) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).integers(-50, 51, count)).astype(np.int32)


@pytest.fixture(scope="module")
def new_year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, dict[str, np.ndarray]]:
    """Three components at 20 Hz for three whole days over New Year."""
    from archives import make_archive

    folder = tmp_path_factory.mktemp("new-year")
    truth = {}
    for seed, component in enumerate("ZNE"):
        truth[component] = noise(3 * 1_728_000, seed)
        data = records(truth[component], (NEW_YEAR - 1) * DAY_NS, 20.0, channel=f"XX.A..BH{component}")
        (folder / f"{component}.mseed").write_bytes(data)
    archive, _ = make_archive(str(folder / "archive.zarr"), *sorted(folder.glob("*.mseed")))
    return archive, truth


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every request to a store: its key, and the bytes that came."""
    made: list[tuple[str, int]] = []
    for name in ("read", "read_range", "read_tail"):
        original = getattr(LocalObjects, name)

        def counted(
            self: LocalObjects, key: str, *args: int, original: Callable[..., bytes] = original
        ) -> bytes:
            data = original(self, key, *args)
            made.append((key, len(data)))
            return data

        monkeypatch.setattr(LocalObjects, name, counted)
    return made


def test_a_day_with_its_halo_is_three_requests(
    new_year: tuple[Archive, dict[str, np.ndarray]], requests: list[tuple[str, int]]
) -> None:
    archive, truth = new_year
    grid = DayGrid.at_rate(20.0)
    n, halo = grid.samples_per_day, 20 * 60
    stream = Stream.parse("XX.A..BH")
    archive.day(stream, grid, NEW_YEAR)  # the tables of both blocks are read once, and kept
    archive.day(stream, grid, NEW_YEAR - 1)
    shard = archive.store.shard(stream, grid, "counts", NEW_YEAR)
    size = len(archive.store.objects.read(shard.key))
    requests.clear()
    samples = archive.read(stream, grid, "counts", NEW_YEAR * n - halo, (NEW_YEAR + 1) * n + halo)
    assert len(requests) <= 3
    assert sum(length for _, length in requests) <= 1.05 * size
    for row, component in enumerate("ZNE"):
        np.testing.assert_array_equal(samples[row], truth[component][n - halo : 2 * n + halo])


def test_edges_of_a_rewritten_shard_are_noticed(new_year: tuple[Archive, dict[str, np.ndarray]]) -> None:
    """A reader that opened the archive before a day was written again still reads what is there."""
    archive, truth = new_year
    stale = pickle.loads(pickle.dumps(archive))
    grid, stream = DayGrid.at_rate(20.0), Stream.parse("XX.A..BH")
    row = stale.day(stream, grid, NEW_YEAR)
    edges = row.edges["counts"]
    table = stale._tables[next(iter(stale._tables))]
    wrong = type(edges)(tuple(size - 7 for size in edges.head), edges.tail - 4000)
    from dataclasses import replace

    table[NEW_YEAR] = replace(row, edges={"counts": wrong})
    n = grid.samples_per_day
    head = stale.read(stream, grid, "counts", NEW_YEAR * n, NEW_YEAR * n + 500)
    tail = stale.read(stream, grid, "counts", (NEW_YEAR + 1) * n - 500, (NEW_YEAR + 1) * n)
    np.testing.assert_array_equal(head[0], truth["Z"][n : n + 500])
    np.testing.assert_array_equal(tail[0], truth["Z"][2 * n - 500 : 2 * n])


@pytest.mark.parametrize(
    ("first", "last"),
    [(0, 10), (1_727_990, 1_728_010), (100, 5_183_000), (1_728_000, 3_456_000), (4_000_000, 4_000_001)],
)
@pytest.mark.parametrize("components", [(0, 1, 2), (2,), (1, 0)])
def test_any_span(
    new_year: tuple[Archive, dict[str, np.ndarray]], first: int, last: int, components: tuple[int, ...]
) -> None:
    archive, truth = new_year
    grid = DayGrid.at_rate(20.0)
    origin = (NEW_YEAR - 1) * grid.samples_per_day
    samples = archive.read(
        Stream.parse("XX.A..BH"), grid, "counts", origin + first, origin + last, components=components
    )
    for row, component in zip(samples, components, strict=True):
        np.testing.assert_array_equal(row, truth["ZNE"[component]][first:last])


def test_selection_is_lazy_and_crosses_the_year(
    new_year: tuple[Archive, dict[str, np.ndarray]], requests: list[tuple[str, int]]
) -> None:
    archive, truth = new_year
    requests.clear()
    ds = archive.sel("XX.A..BH", "2020-12-31T12:00", "2021-01-01T12:00")
    assert requests == []
    assert ds.counts.shape == (3, 1_728_000)
    assert isinstance(ds.xindexes["time"], DayGridIndex)
    half = 864_000
    np.testing.assert_array_equal(ds.counts.sel(component="N").values, truth["N"][half : half + 1_728_000])
    minute = ds.sel(time=slice("2020-12-31T23:59:30", "2021-01-01T00:00:29.950"))
    assert minute.sizes["time"] == 1200
    np.testing.assert_array_equal(minute.counts.values[0], truth["Z"][1_728_000 - 600 : 1_728_000 + 600])
    backwards = ds.counts.isel(time=slice(100, 50, -7), component=1).values
    np.testing.assert_array_equal(backwards, truth["N"][half:][100:50:-7])
    picked = ds.counts.isel(time=[5, 3, 900_000], component=[2, 0]).values
    np.testing.assert_array_equal(picked, np.stack([truth["E"], truth["Z"]])[:, half:][:, [5, 3, 900_000]])


def test_to_dask_uses_shards(new_year: tuple[Archive, dict[str, np.ndarray]]) -> None:
    archive, truth = new_year
    lazy = archive.sel("XX.A..BH", "2020-12-31T12:00", "2021-01-02T06:00").stationday.to_dask()
    assert lazy.counts.chunks == ((3,), (864_000, 1_728_000, 432_000))
    expected = truth["Z"][864_000 : 864_000 + 3_024_000].astype(float).mean()
    assert float(lazy.counts.sel(component="Z").mean()) == pytest.approx(expected)


def test_plain_zarr_and_xarray_read_it(new_year: tuple[Archive, dict[str, np.ndarray]]) -> None:
    archive, truth = new_year
    group = xr.open_zarr(f"{archive.url}/XX.A..BH/20Hz/2021", consolidated=False, chunks=None)
    assert group.attrs["origin"] == "2021-01-01T00:00:00Z"
    np.testing.assert_array_equal(group.counts[1, 5000:9000].values, truth["N"][1_728_000:][5000:9000])


def test_selection_pickles(new_year: tuple[Archive, dict[str, np.ndarray]]) -> None:
    archive, truth = new_year
    ds = pickle.loads(pickle.dumps(archive.sel("XX.A..BH", "2021-01-01", "2021-01-01T00:01")))
    np.testing.assert_array_equal(ds.counts.values[2], truth["E"][1_728_000 : 1_728_000 + 1200])


@pytest.mark.parametrize("options", [ArchiveOptions(), ArchiveOptions.for_shard_days(7)], ids=["day", "week"])
@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_missing_days_hold_the_fill_value(
    rate: float, options: ArchiveOptions, tmp_path: Path, archive_of: Callable[..., Archive]
) -> None:
    path = tmp_path / "x.mseed"
    path.write_bytes(
        records(noise(int(3600 * rate), 1), NEW_YEAR * DAY_NS + 5 * HOUR, rate, channel="XX.A..BHZ")
    )
    archive = archive_of(path, options=options)
    ds = archive.sel("XX.A..BH", "2020-12-30", "2021-01-03")
    values = ds.counts.values
    present = values != np.iinfo(np.int32).min
    assert present.sum() == int(3600 * rate)
    first = int((2 * 86400 + 5 * 3600) * rate)
    assert present[0, first : first + int(3600 * rate)].all()


def test_opening_an_archive_of_5000_stream_years(
    tmp_path: Path, requests: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is listed, two objects are read. The time itself stands in docs/benchmarks/ingest.md."""
    store = create_store(str(tmp_path / "a.zarr"))
    grid = DayGrid.at_rate(100.0)
    completeness = np.ones(365, dtype=np.float32)
    rows = [
        IndexRow(Stream.parse(f"XX.S{number:03d}..HH"), grid, year, ("counts",), (0, 1, 2), completeness)
        for number in range(500)
        for year in range(2011, 2021)
    ]
    Index(rows).save(store)
    monkeypatch.delattr(LocalObjects, "list")
    requests.clear()
    archive = open_archive(str(tmp_path / "a.zarr"))
    assert [key for key, _ in requests] == ["zarr.json", "index.parquet"]
    assert len(archive.index.rows) == 5000
    assert len(archive.streams) == 500
    assert archive.sel("XX.S123..HH", "2015-03-01", "2015-03-02").sizes["time"] == grid.samples_per_day


def test_index_can_be_rebuilt(new_year: tuple[Archive, dict[str, np.ndarray]]) -> None:
    archive, _ = new_year
    assert rebuild_index(archive.store).to_bytes() == archive.index.to_bytes()
    assert [row.days_present for row in archive.index.rows] == [1, 2]


def test_several_rates_must_be_chosen_between(tmp_path: Path, archive_of: Callable[..., Archive]) -> None:
    for rate in (20.0, 40.0):
        data = records(noise(1000, 2), NEW_YEAR * DAY_NS, rate, channel="XX.A..BHZ")
        (tmp_path / f"{rate}.mseed").write_bytes(data)
    archive = archive_of(*sorted(tmp_path.glob("*.mseed")))
    with pytest.raises(ConfigError, match=r"XX\.A\.\.BH has several rates: choose rate= one of 20Hz, 40Hz"):
        archive.sel("XX.A..BH")
    assert archive.sel("XX.A..BH", rate="40Hz").attrs["sampling_rate_hz"] == 40.0
    assert archive.sel("XX.A..BH", rate=20).attrs["sampling_rate_hz"] == 20.0
    with pytest.raises(NoSuchStreamError, match="has no rate 50Hz, but 20Hz, 40Hz"):
        archive.sel("XX.A..BH", rate=50)


def test_what_is_not_there_is_named(new_year: tuple[Archive, dict[str, np.ndarray]], tmp_path: Path) -> None:
    archive, _ = new_year
    with pytest.raises(NoSuchStreamError, match=r"no stream XX\.B\.\.BH; it has XX\.A\.\.BH"):
        archive.sel("XX.B..BH")
    with pytest.raises(ConfigError, match="must end after it starts"):
        archive.sel("XX.A..BH", "2021-01-02", "2021-01-01")
    with pytest.raises(NotAnArchiveError, match="there is no archive here"):
        open_archive(str(tmp_path))
    (tmp_path / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {}}')
    with pytest.raises(NotAnArchiveError, match="not that of a stationday archive"):
        open_archive(str(tmp_path))


def test_options_are_fixed(tmp_path: Path) -> None:
    url = str(tmp_path / "a.zarr")
    create_store(url, ArchiveOptions.for_shard_days(7))
    assert create_store(url).options.shard_days == 7
    with pytest.raises(ConfigError, match="fixed for good"):
        create_store(url, ArchiveOptions())
    with pytest.raises(
        ConfigError, match="shard_days = 7 should divide block_days = 31; block_days = 28 would do"
    ):
        ArchiveOptions(shard_days=7)
