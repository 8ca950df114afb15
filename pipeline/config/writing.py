"""From a dataclass back to mappings and TOML, and to the digest of its values."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import typing
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any

from pipeline.config.kinds import SCALARS, Kind, fields_of, kind_of, without_none
from pipeline.config.toml import toml_text

__all__ = ["digest", "to_mapping", "to_toml"]


def to_mapping(config: Any) -> dict[str, Any]:
    """
    Return a config as nested dicts, lists and values that TOML knows; what is None is left out.

    `from_mapping` makes the same config of it.
    """
    values = ((field.name, getattr(config, field.name), hint) for field, hint in fields_of(type(config)))
    return {name: _write(value, hint) for name, value, hint in values if value is not None}


def to_toml(config: Any) -> str:
    """Return a config as TOML, with every value that it uses; `load` makes the same config of it."""
    return toml_text(to_mapping(config))


def digest(config: Any) -> str:
    """
    Return the BLAKE2 digest of the option values used, as 64 hexadecimal digits.

    It depends on names and values alone: not on which of them are defaults, nor on the order of the fields.
    An option that is None does not count, so that a new one leaves the digests of old configs as they are.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Picking:
    ...     threshold: float = 0.3
    >>> digest(Picking())[:12], digest(Picking()) == digest(Picking(threshold=0.5))
    ('db7ec2f0a078', False)
    """
    text = json.dumps(
        to_mapping(config), sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_plain_time
    )
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def _plain_time(value: dt.date) -> str:
    return value.isoformat()


def _write(value: Any, hint: Any) -> Any:
    if hint in SCALARS:
        return value.as_posix() if isinstance(value, Path) else SCALARS[hint][0](value)
    return _WRITERS[kind_of(hint)](value, hint)


def _write_tuple(value: Any, hint: Any) -> list[Any]:
    hints = typing.get_args(hint)
    if hints[-1] is Ellipsis:
        hints = hints[:1] * len(value)
    return [_write(item, kind) for item, kind in zip(value, hints, strict=True)]


def _write_mapping(value: Any, hint: Any) -> dict[str, Any]:
    return {key: _write(item, typing.get_args(hint)[1]) for key, item in value.items()}


_WRITERS: dict[Kind, Callable[[Any, Any], Any]] = {
    "table": lambda value, _: to_mapping(value),
    "choice": lambda value, _: value.value if isinstance(value, Enum) else value,
    "optional": lambda value, hint: _write(value, without_none(hint)),
    "tuple": _write_tuple,
    "mapping": _write_mapping,
}
