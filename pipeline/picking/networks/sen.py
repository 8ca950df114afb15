"""
SEN (Lei et al., 2025, doi:10.3799/dqkx.2025.086): phases from the record and from its spectra over time.

Two branches, of the record itself and of its short-time Fourier transform, weight their features by
efficient multi-scale attention, and widen what a cell of 8 samples sees by an encoder and a decoder. What
both give, and what they had locally, is put side by side; two convolutions say which phase arrives in a cell,
and where in it.

The paper gives parts and their order, 0.35 M parameters and 71.38 MFLOPs, but no widths. Those here meet
both counts, a multiply-accumulate taken as one and the transform's among them (docs/networks-sen.md). One
thing was chosen for the picks' sake: cells are not decimated further. The encoder reaches far by dilation
instead, and by averages over the whole window, so that a record that comes 8 samples later is answered one
cell later, and windows that overlap agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import ConfigError
from pipeline.picking.networks.ema_attention import EfficientMultiScaleAttention
from pipeline.picking.networks.interface import CellOutput, Network, Settings, apply_in_float32
from pipeline.picking.networks.time_frequency import (
    MorletTransform,
    ShortTimeFourierTransform,
    SpectralTransform,
)

__all__ = ["SEN", "SENSettings"]

_STRIDE: Final = 8
_KERNEL: Final = 5
_GROUPED: Final = 8
"""Channels of a group of attention."""
_RECORD_WIDTHS: Final = (16, 32, 64)
"""Channels of the record's branch at 1, 2 and 4 samples a step."""
_BANDS: Final = 4
_BAND_BINS: Final = 9
_BAND_WIDTH: Final = 32
"""Channels of each of the bands that the spectra's branch sees; neighbouring bands share a bin."""
_WIDTH: Final = 96
"""Channels of cells."""
_DILATIONS: Final = (1, 4, 8)
_CONTEXT_WIDTH: Final = 208

_BINS: Final = _BANDS * (_BAND_BINS - 1) + 1
_TRANSFORMS: Final[Mapping[str, Callable[[], SpectralTransform]]] = MappingProxyType(
    {
        "stft": lambda: ShortTimeFourierTransform(2 * (_BINS - 1), hop=_STRIDE),
        "wavelet": lambda: MorletTransform(_BINS, lowest=1 / 64, highest=0.45, hop=_STRIDE),
    }
)


@dataclass(frozen=True, kw_only=True)
class SENSettings(Settings):
    """
    Settings of SEN; the defaults are the whole network.

    Attributes
    ----------
    attention : bool
        Whether both branches weight their features.
    frequency : str
        What the second branch sees: ``stft`` (windows of 64 samples), ``wavelet`` (Morlet's, over as many
        frequencies), or ``none``, which leaves the branch out.
    """

    window: int = 2048
    attention: bool = True
    frequency: Literal["stft", "wavelet", "none"] = "stft"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frequency not in (*_TRANSFORMS, "none"):
            raise ConfigError(
                f"frequency should be one of {', '.join(_TRANSFORMS)} or none, got {self.frequency!r}"
            )
        step = _STRIDE * max(_DILATIONS)
        if self.window % step:
            raise ConfigError(f"window should be a multiple of {step} samples, got {self.window}")


class SEN(Network):
    """
    SEN.

    Parameters
    ----------
    settings : SENSettings

    Examples
    --------
    >>> network = SEN(SENSettings()).eval()
    >>> output = network(torch.zeros(2, 3, 2048))
    >>> output.phases.shape, output.offset.shape, output.stride
    (torch.Size([2, 3, 256]), torch.Size([2, 1, 256]), 8)
    """

    settings_class: ClassVar[type[Settings]] = SENSettings
    settings: SENSettings

    def __init__(self, settings: SENSettings) -> None:
        super().__init__(settings)
        components = len(settings.components)
        self.record = _RecordBranch(components, attention=settings.attention)
        self.spectra = None
        if settings.frequency != "none":
            transform = _TRANSFORMS[settings.frequency]()
            self.spectra = _SpectraBranch(components, transform, attention=settings.attention)
        features = 2 * _WIDTH * (1 if self.spectra is None else 2)
        # The convolution of classes and that of the offset, side by side.
        self.head = nn.Conv1d(features, len(settings.classes) + 1, 3, padding=1)

    def forward(self, waveforms: Tensor) -> CellOutput:
        """
        Give each cell of 8 samples its probabilities, and where in it an arrival would be.

        Parameters
        ----------
        waveforms : Tensor
            Shape (batch, components, samples), normalised.
        """
        parts = self.record(waveforms)
        if self.spectra is not None:
            parts += self.spectra(waveforms)
        answers = apply_in_float32(self.head, torch.cat(parts, dim=1))
        phases = torch.softmax(answers[:, :-1], dim=1)
        offset = _STRIDE * torch.sigmoid(answers[:, -1:])
        return CellOutput(phases, offset, _STRIDE)


class _RecordBranch(nn.Module):
    """From samples to cells: residual convolutions, each followed by one that halves the steps."""

    def __init__(self, components: int, *, attention: bool) -> None:
        super().__init__()
        first, second, third = _RECORD_WIDTHS
        self.features = nn.Sequential(
            _Separable(components, first, first=True),
            _Residual(first),
            _Separable(first, second, stride=2),
            _Residual(second),
            _Separable(second, third, stride=2),
        )
        self.attention = (
            EfficientMultiScaleAttention(third, groups=third // _GROUPED, kernel=(1, 3))
            if attention
            else nn.Identity()
        )
        self.cells = _EncoderDecoder(third)

    def forward(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (batch, components, samples) to local and wide features, (batch, width, cells) each."""
        # A record is a map without height.
        features = self.attention(self.features(waveforms).unsqueeze(2)).squeeze(2)
        local, wide = self.cells(features)
        return local, wide


class _SpectraBranch(nn.Module):
    """From samples to cells by way of their spectra, seen in bands."""

    def __init__(self, components: int, transform: SpectralTransform, *, attention: bool) -> None:
        super().__init__()
        self.transform = transform
        self.bands = nn.Sequential(
            nn.Conv2d(components, _BAND_WIDTH, (_BAND_BINS, 1), stride=(_BAND_BINS - 1, 1), bias=False),
            nn.BatchNorm2d(_BAND_WIDTH),
            nn.ReLU(),
        )
        self.attention = (
            EfficientMultiScaleAttention(_BAND_WIDTH, groups=_BAND_WIDTH // _GROUPED)
            if attention
            else nn.Identity()
        )
        self.cells = _EncoderDecoder(_BANDS * _BAND_WIDTH)

    def forward(self, waveforms: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (batch, components, samples) to local and wide features, (batch, width, cells) each."""
        # Repeating frames and convolving over their frequencies commute: the second comes first, at half the
        # cost.
        bands = self.bands(self.transform(waveforms))
        repeated = functional.interpolate(bands, scale_factor=(1.0, 2.0), mode="nearest")
        local, wide = self.cells(self.attention(repeated).flatten(1, 2))
        return local, wide


class _EncoderDecoder(nn.Module):
    """Halve the steps to cells, look ever further, then back with what was seen on the way."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.enter = _Separable(before, _WIDTH, stride=2)
        self.encoder = nn.ModuleList(_Residual(_WIDTH, dilation=dilation) for dilation in _DILATIONS)
        self.context = _Context(_WIDTH)
        self.decoder = nn.ModuleList(_Residual(_WIDTH, dilation=dilation) for dilation in _DILATIONS[-2::-1])

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Shape (batch, before, steps) to local and wide features, (batch, width, steps / 2) each."""
        local: Tensor = self.enter(features)
        wide, passed = local, []
        for block in self.encoder:
            wide = block(wide)
            passed.append(wide)
        wide = self.context(passed.pop())
        for block in self.decoder:
            wide = block(wide + passed.pop())
        return local, wide


class _Context(nn.Module):
    """Add to each cell what the whole window is like: its channels' averages and largest values, mixed."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(
            nn.Linear(2 * width, _CONTEXT_WIDTH), nn.ReLU(), nn.Linear(_CONTEXT_WIDTH, width)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Shape (batch, width, cells)."""
        window: Tensor = self.mix(torch.cat([features.mean(dim=2), features.amax(dim=2)], dim=1))
        return features + window.unsqueeze(2)


class _Residual(nn.Module):
    """Two separable convolutions, added to what came in."""

    def __init__(self, width: int, *, dilation: int = 1) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Separable(width, width, dilation=dilation), _Separable(width, width, dilation=dilation)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Shape (batch, width, steps)."""
        added: Tensor = self.layers(features)
        return features + added


class _Separable(nn.Sequential):
    """
    Each channel filtered by itself, then channels mixed, normalised and rectified.

    The first of a branch sees so few channels that its filters see all of them.
    """

    def __init__(
        self, before: int, after: int, *, stride: int = 1, dilation: int = 1, first: bool = False
    ) -> None:
        filtered = after if first else before
        groups = 1 if first else before
        filters: nn.Module = (
            nn.Conv1d(before, filtered, _KERNEL, stride, _KERNEL // 2, groups=groups, bias=False)
            if dilation == 1
            else _DilatedFilters(before, dilation)
        )
        super().__init__(filters, nn.Conv1d(filtered, after, 1, bias=False), nn.BatchNorm1d(after), nn.ReLU())


class _DilatedFilters(nn.Conv2d):
    """
    Filters of each channel that see steps far apart.

    With as many steps in a row as they are apart, they are neighbours in a column: a dense convolution, which
    libraries do several times faster than a dilated one of separate channels.
    """

    def __init__(self, channels: int, apart: int) -> None:
        super().__init__(
            channels, channels, (_KERNEL, 1), padding=(_KERNEL // 2, 0), groups=channels, bias=False
        )
        self.apart = apart

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 -- the name that torch gives it
        """Shape (batch, channels, steps), steps a multiple of how far apart they see."""
        batch, channels, steps = input.shape
        rows = input.reshape(batch, channels, steps // self.apart, self.apart)
        return super().forward(rows).reshape(batch, channels, steps)
