"""From what a user writes to a profile: a TOML file, or a short form on the command line."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from cluster.errors import ProfileError
from cluster.profile import KINDS, Address, Processes, Profile, Serial, Threads

__all__ = ["FORMS", "load_profile", "parse_profile"]

FORMS = "'serial', 'threads:4', 'processes:2', 'tcp://host:8786', 'scheduler.json' or 'path/to/profile.toml'"
"""What a user can write where a profile is asked for."""


def load_profile(text: str) -> Profile:
    """
    Read a profile from its short form or from the TOML file that it names.

    Parameters
    ----------
    text : str
        ``serial``, ``threads`` or ``threads:4``, ``processes`` or ``processes:2``, the address of a running
        scheduler, the path of its scheduler file (``.json``) or of a profile (``.toml``).

    Returns
    -------
    Profile
        A profile whose values have been checked.

    Raises
    ------
    ProfileError
        The text is none of these, or the file can't be read or holds something wrong.

    Examples
    --------
    >>> load_profile("threads:4")
    Threads(threads=4)
    >>> load_profile("tcp://host:8786").address
    'tcp://host:8786'
    """
    name, _, number = text.partition(":")
    if "://" in text:
        return Address(address=text)
    if text.endswith(".json"):
        return Address(scheduler_file=text)
    if text.endswith(".toml"):
        return _read_toml(Path(text))
    if name in _SHORT_FORMS:
        return _SHORT_FORMS[name](text, number)
    raise ProfileError(f"profile {text!r} should be {FORMS}{_nearest(name, _SHORT_FORMS)}")


def parse_profile(table: Mapping[str, object]) -> Profile:
    """
    Make a profile of a table as TOML has it.

    Parameters
    ----------
    table : mapping
        ``kind`` and the keys of that kind.

    Returns
    -------
    Profile
        A profile whose values have been checked.

    Raises
    ------
    ProfileError
        The kind or a key is unknown, a key is missing, or a value can't be used.

    Examples
    --------
    >>> parse_profile({"kind": "processes", "workers": 2})
    Processes(workers=2, threads=1, memory=None, gpus=0, local_directory=None)
    >>> parse_profile({"kind": "processes", "worker": 2})
    Traceback (most recent call last):
        ...
    cluster.errors.ProfileError: key 'worker' is unknown to kind 'processes'; did you mean 'workers'?
    """
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    name = values.pop("kind", None)
    if not isinstance(name, str) or name not in KINDS:
        raise ProfileError(f"kind = {name!r} should be one of {', '.join(KINDS)}{_nearest(str(name), KINDS)}")
    kind: Any = KINDS[name]
    known = [field.name for field in fields(kind)]
    for key in values:
        if key not in known:
            hint = _nearest(key, known) or f"; it knows {', '.join(known) or 'none'}"
            raise ProfileError(f"key {key!r} is unknown to kind {name!r}{hint}")
    required = [field.name for field in fields(kind) if field.default is MISSING]
    missing = [key for key in required if key not in values]
    if missing:
        raise ProfileError(f"{', '.join(missing)} missing: kind {name!r} needs {', '.join(required)}")
    profile: Profile = kind(**values)
    return profile


def _read_toml(path: Path) -> Profile:
    try:
        return parse_profile(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ProfileError(f"{path}: there is no such profile; a profile is {FORMS}") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ProfileError) as error:
        raise ProfileError(f"{path}: {error}") from error


def _serial(text: str, number: str) -> Profile:
    if number:
        raise ProfileError(f"profile {text!r} should be 'serial': it has no number")
    return Serial()


def _threads(text: str, number: str) -> Profile:
    return Threads(threads=_count(text, number))


def _processes(text: str, number: str) -> Profile:
    return Processes(workers=_count(text, number))


_SHORT_FORMS: dict[str, Callable[[str, str], Profile]] = {
    "serial": _serial,
    "threads": _threads,
    "processes": _processes,
}


def _count(text: str, number: str) -> int | None:
    if ":" not in text:
        return None
    if not number.isdecimal() or int(number) < 1:
        raise ProfileError(f"profile {text!r} should end in a whole number, 1 or more, such as '4'")
    return int(number)


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
