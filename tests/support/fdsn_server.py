"""A data centre on loopback that answers truly, and misbehaves as told: it counts what it is asked."""

from __future__ import annotations

import datetime as dt
import fnmatch
import gzip
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit
from urllib.request import parse_http_list, parse_keqv_list

import numpy as np

from pipeline.archive.grid import DAY_NS
from pipeline.archive.packing import RECORD_BYTES, pack_records
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.fdsn.centres import Service
from pipeline.keys import Channel

__all__ = [
    "Centre",
    "FakeClock",
    "Fault",
    "cut",
    "drip",
    "more_than_asked",
    "repeated",
    "reversed_records",
    "serve",
    "status",
    "truncated",
    "wholly",
]

REALM = "FDSN"
HEADING = (
    "#Network | Station | Location | Channel | Latitude | Longitude | Elevation | Depth | Azimuth | Dip | "
    "SensorDescription | Scale | ScaleFreq | ScaleUnits | SampleRate | StartTime | EndTime\n"
)
HTML = b"<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1></body></html>"


@dataclass
class FakeClock:
    """Time that passes only where somebody waits; ``tick_s`` more at each look."""

    start: dt.datetime = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)
    tick_s: float = 0.0
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds = 0.0

    def monotonic(self) -> float:
        with self._lock:
            self._seconds += self.tick_s
            return self._seconds

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self._seconds)

    def wait(self, seconds: float, until: threading.Event) -> None:
        with self._lock:
            self._seconds += seconds
            self.waits.append(seconds)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    parameters: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.body.decode().splitlines() if "=" not in line]

    @property
    def channel_days(self) -> float:
        times = [[dt.datetime.fromisoformat(text) for text in line[4:]] for line in self.lines]
        return sum((stop - start).total_seconds() for start, stop in times) / 86400


Fault = Callable[["_Handler", bytes], None]
"""Answers one request otherwise than it should; it is given what the true answer is."""


def status(code: int, text: str = "", **headers: str) -> Fault:
    """Answer with a status code."""

    def answer(handler: _Handler, _body: bytes) -> None:
        handler.reply(code, text.encode(), **headers)

    return answer


def wholly(change: Callable[[bytes], bytes], *, stated: int = 0) -> Fault:
    """Answer with another body, and state a length that is wrong by ``stated`` bytes."""

    def answer(handler: _Handler, body: bytes) -> None:
        changed = change(body)
        handler.reply(200, changed, stated=len(changed) + stated)
        handler.close_connection |= stated != 0

    return answer


def cut(share: float = 0.5, *, chunked: bool = False) -> Fault:
    """Close the connection in the middle of the body."""

    def answer(handler: _Handler, body: bytes) -> None:
        part = body[: int(len(body) * share)]
        handler.send_response(200)
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
            part = f"{len(body):x}\r\n".encode() + part
        else:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(part)
        handler.close_connection = True

    return answer


def drip(pause_s: float) -> Fault:
    """Send the body byte by byte."""

    def answer(handler: _Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.close_connection = True
        with suppress(OSError):  # the client goes away
            for byte in body[:100]:
                handler.wfile.write(bytes([byte]))
                time.sleep(pause_s)

    return answer


def more_than_asked(handler: _Handler, _body: bytes) -> None:
    """Answer with all that there is."""
    handler.reply(200, b"".join(handler.centre.records.values()))


@dataclass
class Centre:
    """
    What a data centre has, how it misbehaves, and what it was asked.

    Attributes
    ----------
    records : dict of Channel to bytes
        miniSEED, as if it lay there in one file.
    faults : deque of Fault
        Of the next requests for samples, one each; after them come true answers.
    station_faults : deque of Fault
        The same for the station service.
    most_channel_days : float
        More in one request is 413.
    known_until_day : int
        What begins on this day since 1970 or later is not in the availability yet.
    no_metadata : set of str
        Stations that are listed, but not described.
    """

    records: dict[Channel, bytes] = field(default_factory=dict)
    rates: dict[Channel, float] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    station_faults: deque[Fault] = field(default_factory=deque)
    always: Callable[[Asked], Fault | None] | None = None
    most_channel_days: float = float("inf")
    has_availability: bool = True
    known_until_day: int = 1 << 40
    compresses: bool = False
    no_metadata: set[str] = field(default_factory=set)
    user: tuple[str, str] | None = None
    bearer: str = ""
    eida_token: str = ""
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    base: str = ""

    @property
    def service(self) -> Service:
        return Service(self.base)

    def count(self, kind: str = "dataselect") -> int:
        return len(self.of(kind))

    def of(self, kind: str = "dataselect") -> list[Asked]:
        return [asked for asked in self.asked if f"/{kind}/" in asked.path]

    def add(self, name: str, first_day: int, days: int, *, rate_hz: float = 0.1, start_ns: int = 0) -> None:
        """Record a channel for some days, without a break; its samples tell when they are."""
        channel = Channel.parse(name)
        begin = first_day * DAY_NS + start_ns
        count = round(days * 86400 * rate_hz)
        first = round(begin / 1e9 * rate_hz)
        samples = ((np.arange(first, first + count) % 4001) - 2000).astype(np.int32)
        packed = pack_records(channel, samples, begin, rate_hz, 2)
        self.records[channel] = self.records.get(channel, b"") + packed
        self.rates[channel] = rate_hz

    def matching(self, lines: list[list[str]]) -> list[tuple[Channel, int, int]]:
        """Return each record that lines ask for: its channel, and where it lies."""
        found = []
        for channel, data in self.records.items():
            rows = parse_headers(data).rows
            stops = rows["start_ns"] + ((rows["samples"] - 1) * 1e9 / rows["rate_hz"]).astype("i8")
            codes = (channel.network, channel.station, channel.location or "--", channel.code)
            for line in lines:
                if all(fnmatch.fnmatch(code, pattern) for code, pattern in zip(codes, line[:4], strict=True)):
                    start, stop = (_ns(text) for text in line[4:])
                    asked = rows[(rows["start_ns"] <= stop) & (stops >= start)]
                    places = zip(asked["offset"].tolist(), asked["length"].tolist(), strict=True)
                    found += [(channel, offset, length) for offset, length in places]
        return found

    def select(self, lines: list[list[str]]) -> bytes:
        found = self.matching(lines)
        return b"".join(self.records[channel][begin : begin + length] for channel, begin, length in found)


def _ns(text: str) -> int:
    time = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    return (time - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1000


def _iso(time_ns: int) -> str:
    time = dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=time_ns // 1000)  # noqa: DTZ001
    return time.isoformat(timespec="microseconds")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    centre: Centre

    def setup(self) -> None:
        super().setup()
        self.centre.connections += 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def reply(self, code: int, body: bytes = b"", *, stated: int | None = None, **headers: str) -> None:
        self.send_response(code)
        if self.centre.compresses and code == 200:
            body, stated = gzip.compress(body), None
            self.send_header("Content-Encoding", "gzip")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if code != 204:
            self.send_header("Content-Length", str(len(body) if stated is None else stated))
        self.end_headers()
        if code != 204:
            self.wfile.write(body)

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        parameters = dict(parse_qsl(parts.query))
        asked = Asked(self.command, parts.path, parameters, body, dict(self.headers))
        self.centre.asked.append(asked)
        kinds = {"station": self._station, "availability": self._availability, "dataselect": self._dataselect}
        kind = parts.path.split("/")[2] if parts.path.startswith("/fdsnws/") else ""
        kinds.get(kind, lambda _asked: self.reply(404))(asked)

    def _station(self, asked: Asked) -> None:
        centre = self.centre
        if centre.station_faults:
            centre.station_faults.popleft()(self, b"")
            return
        channels = [channel for channel in sorted(centre.records) if _matches(channel, asked.parameters)]
        if not channels:
            self.reply(204)
        elif asked.parameters.get("format") == "text":
            lines = [_line(channel, centre.rates[channel]) for channel in channels]
            self.reply(200, (HEADING + "".join(lines)).encode())
        elif asked.parameters.get("station") in centre.no_metadata:
            self.reply(400, b"no responses")
        else:
            self.reply(200, _stationxml(channels, centre.rates))

    def _availability(self, asked: Asked) -> None:
        if not self.centre.has_availability:
            self.reply(404, b"no such service")
            return
        lines = []
        for channel, offset, length in self.centre.matching(asked.lines):
            row = parse_headers(self.centre.records[channel][offset : offset + length]).rows[0]
            start, stop = int(row["start_ns"]), int(row["start_ns"] + row["samples"] * 1e9 / row["rate_hz"])
            if start // DAY_NS >= self.centre.known_until_day:
                continue
            stop = min(stop, self.centre.known_until_day * DAY_NS)
            codes = f"{channel.network} {channel.station} {channel.location or '--'} {channel.code}"
            lines.append(f"{codes} {_iso(start)}Z {_iso(stop)}Z\n")
        self.reply(200 if lines else 204, "".join(lines).encode())

    def _dataselect(self, asked: Asked) -> None:
        centre = self.centre
        if asked.path.endswith("/auth"):
            is_right = asked.body.decode() == centre.eida_token and centre.user is not None
            self.reply(200, ":".join(centre.user or ()).encode()) if is_right else self.reply(400)
            return
        body = centre.select(asked.lines)
        special = centre.always(asked) if centre.always else None
        if special is not None:
            special(self, body)
        elif not self._may(asked):
            self.reply(401, WWW_Authenticate=f'Digest realm="{REALM}", nonce="77", qop="auth", algorithm=MD5')
        elif centre.faults:
            centre.faults.popleft()(self, body)
        elif asked.channel_days > centre.most_channel_days:
            self.reply(413, b"Request would be too large")
        else:
            self.reply(200, body) if body else self.reply(204)

    def _may(self, asked: Asked) -> bool:
        given = asked.headers.get("Authorization", "")
        if self.centre.bearer:
            return given == f"Bearer {self.centre.bearer}"
        if self.centre.user is None:
            return True
        return asked.path.endswith("/queryauth") and _is_digest(given, asked, *self.centre.user)


def _is_digest(given: str, asked: Asked, user: str, password: str) -> bool:
    """Check an answer to a digest challenge (RFC 7616)."""
    if not given.startswith("Digest "):
        return False
    fields = parse_keqv_list(parse_http_list(given[len("Digest ") :]))
    secret = _md5(f"{user}:{REALM}:{password}")
    what = _md5(f"{asked.method}:{fields['uri']}")
    rest = ":".join(fields[name] for name in ("nonce", "nc", "cnonce", "qop"))
    return fields["username"] == user and fields["response"] == _md5(f"{secret}:{rest}:{what}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _matches(channel: Channel, parameters: dict[str, str]) -> bool:
    codes = {
        "network": channel.network,
        "station": channel.station,
        "location": channel.location or "--",
        "channel": channel.code,
    }
    return all(
        any(fnmatch.fnmatch(code, pattern) for pattern in parameters.get(name, "*").split(","))
        for name, code in codes.items()
    )


def _line(channel: Channel, rate_hz: float) -> str:
    codes = f"{channel.network}|{channel.station}|{channel.location}|{channel.code}"
    return f"{codes}|35.5|-117.4|670.0|0.0|0.0|-90.0|a sensor|6e8|1.0|M/S|{rate_hz}|2000-01-01T00:00:00|\n"


def _stationxml(channels: list[Channel], rates: dict[Channel, float]) -> bytes:
    place = "<Latitude>35.5</Latitude><Longitude>-117.4</Longitude><Elevation>670</Elevation>"
    stations: dict[tuple[str, str], list[str]] = {}
    for channel in channels:
        text = (
            f'<Channel code="{channel.code}" locationCode="{channel.location}" '
            f'startDate="2000-01-01T00:00:00Z">'
            f"{place}<Depth>0</Depth><SampleRate>{rates[channel]}</SampleRate></Channel>"
        )
        stations.setdefault((channel.network, channel.station), []).append(text)
    networks = "".join(
        f'<Network code="{network}"><Station code="{station}" startDate="2000-01-01T00:00:00Z">{place}'
        f"<Site><Name>here</Name></Site>{''.join(inside)}</Station></Network>"
        for (network, station), inside in stations.items()
    )
    return (
        '<?xml version="1.0"?><FDSNStationXML xmlns="http://www.fdsn.org/xml/station/1" schemaVersion="1.1">'
        f"<Source>tests</Source><Created>2021-01-01T00:00:00Z</Created>{networks}</FDSNStationXML>"
    ).encode()


@contextmanager
def serve(centre: Centre) -> Iterator[Centre]:
    """Run a data centre for as long as it is needed."""
    handler = type("Handler", (_Handler,), {"centre": centre})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    centre.base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield centre
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def truncated(body: bytes) -> bytes:
    """Leave out the end of the last record."""
    return body[:-100]


def repeated(body: bytes) -> bytes:
    """Send each record twice."""
    return body + body


def reversed_records(body: bytes) -> bytes:
    """Send the last record first."""
    return np.frombuffer(body, np.uint8).reshape(-1, RECORD_BYTES)[::-1].tobytes()
