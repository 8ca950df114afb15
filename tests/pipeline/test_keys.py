"""Names of streams, station-days and blocks: what is formatted is what is parsed."""

from __future__ import annotations

import datetime as dt
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import KeyFormatError
from pipeline.keys import (
    Block,
    Channel,
    StationDay,
    Stream,
    blocks_between,
    blocks_per_year,
    days_in_year,
)

codes = st.text("ABCXYZabz0189_-", max_size=8)
streams = st.builds(Stream, codes, codes.filter(bool), codes, codes.filter(bool))
days = st.dates(dt.date(1900, 1, 1), dt.date(2199, 12, 31))
block_days = st.integers(8, 366)


@given(stream=streams, day=days)
def test_what_is_formatted_parses(stream: Stream, day: dt.date) -> None:
    assert Stream.parse(str(stream)) == stream
    key = StationDay(stream, day)
    assert StationDay.parse(str(key)) == key
    block = Block.of(stream, day)
    assert Block.parse(str(block)) == block
    assert pickle.loads(pickle.dumps((key, block))) == (key, block)


@given(day=days, length=block_days)
def test_each_day_is_in_one_block(day: dt.date, length: int) -> None:
    stream = Stream.parse("CI.CCC..HH")
    block = Block.of(stream, day, length)
    assert day in list(block.days(length))
    assert 1 <= block.number <= blocks_per_year(length)
    assert block.first_day(length).year == block.last_day(length).year == day.year


@given(year=st.integers(1900, 2199), length=block_days)
def test_the_blocks_of_a_year_hold_each_day_once(year: int, length: int) -> None:
    stream = Stream.parse("CI.CCC..HH")
    blocks = list(blocks_between(stream, dt.date(year, 1, 1), dt.date(year, 12, 31), length))
    held = [day for block in blocks for day in block.days(length)]
    assert held == [dt.date(year, 1, 1) + dt.timedelta(days=i) for i in range(days_in_year(year))]
    assert blocks == sorted(blocks)


@given(first=days, span=st.integers(-3, 900), length=block_days)
def test_blocks_between(first: dt.date, span: int, length: int) -> None:
    last = first + dt.timedelta(days=span)
    stream = Stream.parse("CI.CCC..HH")
    found = list(blocks_between(stream, first, last, length))
    every = (first + dt.timedelta(days=i) for i in range(span + 1))
    assert found == sorted({Block.of(stream, day, length) for day in every})


@pytest.mark.parametrize(
    ("channel", "stream", "slot"),
    [
        ("CI.CCC..HHZ", "CI.CCC..HH", 0),
        ("CI.CCC..HH3", "CI.CCC..HH", 0),
        ("CI.CCC.00.BNN", "CI.CCC.00.BN", 1),
        ("CI.CCC..ELE", "CI.CCC..EL", 2),
        ("7F.A01..DP1", "7F.A01..DP", 1),
        ("7F.A01..DP2", "7F.A01..DP", 2),
        ("CI.CCC..HHT", "CI.CCC..HHT", 0),
        ("CI.CCC..HHF", "CI.CCC..HHF", 0),
        ("CI.CCC..HDF", "CI.CCC..HDF", 0),
        ("NG.AQG..MGZ", "NG.AQG..MGZ", 0),
        ("NG.AQG..LOG", "NG.AQG..LOG", 0),
        ("XX.A..HZ", "XX.A..HZ", 0),
        ("XX.A..B_H_ZZ", "XX.A..B_H_ZZ", 0),
    ],
)
def test_channels_and_their_streams(channel: str, stream: str, slot: int) -> None:
    parsed = Channel.parse(channel)
    assert str(parsed) == channel
    assert (str(parsed.stream), parsed.slot) == (stream, slot)
    assert parsed.stream.channel(parsed.code) == parsed
    assert slot < len(parsed.stream.components)


@pytest.mark.parametrize(
    "text",
    ["", "CI", "CI.CCC.HH", "CI.CCC..HH.Z", "CI...HH", "CI.CCC..", "CI.C C..HH", "CI.C/C..HH", "CI.Ü..HH",
     "CI.CCC..HH\n", "CI.CCC..HH "],
)  # fmt: skip
def test_what_is_no_stream(text: str) -> None:
    with pytest.raises(KeyFormatError, match=r"stream|code"):
        Stream.parse(text)


@pytest.mark.parametrize("text", ["", "CI.CCC..HHZ.X", "CI..00.HHZ", "CI.CCC.00."])
def test_what_is_no_channel(text: str) -> None:
    with pytest.raises(KeyFormatError, match=r"as in 'CI\.CCC\.\.HHZ'"):
        Channel.parse(text)


@pytest.mark.parametrize(
    "text",
    ["CI.CCC..HH", "CI.CCC..HH/", "CI.CCC..HH/2020-13-01", "CI.CCC/2020-01-01", "CI.CCC..HH/2020-02-30"],
)
def test_what_is_no_station_day(text: str) -> None:
    with pytest.raises(KeyFormatError, match="should look like 'CI"):
        StationDay.parse(text)


@pytest.mark.parametrize(
    "text",
    ["CI.CCC..HH", "CI.CCC..HH/2020", "CI.CCC..HH/2020.3", "CI.CCC..HH/2020.00", "CI.CCC..HH/0000.01",
     "CI.CCC..HH/2020.03 ", "CI.CCC..HH/٢٠٢٠.٠٣", "x/2020.03"],
)  # fmt: skip
def test_what_is_no_block(text: str) -> None:
    with pytest.raises(KeyFormatError):
        Block.parse(text)
