"""Day files: obspy, which did not write them, reads back every sample at its time."""

from __future__ import annotations

import datetime as dt
import io

import numpy as np
import obspy
import pytest

from pipeline.archive.readers import open_source
from pipeline.keys import Channel
from pipeline.synthetic.faults.spoiling import Trace
from pipeline.synthetic.records.sds import day_files

NS = 10**9
MIDNIGHT = 1_577_923_200 * NS  # 2020-01-02
DAY = dt.date(2020, 1, 2)


def make_trace(seconds: float = 7200, **more: object) -> Trace:
    samples = np.random.default_rng(2).integers(-9000, 9000, round(seconds * 20)).astype(np.int32)
    own = {"start_ns": MIDNIGHT - 3_600 * NS + 7 * NS, "rate_hz": 20.0} | more
    return Trace(channel=Channel.parse("SY.A.00.BHZ"), samples=samples, **own)


def test_nothing_is_lost_whatever_the_clock_says() -> None:
    trace = make_trace()  # begins an hour before midnight
    (file,) = day_files([trace], DAY, seed=1)
    (read,) = obspy.read(io.BytesIO(file.data))
    np.testing.assert_array_equal(read.data, trace.samples)
    assert (file.day, len(file.data) % 512) == (DAY, 0)
    assert read.stats.starttime.ns == trace.start_ns
    assert read.stats.mseed.encoding == "STEIM2"
    assert read.id == "SY.A.00.BHZ"


@pytest.mark.parametrize("quality", ["R", "D", "Q", "M"])
def test_quality_is_kept(quality: str) -> None:
    (file,) = day_files([make_trace(60, quality=quality)], DAY, seed=1)
    assert obspy.read(io.BytesIO(file.data))[0].stats.mseed.dataquality == quality


def test_shuffled_records_are_the_same_records() -> None:
    plain, shuffled, again, other = (
        day_files([make_trace(1800, is_shuffled=flag)], DAY, seed=seed)[0].data
        for flag, seed in ((False, 1), (True, 1), (True, 1), (True, 2))
    )
    assert shuffled == again
    assert len({plain, shuffled, other}) == 3
    rows = [np.frombuffer(data, np.uint8).reshape(-1, 512) for data in (plain, shuffled)]
    np.testing.assert_array_equal(*(np.unique(each, axis=0) for each in rows))
    (piece,), _ = open_source(shuffled, "x").read(-(2**62), 2**62)
    np.testing.assert_array_equal(piece.samples, make_trace(1800).samples)


def test_steps_too_large_for_steim_are_written_plain() -> None:
    trace = make_trace(60)
    samples = np.where(np.arange(len(trace.samples)) % 2, 2**31 - 1, -(2**31) + 1).astype(np.int32)
    wild = Trace(channel=trace.channel, samples=samples, start_ns=trace.start_ns, rate_hz=20.0)
    (file,) = day_files([wild], DAY, seed=1)
    np.testing.assert_array_equal(obspy.read(io.BytesIO(file.data))[0].data, samples)
