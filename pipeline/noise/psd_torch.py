"""
PSD on tensors: the same as `pipeline.noise.psd_cpu`, many windows at a time, on any device of torch.

Straight lines and scales are worked out in float64 as there; see there for how.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.noise.periods import PeriodBins
from pipeline.noise.spectral_windows import SpectralWindows
from pipeline.signal.precision import BoolArray, FloatArray, IndexArray

if TYPE_CHECKING:
    import torch

__all__ = ["TensorTransform"]

_BATCH: Final = 2**27
"""Samples of sub-windows that are transformed together: what fills a GPU, in about 2 GB of its memory."""
_LEAST: Final = 1e-37


class TensorTransform:
    """
    From samples to levels on a device.

    Parameters
    ----------
    windows : SpectralWindows
    bins : PeriodBins
    precision : str
        Of the transforms: ``float32`` or ``float64``.
    device : str
        As torch takes it.
    """

    def __init__(self, windows: SpectralWindows, bins: PeriodBins, precision: str, device: str) -> None:
        import torch

        self._windows, self._device = windows, torch.device(device)
        self._dtype = getattr(torch, precision)
        length, step = windows.sub_length, windows.sub_step
        self._batch = max(1, _BATCH // (windows.sub_count * length))
        self._taper = self._tensor(windows.taper_weights())
        self._time = self._tensor(_centred(windows.covered))
        self._sub_time = self._tensor(_centred(length))
        self._block = self._tensor(np.stack([np.ones(step), _centred(step)], axis=1))
        self._first, self._stop = self._tensor(bins.first), self._tensor(bins.stop)

    def _tensor(self, values: ArrayLike) -> torch.Tensor:
        import torch

        return torch.as_tensor(np.asarray(values), device=self._device)

    def __call__(self, record: NDArray[Any], starts: IndexArray, used: BoolArray) -> FloatArray:
        """Measure windows; see `pipeline.noise.psd_cpu.CpuTransform`."""
        levels = []
        for begin in range(0, starts.size, self._batch):
            chosen = slice(begin, begin + self._batch)
            samples = _cut(record, starts[chosen], self._windows.covered)
            levels.append(self._levels(self._tensor(samples), self._tensor(used[chosen])).cpu().numpy())
        return np.concatenate(levels)

    def _levels(self, samples: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
        import torch

        samples = self._wanted(samples, used)
        moments = samples.view(samples.shape[0], -1, self._windows.sub_step) @ self._block
        level, slope = _line(moments.unsqueeze(1), self._windows.sub_step)
        samples = samples - (level + slope * self._time)
        exponent = torch.frexp(torch.linalg.vector_norm(samples, dim=1, keepdim=True))[1]
        scale = torch.ldexp(torch.ones_like(level), -exponent)
        sub_level, sub_slope = self._sub_lines(moments)
        centres = self._time.unfold(0, self._windows.sub_length, self._windows.sub_step).mean(dim=1)
        lines = (sub_level - level - slope * centres) * scale, (sub_slope - slope) * scale
        power = self._mean_power((samples * scale).to(self._dtype), lines, used)
        return self._smooth(10 * torch.log10(power)) + 20 * math.log10(2) * exponent.double()

    def _wanted(self, samples: torch.Tensor, used: torch.Tensor) -> torch.Tensor:
        """
        Subtract the mean of the blocks that are in use, and blank the others.

        No sub-window in use holds any of those, but lines and scales of windows do.
        """
        import torch

        step = self._windows.sub_step
        extra = self._windows.sub_length // step - 1
        ends = torch.nn.functional.pad(used.double().unsqueeze(1), (extra, extra))
        wanted = torch.nn.functional.max_pool1d(ends, extra + 1, stride=1).transpose(1, 2) > 0
        blocks = samples.view(samples.shape[0], -1, step)
        kept = torch.where(wanted, blocks, 0.0)
        mean = kept.sum(dim=(1, 2), keepdim=True) / (wanted.sum(dim=1, keepdim=True) * step)
        return torch.where(wanted, blocks - mean, 0.0).flatten(1)

    def _sub_lines(self, moments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        # Shape (windows, sub-windows) of each.
        blocks = self._windows.sub_length // self._windows.sub_step
        return _line(moments.unfold(1, blocks, 1).transpose(2, 3), self._windows.sub_step)

    def _mean_power(
        self, samples: torch.Tensor, lines: tuple[torch.Tensor, torch.Tensor], used: torch.Tensor
    ) -> torch.Tensor:
        """Return the mean of the squared spectra of the sub-windows in use, without that at 0 Hz."""
        import torch

        level, slope = (part.to(self._dtype).unsqueeze(2) for part in lines)
        time, taper = self._sub_time.to(self._dtype), self._taper.to(self._dtype)
        sub_windows = samples.unfold(1, self._windows.sub_length, self._windows.sub_step)
        spectra = torch.view_as_real(torch.fft.rfft((sub_windows - (level + slope * time)) * taper))
        weights = (used.double() / used.sum(dim=1, keepdim=True)).to(self._dtype)
        power = torch.bmm(weights.unsqueeze(1), spectra.square_().sum(dim=3)).squeeze(1)
        return power[:, 1:].clamp_min(_LEAST)

    def _smooth(self, spectrum_db: torch.Tensor) -> torch.Tensor:
        """Average over each period's range of frequencies; 0 / 0 is NaN where it has none."""
        import torch

        total = torch.nn.functional.pad(torch.cumsum(spectrum_db, dim=1, dtype=torch.float64), (1, 0))
        return (total[:, self._stop] - total[:, self._first]) / (self._stop - self._first)


def _line(moments: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and slope of spans whose blocks have these moments, shape (..., spans, blocks, 2)."""
    blocks = moments.shape[-2]
    length = blocks * step
    centres = moments.new_tensor(_centred(blocks) * step)
    total = moments[..., 0].sum(dim=-1)
    with_time = (moments[..., 1] + centres * moments[..., 0]).sum(dim=-1)
    return total / length, with_time / (length * (length**2 - 1) / 12)


def _cut(record: NDArray[Any], starts: IndexArray, length: int) -> FloatArray:
    """Copy windows out of a record."""
    cut = np.empty((starts.size, length))
    for window, start in zip(cut, starts.tolist(), strict=True):
        window[:] = record[start : start + length]
    return cut


def _centred(length: int) -> FloatArray:
    return np.arange(length, dtype=np.float64) - (length - 1) / 2
