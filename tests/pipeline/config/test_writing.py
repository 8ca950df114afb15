"""Writing a config: nothing is lost on the way through TOML, and the digest is of the values alone."""

import dataclasses
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Literal

from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import digest, from_mapping, load, to_mapping, to_toml
from pipeline.config.toml import toml_text


class Device(Enum):
    CPU = "cpu"
    GPU = "gpu"


@dataclass(frozen=True, kw_only=True)
class Inner:
    number: float
    label: str | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outer:
    flag: bool
    count: int
    ratio: float
    text: str
    path: Path
    day: dt.date
    time: dt.datetime
    device: Device
    choice: Literal["a", 2]
    maybe: int | None = None
    inner: Inner
    inners: tuple[Inner, ...]
    pair: tuple[str, int]
    grid: tuple[tuple[float, ...], ...]
    named: Mapping[str, Inner]


numbers = st.floats(allow_nan=False)
inners = st.builds(
    Inner,
    number=numbers,
    label=st.none() | st.text(),
    weights=st.dictionaries(st.text(), numbers, max_size=2),
)
outers = st.builds(
    Outer,
    flag=st.booleans(),
    count=st.integers(),
    ratio=numbers,
    text=st.text(),
    path=st.text("abc/.~$ ", min_size=1).map(Path),
    day=st.dates(),
    time=st.datetimes(timezones=st.just(dt.UTC)),
    device=st.sampled_from(Device),
    choice=st.sampled_from(["a", 2]),
    maybe=st.none() | st.integers(),
    inner=inners,
    inners=st.lists(inners, max_size=2).map(tuple),
    pair=st.tuples(st.text(), st.integers()),
    grid=st.lists(st.lists(numbers, max_size=2).map(tuple), max_size=2).map(tuple),
    named=st.dictionaries(st.text(), inners, max_size=2),
)


@given(outers)
def test_round_trips(config: Outer) -> None:
    assert load(Outer, to_toml(config)) == config
    assert from_mapping(Outer, to_mapping(config)) == config
    assert digest(load(Outer, to_toml(config))) == digest(config)


TOML = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), TOML, max_size=4))
def test_standard_library_reads_what_we_write(mapping: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(mapping)) == mapping


@dataclass(frozen=True, kw_only=True)
class Small:
    ratio: float = 0.5
    passes: int = 10
    model: str | None = None


def test_digest_is_blake2_of_the_values() -> None:
    expected = hashlib.blake2b(b'{"passes":10,"ratio":0.5}', digest_size=32).hexdigest()
    assert digest(Small()) == expected
    assert digest(Small(ratio=0.5, passes=10)) == expected
    assert (
        len({digest(Small(**change)) for change in ({}, {"ratio": 1.0}, {"passes": 1}, {"model": "a"})}) == 4
    )


def test_digest_knows_no_spelling() -> None:
    assert digest(load(Small, "ratio = 1")) == digest(load(Small, "passes = 10\nratio = 1.0"))
    assert digest(Small(ratio=1)) == digest(Small(ratio=1.0))


def test_digest_survives_a_new_option_without_value() -> None:
    newer = dataclasses.make_dataclass(
        "Newer", [("extra", int | None, None)], bases=(Small,), frozen=True, kw_only=True
    )
    assert digest(newer()) == digest(Small())
    assert digest(newer(extra=1)) != digest(Small())


def test_digest_is_the_same_in_another_process() -> None:
    code = (
        "from dataclasses import dataclass\nfrom pipeline.config import digest\n"
        "@dataclass(frozen=True, kw_only=True)\nclass Other:\n    passes: int = 10\n    ratio: float = 0.5\n"
        "print(digest(Other()))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "999"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert done.stdout.decode().strip() == digest(Small())


def test_digest_text_is_canonical_json() -> None:
    @dataclass(frozen=True, kw_only=True)
    class When:
        day: dt.date = dt.date(2020, 12, 31)
        name: str = "Ä"

    text = json.dumps({"day": "2020-12-31", "name": "Ä"}, separators=(",", ":"))
    assert digest(When()) == hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
