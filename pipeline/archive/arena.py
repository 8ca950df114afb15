"""Memory for the samples of one day, used again for the next: fresh memory costs more than filling it."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Arena"]

_ALIGNMENT = 64


class Arena:
    """
    Hands out arrays that are all given back at once.

    Examples
    --------
    >>> arena = Arena()
    >>> first = arena.take(3, "int32")
    >>> arena.reset()
    >>> second = arena.take(3, "int32")
    >>> arena.reset()
    >>> np.shares_memory(second, arena.take(3, "int32"))
    True
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, dtype=np.uint8)
        self._taken = 0

    def take(self, count: int, dtype: Any) -> Any:
        """Return an array of any content, valid until `reset`."""
        begin = self._taken
        self._taken += -(-count * np.dtype(dtype).itemsize // _ALIGNMENT) * _ALIGNMENT
        if self._taken > len(self._memory):
            return np.empty(count, dtype=dtype)
        return self._memory[begin : begin + count * np.dtype(dtype).itemsize].view(dtype)

    def reset(self) -> None:
        """Take all arrays back; from now on there is room for as much as was taken."""
        if self._taken > len(self._memory):
            self._memory = np.empty(self._taken, dtype=np.uint8)
        self._taken = 0
