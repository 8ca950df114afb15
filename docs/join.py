"""
Make the pages that are made of other things, or check that they are up to date.

========================  ===============================================================
CHANGELOG.md              docs/changes/<topic>.md, and docs/changes/<version>/<topic>.md
docs/benchmarks.md        docs/benchmarks/<stage>.md
docs/tables.md            the schemas of pipeline.tables
docs/bad-input.md         the cases of bad input of the tests
========================  ===============================================================

A change brings a file of its own, so that two changes never meet in one line. A part begins with its title,
``# Title``; its headings are lowered to fit below those of the page.

    python docs/join.py            writes the pages
    python docs/join.py --check    says which of them are out of date; exit status 1 if any is
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE_BY = "<!-- Made by docs/join.py from {source}: change that and run `make docs`. -->\n"
ABOUT_TABLES = """
Parquet files with these columns, in this order. Times are `timestamp[ns, tz=UTC]`. The metadata of a file
hold `stationday.table`, `stationday.version`, `stationday.fingerprint` (of all that its rows depend on) and
`stationday.config` (of the option values used). Columns marked ∅ may be null.
"""


def changelog(root: Path) -> str:
    """Join the changes: what is not released first, then the releases, the newest first."""
    folder = root / "docs" / "changes"
    releases = sorted((path for path in folder.glob("*") if path.is_dir()), key=_version, reverse=True)
    pieces = ["# Changelog\n", MADE_BY.format(source="docs/changes")]
    for title, parts in [("Unreleased", folder), *((path.name, path) for path in releases)]:
        joined = _parts(parts, lower_by=2)
        pieces += [f"\n## {title}\n", *joined] if joined else []
    return "".join(pieces)


def benchmarks(root: Path) -> str:
    """Join what was measured, stage by stage."""
    pieces = ["# Benchmarks\n", MADE_BY.format(source="docs/benchmarks")]
    return "".join(pieces + (_parts(root / "docs" / "benchmarks", lower_by=1) or ["\nNothing yet.\n"]))


def tables(_: Path) -> str:
    """Describe every table, column by column."""
    from pipeline.tables import TABLES

    pieces = ["# Tables\n", MADE_BY.format(source="pipeline/tables"), ABOUT_TABLES]
    for spec in TABLES.values():
        key = ", ".join(f"`{name}`" for name in spec.key)
        pieces.append(f"\n## {spec.name}\n\n{spec.description} Version {spec.version}; sorted by {key}.\n\n")
        pieces.append("| column | type | unit | what it is |\n|---|---|---|---|\n")
        pieces += [_column_row(field) for field in spec.schema]
    return "".join(pieces)


def bad_input(_: Path) -> str:
    """Tell what real files do wrong, and what becomes of it: what the tests prove, case by case."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from bad_input_page import bad_input_page

    return bad_input_page()


def _column_row(field: object) -> str:
    from pipeline.tables import description_of, unit_of

    kind = "time" if str(field.type).startswith("timestamp") else str(field.type).split("<")[0]
    kind = "list of string" if kind == "list" else kind
    null = " ∅" if field.nullable else ""
    return f"| `{field.name}`{null} | {kind} | {unit_of(field)} | {description_of(field)} |\n"


PAGES: dict[str, Callable[[Path], str]] = {
    "CHANGELOG.md": changelog,
    "docs/benchmarks.md": benchmarks,
    "docs/tables.md": tables,
    "docs/bad-input.md": bad_input,
}


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in path.name.split("."))


def _parts(folder: Path, *, lower_by: int) -> list[str]:
    paths = sorted(path for path in folder.glob("*.md") if path.name != "README.md")
    return ["\n" + _lowered(path.read_text(encoding="utf-8").strip(), lower_by) + "\n" for path in paths]


def _lowered(text: str, levels: int) -> str:
    lines, in_code = [], False
    for line in text.split("\n"):
        in_code ^= line.startswith("```")
        lines.append("#" * levels + line if line.startswith("#") and not in_code else line)
    return "\n".join(lines)


def stale(root: Path) -> list[str]:
    """Return the pages that are not what they would be made now."""
    return [
        name
        for name, make in PAGES.items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != make(root)
    ]


def main(arguments: Iterable[str] | None = None, *, root: Path = ROOT) -> int:
    """Write or check the pages; return the exit status."""
    parser = argparse.ArgumentParser(description="Make the pages that are made of other things.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail where a page is out of date"
    )
    check = parser.parse_args(None if arguments is None else list(arguments)).check
    old = stale(root)
    for name in old:
        if check:
            print(f"{name} is out of date: run `make docs` and commit it", file=sys.stderr)
        else:
            (root / name).write_text(PAGES[name](root), encoding="utf-8")
            print(f"wrote {name}")
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))  # the tables of this checkout, not of an installed wheel
    sys.exit(main())
