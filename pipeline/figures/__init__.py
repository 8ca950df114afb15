"""
How every figure of stationday looks, and how it becomes bytes.

``theme`` has sizes, fonts and axes, ``palettes`` the colours, ``export`` PNG, SVG and PDF, ``calendar`` the
names along a time axis; ``coverage`` is the wall chart of what an archive holds. A stage's own figures stand
in its ``figures.py``. matplotlib is imported where a figure is drawn, never when this package is.
"""

from pipeline.figures.coverage import coverage_chart
from pipeline.figures.export import render, save
from pipeline.figures.palettes import CATEGORICAL, diverging, sequential
from pipeline.figures.theme import axis_label, figure_mm, sheet_mm, text_width_mm, theme, utc_axis

__all__ = [
    "CATEGORICAL",
    "axis_label",
    "coverage_chart",
    "diverging",
    "figure_mm",
    "render",
    "save",
    "sequential",
    "sheet_mm",
    "text_width_mm",
    "theme",
    "utc_axis",
]
