"""Pages that are made of other things: complete, in order, and checked."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from pipeline.tables import SCHEMAS

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def join() -> ModuleType:
    spec = importlib.util.spec_from_file_location("join", REPOSITORY / "docs" / "join.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    changes = tmp_path / "docs" / "changes"
    for name, text in {
        "b.md": "# Beta\n\n- two\n\n```\n# no heading\n```\n\n## Detail\n",
        "a.md": "# Alpha\n\n- one",
        "README.md": "# Not a change",
        "0.9.0/c.md": "# Old\n- three\n",
        "0.10.0/d.md": "# New\n- four\n",
    }.items():
        (changes / name).parent.mkdir(parents=True, exist_ok=True)
        (changes / name).write_text(text)
    (tmp_path / "docs" / "benchmarks").mkdir()
    return tmp_path


def test_changelog(join: ModuleType, root: Path) -> None:
    lines = join.changelog(root).splitlines()
    headings = [line for line in lines if line.startswith("#")]
    assert headings == [
        "# Changelog",
        "## Unreleased",
        "### Alpha",
        "### Beta",
        "# no heading",
        "#### Detail",
        "## 0.10.0",
        "### New",
        "## 0.9.0",
        "### Old",
    ]
    assert {"- one", "- two", "- three", "- four"} <= set(lines)


def test_benchmarks(join: ModuleType, root: Path) -> None:
    assert "Nothing yet." in join.benchmarks(root)
    (root / "docs" / "benchmarks" / "ingest.md").write_text("# Ingest\n\n| a | b |\n")
    assert join.benchmarks(root).endswith("\n\n## Ingest\n\n| a | b |\n")


def test_tables_page_has_every_column(join: ModuleType) -> None:
    page = join.tables(REPOSITORY)
    for name, schema in SCHEMAS.items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        rows = [line.split("|")[1].strip(" ∅`") for line in section.splitlines() if line.startswith("| `")]
        assert rows == schema.names
    assert "| `depth_km` ∅ | double | km | depth below sea level, positive down |" in page


def test_check_fails_until_pages_are_written(
    join: ModuleType, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert join.main(["--check"], root=root) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"{name} is out of date: run `make docs` and commit it"
        for name in ("CHANGELOG.md", "docs/benchmarks.md", "docs/tables.md", "docs/bad-input.md")
    ]
    assert not (root / "CHANGELOG.md").exists()
    assert join.main([], root=root) == 0
    assert join.main(["--check"], root=root) == 0
    (root / "docs" / "changes" / "c.md").write_text("# Gamma\n")
    capsys.readouterr()
    assert join.main(["--check"], root=root) == 1
    assert capsys.readouterr().err.startswith("CHANGELOG.md is out of date")
    shutil.rmtree(root / "docs" / "changes")
    assert join.main([], root=root) == 0
