"""Gravity files: read back by small readers of the formats; gaps; bytes; counts."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity_files import counts, ggp_bytes, tsf_bytes

FIRST_S = 1_577_836_797
HEADER = {
    "first_s": FIRST_S,
    "filename": "IGETS-SG-SEC-g1000-20200100.ggp",
    "station": "G1",
    "instrument": "synthetic",
    "latitude_deg": 48.33,
    "longitude_deg": -8.333,
    "height_m": 589.0,
}
VALUES = st.lists(st.one_of(st.just(np.nan), st.floats(-9000, 9000)), min_size=1, max_size=30)


def read_ggp(data):
    """Read PRETERNA's fixed columns: blocks of (times, gravity, pressure)."""
    lines = data.decode("ascii").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("C***")) + 1
    header = dict(line.split(":", 1) for line in lines[: start - 2])
    blocks, inside = [], False
    for line in lines[start:]:
        if line[:8] == "77777777":
            assert not inside
            inside = True
            assert [float(text) for text in line[8:].split()] == [0.0, 0.0]
            blocks.append([])
        elif line[:8] == "99999999":
            assert inside
            inside = False
        else:
            time = datetime.strptime(line[:15], "%Y%m%d %H%M%S").replace(tzinfo=UTC)
            blocks[-1].append((time.timestamp(), float(line[15:25]), float(line[25:35])))
    assert not inside
    return {key.strip(): value.strip() for key, value in header.items()}, blocks


def read_tsf(data):
    """Read TSoft's sections."""
    sections, name = {}, ""
    for line in data.decode("ascii").splitlines():
        if line.startswith("["):
            name, _, value = line[1:].partition("]")
            sections[name] = [value.strip()] if value.strip() else []
        elif line.strip():
            sections[name].append(line.strip())
    rows = [line.split() for line in sections["DATA"]]
    times = [datetime(*map(int, row[:6]), tzinfo=UTC).timestamp() for row in rows]
    samples = np.array([[float(text) for text in row[6:]] for row in rows])
    samples[samples == float(sections["UNDETVAL"][0])] = np.nan
    return sections, np.array(times), samples


@given(values=VALUES, step_s=st.integers(1, 60))
def test_ggp_comes_back(values, step_s):
    gravity = np.array(values)
    pressure = 1000 + np.arange(len(values)) / 10
    header, blocks = read_ggp(ggp_bytes(gravity, pressure, step_s=step_s, **HEADER))
    assert header["Station"] == "G1"
    assert float(header["E. Longitude (deg)"]) == -8.333
    there = np.flatnonzero(~np.isnan(gravity))
    rows = np.array([row for block in blocks for row in block]).reshape(-1, 3)
    np.testing.assert_array_equal(rows[:, 0], FIRST_S + there * step_s)
    np.testing.assert_allclose(rows[:, 1], gravity[there], atol=5.01e-4)
    np.testing.assert_allclose(rows[:, 2], pressure[there], atol=5.01e-4)
    # One block per run without a gap.
    assert len(blocks) == (len(there) > 0) + int((np.diff(there) > 1).sum())


@given(values=VALUES, step_s=st.integers(1, 60))
def test_tsf_comes_back(values, step_s):
    gravity = np.array(values)
    pressure = 1000 + np.arange(len(values)) / 10
    channels = [("gravity", "nm/s^2", gravity), ("pressure", "hPa", pressure)]
    data = tsf_bytes(channels, first_s=FIRST_S, site="G1", instrument="SG", step_s=step_s, comment="made")
    sections, times, samples = read_tsf(data)
    assert sections["TSF-file"] == ["v01.0"]
    assert sections["CHANNELS"] == ["G1:SG:gravity", "G1:SG:pressure"]
    assert sections["UNITS"] == ["nm/s^2", "hPa"]
    assert sections["INCREMENT"] == [str(step_s)]
    assert sections["COUNTINFO"] == [str(len(values))]
    np.testing.assert_array_equal(times, FIRST_S + step_s * np.arange(len(values)))
    np.testing.assert_allclose(samples, np.column_stack([gravity, pressure]), atol=5.01e-5)


def test_bytes_are_the_same_every_time_and_inputs_stay():
    gravity = np.linspace(-900, 900, 100)
    gravity.flags.writeable = False
    one, other = (ggp_bytes(gravity, gravity + 1000, **HEADER) for _ in range(2))
    assert one == other
    assert one.endswith(b"99999999\n")


def test_refusals():
    with pytest.raises(ConfigError, match="one length"):
        ggp_bytes(np.zeros(3), np.zeros(4), **HEADER)
    with pytest.raises(ConfigError, match="does not fit"):
        ggp_bytes(np.full(3, 1e6), np.zeros(3), **HEADER)
    with pytest.raises(ConfigError, match="at least one"):
        tsf_bytes([], first_s=0, site="", instrument="")
    with pytest.raises(ConfigError, match="32 bits"):
        counts(np.array([1e9]), nm_s2_per_count=0.1)
    with pytest.raises(ConfigError, match="missing"):
        counts(np.array([np.nan]), nm_s2_per_count=0.1)


@given(st.floats(1e-3, 10))
def test_counts_are_within_half_a_count(calibration):
    samples = np.linspace(-3000, 3000, 77)
    found = counts(samples, nm_s2_per_count=calibration)
    assert found.dtype == np.int32
    assert abs(found * calibration - samples).max() <= calibration * 0.5000001
