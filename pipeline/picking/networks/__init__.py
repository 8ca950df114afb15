"""
Networks that pick phases, one readable file each, behind one interface and one registry.

A network is looked up in `NETWORKS` by its name, which is what a card of weights calls its architecture.
Neither this package nor a look at its names imports torch: a network's file is imported when it is asked for.

Examples
--------
>>> sorted(NETWORKS)
['eqtransformer', 'lppn', 'phasenet', 'sen']
>>> NETWORKS["phasenet"].__name__
'PhaseNet'
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.picking.networks.interface import Network, Settings

__all__ = ["NETWORKS", "build"]


class _Registry(Mapping[str, "type[Network]"]):
    """A mapping of names to classes, which imports a class when it is taken out."""

    def __init__(self, classes: Mapping[str, str]) -> None:
        self._classes = dict(classes)

    def __getitem__(self, name: str) -> type[Network]:
        if name not in self._classes:
            near = difflib.get_close_matches(name, self._classes, n=1)
            hint = f"did you mean {near[0]}?" if near else f"it should be one of {', '.join(self._classes)}"
            raise ConfigError(f"unknown architecture {name!r}: {hint}")
        module, _, attribute = self._classes[name].partition(":")
        found: type[Network] = getattr(import_module(f"{__name__}.{module}"), attribute)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._classes

    def __iter__(self) -> Iterator[str]:
        return iter(self._classes)

    def __len__(self) -> int:
        return len(self._classes)


NETWORKS: Final[Mapping[str, type[Network]]] = _Registry(
    {
        "phasenet": "phasenet:PhaseNet",
        "eqtransformer": "eqtransformer:EQTransformer",
        "lppn": "lppn:LPPN",
        "sen": "sen:SEN",
    }
)
"""Each network's class by its name; an unknown name is a ConfigError that names the nearest."""


def build(name: str, settings: Settings | None = None, *, seed: int = 0) -> Network:
    """
    Build a network with random weights, the same ones for the same seed.

    Parameters
    ----------
    name : str
        A key of `NETWORKS`.
    settings : Settings, optional
        Of that network's own class; its published defaults if None.
    seed : int
        Of the weights. The global generator of torch is left as it was.

    Returns
    -------
    Network
        On the CPU, float32, in evaluation mode.

    Raises
    ------
    ConfigError
        If there is no such network, or the settings are another network's.

    Examples
    --------
    >>> network = build("phasenet", seed=1)
    >>> sum(parameter.numel() for parameter in network.parameters())
    268443
    """
    import torch

    network_class = NETWORKS[name]
    if settings is None:
        settings = network_class.settings_class()
    if type(settings) is not network_class.settings_class:
        raise ConfigError(
            f"settings of {name} should be {network_class.settings_class.__name__}, "
            f"got {type(settings).__name__}"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return network_class(settings).eval()
