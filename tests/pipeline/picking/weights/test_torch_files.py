"""Files of PyTorch: tensors come back, and nothing in them is ever executed."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from foreign_weights import write_seisbench

from pipeline.errors import ConfigError
from pipeline.picking.weights import import_weights
from pipeline.picking.weights.torch_files import read_state


class Malicious:
    """What runs a command when it is read by a pickle reader that does as it is told."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("write", ["torch", "legacy", "pickle"])
def test_a_malicious_pickle_is_refused_and_not_executed(tmp_path: Path, write: str) -> None:
    path, mark = tmp_path / "weights.pt", tmp_path / "executed"
    content = {"down_branch.0.0.weight": Malicious(mark)}
    if write == "pickle":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=write == "torch")
    with pytest.raises(
        ConfigError, match=r"weights\.pt: should hold tensors alone, but .* nothing in it was executed"
    ):
        import_weights(path)
    assert not mark.exists()
    # It would have run: the same bytes, read by a reader that does as it is told.
    if write == "pickle":
        pickle.loads(path.read_bytes())
        assert mark.exists()


def test_a_whole_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "network.pt"
    torch.save(torch.nn.Linear(2, 2), path)
    with pytest.raises(
        ConfigError, match=r"should hold tensors alone, but it names torch.nn.modules.linear.Linear"
    ):
        read_state(path)


def test_a_state_dict_inside_a_checkpoint_is_found(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    state = {"a.weight": torch.ones(2, dtype=torch.float64), "a.num_batches_tracked": torch.tensor(3)}
    torch.save({"epoch": 7, "state_dict": state}, path)
    found = read_state(path)
    assert found.keys() == {"a.weight"}
    assert found["a.weight"].dtype == np.float32


@pytest.mark.parametrize("content", [[torch.ones(1)], {}, {"epoch": 7}, torch.ones(2)])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "list.pt"
    torch.save(content, path)
    with pytest.raises(ConfigError, match=r"should be a state dict, names and tensors, got \w+"):
        read_state(path)


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.999])
def test_truncated_files_are_refused(tmp_path: Path, kept: float) -> None:
    path = write_seisbench(tmp_path, "phasenet", {})
    data = path.read_bytes()
    path.write_bytes(data[: int(kept if kept >= 1 or kept == 0 else kept * len(data))])
    with pytest.raises(ConfigError, match=r"seeded\.pt: "):
        import_weights(path)


def test_weights_of_seisbench_bring_what_its_json_says(tmp_path: Path) -> None:
    arguments = {"phases": "PSN", "norm": "peak", "sampling_rate": 50, "component_order": "ZNE"}
    path = write_seisbench(tmp_path, "phasenet", arguments, suffix=".v3", version="3")
    card, _ = import_weights(path)
    assert card.key == "phasenet-seeded@3"
    assert card.settings["normalisation"] == "peak"
    assert (card.settings["rate_hz"], card.settings["phases"]) == (50.0, ["P", "S"])
    assert (card.thresholds, card.overlap) == ({"P": 0.25, "S": 0.3}, 1200)
    assert card.training_data == "Made from seeds. Of no use."


def test_weights_of_seisbench_without_their_json_are_refused(tmp_path: Path) -> None:
    path = write_seisbench(tmp_path, "phasenet", {})
    path.with_name("seeded.json").unlink()
    with pytest.raises(ConfigError, match=r"seeded\.json: No such file"):
        import_weights(path)


@pytest.mark.parametrize(
    ("description", "match"),
    [
        ("[]", "should be a JSON object, got list"),
        ("{", "should be JSON"),
        (json.dumps({"model_args": {"phases": "PS"}}), "the last layer has 3 classes, but 'PS' names 2"),
        (json.dumps({"model_args": {"phases": "PSX"}}), "a class of noise, N, should be among 'PSX'"),
        (json.dumps({"model_args": {"component_order": "ZN"}}), "should name 3 components, got 'ZN'"),
        (json.dumps({"model_args": {"sampling_rate": "fast"}}), "tensors or JSON are not those of SeisBench"),
    ],
)
def test_a_json_that_does_not_fit_is_refused(tmp_path: Path, description: str, match: str) -> None:
    path = write_seisbench(tmp_path, "phasenet", {})
    path.with_name("seeded.json").write_text(description)
    with pytest.raises(ConfigError, match=match):
        import_weights(path)


def test_tensors_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"conv.weight": torch.ones(2)}, path)
    with pytest.raises(ConfigError, match=r"other\.pt: these are tensors of no network that is known"):
        import_weights(path)
