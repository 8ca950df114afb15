"""Windows in, records out: one request, or as many as it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.archive.grid import DAY_NS
from pipeline.errors import DamagedError, DeniedError, ServiceError, TooLargeError
from pipeline.fdsn.client import Client
from pipeline.fdsn.records import DayRecords, read_answer, sort_records
from pipeline.fdsn.selection import Window, halves, request_lines
from pipeline.keys import Channel

__all__ = ["DayAnswer", "Fetcher", "group_windows"]

IsWanted = Callable[[Channel, int], bool]
Sorted = dict[tuple[Channel, int], DayRecords]

TARGET_SAMPLES = 16_000_000
"""What a request asks for, unless a single day holds more."""

LARGEST_SAMPLES = 48_000_000
"""A day of more than this is asked for channel by channel: each connection holds an answer in memory."""


@dataclass(frozen=True, slots=True)
class DayAnswer:
    """What came of one channel and day: records, none, or why there is no answer."""

    channel: Channel
    day: int
    records: DayRecords | None = None
    error: ServiceError | None = None


def group_windows(
    due: Mapping[Channel, Sequence[int]],
    rates_hz: Mapping[Channel, float],
    *,
    target_samples: float = TARGET_SAMPLES,
) -> Iterator[list[Window]]:
    """
    Group the channel-days of a stream into requests: whole days, as many as make a good size.

    Parameters
    ----------
    due : mapping of Channel to sequence of int
        Days since 1970 to ask for.
    rates_hz : mapping of Channel to float
    target_samples : float

    Yields
    ------
    list of Window
        Of each request. Days that do not follow each other never share a window.

    Examples
    --------
    >>> channel = Channel.parse("CI.CCC..HHZ")
    >>> requests = group_windows({channel: [3, 4, 5, 9]}, {channel: 100.0}, target_samples=2 * 86400 * 100)
    >>> [[list(window.days) for window in windows] for windows in requests]
    [[[3, 4]], [[5], [9]]]
    """
    by_day: dict[int, list[Channel]] = {}
    for channel in sorted(due):
        for day in due[channel]:
            by_day.setdefault(day, []).append(channel)
    gathered: dict[Channel, list[int]] = {}
    samples = 0.0
    for day in sorted(by_day):
        more = sum(rates_hz[channel] * 86400 for channel in by_day[day])
        if gathered and samples + more > target_samples:
            yield from _parted(list(_windows(gathered, rates_hz)))
            gathered, samples = {}, 0.0
        for channel in by_day[day]:
            gathered.setdefault(channel, []).append(day)
        samples += more
    if gathered:
        yield from _parted(list(_windows(gathered, rates_hz)))


def _parted(windows: list[Window]) -> Iterator[list[Window]]:
    """Part a day that holds too much into its channels."""
    parts = None
    if sum(window.samples for window in windows) > LARGEST_SAMPLES:
        parts = halves(windows, down_to_hours=False)
    if parts is None:
        yield windows
    else:
        for part in parts:
            yield from _parted(part)


def _windows(days: Mapping[Channel, Sequence[int]], rates_hz: Mapping[Channel, float]) -> Iterator[Window]:
    for channel, numbers in days.items():
        begin = numbers[0]
        for day, following in zip(numbers, [*numbers[1:], None], strict=True):
            if following != day + 1:
                yield Window.of_days(channel, begin, day, rates_hz[channel])
                begin = following if following is not None else day


def _keys(windows: Iterable[Window]) -> set[tuple[Channel, int]]:
    """Return the channels and days of windows."""
    return {(window.channel, day) for window in windows for day in window.days}


class Fetcher:
    """
    Asks for windows, in smaller requests where a service wants that. Threads share one.

    A network that was denied is not asked for again, and a size that was refused is not tried again.

    Parameters
    ----------
    client : Client
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._denied: dict[str, DeniedError] = {}
        self._refused_samples = float("inf")
        self._lock = threading.Lock()

    def fetch(self, windows: Sequence[Window], *, is_wanted: IsWanted) -> Iterator[DayAnswer]:
        """
        Ask for windows of one stream.

        Parameters
        ----------
        windows : sequence of Window
            Whole days.
        is_wanted : callable
            See `sort_records`.

        Yields
        ------
        DayAnswer
            One for each channel and day of the windows, in order.
        """
        found: dict[tuple[Channel, int], DayRecords] = {}
        errors: dict[tuple[Channel, int], ServiceError] = {}
        for part, came in self._parts(list(windows), is_wanted, errors):
            if isinstance(came, ServiceError):
                errors.update(dict.fromkeys(_keys(part), came))
                continue
            for key, records in came.items():
                found.setdefault(key, DayRecords()).update(records)
        for channel, day in sorted(_keys(windows)):
            # Half of a day's answer is none.
            error = errors.get((channel, day))
            yield DayAnswer(channel, day, None if error else found.get((channel, day)), error)

    def _parts(
        self, windows: list[Window], is_wanted: IsWanted, errors: Container[tuple[Channel, int]]
    ) -> Iterator[tuple[list[Window], Sorted | ServiceError]]:
        """
        Ask, cutting a request in two as often as needed; give each part and what came of it.

        What belongs to days that are lost by now, as ``errors`` says, is not asked for.
        """
        if all(key in errors for key in _keys(windows)):
            return
        parts = None
        if sum(window.samples for window in windows) >= self._refused_samples:
            parts = halves(windows, down_to_hours=False)
        if parts is None:
            answer = self._ask(windows, is_wanted)
            if isinstance(answer, TooLargeError | DamagedError):
                parts = halves(windows, down_to_hours=isinstance(answer, TooLargeError))
            if parts is None:
                yield windows, answer
                return
        for part in parts:
            yield from self._parts(part, is_wanted, errors)

    def _ask(self, windows: Sequence[Window], is_wanted: IsWanted) -> Sorted | ServiceError:
        network = windows[0].channel.network
        if network in self._denied:
            return self._denied[network]

        def read(data: bytes) -> Sorted:
            return sort_records(read_answer(data), windows, is_wanted=is_wanted)

        try:
            url, body = self.client.dataselect_url, request_lines(windows)
            return self.client.ask(url, body=body, read=read, with_credentials=True) or {}
        except DeniedError as error:
            self._denied.setdefault(network, error)
            return error
        except TooLargeError as error:
            self._note_refused(windows)
            return error
        except ServiceError as error:
            return error

    def _note_refused(self, windows: Iterable[Window]) -> None:
        windows = list(windows)
        whole_day = all(window.stop_ns - window.start_ns >= DAY_NS for window in windows)
        if whole_day:
            with self._lock:
                self._refused_samples = min(self._refused_samples, sum(window.samples for window in windows))
