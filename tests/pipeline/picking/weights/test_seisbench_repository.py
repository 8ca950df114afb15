"""SeisBench's repository: versions, checksums, and a network that is not there."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from weights_server import Repository, serve_weights

from pipeline.errors import (
    ConfigError,
    CutOffError,
    DamagedError,
    DeniedError,
    RefusedError,
    TooLargeError,
    UnansweredError,
)
from pipeline.picking.weights import seisbench_repository
from pipeline.picking.weights.seisbench_repository import fetch_weights


@pytest.fixture
def repository() -> Iterator[Repository]:
    with serve_weights() as served:
        for version in ("1", "2", "10"):
            served.files[f"/phasenet/stead.pt.v{version}"] = f"weights {version}".encode()
            served.files[f"/phasenet/stead.json.v{version}"] = f'{{"version": "{version}"}}'.encode()
        served.files["/phasenet/old.pt"] = b"old weights"
        served.files["/phasenet/old.json"] = b'{"docstring": "of old"}'
        yield served


def fetch(repository: Repository, folder: Path, name: str = "phasenet-stead") -> tuple[Path, str]:
    return fetch_weights(name, folder, repository=repository.url)


def test_the_latest_version_is_fetched_unless_one_is_named(repository: Repository, tmp_path: Path) -> None:
    path, checksum = fetch(repository, tmp_path)
    assert (path.name, path.read_bytes(), checksum) == ("stead.pt.v10", b"weights 10", "sha-256")
    assert (tmp_path / "stead.json.v10").exists()
    repository.asked.clear()
    path, _ = fetch(repository, tmp_path, "phasenet-stead@2")
    assert path.read_bytes() == b"weights 2"
    assert repository.asked == ["/phasenet/stead.pt.v2", "/phasenet/stead.json.v2"]


def test_weights_without_a_version_in_their_names_have_one_in_their_json(
    repository: Repository, tmp_path: Path
) -> None:
    for name in ("phasenet-old", "phasenet-old@1"):
        assert fetch(repository, tmp_path, name)[0].read_bytes() == b"old weights"
    with pytest.raises(RefusedError, match="there is nothing there"):
        fetch(repository, tmp_path, "phasenet-new@1")
    repository.files["/phasenet/old.json"] = b'{"version": "3"}'
    with pytest.raises(RefusedError, match="old has version 3, not 1"):
        fetch(repository, tmp_path, "phasenet-old@1")


def test_an_unknown_name_says_what_there_is(repository: Repository, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no weights 'steed'; there are old, stead"):
        fetch(repository, tmp_path, "phasenet-steed")


@pytest.mark.parametrize("name", ["stead", "gpd-stead", "phasenet", "phasenet-../x", "phasenet-stead@", ""])
def test_names_of_another_form_are_refused(repository: Repository, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="should be named by one of phasenet, eqtransformer and their name"):
        fetch(repository, tmp_path, name)
    assert repository.asked == []


@pytest.mark.parametrize("stated", ["sha-256", "adler32", "md5"])
def test_a_checksum_that_differs_is_damage(repository: Repository, tmp_path: Path, stated: str) -> None:
    repository.stated = stated
    assert fetch(repository, tmp_path)[1] == stated
    repository.spoil = lambda content: content[:-1] + b"?"
    with pytest.raises(
        DamagedError, match=f"its {stated} is .*, the server states .*: what came is not what lies"
    ):
        fetch(repository, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_server_without_checksums_vouches_for_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.stated = ""
    assert fetch(repository, tmp_path)[1] == ""


def test_an_answer_that_ends_too_early_is_noticed(repository: Repository, tmp_path: Path) -> None:
    repository.announce = 5
    with pytest.raises(CutOffError, match=r"stead\.pt\.v2: "):
        fetch(repository, tmp_path, "phasenet-stead@2")


@pytest.mark.parametrize(("status", "error"), [(403, DeniedError), (503, UnansweredError)])
def test_other_answers_are_what_they_are(
    repository: Repository, tmp_path: Path, status: int, error: type[Exception]
) -> None:
    repository.status = status
    with pytest.raises(error, match=str(status)):
        fetch(repository, tmp_path, "phasenet-stead@2")


def test_what_is_far_too_large_is_given_up(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seisbench_repository, "_LARGEST_BYTES", 4)
    with pytest.raises(TooLargeError, match="more than 4 bytes, which weights never have"):
        fetch(repository, tmp_path, "phasenet-stead@2")


def test_no_network_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with pytest.raises(
        UnansweredError, match=r"no network, or 127\.0\.0\.1 does not answer \(connection refused\)"
    ):
        fetch_weights("phasenet-stead", tmp_path, repository=address)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="should be an address that begins with https"):
        fetch_weights("phasenet-stead", tmp_path, repository="ftp://nowhere")
