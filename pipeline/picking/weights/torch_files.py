"""
PyTorch's files of tensors, and the JSON that SeisBench keeps beside them.

Such a file is a pickle, and a pickle can run code when it is read. It is read by torch's own restricted
reader alone (``weights_only``), which knows tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import json
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["read_json", "read_state", "seisbench_json"]

_PT: Final = re.compile(r"\.(?:pt|pth)(?P<version>\.v[0-9A-Za-z.]+)?$")


def read_state(path: Path) -> dict[str, NDArray[np.float32]]:
    """
    Read the tensors of a state dict; counters of batches are left out.

    Raises
    ------
    ConfigError
        If the file can't be read, is damaged, or holds anything beside tensors.

    Notes
    -----
    A file of ``torch.save(network)`` is refused: whoever has it saves ``network.state_dict()`` instead.
    """
    import torch

    try:
        with warnings.catch_warnings():
            # Torch warns of pickles newer than its own before it refuses what they hold.
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL (\S+)", str(error))
        what = f"it names {found[1]}" if found else "it is no such file, or damaged"
        raise ConfigError(
            f"{path}: should hold tensors alone, but {what}; nothing in it was executed, and it is not read"
        ) from error
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(f"{path}: no file of tensors, or a damaged one: {reason}") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not state or not all(map(torch.is_tensor, state.values())):
        raise ConfigError(f"{path}: should be a state dict, names and tensors, got {type(state).__name__}")
    return {
        str(name): tensor.detach().float().numpy()
        for name, tensor in state.items()
        if not str(name).endswith("num_batches_tracked")
    }


def seisbench_json(path: Path) -> Path:
    """
    Return where SeisBench keeps the JSON of a file of tensors.

    >>> seisbench_json(Path("stead.pt.v2")).name, seisbench_json(Path("mine.pt")).name
    ('stead.json.v2', 'mine.json')
    """
    return path.with_name(_PT.sub(lambda found: f".json{found['version'] or ''}", path.name))


def read_json(path: Path) -> dict[str, Any]:
    """
    Read a JSON object.

    Raises
    ------
    ConfigError
        If there is none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: should be JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: should be a JSON object, got {type(content).__name__}")
    return content
