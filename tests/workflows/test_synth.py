"""``stationday synth`` from the command line: the same bytes on any workers, resumed, refused, read back."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import obspy
import pytest
from numpy.typing import NDArray

from pipeline.archive.grid import day_number
from pipeline.archive.reading import open_archive
from pipeline.keys import Stream
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

[[landslides]]
time = 2020-03-02T00:00:00Z
latitude = 38.1
longitude = 21.4
station = "S01"
repeaters = 9
hours = 0.1

[gravity]
stations = 1
start = 2020-03-02T23:50:00Z
days = 0.0125
formats = ["mseed", "ggp", "tsf"]

[gravity.region]
latitude = 36.0
longitude = 104.0
width_km = 900.0
height_km = 600.0

[[gravity.earthquakes]]
time = 2020-03-02T23:55:00Z
latitude = 35.0
longitude = 102.0
mw = 8.2

[[gravity.rises]]
time = 2020-03-02T00:00:00Z
days = 2.0
gain_db = 6.0

[[faults]]
kind = "gap"
stream = "SY.S02..HH"
components = "Z"
time = 2020-03-01T23:52:00Z
hours = 0.02

[[faults]]
kind = "gap"
stream = "GY.G01..LDI"
time = 2020-03-03T00:02:00Z
hours = 0.02
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "synth.toml"
    path.write_text(CONFIG)
    return path


def synth(config: Path | str, out: Path, *options: str, cluster: str = "serial") -> int:
    return main(["synth", str(config), str(out), "--cluster", cluster, *options])


def rows(levels: list[dict[str, Any]], *, day: int) -> list[dict[str, Any]]:
    """Return the rows of a day."""
    return [row for row in levels if row["period_start"].day == day]


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
    # Gravimeters run over the end of a block too.
    assert len([key for key in one if key.startswith("sds/")]) == 2 * 3 * 2 + 2 * 2
    assert sorted(key for key in one if key.startswith("gravity/")) == [
        f"gravity/{form}/G01/2020/GY-G01-202003{day}.{form}"
        for form in ("ggp", "tsf")
        for day in ("02", "03")
    ]


def test_files_and_truth_belong_together(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    stream = obspy.Stream()
    for path in sorted((out / "sds").glob("**/*.D.2020.*")):
        stream += obspy.read(path)
    assert len(stream) == 18  # two channels have a gap
    inventory = obspy.read_inventory(str(out / "stations.xml"))
    for trace in stream:
        assert inventory.get_response(trace.id, trace.stats.starttime)
    truth = {path.stem: read_table(path.read_bytes(), path.stem) for path in (out / "truth").glob("*")}
    per_event = {"arrivals", "events", "station_magnitudes", "magnitude_laws"}
    assert set(truth) == per_event | {
        *("faults", "noise_levels", "noise_magnitudes", "signals", "rises", "steps", "drifts"),
    }
    assert truth["faults"].column("kind").to_pylist() == ["gap", "gap"]
    events = set(truth["events"].column("event_id").to_pylist())
    assert set(truth["arrivals"].column("event_id").to_pylist()) <= events
    assert len(events) > 5
    assert truth["events"].column("magnitude").drop_null().to_pylist()
    law = truth["magnitude_laws"].to_pylist()[-1]  # after ML, if there are enough
    assert law == {"type": "Mw", "b": 1.0, "b_std": 0.0, "minimum": law["minimum"], "events": len(events)}


def test_truth_is_that_of_each_block(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    truth = {path.stem: read_table(path.read_bytes(), path.stem) for path in (out / "truth").glob("*")}
    levels = truth["noise_levels"].to_pylist()
    counted = Counter((row["stream"], row["period_start"].day) for row in levels)
    assert counted == {
        **{(stream, day): 3 * 10 for stream in ("SY.S01..HH", "SY.S02..HH") for day in (1, 2)},
        **{("GY.G01..LGZ", day): 2 for day in (2, 3)},
    }
    # The rise is half as high by now, or a little more, and in one of both bands.
    magnitudes = truth["noise_magnitudes"].to_pylist()
    quiet, risen = ({row["snm"] for row in rows(magnitudes, day=day)} for day in (2, 3))
    assert 0 < risen.pop() - quiet.pop() < 0.01
    kinds = Counter((row["stream"], row["kind"]) for row in truth["signals"].to_pylist())
    assert kinds["SY.S01..HH", "repeater"] == kinds["SY.S02..HH", "repeater"] == 9
    assert kinds["SY.S01..HH", "landslide"] == 1
    assert kinds["GY.G01..LGZ", "great_earthquake"] == 1
    assert not any(stream == "GY.G01..LDI" for stream, _ in kinds)
    assert [(row["stream"], row["band"]) for row in truth["rises"].to_pylist()] == [
        ("GY.G01..LGZ", "200-600s")
    ]
    assert truth["drifts"].column("stream").to_pylist() == ["GY.G01..LGZ"]


MAP = """
[[sources]]
match = "*/G01/*"

[[sources.columns]]
column = "gravity"
channel = "GY.G01..LGZ"
calibration = 10.0

[[sources.columns]]
column = "pressure"
channel = "GY.G01..LDI"
calibration = 1000.0
"""


def test_gravity_is_the_same_archive_from_three_formats(config: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out", tmp_path / "map.toml"
    assert synth(config, out) == 0
    table.write_text(MAP)
    for name, source in (("mseed", "sds/2020/GY"), ("ggp", "gravity/ggp"), ("tsf", "gravity/tsf")):
        archive = str(tmp_path / f"{name}.zarr")
        call = ["ingest", str(out / source), "--archive", archive, "--cluster", "serial", "--quiet"]
        assert main(call if name == "mseed" else [*call, "--map", str(table)]) == 0
    for stream, present in (("GY.G01..LGZ", 1080), ("GY.G01..LDI", 1080 - 72)):
        counts = gravity_samples(tmp_path / "mseed.zarr", stream)
        assert np.isfinite(counts).sum() == present
        for name in ("ggp", "tsf"):
            # A decimal times the calibration is off in its last bit.
            np.testing.assert_allclose(gravity_samples(tmp_path / f"{name}.zarr", stream), counts, atol=1e-6)


def gravity_samples(url: Path, name: str) -> NDArray[np.float64]:
    """Both days, whatever the type of the samples; NaN for none."""
    archive, stream = open_archive(str(url)), Stream.parse(name)
    (row,) = archive.rows(stream)
    (array,) = row.arrays
    first = day_number(dt.date(2020, 3, 2)) * 86_400
    (samples,) = archive.read(stream, row.grid, array, first, first + 2 * 86_400).astype(np.float64)
    return np.where(samples == np.iinfo(np.int32).min, np.nan, samples)


def test_what_was_removed_is_made_again(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    before = contents(out)
    removed = {
        "SY.S01..HH/2020.02": "sds/2020/SY/S01/HHN.D/*.062",
        "GY.G01..LGZ/2020.03": "gravity/ggp/G01/2020/*03.ggp",
        "GY.G01..LDI/2020.02": "blocks/signals/GY.G01..LDI/2020.02.*",
    }
    for pattern in removed.values():
        (path,) = out.glob(pattern)
        path.unlink()
    left = contents(out)
    capsys.readouterr()
    assert synth(config, out, "--dry-run") == 0
    said = capsys.readouterr().out
    assert "3  done, but files of it are gone" in said
    assert all(block in said for block in removed)
    assert contents(out) == left
    assert synth(config, out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["todo"] == 3
    assert contents(out) == before


def test_what_a_killed_worker_left_is_removed(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert synth(config, out) == 0
    (path,) = out.glob("sds/2020/SY/S01/HHN.D/*.062")
    path.rename(f"{path}.5f0c9a3e77d1.partial")
    assert synth(config, out) == 0
    assert path.exists()
    assert not list(out.rglob("*.partial"))


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
    assert "6 to do" in capsys.readouterr().out
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
