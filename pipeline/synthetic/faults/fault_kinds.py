"""
Kinds of faults: what each does, what its size means, and which ones make sense.

What they do to records stands in `pipeline.synthetic.faults.spoiling`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from pipeline.errors import ConfigError
from pipeline.keys import SLOTS, Channel, Stream
from pipeline.synthetic.times import leap_seconds_ns

__all__ = ["FAULT_KINDS", "LEAP_KINDS", "Fault", "FaultKind"]

FaultKind = Literal[
    "gap",
    "missing_day",
    "equal_overlap",
    "disagreeing_overlap",
    "clock_shift",
    "clock_drift",
    "dead",
    "swapped",
    "polarity",
    "clipped",
    "wrong_gain",
    "half_rate",
    "out_of_order",
    "two_versions",
    "leap_second",
    "missed_leap_second",
    "sensor_change",
]
LEAP_KINDS: Final = ("leap_second", "missed_leap_second")
"""Those that put a leap second into the records of a stream."""

FAULT_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gap": "no samples",
        "missing_day": "no samples, and no file where that is all of a day",
        "equal_overlap": "samples come twice, and agree",
        "disagreeing_overlap": "samples come twice, and differ by a noise of `size` counts",
        "clock_shift": "headers are late by `size` seconds",
        "clock_drift": "headers run away by `size` seconds a day",
        "dead": "all samples are `size` counts",
        "swapped": "two components are exchanged",
        "polarity": "the sign is wrong",
        "clipped": "no sample beyond ± `size` counts",
        "wrong_gain": "counts are `size` times what the metadata say",
        "half_rate": "recorded at half the rate",
        "out_of_order": "records in any order in their file",
        "two_versions": "first version (D) without its middle third and `size` counts off, second (Q) right",
        "leap_second": "the second before `start`, with headers that say 60",
        "missed_leap_second": "the second before `start`, and headers one second late from then on",
        "sensor_change": "another sensor from then on, which the metadata have `size` hours too late",
    }
)
"""What each kind of fault does, and what its size means."""

_INT32_COUNTS = (lambda size: abs(size) < 2**31 - 1 and size == round(size), "whole counts of 32 bits")
_NOTHING = (lambda size: size == 0, "left out")
_SIZES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    **dict.fromkeys(("gap", "missing_day", "equal_overlap", "swapped", "polarity"), _NOTHING),
    **dict.fromkeys(("half_rate", "out_of_order", *LEAP_KINDS), _NOTHING),
    **dict.fromkeys(("dead", "two_versions"), _INT32_COUNTS),
    "disagreeing_overlap": (lambda size: size >= 1, "counts, at least 1"),
    "clock_shift": (lambda size: size != 0, "seconds other than 0"),
    "clock_drift": (lambda size: size != 0 and abs(size) < 8640, "seconds a day other than 0, below 8640"),
    "clipped": (lambda size: size > 0, "counts above 0"),
    "wrong_gain": (lambda size: size > 0 and size != 1, "a factor above 0 other than 1"),
    "sensor_change": (lambda size: abs(size) < 1e6, "hours"),
}
"""Of each kind, which sizes make sense, in code and in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One thing that is wrong with a stream for a while.

    Parameters
    ----------
    kind : str
        See `FAULT_KINDS`.
    stream : str
        As ``SY.S03..HH``.
    start_ns, end_ns : int
        Half-open span.
    components : str
        Letters of the channels concerned, as ``ZN`` (1 is N, 2 is E); all of them where it is empty.
    size : float
        What it means depends on the kind; see `FAULT_KINDS`.

    Examples
    --------
    >>> Fault(kind="clipped", stream="SY.S03..HH", start_ns=0, end_ns=1)
    Traceback (most recent call last):
        ...
    pipeline.errors.ConfigError: fault clipped of SY.S03..HH: size = 0.0 should be counts above 0
    """

    kind: FaultKind
    stream: str
    start_ns: int
    end_ns: int
    components: str = ""
    size: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ConfigError(f"fault {self.kind!r}: should be one of {', '.join(FAULT_KINDS)}")
        name = f"fault {self.kind} of {self.stream}"
        if self.end_ns <= self.start_ns:
            raise ConfigError(f"{name}: its end should come after its start")
        makes_sense, sensible = _SIZES[self.kind]
        if not (np.isfinite(self.size) and makes_sense(self.size)):
            raise ConfigError(f"{name}: size = {self.size} should be {sensible}")
        self._check_components(name)
        if self.kind in LEAP_KINDS and self.start_ns not in leap_seconds_ns():
            days = ", ".join(
                str(np.datetime64(time, "ns").astype("M8[D]")) for time in leap_seconds_ns()[-3:]
            )
            raise ConfigError(
                f"{name}: should be at a midnight that a leap second stands before, as of {days}"
            )

    def _check_components(self, name: str) -> None:
        stream = Stream.parse(self.stream)
        known = "ZNE12" if stream.is_three_component else stream.code[-1]
        if wrong := sorted(set(self.components) - set(known)):
            raise ConfigError(f"{name}: components should be of {known}, got {', '.join(wrong)}")
        rows = [_SLOT_OF[letter] for letter in self.components] if stream.is_three_component else [0]
        if len(set(rows)) < len(rows):
            raise ConfigError(f"{name}: components = {self.components!r} names one twice")
        if self.kind == "swapped" and len(rows) != 2:
            raise ConfigError(f"{name}: should name two components, as 'NE', got {self.components!r}")
        if self.kind in (*LEAP_KINDS, "sensor_change") and self.components:
            raise ConfigError(f"{name}: concerns all components, so that it should name none")

    def concerns(self, channel: Channel) -> bool:
        """Tell whether a channel belongs to the stream and components."""
        if str(channel.stream) != self.stream:
            return False
        if not self.components or not channel.stream.is_three_component:
            return True
        return channel.slot in {_SLOT_OF[letter] for letter in self.components}


_SLOT_OF: Mapping[str, int] = {letter: slot for slot, letter in enumerate(SLOTS)} | {"1": 1, "2": 2}
