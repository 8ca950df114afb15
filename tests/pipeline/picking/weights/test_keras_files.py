"""Keras' files: graphs of both generations, and files that are none."""

import json
import zipfile
from pathlib import Path

import h5py
import pytest
from foreign_weights import write_keras_2, write_keras_3

from pipeline.errors import ConfigError
from pipeline.picking.weights.keras_files import read_keras


def test_both_generations_give_the_same_graph(tmp_path: Path) -> None:
    old, new = read_keras(write_keras_2(tmp_path / "a.h5")), read_keras(write_keras_3(tmp_path / "a.keras"))
    assert old.outputs == new.outputs == ("detector", "picker_P", "picker_S")
    assert old.input_shape == new.input_shape == (None, 6000, 3)
    for one, other in zip(old.layers, new.layers, strict=True):
        assert (one.kind, one.name, one.inputs) == (other.kind, other.name, other.inputs)
        assert one.tensors.keys() == other.tensors.keys()
        assert all((one.tensors[role] == other.tensors[role]).all() for role in one.tensors)


def test_what_leads_to_an_output_leaves_the_other_branches_out(tmp_path: Path) -> None:
    graph = read_keras(write_keras_2(tmp_path / "a.h5"))
    names = [layer.name for layer in graph.leading_to("picker_P")]
    assert names[0] == "conv1d_1"
    assert names[-10:-8] == ["lstm_4", "attentionP"]
    assert names[-1] == "picker_P"
    assert not {"lstm_5", "detector", "conv1d_25", "input"} & set(names)


def test_a_file_of_weights_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group("conv1d_1")
    with pytest.raises(
        ConfigError, match="should hold model_config and model_weights, as Keras saves a whole model"
    ):
        read_keras(path)


@pytest.mark.parametrize("content", [b"", b"no hdf5", b"\x89HDF\r\n\x1a\n" + bytes(40)])
def test_what_is_no_hdf5_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"a\.h5: no Keras file, or a damaged one"):
        read_keras(path)


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_truncated_files_are_refused(tmp_path: Path, part: float) -> None:
    for path in (write_keras_2(tmp_path / "a.h5"), write_keras_3(tmp_path / "a.keras")):
        data = path.read_bytes()
        path.write_bytes(data[: int(part * len(data))])
        with pytest.raises(ConfigError, match=f"{path.name}: no Keras file, or a damaged one"):
            read_keras(path)


def test_a_zip_without_a_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": []}}))
    with pytest.raises(ConfigError, match=r"a\.keras: no model with weights of Keras, or a damaged one"):
        read_keras(path)


def test_a_layer_with_too_few_tensors_is_refused(tmp_path: Path) -> None:
    path = write_keras_2(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        group = file["model_weights/batch_normalization_3"]
        group.attrs["weight_names"] = group.attrs["weight_names"][:3]
    with pytest.raises(
        ConfigError, match=r"batch_normalization_3 \(BatchNormalization\) should have 4 tensors, got 3"
    ):
        read_keras(path)
