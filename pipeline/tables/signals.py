"""Table of the classes that continuous signals fall into."""

from __future__ import annotations

from pipeline.tables.spec import COUNT, REAL, SINGLE, TEXTS, TIME, TableSpec, column

__all__ = ["SIGNAL_CLASSES"]

SIGNAL_CLASSES = TableSpec(
    name="signal_classes",
    description="The class of the signal in one window of one or more streams.",
    key=("time", "streams"),
    columns=(
        column("streams", TEXTS, "the streams whose features were taken together"),
        column("time", TIME, "start of the window"),
        column("class", COUNT, "number of the mixture's component"),
        column("log_likelihood", REAL, "log of the mixture's density at the window's features"),
        column("membership", SINGLE, "posterior probability of the class, 0 to 1"),
    ),
)
