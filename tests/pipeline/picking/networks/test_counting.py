"""Counts of parameters and multiply-accumulates against counts by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError
from pipeline.picking.networks import build
from pipeline.picking.networks.counting import count, count_multiply_accumulates, count_parameters


@pytest.mark.parametrize(
    ("layer", "shape", "expected"),
    [
        # each of 100 outputs of 8 channels sees 5 samples of 3 channels
        (lambda: nn.Conv1d(3, 8, 5, padding=2), (1, 3, 100), 100 * 8 * 5 * 3),
        (lambda: nn.Conv1d(3, 8, 5, padding=2, stride=2), (2, 3, 100), 2 * 50 * 8 * 5 * 3),
        # a channel by itself
        (lambda: nn.Conv1d(8, 8, 5, padding=2, groups=8), (1, 8, 100), 100 * 8 * 5),
        (lambda: nn.Conv2d(4, 6, (9, 1), stride=(8, 1)), (1, 4, 33, 20), 4 * 20 * 6 * 9 * 4),
        # each input is spread by 7 weights over each channel
        (lambda: nn.ConvTranspose1d(4, 8, 7, stride=4), (1, 4, 10), 10 * 4 * 8 * 7),
        (lambda: nn.Linear(20, 30), (5, 20), 5 * 20 * 30),
        # four gates of 8, from 4 inputs and 8 states, both ways
        (lambda: nn.LSTM(4, 8, batch_first=True), (2, 10, 4), 2 * 10 * 4 * 8 * (4 + 8)),
        (lambda: nn.LSTM(4, 8, bidirectional=True), (10, 2, 4), 2 * 2 * 10 * 4 * 8 * (4 + 8)),
        # the second layer's inputs are both ways of the first
        (
            lambda: nn.LSTM(4, 8, num_layers=2, bidirectional=True),
            (10, 1, 4),
            2 * 10 * 4 * 8 * ((4 + 8) + (16 + 8)),
        ),
        (lambda: nn.Sequential(nn.BatchNorm1d(3), nn.ReLU(), nn.AvgPool1d(2)), (1, 3, 100), 0),
    ],
)
def test_layers_count_as_by_hand(
    layer: Callable[[], nn.Module], shape: tuple[int, ...], expected: int
) -> None:
    assert count_multiply_accumulates(layer(), torch.zeros(shape)) == expected


class _Products(nn.Module):
    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.einsum("bij,bjk->bik", left, right) + left @ right + torch.bmm(left, right)


def test_products_of_matrices_count_however_written() -> None:
    left, right = torch.zeros(2, 3, 4), torch.zeros(2, 4, 5)
    assert count_multiply_accumulates(_Products(), left, right) == 3 * 2 * 3 * 4 * 5


def test_parameters_are_what_training_changes() -> None:
    network = nn.Sequential(nn.Conv1d(3, 8, 5), nn.BatchNorm1d(8), nn.LSTM(8, 4))
    assert count_parameters(network) == (3 * 8 * 5 + 8) + 16 + 4 * 4 * (8 + 4 + 2)
    network[0].requires_grad_(False)
    assert count_parameters(network) == 16 + 4 * 4 * (8 + 4 + 2)


@pytest.mark.parametrize("name", ["phasenet", "eqtransformer", "lppn", "sen"])
def test_parts_of_a_network_add_up(name: str) -> None:
    counts = count(build(name))
    assert sum(counts.parts.values()) == counts.multiply_accumulates
    assert min(counts.parts.values()) > 0


def test_counting_leaves_a_network_as_it_was() -> None:
    network = build("lppn").train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    count(network)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_nothing_can_not_be_counted() -> None:
    with pytest.raises(ConfigError, match=r"should hold something to count by, got shape \(0, 3, 10\)"):
        count_multiply_accumulates(nn.Conv1d(3, 3, 3), torch.zeros(0, 3, 10))
