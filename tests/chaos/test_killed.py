"""
Processes killed and interrupted: whatever the blow, the next call completes to the undisturbed archive.

Blows fall at random moments, drawn from a seed (``STATIONDAY_CHAOS_SEED`` draws others), and as soon as each
kind of object appears that an ingest writes.
"""

from __future__ import annotations

import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from disturbed import MOMENTS, IngestProcess, Watch
from same_archive import leftovers

SEED = int(os.environ.get("STATIONDAY_CHAOS_SEED", "0"))
JOBS = ("fresh", "growth", "changed")
VICTIMS = {"driver": (True, False), "worker": (False, True), "both": (True, True)}
RANDOM_KILLS = 30
INTERRUPTS = 6
SPAN_S = 3.0
ATTEMPTS = 8
MAY_STAY = re.compile(r"index\.stale|scan/batches/.*")
"""What a run may leave that was asked to stop: marks of what is to do, nothing half written."""

Strike = Callable[[IngestProcess, Watch, float], str | None]


def disturb(
    scene: Any, folder: Path, strike: Strike, *, is_late: Callable[[int], bool] = lambda status: False
) -> tuple[Path, int, str]:
    """Run the job and strike, again if that came too late; return the archive, the exit status, when."""
    span = SPAN_S
    for attempt in range(ATTEMPTS):
        (folder / str(attempt)).mkdir()
        archive = scene.archive(folder / str(attempt))
        watch = Watch(archive)
        with IngestProcess(scene.job, scene.network, archive) as ingest:
            moment = strike(ingest, watch, span)
            status, said = ingest.end()
            print(f"{scene.job.name}: {moment}, exit status {status}: {said}")
            assert ingest.orphans() == []
        if moment is not None and not is_late(status):
            return archive, status, moment
        scene.check(archive)
        span *= 0.7
    pytest.fail(f"never struck: the job had ended before, {ATTEMPTS} times")


def complete(scene: Any, archive: Path) -> None:
    """Call it once more, without workers, and compare."""
    with IngestProcess(scene.job, scene.network, archive, cluster="serial") as ingest:
        status, said = ingest.end()
    assert status == scene.exit_status, said
    scene.check(archive)


def at_random(draw: random.Random, blow: Callable[[IngestProcess], bool]) -> Strike:
    """Strike at any time between taking the lease and giving it back."""

    def strike(ingest: IngestProcess, watch: Watch, span: float) -> str | None:
        watch.wait_for(MOMENTS["the lease"], while_=lambda: ingest.is_running)
        time.sleep(draw.uniform(0, span))
        moment = watch.moment()
        return moment if not watch.is_released() and blow(ingest) else None

    return strike


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(RANDOM_KILLS))
def test_killed_at_random(
    number: int, scenes: Callable[..., Any], tmp_path: Path, struck: Callable[..., None]
) -> None:
    victim = list(VICTIMS)[number // len(JOBS) % len(VICTIMS)]
    driver, worker = VICTIMS[victim]
    draw = random.Random(f"{SEED} {number}")
    which = draw.randrange(2) if worker else None
    scene = scenes(JOBS[number % len(JOBS)], large=True)
    strike = at_random(draw, lambda ingest: ingest.kill(driver=driver, worker=which))
    archive, status, moment = disturb(scene, tmp_path, strike)
    assert status == (-signal.SIGKILL if driver else scene.exit_status)
    if not driver:
        scene.check(archive)
    complete(scene, archive)
    struck(f"SIGKILL of {victim}", moment)


@pytest.mark.chaos
@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_as_soon_as(
    moment: str, job: str, scenes: Callable[..., Any], tmp_path: Path, struck: Callable[..., None]
) -> None:
    def strike(ingest: IngestProcess, watch: Watch, _: float) -> str | None:
        came = watch.wait_for(MOMENTS[moment], while_=lambda: ingest.is_running)
        return moment if came and ingest.kill(driver=True) else None

    scene = scenes(job, large=True)
    archive, status, _ = disturb(scene, tmp_path, strike)
    assert status == -signal.SIGKILL
    complete(scene, archive)
    struck("SIGKILL of driver, as soon as there is something", moment)


@pytest.mark.chaos
@pytest.mark.parametrize("number", range(INTERRUPTS))
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_interrupted_at_random(
    signum: signal.Signals,
    number: int,
    scenes: Callable[..., Any],
    tmp_path: Path,
    struck: Callable[..., None],
) -> None:
    def blow(ingest: IngestProcess) -> bool:
        ingest.interrupt(signum)
        return True

    scene = scenes(JOBS[number % len(JOBS)], large=True)
    draw = random.Random(f"{SEED} {signum.name} {number}")
    archive, status, moment = disturb(
        scene, tmp_path, at_random(draw, blow), is_late=lambda s: s == scene.exit_status
    )
    assert status in (128 + signum, -signum)  # to a shell they are the same
    assert [key for key in leftovers(archive) if not MAY_STAY.fullmatch(key)] == []
    complete(scene, archive)
    struck(f"{signum.name} to the driver", moment)
