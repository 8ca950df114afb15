"""Files of weights as other programs write them, made here from seeds."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import google_crc32c
import h5py
import numpy as np
from numpy.typing import NDArray
from seeded_networks import tensor_of

__all__ = [
    "REFERENCES",
    "phasenet_tensors",
    "write_checkpoint",
    "write_keras_2",
    "write_keras_3",
    "write_seisbench",
]

REFERENCES = Path(__file__).parents[1] / "pipeline" / "picking" / "networks" / "references"

Arrays = Mapping[str, NDArray[Any]]


def write_seisbench(
    folder: Path, kind: str, arguments: Mapping[str, Any], *, suffix: str = "", version: str = "2"
) -> Path:
    """Write ``.pt`` and ``.json`` as SeisBench does, with the tensors of a reference."""
    import torch

    shapes = json.loads((REFERENCES / "seisbench_tensors.json").read_text())[kind]
    state = {name: torch.from_numpy(tensor_of(name, shape)) for name, shape in shapes.items()}
    path = folder / f"seeded.pt{suffix}"
    torch.save(state, path)
    description = {
        "docstring": "Made from seeds.\nOf no use.",
        "model_args": dict(arguments),
        "version": version,
        "default_args": {"P_threshold": 0.25, "overlap": 1200},
    }
    (folder / f"seeded.json{suffix}").write_text(json.dumps(description))
    return path


def _layers() -> list[Any]:
    return list(json.loads((REFERENCES / "eqtransformer_layers.json").read_text()))


def _chains() -> tuple[list[str], dict[str, str], list[str]]:
    """Return EQTransformer's layers, which one each takes, and its outputs, by what their names say."""
    names = [name for _, name, _ in _layers()]
    decoders = [[f"conv1d_{number}" for number in range(first, first + 7)] for first in (25, 32, 39)]
    branches = [
        [*decoders[0], "detector"],
        ["lstm_4", "attentionP", *decoders[1], "picker_P"],
        ["lstm_5", "attentionS", *decoders[2], "picker_S"],
    ]
    apart = {name for branch in branches for name in branch}
    shared = ["input", *(name for name in names if name not in apart)]
    before = dict(zip(shared[1:], shared, strict=False))
    for branch in branches:
        before.update(zip(branch, [shared[-1], *branch], strict=False))
    return ["input", *names], before, [branch[-1] for branch in branches]


def write_keras_2(path: Path) -> Path:
    """Write ``.h5`` of EQTransformer as Keras 2 does: a graph in an attribute, and a group per layer."""
    order, before, outputs = _chains()
    kinds = {name: kind for kind, name, _ in _layers()}
    config = [
        {
            "class_name": kinds.get(name, "InputLayer"),
            "name": name,
            "config": {"name": name, **({} if name in before else {"batch_input_shape": [None, 6000, 3]})},
            "inbound_nodes": [[[before[name], 0, 0, {}]]] if name in before else [],
        }
        for name in order
    ]
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.3.1"
        listed = [[name, 0, 0] for name in outputs]
        graph = {"class_name": "Model", "config": {"layers": config, "output_layers": listed}}
        file.attrs["model_config"] = json.dumps(graph)
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [name.encode() for name in order]
        weights.create_group("input").attrs["weight_names"] = np.array([], dtype="S1")
        for _, name, tensors in _layers():
            group = weights.create_group(name)
            for tensor, shape in tensors:
                group[f"{tensor}:0"] = tensor_of(tensor, shape, last=True)
            group.attrs["weight_names"] = [f"{tensor}:0".encode() for tensor, _ in tensors]
    return path


_FOLDERS = {
    "Conv1D": "conv1d",
    "BatchNormalization": "batch_normalization",
    "LayerNormalization": "layer_normalization",
    "SeqSelfAttention": "seq_self_attention",
    "FeedForward": "feed_forward",
    "LSTM": "lstm",
    "Bidirectional": "bidirectional",
}
_SIDES = ("forward_layer/cell/vars", "backward_layer/cell/vars")


def write_keras_3(path: Path) -> Path:
    """Write ``.keras`` of EQTransformer: a zip of a graph, and of tensors by class and number."""
    order, before, outputs = _chains()
    kinds = {name: kind for kind, name, _ in _layers()}
    config = []
    for name in order:
        taken = {"class_name": "__keras_tensor__", "config": {"keras_history": [before.get(name), 0, 0]}}
        nodes = [{"args": [taken], "kwargs": {"mask": None}}] if name in before else []
        layer = {"class_name": kinds.get(name, "InputLayer"), "name": name, "inbound_nodes": nodes}
        shape = {} if name in before else {"batch_shape": [None, 6000, 3]}
        config.append({**layer, "config": {"name": name, **shape}})
    content, seen = io.BytesIO(), Counter[str]()
    with h5py.File(content, "w") as file:
        for kind, _, tensors in _layers():
            number, folder = seen[kind], _FOLDERS[kind]
            seen[kind] += 1
            group = file.create_group(f"layers/{folder}_{number}" if number else f"layers/{folder}")
            for at, (tensor, shape) in enumerate(tensors):
                place = {"LSTM": "cell/vars", "Bidirectional": _SIDES[at // 3]}.get(kind, "vars")
                group[f"{place}/{at % 3 if kind == 'Bidirectional' else at}"] = tensor_of(
                    tensor, shape, last=True
                )
    graph = {"config": {"layers": config, "output_layers": [[name, 0, 0] for name in outputs]}}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(graph))
        archive.writestr("model.weights.h5", content.getvalue())
    return path


def phasenet_tensors(*, depth: int = 5) -> dict[str, NDArray[np.float32]]:
    """Make tensors as TensorFlow names PhaseNet's."""
    filters = [8 * 2**level for level in range(depth)]
    shapes: dict[str, tuple[int, ...]] = {
        "Input/input_conv/kernel": (7, 1, 3, 8),
        "Input/input_conv/bias": (8,),
        "Output/output_conv/kernel": (1, 1, 8, 3),
        "Output/output_conv/bias": (3,),
    }
    norms = {"Input/input_bn": 8}
    for level, channels in enumerate(filters, start=1):
        down, up = f"DownConv_{level - 1}", f"UpConv_{level - 1}"
        shapes[f"{down}/down_conv1_{level}/kernel"] = (7, 1, filters[max(0, level - 2)], channels)
        norms[f"{down}/down_bn1_{level}"] = channels
        if level < depth:
            shapes[f"{down}/down_conv3_{level}/kernel"] = (7, 1, channels, channels)
            shapes[f"{up}/up_conv0_{level}/kernel"] = (7, 1, channels, 2 * channels)
            shapes[f"{up}/up_conv1_{level}/kernel"] = (7, 1, 2 * channels, channels)
            norms |= {f"{down}/down_bn3_{level}": channels}
            norms |= {f"{up}/up_bn{which}_{level}": channels for which in (0, 1)}
    for norm, channels in norms.items():
        shapes |= {
            f"{norm}/{role}": (channels,) for role in ("beta", "gamma", "moving_mean", "moving_variance")
        }
    return {name: tensor_of(name, shape, last=True) for name, shape in shapes.items()}


def write_checkpoint(folder: Path, tensors: Arrays, *, name: str = "model.ckpt", per_block: int = 9) -> Path:
    """Write a checkpoint as TensorFlow does, with keys that share their beginnings and several blocks."""
    data, entries = bytearray(), {b"": _field(1, 1) + _field(3, _field(1, 1))}
    for key in sorted(tensors):
        body = np.ascontiguousarray(tensors[key], dtype="<f4").tobytes()
        shape = b"".join(_field(2, _field(1, size)) for size in tensors[key].shape)
        crc = struct.pack("<BI", 6 << 3 | 5, _masked(body))
        parts = _field(1, 1) + _field(2, shape) + _field(4, len(data)) + _field(5, len(body)) + crc
        entries[key.encode()] = parts
        data += body
    (folder / f"{name}.data-00000-of-00001").write_bytes(data)
    table, handles = bytearray(), {}
    keys = sorted(entries)
    for first in range(0, len(keys), per_block):
        chosen = keys[first : first + per_block]
        handles[chosen[-1]] = _append(table, {key: entries[key] for key in chosen})
    empty = _append(table, {})
    index = _append(table, handles)
    footer = (empty + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    path = folder / f"{name}.index"
    path.write_bytes(bytes(table) + footer)
    return path


def _append(table: bytearray, entries: Mapping[bytes, bytes]) -> bytes:
    """Append a block; return its handle."""
    body, before = bytearray(), b""
    for key, value in entries.items():
        shared = next((at for at, (a, b) in enumerate(zip(before, key, strict=False)) if a != b), None)
        shared = min(len(before), len(key)) if shared is None else shared
        body += _varint(shared) + _varint(len(key) - shared) + _varint(len(value)) + key[shared:] + value
        before = key
    body += struct.pack("<II", 0, 1)
    offset = len(table)
    table += body + b"\0" + struct.pack("<I", _masked(bytes(body) + b"\0"))
    return _varint(offset) + _varint(len(body))


def _field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    parts: Iterable[int] = ()
    while value > 0x7F:
        parts = (*parts, value & 0x7F | 0x80)
        value >>= 7
    return bytes((*parts, value))


def _masked(data: bytes) -> int:
    crc = int(google_crc32c.value(data))
    return ((crc >> 15) | (crc << 17)) + 0xA282EAD8 & 0xFFFFFFFF
