"""Tables of an earthquake catalog: events, their arrivals and their station magnitudes."""

from __future__ import annotations

from pipeline.tables.spec import COUNT, REAL, SINGLE, TEXT, TIME, TableSpec, column

__all__ = ["ARRIVALS", "EVENTS", "STATION_MAGNITUDES"]

_COVARIANCE = tuple(
    column(f"cov_{pair}_km2", REAL, f"covariance of the position, {meaning}", unit="km²", optional=True)
    for pair, meaning in (
        ("xx", "east with east"),
        ("xy", "east with north"),
        ("xz", "east with down"),
        ("yy", "north with north"),
        ("yz", "north with down"),
        ("zz", "down with down"),
    )
)

# The six numbers of a QuakeML ConfidenceEllipsoid.
_ELLIPSOID = tuple(
    column(f"ellipsoid68_{name}", SINGLE, f"68 % ellipsoid: {meaning}", unit=unit, optional=True)
    for name, meaning, unit in (
        ("major_km", "half of its longest axis", "km"),
        ("intermediate_km", "half of its middle axis", "km"),
        ("minor_km", "half of its shortest axis", "km"),
        ("azimuth_deg", "direction of the longest axis, clockwise from north", "°"),
        ("plunge_deg", "dip of the longest axis, positive down", "°"),
        ("rotation_deg", "rotation about the longest axis", "°"),
    )
)

EVENTS = TableSpec(
    name="events",
    description="One earthquake: when, where and how large.",
    key=("time", "event_id"),
    columns=(
        column("event_id", TEXT, "hash of its sorted picks"),
        column("time", TIME, "origin time"),
        column("latitude", REAL, "epicentre, WGS 84", unit="°"),
        column("longitude", REAL, "epicentre, WGS 84", unit="°"),
        column("depth_km", REAL, "depth below sea level, positive down", unit="km", optional=True),
        column("time_err_s", SINGLE, "standard error of the origin time", unit="s", optional=True),
        *_COVARIANCE,
        *_ELLIPSOID,
        column(
            "azimuthal_gap_deg", SINGLE, "largest gap in azimuth between stations", unit="°", optional=True
        ),
        column("rms_s", SINGLE, "weighted root mean square of the residuals", unit="s", optional=True),
        column("phases", COUNT, "arrivals used in the location", optional=True),
        column("stations", COUNT, "stations used in the location", optional=True),
        column("magnitude", SINGLE, "preferred magnitude", optional=True),
        column("magnitude_type", TEXT, "its type, as ML", optional=True),
        column("magnitude_std", SINGLE, "its standard error", optional=True),
        column("magnitude_stations", COUNT, "stations that it is made of", optional=True),
        column("mw", SINGLE, "moment magnitude", optional=True),
        column("mw_std", SINGLE, "its standard error", optional=True),
        column("cluster", COUNT, "number of the relocation cluster", optional=True),
        column("quality", TEXT, "class of the location, A (best) to D", optional=True),
        column("method", TEXT, "how it was located last", optional=True),
    ),
)

ARRIVALS = TableSpec(
    name="arrivals",
    description="One pick of one event.",
    key=("event_id", "pick_time", "stream", "phase"),
    columns=(
        column("event_id", TEXT, "the event that it belongs to"),
        column("stream", TEXT, "stream, as CI.CCC..HH"),
        column("phase", TEXT, "P or S"),
        column("pick_time", TIME, "the pick's time"),
        column("residual_s", SINGLE, "observed minus computed travel time", unit="s", optional=True),
        column("weight", SINGLE, "weight in the location, 0 where it was not used", optional=True),
        column("distance_km", SINGLE, "distance from the epicentre", unit="km", optional=True),
        column("azimuth_deg", SINGLE, "azimuth from epicentre to station", unit="°", optional=True),
        column("probability", SINGLE, "the pick's probability, 0 to 1", optional=True),
        column("model", TEXT, "the pick's picker, or analyst, or truth"),
        column("weights", TEXT, "digest of the picker's weights", optional=True),
        column(
            "amplitude_m_per_s",
            SINGLE,
            "peak ground velocity, 1 to 20 Hz, in the second after the pick",
            unit="m/s",
            optional=True,
        ),
        column("snr", SINGLE, "that peak over the RMS of the 5 s before the pick", optional=True),
    ),
    version=2,
)

STATION_MAGNITUDES = TableSpec(
    name="station_magnitudes",
    description="The magnitude of one event at one stream.",
    key=("event_id", "stream", "type"),
    columns=(
        column("event_id", TEXT, "the event that it belongs to"),
        column("stream", TEXT, "stream, as CI.CCC..HH"),
        column("type", TEXT, "type of the magnitude, as ML"),
        column("magnitude", SINGLE, "magnitude with the station's correction"),
        column("residual", SINGLE, "station magnitude minus the event's", optional=True),
    ),
)
