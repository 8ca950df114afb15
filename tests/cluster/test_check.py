"""The check: what it finds, what it says, and what makes it fail."""

import sys

import pytest

from cluster.check import COMPARED, ClusterCheck, Comparison, check_cluster, installed_versions
from cluster.errors import ClusterStartError
from cluster.profile import Address, Processes, Threads


def test_installed_versions() -> None:
    versions = installed_versions()
    assert list(versions) == ["python", *COMPARED]
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert versions["numpy"] == __import__("numpy").__version__


def test_check_of_processes_passes() -> None:
    found = check_cluster(Processes(workers=1))
    assert found.passed
    assert found.worker.startswith("tcp://127.0.0.1:")
    assert 0 < found.round_trip_s < 5
    assert all(each.worker is not None for each in found.comparisons)


def test_a_difference_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    # a worker in threads shares this module, so "here" is changed after the worker was asked
    asked = iter([installed_versions(), installed_versions() | {"numpy": "1.0.0", "pcodec": None}])
    monkeypatch.setattr("cluster.check._ask", lambda client, address: (next(asked), "node"))
    monkeypatch.setattr("cluster.check.installed_versions", lambda: next(asked))
    found = check_cluster(Threads(threads=1))
    assert not found.passed
    assert [each.name for each in found.comparisons if not each.equal] == ["numpy", "pcodec"]


def test_no_worker_in_time_fails() -> None:
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", dashboard_address=":0"
        ) as empty,
        pytest.raises(ClusterStartError, match=r"no worker came within 0\.2 s"),
    ):
        check_cluster(Address(address=empty.scheduler_address), timeout_s=0.2)


def test_table_and_json_show_the_difference() -> None:
    found = ClusterCheck(
        kind="slurm",
        worker="tcp://10.0.0.7:4000 on node7",
        threads=2,
        dashboard=None,
        start_s=12.34,
        round_trip_s=0.0123,
        comparisons=(
            Comparison(name="python", driver="3.11.7", worker="3.11.7"),
            Comparison(name="numpy", driver="2.4.6", worker="2.3.0"),
            Comparison(name="pcodec", driver="1.1.0", worker=None),
        ),
    )
    assert found.as_table().splitlines() == [
        "profile               slurm",
        "worker                tcp://10.0.0.7:4000 on node7, 2 threads",
        "dashboard             off (needs bokeh)",
        "started in            12.3 s",
        "1 MiB there and back  12 ms",
        "",
        "             driver               worker",
        "python       3.11.7               3.11.7",
        "numpy        2.4.6                2.3.0                differs",
        "pcodec       1.1.0                missing              differs",
    ]
    as_json = found.as_dict()
    assert as_json["passed"] is False
    assert as_json["comparisons"][1] == {"name": "numpy", "driver": "2.4.6", "worker": "2.3.0"}
