"""
Pick with SeisBench's PhaseNet and the weights of Zhu & Beroza (2019); runs in the peers' environment.

    .peers/bin/python tests/benchmarks/peer_phasenet.py original.h5 SOURCE picks.csv --threshold 0.3

SOURCE is an SDS tree, or a folder of ``.npz`` files with analysts' labels, each with 90 s in ``data``
(samples, E N Z). Times of the latter count from 1970. Nothing here imports anything of ours.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import obspy
import seisbench.models
import torch

RATE_HZ = 100.0
LEVELS = 5
COMPONENTS = "ENZ"
"""The order in which the original was trained."""


def load(path: Path) -> seisbench.models.PhaseNet:
    """Return the network with the weights of Keras; every parameter of it must be given."""
    model = seisbench.models.PhaseNet(phases="NPS", norm="std", component_order=COMPONENTS)
    with h5py.File(path) as file:
        layers = file["model_weights"]
        state = {
            name: torch.from_numpy(values)
            for keras, ours in _layer_names().items()
            for name, values in _tensors(layers[keras][keras], keras, ours)
        }
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or any("num_batches_tracked" not in name for name in missing):
        raise SystemExit(
            f"{path}: these are no weights of PhaseNet: missing {missing}, too many {unexpected}"
        )
    return model.eval()


def _layer_names() -> dict[str, str]:
    """Return the name in Keras of each layer, and where SeisBench keeps it."""
    names = {"input_conv": "inc", "input_bn": "in_bn", "output_conv": "out"}
    for level in range(LEVELS):
        parts = ("down_conv1", "down_bn1", "down_conv3", "down_bn3")
        deepest = level == LEVELS - 1
        for k, part in enumerate(parts[:2] if deepest else parts):
            names[f"{part}_{level + 1}"] = f"down_branch.{level}.{k}"
        if not deepest:
            for k, part in enumerate(("up_conv0", "up_bn0", "up_conv1", "up_bn1")):
                names[f"{part}_{LEVELS - 1 - level}"] = f"up_branch.{level}.{k}"
    return names


def _tensors(layer: h5py.Group, keras: str, ours: str) -> Iterator[tuple[str, np.ndarray]]:
    """Turn the arrays of a layer as torch wants them."""
    renamed = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean"}
    renamed |= {"moving_variance": "running_var", "kernel": "weight", "bias": "bias"}
    for name, values in layer.items():
        name = name.partition(":")[0]
        array = np.asarray(values)
        if name == "kernel":
            # (7, 1, in, out), or (7, 1, out, in) of a transposed convolution: torch has them the other way.
            array = np.ascontiguousarray(array[:, 0].transpose(2, 1, 0))
        yield f"{ours}.{renamed[name]}", array


def station_days(folder: Path) -> Iterator[tuple[str, obspy.Stream]]:
    """Read an SDS tree by station and day."""

    def key(path: Path) -> tuple[str, ...]:
        network, station, location, channel, _, year, day = path.name.split(".")
        return network, station, location, channel[:2], year, day

    files = sorted((path for path in folder.glob("*/*/*/*/*") if path.name.count(".") == 6), key=key)
    for (network, station, location, band, *_), group in itertools.groupby(files, key=key):
        stream = obspy.Stream()
        for path in group:
            stream += obspy.read(path)
        yield f"{network}.{station}.{location}.{band}", stream


def labelled_traces(folder: Path) -> Iterator[tuple[str, obspy.Stream]]:
    """Read the traces that analysts picked, each as a station of its own."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            samples = file["data"].astype(np.float64)
        # SeisBench adds 1e-10 to the standard deviation, which is large beside ground velocity in m/s.
        samples /= samples.std()
        header = {"network": "NC", "station": "LABEL", "sampling_rate": RATE_HZ}
        rows = zip(COMPONENTS, samples.T, strict=True)
        yield path.name, obspy.Stream(obspy.Trace(row, {**header, "channel": f"HH{c}"}) for c, row in rows)


def main() -> None:
    """Pick, and write what was picked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("source", type=Path)
    parser.add_argument("picks", type=Path)
    parser.add_argument("--threshold", type=float, default=0.3)
    args = parser.parse_args()
    model = load(args.weights)
    labelled = any(args.source.glob("*.npz"))
    streams = labelled_traces(args.source) if labelled else station_days(args.source)
    limits = {"P_threshold": args.threshold, "S_threshold": args.threshold}
    with args.picks.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("stream", "phase", "time_ns", "probability"))
        for name, stream in streams:
            for pick in model.classify(stream, **limits).picks:
                rows.writerow((name, pick.phase, pick.peak_time.ns, f"{pick.peak_value:.4f}"))


if __name__ == "__main__":
    main()
