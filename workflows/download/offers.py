"""
What a data centre has of a selection: asked of its station and availability services, and kept for a day.

An answer that is less than a day old is not asked for again: so a run that is taken up again begins at once.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.archive.grid import day_number
from pipeline.errors import ConfigError, DeniedError, RefusedError, ServiceError, TooLargeError
from pipeline.fdsn.availability import availability_body, read_availability
from pipeline.fdsn.client import Client
from pipeline.fdsn.listing import ChannelEpoch, read_listing, station_lines
from pipeline.fdsn.outcomes import ASK_AGAIN_AFTER, GROWS_FOR
from pipeline.fdsn.selection import Selection, Window, halves, runs_of
from pipeline.keys import Channel, Stream
from pipeline.objects import ObjectStore
from workflows.download.fetching import WantedStream

__all__ = ["Answers", "Offer", "ask_offer"]

_LINES_PER_REQUEST = 1000
_NO_SERVICE = b"# no such service"
"""Kept as the answer of a centre that has no availability service."""


@dataclass(frozen=True, slots=True)
class Offer:
    """
    What there is of a selection.

    Parameters
    ----------
    streams : list of WantedStream
        With the days to have, without those that are not over.
    stations : mapping of str to tuple of str
        The lines of the station service, by ``NET.STA``.
    has_availability : bool
        Whether the centre said which days it has.
    without_data : int
        Channel-days left out because it said that it has none.
    """

    streams: list[WantedStream]
    stations: Mapping[str, tuple[str, ...]]
    has_availability: bool
    without_data: int


class Answers:
    """
    Answers about what there is, kept as objects.

    Parameters
    ----------
    store : ObjectStore
    now : datetime
    keep : bool
        Whether to write new ones: a dry run does not.
    """

    def __init__(self, store: ObjectStore, now: dt.datetime, *, keep: bool) -> None:
        self._store = store
        self._now = now
        self._keep = keep

    def get(self, request: str, ask: Callable[[], bytes | None]) -> bytes | None:
        """Return the answer to a request, asking unless there is a recent one."""
        name = f"{hashlib.blake2b(request.encode(), digest_size=8).hexdigest()}.json"
        kept = self._read(name, request)
        if kept is not None:
            text = kept["text"]
            return None if text is None else str(text).encode()
        answer = ask()
        if self._keep:
            text = None if answer is None else answer.decode("utf-8", "replace")
            entry = {"asked": self._now.isoformat(), "request": request, "text": text}
            self._store.write(name, json.dumps(entry).encode())
        return answer

    def _read(self, name: str, request: str) -> dict[str, str | None] | None:
        try:
            entry: dict[str, str | None] = json.loads(self._store.read(name))
        except FileNotFoundError:
            return None
        age = self._now - dt.datetime.fromisoformat(str(entry["asked"]))
        is_recent = dt.timedelta(0) <= age < ASK_AGAIN_AFTER
        return entry if is_recent and entry["request"] == request else None


def ask_offer(client: Client, selection: Selection, answers: Answers, *, restricted: bool) -> Offer:
    """
    Ask what a data centre has of a selection.

    Parameters
    ----------
    client : Client
    selection : Selection
    answers : Answers
    restricted : bool
        Whether to ask for days of restricted channels too.

    Raises
    ------
    ConfigError
        If there is nothing, or the service calls the selection wrong.
    """
    listing = _ask_listing(client, selection, answers)
    now = client.pace.clock.now()
    last = min(day_number(selection.end), day_number(now.date()) - 1)
    days, rates = _days_of(read_listing(listing), day_number(selection.start), last)
    if not days:
        raise ConfigError(
            f"{client.service.base} lists no channel of this selection on a day that is over; "
            "see the codes, the region and the days"
        )
    available = _ask_availability(client, days, rates, answers, restricted=restricted)
    without_data = 0
    if available is not None:
        # What came in lately is often not in the availability yet.
        settled_before = day_number((now - GROWS_FOR).date())
        for channel, wanted in days.items():
            absent = {day for day in wanted if day < settled_before} - available.get(channel, set())
            wanted -= absent
            without_data += len(absent)
    stations: dict[str, list[str]] = {}
    for line in station_lines(listing):
        network, station = (field.strip() for field in line.split("|")[:2])
        stations.setdefault(f"{network}.{station}", []).append(line)
    streams = _streams(days, rates)
    return Offer(
        streams, {name: tuple(lines) for name, lines in stations.items()}, available is not None, without_data
    )


def _ask_listing(client: Client, selection: Selection, answers: Answers) -> bytes:
    parameters = selection.parameters() | {"level": "channel", "format": "text"}
    url = client.service.url("station")
    try:
        listing = answers.get(
            f"{url} {json.dumps(parameters)}",
            lambda: client.ask(url, parameters=parameters, read=_checked(read_listing)),
        )
    except (RefusedError, TooLargeError) as error:
        raise ConfigError(f"{client.service.base}: {error}") from error
    return listing or b""


def _checked(read: Callable[[bytes], object]) -> Callable[[bytes], bytes]:
    """Let a body be itself, once it can be read: it is kept as it came."""

    def check(data: bytes) -> bytes:
        read(data)
        return data

    return check


def _days_of(
    epochs: Iterable[ChannelEpoch], first: int, last: int
) -> tuple[dict[Channel, set[int]], dict[Channel, float]]:
    """Return the days since 1970 on which each channel exists, of some days, and its highest rate."""
    days: dict[Channel, set[int]] = {}
    rates: dict[Channel, float] = {}
    for epoch in epochs:
        exists = range(max(epoch.first_day, first), min(epoch.last_day, last) + 1)
        if exists:
            days.setdefault(epoch.channel, set()).update(exists)
            rates[epoch.channel] = max(rates.get(epoch.channel, 0.0), epoch.rate_hz)
    return days, rates


def _ask_availability(
    client: Client,
    days: Mapping[Channel, set[int]],
    rates: Mapping[Channel, float],
    answers: Answers,
    *,
    restricted: bool,
) -> Mapping[Channel, set[int]] | None:
    """Ask which days hold samples; None where the service is not there or gives no use."""
    windows = [
        Window.of_days(channel, min(wanted), max(wanted), rates[channel])
        for channel, wanted in sorted(days.items())
    ]
    found: dict[Channel, set[int]] = {}
    try:
        for begin in range(0, len(windows), _LINES_PER_REQUEST):
            part = windows[begin : begin + _LINES_PER_REQUEST]
            for answer in _availability_answers(client, part, answers, restricted=restricted):
                for channel, available in read_availability(answer).items():
                    found.setdefault(channel, set()).update(available)
    except ServiceError:
        client.pace.check()
        return None
    return found


def _availability_answers(
    client: Client, windows: Sequence[Window], answers: Answers, *, restricted: bool
) -> Iterator[bytes]:
    """Ask about windows, in halves where that is too much."""
    url = client.service.url("availability")
    body = availability_body(windows, restricted=restricted)

    def ask() -> bytes | None:
        try:
            # 404 is that there is no such service: for no data it would be 204.
            return client.ask(url, body=body, read=_checked(read_availability), nothing=frozenset({204}))
        except (RefusedError, DeniedError):
            return _NO_SERVICE

    try:
        answer = answers.get(f"{url} {body.decode()}", ask) or b""
        if answer == _NO_SERVICE:
            raise RefusedError(f"{url}: no such service")
        yield answer
    except TooLargeError:
        parts = halves(windows, down_to_hours=False)
        if parts is None:
            raise
        for part in parts:
            yield from _availability_answers(client, part, answers, restricted=restricted)


def _streams(days: Mapping[Channel, set[int]], rates: Mapping[Channel, float]) -> list[WantedStream]:
    channels: dict[Stream, list[Channel]] = {}
    for channel, wanted in days.items():
        if wanted:
            channels.setdefault(channel.stream, []).append(channel)
    return [
        WantedStream(
            stream,
            {channel: runs_of(days[channel]) for channel in sorted(members)},
            {channel: rates[channel] for channel in members},
        )
        for stream, members in sorted(channels.items())
    ]
