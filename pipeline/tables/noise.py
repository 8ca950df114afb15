"""Tables of how quiet and how healthy stations are: noise levels, daily quality, trends and rises."""

from __future__ import annotations

from pipeline.tables.spec import (
    COUNT,
    DAY,
    FLAG,
    REAL,
    SINGLE,
    TEXT,
    TEXTS,
    TIME,
    Column,
    TableSpec,
    column,
)

__all__ = [
    "NOISE_LEVELS",
    "NOISE_MAGNITUDES",
    "QUALITY",
    "QUALITY_MONTHS",
    "RISES",
    "RISES_BEFORE",
    "TRENDS",
]

_DECIBEL = "dB re 1 (m/s²)²/Hz"


def _place() -> tuple[Column, Column]:
    return (
        column("stream", TEXT, "stream, as CI.CCC..HH or NG.AQG..MGZ"),
        column("component", TEXT, "component of the stream, as Z"),
    )


def _band() -> Column:
    return column("band", TEXT, "name of the band of periods, as 1-10s")


def _period() -> tuple[Column, Column, Column]:
    return (
        column("span", TEXT, "day, week, month, block, year or all"),
        column("period_start", TIME, "first day of the period, at 00:00"),
        column("period_days", COUNT, "length of the period", unit="d"),
    )


NOISE_LEVELS = TableSpec(
    name="noise_levels",
    description="The noise of one component in one band over a day, a week, a month, a block or a year.",
    key=("stream", "component", "span", "period_start", "band"),
    columns=(
        *_place(),
        *_period(),
        _band(),
        column("level_db", REAL, "mean power of the ground's acceleration", unit=_DECIBEL),
        column("p05", REAL, "level that 5 % of the windows stay below", unit=_DECIBEL),
        column("p50", REAL, "median level", unit=_DECIBEL),
        column("p95", REAL, "level that 95 % of the windows stay below", unit=_DECIBEL),
        column("days", COUNT, "days of the period with a level", unit="d"),
    ),
    version=2,
)

NOISE_MAGNITUDES = TableSpec(
    name="noise_magnitudes",
    description="The noise magnitudes of a gravimeter over a day, a month, a year or all there is.",
    key=("stream", "component", "span", "period_start"),
    columns=(
        *_place(),
        *_period(),
        column("snm", REAL, "seismic noise magnitude, 200 to 600 s, of the quietest days", optional=True),
        column("snm_std", REAL, "its standard error, from how these days scatter", optional=True),
        column(
            "ssnm", REAL, "sub-seismic noise magnitude, 1 to 6 h, of the quietest runs of days", optional=True
        ),
        column("ssnm_daily", REAL, "the same of the quietest days less their polynomials", optional=True),
        column("tnm", REAL, "tidal noise magnitude, 6 to 30 h, of the quietest runs", optional=True),
        column("quiet", TEXTS, "the quietest days, as 2021-05-04"),
        column("runs", TEXTS, "first days of the quietest runs"),
        column("ranked_days", COUNT, "days that could be ranked", unit="d"),
        column("tide_factor", REAL, "recorded tide over the computed one, a median", optional=True),
        column("reason", TEXT, "why something is missing or left out", optional=True),
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
        column("longest_gap_s", SINGLE, "longest of them", unit="s"),
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
    version=2,
)

QUALITY_MONTHS = TableSpec(
    name="quality_months",
    description="The health of one component over a month, in the words of MUSTANG.",
    key=("stream", "component", "period_start"),
    columns=(
        *_place(),
        column("period_start", TIME, "first day of the month, at 00:00"),
        column("days", COUNT, "days with any sample", unit="d"),
        column("percent_availability", SINGLE, "samples there over those of the month", unit="%"),
        column("num_gaps", COUNT, "pieces that are missing on days that are there"),
        column("max_gap", SINGLE, "longest of them", unit="s"),
        column("num_overlaps", COUNT, "samples at which two sources of equal rank disagree"),
        column("num_spikes", COUNT, "samples that leap from their neighbours and back"),
        column("clipped", COUNT, "samples at the end of the digitiser's range"),
        column("windows", COUNT, "windows of power spectra"),
        column("windows_left_out", COUNT, "of those that no ground can have; see reason"),
        column("pct_below_nlnm", SINGLE, "levels below the NLNM, up to 1,000 s", unit="%", optional=True),
        column("pct_above_nhnm", SINGLE, "levels above the NHNM", unit="%", optional=True),
        column("dead_channel_gsn", FLAG, "whether it misses the microseisms", optional=True),
        column(
            "dead_channel_lin", SINGLE, "deviation of its mean from a straight line", unit="dB", optional=True
        ),
        column("verdict", TEXT, "good, suspect or bad"),
        column("reason", TEXT, "why it is not good", optional=True),
    ),
)

TRENDS = TableSpec(
    name="trends",
    description="How the noise of one component in one band changes, month by month.",
    key=("stream", "component", "band", "start"),
    columns=(
        *_place(),
        _band(),
        column("start", TIME, "start of the span"),
        column("end", TIME, "end of the span"),
        column("levels", COUNT, "months with a level"),
        column("slope_db_per_year", REAL, "Theil-Sen's slope", unit="dB/yr"),
        column("slope_low_db_per_year", REAL, "lower end of its interval of 95 %", unit="dB/yr"),
        column("slope_high_db_per_year", REAL, "upper end of it", unit="dB/yr"),
        column("p_value", REAL, "Mann-Kendall's, two-sided, with autocorrelation or season allowed for"),
        column("autocorrelation", REAL, "of lag one, where it was allowed for", optional=True),
        column("seasonal", FLAG, "whether each season was compared with itself alone"),
    ),
    version=2,
)

RISES_BEFORE = TableSpec(
    name="rises_before",
    description="What one component did over the weeks before a date, and how likely chance does as much.",
    key=("stream", "component", "band", "time"),
    columns=(
        *_place(),
        _band(),
        column("time", TIME, "the date, at 00:00"),
        column("days", COUNT, "length of the weeks before it", unit="d"),
        column("before_days", COUNT, "length of the time before them that they are compared with", unit="d"),
        column("latitude", REAL, "of the station", unit="°", optional=True),
        column("longitude", REAL, "of the station", unit="°", optional=True),
        column("rise_db", REAL, "median level of the weeks less that before", unit="dB", optional=True),
        column("scale_db", REAL, "deviation that the measure has at other dates", unit="dB", optional=True),
        column("p_value", REAL, "probability of as much by chance, at one station", optional=True),
        column("p_counted", REAL, "the same, counted at other dates", optional=True),
        column("p_corrected", REAL, "corrected for the number of stations", optional=True),
        column("found", FLAG, "whether that lies below the significance asked for"),
        column("reason", TEXT, "why there is no rise to tell", optional=True),
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
