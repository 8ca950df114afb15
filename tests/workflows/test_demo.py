"""``stationday demo``: the main job on a synthetic network, in one process."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from workflows import demo
from workflows.cli import main

CONFIG = """
seed = 5
start = 2020-03-01T12:00:00Z
hours = 0.5

[region]
latitude = 38.0
longitude = 21.5
width_km = 40.0
height_km = 40.0

[network]
stations = 2

[earthquakes]
per_day = 400.0
"""

OVERLAP = """
[[faults]]
kind = "disagreeing_overlap"
stream = "SY.S02..HH"
time = 2020-03-01T12:10:00Z
hours = 0.1
size = 50.0
"""


def run(tmp_path: Path, *options: str, config: str = CONFIG) -> int:
    (tmp_path / "network.toml").write_text(config)
    call = ["demo", str(tmp_path / "out"), "--config", str(tmp_path / "network.toml"), "--cluster", "serial"]
    return main([*call, *options])


def test_says_what_it_did_and_where_to_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    first = capsys.readouterr().out
    out = tmp_path / "out"
    events, arrivals = (
        pq.read_metadata(out / "synthetic" / "truth" / f"{name}.parquet").num_rows
        for name in ("events", "arrivals")
    )
    assert events > 0
    stations = "2 stations for 0.5 hours, 0 gravimeters"
    assert f"{stations}: {events:,} earthquakes, {arrivals:,} onsets" in first
    assert "6 files, 2 of 2 blocks, the second time 0" in first
    shown = [Path(line.strip()).name for line in first.partition("look at\n")[2].splitlines()[::2]]
    assert shown == ["synthetic", "archive.zarr", "coverage.png", "section.png", "SY.S01..HH.mseed"]
    assert all((out / name).exists() for name in shown)
    assert run(tmp_path) == 0
    assert "6 files, 0 of 0 blocks, the second time 0" in capsys.readouterr().out


def test_json_is_all_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in said["steps"]] == [name for name, _ in demo.STEPS]
    assert said["exit_status"] == 0
    assert all(Path(product).exists() for product in said["products"])


def test_what_was_spoiled_on_purpose_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, config=CONFIG + OVERLAP) == 0
    assert "2 of 2 blocks, 1 spoiled on purpose and found, the second time 0" in capsys.readouterr().out


def test_what_else_was_lost_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path) == 0
    (tmp_path / "out" / "synthetic" / "sds" / "noise.mseed").write_bytes(bytes(range(256)) * 4)
    assert run(tmp_path) == 1
    said = capsys.readouterr().out
    assert f"lost: {tmp_path}/out/synthetic/sds/noise.mseed: " in said
    assert "coverage" in said


def test_a_wrong_config_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", str(tmp_path / "out"), "--config", "huge"]) == 2
    assert "huge: no such config; give a path, or small, medium, large" in capsys.readouterr().err
