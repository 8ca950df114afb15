"""Leave Ctrl-C to the driver: a terminal sends it to the workers too, and each would print a traceback."""

import signal
from typing import Any

__all__ = ["dask_setup"]


def dask_setup(worker: Any) -> None:  # noqa: ARG001 (Dask's hook)
    """Ignore SIGINT; Dask calls this when it preloads the module in a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
