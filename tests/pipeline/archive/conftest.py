"""Archives of some files, made without a cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from archives import make_archive

from pipeline.archive.reading import Archive
from pipeline.archive.store import ArchiveOptions


@pytest.fixture
def archive_of(tmp_path: Path) -> Callable[..., Archive]:
    """Return a function that makes an archive of some files or folders."""

    def make(*roots: Path | str, options: ArchiveOptions | None = None) -> Archive:
        return make_archive(str(tmp_path / "archive.zarr"), *roots, options=options)[0]

    return make
