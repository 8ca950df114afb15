"""Schemas as the design states them, the errors of a wrong table, and an order that only rows decide."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.tables import SCHEMAS, TABLES, check, description_of, empty, sort_rows, spec_of, unit_of

# docs/design.md, section 3, word by word; the families that it abbreviates are spelt out.
DESIGN = {
    "picks": "stream phase time time_std_s probability probability_std snr model weights",
    "detections": "stream start end probability probability_std",
    "matches": "template_id time correlation threshold streams",
    "events": "event_id time latitude longitude depth_km time_err_s cov_xx_km2 cov_xy_km2 cov_xz_km2"
    " cov_yy_km2 cov_yz_km2 cov_zz_km2 ellipsoid68_major_km ellipsoid68_intermediate_km ellipsoid68_minor_km"
    " ellipsoid68_azimuth_deg ellipsoid68_plunge_deg ellipsoid68_rotation_deg azimuthal_gap_deg rms_s phases"
    " stations magnitude magnitude_type magnitude_std magnitude_stations mw mw_std cluster quality method",
    "arrivals": "event_id stream phase pick_time residual_s weight distance_km azimuth_deg probability model"
    " weights amplitude_m_per_s snr",
    "station_magnitudes": "event_id stream type magnitude residual",
    "noise_levels": "stream component span period_start period_days band level_db p05 p50 p95 days",
    "noise_magnitudes": "stream component span period_start period_days snm snm_std ssnm ssnm_daily tnm"
    " quiet runs ranked_days tide_factor reason",
    "signal_classes": "streams time class log_likelihood membership",
    "faults": "stream components kind start end size",
    "magnitude_laws": "type b b_std minimum events",
    "signals": "stream components kind start end peak_m_per_s peak_nm_per_s2 snr",
    "steps": "stream time offset_nm_per_s2",
    "drifts": "stream time rate_nm_per_s2_per_day quadratic_nm_per_s2_per_day2",
}
UNIT_OF_ENDING = {
    "_km": "km",
    "_km2": "km²",
    "_m_per_s": "m/s",
    "_s": "s",
    "_deg": "°",
    "_counts": "counts",
    "_days": "d",
}


@pytest.mark.parametrize("name", DESIGN)
def test_columns_are_those_of_the_design(name: str) -> None:
    assert SCHEMAS[name].names == DESIGN[name].split()


@pytest.mark.parametrize("name", SCHEMAS)
def test_house_rules(name: str) -> None:
    spec = TABLES[name]
    assert spec.schema.equals(SCHEMAS[name], check_metadata=True)
    for field in SCHEMAS[name]:
        assert description_of(field)
        if pa.types.is_timestamp(field.type):
            assert field.type == pa.timestamp("ns", tz="UTC")
        endings = [ending for ending in UNIT_OF_ENDING if field.name.endswith(ending)]
        if endings:
            assert unit_of(field) == UNIT_OF_ENDING[max(endings, key=len)]
    assert empty(name).num_rows == 0
    assert check(empty(name), name).schema.equals(SCHEMAS[name], check_metadata=True)


def test_registry_is_read_only() -> None:
    with pytest.raises(TypeError):
        SCHEMAS["picks"] = pa.schema([])  # type: ignore[index]
    with pytest.raises(FormatError, match="no table is called 'pick'; there are picks, detections"):
        spec_of("pick")


def detections(**changes: object) -> pa.Table:
    """Two good rows, without any metadata, with some columns exchanged, added or (None) removed."""
    times = pa.array([1, 2], pa.timestamp("ns", tz="UTC"))
    columns = {
        "stream": pa.array(["CI.CCC..HH", "CI.CCC..HH"]),
        "start": times,
        "end": times,
        "probability": pa.array([0.5, None], pa.float32()),
        "probability_std": pa.array([None, None], pa.float32()),
    }
    columns.update(changes)  # type: ignore[arg-type]
    return pa.table({name: values for name, values in columns.items() if values is not None})


def test_check_passes() -> None:
    table = check(detections(), "detections")
    assert table.schema.equals(SCHEMAS["detections"], check_metadata=True)
    assert table.equals(detections().cast(SCHEMAS["detections"]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            detections(start=None),
            "table 'detections' lacks column 'start', which should be timestamp[ns, tz=UTC]",
        ),
        (
            detections(end=pa.array([1, 2], pa.timestamp("us", tz="UTC"))),
            "column 'end' of table 'detections' is timestamp[us, tz=UTC], but should be timestamp[ns,",
        ),
        (
            detections(end=pa.array([1, 2], pa.timestamp("ns"))),
            "column 'end' of table 'detections' is timestamp[ns], but should be timestamp[ns, tz=UTC]",
        ),
        (
            detections(probability=pa.array([0.5, 0.5])),
            "column 'probability' of table 'detections' is double, but should be float",
        ),
        (
            detections(snr=pa.array([1, 2])),
            "table 'detections' has the additional column 'snr' (int64); its columns should be stream,",
        ),
        (
            detections().select(["start", "stream", "end", "probability", "probability_std"]),
            "column 1 of table 'detections' is 'start' (timestamp[ns, tz=UTC]), but should be 'stream'",
        ),
        (
            pa.Table.from_arrays(
                [*detections().columns, pa.chunked_array([["a", "b"]])],
                names=[*detections().column_names, "stream"],
            ),
            "table 'detections' has the additional column 'stream' (string)",
        ),
        (
            detections(stream=pa.array(["CI.CCC..HH", None])),
            "column 'stream' of table 'detections' is null in 1 of 2 rows, where each should have a value",
        ),
    ],
)
def test_check_fails(table: pa.Table, message: str) -> None:
    with pytest.raises(FormatError, match=re.escape(message)):
        check(table, "detections")


def test_check_names_the_unit_of_what_is_missing() -> None:
    with pytest.raises(FormatError, match="lacks column 'residual_s', which should be float in s"):
        check(empty("arrivals").drop_columns(["residual_s"]), "arrivals")


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "template_id": st.sampled_from("ab"),
            "time": st.integers(0, 2),
            "correlation": st.sampled_from([0.25, 0.5, float("nan")]),
            "threshold": st.sampled_from([0.25, 0.5]),
            "streams": st.lists(st.sampled_from(["CI.CCC..HH", "CI.CCC..HN"]), max_size=2),
        }
    ),
    max_size=12,
)


@given(rows=ROWS, seed=st.integers(0, 100))
def test_order_depends_on_rows_alone(rows: list[dict[str, object]], seed: int) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMAS["matches"])
    shuffled = table.take(np.random.default_rng(seed).permutation(len(rows)))
    ordered = sort_rows(table, "matches")
    assert repr(sort_rows(shuffled, "matches").to_pylist()) == repr(ordered.to_pylist())
    keys = [(row["time"], row["template_id"]) for row in ordered.to_pylist()]
    assert keys == sorted(keys)
    assert sorted(map(repr, ordered.to_pylist())) == sorted(map(repr, table.to_pylist()))
