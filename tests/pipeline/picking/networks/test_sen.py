"""SEN, of which no code is public: its counts, its switches, and what must hold of any such network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.errors import ConfigError
from pipeline.picking.networks import build
from pipeline.picking.networks.counting import count
from pipeline.picking.networks.interface import CellOutput, Network, check_waveforms
from pipeline.picking.networks.sen import SEN, SENSettings, _DilatedFilters

SWITCHES: tuple[dict[str, Any], ...] = (
    {"attention": False, "frequency": "none"},
    {"attention": True, "frequency": "none"},
    {"attention": False, "frequency": "stft"},
    {"attention": True, "frequency": "stft"},
    {"attention": True, "frequency": "wavelet"},
)


def _network(**switches: Any) -> Network:
    """A network whose statistics of batch normalisation are not those of a new one."""
    network = build("sen", SENSettings(**switches), seed=4)
    generator = torch.Generator().manual_seed(9)
    for name, value in network.named_buffers():
        if name.endswith("running_mean"):
            value.normal_(0, 0.2, generator=generator)
        elif name.endswith("running_var"):
            value.uniform_(0.5, 1.5, generator=generator)
    # A new network's last layer hardly tells cells apart.
    network.get_parameter("head.weight").data.mul_(3)
    return network


def _run(network: Network, waveforms: Tensor) -> CellOutput:
    with torch.inference_mode():
        output = network(waveforms)
    assert isinstance(output, CellOutput)
    return output


def _records(batch: int, *, seed: int = 0) -> Tensor:
    return torch.randn(batch, 3, 2048, generator=torch.Generator().manual_seed(seed))


def test_the_papers_counts() -> None:
    counts = count(build("sen"))
    assert counts.parameters == pytest.approx(0.35e6, rel=0.02)
    # Lei et al. (2025), table 3: a multiply-accumulate as one, the transform's among them.
    assert counts.multiply_accumulates == pytest.approx(71.38e6, rel=0.05)


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_cells_of_eight_samples(switches: dict[str, Any], batch: int) -> None:
    output = _run(_network(**switches), _records(batch))
    assert output.phases.shape == (batch, 3, 256)
    assert output.offset.shape == (batch, 1, 256)
    assert output.stride == 8
    assert output.phases.dtype == output.offset.dtype == torch.float32
    torch.testing.assert_close(output.phases.sum(dim=1), torch.ones(batch, 256))
    assert bool(((output.offset >= 0) & (output.offset <= 8)).all())


def test_switches_take_parts_away() -> None:
    names = {tuple(s.values()): set(dict(_network(**s).named_modules())) for s in SWITCHES}
    base = names[False, "none"]
    assert not any(name.startswith("spectra") for name in names[True, "none"] | base)
    attention = names[True, "stft"] - names[False, "stft"]
    assert {name.split(".")[0] for name in attention} == {"record", "spectra"}
    assert all(".attention." in name for name in attention)


def test_a_wavelet_takes_the_place_of_the_fourier_transform() -> None:
    fourier, wavelet = _network(), _network(frequency="wavelet")
    wavelet.load_state_dict(fourier.state_dict())
    first, second = _run(fourier, _records(1)), _run(wavelet, _records(1))
    assert first.phases.shape == second.phases.shape
    assert float((first.phases - second.phases).abs().max()) > 1e-3


@pytest.mark.parametrize("switches", SWITCHES)
@pytest.mark.parametrize("cells", [1, 5, -3])
def test_eight_samples_later_is_one_cell_later(switches: dict[str, Any], cells: int) -> None:
    # A short signal amid silence: what lies outside of a window can not be known to it, but here is the same.
    network = _network(**switches)
    record = torch.zeros(1, 3, 2048)
    record[..., 1000:1048] = 10 * torch.randn(3, 48, generator=torch.Generator().manual_seed(2))
    here = _run(network, record)
    there = _run(network, record.roll(8 * cells, dims=-1))
    # 80 cells at either end may see zeros of padding; rounding is all that is left of a difference.
    inner = slice(80, 176)
    shifted = slice(80 + cells, 176 + cells)
    torch.testing.assert_close(there.phases[..., shifted], here.phases[..., inner], atol=1e-5, rtol=0)
    torch.testing.assert_close(there.offset[..., shifted], here.offset[..., inner], atol=1e-4, rtol=0)
    assert float(here.phases[..., inner].std(dim=-1).max()) > 1e-3
    other = _run(network, record.roll(8 * cells + 4, dims=-1))
    assert float((other.phases[..., shifted] - here.phases[..., inner]).abs().max()) > 1e-3


@pytest.mark.parametrize("switches", SWITCHES)
def test_gradients_reach_every_parameter(switches: dict[str, Any]) -> None:
    network = _network(**switches).train()
    output = network(_records(2))
    assert isinstance(output, CellOutput)
    classes = torch.randint(3, (2, 256), generator=torch.Generator().manual_seed(1))
    loss = (
        torch.nn.functional.nll_loss(torch.log(output.phases), classes) + (output.offset - 3).square().mean()
    )
    loss.backward()  # type: ignore[no-untyped-call]
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert float(parameter.grad.abs().max()) > 0, name


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_silence_and_constants_have_finite_gradients(value: float) -> None:
    network = _network().train()
    output = network(torch.full((2, 3, 2048), value))
    (output.phases[:, 0].sum() + output.offset.sum()).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_stays_in_its_window_and_is_refused_before(value: float) -> None:
    network = _network()
    records = _records(2)
    records[1, 2, 700] = value
    with pytest.raises(ConfigError, match="window 1, component E, sample 700"):
        check_waveforms(records, network.settings)
    output = _run(network, records)
    assert bool(output.phases[0].isfinite().all())
    assert bool(output.phases[1].isnan().all())
    torch.testing.assert_close(output.phases[:1], _run(network, records[:1]).phases, atol=1e-5, rtol=0)


def test_bfloat16_keeps_probabilities() -> None:
    network, records = _network(), _records(2)
    # With its last layer as it is drawn.
    network.load_state_dict(build("sen", seed=4).state_dict())
    expected = _run(network, records)
    with torch.autocast("cpu", torch.bfloat16):
        found = _run(network, records)
    assert found.phases.dtype == found.offset.dtype == torch.float32
    torch.testing.assert_close(found.phases, expected.phases, atol=0.02, rtol=0)


def test_the_input_is_left_as_it_was() -> None:
    records = _records(1)
    before = records.clone()
    _run(_network(), records)
    assert torch.equal(records, before)


def test_seeds_decide_weights() -> None:
    first, same, other = (build("sen", seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["head.weight"], other["head.weight"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"frequency": "fourier"}, "frequency should be one of stft, wavelet or none, got 'fourier'"),
        ({"window": 2056}, "window should be a multiple of 64 samples, got 2056"),
        ({"components": "ZZ"}, "components should be codes that differ"),
    ],
)
def test_wrong_settings_fail(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SENSettings(**settings)


def test_filters_see_steps_far_apart() -> None:
    torch.manual_seed(6)
    filters, features = _DilatedFilters(4, 8), torch.randn(2, 4, 64)
    weight = filters.weight.squeeze(3)
    expected = torch.nn.functional.conv1d(features, weight, padding=16, dilation=8, groups=4)
    torch.testing.assert_close(filters(features), expected)


def test_other_components_phases_and_windows() -> None:
    settings = SENSettings(components="Z", phases=("Pg", "Pn", "Sg"), window=1024)
    output = _run(SEN(settings).eval(), torch.zeros(2, 1, 1024))
    assert output.phases.shape == (2, 4, 128)
