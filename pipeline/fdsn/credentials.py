"""
Credentials, from the environment alone: they are never options, never printed and never written.

=====================================  ==============================================================
``FDSN_USER``, ``FDSN_PASSWORD``       for ``queryauth``, by HTTP digest
``EIDA_TOKEN``                         the signed token, or a file with it; exchanged for a user and password
``FDSN_BEARER_TOKEN``                  a JSON web token, sent as ``Authorization: Bearer``
=====================================  ==============================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import ConfigError, DamagedError

__all__ = ["Credentials"]

_PGP = "-----BEGIN PGP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """
    Who asks. The representation shows nothing of it.

    Examples
    --------
    >>> Credentials(user="me", password="secret")
    Credentials()
    >>> Credentials.of({"FDSN_USER": "me"})
    Traceback (most recent call last):
    pipeline.errors.ConfigError: FDSN_USER and FDSN_PASSWORD should be set together; FDSN_PASSWORD is not
    """

    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    bearer: str = field(default="", repr=False)
    eida_token: str = field(default="", repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Credentials:
        """
        Take credentials from an environment.

        Raises
        ------
        ConfigError
            If they contradict each other, or the file of a token can't be read.
        """
        names = ("FDSN_USER", "FDSN_PASSWORD", "FDSN_BEARER_TOKEN", "EIDA_TOKEN")
        user, password, bearer, eida = (environment.get(name, "").strip() for name in names)
        if bool(user) != bool(password):
            missing = "FDSN_PASSWORD" if user else "FDSN_USER"
            raise ConfigError(f"FDSN_USER and FDSN_PASSWORD should be set together; {missing} is not")
        given = [name for name, value in (("FDSN_USER", user), (names[2], bearer), (names[3], eida)) if value]
        if len(given) > 1:
            raise ConfigError(f"{' and '.join(given)} are set; only one of them can be used")
        return cls(user=user, password=password, bearer=bearer, eida_token=_read_token(eida))

    def signed_in(self, answer: bytes) -> Credentials:
        """Return the credentials that an EIDA token was exchanged for, from the text ``user:password``."""
        user, separator, password = answer.decode("utf-8", "replace").strip().partition(":")
        if not separator or not user or not password or "\n" in password:
            raise DamagedError("the answer to EIDA_TOKEN should be user:password, and is something else")
        return Credentials(user=user, password=password)

    @property
    def are_given(self) -> bool:
        """Whether there are any."""
        return bool(self.user or self.bearer or self.eida_token)


def _read_token(text: str) -> str:
    if not text or text.startswith(_PGP):
        return text
    try:
        token = Path(text).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        kind = error.strerror if isinstance(error, OSError) else "not a text"
        raise ConfigError(f"EIDA_TOKEN should be a token or the file that holds one: {kind}") from None
    if _PGP not in token:
        raise ConfigError(f"EIDA_TOKEN names a file that holds no token: it should begin with {_PGP!r}")
    return token
