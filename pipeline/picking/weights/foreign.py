"""What importers give, and what SeisBench's JSON says in the same words for all networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["Foreign", "phases_first", "seisbench_card", "seisbench_settings"]


@dataclass(frozen=True)
class Foreign:
    """Weights from elsewhere: the network, its tensors by our names, and what is known beside them."""

    architecture: str
    tensors: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any]
    card: Mapping[str, Any]


def phases_first(
    values: NDArray[np.float32], classes: Sequence[str], phases: Sequence[str]
) -> NDArray[np.float32]:
    """
    Put the classes of a last layer in our order: the phases, then noise.

    Parameters
    ----------
    values : ndarray
        Kernel or bias, its first axis the classes.
    classes : sequence of str
        What they are.
    phases : sequence of str
        All of them but noise, in the order that is wanted.

    Examples
    --------
    >>> phases_first(np.array([0.0, 1.0, 2.0], np.float32), "NPS", "PS")
    array([1., 2., 0.], dtype=float32)
    """
    if len(classes) != len(values):
        raise ConfigError(
            f"the last layer has {len(values)} classes, but {''.join(classes)!r} names {len(classes)}"
        )
    if "N" not in classes:
        raise ConfigError(f"a class of noise, N, should be among {''.join(classes)!r}")
    return np.ascontiguousarray(values[[classes.index(name) for name in (*phases, "N")]])


def seisbench_settings(arguments: Mapping[str, Any], *, common_scale: bool) -> dict[str, Any]:
    """
    Return the settings that SeisBench's ``model_args`` stand for.

    Parameters
    ----------
    arguments : mapping
    common_scale : bool
        Whether that network's standard deviation is one of all components together.

    Examples
    --------
    >>> seisbench_settings({"norm": "peak", "sampling_rate": 50}, common_scale=True)
    {'components': 'ZNE', 'rate_hz': 50.0, 'normalisation': 'peak', 'common_scale': False, 'detrend': False}
    """
    count = int(arguments.get("in_channels", 3))
    order = str(arguments.get("component_order") or "ZNEH"[:count])
    if len(order) != count:
        raise ConfigError(f"component_order should name {count} components, got {order!r}")
    peak = bool(arguments.get("norm_amp_per_comp")) or arguments.get("norm", "std") == "peak"
    return {
        "components": order,
        "rate_hz": float(arguments.get("sampling_rate", 100)),
        "normalisation": "peak" if peak else "std",
        "common_scale": common_scale and not peak,
        "detrend": bool(arguments.get("norm_detrend", False)),
    }


def seisbench_card(
    description: Mapping[str, Any],
    phases: Sequence[str],
    *,
    overlap: int,
    thresholds: Mapping[str, float],
    citation: str,
) -> dict[str, Any]:
    """
    Return the fields of a card that SeisBench's JSON says, with that network's defaults for the rest.

    Its ``default_args`` hold what was found best for these weights: thresholds by phase, and the overlap.
    """
    stated = description.get("default_args") or {}
    found = {name: float(stated.get(f"{name}_threshold", value)) for name, value in thresholds.items()}
    text = " ".join(str(description.get("docstring") or "").split())
    card: dict[str, Any] = {
        "overlap": int(stated.get("overlap", overlap)),
        "thresholds": {name: found[name] for name in (*phases, "detection") if name in found},
        "citation": str(description.get("model_args", {}).get("citation") or citation),
        "training_data": text,
    }
    if description.get("version"):
        card["version"] = str(description["version"])
    return card
