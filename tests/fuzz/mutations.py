"""
Files that were damaged at random, byte by byte from known origins.

Every byte of a `Damaged` file knows which byte of which original it is, or that it is none. So it is known
which records are whole, wherever they went, and which are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Damaged", "Original", "Record", "mutate"]

_FILE = 1 << 40
NEW = -1


@dataclass(frozen=True)
class Record:
    """A record of an original: where it lies, and what libmseed makes of it."""

    offset: int
    length: int
    channel: str
    start_ns: int
    rate_hz: float
    samples: Any


@dataclass(frozen=True)
class Original:
    """A file with which nothing is wrong; without records where its format has none."""

    name: str
    data: bytes
    records: tuple[Record, ...] = ()
    is_protected: bool = False
    """Whether every byte is under a checksum (miniSEED 3)."""


@dataclass(frozen=True)
class Damaged:
    """Bytes, where they are from, and what was done."""

    data: Any
    origin: Any
    steps: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.data)

    def cut_and_join(self, step: str, *parts: slice) -> Damaged:
        """Return parts of it, one after the other."""
        joined = (np.concatenate([array[part] for part in parts]) for array in (self.data, self.origin))
        return Damaged(*joined, (*self.steps, step))

    def put(self, step: str, at: int, data: Any, origin: Any, *, over: bool) -> Damaged:
        """Return it with bytes written over others, or between them."""
        rest = at + len(data) if over else at
        put = (np.concatenate([a[:at], b, a[rest:]]) for a, b in ((self.data, data), (self.origin, origin)))
        return Damaged(*put, (*self.steps, step))

    def whole_records(self, originals: Sequence[Original]) -> list[Record]:
        """
        Return the records that are whole, but for those that were written into the data of another.

        In a file that begins as one of another format nobody looks for records.
        """
        known = self.origin[self.origin >= 0]
        if not len(known) or not originals[known[0] // _FILE].records:
            return []
        followed = np.diff(self.origin, append=NEW) == 1
        broken = np.flatnonzero(~followed)
        whole: list[tuple[int, Record]] = []
        covered: list[tuple[int, int]] = []
        for number in np.unique(self.origin[self.origin >= 0] // _FILE):
            original = originals[number]
            starts = {number * _FILE + r.offset: r for r in original.records}
            for at in np.flatnonzero(np.isin(self.origin, list(starts))).tolist():
                record = starts[int(self.origin[at])]
                covered += [] if original.is_protected else [(at, at + record.length)]
                if broken[np.searchsorted(broken, at)] >= at + record.length - 1:
                    whole.append((at, record))
        return [record for at, record in whole if not any(a < at < b for a, b in covered)]


def intact(number: int, original: Original) -> Damaged:
    """Return a file as it is."""
    data = np.frombuffer(original.data, np.uint8)
    return Damaged(data, np.arange(len(data), dtype=np.int64) + number * _FILE)


def mutate(rng: np.random.Generator, originals: Sequence[Original]) -> Damaged:
    """Choose a file and damage it one to four times."""
    number = int(rng.integers(len(originals)))
    damaged = intact(number, originals[number])
    for _ in range(int(rng.integers(1, 5))):
        if len(damaged) < 2:
            break
        step = MUTATIONS[int(rng.integers(len(MUTATIONS)))]
        damaged = step(rng, damaged, originals)
    return damaged


def _range(rng: np.random.Generator, size: int) -> tuple[int, int]:
    """Choose a range: of any length up to a record's, mostly; a whole number of frames at times."""
    begin = int(rng.integers(size))
    length = int(rng.choice([1, 4, 17, 48, 64, 100, 128, 256, 512, 600, 1024, size // 3 + 1]))
    if rng.random() < 0.4:
        begin -= begin % 64
    return begin, min(size, begin + length)


def _flip(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    data, origin = file.data.copy(), file.origin.copy()
    at = rng.integers(len(file), size=int(rng.choice([1, 1, 1, 2, 8])))
    data[at] ^= np.uint8(1) << rng.integers(8, size=len(at)).astype(np.uint8)
    origin[at] = NEW
    return Damaged(data, origin, (*file.steps, f"flip bits at {at.tolist()}"))


def _header(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    """Write a number into the first 64 bytes of a record, as 512 or 256 bytes have them."""
    data, origin = file.data.copy(), file.origin.copy()
    at = int(rng.integers(len(file))) // 256 * 256 + int(rng.integers(64))
    at = min(at, len(file) - 1)
    data[at] = rng.choice([0, 1, 9, 10, 12, 20, 59, 60, 127, 128, 255, int(rng.integers(256))])
    origin[at] = file.origin[at] if data[at] == file.data[at] else NEW
    return Damaged(data, origin, (*file.steps, f"byte {at} is {data[at]}"))


def _cut(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    begin, end = _range(rng, len(file))
    return file.cut_and_join(f"cut {begin}:{end}", slice(0, begin), slice(end, None))


def _end(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    end = int(rng.integers(1, len(file)))
    return file.cut_and_join(f"end at {end}", slice(0, end))


def _duplicate(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    begin, end = _range(rng, len(file))
    return file.cut_and_join(f"duplicate {begin}:{end}", slice(0, end), slice(begin, None))


def _swap(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    a, b = sorted((_range(rng, len(file)), _range(rng, len(file))))
    if a[1] > b[0]:
        return file
    parts = slice(0, a[0]), slice(*b), slice(a[1], b[0]), slice(*a), slice(b[1], None)
    return file.cut_and_join(f"swap {a} and {b}", *parts)


def _insert(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    at, length = int(rng.integers(len(file))), int(rng.choice([1, 7, 64, 300, 512, 4096]))
    kind = int(rng.integers(3))
    data = [np.zeros(length, np.uint8), rng.integers(256, size=length).astype(np.uint8)]
    text = np.frombuffer((b"connection lost\r\n" * 300)[:length], np.uint8)
    origin = np.full(length, NEW, dtype=np.int64)
    return file.put(f"insert {length} at {at}", at, [*data, text][kind], origin, over=False)


def _zero(rng: np.random.Generator, file: Damaged, _: Sequence[Original]) -> Damaged:
    begin, end = _range(rng, len(file))
    data, origin = file.data.copy(), file.origin.copy()
    origin[begin:end][data[begin:end] != 0] = NEW
    data[begin:end] = 0
    return Damaged(data, origin, (*file.steps, f"zeros over {begin}:{end}"))


def _splice(rng: np.random.Generator, file: Damaged, originals: Sequence[Original]) -> Damaged:
    number = int(rng.integers(len(originals)))
    other = intact(number, originals[number])
    begin, end = _range(rng, len(other))
    at = int(rng.integers(len(file)))
    step = f"{begin}:{end} of {originals[number].name} at {at}"
    part = other.data[begin:end], other.origin[begin:end]
    return file.put(step, at, *part, over=bool(rng.integers(2)))


MUTATIONS: tuple[Callable[[np.random.Generator, Damaged, Sequence[Original]], Damaged], ...] = (
    _flip, _flip, _header, _header, _cut, _end, _duplicate, _swap, _insert, _zero, _splice,
)  # fmt: skip
