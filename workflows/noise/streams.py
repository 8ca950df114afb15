"""Which streams have noise, by the instrument code of their channels."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.keys import Stream

__all__ = ["barometer_of", "is_barometer", "is_gravimeter", "is_ground"]

_GROUND = frozenset("HLNP")
_NO_BAROMETER = frozenset("FH")
"""Infrasound and hydrophones (SEED, appendix A): of pressure, but not down to that of weather."""


def is_ground(stream: Stream) -> bool:
    """
    Tell whether a stream is a seismometer's, an accelerometer's or a geophone's.

    >>> is_ground(Stream.parse("CI.CCC..HH")), is_ground(Stream.parse("GY.G01..LDI"))
    (True, False)
    """
    return _instrument(stream) in _GROUND


def is_gravimeter(stream: Stream) -> bool:
    """
    Tell whether a stream is a gravimeter's.

    >>> is_gravimeter(Stream.parse("GY.G01..LGZ"))
    True
    """
    return _instrument(stream) == "G" and len(stream.code) == 3


def is_barometer(stream: Stream) -> bool:
    """Tell whether a stream is air pressure."""
    return _instrument(stream) == "D" and len(stream.code) == 3 and stream.code[2] not in _NO_BAROMETER


def barometer_of(gravimeter: Stream, streams: Iterable[Stream]) -> Stream | None:
    """
    Find the barometer of a gravimeter: at the same station, before others with the same location code.

    >>> streams = [Stream.parse(text) for text in ("GY.G01.10.LDO", "GY.G01..LDI", "GY.G02..LDI")]
    >>> str(barometer_of(Stream.parse("GY.G01..LGZ"), streams))
    'GY.G01..LDI'
    """
    found = [
        stream
        for stream in streams
        if is_barometer(stream)
        and (stream.network, stream.station) == (gravimeter.network, gravimeter.station)
    ]
    return min(found, key=lambda stream: (stream.location != gravimeter.location, stream), default=None)


def _instrument(stream: Stream) -> str:
    return stream.code[1] if len(stream.code) >= 2 else ""
