"""Weights and waveforms that come from seeds: the same here and in the environments of the peers."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["KEPT", "synthetic_windows", "tensor_of"]

KEPT = slice(3, None, 7)
"""Samples of which references are kept."""


def tensor_of(name: str, shape: Sequence[int], *, last: bool = False) -> NDArray[np.float32]:
    """
    Draw a tensor that depends on its name and shape alone, so large that signals survive 50 layers.

    Parameters
    ----------
    name : str
        What it is called in its file; the end of it says what it is.
    shape : sequence of int
    last : bool
        Whether a kernel's outputs are its last axis (Keras), not its first (torch).
    """
    draws = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(tuple(shape))
    what = re.split(r"[/._]", name)[-1]
    if what in ("variance", "var"):
        draws = 1 + 0.3 * np.abs(draws)
    elif what in ("gamma", "weight") and len(shape) == 1:
        draws = 1 + 0.2 * draws
    elif len(shape) == 1:
        draws = 0.1 * draws
    else:
        draws = 1.6 * draws * np.sqrt((shape[-1] if last else shape[0]) / np.prod(shape))
    return draws.astype(np.float32)


def synthetic_windows(samples: int, *, count: int = 2, seed: int = 7) -> NDArray[np.float32]:
    """Make windows of noise in which a P and a larger S wave arrive, each component standardised."""
    generator = np.random.default_rng(seed)
    at = np.arange(samples) / 100
    windows = generator.standard_normal((count, 3, samples))
    for window in windows:
        first = generator.uniform(0.25, 0.4) * at[-1]
        for start, height, hertz, decay in (
            (first, (9, 3, 3), 7.0, 2.0),
            (1.6 * first, (6, 18, 18), 4.0, 4.0),
        ):
            since = np.clip(at - start, 0, None)
            wave = np.exp(-since / decay) * np.sin(2 * np.pi * hertz * since) * (at >= start)
            window += np.outer(height, wave)
    windows -= windows.mean(axis=-1, keepdims=True)
    return (windows / windows.std(axis=-1, keepdims=True)).astype(np.float32)
