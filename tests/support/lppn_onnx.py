"""
What onnxruntime makes of records by the published LPPN.

``python tests/support/lppn_onnx.py WEIGHTS/lppnm.onnx`` writes the reference of the seeded record anew.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["KEPT", "REFERENCE", "SAMPLES", "run", "seeded_record"]

REFERENCE = Path(__file__).parents[1] / "pipeline" / "picking" / "networks" / "references" / "lppn_onnx.json"
SAMPLES = 6144
KEPT = np.r_[0:16:3, 254:284:2, 338:368:2, 752:768:3]
"""Cells that the reference has: both ends, and those about the arrivals."""


def seeded_record() -> NDArray[np.float32]:
    """Make noise with two arrivals that fade; east, north and vertical, shape (6144, 3)."""
    generator = np.random.default_rng(20220210)
    record = 40.0 + 3.0 * generator.standard_normal((SAMPLES, 3))
    seconds = np.arange(SAMPLES) / 100
    for start, heights, hertz, fading_s in ((21.0, (8, 8, 30), 9.0, 2.5), (27.5, (60, 60, 25), 5.0, 4.0)):
        since = np.clip(seconds - start, 0, None)
        wave = np.where(seconds >= start, np.exp(-since / fading_s) * np.sin(2 * np.pi * hertz * since), 0.0)
        record += wave[:, None] * np.array(heights)
    return record.astype(np.float32)


def run(model: Path, record: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return probabilities, shape (cells, classes), and offsets in cells, of a record of one window."""
    import onnx
    import onnxruntime

    graph = onnx.load(str(model))
    # The second output is a time: each cell's place is added, which rounds offsets to half a thousandth. What
    # is added to it is the output that is wanted.
    by_output = {output: node for node in graph.graph.node for output in node.output}
    flattened = by_output[graph.graph.output[1].name]
    added = by_output[flattened.input[0]]
    graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(added.input[0]))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    probabilities, _, offsets = session.run(None, {"wave": record})
    cells = SAMPLES // 8
    return probabilities[:cells], offsets.reshape(-1)[:cells]


def main() -> None:
    """Write the reference."""
    probabilities, offsets = run(Path(sys.argv[1]), seeded_record())
    kept = {
        "probabilities": np.round(probabilities[KEPT].astype(float), 7).tolist(),
        "offsets": np.round(offsets[KEPT].astype(float), 6).tolist(),
    }
    REFERENCE.write_text(json.dumps(kept) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
