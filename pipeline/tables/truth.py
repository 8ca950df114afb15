"""What only a synthetic archive knows: what was spoiled on purpose, what each signal is, how zeros wander."""

from __future__ import annotations

from pipeline.tables.spec import COUNT, REAL, SINGLE, TEXT, TIME, TableSpec, column

__all__ = ["DRIFTS", "FAULTS", "MAGNITUDE_LAWS", "SIGNALS", "STEPS"]

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

SIGNALS = TableSpec(
    name="signals",
    description="One signal that is no earthquake of the catalog, at one stream.",
    key=("start", "stream", "kind", "components"),
    columns=(
        column("stream", TEXT, "stream, as SY.S03..HH or GY.G01..LGZ"),
        column("components", TEXT, "letters of the channels concerned, as ZN; all of them where empty"),
        column("kind", TEXT, "what it is, as vehicle, repeater, landslide or great_earthquake"),
        column("start", TIME, "when it begins there"),
        column("end", TIME, "when it is over"),
        column("peak_m_per_s", SINGLE, "largest velocity; seismometers only", unit="m/s", optional=True),
        column(
            "peak_nm_per_s2", SINGLE, "largest acceleration; gravimeters only", unit="nm/s²", optional=True
        ),
        column(
            "snr",
            SINGLE,
            "peak over the RMS of the vertical's noise as designed then, 2 to 8 Hz; landslides only",
            optional=True,
        ),
    ),
)

STEPS = TableSpec(
    name="steps",
    description="One jump of a gravimeter's zero.",
    key=("stream", "time"),
    columns=(
        column("stream", TEXT, "stream, as GY.G01..LGZ"),
        column("time", TIME, "the first sample after it"),
        column("offset_nm_per_s2", REAL, "level after minus level before", unit="nm/s²"),
    ),
)

DRIFTS = TableSpec(
    name="drifts",
    description="The drift of one gravimeter: rate × d + quadratic × d², d days after its time.",
    key=("stream", "time"),
    columns=(
        column("stream", TEXT, "stream, as GY.G01..LGZ"),
        column("time", TIME, "when it is 0"),
        column("rate_nm_per_s2_per_day", REAL, "its linear part", unit="nm/s²/d"),
        column("quadratic_nm_per_s2_per_day2", REAL, "its quadratic part", unit="nm/s²/d²"),
    ),
)

MAGNITUDE_LAWS = TableSpec(
    name="magnitude_laws",
    description="The law that the magnitudes of a catalog follow.",
    key=("type",),
    columns=(
        column("type", TEXT, "Mw or ML"),
        column("b", REAL, "slope of Gutenberg and Richter"),
        column("b_std", REAL, "its standard error; 0 where it is given"),
        column("minimum", REAL, "magnitude from which the law holds"),
        column("events", COUNT, "events at or above that"),
    ),
)
