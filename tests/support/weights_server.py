"""A repository of weights on loopback, as SeisBench's: files, their listing, and answers that are wrong."""

from __future__ import annotations

import base64
import hashlib
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Repository", "serve_weights"]


@dataclass
class Repository:
    """
    What is served.

    Attributes
    ----------
    files : dict
        Content by path, as ``/phasenet/stead.pt.v2``.
    stated : str
        Which checksum is stated: ``sha-256``, ``adler32``, ``md5`` or nothing.
    spoil : callable
        What becomes of content on its way, after its checksum was taken.
    status : int
        Of each answer, if it is not 200.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    stated: str = "sha-256"
    spoil: Callable[[bytes], bytes] = bytes
    status: int = 200
    announce: int = 0
    url: str = ""
    asked: list[str] = field(default_factory=list)


def _checksum(kind: str, content: bytes) -> dict[str, str]:
    if kind == "sha-256":
        return {"Repr-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"}
    if kind == "adler32":
        return {"Digest": f"adler32={zlib.adler32(content):08x}"}
    if kind == "md5":
        return {"Content-MD5": base64.b64encode(hashlib.md5(content).digest()).decode()}
    return {}


@contextmanager
def serve_weights() -> Iterator[Repository]:
    """Serve a repository until the block ends."""
    repository = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = repository.files.get(self.path)
            repository.asked.append(self.path)
            if content is None:
                self._answer(404, b"", {})
            else:
                self._answer(
                    repository.status, repository.spoil(content), _checksum(repository.stated, content)
                )

        def do_PROPFIND(self) -> None:
            repository.asked.append(f"PROPFIND {self.path}")
            below = [path for path in repository.files if path.startswith(self.path)]
            places = "".join(
                f"<d:response><d:href>{path}</d:href></d:response>" for path in [self.path, *below]
            )
            self._answer(207, f'<d:multistatus xmlns:d="DAV:">{places}</d:multistatus>'.encode(), {})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + repository.announce))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    repository.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield repository
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
