"""Errors travel between workers, print their message, and stand in the tree that is drawn."""

from __future__ import annotations

import pickle
import re

import pytest

from pipeline import errors
from pipeline.errors import StationdayError

ALL = [getattr(errors, name) for name in errors.__all__]


def drawn() -> dict[str, tuple[str, str | None]]:
    """Read the tree of the docstring: each error with its parent and its builtin."""
    found: dict[str, tuple[str, str | None]] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^(?P<lead>[\s│├└─]*)(?P<name>\w+Error)(\((?P<builtin>\w+)\))?", line)
        if match is None or not line.startswith("    "):
            continue
        depth = len(match["lead"])
        above = [(at, name) for at, name in above if at < depth]
        if above:
            found[match["name"]] = above[-1][1], match["builtin"]
        above.append((depth, match["name"]))
    return found


def test_the_drawn_tree_is_true() -> None:
    tree = drawn()
    assert set(tree) == set(errors.__all__) - {"StationdayError"}
    for name, (parent, builtin) in tree.items():
        bases = [base.__name__ for base in getattr(errors, name).__bases__]
        assert bases == [parent] + ([builtin] if builtin else []), name


def test_all_are_named() -> None:
    defined = {k for k, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)}
    assert defined == set(errors.__all__)
    assert list(errors.__all__) == sorted(errors.__all__)


@pytest.mark.parametrize("error", ALL)
def test_they_pickle_and_say_what(error: type[StationdayError]) -> None:
    made = error("day 3: 'x' should be 'y'")
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is error
    assert str(again) == str(made) == "day 3: 'x' should be 'y'"
    assert again.args == made.args
    assert str(error()) == error.__name__
    assert issubclass(error, StationdayError)
