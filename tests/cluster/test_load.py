"""From text to profile: the short forms, TOML files, and what is said about mistakes."""

from pathlib import Path

import pytest

from cluster.errors import ProfileError
from cluster.load import load_profile, parse_profile
from cluster.profile import Address, Processes, Profile, Serial, Slurm, Threads

SLURM_TOML = """
kind = "slurm"
queue = "compute"
cores = 8
processes = 4
memory = "32 GB"
walltime = "04:00:00"
min_jobs = 1
max_jobs = 20
job_extra_directives = ["--exclusive"]
job_script_prologue = ["module load python", "source env/bin/activate"]
"""


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        ("serial", Serial()),
        ("threads", Threads()),
        ("threads:4", Threads(threads=4)),
        ("processes", Processes()),
        ("processes:2", Processes(workers=2)),
        ("tcp://host:8786", Address(address="tcp://host:8786")),
        ("tls://[::1]:8786", Address(address="tls://[::1]:8786")),
        ("run/scheduler.json", Address(scheduler_file="run/scheduler.json")),
    ],
)
def test_short_form_passes(text: str, profile: Profile) -> None:
    assert load_profile(text) == profile


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "profile '' should be 'serial', 'threads:4'"),
        ("process:2", "profile 'process:2' should be .*; did you mean 'processes'?"),
        ("thread", "did you mean 'threads'?"),
        ("serial:2", "profile 'serial:2' should be 'serial': it has no number"),
        ("threads:", "profile 'threads:' should end in a whole number"),
        ("threads:0", "profile 'threads:0' should end in a whole number"),
        ("processes:two", "profile 'processes:two' should end in a whole number"),
        ("http://host:8786", "address = 'http://host:8786' should name a protocol"),
        ("missing.toml", "missing.toml: there is no such profile"),
    ],
)
def test_short_form_fails(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        load_profile(text)


def test_toml_passes(tmp_path: Path) -> None:
    path = tmp_path / "slurm.toml"
    path.write_text(SLURM_TOML)
    assert load_profile(str(path)) == Slurm(
        queue="compute",
        cores=8,
        processes=4,
        memory="32 GB",
        walltime="04:00:00",
        min_jobs=1,
        max_jobs=20,
        job_extra_directives=("--exclusive",),
        job_script_prologue=("module load python", "source env/bin/activate"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind =", "Invalid value"),
        ("cores = 8", "kind = None should be one of serial, threads, processes, address, slurm"),
        ("kind = 'slrum'", "kind = 'slrum' should be .*; did you mean 'slurm'"),
        ("kind = 'slurm'", "cores, memory, walltime missing: kind 'slurm' needs cores, memory, walltime"),
        (SLURM_TOML.replace("walltime", "wall_time"), "key 'wall_time' is unknown .*did you mean 'walltime'"),
        (SLURM_TOML.replace("8\n", "'8'\n"), "cores = '8' should be a whole number"),
        ("kind = 'serial'\nxyz = 1", "key 'xyz' is unknown to kind 'serial'; it knows none"),
        ("kind = 'threads'\nxyz = 1", "key 'xyz' is unknown to kind 'threads'; it knows threads"),
    ],
)
def test_toml_fails_with_its_path(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(text)
    with pytest.raises(ProfileError, match=rf"profile\.toml: .*{message}"):
        load_profile(str(path))


def test_unreadable_file_fails(tmp_path: Path) -> None:
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    with pytest.raises(ProfileError, match=r"folder\.toml: .*[Dd]irectory"):
        load_profile(str(folder))


def test_table_is_left_alone() -> None:
    table = {"kind": "threads", "threads": 2}
    assert parse_profile(table) == Threads(threads=2)
    assert table == {"kind": "threads", "threads": 2}
