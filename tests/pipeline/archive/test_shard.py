"""Shards: packed, unpacked, read by spans and by plain zarr, and what damage does."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.archive.grid import DayGrid
from pipeline.archive.merge import ARRAY_DTYPES, fill_value
from pipeline.archive.shard import ShardLayout, decode_chunks, encode_span, pack, read_span, unpack
from pipeline.archive.store import create_store
from pipeline.errors import FormatError
from pipeline.keys import Stream
from pipeline.objects import LocalObjects, open_objects

ARRAYS = st.sampled_from(sorted(ARRAY_DTYPES))


def layout_of(array: str, components: int, chunks: int, chunk: int) -> ShardLayout:
    return ShardLayout(components, chunks * chunk, chunk, ARRAY_DTYPES[array], fill_value(array))


def samples_of(layout: ShardLayout, seed: int, missing: list[tuple[int, int]]) -> np.ndarray:
    """Fill a shard with a walk, and leave some chunks of some components out."""
    rng = np.random.default_rng(seed)
    samples = np.cumsum(rng.integers(-40, 41, (layout.components, layout.samples)), axis=1)
    samples = (samples * (1 if layout.dtype == "int32" else 0.1)).astype(layout.dtype)
    samples[rng.random(samples.shape) < 0.01] = layout.fill
    for component, chunk in missing:
        at = chunk % layout.chunks * layout.chunk
        samples[component % layout.components, at : at + layout.chunk] = layout.fill
    return samples


layouts = st.builds(
    layout_of, ARRAYS, st.sampled_from([1, 3]), st.integers(1, 6), st.sampled_from([1, 7, 100, 400])
)
missing = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=12)


@settings(max_examples=80, deadline=None)
@given(layout=layouts, seed=st.integers(0, 9), gaps=missing, data=st.data())
def test_any_layout_and_span(
    layout: ShardLayout, seed: int, gaps: list[tuple[int, int]], data: st.DataObject
) -> None:
    samples = samples_of(layout, seed, gaps)
    chunks = encode_span(samples, layout)
    shard, edges = pack(chunks, layout)
    assert unpack(shard, layout, "x") == chunks
    out = np.empty_like(samples)
    decode_chunks(chunks, 0, 0, layout.samples, layout, out, "x")
    assert out.tobytes() == samples.tobytes()

    store = open_objects("memory://shards")
    store.write("s", shard)
    start = data.draw(st.integers(0, layout.samples - 1))
    stop = data.draw(st.integers(start + 1, layout.samples))
    rows = data.draw(st.permutations(range(layout.components)))[
        : data.draw(st.integers(1, layout.components))
    ]
    for known in (None, edges):
        part = np.empty((len(rows), stop - start), layout.dtype)
        read_span(store, "s", layout, start, stop, part, rows=rows, edges=known)
        assert part.tobytes() == np.ascontiguousarray(samples[rows, start:stop]).tobytes()
    part = np.zeros((1, 5), layout.dtype)
    read_span(store, "absent", layout, 0, 5, part, rows=[0])
    np.testing.assert_array_equal(part, np.full_like(part, layout.fill))


@pytest.mark.parametrize("array", sorted(ARRAY_DTYPES))
@pytest.mark.parametrize("rate", [1.0, 20.0])
def test_plain_zarr_decodes_the_same(array: str, rate: float, tmp_path: Path) -> None:
    store = create_store(str(tmp_path / "a.zarr"))
    stream, grid = Stream.parse("XX.A..BH"), DayGrid.at_rate(rate)
    store.make_group(stream, grid, 1970, [array])
    place = store.shard(stream, grid, array, 31)
    samples = samples_of(place.layout, 3, [(0, 0), (1, 2), (2, 5)])
    store.objects.write(place.key, pack(encode_span(samples, place.layout), place.layout)[0])
    opened = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")[f"XX.A..BH/{grid.label}/1970/{array}"]
    first = place.first_day * grid.samples_per_day
    theirs = opened[:, first : first + place.layout.samples]
    assert theirs.tobytes() == samples.tobytes()
    before = opened[:, first - 10 : first]
    np.testing.assert_array_equal(before, np.full_like(before, place.layout.fill))
    document = json.loads(store.objects.read(f"{store.group(stream, grid, 1970)}/{array}/zarr.json"))
    assert document["shape"][1] == 365 * grid.samples_per_day


@pytest.fixture
def stored(tmp_path: Path) -> tuple[LocalObjects, ShardLayout, np.ndarray, bytes]:
    layout = layout_of("counts", 3, 4, 100)
    samples = samples_of(layout, 1, [])
    store = LocalObjects(tmp_path)
    shard, _ = pack(encode_span(samples, layout), layout)
    store.write("s", shard)
    return store, layout, samples, shard


def read_all(store: LocalObjects, layout: ShardLayout, start: int = 0, stop: int = 400) -> np.ndarray:
    out = np.empty((3, stop - start), layout.dtype)
    read_span(store, "s", layout, start, stop, out, rows=[0, 1, 2])
    return out


@pytest.mark.parametrize("span", [(0, 400), (150, 250), (390, 400)])
def test_each_flipped_bit_of_the_index_is_noticed(
    stored: tuple[LocalObjects, ShardLayout, np.ndarray, bytes], span: tuple[int, int]
) -> None:
    store, layout, _, shard = stored
    for at in range(len(shard) - layout.index_bytes, len(shard), 5):
        damaged = bytearray(shard)
        damaged[at] ^= 1 << (at % 8)
        store.write("s", bytes(damaged))
        with pytest.raises(FormatError, match="s: the index of this shard does not match its checksum"):
            read_all(store, layout, *span)


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 100, 197, 600, -1])
@pytest.mark.parametrize("span", [(0, 400), (150, 250), (0, 10)])
def test_a_truncated_shard_is_named(
    stored: tuple[LocalObjects, ShardLayout, np.ndarray, bytes], kept: int, span: tuple[int, int]
) -> None:
    store, layout, _, shard = stored
    store.write("s", shard[:kept])
    with pytest.raises(FormatError, match=r"^s: "):
        read_all(store, layout, *span)


def test_damage_in_a_chunk_gives_an_error_or_other_samples_but_no_crash(
    stored: tuple[LocalObjects, ShardLayout, np.ndarray, bytes],
) -> None:
    """Chunks carry no checksum of their own: the digest of the day tells that samples changed."""
    store, layout, samples, shard = stored
    for at in range(0, len(shard) - layout.index_bytes, 7):
        damaged = bytearray(shard)
        damaged[at] ^= 0xFF
        store.write("s", bytes(damaged))
        with contextlib.suppress(FormatError):
            assert read_all(store, layout).shape == samples.shape


def test_nothing_but_missing_chunks() -> None:
    layout = layout_of("values", 3, 4, 10)
    chunks = encode_span(np.full((3, 40), np.nan, np.float32), layout)
    assert chunks == [[b""] * 3] * 4
    shard, edges = pack(chunks, layout)
    assert (len(shard), edges.head, edges.tail) == (layout.index_bytes, (0, 0, 0), layout.index_bytes)
