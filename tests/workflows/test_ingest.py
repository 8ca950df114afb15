"""``stationday ingest`` from the command line: what it says, what it returns, what it leaves alone."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
from miniseed_files import records

from pipeline.archive.blocks import Source
from pipeline.archive.index import Index
from pipeline.archive.reading import open_archive
from pipeline.errors import LeaseLostError
from pipeline.objects import LocalObjects
from workflows import cli
from workflows.cli import main
from workflows.ingest import Sources
from workflows.ingest import ingest as ingest_through
from workflows.ingest.job import _ingest_block
from workflows.ledger import BlockResult, Status
from workflows.plan import Task
from workflows.runners import BlockFunction, SerialRunner

NS = 1_000_000_000
START_NS = 1_577_836_800 * NS  # 2020-01-01
SAMPLES = np.arange(600, dtype=np.int32)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two stations, a file each."""
    folder = tmp_path / "source"
    folder.mkdir()
    for station in "AB":
        data = records(SAMPLES, START_NS, 1.0, channel=f"XX.{station}..LHZ")
        (folder / f"{station}.mseed").write_bytes(data)
    return folder


@pytest.fixture
def archive(tmp_path: Path) -> str:
    return str(tmp_path / "archive.zarr")


def ingest(source: Path | str, archive: str, *options: str, cluster: str = "serial") -> int:
    return main(["ingest", str(source), "--archive", archive, "--cluster", cluster, *options])


def report(text: str) -> dict[str, object]:
    found = json.loads(text)
    return {name: found[name] for name in ("files", "scanned", "todo", "results", "exit_status")}


def contents(folder: str) -> dict[str, bytes]:
    """All files but the lease, in which each ingest puts its name."""
    objects = LocalObjects(Path(folder))
    keys = [info.key for info in objects.list() if not info.key.startswith("lease/")]
    return {key: objects.read(key) for key in keys}


def test_twice_is_once(source: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(source, archive, "--json") == 0
    shown = capsys.readouterr()
    assert report(shown.out) == {
        "files": 2,
        "scanned": 2,
        "todo": 2,
        "results": {"done": 2},
        "exit_status": 0,
    }
    assert shown.err == ""
    before = contents(archive)
    assert ingest(source, archive, "--json") == 0
    assert report(capsys.readouterr().out) == {
        "files": 2,
        "scanned": 0,
        "todo": 0,
        "results": {},
        "exit_status": 0,
    }
    assert contents(archive) == before


def test_says_how_far_it_is_apart_from_what_came_of_it(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(source, archive) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("2 files, 2 new or changed\n2 of 2 blocks")
    assert "ingest: 2 of 2 blocks" in shown.err
    assert ingest(source, archive, "--quiet") == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_holds_more_than_its_ends_show_is_counted_once(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def part(channel: str, first: int, last: int) -> bytes:
        return records(SAMPLES[first:last], START_NS + first * NS, 1.0, channel=channel)

    hidden = part("XX.C..LHZ", 0, 300) + part("XX.D..LHZ", 0, 600) * 8 + part("XX.C..LHZ", 300, 600)
    (source / "XX.C..LHZ.D.2020.001").write_bytes(hidden)
    assert ingest(source, archive, "--json") == 0
    assert report(capsys.readouterr().out) == {
        "files": 3, "scanned": 3, "todo": 4, "results": {"done": 4}, "exit_status": 0,
    }  # fmt: skip
    assert [str(stream) for stream in open_archive(archive).streams] == [f"XX.{name}..LH" for name in "ABCD"]


def test_a_dry_run_writes_nothing(source: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(source, archive, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("2 blocks: 2 to do\n")
    assert not Path(archive).exists()
    assert ingest(source, archive, "--quiet") == 0
    before = contents(archive)
    capsys.readouterr()
    assert ingest(source, archive, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("2 blocks: 0 to do\n")
    (source / "A.mseed").write_bytes(records(SAMPLES + 1, START_NS, 1.0, channel="XX.A..LHZ"))
    assert ingest(source, archive, "--dry-run") == 0
    assert capsys.readouterr().out.startswith("2 blocks: 1 to do\n")
    assert contents(archive) == before


def test_a_corrupt_file_among_good_ones_is_named_each_time(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    corrupt = source / "corrupt.mseed"
    corrupt.write_bytes(np.random.default_rng(1).bytes(20_000))
    for _ in range(2):
        assert ingest(source, archive, "--quiet") == 1
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith(f"lost: {corrupt}: ")
    assert [str(stream) for stream in open_archive(archive).streams] == ["XX.A..LH", "XX.B..LH"]
    corrupt.unlink()
    assert ingest(source, archive, "--quiet") == 0


def test_samples_that_come_twice_and_differ_are_a_loss(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = SAMPLES.copy()
    other[10:15] += 1
    (source / "again.mseed").write_bytes(records(other, START_NS, 1.0, channel="XX.A..LHZ"))
    assert ingest(source, archive, "--quiet") == 1
    told = "XX.A..LH/2020.01: overlap disagrees: 2020-01-01: 5 samples came twice and differ: now missing"
    assert capsys.readouterr().err.splitlines() == [f"lost: {told}"]
    (source / "again.mseed").write_bytes((source / "A.mseed").read_bytes())
    assert ingest(source, archive, "--quiet") == 0


def test_what_can_not_be_read_just_now_keeps_what_it_gave_and_is_tried_again(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.archive import arriving

    read = arriving.read_source

    def refuse(file: Source, **options: Any) -> bytes:
        if file.url.endswith("A.mseed"):
            raise OSError(5, "Input/output error")
        return read(file, **options)

    assert ingest(source, archive, "--quiet") == 0
    more = records(SAMPLES, START_NS + 600 * NS, 1.0, channel="XX.A..LHZ")
    (source / "C.mseed").write_bytes(more)
    with monkeypatch.context() as broken:
        broken.setattr(arriving, "read_source", refuse)
        assert ingest(source, archive, "--quiet") == 1
        told = f"XX.A..LH/2020.01: unreadable: {source}/A.mseed: Input/output error"
        held = "; the archive keeps what it gave before"
        assert capsys.readouterr().err.splitlines() == [f"deferred: {told}{held}"]
        ds = open_archive(archive).sel("XX.A..LH", "2020-01-01", "2020-01-01T00:20:00")
        np.testing.assert_array_equal(ds.counts[0], np.concatenate([SAMPLES, SAMPLES]))
    assert ingest(source, archive, "--quiet") == 0
    assert capsys.readouterr().err == ""
    fresh = f"{archive}.fresh"
    assert ingest(source, fresh, "--quiet") == 0
    tables, wanted = (
        {
            name: data
            for name, data in contents(folder).items()
            if not name.startswith(("ledger", "scan", "lease"))
        }
        for folder in (archive, fresh)
    )
    assert tables == wanted


def test_a_changed_file_that_can_not_be_scanned_keeps_what_it_gave(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its days are made anew of others beside it, and its own samples must not fall out of them."""
    assert ingest(source, archive, "--quiet") == 0
    later = records(SAMPLES, START_NS + 600 * NS, 1.0, channel="XX.A..LHZ")
    (source / "A.mseed").write_bytes(records(SAMPLES + 1, START_NS, 1.0, channel="XX.A..LHZ"))
    (source / "C.mseed").write_bytes(later)
    read = LocalObjects.read

    def refuse(objects: LocalObjects, key: str) -> bytes:
        if key == "A.mseed":
            raise OSError(5, "Input/output error")
        return read(objects, key)

    with monkeypatch.context() as broken:
        broken.setattr(LocalObjects, "read", refuse)
        for _ in range(2):
            assert ingest(source, archive, "--quiet") == 1
            told = f"{source}/A.mseed: unreadable: Input/output error; the archive keeps what it gave before"
            assert capsys.readouterr().err.splitlines() == [f"deferred: {told}"]
            ds = open_archive(archive).sel("XX.A..LH", "2020-01-01", "2020-01-01T00:20:00")
            np.testing.assert_array_equal(ds.counts[0], np.concatenate([SAMPLES, SAMPLES]))
    assert ingest(source, archive, "--quiet") == 0
    ds = open_archive(archive).sel("XX.A..LH", "2020-01-01", "2020-01-01T00:20:00")
    np.testing.assert_array_equal(ds.counts[0], np.concatenate([SAMPLES + 1, SAMPLES]))


@pytest.mark.parametrize("is_there", [False, True])
def test_a_stream_with_a_typo_makes_nothing(
    is_there: bool, source: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if is_there:
        assert ingest(source, archive, "--quiet") == 0
    before = contents(archive)
    for options in (["--dry-run"], ["--quiet"], ["--quiet", "--shard-days", "1"]):
        capsys.readouterr()
        assert ingest(source, archive, "--stream", "XX.C*", *options) == 2
        out, err = capsys.readouterr()
        said = "--stream XX.C*: the files hold no such stream, but XX.A..LH, XX.B..LH"
        assert (out, err) == ("", f"stationday: {said}\n")
        assert Path(archive).exists() == is_there
        assert contents(archive) == before


def test_a_patience_that_is_none(source: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(source, archive, "--patience", "0") == 2
    assert capsys.readouterr().err == "stationday: patience_s = 0: should be more than 0 seconds\n"


def test_only_the_streams_asked_for(source: Path, archive: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(source, archive, "--stream", "XX.B*", "--quiet") == 0
    assert [str(stream) for stream in open_archive(archive).streams] == ["XX.B..LH"]
    assert ingest(source, archive, "--stream", "XX.C*", "--quiet") == 2
    told = "--stream XX.C*: the files hold no such stream, but XX.A..LH, XX.B..LH"
    assert capsys.readouterr().err.splitlines() == [f"stationday: {told}"]


def test_only_the_days_asked_for(source: Path, archive: str) -> None:
    (source / "C.mseed").write_bytes(records(SAMPLES, START_NS + 86_400 * NS, 1.0, channel="XX.C..LHZ"))
    assert ingest(source, archive, "--start", "2020-01-02", "--end", "2020-01-02", "--quiet") == 0
    assert [str(stream) for stream in open_archive(archive).streams] == ["XX.C..LH"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--level", "99"], "pcodec_level = 99: should be from 0 to 12"),
        (["--stations", "/nowhere.xml"], "--stations /nowhere.xml: No such file or directory"),
        (["--cluster", "procs"], "profile 'procs' should be 'serial', 'threads:4'"),
        (["--cluster", "/nowhere.toml"], "/nowhere.toml: there is no such profile"),
        (
            ["--archive", "memory://x", "--cluster", "processes:1"],
            "--cluster processes:1 should be threads or serial",
        ),
        (
            ["--archive", "memory://x", "--cluster", "tcp://127.0.0.1:1"],
            "other processes can't see this memory",
        ),
        (["--archive", "gopher://x"], "Protocol not known: gopher"),
    ],
)
def test_a_wrong_call_is_one_line_and_makes_nothing(
    options: list[str], said: str, source: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(source, archive, *options) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert said in err
    assert not Path(archive).exists()


@pytest.mark.parametrize("missing", ["nowhere", "empty", "nowhere/*.mseed"])
def test_a_source_without_files_is_a_wrong_call(
    missing: str, tmp_path: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert ingest(tmp_path / missing, archive) == 2
    assert f"{missing}: no such file or folder, or nothing in it" in capsys.readouterr().err
    assert not Path(archive).exists()


def test_a_profile_with_a_typo_says_which_key(
    source: Path, tmp_path: Path, archive: str, capsys: pytest.CaptureFixture[str]
) -> None:
    profile = tmp_path / "two.toml"
    profile.write_text('kind = "processes"\nworkrs = 2\n')
    assert ingest(source, archive, cluster=str(profile)) == 2
    said = f"stationday: {profile}: key 'workrs' is unknown to kind 'processes'; did you mean 'workers'?\n"
    assert capsys.readouterr().err == said


def test_an_archive_in_memory_takes_threads(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ingest(source, "memory://test-ingest", "--quiet", cluster="threads:2") == 0
    assert main(["info", "memory://test-ingest"]) == 0
    assert "2 streams, 2 station-days" in capsys.readouterr().out


def test_a_folder_that_may_not_be_written_is_one_line(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ingest(source, archive, "--quiet") == 0
    before = contents(archive)

    def refuse(objects: LocalObjects, key: str, *_: object) -> None:
        raise PermissionError(13, "Permission denied", f"{objects.url}/{key}.0123456789ab.partial")

    for name in ("write", "create"):
        monkeypatch.setattr(LocalObjects, name, refuse)
    (source / "A.mseed").write_bytes(records(SAMPLES + 1, START_NS, 1.0, channel="XX.A..LHZ"))
    capsys.readouterr()
    assert ingest(source, archive) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"stationday: {archive}/")
    assert err.endswith(": Permission denied\n")
    assert ".partial" not in err
    assert contents(archive) == before


def test_a_disk_that_fills_up_on_a_worker_is_a_failure_to_take_up_again(
    source: Path, archive: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows import runners
    from workflows.ingest import job as stage

    def fill_up(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runners.time, "sleep", lambda _: None)
    with monkeypatch.context() as full:
        full.setattr(stage, "assemble_block", fill_up)
        assert ingest(source, archive, "--json") == 1
    shown = capsys.readouterr()
    assert report(shown.out)["results"] == {"failed": 2}
    assert "Traceback" not in shown.err
    assert ingest(source, archive, "--json") == 1
    assert report(capsys.readouterr().out)["results"] == {}
    assert ingest(source, archive, "--json", "--retry-failed") == 0
    assert report(capsys.readouterr().out)["results"] == {"done": 2}
    assert len(Index.load(open_archive(archive).store).rows) == 2


def test_an_interrupt_stops_it_and_the_same_command_ends_it(tmp_path: Path, archive: str) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(150):
        data = records(SAMPLES, START_NS, 1.0, channel=f"XX.S{number}..LHZ")
        (folder / f"{number}.mseed").write_bytes(data)
    command = ["ingest", str(folder), "--archive", archive, "--cluster", "serial"]
    running = subprocess.Popen(
        [sys.executable, "-m", cli.__name__, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": ""},
    )
    deadline = time.monotonic() + 60
    while not any(Path(archive).glob("tables/*/*/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGINT
    assert "Traceback" not in err
    assert 0 < len(open_archive(archive).streams) < 150
    assert main([*command, "--quiet"]) == 0
    assert len(open_archive(archive).streams) == 150


@dataclass(frozen=True)
class Overtaken:
    """Runs blocks, after another ingest has taken the archive over from the driver that sent them."""

    archive: str
    results: list[BlockResult]

    def run(
        self, function: BlockFunction, tasks: Iterable[Task], stop: Event
    ) -> Generator[list[BlockResult], None, None]:
        inner = SerialRunner().run(function, tasks, stop)
        if function.function is not _ingest_block:
            yield from inner
            return
        LocalObjects(Path(self.archive)).write("lease/000099.json", b"{}")
        self.results.extend(result for batch in inner for result in batch)


def test_a_worker_that_outlives_its_driver_leaves_the_archive_alone(source: Path, archive: str) -> None:
    runner = Overtaken(archive, [])
    with contextlib.suppress(LeaseLostError):
        ingest_through(Sources([str(source)]), archive, runner)
    assert [result.status for result in runner.results] == [Status.FAILED] * 2
    assert "LeaseLostError" in runner.results[0].reason
    assert not any(Path(archive).glob("tables/**/*.parquet"))
    assert not any(Path(archive).glob("XX.*/*/*/*/c/**/*"))
    (Path(archive) / "lease" / "000099.json").unlink()
    assert ingest(source, archive) == 0
    assert len(open_archive(archive).streams) == 2


def test_an_archive_among_its_sources_is_no_source(tmp_path: Path) -> None:
    """`ingest .` with the archive inside: a second run finds nothing new in it."""
    samples = np.arange(1000, dtype=np.int32)
    (tmp_path / "a.mseed").write_bytes(records(samples, 1_600_000_000_000_000_000, 20.0))
    for _ in range(2):
        report = ingest_through(Sources([str(tmp_path)]), str(tmp_path / "archive.zarr"), SerialRunner())
        assert (report.files, report.exit_status) == (1, 0)
