"""PhaseNet: as SeisBench computes it, at any length, and in bf16."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_weights import REFERENCES, phasenet_tensors, write_checkpoint, write_seisbench
from seeded_networks import KEPT, synthetic_windows

from pipeline.errors import ConfigError
from pipeline.picking.networks import build
from pipeline.picking.networks.interface import Network
from pipeline.picking.networks.phasenet import PhaseNet, PhaseNetSettings
from pipeline.picking.weights import Store, import_weights

ARGUMENTS = {"phases": "NPS", "in_channels": 3, "classes": 3, "sampling_rate": 100, "norm": "std"}


@pytest.fixture
def seeded(tmp_path: Path) -> Network:
    store = Store(tmp_path / "models")
    return store.load(store.save(*import_weights(write_seisbench(tmp_path, "phasenet", ARGUMENTS))).key)[0]


def test_curves_are_those_of_seisbench_with_the_same_weights(seeded: Network) -> None:
    with torch.inference_mode():
        phases = seeded(torch.from_numpy(synthetic_windows(3001))).phases.numpy()
    reference = np.load(REFERENCES / "seisbench.npz")["phasenet"]
    assert reference.max() > 0.99
    assert reference.min() < 0.01
    # SeisBench has noise first, we have it last.
    np.testing.assert_allclose(phases[:, [2, 0, 1], KEPT], reference, rtol=0, atol=1e-5)


def test_probabilities_add_up_to_1_at_any_length(seeded: Network) -> None:
    for samples in (1, 64, 1023, 3000, 3002):
        with torch.inference_mode():
            phases = seeded(torch.randn(1, 3, samples)).phases
        assert phases.shape == (1, 3, samples)
        torch.testing.assert_close(phases.sum(dim=1), torch.ones(1, samples))


def test_bf16_keeps_curves_within_two_hundredths_in_float32(seeded: Network) -> None:
    windows = torch.from_numpy(synthetic_windows(3001))
    network = build("phasenet", seed=2)
    with torch.inference_mode():
        full = network(windows).phases
        with torch.autocast("cpu", torch.bfloat16):
            half = network(windows).phases
    assert half.dtype == torch.float32
    assert (half - full).abs().max() < 0.02


def test_the_waveforms_stay_as_they_were_and_gradients_reach_all_weights() -> None:
    network = build("phasenet").train()
    windows = torch.from_numpy(synthetic_windows(3001))
    before = windows.clone()
    network(windows).phases[:, 0].mean().backward()
    assert torch.equal(windows, before)
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_bias_of_the_head_moves_its_own_class_alone() -> None:
    network = build("phasenet")
    with torch.no_grad():
        network.head.bias[1] += 20  # type: ignore[union-attr, operator, index]
        phases = network(torch.zeros(1, 3, 3001)).phases
    assert network.settings.classes == ("P", "S", "N")
    assert phases[:, 1].min() > 0.99


def test_settings_change_its_size() -> None:
    wide = PhaseNet(PhaseNetSettings(first_filters=16, depth=4, components="ZNEH", phases=("P", "S", "R")))
    output = wide.eval()(torch.zeros(1, 4, 1500))
    assert output.phases.shape == (1, 4, 1500)
    with pytest.raises(ConfigError, match="stride should be 2 or more, kernel not below it"):
        PhaseNetSettings(kernel=3)


def test_another_depth_is_read_from_the_tensors(tmp_path: Path) -> None:
    card, _ = import_weights(write_checkpoint(tmp_path, phasenet_tensors(depth=3)))
    assert (card.settings["depth"], card.settings["kernel"], card.settings["first_filters"]) == (3, 7, 8)


def test_both_originals_are_the_same_network(data_folder: Path) -> None:
    folder = data_folder / "weights" / "phasenet"
    _, checkpoint = import_weights(folder / "model_95.ckpt.index")
    _, keras = import_weights(folder / "original.h5")
    assert set(checkpoint) == set(keras)
    for name, values in checkpoint.items():
        np.testing.assert_array_equal(values, keras[name])


def test_the_originals_find_the_onsets_of_analysts(data_folder: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "models")
    card = store.save(*import_weights(data_folder / "weights" / "phasenet" / "original.h5"))
    network, _ = store.load(card.key)
    folder = data_folder / "picks" / "northern-california"
    rows = list(csv.DictReader((folder / "labels.csv").read_text().splitlines()))
    rows = [row for row in rows if row["channels"].count("_") == 2][:32]
    late = {"P": [], "S": []}
    for row in rows:
        stored = np.load(folder / row["fname"])["data"]
        # P stands at sample 3000 of each trace; here at 1000 of the window.
        window = stored[2000:5001].T.astype(np.float64)
        window = window - window.mean(axis=1, keepdims=True)
        window /= np.where(window.std(axis=1, keepdims=True) > 0, window.std(axis=1, keepdims=True), 1)
        with torch.inference_mode():
            phases = network(torch.from_numpy(window[None].astype(np.float32))).phases[0]
        for number, (phase, label) in enumerate((("P", "itp"), ("S", "its"))):
            late[phase].append(int(phases[number].argmax()) + 2000 - int(row[label]))
    for phase, share in (("P", 0.95), ("S", 0.9)):
        found = np.mean(np.abs(late[phase]) <= 50)
        assert found > share, f"{phase}: {found:.2f} of {len(rows)} within half a second"
