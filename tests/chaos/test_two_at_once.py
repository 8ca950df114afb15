"""Two ingests at once on one archive: one is refused, or takes over what nobody holds any more."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from disturbed import MOMENTS, IngestProcess, Watch

from pipeline.errors import LeaseHeldError
from pipeline.objects import LocalObjects
from workflows.lease import Holder, _to_json

REFUSED = r"stationday: {archive} is being written by \S+ on \S+, process {pid}, for 0:00:\d\d; .*\n"
EXPIRY_S = 2.0


def test_refused_killed_taken_over(
    scenes: Callable[..., Any], tmp_path: Path, struck: Callable[..., None]
) -> None:
    """One call holds the archive, a second is told so; the first is killed, and a third completes at once."""
    scene = scenes("growth", large=True)
    archive = scene.archive(tmp_path)
    watch = Watch(archive)
    with IngestProcess(scene.job, scene.network, archive) as first:
        assert watch.wait_for(MOMENTS["the lease"], while_=lambda: first.is_running)
        first.signal_all(signal.SIGSTOP)
        with IngestProcess(scene.job, scene.network, archive, cluster="serial") as second:
            status, said = second.end()
        assert status == 1
        assert re.fullmatch(REFUSED.format(archive=re.escape(str(archive)), pid=first.process.pid), said)
        first.signal_all(signal.SIGCONT)
        assert watch.wait_for(MOMENTS["a journal"], while_=lambda: first.is_running)
        assert first.kill(driver=True, worker=0)
        assert first.end()[0] == -signal.SIGKILL
        assert first.orphans() == []
    struck("SIGKILL of both", watch.moment())
    with IngestProcess(scene.job, scene.network, archive, cluster="serial") as third:
        status, said = third.end()
    assert status == scene.exit_status, said
    scene.check(archive)


def test_a_holder_elsewhere_counts_until_its_lease_expires(
    scenes: Callable[..., Any], tmp_path: Path
) -> None:
    """Of another machine nobody can tell whether its process lives: only the time decides."""
    scene = scenes("growth", large=False)
    archive = scene.archive(tmp_path)
    objects = LocalObjects(archive)
    last = max(int(Path(info.key).stem) for info in objects.list("lease"))
    elsewhere = replace(
        Holder.here(EXPIRY_S), host="elsewhere", machine="another", pid=4711, since=time.time() - 3600
    )
    objects.write(f"lease/{last + 1:06d}.json", _to_json(elsewhere))
    with pytest.raises(LeaseHeldError, match=r"\w+ on elsewhere, process 4711, for 1:00:00; "):
        scene.ingest(archive)
    time.sleep(max(0.0, elsewhere.expires - time.time()) + 0.01)
    assert scene.ingest(archive).exit_status == scene.exit_status
    scene.check(archive)


@pytest.mark.chaos
@pytest.mark.parametrize("moment", ["the stale mark", "a journal", "a block table"])
def test_who_sleeps_beyond_its_lease_is_replaced_and_stops(
    moment: str, scenes: Callable[..., Any], tmp_path: Path, struck: Callable[..., None]
) -> None:
    """A suspended call loses its lease to another, and does no harm when it wakes up."""
    scene = scenes("growth", large=True)
    archive = scene.archive(tmp_path)
    watch = Watch(archive)
    with IngestProcess(scene.job, scene.network, archive, expiry_seconds=EXPIRY_S) as sleeper:
        assert watch.wait_for(MOMENTS[moment], while_=lambda: sleeper.is_running)
        sleeper.signal_all(signal.SIGSTOP)
        struck("SIGSTOP beyond the lease", watch.moment())
        time.sleep(EXPIRY_S)
        with IngestProcess(scene.job, scene.network, archive, cluster="serial") as taker:
            status, said = taker.end()
        assert status == scene.exit_status, said
        scene.check(archive)
        sleeper.signal_all(signal.SIGCONT)
        status, said = sleeper.end()
        assert status == 1
        assert f"process {taker.process.pid}" in said
        assert "we stop writing" in said
        assert sleeper.orphans() == []
    with IngestProcess(scene.job, scene.network, archive, cluster="serial") as last:
        status, said = last.end()
    assert status == scene.exit_status, said
    scene.check(archive)
