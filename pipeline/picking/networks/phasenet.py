"""
PhaseNet (Zhu and Beroza, 2019, doi:10.1093/gji/ggy423): a U-Net over 30 s, with P, S and noise per sample.

Five levels of convolutions of width 7, each a quarter as long and twice as wide as the one above; on the way
up, a transposed convolution and what the same level had on the way down. Padding is that of TensorFlow, in
which it was trained: where an odd number of zeros is needed, the larger half comes last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import ConfigError
from pipeline.picking.networks.interface import CurveOutput, Network, Settings, apply_in_float32

__all__ = ["PhaseNet", "PhaseNetSettings"]

_EPSILON = 1e-3
"""Of batch normalisation, as TensorFlow has it; torch's own default is 1e-5."""


@dataclass(frozen=True, kw_only=True)
class PhaseNetSettings(Settings):
    """
    Settings of PhaseNet; the defaults are the published network's.

    Attributes
    ----------
    kernel, stride : int
        Samples that a convolution sees, and by how much each level is shorter than the one above.
    depth : int
        Levels.
    first_filters : int
        Channels of the first level; each further one has twice as many.
    """

    kernel: int = 7
    stride: int = 4
    depth: int = 5
    first_filters: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel < self.stride or self.stride < 2 or self.depth < 1 or self.first_filters < 1:
            raise ConfigError(
                "stride should be 2 or more, kernel not below it, depth and first_filters 1 or more, got "
                f"stride {self.stride}, kernel {self.kernel}, depth {self.depth}, "
                f"first_filters {self.first_filters}"
            )


class PhaseNet(Network):
    """
    PhaseNet.

    Parameters
    ----------
    settings : PhaseNetSettings

    Examples
    --------
    >>> network = PhaseNet(PhaseNetSettings()).eval()
    >>> output = network(torch.zeros(2, 3, 3001))
    >>> output.phases.shape, output.detection
    (torch.Size([2, 3, 3001]), None)
    >>> sum(parameter.numel() for parameter in network.parameters())
    268443
    """

    settings_class: ClassVar[type[Settings]] = PhaseNetSettings

    def __init__(self, settings: PhaseNetSettings) -> None:
        super().__init__(settings)
        kernel, stride = settings.kernel, settings.stride
        filters = [settings.first_filters * 2**level for level in range(settings.depth)]
        self.entry = Convolution(len(settings.components), filters[0], kernel, bias=True)
        self.contractions = nn.ModuleList(
            Contraction(above, channels, kernel, stride)
            for above, channels in zip([filters[0], *filters], filters[:-1], strict=False)
        )
        self.bottom = Convolution(filters[max(0, settings.depth - 2)], filters[-1], kernel)
        self.expansions = nn.ModuleList(
            Expansion(2 * channels, channels, kernel, stride) for channels in reversed(filters[:-1])
        )
        self.head = nn.Conv1d(filters[0], len(settings.classes), 1)

    def forward(self, waveforms: Tensor) -> CurveOutput:
        """
        Give probabilities of P, S and noise, which add up to 1.

        Parameters
        ----------
        waveforms : Tensor
            Shape (batch, components, samples); any number of samples works, it was trained with 3,001.

        Returns
        -------
        CurveOutput
            Of shape (batch, 3, samples).
        """
        features = self.entry(waveforms)
        levels = []
        for contraction in self.contractions:
            level, features = contraction(features)
            levels.append(level)
        features = self.bottom(features)
        for expansion, level in zip(self.expansions, reversed(levels), strict=True):
            features = expansion(features, level)
        return CurveOutput(functional.softmax(apply_in_float32(self.head, features), dim=1), None)


class Convolution(nn.Module):
    """A convolution, batch normalisation and ReLU; ``stride`` shortens the samples, rounded up."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, *, stride: int = 1, bias: bool = False
    ) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.convolution = nn.Conv1d(channels_in, channels_out, kernel, stride, bias=bias)
        self.normalisation = nn.BatchNorm1d(channels_out, eps=_EPSILON)

    def forward(self, features: Tensor) -> Tensor:
        """Shapes (batch, channels_in, samples) and (batch, channels_out, ceil(samples / stride))."""
        samples = features.shape[-1]
        missing = max(0, (-(-samples // self.stride) - 1) * self.stride + self.kernel - samples)
        padded = functional.pad(features, (missing // 2, missing - missing // 2))
        return functional.relu(self.normalisation(self.convolution(padded)))


class Contraction(nn.Module):
    """A level on the way down: a convolution, whose output is kept for the way up, and a shortening one."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.widen = Convolution(channels_in, channels, kernel)
        self.shorten = Convolution(channels, channels, kernel, stride=stride)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is kept, shape (batch, channels, samples), and what goes on, a stride shorter."""
        kept = self.widen(features)
        return kept, self.shorten(kept)


class Expansion(nn.Module):
    """A level on the way up: a transposed convolution, joined with what the level kept on the way down."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.stride, self.before = stride, (kernel - stride) // 2
        self.lengthen = nn.ConvTranspose1d(channels_in, channels, kernel, stride, bias=False)
        self.normalisation = nn.BatchNorm1d(channels, eps=_EPSILON)
        self.merge = Convolution(2 * channels, channels, kernel)

    def forward(self, features: Tensor, kept: Tensor) -> Tensor:
        """Shapes (batch, channels_in, short) and (batch, channels, samples); returns that of the second."""
        samples = kept.shape[-1]
        surplus = features.shape[-1] * self.stride - samples
        # Of what a transposed convolution gives, TensorFlow drops the ends that fewer taps have reached; what
        # the level below was rounded up by goes in equal parts from both sides.
        start = self.before + surplus // 2
        longer = self.lengthen(features)[..., start : start + samples]
        joined = torch.cat([kept, functional.relu(self.normalisation(longer))], dim=1)
        merged: Tensor = self.merge(joined)
        return merged
