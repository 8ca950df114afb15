"""Tables of what is found on the records of single streams: picks, detections and template matches."""

from __future__ import annotations

from pipeline.tables.spec import REAL, SINGLE, TEXT, TEXTS, TIME, TableSpec, column

__all__ = ["DETECTIONS", "MATCHES", "PICKS"]

PICKS = TableSpec(
    name="picks",
    description="One phase arrival at one stream.",
    key=("stream", "time", "phase"),
    columns=(
        column("stream", TEXT, "stream, as CI.CCC..HH"),
        column("phase", TEXT, "P or S"),
        column("time", TIME, "arrival, through the clock of its segment"),
        column(
            "time_std_s",
            SINGLE,
            "spread of the arrival over the passes of MC dropout",
            unit="s",
            optional=True,
        ),
        column("probability", SINGLE, "probability of the phase at its peak, 0 to 1", optional=True),
        column("probability_std", SINGLE, "spread of the probability over the passes", optional=True),
        column(
            "snr", SINGLE, "signal after the pick over noise before it, ratio of amplitudes", optional=True
        ),
        column("model", TEXT, "name of the picker, or analyst, or truth"),
        column("weights", TEXT, "digest of the picker's weights", optional=True),
    ),
)

DETECTIONS = TableSpec(
    name="detections",
    description="One span in which a stream records an earthquake.",
    key=("stream", "start", "end"),
    columns=(
        column("stream", TEXT, "stream, as CI.CCC..HH"),
        column("start", TIME, "first time above the threshold"),
        column("end", TIME, "last time above the threshold"),
        column("probability", SINGLE, "largest probability in the span, 0 to 1", optional=True),
        column("probability_std", SINGLE, "its spread over the passes of MC dropout", optional=True),
    ),
)

MATCHES = TableSpec(
    name="matches",
    description="One time at which the network's records resemble a template.",
    key=("time", "template_id"),
    columns=(
        column("template_id", TEXT, "event_id of the template"),
        column("time", TIME, "origin time of the match"),
        column("correlation", REAL, "correlation coefficient, mean over the streams, -1 to 1"),
        column("threshold", REAL, "the value that it had to pass on that day"),
        column("streams", TEXTS, "the streams that took part"),
    ),
)
