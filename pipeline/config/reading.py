"""From TOML to a dataclass, refusing on one line what does not fit."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pipeline.config.kinds import SCALARS, Kind, choices, fields_of, in_words, kind_of, without_none
from pipeline.config.toml import toml_key, toml_value
from pipeline.errors import ConfigError

__all__ = ["from_mapping", "load"]

T = TypeVar("T")

_LONGEST_VALUE = 60


def load(cls: type[T], source: str | Path) -> T:
    """
    Read a config from TOML.

    Parameters
    ----------
    cls : type
        The dataclass to make.
    source : str or Path
        A ``str`` is the TOML itself, a ``Path`` the file that holds it.

    Raises
    ------
    ConfigError
        The file can't be read, is no TOML, or `from_mapping` refuses what it says.
    """
    where = str(source) if isinstance(source, Path) else ""
    try:
        text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
        mapping = tomllib.loads(text)
    except OSError as error:
        raise _error(f"{where}: the config can't be read: {error.strerror or error}") from error
    except ValueError as error:  # no UTF-8, no TOML
        raise _error(f"{where or 'the config'} should be TOML: {error}") from error
    return from_mapping(cls, mapping, where=where)


def from_mapping(cls: type[T], mapping: Mapping[str, Any], *, where: str = "") -> T:
    """
    Make a config from nested mappings, lists and values, as TOML gives them.

    Parameters
    ----------
    cls : type
        The dataclass to make.
    mapping : Mapping
        Its values by the names of its fields; what is not there keeps its default.
    where : str
        Where the mapping comes from (``run.toml``), to open each message with.

    Raises
    ------
    ConfigError
        A key is not known or missing, a value is of the wrong type, or the dataclass refuses it.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Picking:
    ...     threshold: float = 0.3
    >>> from_mapping(Picking, {"threshold": "high"}, where="run.toml")
    Traceback (most recent call last):
        ...
    pipeline.errors.ConfigError: run.toml: threshold is "high", but should be a number
    """
    made: T = _read_dataclass(mapping, cls, _Place(where))
    return made


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """A key, and the file that it stands in."""

    origin: str
    path: str = ""

    def key(self, name: str) -> _Place:
        return _Place(self.origin, f"{self.path}.{toml_key(name)}" if self.path else toml_key(name))

    def item(self, number: int) -> _Place:
        return _Place(self.origin, f"{self.path}[{number}]")

    def refuse(self, value: object, right: str) -> ConfigError:
        shown = toml_value(value)
        if len(shown) > _LONGEST_VALUE:
            shown = shown[:_LONGEST_VALUE] + "…"
        return self.error(f"{self.path or 'the config'} is {shown}, but should be {right}")

    def error(self, message: str) -> ConfigError:
        return _error(f"{self.origin}: {message}" if self.origin else message)


def _error(message: str) -> ConfigError:
    return ConfigError(" ".join(message.split()))


def _read_dataclass(mapping: object, cls: type[T], place: _Place) -> T:
    if not isinstance(mapping, Mapping):
        raise place.refuse(mapping, "a table of keys and values")
    names = [field.name for field, _ in fields_of(cls)]
    for key in mapping:
        if key not in names:
            raise place.error(f"unknown key {place.key(str(key)).path}: {_advice(str(key), names)}")
    values: dict[str, Any] = {}
    for field, hint in fields_of(cls):
        if field.name in mapping:
            values[field.name] = _read(mapping[field.name], hint, place.key(field.name))
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            if type(None) not in typing.get_args(hint):
                raise place.error(f"missing key {place.key(field.name).path}: should be {in_words(hint)}")
            values[field.name] = None
    try:
        return cls(**values)
    except ValueError as error:
        raise place.error(f"{place.path}: {error}" if place.path else str(error)) from error


def _advice(key: str, names: list[str]) -> str:
    nearest = difflib.get_close_matches(key.lower().replace("-", "_"), names, n=1)
    if nearest:
        return f"did you mean {nearest[0]}?"
    return f"the keys are {', '.join(names)}" if names else "there are no keys here"


def _read(value: object, hint: Any, place: _Place) -> Any:
    if hint in SCALARS:
        convert, right = SCALARS[hint]
        try:
            return convert(value)
        except (TypeError, ValueError):
            raise place.refuse(value, right) from None
    return _READERS[kind_of(hint)](value, hint, place)


def _read_choice(value: object, hint: Any, place: _Place) -> Any:
    for choice, stands_for in choices(hint):
        if type(choice) is type(value) and choice == value:
            return stands_for
    raise place.refuse(value, in_words(hint))


def _read_optional(value: object, hint: Any, place: _Place) -> Any:
    return _read(value, without_none(hint), place)


def _read_tuple(value: object, hint: Any, place: _Place) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise place.refuse(value, in_words(hint))
    hints = typing.get_args(hint)
    if hints[-1] is Ellipsis:
        hints = hints[:1] * len(value)
    if len(hints) != len(value):
        raise place.refuse(value, in_words(hint))
    return tuple(
        _read(item, kind, place.item(n)) for n, (item, kind) in enumerate(zip(value, hints, strict=True))
    )


def _read_mapping(value: object, hint: Any, place: _Place) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise place.refuse(value, in_words(hint))
    kind = typing.get_args(hint)[1]
    return {str(key): _read(item, kind, place.key(str(key))) for key, item in value.items()}


_READERS: dict[Kind, Callable[[object, Any, _Place], Any]] = {
    "table": _read_dataclass,
    "choice": _read_choice,
    "optional": _read_optional,
    "tuple": _read_tuple,
    "mapping": _read_mapping,
}
