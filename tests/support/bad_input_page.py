"""The cases of bad input, and docs/bad-input.md, which is made of them."""

from __future__ import annotations

from bad_calls import CALLS
from bad_files import FILES, KINDS
from bad_input import Case
from bad_metadata import METADATA
from bad_places import BUCKETS, DISKS
from bad_times import CLOCKS, COMPONENTS, TWICE

__all__ = ["CASES", "GROUPS", "bad_input_page"]

GROUPS = (FILES, KINDS, TWICE, CLOCKS, COMPONENTS, METADATA, DISKS, BUCKETS, CALLS)
CASES = [case for group in GROUPS for case in group.cases]

INTRODUCTION = """
What real files do wrong, what `stationday ingest` says of it, and what becomes of the samples. Each row is a
test (`tests/workflows/test_bad_input.py`): the files are made, the command runs, and its lines, its exit
status, the recorded reasons and every sample in the archive are compared with what stands here. A good
station lies beside each case, and comes through untouched unless a row says that nothing is done at all.

- A line on stderr for each loss (`lost:`) and each remark (`note:`), with the file or the block that it is
  of; and `deferred:` for a file that can't be read just now and whose samples the archive has from before.
  The same stands in the archive: what is wrong with a file in `scan/`, what is wrong with a day in its
  block's table, what failed in the ledger. What lies in no epoch of the metadata follows from both.
- Exit status 0 where nothing was lost, 1 where something was, 2 for a call that can't be meant.
- The same command again ends alike and says each loss again, as long as it holds; notes are said once.

`SOURCES` and `ARCHIVE` stand for paths, `s3://BUCKET` for a bucket, `made up` for the reason that a server
gives. How files damaged at random were read for a quarter of an hour stands in
[robustness.md](robustness.md).
"""


def bad_input_page() -> str:
    """Return the page."""
    pieces = ["# Bad input\n", "<!-- Made by docs/join.py from tests/support/bad_*.py. -->\n", INTRODUCTION]
    for group in GROUPS:
        pieces.append(f"\n## {group.title}\n\n")
        pieces.append("| what is wrong | what is said | what becomes of the samples | status |\n")
        pieces.append("|---|---|---|---|\n")
        pieces += [_row(case) for case in group.cases]
    return "".join(pieces)


def _row(case: Case) -> str:
    places = {"sources": "SOURCES", "archive": "ARCHIVE", "bucket": "s3://BUCKET"}
    lines = "<br>".join(f"`{line.format(**places)}`" for line in case.said) or "nothing"
    cells = (cell.replace("|", "\\|") for cell in (case.wrong, lines, case.becomes))
    return f"| {' | '.join(cells)} | {case.status} |\n"
