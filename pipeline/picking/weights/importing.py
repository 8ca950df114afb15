"""Weights from anybody's files: what kind of file it is, which network, and what its card says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.errors import ConfigError
from pipeline.picking.weights import eqtransformer_files, lppn_files, phasenet_files
from pipeline.picking.weights.cards import Card, card_from_json
from pipeline.picking.weights.foreign import Foreign
from pipeline.picking.weights.keras_files import read_keras
from pipeline.picking.weights.tensorflow_checkpoint import read_checkpoint
from pipeline.picking.weights.tensors import Tensors, digest_of, unpack
from pipeline.picking.weights.torch_files import read_json, read_state, seisbench_json

__all__ = ["import_weights"]

_KINDS: Final = (
    ".index (TensorFlow), .h5 and .keras (Keras), .pt (PyTorch, SeisBench), .safetensors with its card"
)


def import_weights(
    path: Path, *, name: str = "", changes: Mapping[str, Any] | None = None
) -> tuple[Card, Tensors]:
    """
    Read weights from a file of any kind that is known.

    Parameters
    ----------
    path : Path
        A file, or a folder with one such file in it.
    name : str
        What they are to be called; otherwise after the architecture and the file.
    changes : mapping
        Fields of the card, and ``settings``, that are known better than the file says.

    Returns
    -------
    card : Card
        Without a digest, but for weights that had a card: `Store.save` works it out.
    tensors : mapping of str to ndarray
        By our names.

    Raises
    ------
    ConfigError
        If the kind or the network is unknown, or the file is damaged or holds something else.

    Notes
    -----
    Nothing in a file is executed.
    """
    source = _file(path)
    given = dict(changes or {})
    if source.suffix == ".safetensors":
        card, tensors = _own(source)
        card = replace(card, name=name or card.name)
    else:
        try:
            foreign = _READERS[_kind(source)](source)
        except ConfigError as error:
            raise (
                error if str(error).startswith(str(source.parent)) else ConfigError(f"{source}: {error}")
            ) from error
        card, tensors = _card(source, foreign, name), foreign.tensors
    settings = {**card.settings, **given.pop("settings", {})}
    known = {item.name for item in fields(Card)}
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ConfigError(f"a card has no {unknown[0]}; it has {', '.join(sorted(known))}")
    tensors = {key: np.ascontiguousarray(values) for key, values in tensors.items()}
    return replace(card, settings=settings, **given), tensors


def _file(path: Path) -> Path:
    if path.is_dir():
        known = sorted(
            found for found in path.iterdir() if _kind(found) in _READERS or found.suffix == ".safetensors"
        )
        if len(known) != 1:
            names = ", ".join(found.name for found in known) or "none"
            raise ConfigError(f"{path}: should hold one file of weights, or be one; it holds {names}")
        return known[0]
    if not path.exists():
        raise ConfigError(f"{path}: there is no such file; weights are read from {_KINDS}")
    if _kind(path) not in _READERS and path.suffix != ".safetensors":
        raise ConfigError(f"{path}: weights are read from {_KINDS}")
    return path


def _kind(path: Path) -> str:
    if ".pt.v" in path.name:
        return ".pt"
    return path.suffix.lower()


def _own(path: Path) -> tuple[Card, Tensors]:
    card_path = path.with_suffix(".json")
    try:
        text = card_path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{card_path}: {error.strerror}; it should be the card of {path.name}") from error
    card = card_from_json(text, where=str(card_path))
    tensors = unpack(path.read_bytes(), where=str(path))
    if digest_of(tensors) != card.digest:
        raise ConfigError(
            f"{path}: these are not the weights that {card_path.name} describes: the digests differ"
        )
    return card, tensors


def _card(path: Path, foreign: Foreign, name: str) -> Card:
    stem = path.name.split(".")[0].lower()
    words = {"source": path.name, "name": name or f"{foreign.architecture}-{stem}"}
    return Card(architecture=foreign.architecture, settings=foreign.settings, **{**foreign.card, **words})


def _from_checkpoint(path: Path) -> Foreign:
    return phasenet_files.from_tensorflow(read_checkpoint(path))


def _from_keras(path: Path) -> Foreign:
    graph = read_keras(path)
    if any(layer.kind == "SeqSelfAttention" for layer in graph.layers):
        return eqtransformer_files.from_keras(graph)
    return phasenet_files.from_tensorflow(
        {f"{layer.name}/{role}": values for layer in graph.layers for role, values in layer.tensors.items()}
    )


def _from_torch(path: Path) -> Foreign:
    state = read_state(path)
    for mark, convert in (
        ("down_branch.", phasenet_files.from_seisbench),
        ("bi_lstm_stack.", eqtransformer_files.from_seisbench),
    ):
        if any(key.startswith(mark) for key in state):
            try:
                return convert(state, read_json(seisbench_json(path)))
            except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
                if isinstance(error, ConfigError):
                    raise
                raise ConfigError(f"tensors or JSON are not those of SeisBench: {error}") from error
    if any(key.startswith("class_encoder.") for key in state):
        return lppn_files.from_torch(state)
    raise ConfigError("these are tensors of no network that is known: PhaseNet, EQTransformer, LPPN")


_READERS: Final[Mapping[str, Callable[[Path], Foreign]]] = {
    ".index": _from_checkpoint,
    ".h5": _from_keras,
    ".hdf5": _from_keras,
    ".keras": _from_keras,
    ".pt": _from_torch,
    ".pth": _from_torch,
}
