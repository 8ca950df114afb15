"""One GPU for each worker process of a job."""

import pytest

from cluster.device import device_of


@pytest.mark.parametrize(
    ("name", "visible", "device"),
    [
        ("0", None, "0"),
        ("3", None, "3"),
        ("stationday-12-0", "6,7", "6"),
        ("stationday-12-1", "6,7", "7"),
        ("stationday-12-1", "GPU-a,GPU-b", "GPU-b"),
    ],
)
def test_device_of(name: str, visible: str | None, device: str) -> None:
    assert device_of(name, visible) == device


def test_processes_of_a_job_share_no_device() -> None:
    devices = {device_of(f"stationday-5-{index}", "4,5,6,7") for index in range(4)}
    assert devices == {"4", "5", "6", "7"}
