"""
A crash before every single operation on the archive's objects, one after the other.

Random kills miss an order that is wrong for a millisecond; this does not. Each trial runs a job until
operation number k, stops it dead there (half a temporary file stays behind), and runs the same job again.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from crashing import Crash, crashing
from same_archive import contents, leftovers, torn_days

from pipeline.archive.layouts import Wanted
from pipeline.objects import PARTIAL

SAMPLED = 8
"""Every so many operations in `make test`, all of them in `make test-all`."""


_ALL = ("fresh", "growth")


@pytest.fixture(params=[SAMPLED, pytest.param(1, marks=pytest.mark.chaos)], ids=["sampled", "all"])
def step(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def operations(scene: Any, folder: Path, sources: tuple[str, ...] | None = None) -> list[str]:
    """List what an undisturbed run does."""
    archive = scene.archive(folder)
    with crashing(archive) as state:
        scene.ingest(archive, sources)
    shutil.rmtree(archive)
    return state.done


def crashed(
    scene: Any, folder: Path, step: int, struck: Callable[..., None], sources: tuple[str, ...] | None = None
) -> Iterator[Path]:
    """Yield archives that a run left that died, at one operation after the other."""
    done = operations(scene, folder, sources)
    assert len(done) > 20
    for backwards in (False, True):
        for number in range(int(backwards), len(done), step):
            if backwards and not done[number].startswith("delete"):  # only deleting a folder knows an order
                continue
            archive = scene.archive(folder)
            with crashing(archive, at=number, backwards=backwards), pytest.raises(Crash):
                scene.ingest(archive, sources)
            shutil.rmtree(archive / "lease", ignore_errors=True)  # its holder, this process, is still there
            struck("crash in-process", done[number].partition(" ")[0])
            yield archive
            shutil.rmtree(archive)


@pytest.mark.parametrize("job", ["fresh", "growth", "changed"])
def test_the_next_call_completes(
    job: str, scenes: Callable[..., Any], tmp_path: Path, step: int, struck: Callable[..., None]
) -> None:
    scene = scenes(job, large=False)
    assert "tables/XX.S02..BH/10Hz/2020.01.parquet" in scene.wanted  # found in the middle of a file only
    for archive in crashed(scene, tmp_path, step, struck):
        assert scene.ingest(archive).exit_status == scene.exit_status == 1  # two of its files disagree
        scene.check(archive)


def test_a_call_that_dies_while_it_recovers(
    scenes: Callable[..., Any], tmp_path: Path, step: int, struck: Callable[..., None]
) -> None:
    """The second call dies too, early, at what the first one left half done."""
    scene = scenes("growth", large=False)
    for number, archive in enumerate(crashed(scene, tmp_path, step, struck)):
        with crashing(archive, at=number % 9, backwards=number % 2 > 0), suppress(Crash):
            scene.ingest(archive)
        shutil.rmtree(archive / "lease", ignore_errors=True)
        assert scene.ingest(archive).exit_status == scene.exit_status
        scene.check(archive)


def test_a_call_for_other_days(
    scenes: Callable[..., Any], tmp_path: Path, step: int, struck: Callable[..., None]
) -> None:
    """Samples and tables are in step after any call, though it has nothing to do with what was under way."""
    scene = scenes("growth", large=False)
    for archive in crashed(scene, tmp_path, step, struck):
        assert scene.ingest(archive, wanted=Wanted(last=dt.date(2019, 1, 1))).exit_status == 0
        assert torn_days(archive) == []
        assert [key for key in leftovers(archive) if not key.endswith(PARTIAL)] == []
        assert scene.ingest(archive).exit_status == scene.exit_status
        scene.check(archive)


def test_files_that_go_out_of_reach_meanwhile(
    scenes: Callable[..., Any], tmp_path: Path, step: int, struck: Callable[..., None]
) -> None:
    """
    The call that died could read all files; the next one has to live on what it left in the archive.

    What it made of the files themselves stays: a block table counts overlaps then that the archive had
    resolved already.
    """
    scene = scenes("growth", large=False)
    archive = scene.archive(tmp_path)
    scene.ingest(archive, _ALL)
    near, far = contents(archive), scene.wanted
    shutil.rmtree(archive)
    for archive in crashed(scene, tmp_path, step, struck, sources=_ALL):
        assert scene.ingest(archive).exit_status == scene.exit_status
        found = contents(archive)
        assert found.keys() == far.keys() == near.keys()
        assert [key for key in found if found[key] not in (near[key], far[key])] == []
        assert leftovers(archive) == []


def test_files_that_are_again_what_they_were(
    scenes: Callable[..., Any], tmp_path: Path, step: int, struck: Callable[..., None]
) -> None:
    """Samples and tables go back with the files, also where the dead call had written the new ones."""
    scene = scenes("changed", large=False)
    before = contents(scene.before)
    # The year's group keeps an array, empty now or half made, and the index names it.
    array = "XX.S01..MGZ/1.851852Hz/2020/values/zarr.json"
    for archive in crashed(scene, tmp_path, step, struck):
        with scene.files_as_before():
            assert scene.ingest(archive).exit_status == scene.exit_status
        found = contents(archive)
        different = {key for key in found.keys() | before.keys() if found.get(key) != before.get(key)}
        assert different <= {array, "index.parquet"}
        assert [key for key in leftovers(archive) if not key.startswith(array)] == []
