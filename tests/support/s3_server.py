"""
An S3 server on loopback, and a proxy before it that misbehaves on demand.

`moto` is the server; everything goes through the proxy, which counts requests and spoils those that a
`Spoil` names.
"""

import contextlib
import http.client
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "server", "date", "keep-alive"}
_ERROR = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>made up</Message></Error>'
_CODES = {403: "AccessDenied", 404: "NoSuchKey", 500: "InternalError", 503: "SlowDown"}


@dataclass(slots=True)
class Spoil:
    """
    What goes wrong with some requests.

    Parameters
    ----------
    part : str
        Of the paths concerned.
    how : int or str
        A status; ``cut`` in the middle of the body; ``slow``: the body drips; ``hang``: no answer at all;
        ``lost answer``: none to a request that was obeyed.
    times : int
        How often, before all is well again.
    methods : set of str
        Concerned.
    seconds : float
        How long it hangs, or between two drops.
    """

    part: str
    how: int | Literal["cut", "slow", "hang", "lost answer"]
    times: int = 10**9
    methods: frozenset[str] = frozenset({"GET"})
    seconds: float = 0.02


@dataclass(slots=True)
class S3:
    """A running server; buckets are made with `make_bucket`."""

    endpoint: str
    spoils: list[Spoil] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def make_bucket(self, name: str) -> str:
        """Make a bucket, and return its URL."""
        import boto3

        boto3.client("s3", endpoint_url=self.endpoint).create_bucket(Bucket=name)
        return f"s3://{name}"

    def count(self, method: str, part: str) -> int:
        """Count the requests whose paths have a part."""
        return sum(m == method and part in path for m, path in self.requests)

    @contextlib.contextmanager
    def spoiled(self, *spoils: Spoil) -> Generator[None]:
        """Spoil some requests for a while."""
        self.spoils[:] = spoils
        try:
            yield
        finally:
            self.spoils.clear()


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    s3: S3
    behind: tuple[str, int]

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.s3.requests.append((self.command, self.path))
        how = self._spoil()
        if how is not None and how.how == "hang":
            self.s3.stopping.wait(how.seconds)
            self.close_connection = True
            return
        if how is not None and isinstance(how.how, int):
            text = _ERROR.format(code=_CODES[how.how]).encode()
            self._send(
                how.how, [("Content-Type", "application/xml")], b"" if self.command == "HEAD" else text
            )
            return
        status, headers, data = self._forward(body)
        if how is not None and how.how == "lost answer":
            self.close_connection = True
            return
        self._send(status, headers, data, how)

    def _spoil(self) -> Spoil | None:
        for spoil in self.s3.spoils:
            if spoil.times > 0 and spoil.part in self.path and self.command in spoil.methods:
                spoil.times -= 1
                return spoil
        return None

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(*self.behind, timeout=30)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
        connection.request(self.command, self.path, body=body, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP]
        if self.command == "HEAD":
            kept.append(("Content-Length", answer.headers.get("Content-Length", "0")))
        connection.close()
        return answer.status, kept, data

    def _send(
        self, status: int, headers: list[tuple[str, str]], data: bytes, how: Spoil | None = None
    ) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if how is None:
            self.wfile.write(data)
        elif how.how == "cut":
            self.wfile.write(data[: len(data) // 2])
            self.close_connection = True
        else:
            step = max(1, len(data) // 10)
            for begin in range(0, len(data), step):
                self.wfile.write(data[begin : begin + step])
                self.wfile.flush()
                time.sleep(how.seconds)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815


@contextlib.contextmanager
def running_s3() -> Generator[S3]:
    """Run a server and its proxy."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        handler = type("Proxy", (_Proxy,), {"behind": server.get_host_and_port()})
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        proxy.daemon_threads = True
        handler.s3 = s3 = S3(f"http://127.0.0.1:{proxy.server_port}")
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield s3
        finally:
            s3.stopping.set()
            proxy.shutdown()
            proxy.server_close()
            thread.join()
    finally:
        server.stop()
