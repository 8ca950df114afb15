"""Tables of how quiet and how healthy stations are: noise levels, daily quality, trends and rises."""

from __future__ import annotations

from pipeline.tables.spec import COUNT, DAY, REAL, SINGLE, TEXT, TIME, Column, TableSpec, column

__all__ = ["NOISE_LEVELS", "QUALITY", "RISES", "TRENDS"]

_DECIBEL = "dB re 1 (m/s²)²/Hz"


def _place() -> tuple[Column, Column]:
    return (
        column("stream", TEXT, "stream, as CI.CCC..HH or NG.AQG..MGZ"),
        column("component", TEXT, "component of the stream, as Z"),
    )


def _band() -> Column:
    return column("band", TEXT, "name of the band of periods, as 1-10s")


def _gravity(name: str, description: str) -> Column:
    return column(name, REAL, f"{description}; gravimeters only", optional=True)


NOISE_LEVELS = TableSpec(
    name="noise_levels",
    description="The noise of one component in one band over one period, a month for instance.",
    key=("stream", "component", "period_start", "period_days", "band"),
    columns=(
        *_place(),
        column("period_start", TIME, "first day of the period, at 00:00"),
        column("period_days", COUNT, "length of the period", unit="d"),
        _band(),
        column("level_db", REAL, "mean power of the ground's acceleration", unit=_DECIBEL),
        column("p05", REAL, "level that 5 % of the windows stay below", unit=_DECIBEL),
        column("p50", REAL, "median level", unit=_DECIBEL),
        column("p95", REAL, "level that 95 % of the windows stay below", unit=_DECIBEL),
        column("days", COUNT, "days of the period with a level", unit="d"),
        _gravity("snm", "seismic noise magnitude, 200 to 600 s"),
        _gravity("ssnm", "sub-seismic noise magnitude, 1 to 6 h"),
        _gravity("tnm", "tidal noise magnitude"),
        column(
            "quiet_days",
            COUNT,
            "days that the magnitudes are made of; gravimeters only",
            unit="d",
            optional=True,
        ),
    ),
)

QUALITY = TableSpec(
    name="quality",
    description="The health of one component on one day.",
    key=("stream", "component", "day"),
    columns=(
        *_place(),
        column("day", DAY, "UTC day"),
        column("completeness", SINGLE, "samples there over samples of a whole day, 0 to 1"),
        column("gaps", COUNT, "pieces that are missing"),
        column("overlaps", COUNT, "samples at which two sources of equal rank disagree"),
        column("clipped", COUNT, "samples at the end of the digitiser's range"),
        column("spikes", COUNT, "samples that leap from their neighbours and back"),
        column("flat_s", SINGLE, "longest span of one repeated value", unit="s"),
        column("mean_counts", REAL, "mean of the samples", unit="counts", optional=True),
        column("rms_counts", REAL, "root mean square about the mean", unit="counts", optional=True),
        column(
            "timing_quality", SINGLE, "lowest timing quality that the source states", unit="%", optional=True
        ),
        column("verdict", TEXT, "good, suspect or bad"),
        column("reason", TEXT, "why it is not good", optional=True),
    ),
)

TRENDS = TableSpec(
    name="trends",
    description="How the noise of one component in one band changes over the years.",
    key=("stream", "component", "band", "start"),
    columns=(
        *_place(),
        _band(),
        column("start", TIME, "start of the span"),
        column("end", TIME, "end of the span"),
        column("days", COUNT, "days with a level in the span", unit="d"),
        column("slope_db_per_year", REAL, "linear change of the level", unit="dB/yr"),
        column("slope_std_db_per_year", REAL, "its standard error", unit="dB/yr"),
        column("seasonal_db", REAL, "amplitude of the yearly cycle", unit="dB", optional=True),
        column(
            "seasonal_peak_day", SINGLE, "day of the year on which the cycle peaks", unit="d", optional=True
        ),
    ),
)

RISES = TableSpec(
    name="rises",
    description="One lasting rise (or fall) of the noise of one component in one band.",
    key=("stream", "component", "band", "time"),
    columns=(
        *_place(),
        _band(),
        column("time", TIME, "when the level changed"),
        column("until", TIME, "when it went back, null where it has not", optional=True),
        column("rise_db", REAL, "level after minus level before, negative for a fall", unit="dB"),
        column("rise_std_db", REAL, "its standard error", unit="dB"),
        column("p_value", REAL, "probability of such a change in noise without one"),
    ),
)
