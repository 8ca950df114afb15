"""``stationday noise`` killed in the middle: the next call completes it to the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from noise_archives import Channel, flat, ingest, write_days

from workflows.cli import main
from workflows.noise import find_product

pytestmark = pytest.mark.chaos

_EXPIRY_S = 2
_SCRIPT = (
    "import sys; from workflows.lease import Lease; "
    f"Lease.__init__.__kwdefaults__['expiry_seconds'] = {_EXPIRY_S}; "
    "from workflows.cli import main; sys.exit(main())"
)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four gravimeters over two blocks."""
    folder = tmp_path_factory.mktemp("noise-chaos")
    names = [f"K{number}" for number in range(4)]
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).normal(0, 100.0, 40 * 1440)
        write_days(folder / "sds", name, "UGZ", noise, 1 / 60)
    channels = [Channel(station=name, code="UGZ", response=flat(1, "NM/S**2")) for name in names]
    ingest(folder / "sds", folder / "a.zarr", *channels)
    (folder / "noise.toml").write_text("[[gravimeters]]\nstream = '*'\ntide = 'none'\n")
    return folder / "a.zarr"


def call(archive: Path, out: Path) -> list[str]:
    config = str(archive.with_name("noise.toml"))
    return ["noise", str(archive), "--out", str(out), "--config", config, "--quiet"]


def contents(out: Path) -> dict[str, bytes]:
    store = find_product(str(out)).blocks.store
    keys = [info.key for info in store.list() if "ledger/" not in info.key and "lease/" not in info.key]
    return {key: store.read(key) for key in keys}


def written(out: Path) -> int:
    """How many chunks and tables there are."""
    return sum(
        1 for path in out.rglob("*") if path.is_file() and ("/c/" in str(path) or path.suffix == ".parquet")
    )


@pytest.mark.parametrize("cluster", ["serial", "processes:2"])
@pytest.mark.parametrize("after", [1, 9, 40, 60])
def test_killed_and_called_again(after: int, cluster: str, archive: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole", tmp_path / "killed"
    assert main([*call(archive, whole), "--cluster", "serial"]) == 0
    process = subprocess.Popen(
        [sys.executable, "-c", _SCRIPT, *call(archive, out), "--cluster", cluster],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    patience = time.monotonic() + 120
    while written(out) < after and process.poll() is None and time.monotonic() < patience:
        time.sleep(0.005)
    group = os.getpgid(process.pid) if process.poll() is None else None
    if group is not None:
        os.killpg(group, signal.SIGKILL)
    process.wait()
    time.sleep(_EXPIRY_S + 1)
    assert main([*call(archive, out), "--cluster", "serial"]) == 0
    assert contents(out) == contents(whole)
    assert not list(out.rglob("*.partial"))
