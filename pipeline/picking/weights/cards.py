"""
Cards: what weights are, in JSON beside them.

A card says which network they are for and with which settings (rate, components and their order,
normalisation, window), how they are meant to be used (overlap, thresholds), where they come from, what they
may be used for, and the digest of the tensors, by which it is noticed when they are not those it describes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

from pipeline.config import from_mapping, to_mapping
from pipeline.errors import ConfigError
from pipeline.picking.networks import NETWORKS

if TYPE_CHECKING:
    from pipeline.picking.networks.interface import Settings

__all__ = ["Card", "card_from_json", "card_to_json", "network_settings", "with_settings"]

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]*")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.]*")
_DIGEST: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class _Described:
    """The fields of a card whose types a config can hold: all but the settings."""

    name: str
    version: str = "1"
    architecture: str
    overlap: int = 0
    thresholds: Mapping[str, float] = field(default_factory=dict)
    training_data: str = ""
    licence: str = ""
    citation: str = ""
    source: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True, kw_only=True)
class Card(_Described):
    """
    What weights are.

    Attributes
    ----------
    name, version : str
        What they are called in a store; both are part of a file's name.
    architecture : str
        A key of `NETWORKS`.
    overlap : int
        Samples that a window shares with the next one.
    thresholds : mapping of str to float
        By phase (and ``detection``): what a probability has to reach.
    training_data, licence, citation : str
        Empty where they are not known.
    source : str
        The file or address that they were imported from.
    scores : mapping of str to float
        What they reached when they were judged, by names that say on what.
    digest : str
        BLAKE2 of the tensors, 32 hexadecimal digits.
    settings : mapping
        Of the network, as its class of settings has them; `network_settings` makes that.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ConfigError(
                f"a name of weights should be of small letters, digits, dots, dashes and underscores, "
                f"got {self.name!r}"
            )
        if not _VERSION.fullmatch(self.version):
            raise ConfigError(
                f"a version of weights should be of letters, digits and dots, got {self.version!r}"
            )
        if self.architecture not in NETWORKS:
            NETWORKS[self.architecture]  # whose error names the nearest
        if self.digest and not _DIGEST.fullmatch(self.digest):
            raise ConfigError(f"a digest of weights should be 32 hexadecimal digits, got {self.digest!r}")
        if self.overlap < 0:
            raise ConfigError(f"overlap should be 0 samples or more, got {self.overlap}")
        for name, value in self.thresholds.items():
            if not 0 < value <= 1:
                raise ConfigError(f"the threshold of {name} should lie above 0 and not above 1, got {value}")
        for name, value in self.scores.items():
            if not math.isfinite(value):
                raise ConfigError(f"the score {name} should be a number, got {value}")

    @property
    def key(self) -> str:
        """Name and version, as a user writes them: ``stead@2``."""
        return f"{self.name}@{self.version}"


def card_to_json(card: Card) -> str:
    """
    Write a card, with a line per field.

    Examples
    --------
    >>> card = Card(name="mine", architecture="phasenet", thresholds={"P": 0.3})
    >>> card_from_json(card_to_json(card)) == card
    True
    """
    described = {item.name: getattr(card, item.name) for item in fields(card)}
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def card_from_json(text: str, *, where: str = "") -> Card:
    """
    Read a card.

    Parameters
    ----------
    text : str
    where : str
        What to open messages with: the file.

    Raises
    ------
    ConfigError
        If it is no JSON object, a key is unknown or missing, or a value is not what it should be.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where or 'a card'} should be JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("settings", {}), dict):
        raise ConfigError(f"{where or 'a card'} should be a JSON object whose settings are one, too")
    settings = content.pop("settings", {})
    described = from_mapping(_Described, content, where=where)
    try:
        values = {item.name: getattr(described, item.name) for item in fields(described)}
        return Card(**values, settings=settings)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}" if where else str(error)) from error


def network_settings(card: Card) -> Settings:
    """
    Return the settings of the network that a card asks for; this imports torch.

    Raises
    ------
    ConfigError
        If the network has no such setting, or it can't have that value.
    """
    settings_class = NETWORKS[card.architecture].settings_class
    found = from_mapping(settings_class, card.settings, where=f"card of {card.key}")
    if card.overlap >= found.window:
        raise ConfigError(
            f"card of {card.key}: overlap should be below the window of {found.window} samples, "
            f"got {card.overlap}"
        )
    known = {*found.phases, "detection"}
    unknown = [name for name in card.thresholds if name not in known]
    if unknown:
        raise ConfigError(
            f"card of {card.key}: threshold of {unknown[0]}, which it does not pick; "
            f"it should be one of {', '.join(sorted(known))}"
        )
    return found


def with_settings(card: Card, settings: Settings, *, digest: str) -> Card:
    """Return a card with all settings of a network spelled out, and the digest of its tensors."""
    return replace(card, settings=to_mapping(settings), digest=digest)
