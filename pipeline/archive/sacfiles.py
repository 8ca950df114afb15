"""
SAC: a file for each contiguous run of a channel and day, with where its sensor stood and how it pointed.

The reference time has milliseconds and B what is left of the first sample's time, which single precision
holds to 0.1 ns. Version 7 repeats the spacing and B in double precision behind the samples. SAC holds samples
in single precision alone: a run that it can't hold exactly is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DayGrid
from pipeline.archive.reading import Archive
from pipeline.archive.runs import ExactRun, exact_runs
from pipeline.archive.stations import ChannelEpoch, Place, Stations
from pipeline.keys import Channel, Stream

__all__ = ["NamedFile", "Refusal", "pack_sac", "sac_files", "sac_path"]

_UNDEFINED = -12345
_FLOATS, _WHOLES = 70, 40
(
    _DELTA,
    _LEAST,
    _MOST,
    _BEGIN,
    _END,
    _LATITUDE,
    _LONGITUDE,
    _ELEVATION,
    _DEPTH,
    _MEAN,
    _AZIMUTH,
    _INCIDENCE,
) = (0, 1, 2, 5, 6, 31, 32, 33, 34, 56, 57, 58)  # words of four bytes
_VERSION, _SAMPLES, _TYPE, _QUANTITY, _REFERENCE, _IS_EVEN, _POLARITY, _MAY_OVERWRITE, _DISTANCES = (
    6,
    9,
    15,
    16,
    17,
    35,
    36,
    37,
    38,
)  # after the first 70
_TIME_SERIES, _UNKNOWN = 1, 5
_TEXTS = (8, 16) + (8,) * 21
_STATION, _HOLE, _COMPONENT, _NETWORK = 0, 2, 19, 20
_DOUBLES = 22
_DOUBLE_LONGITUDE, _DOUBLE_LATITUDE = 18, 19
_EXACT_BELOW = 1 << 24
_MS_NS = 1_000_000
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A whole file, and its path below a folder."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    A run of samples that a format can't hold.

    Parameters
    ----------
    channel, start_ns, samples : Channel, int, int
        Which, from when, and how many.
    reason : str
        Why: worded equally where it is the same.
    """

    channel: Channel
    start_ns: int
    samples: int
    reason: str


def sac_files(
    archive: Archive, stream: Stream, grid: DayGrid, row: DayRow, *, version: int = 6
) -> Iterator[NamedFile | Refusal]:
    """
    Iterate over the SAC files of a station-day.

    Parameters
    ----------
    archive : Archive
        Where the samples and the stations are.
    stream, grid, row : Stream, DayGrid, DayRow
        Which day.
    version : int
        Of SAC, 6 or 7.

    Yields
    ------
    NamedFile or Refusal
    """
    n = grid.samples_per_day
    for run in exact_runs(archive, stream, grid, row, row.day * n, (row.day + 1) * n):
        reason = _reason_against(run)
        if reason:
            yield Refusal(run.channel, run.start_ns, len(run.samples), reason)
        else:
            yield NamedFile(
                sac_path(run.channel, run.start_ns), pack_sac(run, archive.stations, version=version)
            )


def sac_path(channel: Channel, start_ns: int) -> str:
    """
    Return the path of a SAC file: year, day of year, time and microseconds of its first sample.

    >>> sac_path(Channel.parse("CX.PB01..HHZ"), 1_398_902_400_008_390_000)
    '2014/CX/PB01/CX.PB01..HHZ.2014.121.000000.008390.sac'
    """
    moment = _EPOCH + dt.timedelta(microseconds=start_ns // 1000)
    folder = f"{moment.year:04d}/{channel.network}/{channel.station}"
    return f"{folder}/{channel}.{moment:%Y.%j.%H%M%S.%f}.sac"


def pack_sac(run: ExactRun, stations: Stations | None = None, *, version: int = 6) -> bytes:
    """
    Pack a run into SAC, little-endian.

    Parameters
    ----------
    run : ExactRun
        Whose samples single precision holds.
    stations : Stations, optional
        Where the sensor stood, and how it pointed, at the run's first sample.
    version : int
        6, or 7 with a spacing in double precision.

    Examples
    --------
    >>> run = ExactRun(Channel.parse("CX.PB01..HHZ"), 8_390_000, 100.0, np.arange(3, dtype=np.int32))
    >>> data = pack_sac(run)
    >>> len(data), np.frombuffer(data, "<f4", 1).tolist(), data[440:448]
    (644, [0.009999999776482582], b'PB01    ')
    """
    samples = run.samples.astype("<f4")
    reference_ns = run.start_ns // _MS_NS * _MS_NS
    begin_s, delta_s = (run.start_ns - reference_ns) / 1e9, 1 / run.rate_hz
    end_s = begin_s + (len(samples) - 1) * delta_s
    epoch = None if stations is None else stations.find(run.channel, run.start_ns)
    place = None if stations is None else stations.place(run.channel, run.start_ns)
    floats = _floats(samples, (delta_s, begin_s, end_s), epoch, place)
    header = floats.tobytes() + _wholes(reference_ns, len(samples), version).tobytes() + _texts(run.channel)
    if version == 6:
        return header + samples.tobytes()
    return header + samples.tobytes() + _doubles((delta_s, begin_s, end_s), place).tobytes()


def _reason_against(run: ExactRun) -> str:
    """Say why single precision, or SAC's notion of time, can't hold a run; nothing where it can."""
    channel = run.channel
    if max(map(len, (channel.network, channel.station, channel.location, channel.code))) > _TEXTS[0]:
        return f"SAC can't hold codes of more than {_TEXTS[0]} characters"
    if run.is_leap:
        return "SAC can't tell samples in a leap second from those in the first second of the next day"
    with np.errstate(over="ignore"):
        single = run.samples.astype(np.float32).astype(np.float64)
    if np.array_equal(single, run.samples, equal_nan=True):
        return ""
    if run.samples.dtype == np.int32:
        return f"SAC's single precision can't hold counts beyond {_EXACT_BELOW} (2^24)"
    return "SAC's single precision can't hold samples in double precision"


def _floats(
    samples: np.ndarray,
    line: tuple[float, float, float],
    epoch: ChannelEpoch | None,
    place: Place | None,
) -> np.ndarray:
    floats = np.full(_FLOATS, _UNDEFINED, dtype="<f4")
    floats[[_DELTA, _BEGIN, _END]] = line
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        floats[[_LEAST, _MOST, _MEAN]] = samples.min(), samples.max(), samples.mean(dtype=np.float64)
    if place is not None:
        floats[[_LATITUDE, _LONGITUDE]] = place.latitude_deg, place.longitude_deg
        floats[_ELEVATION] = place.elevation_m
        floats[_DEPTH] = _UNDEFINED if place.depth_m is None else place.depth_m
    if epoch is not None and epoch.azimuth_deg is not None:
        floats[_AZIMUTH] = epoch.azimuth_deg
    if epoch is not None and epoch.dip_deg is not None:
        floats[_INCIDENCE] = epoch.dip_deg + 90  # from the vertical, not from the horizontal
    return floats


def _wholes(reference_ns: int, samples: int, version: int) -> np.ndarray:
    wholes = np.full(_WHOLES, _UNDEFINED, dtype="<i4")
    moment = _EPOCH + dt.timedelta(milliseconds=reference_ns // _MS_NS)
    wholes[:_VERSION] = (
        *(moment.year, moment.timetuple().tm_yday, moment.hour, moment.minute, moment.second),
        moment.microsecond // 1000,
    )
    wholes[_VERSION], wholes[_SAMPLES] = version, samples
    wholes[_TYPE] = _TIME_SERIES
    wholes[[_QUANTITY, _REFERENCE]] = _UNKNOWN
    wholes[[_IS_EVEN, _MAY_OVERWRITE, _DISTANCES]] = 1
    wholes[[_POLARITY, 39]] = 0
    return wholes


def _texts(channel: Channel) -> bytes:
    texts = [str(_UNDEFINED)] * len(_TEXTS)
    texts[_STATION], texts[_NETWORK], texts[_COMPONENT] = channel.station, channel.network, channel.code
    texts[_HOLE] = channel.location or str(_UNDEFINED)
    return b"".join(text.encode("ascii")[:size].ljust(size) for text, size in zip(texts, _TEXTS, strict=True))


def _doubles(line: tuple[float, float, float], place: Place | None) -> np.ndarray:
    doubles = np.full(_DOUBLES, _UNDEFINED, dtype="<f8")
    doubles[:3] = line
    if place is not None:
        doubles[_DOUBLE_LONGITUDE], doubles[_DOUBLE_LATITUDE] = place.longitude_deg, place.latitude_deg
    return doubles
