"""
Spectra over time as layers: fixed filters, one frame for every few samples, amplitudes in logarithms.

The filters are kernels of a convolution, so that they run and export like any other layer. Frame k stands
about the middle of the samples from k times the hop on: when a record moves by the hop, frames move by one.
Beyond the record's ends there are zeros. Kernels are no weights: they are made anew, and not kept with them.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.errors import ConfigError

__all__ = ["MorletTransform", "ShortTimeFourierTransform", "SpectralTransform"]

_FLOOR: Final = 1e-6
"""Added to powers: what a record's unit amplitude is divided by, squared, before nothing is told apart."""
_CYCLES: Final = 5.0
_DEVIATIONS: Final = 3.0


class SpectralTransform(nn.Module):
    """
    Amplitudes over frequency and time, by fixed pairs of filters.

    Parameters
    ----------
    real, imaginary : Tensor
        Each of shape (frequencies, length), the length even.
    hop : int
        Samples from frame to frame, even.

    Raises
    ------
    ConfigError
        If the hop is odd, or longer than the filters.
    """

    kernels: Tensor

    def __init__(self, real: Tensor, imaginary: Tensor, *, hop: int) -> None:
        super().__init__()
        self.frequencies, self.length = real.shape
        self.hop = hop
        if hop < 2 or hop % 2 or hop > self.length:
            raise ConfigError(f"hop should be even, from 2 to {self.length} samples, got {hop}")
        kernels = torch.cat([real, imaginary]).to(torch.float32).unsqueeze(1)
        self.register_buffer("kernels", kernels, persistent=False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """
        Transform each component by itself, in float32 whatever the network runs in.

        Parameters
        ----------
        waveforms : Tensor
            Shape (batch, components, samples), samples a multiple of the hop.

        Returns
        -------
        Tensor
            Natural logarithms of amplitudes, shape (batch, components, frequencies, samples / hop), float32.
        """
        batch, components, samples = waveforms.shape
        with torch.autocast(waveforms.device.type, enabled=False):
            single = waveforms.to(torch.float32).reshape(batch * components, 1, samples)
            pairs = functional.conv1d(
                single, self.kernels, stride=self.hop, padding=(self.length - self.hop) // 2
            )
            real, imaginary = pairs[:, : self.frequencies], pairs[:, self.frequencies :]
            level = torch.log(real * real + imaginary * imaginary + _FLOOR) / 2
        return level.reshape(batch, components, self.frequencies, samples // self.hop)


class ShortTimeFourierTransform(SpectralTransform):
    """
    Fourier transforms of short windows, tapered by Hann's.

    Parameters
    ----------
    length : int
        Samples of a window, even.
    hop : int

    Examples
    --------
    >>> transform = ShortTimeFourierTransform(64, hop=8)
    >>> transform(torch.zeros(2, 3, 2048)).shape
    torch.Size([2, 3, 33, 256])
    """

    def __init__(self, length: int, *, hop: int) -> None:
        if length < 2 or length % 2:
            raise ConfigError(f"length should be even, 2 or more, got {length}")
        taper = torch.hann_window(length, dtype=torch.float64)
        steps = torch.arange(length, dtype=torch.float64)
        phase = 2 * math.pi / length * torch.outer(torch.arange(length // 2 + 1, dtype=torch.float64), steps)
        taper = taper / taper.sum()
        super().__init__(taper * torch.cos(phase), -taper * torch.sin(phase), hop=hop)


class MorletTransform(SpectralTransform):
    """
    Morlet's wavelets of 5 cycles (their Gaussian's deviation times 2 pi f), evenly spread in octaves.

    High frequencies are seen for a shorter time than low ones. Each wavelet answers a constant with 0 and a
    sine of its frequency with the sine's amplitude over 2, like the spectra of short windows.

    Parameters
    ----------
    frequencies : int
        How many, 2 or more.
    lowest, highest : float
        In cycles a sample; the highest is below 1/2.
    hop : int

    Examples
    --------
    >>> transform = MorletTransform(33, lowest=1 / 64, highest=0.45, hop=8)
    >>> transform(torch.zeros(2, 3, 2048)).shape, transform.length
    (torch.Size([2, 3, 33, 256]), 306)
    """

    def __init__(self, frequencies: int, *, lowest: float, highest: float, hop: int) -> None:
        if frequencies < 2 or not 0 < lowest < highest < 0.5:
            raise ConfigError(
                "a transform should have 2 frequencies or more, from one above 0 to one below 0.5 cycles a "
                f"sample, got {frequencies} from {lowest} to {highest}"
            )
        octaves = torch.linspace(math.log2(lowest), math.log2(highest), frequencies, dtype=torch.float64)
        angular = 2 * math.pi * torch.exp2(octaves).unsqueeze(1)
        half = math.ceil(_DEVIATIONS * _CYCLES / (2 * math.pi * lowest))
        times = torch.arange(2 * half, dtype=torch.float64) - half + 0.5
        envelope = torch.exp(-((angular * times / _CYCLES) ** 2) / 2)
        envelope = envelope / envelope.sum(dim=1, keepdim=True)
        real, imaginary = envelope * torch.cos(angular * times), -envelope * torch.sin(angular * times)
        real = real - envelope * real.sum(dim=1, keepdim=True)
        super().__init__(real, imaginary, hop=hop)
