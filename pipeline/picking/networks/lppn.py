"""
LPPN (Yu and Wang, 2022, doi:10.1785/0220210309): a light network that gives a class and an offset for each
8 samples.

Separable convolutions (expand, filter each channel, project) bring the record to one cell for 8 samples;
three more levels down and up again widen what a cell sees, and what stood there before is kept beside it.
From both, one layer says which phase arrives in a cell, and another where in it.

The computation is that of the published network in its medium size. Of the other two only facts are public:
the large one's 0.66 M parameters and 112 M multiply-accumulates for 2,048 samples (Lei et al., 2025,
doi:10.3799/dqkx.2025.086, table 3), and the tiny one's file of 0.09 MB; their widths are chosen to meet them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import ConfigError
from pipeline.picking.networks.interface import CellOutput, Network, Settings, apply_in_float32

__all__ = ["LPPN", "LPPNSettings"]

_STRIDE: Final = 8
_KERNEL: Final = 5
_CONTEXT_LEVELS: Final = 3


class _Widths(NamedTuple):
    """Channels of the first layer, and at 2, 4 and 8 samples a step."""

    first: int
    levels: tuple[int, int, int]


_WIDTHS: Final[Mapping[str, _Widths]] = MappingProxyType(
    {
        "tiny": _Widths(4, (8, 8, 12)),
        "medium": _Widths(8, (16, 24, 32)),
        "large": _Widths(16, (24, 64, 144)),
    }
)


@dataclass(frozen=True, kw_only=True)
class LPPNSettings(Settings):
    """
    Settings of LPPN; the defaults are those of the published weights.

    Attributes
    ----------
    size : str
        ``tiny``, ``medium`` or ``large``.
    """

    components: str = "ENZ"
    window: int = 6144
    normalisation: Literal["peak", "std"] = "peak"
    size: Literal["tiny", "medium", "large"] = "medium"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.size not in _WIDTHS:
            raise ConfigError(f"size should be one of {', '.join(_WIDTHS)}, got {self.size!r}")
        step = _STRIDE * 2**_CONTEXT_LEVELS
        if self.window % step:
            raise ConfigError(f"window should be a multiple of {step} samples, got {self.window}")


class LPPN(Network):
    """
    LPPN.

    Parameters
    ----------
    settings : LPPNSettings

    Examples
    --------
    >>> network = LPPN(LPPNSettings(window=2048)).eval()
    >>> output = network(torch.zeros(2, 3, 2048))
    >>> output.phases.shape, output.offset.shape, output.stride
    (torch.Size([2, 3, 256]), torch.Size([2, 1, 256]), 8)
    >>> sum(parameter.numel() for parameter in network.parameters())
    43036
    """

    settings_class: ClassVar[type[Settings]] = LPPNSettings
    settings: LPPNSettings

    def __init__(self, settings: LPPNSettings) -> None:
        super().__init__(settings)
        first, levels = _WIDTHS[settings.size]
        width = levels[-1]
        self.first = _convolution(len(settings.components), first, kernel=_KERNEL)
        self.features = nn.Sequential(
            *(
                layer
                for before, after in zip((first, *levels), levels, strict=False)
                for layer in (_Separable(before, after, stride=2), _Separable(after, after))
            )
        )
        self.down = nn.Sequential(*(_Separable(width, width, stride=2) for _ in range(_CONTEXT_LEVELS)))
        self.up = nn.Sequential(*(_Separable(width, width) for _ in range(_CONTEXT_LEVELS)))
        self.classes = nn.Conv1d(2 * width, len(settings.classes), 1)
        self.offset = nn.Conv1d(2 * width, 1, 1)

    def forward(self, waveforms: Tensor) -> CellOutput:
        """
        Give each cell of 8 samples its probabilities, and where in it an arrival would be.

        Parameters
        ----------
        waveforms : Tensor
            Shape (batch, components, samples), normalised.
        """
        local = self.features(functional.relu(self.first(waveforms)))
        context = self.down(local)
        for block in self.up:
            context = block(functional.interpolate(context, scale_factor=2.0, mode="nearest"))
        features = torch.cat([local, context], dim=1)
        phases = torch.softmax(apply_in_float32(self.classes, features), dim=1)
        offset = _STRIDE * torch.sigmoid(apply_in_float32(self.offset, features))
        return CellOutput(phases, offset, _STRIDE)


class _Separable(nn.Module):
    """Twice the channels, each filtered by itself, projected; where shapes allow, added to what came in."""

    def __init__(self, before: int, after: int, *, stride: int = 1) -> None:
        super().__init__()
        self.expand = _convolution(before, 2 * before)
        self.filter = _convolution(2 * before, 2 * before, kernel=_KERNEL, stride=stride, groups=2 * before)
        self.project = _convolution(2 * before, after)
        self.adds = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        """Shape (batch, before, steps) to (batch, after, steps / stride)."""
        expanded = functional.relu(self.expand(features))
        projected: Tensor = self.project(functional.relu(self.filter(expanded)))
        return features + projected if self.adds else projected


def _convolution(
    before: int, after: int, *, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Return a convolution and its batch normalisation, which takes the place of a bias."""
    return nn.Sequential(
        nn.Conv1d(before, after, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm1d(after),
    )
