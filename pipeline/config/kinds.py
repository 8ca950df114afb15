"""What a type hint asks for: the types that a config can hold, and the words for each."""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union

from pipeline.config.toml import toml_value

__all__ = ["SCALARS", "Kind", "choices", "fields_of", "in_words", "kind_of", "without_none"]

Kind = Literal["table", "choice", "optional", "tuple", "mapping"]


def fields_of(cls: Any) -> tuple[tuple[dataclasses.Field[Any], Any], ...]:
    """Return the fields of a dataclass that its caller sets, each with its resolved type."""
    hints = typing.get_type_hints(cls)
    return tuple((field, hints[field.name]) for field in dataclasses.fields(cls) if field.init)


def kind_of(hint: Any) -> Kind:
    """
    Tell of which kind a type is that is no scalar.

    Raises
    ------
    TypeError
        A config can't hold it: the dataclass is wrong, not the config.
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return "table"
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return "choice"
    if origin in (Union, types.UnionType) and len(inner) == 2 and type(None) in inner:
        return "optional"
    if origin is tuple and inner:
        return "tuple"
    if origin in (Mapping, dict) and inner[0] is str:
        return "mapping"
    raise TypeError(f"a config can't hold {hint}; the types that it can are in pipeline/config/__init__.py")


def without_none(hint: Any) -> Any:
    """Return X of ``X | None``."""
    return next(kind for kind in typing.get_args(hint) if kind is not type(None))


def in_words(hint: Any) -> str:
    """Say in words what a value should be."""
    if hint in SCALARS:
        return SCALARS[hint][1]
    kind, inner = kind_of(hint), typing.get_args(hint)
    if kind == "choice":
        return "one of " + ", ".join(toml_value(choice) for choice, _ in choices(hint))
    if kind == "optional":
        return in_words(without_none(hint))
    if kind == "tuple" and inner[-1] is Ellipsis:
        return f"a list, each of it {in_words(inner[0])}"
    if kind == "tuple":
        return f"a list of {len(inner)}: " + "; ".join(map(in_words, inner))
    if kind == "mapping":
        return f"a table, each value of it {in_words(inner[1])}"
    return "a table of keys and values"


def choices(hint: Any) -> list[tuple[Any, Any]]:
    """Return what TOML may say for a Literal or an Enum, each with the value that it stands for."""
    if isinstance(hint, type) and issubclass(hint, Enum):
        return [(member.value, member) for member in hint]
    return [(choice, choice) for choice in typing.get_args(hint)]


def _exactly(kind: type) -> Callable[[object], Any]:
    def convert(value: object) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return convert


def _float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _utc(value: object) -> dt.datetime:
    if not isinstance(value, dt.datetime):
        raise TypeError
    return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _path(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "://" in value:  # a Path would make one slash of two
        raise TypeError
    return Path(value)


SCALARS: dict[Any, tuple[Callable[[object], Any], str]] = {
    bool: (_exactly(bool), "true or false"),
    int: (_exactly(int), "a whole number"),
    float: (_float, "a number"),
    str: (_exactly(str), "text in quotes"),
    Path: (_path, "a path of this machine, in quotes"),
    dt.date: (_exactly(dt.date), "a date, as 2020-12-31"),
    dt.datetime: (_utc, "a time, as 2020-12-31T12:00:00Z"),
}
"""Each plain type: what makes its value, or raises TypeError, and what a value should be."""
