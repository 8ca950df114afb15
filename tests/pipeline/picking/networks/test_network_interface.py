"""What every network is: settings that refuse nonsense, waveforms that do, names that are found."""

import subprocess
import sys

import pytest
import torch

from pipeline.errors import ConfigError
from pipeline.picking.networks import NETWORKS, build
from pipeline.picking.networks.eqtransformer import EQTransformerSettings
from pipeline.picking.networks.interface import Dropout, Settings, check_waveforms


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"components": "ZZE"}, "components should be codes that differ, as ZNE, got 'ZZE'"),
        ({"components": ""}, "components should be"),
        ({"rate_hz": 0.0}, "rate_hz should be above 0, got 0.0"),
        ({"rate_hz": float("nan")}, "rate_hz should be above 0, got nan"),
        ({"window": 0}, "window should be 1 sample or more, got 0"),
        ({"taper": 1600}, "taper should be from 0 to half the window of 3001, got 1600"),
        ({"normalisation": "rms"}, "normalisation should be one of peak, std, got 'rms'"),
        ({"phases": ("P", "N")}, r"phases should be names that differ and no N \(noise\)"),
        ({"phases": ()}, "phases should be names"),
    ],
)
def test_settings_refuse(values: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        Settings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waveforms", "match"),
    [
        (torch.zeros(3, 3001), r"should be \(batch, components, samples\), got \(3, 3001\)"),
        (torch.zeros(0, 3, 3001), "got an empty batch"),
        (torch.zeros(2, 1, 3001), r"should have 3 components \(ZNE\), got 1"),
        (torch.zeros(2, 3, 6000), "windows should be of 3001 samples, got 6000"),
        (torch.zeros(2, 3, 3001, dtype=torch.int32), "should be floating point, got torch.int32"),
    ],
)
def test_waveforms_of_another_shape_are_refused(waveforms: torch.Tensor, match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        check_waveforms(waveforms, Settings())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_samples_that_are_no_numbers_are_refused_where_they_stand(value: float) -> None:
    waveforms = torch.zeros(2, 3, 3001)
    check_waveforms(waveforms, Settings())
    waveforms[1, 2, 77] = value
    with pytest.raises(ConfigError, match=r"got 1 samples that are not, .* window 1, component E, sample 77"):
        check_waveforms(waveforms, Settings())


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown architecture 'phasnet': did you mean phasenet"):
        build("phasnet")
    with pytest.raises(ConfigError, match="it should be one of phasenet, eqtransformer, lppn, sen"):
        NETWORKS["gpd"]


def test_settings_of_another_network_are_refused() -> None:
    with pytest.raises(ConfigError, match="settings of phasenet should be PhaseNetSettings, got EQTr"):
        build("phasenet", EQTransformerSettings())


@pytest.mark.parametrize("name", ["phasenet", "eqtransformer"])
def test_the_same_seed_builds_the_same_network_and_leaves_the_global_generator(name: str) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, two, other = build(name, seed=5), build(name, seed=5), build(name, seed=6)
    assert torch.equal(torch.get_rng_state(), before)
    states = [network.state_dict() for network in (one, two, other)]
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])
    assert not one.training


def test_looking_names_up_and_the_command_line_load_no_torch() -> None:
    code = (
        "import sys, workflows.cli, pipeline.picking.networks as networks\n"
        "assert 'sen' in networks.NETWORKS and len(networks.NETWORKS) == 4\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_dropout_keeps_the_mean_and_drops_whole_channels() -> None:
    dropout = Dropout(0.25, spatial=True)
    features = torch.ones(400, 50, 3)
    assert torch.equal(dropout.eval()(features), features)
    dropout.kept, dropout.generator = True, torch.Generator().manual_seed(1)
    dropped = dropout(features)
    assert torch.equal(dropped.amin(dim=-1), dropped.amax(dim=-1))
    # 20,000 draws: three standard deviations of the mean are 3 * sqrt(0.25 / 0.75 / 20000) = 0.012.
    assert dropped.mean().item() == pytest.approx(1, abs=0.013)
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
