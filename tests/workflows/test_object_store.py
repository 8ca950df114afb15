"""The commands on an object store: the same bytes as on a disk."""

import time
import uuid
from pathlib import Path

import fsspec
import numpy as np
import pytest
from miniseed_files import records
from s3_server import S3, Spoil

from pipeline.archive import patience
from pipeline.archive.reading import open_archive
from pipeline.objects import open_objects
from workflows.cli import main

CONFIG = """
seed = 5
start = 2020-03-01T23:50:00Z
hours = 0.3

[region]
latitude = 38.0
longitude = 21.5
width_km = 40.0
height_km = 40.0

[network]
stations = 2
"""


@pytest.fixture
def bucket(s3: S3) -> str:
    return s3.make_bucket(f"bucket-{uuid.uuid4().hex}")


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    (folder / "network.toml").write_text(CONFIG)
    assert main(["synth", str(folder / "network.toml"), str(folder / "out"), "--cluster", "serial"]) == 0
    return folder


def contents(url: str) -> dict[str, bytes]:
    """Read all objects but those that say when and by whom something was done."""
    store = open_objects(url)
    return {
        info.key: store.read(info.key)
        for info in store.list()
        if not any(part in info.key for part in ("ledger/", "lease/", "scan/"))
    }


def test_an_archive_in_a_bucket_is_the_same(synthetic: Path, bucket: str, tmp_path: Path) -> None:
    for archive in (str(tmp_path / "archive.zarr"), f"{bucket}/archive.zarr"):
        call = ["ingest", str(synthetic / "out" / "sds"), "--archive", archive, "--quiet"]
        assert (
            main([*call, "--stations", str(synthetic / "out" / "stations.xml"), "--cluster", "threads:2"])
            == 0
        )
        assert main([*call, "--cluster", "serial"]) == 0
    here, there = contents(str(tmp_path / "archive.zarr")), contents(f"{bucket}/archive.zarr")
    assert there == here
    span = "SY.S01..HH", "2020-03-01T23:59:59", "2020-03-02T00:00:01"
    ours, theirs = (
        open_archive(url).sel(*span) for url in (str(tmp_path / "archive.zarr"), f"{bucket}/archive.zarr")
    )
    np.testing.assert_array_equal(ours.counts, theirs.counts)
    assert main(["export", f"{bucket}/archive.zarr", f"{bucket}/exported"]) == 0
    assert main(["export", str(tmp_path / "archive.zarr"), str(tmp_path / "exported")]) == 0
    assert contents(f"{bucket}/exported") == contents(str(tmp_path / "exported"))


def test_a_synthetic_archive_in_a_bucket_is_the_same(synthetic: Path, bucket: str) -> None:
    call = ["synth", str(synthetic / "network.toml"), f"{bucket}/out", "--cluster", "serial", "--quiet"]
    assert main(call) == 0
    here, there = contents(str(synthetic / "out")), contents(f"{bucket}/out")
    assert there == here


def test_a_bucket_that_may_not_be_written_is_one_line(
    s3: S3, synthetic: Path, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = Spoil("/archive.zarr", 403, methods=frozenset({"PUT"}))
    with s3.spoiled(refused):
        call = ["ingest", str(synthetic / "out" / "sds"), "--archive", f"{bucket}/archive.zarr", "--quiet"]
        assert main([*call, "--cluster", "serial"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{bucket}/archive.zarr" in line
    assert "made up" in line


def test_sources_in_a_bucket_make_the_same_archive(synthetic: Path, bucket: str, tmp_path: Path) -> None:
    there = open_objects(bucket)
    for path in sorted((synthetic / "out" / "sds").rglob("*.0??")):
        there.write(f"sds/{path.relative_to(synthetic / 'out' / 'sds')}", path.read_bytes())
    for source, archive in ((f"{bucket}/sds", "from-bucket"), (str(synthetic / "out" / "sds"), "from-disk")):
        call = ["ingest", source, "--archive", str(tmp_path / archive), "--cluster", "serial", "--quiet"]
        assert main(call) == 0
    arrays = ("counts", "zarr.json", "index.parquet")
    one, other = (
        {
            key: data
            for key, data in contents(str(tmp_path / name)).items()
            if any(part in key for part in arrays)
        }
        for name in ("from-bucket", "from-disk")
    )
    assert one == other
    assert any("counts/c/" in key for key in one)


def test_a_silent_bucket_costs_a_bounded_time_and_loses_no_other(
    s3: S3, bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More silent objects than a library has connections, and more than are waited for in full."""
    monkeypatch.setattr(patience, "_SHORT_S", 0.7)
    there = open_objects(bucket)
    names = [f"{kind}-{number:02d}" for kind in ("a-good", "b-silent", "c-good") for number in range(24)]
    for name in names:
        station = f"{name[0]}{name[-2:]}".upper()
        data = records(
            np.arange(100, dtype=np.int32), 1_577_836_800 * 10**9, 1.0, channel=f"XX.{station}..LHZ"
        )
        there.write(name, data)
    call = ["ingest", bucket, "--archive", str(tmp_path / "archive.zarr"), "--cluster", "serial", "--quiet"]
    begun = time.monotonic()
    with s3.spoiled(Spoil("silent", "hang", seconds=120)):
        assert main([*call, "--patience", "1"]) == 1
    assert time.monotonic() - begun < 20
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 24
    assert all(line.startswith(f"lost: {bucket}/b-silent-") for line in lines)
    assert "unreadable: no answer within 1 s" in lines[0]
    assert len(open_archive(str(tmp_path / "archive.zarr")).streams) == 48
    assert main(call) == 0
    assert len(open_archive(str(tmp_path / "archive.zarr")).streams) == 72


def test_a_file_that_falls_silent_is_deferred_and_the_archive_keeps_it(
    s3: S3, bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its day is made anew because another file of it came, and it does not come a second time."""
    there, start = open_objects(bucket), 1_577_836_800
    samples = np.cumsum(np.random.default_rng(0).integers(-5000, 5001, 8000)).astype(np.int32)
    data = [records(samples, (start + at) * 10**9, 1.0, channel="XX.A..LHZ") for at in (0, 8000)]
    there.write("XX.A..LHZ.D.2020.001", data[0])
    archive = str(tmp_path / "archive.zarr")
    call = ["ingest", bucket, "--archive", archive, "--cluster", "serial", "--quiet", "--patience", "1"]
    assert main(call) == 0
    there.write("later.mseed", data[1])
    for _ in range(2):
        with s3.spoiled(Spoil("XX.A..LHZ.D", "hang", seconds=120)):
            assert main(call) == 1
        (line,) = capsys.readouterr().err.splitlines()
        what = f"{bucket}/XX.A..LHZ.D.2020.001: no answer within 1."
        assert line.startswith(f"deferred: XX.A..LH/2020.01: unreadable: {what}")
        assert line.endswith(" s; the archive keeps what it gave before")
        found = open_archive(archive).sel("XX.A..LH", "2020-01-01", "2020-01-01T04:26:40").counts[0]
        np.testing.assert_array_equal(found, np.concatenate([samples, samples]))
    assert main(call) == 0
    assert capsys.readouterr().err == ""


def test_a_bucket_whose_listing_never_comes_is_one_line(
    s3: S3, bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its library gives up, after a time that its settings say (FSSPEC_S3)."""
    hurried = {"config_kwargs": {"read_timeout": 0.2, "retries": {"max_attempts": 0}}}
    monkeypatch.setitem(fsspec.config.conf, "s3", hurried)
    with s3.spoiled(Spoil("list-type", "hang", seconds=120)):
        archive = str(tmp_path / "archive.zarr")
        assert main(["ingest", bucket, "--archive", archive, "--cluster", "serial", "--quiet"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"stationday: {bucket}/: Read timeout on endpoint URL")
    assert not Path(archive).exists()


def test_a_file_of_several_streams_is_fetched_once(s3: S3, bucket: str, tmp_path: Path) -> None:
    """What the scan fetched is there for the blocks of all its streams, in whatever process they run."""
    there, start = open_objects(bucket), 1_577_836_800
    for day in range(3):
        data = b"".join(
            records(
                np.arange(600, dtype=np.int32),
                (start + 86_400 * day) * 10**9,
                rate_hz,
                channel=f"XX.ABC..{code}",
            )
            for code, rate_hz in (("BHZ", 20.0), ("BHN", 20.0), ("LHZ", 1.0), ("LDI", 1.0))
        )
        there.write(f"XX/2020/{day + 1:03d}/ABC.XX.2020.{day + 1:03d}", data)
    before = len(s3.requests)
    call = ["ingest", bucket, "--layout", "earthscope", "--archive", str(tmp_path / "archive.zarr")]
    assert main([*call, "--cluster", "serial", "--quiet"]) == 0
    assert len(open_archive(str(tmp_path / "archive.zarr")).streams) == 3
    asked = [method for method, path in s3.requests[before:] if "ABC.XX.2020" in path]
    assert asked == ["GET"] * 3


@pytest.mark.parametrize(
    ("how", "reason"),
    [(403, "made up"), (404, "made up"), ("cut", "ClientPayloadError: Response payload is not completed")],
)
def test_an_object_that_can_not_be_read_is_a_loss_and_read_the_next_time(
    s3: S3,
    synthetic: Path,
    bucket: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    how: int | str,
    reason: str,
) -> None:
    there = open_objects(bucket)
    for path in sorted((synthetic / "out" / "sds").rglob("*S01*HHZ*.0??")):
        there.write(path.name, path.read_bytes())
    call = ["ingest", bucket, "--archive", str(tmp_path / "archive.zarr"), "--cluster", "serial", "--quiet"]
    (name,) = [info.key for info in there.list() if info.key.endswith("062")]
    with s3.spoiled(Spoil(name, how)):  # type: ignore[arg-type]
        assert main(call) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"lost: {bucket}/{name}: unreadable: {reason}")
    assert main(call) == 0
    (row,) = open_archive(str(tmp_path / "archive.zarr")).index.rows
    assert (np.nan_to_num(row.completeness) > 0).sum() == 2
    assert capsys.readouterr().err == ""
