"""A data centre that two stations of one network have, and a client that does not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from fdsn_server import Centre, FakeClock, serve

from pipeline.fdsn.client import Client, Patience
from pipeline.fdsn.credentials import Credentials
from pipeline.fdsn.pace import Pace

FIRST = 18262
"""2020-01-01"""


@pytest.fixture
def centre() -> Iterator[Centre]:
    centre = Centre()
    for component in "ZNE":
        centre.add(f"CI.CCC..LH{component}", FIRST, 4)
    with serve(centre):
        yield centre


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make_client(centre: Centre, clock: FakeClock) -> Iterator[Callable[..., Client]]:
    made = []

    def make(patience: Patience | None = None, **credentials: str) -> Client:
        client = Client(centre.service, Pace(100.0, clock), Credentials(**credentials), patience)
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
