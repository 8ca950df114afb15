"""The command line as its users meet it: help, one-line errors, exit statuses, pipes, signals."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cluster import ClusterStartError, ProfileError
from pipeline.errors import ConfigError, FormatError, NoSuchStreamError, SourceError
from workflows import cli
from workflows.cli import COMMANDS, main

PROGRAM = [sys.executable, "-m", "workflows.cli"]
ROOT = Path(__file__).parents[2]
ACTIONS = [("demo",), ("ingest",), ("info",), ("export",), ("cluster",)]


def stub(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    """Put one command in place of all."""

    def register(subparsers: Any) -> None:
        subparsers.add_parser("stub").set_defaults(run=run)

    monkeypatch.setattr(cli, "COMMANDS", (SimpleNamespace(register=register),))


def raising(error: BaseException) -> Any:
    def run(_: object) -> int:
        raise error

    return run


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    for module in COMMANDS:
        name = module.__name__.rpartition(".")[2].removesuffix("s")  # a module of maps registers `map`
        assert f"\n    {name}" in shown


@pytest.mark.parametrize("action", ACTIONS, ids=" ".join)
def test_help_has_an_example_and_fits_a_terminal(
    action: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as left:
        main([*action, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert f"\n  stationday {action[0]}" in shown.partition("example")[2]
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ([], "required: COMMAND; see `stationday --help`"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["info"], "required: A; see `stationday info --help`"),
        (
            ["export", "a", "b", "--format", "xls"],
            "invalid choice: 'xls' (choose from 'sds', 'mseed', 'sac', 'netcdf')",
        ),
        (["export", "a", "b", "--start", "May"], "'May' is not a day; it should look like 2020-03-01"),
        (
            ["export", "a", "b", "--end", "2020-01-01", "--start", "2020-01-02"],
            "--end 2020-01-01 lies before",
        ),
        (
            ["ingest", "a", "--archive", "b", "--start", "2020-01-02", "--end", "2020-01-01"],
            "lies before --start",
        ),
    ],
)
def test_a_wrong_call_is_one_line_and_status_2(
    call: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(call)
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("stationday: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (ConfigError("level = 99: should be\nfrom 0 to 12"), 2, "level = 99: should be from 0 to 12"),
        (NoSuchStreamError("a: none matches"), 2, "a: none matches"),
        (ProfileError("profile 'x'"), 2, "profile 'x'"),
        (FormatError("a: format 9"), 1, "a: format 9"),
        (SourceError("b: unreadable"), 1, "b: unreadable"),
        (ClusterStartError("slurm: none"), 1, "slurm: none"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a/zarr.json"),
            1,
            "/a/zarr.json: Permission denied",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "No space left on device"),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "/proc/x.png.0123456789ab.partial"),
            1,
            "/proc/x.png: No such file",
        ),
        (ZeroDivisionError("a\nb"), 1, "ZeroDivisionError: a b (unforeseen; --debug shows where)"),
        (RuntimeError(), 1, "RuntimeError (unforeseen; --debug shows where)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_is_one_line(
    error: Exception,
    status: int,
    line: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stub(monkeypatch, raising(error))
    assert main(["stub"]) == status
    assert capsys.readouterr() == ("", f"stationday: {line}\n")


@pytest.mark.parametrize("call", [["--debug", "stub"], ["stub", "--debug"]])
def test_debug_shows_where_it_happened(call: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, raising(ConfigError("wrong")))
    with pytest.raises(ConfigError, match="wrong"):
        main(call)


def test_an_interrupt_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stub(monkeypatch, raising(KeyboardInterrupt()))
    assert main(["stub"]) == 128 + signal.SIGINT
    assert capsys.readouterr().err == "stationday: interrupted\n"


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As in `stationday info archive.zarr | head -1`, with more to say than the pipe holds."""
    program = (
        "import sys; from types import SimpleNamespace as N; from workflows import cli\n"
        "run = lambda args: print('line\\n' * 200_000) or 0\n"
        "cli.COMMANDS = (N(register=lambda s: s.add_parser('stub').set_defaults(run=run)),)\n"
        "sys.exit(cli.main(['stub']))"
    )
    talking = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    )
    assert talking.stdout is not None
    assert talking.stdout.readline() == b"line\n"
    talking.stdout.close()
    assert talking.stderr is not None
    with talking.stderr as stderr:
        assert stderr.read() == b""
    assert talking.wait() == 128 + signal.SIGPIPE


def test_a_process_exits_with_the_status(tmp_path: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "info", "nowhere.zarr"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "stationday: nowhere.zarr: there is no archive here; `stationday ingest` makes one\n"
    )


def test_starting_up_loads_no_heavy_library() -> None:
    program = (
        "import sys, workflows.cli\n"
        "print([name for name in ('matplotlib', 'obspy', 'torch', 'distributed') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
