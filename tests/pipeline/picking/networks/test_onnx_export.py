"""ONNX files against the networks that they were made of."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.errors import ConfigError
from pipeline.picking.networks import build, onnx_export
from pipeline.picking.networks.eqtransformer import EQTransformer
from pipeline.picking.networks.interface import Network, Settings
from pipeline.picking.networks.lppn import LPPNSettings
from pipeline.picking.networks.onnx_export import export
from pipeline.picking.networks.sen import SENSettings

SMALL = LPPNSettings(size="tiny", window=256)


def _session(written: bytes) -> Any:
    pytest.importorskip("onnx", reason="onnx is not installed: pip install stationday[dev]")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install stationday[dev]")
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: stationday[dev]")
    return runtime.InferenceSession(written, providers=["CPUExecutionProvider"])


def _compare(network: Network, *, batches: tuple[int, ...] = (1, 3)) -> Any:
    pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install stationday[dev]")
    written = io.BytesIO()
    export(network, written)
    session = _session(written.getvalue())
    settings = network.settings
    generator = torch.Generator().manual_seed(6)
    for batch in batches:
        windows = torch.randn(batch, len(settings.components), settings.window, generator=generator)
        with torch.inference_mode():
            expected = [values for values in network(windows) if isinstance(values, torch.Tensor)]
        found = session.run(None, {"waveforms": windows.numpy()})
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), rtol=0, atol=1e-4)
    return session


def test_sen_gives_the_same_anywhere() -> None:
    network = build("sen", seed=3)
    session = _compare(network)
    assert [output.name for output in session.get_outputs()] == ["phases", "offset"]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["settings"])["frequency"] == "stft"
    assert json.loads(metadata["classes"]) == ["P", "S", "N"]
    assert metadata["stride"] == "8"


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("name", "settings", "outputs"),
    [
        ("lppn", None, ["phases", "offset"]),
        ("phasenet", None, ["phases"]),
        ("eqtransformer", None, ["phases", "detection"]),
        ("sen", SENSettings(frequency="wavelet"), ["phases", "offset"]),
        ("sen", SENSettings(attention=False, frequency="none"), ["phases", "offset"]),
    ],
)
def test_every_network_gives_the_same_anywhere(
    name: str, settings: Settings | None, outputs: list[str]
) -> None:
    network = build(name, settings, seed=5)
    session = _compare(network)
    assert [output.name for output in session.get_outputs()] == outputs
    metadata = session.get_modelmeta().custom_metadata_map
    expected = json.loads(json.dumps(asdict(network.settings)))
    assert json.loads(metadata["settings"]) == expected


@pytest.mark.slow
def test_a_file_of_a_fixed_batch(tmp_path: Path) -> None:
    network = build("lppn", SMALL).train()
    path = tmp_path / "lppn.onnx"
    export(network, path, batch=1)
    assert network.training
    session = _session(path.read_bytes())
    assert session.get_inputs()[0].shape == [1, 3, 256]


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_nothing_fails(batch: int) -> None:
    with pytest.raises(ConfigError, match=f"batch should be 1 window or more, or None .*, got {batch}"):
        export(build("lppn", SMALL), io.BytesIO(), batch=batch)


def test_dropout_that_is_kept_fails() -> None:
    network = build("eqtransformer")
    assert isinstance(network, EQTransformer)
    network.keep_dropout(True)
    with pytest.raises(ConfigError, match=r"call keep_dropout\(False\)"):
        export(network, io.BytesIO())


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_export, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(ConfigError, match=r"ONNX models need onnxscript: pip install stationday\[onnx\]"):
        export(build("lppn", SMALL), io.BytesIO())
