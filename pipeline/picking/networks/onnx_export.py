"""
Networks as ONNX files, which run where there is no torch: on a data logger, say, beside its sensor.

A file's input ``waveforms`` has shape (batch, components, window) and is normalised as the file's metadata
say. Its outputs are ``phases`` and, as the network has them, ``detection`` or ``offset``.
"""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError
from pipeline.picking.networks.interface import CellOutput, CurveOutput, Dropout, Network

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["export"]

_PACKAGES: Final = ("onnx", "onnxscript")
_OPSET: Final = 18


def export(network: Network, destination: str | Path | IO[bytes], *, batch: int | None = None) -> None:
    """
    Write a network as an ONNX model.

    Parameters
    ----------
    network : Network
        It is left as it is, on its device.
    destination : str, Path or binary file
    batch : int, optional
        Windows that the model takes at a time; any number if None.

    Raises
    ------
    ConfigError
        If the batch is below 1, dropout is kept on, or packages are missing that write ONNX.

    Notes
    -----
    The model's metadata are the network's settings as JSON, its class names, and its stride where it answers
    cells.

    Examples
    --------
    >>> from pipeline.picking.networks import build
    >>> export(build("lppn"), "lppn.onnx", batch=0)
    Traceback (most recent call last):
        ...
    pipeline.errors.ConfigError: batch should be 1 window or more, or None for any number, got 0
    """
    if batch is not None and batch < 1:
        raise ConfigError(f"batch should be 1 window or more, or None for any number, got {batch}")
    if any(isinstance(module, Dropout) and module.kept for module in network.modules()):
        raise ConfigError("a network whose dropout is kept on can't be exported: call keep_dropout(False)")
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ConfigError(f"ONNX models need {' and '.join(missing)}: pip install stationday[onnx]")
    written = _convert(network, batch).SerializeToString()
    if isinstance(destination, str | Path):
        Path(destination).write_bytes(written)
    else:
        destination.write(written)


def _convert(network: Network, batch: int | None) -> ModelProto:
    """Return the model with its metadata."""
    from onnx.helper import set_model_props

    settings = network.settings
    still = _Outputs(copy.deepcopy(network).cpu().eval())
    # Torch takes a batch of 1 for a constant.
    windows = torch.zeros(batch or 2, len(settings.components), settings.window)
    with torch.no_grad():
        names = still.names(windows)
    sizes = None if batch else ({0: torch.export.Dim("batch")},)
    with _quiet():
        program = torch.onnx.export(
            still,
            (windows,),
            input_names=["waveforms"],
            output_names=names,
            opset_version=_OPSET,
            dynamic_shapes=sizes,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model: ModelProto = program.model_proto
    metadata = {"settings": json.dumps(asdict(settings)), "classes": json.dumps(settings.classes)}
    stride = still.stride(windows)
    set_model_props(model, metadata if stride is None else {**metadata, "stride": str(stride)})
    return model


class _Outputs(nn.Module):
    """A network that gives its tensors alone, of which some networks lack one."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, waveforms: Tensor) -> tuple[Tensor, ...]:
        output = self.network(waveforms)
        if isinstance(output, CellOutput):
            return output.phases, output.offset
        return (output.phases,) if output.detection is None else (output.phases, output.detection)

    def names(self, waveforms: Tensor) -> list[str]:
        output: CellOutput | CurveOutput = self.network(waveforms)
        second = "offset" if isinstance(output, CellOutput) else "detection"
        return ["phases", second][: len(self(waveforms))]

    def stride(self, waveforms: Tensor) -> int | None:
        output: CellOutput | CurveOutput = self.network(waveforms)
        return output.stride if isinstance(output, CellOutput) else None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what torch says of its own insides, and of packages that nobody asked for."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
