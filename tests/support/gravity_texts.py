"""Small readers of `.ggp` and `.tsf`, written from the formats and not from what writes them."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def read_ggp(data: bytes) -> tuple[dict[str, str], list[list[tuple[float, float, float]]]]:
    """Read PRETERNA's fixed columns: a header, and blocks of (time, gravity, pressure); NaN for none."""
    lines = data.decode("ascii").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("C***")) + 1
    header = dict(line.split(":", 1) for line in lines[: start - 2])
    blocks: list[list[tuple[float, float, float]]] = []
    inside = False
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
            gravity, pressure = (
                np.nan if text.strip() == "99999.999" else float(text) for text in (line[15:25], line[25:35])
            )
            blocks[-1].append((time.timestamp(), gravity, pressure))
    assert not inside
    return {key.strip(): value.strip() for key, value in header.items()}, blocks


def read_tsf(data: bytes) -> tuple[dict[str, list[str]], Floats, Floats]:
    """Read TSoft's sections: all of them, times, and samples (times, channels); NaN for none."""
    sections: dict[str, list[str]] = {}
    name = ""
    for line in data.decode("ascii").splitlines():
        if line.startswith("["):
            name, _, value = line[1:].partition("]")
            sections[name] = [value.strip()] if value.strip() else []
        elif line.strip():
            sections[name].append(line.strip())
    rows = [line.split() for line in sections["DATA"]]
    times = [datetime(*map(int, row[:6]), tzinfo=UTC).timestamp() for row in rows]  # type: ignore[misc,arg-type]
    samples = np.array([[float(text) for text in row[6:]] for row in rows])
    samples[samples == float(sections["UNDETVAL"][0])] = np.nan
    return sections, np.array(times), samples
