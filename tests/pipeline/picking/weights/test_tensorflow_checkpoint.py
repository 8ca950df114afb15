"""TensorFlow's checkpoints: what was written comes back, and damage is noticed."""

from pathlib import Path

import numpy as np
import pytest
from foreign_weights import phasenet_tensors, write_checkpoint

from pipeline.errors import ConfigError
from pipeline.picking.weights.tensorflow_checkpoint import read_checkpoint


def test_tensors_come_back_from_several_blocks_of_keys_that_share_beginnings(tmp_path: Path) -> None:
    tensors = phasenet_tensors()
    found = read_checkpoint(write_checkpoint(tmp_path, tensors))
    assert list(found) == sorted(tensors)
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)


def test_the_original_has_the_tensors_of_its_paper(data_folder: Path) -> None:
    found = read_checkpoint(data_folder / "weights" / "phasenet" / "model_95.ckpt.index")
    trained = {
        name: values
        for name, values in found.items()
        if "Adam" not in name and name.endswith(("kernel", "bias", "gamma", "beta"))
    }
    assert sum(values.size for values in trained.values()) == 268_443
    assert found["global_step"].shape == ()


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_a_changed_byte_of_a_tensor_is_noticed_by_its_checksum(tmp_path: Path) -> None:
    index = write_checkpoint(tmp_path, phasenet_tensors())
    data = index.with_name("model.ckpt.data-00000-of-00001")
    damage(data, 12345)
    with pytest.raises(ConfigError, match=r"data-00000-of-00001: damaged: the checksum of DownConv_"):
        read_checkpoint(index)


@pytest.mark.parametrize("at", [0, 100, 400, -100, -60, -3])
def test_a_changed_byte_of_the_index_is_noticed(tmp_path: Path, at: int) -> None:
    index = write_checkpoint(tmp_path, phasenet_tensors())
    damage(index, at)
    with pytest.raises(
        ConfigError, match=r"model\.ckpt\.index: no index of a TensorFlow checkpoint, or a damaged"
    ):
        read_checkpoint(index)


@pytest.mark.parametrize("kept", [0, 10, 47, 500])
def test_a_truncated_index_is_noticed(tmp_path: Path, kept: int) -> None:
    index = write_checkpoint(tmp_path, phasenet_tensors())
    index.write_bytes(index.read_bytes()[:kept])
    with pytest.raises(ConfigError, match="no index of a TensorFlow checkpoint"):
        read_checkpoint(index)


def test_truncated_and_missing_data_are_noticed(tmp_path: Path) -> None:
    index = write_checkpoint(tmp_path, phasenet_tensors())
    data = index.with_name("model.ckpt.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(ConfigError, match=r"truncated: UpConv_3/\S+ should have \d+ bytes from \d+, got \d+"):
        read_checkpoint(index)
    data.unlink()
    with pytest.raises(
        ConfigError, match=r"data-00000-of-00001: No such file.*; model\.ckpt\.index needs it"
    ):
        read_checkpoint(index)
