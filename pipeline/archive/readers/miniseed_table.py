"""The table of a file's records: a row each, and the channels that they name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.readers.protocol import Problem

__all__ = ["HEADER", "Collector", "HeaderTable"]

HEADER = np.dtype(
    [
        ("offset", np.int64),  # of the record in the file
        ("length", np.int32),
        ("payload", np.int32),  # offset of the data in the record
        ("samples", np.int32),
        ("start_ns", np.int64),
        ("rate_hz", np.float64),
        ("encoding", np.uint8),
        ("swap", np.bool_),  # the data are not in this machine's byte order
        ("rank", np.uint8),
        ("timing_quality", np.int16),
        ("clipped", np.bool_),
        ("leap", np.bool_),  # a positive leap second lies in this record
        ("channel", np.int32),  # row of HeaderTable.channels
        ("resolution_ns", np.int32),  # how exactly start_ns is stated
    ],
    align=True,
)


@dataclass(slots=True)
class HeaderTable:
    """The records of a file: a row each, the channels they name, and what was wrong."""

    rows: NDArray[Any]
    channels: list[str]
    problems: list[Problem]


@dataclass(slots=True)
class Collector:
    """Tables of runs in file order, and the names of channels in order of appearance."""

    parts: list[NDArray[Any]] = field(default_factory=list)
    number_of: dict[bytes, int] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def channel(self, key: bytes, name: str) -> int:
        """Number a channel; letters of its codes that are not ASCII are a remark."""
        if key not in self.number_of:
            if not key.isascii():
                detail = f"the codes {key!r} are read as {name}"
                self.problems.append(Problem("codes not ASCII", detail, lost=False))
            if name not in self.channels:
                self.channels.append(name)
            self.number_of[key] = self.channels.index(name)
        return self.number_of[key]
