"""
Keras' files, read without Keras: ``.h5`` of Keras 2, and ``.keras``, a zip of a config and weights.

Both hold a graph as JSON and tensors in HDF5. Nothing in them is executed: a layer that carries code is only
a layer without tensors here.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["KerasGraph", "KerasLayer", "read_keras"]

_LARGEST_BYTES: Final = 2**30

_ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "LayerNormalization": ("gamma", "beta"),
    "LSTM": ("kernel", "recurrent_kernel", "bias"),
    "Bidirectional": (
        *(f"forward/{role}" for role in ("kernel", "recurrent_kernel", "bias")),
        *(f"backward/{role}" for role in ("kernel", "recurrent_kernel", "bias")),
    ),
    "SeqSelfAttention": ("Wt", "Wx", "bh", "Wa", "ba"),
    "FeedForward": ("W1", "b1", "W2", "b2"),
}
"""What the tensors of a layer are, in the order in which Keras makes them; others are kernel and bias."""


@dataclass(frozen=True)
class KerasLayer:
    """A layer: its class, its name, which layers it takes, and its tensors by what they are."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    tensors: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class KerasGraph:
    """Layers in an order in which each comes after those that it takes, and the names of the outputs."""

    layers: tuple[KerasLayer, ...]
    outputs: tuple[str, ...]
    input_shape: tuple[int | None, ...]

    def leading_to(self, name: str) -> tuple[KerasLayer, ...]:
        """Return the layers with tensors that an output depends on, itself the last."""
        by_name = {layer.name: layer for layer in self.layers}
        wanted, open_names = set(), [name]
        while open_names:
            found = open_names.pop()
            if found not in wanted and found in by_name:
                wanted.add(found)
                open_names += by_name[found].inputs
        return tuple(layer for layer in self.layers if layer.name in wanted and layer.tensors)


def read_keras(path: Path) -> KerasGraph:
    """
    Read a Keras model with its weights.

    Parameters
    ----------
    path : Path
        ``.h5`` or ``.keras``.

    Raises
    ------
    ConfigError
        If it can't be read, holds no graph, or its tensors are not what its layers should have.
    """
    try:
        if zipfile.is_zipfile(path):
            config, tensors = _zipped(path)
        else:
            config, tensors = _plain(path)
        return _graph(config, tensors)
    except ConfigError:
        raise
    except OSError as error:
        raise ConfigError(f"{path}: no Keras file, or a damaged one: {error}") from error
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        raise ConfigError(f"{path}: no model with weights of Keras, or a damaged one: {error}") from error


_Tensors = Mapping[str, Sequence[NDArray[np.float32]]]


def _plain(path: Path) -> tuple[dict[str, Any], _Tensors]:
    """Read ``.h5``: the graph is an attribute, and each layer a group that lists its tensors."""
    with h5py.File(path, "r") as file:
        stored = file.attrs.get("model_config")
        if stored is None or "model_weights" not in file:
            raise ConfigError(
                f"{path}: should hold model_config and model_weights, as Keras saves a whole model"
            )
        weights = file["model_weights"]
        tensors = {
            layer: [_array(weights[layer][_text(name)]) for name in weights[layer].attrs["weight_names"]]
            for layer in map(_text, weights.attrs["layer_names"])
        }
        config: dict[str, Any] = json.loads(_text(stored))["config"]
    return config, tensors


def _zipped(path: Path) -> tuple[dict[str, Any], _Tensors]:
    """Read ``.keras``: layers are called by their class and how many of it came before."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > _LARGEST_BYTES:
                raise ConfigError(
                    f"{path}: {member.filename} has {member.file_size:,} bytes, more than is read"
                )
        config: dict[str, Any] = json.loads(archive.read("config.json"))["config"]
        content = archive.read("model.weights.h5")
    tensors, seen = {}, Counter[str]()
    with h5py.File(io.BytesIO(content), "r") as file:
        for layer in config["layers"]:
            kind = _snake(layer["class_name"])
            number = seen[kind]
            seen[kind] += 1
            group = file["layers"].get(f"{kind}_{number}" if number else kind)
            if group is not None:
                tensors[layer["name"]] = [_array(stored) for stored in _numbered(group)]
    return config, tensors


def _numbered(group: h5py.Group) -> Iterator[h5py.Dataset]:
    """Give a layer's tensors in order: its own, or those of its parts, the forward one first."""
    if "vars" in group:
        yield from (group["vars"][key] for key in sorted(group["vars"], key=int))
    for part in ("cell", "forward_layer", "backward_layer"):
        if part in group:
            yield from _numbered(group[part])


def _graph(config: Mapping[str, Any], tensors: _Tensors) -> KerasGraph:
    layers = tuple(
        KerasLayer(
            layer["class_name"],
            layer["name"],
            tuple(dict.fromkeys(_names(layer["inbound_nodes"]))),
            _by_role(layer["class_name"], layer["name"], tensors.get(layer["name"], ())),
        )
        for layer in config["layers"]
    )
    first = config["layers"][0]["config"]
    shape = first.get("batch_shape") or first.get("batch_input_shape") or ()
    outputs = config["output_layers"]
    if outputs and isinstance(outputs[0], str):
        outputs = [outputs]
    return KerasGraph(layers, tuple(output[0] for output in outputs), tuple(shape))


def _by_role(kind: str, name: str, tensors: Sequence[NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    roles = _ROLES.get(kind, ("kernel", "bias")[: len(tensors)])
    if tensors and len(tensors) != len(roles):
        raise ConfigError(f"{name} ({kind}) should have {len(roles)} tensors, got {len(tensors)}")
    return dict(zip(roles, tensors, strict=False))


def _names(nodes: Any) -> Iterator[str]:
    """Give the layers that a layer takes: ``[name, 0, 0, {}]`` of Keras 2, ``keras_history`` of Keras 3."""
    if isinstance(nodes, Mapping):
        history = nodes.get("keras_history")
        if history:
            yield history[0]
        else:
            for value in nodes.values():
                yield from _names(value)
    elif isinstance(nodes, Sequence) and not isinstance(nodes, str):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            yield nodes[0]
        else:
            for value in nodes:
                yield from _names(value)


def _snake(name: str) -> str:
    """
    Return a class's name as Keras makes a group's of it.

    >>> _snake("SeqSelfAttention"), _snake("Conv1D"), _snake("LSTM")
    ('seq_self_attention', 'conv1d', 'lstm')
    """
    parted = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _array(stored: h5py.Dataset) -> NDArray[np.float32]:
    if stored.nbytes > _LARGEST_BYTES:
        raise ConfigError(f"{stored.name} has {stored.nbytes:,} bytes, more than is read")
    return np.asarray(stored[()], dtype=np.float32)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
