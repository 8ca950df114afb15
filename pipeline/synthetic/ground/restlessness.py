"""
Restlessness: how the noise above 0.5 Hz swells and fades over seconds and minutes, as wind and people do.

A slow normal process, the same however it is cut, becomes a factor of amplitude whose mean square is 1: the
mean power stays the designed one, while single windows lie above and below it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.synthetic.draws import white_noise

__all__ = ["swelling"]

_NODE_S: Final = 10
_SPANS: Final = (3, 30)  # nodes: half a minute and five minutes, in equal shares


def swelling(
    seed: int, station: str, first: int, stop: int, *, rate_hz: int, std_db: float
) -> NDArray[np.float32]:
    """
    Return the factor of amplitude of a piece of noise.

    Parameters
    ----------
    seed, station : int, str
        Name it.
    first, stop : int
        Samples since 1970; half-open.
    rate_hz : int
    std_db : float
        Standard deviation of the level.

    Returns
    -------
    ndarray of float32, shape (stop - first,)

    Examples
    --------
    >>> whole = swelling(1, "PB01", 0, 60_000, rate_hz=100, std_db=3.0)
    >>> bool((whole[12_345:20_000] == swelling(1, "PB01", 12_345, 20_000, rate_hz=100, std_db=3.0)).all())
    True
    """
    step = _NODE_S * rate_hz
    begin, end = first // step, -(-stop // step) + 1
    nodes = _nodes(seed, station, begin, end)
    part = np.arange(step, dtype=np.float32) / np.float32(step)
    level = nodes[:-1, None] + np.diff(nodes)[:, None] * part
    # Between two nodes a straight line varies less than at them.
    variance = 1 - 2 * part * (1 - part) * np.float32(1 - _next_to_next())
    sigma = std_db / 20 * math.log(10)
    made = np.exp(np.float32(sigma) * level - np.float32(sigma**2) * variance)
    return np.asarray(made.ravel()[first - begin * step : stop - begin * step])


def _nodes(seed: int, station: str, begin: int, end: int) -> NDArray[np.float32]:
    """Return normal numbers of variance 1, each akin to those beside it."""
    reach = max(_SPANS)
    total = np.zeros(end - begin)
    for span in _SPANS:
        white = white_noise(seed, ("restlessness", station, span), begin - reach, end).astype(np.float64)
        sums = np.convolve(white, np.ones(span), mode="valid")[-(end - begin) :]
        total += sums / math.sqrt(span * len(_SPANS))
    return total.astype(np.float32)


@lru_cache(maxsize=1)
def _next_to_next() -> float:
    """Return the correlation of a node with the next one."""
    return sum(1 - 1 / span for span in _SPANS) / len(_SPANS)
