"""``stationday demo``: the main job, in one process, on what is there."""

import json
from pathlib import Path

import numpy as np
import pytest
from miniseed_files import records

from workflows import demo
from workflows.cli import main

START_NS = 1_600_000_000_000_000_000


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for code in "ZNE":
        samples = np.arange(1000, dtype=np.int32)
        (folder / f"{code}.mseed").write_bytes(records(samples, START_NS, 10.0, channel=f"XX.A..HH{code}"))
    return folder


def test_says_what_it_did_and_where_to_look(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    call = ["demo", "out", "--source", str(source), "--cluster", "serial"]
    assert main(call) == 0
    first = capsys.readouterr().out
    assert "1/4 ingest" in first
    assert "3 files, 1 of 1 blocks; the second time 0" in first
    assert "XX.A..HH: 864,000 times in xarray, 3 traces in obspy" in first
    shown = [line.strip() for line in first.partition("look at\n")[2].splitlines()[::2]]
    assert shown == ["out/archive.zarr", "out/coverage.png", "out/XX.A..HH.mseed"]
    assert all((elsewhere / path).exists() for path in shown)
    assert main(call) == 0
    assert "3 files, 0 of 0 blocks; the second time 0" in capsys.readouterr().out


def test_json_is_all_there_is(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["demo", str(tmp_path / "out"), "--source", str(source), "--cluster", "serial", "--json"]) == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert [step["step"] for step in said["steps"]] == [name for name, _ in demo.STEPS]
    assert said["exit_status"] == 0
    assert all(Path(product).exists() for product in said["products"])


def test_what_was_lost_shows_in_the_status(source: Path, tmp_path: Path) -> None:
    (source / "noise.mseed").write_bytes(bytes(range(256)) * 4)
    assert main(["demo", str(tmp_path / "out"), "--source", str(source), "--cluster", "serial"]) == 1


def test_without_data_of_our_own_obspy_has_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATIONDAY_DATA", raising=False)
    monkeypatch.setattr(demo, "_FOLDERS", ())
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--cluster", "serial"]) == 0
    shown = capsys.readouterr()
    assert "2/4 coverage" in shown.out
    assert "10 rows, 12 station-days in them" in shown.out
    assert "lost" not in shown.err


def test_a_wrong_data_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATIONDAY_DATA", str(tmp_path))
    assert main(["demo", str(tmp_path / "out")]) == 2
    assert f"STATIONDAY_DATA={tmp_path}: no folder continuous/" in capsys.readouterr().err
