"""Options that several commands share, and what they lead to."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cluster import Serial, Threads, dashboard_url, load_profile, open_client
from pipeline.errors import ConfigError
from workflows.progress import Progress, progress_on
from workflows.runners import Runner, runner_on

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["add_days", "add_json", "add_map", "day", "example", "open_runner"]

DEFAULT_CLUSTER = "processes"


def example(*lines: str) -> Mapping[str, Any]:
    """Return what shows examples at the foot of a command's help."""
    text = "\n".join(f"  {line}" for line in lines)
    return {"epilog": f"example{'s' if len(lines) > 1 else ''}:\n{text}"}


def add_json(command: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    command.add_argument("--json", action="store_true", help="print JSON")


def add_days(command: argparse.ArgumentParser) -> None:
    """Add ``--start`` and ``--end``, days that are both included."""
    for name, text in (("--start", "first day, as 2020-03-01"), ("--end", "last day, included")):
        command.add_argument(name, type=day, action=_KeepDay, metavar="DAY", help=text)


def add_map(command: argparse.ArgumentParser) -> None:
    """Add what every stage that runs over blocks takes."""
    forms = "serial, threads:4, processes:2, tcp://host:8786 or a TOML file"
    command.add_argument(
        "--cluster",
        default=DEFAULT_CLUSTER,
        metavar="PROFILE",
        help=f"where to run: {forms} (default: {DEFAULT_CLUSTER}, one per core)",
    )
    command.add_argument("--dry-run", action="store_true", help="say what is to do, done and stale, and stop")
    command.add_argument("--retry-failed", action="store_true", help="take up blocks that failed earlier")
    command.add_argument("--quiet", action="store_true", help="no progress")


class _KeepDay(argparse.Action):
    """Keeps a day, and refuses an end before the start, whichever of them comes last."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,  # noqa: ARG002 (as argparse calls it)
    ) -> None:
        setattr(namespace, self.dest, values)
        start, end = getattr(namespace, "start", None), getattr(namespace, "end", None)
        if start and end and end < start:
            parser.error(f"--end {end} lies before --start {start}")


def day(text: str) -> dt.date:
    """
    Read a day from the command line.

    >>> day("2020-03-01")
    datetime.date(2020, 3, 1)
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; it should look like 2020-03-01") from None


@contextmanager
def open_runner(args: argparse.Namespace, url: str) -> Iterator[tuple[Runner, Callable[[], Progress]]]:
    """
    Open the cluster that ``--cluster`` names; give a runner on it, and what makes progress displays.

    Parameters
    ----------
    args : Namespace
        With what `add_map` and `add_json` added.
    url : str
        Where the workers will write.

    Raises
    ------
    ProfileError
        If there is no such profile.
    ConfigError
        If that is in memory, where other processes can't see it.
    """
    profile = load_profile(args.cluster)
    if url.startswith("memory:") and not isinstance(profile, Serial | Threads):
        raise ConfigError(
            f"{url}: other processes can't see this memory; "
            f"--cluster {args.cluster} should be threads or serial"
        )
    with open_client(profile) as client:
        runner = runner_on(client)
        dashboard = dashboard_url(client) or ""
        quiet = args.quiet or args.json
        shown = iter([dashboard])

        def progress() -> Progress:
            return progress_on(sys.stderr, quiet=quiet, dashboard=next(shown, ""))

        yield runner, progress
