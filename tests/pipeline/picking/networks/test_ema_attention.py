"""Efficient multi-scale attention against its equations, written out for a group and a place at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.picking.networks.ema_attention import EfficientMultiScaleAttention

Array = NDArray[np.float64]


def _sigmoid(values: Array) -> Array:
    return 1 / (1 + np.exp(-values))


def _softmax(values: Array) -> Array:
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def _near(group: Array, kernel: Array, bias: Array) -> Array:
    _, height, width = group.shape
    up, left = kernel.shape[2] // 2, kernel.shape[3] // 2
    padded = np.pad(group, ((0, 0), (up, up), (left, left)))
    result = np.empty((kernel.shape[0], height, width))
    for row in range(height):
        for column in range(width):
            patch = padded[:, row : row + kernel.shape[2], column : column + kernel.shape[3]]
            result[:, row, column] = (kernel * patch).sum(axis=(1, 2, 3)) + bias
    return result


def _wide(group: Array, state: dict[str, Array]) -> Array:
    height = group.shape[1]
    averages = np.concatenate([group.mean(axis=2), group.mean(axis=1)], axis=1)
    mixed = state["mix.weight"][:, :, 0, 0] @ averages + state["mix.bias"][:, None]
    of_rows, of_columns = _sigmoid(mixed[:, :height]), _sigmoid(mixed[:, height:])
    gated = group * of_rows[:, :, None] * of_columns[:, None, :]
    mean = gated.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(gated.var(axis=(1, 2), keepdims=True) + 1e-5)
    scale, shift = state["normalise.weight"], state["normalise.bias"]
    return np.asarray((gated - mean) / deviation * scale[:, None, None] + shift[:, None, None])


def _attended(features: Array, state: dict[str, Array], groups: int) -> Array:
    result = []
    for group in np.split(features, groups):
        wide = _wide(group, state)
        near = _near(group, state["neighbours.weight"], state["neighbours.bias"])
        weights = np.tensordot(_softmax(near.mean(axis=(1, 2))), wide, axes=1)
        weights = weights + np.tensordot(_softmax(wide.mean(axis=(1, 2))), near, axes=1)
        result.append(group * _sigmoid(weights))
    return np.concatenate(result)


@pytest.mark.parametrize(
    ("groups", "kernel", "shape"), [(4, (3, 3), (8, 4, 11)), (1, (3, 3), (3, 5, 6)), (2, (1, 3), (6, 1, 20))]
)
def test_attention_follows_its_equations(
    groups: int, kernel: tuple[int, int], shape: tuple[int, int, int]
) -> None:
    torch.manual_seed(1)
    attention = EfficientMultiScaleAttention(shape[0], groups=groups, kernel=kernel).double()
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.normal_()
    features = torch.randn(2, *shape, dtype=torch.float64)
    state = {name: value.numpy() for name, value in attention.state_dict().items()}
    with torch.no_grad():
        attended = attention(features).numpy()
    for one, expected in zip(attended, features.numpy(), strict=True):
        np.testing.assert_allclose(one, _attended(expected, state, groups), atol=1e-10)


def test_groups_share_their_weights() -> None:
    torch.manual_seed(2)
    attention = EfficientMultiScaleAttention(8, groups=2)
    features = torch.randn(1, 8, 3, 9)
    swapped = torch.cat([features[:, 4:], features[:, :4]], dim=1)
    with torch.no_grad():
        expected, found = attention(features), attention(swapped)
    torch.testing.assert_close(found, torch.cat([expected[:, 4:], expected[:, :4]], dim=1))


def test_a_weight_lies_between_nothing_and_all() -> None:
    torch.manual_seed(3)
    features = torch.rand(3, 16, 4, 10) + 0.1
    with torch.no_grad():
        ratio = EfficientMultiScaleAttention(16, groups=4)(features) / features
    assert 0 < ratio.min() < ratio.max() < 1
    # One weight for all channels of a group at a place.
    torch.testing.assert_close(ratio.reshape(3, 4, 4, 4, 10).std(dim=2), torch.zeros(3, 4, 4, 10))


@pytest.mark.parametrize("groups", [0, 3, 16])
def test_groups_that_do_not_divide_fail(groups: int) -> None:
    with pytest.raises(ConfigError, match=f"groups should divide the 8 channels, got {groups}"):
        EfficientMultiScaleAttention(8, groups=groups)


def test_an_even_kernel_fails() -> None:
    with pytest.raises(ConfigError, match=r"kernel should be odd along both axes, got \(2, 3\)"):
        EfficientMultiScaleAttention(8, groups=2, kernel=(2, 3))
