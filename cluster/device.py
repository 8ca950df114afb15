"""Give each worker process of a machine with several GPUs its own, before anything looks for one."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["dask_setup", "device_of"]


def dask_setup(worker: Any) -> None:
    """Leave one GPU visible; Dask calls this when it preloads the module in a worker process."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = device_of(str(worker.name), visible)


def device_of(worker_name: str, visible: str | None) -> str:
    """
    Name the GPU of a worker by the number at the end of its name.

    Parameters
    ----------
    worker_name : str
        As Dask numbers the processes of a job or a machine: ``stationday-7-1``, ``1``.
    visible : str or None
        ``CUDA_VISIBLE_DEVICES`` of the job, if it has one.

    Returns
    -------
    str
        ``CUDA_VISIBLE_DEVICES`` of the worker.

    Examples
    --------
    >>> device_of("stationday-7-1", "4,5"), device_of("1", None)
    ('5', '1')
    """
    index = int(worker_name.rpartition("-")[2])
    devices = visible.split(",") if visible else []
    return devices[index % len(devices)] if devices else str(index)
