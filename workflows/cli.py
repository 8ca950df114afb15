"""
The command line: collects what the stages register, and turns errors into one line and an exit status.

0: all is done. 1: something was lost or failed. 2: a wrong call or config. 128 and more: a signal.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, NoReturn

from cluster import ClusterError, ProfileError
from pipeline.errors import ConfigError, KeyFormatError, NoSuchStreamError, NotAnArchiveError, StationdayError
from pipeline.objects import PARTIAL
from workflows import cluster, demo, download, export, info, ingest, maps, models, noise, synth

__all__ = ["COMMANDS", "main"]

COMMANDS = (demo, synth, download, ingest, info, export, noise, maps, models, cluster)
"""Modules that register commands, in the order of the help."""

_WRONG_CALL = (ConfigError, KeyFormatError, NoSuchStreamError, NotAnArchiveError, ProfileError)

_DASK_LOGS = ("distributed", "tornado", "asyncio")


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Without the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        Exit status.
    """
    args = _parser().parse_args(argv)
    _start_logging(debug=args.debug)
    with warnings.catch_warnings():
        if not args.debug:
            warnings.simplefilter("ignore")
        try:
            status: int = args.run(args)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader of our output went away, as `head` does.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 128 + signal.SIGPIPE
        except KeyboardInterrupt:
            print("stationday: interrupted", file=sys.stderr)
            return 128 + signal.SIGINT
        except Exception as error:
            if args.debug:
                raise
            print(f"stationday: {_one_line(error)}", file=sys.stderr)
            return 2 if isinstance(error, _WRONG_CALL) else 1
    return status


class _HelpFormatter(argparse.HelpFormatter):
    """Wraps a description to the terminal, and leaves the lines of the examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" in text:
            return "\n".join(indent + line for line in text.splitlines())
        return super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """Of the program and of each command: ``--debug`` anywhere, and one line about a wrong call."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _HelpFormatter} | options)
        self.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="log all, and show tracebacks"
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"stationday: {message}; see `{self.prog} --help`\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="stationday",
        description="Process archives of seismometers and gravimeters: station-days in Zarr, over Dask.",
        epilog="example:\n  stationday demo\n\n`stationday COMMAND --help` says more, with examples.",
    )
    parser.add_argument("--version", action="version", version=f"stationday {version('stationday')}")
    parser.set_defaults(debug=False)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.register(subparsers)
    return parser


def _start_logging(*, debug: bool) -> None:
    """Show warnings, but not those of Dask: what it loses, stationday reports by itself."""
    handler = logging.StreamHandler()
    if not debug:
        handler.addFilter(lambda record: not record.name.startswith(_DASK_LOGS))
    level = logging.DEBUG if debug else logging.WARNING
    logging.basicConfig(level=level, format="%(name)s: %(message)s", handlers=[handler])


def _one_line(error: Exception) -> str:
    """Say what happened and where; what nobody foresaw is called by its class."""
    text = " ".join(str(error).split())
    if isinstance(error, (StationdayError, ClusterError)):
        return text or type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        # Not the temporary name that a file has while it is written, but its own.
        place = re.sub(rf"(\.[0-9a-f]{{12}})?{re.escape(PARTIAL)}$", "", str(error.filename or ""))
        return f"{place}: {error.strerror}" if place else error.strerror
    name = type(error).__name__
    return f"{name}{': ' if text else ''}{text} (unforeseen; --debug shows where)"


if __name__ == "__main__":
    sys.exit(main())
