"""The table of docs/download.md, line by line: each kind of answer, and what comes of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fdsn_server import Centre, FakeClock, Fault, cut, serve, status, truncated, wholly

from pipeline.fdsn.selection import Selection
from pipeline.objects import LocalObjects
from workflows.download import DownloadReport, Manners, download
from workflows.ledger import Ledger

PAGE = Path(__file__).parents[2] / "docs" / "download.md"
FIRST = 18262  # 2020-01-01
FILE = "2020/CI/CCC/LHZ.D/CI.CCC..LHZ.D.2020.001"


def other_channels(body: bytes) -> bytes:
    return body.replace(b"CCC  ", b"OTHER")


def with_garbage(body: bytes) -> bytes:
    return body[:512] + b"\x17garbage" * 64 + body[512:]


FAULTS: dict[str, Fault | None] = {
    "200 with samples": None,
    "200 with samples of other channels": wholly(other_channels),
    "200 with nothing": wholly(lambda body: b""),
    "503 that asks for ten hours": status(503, Retry_After="36000"),
    "cut in the middle": cut(),
    "shorter than it states": wholly(bytes, stated=+300),
    "longer than it states": wholly(bytes, stated=-300),
    "without the end of its last record": wholly(truncated),
    "with garbage between records": wholly(with_garbage),
    "a web page": wholly(lambda body: b"<html><body>Maintenance</body></html>"),
}


def rows() -> list[list[str]]:
    """Read the table of the page."""
    _, _, table = PAGE.read_text().partition("| every answer is |")
    lines = table.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture
def centre() -> Iterator[Centre]:
    centre = Centre()
    centre.add("CI.CCC..LHZ", FIRST, 1)
    with serve(centre):
        yield centre


def fetch(centre: Centre, out: Path, **options: bool) -> DownloadReport:
    day = dt.date(2020, 1, 1)
    manners = Manners(connections=1, per_second=1000.0, clock=FakeClock())
    selection = Selection(networks="CI", start=day, end=day)
    return download(centre.service, selection, str(out), manners=manners, **options)


def is_asked(centre: Centre, out: Path, **options: bool) -> bool:
    before = centre.count()
    fetch(centre, out, **options)
    return centre.count() > before


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_line_of_the_table(centre: Centre, tmp_path: Path, row: list[str]) -> None:
    kind, requests, becomes, exit_status, again = row
    fault = FAULTS[kind] if kind in FAULTS else status(int(kind))
    centre.always = lambda asked: fault
    report = fetch(centre, tmp_path)
    assert centre.count() == int(requests)
    assert report.exit_status == int(exit_status)
    has_file = (tmp_path / "sds" / FILE).exists()
    table = Ledger(LocalObjects(tmp_path / "download" / "ledger")).table()
    [reason] = [
        reason for day, reason in zip(*(table[c].to_pylist() for c in ("day", "reason")), strict=True) if day
    ]
    assert becomes in ("has a file" if has_file else reason)
    assert has_file == (becomes == "has a file")
    options = dict.fromkeys(re.findall(r"--retry-(\w+)", again), True)
    assert is_asked(centre, tmp_path) == (again == "yes")
    if options:
        assert is_asked(centre, tmp_path, **{f"retry_{name}": True for name in options})
    centre.always = None
    fetch(centre, tmp_path, retry_failed=True, retry_empty=True)
    assert (tmp_path / "sds" / FILE).read_bytes() == next(iter(centre.records.values()))


def test_the_table_has_all_kinds() -> None:
    kinds = {row[0] for row in rows()}
    assert set(FAULTS) <= kinds
    assert {"204", "404", "400", "401", "403", "413", "429", "500", "503"} <= kinds
