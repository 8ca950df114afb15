"""Real data for tests: where it lies, and how many tests used it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from s3_server import S3, running_s3

DATA = Path(os.environ.get("STATIONDAY_DATA", Path(__file__).parents[2] / "shared" / "data"))
REQUIRED = os.environ.get("STATIONDAY_REQUIRE_DATA", "0") == "1"
# The same examples in each run; `make test-all` looks for new ones. Slow machines are not failures.
settings.register_profile("stationday", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "stationday"))

_USED: dict[str, int] = {"ran": 0, "skipped": 0}


@pytest.fixture
def data_folder() -> Path:
    """Return the folder of real data; a test that asks for it skips where there is none."""
    if not DATA.is_dir():
        _USED["skipped"] += 1
        message = f"no real data at {DATA}: set STATIONDAY_DATA"
        if REQUIRED:
            pytest.fail(message)
        pytest.skip(message)
    return DATA


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """Run an S3 server on loopback, to which every ``s3://`` of this process and its children leads."""
    logging.getLogger("werkzeug").disabled = True
    with pytest.MonkeyPatch.context() as patch, running_s3() as server:
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield server


def pytest_runtest_call(item: pytest.Item) -> None:
    if "data_folder" in getattr(item, "fixturenames", ()):
        _USED["ran"] += 1


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send what a worker of pytest-xdist counted to who prints the summary."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["real_data"] = dict(_USED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what workers counted."""
    for what, count in getattr(node, "workeroutput", {}).get("real_data", {}).items():
        _USED[what] += count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    folder = DATA if DATA.is_dir() else f"{DATA} (absent)"
    counts = f"{_USED['ran']} tests ran, {_USED['skipped']} skipped"
    terminalreporter.write_line(f"real data: {counts}, on {folder}")
