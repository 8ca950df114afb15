"""
Colours that everybody can tell apart.

The categories were found by maximising the smallest CIEDE2000 difference between any two of them, as seen
with normal vision and with protanopia, deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009);
the continuous maps run evenly from light to dark, so that they survive a black and white printer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.colors import LinearSegmentedColormap

__all__ = ["CATEGORICAL", "INK", "PAPER", "QUIET", "diverging", "sequential"]

CATEGORICAL: Final = (
    "#1B4FD6",
    "#CE5609",
    "#009970",
    "#FFAA22",
    "#882255",
    "#2BC4F7",
    "#907E9D",
    "#0A3D12",
)
"""Up to eight categories, to be taken in this order: blue, orange, green, amber, wine, sky, mauve, pine."""

INK: Final = "#22262B"
"""Text."""

QUIET: Final = "#8A8F96"
"""Ticks, frames and what should stay in the background."""

PAPER: Final = "#FFFFFF"
"""Background."""

_SEQUENTIAL = ("#FBF6E4", "#CFE3C4", "#86C5B4", "#3F9CAE", "#276C9B", "#233F78", "#191B45")
_DIVERGING = (
    "#173A7C",
    "#3C78BE",
    "#8FBADB",
    "#D3E3EC",
    "#F6F4EF",
    "#F5D9AE",
    "#E5A35A",
    "#BE6420",
    "#6F2C06",
)


def sequential() -> LinearSegmentedColormap:
    """Return the colour map for values from little (light) to much (dark)."""
    return _colormap("stationday_sequential", _SEQUENTIAL)


def diverging() -> LinearSegmentedColormap:
    """Return the colour map for values below (blue) and above (brown) a middle."""
    return _colormap("stationday_diverging", _DIVERGING)


def _colormap(name: str, anchors: tuple[str, ...]) -> LinearSegmentedColormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list(name, anchors, N=256)
