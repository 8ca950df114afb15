"""``stationday models``: what is imported is listed and shown, and what is wrong is one line."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from foreign_weights import (
    REFERENCES,
    phasenet_tensors,
    write_checkpoint,
    write_keras_2,
    write_keras_3,
    write_seisbench,
)
from weights_server import Repository, serve_weights

from workflows.cli import main


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STATIONDAY_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    path = write_seisbench(tmp_path, "phasenet", {"phases": "PSN"}, suffix=".v2")
    with serve_weights() as served:
        served.files["/phasenet/seeded.pt.v2"] = path.read_bytes()
        served.files["/phasenet/seeded.json.v2"] = (tmp_path / "seeded.json.v2").read_bytes()
        yield served


def said(capsys: pytest.CaptureFixture[str], status: int, *arguments: str) -> str:
    """Run ``stationday models``; return what it printed, or the one line of its error."""
    assert main(["models", *arguments]) == status
    out, err = capsys.readouterr()
    if status:
        assert out == ""
        assert err.count("\n") == 1
        assert err.startswith("stationday: ")
    return err if status else out


def test_each_kind_of_file_is_imported_listed_and_shown(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = {
        "checkpoint": write_checkpoint(tmp_path, phasenet_tensors()),
        "old": write_keras_2(tmp_path / "old.h5"),
        "new": write_keras_3(tmp_path / "new.keras"),
        "bench": write_seisbench(tmp_path, "phasenet", {"phases": "PSN"}),
    }
    for name, path in sources.items():
        out = said(capsys, 0, "import", str(path), "--name", name, "--licence", "CC0")
        assert out.startswith(f"{name}@{'2' if name == 'bench' else '1'}: ")
    listed = said(capsys, 0, "list").splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [
        ["bench@2", "phasenet"],
        ["checkpoint@1", "phasenet"],
        ["new@1", "eqtransformer"],
        ["old@1", "eqtransformer"],
    ]
    assert "100 Hz  60.00 s  ENZ" in listed[3]
    shown = said(capsys, 0, "show", "old")
    assert "citation      Mousavi et al. (2020)" in shown
    assert "scores        not known" in shown
    layers = json.loads((REFERENCES / "eqtransformer_layers.json").read_text())
    count = sum(math.prod(shape) for _, _, tensors in layers for _, shape in tensors)
    assert f"values        {count:,} in " in shown
    digests = [json.loads(said(capsys, 0, "show", name, "--json"))["digest"] for name in ("old", "new")]
    assert digests[0] == digests[1]


def test_what_a_file_does_not_say_can_be_told(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write_checkpoint(tmp_path, phasenet_tensors()))
    options = ("--set", "components=ZNE", "--set", "rate_hz=50", "--overlap", "600", "--version", "7")
    card = json.loads(said(capsys, 0, "import", path, "--name", "mine", *options, "--json"))
    assert (card["version"], card["overlap"]) == ("7", 600)
    assert (card["settings"]["components"], card["settings"]["rate_hz"]) == ("ZNE", 50.0)
    listed = json.loads(said(capsys, 0, "list", "--json"))
    assert listed["folder"] == str(models)
    assert [card["name"] for card in listed["models"]] == ["mine"]


def test_an_empty_store_says_so(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, 0, "list") == f"{models}: no weights; `stationday models import` and `get` add some\n"
    assert json.loads(said(capsys, 0, "list", "--json"))["models"] == []


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--set", "component=ZNE"), "unknown key component: did you mean components?"),
        (("--set", "components"), "--set should be KEY=VALUE, as components=ZNE, got 'components'"),
        (("--set", "window=900"), "overlap should be below the window of 900 samples, got 1500"),
        (("--name", "Über"), "a name of weights should be of small letters"),
        (("--set", "first_filters=16"), "should have the shape (16, 3, 7) in PhaseNet"),
    ],
)
def test_wrong_options_are_one_line(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], match: str
) -> None:
    path = write_checkpoint(tmp_path, phasenet_tensors())
    assert match in said(capsys, 2, "import", str(path), *options)
    assert not models.exists()


def test_wrong_files_are_one_line(tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx, pickled, empty = tmp_path / "a.onnx", tmp_path / "a.pt", tmp_path / "folder"
    onnx.write_bytes(b"onnx")
    torch.save(torch.nn.ReLU(), pickled)
    empty.mkdir()
    assert "a.onnx: weights are read from .index (TensorFlow)" in said(capsys, 2, "import", str(onnx))
    assert "nothing in it was executed" in said(capsys, 2, "import", str(pickled))
    assert "there is no such file" in said(capsys, 2, "import", str(tmp_path / "none.pt"))
    assert "should hold one file of weights, or be one; it holds none" in said(
        capsys, 2, "import", str(empty)
    )
    assert "no weights 'mine'" in said(capsys, 2, "show", "mine")


def test_damaged_weights_are_not_shown_as_if_they_were_well(
    tmp_path: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(capsys, 0, "import", str(write_checkpoint(tmp_path, phasenet_tensors())), "--name", "mine")
    path = models / "mine@1.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert "these are not the weights that the card of mine@1 describes" in said(capsys, 2, "show", "mine")


def test_weights_are_fetched_and_their_digest_is_checked(
    models: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ("get", "phasenet-seeded", "--repository", repository.url)
    card = json.loads(said(capsys, 0, *call, "--json"))
    assert (card["name"], card["version"], card["checksum"]) == ("phasenet-seeded", "2", "sha-256")
    assert card["source"] == f"{repository.url}/seeded.pt.v2"
    assert card["settings"]["phases"] == ["P", "S"]
    said(capsys, 0, *call, "--digest", card["digest"])
    assert f"is {card['digest']}, it should be {'0' * 32}" in said(capsys, 1, *call, "--digest", "0" * 32)
    repository.spoil = lambda content: content[:-9] + bytes(9)
    assert "what came is not what lies there" in said(capsys, 1, *call)


def test_a_server_without_checksums_is_said(
    models: Path, repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.stated = ""
    assert main(["models", "get", "phasenet-seeded@2", "--repository", repository.url]) == 0
    assert "the server states no checksum" in capsys.readouterr().err


def test_without_a_network_one_line_says_so(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = said(capsys, 1, "get", "phasenet-stead", "--repository", "http://127.0.0.1:9")
    assert line.startswith("stationday: no network, or 127.0.0.1 does not answer (connection refused); ")


def test_all_published_weights_that_lie_there_are_imported(
    data_folder: Path, models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_folder / "weights"
    files = ("phasenet/model_95.ckpt.index", "phasenet/original.h5", "lppn/china.lppnm.pt")
    files += ("eqtransformer/original.keras", "eqtransformer/usgs.h5")
    for file in files:
        said(capsys, 0, "import", str(folder / file))
    cards = json.loads(said(capsys, 0, "list", "--json"))["models"]
    assert len(cards) == 5
    by_name = {card["name"]: card for card in cards}
    assert by_name["phasenet-original"]["digest"] == by_name["phasenet-model_95"]["digest"]
    assert by_name["lppn-china"]["settings"]["phases"] == ["Pg", "Sg", "Pn", "Sn", "P", "S"]


@pytest.mark.parametrize("action", ["list", "show", "import", "get"])
def test_each_action_has_an_example(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["models", action, "--help"])
    assert f"stationday models {action}" in capsys.readouterr().out.split("example")[-1]
