"""
A gravimeter's samples as the bytes of the files that gravimetrists exchange: `.ggp` and `.tsf`.

::

    Filename            : g1.ggp                  [TSF-file] v01.0
    Station             : ...                     [UNDETVAL] 9999.999
    ...                                           [TIMEFORMAT] DATETIME
    yyyymmdd hhmmss gravity(nm/s**2) pressure(hPa)   [INCREMENT] 1
    C*******************                          [CHANNELS] [UNITS] [COUNTINFO] ...
    77777777         0.000     0.000              [DATA]
    20200101 000000    12.345  1013.210           2020 01 01  00 00 00    12.3450  1013.2100
    99999999

Formats: `.ggp` as in Voigt et al. (2016, GFZ Scientific Technical Report 16/08, section 9) and in GGP's own
description of 2011, which are PRETERNA's blocks: a block runs from 77777777 to 99999999, and a gap ends it.
Where one column alone lacks a sample, 99999.999 stands for it, as in the files of IGETS. The numbers after
77777777 are offsets that were found by analysis, to be added to a block: files as recorded have none, and
steps stay in their samples.
`.tsf` as in the manual of TSoft (Van Camp & Vauterin 2005), where a value that stands for none fills a gap.
The same samples give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["GravityFormat", "ggp_bytes", "tsf_bytes"]

GravityFormat = Literal["mseed", "ggp", "tsf"]

_DAY_S = 86_400
_UNDETERMINED = 9999.999
_MISSING = 99_999.999


@lru_cache(maxsize=4)
def _times_of_day(form: str) -> tuple[str, ...]:
    """Write every second of a day: a year of files needs the same 86,400 texts."""
    midnight = datetime(1970, 1, 1, tzinfo=UTC)
    return tuple(f"{midnight + timedelta(seconds=second):{form}}" for second in range(_DAY_S))


def _clock(first_s: int, samples: int, step_s: int, date_form: str, time_form: str) -> list[str]:
    """Write the times of samples."""
    times = _times_of_day(time_form)
    texts: list[str] = []
    stop_s = first_s + samples * step_s
    while first_s < stop_s:
        day, second = divmod(first_s, _DAY_S)
        date = f"{datetime.fromtimestamp(day * _DAY_S, tz=UTC):{date_form}}"
        today = times[second : second + stop_s - first_s : step_s]
        texts += [date + time for time in today]
        first_s += len(today) * step_s
    return texts


def _columns(*columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    arrays = tuple(np.asarray(column, dtype=np.float64) for column in columns)
    if len({array.shape for array in arrays}) != 1 or arrays[0].ndim != 1:
        raise ConfigError(f"columns must be of one length, but have {[array.shape for array in arrays]}")
    return arrays


def ggp_bytes(
    gravity_nm_s2: NDArray[np.float64],
    pressure_hpa: NDArray[np.float64],
    *,
    first_s: int,
    filename: str,
    station: str,
    instrument: str,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float,
    step_s: int = 1,
    author: str = "stationday",
) -> bytes:
    """
    Return a `.ggp` file.

    Parameters
    ----------
    gravity_nm_s2, pressure_hpa : ndarray, shape (samples,)
        A line where both are missing (NaN) is left out, and a new block begins after it; where one is,
        99999.999 stands for it.
    first_s : int
        Seconds since 1970 UTC.
    filename, station, instrument, author : str
        For the header.
    latitude_deg, longitude_deg, height_m : float
    step_s : int
        From sample to sample.

    Returns
    -------
    bytes

    Raises
    ------
    ConfigError
        Where the columns differ in length, or a value is too great for them.

    Examples
    --------
    >>> text = ggp_bytes(
    ...     np.array([1.0, np.nan, np.nan, 2.0]), np.array([1013.0, 1013.0, np.nan, 1013.0]), first_s=0,
    ...     filename="g.ggp", station="G1", instrument="SG",
    ...     latitude_deg=48.3, longitude_deg=8.3, height_m=589.0,
    ... ).decode()
    >>> print(text[text.index("777"):], end="")
    77777777            0.000     0.000
    19700101 000000     1.000  1013.000
    19700101 000001 99999.999  1013.000
    99999999
    77777777            0.000     0.000
    19700101 000003     2.000  1013.000
    99999999
    """
    gravity, pressure = _columns(gravity_nm_s2, pressure_hpa)
    if (np.abs(gravity) >= 99_999).any() or (np.abs(pressure) >= 99_999).any():
        raise ConfigError("a value of 99999 or more does not fit the columns of a .ggp file")
    header = (
        ("Filename", filename),
        ("Station", station),
        ("Instrument", instrument),
        ("N. Latitude (deg)", f"{latitude_deg:.5f}"),
        ("E. Longitude (deg)", f"{longitude_deg:.5f}"),
        ("Elevation MSL (m)", f"{height_m:.3f}"),
        ("Author", author),
    )
    lines = [f"{name:<20}: {value}" for name, value in header]
    lines += ["yyyymmdd hhmmss gravity(nm/s**2) pressure(hPa)", "C" + "*" * 35]
    there = ~(np.isnan(gravity) & np.isnan(pressure))
    gravity, pressure = (np.where(np.isnan(column), _MISSING, column) for column in (gravity, pressure))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2).tolist():
        clock = _clock(first_s + begin * step_s, end - begin, step_s, "%Y%m%d ", "%H%M%S")
        rows = zip(clock, gravity[begin:end].tolist(), pressure[begin:end].tolist(), strict=True)
        lines.append(f"{'77777777':<15}{0.0:10.3f}{0.0:10.3f}")
        lines.extend("%s%10.3f%10.3f" % row for row in rows)  # noqa: UP031 - twice as fast
        lines.append("99999999")
    return ("\n".join(lines) + "\n").encode("ascii")


def tsf_bytes(
    channels: Sequence[tuple[str, str, NDArray[np.float64]]],
    *,
    first_s: int,
    site: str,
    instrument: str,
    step_s: int = 1,
    decimals: int = 4,
    comment: str = "",
) -> bytes:
    """
    Return a `.tsf` file.

    Parameters
    ----------
    channels : sequence of (str, str, ndarray)
        Name, unit and samples of each; NaN where one is missing.
    first_s : int
        Seconds since 1970 UTC.
    site, instrument : str
        Stand before a channel's name.
    step_s : int
        From sample to sample.
    decimals : int
    comment : str

    Returns
    -------
    bytes

    Examples
    --------
    >>> channel = ("gravity", "nm/s^2", np.array([1.5, np.nan]))
    >>> text = tsf_bytes([channel], first_s=0, site="G1", instrument="SG")
    >>> print(text.decode()[-66:], end="")
    1970 01 01  00 00 00      1.5000
    1970 01 01  00 00 01   9999.9990
    """
    if not channels:
        raise ConfigError("a .tsf file needs at least one channel")
    columns = _columns(*(samples for _, _, samples in channels))
    filled = [np.where(np.isnan(column), _UNDETERMINED, column).tolist() for column in columns]
    lines = ["[TSF-file] v01.0", "", f"[UNDETVAL] {_UNDETERMINED}", "", "[TIMEFORMAT] DATETIME", ""]
    lines += [f"[INCREMENT] {step_s}", "", "[CHANNELS]"]
    lines += [f"  {site}:{instrument}:{name}" for name, _, _ in channels]
    lines += ["", "[UNITS]", *(f"  {unit}" for _, unit, _ in channels), "", "[COMMENT]", f"  {comment}", ""]
    lines += [f"[COUNTINFO] {len(columns[0])}", "", "[DATA]"]
    form = "%s" + f" %{decimals + 7}.{decimals}f" * len(channels)
    clock = _clock(first_s, len(columns[0]), step_s, "%Y %m %d  ", "%H %M %S")
    lines += [form % row for row in zip(clock, *filled, strict=True)]
    return ("\n".join(lines) + "\n").encode("ascii")
