"""Scanning: every file once, whatever the tree looks like, and every trouble as a recorded problem."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from miniseed_files import records

from pipeline.archive.listing import find_files
from pipeline.archive.scan import read_scan_table, scan_file, write_scan_table
from pipeline.errors import ConfigError, FormatError

START = 1_398_902_400_000_000_000  # 2014-05-01
SDS = "CX.PB01..HHZ.D.2014.121"


def data(channel: str = "CX.PB01..HHZ", count: int = 20_000) -> bytes:
    return records(np.arange(count, dtype=np.int32), START, 100.0, channel=channel, encoding="STEIM2")


def names(*roots: Path | str) -> list[str]:
    return [source.url for source in find_files([str(root) for root in roots])]


def test_each_file_once_in_order(tmp_path: Path) -> None:
    for name in ("b/2", "a/1", "a/ü mit Leerzeichen.mseed", "a/.hidden", "a/x.xml", "a/y.partial"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    expected = [str(tmp_path / name) for name in ("a/1", "a/ü mit Leerzeichen.mseed", "b/2")]
    assert names(tmp_path) == expected
    assert names(tmp_path, tmp_path / "a", tmp_path / "b" / "*") == expected
    assert names(tmp_path / "**" / "[0-9]") == [expected[0], expected[2]]
    assert names(tmp_path / "b" / "2", tmp_path) == [expected[2], *expected[:2]]


def test_links_that_loop_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_bytes(b"x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    first, loop = find_files([str(tmp_path)])
    assert first.url == str(tmp_path / "a" / "1")
    assert loop.url == str(tmp_path / "self")
    assert [problem.reason for problem in scan_file(loop).problems] == ["unreadable"]


@pytest.mark.parametrize("root", ["nothing", "no*match", "empty"])
def test_a_root_with_nothing_in_it_is_named(root: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no such file or folder, or nothing in it"):
        names(tmp_path / root)


@pytest.mark.parametrize("name", [SDS, "été 2014/ä b.mseed", "x"])
def test_what_a_file_holds(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data())
    (source,) = find_files([str(tmp_path)])
    scan, whole = scan_file(source), scan_file(source, whole=True)
    assert scan.peeked == (name == SDS)
    assert not whole.peeked
    for found in (scan, whole):
        assert found.problems == ()
        (span,) = found.spans
        assert str(span.channel) == "CX.PB01..HHZ"
        assert (span.start_ns, span.end_ns) == (START, START + 19_999 * 10_000_000)
    assert whole.spans[0].samples == 20_000
    table = {scan.source.url: scan}
    assert read_scan_table(write_scan_table(table)) == table


def test_a_name_that_its_headers_contradict(tmp_path: Path) -> None:
    for count in (100, 20_000):  # too small to be peeked at, and large enough
        (tmp_path / SDS).write_bytes(data("CX.PB02.00.HHN", count))
        scan = scan_file(next(find_files([str(tmp_path)])))
        (problem,) = scan.problems
        assert (problem.reason, problem.lost) == ("name and header differ", False)
        assert "the name says CX.PB01..HHZ, the headers say CX.PB02.00.HHN" in problem.detail
        assert [str(span.channel) for span in scan.spans] == ["CX.PB02.00.HHN"]


def test_two_channels_under_one_name_are_read_through(tmp_path: Path) -> None:
    (tmp_path / SDS).write_bytes(data() + data("CX.PB01..HHN"))
    scan = scan_file(next(find_files([str(tmp_path)])))
    assert not scan.peeked
    assert [str(span.channel) for span in scan.spans] == ["CX.PB01..HHN", "CX.PB01..HHZ"]


def test_troubles_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in (
        ("empty", b""),
        ("text", b"hello, world"),
        ("vanished", data()),
        ("zeros", bytes(99)),
    ):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    sources = {Path(source.url).name: source for source in find_files([str(tmp_path)])}
    (tmp_path / "vanished").unlink()
    found = {name: scan_file(source) for name, source in sources.items()}
    reasons = {name: [problem.reason for problem in scan.problems] for name, scan in found.items()}
    assert reasons == {
        "empty": ["empty file"],
        "text": ["unknown format"],
        "zeros": ["unknown format"],
        "vanished": ["unreadable"],
        "dangling": ["unreadable"],
    }
    assert all(scan.spans == () for scan in found.values())
    assert "No such file" in found["vanished"].problems[0].detail

    def refuse(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipeline.objects.LocalObjects.read", refuse)
    (problem,) = scan_file(sources["text"]).problems
    assert (problem.reason, problem.detail) == ("unreadable", "Permission denied")


def test_a_folder_that_may_not_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a problem of its own, and the others are scanned."""
    for name in ("open", "shut"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1").write_bytes(data(count=100))
    scandir = os.scandir

    def guarded(folder: str) -> object:
        if folder.endswith("shut"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    scans = {Path(source.url).name: scan_file(source) for source in find_files([str(tmp_path)])}
    assert [problem.reason for problem in scans["shut"].problems] == ["unreadable"]
    assert len(scans["1"].spans) == 1


def test_what_is_no_scan_table() -> None:
    with pytest.raises(FormatError, match=r"scan: not a table"):
        read_scan_table(b"PAR1 not")
