"""
Source files that a network might leave behind, and the three jobs that the chaos tests disturb.

========  ===============================================================================================
fresh     an archive is made
growth    new files for days that the archive has, while the old files are out of reach
changed   files are not what they were: other samples, other lengths, another type
========  ===============================================================================================

The files hold all that makes blocks depend on each other: three components in one stream, days that share a
shard, a file that straddles midnight and two blocks, overlaps that agree, disagree and outrank, an odd rate,
two rates in one file, padding that is noted, and a file whose ends do not show what stands in its middle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from miniseed_files import records

__all__ = ["JOBS", "Job", "Network"]

SECOND = 1_000_000_000
EDGE = dt.date(2020, 2, 1)
"""First day of the second block of 2020."""
PADDING = bytes(1024)


@dataclass(frozen=True)
class Job:
    """One ingest: the sources of the archive that it finds, what happens to them, and its own sources."""

    name: str
    before: tuple[str, ...]
    sources: tuple[str, ...]
    meanwhile: Callable[[Network], None] = lambda network: None


@dataclass(frozen=True)
class Network:
    """
    A folder of source files.

    Parameters
    ----------
    folder : Path
        Empty.
    fast_hz : float
        Rate of the three-component streams, 5 Hz or more: their shards are days.
    stations, days, slow_days : int
        How many of each; the days end with the first of the second block.
    seconds : float
        Length of a day's record.
    """

    folder: Path
    fast_hz: float
    stations: int
    days: int
    slow_days: int
    seconds: float

    def write(self) -> Network:
        """Write the files of ``fresh`` and of ``growth``."""
        for station in range(self.stations):
            for day in self._days(self.days):
                for component in "ZNE":
                    self._day(f"S{station:02d}", f"HH{component}", self.fast_hz, day, at_hour=6)
        for day in self._days(self.slow_days):
            for channel in ("LHZ", "LHN", "LHE", "VEP"):
                self._day("S00", channel, 1.0, day, at_hour=12, seconds=1500)
        self._midnight()
        self._overlaps()
        self._rates()
        self._middle()
        self._growth()
        return self

    def change(self) -> None:
        """Make some files of ``fresh`` other than they were."""
        day = EDGE - dt.timedelta(days=1)
        self._day("S00", "HHZ", self.fast_hz, day, at_hour=6, seed=99)
        self._day("S00", "HHN", self.fast_hz, day, at_hour=6, seconds=self.seconds / 2)
        self._day("S00", "LHZ", 1.0, day, at_hour=12, seconds=1500, seed=98)
        self._put("fresh/odd.mseed", self._odd("float32") + PADDING)

    def _days(self, count: int) -> Iterator[dt.date]:
        return (EDGE - dt.timedelta(days=back) for back in reversed(range(count)))

    def _day(
        self,
        station: str,
        channel: str,
        rate: float,
        day: dt.date,
        *,
        at_hour: float,
        seconds: float | None = None,
        **options: Any,
    ) -> None:
        name = f"fresh/XX.{station}..{channel}.D.{day:%Y.%j}"
        code = f"XX.{station}..{channel}"
        padding = PADDING if channel == "HHE" and day == EDGE else b""
        self._put(name, _record(code, rate, day, at_hour, seconds or self.seconds, **options) + padding)

    def _midnight(self) -> None:
        day = EDGE - dt.timedelta(days=1)
        self._put("fresh/midnight.mseed", _record("XX.S00..HHZ", self.fast_hz, day, 24 - 1 / 60, 120))

    def _overlaps(self) -> None:
        """Beside S00 on the day before: the same once more, something else, and something better."""
        day, rate = EDGE - dt.timedelta(days=1), self.fast_hz
        self._put("fresh/same.mseed", _record("XX.S00..HHN", rate, day, 6, self.seconds))
        self._put("fresh/else.mseed", _record("XX.S00..HHZ", rate, day, 6.001, self.seconds / 4, seed=7))
        self._put("fresh/better.mseed", _record("XX.S00..HHE", rate, day, 6.001, 9, seed=8, rank=3))

    def _rates(self) -> None:
        """Write an odd rate that drifts, and a file with two rates of one stream and something to note."""
        day = EDGE - dt.timedelta(days=1)
        self._put("fresh/odd.mseed", self._odd("int32"))
        both = _record("XX.S01..BHZ", 20.0, day, 3, 60) + _record("XX.S01..BHZ", 10.0, day, 4, 60)
        self._put("fresh/both.mseed", both + PADDING)

    def _odd(self, dtype: str) -> bytes:
        return b"".join(
            _record("XX.S01..MGZ", 1.85185206, EDGE, hour, 900, dtype=dtype) for hour in (0.5, 3, 20)
        )

    def _middle(self) -> None:
        """Write a file named after HHZ that has another stream, and a later day, between its ends."""
        inner = _record("XX.S02..BHZ", 10.0, EDGE - dt.timedelta(days=1), 5, 300)
        later = _record("XX.S02..HHZ", self.fast_hz, EDGE, 5, 60)
        first, last = (_record("XX.S02..HHZ", self.fast_hz, dt.date(2020, 1, 30), h, 300) for h in (2, 4))
        self._put("fresh/XX.S02..HHZ.D.2020.030", first + inner + later + last)

    def _growth(self) -> None:
        """Write what comes later: beside, over and better than what is there, and on a new day."""
        day, rate = EDGE - dt.timedelta(days=1), self.fast_hz
        self._put("growth/beside.mseed", _record("XX.S00..HHZ", rate, day, 9, self.seconds / 2))
        self._put("growth/over.mseed", _record("XX.S00..HHN", rate, day, 6.001, 30, seed=5))
        self._put("growth/better.mseed", _record("XX.S00..HHZ", rate, EDGE, 6.001, 30, seed=6, rank=4))
        self._put("growth/new.mseed", _record("XX.S00..HHE", rate, dt.date(2020, 2, 3), 6, 60))
        self._put("growth/slow.mseed", _record("XX.S00..LHZ", 1.0, day, 12.1, 60, seed=4, rank=4))
        self._put("growth/floats.mseed", _record("XX.S00..LHN", 1.0, day, 18, 60, dtype="float32"))

    def _put(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


JOBS = (
    Job("fresh", (), ("fresh",)),
    Job("growth", ("fresh",), ("growth",)),
    Job("changed", ("fresh",), ("fresh",), Network.change),
)


def _record(
    channel: str,
    rate: float,
    day: dt.date,
    hour: float,
    seconds: float,
    *,
    seed: int = 0,
    rank: int = 2,
    dtype: str = "int32",
) -> bytes:
    """Write a random walk that is the same for the same seed, wherever it begins: overlaps can agree."""
    start = (day - dt.date(1970, 1, 1)).days * 86400 * SECOND + round(hour * 3600) * SECOND
    random = np.random.default_rng([seed, *channel.encode(), day.toordinal()])
    samples = random.integers(-500, 500, round(seconds * rate)).cumsum().astype(dtype)
    encoding = "STEIM2" if dtype == "int32" else None
    return records(samples, start, rate, channel=channel, rank=rank, encoding=encoding)
