"""TOML text of nested dicts, lists and values: what the standard library reads but does not write."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["toml_key", "toml_text", "toml_value"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def toml_text(mapping: Mapping[str, Any]) -> str:
    """
    Return a mapping as TOML.

    >>> print(toml_text({"days": 31, "store": {"url": "s3://a"}, "picks": [{"phase": "P"}]}), end="")
    days = 31
    <BLANKLINE>
    [store]
    url = "s3://a"
    <BLANKLINE>
    [[picks]]
    phase = "P"
    """
    return "\n".join(_lines(mapping, "")).lstrip("\n") + "\n"


def _lines(mapping: Mapping[str, Any], path: str) -> Iterator[str]:
    tables = {key: value for key, value in mapping.items() if isinstance(value, dict)}
    arrays = {
        key: value
        for key, value in mapping.items()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    }
    for key, value in mapping.items():
        if key not in tables and key not in arrays:
            yield f"{toml_key(key)} = {toml_value(value)}"
    for key, value in tables.items():
        yield f"\n[{path}{toml_key(key)}]"
        yield from _lines(value, f"{path}{toml_key(key)}.")
    for key, items in arrays.items():
        for item in items:
            yield f"\n[[{path}{toml_key(key)}]]"
            yield from _lines(item, f"{path}{toml_key(key)}.")


def toml_key(key: str) -> str:
    """Return a key as TOML writes it: bare, or in quotes where it has to be."""
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _text(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which JSON leaves as it is.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it on one line."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.date):  # a datetime is one, too
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items()) + "}"
    return repr(value)
