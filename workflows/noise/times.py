"""Days since 1970 as times in tables, and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipeline.archive.grid import DAY_NS
from pipeline.signal.precision import IndexArray

__all__ = ["days_of", "midnight"]

_TIME = pa.timestamp("ns", tz="UTC")


def midnight(day: IndexArray) -> pa.Array:
    """
    Return the times at which days begin.

    >>> midnight(np.array([1]))[0].as_py().isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return pa.array(np.asarray(day, dtype=np.int64) * DAY_NS, type=_TIME)


def days_of(times: pa.ChunkedArray) -> IndexArray:
    """
    Return the days since 1970 on which times lie.

    >>> days_of(pa.chunked_array([midnight(np.array([18262]))]))
    array([18262])
    """
    return np.asarray(times.cast(pa.int64()).to_numpy()) // DAY_NS
