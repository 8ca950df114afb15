"""Values to colours: the scales of `pipeline.figures`, with limits that both station and field share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.report.series import Limits
from pipeline.report.ticks import round_limits

__all__ = ["ColourScale", "anchors", "scale_for"]

_ANCHORS: Final = 33


@dataclass(frozen=True, slots=True)
class ColourScale:
    """
    A scale.

    Parameters
    ----------
    low, high : float
        What has the first and the last colour; what lies beyond has them, too.
    is_diverging : bool
        Whether it has a middle, that of its limits.
    """

    low: float
    high: float
    is_diverging: bool = False

    def colours(self, values: ArrayLike) -> NDArray[np.uint8]:
        """Return red, green and blue of each value, in one more axis; NaN has the first colour."""
        array = np.asarray(values, dtype=np.float64)
        part = np.nan_to_num(np.clip((array - self.low) / (self.high - self.low), 0, 1))
        table = anchors(is_diverging=self.is_diverging)
        at = np.linspace(0, 1, len(table))
        channels = [np.rint(np.interp(part, at, channel)) for channel in table.T]
        return np.stack(channels, axis=-1).astype(np.uint8)

    def payload(self) -> dict[str, Any]:
        """Return what the script needs."""
        table = anchors(is_diverging=self.is_diverging)
        return {
            "low": self.low,
            "high": self.high,
            "diverging": self.is_diverging,
            "colours": ["{:02x}{:02x}{:02x}".format(*colour) for colour in table.tolist()],
        }


def anchors(*, is_diverging: bool) -> NDArray[np.uint8]:
    """Return evenly spaced colours of a scale, shape (33, 3), between which one interpolates."""
    from pipeline.figures.palettes import diverging, sequential

    colour_map = diverging() if is_diverging else sequential()
    table: NDArray[np.float64] = colour_map(np.linspace(0, 1, _ANCHORS))[:, :3]
    return np.rint(255 * table).astype(np.uint8)


def scale_for(
    *values: ArrayLike, is_diverging: bool = False, limits: Limits | None = None, starts_at_zero: bool = False
) -> ColourScale | None:
    """
    Return a scale that holds some values, with round limits; None where no value is finite.

    Parameters
    ----------
    *values : array_like
    is_diverging : bool
        Centre it on zero.
    limits : (float, float), optional
        Instead of those of the values.
    starts_at_zero : bool
        As errors do.

    Examples
    --------
    >>> scale_for([-0.2, 0.71], is_diverging=True)
    ColourScale(low=-0.8, high=0.8, is_diverging=True)
    >>> scale_for([np.nan]) is None
    True
    """
    flat = np.concatenate([np.ravel(np.asarray(each, dtype=np.float64)) for each in values] or [np.empty(0)])
    finite = flat[np.isfinite(flat)]
    if not len(finite):
        return None
    if limits is not None:
        return ColourScale(*limits, is_diverging)
    low, high = float(finite.min()), float(finite.max())
    if is_diverging:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    elif starts_at_zero:
        low, high = 0.0, high or 1.0
    return ColourScale(*round_limits(low, high, "linear"), is_diverging)
