"""The store of weights: what goes in comes out, and what does not fit its card is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from pipeline.errors import ConfigError
from pipeline.picking.networks import build
from pipeline.picking.weights import Card, Store, default_folder, digest_of, import_weights
from pipeline.picking.weights.cards import card_from_json, card_to_json
from pipeline.picking.weights.tensors import tensors_of

CARD = Card(
    name="mine",
    version="2",
    architecture="phasenet",
    overlap=1500,
    thresholds={"P": 0.3, "S": 0.25},
    training_data="none: random",
    licence="CC0",
    citation="nobody",
    scores={"recall of P": 0.5},
    settings={"components": "ENZ", "rate_hz": 50},
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = Store(tmp_path / "models", shipped=tmp_path / "shipped")
    found.save(CARD, tensors_of(build("phasenet", seed=1)))
    return found


def edit(store: Store, **values: object) -> None:
    path = store.folder / "mine@2.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | values))


def rewrite(store: Store, tensors: dict[str, np.ndarray], *, stated: bool) -> None:
    save_file(tensors, store.folder / "mine@2.safetensors")
    if stated:
        edit(store, digest=digest_of(tensors))


def stored(store: Store) -> dict[str, np.ndarray]:
    return load_file(store.folder / "mine@2.safetensors")


@pytest.mark.parametrize("name", ["phasenet", "eqtransformer", "lppn", "sen"])
def test_each_network_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    store, network = Store(tmp_path / "models"), build(name, seed=3)
    store.save(Card(name="mine", architecture=name), tensors_of(network))
    found, card = store.load("mine")
    windows = torch.randn(1, 3, network.settings.window)
    with torch.inference_mode():
        assert torch.equal(found(windows).phases, network(windows).phases)
    assert found.settings == network.settings
    assert not found.training
    assert card_from_json(card_to_json(card)) == card


def test_a_card_keeps_all_it_was_told_and_spells_all_settings_out(store: Store) -> None:
    card = store.find("mine")
    assert replace(card, digest="", settings=CARD.settings) == CARD
    assert (card.settings["rate_hz"], card.settings["components"], card.settings["kernel"]) == (
        50.0,
        "ENZ",
        7,
    )
    assert card.digest == digest_of(stored(store))


def test_the_highest_version_is_found_and_the_first_folder_wins(store: Store) -> None:
    tensors = tensors_of(build("phasenet", seed=2))
    for version in ("10", "9", "3.1"):
        store.save(replace(CARD, version=version), tensors)
    Store(store.shipped).save(replace(CARD, version="11"), tensors)
    Store(store.shipped).save(replace(CARD, licence="none"), tensors)
    assert [card.version for card in store.cards()] == ["2", "3.1", "9", "10", "11"]
    assert store.find("mine").version == "11"
    assert store.find("mine@2").licence == "CC0"
    assert store.load("mine@11")[1].version == "11"


def test_a_store_that_is_not_there_holds_none_and_is_not_made(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere", shipped=tmp_path / "shipped")
    assert list(store.cards()) == []
    with pytest.raises(
        ConfigError, match=r"no weights 'stead@2' in .*nowhere: it holds none; `stationday models"
    ):
        store.find("stead@2")
    assert not store.folder.exists()


def test_a_wrong_name_names_the_nearest(store: Store) -> None:
    for name, near in (("mime", "mine"), ("mine@3", "mine@2")):
        with pytest.raises(ConfigError, match=f"no weights '{name}' in .*: did you mean {near}"):
            store.find(name)


def test_other_weights_of_the_same_name_are_not_replaced_by_accident(store: Store) -> None:
    same, other = (tensors_of(build("phasenet", seed=seed)) for seed in (1, 2))
    store.save(CARD, same)
    with pytest.raises(
        ConfigError, match=r"holds other weights mine@2 \(digest .*--overwrite, would be right"
    ):
        store.save(CARD, other)
    store.save(CARD, other, replace=True)
    assert store.find("mine").digest == digest_of(other)


def test_changed_weights_are_noticed_by_their_digest(store: Store) -> None:
    tensors = stored(store)
    tensors["head.bias"] = tensors["head.bias"] + np.float32(1e-7)
    rewrite(store, tensors, stated=False)
    with pytest.raises(
        ConfigError, match=r"not the weights that the card of mine@2 describes: their digest is"
    ):
        store.load("mine")


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5])
def test_truncated_weights_are_noticed(store: Store, kept: float) -> None:
    path = store.folder / "mine@2.safetensors"
    data = path.read_bytes()
    path.write_bytes(data[: int(kept if kept >= 1 or kept == 0 else kept * len(data))])
    with pytest.raises(
        ConfigError, match=r"mine@2\.safetensors: no safetensors, or damaged or truncated ones"
    ):
        store.load("mine")


def test_a_changed_byte_is_noticed_wherever_it_is(store: Store) -> None:
    path = store.folder / "mine@2.safetensors"
    whole = path.read_bytes()
    for at in (3, 9, 200, len(whole) // 2, len(whole) - 1):
        data = bytearray(whole)
        data[at] ^= 1
        path.write_bytes(data)
        with pytest.raises(ConfigError, match=r"mine@2\.safetensors: "):
            store.load("mine")


def test_missing_weights_are_noticed(store: Store) -> None:
    (store.folder / "mine@2.safetensors").unlink()
    with pytest.raises(
        ConfigError, match=r"mine@2\.safetensors: No such file.*; the card of mine@2 needs it"
    ):
        store.load("mine")


def test_renamed_tensors_are_refused(store: Store) -> None:
    tensors = stored(store)
    tensors["output.bias"] = tensors.pop("head.bias")
    rewrite(store, tensors, stated=True)
    match = r"1 tensors are missing \(the first is head.bias\), 1 unknown \(the first is output.bias\)"
    with pytest.raises(ConfigError, match=match):
        store.load("mine")


def test_renamed_files_are_refused(store: Store) -> None:
    for suffix in (".json", ".safetensors"):
        (store.folder / f"mine@2{suffix}").rename(store.folder / f"yours@2{suffix}")
    with pytest.raises(
        ConfigError, match=r"yours@2\.json: the card is of mine@2, and should be called mine@2\.json"
    ):
        store.load("yours")


def test_weights_of_another_network_under_its_card_are_refused(store: Store) -> None:
    rewrite(store, tensors_of(build("eqtransformer")), stated=True)
    with pytest.raises(ConfigError, match="these are no weights of PhaseNet with these settings"):
        store.load("mine")


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"first_filters": 16}, r"should have the shape \(16, 3, 7\) in PhaseNet with these settings, got"),
        ({"components": "Z"}, r"entry.convolution.weight should have the shape \(8, 1, 7\)"),
        ({"phases": ["P", "S", "R"]}, r"head.weight should have the shape \(4, 8, 1\) in PhaseNet"),
        ({"depth": 4}, r"0 tensors are missing, 20 unknown \(the first is contractions\.3\.shorten"),
        ({"rate": 100}, "card of mine@2: unknown key rate: did you mean rate_hz"),
        ({"window": 1200}, "overlap should be below the window of 1200 samples, got 1500"),
        ({"window": "long"}, 'card of mine@2: window is "long", but should be a whole number'),
        ({"normalisation": "none"}, 'normalisation is "none", but should be one of "peak", "std"'),
    ],
)
def test_a_card_that_does_not_fit_its_weights_is_refused(
    store: Store, settings: dict[str, object], match: str
) -> None:
    edit(store, settings={**store.find("mine").settings, **settings})
    with pytest.raises(ConfigError, match=match):
        store.load("mine")


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"architecture": "phasenett"}, "unknown architecture 'phasenett': did you mean phasenet"),
        ({"architecture": 7}, "architecture is 7, but should be text in quotes"),
        ({"threshold": {"P": 0.3}}, "unknown key threshold: did you mean thresholds"),
        ({"thresholds": {"P": 1.5}}, "threshold of P should lie above 0 and not above 1, got 1.5"),
        ({"overlap": -1}, "overlap should be 0 samples or more, got -1"),
        ({"digest": "abc"}, "a digest of weights should be 32 hexadecimal digits, got 'abc'"),
        ({"name": "../mine"}, "a name of weights should be of small letters, digits, .* got '../mine'"),
        ({"version": "2/3"}, "a version of weights should be of letters, digits and dots, got '2/3'"),
        ({"settings": 3}, "should be a JSON object whose settings are one, too"),
        ({"scores": {"recall": float("nan")}}, "the score recall should be a number, got nan"),
    ],
)
def test_cards_that_say_something_else_are_refused(
    store: Store, values: dict[str, object], match: str
) -> None:
    edit(store, **values)
    with pytest.raises(ConfigError, match=rf"mine@2\.json.*{match}"):
        store.find("mine")


def test_a_card_that_is_no_json_is_refused(store: Store) -> None:
    (store.folder / "mine@2.json").write_bytes(b'{"name": "mi\xff')
    with pytest.raises(ConfigError, match=r"mine@2\.json should be JSON"):
        store.find("mine")


def test_thresholds_of_what_is_not_picked_are_refused(store: Store) -> None:
    edit(store, thresholds={"Pn": 0.3})
    with pytest.raises(ConfigError, match=r"threshold of Pn, which it does not pick; .* P, S, detection"):
        store.load("mine")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(store: Store, value: float) -> None:
    tensors = stored(store)
    tensors["head.bias"][1] = value
    rewrite(store, tensors, stated=True)
    with pytest.raises(
        ConfigError, match=r"head.bias holds values that are no numbers; its training diverged"
    ):
        store.load("mine")


def test_half_precision_is_refused(store: Store) -> None:
    rewrite(store, {name: values.astype(np.float16) for name, values in stored(store).items()}, stated=True)
    with pytest.raises(ConfigError, match="should be float32, got float16"):
        store.load("mine")


def test_weights_travel_from_store_to_store_with_their_card(store: Store, tmp_path: Path) -> None:
    other = Store(tmp_path / "cluster")
    card, tensors = import_weights(store.folder / "mine@2.safetensors")
    assert other.save(card, tensors) == store.find("mine")
    edit(store, digest="0" * 32)
    with pytest.raises(ConfigError, match=r"not the weights that mine@2\.json describes: the digests differ"):
        import_weights(store.folder / "mine@2.safetensors")


def test_the_folder_is_what_the_environment_says() -> None:
    assert default_folder({"STATIONDAY_MODELS": "/a"}) == Path("/a")
    assert default_folder({"XDG_DATA_HOME": "/b"}) == Path("/b/stationday/models")
    assert default_folder({}).parts[-2:] == ("stationday", "models")


def test_the_digest_depends_on_names_shapes_types_and_values() -> None:
    base = {"a": np.zeros((2, 3), np.float32), "b": np.ones(1, np.float32)}
    others = [
        {"b": base["b"], "c": base["a"]},
        {**base, "a": np.zeros((3, 2), np.float32)},
        {**base, "a": np.zeros((2, 3), np.int32)},
        {**base, "b": -base["b"]},
        {"a": base["a"]},
    ]
    assert digest_of(dict(reversed(base.items()))) == digest_of(base)
    assert len({digest_of(tensors) for tensors in (base, *others)}) == 6
