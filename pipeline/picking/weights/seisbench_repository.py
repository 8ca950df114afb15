"""
SeisBench's published weights, fetched by name and version.

Its repository has a folder per network with two files per weights, ``stead.pt.v2`` and ``stead.json.v2``; the
oldest ones have no version in their names but one in the JSON. It answers WebDAV, so that versions can be
listed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import requests

from pipeline.errors import (
    ConfigError,
    CutOffError,
    DamagedError,
    DeniedError,
    RefusedError,
    TooLargeError,
    UnansweredError,
)
from pipeline.picking.weights.torch_files import read_json

__all__ = ["REPOSITORY", "fetch_weights"]

REPOSITORY: Final = "https://hifis-storage.desy.de/Helmholtz/HelmholtzAI/SeisBench/models/v3"
"""Where SeisBench itself looks."""

ARCHITECTURES: Final = ("phasenet", "eqtransformer")
"""Networks of ours of which it has weights."""

_LARGEST_BYTES: Final = 2**28
_TIMEOUT_S: Final = (10.0, 60.0)


def _adler32(data: bytes) -> bytes:
    return zlib.adler32(data).to_bytes(4, "big")


_HASHES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "sha-512": lambda data: hashlib.sha512(data).digest(),
    "sha-256": lambda data: hashlib.sha256(data).digest(),
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False).digest(),
    "adler32": _adler32,
}
"""Checksums that a server may state (RFC 9530, RFC 3230), the strongest first."""


def fetch_weights(name: str, folder: Path, *, repository: str = REPOSITORY) -> tuple[Path, str]:
    """
    Fetch weights and their JSON.

    Parameters
    ----------
    name : str
        The network and SeisBench's name, and a version unless it is the latest that is wanted:
        ``phasenet-stead@2``.
    folder : Path
        Where both files are put.
    repository : str
        An address.

    Returns
    -------
    path : Path
        The file of tensors, for `import_weights`.
    checksum : str
        How the server vouched for it (``sha-256``), or nothing where it stated no checksum.

    Raises
    ------
    ConfigError
        If the name is not of that form, or names a network that is not ours.
    UnansweredError
        If there is no network, or no answer.
    RefusedError
        If there are no such weights.
    DamagedError
        If what came has not the checksum that the server states.
    """
    architecture, own, version = _parts(name)
    address = f"{repository.rstrip('/')}/{architecture}"
    with requests.Session() as session:
        suffix = f".v{version}" if version else _latest(session, address, own)
        try:
            content, checksum = _get(session, f"{address}/{own}.pt{suffix}")
        except RefusedError:
            if not version:
                raise
            # The oldest weights have no version in their names.
            suffix = ""
            content, checksum = _get(session, f"{address}/{own}.pt")
        description, _ = _get(session, f"{address}/{own}.json{suffix}")
    path = folder / f"{own}.pt{suffix}"
    path.write_bytes(content)
    beside = folder / f"{own}.json{suffix}"
    beside.write_bytes(description)
    stated = str(read_json(beside).get("version", version or "1"))
    if version and stated != version:
        raise RefusedError(f"{address}: {own} has version {stated}, not {version}")
    return path, checksum


def _parts(name: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"([a-z]+)-([a-z0-9_.-]+?)(?:@([0-9A-Za-z.]+))?", name)
    if found is None or found[1] not in ARCHITECTURES:
        raise ConfigError(
            f"should be named by one of {', '.join(ARCHITECTURES)} and their name there, "
            f"as phasenet-stead or phasenet-stead@2, got {name!r}"
        )
    return found[1], found[2], found[3] or ""


def _latest(session: requests.Session, address: str, own: str) -> str:
    """Return the suffix of the highest version, ``.v3``; nothing where there is only one without."""
    listing, _ = _get(session, f"{address}/", method="PROPFIND", headers={"Depth": "1"})
    places = re.findall(r"href>([^<]+)<", listing.decode("utf-8", errors="replace"))
    names = [unquote(place).rstrip("/").rsplit("/", 1)[-1] for place in places]
    pattern = re.compile(rf"{re.escape(own)}\.pt(?:\.v(.+))?")
    versions = [found[1] for found in map(pattern.fullmatch, names) if found]
    if not versions:
        there = sorted({name.split(".pt")[0] for name in names if ".pt" in name})
        raise RefusedError(f"{address}: no weights {own!r}; there are {', '.join(there) or 'none'}")
    numbered = [version for version in versions if version]
    if not numbered:
        return ""
    return f".v{max(numbered, key=lambda version: [int(part) for part in re.findall(r'[0-9]+', version)])}"


def _get(
    session: requests.Session, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> tuple[bytes, str]:
    """Return what is at an address, and which checksum of the server it agreed with."""
    host = urlsplit(url).hostname or url
    asked = {
        "Accept-Encoding": "identity",
        "Want-Repr-Digest": "sha-256=9",
        "Want-Digest": "SHA-256,MD5,ADLER32",
    }
    try:
        with session.request(
            method, url, headers={**asked, **(headers or {})}, timeout=_TIMEOUT_S, stream=True
        ) as response:
            _judge(response, url)
            content = bytearray()
            for piece in response.iter_content(2**16):
                content += piece
                if len(content) > _LARGEST_BYTES:
                    raise TooLargeError(
                        f"{url}: more than {_LARGEST_BYTES:,} bytes, which weights never have"
                    )
            stated = response.headers
    except (
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
    ) as error:
        raise ConfigError(f"{url}: should be an address that begins with https://") from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise CutOffError(f"{url}: the answer ended too early") from error
    except requests.RequestException as error:
        raise UnansweredError(
            f"no network, or {host} does not answer ({_reason(error)}); "
            "`stationday models import` takes files that were fetched elsewhere"
        ) from error
    return bytes(content), _checked(bytes(content), stated, url)


def _judge(response: requests.Response, url: str) -> None:
    status = response.status_code
    if status == requests.codes.not_found:
        raise RefusedError(f"{url}: there is nothing there (404)")
    if status in (requests.codes.unauthorized, requests.codes.forbidden):
        raise DeniedError(f"{url}: the server wants credentials ({status})")
    if status >= 400:
        raise UnansweredError(f"{url}: the server answered {status} {response.reason}")


def _checked(content: bytes, headers: Mapping[str, str], url: str) -> str:
    """Compare content with the checksums that a server states; return the strongest of them."""
    length = headers.get("Content-Length")
    if length is not None and length.isdigit() and int(length) != len(content):
        raise CutOffError(f"{url}: {length} bytes were announced, {len(content)} came")
    stated = {**_stated(headers.get("Digest", "")), **_stated(headers.get("Repr-Digest", ""))}
    if headers.get("Content-MD5"):
        stated["md5"] = headers["Content-MD5"]
    agreed = ""
    for kind, digest in _HASHES.items():
        if kind in stated:
            found = digest(content)
            if stated[kind] not in (base64.b64encode(found).decode(), found.hex()):
                raise DamagedError(
                    f"{url}: its {kind} is {found.hex()}, the server states {stated[kind]}: "
                    f"what came is not what lies there"
                )
            agreed = agreed or kind
    return agreed


def _stated(header: str) -> dict[str, str]:
    """
    Read checksums from a header.

    >>> _stated("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"), _stated("adler32=03da0195")
    ({'sha-256': '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='}, {'adler32': '03da0195'})
    """
    pairs = (part.strip().partition("=") for part in header.split(","))
    return {kind.lower(): value.strip(":") for kind, _, value in pairs if value}


def _reason(error: BaseException) -> str:
    """Say in a few words why a request failed, not as urllib3 nests it."""
    text = str(error)
    for mark, words in (
        ("NameResolutionError", "its name is not known here"),
        ("Failed to resolve", "its name is not known here"),
        ("refused", "connection refused"),
        ("timed out", "timed out"),
        ("unreachable", "unreachable"),
        ("ProxyError", "the proxy does not let it through"),
        ("CERTIFICATE", "its certificate is not trusted"),
    ):
        if mark in text:
            return words
    return type(error).__name__
