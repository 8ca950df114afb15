"""Which streams have noise, and which barometer is a gravimeter's."""

from __future__ import annotations

import pytest

from pipeline.keys import Stream
from workflows.noise.streams import barometer_of, is_barometer, is_gravimeter, is_ground


@pytest.mark.parametrize(
    ("code", "kinds"),
    [
        ("HH", (True, False, False)),
        ("EN", (True, False, False)),
        ("LGZ", (False, True, False)),
        ("LDI", (False, False, True)),
        ("BDF", (False, False, False)),  # infrasound: pressure, but not that of the weather
        ("LKO", (False, False, False)),
    ],
)
def test_kinds_of_streams(code: str, kinds: tuple[bool, bool, bool]) -> None:
    stream = Stream("XX", "AAA", "", code)
    assert (is_ground(stream), is_gravimeter(stream), is_barometer(stream)) == kinds


def test_a_barometer_is_of_the_station_and_no_microphone() -> None:
    names = ["XX.AAA..BDF", "XX.AAA.10.LDO", "XX.AAA..LDI", "XX.BBB..LDI"]
    streams = [Stream.parse(name) for name in names]
    assert str(barometer_of(Stream.parse("XX.AAA..LGZ"), streams)) == "XX.AAA..LDI"
    assert barometer_of(Stream.parse("XX.CCC..LGZ"), streams) is None
