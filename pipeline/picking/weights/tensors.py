"""Tensors as safetensors: their bytes, their digest, and whether a network can take them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.picking.networks.interface import Network

__all__ = ["Tensors", "digest_of", "fill", "pack", "tensors_of", "unpack"]

Tensors = Mapping[str, NDArray[Any]]


def digest_of(tensors: Tensors) -> str:
    """
    Return the BLAKE2 digest of tensors: of their names, types, shapes and values, in the order of the names.

    Examples
    --------
    >>> digest_of({"head.bias": np.zeros(3, np.float32)})
    '6c3f15bf62169438288bc3516b0b4ab7'
    """
    hasher = hashlib.blake2b(digest_size=16)
    for name in sorted(tensors):
        values = np.ascontiguousarray(tensors[name])
        values = values.astype(values.dtype.newbyteorder("<"))
        hasher.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        hasher.update(values.tobytes())
    return hasher.hexdigest()


def pack(tensors: Tensors) -> bytes:
    """Return the bytes of a ``.safetensors`` file."""
    return save({name: np.ascontiguousarray(tensors[name]) for name in sorted(tensors)})


def unpack(data: bytes, *, where: str) -> dict[str, NDArray[Any]]:
    """
    Read the bytes of a ``.safetensors`` file.

    Raises
    ------
    ConfigError
        If they are not such a file, or it is truncated or damaged.
    """
    try:
        return load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{where}: no safetensors, or damaged or truncated ones: {error}") from error


def tensors_of(network: Network) -> dict[str, NDArray[Any]]:
    """Return a network's tensors; how many batches it was trained on is left out."""
    return {
        name: tensor.detach().cpu().numpy()
        for name, tensor in network.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def fill(network: Network, tensors: Tensors, *, where: str) -> None:
    """
    Give a network its weights.

    Parameters
    ----------
    network : Network
        Changed in place.
    tensors : mapping of str to ndarray
    where : str
        What to open messages with.

    Raises
    ------
    ConfigError
        If tensors are missing, are too many, have other shapes or types, or are not finite.
    """
    import torch

    wanted = {name: tuple(values.shape) for name, values in tensors_of(network).items()}
    architecture = type(network).__name__
    missing, unknown = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or unknown:
        raise ConfigError(
            f"{where}: these are no weights of {architecture} with these settings: "
            f"{len(missing)} tensors are missing{_first(missing)}, {len(unknown)} unknown{_first(unknown)}"
        )
    for name, shape in wanted.items():
        values = tensors[name]
        if values.shape != shape:
            raise ConfigError(
                f"{where}: {name} should have the shape {shape} in {architecture} with these settings, "
                f"got {values.shape}"
            )
        if values.dtype != np.float32:
            raise ConfigError(f"{where}: {name} should be float32, got {values.dtype}")
        if not np.isfinite(values).all():
            raise ConfigError(f"{where}: {name} holds values that are no numbers; its training diverged")
    state = {name: torch.from_numpy(np.array(values)) for name, values in tensors.items()}
    network.load_state_dict(state, strict=False)


def _first(names: list[str]) -> str:
    return f" (the first is {names[0]})" if names else ""
