"""From station-days to an archive through SLURM, with jobs that are lost on the way."""

import datetime as dt
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from pymseed import DataEncoding, MS3Record, nslc2sourceid

pytestmark = pytest.mark.slurm

RATE_HZ = 20
STATIONS = 9
DAYS = 8
FIRST_DAY = dt.datetime(2024, 3, 5, tzinfo=dt.UTC)
NOT_CONTENT = ("ledger", "lease", "scan")
"""Folders that tell when and how the archive was made, not what it holds."""

PROFILE = """
kind = "slurm"
queue = "work"
cores = 1
memory = "2 GB"
walltime = "00:01:00"
min_jobs = 3
interface = "lo"
death_timeout = "10 s"
log_directory = "{folder}/slurm-logs"
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Days of three channels at each station, of noise that differs from file to file."""
    folder = tmp_path_factory.mktemp("sources")
    noise = np.random.default_rng(7).normal(0, 40, 86400 * RATE_HZ).astype(np.int32)
    shift = 0
    for station in range(STATIONS):
        for day in range(DAYS):
            for channel in ("HHZ", "HHN", "HHE"):
                shift += 1009
                name = f"XX.S{station:02d}..{channel}.{day:02d}.mseed"
                start = FIRST_DAY + dt.timedelta(days=day)
                (folder / name).write_bytes(mseed(f"S{station:02d}", channel, start, np.roll(noise, shift)))
    yield folder
    shutil.rmtree(folder)


def mseed(station: str, channel: str, start: dt.datetime, samples: np.ndarray) -> bytes:
    record = MS3Record()
    record.sourceid = nslc2sourceid("XX", station, "", channel)
    record.formatversion = 2
    record.reclen = 4096
    record.pubversion = 2
    record.encoding = DataEncoding.STEIM2
    record.samprate = float(RATE_HZ)
    record.starttime = int(start.timestamp()) * 1_000_000_000
    return b"".join(record.generate(np.ascontiguousarray(samples), "i"))


def ingest(sources: Path, archive: Path, cluster: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "workflows.cli",
            "ingest",
            sources,
            "--archive",
            archive,
            "--cluster",
            cluster,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def station_days_written(archive: Path) -> int:
    return sum(1 for path in archive.glob("*/20Hz/2024/counts/c/**/*") if path.is_file())


def busy_worker(job: str) -> psutil.Process:
    """Find the process of a job that computes, which is none of its shell, its nanny and its tracker."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for process in processes_of(job):
            try:
                if process.cpu_percent(0.2) > 20:
                    return process
            except psutil.NoSuchProcess:
                continue
    raise AssertionError(f"no process of job {job} computes")


def processes_of(job: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("SLURM_JOB_ID") == job and "spawn_main" in " ".join(process.cmdline()):
                yield process
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def content(archive: Path) -> dict[str, bytes]:
    """All that an archive holds, by key."""
    files = {path.relative_to(archive): path for path in archive.rglob("*") if path.is_file()}
    return {str(key): path.read_bytes() for key, path in files.items() if key.parts[0] not in NOT_CONTENT}


def test_jobs_lost_in_the_middle(slurm: Any, sources: Path, tmp_path: Path) -> None:
    """
    One job is cancelled while it writes; another hangs, as on a file system that went away, and is ended by
    its walltime. The archive is the one that an undisturbed serial run makes.
    """
    profile = tmp_path / "slurm.toml"
    profile.write_text(PROFILE.format(folder=tmp_path))
    disturbed, undisturbed = tmp_path / "disturbed.zarr", tmp_path / "undisturbed.zarr"
    driver = ingest(sources, disturbed, str(profile))
    try:
        deadline = time.monotonic() + 120
        while not station_days_written(disturbed) or len(slurm.jobs()) < 3:
            assert driver.poll() is None, driver.communicate()
            assert time.monotonic() < deadline, "no job wrote anything"
            time.sleep(0.1)
        hanging, cancelled, _ = slurm.jobs()
        busy_worker(hanging).send_signal(signal.SIGSTOP)
        busy_worker(cancelled)
        slurm.ask("scancel", cancelled)
        written = station_days_written(disturbed)
        assert 0 < written < STATIONS * DAYS
        output, errors = driver.communicate(timeout=400)
    finally:
        driver.terminate()
        driver.wait(timeout=60)
    assert driver.returncode == 0, (output, errors)
    assert "Traceback" not in errors
    assert slurm.state(cancelled) == "CANCELLED"
    slurm.wait_for_state(hanging, "TIMEOUT", 30)
    serial = ingest(sources, undisturbed, "serial")
    assert serial.communicate(timeout=400)[0] is not None
    assert serial.returncode == 0
    expected, found = content(undisturbed), content(disturbed)
    assert station_days_written(undisturbed) == STATIONS * DAYS
    assert sorted(found) == sorted(expected)
    assert [key for key in expected if found[key] != expected[key]] == []
    shutil.rmtree(disturbed)
    shutil.rmtree(undisturbed)
