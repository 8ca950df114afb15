"""A store that dies at a chosen operation, and stays dead: what a process sees that is killed there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.objects import LocalObjects

__all__ = ["Crash", "Crashing", "crashing"]


class Crash(BaseException):
    """Nothing but the test may catch this."""


@dataclass
class Crashing:
    """
    Counts what changes the objects below a folder, and crashes at one of them.

    A folder is deleted object by object, in either order: nothing promises one. A write that crashes leaves
    half a file under a temporary name.
    """

    root: str
    at: int | None = None
    backwards: bool = False
    done: list[str] = field(default_factory=list)
    is_dead: bool = False

    def step(self, what: str) -> None:
        """Do one more operation, or die."""
        if self.is_dead or len(self.done) == self.at:
            self.is_dead = True
            raise Crash(what)
        self.done.append(what)


@contextmanager
def crashing(folder: Path, *, at: int | None = None, backwards: bool = False) -> Iterator[Crashing]:
    """Let every store below a folder crash at operation number ``at``, never if that is None."""
    state = Crashing(str(folder), at, backwards)
    write, create, delete = LocalObjects.write, LocalObjects.create, LocalObjects.delete

    def is_watched(store: LocalObjects) -> bool:
        return f"{store.url}/".startswith(f"{state.root}/")

    def write_or_die(store: LocalObjects, key: str, data: bytes) -> None:
        _step_of_writing(state, store, key, data) if is_watched(store) else None
        write(store, key, data)

    def create_or_die(store: LocalObjects, key: str, data: bytes) -> bool:
        if is_watched(store) and not store.exists(key):
            _step_of_writing(state, store, key, data)
        return create(store, key, data)

    def delete_or_die(store: LocalObjects, key: str) -> None:
        if is_watched(store) and store.exists(key):
            state.step(f"delete {store.url}/{key}")
        delete(store, key)

    def delete_folder_or_die(store: LocalObjects, prefix: str) -> None:
        for info in sorted(store.list(prefix), reverse=state.backwards):
            delete_or_die(store, info.key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalObjects, "write", write_or_die)
        patch.setattr(LocalObjects, "create", create_or_die)
        patch.setattr(LocalObjects, "delete", delete_or_die)
        patch.setattr(LocalObjects, "delete_folder", delete_folder_or_die)
        yield state


def _step_of_writing(state: Crashing, store: LocalObjects, key: str, data: bytes) -> None:
    was_dead = state.is_dead
    try:
        state.step(f"write {store.url}/{key}")
    except Crash:
        if not was_dead:
            store._write_partial(key, data[: len(data) // 2])
        raise
