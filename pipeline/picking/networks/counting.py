"""
Sizes of networks: parameters, and multiply-accumulates of one window.

Counted are the products of convolutions, transposed ones too, of linear layers, of products of matrices and
of LSTMs, wherever in a forward pass they stand; fixed kernels, as a spectrogram's, count like learned ones.
Not counted are biases, normalisations, activations, pooling, sums and interpolation. Zeros of padding count
as samples do. Papers that say FLOPs mean now these, now twice as many.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pipeline.errors import ConfigError
from pipeline.picking.networks.interface import Network

_Shape = Sequence[int]

__all__ = ["Counts", "count", "count_multiply_accumulates", "count_parameters"]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """
    How large a network is.

    Attributes
    ----------
    parameters : int
        Numbers that training changes; statistics of batch normalisation are none.
    multiply_accumulates : int
        Of one window.
    parts : mapping of str to int
        Multiply-accumulates of each part of the network by its name, with what stands in no part left out.
    """

    parameters: int
    multiply_accumulates: int
    parts: Mapping[str, int]


def count(network: Network) -> Counts:
    """
    Count what a network has, and what it does for one window of its settings.

    Parameters
    ----------
    network : Network

    Returns
    -------
    Counts

    Examples
    --------
    >>> from pipeline.picking.networks import build
    >>> counts = count(build("lppn"))
    >>> counts.parameters, counts.multiply_accumulates
    (43036, 30099456)
    """
    settings = network.settings
    parameter = next(network.parameters())
    window = torch.zeros(
        1, len(settings.components), settings.window, dtype=parameter.dtype, device=parameter.device
    )
    parts = _count_parts(network, window)
    return Counts(
        parameters=count_parameters(network),
        multiply_accumulates=parts[""],
        parts={name: macs for name, macs in parts.items() if name},
    )


def count_parameters(module: nn.Module) -> int:
    """
    Count the numbers that training changes.

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def count_multiply_accumulates(module: nn.Module, *inputs: Tensor) -> int:
    """
    Count the multiply-accumulates of a forward pass.

    Parameters
    ----------
    module : nn.Module
    *inputs : Tensor
        What it is called with; at least one of everything.

    Returns
    -------
    int

    Raises
    ------
    ConfigError
        If an input holds nothing.

    Examples
    --------
    >>> count_multiply_accumulates(nn.Conv1d(3, 8, 5, padding=2, bias=False), torch.zeros(1, 3, 100))
    12000
    """
    for tensor in inputs:
        if tensor.numel() == 0:
            raise ConfigError(f"an input should hold something to count by, got shape {tuple(tensor.shape)}")
    return _count_parts(module, *inputs)[""]


def _count_parts(module: nn.Module, *inputs: Tensor) -> dict[str, int]:
    """Multiply-accumulates of a module's direct children by name, and of all of it as the empty name."""
    training = module.training
    module.eval()
    counter = FlopCounterMode(display=False, custom_mapping=dict(_LSTMS))
    try:
        with torch.no_grad(), counter:
            module(*inputs)
    finally:
        module.train(training)
    counted = {name: sum(operations.values()) // 2 for name, operations in counter.get_flop_counts().items()}
    top = type(module).__name__
    return {
        "": counter.get_total_flops() // 2,
        **{name: _sum_below(child, f"{top}.{name}", counted) for name, child in module.named_children()},
    }


def _sum_below(module: nn.Module, name: str, counted: Mapping[str, int]) -> int:
    """Sum over what was called: a list of modules is not, those in it are."""
    if name in counted:
        return counted[name]
    return sum(_sum_below(child, f"{name}.{below}", counted) for below, child in module.named_children())


def _of_fused_lstm(features: _Shape, weights: _Shape, state_weights: _Shape, *_: Any, **__: Any) -> int:
    """FLOPs of one direction of one layer: each step multiplies the input's and the state's weights once."""
    return 2 * math.prod(features[:2]) * (math.prod(weights) + math.prod(state_weights))


def _of_whole_lstm(features: _Shape, weights: Sequence[_Shape], *_: Any, **__: Any) -> int:
    """FLOPs of an LSTM that a device does in one piece; its biases have one dimension."""
    return 2 * math.prod(features[:2]) * sum(math.prod(shape) for shape in weights if len(shape) == 2)


# torch's counter leaves out LSTMs that a library does in one piece; others it sees as products of matrices.
_LSTMS: Final[Mapping[Any, Callable[..., int]]] = MappingProxyType(
    {
        torch.ops.aten.mkldnn_rnn_layer: _of_fused_lstm,
        torch.ops.aten._cudnn_rnn: _of_whole_lstm,  # noqa: SLF001 -- the operator's public name
    }
)
