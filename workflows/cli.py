"""
The command line: collects what the stages register, and turns errors into one line and an exit status.

0: all is done. 1: something was lost or failed. 2: a wrong call or config. 128 and more: a signal.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.metadata import version

from cluster import ClusterError, ProfileError
from pipeline.errors import ConfigError, KeyFormatError, NoSuchStreamError, NotAnArchiveError, StationdayError
from workflows import cluster, demo, export, info, ingest

__all__ = ["COMMANDS", "main"]

COMMANDS = (demo, ingest, info, export, cluster)
"""Modules that register commands, in the order of the help."""

_WRONG_CALL = (ConfigError, KeyFormatError, NoSuchStreamError, NotAnArchiveError, ProfileError)


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
    logging.basicConfig(
        level=logging.DEBUG if args.debug else logging.WARNING, format="%(name)s: %(message)s"
    )
    logging.getLogger("distributed").setLevel(logging.ERROR)
    if not args.debug:
        warnings.simplefilter("ignore")
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("stationday: interrupted", file=sys.stderr)
        return 130
    except (StationdayError, ClusterError, OSError) as error:
        if args.debug:
            raise
        print(f"stationday: {_one_line(error)}", file=sys.stderr)
        return 2 if isinstance(error, _WRONG_CALL) else 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stationday",
        description="Process archives of seismometers and gravimeters: station-days in Zarr, over Dask.",
        epilog="`stationday COMMAND --help` says more, with examples.",
    )
    parser.add_argument("--version", action="version", version=f"stationday {version('stationday')}")
    parser.add_argument("--debug", action="store_true", help="log all, and show tracebacks")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in COMMANDS:
        module.register(subparsers)
    return parser


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
