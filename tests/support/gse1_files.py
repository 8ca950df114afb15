"""Write GSE 1 for tests, by the layout of its lines: with nothing of the code under test."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import numpy as np

_CHARACTERS = "+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def gse1_bytes(
    samples: Any,
    start_ns: int,
    rate_hz: float,
    *,
    station: str = "G01",
    channel: str = "LZ",
    encoding: Literal["INTV", "CMP6"] = "INTV",
) -> bytes:
    """Lay out one section; times are stated to a millisecond."""
    whole = dt.datetime.fromtimestamp(start_ns // 10**9, dt.UTC)
    of_day = f"{whole:%Y%j %H %M %S} {start_ns // 10**6 % 1000:03d}"
    order = {"INTV": 0, "CMP6": 2}[encoding]
    values = [int(value) for value in samples]
    text = _numbers(values) if encoding == "INTV" else _six_bits(values)
    rest = abs(sum(values)) % 100_000_000 * (1 if sum(values) >= 0 else -1)
    named = f"{station:6s} {station + channel:8s} {channel:>2s}"
    lines = (
        "XW01",
        "",
        f"WID1  {of_day} {len(values):8d} {named} {rate_hz:11.7f} {'':6s} {encoding} {order}",
        " 1.0000000 1.0000   48.3000    8.3000  589.0000 -999.0000   -1.00   -1.00   -1.0",
        "DAT1",
        text,
        f"CHK1 {rest:12d}",
        "",
    )
    return "\n".join(lines).encode()


def _numbers(values: list[int]) -> str:
    rows = (values[at : at + 8] for at in range(0, len(values), 8))
    return "\n".join(" " + " ".join(map(str, row)) for row in rows)


def _six_bits(values: list[int]) -> str:
    """Write second differences, five bits to a character and four to the first, which has the sign."""
    twice = np.diff(np.diff(np.array([0, 0, *values], dtype=object))).tolist()
    text = "".join(map(_number, twice))
    return "\n".join(text[at : at + 80] for at in range(0, len(text), 80))


def _number(value: int) -> str:
    rest, fives = abs(value), []
    while rest > 15:
        fives.append(rest & 31)
        rest >>= 5
    codes = [rest | (16 if value < 0 else 0), *reversed(fives)]
    return "".join(
        _CHARACTERS[code | (32 if more else 0)]
        for code, more in zip(codes, [1] * len(fives) + [0], strict=True)
    )
