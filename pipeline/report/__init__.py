"""
One page template for all reports: a file of HTML that needs no network.

``page`` has the page and its sections, ``parts`` and ``tables`` text and tables, ``pictures`` figures that
were drawn elsewhere, ``charts`` and ``station_map`` what answers to a pointer and to keys; ``noise_charts``
makes the charts of a noise station. docs/report-page.md shows how a stage adds its section.
"""

from pipeline.report.charts import LineChart
from pipeline.report.fields import Field, Outlines
from pipeline.report.noise_charts import level_chart, psd_chart
from pipeline.report.page import Page, Section, render
from pipeline.report.parts import Code, Details, KeyFigure, KeyFigures, Link, Listing, Note, Paragraph
from pipeline.report.pictures import Figure
from pipeline.report.series import Axis, Band, Line, Mark, Points
from pipeline.report.sheet import Part, Sheet
from pipeline.report.station_map import Station, StationMap
from pipeline.report.tables import Column, Table

__all__ = [
    "Axis",
    "Band",
    "Code",
    "Column",
    "Details",
    "Field",
    "Figure",
    "KeyFigure",
    "KeyFigures",
    "Line",
    "LineChart",
    "Link",
    "Listing",
    "Mark",
    "Note",
    "Outlines",
    "Page",
    "Paragraph",
    "Part",
    "Points",
    "Section",
    "Sheet",
    "Station",
    "StationMap",
    "Table",
    "level_chart",
    "psd_chart",
    "render",
]
