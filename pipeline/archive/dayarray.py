"""The samples of one day while it is made: a whole day of memory, of which only what is touched costs any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.pieces import Samples

__all__ = ["DayArray"]


@dataclass(frozen=True, slots=True, eq=False)
class DayArray:
    """
    One array of a station-day.

    Chunks that no sample touches hold whatever was in memory: they are neither filled nor looked at, so
    that three minutes at 500 Hz cost three minutes, and not a day.

    Parameters
    ----------
    samples : list of ndarray, shape (n,), one per component
        Defined in touched chunks, with the fill value where a sample is missing. A component that came
        whole and alone is the decoded record itself, and not a copy.
    touched : ndarray of bool, shape (components, chunks)
        Which chunks those are.
    """

    samples: list[Samples]
    touched: NDArray[np.bool_]

    @property
    def chunk(self) -> int:
        """Samples in a chunk."""
        return len(self.samples[0]) // int(self.touched.shape[1])

    def touch(self, component: int, first: int, stop: int) -> None:
        """Take note that the samples of a component from ``first`` to before ``stop`` are there."""
        self.touched[component, first // self.chunk : -(-stop // self.chunk)] = True

    def spans(self, component: int) -> list[tuple[int, int]]:
        """
        Return the stretches of touched chunks, half-open in samples of the day.

        >>> array = DayArray([np.empty(40, np.int32)], np.zeros((1, 4), bool))
        >>> array.touch(0, 5, 12), array.touch(0, 39, 40), array.spans(0)
        (None, None, [(0, 20), (30, 40)])
        """
        edges = np.flatnonzero(np.diff(self.touched[component].view(np.int8), prepend=0, append=0))
        ends = (edges * self.chunk).tolist()
        return list(zip(ends[::2], ends[1::2], strict=True))

    def filled(self, fill: int | float) -> Any:
        """Return all of the day as a new array, with the fill value in what was never touched."""
        samples = np.stack(self.samples)
        return np.where(np.repeat(self.touched, self.chunk, axis=1), samples, fill).astype(samples.dtype)
