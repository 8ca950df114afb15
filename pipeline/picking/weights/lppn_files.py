"""LPPN's tensors as their authors store them, and by our names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.picking.weights.foreign import Foreign, phases_first

__all__ = ["from_torch"]

_CITATION: Final = "Yu and Wang (2022), doi:10.1785/0220210309"

_CLASSES: Final = ("N", "Pg", "Sg", "Pn", "Sn", "P", "S")
_CLASSES_OF_TWO: Final = ("N", "P", "S")

_WIDTHS: Final = {12: "tiny", 32: "medium", 144: "large"}

_PARTS: Final = {
    "conv.0.0": "expand.0",
    "conv.0.1": "expand.1",
    "conv.1.0": "filter.0",
    "conv.1.1": "filter.1",
    "conv.2": "project.0",
    "conv.3": "project.1",
}


def from_torch(tensors: Mapping[str, NDArray[Any]]) -> Foreign:
    """
    Take the tensors of the published LPPN.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        Its convolutions are of two dimensions, of which the first is 1. Seven classes are noise and six
        phases, three are noise, P and S; class 0 is noise in both.

    Raises
    ------
    ConfigError
        If the tensors are others.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for name, values in tensors.items():
        flat = values[:, :, 0] if values.ndim == 4 else values
        found[_ours(name)] = np.ascontiguousarray(flat, dtype=np.float32)
    width = found["classes.weight"].shape[1] // 2
    count = len(found["classes.bias"])
    classes = {3: _CLASSES_OF_TWO, 7: _CLASSES}.get(count)
    if width not in _WIDTHS or classes is None:
        raise ConfigError(
            f"LPPN should have 3 or 7 classes and widths of {list(_WIDTHS)}, got {count} and {width}"
        )
    for name in ("classes.weight", "classes.bias"):
        found[name] = phases_first(found[name], classes, classes[1:])
    return Foreign(
        "lppn",
        found,
        settings={"phases": list(classes[1:]), "size": _WIDTHS[width]},
        card={"overlap": 3072, "thresholds": dict.fromkeys(classes[1:], 0.3), "citation": _CITATION},
    )


def _ours(name: str) -> str:
    """
    Return our name of a tensor.

    >>> _ours("layers.3.conv.0.1.running_var"), _ours("class_encoder.4.1.conv.2.weight"), _ours("cl.bias")
    ('features.2.expand.1.running_var', 'up.1.project.0.weight', 'classes.bias')
    """
    head = re.fullmatch(r"(cl|tm)\.(weight|bias)", name)
    if head:
        return f"{'classes' if head[1] == 'cl' else 'offset'}.{head[2]}"
    first = re.fullmatch(r"layers\.0\.([01])\.(\w+)", name)
    if first:
        return f"first.{first[1]}.{first[2]}"
    block = re.fullmatch(r"(layers|class_encoder)\.(\d+)\.(?:1\.)?(conv\.[\d.]+)\.(\w+)", name)
    if block is None or block[3] not in _PARTS:
        raise ConfigError(f"LPPN has no tensor {name}")
    number = int(block[2])
    place = (
        f"features.{number - 1}"
        if block[1] == "layers"
        else f"down.{number}"
        if number < 3
        else f"up.{number - 3}"
    )
    return f"{place}.{_PARTS[block[3]]}.{block[4]}"
