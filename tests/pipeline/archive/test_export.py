"""Export: encodings that hold the samples, nanoseconds, odd rates, and the grid of files."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import obspy
import pytest
from miniseed_files import records, records_of_24_bits

from pipeline.archive.export import export_days
from pipeline.archive.grid import DAY_NS, day_number
from pipeline.archive.packing import sds_path
from pipeline.archive.readers import open_source
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.archive.reading import Archive
from pipeline.keys import Channel

DAY = day_number(dt.date(2020, 3, 4))
EVER = (-(2**62), 2**62)


def there_and_back(
    data: bytes, tmp_path: Path, archive_of: Callable[..., Archive], version: int
) -> list[tuple[bytes, dt.date]]:
    path = tmp_path / "in.mseed"
    path.write_bytes(data)
    archive = archive_of(path)
    row = archive.index.rows[0]
    n = row.grid.samples_per_day
    files = export_days(archive, row.stream, row.grid, (DAY - 2) * n, (DAY + 3) * n, version=version)
    return [(file.data, file.day) for file in files]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("jump", [(1 << 29) - 1, 1 << 29, 2**32 - 1])
def test_differences_that_steim2_cannot_hold(
    jump: int, version: int, tmp_path: Path, archive_of: Callable[..., Archive]
) -> None:
    low = -(2**31) if jump == 2**32 - 1 else 0
    samples = np.array([low, low + jump, low, low + jump] * 50, dtype=np.int64).astype(np.int32)
    data = records(samples, DAY * DAY_NS, 100.0, version=version)
    ((out, _),) = there_and_back(data, tmp_path, archive_of, version)
    expected = 11 if jump < 1 << 29 else 3
    assert set(parse_headers(out).rows["encoding"].tolist()) == {expected}
    (piece,), _ = open_source(out, "x").read(*EVER)
    np.testing.assert_array_equal(piece.samples, samples)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("order", ["big", "little"])
def test_integers_of_24_bits(
    order: Literal["big", "little"], version: int, tmp_path: Path, archive_of: Callable[..., Archive]
) -> None:
    samples = np.array([-(2**23), 2**23 - 1, -1, 0, 1, -(2**15) - 1] * 50, dtype=np.int32)
    data = records_of_24_bits(samples, DAY * DAY_NS, 100.0, channel="XX.TEST..HHZ", order=order)
    ((out, _),) = there_and_back(data, tmp_path, archive_of, version)
    (piece,), _ = open_source(out, "x").read(*EVER)
    np.testing.assert_array_equal(piece.samples, samples)
    assert piece.start_ns == DAY * DAY_NS
    if version == 2:
        np.testing.assert_array_equal(obspy.read(io.BytesIO(out))[0].data, samples)


@pytest.mark.parametrize("rate", [1.851852, 33.3333, 59.5238, 99.99])
def test_version_3_keeps_nanoseconds_and_rates(
    rate: float, tmp_path: Path, archive_of: Callable[..., Archive]
) -> None:
    start = DAY * DAY_NS + 3_600_000_000_123
    samples = np.cumsum(np.random.default_rng(0).integers(-9, 9, 5000)).astype(np.int32)
    data = records(samples, start, rate, version=3, encoding="STEIM2")
    ((out, day),) = there_and_back(data, tmp_path, archive_of, 3)
    (piece,), problems = open_source(out, "x").read(*EVER)
    assert problems == []
    assert (piece.start_ns, piece.nominal_rate_hz) == (start, rate)
    assert day == dt.date(2020, 3, 4)
    np.testing.assert_array_equal(piece.samples, samples)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("version", [2, 3])
def test_floats_come_back_bit_by_bit(
    dtype: str, version: int, tmp_path: Path, archive_of: Callable[..., Archive]
) -> None:
    samples = np.array([0.1, np.nan, -0.0, np.inf, 1e-40, -3.5] * 20, dtype=dtype)
    data = records(samples, DAY * DAY_NS, 100.0, version=version)
    ((out, _),) = there_and_back(data, tmp_path, archive_of, version)
    (piece,), _ = open_source(out, "x").read(*EVER)
    assert piece.samples.tobytes() == samples.tobytes()


@pytest.mark.parametrize("version", [2, 3])
def test_files_are_cut_at_midnight_and_join_again(
    version: int, tmp_path: Path, archive_of: Callable[..., Archive]
) -> None:
    samples = np.arange(7200, dtype=np.int32)
    data = records(samples, (DAY + 1) * DAY_NS - 3600 * 10**9, 1.0, version=version, rank=3)
    files = there_and_back(data, tmp_path, archive_of, version)
    assert [day for _, day in files] == [dt.date(2020, 3, 4), dt.date(2020, 3, 5)]
    counts = [int(parse_headers(out).rows["samples"].sum()) for out, _ in files]
    assert counts == [3600, 3600]
    assert {int(rank) for out, _ in files for rank in parse_headers(out).rows["rank"]} == {3}
    if version == 2:
        (trace,) = obspy.read(io.BytesIO(b"".join(out for out, _ in files))).merge(-1)
        np.testing.assert_array_equal(trace.data, samples)


def test_sds_path() -> None:
    day = dt.date(2020, 12, 31)
    assert sds_path(Channel.parse("NG.AQG.00.MGZ"), day) == "2020/NG/AQG/MGZ.D/NG.AQG.00.MGZ.D.2020.366"
