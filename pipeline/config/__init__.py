"""
Configs: frozen dataclasses that are read from TOML, and say on one line what is wrong with a value.

A config is a ``@dataclass(frozen=True, kw_only=True)`` whose fields are of the types

- ``bool``, ``int``, ``float``, ``str``, ``pathlib.Path``, ``datetime.date``, ``datetime.datetime`` (UTC); a
  store is a URL and so a ``str``;
- ``Literal[...]`` or an ``Enum`` (by value) for choices;
- another such dataclass, ``tuple[X, ...]``, ``tuple[X, Y]`` and ``Mapping[str, X]``;
- ``X | None``, where None is a key that is left out, so that its default should be None.

Nothing is taken from the environment: no variables, no ``~``, no current folder. A dataclass checks what its
types can't say in ``__post_init__`` and raises `ConfigError` or ValueError; the loader adds where it stands.

Examples
--------
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, kw_only=True)
... class Picking:
...     threshold: float = 0.3
...     passes: int = 10
>>> load(Picking, "threshold = 0.5")
Picking(threshold=0.5, passes=10)
>>> load(Picking, "treshold = 0.5")
Traceback (most recent call last):
    ...
pipeline.errors.ConfigError: unknown key treshold: did you mean threshold?
>>> print(to_toml(Picking(passes=20)), end="")
threshold = 0.3
passes = 20
"""

from pipeline.config.reading import from_mapping, load
from pipeline.config.writing import digest, to_mapping, to_toml

__all__ = ["digest", "from_mapping", "load", "to_mapping", "to_toml"]
