"""Progress: what a terminal, a log file and a machine see."""

import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from workflows.ledger import BlockResult, Status
from workflows.plan import Verdict
from workflows.progress import LineProgress, LiveProgress, SilentProgress, Summary, progress_on

FAR = Summary(
    "pick",
    planned={Verdict.NEW: 50_000, Verdict.DONE: 9},
    todo=50_000,
    counts=Counter({Status.DONE: 12_342, Status.FAILED: 3}),
    days=382_695,
    seconds=3600.0,
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("summary", "status"),
    [
        (Summary("pick"), 0),
        (Summary("pick", todo=1, counts=Counter({Status.DONE: 1})), 0),
        (Summary("pick", todo=1, counts=Counter({Status.NOTED: 1})), 0),
        (Summary("pick", todo=1, counts=Counter({Status.LOST: 1})), 1),
        (Summary("pick", todo=1, counts=Counter({Status.FAILED: 1})), 1),
        (Summary("pick", todo=2, counts=Counter({Status.DONE: 1})), 1),
        (Summary("pick", planned={Verdict.DONE: 5}), 0),
        (Summary("pick", planned={Verdict.LOST: 1}), 1),
        (Summary("pick", planned={Verdict.FAILED: 1}), 1),
        (Summary("pick", todo=2, stopped_by=2), 130),
        (Summary("pick", todo=2, counts=Counter({Status.FAILED: 1}), stopped_by=15), 143),
    ],
)
def test_exit_status(summary: Summary, status: int) -> None:
    assert summary.exit_status == status


def test_figures() -> None:
    summary = Summary("pick", todo=4)
    assert (summary.seconds_left, summary.station_days_per_second) == (None, 0.0)
    summary.add(BlockResult("CI.A..HH/2020.01", "f", nbytes=5))
    summary.seconds = 10.0
    assert (summary.finished, summary.undone, summary.seconds_left, summary.nbytes) == (1, 3, 30.0, 5)


def test_describe() -> None:
    line = "12,345 of 50,000 blocks, 106.3 station-days/s, 3:02:60 left, 3 failed"
    assert FAR.describe() == line.replace("3:02:60", "3:03:01")
    whole = Summary("pick", todo=2, counts=Counter({Status.DONE: 1, Status.LOST: 1}), days=62, seconds=0.03)
    assert whole.describe() == "2 of 2 blocks, 2,067 station-days/s, took 0:00:00, 1 lost something"


def test_as_json() -> None:
    told = json.loads(json.dumps(FAR.to_dict()))
    assert told["planned"] == {"new": 50_000, "done": 9}
    assert told["results"] == {"done": 12_342, "failed": 3}
    assert told["exit_status"] == 1


@pytest.mark.parametrize("width", [80, 40])
def test_the_bar_fits_a_terminal(width: int) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=width, force_terminal=True, color_system=None)
    with LiveProgress(console, dashboard="http://127.0.0.1:8787/status") as progress:
        progress.show(FAR)
        console.print("a warning in between")
    text = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]|\r", "", screen.getvalue())
    assert "http://127.0.0.1:8787/status" in text
    assert "a warning in between" in text
    last = [line for line in text.splitlines() if line.startswith("pick")][-1]
    assert len(last) == width
    assert last.endswith(" 25%")
    assert last.count("━") == pytest.approx(0.247 * (width - len("pick ") - len("  25%")), abs=1)
    assert "12,345 of 50,000" in text


def test_lines_are_sparse(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("workflows.progress.time.monotonic", lambda: now)
    log = io.StringIO()
    with LineProgress(log, every_seconds=30.0) as progress:
        for now in range(100):  # noqa: B007
            progress.show(FAR)
    assert log.getvalue().splitlines() == [f"pick: {FAR.describe()}"] * 4


def test_a_line_progress_that_saw_nothing_says_nothing() -> None:
    log = io.StringIO()
    with LineProgress(log):
        pass
    assert log.getvalue() == ""


def test_silence(tmp_path: Path) -> None:
    stream = Terminal()
    with progress_on(stream, quiet=True) as progress:
        progress.show(FAR)
    assert stream.getvalue() == ""
    assert isinstance(progress, SilentProgress)


def test_the_form_suits_the_stream() -> None:
    assert isinstance(progress_on(Terminal()), LiveProgress)
    log = io.StringIO()
    assert isinstance(progress_on(log, dashboard="http://127.0.0.1:8787"), LineProgress)
    assert log.getvalue() == "dashboard http://127.0.0.1:8787\n"
