"""
Efficient multi-scale attention (Ouyang et al., 2023, doi:10.1109/ICASSP49357.2023.10096516).

Channels are grouped, and all groups share two branches. One averages along each axis, mixes the two averages
by one convolution and gates features by them: the wide view. The other is a convolution over neighbours: the
near view. Each branch's averages over the whole map, through a softmax over channels, weight the channels of
the other; the sum of both is a weight for each place of the map, by which what came in is multiplied.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError

__all__ = ["EfficientMultiScaleAttention"]


class EfficientMultiScaleAttention(nn.Module):
    """
    Attention over the places of a map.

    Parameters
    ----------
    channels : int
    groups : int
        Into which channels are cut; it divides them.
    kernel : tuple of int
        Of the branch of neighbours, over height and width, both odd; (1, 3) for what has no height.

    Raises
    ------
    ConfigError
        If groups do not divide the channels, or the kernel is even.

    Examples
    --------
    >>> attention = EfficientMultiScaleAttention(16, groups=4)
    >>> attention(torch.zeros(2, 16, 4, 50)).shape
    torch.Size([2, 16, 4, 50])
    """

    def __init__(self, channels: int, *, groups: int, kernel: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        if groups < 1 or channels % groups:
            raise ConfigError(f"groups should divide the {channels} channels, got {groups}")
        if kernel[0] % 2 == 0 or kernel[1] % 2 == 0:
            raise ConfigError(f"kernel should be odd along both axes, got {kernel}")
        grouped = channels // groups
        self.grouped = grouped
        self.mix = nn.Conv2d(grouped, grouped, 1)
        self.normalise = nn.GroupNorm(grouped, grouped)
        self.neighbours = nn.Conv2d(grouped, grouped, kernel, padding=(kernel[0] // 2, kernel[1] // 2))

    def forward(self, features: Tensor) -> Tensor:
        """Weight the places of features of shape (batch, channels, height, width)."""
        batch, channels, height, width = features.shape
        groups = features.reshape(batch * (channels // self.grouped), self.grouped, height, width)
        wide = self.normalise(self._gate(groups))
        near = self.neighbours(groups)
        weights = torch.sigmoid(_weight(wide, by=near) + _weight(near, by=wide))
        weighted: Tensor = groups * weights
        return weighted.reshape(batch, channels, height, width)

    def _gate(self, groups: Tensor) -> Tensor:
        """Multiply features by gates made of their averages along each axis."""
        height = groups.shape[2]
        rows = groups.mean(dim=3, keepdim=True)
        columns = groups.mean(dim=2, keepdim=True).transpose(2, 3)
        mixed = torch.sigmoid(self.mix(torch.cat([rows, columns], dim=2)))
        of_rows, of_columns = mixed[:, :, :height], mixed[:, :, height:].transpose(2, 3)
        return groups * of_rows * of_columns


def _weight(features: Tensor, *, by: Tensor) -> Tensor:
    """Sum a map's channels, weighted by a softmax of the other's averages: (groups, 1, height, width)."""
    importance = torch.softmax(by.mean(dim=(2, 3)), dim=1).unsqueeze(1)
    groups, _, height, width = features.shape
    summed = torch.matmul(importance.to(features.dtype), features.flatten(2))
    return summed.reshape(groups, 1, height, width)
