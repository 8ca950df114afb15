"""``stationday cluster``: what it prints, and its exit statuses."""

import argparse
import json
from pathlib import Path

import pytest

from cluster import ClusterStartError, ProfileError, check
from workflows.cluster import register

SLURM_TOML = 'kind = "slurm"\ncores = 2\nmemory = "4 GB"\nwalltime = "00:30:00"\nqueue = "compute"\n'


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser(prog="stationday")
    register(parser.add_subparsers(required=True))
    parsed = parser.parse_args(["cluster", *arguments])
    return int(parsed.run(parsed))


def test_check_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "serial") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["profile", "serial"]
    assert [line.split()[0] for line in lines[-len(check.COMPARED) :]] == list(check.COMPARED)


def test_check_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", "threads:1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert found["kind"] == "threads"
    assert {each["name"] for each in found["comparisons"]} == {"python", *check.COMPARED}


def test_check_fails_where_versions_differ(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = check.installed_versions() | {"numpy": "1.0"}
    monkeypatch.setattr(check, "_ask", lambda client, address: (elsewhere, "node"))
    assert run("check", "threads:1") == 1
    differing = [line.split() for line in capsys.readouterr().out.splitlines() if line.endswith("differs")]
    assert [(words[0], words[2]) for words in differing] == [("numpy", "1.0")]


def test_script_prints_the_job_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "slurm.toml").write_text(SLURM_TOML)
    assert run("script", str(tmp_path / "slurm.toml")) == 0
    script = capsys.readouterr().out
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "#SBATCH -p compute\n" in script
    assert "#SBATCH -t 00:30:00\n" in script


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["script", "serial"], ProfileError, "profile 'serial' is of kind 'serial': only kind 'slurm' has"),
        (["check", "slurm"], ProfileError, "profile 'slurm' should be 'serial'"),
        (["check", "none.json"], ClusterStartError, "scheduler_file none.json: there is no such file"),
    ],
)
def test_command_fails(arguments: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        run(*arguments)


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["check", "--help"], ["script", "--help"]):
        with pytest.raises(SystemExit):
            run(*arguments)
        assert "stationday cluster" in capsys.readouterr().out.partition("example")[2]
