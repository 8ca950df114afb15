"""Profiles: each wrong value is named with its key, and workers end before their walltime."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.errors import ClusterError, ClusterStartError, ProfileError
from cluster.profile import KINDS, Address, Processes, Serial, Slurm, Threads

SLURM = {"cores": 4, "memory": "8 GB", "walltime": "01:00:00"}


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (Threads, {"threads": 0}, "threads = 0 should be a whole number, 1 or more"),
        (Threads, {"threads": True}, "threads = True should be a whole number"),
        (Processes, {"workers": "2"}, "workers = '2' should be a whole number"),
        (Processes, {"memory": "4"}, "memory = '4' should be an amount"),
        (Processes, {"gpus": -1}, "gpus = -1 should be a whole number, 0 or more"),
        (Processes, {"gpus": 2, "workers": 3}, "workers = 3 should be left out or equal gpus = 2"),
        (Processes, {"local_directory": ""}, "local_directory = '' should be a text"),
        (Address, {}, "address = None and scheduler_file = None: exactly one"),
        (Address, {"address": "tcp://a:1", "scheduler_file": "b"}, "exactly one"),
        (Address, {"address": "host:8786"}, "address = 'host:8786' should name a protocol"),
        (Address, {"address": "http://host:8786"}, "address = 'http://host:8786' should name a protocol"),
        (Address, {"address": "tcp://host"}, "should name a protocol, a host and a port"),
        (Address, {"address": "tcp://host:1", "timeout": "soon"}, "timeout = 'soon' should be a duration"),
        (Slurm, SLURM | {"cores": 0}, "cores = 0 should be"),
        (Slurm, SLURM | {"memory": 8}, "memory = 8 should be"),
        (Slurm, SLURM | {"walltime": "1h 30"}, "walltime = '1h 30' should be"),
        (Slurm, SLURM | {"lifetime": "long"}, "lifetime = 'long' should be"),
        (Slurm, SLURM | {"processes": 3}, "processes = 3 should divide cores = 4"),
        (Slurm, SLURM | {"gpus": 3}, "processes = 3 should divide cores = 4"),
        (Slurm, SLURM | {"gpus": 2, "processes": 4}, "processes = 4 should be left out or equal gpus = 2"),
        (Slurm, SLURM | {"min_jobs": 3, "max_jobs": 2}, "max_jobs = 2 should be at least min_jobs = 3"),
        (Slurm, SLURM | {"queue": 5}, "queue = 5 should be a text"),
        (Slurm, SLURM | {"job_extra_directives": "--exclusive"}, "should be a list of texts"),
        (Slurm, SLURM | {"job_script_prologue": (1,)}, "should be a list of texts"),
    ],
)
def test_profile_fails(kind: type, values: dict[str, object], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        kind(**values)


def test_kinds_have_their_names() -> None:
    assert list(KINDS) == ["serial", "threads", "processes", "address", "slurm"]
    assert list(KINDS.values()) == [Serial, Threads, Processes, Address, Slurm]


@given(st.integers(60, 30 * 86400))
def test_workers_end_before_the_walltime(walltime_s: int) -> None:
    profile = Slurm(cores=1, memory="1 GB", walltime=f"{walltime_s} s")
    last_end = profile.lifetime_s + profile.lifetime_stagger_s
    assert profile.lifetime_stagger_s > 0
    assert walltime_s / 2 <= profile.lifetime_s - profile.lifetime_stagger_s
    assert 20 <= round(walltime_s - last_end, 6) <= 900


def test_lifetime_may_be_given() -> None:
    profile = Slurm(**SLURM, lifetime="10 min", lifetime_stagger="30 s")
    assert (profile.lifetime_s, profile.lifetime_stagger_s) == (600, 30)


@pytest.mark.parametrize(("given_values", "processes"), [({}, 4), ({"processes": 2}, 2), ({"gpus": 2}, 2)])
def test_processes_of_a_job(given_values: dict[str, int], processes: int) -> None:
    assert Slurm(**SLURM, **given_values).processes_per_job == processes


@pytest.mark.parametrize("error", [ProfileError("a"), ClusterStartError("b")])
def test_errors_pickle_and_share_a_root(error: ClusterError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert isinstance(again, ClusterError)
