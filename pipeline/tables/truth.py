"""What only a synthetic archive knows: the faults that were made on purpose."""

from __future__ import annotations

from pipeline.tables.spec import REAL, TEXT, TIME, TableSpec, column

__all__ = ["FAULTS"]

FAULTS = TableSpec(
    name="faults",
    description="One thing that is wrong with a stream for a while.",
    key=("start", "stream", "kind", "components"),
    columns=(
        column("stream", TEXT, "stream, as SY.S03..HH"),
        column("components", TEXT, "letters of the channels concerned, as ZN; all of them where empty"),
        column("kind", TEXT, "what is wrong, as gap, clock_drift or polarity"),
        column("start", TIME, "from when"),
        column("end", TIME, "until before when"),
        column("size", REAL, "how much; what that means depends on the kind"),
    ),
)
