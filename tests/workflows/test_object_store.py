"""The commands on an object store: the same bytes as on a disk."""

import uuid
from pathlib import Path

import numpy as np
import pytest
from s3_server import S3, Spoil

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
