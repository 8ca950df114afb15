"""``stationday cluster``: try a profile out, and show what SLURM would be given."""

from __future__ import annotations

import argparse
import json
import sys

from cluster import FORMS, ProfileError, Slurm, check_cluster, job_script, load_profile

__all__ = ["register"]

_EXAMPLES = """\
examples:
  stationday cluster check processes:2
  stationday cluster check slurm.toml --timeout 3600
  stationday cluster script slurm.toml
"""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """
    Add ``cluster check`` and ``cluster script`` to the command line.

    Parameters
    ----------
    subparsers : argparse action
        Where `argparse.ArgumentParser.add_subparsers` collects commands. Each command sets ``run``, a
        function from its arguments to its exit status.
    """
    command = subparsers.add_parser(
        "cluster",
        help="try a cluster profile out",
        description="Try a cluster profile out, or show the job script that SLURM would be given.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = command.add_subparsers(metavar="ACTION", required=True)
    check = actions.add_parser(
        "check",
        help="start it, wait for one worker, compare versions",
        description="Start a profile, wait for one worker, and compare what is installed there and here.",
        epilog="example:\n  stationday cluster check processes:2",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument(
        "--timeout",
        type=float,
        default=300.0,
        metavar="S",
        help="seconds to wait for a worker (default: 300)",
    )
    check.add_argument("--json", action="store_true", help="print JSON")
    check.set_defaults(run=_check)
    script = actions.add_parser(
        "script",
        help="print the job script of a slurm profile",
        description="Print the script that each job of a slurm profile runs.",
        epilog="example:\n  stationday cluster script slurm.toml",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    script.set_defaults(run=_script)
    for action in (check, script):
        action.add_argument("profile", metavar="PROFILE", help=FORMS.replace("'", ""))


def _check(arguments: argparse.Namespace) -> int:
    found = check_cluster(load_profile(arguments.profile), timeout_s=arguments.timeout)
    sys.stdout.write((json.dumps(found.as_dict()) if arguments.json else found.as_table()) + "\n")
    return 0 if found.passed else 1


def _script(arguments: argparse.Namespace) -> int:
    profile = load_profile(arguments.profile)
    if not isinstance(profile, Slurm):
        raise ProfileError(
            f"profile {arguments.profile!r} is of kind {profile.kind!r}: only kind 'slurm' has a job script"
        )
    sys.stdout.write(job_script(profile))
    return 0
