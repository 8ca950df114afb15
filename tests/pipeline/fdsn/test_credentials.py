"""Credentials come from the environment, and show nothing of themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ConfigError, DamagedError
from pipeline.fdsn.centres import Service, find_service
from pipeline.fdsn.client import Client
from pipeline.fdsn.credentials import Credentials
from pipeline.fdsn.pace import Pace, SystemClock

TOKEN = "-----BEGIN PGP MESSAGE-----\nsecret\n-----END PGP MESSAGE-----\n"


def test_nothing_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(TOKEN)
    for environment in (
        {"FDSN_USER": "secret", "FDSN_PASSWORD": "secret"},
        {"FDSN_BEARER_TOKEN": "secret"},
        {"EIDA_TOKEN": TOKEN},
        {"EIDA_TOKEN": str(path)},
    ):
        credentials = Credentials.of(environment)
        assert credentials.are_given
        assert "secret" not in repr(credentials) + str(credentials)
        client = Client(Service("https://example.org"), Pace(1.0, SystemClock()), credentials)
        assert "secret" not in repr(client)
        client.close()
    assert Credentials.of({"EIDA_TOKEN": str(path)}).eida_token == TOKEN
    assert not Credentials.of({"FDSN_USER": ""}).are_given


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"FDSN_PASSWORD": "secret"}, "FDSN_USER is not"),
        (
            {"FDSN_USER": "a", "FDSN_PASSWORD": "secret", "EIDA_TOKEN": TOKEN},
            "FDSN_USER and EIDA_TOKEN are set",
        ),
        ({"EIDA_TOKEN": "/nowhere/secret"}, "No such file"),
        ({"EIDA_TOKEN": "/dev/null"}, "holds no token"),
    ],
)
def test_what_contradicts_itself(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        Credentials.of(environment)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("answer", [b"", b"user", b"user:", b"<html>:\n</html>"])
def test_an_exchange_that_gives_something_else(answer: bytes) -> None:
    with pytest.raises(DamagedError) as raised:
        Credentials(eida_token=TOKEN).signed_in(answer)
    assert "html" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SCEDEC", "did you mean SCEDC"),
        ("ftp://example.org", "is no data centre"),
        ("isc", "only events"),
        ("https://me:secret@example.org", "should not hold a password"),
    ],
)
def test_what_is_no_data_centre(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        find_service(name)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("base", "slug", "is_private"),
    [
        ("http://127.0.0.1:8080/", "127.0.0.1-8080", True),
        ("http://example.org/here/fdsnws/dataselect/1", "example.org-here", False),
        ("https://example.org", "example.org", True),
    ],
)
def test_a_base_url(base: str, slug: str, is_private: bool) -> None:
    service = find_service(base)
    assert (service.slug, service.is_private) == (slug, is_private)
    assert service.url("station").endswith("/fdsnws/station/1/query")
    assert service.url("station").count("fdsnws") == 1
