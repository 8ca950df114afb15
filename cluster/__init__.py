"""
Where it runs: a Dask cluster of whichever kind, from one profile.

`load_profile` reads what a user wrote, `open_client` starts it and stops it, `check_cluster` tries it out,
and `job_script` shows what SLURM would be given. Nothing here knows what is computed.
"""

from cluster.check import ClusterCheck, Comparison, check_cluster
from cluster.client import dashboard_url, open_client
from cluster.errors import ClusterError, ClusterStartError, ProfileError
from cluster.load import FORMS, load_profile, parse_profile
from cluster.profile import Address, Processes, Profile, Serial, Slurm, Threads
from cluster.slurm import job_script

__all__ = [
    "FORMS",
    "Address",
    "ClusterCheck",
    "ClusterError",
    "ClusterStartError",
    "Comparison",
    "Processes",
    "Profile",
    "ProfileError",
    "Serial",
    "Slurm",
    "Threads",
    "check_cluster",
    "dashboard_url",
    "job_script",
    "load_profile",
    "open_client",
    "parse_profile",
]
