"""LPPN against onnxruntime with the published weights, and what holds of it with any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from lppn_onnx import KEPT, REFERENCE, SAMPLES, run, seeded_record
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.picking.networks import build
from pipeline.picking.networks.counting import count, count_parameters
from pipeline.picking.networks.interface import CellOutput, Network
from pipeline.picking.networks.lppn import LPPN, LPPNSettings
from pipeline.picking.weights import Store, import_weights


@pytest.fixture
def published(data_folder: Path, tmp_path: Path) -> Network:
    store = Store(tmp_path / "models")
    return store.load(store.save(*import_weights(data_folder / "weights" / "lppn")).key)[0]


def _answer(network: Network, record: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Normalise a record as the graph does; return probabilities, noise first, and offsets of its cells."""
    centred = record.T - record.T.mean(axis=1, keepdims=True)
    window = torch.from_numpy(centred / (np.abs(centred).max(axis=1, keepdims=True) + 1e-6))
    with torch.inference_mode():
        output = network(window.unsqueeze(0))
    assert isinstance(output, CellOutput)
    phases = np.roll(output.phases[0].numpy(), 1, axis=0)
    return phases.T, output.offset[0, 0].numpy()


def test_the_published_network_answers_as_onnxruntime_did(published: Network) -> None:
    probabilities, offsets = _answer(published, seeded_record())
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    expected = np.array(reference["probabilities"])
    assert expected[:, 1].max() > 0.4
    assert expected[:, 2].max() > 0.8
    np.testing.assert_allclose(probabilities[KEPT], expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(offsets[KEPT], reference["offsets"], rtol=0, atol=1e-4)


def test_the_published_network_answers_as_onnxruntime_does(published: Network, data_folder: Path) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install stationday[dev]")
    pytest.importorskip("onnx", reason="onnx is not installed: pip install stationday[dev]")
    model = data_folder / "weights" / "lppn" / "lppnm.onnx"
    with h5py.File(data_folder / "picks" / "stead" / "waveforms.hdf5") as file:
        traces = [trace[()] for trace in list(file["earthquake/local"].values())[:5]]
    noise = np.random.default_rng(1).standard_normal((6000, 3))
    for trace in (*traces, noise, np.zeros((6000, 3))):
        record = np.zeros((SAMPLES, 3), dtype=np.float32)
        record[: len(trace)] = trace
        probabilities, offsets = _answer(published, record)
        expected, expected_offsets = run(model, record)
        np.testing.assert_allclose(probabilities, expected, rtol=0, atol=1e-4)
        np.testing.assert_allclose(offsets, expected_offsets, rtol=0, atol=1e-4)


# Lei et al. (2025), table 3, have the large one, at 2,048 samples; the medium one is that of the file.
@pytest.mark.parametrize(
    ("size", "parameters", "within"), [("tiny", 7800, 0), ("medium", 43036, 0), ("large", 0.66e6, 0.01)]
)
def test_sizes_have_their_parameters(size: Any, parameters: float, within: float) -> None:
    network = build("lppn", LPPNSettings(size=size))
    assert count_parameters(network) == pytest.approx(parameters, rel=within)


def test_the_large_one_takes_what_is_published() -> None:
    counts = count(build("lppn", LPPNSettings(size="large", window=2048)))
    assert counts.multiply_accumulates == pytest.approx(111.98e6, rel=0.05)


@pytest.mark.parametrize("size", ["tiny", "medium", "large"])
@pytest.mark.parametrize("batch", [0, 1, 3])
def test_cells_of_eight_samples(size: Any, batch: int) -> None:
    network = build("lppn", LPPNSettings(size=size, window=2048))
    with torch.inference_mode():
        output = network(torch.randn(batch, 3, 2048, generator=torch.Generator().manual_seed(1)))
    assert isinstance(output, CellOutput)
    assert output.phases.shape == (batch, 3, 256)
    assert output.offset.shape == (batch, 1, 256)
    torch.testing.assert_close(output.phases.sum(dim=1), torch.ones(batch, 256))
    assert bool(((output.offset >= 0) & (output.offset <= 8)).all())


def test_sixty_four_samples_later_is_eight_cells_later() -> None:
    # The coarsest of its levels has a step of 64 samples.
    network = build("lppn", LPPNSettings(window=4096), seed=2)
    record = torch.zeros(1, 3, 4096)
    # New weights shrink what they pass on.
    record[..., 2000:2100] = 1e4 * torch.randn(3, 100, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        here, there = network(record), network(record.roll(64, dims=-1))
    inner = slice(160, 352)
    shifted = slice(168, 360)
    torch.testing.assert_close(there.phases[..., shifted], here.phases[..., inner], atol=1e-5, rtol=0)
    assert float(here.phases[..., inner].std(dim=-1).max()) > 1e-3


def test_gradients_reach_every_parameter() -> None:
    network = build("lppn", LPPNSettings(window=1024)).train()
    output = network(torch.randn(2, 3, 1024, generator=torch.Generator().manual_seed(3)))
    assert isinstance(output, CellOutput)
    (torch.log(output.phases[:, 0]).mean() + output.offset.square().mean()).backward()  # type: ignore[no-untyped-call]
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name
        assert float(parameter.grad.abs().max()) > 0, name


def test_bfloat16_keeps_probabilities() -> None:
    network = build("lppn", LPPNSettings(window=2048))
    record = torch.randn(2, 3, 2048, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        expected = network(record)
        with torch.autocast("cpu", torch.bfloat16):
            found = network(record)
    assert found.phases.dtype == found.offset.dtype == torch.float32
    torch.testing.assert_close(found.phases, expected.phases, atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": "huge"}, "size should be one of tiny, medium, large, got 'huge'"),
        ({"window": 2056}, "window should be a multiple of 64 samples, got 2056"),
    ],
)
def test_wrong_settings_fail(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LPPNSettings(**settings)


def test_other_components_and_phases() -> None:
    network = LPPN(LPPNSettings(components="Z", phases=("Pg", "Sg", "Pn", "Sn"), window=512)).eval()
    assert network(torch.zeros(1, 1, 512)).phases.shape == (1, 5, 64)
