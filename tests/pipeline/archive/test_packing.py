"""Packing: the times of records are those that were asked for, also over midnights that had a leap second."""

from __future__ import annotations

import datetime as dt
from io import BytesIO

import numpy as np
import obspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive.packing import pack_records
from pipeline.archive.readers import open_source
from pipeline.keys import Channel

NS = 10**9
DAY_NS = 86_400 * NS
MIDNIGHT = int(dt.datetime(2017, 1, 1, tzinfo=dt.UTC).timestamp()) * NS
SAMPLES = np.random.default_rng(3).integers(-4000, 4000, 4000).astype(np.int32)


@pytest.mark.parametrize("version", [2, 3])
@given(
    before_ns=st.integers(0, 90 * NS),
    rate_hz=st.sampled_from([1.0, 25.0, 100.0]),
    midnight_ns=st.sampled_from([MIDNIGHT, MIDNIGHT + DAY_NS]),
)
def test_times_count_on_over_a_midnight(
    version: int, before_ns: int, rate_hz: float, midnight_ns: int
) -> None:
    """A clock that is late, or knows nothing of leap seconds: its records follow each other."""
    start_ns = midnight_ns - before_ns // 1000 * 1000
    data = pack_records(Channel.parse("SY.A..HHZ"), SAMPLES, start_ns, rate_hz, 2, version)
    pieces, problems = open_source(data, "a.mseed", None).read(start_ns - NS, start_ns + 2 * DAY_NS)
    assert problems == []
    assert [(piece.start_ns, piece.leap, piece.rate_hz) for piece in pieces] == [(start_ns, False, rate_hz)]
    np.testing.assert_array_equal(pieces[0].samples, SAMPLES)


def test_so_does_obspy_read_them() -> None:
    data = pack_records(Channel.parse("SY.A..HHZ"), SAMPLES, MIDNIGHT - 1_600_000, 100.0, 2)
    (trace,) = obspy.read(BytesIO(data))
    assert trace.stats.starttime.ns == MIDNIGHT - 1_600_000
    np.testing.assert_array_equal(trace.data, SAMPLES)
