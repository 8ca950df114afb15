"""The texts of the station and availability services, with what centres make of them."""

from __future__ import annotations

import pytest

from pipeline.errors import DamagedError
from pipeline.fdsn.availability import read_availability
from pipeline.fdsn.listing import read_listing
from pipeline.keys import Channel

LINE = "CI|CCC||HHZ|35.5|-117.4|670|0|0|-90|STS|6E8|1|M/S|100|{start}|{end}"
DAY = 18262  # 2020-01-01


def epochs(start: str, end: str) -> tuple[int, int]:
    [epoch] = read_listing(LINE.format(start=start, end=end).encode())
    return epoch.first_day, epoch.last_day


def test_epochs() -> None:
    assert epochs("2020-01-01T00:00:00", "2020-01-02T00:00:00.0000") == (DAY, DAY)
    assert epochs("2020-01-01T12:00:00Z", "2020-01-02T00:00:01") == (DAY, DAY + 1)
    assert epochs("2020-01-01T00:00:00", "")[1] > 2_900_000
    assert epochs("2020-01-01T00:00:00", "2599-12-31T23:59:59")[1] > 200_000


def test_a_listing() -> None:
    text = "\n".join(
        [
            "#Network | Station | Location | ...",
            "IU|ANMO|00|LHZ|34|-106|1800|0|0|-90|Streckeisen | STS-6A|2E9|0.02|m/s|1.0|2018-07-09T20:45:00|",
            "IU|ANMO|--|LOG|34|-106|1800|0|0|-90||||||2018-07-09T20:45:00|",
            LINE.format(start="2020-01-01T00:00:00", end=""),
            "",
        ]
    )
    listed = read_listing(text.encode())
    assert [(str(epoch.channel), epoch.rate_hz) for epoch in listed] == [
        ("CI.CCC..HHZ", 100.0),
        ("IU.ANMO.00.LHZ", 1.0),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE html>",
        LINE.format(start="2020-01-01T00:00:00", end="")[:60],
        LINE.format(start="yesterday", end=""),
        LINE.format(start="2020-01-01T00:00:00", end="").replace("CCC", "C/C"),
    ],
)
def test_what_is_no_listing(text: str) -> None:
    with pytest.raises(DamagedError, match="not a line of the station service"):
        read_listing(text.encode())


def test_availability() -> None:
    text = """mergegaps=86400
#comment
CI CCC -- HHZ 2020-01-01T00:00:00.000000Z 2020-01-02T00:00:00.000000Z
CI CCC HHZ 2020-01-05T12:00:00 2020-01-06T00:00:00.01
IU ANMO 00 LHZ 2020-01-01T00:00:00 2020-01-01T00:00:00
"""
    found = read_availability(text.encode())
    assert found == {
        Channel.parse("CI.CCC..HHZ"): {DAY, DAY + 4, DAY + 5},
        Channel.parse("IU.ANMO.00.LHZ"): {DAY},
    }


@pytest.mark.parametrize("text", ["<html>", "CI CCC -- HHZ 2020-01-01T00:00:00 2020-01-0", "a b c d e f g"])
def test_what_is_no_availability(text: str) -> None:
    with pytest.raises(DamagedError, match="not a line of the availability service"):
        read_availability(text.encode())
