"""Gravity files: read back by small readers of the formats; gaps; bytes."""

from __future__ import annotations

import numpy as np
import pytest
from gravity_texts import read_ggp, read_tsf
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.gravity_files import ggp_bytes, tsf_bytes

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


@given(values=VALUES, others=VALUES, step_s=st.integers(1, 60))
def test_ggp_comes_back(values, others, step_s):
    count = min(len(values), len(others))
    gravity, pressure = np.array(values[:count]), np.array(others[:count])
    header, blocks = read_ggp(ggp_bytes(gravity, pressure, step_s=step_s, **HEADER))
    assert header["Station"] == "G1"
    assert float(header["E. Longitude (deg)"]) == -8.333
    there = np.flatnonzero(~(np.isnan(gravity) & np.isnan(pressure)))
    rows = np.array([row for block in blocks for row in block]).reshape(-1, 3)
    np.testing.assert_array_equal(rows[:, 0], FIRST_S + there * step_s)
    np.testing.assert_allclose(rows[:, 1], gravity[there], atol=5.01e-4)
    np.testing.assert_allclose(rows[:, 2], pressure[there], atol=5.01e-4)
    # One block per run without a gap.
    assert len(blocks) == (len(there) > 0) + int((np.diff(there) > 1).sum())


@pytest.mark.parametrize("step_s", [1, 7, 3600])
def test_dates_change_at_midnight(step_s):
    samples = np.arange(min(200_000 // step_s, 15_000)) % 1000.0
    _, blocks = read_ggp(ggp_bytes(samples, samples, step_s=step_s, **HEADER))
    _, times, _ = read_tsf(
        tsf_bytes([("g", "nm/s^2", samples)], first_s=FIRST_S, site="", instrument="", step_s=step_s)
    )
    expected = FIRST_S + step_s * np.arange(len(samples))
    np.testing.assert_array_equal([row[0] for row in blocks[0]], expected)
    np.testing.assert_array_equal(times, expected)


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
