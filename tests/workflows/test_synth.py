"""``stationday synth`` from the command line: the same bytes on any workers, resumed, refused, read back."""

from __future__ import annotations

import json
from pathlib import Path

import obspy
import pytest

from pipeline.objects import LocalObjects
from pipeline.tables import read_table
from workflows.cli import main

CONFIG = """
seed = 5
start = 2020-03-01T23:50:00Z
hours = 0.3

[region]
latitude = 38.0
longitude = 21.5
width_km = 40.0
height_km = 30.0

[network]
stations = 2

[earthquakes]
per_day = 1500.0

[[faults]]
kind = "gap"
stream = "SY.S02..HH"
components = "Z"
time = 2020-03-01T23:52:00Z
hours = 0.02
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "synth.toml"
    path.write_text(CONFIG)
    return path


def synth(config: Path | str, out: Path, *options: str, cluster: str = "serial") -> int:
    return main(["synth", str(config), str(out), "--cluster", cluster, *options])


def contents(out: Path) -> dict[str, bytes]:
    """All files but those that hold times of the run."""
    objects = LocalObjects(out)
    keys = [info.key for info in objects.list() if "/ledger/" not in info.key and "/lease/" not in info.key]
    return {key: objects.read(key) for key in keys}


def test_the_same_bytes_on_any_workers(config: Path, tmp_path: Path) -> None:
    for cluster in ("serial", "threads:2"):
        assert synth(config, tmp_path / cluster, "--quiet", cluster=cluster) == 0
    one, other = (contents(tmp_path / cluster) for cluster in ("serial", "threads:2"))
    assert sorted(one) == sorted(other)
    assert [key for key in one if one[key] != other[key]] == []
    assert len([key for key in one if key.startswith("sds/")]) == 2 * 3 * 2


def test_files_and_truth_belong_together(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    stream = obspy.Stream()
    for path in sorted((out / "sds").glob("**/*.D.2020.*")):
        stream += obspy.read(path)
    assert len(stream) == 13  # one channel has a gap
    inventory = obspy.read_inventory(str(out / "stations.xml"))
    for trace in stream:
        assert inventory.get_response(trace.id, trace.stats.starttime)
    truth = {path.stem: read_table(path.read_bytes(), path.stem) for path in (out / "truth").glob("*")}
    assert sorted(truth) == ["arrivals", "events", "faults", "station_magnitudes"]
    assert truth["faults"].column("kind").to_pylist() == ["gap"]
    events = set(truth["events"].column("event_id").to_pylist())
    assert set(truth["arrivals"].column("event_id").to_pylist()) <= events
    assert len(events) > 5
    assert truth["events"].column("magnitude").drop_null().to_pylist()


def test_a_second_call_finds_it_done(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    before = contents(out)
    capsys.readouterr()
    assert synth(config, out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["todo"] == 0
    assert contents(out) == before


def test_a_dry_run_writes_nothing(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth(config, tmp_path / "out", "--dry-run") == 0
    assert "2 to do" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_another_config_is_refused(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    before = contents(out)
    config.write_text(CONFIG.replace("seed = 5", "seed = 6"))
    assert synth(config, out) == 2
    assert "made with another config" in capsys.readouterr().err
    assert contents(out) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            CONFIG.replace("stations = 2", "statoins = 2"),
            "unknown key network.statoins: did you mean stations?",
        ),
        (CONFIG.replace("hours = 0.3", "hours = -1.0"), "should be above 0"),
        (CONFIG.replace('"gap"', '"flood"'), "flood"),
    ],
)
def test_a_wrong_config_is_one_line(
    text: str, said: str, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(text)
    assert synth(config, tmp_path / "out") == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "\n" not in error


def test_a_config_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert synth("huge", tmp_path / "out") == 2
    assert "huge: no such config; give a path, or small, medium, large" in capsys.readouterr().err
