"""The scenes of the chaos tests: sources, the archive before, and what an undisturbed run makes of it."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chaos_sources import JOBS, Job, Network
from same_archive import contents, leftovers, torn_days

from pipeline.archive.layouts import Wanted
from workflows.ingest import IngestReport, Sources, ingest
from workflows.runners import SerialRunner

SEED = int(os.environ.get("STATIONDAY_CHAOS_SEED", "0"))
"""Another number, other moments."""

_File = tuple[bytes, int]
_STRUCK: Counter[tuple[str, str]] = Counter()


@dataclass(frozen=True)
class Scene:
    """A job, its sources, the archive that it finds (if any), and what it should leave."""

    job: Job
    network: Network
    before: Path
    wanted: dict[str, Any]
    exit_status: int
    old_files: dict[Path, _File]

    def archive(self, folder: Path) -> Path:
        """Return a new archive as the job finds it."""
        archive = folder / "archive.zarr"
        if self.before.exists():
            shutil.copytree(self.before, archive)
        return archive

    def ingest(
        self, archive: Path, sources: tuple[str, ...] | None = None, *, wanted: Wanted | None = None
    ) -> IngestReport:
        """Do the job here, block by block."""
        return ingest_here(self.network, sources or self.job.sources, archive, wanted)

    @contextmanager
    def files_as_before(self) -> Iterator[None]:
        """Put the sources back, for a while, to what they were before the job."""
        now = _files(self.network.folder)
        _write(self.old_files)
        yield
        _write(now)

    def check(self, archive: Path) -> None:
        """Compare an archive with what it should be, and look for what should not be there."""
        found = contents(archive)
        different = {
            key for key in found.keys() | self.wanted.keys() if found.get(key) != self.wanted.get(key)
        }
        assert not different
        assert leftovers(archive) == []


def ingest_here(
    network: Network, sources: tuple[str, ...], archive: Path, wanted: Wanted | None = None
) -> IngestReport:
    """Ingest without a cluster."""
    roots = [str(network.folder / source) for source in sources]
    return ingest(Sources(roots, wanted=wanted or Wanted()), str(archive), SerialRunner())


def _files(folder: Path) -> dict[Path, _File]:
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.glob("*/*")}


def _write(files: dict[Path, _File]) -> None:
    for path, (data, time_ns) in files.items():
        path.write_bytes(data)
        os.utime(path, ns=(time_ns, time_ns))


def make_scene(folder: Path, job: Job, network: Network) -> Scene:
    """Write the sources, bring the archive to where the job begins, and do the job undisturbed."""
    network.write()
    before, after = folder / "before.zarr", folder / "after.zarr"
    if job.before:
        ingest_here(network, job.before, before)
        shutil.copytree(before, after)
    old_files = _files(network.folder)
    job.meanwhile(network)
    report = ingest_here(network, job.sources, after)
    assert torn_days(after) == []
    return Scene(job, network, before, contents(after), report.exit_status, old_files)


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Scene]]:
    """Return what makes the scene of a job, once for all tests: small, or large enough for two workers."""
    made: dict[tuple[str, bool], Scene] = {}

    def scene(name: str, *, large: bool) -> Scene:
        if (name, large) not in made:
            folder = tmp_path_factory.mktemp(name)
            sources = folder / "sources"
            sources.mkdir()
            network = (
                Network(sources, fast_hz=100.0, stations=3, days=4, slow_days=70, seconds=600.0)
                if large
                else Network(sources, fast_hz=8.0, stations=1, days=2, slow_days=2, seconds=40.0)
            )
            made[name, large] = make_scene(folder, {job.name: job for job in JOBS}[name], network)
        return made[name, large]

    yield scene
    made.clear()


@pytest.fixture
def struck() -> Callable[[str, str], None]:
    """Return what notes a blow and the moment that it hit, for the summary."""

    def note(blow: str, moment: str) -> None:
        _STRUCK[blow, moment] += 1

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    blows = Counter(blow for blow, _ in _STRUCK.elements())
    for blow, count in sorted(blows.items()):
        moments = sorted((moment, n) for (of, moment), n in _STRUCK.items() if of == blow)
        listed = ", ".join(f"{moment} {n}" for moment, n in moments)
        terminalreporter.write_line(f"chaos: {blow}: {count} (after {listed})")
