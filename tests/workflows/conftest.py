"""One Dask cluster of four worker processes, for all tests of `workflows`: starting it takes seconds."""

import logging
from collections.abc import Iterator

import dask
import pytest
from distributed import Client, LocalCluster


@pytest.fixture(scope="session")
def dask_client() -> Iterator[Client]:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            n_workers=4, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
        ) as dask_cluster,
        Client(dask_cluster, set_as_default=False) as client,
    ):
        client.wait_for_workers(4)
        yield client
