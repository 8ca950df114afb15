"""
Evaluate SeisBench's networks with seeded weights, and write what they gave.

Run by hand in the environment of the peers (``make peers``), never by the tests::

    PYTHONPATH=tests/support .peers/bin/python seisbench_networks.py

SeisBench's normalisation is not part of this: the windows are handed to ``forward`` as they are.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from seeded_networks import KEPT, synthetic_windows, tensor_of

HERE = Path(__file__).parent

EQTRANSFORMERS = {"default": False, "conservative": "conservative", "non-conservative": "non-conservative"}


def fill(network: Any) -> dict[str, list[int]]:
    """Give a network its seeded weights; return the names and shapes of its tensors."""
    import torch

    state = {name: tensor for name, tensor in network.state_dict().items() if tensor.ndim}
    drawn = {name: torch.from_numpy(tensor_of(name, tensor.shape)) for name, tensor in state.items()}
    network.load_state_dict(drawn, strict=False)
    network.eval()
    return {name: list(tensor.shape) for name, tensor in state.items()}


def main() -> None:
    """Write references of PhaseNet, and of EQTransformer in each of its three arithmetics."""
    import torch
    from seisbench.models import EQTransformer, PhaseNet

    torch.set_num_threads(1)
    references, tensors = {}, {}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = PhaseNet(phases="NPS")
        tensors["phasenet"] = fill(network)
        references["phasenet"] = network(torch.from_numpy(synthetic_windows(3001))).numpy()
        for name, original in EQTRANSFORMERS.items():
            network = EQTransformer(original_compatible=original)
            tensors[name] = fill(network)
            curves = network(torch.from_numpy(synthetic_windows(6000)))
            references[name] = torch.stack(curves, dim=1).numpy()
    for name, curves in references.items():
        print(name, curves.min(axis=-1).round(3).tolist(), curves.max(axis=-1).round(3).tolist())
    kept = {name: curves[..., KEPT] for name, curves in references.items()}
    np.savez_compressed(HERE / "seisbench.npz", **kept)
    lines = (f'"{name}": {json.dumps(shapes)}' for name, shapes in tensors.items())
    (HERE / "seisbench_tensors.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
