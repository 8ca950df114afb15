"""
What every network is: settings, a forward pass, and one of two outputs.

A network takes waveforms of one window each, already normalised, in the order of ``settings.components``. It
gives probabilities either per sample (`CurveOutput`: PhaseNet, EQTransformer) or per cell of several samples
with an offset inside the cell (`CellOutput`: LPPN, SEN).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple, cast, get_args

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError

__all__ = [
    "CellOutput",
    "CurveOutput",
    "Dropout",
    "Network",
    "Normalisation",
    "Settings",
    "apply_in_float32",
    "check_waveforms",
]

Normalisation = Literal["peak", "std"]


class CurveOutput(NamedTuple):
    """Probabilities at each sample."""

    phases: Tensor
    """Shape (batch, classes, samples), classes in the order of ``settings.classes``."""
    detection: Tensor | None
    """Probability that there is an earthquake, shape (batch, samples); None where a network gives none."""


class CellOutput(NamedTuple):
    """Probabilities of each cell of ``stride`` samples, and where in it an arrival would be."""

    phases: Tensor
    """Shape (batch, classes, cells), classes in the order of ``settings.classes``."""
    offset: Tensor
    """Samples from a cell's first one, shape (batch, phases or 1, cells)."""
    stride: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """
    What all networks are told; each architecture adds its own, and other defaults.

    Attributes
    ----------
    components : str
        Codes of the input's channels, in their order. Other instruments' 1 and 2 stand for N and E.
    rate_hz : float
        Sampling rate that it was trained at.
    window : int
        Samples of a window.
    normalisation : str
        What waveforms are divided by after their mean is subtracted: ``std`` or ``peak``.
    common_scale : bool
        Whether all components of a window are divided by one number, not each by its own.
    detrend : bool
        Whether a straight line is subtracted, not the mean alone.
    taper : int
        Samples at each end that rise from 0 as a cosine does.
    phases : tuple of str
        What is picked, in the order of the output.
    """

    components: str = "ZNE"
    rate_hz: float = 100.0
    window: int = 3001
    normalisation: Normalisation = "std"
    common_scale: bool = False
    detrend: bool = False
    taper: int = 0
    phases: tuple[str, ...] = ("P", "S")

    def __post_init__(self) -> None:
        if not self.components or len(set(self.components)) != len(self.components):
            raise ConfigError(f"components should be codes that differ, as ZNE, got {self.components!r}")
        if not (math.isfinite(self.rate_hz) and self.rate_hz > 0):
            raise ConfigError(f"rate_hz should be above 0, got {self.rate_hz}")
        if self.window < 1:
            raise ConfigError(f"window should be 1 sample or more, got {self.window}")
        if not 0 <= 2 * self.taper <= self.window:
            raise ConfigError(f"taper should be from 0 to half the window of {self.window}, got {self.taper}")
        if self.normalisation not in get_args(Normalisation):
            raise ConfigError(
                f"normalisation should be one of {', '.join(get_args(Normalisation))}, "
                f"got {self.normalisation!r}"
            )
        if not self.phases or len(set(self.phases)) != len(self.phases) or "N" in self.phases:
            raise ConfigError(f"phases should be names that differ and no N (noise), got {self.phases}")

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the output's classes in their order: the phases and, where they exclude each other, N."""
        return (*self.phases, "N")


class Dropout(nn.Module):
    """
    Dropout that can stay on at inference, and draws from a generator of its own if it is given one.

    Parameters
    ----------
    rate : float
        Part of the values that become 0; the others are scaled up by 1 / (1 - rate).
    spatial : bool
        Whether whole channels of (batch, channels, samples) are dropped, not single values.
    training_only : bool
        Whether it never stays on at inference.
    """

    def __init__(self, rate: float, *, spatial: bool = False, training_only: bool = False) -> None:
        super().__init__()
        self.training_only = training_only
        self.rate = rate
        self.spatial = spatial
        self.kept = False
        self.generator: torch.Generator | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Drop values while the network is trained or dropout is kept; features of any shape."""
        if self.rate == 0 or not (self.training or self.kept):
            return features
        shape = (*features.shape[:2], 1) if self.spatial else features.shape
        # In float32 whatever the features are: bf16 then drops the same values as fp32.
        drawn = torch.rand(shape, generator=self.generator, device=features.device)
        return features * ((drawn >= self.rate) / (1 - self.rate)).to(features.dtype)


class Network(nn.Module):
    """
    A network that picks phases.

    Parameters
    ----------
    settings : Settings
        Of the class that ``settings_class`` names.
    """

    settings_class: ClassVar[type[Settings]] = Settings
    settings: Settings

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings

    def forward(self, waveforms: Tensor) -> CurveOutput | CellOutput:
        """
        Give probabilities for windows.

        Parameters
        ----------
        waveforms : Tensor
            Shape (batch, components, samples), normalised; see `check_waveforms`.
        """
        raise NotImplementedError

    def keep_dropout(self, kept: bool, *, generator: torch.Generator | None = None) -> None:
        """
        Keep dropout on at inference (Monte Carlo dropout), or let it go again.

        Parameters
        ----------
        kept : bool
            Batch normalisation stays in evaluation mode either way.
        generator : torch.Generator, optional
            Where masks are drawn from, on the device of the network; the global one if None. The same state
            gives the same masks.
        """
        for module in self.modules():
            if isinstance(module, Dropout) and not module.training_only:
                module.kept, module.generator = kept, generator if kept else None


def apply_in_float32(layer: nn.Module, features: Tensor) -> Tensor:
    """
    Apply a layer in float32, also under autocast: the last one, whose output is compared to thresholds.

    Examples
    --------
    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     apply_in_float32(nn.Linear(4, 2), torch.zeros(1, 4, dtype=torch.bfloat16)).dtype
    torch.float32
    """
    device = features.device.type
    if not torch.is_autocast_enabled(device):
        return cast("Tensor", layer(features.float()))
    with torch.autocast(device, enabled=False):
        return cast("Tensor", layer(features.float()))


def check_waveforms(waveforms: Tensor, settings: Settings) -> None:
    """
    Refuse waveforms that a network would answer with nonsense.

    Parameters
    ----------
    waveforms : Tensor
        Shape (batch, components, samples).
    settings : Settings
        Of the network.

    Raises
    ------
    ConfigError
        If the shape is another one, the batch is empty, or samples are not real, NaN or infinite.

    Examples
    --------
    >>> check_waveforms(torch.zeros(2, 3, 3000), Settings())
    Traceback (most recent call last):
        ...
    pipeline.errors.ConfigError: windows should be of 3001 samples, got 3000
    """
    count = len(settings.components)
    if waveforms.ndim != 3:
        raise ConfigError(f"waveforms should be (batch, components, samples), got {tuple(waveforms.shape)}")
    if waveforms.shape[0] == 0:
        raise ConfigError("waveforms should be at least one window, got an empty batch")
    if waveforms.shape[1] != count:
        raise ConfigError(
            f"waveforms should have {count} components ({settings.components}), got {waveforms.shape[1]}"
        )
    if waveforms.shape[2] != settings.window:
        raise ConfigError(f"windows should be of {settings.window} samples, got {waveforms.shape[2]}")
    if not waveforms.is_floating_point():
        raise ConfigError(f"waveforms should be floating point, got {waveforms.dtype}")
    bad = ~torch.isfinite(waveforms)
    if bool(bad.any()):
        window, component, sample = (int(index) for index in bad.nonzero()[0])
        raise ConfigError(
            f"waveforms should be finite, got {int(bad.sum())} samples that are not, the first of them in "
            f"window {window}, component {settings.components[component]}, sample {sample}"
        )
