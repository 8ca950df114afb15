"""EQTransformer: as Keras and SeisBench compute it, its attention, and its dropout."""

from pathlib import Path

import numpy as np
import pytest
import torch
from foreign_weights import REFERENCES, write_keras_2, write_keras_3, write_seisbench
from seeded_networks import KEPT, synthetic_windows

from pipeline.errors import ConfigError
from pipeline.picking.networks import build
from pipeline.picking.networks.eqtransformer import EQTransformer, EQTransformerSettings
from pipeline.picking.networks.interface import CurveOutput, Network
from pipeline.picking.weights import Store, import_weights


def loaded(path: Path, folder: Path) -> Network:
    store = Store(folder / "models")
    return store.load(store.save(*import_weights(path)).key)[0]


def curves(network: Network) -> np.ndarray:
    with torch.inference_mode():
        output = network(torch.from_numpy(synthetic_windows(6000)))
    assert isinstance(output, CurveOutput)
    assert output.detection is not None
    return torch.cat([output.detection.unsqueeze(1), output.phases], dim=1).numpy()[..., KEPT]


@pytest.mark.parametrize("write", [write_keras_2, write_keras_3])
def test_curves_are_those_of_keras_with_the_same_weights(write: object, tmp_path: Path) -> None:
    suffix = ".h5" if write is write_keras_2 else ".keras"
    network = loaded(write(tmp_path / f"seeded{suffix}"), tmp_path)  # type: ignore[operator]
    reference = np.load(REFERENCES / "eqtransformer.npz")["seeded"]
    assert np.ptp(reference, axis=-1).min() > 0.05
    np.testing.assert_allclose(curves(network), reference, rtol=0, atol=1e-5)


def test_curves_of_the_published_weights_are_those_of_keras(data_folder: Path, tmp_path: Path) -> None:
    network = loaded(data_folder / "weights" / "eqtransformer" / "original.keras", tmp_path)
    reference = np.load(REFERENCES / "eqtransformer.npz")["original"]
    assert reference.max(axis=-1).min() > 0.6
    np.testing.assert_allclose(curves(network), reference, rtol=0, atol=1e-4)


@pytest.mark.parametrize("original", [False, "conservative", "non-conservative"])
def test_curves_are_those_of_each_of_seisbenchs_arithmetics(original: object, tmp_path: Path) -> None:
    name = original if isinstance(original, str) else "default"
    path = write_seisbench(tmp_path, name, {"phases": "PS", "original_compatible": original})
    reference = np.load(REFERENCES / "seisbench.npz")[name]
    np.testing.assert_allclose(curves(loaded(path, tmp_path)), reference, rtol=0, atol=1e-5)


def test_attention_is_returned_on_request_and_local_attention_looks_one_step_away() -> None:
    network = build("eqtransformer", seed=4)
    assert isinstance(network, EQTransformer)
    windows = torch.from_numpy(synthetic_windows(6000))
    with torch.inference_mode():
        output, weights = network.attend(windows)
        assert torch.equal(output.phases, network(windows).phases)
    torch.testing.assert_close(weights.encoder.sum(dim=-1), torch.ones(2, 2, 47))
    steps = torch.arange(47)
    far = (steps.unsqueeze(0) - steps.unsqueeze(1)).abs() > 1
    assert weights.phases[..., far].abs().max() == 0
    assert (weights.phases[..., ~far] > 0).all()


def test_dropout_stays_on_when_asked_and_follows_its_generator() -> None:
    network = build("eqtransformer", seed=4)
    windows = torch.from_numpy(synthetic_windows(6000))

    def phases(seed: int | None) -> torch.Tensor:
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        network.keep_dropout(seed is not None, generator=generator)
        with torch.inference_mode():
            return network(windows).phases

    off, one, again, other = phases(None), phases(1), phases(1), phases(2)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert not torch.equal(one, off)
    assert torch.equal(phases(None), off)


def test_bf16_keeps_curves_within_two_hundredths_in_float32(tmp_path: Path) -> None:
    network = build("eqtransformer", seed=4)
    windows = torch.from_numpy(synthetic_windows(6000))
    with torch.inference_mode():
        full = network(windows)
        with torch.autocast("cpu", torch.bfloat16):
            half = network(windows)
    assert half.phases.dtype == half.detection.dtype == torch.float32
    assert (half.phases - full.phases).abs().max() < 0.02
    assert (half.detection - full.detection).abs().max() < 0.02


@pytest.mark.parametrize(("window", "crop"), [(4096, "both"), (3001, "both"), (6001, "last"), (1, "both")])
def test_each_window_comes_out_as_long_as_it_went_in(window: int, crop: str) -> None:
    network = EQTransformer(EQTransformerSettings(window=window, crop=crop)).eval()  # type: ignore[arg-type]
    with torch.inference_mode():
        output = network(torch.randn(1, 3, window))
    assert output.phases.shape == (1, 2, window)
    assert output.detection.shape == (1, window)


def test_gradients_reach_all_weights() -> None:
    network = build("eqtransformer").train()
    output = network(torch.from_numpy(synthetic_windows(6000)))
    (output.phases.mean() + output.detection.mean()).backward()
    without = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert without == []


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"dropout": 1.0}, "dropout should lie from 0 to below 1, got 1.0"),
        ({"recurrent_blocks": 0}, "recurrent_blocks should be 1 or more"),
        ({"attention_epsilon": 0.0}, "attention_epsilon should be above 0"),
        ({"gates": "tanh"}, "gates should be one of hard_sigmoid, sigmoid, got 'tanh'"),
        ({"crop": "first"}, "crop should be one of both, last, got 'first'"),
    ],
)
def test_settings_refuse(values: dict[str, object], match: str) -> None:
    with pytest.raises(ConfigError, match=match):
        EQTransformerSettings(**values)  # type: ignore[arg-type]
