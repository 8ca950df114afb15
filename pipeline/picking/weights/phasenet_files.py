"""PhaseNet's tensors by their names in TensorFlow, Keras and SeisBench, and by ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.picking.weights.foreign import Foreign, phases_first, seisbench_card, seisbench_settings

__all__ = ["from_seisbench", "from_tensorflow"]

_CITATION: Final = "Zhu and Beroza (2019), doi:10.1093/gji/ggy423"

_NORMALISATION: Final = {
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}

_Arrays = Mapping[str, NDArray[Any]]


def from_tensorflow(tensors: _Arrays) -> Foreign:
    """
    Take the tensors of the original, from its checkpoint or from Keras.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        By names whose last two parts are a layer's and a tensor's (``down_conv1_1/kernel``). Kernels are
        (samples, 1, in, out), those of transposed convolutions (samples, 1, out, in).

    Raises
    ------
    ConfigError
        If a tensor is missing.
    """
    named = {"/".join(name.split("/")[-2:]): values for name, values in tensors.items()}
    depth = sum(re.fullmatch(r"down_conv1_\d+/kernel", name) is not None for name in named)
    places = _places(depth)
    found: dict[str, NDArray[np.float32]] = {}
    for layer, ours in places.items():
        for role in ("kernel", "bias"):
            if f"{layer}/{role}" in named:
                values = np.asarray(named[f"{layer}/{role}"], dtype=np.float32)
                if role == "kernel":
                    # (samples, 1, first, second) becomes (second, first, samples), for either kind.
                    values = values[:, 0].transpose(2, 1, 0)
                found[f"{ours[0]}.{'weight' if role == 'kernel' else 'bias'}"] = np.ascontiguousarray(values)
        for role, ours_role in _NORMALISATION.items():
            source = f"{layer.replace('conv', 'bn')}/{role}"
            if source in named and ours[1]:
                found[f"{ours[1]}.{ours_role}"] = np.asarray(named[source], dtype=np.float32)
    if depth < 2 or "entry.convolution.weight" not in found or "head.weight" not in found:
        raise ConfigError(
            "these are no tensors of PhaseNet: they should be called input_conv, down_conv1_1, ..."
        )
    for name in ("head.weight", "head.bias"):
        found[name] = phases_first(found[name], ("N", "P", "S"), ("P", "S"))
    first = found["entry.convolution.weight"]
    return Foreign(
        "phasenet",
        found,
        settings={
            "components": "ENZ",
            "first_filters": first.shape[0],
            "kernel": first.shape[2],
            "depth": depth,
        },
        card={"overlap": 1500, "thresholds": {"P": 0.3, "S": 0.3}, "citation": _CITATION},
    )


def _places(depth: int) -> dict[str, tuple[str, str]]:
    """Return where each convolution of the original, and its normalisation, stand in ours."""
    places = {"input_conv": ("entry.convolution", "entry.normalisation"), "output_conv": ("head", "")}
    for level in range(1, depth):
        above, back = f"contractions.{level - 1}", f"expansions.{depth - 1 - level}"
        for layer, ours in (("down_conv1", "widen"), ("down_conv3", "shorten")):
            places[f"{layer}_{level}"] = (f"{above}.{ours}.convolution", f"{above}.{ours}.normalisation")
        places[f"up_conv0_{level}"] = (f"{back}.lengthen", f"{back}.normalisation")
        places[f"up_conv1_{level}"] = (f"{back}.merge.convolution", f"{back}.merge.normalisation")
    places[f"down_conv1_{depth}"] = ("bottom.convolution", "bottom.normalisation")
    return places


def from_seisbench(tensors: _Arrays, description: Mapping[str, Any]) -> Foreign:
    """
    Take the tensors of SeisBench's PhaseNet.

    Parameters
    ----------
    tensors : mapping of str to ndarray
    description : mapping
        The JSON beside them.
    """
    arguments = description.get("model_args", {})
    stated = str("".join(arguments.get("phases", "NPS")))
    phases = tuple(phase for phase in stated if phase != "N")
    depth = 1 + max(
        (int(name.split(".")[1]) for name in tensors if name.startswith("down_branch.")), default=-1
    )
    found: dict[str, NDArray[np.float32]] = {}
    for name, values in tensors.items():
        ours = _from_seisbench(name, depth)
        if ours:
            found[ours] = phases_first(values, tuple(stated), phases) if ours.startswith("head") else values
    return Foreign(
        "phasenet",
        found,
        settings={
            **seisbench_settings(arguments, common_scale=False),
            "phases": list(phases),
            "first_filters": 8 * int(arguments.get("filter_factor", 1)),
        },
        card=seisbench_card(
            description, phases, overlap=1500, thresholds=dict.fromkeys(phases, 0.3), citation=_CITATION
        ),
    )


def _from_seisbench(name: str, depth: int) -> str:
    """Return our name of a tensor, or nothing for one that we have no place for."""
    parts = name.split(".")
    if parts[0] in ("inc", "in_bn", "out"):
        part = {"inc": "entry.convolution", "in_bn": "entry.normalisation", "out": "head"}[parts[0]]
        return f"{part}.{parts[1]}"
    if parts[0] == "down_branch":
        level, which = int(parts[1]), int(parts[2])
        ours = ("widen.convolution", "widen.normalisation", "shorten.convolution", "shorten.normalisation")
        if level == depth - 1:
            return f"bottom.{ours[which].partition('.')[2]}.{parts[3]}"
        return f"contractions.{level}.{ours[which]}.{parts[3]}"
    if parts[0] == "up_branch":
        ours = ("lengthen", "normalisation", "merge.convolution", "merge.normalisation")
        return f"expansions.{parts[1]}.{ours[int(parts[2])]}.{parts[3]}"
    return ""
