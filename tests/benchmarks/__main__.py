"""
Run the benchmarks one after the other, each in a process of its own, and join their pages.

    python -m tests.benchmarks                 all of them: half an hour in which nothing else should run
    python -m tests.benchmarks ingest          some of them
"""

from __future__ import annotations

import argparse
import runpy
import subprocess
import sys
from pathlib import Path

BENCHMARKS = {
    "ingest": ["--stations", "24", "--days", "4", "--repeats", "3"],
    "synthetic": [],
    "synthetic_picks": [],
    "noise": [],
    "engine": ["--blocks", "50000", "--output", "docs/benchmarks/engine.md"],
}
"""Each module here with the options by which its page was made."""


def main() -> None:
    """Run some or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default"
    )
    names = parser.parse_args().names or list(BENCHMARKS)
    if unknown := set(names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    for name in names:
        command = [sys.executable, "-m", f"tests.benchmarks.{name}", *BENCHMARKS[name]]
        print("$", *command[1:], flush=True)
        subprocess.run(command, check=True)
    runpy.run_path(str(Path(__file__).parents[2] / "docs" / "join.py"), run_name="__main__")


if __name__ == "__main__":
    main()
