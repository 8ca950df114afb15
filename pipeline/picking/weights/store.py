"""
The store of weights: a folder of safetensors, each with its card.

::

    stead@2.json           the card
    stead@2.safetensors    the tensors

On a cluster without internet it is a folder that all nodes see, filled once from a machine that has it.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigError
from pipeline.objects import LocalObjects
from pipeline.picking.networks import build
from pipeline.picking.weights.cards import Card, card_from_json, card_to_json, network_settings, with_settings
from pipeline.picking.weights.tensors import Tensors, digest_of, fill, pack, unpack

if TYPE_CHECKING:
    from pipeline.picking.networks.interface import Network

__all__ = ["SHIPPED", "VARIABLE", "Store", "default_folder"]

VARIABLE: Final = "STATIONDAY_MODELS"
"""The variable of the environment that names the folder."""

SHIPPED: Final = Path(__file__).parent / "shipped"
"""Weights that come with the package, if there are any."""


def default_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """
    Return where weights lie unless a command is told otherwise.

    That is ``STATIONDAY_MODELS``, or else where this platform keeps data of applications.

    Examples
    --------
    >>> default_folder({"STATIONDAY_MODELS": "/scratch/models"}).as_posix()
    '/scratch/models'
    """
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE])
    if sys.platform == "win32":  # pragma: no cover (the other platforms)
        base = Path(environment.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":  # pragma: no cover
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "stationday" / "models"


@dataclass(frozen=True)
class Store:
    """
    Weights in folders.

    Parameters
    ----------
    folder : Path
        Where weights are written; it need not be there.
    shipped : Path
        A second one, which is only read; the first one wins.
    """

    folder: Path
    shipped: Path = SHIPPED

    def cards(self) -> Iterator[Card]:
        """Give all cards, by name and version; a card that can't be read is a ConfigError."""
        found = {card.key: card for place in (self.shipped, self.folder) for card in _cards_in(place)}
        yield from sorted(found.values(), key=lambda card: (card.name, _order(card.version)))

    def find(self, name: str) -> Card:
        """
        Return a card.

        Parameters
        ----------
        name : str
            ``stead@2``, or ``stead`` for its highest version.

        Raises
        ------
        ConfigError
            If there is none.
        """
        wanted, _, version = name.partition("@")
        cards = list(self.cards())
        named = [card for card in cards if card.name == wanted and version in ("", card.version)]
        if named:
            return named[-1]
        keys = [card.key for card in cards]
        near = difflib.get_close_matches(name, [*keys, *(card.name for card in cards)], n=1)
        hint = f"did you mean {near[0]}?" if near else f"it holds {', '.join(keys) or 'none'}"
        raise ConfigError(
            f"no weights {name!r} in {self.folder}: {hint}; `stationday models import` and `get` add some"
        )

    def read(self, card: Card) -> Tensors:
        """
        Return the tensors of a card.

        Raises
        ------
        ConfigError
            If they are missing, damaged, or not those that the card describes.
        """
        path = self._path(card)
        try:
            tensors = unpack(path.read_bytes(), where=str(path))
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; the card of {card.key} needs it") from error
        found = digest_of(tensors)
        if found != card.digest:
            raise ConfigError(
                f"{path}: these are not the weights that the card of {card.key} describes: their digest is "
                f"{found}, it says {card.digest or 'none'}"
            )
        return tensors

    def load(self, name: str) -> tuple[Network, Card]:
        """
        Build the network of a card, with its weights, in evaluation mode.

        Raises
        ------
        ConfigError
            As `find` and `read`, and if the weights don't fit the network.
        """
        card = self.find(name)
        tensors = self.read(card)
        network = build(card.architecture, network_settings(card))
        fill(network, tensors, where=str(self._path(card)))
        return network, card

    def save(self, card: Card, tensors: Tensors, *, replace: bool = False) -> Card:
        """
        Write weights and their card, which gets all settings of the network and the digest.

        Parameters
        ----------
        card : Card
        tensors : mapping of str to ndarray
        replace : bool
            Whether other weights of that name and version may be replaced; the same ones are no matter.

        Returns
        -------
        Card
            As written.

        Raises
        ------
        ConfigError
            If the weights don't fit the card, or there are other ones of that name and version.
        """
        settings = network_settings(card)
        fill(build(card.architecture, settings), tensors, where=card.key)
        whole = with_settings(card, settings, digest=digest_of(tensors))
        there = next((old for old in _cards_in(self.folder) if old.key == card.key), None)
        if there is not None and there.digest != whole.digest and not replace:
            raise ConfigError(
                f"{self.folder} holds other weights {card.key} (digest {there.digest}, these have "
                f"{whole.digest}); another --version, or --overwrite, would be right"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        objects = LocalObjects(self.folder)
        # The card last: without one, nobody takes the tensors for weights.
        objects.write(f"{card.key}.safetensors", pack(tensors))
        objects.write(f"{card.key}.json", card_to_json(whole).encode())
        return whole

    def _path(self, card: Card) -> Path:
        name = f"{card.key}.safetensors"
        here = self.folder / f"{card.key}.json"
        return (self.folder if here.exists() else self.shipped) / name


def _cards_in(folder: Path) -> Iterator[Card]:
    for path in sorted(folder.glob("*@*.json")):
        card = card_from_json(path.read_text(encoding="utf-8", errors="replace"), where=str(path))
        if f"{card.key}.json" != path.name:
            raise ConfigError(f"{path}: the card is of {card.key}, and should be called {card.key}.json")
        yield card


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Return what versions are sorted by: 10 comes after 9, and words before numbers."""
    return tuple((1, int(part), "") if part.isdigit() else (0, 0, part) for part in version.split("."))
