"""
One request to a web service: asked again where that helps, and what came back called by its name.

===================================  ===================================================================
200                                  the body, once it is whole and holds what was asked for
204, 404                             nothing there: None
413, 414, a body that does not fit   `TooLargeError`
401, 403                             `DeniedError`
400 and all others                   `RefusedError`, with the words of the service
429                                  all threads wait, as long as ``Retry-After`` says, and it is asked again
408, 500, 502, 503, 504 ...          asked again, after a wait that doubles
no connection, no answer in time     asked again likewise; in the end `UnansweredError`
a body cut short                     asked again likewise; in the end `CutOffError`
a body that is something else        asked again likewise; in the end `DamagedError`
===================================  ===================================================================

A service that answers nothing for several requests in a row is asked no more.
"""

from __future__ import annotations

import email.utils
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.auth import AuthBase, HTTPDigestAuth

from pipeline.errors import (
    ConfigError,
    CutOffError,
    DamagedError,
    DeniedError,
    RefusedError,
    ServiceError,
    TooLargeError,
    UnansweredError,
)
from pipeline.fdsn.centres import Service
from pipeline.fdsn.credentials import Credentials
from pipeline.fdsn.pace import Pace

__all__ = ["LARGEST_BODY", "Client", "Patience"]

Read = TypeVar("Read")

LARGEST_BODY = 256 * 1024**2
"""Bytes of an answer that are held in memory; more is asked for in smaller requests."""

_CHUNK = 1 << 18
_WORDS = 200
_MOST_REDIRECTS = 5
_NOTHING = frozenset({204, 404})
_TOO_LARGE = frozenset({413, 414})
_DENIED = frozenset({401, 403})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOO_MANY = 429
_LATER = frozenset({408, 425, _TOO_MANY, 500, *range(502, 505), *range(506, 600)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for what, and how often to ask again."""

    tries: int = 5
    first_wait_s: float = 2.0
    longest_wait_s: float = 600.0
    """A service that wants more than this between two requests is given up."""
    connect_s: float = 20.0
    read_s: float = 60.0
    drip_s: float = 60.0
    slowest_bytes_per_s: float = 1000.0
    """What has sent less than this on average, after ``drip_s``, counts as cut off."""
    failures_in_a_row: int = 10


class _Later(Exception):
    """Asked again after ``seconds``, or after the usual wait; ``for_all`` where no thread may ask sooner."""

    def __init__(self, error: ServiceError, seconds: float | None = None, *, for_all: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.seconds = seconds
        self.for_all = for_all or seconds is not None


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _Nobody(AuthBase):
    """Nobody: or else requests takes what it finds in a .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class Client:
    """
    Asks one data centre. Any number of threads may share it.

    Parameters
    ----------
    service : Service
    pace : Pace
        Says when.
    credentials : Credentials, optional
    patience : Patience, optional

    Attributes
    ----------
    requests : int
        How many went out, retries included.
    given_up : str
        Why nothing is asked any more, empty while it is.
    """

    def __init__(
        self,
        service: Service,
        pace: Pace,
        credentials: Credentials | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.service = service
        self.pace = pace
        self.patience = patience or Patience()
        self.requests = 0
        self.given_up = ""
        self._credentials = credentials or Credentials()
        self._auth = self._authorization()
        self._failures = 0
        self._lock = threading.Lock()
        self._session = requests.Session()
        self._session.headers["User-Agent"] = f"stationday/{version('stationday')}"
        self._session.headers["Accept-Encoding"] = "gzip"
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=64)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def sign_in(self) -> None:
        """Exchange an EIDA token, where there is one, for a user and a password."""
        token = self._credentials.eida_token
        if token:
            answer = self.ask(self.service.url("dataselect", "auth"), body=token.encode(), read=bytes)
            if answer is None:
                raise DeniedError(f"{self.service.base} does not exchange an EIDA_TOKEN")
            self._credentials = self._credentials.signed_in(answer)
            self._auth = self._authorization()

    @property
    def dataselect_url(self) -> str:
        """Where to ask for samples: another method for who has a password."""
        return self.service.url("dataselect", "queryauth" if self._credentials.user else "query")

    def ask(
        self,
        url: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        read: Callable[[bytes], Read],
        nothing: frozenset[int] = _NOTHING,
        with_credentials: bool = False,
    ) -> Read | None:
        """
        Ask, as often as it takes.

        Parameters
        ----------
        url : str
        parameters : mapping, optional
            Of the query.
        body : bytes, optional
            What to POST; without it this is a GET.
        read : callable
            Makes of a body what it means; `DamagedError` where that isn't what was asked for.
        nothing : frozenset of int
            Which status codes say that there is nothing.
        with_credentials : bool
            Whether to say who asks.

        Returns
        -------
        what ``read`` makes of it, or None
            None where there is nothing.

        Raises
        ------
        ServiceError
            As in the table above.
        """
        for attempt in range(1, self.patience.tries + 1):
            self._check()
            self.pace.take()
            try:
                raw = self._once(url, parameters, body, nothing, with_credentials=with_credentials)
                answer = None if raw is None else read(raw)
            except _Later as later:
                last = later.error
                self._wait(attempt, later)
            except DamagedError as error:
                last = error
                self._session.close()  # what was left of it on its connection would begin the next answer
                self._wait(attempt, _Later(error))
            except (RefusedError, DeniedError, TooLargeError):
                self._failures = 0
                raise
            else:
                self._failures = 0
                return answer
        self._note_failure(last)
        raise last

    def _check(self) -> None:
        self.pace.check()
        if self.given_up:
            raise UnansweredError(self.given_up)

    def _wait(self, attempt: int, later: _Later) -> None:
        usual = self.patience.first_wait_s * 2.0 ** (attempt - 1)
        seconds = usual if later.seconds is None else later.seconds
        if seconds > self.patience.longest_wait_s:
            self.given_up = f"the service wants to be left alone for {seconds:.0f} s ({later.error})"
            raise UnansweredError(self.given_up)
        if later.for_all:
            self.pace.hold(seconds)
        elif attempt < self.patience.tries:
            self.pace.wait(seconds)

    def _note_failure(self, error: ServiceError) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self.patience.failures_in_a_row and not self.given_up:
                self.given_up = f"{self._failures} requests in a row failed, the last one with: {error}"

    def _once(
        self,
        url: str,
        parameters: Mapping[str, str] | None,
        body: bytes | None,
        nothing: frozenset[int],
        *,
        with_credentials: bool,
    ) -> bytes | None:
        """Send one request; give its body, or None where there is nothing."""
        response = self._send(url, parameters, body, self._auth if with_credentials else _Nobody())
        with response:
            status = response.status_code
            if status in nothing:
                return None
            if status == requests.codes.ok:
                return self._body(response)
            words = _words(response)
            if status in _TOO_LARGE:
                raise TooLargeError(f"too large ({status}){words}")
            if status in _DENIED:
                raise DeniedError(f"not permitted ({status}){words}")
            if status in _LATER:
                error = UnansweredError(f"no answer ({status}){words}")
                raise _Later(error, self._retry_after(response), for_all=status == _TOO_MANY)
            raise RefusedError(f"refused ({status}){words}")

    def _send(
        self, url: str, parameters: Mapping[str, str] | None, body: bytes | None, auth: AuthBase
    ) -> requests.Response:
        """
        Send a request, also to where it is sent on to.

        A POST stays one, which requests would make a GET; credentials go to one host alone.
        """
        for _ in range(_MOST_REDIRECTS):
            with self._lock:
                self.requests += 1
            try:
                response = self._session.request(
                    "GET" if body is None else "POST",
                    url,
                    params=parameters,
                    data=body,
                    headers={"Content-Type": "text/plain"} if body is not None else None,
                    auth=auth,
                    stream=True,
                    allow_redirects=False,
                    timeout=(self.patience.connect_s, self.patience.read_s),
                )
            except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
                raise ConfigError(f"{url}: {error}") from error
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise _Later(UnansweredError(f"no answer: {_name(error)}")) from error
            if response.status_code not in _REDIRECTS or "Location" not in response.headers:
                return response
            response.close()
            target = urljoin(url, response.headers["Location"])
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                auth = _Nobody()
            url, parameters = target, None
        raise RefusedError(f"sent on more than {_MOST_REDIRECTS} times, the last time to {url}")

    def _body(self, response: requests.Response) -> bytes:
        """Read a body that is neither too long, nor too slow, nor too short."""
        parts: list[bytes] = []
        size, began = 0, self.pace.clock.monotonic()
        while True:
            self.pace.check()
            try:
                part = response.raw.read1(_CHUNK, decode_content=True)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise CutOffError(f"cut off: {_name(error)}") from error
            if not part:
                return b"".join(parts)
            parts.append(part)
            size += len(part)
            if size > LARGEST_BODY:
                raise TooLargeError(f"too large: more than {LARGEST_BODY >> 20} MiB")
            seconds = self.pace.clock.monotonic() - began
            if seconds > self.patience.drip_s and size < seconds * self.patience.slowest_bytes_per_s:
                raise CutOffError("cut off: too slow")

    def _retry_after(self, response: requests.Response) -> float | None:
        """Return what the service wants us to wait, None where it does not say."""
        text = response.headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        try:
            when = email.utils.parsedate_to_datetime(text)
            return max(0.0, (when - self.pace.clock.now()).total_seconds())
        except (ValueError, TypeError):
            return None

    def _authorization(self) -> AuthBase:
        credentials = self._credentials
        if credentials.are_given and not self.service.is_private:
            raise ConfigError(f"{self.service.base}: credentials are sent over https only")
        if credentials.user:
            return HTTPDigestAuth(credentials.user, credentials.password)
        return _Bearer(credentials.bearer) if credentials.bearer else _Nobody()


def _words(response: requests.Response) -> str:
    """Return the beginning of what a service says, on one line, without markup."""
    try:
        raw: Any = response.raw.read1(4096, decode_content=True)
    except (urllib3.exceptions.HTTPError, OSError):
        return ""
    text = re.sub(r"<[^>]*>|[\x00-\x20\x7f]+", " ", raw.decode("utf-8", "replace"))
    text = " ".join(text.split())
    return f": {text[:_WORDS]}" if text else ""


def _name(error: BaseException) -> str:
    """
    Say briefly what went wrong with a connection: equal troubles are to be worded equally.

    >>> _name(requests.ConnectTimeout("HTTPSConnectionPool(host=...): Max retries exceeded"))
    'ConnectTimeout'
    """
    cause: BaseException | None = error
    for _ in range(4):
        reason = getattr(cause, "reason", None) or (cause.args[0] if cause and cause.args else None)
        if not isinstance(reason, BaseException):
            break
        cause = reason
    return type(cause).__name__
