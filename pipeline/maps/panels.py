"""What a map rests on: its variogram, and how well stations foretell each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.figures import CATEGORICAL, axis_label
from pipeline.figures.palettes import INK, QUIET
from pipeline.figures.theme import SMALL_PT, TITLE_PT
from pipeline.maps.fields import FieldMap

if TYPE_CHECKING:  # matplotlib is imported where a figure is drawn
    from matplotlib.axes import Axes

__all__ = ["draw_validation", "draw_variogram"]


def draw_variogram(axes: Axes, made: FieldMap) -> None:
    """
    Draw what pairs of stations show, the most likely variogram, and the others that are likely.

    Dots are the larger the more pairs they stand for. Lines of the others are thin.
    """
    seen = made.empirical
    reach = float(seen.distance_km.max()) * 1.1
    distance = np.linspace(1e-6 * reach, reach, 200)
    for each in made.plausible if len(made.plausible) > 1 else ():
        axes.plot(distance, each.variogram.gamma(distance), color=QUIET, lw=0.4, alpha=0.5, zorder=1)
    axes.plot(distance, made.variogram.gamma(distance), color=CATEGORICAL[0], zorder=3)
    size = 8 + 40 * seen.pairs / seen.pairs.max()
    axes.scatter(seen.distance_km, seen.gamma, s=size, color=INK, zorder=4, linewidths=0)
    unit = f"{made.unit}²" if made.unit else ""
    axes.set(xlabel=axis_label("distance", "km"), ylabel=axis_label("half squared difference", unit))
    axes.set_xlim(0, reach)
    axes.set_ylim(0, max(float(seen.gamma.max()), made.variogram.sill + made.variogram.nugget, 1e-12) * 1.25)
    axes.set_title("Variogram", fontsize=TITLE_PT - 1.5)


def draw_validation(axes: Axes, made: FieldMap) -> None:
    """Draw each station against what the others foretell of it, with intervals of 95 %."""
    axes.set_title("Each station as the others foretell it", fontsize=TITLE_PT - 1.5)
    checked, value = made.validation, made.observations.value
    axes.set(xlabel=axis_label("observed", made.unit), ylabel=axis_label("foretold", made.unit))
    if checked is None:
        axes.text(0.5, 0.5, "not possible", transform=axes.transAxes, ha="center", color=QUIET)
        return
    axes.errorbar(
        value, checked.predicted, yerr=1.96 * checked.std_error, fmt="o", ms=2.6, lw=0.5, color=CATEGORICAL[0]
    )
    ends = (
        float(min(value.min(), checked.predicted.min())),
        float(max(value.max(), checked.predicted.max())),
    )
    axes.plot(ends, ends, color=QUIET, lw=0.8, zorder=0)
    text = f"RMS {checked.rms_error:.3g} {made.unit}".rstrip()
    text += f" · {100 * checked.within_95:.0f} % within 95 %"
    axes.text(0.02, 0.97, text, transform=axes.transAxes, va="top", fontsize=SMALL_PT, zorder=5)
